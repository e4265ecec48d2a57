# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the gateway does to the kernel: plugs machines in, holds addresses, loads the ruleset."""
from __future__ import annotations

import asyncio
import ipaddress
import socket
from pathlib import Path

from ruleset import PROBE_SOURCE

SYSCTL = Path("/proc/sys/net/ipv4")


class FabricError(Exception):
    """A command of the fabric failed; the message holds its last words."""


async def run(*command: str, stdin: str = "", check: bool = True) -> str:
    """Run a command; its standard output. FabricError when it fails and `check` is set."""
    process = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE)
    out, err = await process.communicate(stdin.encode())
    if check and process.returncode:
        raise FabricError(f"{' '.join(command[:6])}: {err.decode(errors='replace').strip()[-500:]}")
    return out.decode(errors="replace")


def port_name(address: str) -> str:
    return f"m-{int(ipaddress.ip_address(address)):08x}"


async def prepare(prefixes: list[str]) -> None:
    """Once at the start: the address that probes come from."""
    await run("mount", "-o", "remount,rw", "/proc/sys", check=False)
    await run("ip", "addr", "replace", f"{PROBE_SOURCE}/32", "dev", "lo")
    await route_prefixes(prefixes)


async def route_prefixes(prefixes: list[str]) -> None:
    """Addresses of the network without a machine: ARP is answered for them, their packets are dropped by the ruleset."""
    for prefix in prefixes:
        await run("ip", "route", "replace", prefix, "dev", "eth0", "metric", "9999")


async def attach(pid: int, address: str, prefix_length: int, mac: str) -> None:
    """Give the network namespace of process `pid` an eth0 that leads here.

    Each machine has a link of its own and reaches its neighbours through proxy ARP, as Azure's fabric is routed and has
    no broadcast domain. The gateway of a subnet is its first address.
    """
    name = port_name(address)
    gateway = str(ipaddress.ip_network(f"{address}/{prefix_length}", strict=False)[1])
    await run("ip", "link", "del", name, check=False)
    await run("ip", "link", "add", "name", name, "type", "veth", "peer", "name", "eth0", "address", mac, "netns", str(pid))
    (SYSCTL / "conf" / name / "proxy_arp").write_text("1")
    (SYSCTL / "conf" / name / "rp_filter").write_text("1")      # a machine sends from its own address only
    (SYSCTL / "conf" / name / "send_redirects").write_text("0")
    (SYSCTL / "neigh" / name / "proxy_delay").write_text("0")
    await run("ip", "-batch", "-", stdin=(
        f"addr replace {gateway}/32 dev lo\nlink set {name} up\nroute replace {address}/32 dev {name}\n"))
    await run("nsenter", "-t", str(pid), "-n", "ip", "-batch", "-", stdin=(
        f"link set lo up\naddr replace {address}/{prefix_length} dev eth0\nlink set eth0 up\nroute replace default via {gateway} dev eth0\n"))


async def detach(address: str) -> None:
    await run("ip", "link", "del", port_name(address), check=False)


async def hold(device: str, wanted: set[str], held: set[str]) -> None:
    """Exactly these extra addresses on a device; neighbours learn of new ones at once."""
    for address in held - wanted:
        await run("ip", "addr", "del", f"{address}/32", "dev", device, check=False)
    for address in wanted - held:
        await run("ip", "addr", "replace", f"{address}/32", "dev", device)
        if device != "lo":
            announce(device, address)


def announce(device: str, address: str) -> None:
    """A gratuitous ARP: the address may have been at another gateway a moment ago."""
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as raw:
        raw.bind((device, 0x0806))
        mac, ip = raw.getsockname()[4], socket.inet_aton(address)
        broadcast = b"\xff" * 6
        raw.send(broadcast + mac + b"\x08\x06" + b"\x00\x01\x08\x00\x06\x04\x00\x01" + mac + ip + b"\x00" * 6 + ip)


async def load(ruleset: str) -> None:
    await run("nft", "-f", "-", stdin=ruleset)


async def forget_udp(address: str) -> None:
    """UDP flows to a backend that went down choose again; TCP flows end by themselves."""
    await run("conntrack", "-D", "-p", "udp", "--reply-src", address, check=False)
