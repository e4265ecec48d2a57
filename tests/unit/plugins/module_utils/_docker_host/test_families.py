# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module engine as a whole on systems that are not at hand: from the request to the steps, in check mode on a fresh host."""

from __future__ import annotations

import pytest
from ansible_collections.dockhost.azure.plugins.module_utils._docker_host import extras, host, managers
from ansible_collections.dockhost.azure.plugins.module_utils._docker_host.host import Outcome, Request, converge
from ansible_collections.dockhost.azure.plugins.module_utils._docker_host.packages import Distribution, HostError
from ansible_collections.dockhost.azure.plugins.module_utils._docker_host.plan import Package

KEY = "-----BEGIN PGP PUBLIC KEY BLOCK-----\n"


class Fake(managers.Fixed):
    """A package manager with what is installed and what is offered."""

    def __init__(self, have=(), offered=()):
        self.have, self.offered = dict(have), dict(offered)

    def installed(self, names):
        return {name: Package(self.have[name]) for name in names if name in self.have}

    def candidates(self, names):
        return {name: self.offered[name][0] for name in names if name in self.offered}

    def versions(self, package):
        return list(self.offered.get(package, ()))

    def newer(self, version, than):
        return version > than


@pytest.fixture
def on(monkeypatch):
    """Let the module believe that it runs on a system."""

    def believe(name, version, dockerd=None, manager=None, active=False):
        monkeypatch.setattr(host.probe, "distribution", lambda: Distribution(name, version, "", f"{name} {version}"))
        monkeypatch.setattr(host.probe, "service", lambda: {"ActiveState": "active" if active else "inactive"})
        monkeypatch.setattr(host.probe, "dockerd", lambda: dockerd)
        monkeypatch.setattr(host.probe, "read", lambda path: None)
        monkeypatch.setattr(host.probe, "timer", lambda: False)
        monkeypatch.setattr(host.managers, "of", lambda tool, read: manager or Fake())
        monkeypatch.setattr(host.apply, "validate", lambda *given: None)
        monkeypatch.setattr(host, "Engine", type("Engine", (), {"version": lambda self: {"Version": "x"}}))

    return believe


def told(**request):
    outcome = Outcome()
    converge(Request(**request), True, outcome)
    return outcome, [f"{step['action']} {step['name']}" for step in outcome.plan]


def test_rhel_from_docker_s_repository(on):
    on("rhel", "9.4", manager=Fake({"podman-docker": "5"}, {"docker-ce": ("3:28.5.1-1.el9", "3:28.4.0-1.el9"), "docker-ce-cli": ("1:28.5.1-1.el9",)}))
    outcome, steps = told(source="docker", repository_key=KEY, version="28.5", hold=True, daemon_options={"log-driver": "local"})
    assert steps == [
        "write /etc/pki/rpm-gpg/docker.asc", "write /etc/yum.repos.d/docker-ce.repo", "remove podman-docker",
        "install docker-ce", "install docker-ce-cli", "install containerd.io", "install docker-compose-plugin", "install docker-buildx-plugin",
        "hold docker-ce", "hold docker-ce-cli", "hold containerd.io", "hold docker-compose-plugin", "hold docker-buildx-plugin",
        "write /etc/docker/daemon.json", "enable docker", "start docker",
    ]  # fmt: skip
    assert [step["detail"] for step in outcome.plan if step["name"] == "docker-ce"][0] == "3:28.5.1-1.el9" and not outcome.warnings


@pytest.mark.parametrize(
    "name, version, installs",
    [
        ("azurelinux", "3.0", "moby-engine docker-cli docker-compose docker-buildx"),
        ("fedora", "42", "moby-engine docker-cli docker-compose docker-buildx"),
        ("sles", "15.6", "docker docker-compose docker-buildx ca-certificates"),
    ],
)
def test_the_distribution_s_own_packages(on, name, version, installs):
    on(name, version)
    _outcome, steps = told()
    assert steps == [f"install {package}" for package in installs.split()] + ["enable docker", "start docker"]


def test_a_version_where_there_is_only_one_is_refused(on):
    on("flatcar", "4230.2.3", dockerd="/usr/bin/dockerd")
    with pytest.raises(HostError, match=r"version: flatcar 4230\.2\.3 has one engine only"):
        told(version="28")
    on("flatcar", "4230.2.3")
    with pytest.raises(HostError, match="has no Docker Engine, which is a part of the system there"):
        told()


def test_flatcar_is_configured_and_gets_compose_as_an_extension(on):
    url = "https://extensions.flatcar.org/extensions/docker-compose-2.40.2-x86-64.raw"
    compose = {"name": "docker-compose", "url": url, "checksum": "sha256:" + "a" * 64}
    on("flatcar", "4230.2.3", dockerd="/usr/bin/dockerd", active=True)
    outcome, steps = told(daemon_options={"hosts": ["unix:///var/run/docker.sock"]}, system_extensions=[compose])
    assert steps == [f"write {extras.DROP_IN}", "install docker-compose", "write /etc/docker/daemon.json", "enable docker", "restart docker"]
    assert [warning.split(";")[0] for warning in outcome.warnings] == ["flatcar 4230.2.3 has no Buildx plugin among its packages"]
    assert outcome.interrupts


def test_downgrade_only_when_asked(on):
    manager = Fake({"docker-ce": "3:28.5.1-1.el9"}, {"docker-ce": ("3:28.5.1-1.el9", "3:28.4.0-1.el9"), "docker-ce-cli": ("3:28.4.0-1.el9",)})
    on("rocky", "9.4", manager=manager, active=True)
    request = {"source": "docker", "repository_key": KEY, "version": "28.4", "compose": False, "buildx": False}
    with pytest.raises(HostError, match=r"docker-ce 3:28\.5\.1-1\.el9 is installed and 3:28\.4\.0-1\.el9 is older; set docker_allow_downgrade"):
        told(**request)
    outcome, steps = told(**request, allow_downgrade=True)
    assert "install docker-ce" in steps and outcome.interrupts


def test_a_new_data_root_is_refused_while_the_old_one_has_something(on, tmp_path, monkeypatch):
    on("debian", "13")
    (tmp_path / "volumes" / "keep").mkdir(parents=True)
    (tmp_path / "containers" / "c").mkdir(parents=True)
    monkeypatch.setattr(host, "_DATA_ROOT", str(tmp_path))
    with pytest.raises(HostError, match="has 1 container, 1 volume, which the engine would not find under /data"):
        told(daemon_options={"data-root": "/data"})
    _outcome, steps = told(daemon_options={"data-root": "/data"}, leave_data=True)
    assert f"write {extras.DROP_IN}" in steps  # the unit requires the mount
