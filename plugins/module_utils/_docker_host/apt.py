# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""dpkg and apt: reading in hundredths of a second, writing with patience for whoever holds the lock.

This util is private to the collection: no release promises that it stays as it is.
"""

from __future__ import annotations

import fcntl
import os
import struct
import time
import typing as t

from ansible_collections.dockhost.azure.plugins.module_utils._docker_host.command import Result, check, last_lines, run
from ansible_collections.dockhost.azure.plugins.module_utils._docker_host.packages import HostError
from ansible_collections.dockhost.azure.plugins.module_utils._docker_host.plan import Package

_LOCKS = ("/var/lib/dpkg/lock-frontend", "/var/lib/dpkg/lock", "/var/lib/apt/lists/lock")
_ENVIRONMENT = {"DEBIAN_FRONTEND": "noninteractive", "NEEDRESTART_SUSPEND": "1"}
# struct flock of 64-bit Linux: type, whence, padding, start, length, pid, padding.
_FLOCK = struct.Struct("hh4xqqi4x")


class LockHeld(HostError):
    """Somebody else works with dpkg or apt for longer than this task waits."""


def installed(names: t.Iterable[str]) -> dict[str, Package]:
    """The installed ones of these packages. dpkg-query takes 0.01 s where apt.Cache() takes 0.7 s."""
    result = run("dpkg-query", "-W", "-f", "${Package}\t${Version}\t${db:Status-Abbrev}\n", *names)
    found = {}
    for line in result.output.splitlines():
        name, version, status = line.split("\t")
        if status[1:2] == "i":  # "ii" installed, "hi" installed and held, "rc" only its configuration is left
            found[name] = Package(version, held=status[0] == "h")
    return found


def candidates(names: t.Sequence[str]) -> dict[str, str]:
    """What apt would install: package → version, without those that apt does not know."""
    found = {}
    name = ""
    for line in run("apt-cache", "policy", *names).output.splitlines():
        if not line.startswith(" "):
            name = line.rstrip(":")
        elif line.strip().startswith("Candidate:") and "(none)" not in line:
            found[name] = line.split(":", 1)[1].strip()
    return found


def versions(package: str) -> list[str]:
    """All versions of a package that apt knows, newest first."""
    rows = run("apt-cache", "madison", package).output.splitlines()
    return [row.split("|")[1].strip() for row in rows if row.count("|") >= 2]


def newer(version: str, than: str) -> bool:
    """Compare two versions by Debian's rules."""
    return run("dpkg", "--compare-versions", version, "gt", than).code == 0


def update(timeout: float) -> None:
    """Read the package lists again."""
    _patiently(("apt-get", "-q", "update", "-o", "APT::Update::Error-Mode=any"), timeout)


def install(packages: t.Mapping[str, str], remove: t.Sequence[str], timeout: float) -> None:
    """Install name → version ("" for any) and take ``remove`` away, in one transaction.

    Package lists that are missing or too old are read again, and once only: on a fresh image that is the rule.
    """
    names = tuple(packages)
    updated = False
    if set(names) - set(candidates(names)):
        update(timeout)
        updated = True
        unknown = sorted(set(names) - set(candidates(names)))
        if unknown:
            raise HostError(
                f"apt knows no package {', '.join(unknown)} on this host: look at the sources under /etc/apt "
                "(Ubuntu has Docker in the component universe), or set docker_source."
            )
    arguments = [f"{name}={version}" if version else name for name, version in packages.items()]
    # A version that was asked for may be older than what is there or differ from what is held.
    flags = ("--allow-downgrades", "--allow-change-held-packages") if any(packages.values()) else ()
    gone = [f"{name}-" for name in remove]
    argv = ("apt-get", "-y", "-q", "--no-install-recommends", *_dpkg_options(), *flags, "install", *arguments, *gone)
    try:
        _patiently(argv, timeout)
    except LockHeld:
        raise
    except HostError:
        if updated:
            raise
        update(timeout)
        _patiently(argv, timeout)


def remove(names: t.Sequence[str], timeout: float) -> None:
    """Remove packages; their configuration and data stay."""
    if names:
        _patiently(("apt-get", "-y", "-q", *_dpkg_options(), "--allow-change-held-packages", "remove", *names), timeout)


def mark(what: str, names: t.Sequence[str], timeout: float) -> None:
    """hold or unhold packages."""
    if names:
        _patiently(("apt-mark", what, *names), timeout)


def _dpkg_options() -> tuple[str, ...]:
    # An existing configuration file is never replaced: nobody is there to be asked.
    return ("-o", "Dpkg::Options::=--force-confdef", "-o", "Dpkg::Options::=--force-confold")


def _patiently(argv: t.Sequence[str], timeout: float) -> None:
    """Run apt once nobody else does; finish first what an interrupted dpkg left half done."""
    deadline = time.monotonic() + timeout
    repaired = False
    while True:
        wait_for_locks(deadline - time.monotonic())
        result = run(*argv, timeout=max(timeout, 600), environment=_ENVIRONMENT)
        if result.code == 0:
            return
        if _lost_the_race(result) and time.monotonic() < deadline:
            time.sleep(1)
            continue
        if "dpkg --configure -a" in result.errors and not repaired:
            repaired = True
            check("dpkg", "--configure", "-a", "--force-confdef", "--force-confold", timeout=600, environment=_ENVIRONMENT)
            continue
        raise HostError(f"'{' '.join(argv)}' failed ({result.code}): {last_lines(result)}")


def _lost_the_race(result: Result) -> bool:
    words = ("Could not get lock", "Unable to acquire the dpkg frontend lock", "frontend lock was locked by")
    return any(text in result.errors for text in words)


def wait_for_locks(timeout: float) -> None:
    """Wait until nobody holds a lock of dpkg or apt, for ``timeout`` seconds; then say who does.

    A fresh machine runs cloud-init, apt-daily or unattended-upgrades, any of which may hold it for minutes.
    """
    deadline = time.monotonic() + timeout
    while True:
        holder = next(filter(None, map(lock_holder, _LOCKS)), None)
        if holder is None:
            return
        if time.monotonic() >= deadline:
            path, pid = holder
            raise LockHeld(
                f"{_command_of(pid)} (process {pid}) has held {path} for the {timeout:.0f} s that this task waits; "
                "let it end, or raise docker_lock_timeout."
            )
        time.sleep(0.5)


def lock_holder(path: str) -> tuple[str, int] | None:
    """(path, process id) of who holds this lock, None where it is free."""
    try:
        descriptor = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return None
    try:
        asked = _FLOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
        kind, _whence, _start, _length, pid = _FLOCK.unpack(fcntl.fcntl(descriptor, fcntl.F_GETLK, asked))
        return None if kind == fcntl.F_UNLCK else (path, pid)
    finally:
        os.close(descriptor)


def _command_of(pid: int) -> str:
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            words = file.read().replace(b"\0", b" ").decode(errors="replace").split()
            return " ".join(words)[:60] or "A process"
    except OSError:
        return "A process"
