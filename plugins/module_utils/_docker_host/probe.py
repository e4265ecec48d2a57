# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the host is like: packages, files, service, group. Reads only, in a tenth of a second.

This util is private to the collection: no release promises that it stays as it is.
"""

from __future__ import annotations

import grp
import os
import platform
import pwd
import shutil
import typing as t

from ansible_collections.dockhost.azure.plugins.module_utils._docker_host import daemon, extras
from ansible_collections.dockhost.azure.plugins.module_utils._docker_host.command import run
from ansible_collections.dockhost.azure.plugins.module_utils._docker_host.managers import PackageManager
from ansible_collections.dockhost.azure.plugins.module_utils._docker_host.packages import Distribution, HostError
from ansible_collections.dockhost.azure.plugins.module_utils._docker_host.plan import Observed

DAEMON_JSON = "/etc/docker/daemon.json"
# In /run, so that a reboot, which starts the daemon with the new file anyway, forgets it.
PENDING = "/run/dockhost-docker-pending"


def read(path: str) -> str | None:
    """The text of a file, None where there is none."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except FileNotFoundError:
        return None


def distribution() -> Distribution:
    """Which Linux this is; refuses what has no systemd."""
    found = Distribution.from_os_release(read("/etc/os-release") or "")
    if not os.path.isdir("/run/systemd/system"):
        raise HostError(f"This host ({found.name}) does not run systemd, which starts and keeps the Docker Engine here.")
    return found


def architecture() -> str:
    """The word of dpkg for this machine."""
    return {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())


def companions(tool: str) -> tuple[str, ...]:
    """Packages that the engine needs beside its own, which are recommended only.

    Where the kernel enforces AppArmor, no container starts without apparmor_parser.
    """
    if tool not in ("apt", "zypper"):
        return ()
    enforced = (read("/sys/module/apparmor/parameters/enabled") or "").strip() == "Y"
    return ("ca-certificates", *((("apparmor" if tool == "apt" else "apparmor-parser"),) if enforced else ()))


def dockerd() -> str | None:
    """Path of the daemon, None where it is not installed."""
    return shutil.which("dockerd", path="/usr/sbin:/usr/bin:/usr/local/bin")


def outdated_daemon() -> bool:
    """True where the daemon that runs is not the one on the disk any more: a package was replaced and nobody restarted it."""
    pid = run("systemctl", "show", "docker.service", "-P", "MainPID").output.strip()
    try:
        return pid not in ("", "0") and os.readlink(f"/proc/{pid}/exe").endswith(" (deleted)")
    except OSError:  # it has ended meanwhile
        return False


def in_swarm(data_root: str) -> bool:
    """True where the daemon belongs to a swarm; the same file decides that when the daemon starts."""
    return bool((read(os.path.join(data_root, "swarm", "docker-state.json")) or "").strip())


def data_in(root: str) -> str:
    """What a data root has that nobody can fetch again, in words; "" where there is nothing of it."""
    found = []
    for folder, word in (("containers", "container"), ("volumes", "volume")):
        try:
            count = sum(entry.is_dir() for entry in os.scandir(os.path.join(root, folder)))
        except FileNotFoundError:
            continue
        if count:
            found.append(f"{count} {word}{'s' if count > 1 else ''}")
    if in_swarm(root):
        found.append("the membership of a swarm")
    return ", ".join(found)


def service() -> dict[str, str]:
    """ActiveState and UnitFileState of docker.service, by systemd."""
    shown = run("systemctl", "show", "docker.service", "-p", "ActiveState", "-p", "UnitFileState", "-p", "LoadState")
    return dict(line.split("=", 1) for line in shown.output.splitlines() if "=" in line)


def known_unit(unit: str) -> bool:
    """True where systemd knows this unit."""
    return run("systemctl", "show", unit, "-P", "LoadState").output.strip() != "not-found"


def group_members() -> frozenset[str]:
    """Users in group docker, by membership of the group or as their first group."""
    try:
        group = grp.getgrnam("docker")
    except KeyError:
        return frozenset()
    return frozenset(group.gr_mem) | frozenset(user.pw_name for user in pwd.getpwall() if user.pw_gid == group.gr_gid)


def check_users(users: t.Iterable[str]) -> None:
    """Refuse users that this host does not have."""
    for user in users:
        try:
            pwd.getpwnam(user)
        except KeyError:
            raise HostError(f"users: this host has no user {user}; create it first, or leave it out.") from None


def kernel(names: t.Iterable[str]) -> dict[str, str]:
    """The values that these kernel parameters have now; HostError where the kernel knows one of them not."""
    found = {}
    for name in names:
        text = read(extras.proc_path(name))
        if text is None:
            raise HostError(f"kernel_parameters.{name}: the kernel of this host has no such parameter; load its module first, or leave it out.")
        found[name] = " ".join(text.split())
    return found


def timer() -> bool:
    """True where the prune timer is enabled and waits for its time."""
    if not os.path.exists(f"{extras.UNITS}/{extras.PRUNE_TIMER}"):
        return False
    shown = run("systemctl", "show", extras.PRUNE_TIMER, "-P", "ActiveState", "-P", "UnitFileState").output.split()
    return sorted(shown) == ["active", "enabled"]


def check_schedule(schedule: str) -> None:
    """Let systemd itself say whether it is one."""
    result = run("systemd-analyze", "calendar", schedule)
    if result.code:
        raise HostError(f"prune.schedule: systemd knows no time {schedule!r}; write one such as daily, weekly or 'Sun 03:00' (systemd.time(7)).")


def observe(manager: PackageManager, names: t.Iterable[str], files: t.Iterable[str], parameters: t.Iterable[str] = ()) -> Observed:
    """The host as it is: these packages and these files, and what else belongs to the engine."""
    unit = service()
    return Observed(
        packages=manager.installed(names),
        daemon_json=read(DAEMON_JSON),
        files={path: read(path) for path in files},
        group_members=group_members(),
        active=unit.get("ActiveState") == "active",
        enabled=unit.get("UnitFileState") == "enabled",
        kernel=kernel(parameters),
        timer=timer(),
        pending=(read(PENDING) or daemon.NOTHING).strip(),
    )
