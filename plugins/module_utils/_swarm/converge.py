# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From who should be in the swarm to a swarm that is so: read, plan, carry out. What module swarm_cluster does.

This util is private to the collection: no release promises that it stays as it is.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field, replace
from itertools import groupby

from ansible_collections.dockhost.azure.plugins.module_utils._engine.client import Engine
from ansible_collections.dockhost.azure.plugins.module_utils._swarm import cluster, local, upkeep, zones
from ansible_collections.dockhost.azure.plugins.module_utils._swarm import settings as swarm_settings
from ansible_collections.dockhost.azure.plugins.module_utils._swarm.model import Cluster, Local, Member, Step, SwarmRefused
from ansible_collections.dockhost.azure.plugins.module_utils._swarm.planner import Rules, plan

# What a manager does; joining and leaving is done by each host itself.
_OURS = ("init", "update", "drain", "remove", "configure", "network", "rotate")


@dataclass
class Outcome:
    """What came of it; filled as it goes, so that a failure can still tell what was planned."""

    steps: list[Step] = field(default_factory=list)
    cluster: Cluster | None = None
    warnings: list[str] = field(default_factory=list)
    members: list[Member] = field(default_factory=list)

    @property
    def changed(self) -> bool:
        """True where a manager did something."""
        return any(step.action in _OURS for step in self.steps)

    def named(self, action: str) -> list[str]:
        """Names of the steps of this kind."""
        return [step.name for step in self.steps if step.action == action]

    def managers(self) -> list[str]:
        """Addresses of reachable managers, the leader's first: joining there saves a detour."""
        nodes = self.cluster.nodes if self.cluster else ()
        return [node.address for node in sorted(nodes, key=lambda node: not node.leader) if node.reachable]


@dataclass(frozen=True)
class Order:
    """What the swarm should be: who is in it, what may be done for it, its settings and networks.

    ``managers_total``: how many managers the swarm is to have, 0 where that is not known. ``manager_count``: how many of the
    members that may be managers are to be; 0: all of them. ``zones``: what is done where one
    zone holds the majority: warn, refuse or ignore. ``init``: body of POST /swarm/init.
    """

    members: list[Member]
    host: str = ""
    rules: Rules = Rules()
    managers_total: int = 0
    manager_count: int = 0
    zones: str = "warn"
    settings: t.Mapping[str, t.Any] = field(default_factory=dict)
    networks: t.Sequence[t.Mapping[str, t.Any]] = ()
    init: t.Callable[[], dict[str, t.Any]] = dict
    verify: bool = False
    timeout: float = 60


def converge(engine: Engine, own: Local, order: Order, check_mode: bool, outcome: Outcome) -> None:
    """Make the swarm what it should be, as far as a manager can; ``outcome`` says what is left to the hosts.

    A swarm that the outcome has already was read this moment.
    """
    outcome.cluster = outcome.cluster or cluster.read(engine, own)
    outcome.members = _with_roles(order, outcome)
    outcome.steps = plan(outcome.members, outcome.cluster, order.host, order.rules) + _configured(order, outcome.cluster)
    if not order.manager_count:
        zones.check_growth(outcome.members, outcome.cluster, outcome.steps, order.managers_total)
    if check_mode:
        outcome.steps += upkeep.plan_networks(engine, order.networks, True) if outcome.cluster else []
        return
    if outcome.cluster is None:
        own = _begin(engine, own, order, outcome)
    _carry_out(engine, order, outcome)
    outcome.steps += upkeep.plan_networks(engine, order.networks, False)
    seen = _wait(engine, own, order, outcome)
    if seen:
        outcome.cluster = seen
    elif any(step.action in _OURS and step.action != "init" for step in outcome.steps):
        outcome.cluster = cluster.read(engine, own) or outcome.cluster


def _with_roles(order: Order, outcome: Outcome) -> list[Member]:
    """The members with the roles that they are to have, after a look at the number of managers and at the zones."""
    members = order.members
    if order.manager_count:
        zones.check_count(order.manager_count)
        members = zones.choose(members, outcome.cluster, order.host, order.manager_count)
    trouble = zones.trouble(members) if order.zones != "ignore" else None
    if trouble and order.zones == "refuse":
        raise SwarmRefused(f"Refused: {trouble}")
    outcome.warnings += [trouble] if trouble else []
    return members


def _configured(order: Order, found: Cluster | None) -> list[Step]:
    return swarm_settings.plan(order.settings, found or Cluster(""))


def _begin(engine: Engine, own: Local, order: Order, outcome: Outcome) -> Local:
    """Make the swarm on this host, and plan what is left."""
    if order.host in outcome.named("leave"):
        local.leave(engine)
    own, outcome.cluster = cluster.init(engine, order.init(), own.routing_mesh)
    outcome.members = [replace(member, local=own) if member.name == order.host else member for member in outcome.members]
    first = [step for step in outcome.steps if step.action == "init"]
    outcome.steps = first + plan(outcome.members, outcome.cluster, order.host, order.rules) + _configured(order, outcome.cluster)
    return own


def _carry_out(engine: Engine, order: Order, outcome: Outcome) -> None:
    draining = [step for step in outcome.steps if step.action == "drain"]
    if len(draining) > 1:
        cluster.hold(engine, draining)
    listed = outcome.cluster.listed if outcome.cluster else {}
    for plain, steps in groupby(outcome.steps, lambda step: step.action == "update" and "role" not in step.changes):
        if plain:
            cluster.update_all(engine, list(steps), order.timeout, listed)
            continue
        for step in steps:
            if step.action == "configure":
                upkeep.configure(engine, order.settings)
            else:
                outcome.warnings += cluster.carry_out(engine, step, order.timeout, listed.get(step.node_id))


def _wait(engine: Engine, own: Local, order: Order, outcome: Outcome) -> Cluster | None:
    """Until the members are ready nodes, where that is asked for or where some are not. The swarm as it was then, None where nobody looked."""
    listed = [outcome.cluster.node(member.local.node_id) for member in outcome.members if outcome.cluster]
    if order.verify or any(node is not None and node.state != "ready" for node in listed):
        joining = outcome.named("join")
        there = [member for member in outcome.members if member.name not in joining]
        return cluster.verify(engine, own, there, order.verify, order.timeout)
    return None


def diff(steps: t.Sequence[Step]) -> dict[str, str]:
    """The steps for --diff: what each node was and will be."""
    before, after = [], []
    for step in steps:
        if step.action in ("update", "drain", "configure", "rotate"):
            for name, (old, new) in step.changes.items():
                before.append(f"{step.name} {name}: {_shown(old)}")
                after.append(f"{step.name} {name}: {_shown(new)}")
        elif step.action == "remove":
            before.append(f"{step.name} ({step.node_id}): {_shown(step.changes['state'][0])}")
        elif step.action == "network":
            after.append(f"network {step.name}: {step.changes['network'][1]}")
        elif step.action == "leave":
            before.append(f"{step.name}: leaves, since {step.reason}")
        else:
            detail = ", ".join(f"{name} {_shown(new)}" for name, (_old, new) in step.changes.items())
            after.append(f"{step.name}: {'first manager of a new swarm' if step.action == 'init' else 'joins, ' + detail}")
    return {"before": "".join(f"{line}\n" for line in before), "after": "".join(f"{line}\n" for line in after)}


def _shown(value: t.Any) -> str:
    if isinstance(value, t.Mapping):
        return ", ".join(f"{name}={text}" for name, text in sorted(value.items())) or "none"
    return str(value)
