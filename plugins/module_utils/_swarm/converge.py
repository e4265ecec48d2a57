# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From who should be in the swarm to a swarm that is so: read, plan, carry out. What module swarm_cluster does.

This util is private to the collection: no release promises that it stays as it is.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field, replace

from ansible_collections.dockhost.azure.plugins.module_utils._engine.client import Engine
from ansible_collections.dockhost.azure.plugins.module_utils._swarm import cluster, local
from ansible_collections.dockhost.azure.plugins.module_utils._swarm.model import Cluster, Local, Member, Step
from ansible_collections.dockhost.azure.plugins.module_utils._swarm.planner import Rules, plan

# What a manager does; joining and leaving is done by each host itself.
_OURS = ("init", "update", "drain", "remove")


@dataclass
class Outcome:
    """What came of it; filled as it goes, so that a failure can still tell what was planned."""

    steps: list[Step] = field(default_factory=list)
    cluster: Cluster | None = None

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


def converge(
    engine: Engine,
    own: Local,
    members: list[Member],
    host: str | None,
    rules: Rules,
    init_request: t.Callable[[t.Mapping[str, t.Any]], dict[str, t.Any]],
    params: t.Mapping[str, t.Any],
    check_mode: bool,
    outcome: Outcome,
) -> None:
    """Make the swarm what it should be, as far as a manager can; ``outcome`` says what is left to the hosts."""
    outcome.cluster = cluster.read(engine, own)
    outcome.steps = plan(members, outcome.cluster, host or "", rules)
    if check_mode:
        return
    if outcome.cluster is None:
        if host in outcome.named("leave"):
            local.leave(engine)
        cluster.init(engine, init_request(params))
        own = local.observe(engine, own.routing_mesh)
        members = [replace(member, local=own) if member.name == host else member for member in members]
        outcome.cluster = cluster.read(engine, own)
        first = [step for step in outcome.steps if step.action == "init"]
        outcome.steps = first + plan(members, outcome.cluster, host or "", rules)
    for step in outcome.steps:
        cluster.carry_out(engine, step, params["timeout"])
    listed = [outcome.cluster.node(member.local.node_id) for member in members if outcome.cluster]
    if params["verify"] or any(node is not None and node.state != "ready" for node in listed):
        joining = outcome.named("join")
        there = [member for member in members if member.name not in joining]
        cluster.verify(engine, there, params["verify"], params["timeout"])
    if outcome.changed or params["verify"]:
        outcome.cluster = cluster.read(engine, own) or outcome.cluster


def diff(steps: t.Sequence[Step]) -> dict[str, str]:
    """The steps for --diff: what each node was and will be."""
    before, after = [], []
    for step in steps:
        if step.action in ("update", "drain"):
            for name, (old, new) in step.changes.items():
                before.append(f"{step.name} {name}: {_shown(old)}")
                after.append(f"{step.name} {name}: {_shown(new)}")
        elif step.action == "remove":
            before.append(f"{step.name} ({step.node_id}): {_shown(step.changes['state'][0])}")
        elif step.action == "leave":
            before.append(f"{step.name}: member of another swarm, or half a member")
        else:
            detail = ", ".join(f"{name} {_shown(new)}" for name, (_old, new) in step.changes.items())
            after.append(f"{step.name}: {'first manager of a new swarm' if step.action == 'init' else 'joins, ' + detail}")
    return {"before": "".join(f"{line}\n" for line in before), "after": "".join(f"{line}\n" for line in after)}


def _shown(value: t.Any) -> str:
    if isinstance(value, t.Mapping):
        return ", ".join(f"{name}={text}" for name, text in sorted(value.items())) or "none"
    return str(value)
