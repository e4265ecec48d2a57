# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A manager whose swarm went on without the others (``--force-new-cluster``) and whose network may have stayed behind.

The engine stops its node for that, tells the network's own loop that the node leaves, and does not wait for it: where the new node is there before
that loop has let go of the old one, no loop listens to the new node, and port 7946 stays closed until the engine is started again. Overlay networks and
joins of other hosts do not work before that. https://github.com/moby/moby/issues/36860, seen on Docker Engine 26.1.5.

This util is private to the collection: no release promises that it stays as it is.
"""

from __future__ import annotations

import contextlib
import time

from ansible_collections.dockhost.azure.plugins.module_utils._docker_host import command
from ansible_collections.dockhost.azure.plugins.module_utils._docker_host.packages import HostError
from ansible_collections.dockhost.azure.plugins.module_utils._swarm.model import GOSSIP_PORT, SwarmRefused

# Seconds within which the engine has to listen before it counts as deaf: an agent pauses for up to 8 s after an attempt that failed.
PATIENCE = 12
# Seconds after which a socket is the new node's: the old one's is closed about a second after the new node is there.
STAYS = 3
_INTERVAL = 0.2
# Listening sockets of this host, as proc_net(5) tells: local address and state, and the inode that tells one from another.
_TABLES = ("/proc/net/tcp", "/proc/net/tcp6")
_LISTEN = "0A"


def is_deaf(patience: float = PATIENCE, stays: float = STAYS) -> bool:
    """Whether the engine of this host has no socket for gossip that stays, after ``patience`` seconds."""
    deadline = time.monotonic() + patience
    since: dict[str, float] = {}
    while True:
        now = time.monotonic()
        since = {inode: since.get(inode, now) for inode in _listening(GOSSIP_PORT)}
        if any(now - begun >= stays for begun in since.values()):
            return False
        # One that was seen in time gets the time to stay.
        if now >= deadline and not since:
            return True
        time.sleep(_INTERVAL)


def _listening(port: int) -> set[str]:
    """The inodes of the sockets that listen on this TCP port."""
    found = set()
    for table in _TABLES:
        with contextlib.suppress(FileNotFoundError), open(table, encoding="ascii") as file:
            lines = [line.split() for line in file.readlines()[1:]]
            found |= {words[9] for words in lines if words[3] == _LISTEN and int(words[1].rpartition(":")[2], 16) == port}
    return found


def restart_engine() -> None:
    """Start the engine anew, however often that was done in the last minute: its unit allows three starts, and then leaves it stopped.

    Raises SwarmRefused.
    """
    try:
        command.run("systemctl", "reset-failed", "docker.socket", "docker.service")
        command.check("systemctl", "restart", "docker.service", timeout=180)
    except HostError as error:
        raise SwarmRefused(
            f"The swarm is there, but the engine listens to no other node (moby issue 36860) and could not be started anew: {error} "
            "Restart docker.service on this host, and run again."
        ) from error
