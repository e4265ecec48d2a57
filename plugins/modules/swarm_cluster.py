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
  - Where pipelining is on, the controller finds out what is to be done and sends only requests for the engine to the host.
requirements:
  - Python 3.9 or later on the host, and nothing else
extends_documentation_fragment:
  - dockhost.azure.engine
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
    description: Name of the member that this module runs on. When omitted, the member that is called as the host of the task in the inventory.
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
  managers_total:
    description:
      - How many managers there are to be, also those that are no O(members) of this run.
      - Adding managers is refused where neither this nor the number that comes out is 1, 3, 5 or 7.
    type: int
    default: 0
  manager_count:
    description:
      - How many of the members with role V(manager) are to be managers, 1, 3, 5 or 7; the others become workers. All of them when 0.
      - Managers that are there stay, and each zone (label C(dockhost.zone)) gets its share.
    type: int
    default: 0
  zone_check:
    description: What is done where one zone holds so many managers that the swarm could not go on without it.
    type: str
    choices: [warn, refuse, ignore]
    default: warn
  autolock:
    description:
      - Whether managers that were restarted wait for a key before they take part in the swarm again. As it is when omitted.
      - RV(unlock_key_kept) says whether the key in O(unlock_keys) is the right one; O(secrets) returns it.
    type: bool
  keep_key:
    description: Whether the caller keeps the key, see O(autolock). Without that autolock is refused.
    type: bool
    default: true
  unlock_keys:
    description: The key as it is kept, the current one first. It is compared and never shown.
    type: list
    elements: str
  task_history_limit:
    description: How many ended tasks the swarm remembers for each replica. As it is when omitted.
    type: int
  snapshot_interval:
    description: After how many entries of raft's log a snapshot is made. As it is when omitted.
    type: int
  heartbeat_period:
    description:
      - How often nodes say to the managers that they are there, such as V(5s). A node counts as down after three times that.
      - As it is when omitted.
    type: str
  certificate_expiry:
    description: For how long certificates of nodes are valid, such as V(2160h); at least V(1h). As it is when omitted.
    type: str
  networks:
    description:
      - Overlay networks that the swarm is to have. Others stay.
      - One that is there and differs is refused, since networks cannot be changed.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name of the network.
        type: str
        required: true
      encrypted:
        description: Whether traffic of containers is encrypted between hosts (IPsec, IP protocol 50 must pass between them).
        type: bool
        default: false
      attachable:
        description: Whether containers that are no tasks of services may use it.
        type: bool
        default: false
      internal:
        description: Whether it leads nowhere outside.
        type: bool
        default: false
      subnet:
        description: Its range. Cut from the swarm's pools when omitted.
        type: str
      labels:
        description: Labels of the network.
        type: dict
        default: {}
  rotate:
    description:
      - What is made anew, in addition to nothing else than this. Always a change.
      - V(join_tokens), both; nodes that joined stay. V(unlock_key), with autolock. V(ca), the swarm's CA and with it the certificates
        of all nodes; refused while a node is down, since the rotation would not end.
    type: list
    elements: str
    choices: [join_tokens, unlock_key, ca]
    default: []
  ca_certificate:
    description: With V(ca) in O(rotate), the new CA's certificate in PEM. The swarm makes one when omitted.
    type: str
  ca_key:
    description: Its private key in PEM. Never shown.
    type: str
  secrets:
    description: Only return the join tokens and the unlock key. The task must have C(no_log=true), so that they are shown nowhere.
    type: bool
    default: false
  advertise_address:
    description:
      - For a new swarm, the address of this host for the other nodes.
      - When omitted, the one that this host names in O(members), or the source address of its default route.
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

- name: New join tokens, and nothing else
  dockhost.azure.swarm_cluster:
    rotate: [join_tokens]
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
unlock_key_kept:
  description: Whether the first of O(unlock_keys) is the swarm's key. True without autolock.
  returned: when there is a swarm
  type: bool
join_tokens:
  description: The tokens, by role.
  returned: when O(secrets) is set
  type: dict
unlock_key:
  description: The key that unlocks managers, empty without autolock.
  returned: when O(secrets) is set
  type: str
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.dockhost.azure.plugins.module_utils._engine.client import ENGINE_ARGS, Engine
from ansible_collections.dockhost.azure.plugins.module_utils._engine.errors import EngineError, EngineUnreachable
from ansible_collections.dockhost.azure.plugins.module_utils._swarm import cluster, cluster_task, local, upkeep
from ansible_collections.dockhost.azure.plugins.module_utils._swarm.converge import Outcome
from ansible_collections.dockhost.azure.plugins.module_utils._swarm.model import Local, SwarmRefused

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
    managers_total=dict(type="int", default=0),
    manager_count=dict(type="int", default=0),
    zone_check=dict(type="str", choices=["warn", "refuse", "ignore"], default="warn"),
    autolock=dict(type="bool"),
    keep_key=dict(type="bool", default=True, no_log=False),
    unlock_keys=dict(type="list", elements="str", no_log=True),
    task_history_limit=dict(type="int"),
    snapshot_interval=dict(type="int"),
    heartbeat_period=dict(type="str"),
    certificate_expiry=dict(type="str"),
    networks=dict(
        type="list",
        elements="dict",
        default=[],
        options=dict(
            name=dict(type="str", required=True),
            encrypted=dict(type="bool", default=False),
            attachable=dict(type="bool", default=False),
            internal=dict(type="bool", default=False),
            subnet=dict(type="str"),
            labels=dict(type="dict", default={}),
        ),
    ),
    rotate=dict(type="list", elements="str", choices=["join_tokens", "unlock_key", "ca"], default=[], no_log=False),
    ca_certificate=dict(type="str"),
    ca_key=dict(type="str", no_log=True),
    secrets=dict(type="bool", default=False, no_log=False),
    advertise_address=dict(type="str"),
    listen_address=dict(type="str", default="0.0.0.0"),
    data_path_address=dict(type="str"),
    data_path_port=dict(type="int", default=4789),
    default_address_pools=dict(type="list", elements="str", default=["172.27.0.0/16"]),
    subnet_size=dict(type="int", default=24),
    timeout=dict(type="int", default=60),
    **ENGINE_ARGS,
)


def hand_out_secrets(module: AnsibleModule, engine: Engine) -> None:
    """Tokens and unlock key, to a task that shows nothing."""
    if not module.no_log:
        module.fail_json(msg="secrets: the task must have no_log: true, so that join tokens and unlock key are shown nowhere.")
    module.exit_json(changed=False, join_tokens=cluster.tokens(engine), unlock_key=upkeep.unlock_key(engine))


def observed(module: AnsibleModule, engine: Engine) -> Local:
    """What this host says of itself; in check mode it may have no engine yet."""
    try:
        return local.observe(engine, routing_mesh=False)
    except EngineUnreachable as error:
        if not (module.check_mode and error.absent):
            raise
        return Local()


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True, required_together=[("ca_certificate", "ca_key")])
    engine = Engine(module.params["docker_socket"])
    outcome = Outcome()
    try:
        if module.params["secrets"]:
            hand_out_secrets(module, engine)
        kept = cluster_task.run(module.params, module.check_mode, engine, observed(module, engine), outcome)
    except (SwarmRefused, EngineError) as error:
        module.fail_json(msg=str(error), plan=[step.summary() for step in outcome.steps])
    for warning in outcome.warnings:
        module.warn(warning)
    module.exit_json(**cluster_task.result(outcome, kept, module._diff))


if __name__ == "__main__":
    main()
