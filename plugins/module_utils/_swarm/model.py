# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a swarm is: its nodes, the hosts that should be in it, and what each host says of itself. Pure.

This util is private to the collection: no release promises that it stays as it is.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

MANAGER = "manager"
WORKER = "worker"
NODE_PORT = 2377
GOSSIP_PORT = 7946
# A label of the swarm itself: when its majority was given up for lost (playbook swarm_recover). Managers of before do not have it.
RECOVERED = "dockhost.recovered"
# Set on a node that is drained in order to leave, so that a run which wants it again knows that nobody else drained it.
LEAVING = "dockhost.leaving"


class SwarmRefused(Exception):
    """A step that would do harm, or a state that this collection does not guess its way out of; one sentence."""


@dataclass(frozen=True)
class Local:
    """A host's own view, from ``Swarm`` of GET /info.

    ``state``: inactive, pending, active, error or locked. ``manager``: it takes part in raft; ``leads``: it can also
    answer for the swarm, which needs a majority of the managers. ``cluster_id`` is known to managers only.
    ``managers``: addresses of managers that the host knows. ``routing_mesh``: its kernel has IPVS. ``recovered``: when the
    swarm that it leads was recovered from the loss of its majority, as a text that sorts by time; "" if it never was.
    """

    state: str = "inactive"
    node_id: str = ""
    cluster_id: str = ""
    manager: bool = False
    leads: bool = False
    address: str = ""
    hostname: str = ""
    managers: tuple[str, ...] = ()
    error: str = ""
    engine: str = ""
    routing_mesh: bool = False
    recovered: str = ""

    @classmethod
    def from_dict(cls, values: t.Mapping[str, t.Any] | None) -> Local:
        """From what ``to_dict`` gave on the host itself; what it does not know is left out."""
        known = {name: value for name, value in (values or {}).items() if name in cls.__dataclass_fields__}
        return cls(**{**known, "managers": tuple(known.get("managers") or ())})

    def to_dict(self) -> dict[str, t.Any]:
        """For a module's result."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__} | {"managers": list(self.managers)}


@dataclass(frozen=True)
class Member:
    """A host that should be in the swarm. ``availability`` "" leaves it as it is; ``labels`` are those to have."""

    name: str
    role: str = WORKER
    address: str = ""
    local: Local = field(default_factory=Local)
    labels: t.Mapping[str, str] = field(default_factory=dict)
    availability: str = ""


@dataclass(frozen=True)
class Node:
    """A node as the swarm's managers list it."""

    id: str
    hostname: str
    role: str = WORKER
    availability: str = "active"
    labels: t.Mapping[str, str] = field(default_factory=dict)
    state: str = "ready"
    address: str = ""
    reachable: bool | None = None  # None for workers
    leader: bool = False

    @classmethod
    def from_api(cls, node: t.Mapping[str, t.Any]) -> Node:
        """From an entry of GET /nodes."""
        spec, status = node.get("Spec") or {}, node.get("Status") or {}
        manager = node.get("ManagerStatus")
        address = status.get("Addr", "")
        if manager and manager.get("Addr"):
            address = manager["Addr"].rsplit(":", 1)[0].strip("[]")
        return cls(
            id=node["ID"],
            hostname=(node.get("Description") or {}).get("Hostname", ""),
            role=spec.get("Role", WORKER),
            availability=spec.get("Availability", "active"),
            labels=spec.get("Labels") or {},
            state=status.get("State", "unknown"),
            address=address,
            reachable=manager.get("Reachability") == "reachable" if manager else None,
            leader=bool(manager and manager.get("Leader")),
        )

    @property
    def in_raft(self) -> bool:
        """True where the node counts for the majority: also while a demotion is under way, or a promotion.

        After a forced new cluster the old managers still have the role, but are no members of raft and never will be.
        """
        return self.reachable is not None or (self.role == MANAGER and self.state == "ready")


@dataclass(frozen=True)
class Cluster:
    """A swarm as one of its managers sees it. ``spec`` is the swarm's own, ``recovered`` as in Local, ``listed`` what the engine said of each node."""

    id: str
    nodes: tuple[Node, ...] = ()
    spec: t.Mapping[str, t.Any] = field(default_factory=dict)
    recovered: str = ""
    listed: t.Mapping[str, t.Any] = field(default_factory=dict, repr=False, compare=False)

    def node(self, node_id: str) -> Node | None:
        """The node of this id."""
        return next((node for node in self.nodes if node_id and node.id == node_id), None)


@dataclass(frozen=True)
class Step:
    """One thing to do. ``action``: init, leave, join, update, drain, remove, configure, network; ``changes``: attribute → (before, after)."""

    action: str
    name: str
    node_id: str = ""
    changes: t.Mapping[str, tuple[t.Any, t.Any]] = field(default_factory=dict)
    reason: str = ""

    def summary(self) -> dict[str, t.Any]:
        """For a module's result."""
        return {
            "action": self.action,
            "type": {"configure": "swarm", "network": "network"}.get(self.action, "swarm node"),
            "name": self.name,
            "changes": {name: {"before": before, "after": after} for name, (before, after) in self.changes.items()},
            "reason": self.reason,
        }
