#!/usr/bin/python
# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module swarm_maintenance: a node of a swarm out of service and back."""

from __future__ import annotations

DOCUMENTATION = r"""
module: swarm_maintenance
short_description: Take a node of a Docker swarm out of service, and back
version_added: 0.1.0
author: The dockhost.azure authors (@dockhost)
description:
  - Runs on a manager of the swarm. Drains a node, so that it can be upgraded and restarted, and gives it back afterwards.
  - Waits on both sides until no service misses tasks that it can get, so that one node after the other can be taken.
  - The node's label C(dockhost.maintenance) says that this module drained it and what it was before, so that a run which was cut off is
    taken up by the next one. A node that somebody else drained stays drained.
  - Roles P(dockhost.azure.upgrade#role) and P(dockhost.azure.docker#role) use it for their rolling upgrades.
requirements:
  - Python 3.9 or later on the host, and nothing else
extends_documentation_fragment:
  - dockhost.azure.engine
options:
  node:
    description: The node, by hostname or id.
    type: str
    required: true
  state:
    description:
      - V(drained) moves the node's tasks to other nodes and waits until they run there. A manager is refused while another one does not
        answer that the majority needs.
      - V(active) waits until the node is ready and lets it take tasks as before.
    type: str
    choices: [drained, active]
    required: true
  except_services:
    description:
      - Names of services that are not waited for.
    type: list
    elements: str
    default: []
  tolerate_missing:
    description:
      - With O(state=drained), whether services that miss tasks before anything is done are not waited for either. RV(missed) names them, for the way back.
    type: bool
    default: false
  timeout:
    description: How many seconds each wait may take.
    type: int
    default: 300
attributes:
  check_mode:
    description: Says whether the node would be changed, and waits for nothing.
    support: full
  diff_mode:
    description: Shows availability and labels of the node.
    support: full
seealso:
  - module: dockhost.azure.swarm_cluster
    description: Sets the availability that a node is to have, not for a while.
"""

EXAMPLES = r"""
- name: Take demo-3 out of service
  dockhost.azure.swarm_maintenance:
    node: demo-3
    state: drained
    tolerate_missing: true
  delegate_to: demo-1
  become: true
  register: drained

- name: Restart it
  ansible.builtin.reboot:
  become: true

- name: Take it back
  dockhost.azure.swarm_maintenance:
    node: demo-3
    state: active
    except_services: "{{ drained.missed }}"
  delegate_to: demo-1
  become: true
"""

RETURN = r"""
node:
  description: Name of the node.
  returned: success
  type: str
  sample: demo-3
missed:
  description: With O(tolerate_missing), services that missed tasks before the node was drained, without those of O(except_services).
  returned: success
  type: list
  elements: str
  sample: [blog_search]
waiting:
  description: Services whose tasks no node can take now, for instance since they are bound to the node that is out of service.
  returned: success
  type: list
  elements: str
  sample: [blog_database]
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.dockhost.azure.plugins.module_utils._engine.client import ENGINE_ARGS, Engine
from ansible_collections.dockhost.azure.plugins.module_utils._engine.errors import EngineError
from ansible_collections.dockhost.azure.plugins.module_utils._swarm.maintenance import Maintenance
from ansible_collections.dockhost.azure.plugins.module_utils._swarm.model import SwarmRefused

ARGUMENTS = dict(
    node=dict(type="str", required=True),
    state=dict(type="str", choices=["drained", "active"], required=True),
    except_services=dict(type="list", elements="str", default=[]),
    tolerate_missing=dict(type="bool", default=False),
    timeout=dict(type="int", default=300),
    **ENGINE_ARGS,
)


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    given = module.params
    task = Maintenance(Engine(given["docker_socket"]), given["node"], given["timeout"], given["except_services"], given["tolerate_missing"])
    try:
        act = task.drain if given["state"] == "drained" else task.activate
        spec = act(module.check_mode)
    except SwarmRefused as error:
        module.fail_json(msg=str(error))
    except EngineError as error:
        remedy = " Run this module on a manager of the swarm." if error.status == 503 else ""
        module.fail_json(msg=f"Failed to change node {given['node']}: {error}{remedy}")
    diff = dict(before="", after="".join(f"{name}: {value}\n" for name, value in (spec or {}).items()))
    module.exit_json(changed=spec is not None, node=given["node"], missed=task.missed, waiting=task.stuck, diff=diff)


if __name__ == "__main__":
    main()
