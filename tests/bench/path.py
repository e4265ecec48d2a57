# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The critical path of a task: the slowest chain of the latencies that were drawn in it. Pure."""

from __future__ import annotations

from collections import defaultdict
from typing import Any, Dict, List, Mapping, Sequence

HOST_PARTS = ("-nic", "-ip", "-osdisk")


def critical(operations: Sequence[Mapping[str, Any]]) -> float:
    """Seconds below which a task with these operations cannot end, however many run side by side.

    A network waits for its security groups; interfaces for networks; each machine for its own interface, and that for
    its own address; the machines of a scale set for the set. Updates and deletes of different resources wait for nothing.

    :param operations: ``effect``, ``id`` and ``delay`` (seconds) of each operation of the task.
    """
    slowest: Dict[str, float] = defaultdict(float)
    hosts: Dict[str, Dict[str, float]] = defaultdict(dict)
    alone: List[float] = [0.0]
    creating = any(one["effect"] == "create vm" for one in operations)
    for one in operations:
        kind, name = one["id"].lower().split("/")[-2:]
        if name.endswith("_lock"):
            continue  # whose turn it is: Azure works on that beside the rest
        if kind in ("networksecuritygroups", "virtualnetworks", "natgateways", "loadbalancers") or one["effect"] == "put scale set":
            slowest[kind] = max(slowest[kind], one["delay"])
        elif creating and one["effect"].startswith(("put ", "create vm")):
            host = next((name[: -len(ending)] for ending in HOST_PARTS if name.endswith(ending)), name)
            hosts[host][kind] = one["delay"]
        else:
            alone.append(one["delay"])
    shared = slowest["networksecuritygroups"] + slowest["virtualnetworks"] + slowest["virtualmachinescalesets"]
    chains = [sum(parts.get(kind, 0.0) for kind in ("publicipaddresses", "networkinterfaces", "virtualmachines")) for parts in hosts.values()]
    return max([shared + chain for chain in chains] + [shared, *alone, slowest["loadbalancers"], slowest["natgateways"]])


def throttled(drawn: Sequence[Mapping[str, Any]], methods: Mapping[str, int], wall: float, refused: int = 0) -> Dict[str, Any]:
    """How near a run came to what Azure's bucket of writes allows: 200 at once, then 10 a second.

    ``bucket_floor_s`` cannot be beaten: the last write has to wait for its token, and what it makes takes at least the
    shortest latency that was drawn for a machine.

    :param refused: writes that the bucket refused, and that cost no token
    """
    writes = sum(number for method, number in methods.items() if method in ("PUT", "PATCH", "POST")) - refused
    shortest = min((one["delay"] for one in drawn if one["effect"] == "create vm"), default=0.0)
    floor = max(0, writes - 200) / 10 + shortest
    return {"bucket_floor_s": round(floor, 2), "bucket_ratio": round(wall / floor, 3) if floor else None}
