# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""(wanted, observed) → plan, and that a plan once carried out leaves nothing to do."""

from __future__ import annotations

import pytest
from ansible_collections.dockhost.azure.plugins.module_utils._docker_host import daemon
from ansible_collections.dockhost.azure.plugins.module_utils._docker_host.plan import Observed, Package, Plan, Wanted, diff, plan, steps

OPTIONS = {"log-driver": "json-file"}
TEXT = daemon.text(OPTIONS)
WANTED = Wanted(packages={"docker.io": "", "docker-cli": ""}, companions=("ca-certificates",), daemon_options=OPTIONS, users=("anna",))
THERE = Observed(
    packages={"docker.io": Package("26.1"), "docker-cli": Package("26.1"), "ca-certificates": Package("2025")},
    daemon_json=TEXT,
    group_members=frozenset(("anna", "bob")),
    active=True,
    enabled=True,
)


def wanted(**changes):
    return Wanted(**{**WANTED.__dict__, **changes})


def observed(**changes):
    return Observed(**{**THERE.__dict__, **changes})


CASES = {
    "nothing to do": (WANTED, THERE, Plan()),
    "a fresh host": (
        WANTED,
        Observed(),
        Plan(
            install={"docker.io": "", "docker-cli": "", "ca-certificates": ""},
            daemon_json=TEXT,
            users=("anna",),
            enable=True,
            service="start",
        ),
    ),
    "blanks in the file do not matter": (WANTED, observed(daemon_json='{"log-driver":"json-file"}'), Plan()),
    "a file that is not ours to touch": (wanted(daemon_options=None), observed(daemon_json="{broken"), Plan()),
    "no file and no options": (wanted(daemon_options={}), observed(daemon_json=None), Plan()),
    "no file yet, the engine runs": (WANTED, observed(daemon_json=None), Plan(daemon_json=TEXT, service="restart")),
    "a broken file": (WANTED, observed(daemon_json="{"), Plan(daemon_json=TEXT, service="restart")),
    "reload": (
        wanted(daemon_options={**OPTIONS, "debug": True}),
        THERE,
        Plan(daemon_json=daemon.text({**OPTIONS, "debug": True}), service="reload"),
    ),
    "a restart that an interrupted run owes": (WANTED, observed(pending="restart"), Plan(service="restart")),
    "more than the reload that is owed": (
        wanted(daemon_options={"log-driver": "local"}),
        observed(pending="reload"),
        Plan(daemon_json=daemon.text({"log-driver": "local"}), service="restart"),
    ),
    "less than the restart that is owed": (
        wanted(daemon_options={**OPTIONS, "debug": True}),
        observed(pending="restart"),
        Plan(daemon_json=daemon.text({**OPTIONS, "debug": True}), service="restart"),
    ),
    "stopped": (WANTED, observed(active=False), Plan(service="start")),
    "not enabled": (WANTED, observed(enabled=False), Plan(enable=True)),
    "the version is right": (wanted(packages={"docker.io": "26.1"}), THERE, Plan()),
    "another version": (wanted(packages={"docker.io": "27.0"}), THERE, Plan(install={"docker.io": "27.0"})),
    "hold": (wanted(hold=True), THERE, Plan(hold=("docker.io", "docker-cli"))),
    "release": (wanted(hold=False), observed(packages={**THERE.packages, "docker.io": Package("26.1", True)}), Plan(unhold=("docker.io",))),
    "holds of others stay": (wanted(hold=None), observed(packages={**THERE.packages, "docker.io": Package("26.1", True)}), Plan()),
    "the other source's packages": (
        wanted(absent_packages=("docker-ce", "runc")),
        observed(packages={**THERE.packages, "docker-ce": Package("28")}),
        Plan(remove=("docker-ce",)),
    ),
    "a drop-in of the unit": (
        wanted(files={"/etc/systemd/system/docker.service.d/dockhost.conf": "x"}),
        THERE,
        Plan(files={"/etc/systemd/system/docker.service.d/dockhost.conf": "x"}, service="restart"),
    ),
    "a file that must go": (wanted(files={"/a": None}), observed(files={"/a": "x"}), Plan(files={"/a": None})),
    "a file that is gone": (wanted(files={"/a": None}), observed(files={"/a": None}), Plan()),
}


@pytest.mark.parametrize("case", CASES)
def test_plan(case):
    wish, is_, expected = CASES[case]
    assert plan(wish, is_) == expected


def carried_out(todo, is_):
    """The host after the plan, as a model."""
    packages = {name: package for name, package in is_.packages.items() if name not in todo.remove}
    packages.update((name, Package(version or "1")) for name, version in todo.install.items())
    for names, held in ((todo.unhold, False), (todo.hold, True)):
        packages.update((name, Package(packages[name].version, held)) for name in names)
    return Observed(
        packages=packages,
        daemon_json=is_.daemon_json if todo.daemon_json is None else todo.daemon_json,
        files={**is_.files, **todo.files},
        group_members=is_.group_members | set(todo.users),
        active=is_.active or todo.service == "start",
        enabled=is_.enabled or todo.enable,
    )


@pytest.mark.parametrize("case", CASES)
def test_nothing_is_left_to_do(case):
    wish, is_, _expected = CASES[case]
    after = carried_out(plan(wish, is_), is_)
    assert not plan(wish, after).changed


def test_steps_and_diff_tell_everything():
    todo = plan(wanted(hold=True), Observed())
    told = [(step["action"], step["name"]) for step in steps(todo)]
    assert told == [
        ("install", "docker.io"),
        ("install", "docker-cli"),
        ("install", "ca-certificates"),
        ("hold", "docker.io"),
        ("hold", "docker-cli"),
        ("write", "/etc/docker/daemon.json"),
        ("add to group docker", "anna"),
        ("enable", "docker"),
        ("start", "docker"),
    ]
    config, rest = diff(todo, Observed(), {"docker.io": "26.1.5"})
    assert (config["before"], config["after"]) == ("", TEXT)
    assert rest["before"] == "service docker not enabled\nservice docker stopped\n"
    assert "docker.io 26.1.5\ndocker-cli (newest)\n" in rest["after"]
    assert diff(Plan(), THERE, {}) == []
