# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab of machines that tests drive directly, without a control plane."""
from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any

from azlab import pki
from azlab.machines.docker import create_driver
from azlab.machines.docker.driver import DockerMachines
from azlab.machines.driver import (
    Backend, BalancerRule, CommandResult, Firewall, FirewallRule, LabConfig, MachineSpec, NatRule, NetworkSpec, NetworkState,
    Outbound, Probe)

# Neither the default lab nor this project's other tests take this part of the range, so that all may run at once.
RANGE = "198.51.100.64/26"
CONTROLLER, PUBLIC = "198.51.100.65", "198.51.100.74"
GROUP = "/subscriptions/s/resourcegroups/g/providers/microsoft."
NETWORK = GROUP + "network/virtualnetworks/v"
PREFIX = "10.61.0.0/16"
ALL = ((0, 65535),)
ANY = ("0.0.0.0/0",)


def machine_id(index: int) -> str:
    return f"{GROUP}compute/virtualmachines/h-{index}"


def backend(index: int) -> Backend:
    return Backend(NETWORK, machine_id(index), f"10.61.0.{3 + index}")


def rule(direction: str, allow: bool, protocol: str = "any", sources: tuple[str, ...] = ANY,
         ports: tuple[tuple[int, int], ...] = ALL) -> FirewallRule:
    return FirewallRule("rule", direction, allow, protocol, sources, ALL, ANY, ports)


# Azure's default rules, as the control plane hands them over.
DEFAULTS = (
    rule("in", True, sources=(PREFIX,)), rule("in", True, sources=("168.63.129.16/32",)), rule("in", False),
    rule("out", True))
SSH = rule("in", True, "tcp", (f"{CONTROLLER}/32",), ((22, 22),))
WEB = rule("in", True, ports=((80, 80),))


class Lab:
    """A driver with its event loop in a thread, and the state that tests change a little."""

    def __init__(self, home: Path) -> None:
        self.home = home
        pki.ensure(home, "pytest")
        self.key = home / "id"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self.key)], check=True)
        self.config = LabConfig(f"pytest{os.getpid()}", home, RANGE, home / "ca.pem", home / "ca-key.pem")
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()
        self.driver: DockerMachines = create_driver(self.config)

    def do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(timeout=600)

    def all(self, *work: Coroutine[Any, Any, Any]) -> list[Any]:
        async def gather() -> list[Any]:
            return list(await asyncio.gather(*work))
        return self.do(gather())

    def spec(self, index: int, **changes: Any) -> MachineSpec:
        user_data = b"#cloud-config\nwrite_files: [{path: /etc/marker, content: from custom data}]\nruncmd: [touch /etc/ran]\n"
        spec = MachineSpec(
            machine_id(index), f"h-{index}", f"h-{index}", NETWORK, f"10.61.0.{3 + index}", "Debian:debian-13:13:latest",
            "azureuser", (self.key.with_suffix(".pub").read_text().strip(),), custom_data=user_data, cpus=2, memory_mb=2048,
            vm_id=f"00000000-0000-0000-0000-00000000000{index}")
        return replace(spec, **changes)

    def state(self, count: int = 3, rules: tuple[FirewallRule, ...] = (SSH, WEB), **changes: Any) -> NetworkState:
        """Load balancer on port 80 (TCP and UDP), SSH at 50001…, outbound for all."""
        every = tuple(backend(index) for index in range(1, count + 1))
        probe = Probe("tcp", 80, interval=1, threshold=2)
        state = NetworkState(
            networks=(NetworkSpec(NETWORK, (PREFIX,)),),
            firewalls=tuple(Firewall(b.machine_id, NETWORK, b.address, ((*rules, *DEFAULTS),)) for b in every),
            balancer_rules=tuple(
                BalancerRule(f"lb/{protocol}", PUBLIC, True, protocol, 80, 80, every, probe) for protocol in ("tcp", "udp")),
            nat_rules=tuple(NatRule(f"nat/{i}", PUBLIC, "tcp", 50000 + i, b, 22) for i, b in enumerate(every, 1)),
            outbound=tuple(Outbound(b, PUBLIC) for b in every))
        return replace(state, **changes)

    def apply(self, state: NetworkState) -> None:
        self.do(self.driver.apply_network(state))

    def run(self, index: int, script: str, timeout: float = 60) -> CommandResult:
        return self.do(self.driver.run_command(machine_id(index), script, timeout))

    def ssh(self, index: int, command: str, *options: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["ssh", "-i", str(self.key), "-F", "/dev/null", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
             "-o", "LogLevel=ERROR", "-o", "ConnectTimeout=5", "-o", "BatchMode=yes", *options, "-p", str(50000 + index),
             f"azureuser@{PUBLIC}", command], capture_output=True, text=True, timeout=60, check=False)


def tcp(address: str, port: int, timeout: float = 2) -> str:
    """What a server says to whoever connects; OSError when none answers."""
    with socket.create_connection((address, port), timeout) as connection:
        connection.settimeout(timeout)
        return connection.recv(100).decode().strip()


def udp(address: str, port: int, timeout: float = 2) -> str:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.settimeout(timeout)
        sender.sendto(b"who", (address, port))
        return sender.recv(100).decode().strip()


def until(seconds: float, question: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + seconds
    while not question():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.1)


# Answers each TCP connection and each datagram on port 80 with the host's name and the caller's address.
ANSWERER = """cat > /root/answer.py <<'PY'
import socket, threading
def tcp():
    server = socket.create_server(('', 80))
    while True:
        connection, peer = server.accept()
        connection.send(f'{socket.gethostname()} {peer[0]}\\n'.encode())
        connection.close()
def udp():
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(('', 80))
    while True:
        _data, peer = server.recvfrom(100)
        server.sendto(f'{socket.gethostname()} {peer[0]}\\n'.encode(), peer)
threading.Thread(target=tcp).start()
udp()
PY
systemctl reset-failed answer 2>/dev/null
systemd-run --quiet --unit answer --property Restart=always python3 /root/answer.py
"""
