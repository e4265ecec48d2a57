#!/usr/bin/python
# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: host_keys
short_description: Fetch the SSH host keys of Docker hosts on Azure into a known_hosts file
version_added: 0.1.0
author: The dockhost.azure authors (@dockhost)
description:
  - Reads the public SSH host keys of running hosts over an authenticated channel and writes them to a C(known_hosts) file, so that no
    key has to be trusted at first sight.
  - A key stands under the alias C(<host>.<resource group>) in lower case, which P(dockhost.azure.docker_hosts#inventory) gives to SSH as
    C(HostKeyAlias). Addresses and ports may change without a new key.
  - The id that Azure gives to a machine for its life stands in the comment of each line. A host whose machine is still the one in the
    file is not asked again; one that was made anew is, and its old keys go.
  - Lines of hosts that are gone are removed. Lines of other hosts, deployments and resource groups, and all that others wrote, stay.
extends_documentation_fragment:
  - dockhost.azure.azure
  - dockhost.azure.azure.attributes
attributes:
  check_mode:
    support: full
    details: No command is run on hosts in check mode; the diff names the hosts whose keys would be read.
  diff_mode:
    support: full
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
  known_hosts:
    description:
      - The file to bring up to date. It is replaced in one step and readable by its owner only.
      - Its folder is made when it is missing.
    type: path
    required: true
  not_running:
    description:
      - What to do about a host whose keys are missing and that is not running, so that it cannot be asked.
      - V(refuse) fails at the end, when the keys of all others have been written. V(warn) goes on with a warning, for plays that need the
        hosts that run and no others.
    type: str
    choices: [refuse, warn]
    default: refuse
notes:
  - The channel is RunCommand of Azure Resource Manager. Azure authenticates the caller (Microsoft Entra ID), TLS the answer, and Azure's
    agent reads the files C(/etc/ssh/ssh_host_*_key.pub) on the very machine as they are now, after cloud-init has made them.
  - The other authenticated channel is the serial log of boot diagnostics, to which cloud-init writes the keys at the first boot. It was
    not chosen, since it has to be switched on, comes late and through a storage account of its own, is overwritten in time, and tells of the
    first boot only, not of the keys that are in use.
  - It costs one write request for each new host and none for known ones. A host has to run, and its agent with it.
seealso:
  - module: dockhost.azure.host_group
  - plugin: dockhost.azure.docker_hosts
    plugin_type: inventory
"""

EXAMPLES = r"""
- name: Fetch the hosts' SSH keys over Azure Resource Manager
  dockhost.azure.host_keys:
    resource_group: rg-demo
    deployment: demo
    known_hosts: ~/.local/state/dockhost/demo/known_hosts
"""

RETURN = r"""
hosts:
  description: The hosts and what the file says of their keys.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The host.
      type: str
      sample: demo-1
    alias:
      description: The name under which its keys stand.
      type: str
      sample: demo-1.rg-demo
    lines:
      description: Its keys; empty in check mode where they are still to be read.
      type: list
      elements: str
plan:
  description: Always empty, since nothing is changed in Azure.
  returned: success
  type: list
  elements: dict
"""

from ansible_collections.dockhost.azure.plugins.module_utils._hosts.keys_task import HostKeysTask
from ansible_collections.dockhost.azure.plugins.module_utils._module import DEPLOYMENT_ARGS, run

ARGUMENTS = dict(
    DEPLOYMENT_ARGS,
    resource_group={"type": "str", "required": True},
    name={"type": "str"},
    known_hosts={"type": "path", "required": True},
    not_running={"type": "str", "choices": ["refuse", "warn"], "default": "refuse"},
)


def main() -> None:
    """Run the module."""
    run(HostKeysTask, ARGUMENTS)


if __name__ == "__main__":
    main()
