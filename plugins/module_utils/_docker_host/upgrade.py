# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The operating system's packages: what would be upgraded, upgrading it, and whether the host has to be restarted for it.

This util is private to the collection: no release promises that it stays as it is.
"""

from __future__ import annotations

import os
import re
import typing as t

from ansible_collections.dockhost.azure.plugins.module_utils._docker_host import apt
from ansible_collections.dockhost.azure.plugins.module_utils._docker_host.command import check, run

# safe installs what a new version needs and removes nothing; full may also remove, as a kernel or a transition needs it.
# https://manpages.debian.org/stable/apt/apt-get.8.en.html
COMMANDS = {"safe": ("--with-new-pkgs", "upgrade"), "full": ("dist-upgrade",)}
# Inst base-files [13.8] (13.8+deb13u1 Debian:13.1/stable [amd64]) — without the first version where it is new; Remv name [version] where it goes.
_INSTALL = re.compile(r"^Inst (\S+) (?:\[([^\]]+)\] )?\((\S+)")
_REMOVE = re.compile(r"^Remv (\S+) \[([^\]]+)\]")
_KERNEL = re.compile(r"^linux-image-(\d\S*)$")
REBOOT_FILE = "/run/reboot-required"


def parse(simulated: str) -> list[dict[str, str]]:
    """What `apt-get --simulate` says, as name, before and after; one of these is empty where a package comes or goes."""
    found = []
    for line in simulated.splitlines():
        installed, removed = _INSTALL.match(line), _REMOVE.match(line)
        if installed:
            found.append({"name": installed[1], "before": installed[2] or "", "after": installed[3]})
        elif removed:
            found.append({"name": removed[1], "before": removed[2], "after": ""})
    return sorted(found, key=lambda package: package["name"])


def pending(kind: str) -> list[dict[str, str]]:
    """What an upgrade would do, by the package lists as they are. Held packages are not among them."""
    return parse(check("apt-get", "-q", "--simulate", *COMMANDS[kind], timeout=120))


def upgrade(kind: str, timeout: float) -> None:
    """Upgrade; configuration files that somebody changed stay as they are."""
    apt._patiently(  # pylint: disable=protected-access
        ("apt-get", "-y", "-q", *apt._dpkg_options(), *COMMANDS[kind]), timeout  # pylint: disable=protected-access
    )


def reboot_reasons() -> list[str]:
    """Why the host has to be restarted; nothing where it has not."""
    reasons = []
    if os.path.exists(REBOOT_FILE):
        reasons.append(f"{REBOOT_FILE} exists")
    kernel = newer_kernel(os.uname().release, installed_kernels(), apt.newer)
    if kernel:
        reasons.append(f"the kernel {kernel} is installed and {os.uname().release} runs")
    return reasons


def installed_kernels() -> list[str]:
    """Releases of the installed kernels."""
    rows = run("dpkg-query", "-W", "-f", "${Package}\t${db:Status-Abbrev}\n", "linux-image-[0-9]*").output.splitlines()
    names = [name for name, status in (row.split("\t") for row in rows) if status[1:2] == "i"]
    return [match[1] for match in map(_KERNEL.match, names) if match]


def newer_kernel(running: str, installed: t.Sequence[str], newer: t.Callable[[str, str], bool]) -> str:
    """The newest installed kernel where it is newer than the running one. A running kernel that is none of the host's own packages (a container,
    a kernel of one's own) says nothing."""
    if running not in installed:
        return ""
    newest = running
    for release in installed:
        if newer(release, newest):
            newest = release
    return newest if newest != running else ""
