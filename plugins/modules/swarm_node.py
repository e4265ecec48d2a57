#!/usr/bin/python
# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module swarm_node: one host's place in a swarm."""

from __future__ import annotations

DOCUMENTATION = r"""
module: swarm_node
short_description: Let a host tell of its swarm, join one or leave it
version_added: 0.1.0
author: The dockhost.azure authors (@dockhost)
description:
  - Runs on the host itself and talks to its Docker Engine. Role P(dockhost.azure.swarm#role) uses it together with
    M(dockhost.azure.swarm_cluster), which makes the swarm and hands out the token.
  - Hosts join as workers and are promoted by a manager afterwards, one at a time, so that managers never change in parallel.
  - Where pipelining is on, observing and joining are done by a few requests to the engine, without a module on the host.
requirements:
  - Python 3.9 or later on the host, and nothing else
extends_documentation_fragment:
  - dockhost.azure.engine
options:
  state:
    description:
      - V(observed) only tells.
      - V(joined) joins the swarm whose token is given. A host that is in a swarm already stays there, unless O(rejoin) is set.
        Which swarm that is, the host cannot know; M(dockhost.azure.swarm_cluster) checks it.
      - V(absent) leaves the swarm. A manager is refused unless O(force) is set, since it is to be demoted first.
      - V(recovered) lets a manager whose swarm has lost its majority for good go on as the only one, with all that the swarm knew, after its
        state was copied to O(backup). The managers of before are taken out of the list, and the engine is
        restarted (by systemd). Refused where the swarm has a leader, and with
        autolock, which the engine cannot do (moby issue 36852).
        Playbook C(dockhost.azure.swarm_recover) uses it.
    type: str
    choices: [observed, joined, absent, recovered]
    default: observed
  unlock_keys:
    description:
      - Where the host is a manager that waits for its key after a restart (autolock), it is unlocked with the first of these that fits.
      - Never shown.
    type: list
    elements: str
  backup:
    description: With O(state=recovered), path of the archive for what the engine keeps of its swarm. It must not exist yet.
    type: str
  join_token:
    description: The swarm's token for workers. Never shown. It is not needed together with O(cluster_id).
    type: str
  cluster_id:
    description:
      - Id of the swarm to join, whose token a task with M(dockhost.azure.swarm_cluster) has read before in the same run. Ansible's own folder
        for the run keeps it on the controller, readable for its user alone.
    type: str
  managers:
    description: Addresses of managers to join at. Each is tried on TCP ports 2377 and 7946 before.
    type: list
    elements: str
    default: []
  member:
    description:
      - What the host is to be in the swarm. It is given back, together with what the host is, as RV(member), which
        O(dockhost.azure.swarm_cluster#module:members) takes.
    type: dict
    suboptions:
      name:
        description: Name of the host in the inventory.
        type: str
        required: true
      role:
        description: What the node is to be.
        type: str
        choices: [manager, worker]
        default: worker
      labels:
        description: Labels of the node, all text.
        type: dict
        default: {}
      availability:
        description: Whether the node takes tasks. As it is when omitted.
        type: str
        choices: [active, pause, drain]
  wait_manager:
    description: With O(state=observed), whether to wait until the host answers for its swarm, as a manager that was just promoted does after a moment.
    type: bool
    default: false
  rejoin:
    description: Whether to leave first, also when the membership is a good one.
    type: bool
    default: false
  force:
    description: Whether a manager may leave.
    type: bool
    default: false
  advertise_address:
    description: Address under which other nodes reach this one. The source address of the default route when omitted.
    type: str
  listen_address:
    description: Address that the node listens on for the swarm's own traffic.
    type: str
    default: 0.0.0.0
  data_path_address:
    description: Address for the traffic of containers, when it is another one.
    type: str
  data_path_port:
    description: With O(state=recovered), the UDP port of the overlay networks.
    type: int
    default: 4789
  default_address_pools:
    description: With O(state=recovered), the ranges that overlay networks are cut from.
    type: list
    elements: str
    default: [172.27.0.0/16]
  subnet_size:
    description: With O(state=recovered), the prefix length of each overlay network.
    type: int
    default: 24
  timeout:
    description: How many seconds a join, an unlocking, a recovery or O(wait_manager) may take.
    type: int
    default: 60
attributes:
  check_mode:
    description: Says whether the host would join or leave.
    support: full
  diff_mode:
    description: Shows the state of the membership before and after.
    support: full
"""

EXAMPLES = r"""
- name: Where is this host?
  dockhost.azure.swarm_node:
  become: true
  register: node

- name: Join
  dockhost.azure.swarm_node:
    state: joined
    join_token: "{{ token.join_tokens.worker }}"
    managers: [10.0.0.4]
  become: true
"""

RETURN = r"""
plan:
  description: With O(state=recovered), what was done or would be.
  returned: with O(state=recovered)
  type: list
  elements: dict
member:
  description: O(member) and, under C(swarm), what RV(swarm) says.
  returned: when O(member) is given
  type: dict
swarm:
  description: What the host's engine says of its swarm.
  returned: always
  type: dict
  contains:
    state:
      description: One of inactive, pending, active, error, locked.
      type: str
    node_id:
      description: Id of the node.
      type: str
    cluster_id:
      description: Id of the swarm, which only managers know.
      type: str
    manager:
      description: Whether the node is a manager.
      type: bool
    leads:
      description: Whether the node can answer for the swarm, which takes a majority of its managers.
      type: bool
    address:
      description: Address that the node advertises, or would.
      type: str
    hostname:
      description: Name under which the swarm lists the node.
      type: str
    managers:
      description: Addresses and ports of the managers that the node knows.
      type: list
      elements: str
    error:
      description: What is wrong with the membership.
      type: str
    engine:
      description: Version of the engine, empty in check mode on a host that has none yet.
      type: str
    routing_mesh:
      description: Whether the kernel has IPVS, without which the swarm's routing mesh and virtual IPs answer nothing.
      type: bool
    recovered:
      description: When the swarm was recovered from the loss of its majority, empty if it never was or the host does not lead.
      type: str
"""

import os
from dataclasses import replace

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.dockhost.azure.plugins.module_utils._engine.client import ENGINE_ARGS, Engine
from ansible_collections.dockhost.azure.plugins.module_utils._engine.errors import EngineError, EngineUnreachable
from ansible_collections.dockhost.azure.plugins.module_utils._swarm import local, recovery
from ansible_collections.dockhost.azure.plugins.module_utils._swarm.mesh import has_ipvs
from ansible_collections.dockhost.azure.plugins.module_utils._swarm.model import Local, Step, SwarmRefused

ARGUMENTS = dict(
    state=dict(type="str", choices=["observed", "joined", "absent", "recovered"], default="observed"),
    unlock_keys=dict(type="list", elements="str", no_log=True),
    backup=dict(type="str"),
    join_token=dict(type="str", no_log=True),
    cluster_id=dict(type="str"),
    managers=dict(type="list", elements="str", default=[]),
    member=dict(
        type="dict",
        options=dict(
            name=dict(type="str", required=True),
            role=dict(type="str", choices=["manager", "worker"], default="worker"),
            labels=dict(type="dict", default={}),
            availability=dict(type="str", choices=["active", "pause", "drain"]),
        ),
    ),
    wait_manager=dict(type="bool", default=False),
    rejoin=dict(type="bool", default=False),
    force=dict(type="bool", default=False),
    advertise_address=dict(type="str"),
    listen_address=dict(type="str", default="0.0.0.0"),
    data_path_address=dict(type="str"),
    data_path_port=dict(type="int", default=4789),
    default_address_pools=dict(type="list", elements="str", default=["172.27.0.0/16"]),
    subnet_size=dict(type="int", default=24),
    timeout=dict(type="int", default=60),
    **ENGINE_ARGS,
)


def join(engine: Engine, params: dict, before: Local, check_mode: bool) -> bool:
    """Join where the host is not in a swarm, or is to leave first; True where that is a change."""
    if before.state == "active" and not params["rejoin"]:
        return False
    if check_mode:
        return True
    if not params["join_token"] or not params["managers"]:
        raise SwarmRefused("state joined needs join_token and managers; swarm_cluster returns both.")
    if before.state != "inactive":
        local.leave(engine)
    local.join(engine, join_request(params), params["managers"], params["timeout"])
    return True


def join_request(params: dict) -> dict:
    """Body of POST /swarm/join."""
    return {
        "ListenAddr": f"{params['listen_address']}:2377",
        "AdvertiseAddr": params["advertise_address"] or local.default_address(),
        "DataPathAddr": params["data_path_address"] or "",
        "JoinToken": params["join_token"],
    }


def leave(engine: Engine, params: dict, before: Local, check_mode: bool) -> bool:
    """Leave where the host is in a swarm; True where that is a change."""
    if before.state == "inactive":
        return False
    if before.manager and not params["force"] and not local.wait_demoted(engine):
        raise SwarmRefused(
            "This host is a manager: let swarm_cluster demote it first, so that the swarm keeps its majority, or set force: true."
        )
    if not check_mode:
        local.leave(engine)
    return True


def recover(engine: Engine, params: dict, before: Local, check_mode: bool) -> list[Step]:
    """Go on as the only manager; what was done, or would be."""
    recovery.refuse_needless(before)
    steps = [Step("recover", before.hostname, before.node_id, {"managers": ("no majority", "this one alone")}, "its swarm has no leader")]
    root = engine.info()["DockerRootDir"]
    recovery.refuse_locked(root)
    if check_mode:
        return steps
    recovery.back_up(root, params["backup"])
    request = {
        "ListenAddr": f"{params['listen_address']}:2377",
        "AdvertiseAddr": params["advertise_address"] or before.address or local.default_address(),
        "DataPathAddr": params["data_path_address"] or "",
        "DataPathPort": params["data_path_port"],
        "DefaultAddrPool": params["default_address_pools"],
        "SubnetSize": params["subnet_size"],
    }
    own = recovery.recover(engine, request, params["timeout"])
    return steps + recovery.forget_others(engine, own, params["timeout"])


def observe(engine: Engine, params: dict, check_mode: bool) -> tuple[bool, Local]:
    """What the host says of its swarm, and whether it was (or would be) unlocked for that."""
    try:
        found = local.observe(engine)
    except EngineUnreachable as error:
        if not (check_mode and error.absent):
            raise
        # Before a first run there is no engine, and check mode is there to say what that run would do.
        found = Local(hostname=os.uname().nodename, routing_mesh=has_ipvs())
    if params["wait_manager"] and not check_mode:
        found = local.wait_manager(lambda: local.observe(engine), params["timeout"])
    unlocked = found.state == "locked" and bool(params["unlock_keys"])
    if unlocked and not check_mode:
        found = local.unlock(engine, params["unlock_keys"], params["timeout"])
    if not found.address:
        found = replace(found, address=params["advertise_address"] or local.default_address())
    return unlocked, found


def run(params: dict, check_mode: bool) -> tuple[bool, Local, Local, list[Step]]:
    """What was changed, the membership before and after, and the steps of a recovery."""
    engine = Engine(params["docker_socket"])
    unlocked, before = observe(engine, params, check_mode)
    steps: list[Step] = []
    if params["state"] == "recovered":
        steps = recover(engine, params, before, check_mode)
    action = {"joined": join, "absent": leave}.get(params["state"])
    changed = bool(steps) or (action(engine, params, before, check_mode) if action else False)
    after = local.observe(engine, before.routing_mesh) if changed and not check_mode else before
    return changed or unlocked, before, after, steps


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True, required_if=[("state", "recovered", ["backup"])])
    try:
        changed, before, after, steps = run(module.params, module.check_mode)
    except (SwarmRefused, EngineError) as error:
        module.fail_json(msg=str(error))
    result = dict(changed=changed, swarm=after.to_dict())
    if module.params["state"] == "recovered":
        result["plan"] = [step.summary() for step in steps]
    if module.params["member"]:
        wanted = {name: value for name, value in module.params["member"].items() if value is not None}
        result["member"] = dict(wanted, swarm=result["swarm"])
    if module._diff and changed:
        states = {"joined": "active", "absent": "inactive", "recovered": "active, the only manager", "observed": "active"}
        result["diff"] = dict(before=f"swarm: {before.state}\n", after=f"swarm: {states[module.params['state']]}\n")
    module.exit_json(**result)


if __name__ == "__main__":
    main()
