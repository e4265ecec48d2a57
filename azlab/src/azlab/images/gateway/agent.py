# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""First process of a gateway: takes the wanted state from azlab (JSON lines over TCP) and keeps the kernel at it.

Health probes run here, so that load balancers fail over whether azlab is alive or not.
"""
from __future__ import annotations

import asyncio
import hmac
import json
import os
import signal
import sys
from typing import Any

import fabric
from egress import Egress
from probes import Key, Probes, key, keys_of
from ruleset import Healthy, render

PORT = int(os.environ.get("AZLAB_PORT", "8440"))
TOKEN = os.environ.get("AZLAB_TOKEN", "")
LIMIT = 64 * 1024 * 1024


class Agent:
    """The state of one virtual network."""

    def __init__(self) -> None:
        self.state: dict[str, Any] | None = None
        self.public: set[str] = set()
        self.internal: set[str] = set()
        self.probes = Probes(self.turned)
        self.egress = Egress()
        self.lock = asyncio.Lock()

    async def call(self, request: dict[str, Any]) -> dict[str, Any]:
        operation = getattr(self, "do_" + str(request.pop("op", "")), None)
        if operation is None:
            return {"error": "unknown operation"}
        async with self.lock:
            return await operation(**request)

    async def do_ping(self) -> dict[str, Any]:
        return {"applied": self.state is not None}

    async def do_attach(self, pid: int, address: str, prefix_length: int, mac: str) -> dict[str, Any]:
        await fabric.attach(pid, address, prefix_length, mac)
        return {}

    async def do_detach(self, address: str) -> dict[str, Any]:
        await fabric.detach(address)
        return {}

    async def do_ports(self) -> dict[str, Any]:
        links = json.loads(await fabric.run("ip", "-json", "link", "show", "type", "veth") or "[]")
        return {"ports": [link["ifname"] for link in links]}

    async def do_apply(self, state: dict[str, Any]) -> dict[str, Any]:
        internal = {r["frontend_ip"] for r in [*state["balancer_rules"], *state["nat_rules"]]} - set(state["public_ips"])
        await fabric.route_prefixes(state["prefixes"])
        await self.egress.want(state["egress"], state["resolvers"])
        self.probes.want(keys_of(state))
        await fabric.load(render(state, self.healthy(state)))
        await fabric.hold("lo", internal, self.internal)
        await fabric.hold("eth0", set(state["public_ips"]), self.public)
        self.state, self.public, self.internal = state, set(state["public_ips"]), internal
        return {}

    async def do_health(self, rule_id: str) -> dict[str, Any]:
        return {"healthy": self.healthy(self.state).get(rule_id, []) if self.state else []}

    def healthy(self, state: dict[str, Any]) -> Healthy:
        return {
            rule["id"]: [a for a in rule["backends"] if not rule["probe"] or self.probes.up.get(key(a, rule["probe"]), False)]
            for rule in state["balancer_rules"]
        }

    async def turned(self, probe: Key, up: bool) -> None:
        print(f"probe {probe[1]} {probe[0]}:{probe[2]}{probe[3]} is {'up' if up else 'down'}", flush=True)
        async with self.lock:
            if self.state is not None:
                await fabric.load(render(self.state, self.healthy(self.state)))
                if not up:
                    await fabric.forget_udp(probe[0])

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                writer.write(json.dumps(await self.answer(line)).encode() + b"\n")
                await writer.drain()
        except (ConnectionError, ValueError):
            pass                    # azlab went away, or what came was no request
        finally:
            writer.close()

    async def answer(self, line: bytes) -> dict[str, Any]:
        request = json.loads(line)
        if not hmac.compare_digest(str(request.pop("token", "")), TOKEN):
            return {"error": "wrong token"}
        try:
            return await self.call(request)
        except (fabric.FabricError, OSError, TypeError, KeyError) as error:
            print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
            return {"error": f"{type(error).__name__}: {error}"}


async def main() -> None:
    if not TOKEN:
        sys.exit("AZLAB_TOKEN is not set")
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await fabric.prepare([])
    agent = Agent()
    server = await asyncio.start_server(agent.serve, os.environ["AZLAB_LISTEN"], PORT, limit=LIMIT)
    async with server:
        await stop.wait()
    await agent.egress.stop()


if __name__ == "__main__":
    asyncio.run(main())
