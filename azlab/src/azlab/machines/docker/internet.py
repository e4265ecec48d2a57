# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's internet: one bridge network whose first address is the controller. Blocking."""
from __future__ import annotations

import ipaddress
import socket
import urllib.parse

import docker
import docker.errors

from azlab import images
from azlab.machines.docker import names
from azlab.machines.docker.engine import name_servers
from azlab.machines.driver import LabConfig, MachineError


def ensure(config: LabConfig, client: docker.DockerClient) -> None:
    """Make the network, or do nothing when it is there; refuses a range that would hide what this machine needs."""
    if client.networks.list(names=[f"^{names.internet(config.name)}$"]):
        return
    bridge = names.bridge_range(config.public_range)
    _check_free(bridge)
    pool = docker.types.IPAMPool(
        subnet=str(bridge), gateway=str(bridge[1]), iprange=str(names.gateway_range(config.public_range)))
    try:
        client.networks.create(
            names.internet(config.name), driver="bridge", ipam=docker.types.IPAMConfig(pool_configs=[pool]),
            labels=names.labels(config.name, "internet"))
    except docker.errors.APIError as error:
        if "overlap" not in str(error):
            raise
        raise MachineError("AddressRangeTaken", (
            f"the public range {config.public_range} overlaps with another network of the Docker engine: stop the lab that "
            "uses it, or choose another range, for example 'azlab up --public-range 198.51.100.0/24'.")) from error


def _check_free(bridge: ipaddress.IPv4Network) -> None:
    needed = {server: "a name server of this machine" for server in name_servers()}
    host = urllib.parse.urlsplit(images.mirror()).hostname or ""
    try:
        needed[socket.gethostbyname(host)] = f"the Debian mirror {host}"
    except OSError:
        pass                        # no mirror by this name: nothing to hide
    for address, what in needed.items():
        if ipaddress.ip_address(address) in bridge:
            raise MachineError("AddressRangeTaken", (
                f"the public range would take {bridge}, and {what} is {address}: choose another range, for example "
                "'azlab up --public-range 198.51.100.0/24'."))
