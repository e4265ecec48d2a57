# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which packages make a Docker host, for each distribution and source. Pure.

This util is private to the collection: no release promises that it stays as it is.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass


class HostError(Exception):
    """Something on this host, or in what is asked of it, is in the way; one sentence with the remedy."""


@dataclass(frozen=True)
class Distribution:
    """A Linux distribution, by the words of its /etc/os-release."""

    id: str
    version: str
    codename: str
    name: str

    @classmethod
    def from_os_release(cls, text: str) -> Distribution:
        """Read the text of /etc/os-release, see os-release(5)."""
        values = {}
        for line in text.splitlines():
            name, sep, value = line.partition("=")
            if sep:
                values[name.strip()] = value.strip().strip("\"'")
        return cls(
            id=values.get("ID", ""),
            version=values.get("VERSION_ID", ""),
            codename=values.get("VERSION_CODENAME", ""),
            name=values.get("PRETTY_NAME", "an unknown system"),
        )


@dataclass(frozen=True)
class PackageSet:
    """Packages of one source. ``compose`` and ``buildx`` are empty where the source has no such plugin."""

    engine: tuple[str, ...]
    compose: str
    buildx: str
    # Packages of the other source, which conflict with these; they go in the same transaction.
    obsolete: tuple[str, ...]
    # Those that carry the engine's own version, so that a pinned version applies to them.
    versioned: tuple[str, ...]


_DOCKER_PACKAGES = ("docker-ce", "docker-ce-cli", "containerd.io", "docker-compose-plugin", "docker-buildx-plugin")
_DISTRIBUTION_PACKAGES = (
    "docker.io",
    "docker-cli",
    "docker-compose",
    "docker-compose-v2",
    "docker-buildx",
    "docker-doc",
    "podman-docker",
    "containerd",
    "runc",
)

_FROM_DOCKER = PackageSet(
    engine=("docker-ce", "docker-ce-cli", "containerd.io"),
    compose="docker-compose-plugin",
    buildx="docker-buildx-plugin",
    obsolete=_DISTRIBUTION_PACKAGES,
    versioned=("docker-ce", "docker-ce-cli"),
)


def _distribution(engine: tuple[str, ...], compose: str, buildx: str) -> PackageSet:
    return PackageSet(engine, compose, buildx, _DOCKER_PACKAGES, tuple(p for p in engine if p != "containerd"))


# docker.io of Debian 12 and of Ubuntu holds the command docker too; Debian 13 split it off. Debian 12's docker-compose
# is the dead Python version 1, not the plugin, and Debian 12 has no Buildx.
_FROM_DISTRIBUTION = {
    ("debian", "12"): _distribution(("docker.io", "containerd"), "", ""),
    ("debian", "13"): _distribution(("docker.io", "docker-cli", "containerd"), "docker-compose", "docker-buildx"),
    ("ubuntu", "22.04"): _distribution(("docker.io", "containerd"), "docker-compose-v2", "docker-buildx"),
    ("ubuntu", "24.04"): _distribution(("docker.io", "containerd"), "docker-compose-v2", "docker-buildx"),
}


def package_set(distribution: Distribution, source: str) -> PackageSet:
    """The packages for this distribution from ``source`` (distribution or docker); HostError where there are none."""
    known = (distribution.id, distribution.version)
    if known not in _FROM_DISTRIBUTION:
        names = ", ".join(f"{name.capitalize()} {version}" for name, version in sorted(_FROM_DISTRIBUTION))
        raise HostError(
            f"This host runs {distribution.name}; Docker hosts are set up on {names} only. "
            "Choose another image for the host, or install the engine yourself."
        )
    return _FROM_DOCKER if source == "docker" else _FROM_DISTRIBUTION[known]


def wanted_packages(packages: PackageSet, compose: bool, buildx: bool) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The packages to have, and the plugins that were asked for but are not in this source."""
    names = list(packages.engine)
    missing = []
    for asked, package, word in ((compose, packages.compose, "Compose"), (buildx, packages.buildx, "Buildx")):
        if asked and package:
            names.append(package)
        elif asked:
            missing.append(word)
    return tuple(names), tuple(missing)


def match_version(package: str, asked: str, available: t.Sequence[str]) -> str:
    """The newest available version that the asked one means: "26.1" means 26.1.x, a full version means itself.

    ``available``: newest first, as ``apt-cache madison`` lists them. Raises HostError where none fits.
    """
    for version in available:
        upstream = version.split(":", 1)[-1]
        rest = upstream[len(asked) :]
        if version == asked or (upstream.startswith(asked) and (not rest or not rest[0].isdigit())):
            return version
    have = ", ".join(available[:5]) or "none"
    raise HostError(f"version: {package} {asked} is not available on this host; available are: {have}.")


def docker_repository(distribution: Distribution, architecture: str, url: str, channel: str, keyring: str) -> str:
    """Docker's own apt repository as a deb822 source, see https://docs.docker.com/engine/install/debian/."""
    lines = {
        "Types": "deb",
        "URIs": url or f"https://download.docker.com/linux/{distribution.id}",
        "Suites": distribution.codename,
        "Components": channel,
        "Architectures": architecture,
        "Signed-By": keyring,
    }
    return "".join(f"{name}: {value}\n" for name, value in lines.items())
