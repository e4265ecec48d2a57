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

    ``bucket_floor_s`` could be reached by who knew beforehand how long each machine will take, and sent the longest first: the last
    write has to wait for its token, and what it makes takes at least the shortest latency that was drawn for a machine.
    ``bucket_path_s`` is the critical path: the slowest chain of a token's time and the latency that was drawn when Azure got the
    request. Nobody can be faster with these draws, since Azure tells how long a machine took only when it is there.

    :param drawn: the operations in the order in which Azure got their requests
    :param refused: writes that the bucket refused, and that cost no token
    """
    writes = sum(number for method, number in methods.items() if method in ("PUT", "PATCH", "POST")) - refused
    machines = [(number, one["delay"]) for number, one in enumerate(drawn, 1) if one["effect"] == "create vm"]
    floor = _token(writes) + min((delay for dummy, delay in machines), default=0.0)
    slowest = max([critical(drawn), _token(writes)] + [_token(number) + delay for number, delay in machines])
    return {
        "bucket_floor_s": round(floor, 2), "bucket_ratio": round(wall / floor, 3) if floor else None,
        "bucket_path_s": round(slowest, 2), "bucket_path_ratio": round(wall / slowest, 3) if slowest else None,
    }  # fmt: skip


def _token(number: int) -> float:
    """Seconds after the first write at which the n-th has its token."""
    return max(0, number - 200) / 10
