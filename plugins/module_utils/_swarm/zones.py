# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""PURE: how many managers a swarm has, which hosts they are, and whether a zone could take the majority with it.

Rules: https://docs.docker.com/engine/swarm/admin_guide/#distribute-manager-nodes

This util is private to the collection: no release promises that it stays as it is.
"""

from __future__ import annotations

import typing as t
from collections import Counter
from dataclasses import replace

from ansible_collections.dockhost.azure.plugins.module_utils._swarm.model import MANAGER, WORKER, Cluster, Member, Step, SwarmRefused
from ansible_collections.dockhost.azure.plugins.module_utils._swarm.quorum import majority

ZONE = "dockhost.zone"
COUNTS = (1, 3, 5, 7)


def check_count(count: int) -> None:
    """Refuse numbers of managers that cost without giving anything."""
    if count in COUNTS:
        return
    if count < 1:
        raise SwarmRefused("A swarm needs a manager: put 1, 3, 5 or 7 hosts into the group of managers.")
    why = (
        "each change would have to be agreed on by "
        f"{majority(count)} managers, which makes every change slower and tolerates no failure that people see"
        if count > COUNTS[-1]
        else f"{count} managers need {majority(count)} for a majority, so they tolerate the loss of {count - majority(count)}, "
        f"as {count - 1} do, and one more can fail"
    )
    raise SwarmRefused(f"{count} managers are asked for: {why}. Use 1, 3, 5 or 7.")


def check_growth(members: t.Sequence[Member], cluster: Cluster | None, steps: t.Sequence[Step], total: int) -> None:
    """Refuse a plan that adds managers and ends with a number of them that makes no sense.

    ``total``: how many the inventory has, also those of later batches; where that makes sense, the plan is on its way there. What
    only takes managers away, or leaves a number as it is, goes on: a lost manager must not keep others from being looked after.
    """
    roles = {member.name: member.role for member in members}
    new = [step for step in steps if step.action in ("init", "join") and roles.get(step.name) == MANAGER]
    promoted = [step for step in steps if step.action == "update" and step.changes.get("role", ("", ""))[1] == MANAGER]
    if not new and not promoted:
        return
    gone = {step.node_id for step in steps if step.action == "remove" or "role" in step.changes and step.changes["role"][1] == WORKER}
    stay = [node for node in (cluster.nodes if cluster else ()) if node.role == MANAGER and node.id not in gone]
    count = len(stay) + len(new) + len(promoted)
    if count not in COUNTS and total not in COUNTS:
        check_count(total or count)


def choose(members: t.Sequence[Member], cluster: Cluster | None, host: str, count: int) -> list[Member]:
    """Give so many of the members that may be managers the role that the swarm has ``count`` of them; the others are workers.

    Hosts that are managers stay so, as long as no zone gets more than its share; then the emptiest zone gets the next one,
    in the order of the members. The choice is the same in each run, since managers come first. Managers that are no
    members (a run on some hosts only) keep their places; where there are too few members, all of them are chosen.
    """
    candidates = [member for member in members if member.role == MANAGER]
    nodes = cluster.nodes if cluster else ()
    ids = {member.local.node_id for member in members}
    outside = [node for node in nodes if node.role == MANAGER and node.state == "ready" and node.id not in ids]
    are = {node.id for node in nodes if node.role == MANAGER}
    zones: Counter[str] = Counter(str(node.labels.get(ZONE, "")) for node in outside)
    chosen: list[str] = []
    while len(chosen) < min(count - len(outside), len(candidates)):
        left = [member for member in candidates if member.name not in chosen]

        def rank(member: Member) -> tuple[int, bool, bool]:
            first = not (cluster is None and member.name == host)
            return zones[_zone(member)], first, member.local.node_id not in are

        best = min(left, key=rank)  # of equals the first one
        chosen.append(best.name)
        zones[_zone(best)] += 1
    return [member if member.role != MANAGER or member.name in chosen else replace(member, role=WORKER) for member in members]


def trouble(members: t.Sequence[Member]) -> str | None:
    """One sentence where the loss of one zone would take the majority of the managers, else None.

    Silent for a single manager and where hosts have no zones.
    """
    managers = [member for member in members if member.role == MANAGER]
    zones = Counter(_zone(member) for member in managers if _zone(member))
    if len(managers) < 2 or not zones:
        return None
    zone, most = max(sorted(zones.items()), key=lambda item: item[1])
    needed = majority(len(managers))
    if len(managers) - most >= needed:
        return None
    names = ", ".join(member.name for member in managers if _zone(member) == zone)
    return (
        f"Zone {zone} alone holds {most} of {len(managers)} managers ({names}): without it {len(managers) - most} would be left, and a "
        f"majority needs {needed}. Spread the managers over three zones."
    )


def _zone(member: Member) -> str:
    return str(member.labels.get(ZONE, ""))
