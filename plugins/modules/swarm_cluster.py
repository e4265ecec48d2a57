#!/usr/bin/python
# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module swarm_cluster: a swarm as a whole, from one of its managers."""

from __future__ import annotations

DOCUMENTATION = r"""
module: swarm_cluster
short_description: Make a swarm, and keep its nodes' roles and labels
version_added: 0.1.0
author: The dockhost.azure authors (@dockhost)
description:
  - Runs on one host, a manager of the swarm or the first to become one, and compares who should be in the swarm with what the hosts
    and the swarm say.
  - Makes the swarm, promotes, labels and demotes nodes in the order that keeps a majority of managers, and takes out nodes whose host
    was re-created under its name. A step that would lose the majority is refused, with the arithmetic.
  - Hosts join by themselves, with M(dockhost.azure.swarm_node); RV(joins) says which ones have to.
  - Role P(dockhost.azure.swarm#role) puts the steps together.
requirements:
  - Python 3.9 or later on the host, and nothing else
options:
  members:
    description:
      - Hosts that should be in the swarm, each as RV(dockhost.azure.swarm_node#module:member) tells.
      - Of two with the same name the last counts.
      - Nodes of the swarm that are not among them are left alone.
    type: list
    elements: dict
    default: []
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
      swarm:
        description: What the host says of itself, see RV(dockhost.azure.swarm_node#module:swarm).
        type: dict
        default: {}
  host:
    description: Name of the member that this module runs on.
    type: str
  silent:
    description: Names of hosts that may be managers but did not answer. No new swarm is made while there are any.
    type: list
    elements: str
    default: []
  rejoin:
    description: Whether hosts that are in another swarm leave that one. They are refused otherwise.
    type: bool
    default: false
  purge_labels:
    description: Whether labels that a member does not name are removed from its node.
    type: bool
    default: false
  remove:
    description: Nodes to take out of the swarm, by hostname or id. They are drained and demoted first where they are up.
    type: list
    elements: str
    default: []
  drain_first:
    description: With O(remove), only drain and demote the nodes, so that they can leave by themselves before they are taken out.
    type: bool
    default: false
  remove_gone:
    description: Whether nodes that are down and that no member has are taken out.
    type: bool
    default: false
  verify:
    description: Whether to wait until the members are ready nodes, and to try their gossip port.
    type: bool
    default: false
  tokens:
    description: Only return the join tokens. The task must have C(no_log=true), so that they are shown nowhere.
    type: bool
    default: false
  advertise_address:
    description: For a new swarm, the address of this host for the other nodes. The source address of the default route when omitted.
    type: str
  listen_address:
    description: For a new swarm, the address that this host listens on for the swarm's own traffic.
    type: str
    default: 0.0.0.0
  data_path_address:
    description: For a new swarm, the address of this host for the traffic of containers, when it is another one.
    type: str
  data_path_port:
    description: For a new swarm, the UDP port of the overlay networks (VXLAN).
    type: int
    default: 4789
  default_address_pools:
    description: For a new swarm, the ranges that overlay networks are cut from. They must not overlap with the virtual network.
    type: list
    elements: str
    default: [172.27.0.0/16]
  subnet_size:
    description: For a new swarm, the prefix length of each overlay network.
    type: int
    default: 24
  timeout:
    description: How many seconds one step may take.
    type: int
    default: 60
  docker_socket:
    description: Path of the Docker Engine's socket.
    type: str
    default: /var/run/docker.sock
attributes:
  check_mode:
    description: Says what would be done, for hosts that would join as well.
    support: full
  diff_mode:
    description: Shows what changes of each node.
    support: full
"""

EXAMPLES = r"""
- name: Roles and labels
  dockhost.azure.swarm_cluster:
    host: "{{ inventory_hostname }}"
    members: "{{ groups['all'] | map('extract', hostvars, ['node', 'member']) }}"
  become: true

- name: Take a node out
  dockhost.azure.swarm_cluster:
    remove: [demo-3]
  become: true
"""

RETURN = r"""
cluster_id:
  description: Id of the swarm.
  returned: when there is one
  type: str
plan:
  description: What was done, would be done in check mode, or is to be done by hosts that are to join.
  returned: always
  type: list
  elements: dict
joins:
  description: Names of members that are to join now.
  returned: always
  type: list
  elements: str
rejoins:
  description: Those of RV(joins) that are to leave something else first.
  returned: always
  type: list
  elements: str
managers:
  description: Addresses of the managers that can be reached.
  returned: always
  type: list
  elements: str
nodes:
  description: The swarm's nodes.
  returned: always
  type: list
  elements: dict
routing_mesh:
  description: Whether the kernels of all members have IPVS, which the routing mesh and virtual IPs need.
  returned: always
  type: bool
join_tokens:
  description: The tokens, by role.
  returned: when O(tokens) is set
  type: dict
"""

from dataclasses import asdict, replace

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.dockhost.azure.plugins.module_utils._engine.client import Engine
from ansible_collections.dockhost.azure.plugins.module_utils._engine.errors import EngineError, EngineUnreachable
from ansible_collections.dockhost.azure.plugins.module_utils._swarm import cluster, local
from ansible_collections.dockhost.azure.plugins.module_utils._swarm.converge import Outcome, converge, diff
from ansible_collections.dockhost.azure.plugins.module_utils._swarm.model import Local, Member, SwarmRefused
from ansible_collections.dockhost.azure.plugins.module_utils._swarm.planner import Rules

ARGUMENTS = dict(
    members=dict(
        type="list",
        elements="dict",
        default=[],
        options=dict(
            name=dict(type="str", required=True),
            role=dict(type="str", choices=["manager", "worker"], default="worker"),
            labels=dict(type="dict", default={}),
            availability=dict(type="str", choices=["active", "pause", "drain"]),
            swarm=dict(type="dict", default={}),
        ),
    ),
    host=dict(type="str"),
    silent=dict(type="list", elements="str", default=[]),
    rejoin=dict(type="bool", default=False),
    purge_labels=dict(type="bool", default=False),
    remove=dict(type="list", elements="str", default=[]),
    drain_first=dict(type="bool", default=False),
    remove_gone=dict(type="bool", default=False),
    verify=dict(type="bool", default=False),
    tokens=dict(type="bool", default=False, no_log=False),
    advertise_address=dict(type="str"),
    listen_address=dict(type="str", default="0.0.0.0"),
    data_path_address=dict(type="str"),
    data_path_port=dict(type="int", default=4789),
    default_address_pools=dict(type="list", elements="str", default=["172.27.0.0/16"]),
    subnet_size=dict(type="int", default=24),
    timeout=dict(type="int", default=60),
    docker_socket=dict(type="str", default="/var/run/docker.sock"),
)


def members_of(params: dict, own: Local) -> list[Member]:
    """The members, the one that this host is with fresh knowledge of itself."""
    found = {}
    for values in params["members"]:
        said = Local.from_dict(values["swarm"])
        if values["name"] == params["host"]:
            said = replace(own, address=own.address or said.address, routing_mesh=said.routing_mesh)
        found[values["name"]] = Member(
            name=values["name"],
            role=values["role"],
            address=said.address,
            local=said,
            labels={str(name): str(value) for name, value in values["labels"].items()},
            availability=values["availability"] or "",
        )
    return list(found.values())


def rules_of(params: dict) -> Rules:
    """What may be done to nodes."""
    names = ("remove", "remove_gone", "drain_first", "rejoin", "purge_labels", "silent")
    return Rules(**{name: params[name] for name in names})


def init_request(params: dict) -> dict:
    """Body of POST /swarm/init."""
    return {
        "ListenAddr": f"{params['listen_address']}:2377",
        "AdvertiseAddr": params["advertise_address"] or local.default_address(),
        "DataPathAddr": params["data_path_address"] or "",
        "DataPathPort": params["data_path_port"],
        "DefaultAddrPool": params["default_address_pools"],
        "SubnetSize": params["subnet_size"],
    }


def hand_out_tokens(module: AnsibleModule, engine: Engine) -> None:
    """The tokens, to a task that shows nothing."""
    if not module.no_log:
        module.fail_json(msg="tokens: the task must have no_log: true, so that the join tokens are shown nowhere.")
    module.exit_json(changed=False, join_tokens=cluster.tokens(engine))


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    params = module.params
    engine = Engine(params["docker_socket"])
    outcome = Outcome()
    try:
        if params["tokens"]:
            hand_out_tokens(module, engine)
        try:
            own = local.observe(engine, routing_mesh=False)
        except EngineUnreachable:
            if not module.check_mode:
                raise
            own = Local()
        members = members_of(params, own)
        converge(engine, own, members, params["host"], rules_of(params), init_request, params, module.check_mode, outcome)
    except (SwarmRefused, EngineError) as error:
        module.fail_json(msg=str(error), plan=[step.summary() for step in outcome.steps])
    result = dict(
        changed=outcome.changed,
        plan=[step.summary() for step in outcome.steps],
        cluster_id=outcome.cluster.id if outcome.cluster else "",
        joins=outcome.named("join"),
        rejoins=outcome.named("leave"),
        managers=outcome.managers(),
        nodes=[asdict(node) for node in (outcome.cluster.nodes if outcome.cluster else ())],
        routing_mesh=bool(members) and all(member.local.routing_mesh for member in members),
    )
    if module._diff:
        result["diff"] = diff(outcome.steps)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
