#!/usr/bin/python
# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: host_group_info
short_description: Read the hosts of host groups on Azure
version_added: 0.1.0
author: The dockhost.azure authors (@dockhost)
description:
  - Reads the hosts that M(dockhost.azure.host_group) manages in a resource group, with addresses and power states.
  - The number of requests, three to four, does not depend on the number of hosts.
  - A resource group that does not exist has no hosts.
extends_documentation_fragment:
  - dockhost.azure.azure
  - dockhost.azure.azure.attributes
attributes:
  check_mode:
    support: full
    details: Nothing is changed in either mode.
  diff_mode:
    support: N/A
    details: Nothing is changed.
options:
  resource_group:
    description: The resource group of the hosts.
    type: str
    required: true
  name:
    description: The host group; all of them when not given.
    type: str
  deployment:
    description: The deployment, as it stands in the tag C(dockhost-deployment); all of them when not given.
    type: str
seealso:
  - module: dockhost.azure.host_group
  - plugin: dockhost.azure.docker_hosts
    plugin_type: inventory
"""

EXAMPLES = r"""
- name: Read all Docker hosts of a resource group
  dockhost.azure.host_group_info:
    resource_group: rg-demo
  register: found

- name: Show where they are
  ansible.builtin.debug:
    msg: "{{ item.name }} has {{ item.private_address }} in zone {{ item.zone }} and is {{ item.power_state }}"
  loop: "{{ found.hosts }}"
"""

RETURN = r"""
hosts:
  description: The hosts, by group and number.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Its name.
      type: str
      sample: demo-1
    id:
      description: Its id.
      type: str
    vm_id:
      description: The id that Azure gives to a machine for its life.
      type: str
      sample: 16c968d7-e529-4dfe-ac73-c8ccedb63818
    resource_group:
      description: Its resource group.
      type: str
      sample: rg-demo
    location:
      description: Its region.
      type: str
      sample: westeurope
    size:
      description: Its size.
      type: str
      sample: Standard_D2s_v5
    image:
      description: The image that it was made of.
      type: str
      sample: "Debian:debian-13:13-gen2:latest"
    private_address:
      description: Its private address.
      type: str
      sample: 172.28.0.4
    public_address:
      description: Its own public address, if it has one.
      type: str
    zone:
      description: Its zone, if it has one.
      type: str
      sample: "1"
    fault_domain:
      description: Its fault domain, where Azure tells it.
      type: int
    power_state:
      description: C(running), C(stopped), C(deallocated) and what lies between.
      type: str
      sample: running
    provisioning_state:
      description: What Azure says of the last change.
      type: str
      sample: Succeeded
    deployment:
      description: The deployment that it belongs to.
      type: str
      sample: rg-demo
    group:
      description: The host group that it belongs to.
      type: str
      sample: demo
    index:
      description: Its number.
      type: int
      sample: 1
    swarm_role:
      description: C(manager) or C(worker), if the group says so.
      type: str
      sample: manager
    admin_username:
      description: The user who may sign in.
      type: str
      sample: azureuser
    network_interface:
      description: The id of its network interface.
      type: str
    tags:
      description: Its tags.
      type: dict
"""

from ansible_collections.dockhost.azure.plugins.module_utils._hosts.info_task import HostGroupInfoTask
from ansible_collections.dockhost.azure.plugins.module_utils._module import DEPLOYMENT_ARGS, run

ARGUMENTS = dict(
    DEPLOYMENT_ARGS,
    resource_group={"type": "str", "required": True},
    name={"type": "str"},
)


def main() -> None:
    """Run the module."""
    run(HostGroupInfoTask, ARGUMENTS)


if __name__ == "__main__":
    main()
