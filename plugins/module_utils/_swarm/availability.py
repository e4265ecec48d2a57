# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Take a node's tasks away and give it back to the swarm, without services that are fewer than before.

This util is private to the collection: no release promises that it stays as it is.
"""

from __future__ import annotations

import time
import typing as t

from ansible_collections.dockhost.azure.plugins.module_utils._engine.client import Engine
from ansible_collections.dockhost.azure.plugins.module_utils._engine.errors import EngineError
from ansible_collections.dockhost.azure.plugins.module_utils._swarm import cluster
from ansible_collections.dockhost.azure.plugins.module_utils._swarm.model import MANAGER, Cluster, Node, Step, SwarmRefused
from ansible_collections.dockhost.azure.plugins.module_utils._swarm.quorum import Managers

_INTERVAL = 0.2


def find(nodes: t.Sequence[Node], wanted: str) -> Node:
    """The node of this id or hostname; SwarmRefused where there is none, or more than one of that name."""
    found = [node for node in nodes if node.id == wanted] or [node for node in nodes if node.hostname == wanted]
    if len(found) == 1:
        return found[0]
    names = ", ".join(sorted(node.hostname for node in nodes))
    if not found:
        raise SwarmRefused(f"node: the swarm has no node {wanted}; it has {names}.")
    raise SwarmRefused(f"node: the swarm has {len(found)} nodes called {wanted}; give the id, as 'docker node ls' shows it.")


def refuse_loss(nodes: t.Sequence[Node], node: Node) -> None:
    """SwarmRefused where the swarm would lose its majority while this node's engine is down for a moment."""
    managers = Managers(Cluster("", tuple(nodes)))
    if node.id not in managers.members:
        return
    if len(managers.members) == 1:
        return  # it has no majority to lose: the swarm stands still while its only manager is restarted, and goes on after it
    managers.stop(node.id, node.hostname)


def counts(services: t.Iterable[t.Mapping[str, t.Any]]) -> dict[str, tuple[str, int, int]]:
    """Service id → name, running and desired tasks, of services with a number of replicas that is to be kept."""
    found = {}
    for service in services:
        status = service.get("ServiceStatus") or {}
        if "Replicated" in (service["Spec"].get("Mode") or {}):
            found[service["ID"]] = (service["Spec"]["Name"], status.get("RunningTasks", 0), status.get("DesiredTasks", 0))
    return found


def fewer(before: t.Mapping[str, tuple[str, int, int]], now: t.Mapping[str, tuple[str, int, int]]) -> list[str]:
    """The services that were complete before and are not now, as "web 2/3"."""
    return [
        f"{name} {running}/{desired}"
        for key, (name, running, desired) in now.items()
        if running < desired and key in before and before[key][1] >= before[key][2]
    ]


def drain(engine: Engine, node: Node, timeout: float) -> None:
    """Drain the node, and wait until what ran there runs elsewhere."""
    deadline = time.monotonic() + timeout
    before = counts(engine.get("/services", status=True) or ())
    cluster.drain(engine, node.id, node.hostname, timeout)
    while True:
        missing = fewer(before, counts(engine.get("/services", status=True) or ()))
        if not missing:
            return
        if time.monotonic() >= deadline:
            raise SwarmRefused(
                f"{node.hostname} is drained, but its tasks do not all run elsewhere after {timeout:g} s ({', '.join(missing)}); "
                "look at 'docker service ps', give the swarm more room, or set availability active to take the drain back."
            )
        time.sleep(_INTERVAL)


def set_availability(engine: Engine, node: Node, availability: str, timeout: float) -> None:
    """Write the availability, and wait for what it means."""
    if availability == "drain":
        drain(engine, node, timeout)
        return
    step = Step("update", node.hostname, node.id, {"availability": (node.availability, availability)})
    cluster.update(engine, step, timeout)


def wait_ready(engine: Engine, wanted: str, timeout: float) -> Node:
    """The node, once it is ready, and reachable where it is a manager. Patient with a manager that was just restarted itself."""
    deadline = time.monotonic() + timeout
    while True:
        try:
            node = find([Node.from_api(entry) for entry in engine.get("/nodes") or ()], wanted)
            if node.state == "ready" and (node.role != MANAGER or node.reachable):
                return node
            trouble = f"{node.hostname} is {node.state}"
        except EngineError as error:
            trouble = error.message
        if time.monotonic() >= deadline:
            raise SwarmRefused(f"node: {wanted} is not ready {timeout:g} s later: {trouble}; look at 'journalctl -u docker' there.")
        time.sleep(_INTERVAL)
