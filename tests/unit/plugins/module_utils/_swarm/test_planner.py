# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""(members, swarm) → steps, refusals, and that steps once carried out leave nothing to do."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.dockhost.azure.plugins.module_utils._swarm.model import MANAGER, WORKER, Cluster, Local, Member, Node, SwarmRefused
from ansible_collections.dockhost.azure.plugins.module_utils._swarm.planner import LEAVING, Rules, plan


def host(name, role=WORKER, node=None, **local):
    """A member whose host is in the swarm under the id n-<name>, or in none."""
    known = dict(hostname=name, address=f"10.0.0.{name[-1]}")
    if node is not False:
        known.update(state="active", node_id=node or f"n-{name}")
    if role == MANAGER and node is not False:
        known.update(cluster_id="c1", manager=True, leads=True)
    known.update(local)
    return Member(name, role, known["address"], Local(**known))


def new(name, role=WORKER, **local):
    return host(name, role, False, **local)


def node(name, role=WORKER, **values):
    known = dict(id=f"n-{name}", hostname=name, role=role, address=f"10.0.0.{name[-1]}", reachable=True if role == MANAGER else None)
    return Node(**{**known, **values})


def swarm(*nodes):
    return Cluster("c1", nodes)


def told(steps):
    return [
        (step.action, step.name, *(f"{name} {after}" for name, (_before, after) in step.changes.items() if step.action in ("update", "drain")))
        for step in steps
    ]


M, W = MANAGER, WORKER
CASES = {
    "a new swarm": (
        [new("h1", M), new("h2", M), new("h3")],
        None,
        Rules(),
        [("init", "h1"), ("join", "h2"), ("join", "h3")],
    ),
    "nothing to do": ([host("h1", M), host("h2")], swarm(node("h1", M), node("h2")), Rules(), []),
    "promote": ([host("h1", M), replace(host("h2"), role=M)], swarm(node("h1", M), node("h2")), Rules(), [("update", "h2", "role manager")]),
    "promotions come before demotions, the acting host is the last": (
        [replace(host("h1", M), role=W), replace(host("h2", M), role=W), host("h3", M), replace(host("h4"), role=M), host("h5", M)],
        swarm(node("h1", M), node("h2", M), node("h3", M), node("h4"), node("h5", M)),
        Rules(),
        [("update", "h4", "role manager"), ("update", "h2", "role worker"), ("update", "h1", "role worker")],
    ),
    "labels and availability in one step": (
        [host("h1", M), replace(host("h2"), labels={"a": "1"}, availability="pause")],
        swarm(node("h1", M), node("h2", labels={"b": "2"})),
        Rules(),
        [("update", "h2", "availability pause", "labels {'b': '2', 'a': '1'}")],
    ),
    "labels of others are purged when asked": (
        [host("h1", M), replace(host("h2"), labels={"a": "1"})],
        swarm(node("h1", M), node("h2", labels={"a": "1", "b": "2"})),
        Rules(purge_labels=True),
        [("update", "h2", "labels {'a': '1'}")],
    ),
    "a drain of somebody else stays": ([host("h1", M), host("h2")], swarm(node("h1", M), node("h2", availability="drain")), Rules(), []),
    "a drain of an interrupted leave ends": (
        [host("h1", M), host("h2")],
        swarm(node("h1", M), node("h2", availability="drain", labels={LEAVING: "true"})),
        Rules(),
        [("update", "h2", "availability active", "labels {}")],
    ),
    "a worker that was re-created": (
        [host("h1", M), new("h2")],
        swarm(node("h1", M), node("h2", id="old", state="down")),
        Rules(),
        [("remove", "h2"), ("join", "h2")],
    ),
    "… and was not missed yet": (
        [host("h1", M), new("h2")],
        swarm(node("h1", M), node("h2", id="old", state="ready")),
        Rules(),
        [("remove", "h2"), ("join", "h2")],
    ),
    "… and joined already": (
        [host("h1", M), host("h2")],
        swarm(node("h1", M), node("h2"), node("h2", id="old", state="down", address="10.9.9.9")),
        Rules(),
        [("remove", "h2")],
    ),
    "the first of three managers was re-created": (
        [new("h1", M), host("h2", M), host("h3", M)],
        swarm(node("h1", M, id="old", state="down", reachable=False), node("h2", M), node("h3", M)),
        Rules(),
        [("remove", "h1"), ("join", "h1")],
    ),
    "an unrelated machine of the same hostname": (
        [host("h1", M), host("h2")],
        swarm(node("h1", M), node("h2"), node("h2", id="other", address="10.9.9.9")),
        Rules(),
        [],
    ),
    "nodes that the inventory does not know stay": ([host("h1", M)], swarm(node("h1", M), node("h8"), node("h9", state="down")), Rules(), []),
    "… except those that are down, when asked": (
        [host("h1", M)],
        swarm(node("h1", M), node("h8"), node("h9", state="down")),
        Rules(remove_gone=True),
        [("remove", "h9")],
    ),
    "a manager that is gone goes before another one is demoted": (
        [host("h1", M), replace(host("h2", M), role=W)],
        swarm(node("h1", M), node("h2", M), node("h3", M, state="down", reachable=False)),
        Rules(remove_gone=True),
        [("remove", "h3"), ("update", "h2", "role worker")],
    ),
    "removal by name and by id": (
        [host("h1", M)],
        swarm(node("h1", M), node("h8"), node("h9")),
        Rules(remove=("h8", "n-h9")),
        [("remove", "h8"), ("remove", "h9")],
    ),
    "drain first": (
        [host("h1", M), host("h3", M), host("h4", M)],
        swarm(node("h1", M), node("h2", M), node("h3", M), node("h4", M)),
        Rules(remove=("h2",), drain_first=True),
        [("drain", "h2", "availability drain", "labels {'dockhost.leaving': 'true'}", "role worker")],
    ),
    "drained already": (
        [host("h1", M)],
        swarm(node("h1", M), node("h2", availability="drain")),
        Rules(remove=("h2",), drain_first=True),
        [],
    ),
    "an earlier join did not succeed": (
        [host("h1", M), new("h2", state="error")],
        swarm(node("h1", M)),
        Rules(),
        [("leave", "h2"), ("join", "h2")],
    ),
    "a worker's membership is broken": (
        [host("h1", M), host("h2", state="error")],
        swarm(node("h1", M), node("h2", state="down")),
        Rules(),
        [("leave", "h2"), ("join", "h2")],
    ),
    "pending passes": (
        [host("h1", M), host("h2", M, state="pending")],
        swarm(node("h1", M), node("h2", M)),
        Rules(),
        [],
    ),
    "a worker may leave another swarm": (
        [host("h1", M), host("h2", node="foreign", managers=("10.7.7.7:2377",))],
        swarm(node("h1", M)),
        Rules(rejoin=True),
        [("leave", "h2"), ("join", "h2")],
    ),
    "… for a new one too, the first manager before it makes it": (
        [host("h1", M, cluster_id="gone", manager=False, leads=False), new("h2")],
        None,
        Rules(rejoin=True),
        [("leave", "h1"), ("init", "h1"), ("join", "h2")],
    ),
    "managers of before a forced new cluster": (
        [new("h1", M), host("h2", M), new("h3", M)],
        swarm(node("h1", M, id="o1", state="unknown", reachable=None), node("h2", M), node("h3", M, id="o3", state="down", reachable=None)),
        Rules(),
        [("remove", "h1"), ("remove", "h3"), ("join", "h1"), ("join", "h3")],
    ),
    "managers that come back after a recovery which they missed, and that make a majority of before": (
        [host("h1", M, recovered="2026-01-02"), host("h2", M), host("h3", M)],
        replace(swarm(node("h1", M), node("h3", M, state="unknown", reachable=None)), recovered="2026-01-02"),
        Rules(),
        [("leave", "h2"), ("join", "h2"), ("leave", "h3"), ("join", "h3")],
    ),
    "… or that have none, and know only whom they knew": (
        [host("h1", M, recovered="2026-01-02"), host("h2", M, cluster_id="", leads=False, managers=("10.0.0.1:2377",))],
        replace(swarm(node("h1", M)), recovered="2026-01-02"),
        Rules(),
        [("leave", "h2"), ("join", "h2")],
    ),
    "managers that joined after it stay": (
        [host("h1", M, recovered="2026-01-02"), host("h2", M, recovered="2026-01-02"), host("h3", M, leads=False)],
        replace(swarm(node("h1", M), node("h2", M), node("h3", M)), recovered="2026-01-02"),
        Rules(),
        [],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_steps(case):
    members, cluster, rules, expected = CASES[case]
    assert told(plan(members, cluster, "h1" if cluster is None else members[0].name, rules)) == expected


THREE = swarm(node("h1", M), node("h2", M), node("h3", M))
TWO_OF_THREE = swarm(node("h1", M), node("h2", M), node("h3", M, state="down", reachable=False))
REFUSED = {
    "the majority": (
        [host("h1", M), replace(host("h2", M), role=W)],
        TWO_OF_THREE,
        Rules(),
        "demoting h2 would leave 1 of 2 managers reachable; a majority needs 2",
    ),
    "the majority, by removal": ([host("h1", M)], TWO_OF_THREE, Rules(remove=("h2",)), "removing h2 would leave 1 of 2 managers"),
    "the majority, by draining": (
        [host("h1", M)],
        TWO_OF_THREE,
        Rules(remove=("h2",), drain_first=True),
        "removing h2 would leave 1 of 2 managers",
    ),
    "the last manager": ([replace(host("h1", M), role=W)], swarm(node("h1", M)), Rules(), "without a manager"),
    "a manager of another swarm": (
        [host("h1", M), host("h2", M, cluster_id="c2", node="foreign")],
        swarm(node("h1", M)),
        Rules(),
        r"h2 is a manager of another swarm \(c2\)",
    ),
    "a worker of another swarm": (
        [host("h1", M), host("h2", node="foreign", managers=("10.7.7.7:2377",))],
        swarm(node("h1", M)),
        Rules(),
        "h2 is a worker of another swarm, whose managers are at 10.7.7.7:2377.*swarm_rejoin: true",
    ),
    "a worker whose managers are new": ([new("h1", M), host("h2", node="foreign")], None, Rules(), "h2 is a worker of another swarm"),
    "a swarm without a leader": (
        [host("h1", M, leads=False, error="no leader"), new("h2", M)],
        None,
        Rules(),
        "h1 is a manager of a swarm that has no leader: no leader.*No second swarm was made",
    ),
    "a manager that does not answer": ([new("h1", M)], None, Rules(silent=("h9",)), "h9 did not answer and may hold one"),
    "nobody is to be a manager": ([new("h1"), new("h2")], None, Rules(), "name at least one manager"),
    "locked": ([new("h1", M, state="locked")], None, Rules(), "swarm_unlock_key_file or swarm_unlock_key, or run 'docker swarm unlock'"),
    "a broken manager never leaves": (
        [host("h1", M), host("h2", M, state="error", error="certificate expired")],
        THREE,
        Rules(),
        r"membership is broken \(certificate expired\): restart its engine",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case):
    members, cluster, rules, words = REFUSED[case]
    with pytest.raises(SwarmRefused, match=words):
        plan(members, cluster, "h1", rules)


def carried_out(steps, members, cluster):
    """Hosts and swarm after the steps, as a model of what the engine does."""
    local = {member.name: member.local for member in members}
    nodes = {found.id: found for found in (cluster.nodes if cluster else ())}
    for step in steps:
        if step.action == "leave":
            local[step.name] = replace(local[step.name], state="inactive", node_id="", cluster_id="", manager=False)
            if step.node_id in nodes:
                nodes[step.node_id] = replace(nodes[step.node_id], state="down")
        elif step.action in ("init", "join"):
            ours = f"new-{step.name}"
            role = MANAGER if step.action == "init" else WORKER
            nodes[ours] = node(step.name, role, id=ours, hostname=local[step.name].hostname)
            local[step.name] = replace(local[step.name], state="active", node_id=ours)
        elif step.action == "remove":
            del nodes[step.node_id]
        else:
            after = {name: value for name, (_before, value) in step.changes.items()}
            if "role" in after:
                after["reachable"] = True if after["role"] == MANAGER else None
            nodes[step.node_id] = replace(nodes[step.node_id], **after)
    return [replace(member, local=local[member.name]) for member in members], Cluster("c1", tuple(nodes.values()))


@pytest.mark.parametrize("case", CASES)
def test_two_rounds_suffice(case):
    """As the role does it: a plan, the joins, a plan for those who joined; then nothing is left to do."""
    members, cluster, rules, _expected = CASES[case]
    for _round in range(2):
        steps = plan(members, cluster, members[0].name, rules)
        members, cluster = carried_out(steps, members, cluster)
    # A host that left and joined again leaves its old node behind, down, until the next round sees it.
    assert plan(members, cluster, members[0].name, rules) == []
