# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: status_page
short_description: The status of a deployment as an HTML page
version_added: 0.1.0
author: The dockhost.azure authors (@dockhost)
description:
  - Draws a deployment with its load balancer, zones, hosts, swarm roles, services and tasks, and says what is not as it should be.
  - The page is one file without a script, and nothing is loaded from elsewhere. It is made for a phone, a wide screen, and paper,
    light and dark. All that hosts and the swarm say is escaped.
options:
  _input:
    description:
      - What was read, with C(deployment), C(resource_group), C(location) and C(time) as text, C(hosts) as
        M(dockhost.azure.host_group_info) returns them, C(load_balancer) as M(dockhost.azure.load_balancer) returns it, C(swarm) as
        M(dockhost.azure.swarm_info) returns it with O(dockhost.azure.swarm_info#module:tasks), and C(phases).
      - All of it but C(deployment) may be missing. Without C(swarm) the swarm counts as not asked.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Show or keep what was read
  ansible.builtin.copy:
    content: "{{ {'deployment': 'demo', 'hosts': found.hosts, 'swarm': swarm} | dockhost.azure.status_page }}"
    dest: status
    mode: "0600"
"""

RETURN = r"""
_value:
  description: The page.
  type: str
"""

from ansible.errors import AnsibleFilterError
from ansible_collections.dockhost.azure.plugins.plugin_utils._status import model, page


def status_page(said):
    """See DOCUMENTATION."""
    if not isinstance(said, dict) or not said.get("deployment"):
        raise AnsibleFilterError("status_page takes a dictionary with the name of the deployment in 'deployment', see its documentation.")
    return page.render(model.status(said))


class FilterModule:
    """The filter."""

    def filters(self):
        """Name to function."""
        return {"status_page": status_page}
