# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A node out of service and back again: drained for a while, and the services whole on both sides of it.

What is to be waited for is told by pure functions; the class asks and changes the swarm.

This util is private to the collection: no release promises that it stays as it is.
"""

from __future__ import annotations

import time
import typing as t

from ansible_collections.dockhost.azure.plugins.module_utils._engine.client import Engine
from ansible_collections.dockhost.azure.plugins.module_utils._engine.errors import EngineError
from ansible_collections.dockhost.azure.plugins.module_utils._swarm import cluster
from ansible_collections.dockhost.azure.plugins.module_utils._swarm.model import MANAGER, Cluster, Node, SwarmRefused
from ansible_collections.dockhost.azure.plugins.module_utils._swarm.quorum import Managers
from ansible_collections.dockhost.azure.plugins.module_utils._swarm.report import service_report

# Set on a node that this collection drained, with the availability that it had: whoever runs again after an interruption knows that
# nobody else drained it, and what it is to become.
LABEL = "dockhost.maintenance"
BUSY = ("running", "starting", "preparing")
# The swarm takes a moment to notice that a node is back and that global services want a task there.
CALM_LOOKS = 3
INTERVAL = 0.5

Json = t.Mapping[str, t.Any]


def find(nodes: t.Iterable[Node], name: str) -> Node:
    """The node of this hostname or id; of several with one name (its host was re-created) the one that is ready."""
    found = sorted((node for node in nodes if name in (node.hostname, node.id)), key=lambda node: node.state != "ready")
    if not found:
        raise SwarmRefused(f"The swarm has no node {name}: name one that 'docker node ls' shows, or let the host join first.")
    return found[0]


def refuse_lost_majority(nodes: t.Sequence[Node], node: Node) -> None:
    """Refuse to stop a manager that the others need. Where all of them are there, one of one or two may be stopped: it comes back."""
    managers = [one for one in nodes if one.in_raft]
    if node.in_raft and not all(one.reachable for one in managers):
        Managers(Cluster("", tuple(nodes))).stop(node.id, node.hostname)


def not_ready(node: Node) -> list[str]:
    """What keeps a node from being there again, as whoever restarted its engine waits for; nothing where it is."""
    if node.state != "ready":
        return [f"its state is {node.state}"]
    return ["the other managers do not reach it"] if node.role == MANAGER and not node.reachable else []


def drained_spec(node: Node) -> dict[str, t.Any] | None:
    """What to change so that the node is out of service; None where it is already."""
    if node.availability == "drain":
        return None
    return {"Availability": "drain", "Labels": {**node.labels, LABEL: node.availability}}


def active_spec(node: Node) -> dict[str, t.Any] | None:
    """What to change so that the node is as it was before; None where this collection did not drain it."""
    if LABEL not in node.labels:
        return None
    labels = {name: value for name, value in node.labels.items() if name != LABEL}
    return {"Availability": node.labels[LABEL], "Labels": labels}


def missing(services: t.Iterable[Json], tasks: t.Iterable[Json], but: t.Collection[str] = ()) -> tuple[list[str], list[str]]:
    """(services that miss tasks and will get them, services whose tasks no node that is there can take), by name.

    ``services`` with their status and ``tasks`` as the API lists them; ``but``: names of services that nobody waits for.
    """
    nowhere = {task["ServiceID"] for task in tasks if task["Status"]["State"] == "pending" and "no suitable node" in task["Status"].get("Err", "")}
    late, stuck = [], []
    for service in services:
        told = service_report(service)
        if not told["healthy"] and told["name"] not in but:
            (stuck if service["ID"] in nowhere else late).append(told["name"])
    return sorted(late), sorted(stuck)


class Maintenance:
    """Takes one node out of service and back. ``timeout``: seconds for each wait; ``tolerant``: services that miss tasks before are not waited for."""

    def __init__(self, engine: Engine, name: str, timeout: float, but: t.Collection[str] = (), tolerant: bool = False) -> None:
        self.engine, self.name, self.timeout, self.but = engine, name, timeout, set(but)
        self.stuck: list[str] = []
        self.missed: list[str] = []
        self.tolerant = tolerant

    def node(self) -> Node:
        """The node as it is now."""
        return find(self.nodes(), self.name)

    def nodes(self) -> list[Node]:
        """All nodes."""
        return [Node.from_api(node) for node in self.engine.get("/nodes") or ()]

    def drain(self, check_mode: bool) -> dict[str, t.Any] | None:
        """Move the node's tasks elsewhere and wait until they run there; what was changed, None where nothing was."""
        nodes = self.nodes()
        node = find(nodes, self.name)
        refuse_lost_majority(nodes, node)
        spec = drained_spec(node)
        if spec and self.tolerant:  # of a drain that was begun before, what is missing may be its own doing
            self.missed = self._missing()
            self.but.update(self.missed)
        if spec and not check_mode:
            cluster.change_spec(self.engine, node.id, spec)
        if not check_mode:
            self._wait("still runs tasks", lambda: self._busy(node.id))
            self._whole()
        return spec

    def activate(self, check_mode: bool) -> dict[str, t.Any] | None:
        """Wait until the node is ready, let it take tasks again, and wait until the services are whole."""
        if check_mode:
            return active_spec(self.node())
        self._wait("is not ready", lambda: not_ready(self.node()))
        node = self.node()
        spec = active_spec(node)
        if spec:
            cluster.change_spec(self.engine, node.id, spec)
        self._whole()
        return spec

    def _busy(self, node_id: str) -> list[str]:
        tasks = self.engine.get("/tasks", filters={"node": [node_id], "desired-state": ["running", "shutdown"]}) or ()
        return [task["ID"] for task in tasks if task["Status"]["State"] in BUSY]

    def _missing(self) -> list[str]:
        """Services that miss tasks now, and are to be waited for."""
        tasks = self.engine.get("/tasks", filters={"desired-state": ["running"]}) or ()
        late, self.stuck = missing(self.engine.get("/services", status=True) or (), tasks, self.but)
        return late

    def _whole(self) -> None:
        """Wait until no service misses tasks that it can get, several looks in a row."""
        calm = 0

        def look() -> list[str]:
            nonlocal calm
            late = self._missing()
            calm = 0 if late else calm + 1
            return late or ([] if calm >= CALM_LOOKS else ["a moment more"])

        self._wait("was changed, and these services miss tasks since", look)

    def _wait(self, otherwise: str, look: t.Callable[[], list[str]]) -> None:
        """Look until nothing is left. An engine that starts, or managers that choose a leader, are waited for as well."""
        deadline = time.monotonic() + self.timeout
        while True:
            try:
                left = look()
            except EngineError as error:
                left = [str(error)]
            if not left:
                return
            if time.monotonic() >= deadline:
                raise SwarmRefused(
                    f"Node {self.name} {otherwise} after {self.timeout:g} s: {', '.join(left)}. Look at 'docker node ps {self.name}' and "
                    "'docker service ps SERVICE' on a manager."
                )
            time.sleep(INTERVAL)
