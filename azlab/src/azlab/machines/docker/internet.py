# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's internet: one bridge network whose first address is the controller. Blocking."""
from __future__ import annotations

import ipaddress
import socket
import urllib.parse
from pathlib import Path

import docker
import docker.errors

from azlab import images
from azlab.machines.docker import names
from azlab.machines.docker.engine import name_servers
from azlab.machines.driver import LabConfig, MachineError

# Ranges for documentation, which are nobody's (RFC 5737), in the parts that a bridge takes. 192.0.2.0/24, the third of them, is
# what virtual machines' own networks often use.
CANDIDATES = tuple(
    part for whole in ("203.0.113.0/24", "198.51.100.0/24")
    for part in ipaddress.IPv4Network(whole).subnets(new_prefix=names.BRIDGE_PREFIX))


SMALLEST_ROUTE = 8


def free_range(client: docker.DockerClient) -> str:
    """A public range that no network of the engine has and that hides nothing that this machine needs."""
    taken = [
        ipaddress.IPv4Network(pool["Subnet"])
        for network in client.networks.list() for pool in network.attrs["IPAM"]["Config"] or []
        if "." in pool.get("Subnet", "")] + routed()
    needed = [ipaddress.ip_address(address) for address in _needed()]
    for candidate in CANDIDATES:
        if not any(candidate.overlaps(other) for other in taken) and not any(address in candidate for address in needed):
            return str(candidate)
    raise MachineError("AddressRangeTaken", (
        f"all of {', '.join(map(str, CANDIDATES))} are taken by networks of the Docker engine or of this machine, or by hosts that it needs: "
        "stop a lab ('azlab down'), or name a free range with --public-range."))


def ensure(config: LabConfig, client: docker.DockerClient) -> None:
    """Make the network, or do nothing when it is there; refuses a range that would hide what this machine needs, and a network of
    another range: addresses that the bridge does not hold would be looked for outside of this machine."""
    bridge = names.bridge_range(config.public_range)
    there = client.networks.list(names=[f"^{names.internet(config.name)}$"])
    if there:
        held = [pool.get("Subnet") for pool in there[0].attrs["IPAM"]["Config"] or []]
        if held != [str(bridge)]:
            raise MachineError("AddressRangeTaken", (
                f"lab '{config.name}' has a network {', '.join(map(str, held))} in the Docker engine, and its public range would take "
                f"{bridge}: remove the lab with 'azlab down --name {config.name}', then make it again."))
        return
    _check_free(bridge)
    pool = docker.types.IPAMPool(
        subnet=str(bridge), gateway=str(bridge[1]), iprange=str(names.gateway_range(config.public_range)))
    try:
        client.networks.create(
            names.internet(config.name), driver="bridge", ipam=docker.types.IPAMConfig(pool_configs=[pool]),
            labels=names.labels(config, "internet"))
    except docker.errors.APIError as error:
        if "overlap" not in str(error):
            raise
        raise MachineError("AddressRangeTaken", (
            f"the public range {config.public_range} overlaps with another network of the Docker engine: stop the lab that "
            "uses it, or let a new lab choose a free range itself, without --public-range.")) from error


def routed(table: Path = Path("/proc/net/route")) -> list[ipaddress.IPv4Network]:
    """The networks that this machine reaches otherwise than by its default route (a local network, a VPN).

    Routes of more than 2^24 addresses count as default routes: a VPN that takes all traffic has two halves of the Internet.
    """
    if not table.exists():
        return []                   # not Linux: the engine is in a virtual machine that has networks of its own
    found = []
    for line in table.read_text().splitlines()[1:]:
        words = line.split()
        network, mask = (ipaddress.IPv4Address(int.from_bytes(bytes.fromhex(words[column])[::-1], "big")) for column in (1, 7))
        found.append(ipaddress.IPv4Network(f"{network}/{mask}"))
    return [network for network in found if network.prefixlen >= SMALLEST_ROUTE]


def _check_free(bridge: ipaddress.IPv4Network) -> None:
    for network in routed():
        if network.overlaps(bridge):
            raise MachineError("AddressRangeTaken", (
                f"the public range would take {bridge}, and this machine has a route to {network}: choose another range with "
                "--public-range, or let a new lab choose a free one itself, without it."))
    for address, what in _needed().items():
        if ipaddress.ip_address(address) in bridge:
            raise MachineError("AddressRangeTaken", (
                f"the public range would take {bridge}, and {what} is {address}: choose another range with --public-range, "
                "or let a new lab choose a free one itself, without it."))


def _needed() -> dict[str, str]:
    """Addresses that this machine cannot do without, and what is there."""
    needed = dict.fromkeys(name_servers(), "a name server of this machine")
    host = urllib.parse.urlsplit(images.mirror()).hostname or ""
    try:
        needed[socket.gethostbyname(host)] = f"the Debian mirror {host}"
    except OSError:
        pass                        # no mirror by this name: nothing to hide
    return needed
