# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names, labels and addresses of what a lab makes in the engine. Pure."""
from __future__ import annotations

import hashlib
import ipaddress

LABEL_LAB = "azlab.lab"             # on everything that a lab makes: its name
LABEL_KIND = "azlab.kind"           # internet | gateway | registry | machine | os-volume | data-disk | trial
LABEL_ID = "azlab.id"               # ARM id, lower case
LABEL_CACHE = "azlab.cache"         # on what all labs share and no lab removes
REGISTRY_HOST = 5                   # address of the lab's registry in the public range
BRIDGE_PREFIX = 26                  # the part of the public range that the lab's bridge takes
GATEWAY_PREFIX = 28                 # its last part: the gateways' own addresses


def short(identifier: str) -> str:
    """A short stable name for an ARM id."""
    return hashlib.sha256(identifier.lower().encode()).hexdigest()[:10]


def internet(lab: str) -> str:
    return f"azlab-{lab}-internet"


def registry(lab: str) -> str:
    return f"azlab-{lab}-registry"


def gateway(lab: str, network_id: str) -> str:
    return f"azlab-{lab}-net-{short(network_id)}"


def machine(lab: str, machine_id: str) -> str:
    return f"azlab-{lab}-vm-{short(machine_id)}"


def os_volume(lab: str, machine_id: str, use: str) -> str:
    return f"azlab-{lab}-vm-{short(machine_id)}-{use}"


def data_disk(lab: str, disk_id: str) -> str:
    return f"azlab-{lab}-disk-{short(disk_id)}"


def labels(lab: str, kind: str, identifier: str = "", **more: str) -> dict[str, str]:
    extra = {f"azlab.{name.replace('_', '-')}": value for name, value in more.items()}
    return {LABEL_LAB: lab, LABEL_KIND: kind, **({LABEL_ID: identifier} if identifier else {}), **extra}


def bridge_range(public_range: str) -> ipaddress.IPv4Network:
    """What the bridge takes of the public range: a small part, so that real hosts in the rest stay reachable."""
    whole = ipaddress.IPv4Network(public_range)
    return whole if whole.prefixlen >= BRIDGE_PREFIX else next(whole.subnets(new_prefix=BRIDGE_PREFIX))


def gateway_range(public_range: str) -> ipaddress.IPv4Network:
    """Where the gateways' own addresses come from: the end of the bridge's range."""
    bridge = bridge_range(public_range)
    return list(bridge.subnets(new_prefix=max(GATEWAY_PREFIX, bridge.prefixlen + 1)))[-1]


def mac(machine_id: str) -> str:
    """The same hardware address at each start; 00:0d:3a is Microsoft's."""
    digest = hashlib.sha256(machine_id.lower().encode()).digest()
    return "00:0d:3a:" + ":".join(f"{byte:02x}" for byte in digest[:3])
