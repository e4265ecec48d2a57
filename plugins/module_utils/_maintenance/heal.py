# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is to be done with hosts whose node is down: pure, no I/O, no clock.

This util is private to the collection: no release promises that it stays as it is.
"""

from __future__ import annotations

import re
import typing as t
from datetime import datetime, timezone

# The mark of a node that playbook upgrade has taken out of service.
UPGRADING = "dockhost.maintenance"
# The mark of the node that keeps an application's volumes.
DATA = "dockhost.data"


class Host(t.NamedTuple):
    """A host of the inventory: whether it answered the probe, and what Azure says of its machine."""

    name: str
    address: str = ""
    answers: bool = False
    power_state: str = "unknown"


class Limits(t.NamedTuple):
    """From how many seconds on a node counts as lost, how many workers go at once, whether hosts that keep data may go."""

    after: float
    workers: int
    data: bool


class Decision(t.NamedTuple):
    """``action``: none, wait, leave, repair (its engine), start (its machine) or replace; ``reason`` for people."""

    name: str
    action: str
    reason: str
    role: str = ""


def decide(hosts: t.Sequence[Host], nodes: t.Sequence[dict[str, t.Any]], limits: Limits, now: float) -> list[Decision]:
    """One decision for each host. ``nodes`` as GET /nodes lists them, ``now`` in seconds since 1970."""
    upgrading = sorted(_name(node) for node in nodes if UPGRADING in _labels(node))
    decisions = [_look(host, _node_of(host, nodes), limits, now) for host in hosts]
    decisions = [_replaceable(one, nodes, upgrading) if one.action == "replace" else one for one in decisions]
    room = {"manager": 1, "worker": limits.workers}
    kept = []
    for one in decisions:
        if one.action == "replace":
            if not room[one.role]:
                one = one._replace(action="wait", reason=f"{one.reason}; another {one.role} is replaced first, run again afterwards")
            else:
                room[one.role] -= 1
        kept.append(one)
    return kept


def _look(host: Host, node: dict[str, t.Any] | None, limits: Limits, now: float) -> Decision:
    """What is to be done with one host, as if it were the only one."""
    if node is None:
        return Decision(host.name, "none", "it is in no swarm that these managers know; dockhost.azure.swarm lets it join")
    role = node["Spec"]["Role"]
    if node["Status"]["State"] == "ready":
        return Decision(host.name, "none", "ready", role)
    if node["Status"]["State"] == "unknown":
        return Decision(host.name, "wait", "the managers do not know yet how it is", role)
    age = now - seconds_of(node["UpdatedAt"])
    since = f"down for {int(age)} s"
    if age < limits.after:
        return Decision(host.name, "wait", f"{since}, and heal_after is {limits.after:g} s", role)
    if host.answers:
        return Decision(host.name, "repair", f"{since}, but it answers by SSH: its engine is looked after, the host stays", role)
    if host.power_state != "running":
        return Decision(host.name, "start", f"{since}, and its machine is {host.power_state}", role)
    if _labels(node).get(DATA) == "true" and not limits.data:
        remedy = "set heal_data_hosts to replace it and restore its volumes afterwards"
        return Decision(host.name, "leave", f"{since}, but it keeps volumes (label {DATA}), which would be lost: look at it, or {remedy}", role)
    return Decision(host.name, "replace", f"{since} and does not answer by SSH", role)


def _replaceable(one: Decision, nodes: t.Sequence[dict[str, t.Any]], upgrading: t.Sequence[str]) -> Decision:
    """Whether it may be replaced now, as the swarm is."""
    if upgrading:
        return one._replace(action="wait", reason=f"{one.reason}; an upgrade runs or was interrupted (on {', '.join(upgrading)}), finish it first")
    managers = [node for node in nodes if node.get("ManagerStatus")]
    reachable = [node for node in managers if node["ManagerStatus"].get("Reachability") == "reachable"]
    needed = len(managers) // 2 + 1
    if one.role == "manager" and len(reachable) < needed:
        return one._replace(action="leave", reason=f"{one.reason}; {len(reachable)} of {len(managers)} managers are reachable and a majority needs {needed}")
    return one


def _node_of(host: Host, nodes: t.Sequence[dict[str, t.Any]]) -> dict[str, t.Any] | None:
    """The node of a host: by name, else by address; of several the one that is ready, else the newest."""
    found = [node for node in nodes if _name(node) == host.name]
    found = found or [node for node in nodes if host.address and node["Status"].get("Addr") == host.address]
    return max(found, key=lambda node: (node["Status"]["State"] == "ready", node.get("CreatedAt", "")), default=None)


def seconds_of(text: str) -> float:
    """The engine's times (RFC 3339 with up to nine decimals) in seconds since 1970."""
    whole, fraction = re.match(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?Z$", text).groups()  # type: ignore[union-attr]
    return datetime.strptime(whole, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=timezone.utc).timestamp() + float(fraction or 0)


def _name(node: dict[str, t.Any]) -> str:
    return node["Description"]["Hostname"]


def _labels(node: dict[str, t.Any]) -> dict[str, str]:
    return node["Spec"].get("Labels") or {}
