# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: compose_project
short_description: The document of a stack as that of a Compose project on a single host
version_added: 0.1.0
author: The dockhost.azure authors (@dockhost)
description:
  - Leaves out what means nothing without a swarm, such as placement, the order of updates, publishing modes and encrypted networks, and says the rest in
    the words of Compose.
  - A job becomes a service that may end, as C(restart) with V(on-failure); all others are started again whenever they end.
  - Labels of services (C(deploy.labels)) become those of containers, so that M(dockhost.azure.swarm_info) finds how ports are probed.
  - Configs and secrets become files, C(configs/NAME) and C(secrets/NAME) in the project's folder, as O(dockhost.azure.compose#module:files) and
    O(dockhost.azure.compose#module:secrets) write them.
options:
  _input:
    description: The document, as M(dockhost.azure.stack) takes it.
    type: dict
    required: true
  configs:
    description: Names of the configs, or a dictionary with these keys.
    type: raw
    default: []
  secrets:
    description: Names of the secrets, or a dictionary with these keys. Its values are not looked at.
    type: raw
    default: []
"""

EXAMPLES = r"""
- name: The same application without a swarm
  dockhost.azure.compose:
    name: shop
    definition: "{{ document | dockhost.azure.compose_project(['site'], shop_secrets) }}"
    files:
      configs/site: "{{ lookup('ansible.builtin.file', 'site.conf') }}"
    secrets: "{{ shop_secrets }}"
"""

RETURN = r"""
_value:
  description: The document for module compose.
  type: dict
"""

from ansible.errors import AnsibleFilterError
from ansible_collections.dockhost.azure.plugins.plugin_utils import _single_host


def compose_project(document, configs=(), secrets=()):
    """See DOCUMENTATION."""
    if not isinstance(document, dict) or not document.get("services"):
        raise AnsibleFilterError("compose_project takes a Compose document with services, see its documentation.")
    return _single_host.project(document, configs, secrets)


class FilterModule:
    """The filter."""

    def filters(self):
        """Name to function."""
        return {"compose_project": compose_project}
