#!/usr/bin/python
# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module swarm_availability: drain a node for maintenance and give it back."""

from __future__ import annotations

DOCUMENTATION = r"""
module: swarm_availability
short_description: Drain a node of a swarm for maintenance, and give it back
version_added: 0.1.0
author: The dockhost.azure authors (@dockhost)
description:
  - Runs on a manager of the swarm, which may be the node itself.
  - A node that is drained has no tasks when the module ends, and services with replicas that were complete before are complete again elsewhere.
  - Role P(dockhost.azure.docker#role) uses it for its rolling upgrade.
requirements:
  - Python 3.9 or later on the host, and nothing else
options:
  node:
    description: The node, by its id or its hostname.
    type: str
    required: true
  availability:
    description: Whether the node takes tasks.
    type: str
    choices: [active, pause, drain]
    required: true
  stopping:
    description:
      - Whether the node's engine is to be stopped or restarted next. It is refused, before anything is changed, where the other managers are no
        majority.
    type: bool
    default: false
  wait_ready:
    description: Whether to wait first until the node is ready, and reachable where it is a manager, as after a restart of its engine.
    type: bool
    default: false
  timeout:
    description: How many seconds draining, or waiting for the node, may take.
    type: int
    default: 120
  docker_socket:
    description: Path of the Docker Engine's socket.
    type: str
    default: /var/run/docker.sock
attributes:
  check_mode:
    description: Says what would be changed.
    support: full
  diff_mode:
    description: Shows the availability before and after.
    support: full
seealso:
  - module: dockhost.azure.swarm_cluster
  - module: dockhost.azure.swarm_info
"""

EXAMPLES = r"""
- name: Drain this node before its engine is restarted
  dockhost.azure.swarm_availability:
    node: demo-2
    availability: drain
    stopping: true
  delegate_to: demo-1
  become: true
  register: drained

- name: Give it back as it was
  dockhost.azure.swarm_availability:
    node: demo-2
    availability: "{{ drained.before }}"
    wait_ready: true
  delegate_to: demo-1
  become: true
"""

RETURN = r"""
before:
  description: The availability that the node had.
  returned: success
  type: str
  sample: active
node_id:
  description: The node's id.
  returned: success
  type: str
  sample: dkp8vy1dq1kxleu9g4u78tlag
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.dockhost.azure.plugins.module_utils._engine.client import DEFAULT_SOCKET, Engine
from ansible_collections.dockhost.azure.plugins.module_utils._engine.errors import EngineError
from ansible_collections.dockhost.azure.plugins.module_utils._swarm import availability
from ansible_collections.dockhost.azure.plugins.module_utils._swarm.model import Node, SwarmRefused

ARGUMENTS = dict(
    node=dict(type="str", required=True),
    availability=dict(type="str", choices=["active", "pause", "drain"], required=True),
    stopping=dict(type="bool", default=False),
    wait_ready=dict(type="bool", default=False),
    timeout=dict(type="int", default=120),
    docker_socket=dict(type="str", default=DEFAULT_SOCKET),
)


def run(params: dict, check_mode: bool) -> Node:
    """Change what is to be changed; the node as it was before."""
    engine = Engine(params["docker_socket"], timeout=params["timeout"])
    if params["wait_ready"] and not check_mode:
        availability.wait_ready(engine, params["node"], params["timeout"])
    nodes = [Node.from_api(entry) for entry in engine.get("/nodes") or ()]
    node = availability.find(nodes, params["node"])
    if params["stopping"]:
        availability.refuse_loss(nodes, node)
    if node.availability != params["availability"] and not check_mode:
        availability.set_availability(engine, node, params["availability"], params["timeout"])
    return node


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    try:
        before = run(module.params, module.check_mode)
    except (SwarmRefused, EngineError) as error:
        module.fail_json(msg=str(error))
    wanted = module.params["availability"]
    result = dict(changed=before.availability != wanted, before=before.availability, node_id=before.id)
    if module._diff and result["changed"]:
        result["diff"] = dict(before=f"{before.hostname}: {before.availability}\n", after=f"{before.hostname}: {wanted}\n")
    module.exit_json(**result)


if __name__ == "__main__":
    main()
