# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the swarm's routing mesh and virtual IPs can work on this host: they need IPVS in the kernel.

Without it everything looks right (a service is 3/3, its port is "published") and no packet is answered.

The source of this file also goes to hosts by itself, see _engine/relay.py: it imports nothing of the collection.

This util is private to the collection: no release promises that it stays as it is.
"""

from __future__ import annotations

import os
import socket
import struct

_PATH = "/usr/sbin:/sbin:/usr/bin:/bin"
_HEADER = struct.Struct("=IHHII")  # struct nlmsghdr
_GENERIC = 16  # NETLINK_GENERIC
_CONTROLLER = 16  # GENL_ID_CTRL
_GET_FAMILY = 3  # CTRL_CMD_GETFAMILY
_FAMILY_NAME = 2  # CTRL_ATTR_FAMILY_NAME
_ERROR = 2  # NLMSG_ERROR


def has_ipvs() -> bool:
    """True where the kernel has IPVS, loaded, built in or as a module that can be loaded."""
    return os.path.exists("/proc/net/ip_vs") or _built_in() or _loadable() or _answers()


def _built_in(modules: str = "/lib/modules") -> bool:
    try:
        with open(f"{modules}/{os.uname().release}/modules.builtin", encoding="ascii", errors="replace") as file:
            return any(line.rstrip().endswith("/ip_vs.ko") for line in file)
    except OSError:
        return False


def _loadable(path: str = _PATH) -> bool:
    """Ask modprobe without loading anything. Its silence in a container without modules means no, as it should."""
    found = [f"{folder}/modprobe" for folder in path.split(":") if os.access(f"{folder}/modprobe", os.X_OK)]
    # Not subprocess, whose import takes longer than all of this file: what asks this goes to every host (_engine/relay.py).
    if not found:
        return False
    return os.spawnv(os.P_WAIT, found[0], [found[0], "-n", "-q", "ip_vs"]) == 0  # pylint: disable=ansible-bad-function


def _answers(family: bytes = b"IPVS") -> bool:
    """Ask the kernel itself for a family of generic netlink, which works in any network namespace."""
    name = family + b"\0"
    attribute = struct.pack("=HH", 4 + len(name), _FAMILY_NAME) + name + b"\0" * (-len(name) % 4)
    payload = struct.pack("=BBH", _GET_FAMILY, 1, 0) + attribute
    message = _HEADER.pack(_HEADER.size + len(payload), _CONTROLLER, 1, 1, 0) + payload
    try:
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _GENERIC) as link:
            link.settimeout(2)
            link.bind((0, 0))
            link.send(message)
            answer = link.recv(8192)
    except OSError:
        return False
    return len(answer) >= _HEADER.size and _HEADER.unpack_from(answer)[1] != _ERROR
