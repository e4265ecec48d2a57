# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the lab itself costs: its start, 1,000 machines made by one client, a page of them, and its memory.

The lab is started by its own command, without machines and without latencies, its state in SQLite on disk as always. The
client is one process with 16 connections kept open, as Azure's asynchronous SDKs have. A machine counts from its
interface's PUT to the answer on the machine's own PUT; operations have ended before the memory is read.
"""

from __future__ import annotations

import asyncio
import json
import os
import pathlib
import ssl
import subprocess
import sys
import tempfile
import time
from typing import Any, Dict, List, Tuple

import aiohttp

CONNECTIONS = 16
GROUP = "rg-figures"
VERSION = "2024-07-01"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFSSdwXM3ItvMNHN3qPpwS4nNT8sZNtNnHn9yLzHYzXt demo"


class Lab:
    """A lab of its own, started and stopped by the command that people use."""

    def __init__(self, home: str) -> None:
        self.env = dict(os.environ, AZLAB_HOME=home)
        self.started = self._timed("up", "--core-quota", "100000")
        self.settings: Dict[str, str] = json.loads(self._run("env", "--json"))
        self.pid = int(json.loads(self._run("status", "--json"))["pid"])

    def _run(self, *words: str) -> str:
        command = [sys.executable, "-m", "azlab.cli", words[0], "--name", "figures", *words[1:]]
        return subprocess.run(command, env=self.env, check=True, capture_output=True, text=True).stdout

    def _timed(self, *words: str) -> float:
        began = time.perf_counter()
        self._run(*words)
        return time.perf_counter() - began

    def memory(self) -> float:
        """Resident memory in MiB."""
        status = pathlib.Path(f"/proc/{self.pid}/status").read_text(encoding="ascii")
        return int(status.split("VmRSS:")[1].split()[0]) / 1024

    def cpu(self) -> float:
        """CPU seconds that the lab has used."""
        fields = pathlib.Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def close(self) -> None:
        """Stop it and remove its state."""
        self._run("down")


class Client:
    """One client with a few connections."""

    def __init__(self, session: aiohttp.ClientSession, settings: Dict[str, str]) -> None:
        self.session, self.settings = session, settings
        self.base = settings["AZURE_CLOUD_ENVIRONMENT"].rstrip("/")
        self.group = f"{self.base}/subscriptions/{settings['AZURE_SUBSCRIPTION_ID']}/resourceGroups/{GROUP}"
        self.headers: Dict[str, str] = {}

    async def sign_in(self) -> None:
        """As a service principal."""
        form = {"grant_type": "client_credentials", "client_id": self.settings["AZURE_CLIENT_ID"],
                "client_secret": self.settings["AZURE_SECRET"], "scope": f"{self.base}/.default"}  # fmt: skip
        async with self.session.post(f"{self.base}/{self.settings['AZURE_TENANT']}/oauth2/v2.0/token", data=form) as answer:
            self.headers = {"Authorization": "Bearer " + (await answer.json())["access_token"]}

    async def call(self, method: str, path: str, body: Any = None) -> Any:
        """One request to the group; SystemExit with the lab's text when it refuses."""
        url = path if path.startswith("http") else f"{self.group}{path}?api-version={VERSION}"
        async with self.session.request(method, url, json=body, headers=self.headers) as answer:
            if answer.status >= 400:
                raise SystemExit(f"{method} {url}: {answer.status} {await answer.text()}")
            return await answer.json()

    async def network(self) -> None:
        """The group, and a network that is large enough."""
        await self.call("PUT", "", {"location": "westeurope"})
        await self.call("PUT", "/providers/Microsoft.Network/virtualNetworks/net", {"location": "westeurope", "properties": {
            "addressSpace": {"addressPrefixes": ["10.0.0.0/16"]},
            "subnets": [{"name": "hosts", "properties": {"addressPrefix": "10.0.0.0/16"}}]}})  # fmt: skip

    async def machine(self, index: int) -> None:
        """One interface and one machine on it."""
        name = f"vm-{index:05d}"
        root = self.group.removeprefix(self.base) + "/providers/Microsoft.Network"
        await self.call("PUT", f"/providers/Microsoft.Network/networkInterfaces/{name}", {"location": "westeurope", "properties": {
            "ipConfigurations": [{"name": "ip", "properties": {"subnet": {"id": f"{root}/virtualNetworks/net/subnets/hosts"}}}]}})  # fmt: skip
        await self.call("PUT", f"/providers/Microsoft.Compute/virtualMachines/{name}", {"location": "westeurope", "properties": {
            "hardwareProfile": {"vmSize": "Standard_D2s_v5"},
            "storageProfile": {"imageReference": {"publisher": "Debian", "offer": "debian-12", "sku": "12-gen2", "version": "latest"},
                               "osDisk": {"createOption": "FromImage", "deleteOption": "Delete"}},
            "osProfile": {"computerName": name, "adminUsername": "azureuser", "linuxConfiguration": {
                "disablePasswordAuthentication": True,
                "ssh": {"publicKeys": [{"path": "/home/azureuser/.ssh/authorized_keys", "keyData": KEY}]}}},
            "networkProfile": {"networkInterfaces": [{"id": f"{root}/networkInterfaces/{name}", "properties": {"deleteOption": "Delete"}}]},
        }})  # fmt: skip

    async def machines(self, first: int, count: int) -> float:
        """Make them side by side: seconds."""
        numbers = iter(range(first, first + count))

        async def worker() -> None:
            for index in numbers:
                await self.machine(index)

        began = time.perf_counter()
        await asyncio.gather(*(worker() for dummy in range(CONNECTIONS)))
        return time.perf_counter() - began

    async def page(self) -> Tuple[float, int]:
        """The first page of machines: seconds until the body is read and parsed (the best of five), and how many it holds."""
        times: List[float] = []
        for dummy in range(5):
            began = time.perf_counter()
            answer = await self.call("GET", "/providers/Microsoft.Compute/virtualMachines")
            times.append(time.perf_counter() - began)
        return min(times), len(answer["value"])


async def measure(lab: Lab, hosts: int, resources: int) -> Dict[str, Any]:
    """The figures of one lab."""
    context = ssl.create_default_context(cafile=lab.settings["AZURE_CA_FILE"])
    connector = aiohttp.TCPConnector(ssl=context, limit=CONNECTIONS)
    async with aiohttp.ClientSession(connector=connector) as session:
        client = Client(session, lab.settings)
        await client.sign_in()
        await client.network()
        before = lab.cpu()
        wall = await client.machines(0, hosts)
        cpu = lab.cpu() - before
        page, listed = await client.page()
        # Each machine is three resources: itself, its interface, its disk.
        await client.machines(hosts, max(0, -(-resources // 3) - hosts))
        await asyncio.sleep(1)
    return {"create_s": round(wall, 2), "lab_cpu_s": round(cpu, 2), "page_s": round(page, 3), "page_machines": listed,
            "resources": resources, "rss_mb": round(lab.memory())}  # fmt: skip


def figures(hosts: int, resources: int = 10_000) -> Dict[str, Any]:
    """Start a lab, measure it, take it down."""
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="azlab-bench-") as home:
        lab = Lab(home)
        try:
            return {"case": "azlab", "hosts": hosts, "start_s": round(lab.started, 2),
                    **asyncio.run(measure(lab, hosts, resources)), "load_before": round(load, 2)}  # fmt: skip
        finally:
            lab.close()
