# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""azlab in a process of its own, steered over stdin and stdout, one JSON object a line.

A process of its own, so that the CPU time of the lab is not that of what is measured; steered from inside, so that a
state can be kept and put back between two points of a suite, and so that every latency that was drawn is known.
"""

from __future__ import annotations

import asyncio
import copy
import json
import random
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Dict, List, Optional

import azlab.arm.wire  # noqa: F401  # pylint: disable=unused-import  # loads the handlers before the first request is timed
from azlab.latency import Latency
from azlab.server import Server
from azlab.machines.driver import CommandResult
from azlab.settings import Settings


class DrawnLatency(Latency):
    """Azure's medians, each drawn anew for every operation between 1 - spread and 1 + spread of it, from a seed."""

    def __init__(self, scale: float, seed: int, spread: float, overrides: Dict[str, float]):
        super().__init__(scale)
        self.random, self.spread = random.Random(seed), spread
        for name, seconds in overrides.items():
            type_, dummy, method = name.rpartition(" ")
            self.overrides[type_.lower(), method.upper()] = seconds

    def seconds(self, what: str, method: str) -> float:
        key = (what.lower(), method)
        median = self.overrides[key] * self.scale if key in self.overrides else super().seconds(what, method)
        return median * self.random.uniform(1 - self.spread, 1 + self.spread)


class Steered:
    """A running lab and what can be asked of it."""

    def __init__(self, server: Server):
        self.server = server
        self.kept: Dict[str, Any] = {}

    @property
    def lab(self) -> Any:
        return self.server.lab

    async def environment(self) -> Dict[str, str]:
        """What a client needs."""
        return self.server.settings.environment()

    async def proxy_environment(self) -> Dict[str, str]:
        """What a client needs that insists on the names of Azure."""
        return self.server.settings.proxy_environment()

    async def latencies(
        self, scale: float = 1.0, seed: int = 1, spread: float = 0.0, overrides: Optional[Dict[str, float]] = None
    ) -> None:
        """Draw latencies from here on; ``overrides`` by C(type METHOD) in seconds, before the scale."""
        self.lab.latency = DrawnLatency(scale, seed, spread, overrides or {})

    async def scripts(self, works: bool = True) -> None:
        """Extensions seem to run in machines, in no time, and the old Docker extension is published and works: for figures of clients."""
        async def run(machine_id: str, script: str, timeout: float) -> CommandResult:
            return CommandResult(0, "", "")

        self.lab.docker_extension = "working" if works else "broken"
        self.lab.driver.run_command = run

    async def throttle(self, on: bool = True) -> None:
        """Refuse what is more than Azure's token buckets allow; they are full when this begins."""
        self.lab.throttle.set(on=on)

    async def faults(self, rules: List[Dict[str, Any]]) -> None:
        """These fault rules and no others."""
        self.lab.faults.remove()
        for rule in rules:
            self.lab.faults.add(rule)

    async def struck(self) -> int:
        """How often the rules in force acted."""
        return sum(rule.struck for rule in self.lab.faults.rules)

    async def keep(self, name: str) -> None:
        """Keep the state of all resources under a name."""
        await self.idle(30)
        self.kept[name] = copy.deepcopy(list(self.lab.store.resources.values()))

    async def restore(self, name: str) -> None:
        """Put a kept state back: no operation under way, no fault, an empty log."""
        await self.faults([])
        await self.lab.operations.close()
        for table in (self.lab.operations.busy, self.lab.operations.all, self.lab.operations._tasks):
            table.clear()
        for resource in list(self.lab.store.resources.values()):
            self.lab.store.delete(resource.id)
        for resource in copy.deepcopy(self.kept[name]):
            self.lab.store.put(resource)
        self.server.requests.clear()

    async def idle(self, limit: float = 60.0) -> bool:
        """Wait until Azure works on nothing; False when time is up."""
        deadline = time.monotonic() + limit
        while self.lab.operations.busy:
            if time.monotonic() > deadline:
                return False
            await asyncio.sleep(0.01)
        return True

    async def resources(self, group: str) -> List[Dict[str, Any]]:
        """All resources of a group: id, type, state, etag and body as the lab keeps them."""
        found = self.lab.store.in_group(self.server.settings.subscription_id, group)
        return [
            {
                "id": one.id, "type": one.type, "name": one.name, "state": one.state, "etag": one.etag, "revision": one.revision,
                "vm_id": one.private.get("vmId"), "body": one.body,
            }
            for one in found
        ]  # fmt: skip

    async def requests(self, clear: bool = False) -> List[Dict[str, Any]]:
        """The log of requests."""
        found = list(self.server.requests.entries)
        if clear:
            self.server.requests.clear()
        return found

    async def operations(self) -> List[Dict[str, Any]]:
        """Every operation since the last restore, with the seconds that were drawn for it."""
        return [
            {"effect": one.effect, "id": one.resource_id, "delay": one.delay, "status": one.status}
            for one in self.lab.operations.all.values()
        ]  # fmt: skip

    async def tokens(self, seconds: int, honest: bool = True) -> None:
        """Tokens end after this time; where that is not honest, clients are told an hour."""
        import azlab.tokens

        type(self.lab.tokens).issue.__kwdefaults__["lifetime"] = seconds
        azlab.tokens.LIFETIME = seconds if honest else 3599


async def main() -> None:
    """Serve until stdin ends."""
    with tempfile.TemporaryDirectory(prefix="azlab-") as directory:
        settings = Settings(name="suite", base=Path(directory), port=0, admin_port=0, core_quota=int(sys.argv[1]))
        server = Server(settings)
        await server.start()
        steered = Steered(server)
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader(limit=1 << 26)
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        while True:
            line = await reader.readline()
            if not line:
                break
            asked = json.loads(line)
            answer = await getattr(steered, asked.pop("do"))(**asked)
            sys.stdout.write(json.dumps(answer) + "\n")
            sys.stdout.flush()
        await server.close()


if __name__ == "__main__":
    asyncio.run(main())
