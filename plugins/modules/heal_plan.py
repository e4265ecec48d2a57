#!/usr/bin/python
# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: heal_plan
short_description: Decide what is to be done with hosts whose swarm node is down
version_added: 0.1.0
author: The dockhost.azure authors (@dockhost)
description:
  - Runs on a manager of a swarm, compares its nodes with what is known of the hosts, and says for each what is to be done. It changes nothing.
  - At most one manager is replaced at a time, and only while the others are a majority. Nothing is replaced while an upgrade runs.
  - Playbook C(dockhost.azure.heal) does what it says.
extends_documentation_fragment:
  - dockhost.azure.engine
options:
  hosts:
    description: The hosts that should be in the swarm.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Name of the host, which is the name of its node.
        type: str
        required: true
      address:
        description: Its address, by which the node is found that has another name.
        type: str
        default: ""
      answers:
        description: Whether it answered the probe.
        type: bool
        required: true
      power_state:
        description: What Azure says of its machine, such as V(running) or V(deallocated).
        type: str
        default: unknown
  after:
    description: From how many seconds on a node that is down counts as lost. A node that the managers changed in the meantime counts from then.
    type: int
    default: 600
  workers_at_once:
    description: How many workers may be replaced in one run.
    type: int
    default: 1
  data_hosts:
    description: Whether hosts whose node has the label C(dockhost.data) may be replaced. The volumes on them are lost.
    type: bool
    default: false
attributes:
  check_mode:
    description: Can run in check mode and tell the same, since it changes nothing.
    support: full
  diff_mode:
    description: Nothing is changed, so there is nothing to show.
    support: N/A
"""

EXAMPLES = r"""
- name: What is to be done
  dockhost.azure.heal_plan:
    hosts:
      - {name: demo-1, answers: true, power_state: running}
      - {name: demo-2, answers: false, power_state: running}
  become: true
  register: plan
"""

RETURN = r"""
decisions:
  description: For each host C(name), C(action) (one of none, wait, leave, repair, start, replace), C(reason) and C(role).
  returned: success
  type: list
  elements: dict
  sample: [{name: demo-2, action: replace, reason: down for 700 s and does not answer by SSH, role: worker}]
"""

import time

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.dockhost.azure.plugins.module_utils._engine.client import ENGINE_ARGS, Engine
from ansible_collections.dockhost.azure.plugins.module_utils._engine.errors import EngineError
from ansible_collections.dockhost.azure.plugins.module_utils._maintenance.heal import Host, Limits, decide

HOST = dict(
    name=dict(type="str", required=True),
    address=dict(type="str", default=""),
    answers=dict(type="bool", required=True),
    power_state=dict(type="str", default="unknown"),
)
ARGUMENTS = dict(
    hosts=dict(type="list", elements="dict", required=True, options=HOST),
    after=dict(type="int", default=600),
    workers_at_once=dict(type="int", default=1),
    data_hosts=dict(type="bool", default=False),
    **ENGINE_ARGS,
)


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    params = module.params
    try:
        nodes = Engine(params["docker_socket"]).get("/nodes")
    except EngineError as error:
        module.fail_json(msg=f"The nodes of the swarm cannot be read: {error} Where the managers have lost their majority see dockhost.azure.swarm_recover.")
    limits = Limits(params["after"], params["workers_at_once"], params["data_hosts"])
    decisions = decide([Host(**host) for host in params["hosts"]], nodes, limits, time.time())
    module.exit_json(changed=False, decisions=[one._asdict() for one in decisions])


if __name__ == "__main__":
    main()
