#!/usr/bin/python
# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: vm_extension_info
short_description: Read the extensions of Azure virtual machines and what they reported
version_added: 0.1.0
author: The dockhost.azure authors (@dockhost)
description:
  - Lists the extensions of one machine, of many, of a group of hosts, of a flexible scale set, or of all machines of a resource group.
  - Tells of each what its instance view says, so that failed ones are found with exit status, error output and the place of the log.
extends_documentation_fragment:
  - dockhost.azure.azure
  - dockhost.azure.azure.attributes
  - dockhost.azure.tags.deployment
attributes:
  check_mode:
    support: full
    details: This module reads only.
  diff_mode:
    support: none
    details: This module reads only.
options:
  resource_group:
    description: The resource group of the machines.
    type: str
    required: true
  hosts:
    description: The names of the machines. All of the resource group when neither this, O(group) nor O(scale_set) is given.
    type: list
    elements: str
  group:
    description: The name of a group of M(dockhost.azure.host_group).
    type: str
  scale_set:
    description: The name of a scale set with flexible orchestration.
    type: str
  publisher:
    description: Only extensions of this publisher.
    type: str
  type:
    description: Only extensions of this type.
    type: str
seealso:
  - module: dockhost.azure.vm_extension
  - module: dockhost.azure.docker_extension
"""

EXAMPLES = r"""
- name: Machines that have the old Docker extension, and its settings
  dockhost.azure.vm_extension_info:
    resource_group: rg-old
    publisher: Microsoft.Azure.Extensions
    type: DockerExtension
  register: old

- name: What has failed, and why
  ansible.builtin.debug:
    msg: "{{ old.extensions | selectattr('provisioning_state', 'equalto', 'Failed') | map(attribute='reason') }}"
"""

RETURN = r"""
extensions:
  description: The extensions.
  returned: success
  type: list
  elements: dict
  contains:
    host:
      description: The machine.
      type: str
      sample: demo-1
    id:
      description: The id of the extension.
      type: str
    name:
      description: Its name.
      type: str
      sample: DockerExtension
    publisher:
      description: Its publisher.
      type: str
      sample: Microsoft.Azure.Extensions
    type:
      description: Its type.
      type: str
      sample: DockerExtension
    version:
      description: Its version.
      type: str
      sample: "1.2"
    provisioning_state:
      description: What Azure says of its last run.
      type: str
      sample: Succeeded
    power_state:
      description: Whether the machine runs.
      type: str
      sample: running
    settings:
      description: Its public settings. Azure never returns protected ones.
      type: dict
    message:
      description: What it reported.
      type: str
    exit_code:
      description: The exit status of its script, if it told one.
      type: int
    stdout:
      description: The end of its output, where it is a CustomScript.
      type: str
    stderr:
      description: The end of its error output, likewise.
      type: str
    reason:
      description: The line that says why.
      type: str
    log:
      description: Where its log is on the machine.
      type: str
"""

from ansible_collections.dockhost.azure.plugins.module_utils._extension.info_task import ARGUMENTS, CONSTRAINTS, VmExtensionInfoTask
from ansible_collections.dockhost.azure.plugins.module_utils._module import run_info


def main() -> None:
    """Run the module."""
    run_info(VmExtensionInfoTask, ARGUMENTS, **CONSTRAINTS)


if __name__ == "__main__":
    main()
