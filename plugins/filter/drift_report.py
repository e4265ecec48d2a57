# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: drift_report
short_description: What differs from the variables, from the plans of modules in check mode
version_added: 0.1.0
author: The dockhost.azure authors (@dockhost)
description:
  - Puts the plans of several modules that ran in check mode into one list of differences.
options:
  _input:
    description:
      - C(deployment), C(resource_group) and C(time) as text; C(azure), C(swarm) and C(application), each a list of steps as modules return them in C(plan);
        C(engine), host to such a list; C(stopped), hosts that do not run, as M(dockhost.azure.host_group_info) returns them;
        C(errors), sentences for what could not be looked at.
      - All of it may be missing.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: See whether the network is as it should be
  ansible.builtin.debug:
    msg: "{{ {'deployment': 'demo', 'azure': network.plan} | dockhost.azure.drift_report }}"
"""

RETURN = r"""
_value:
  description:
    - C(deployment), C(resource_group), C(time), C(state) (none, drift or error), C(differences), each with C(where), C(host), C(what), C(action) and C(detail),
      C(errors), and C(lines), the same as text.
  type: dict
"""

from ansible.errors import AnsibleFilterError
from ansible_collections.dockhost.azure.plugins.plugin_utils import _drift


def drift_report(said):
    """See DOCUMENTATION."""
    if not isinstance(said, dict):
        raise AnsibleFilterError("drift_report takes a dictionary of plans, see its documentation.")
    told = _drift.report(said)
    return {**told, "lines": _drift.lines(told)}


class FilterModule:
    """The filter."""

    def filters(self):
        """Name to function."""
        return {"drift_report": drift_report}
