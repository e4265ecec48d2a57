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


_TOOLS = {
    "debian": "apt",
    "ubuntu": "apt",
    **dict.fromkeys(("rhel", "centos", "rocky", "almalinux", "ol", "fedora"), "dnf"),
    **dict.fromkeys(("azurelinux", "mariner"), "tdnf"),
    **dict.fromkeys(("sles", "opensuse-leap", "opensuse-tumbleweed"), "zypper"),
    "flatcar": "none",
}


@dataclass(frozen=True)
class Distribution:
    """A Linux distribution, by the words of its /etc/os-release."""

    id: str
    version: str
    codename: str
    name: str

    @property
    def tool(self) -> str:
        """What manages its packages: apt, dnf, tdnf, zypper, none where the system is read-only, "" where it is not known."""
        return _TOOLS.get(self.id, "")

    @property
    def major(self) -> str:
        """The first part of the version."""
        return self.version.split(".")[0]

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

    @property
    def daemon(self) -> str:
        """Where these packages have dockerd. Known before they are installed, since the drop-in of the unit names it."""
        return "/usr/sbin/dockerd" if "docker.io" in self.engine else "/usr/bin/dockerd"


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


# Docker's packages for the RHEL family, and what they cannot stand beside: https://docs.docker.com/engine/install/rhel/
# (containerd.io itself replaces containerd and runc; podman stays, only its stand-in for the command docker goes).
_RPM_OBSOLETE = (
    "docker",
    "docker-client",
    "docker-client-latest",
    "docker-common",
    "docker-latest",
    "docker-latest-logrotate",
    "docker-logrotate",
    "docker-engine",
    "moby-engine",
    "docker-cli",
    "docker-compose",
    "docker-buildx",
    "podman-docker",
)
_FROM_DOCKER_RPM = PackageSet(
    engine=_FROM_DOCKER.engine, compose=_FROM_DOCKER.compose, buildx=_FROM_DOCKER.buildx, obsolete=_RPM_OBSOLETE, versioned=_FROM_DOCKER.versioned
)
_FEDORA = PackageSet(("moby-engine", "docker-cli"), "docker-compose", "docker-buildx", _DOCKER_PACKAGES, ("moby-engine", "docker-cli"))
_AZURE_LINUX = PackageSet(("moby-engine", "docker-cli"), "docker-compose", "docker-buildx", (), ("moby-engine",))
_MARINER = PackageSet(("moby-engine", "moby-cli"), "docker-compose", "moby-buildx", (), ("moby-engine",))
_SUSE = PackageSet(("docker",), "docker-compose", "docker-buildx", ("podman-docker",), ("docker",))
_FLATCAR = PackageSet((), "", "", (), ())

SUPPORTED = "Debian 12 and 13, Ubuntu 22.04 and 24.04, RHEL and its family 8 to 10, Fedora, Azure Linux, SUSE and Flatcar"


def package_set(distribution: Distribution, source: str) -> PackageSet:
    """The packages for this distribution from ``source`` (distribution or docker); HostError where there are none."""
    known = {"apt": _of_apt, "dnf": _of_dnf}.get(distribution.tool, _of_one_source)(distribution, source)
    if known is None:
        raise HostError(
            f"This host runs {distribution.name}; Docker hosts are set up on {SUPPORTED} only. "
            "Choose another image for the host, or install the engine yourself."
        )
    return known


def _of_apt(distribution: Distribution, source: str) -> PackageSet | None:
    own = _FROM_DISTRIBUTION.get((distribution.id, distribution.version))
    return _FROM_DOCKER if own and source == "docker" else own


def _of_dnf(distribution: Distribution, source: str) -> PackageSet | None:
    if distribution.id != "fedora" and distribution.major not in ("8", "9", "10"):
        return None
    if source == "docker":
        return _FROM_DOCKER_RPM
    if distribution.id == "fedora":
        return _FEDORA
    raise HostError(f"source: {distribution.name} has no Docker Engine among its own packages (its docker is Podman); set docker_source to docker.")


def _of_one_source(distribution: Distribution, source: str) -> PackageSet | None:
    own = {"azurelinux": _AZURE_LINUX, "mariner": _MARINER, "flatcar": _FLATCAR}.get(distribution.id, _SUSE if distribution.tool == "zypper" else None)
    if own and source == "docker":
        raise HostError(f"source: Docker has no packages for {distribution.name}; set docker_source to distribution.")
    return own


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

    ``available``: newest first. Raises HostError where none fits.
    """
    for version in available:
        upstream = version.split(":", 1)[-1]
        rest = upstream[len(asked) :]
        if version == asked or (upstream.startswith(asked) and (not rest or not rest[0].isdigit())):
            return version
    have = ", ".join(available[:5]) or "none"
    raise HostError(f"version: {package} {asked} is not available on this host; available are: {have}.")


def repository_files(tool: str) -> tuple[str, str]:
    """Where the source and its key are written: (source, key)."""
    if tool == "dnf":
        return "/etc/yum.repos.d/docker-ce.repo", "/etc/pki/rpm-gpg/docker.asc"
    return "/etc/apt/sources.list.d/docker.sources", "/etc/apt/keyrings/docker.asc"


def repository_base(distribution: Distribution, url: str) -> str:
    """The address of Docker's repository for this distribution."""
    if url:
        return url.rstrip("/")
    name = distribution.id if distribution.id in ("debian", "ubuntu", "rhel", "fedora") else "centos"
    return f"https://download.docker.com/linux/{name}"


def docker_repository(distribution: Distribution, architecture: str, url: str, channel: str, keyring: str) -> str:
    """Docker's own repository, see https://docs.docker.com/engine/install/: a deb822 source, or a file of dnf."""
    if distribution.tool == "dnf":
        # The major version by itself: $releasever is a minor one on hosts that are kept there.
        return (
            f"[docker-ce-{channel}]\nname=Docker CE {channel}\nbaseurl={repository_base(distribution, url)}/{distribution.major}/$basearch/{channel}\n"
            f"enabled=1\ngpgcheck=1\ngpgkey=file://{keyring}\n"
        )
    lines = {
        "Types": "deb",
        "URIs": repository_base(distribution, url),
        "Suites": distribution.codename,
        "Components": channel,
        "Architectures": architecture,
        "Signed-By": keyring,
    }
    return "".join(f"{name}: {value}\n" for name, value in lines.items())
