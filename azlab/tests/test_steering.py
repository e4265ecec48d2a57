# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Latencies, faults, quota and throttling: in a file, on the command line, and at run time by the admin API and by `azlab`."""
from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from azlab import testing
from azlab.settings import SettingsError
from azlab.steering import assignments
from labgroup import COMPUTE, Group, vm_body

Run = Callable[..., "subprocess.CompletedProcess[str]"]
VM = f"{COMPUTE}/virtualMachines/m"


@pytest.fixture(scope="module")
def azlab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """The command, with a lab `steered` that was started with a file and with settings over it."""
    home = tmp_path_factory.mktemp("steered")
    env = {**{k: v for k, v in os.environ.items() if not k.startswith("AZ")}, "AZLAB_HOME": str(home), "AZLAB_NAME": "steered"}

    def run(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run([sys.executable, "-m", "azlab.cli", *arguments], env=env, input=stdin, capture_output=True,
                              text=True, timeout=60)
    file = home / "conditions.json"
    file.write_text('{"core_quota": 7, "page_size": 9, "faults": [{"path": "from-file", "status": 500}]}')
    up = run("up", "--config", str(file), "--set", "core_quota=8", "--set", "throttling=0.5", "--set", "jitter=0.1")
    assert up.returncode == 0, up.stderr
    yield run
    run("down")


def shown(azlab: Run) -> dict[str, Any]:
    return dict(json.loads(azlab("conditions").stdout))


def test_a_file_and_what_is_set_over_it_at_each_start(azlab: Run) -> None:
    for _start in range(2):
        seen = shown(azlab)
        assert (seen["core_quota"], seen["page_size"], seen["jitter"]) == (8, 9, 0.1)
        assert seen["throttling"] == {"on": True, "scale": 0.5}
        assert [rule["path"] for rule in seen["faults"]] == ["from-file"]
        azlab("down", "--keep")
        assert azlab("up").returncode == 0
    azlab("down", "--keep")
    azlab("up", "--set", "core_quota=")
    assert shown(azlab)["core_quota"] == 7


def test_conditions_change_at_run_time(azlab: Run) -> None:
    assert azlab("conditions", "latency_scale=0.5", "throttling=false", "provisioning_timeout=30").returncode == 0
    assert azlab("conditions", "-", stdin='{"page_size": 4}').returncode == 0
    seen = shown(azlab)
    assert (seen["latency_scale"], seen["page_size"], seen["provisioning_timeout"]) == (0.5, 4, 30)
    assert seen["throttling"]["on"] is False
    wrong = azlab("conditions", "core_kwota=1")
    assert wrong.returncode == 1 and "unknown condition 'core_kwota'" in wrong.stderr and "Traceback" not in wrong.stderr


def test_faults_at_run_time(azlab: Run, tmp_path: Path) -> None:
    azlab("faults", "remove", "all")
    (tmp_path / "rules").write_text('[{"path": "b", "cut": "after"}, {"path": "c", "delay": 1}]')
    first = azlab("faults", "add", '{"path": "a", "status": 503}').stdout.strip()
    others = azlab("faults", "add", str(tmp_path / "rules")).stdout.split()
    assert [rule["path"] for rule in json.loads(azlab("faults").stdout)] == ["a", "b", "c"]
    assert azlab("faults", "remove", first, others[0]).returncode == 0
    assert [rule["path"] for rule in json.loads(azlab("faults", "list").stdout)] == ["c"]
    for arguments, words in ((("add", '{"pth": "a"}'), "unknown field 'pth'"), (("remove", "99"), "there is no fault 99"),
                             (("add",), "give one rule"), (("remove",), "by their numbers"), (("add", "nothing"), "cannot be read")):
        wrong = azlab("faults", *arguments)
        assert wrong.returncode == 1 and words in wrong.stderr, wrong


def test_a_lab_that_does_not_run_is_named(azlab: Run) -> None:
    wrong = azlab("faults", "--name", "other")
    assert wrong.returncode == 1 and "there is no lab 'other'" in wrong.stderr


@pytest.mark.parametrize(("word", "value"), [("a=1", 1), ("a=true", True), ("a=x y", "x y"), ('a=[{"b": "c=d"}]', [{"b": "c=d"}]), ("a=", "")])
def test_values_are_json_or_text(word: str, value: Any) -> None:
    assert assignments([word]) == {"a": value}


@pytest.mark.parametrize("word", ["a", "=1", ""])
def test_what_is_no_assignment(word: str) -> None:
    with pytest.raises(SettingsError, match="KEY=VALUE"):
        assignments([word])


def test_what_is_shown_can_be_set_again_but_for_the_counters_of_faults(azure: testing.RunningLab) -> None:
    before = azure.admin.call("GET", "/conditions")
    azure.admin.call("POST", "/conditions", {**before, "faults": []})
    assert azure.admin.call("GET", "/conditions") == before
    with pytest.raises(RuntimeError, match="must not be negative"):
        azure.admin.call("POST", "/conditions", {"provisioning_timeout": -1})


def test_a_machine_that_came_up_too_late_for_azure_runs(group: Group) -> None:
    group.azure.admin.fault(path="create vm", operation={"code": "OSProvisioningTimedOut", "message": "not in time", "after": True})
    _, _, headers = group.call("PUT", VM, vm_body("m", group.nic("n", group.vnet())["id"]))
    assert group.azure.arm("GET", headers["azure-asyncoperation"])[1]["error"] == {
        "code": "OSProvisioningTimedOut", "message": "not in time"}
    view = group.call("GET", f"{VM}/instanceView")[1]
    assert [s["code"] for s in view["statuses"]] == ["ProvisioningState/failed/OSProvisioningTimedOut", "PowerState/running"]
    assert view["vmAgent"]["statuses"][0]["displayStatus"] == "Not Ready"
    group.call("POST", f"{VM}/restart")
    view = group.call("GET", f"{VM}/instanceView")[1]
    assert view["statuses"][0]["code"] == "ProvisioningState/succeeded" and view["vmAgent"]["statuses"][0]["displayStatus"] == "Ready"
