# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Managed run commands: resources whose scripts run, and what a lab that was killed makes of a script in flight."""
from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from azlab import testing
from labgroup import COMPUTE, Group
from localshell import LocalShell

VM = f"{COMPUTE}/virtualMachines/m"
COMMAND = f"{VM}/runCommands/c"


@pytest.fixture(scope="module")
def azure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[testing.RunningLab]:
    with testing.lab(driver=LocalShell(tmp_path_factory.mktemp("machine"))) as running:
        yield running


@pytest.fixture
def machine(group: Group) -> Group:
    group.vm("m", group.nic("n", group.vnet())["id"])
    return group


def command(script: str, **more: Any) -> dict[str, Any]:
    return {"location": "westeurope", "properties": {"source": {"script": script}, **more}}


def until(question: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not question():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def ended(group: Group, headers: dict[str, str]) -> dict[str, Any]:
    """The operation of a request, when it has ended."""
    url = headers["azure-asyncoperation"]
    until(lambda: group.azure.arm("GET", url)[1]["status"] != "InProgress")
    return dict(group.azure.arm("GET", url)[1])


def view(group: Group) -> dict[str, Any]:
    return dict(group.call("GET", f"{COMMAND}?$expand=instanceView")[1]["properties"]["instanceView"])


def test_a_script_runs_and_its_end_is_in_the_instance_view(machine: Group) -> None:
    status, body, headers = machine.call("PUT", COMMAND, command("echo out; echo err >&2; exit 3"))
    assert status == 201 and body["properties"]["provisioningState"] == "Creating" and "location" not in headers
    assert ended(machine, headers)["status"] == "Succeeded"     # the command was run: what the script said is another matter
    seen = view(machine)
    assert (seen["executionState"], seen["exitCode"], seen["output"], seen["error"]) == ("Failed", 3, "out\n", "err\n")
    assert seen["executionMessage"] == "Execution failed: command terminated with exit status=3"
    assert seen["startTime"] < seen["endTime"]
    shown = machine.call("GET", COMMAND)[1]
    assert "instanceView" not in shown["properties"] and shown["properties"]["timeoutInSeconds"] == 0
    assert machine.call("GET", f"{VM}/runCommands")[1]["value"] == [shown]


def test_a_script_that_fails_fails_the_deployment_when_asked_to(machine: Group) -> None:
    _, _, headers = machine.call("PUT", COMMAND, command("exit 3", treatFailureAsDeploymentFailure=True))
    operation = ended(machine, headers)
    assert operation["status"] == "Failed" and "exit status=3" in operation["error"]["message"]
    assert machine.call("GET", COMMAND)[1]["properties"]["provisioningState"] == "Failed"


def test_parameters_and_what_is_protected(machine: Group) -> None:
    parameters = [{"name": "who", "value": "it's me"}, {"name": "", "value": "first second"}]
    body = command("echo $who, $1, $2, $secret", parameters=parameters, protectedParameters=[{"name": "secret", "value": "s3cret-word"}])
    _, answer, headers = machine.call("PUT", COMMAND, body)
    ended(machine, headers)
    assert view(machine)["output"] == "it's me, first, second, s3cret-word\n"
    assert answer["properties"]["parameters"] == parameters and "protectedParameters" not in answer["properties"]
    assert "s3cret-word" not in str(machine.azure.admin.call("GET", "/operations")) + str(answer)


def test_patch_runs_it_again_and_keeps_the_rest(machine: Group) -> None:
    ended(machine, machine.call("PUT", COMMAND, command("echo one $a", parameters=[{"name": "a", "value": "1"}]))[2])
    status, body, headers = machine.call("PATCH", COMMAND, {"properties": {"source": {"script": "echo two $a"}}, "tags": {"t": "1"}})
    assert status == 200 and body["properties"]["provisioningState"] == "Updating" and body["tags"] == {"t": "1"}
    ended(machine, headers)
    assert view(machine)["output"] == "two 1\n"


def test_a_time_limit(machine: Group) -> None:
    ended(machine, machine.call("PUT", COMMAND, command("sleep 60", timeoutInSeconds=1))[2])
    assert (view(machine)["executionState"], view(machine)["exitCode"]) == ("TimedOut", -1)


def test_asynchronous_execution_ends_later_than_provisioning(machine: Group, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    _, _, headers = machine.call("PUT", COMMAND, command(f"until [ -e {gate} ]; do sleep 0.05; done; echo done", asyncExecution=True))
    assert ended(machine, headers)["status"] == "Succeeded"
    until(lambda: view(machine)["executionState"] == "Running")
    gate.touch()
    until(lambda: view(machine)["executionState"] == "Succeeded")
    assert view(machine)["output"] == "done\n"


def test_a_script_that_runs_ends_with_its_command(machine: Group, tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    _, _, headers = machine.call("PUT", COMMAND, command(f"sh -c 'echo $$ > {pid}; sleep 60'; true", asyncExecution=True))
    ended(machine, headers)
    until(lambda: pid.exists() and pid.read_text().endswith("\n"))
    assert Path(f"/proc/{pid.read_text().strip()}").exists()
    ended(machine, machine.call("DELETE", COMMAND)[2])
    until(lambda: not Path(f"/proc/{pid.read_text().strip()}").exists())


@pytest.mark.parametrize(("body", "status", "code"), [
    ({"location": "westeurope", "properties": {"source": {}}}, 400, "InvalidParameter"),
    ({"location": "westeurope", "properties": {"source": {"script": "a", "commandId": "b"}}}, 400, "InvalidParameter"),
    ({"location": "westeurope", "properties": {"source": {"scriptUri": "https://example.com/a.sh"}}}, 501, "NotImplementedByLab"),
    (command("true", outputBlobUri="https://example.com/a"), 501, "NotImplementedByLab"),
    (command("true", timeoutInSeconds="x"), 400, "InvalidParameter"), (command("true", sript="x"), 400, "BadRequest"),
])
def test_what_is_refused(machine: Group, body: dict[str, Any], status: int, code: str) -> None:
    assert machine.refused("PUT", COMMAND, body)[:2] == (status, code)
    assert machine.call("GET", f"{VM}/runCommands")[1]["value"] == []


def test_where_commands_are_and_how_they_go(machine: Group) -> None:
    body = command("true")
    assert machine.refused("PUT", COMMAND.replace("/m/", "/none/"), body)[1] == "ParentResourceNotFound"
    ended(machine, machine.call("PUT", COMMAND, body)[2])
    status, _, headers = machine.call("DELETE", COMMAND)
    assert status == 202 and ended(machine, headers)["status"] == "Succeeded"
    assert machine.call("GET", COMMAND)[0] == 404 and machine.call("DELETE", COMMAND)[0] == 204
    ended(machine, machine.call("PUT", COMMAND, body)[2])
    machine.call("POST", f"{VM}/deallocate")
    assert machine.refused("PUT", COMMAND, body)[:2] == (409, "OperationNotAllowed")
    machine.call("DELETE", VM)
    assert f"/{machine.name}/providers/microsoft.compute/virtualmachines/m/" not in str(list(machine.azure.arm("GET", "resources")[1])).lower()


def test_a_script_is_not_run_twice_when_the_lab_ends_meanwhile(tmp_path: Path) -> None:
    marks = tmp_path / "marks"
    script = f"echo run >> {marks}; sleep 2"
    with testing.lab(home=tmp_path, driver=LocalShell(tmp_path)) as azure:
        group = Group(azure, "twice")
        subnet = group.vnet()
        for name in "mno":
            group.vm(name, group.nic(f"nic-{name}", subnet)["id"])
        urls = [group.call("PUT", COMMAND, command(script))[2]["azure-asyncoperation"]]
        urls.append(group.call("POST", f"{COMPUTE}/virtualMachines/n/runCommand", {
            "commandId": "RunShellScript", "script": [script]})[2]["azure-asyncoperation"])
        urls.append(group.call("PUT", f"{COMPUTE}/virtualMachines/o/extensions/e", {"location": "westeurope", "properties": {
            "publisher": "Microsoft.Azure.Extensions", "type": "CustomScript", "typeHandlerVersion": "2.1",
            "settings": {"commandToExecute": script}}})[2]["azure-asyncoperation"])
        until(lambda: marks.exists() and marks.read_text().count("run") == 3)
    with testing.lab(home=tmp_path, driver=LocalShell(tmp_path)) as azure:
        group.azure = azure
        for url in urls:
            path = url.split("/subscriptions/", 1)[1].partition("/")[2]
            until(lambda path=path: azure.arm("GET", path)[1]["status"] != "InProgress")
            assert azure.arm("GET", path)[1]["error"]["code"] == "OperationInterrupted"
        assert view(group)["executionState"] == "Unknown"
        assert group.call("GET", COMMAND)[1]["properties"]["provisioningState"] == "Failed"
    assert marks.read_text().count("run") == 3
