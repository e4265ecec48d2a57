# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which packages, which version, which repository."""

from __future__ import annotations

import pytest
from ansible_collections.dockhost.azure.plugins.module_utils._docker_host.packages import (
    Distribution,
    HostError,
    docker_repository,
    match_version,
    package_set,
    wanted_packages,
)

TRIXIE = 'PRETTY_NAME="Debian GNU/Linux 13 (trixie)"\nID=debian\nVERSION_ID="13"\nVERSION_CODENAME=trixie\n# a comment\n\n'


def host(name, version, codename="x"):
    return Distribution(name, version, codename, f"{name} {version}")


def test_os_release():
    assert Distribution.from_os_release(TRIXIE) == Distribution("debian", "13", "trixie", "Debian GNU/Linux 13 (trixie)")
    assert Distribution.from_os_release("").name == "an unknown system"


@pytest.mark.parametrize(
    "name, version, source, names, missing",
    [
        ("debian", "13", "distribution", "docker.io docker-cli containerd docker-compose docker-buildx", ()),
        ("debian", "12", "distribution", "docker.io containerd", ("Compose", "Buildx")),
        ("ubuntu", "22.04", "distribution", "docker.io containerd docker-compose-v2 docker-buildx", ()),
        ("ubuntu", "24.04", "distribution", "docker.io containerd docker-compose-v2 docker-buildx", ()),
        ("debian", "12", "docker", "docker-ce docker-ce-cli containerd.io docker-compose-plugin docker-buildx-plugin", ()),
        ("ubuntu", "24.04", "docker", "docker-ce docker-ce-cli containerd.io docker-compose-plugin docker-buildx-plugin", ()),
        ("rhel", "9.4", "docker", "docker-ce docker-ce-cli containerd.io docker-compose-plugin docker-buildx-plugin", ()),
        ("rocky", "8.10", "docker", "docker-ce docker-ce-cli containerd.io docker-compose-plugin docker-buildx-plugin", ()),
        ("fedora", "42", "distribution", "moby-engine docker-cli docker-compose docker-buildx", ()),
        ("azurelinux", "3.0", "distribution", "moby-engine docker-cli docker-compose docker-buildx", ()),
        ("mariner", "2.0", "distribution", "moby-engine moby-cli docker-compose moby-buildx", ()),
        ("sles", "15.6", "distribution", "docker docker-compose docker-buildx", ()),
        ("opensuse-leap", "15.6", "distribution", "docker docker-compose docker-buildx", ()),
        ("flatcar", "4230.2.3", "distribution", "", ("Compose", "Buildx")),
    ],
)
def test_packages(name, version, source, names, missing):
    known = package_set(host(name, version), source)
    assert wanted_packages(known, True, True) == (tuple(names.split()), missing)
    assert wanted_packages(known, False, False) == (known.engine, ())
    assert not set(names.split()) & set(known.obsolete), "a package would be installed and removed at once"
    assert set(known.versioned) <= set(known.engine)


@pytest.mark.parametrize("name, version", [("debian", "11"), ("rhel", "7.9"), ("ubuntu", "20.04"), ("arch", ""), ("", "")])
def test_other_systems_are_refused(name, version):
    with pytest.raises(HostError, match=r"are set up on Debian 12 and 13, Ubuntu 22\.04 and 24\.04, RHEL .*, Azure Linux, SUSE and Flatcar only"):
        package_set(host(name, version), "distribution")


@pytest.mark.parametrize(
    "name, version, source, words",
    [
        ("rhel", "9.4", "distribution", "no Docker Engine among its own packages .* set docker_source to docker"),
        ("azurelinux", "3.0", "docker", "Docker has no packages for azurelinux 3.0; set docker_source to distribution"),
        ("sles", "15.6", "docker", "Docker has no packages for sles 15.6"),
        ("flatcar", "4230", "docker", "Docker has no packages for flatcar 4230"),
    ],
)
def test_the_other_source_is_refused_where_it_has_nothing(name, version, source, words):
    with pytest.raises(HostError, match=words):
        package_set(host(name, version), source)


def test_where_the_daemon_is():
    assert package_set(host("debian", "13"), "distribution").daemon == "/usr/sbin/dockerd"
    assert package_set(host("debian", "13"), "docker").daemon == package_set(host("sles", "15.6"), "distribution").daemon == "/usr/bin/dockerd"


AVAILABLE = ["5:28.5.1-1~debian.13~trixie", "5:28.5.0-1~debian.13~trixie", "5:28.1.1-1~debian.13~trixie", "26.1.5+dfsg1-9+b1"]


@pytest.mark.parametrize(
    "asked, found",
    [
        ("28.5", AVAILABLE[0]),
        ("28.5.0", AVAILABLE[1]),
        ("28", AVAILABLE[0]),
        ("28.1", AVAILABLE[2]),
        ("5:28.5.0-1~debian.13~trixie", AVAILABLE[1]),
        ("26.1.5", AVAILABLE[3]),
    ],
)
def test_version(asked, found):
    assert match_version("docker-ce", asked, AVAILABLE) == found


@pytest.mark.parametrize("asked", ["2", "28.50", "28.5.10", "27"])
def test_version_that_is_not_there(asked):
    with pytest.raises(HostError, match=rf"docker-ce {asked} is not available on this host; available are: 5:28\.5\.1"):
        match_version("docker-ce", asked, AVAILABLE)


def test_repository():
    assert docker_repository(host("debian", "13", "trixie"), "arm64", "", "stable", "/etc/apt/keyrings/docker.asc") == (
        "Types: deb\nURIs: https://download.docker.com/linux/debian\nSuites: trixie\nComponents: stable\n"
        "Architectures: arm64\nSigned-By: /etc/apt/keyrings/docker.asc\n"
    )
    mirror = docker_repository(host("ubuntu", "24.04", "noble"), "amd64", "https://mirror.example/docker", "test", "/k")
    assert "URIs: https://mirror.example/docker\nSuites: noble\nComponents: test\n" in mirror


def test_repository_of_the_rhel_family():
    assert docker_repository(host("rhel", "9.4"), "x86_64", "", "stable", "/etc/pki/rpm-gpg/docker.asc") == (
        "[docker-ce-stable]\nname=Docker CE stable\nbaseurl=https://download.docker.com/linux/rhel/9/$basearch/stable\nenabled=1\ngpgcheck=1\n"
        "gpgkey=file:///etc/pki/rpm-gpg/docker.asc\n"
    )
    assert "baseurl=https://download.docker.com/linux/centos/8/" in docker_repository(host("rocky", "8.10"), "x86_64", "", "stable", "/k")
    assert "baseurl=https://mirror.example/d/10/$basearch/test\n" in docker_repository(host("ol", "10.0"), "x86_64", "https://mirror.example/d/", "test", "/k")
