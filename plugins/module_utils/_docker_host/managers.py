# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The package manager of a host, whichever it is.

This util is private to the collection: no release promises that it stays as it is.
"""

from __future__ import annotations

import typing as t

from ansible_collections.dockhost.azure.plugins.module_utils._docker_host.packages import HostError
from ansible_collections.dockhost.azure.plugins.module_utils._docker_host.plan import Package

# Where sources of packages and their keys are: written before anything is installed.
SOURCE_FOLDERS = ("/etc/apt/", "/etc/yum.repos.d/", "/etc/pki/")


class PackageManager(t.Protocol):
    """What module engine needs of it; ``apt`` and ``rpm.Rpm`` have it."""

    def installed(self, names: t.Iterable[str]) -> dict[str, Package]:
        """The installed ones of these packages."""

    def candidates(self, names: t.Sequence[str]) -> dict[str, str]:
        """What would be installed: package → version."""

    def versions(self, package: str) -> list[str]:
        """All versions of a package that are offered, newest first."""

    def newer(self, version: str, than: str) -> bool:
        """Compare two versions."""

    def update(self, timeout: float) -> None:
        """Read the package lists again."""

    def install(self, packages: t.Mapping[str, str], remove: t.Sequence[str], timeout: float) -> None:
        """Install name → version ("" for any) in place of ``remove``."""

    def remove(self, names: t.Sequence[str], timeout: float) -> None:
        """Remove packages; their configuration and data stay."""

    def mark(self, what: str, names: t.Sequence[str], timeout: float) -> None:
        """hold or unhold packages."""


class Fixed:
    """A system whose engine is part of it (Flatcar): /usr is read-only, and there is nothing to install."""

    def installed(self, names: t.Iterable[str]) -> dict[str, Package]:
        return {}

    def candidates(self, names: t.Sequence[str]) -> dict[str, str]:
        return {}

    def versions(self, package: str) -> list[str]:
        return []

    def newer(self, version: str, than: str) -> bool:
        return False

    def update(self, timeout: float) -> None:
        return

    def install(self, packages: t.Mapping[str, str], remove: t.Sequence[str], timeout: float) -> None:
        raise HostError(f"This system has its engine as a part of itself, so {', '.join(packages)} cannot be installed.")

    def remove(self, names: t.Sequence[str], timeout: float) -> None:
        return

    def mark(self, what: str, names: t.Sequence[str], timeout: float) -> None:
        return


def of(tool: str, read: t.Callable[[str], str | None]) -> PackageManager:
    """The manager for apt, dnf, tdnf, zypper or none. Imported here: a host has one, and modules are sent whole but run lazily."""
    if tool == "apt":
        from ansible_collections.dockhost.azure.plugins.module_utils._docker_host import apt

        return t.cast(PackageManager, apt)
    if tool == "none":
        return Fixed()
    from ansible_collections.dockhost.azure.plugins.module_utils._docker_host.rpm import Rpm

    return Rpm(tool, read)
