#!/usr/bin/python
# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: vm_extension
short_description: Manage an extension of Azure virtual machines
version_added: 0.1.0
author: The dockhost.azure authors (@dockhost)
description:
  - Installs, changes and removes one virtual machine extension, of any publisher and type, on one machine, on many, or on a whole
    group of hosts. All machines are worked on side by side.
  - Azure never returns O(protected_settings). A digest of them is kept in the extension's C(forceUpdateTag), so that a rotated secret
    is a change and a second run with the same secrets is none. See O(digest_key).
  - A failed extension is reported with its exit status, its output and the place of its log on the host, and the next run asks Azure
    to run it again.
extends_documentation_fragment:
  - dockhost.azure.azure
  - dockhost.azure.azure.attributes
  - dockhost.azure.tags.deployment
attributes:
  check_mode:
    support: full
    details: Machines that do not exist yet are a warning in check mode, since an earlier task would make them.
  diff_mode:
    support: full
    details: Protected settings are never shown, only that they differ.
options:
  resource_group:
    description: The resource group of the machines.
    type: str
    required: true
  hosts:
    description: The names of the machines. They need not belong to this collection. Either this, O(group) or O(scale_set).
    type: list
    elements: str
  group:
    description: The name of a group of M(dockhost.azure.host_group). All of its hosts are meant; a group without hosts is an error for O(state=present).
    type: str
  scale_set:
    description:
      - The name of a scale set with flexible orchestration. All of its present instances are meant; run again when there are more.
      - Instances of sets with uniform orchestration are no machines of the resource group and are not reached.
    type: str
  name:
    description: The name of the extension on each machine.
    type: str
    required: true
  state:
    description: V(present) installs or changes the extension, V(absent) removes it.
    type: str
    choices:
      - present
      - absent
    default: present
  publisher:
    description: The publisher, for instance V(Microsoft.Azure.Extensions). Needed with O(state=present).
    type: str
  type:
    description: The type, for instance V(CustomScript). Needed with O(state=present).
    type: str
  version:
    description: Major and minor version, for instance V(2.1), in quotes. Needed with O(state=present).
    type: str
  settings:
    description: Public settings, as the extension documents them. Everybody who may read the machine can read them.
    type: dict
  protected_settings:
    description:
      - Settings that only the machine can decrypt. Secrets belong here.
      - They are never shown, and Azure never returns them.
    type: dict
  auto_upgrade:
    description: Whether the newest minor version is taken when the extension is installed or changed (C(autoUpgradeMinorVersion)).
    type: bool
    default: true
  automatic_upgrade:
    description:
      - Whether Azure upgrades the extension by itself later (C(enableAutomaticUpgrade)), which not all extensions support.
      - Left as it is when not given.
    type: bool
  force_update_tag:
    description: A text of your own. When it changes, the extension runs again although its settings are the same.
    type: str
  rerun:
    description: Runs the extension again in any case. This is always a change.
    type: bool
    default: false
  reinstall:
    description:
      - Whether the extension is removed first and then installed anew.
      - V(never) changes it in place. A failed one is asked to run again in place as well.
      - V(failed) does it where the extension has failed.
      - V(always) does it in any case, which is always a change.
    type: str
    choices:
      - never
      - failed
      - always
    default: never
  digest_key:
    description:
      - A secret text that goes into the digest of O(protected_settings). Who does not know it cannot try out guesses against the digest,
        which everybody who may read the machine can read.
      - Keep it with the deployment's other secrets and use the same one in all runs, since another key is taken for rotated secrets.
      - Without it the digest is salted with the resource group and the name, and made slow to guess with scrypt. That is enough for
        generated secrets, but not for short passwords.
      - Taken from the environment variable E(DOCKHOST_DIGEST_KEY) when not given.
    type: str
notes:
  - Azure takes one extension of a type on a machine. A second one of another name is refused before anything is sent.
  - Azure changes extensions of running machines only. A machine that does not run is refused, unless there is nothing to change.
  - A machine's list names its extensions by id only, so that a run needs two requests and one more for each machine that has one.
seealso:
  - module: dockhost.azure.docker_extension
  - module: dockhost.azure.host_group
"""

EXAMPLES = r"""
- name: Run a script on all hosts of a group
  dockhost.azure.vm_extension:
    resource_group: rg-demo
    group: demo
    name: bootstrap
    publisher: Microsoft.Azure.Extensions
    type: CustomScript
    version: "2.1"
    protected_settings:
      script: "{{ lookup('ansible.builtin.template', 'bootstrap.sh.j2') | b64encode }}"

- name: Sign in to two machines with Entra ID
  dockhost.azure.vm_extension:
    resource_group: rg-demo
    hosts: [demo-1, demo-2]
    name: AADSSHLogin
    publisher: Microsoft.Azure.ActiveDirectory
    type: AADSSHLoginForLinux
    version: "1.0"

- name: Install it anew where it has failed
  dockhost.azure.vm_extension:
    resource_group: rg-demo
    group: demo
    name: AzureMonitorLinuxAgent
    publisher: Microsoft.Azure.Monitor
    type: AzureMonitorLinuxAgent
    version: "1.33"
    automatic_upgrade: true
    reinstall: failed

- name: Remove it
  dockhost.azure.vm_extension:
    resource_group: rg-demo
    group: demo
    name: bootstrap
    state: absent
"""

RETURN = r"""
extensions:
  description: The extension on each machine that has it. In check mode what is there now.
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
      sample: bootstrap
    publisher:
      description: Its publisher.
      type: str
      sample: Microsoft.Azure.Extensions
    type:
      description: Its type.
      type: str
      sample: CustomScript
    version:
      description: Its version.
      type: str
      sample: "2.1"
    provisioning_state:
      description: What Azure says of its last run.
      type: str
      sample: Succeeded
    settings:
      description: Its public settings.
      type: dict
    message:
      description: What it reported, where this run made or changed it.
      type: str
    stdout:
      description: The end of its output, where it is a CustomScript and this run made or changed it.
      type: str
    stderr:
      description: The end of its error output, likewise.
      type: str
plan:
  description: What was done, or would be done in check mode.
  returned: success
  type: list
  elements: dict
  contains:
    action:
      description: C(create), C(update) or C(delete).
      type: str
      sample: create
    type:
      description: The type of the resource.
      type: str
      sample: Microsoft.Compute/virtualMachines/extensions
    name:
      description: The machine and the extension.
      type: str
      sample: demo-1/bootstrap
    changes:
      description: What differs, from what to what.
      type: list
      elements: dict
    reason:
      description: Why.
      type: str
      sample: is missing
    seconds:
      description: How long it took, null in check mode.
      type: float
      sample: 21.7
failures:
  description: What went wrong on which machine.
  returned: when the extension failed somewhere
  type: list
  elements: dict
  contains:
    host:
      description: The machine.
      type: str
      sample: demo-2
    step:
      description: What was being done.
      type: str
      sample: create extension demo-2/bootstrap
    code:
      description: Azure's code.
      type: str
      sample: VMExtensionProvisioningError
    message:
      description: Azure's message.
      type: str
    exit_code:
      description: The exit status of the script, if there was one.
      type: int
      sample: 1
    stdout:
      description: The end of its output.
      type: str
    stderr:
      description: The end of its error output.
      type: str
    reason:
      description: The line that says why.
      type: str
    log:
      description: Where the log is on the machine.
      type: str
    next_step:
      description: What to do.
      type: str
"""

from ansible_collections.dockhost.azure.plugins.module_utils._extension.task import ARGUMENTS, CONSTRAINTS, VmExtensionTask
from ansible_collections.dockhost.azure.plugins.module_utils._module import run


def main() -> None:
    """Run the module."""
    run(VmExtensionTask, ARGUMENTS, **CONSTRAINTS)


if __name__ == "__main__":
    main()
