# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""dnf, tdnf and zypper: what is asked of them, and what is made of their answers."""

from __future__ import annotations

import pytest
from ansible_collections.dockhost.azure.plugins.module_utils._docker_host import rpm
from ansible_collections.dockhost.azure.plugins.module_utils._docker_host.command import Result
from ansible_collections.dockhost.azure.plugins.module_utils._docker_host.packages import HostError
from ansible_collections.dockhost.azure.plugins.module_utils._docker_host.plan import Package

QUERY = "docker-ce\t3:28.5.0-1.el9\ndocker-ce-cli\t1:28.5.0-1.el9\npackage podman is not installed\ncontainerd.io\t0:1.7.28-1.el9\n"
REPOQUERY = "docker-ce\t3:28.5.0-1.el9\n\ndocker-ce\t3:28.10.0-1.el9\n\ndocker-ce\t3:28.9.1-1.el9\n"
LIST = (
    "docker-cli.x86_64      25.0.3-1.azl3      azurelinux-official-base\n"
    "docker-cli.x86_64      25.0.3-4.azl3      azurelinux-official-base\n"
    "a line of another kind\n"
)
ZYPPER = """<?xml version='1.0'?><stream><search-result version="0.0"><solvable-list>
<solvable status="not-installed" name="docker" kind="package" edition="28.3.3_ce-150000.230.1" arch="x86_64" repository="SLE-Module-Containers15-SP7-Updates"/>
<solvable status="not-installed" name="docker" kind="srcpackage" edition="99" arch="noarch" repository="x"/>
<solvable status="not-installed" name="docker" kind="package" edition="27.5.1_ce-150000.218.1" arch="x86_64" repository="x"/>
</solvable-list></search-result></stream>"""


@pytest.fixture
def commands(monkeypatch):
    """What is run, and answers by the first words that fit."""
    seen, answers = [], {}

    def run(*argv, timeout=60, environment=None):
        seen.append(" ".join(argv))
        for start, answer in answers.items():
            if " ".join(argv).startswith(start):
                return answer.pop(0) if isinstance(answer, list) else answer
        return Result(0, "", "")

    def check(*argv, **more):
        assert run(*argv).code == 0
        return ""

    monkeypatch.setattr(rpm, "run", run)
    monkeypatch.setattr(rpm, "check", check)
    monkeypatch.setattr(rpm.time, "sleep", lambda seconds: None)
    return seen, answers


def manager(tool, files=()):
    return rpm.Rpm(tool, dict(files).get)


@pytest.mark.parametrize(
    "newer, older",
    [
        ("28.10.0-1.el9", "28.9.1-1.el9"),
        ("3:1.0-1", "2.0-1"),
        ("1.0-2", "1.0-1"),
        ("1.0.1-1", "1.0-1"),
        ("1.0-1", "1.0~rc1-1"),
        ("1.0^git1-1", "1.0-1"),
        ("1.1-1", "1.0a-1"),
        ("1.0a-1", "1.0-1"),
        ("2.5-1", "2.05-1"),
    ],
)
def test_order_of_versions(newer, older):
    if newer == "2.5-1":
        assert rpm.sort_key(newer) == rpm.sort_key(older)  # leading zeros do not count
        return
    assert rpm.sort_key(newer) > rpm.sort_key(older)
    assert manager("dnf").newer(newer, older) and not manager("dnf").newer(older, newer)


@pytest.mark.parametrize(
    "tool, path, text",
    [
        ("dnf", "/etc/dnf/plugins/versionlock.list", "# Added lock\ndocker-ce-3:28.5.0-1.el9.*\n!other-0:1.0-1.*\n"),
        ("dnf", "/etc/dnf/versionlock.toml", '[[packages]]\nname = "docker-ce"\n[[packages.conditions]]\nkey = "evr"\n'),
        ("zypper", "/etc/zypp/locks", "\ntype: package\nmatch_type: glob\ncase_sensitive: on\nsolvable_name: docker-ce\n"),
    ],
)
def test_installed_and_held(commands, tool, path, text):
    commands[1]["rpm -q"] = Result(1, QUERY, "")
    assert manager(tool, {path: text}).installed(("docker-ce", "docker-ce-cli", "podman", "containerd.io")) == {
        "docker-ce": Package("3:28.5.0-1.el9", held=True),
        "docker-ce-cli": Package("1:28.5.0-1.el9"),
        "containerd.io": Package("1.7.28-1.el9"),
    }


@pytest.mark.parametrize(
    "tool, command, answer, name, versions",
    [
        ("dnf", "dnf -q repoquery", REPOQUERY, "docker-ce", ["3:28.10.0-1.el9", "3:28.9.1-1.el9", "3:28.5.0-1.el9"]),
        ("tdnf", "tdnf -q list", LIST, "docker-cli", ["25.0.3-4.azl3", "25.0.3-1.azl3"]),
        ("zypper", "zypper -q --non-interactive --xmlout search", ZYPPER, "docker", ["28.3.3_ce-150000.230.1", "27.5.1_ce-150000.218.1"]),
    ],
)
def test_offered(commands, tool, command, answer, name, versions):
    commands[1][command] = Result(0, answer, "")
    assert manager(tool).versions(name) == versions
    assert manager(tool).candidates((name,)) == {name: versions[0]}


def test_nothing_offered(commands):
    assert manager("zypper").versions("docker") == [] and manager("dnf").candidates(("docker",)) == {}


@pytest.mark.parametrize(
    "tool, expected",
    [
        ("dnf", ["dnf -q -y remove podman-docker", "dnf -q -y --setopt=install_weak_deps=False install docker-ce-3:28.5.0-1.el9 docker-compose-plugin"]),
        ("tdnf", ["tdnf -q -y remove podman-docker", "rpm -q", "tdnf -q -y downgrade docker-ce-3:28.5.0-1.el9", "tdnf -q -y install docker-compose-plugin"]),
        (
            "zypper",
            [
                "zypper -q --non-interactive remove podman-docker",
                "zypper -q --non-interactive --gpg-auto-import-keys install --no-recommends --oldpackage docker-ce=3:28.5.0-1.el9 docker-compose-plugin",
            ],
        ),
    ],
)
def test_install_of_an_older_version(commands, tool, expected):
    commands[1]["rpm -q"] = Result(0, "docker-ce\t3:28.6.0-1.el9\n", "")
    manager(tool).install({"docker-ce": "3:28.5.0-1.el9", "docker-compose-plugin": ""}, ("podman-docker",), 10)
    ran = [command for command in commands[0] if not (tool == "dnf" and command.startswith("rpm"))]
    assert len(ran) == len(expected) and all(command.startswith(start) for command, start in zip(ran, expected)), ran


def test_it_waits_for_the_lock_and_then_tells_whose_fault_it_was(commands):
    locked = Result(7, "", "System management is locked by the application with pid 4711 (zypper).")
    commands[1]["zypper"] = [locked, Result(0, "", "")]
    manager("zypper").remove(("docker",), 60)
    assert len(commands[0]) == 2
    commands[1]["zypper"] = locked
    with pytest.raises(HostError, match=r"failed \(7\): System management is locked by the application with pid 4711"):
        manager("zypper").remove(("docker",), 0)


def test_zypper_s_hints_are_no_failures(commands):
    commands[1]["zypper"] = Result(102, "", "reboot needed")
    manager("zypper").install({"docker": ""}, (), 0)


def test_hold(commands):
    commands[1]["dnf -q versionlock"] = [Result(1, "", "No such command: versionlock"), Result(0, "", "")]
    manager("dnf").mark("hold", ("docker-ce",), 10)
    assert commands[0] == ["dnf -q versionlock add docker-ce", "dnf -q -y install dnf-command(versionlock)", "dnf -q versionlock add docker-ce"]
    manager("zypper").mark("unhold", ("docker",), 10)
    assert commands[0][-1] == "zypper -q --non-interactive removelock docker"
    with pytest.raises(HostError, match="tdnf cannot hold packages"):
        manager("tdnf").mark("hold", ("moby-engine",), 10)
