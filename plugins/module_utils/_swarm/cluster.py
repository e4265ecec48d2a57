# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A manager and its swarm: reading it, and carrying out the planner's steps one by one.

This util is private to the collection: no release promises that it stays as it is.
"""

from __future__ import annotations

import time
import typing as t

from ansible_collections.dockhost.azure.plugins.module_utils._engine.client import Engine
from ansible_collections.dockhost.azure.plugins.module_utils._engine.errors import EngineError
from ansible_collections.dockhost.azure.plugins.module_utils._swarm import local
from ansible_collections.dockhost.azure.plugins.module_utils._swarm.model import (
    GOSSIP_PORT,
    MANAGER,
    WORKER,
    Cluster,
    Member,
    Node,
    Step,
    SwarmRefused,
)

_INTERVAL = 0.2


def read(engine: Engine, own: local.Local) -> Cluster | None:
    """The swarm that this host answers for, None where it answers for none."""
    if not own.leads:
        return None
    return Cluster(own.cluster_id, tuple(Node.from_api(node) for node in engine.get("/nodes") or ()))


def init(engine: Engine, request: t.Mapping[str, t.Any]) -> None:
    """Make a swarm; ``request`` is the body of POST /swarm/init."""
    engine.post("/swarm/init", body={**request, "ForceNewCluster": False})


def tokens(engine: Engine) -> dict[str, str]:
    """The join tokens, by role. They are secrets: whoever has one can join."""
    found = engine.get("/swarm")["JoinTokens"]
    return {WORKER: found["Worker"], MANAGER: found["Manager"]}


def carry_out(engine: Engine, step: Step, timeout: float) -> None:
    """Take one step that a manager takes: update, drain or remove."""
    if step.action == "update":
        update(engine, step, timeout)
    elif step.action == "drain":
        drain(engine, step.node_id, step.name, timeout)
        update(engine, step, timeout)
    elif step.action == "remove":
        remove(engine, step, timeout)


def update(engine: Engine, step: Step, timeout: float) -> None:
    """Change role, availability and labels of a node in one request, and wait until a new role is real."""
    wanted = {name: after for name, (_before, after) in step.changes.items()}
    names = {"role": "Role", "availability": "Availability", "labels": "Labels"}
    _change_spec(engine, step.node_id, {names[name]: value for name, value in wanted.items()})
    if wanted.get("role") == MANAGER:
        _wait(engine, step, timeout, lambda node: node.reachable is True, "did not become a reachable manager")
    elif wanted.get("role") == WORKER:
        _wait(engine, step, timeout, lambda node: node.reachable is None, "did not leave the managers")


def drain(engine: Engine, node_id: str, name: str, timeout: float) -> None:
    """Move the tasks of a node elsewhere and wait until none runs there."""
    _change_spec(engine, node_id, {"Availability": "drain"})
    deadline = time.monotonic() + timeout
    while True:
        filters = {"node": [node_id], "desired-state": ["running", "shutdown"]}
        tasks = engine.get("/tasks", filters=filters) or ()
        busy = [task for task in tasks if task["Status"]["State"] in ("running", "starting", "preparing")]
        if not busy:
            return
        if time.monotonic() >= deadline:
            raise SwarmRefused(f"{name} still runs {len(busy)} tasks {timeout:g} s after it was drained; look at 'docker node ps {name}'.")
        time.sleep(_INTERVAL)


def remove(engine: Engine, step: Step, timeout: float) -> None:
    """Take a node out of the swarm's list. A manager is demoted first, which takes it out of raft."""
    node = engine.find(f"/nodes/{step.node_id}")
    if node is None:
        return
    found = Node.from_api(node)
    if found.state == "ready" and step.reason == "asked for":
        drain(engine, step.node_id, step.name, timeout)
    if found.reachable is not None:
        _change_spec(engine, step.node_id, {"Role": WORKER})
        _wait(engine, step, timeout, lambda now: now.reachable is None, "did not leave the managers")
    # Right after a demotion the raft member may not be gone yet, and the engine refuses then.
    deadline = time.monotonic() + timeout
    while True:
        try:
            engine.delete(f"/nodes/{step.node_id}", force=True)
            return
        except EngineError as error:
            if "demoted" not in error.message or time.monotonic() >= deadline:
                raise
            time.sleep(_INTERVAL)


def verify(engine: Engine, members: t.Sequence[Member], ports: bool, timeout: float) -> None:
    """Wait until each member is a ready node, and where ``ports`` try to reach it, so that a closed port shows now."""
    deadline = time.monotonic() + timeout
    wanted = {member.local.node_id: member for member in members if member.local.node_id}
    while True:
        nodes = {node["ID"]: Node.from_api(node) for node in engine.get("/nodes") or ()}
        late = [member.name for node_id, member in wanted.items() if node_id not in nodes or nodes[node_id].state != "ready"]
        if not late:
            break
        if time.monotonic() >= deadline:
            raise SwarmRefused(
                f"{', '.join(late)} {'is' if len(late) == 1 else 'are'} not ready in the swarm after {timeout:g} s; "
                "look at 'docker node ls' here and 'journalctl -u docker' there."
            )
        time.sleep(_INTERVAL)
    for node_id, member in wanted.items() if ports else ():
        trouble = local.check_ports(nodes[node_id].address, (GOSSIP_PORT,))
        if trouble:
            raise SwarmRefused(f"{member.name} joined, but its overlay networks will not work: {trouble}. {local.PORTS_HINT}")


def _change_spec(engine: Engine, node_id: str, changes: t.Mapping[str, t.Any]) -> None:
    """Read a node, change its spec, write it back; once more where somebody else was faster."""
    for attempt in range(5):
        node = engine.get(f"/nodes/{node_id}")
        spec = {**node["Spec"], **changes}
        try:
            engine.post(f"/nodes/{node_id}/update", body=spec, version=node["Version"]["Index"])
            return
        except EngineError as error:
            if "out of sequence" not in error.message or attempt == 4:
                raise
            time.sleep(_INTERVAL)


def _wait(engine: Engine, step: Step, timeout: float, done: t.Callable[[Node], bool], otherwise: str) -> None:
    deadline = time.monotonic() + timeout
    while True:
        try:
            node = engine.find(f"/nodes/{step.node_id}")
            if node is None or done(Node.from_api(node)):
                return
            trouble = ""
        except EngineError as error:  # the leader may change while managers do
            trouble = f": {error.message}"
        if time.monotonic() >= deadline:
            raise SwarmRefused(f"{step.name} {otherwise} within {timeout:g} s{trouble}.")
        time.sleep(_INTERVAL)
