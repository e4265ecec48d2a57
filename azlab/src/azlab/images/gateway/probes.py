# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Health probes: one task for each (backend, probe); whoever uses the same probe shares it.

A backend is down until its first probe succeeds; after that `threshold` results in a row turn it.
"""
from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from typing import Any

from ruleset import PROBE_SOURCE

Key = tuple[str, str, int, str, int, int]


def keys_of(state: dict[str, Any]) -> set[Key]:
    """The probes that a state needs."""
    return {key(address, rule["probe"]) for rule in state["balancer_rules"] if rule["probe"] for address in rule["backends"]}


def key(address: str, probe: dict[str, Any]) -> Key:
    return (address, probe["protocol"], probe["port"], probe["path"], probe["interval"], probe["threshold"])


class Probes:
    """Runs the probes of a state and calls `changed(address, up)` when a result turns."""

    def __init__(self, changed: Callable[[Key, bool], Awaitable[None]]) -> None:
        self._changed = changed
        self._tasks: dict[Key, asyncio.Task[None]] = {}
        self.up: dict[Key, bool] = {}

    def want(self, keys: set[Key]) -> None:
        for gone in set(self._tasks) - keys:
            self._tasks.pop(gone).cancel()
            self.up.pop(gone, None)
        for new in keys - set(self._tasks):
            self._tasks[new] = asyncio.create_task(self._run(new))

    async def _run(self, probe: Key) -> None:
        interval, threshold = probe[4], max(1, probe[5])
        streak, seen_up = 0, False
        while True:
            began = asyncio.get_running_loop().time()
            good = await _attempt(probe)
            up = self.up.get(probe, False)
            streak = streak + 1 if good != up else 0
            if streak and (streak >= threshold or (good and not seen_up)):
                seen_up, streak = seen_up or good, 0
                self.up[probe] = good
                await self._changed(probe, good)
            await asyncio.sleep(max(0.2, interval - (asyncio.get_running_loop().time() - began)))


async def _attempt(probe: Key) -> bool:
    try:
        return await asyncio.wait_for(_once(probe), timeout=min(probe[4], 5))
    except (TimeoutError, OSError, ValueError, asyncio.IncompleteReadError):
        return False


async def _once(probe: Key) -> bool:
    address, protocol, port, path = probe[:4]
    context = None
    if protocol == "https":
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE      # as Azure's HTTPS probe
    reader, writer = await asyncio.open_connection(address, port, ssl=context, local_addr=(PROBE_SOURCE, 0))
    try:
        if protocol == "tcp":
            return True
        writer.write(f"GET {path or '/'} HTTP/1.1\r\nHost: {address}:{port}\r\nUser-Agent: Load Balancer Agent\r\nConnection: close\r\n\r\n".encode())
        status = await reader.readline()
        return status.split(b" ")[1:2] == [b"200"]
    finally:
        writer.close()
