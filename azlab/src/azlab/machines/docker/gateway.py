# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One gateway container for each virtual network: its switch, router, load balancer and firewall (images/gateway)."""
from __future__ import annotations

import asyncio
import json
import secrets
from typing import Any

import docker.errors
from docker.models.containers import Container

from azlab import images
from azlab.machines.docker import names
from azlab.machines.docker.engine import Engine
from azlab.machines.driver import LabConfig, MachineError

PORT = 8440
LIMIT = 64 * 1024 * 1024


class Gateway:
    """Talks to the agent in one gateway container."""

    def __init__(self, container_name: str, address: str, token: str) -> None:
        self.container_name = container_name
        self.address = address
        self._token = token
        self.applied: dict[str, Any] | None = None          # what the agent was last told
        self.lock = asyncio.Lock()

    async def call(self, op: str, timeout: float = 60, **arguments: Any) -> dict[str, Any]:
        """One request to the agent; MachineError when it fails there."""
        try:
            answer = await asyncio.wait_for(self._exchange({"token": self._token, "op": op, **arguments}), timeout)
        except (TimeoutError, OSError, ValueError) as error:
            raise MachineError("InternalExecutionError", (
                f"the gateway {self.container_name} ({self.address}) does not answer: {error or type(error).__name__}"
            )) from error
        if "error" in answer:
            raise MachineError("InternalExecutionError", f"the gateway {self.container_name} failed at {op}: {answer['error']}")
        return answer

    async def _exchange(self, request: dict[str, Any]) -> dict[str, Any]:
        reader, writer = await asyncio.open_connection(self.address, PORT, limit=LIMIT)
        try:
            writer.write(json.dumps(request).encode() + b"\n")
            await writer.drain()
            line = await reader.readline()
            if not line:
                raise ValueError("it closed the connection")
            return json.loads(line)
        finally:
            writer.close()

    async def wait_ready(self, seconds: float = 30) -> None:
        deadline = asyncio.get_running_loop().time() + seconds
        while True:
            try:
                if not (await self.call("ping", timeout=2))["applied"]:
                    self.applied = None
                return
            except MachineError:
                if asyncio.get_running_loop().time() > deadline:
                    raise
                await asyncio.sleep(0.05)


class Gateways:
    """Makes, finds and removes the gateways of a lab."""

    def __init__(self, config: LabConfig, engine: Engine) -> None:
        self.config = config
        self.engine = engine
        self._known: dict[str, Gateway] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    async def ensure(self, network_id: str) -> Gateway:
        """The running gateway of a virtual network, made when it is missing."""
        async with self._locks.setdefault(network_id, asyncio.Lock()):
            if network_id not in self._known:
                container = await self.engine.call(self._start, network_id)
                gateway = _describe(container, names.internet(self.config.name))
                await gateway.wait_ready()
                self._known[network_id] = gateway
            return self._known[network_id]

    def known(self) -> dict[str, Gateway]:
        return dict(self._known)

    async def remove(self, network_id: str) -> None:
        async with self._locks.setdefault(network_id, asyncio.Lock()):
            self._known.pop(network_id, None)
            await self.engine.call(self._remove, network_id)

    async def adopt(self) -> None:
        """Take up the gateways that a previous process left running."""
        found = await self.engine.call(
            self.engine.client.containers.list, all=True,
            filters={"label": [f"{names.LABEL_LAB}={self.config.name}", f"{names.LABEL_KIND}=gateway"]})
        await asyncio.gather(*(self.ensure(container.labels[names.LABEL_ID]) for container in found))

    def _start(self, network_id: str) -> Container:
        lab, containers = self.config.name, self.engine.client.containers
        name = names.gateway(lab, network_id)
        try:
            container = containers.get(name)
        except docker.errors.NotFound:
            container = self._create(name, network_id)
        container.start()
        container.reload()
        return container

    def _create(self, name: str, network_id: str) -> Container:
        options = self.engine.privileges()
        return self.engine.client.containers.create(
            images.tag_of("gateway"), name=name, hostname="gateway", network=names.internet(self.config.name),
            # It moves link ends into the network namespaces of machines, which it finds by process id.
            pid_mode="host", sysctls={"net.ipv4.ip_forward": "1", "net.ipv4.conf.all.rp_filter": "0"},
            environment={"AZLAB_TOKEN": secrets.token_urlsafe(24), "AZLAB_LISTEN": "0.0.0.0", "AZLAB_PORT": str(PORT)},
            labels=names.labels(self.config, "gateway", network_id),
            log_config={"type": "json-file", "config": {"max-size": "5m", "max-file": "1"}}, **options)

    def _remove(self, network_id: str) -> None:
        try:
            self.engine.client.containers.get(names.gateway(self.config.name, network_id)).remove(force=True, v=True)
        except docker.errors.NotFound:
            pass


def _describe(container: Container, network: str) -> Gateway:
    environment = dict(entry.split("=", 1) for entry in container.attrs["Config"]["Env"])
    address = container.attrs["NetworkSettings"]["Networks"][network]["IPAddress"]
    return Gateway(container.name or "", address, environment["AZLAB_TOKEN"])
