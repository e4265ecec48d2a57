# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Packages of the RPM world: dnf (RHEL and its family, Fedora), tdnf (Azure Linux), zypper (SUSE).

Same functions as module ``apt``, as methods, so that either can stand for the package manager of a host.

This util is private to the collection: no release promises that it stays as it is.
"""

from __future__ import annotations

import re
import time
import typing as t
from xml.etree import ElementTree

from ansible_collections.dockhost.azure.plugins.module_utils._docker_host.command import Result, check, last_lines, run
from ansible_collections.dockhost.azure.plugins.module_utils._docker_host.packages import HostError
from ansible_collections.dockhost.azure.plugins.module_utils._docker_host.plan import Package

_BUSY = ("is locked", "locked by another", "another app", "another instance", "another process", "waiting for process")
_VERSION_LOCKS = ("/etc/dnf/plugins/versionlock.list", "/etc/dnf/versionlock.toml")
_ZYPPER_LOCKS = ("/etc/zypp/locks",)
_FORMAT = "%{name}\t%{epoch}:%{version}-%{release}\n"


def plain(version: str) -> str:
    """A version without an epoch of 0 or none, as people write it."""
    epoch, sep, rest = version.partition(":")
    return rest if sep and epoch in ("0", "(none)", "") else version


def _parts(text: str) -> list[tuple[int, t.Any]]:
    """Runs of digits, of letters and tildes; see rpm-version(7). A tilde sorts before the end, and the end before all else."""
    found: list[tuple[int, t.Any]] = []
    for piece in re.findall(r"\d+|[a-zA-Z]+|~|\^", text):
        if piece == "~":
            found.append((-1, ""))
        elif piece == "^":
            found.append((1, ""))
        elif piece.isdigit():
            found.append((3, int(piece)))
        else:
            found.append((2, piece))
    return [*found, (0, "")]


def sort_key(version: str) -> tuple[t.Any, ...]:
    """By which rpm orders versions: epoch, version, release."""
    epoch, sep, rest = version.partition(":")
    if not sep:
        epoch, rest = "0", version
    upstream, _sep, release = rest.partition("-")
    return int(epoch) if epoch.isdigit() else 0, _parts(upstream), _parts(release)


class Rpm:
    """The package manager of one host; ``tool`` is dnf, tdnf or zypper."""

    def __init__(self, tool: str, read: t.Callable[[str], str | None]) -> None:
        self.tool = tool
        self._read = read

    # -- reading ----------------------------------------------------------------------------------------

    def installed(self, names: t.Iterable[str]) -> dict[str, Package]:
        """The installed ones of these packages."""
        names = tuple(names)
        if not names:
            return {}
        said = run("rpm", "-q", "--qf", "%{NAME}\t%{EPOCHNUM}:%{VERSION}-%{RELEASE}\n", *names).output
        held = self._held()
        rows = (line.split("\t") for line in said.splitlines() if line.count("\t") == 1)
        return {name: Package(plain(version), held=name in held) for name, version in rows}

    def _held(self) -> set[str]:
        files = _ZYPPER_LOCKS if self.tool == "zypper" else _VERSION_LOCKS
        text = "\n".join(self._read(path) or "" for path in files)
        # "docker-ce-3:28.5.1-1.el9.*" of dnf 4, 'name = "docker-ce"' of dnf 5, "solvable_name: docker" of zypper.
        found = set(re.findall(r"^(?!!|#)(.+?)-\d+:\S+$", text, re.M))
        return found | set(re.findall(r'^(?:name = "|solvable_name: )([^"\n]+)', text, re.M))

    def _offered(self, names: t.Sequence[str]) -> list[tuple[str, str]]:
        """(name, version) of all that the repositories have of these packages."""
        if self.tool == "zypper":
            words = ("--xmlout", "search", "-s", "--match-exact", "-t", "package")
            return _of_zypper(run("zypper", "-q", "--non-interactive", *words, *names, timeout=300).output)
        if self.tool == "tdnf":
            return [row for name in names for row in _of_list(run("tdnf", "-q", "list", "--showduplicates", name, timeout=300).output)]
        said = run("dnf", "-q", "repoquery", "--showduplicates", "--qf", _FORMAT, *names, timeout=300).output
        rows = (line.split("\t") for line in said.splitlines() if line.count("\t") == 1)
        return [(name, plain(version)) for name, version in rows]

    def candidates(self, names: t.Sequence[str]) -> dict[str, str]:
        """What would be installed: package → version, without those that no repository has."""
        found: dict[str, str] = {}
        for name, version in self._offered(names):
            if name in names and (name not in found or sort_key(version) > sort_key(found[name])):
                found[name] = version
        return found

    def versions(self, package: str) -> list[str]:
        """All versions of a package that the repositories have, newest first."""
        return sorted({version for name, version in self._offered((package,)) if name == package}, key=sort_key, reverse=True)

    def newer(self, version: str, than: str) -> bool:
        """Compare two versions by rpm's rules."""
        return sort_key(version) > sort_key(than)

    # -- writing ----------------------------------------------------------------------------------------

    def update(self, timeout: float) -> None:
        """Read the repositories again."""
        argv = ("zypper", "-q", "--non-interactive", "--gpg-auto-import-keys", "refresh") if self.tool == "zypper" else (self.tool, "-q", "-y", "makecache")
        self._patiently(argv, timeout)

    def install(self, packages: t.Mapping[str, str], remove: t.Sequence[str], timeout: float) -> None:
        """Install name → version ("" for the newest), after ``remove`` is gone: both hold the command docker."""
        self.remove(remove, timeout)
        if self.tool == "zypper":
            words = [f"{name}={version}" if version else name for name, version in packages.items()]
            flags = ("--oldpackage",) if any(packages.values()) else ()
            self._patiently(("zypper", "-q", "--non-interactive", "--gpg-auto-import-keys", "install", "--no-recommends", *flags, *words), timeout)
            return
        words = [f"{name}-{version}" if version else name for name, version in packages.items()]
        weak = ("--setopt=install_weak_deps=False",) if self.tool == "dnf" else ()
        older = [f"{name}-{version}" for name, version in packages.items() if version and self._is_older(name, version)]
        if self.tool == "tdnf" and older:  # its install never goes back, dnf's does
            self._patiently(("tdnf", "-q", "-y", "downgrade", *older), timeout)
            words = [word for word in words if word not in older]
        if words:
            self._patiently((self.tool, "-q", "-y", *weak, "install", *words), timeout)

    def _is_older(self, name: str, version: str) -> bool:
        have = self.installed((name,)).get(name)
        return have is not None and self.newer(have.version, version)

    def remove(self, names: t.Sequence[str], timeout: float) -> None:
        """Remove packages; their configuration and data stay."""
        if not names:
            return
        quiet = ("zypper", "-q", "--non-interactive") if self.tool == "zypper" else (self.tool, "-q", "-y")
        self._patiently((*quiet, "remove", *names), timeout)

    def mark(self, what: str, names: t.Sequence[str], timeout: float) -> None:
        """hold or unhold packages."""
        if not names:
            return
        if self.tool == "tdnf":
            raise HostError(
                "hold: tdnf cannot hold packages in their version; leave docker_hold out on this host, "
                "or keep the engine out of tdnf's updates by 'tdnf --exclude'."
            )
        if self.tool == "zypper":
            self._patiently(("zypper", "-q", "--non-interactive", {"hold": "addlock", "unhold": "removelock"}[what], *names), timeout)
            return
        argv = ("dnf", "-q", "versionlock", {"hold": "add", "unhold": "delete"}[what], *names)
        if run(*argv, timeout=300).code:  # a plugin that images do not have
            self._patiently(("dnf", "-q", "-y", "install", "dnf-command(versionlock)"), timeout)
            check(*argv, timeout=300)

    def _patiently(self, argv: t.Sequence[str], timeout: float) -> None:
        """Run it once nobody else holds the lock."""
        deadline = time.monotonic() + timeout
        while True:
            result = run(*argv, timeout=max(timeout, 900), environment={"ZYPP_LOCK_TIMEOUT": str(int(timeout))})
            if result.code == 0 or (self.tool == "zypper" and 100 <= result.code < 104):  # 100 to 103 only inform
                return
            if not _busy(result) or time.monotonic() >= deadline:
                raise HostError(f"'{' '.join(argv)}' failed ({result.code}): {last_lines(result)}")
            time.sleep(1)


def _busy(result: Result) -> bool:
    said = (result.errors + result.output).lower()
    return any(words in said for words in _BUSY)


def _of_zypper(text: str) -> list[tuple[str, str]]:
    try:
        tree = ElementTree.fromstring(text)
    except ElementTree.ParseError:  # it says nothing where there is nothing
        return []
    return [(item.get("name", ""), item.get("edition", "")) for item in tree.iter("solvable") if item.get("kind") == "package"]


def _of_list(text: str) -> list[tuple[str, str]]:
    """Rows "docker-cli.x86_64   25.0.3-1.azl3   azurelinux-official-base"."""
    rows = (line.split() for line in text.splitlines())
    return [(words[0].rsplit(".", 1)[0], plain(words[1])) for words in rows if len(words) >= 3 and "." in words[0]]
