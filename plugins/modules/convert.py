#!/usr/bin/python
# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: convert
short_description: Turn the files of older tools into variables of this collection
version_added: 0.1.0
author: The dockhost.azure authors (@dockhost)
description:
  - Reads what docker-machine, the Docker VM extension, Compose files of the first format, Docker for Azure or acs-engine left, and writes an
    inventory, C(group_vars) and, where there is one, a Compose file of today, for people to read and to change.
  - Writes C(CONVERTED.md), which says for each setting what it became, or why it cannot be carried over and what to do instead.
  - Secrets go to C(group_vars/all/vault.yml), which only its owner may read, and are never shown. Values of environment variables count as
    secrets by their names (password, token, key and the like), so look over what is left in the other files.
  - Works on the controller, asks neither Azure nor hosts, and touches nothing but its destination.
attributes:
  check_mode:
    description: Can run in C(check_mode) and return changed status prediction without modifying target.
    support: full
  diff_mode:
    description: Will return details on what has changed (or possibly needs changing in C(check_mode)), when in diff mode.
    support: full
    details: Secrets are not shown.
options:
  kind:
    description:
      - What the source is.
      - V(docker_machine) is a store of docker-machine with machines of the azure driver, mostly C(~/.docker/machine). Machines of one resource
        group, region, size, image and user become one deployment; several of them get a folder each. The old machines are listed in C(existing.yml).
      - V(docker_extension) is the public settings of the Docker VM extension, or an ARM template with that extension in it. See
        M(dockhost.azure.docker_extension) for a module that takes these settings unchanged.
      - V(compose_v1) is a Compose file with the services at its top.
      - V(docker_for_azure) is the parameters file of the template of Docker for Azure.
      - V(acs_engine) is a cluster definition or C(apimodel.json) with the orchestrator Swarm, SwarmMode or DockerCE.
    type: str
    required: true
    choices:
      - docker_machine
      - docker_extension
      - compose_v1
      - docker_for_azure
      - acs_engine
  source:
    description: The folder of the store, or the file.
    type: path
    required: true
  protected_source:
    description: With O(kind=docker_extension), the file with the protected settings.
    type: path
  destination:
    description:
      - The folder for what is made. It is made when it is missing.
      - Files that are there and differ are not overwritten, see O(force). One that C(ansible-vault) has encrypted always stays.
    type: path
    required: true
  name:
    description: What the deployment is called. Made of the source (resource group, swarm, DNS prefix, folder) when not given.
    type: str
  target:
    description:
      - What a Compose file is for.
      - V(swarm) makes one for role P(dockhost.azure.stack#role), V(compose) one for role P(dockhost.azure.compose#role), which is for one host.
    type: str
    choices:
      - swarm
      - compose
    default: swarm
  force:
    description: Whether files that differ are overwritten.
    type: bool
    default: false
requirements:
  - PyYAML, which ansible-core has
seealso:
  - module: dockhost.azure.docker_extension
  - module: dockhost.azure.host_group
"""

EXAMPLES = r"""
- name: Turn the machines of docker-machine into a deployment
  dockhost.azure.convert:
    kind: docker_machine
    source: ~/.docker/machine
    destination: inventories/web
  delegate_to: localhost
  register: converted

- name: Show what could not be carried over
  ansible.builtin.debug:
    msg: "{{ item.what }}: {{ item.why }}"
  loop: "{{ converted.deployments | map(attribute='left') | flatten }}"

- name: Turn a Compose file of the first format into a stack
  dockhost.azure.convert:
    kind: compose_v1
    source: docker-compose.yml
    destination: stacks/shop
    name: shop
  delegate_to: localhost
"""

RETURN = r"""
deployments:
  description: What was made, by deployment.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Its name.
      type: str
      sample: web
    directory:
      description: The folder of its files.
      type: str
      sample: inventories/web
    files:
      description: Its files.
      type: list
      elements: str
      sample: [inventories/web/web.docker_hosts.yml, inventories/web/group_vars/all/deployment.yml, inventories/web/CONVERTED.md]
    carried:
      description: What was carried over, each with C(from), the setting of the source, and C(to), the variable.
      type: list
      elements: dict
      sample: [{from: Driver.Size, to: deployment_size}]
    left:
      description: What was not carried over, each with C(what) and C(why).
      type: list
      elements: dict
      sample: [{what: "web-1: Driver.DNSLabel = web", why: Names of addresses are not managed here.}]
    secrets:
      description: The names of the variables in C(vault.yml).
      type: list
      elements: str
      sample: [vault_azure_secret]
"""

from ansible.module_utils.basic import AnsibleModule, missing_required_lib
from ansible_collections.dockhost.azure.plugins.module_utils._convert import render
from ansible_collections.dockhost.azure.plugins.module_utils._convert.task import Conversion
from ansible_collections.dockhost.azure.plugins.module_utils._errors import DockhostError

ARGUMENTS = dict(
    kind={
        "type": "str", "required": True,
        "choices": ["docker_machine", "docker_extension", "compose_v1", "docker_for_azure", "acs_engine"],
    },
    source={"type": "path", "required": True},
    protected_source={"type": "path"},
    destination={"type": "path", "required": True},
    name={"type": "str"},
    target={"type": "str", "choices": ["swarm", "compose"], "default": "swarm"},
    force={"type": "bool", "default": False},
)  # fmt: skip


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    if not render.HAS_YAML:
        module.fail_json(msg=missing_required_lib("PyYAML"))
    try:
        conversion = Conversion(module.params)
        result = conversion.result()
        if module._diff:
            result["diff"] = conversion.diff()
        if not module.check_mode:
            conversion.apply()
    except DockhostError as error:
        module.fail_json(msg=str(error), **error.result())
    module.exit_json(changed=bool(conversion.writes), **result)


if __name__ == "__main__":
    main()
