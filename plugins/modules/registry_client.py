#!/usr/bin/python
# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module registry_client: a host that trusts a container registry and is logged in to it."""

from __future__ import annotations

DOCUMENTATION = r"""
module: registry_client
short_description: Let a Docker host trust a container registry and log in to it
version_added: 0.1.0
author: The dockhost.azure authors (@dockhost)
description:
  - Puts the registry's CA where the Docker Engine looks for it (C(/etc/docker/certs.d)), which needs no restart.
  - Logs users of the host in, in their own C(.docker/config.json) with mode 0600. The registry is asked before whether it takes the login.
  - Logs in to Azure Container Registry with the managed identity of the host, and renews that login every hour by a systemd timer, since
    it lasts three. No secret is kept anywhere but that login.
  - Needs root on the host and nothing there but Python; the Docker Engine need not be installed yet.
requirements:
  - Python 3.9 or later on the host, and nothing else
options:
  address:
    description: The registry as image names begin, V(HOST) or V(HOST:PORT).
    type: str
    required: true
  state:
    description: V(absent) removes CA and logins.
    type: str
    choices: [present, absent]
    default: present
  ca:
    description: The CA that signed the registry's certificate, as PEM text. Left alone when empty.
    type: str
    default: ""
  username:
    description: User to log in as. No login when empty.
    type: str
    default: ""
  password:
    description: Password of O(username).
    type: str
    default: ""
  azure_identity:
    description:
      - The managed identity of the host to log in to Azure Container Registry with, V(system) or the client id of one that is assigned to it.
      - It needs the role AcrPull, or AcrPush, on the registry.
    type: str
    default: ""
  users:
    description: The users of the host who are logged in.
    type: list
    elements: str
    default: [root]
  verify:
    description: Whether to ask the registry first whether it takes the login. Not done in check mode.
    type: bool
    default: true
attributes:
  check_mode:
    description: Says what would change.
    support: full
  diff_mode:
    description: Shows files with their text; of a login who logs in where, and never the password.
    support: full
notes:
  - The login to Azure Container Registry was run against a stand-in that speaks the protocol as documented, never against Azure.
seealso:
  - module: dockhost.azure.registry
"""

EXAMPLES = r"""
- name: Pull from a private registry
  dockhost.azure.registry_client:
    address: registry.example.com:5000
    ca: "{{ lookup('ansible.builtin.file', 'ca.pem') }}"
    username: ci
    password: "{{ vault_registry_password }}"
  become: true

- name: Pull from Azure Container Registry, with tokens that are renewed
  dockhost.azure.registry_client:
    address: contoso.azurecr.io
    azure_identity: system
    users: [root, deploy]
  become: true
"""

RETURN = r"""
plan:
  description: What was done, or would be in check mode.
  type: list
  elements: dict
  returned: always
  sample: [{action: write, type: file, name: /root/.docker/config.json, detail: "login to registry.example.com:5000"}]
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.dockhost.azure.plugins.module_utils._docker_host.packages import HostError
from ansible_collections.dockhost.azure.plugins.module_utils._registry.client import Request, converge
from ansible_collections.dockhost.azure.plugins.module_utils._registry.server import Outcome

ARGUMENTS = dict(
    address=dict(type="str", required=True),
    state=dict(type="str", choices=["present", "absent"], default="present"),
    ca=dict(type="str", default=""),
    username=dict(type="str", default=""),
    password=dict(type="str", default="", no_log=True),
    azure_identity=dict(type="str", default=""),
    users=dict(type="list", elements="str", default=["root"]),
    verify=dict(type="bool", default=True),
)


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    outcome = Outcome()
    try:
        converge(Request(**module.params), module.check_mode, outcome)
    except HostError as error:
        module.fail_json(msg=str(error), plan=outcome.plan)
    except PermissionError as error:
        module.fail_json(msg=f"The host refused: {error}. Run the task with become: true.", plan=outcome.plan)
    result = dict(changed=outcome.changed, plan=outcome.plan)
    if module._diff:
        result["diff"] = outcome.diff
    module.exit_json(**result)


if __name__ == "__main__":
    main()
