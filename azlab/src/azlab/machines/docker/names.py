# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names, labels and addresses of what a lab makes in the engine. Pure."""
from __future__ import annotations

import hashlib
import ipaddress

from azlab.machines.driver import LabConfig

LABEL_LAB = "azlab.lab"             # on everything that a lab makes: its name
LABEL_KIND = "azlab.kind"           # internet | gateway | registry | machine | os-volume | disks | disk-store | data-disk | trial
LABEL_HOME = "azlab.home"           # … and its state directory: without that directory nobody owns it any more
LABEL_ID = "azlab.id"               # ARM id, lower case
LABEL_CACHE = "azlab.cache"         # on what all labs share and no lab removes
REGISTRY_HOST = 5                   # address of the lab's registry in the public range
BRIDGE_PREFIX = 26                  # the part of the public range that the lab's bridge takes
GATEWAY_PREFIX = 28                 # its last part: the gateways' own addresses
LOOP_MAJOR = 7                      # of the kernel's loop devices
DISK_FILE = r"azlab-(?P<lab>[a-z0-9-]+)-disk-[0-9a-f]{10}\.img"


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


def disks(lab: str) -> str:
    return f"azlab-{lab}-disks"


def disk_store(lab: str) -> str:
    return f"azlab-{lab}-disk-store"


def disk_file(lab: str, disk_id: str) -> str:
    return f"azlab-{lab}-disk-{short(disk_id)}.img"


def disk_files(lab: str) -> str:
    """A regular expression for the files of all data disks of a lab."""
    return DISK_FILE.replace("(?P<lab>[a-z0-9-]+)", lab)


def data_disk(lab: str, disk_id: str) -> str:
    return f"azlab-{lab}-disk-{short(disk_id)}"


def labels(config: LabConfig, kind: str, identifier: str = "", **more: str) -> dict[str, str]:
    """What is written on something that a lab makes."""
    extra = {f"azlab.{name.replace('_', '-')}": value for name, value in more.items()}
    mine = {LABEL_LAB: config.name, LABEL_HOME: str(config.home), LABEL_KIND: kind}
    return {**mine, **({LABEL_ID: identifier} if identifier else {}), **extra}


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
