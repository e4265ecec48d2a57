# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A manager and its swarm: reading it, and carrying out the planner's steps one by one.

This util is private to the collection: no release promises that it stays as it is.
"""

from __future__ import annotations

import time
import typing as t

from ansible_collections.dockhost.azure.plugins.module_utils._engine.client import UNTIL, Engine
from ansible_collections.dockhost.azure.plugins.module_utils._engine.errors import EngineError
from ansible_collections.dockhost.azure.plugins.module_utils._engine.relay import fits
from ansible_collections.dockhost.azure.plugins.module_utils._swarm import local
from ansible_collections.dockhost.azure.plugins.module_utils._swarm.model import (
    GOSSIP_PORT,
    MANAGER,
    RECOVERED,
    WORKER,
    Cluster,
    Member,
    Node,
    Step,
    SwarmRefused,
)

_INTERVAL = 0.2
# Seconds between two looks on the engine's own host, where they cost next to nothing.
_PAUSE = 0.05
# When a new role is real: where that shows in the answer to GET /nodes/ID, as what, and what is said where it does not.
_REAL = {
    MANAGER: (["ManagerStatus", "Reachability"], "reachable", "did not become a reachable manager"),
    WORKER: (["ManagerStatus"], None, "did not leave the managers"),
}
_CLUSTER = (("GET", "/swarm", None), ("GET", "/nodes", None))
BUSY = ("running", "starting", "preparing")
ENDED = ("complete", "failed", "rejected", "shutdown", "orphaned", "remove")


_STALE = "out of sequence"
Known = t.Optional[t.Mapping[str, t.Any]]


def read(engine: Engine, own: local.Local) -> Cluster | None:
    """The swarm that this host answers for, None where it answers for none."""
    if not own.leads:
        return None
    return _cluster(own, *engine.batch(_CLUSTER))


def _cluster(own: local.Local, swarm: t.Any, listed: t.Any) -> Cluster:
    for answer in (swarm, listed):
        if isinstance(answer, EngineError):
            raise answer
    nodes = tuple(Node.from_api(node) for node in listed or ())
    known = {node["ID"]: node for node in listed or ()}
    return Cluster(own.cluster_id, nodes, swarm["Spec"], (swarm["Spec"].get("Labels") or {}).get(RECOVERED, ""), known)


def observe(engine: Engine) -> tuple[local.Local, Cluster | None]:
    """What a host says of itself, and the swarm that it answers for, in one round trip."""
    *said, swarm, listed = engine.batch((*local.QUESTIONS, *_CLUSTER))
    own = local.from_answers(*said, routing_mesh=False)
    return own, _cluster(own, swarm, listed) if own.leads else None


def init(engine: Engine, request: t.Mapping[str, t.Any], routing_mesh: bool) -> tuple[local.Local, Cluster]:
    """Make a swarm; ``request`` is the body of POST /swarm/init. What the host says after it, and the swarm of this one node."""
    begun = ("POST", "/swarm/init", {**request, "ForceNewCluster": False})
    said, *seen = engine.batch([begun, *local.QUESTIONS, *_CLUSTER])
    if isinstance(said, EngineError):
        raise said
    own = local.from_answers(*seen[:2], routing_mesh)
    return own, _cluster(own, *seen[2:])


def tokens(engine: Engine) -> dict[str, str]:
    """The join tokens, by role. They are secrets: whoever has one can join."""
    found = engine.get_secret("/swarm")["JoinTokens"]
    return {WORKER: found["Worker"], MANAGER: found["Manager"]}


def carry_out(engine: Engine, step: Step, timeout: float, known: Known = None) -> list[str]:
    """Take one step that a manager takes: update, drain or remove. Returns what was noticed while doing so. ``known``: see change_spec."""
    notes: list[str] = []
    if step.action == "update":
        update(engine, step, timeout, known)
    elif step.action == "drain":
        notes = drain(engine, step.node_id, step.name, timeout)
        update(engine, step, timeout)
    elif step.action == "remove":
        notes = remove(engine, step, timeout)
    return notes


def hold(engine: Engine, steps: t.Sequence[Step]) -> None:
    """Before several nodes are drained one by one, none of them gets tasks any more: a task would have to move twice."""
    for step in steps:
        if "availability" in step.changes:
            change_spec(engine, step.node_id, {"Availability": "pause", "Labels": step.changes["labels"][1]})


def update(engine: Engine, step: Step, timeout: float, known: Known = None) -> None:
    """Change role, availability and labels of a node in one request, and wait until a new role is real."""
    changes, role = _spec_changes(step), step.changes.get("role", (None, None))[1]
    if role in _REAL:
        _turn(engine, step, changes, role, timeout, known)
    else:
        change_spec(engine, step.node_id, changes, known)


def _turn(engine: Engine, step: Step, changes: t.Mapping[str, t.Any], role: str, timeout: float, known: Known = None) -> None:
    """Give a node another role, and wait until it is real. A node that is gone meanwhile has none."""
    field, value, otherwise = _REAL[role]
    wish = {"field": field, "value": value, "timeout": timeout, "pause": _PAUSE}
    found = change_spec(engine, step.node_id, changes, known, wish)
    if isinstance(found, EngineError):
        if not found.not_found:
            raise SwarmRefused(f"{step.name} {otherwise} within {timeout:g} s: {found.message}.")
    elif not fits(found, wish):
        raise SwarmRefused(f"{step.name} {otherwise} within {timeout:g} s.")


def _spec_changes(step: Step) -> dict[str, t.Any]:
    names = {"role": "Role", "availability": "Availability", "labels": "Labels"}
    return {names[name]: after for name, (_before, after) in step.changes.items()}


def update_all(engine: Engine, steps: t.Sequence[Step], timeout: float, listed: t.Mapping[str, t.Any]) -> None:
    """Updates that give nobody another role, in one round trip; those of nodes that somebody else changed meanwhile are made anew."""
    there = [step for step in steps if step.node_id in listed]
    answers = engine.batch([_writing(listed[step.node_id], _spec_changes(step)) for step in there]) if there else []
    again = [step for step in steps if step not in there]
    for step, answer in zip(there, answers):
        if isinstance(answer, EngineError):
            if _STALE not in answer.message:
                raise answer
            again.append(step)
    for step in again:
        update(engine, step, timeout)


def drain(engine: Engine, node_id: str, name: str, timeout: float) -> list[str]:
    """Move the tasks of a node elsewhere. Waits until none runs there and until those that can run elsewhere do.

    Returns a sentence for each service that now misses tasks, since no node that is left can take them.
    """
    leaving = engine.get("/tasks", filters={"node": [node_id], "desired-state": ["running"]}) or ()
    services = sorted({task["ServiceID"] for task in leaving if task.get("ServiceID")})
    change_spec(engine, node_id, {"Availability": "drain"})
    deadline = time.monotonic() + timeout
    while True:
        filters = {"node": [node_id], "desired-state": ["running", "shutdown"]}
        busy = [task for task in engine.get("/tasks", filters=filters) or () if task["Status"]["State"] in BUSY]
        moving = moving_tasks(_tasks_of(engine, services), node_id)
        if not busy and not moving:
            break
        if time.monotonic() >= deadline:
            raise SwarmRefused(_not_moved(name, timeout, busy, moving))
        time.sleep(_INTERVAL)
    return _homeless(engine, name, services)


def _tasks_of(engine: Engine, services: t.Sequence[str]) -> list[t.Any]:
    # A service that was removed meanwhile is a 404.
    return (engine.find("/tasks", filters={"service": list(services), "desired-state": ["running", "ready"]}) or []) if services else []


def moving_tasks(tasks: t.Iterable[t.Mapping[str, t.Any]], node_id: str) -> list[t.Mapping[str, t.Any]]:
    """Those that should run on another node and do not yet, without those that no node can take. Pure."""
    return [
        task
        for task in tasks
        if task.get("NodeID", "") != node_id
        and task["Status"]["State"] not in ("running", *ENDED)
        and not nowhere(task)
    ]


def nowhere(task: t.Mapping[str, t.Any]) -> bool:
    """True for a task that waits because no node may take it (constraints, ports, resources)."""
    return task["Status"]["State"] == "pending" and "no suitable node" in task["Status"].get("Err", "")


def _not_moved(name: str, timeout: float, busy: t.Sequence[t.Any], moving: t.Sequence[t.Any]) -> str:
    if busy:
        return f"{name} still runs {len(busy)} tasks {timeout:g} s after it was drained; look at 'docker node ps {name}'."
    said = sorted({task["Status"].get("Err") or task["Status"]["State"] for task in moving})
    return (
        f"{name} was drained, and {len(moving)} of its services' tasks do not run elsewhere after {timeout:g} s ({', '.join(said)}): look at "
        "'docker service ps', or raise swarm_timeout where images are large. The node was not taken out; run again to go on."
    )


def _homeless(engine: Engine, name: str, services: t.Sequence[str]) -> list[str]:
    missing: dict[str, str] = {}
    for task in _tasks_of(engine, services):
        if nowhere(task):
            missing[task["ServiceID"]] = task["Status"]["Err"]
    names = {service["ID"]: service["Spec"]["Name"] for service in (engine.get("/services") or ())} if missing else {}
    return [f"Service {names.get(service, service)} misses tasks without {name}: {error}." for service, error in sorted(missing.items())]


def remove(engine: Engine, step: Step, timeout: float) -> list[str]:
    """Take a node out of the swarm's list. A manager is demoted first, which takes it out of raft."""
    node = engine.find(f"/nodes/{step.node_id}")
    if node is None:
        return []
    found = Node.from_api(node)
    notes = []
    if found.state == "ready" and step.reason == "asked for":
        notes = drain(engine, step.node_id, step.name, timeout)
    if found.reachable is not None:
        _turn(engine, step, {"Role": WORKER}, WORKER, timeout)
    # Right after a demotion the raft member may not be gone yet, and the engine refuses then.
    deadline = time.monotonic() + timeout
    while True:
        try:
            engine.delete(f"/nodes/{step.node_id}", force=True)
            return notes
        except EngineError as error:
            if "demoted" not in error.message or time.monotonic() >= deadline:
                raise
            time.sleep(_INTERVAL)


def verify(engine: Engine, own: local.Local, members: t.Sequence[Member], ports: bool, timeout: float) -> Cluster:
    """Wait until each member is a ready node, and where ``ports`` try to reach it, so that a closed port shows now. The swarm as it was then."""
    deadline = time.monotonic() + timeout
    wanted = {member.local.node_id: member for member in members if member.local.node_id}
    while True:
        found = _cluster(own, *engine.batch(_CLUSTER))
        nodes = {node.id: node for node in found.nodes}
        late = [member.name for node_id, member in wanted.items() if node_id not in nodes or nodes[node_id].state != "ready"]
        if not late:
            break
        if time.monotonic() >= deadline:
            raise SwarmRefused(
                f"{', '.join(late)} {'is' if len(late) == 1 else 'are'} not ready in the swarm after {timeout:g} s; "
                "look at 'docker node ls' here and 'journalctl -u docker' there."
            )
        time.sleep(_INTERVAL)
    troubles = local.check_ports(engine, [nodes[node_id].address for node_id in wanted], (GOSSIP_PORT,)) if ports else []
    for member, trouble in zip(wanted.values(), troubles):
        if trouble:
            hint = local.DEAF_HINT if local.REFUSED in trouble else ""
            raise SwarmRefused(f"{member.name} joined, but its overlay networks will not work: {trouble}. {local.PORTS_HINT}{hint}")
    return found


def change_spec(
    engine: Engine, node_id: str, changes: t.Mapping[str, t.Any], known: Known = None, wish: t.Mapping[str, t.Any] | None = None
) -> t.Any:
    """Read a node, change its spec, write it back; once more where somebody else was faster.

    ``known``, the node as it was listed a moment ago, saves the reading: the engine refuses what is written over a newer one. ``wish``: what the
    node is to be after it (Engine.batch); returned is what it was at the end.
    """
    for attempt in range(6):
        node = known if known and not attempt else engine.get(f"/nodes/{node_id}")
        try:
            return _write(engine, node, changes, wish)
        except EngineError as error:
            if _STALE not in error.message or attempt == 5:
                raise
        if node is not known:
            time.sleep(_INTERVAL)
    return None


def _write(engine: Engine, node: t.Mapping[str, t.Any], changes: t.Mapping[str, t.Any], wish: t.Mapping[str, t.Any] | None) -> t.Any:
    if not wish:
        return engine.post(f"/nodes/{node['ID']}/update", body={**node["Spec"], **changes}, version=node["Version"]["Index"])
    said, seen = engine.batch([_writing(node, changes), (UNTIL, f"/nodes/{node['ID']}", wish)])
    if isinstance(said, EngineError):
        raise said
    return seen


def _writing(node: t.Mapping[str, t.Any], changes: t.Mapping[str, t.Any]) -> tuple[str, str, t.Any]:
    return "POST", f"/nodes/{node['ID']}/update?version={node['Version']['Index']}", {**node["Spec"], **changes}
