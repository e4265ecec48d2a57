# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""PURE: (hosts that should be in the swarm, what they and the swarm say) → the safe order of steps.

This util is private to the collection: no release promises that it stays as it is.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.dockhost.azure.plugins.module_utils._swarm.model import (
    LEAVING,
    MANAGER,
    WORKER,
    Cluster,
    Local,
    Member,
    Node,
    Step,
    SwarmRefused,
)
from ansible_collections.dockhost.azure.plugins.module_utils._swarm.quorum import Managers


@dataclass(frozen=True)
class Rules:
    """``remove``: names (or ids) of nodes to take out. ``drain_first``: only drain and demote those now, so that they can leave
    by themselves. ``remove_gone``: also nodes that are down and no member.
    ``rejoin``: hosts that are in another swarm leave it. ``purge_labels``: labels that are not wanted go. ``silent``: names of
    hosts that may be managers and did not answer."""

    remove: t.Sequence[str] = ()
    drain_first: bool = False
    remove_gone: bool = False
    rejoin: bool = False
    purge_labels: bool = False
    silent: t.Sequence[str] = ()


def plan(members: t.Sequence[Member], cluster: Cluster | None, host: str, rules: Rules = Rules()) -> list[Step]:
    """The steps, in order. ``host``: name of the member that carries them out, a manager or the first to be one.

    Joins are in the list, but each host joins by itself; labels and roles of such hosts follow in the next plan.
    Raises SwarmRefused where a step would lose the majority, or where a host is in another swarm.
    """
    if cluster is None:
        return _new_swarm(members, host, rules)
    _refuse_locked(members)
    joins = [step for member in members for step in _join(member, cluster, rules)]
    ghosts = [node for node in cluster.nodes if _is_ghost(node, members)]
    managers = Managers(cluster, dead={ghost.id for ghost in ghosts})
    removals = [_remove(ghost, managers, "its host was re-created and has another node id now") for ghost in ghosts]
    leavers = [node for node in cluster.nodes if node not in ghosts]
    # A manager that is down counts for the majority until it is out of the list: it goes before anything else does.
    removals += _leavers(members, [node for node in leavers if node.state == "down"], managers, rules)
    updates = _updates(members, cluster, managers, host, rules)
    return [*removals, *joins, *updates, *_leavers(members, [node for node in leavers if node.state != "down"], managers, rules)]


# -- joining --------------------------------------------------------------------------------------------


def _new_swarm(members: t.Sequence[Member], host: str, rules: Rules) -> list[Step]:
    """No host can answer for a swarm: make one, unless there is one that merely cannot answer."""
    _refuse_locked(members)
    if not any(member.name == host and member.role == MANAGER for member in members):
        raise SwarmRefused(f"No swarm is there yet and {host} is not to be a manager of it; name at least one manager.")
    for member in members:
        if member.local.manager and not member.local.leads:
            raise SwarmRefused(
                f"{member.name} is a manager of a swarm that has no leader"
                f"{': ' + member.local.error if member.local.error else ''}. Start the managers that are missing; only if they are "
                "lost for good, run playbook dockhost.azure.swarm_recover. No second swarm was made."
            )
    if rules.silent:
        raise SwarmRefused(
            f"No host that answers is in a swarm, but {', '.join(rules.silent)} did not answer and may hold one, so no new one was made. "
            "Start it, or take it out of the inventory's group of managers if it is gone."
        )
    joins = [step for member in members for step in _join(member, Cluster(""), rules)]
    before = [step for step in joins if step.name == host and step.action == "leave"]
    init = Step("init", host, reason="no host answers for a swarm")
    return [*before, init, *(step for step in joins if step.name != host)]


def _refuse_locked(members: t.Sequence[Member]) -> None:
    for member in members:
        if member.local.state == "locked":
            raise SwarmRefused(
                f"{member.name} is locked (autolock): give its key in swarm_unlock_key_file or swarm_unlock_key, or run 'docker swarm unlock' "
                "there, then run this again."
            )


def _join(member: Member, cluster: Cluster, rules: Rules) -> list[Step]:
    """What the host must do to be in this swarm, and in no other one."""
    local = member.local
    foreign = bool(local.cluster_id) and local.cluster_id != cluster.id
    join = Step("join", member.name, changes={"role": (None, member.role), "labels": ({}, dict(member.labels))})
    if local.state == "inactive":
        return [join]
    node = cluster.node(local.node_id)
    if _of_before(local, node, cluster):
        return [Step("leave", member.name, local.node_id, reason="it is a manager of before the swarm was recovered"), join]
    if node is not None and not foreign:
        return _rejoin(member, node, join)
    if not local.node_id:
        return [Step("leave", member.name, reason="an earlier join did not succeed"), join]
    if rules.rejoin:
        return [Step("leave", member.name, local.node_id, reason="it is in another swarm, and may leave it"), join]
    known = f", whose managers are at {', '.join(local.managers)}" if local.managers else ""
    raise SwarmRefused(
        f"{member.name} is a {MANAGER if local.manager else WORKER} of another swarm"
        f"{' (' + local.cluster_id + ')' if local.cluster_id else ''}{known}, or was removed from this one. If nothing there is "
        f"needed any more, set swarm_rejoin: true or run 'docker swarm leave --force' on {member.name}; otherwise take it out of the inventory's groups."
    )


def _of_before(local: Local, node: Node | None, cluster: Cluster) -> bool:
    """True for a manager that missed the recovery of this swarm: it still counts by the old list of managers.

    Two of those could make a majority among themselves, and two swarms of one id would go on side by side.
    """
    if not cluster.recovered or not local.manager or local.cluster_id not in ("", cluster.id) or local.recovered >= cluster.recovered:
        return False
    if node is not None and node.reachable is not None:
        return False
    known = {address.rsplit(":", 1)[0] for address in local.managers}
    return local.cluster_id == cluster.id or node is not None or any(other.address in known for other in cluster.nodes)


def _rejoin(member: Member, node: Node, join: Step) -> list[Step]:
    """For a node of this swarm: nothing, unless its membership is broken.

    "pending" passes by itself, for instance after a change of the leader. A manager never leaves to be repaired: its vote
    may be the one that makes the majority.
    """
    if member.local.state != "error":
        return []
    if node.in_raft:
        raise SwarmRefused(
            f"{member.name} is a manager of this swarm, but its membership is broken ({member.local.error or 'no reason given'}): "
            "restart its engine (systemctl restart docker); if that does not help, demote it, let it leave, and run this again."
        )
    return [Step("leave", member.name, node.id, reason=f"its membership is broken: {member.local.error}"), join]


def _is_ghost(node: Node, members: t.Sequence[Member]) -> bool:
    """True for what is left in the list of a host that was re-created under its name.

    The host at that name says that it is another node; an unrelated machine with the same hostname is up, elsewhere.
    """
    if any(member.local.node_id == node.id for member in members):
        return False
    return any(
        node.hostname == member.local.hostname and (node.state == "down" or node.address in (member.address, member.local.address))
        for member in members
        if member.local.hostname
    )


# -- nodes that are there -------------------------------------------------------------------------------


def _updates(members: t.Sequence[Member], cluster: Cluster, managers: Managers, host: str, rules: Rules) -> list[Step]:
    """Roles, labels and availability: promotions first, demotions last, the host that carries them out at the very end."""
    found = []
    for member in members:
        node = cluster.node(member.local.node_id)
        if node is not None:
            changes = _changes(member, node, rules)
            if changes:
                found.append((_order(changes, member.name == host), Step("update", member.name, node.id, changes)))
    found.sort(key=lambda item: item[0])
    for _order_, step in found:
        after = step.changes.get("role", (None, None))[1]
        if after == MANAGER:
            managers.promote(step.node_id, step.name)
        elif after == WORKER:
            managers.remove(step.node_id, step.name)
    return [step for _order_, step in found]


def _order(changes: t.Mapping[str, t.Any], own: bool) -> int:
    role = changes.get("role", (None, None))[1]
    return {MANAGER: 0, None: 1}.get(role, 3 if own else 2)


def _changes(member: Member, node: Node, rules: Rules) -> dict[str, tuple[t.Any, t.Any]]:
    changes: dict[str, tuple[t.Any, t.Any]] = {}
    if node.role != member.role:
        changes["role"] = (node.role, member.role)
    before = dict(node.labels)
    after = dict(member.labels) if rules.purge_labels else {**before, **member.labels}
    after.pop(LEAVING, None)
    availability = member.availability or ("active" if LEAVING in before else node.availability)
    if node.availability != availability:
        changes["availability"] = (node.availability, availability)
    if after != before:
        changes["labels"] = (before, after)
    return changes


# -- nodes that are to go -------------------------------------------------------------------------------


def _leavers(members: t.Sequence[Member], nodes: t.Sequence[Node], managers: Managers, rules: Rules) -> list[Step]:
    ours = {member.local.node_id for member in members}
    steps = []
    for node in nodes:
        if node.hostname in rules.remove or node.id in rules.remove:
            if rules.drain_first and node.state == "ready":
                steps += _drain(node, managers)
            else:
                steps.append(_remove(node, managers, "asked for"))
        elif rules.remove_gone and node.state == "down" and node.id not in ours:
            steps.append(_remove(node, managers, "it is down and no host of the inventory"))
    return steps


def _remove(node: Node, managers: Managers, reason: str) -> Step:
    managers.remove(node.id, node.hostname, "removing")
    return Step("remove", node.hostname, node.id, {"role": (node.role, None), "state": (node.state, None)}, reason)


def _drain(node: Node, managers: Managers) -> list[Step]:
    changes: dict[str, tuple[t.Any, t.Any]] = {}
    if node.availability != "drain":
        changes["availability"] = (node.availability, "drain")
        changes["labels"] = (dict(node.labels), {**node.labels, LEAVING: "true"})
    if node.in_raft:
        managers.remove(node.id, node.hostname, "removing")
        changes["role"] = (node.role, WORKER)
    return [Step("drain", node.hostname, node.id, changes, "it is to leave")] if changes else []
