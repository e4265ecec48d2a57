# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a kernel shares among all machines of all labs on it."""
from __future__ import annotations

from pathlib import Path

INOTIFY = Path("/proc/sys/fs/inotify/max_user_instances")

# systemd, its journal and its devices, D-Bus, an engine: what a machine was seen to hold as root (20 of them booted with a limit of 128, 24 did not).
EACH = 6


def enough_for(limits: Path = INOTIFY) -> int | None:
    """How many machines can run at once before systemd finds no inotify instance left; None where the kernel does not say."""
    try:
        return int(limits.read_text(encoding="ascii")) // EACH
    except (OSError, ValueError):
        return None


def shortage(running: int, limits: Path = INOTIFY) -> str:
    """One sentence with the remedy when so many machines are more than the kernel has inotify instances for; else empty."""
    enough = enough_for(limits)
    if enough is None or running < enough:
        return ""
    return (f"The kernel's inotify instances last for about {enough} machines, and {running} run: "
            f"allow more with sysctl -w fs.inotify.max_user_instances={max(1024, 2 * EACH * running)}.")
