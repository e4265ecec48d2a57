# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CustomScript: its settings, the script that the machine runs, what Azure shows of it."""
from __future__ import annotations

import base64
import gzip
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from azlab import testing
from azlab.arm.compute import custom_script
from labgroup import COMPUTE, Group
from localshell import LocalShell

EXT = f"{COMPUTE}/virtualMachines/m/extensions/script"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("machine")


@pytest.fixture(scope="module")
def azure(root: Path) -> Iterator[testing.RunningLab]:
    with testing.lab(driver=LocalShell(root)) as running:
        yield running


@pytest.fixture
def machine(group: Group) -> Group:
    group.vm("m", group.nic("n", group.vnet())["id"])
    return group


def extension(public: dict[str, Any] | None = None, protected: dict[str, Any] | None = None,
              **more: Any) -> dict[str, Any]:
    properties: dict[str, Any] = {"publisher": "Microsoft.Azure.Extensions", "type": "CustomScript",
                                  "typeHandlerVersion": "2.1", "autoUpgradeMinorVersion": True, **more}
    if public is not None:
        properties["settings"] = public
    if protected is not None:
        properties["protectedSettings"] = protected
    return {"location": "westeurope", "properties": properties}


def run(group: Group, body: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """(operation, extension with its instance view) of a PUT."""
    status, answer, headers = group.call("PUT", EXT, body)
    assert status in (200, 201), answer
    operation = group.azure.arm("GET", headers["azure-asyncoperation"])[1]
    while operation["status"] == "InProgress":
        operation = group.azure.arm("GET", headers["azure-asyncoperation"])[1]
    return operation, group.call("GET", f"{EXT}?$expand=instanceView")[1]


def test_a_command_runs_and_its_output_is_shown(machine: Group) -> None:
    operation, shown = run(machine, extension({"commandToExecute": "echo to-out; echo to-err >&2"}))
    assert operation["status"] == "Succeeded"
    status = shown["properties"]["instanceView"]["statuses"][0]
    assert status["code"] == "ProvisioningState/succeeded"
    assert status["message"] == "Enable succeeded: \n[stdout]\nto-out\n\n[stderr]\nto-err\n"
    view = machine.call("GET", f"{COMPUTE}/virtualMachines/m/instanceView")[1]
    assert view["extensions"][0]["statuses"] == [status]
    assert machine.call("GET", f"{COMPUTE}/virtualMachines/m")[1]["resources"][0]["name"] == "script"


def test_a_command_that_fails(machine: Group) -> None:
    operation, shown = run(machine, extension(protected={"commandToExecute": "echo why >&2; exit 3"}))
    assert operation["status"] == "Failed" and operation["error"]["code"] == "VMExtensionProvisioningError"
    assert "command terminated with exit status=3\n[stdout]\n\n[stderr]\nwhy\n" in operation["error"]["message"]
    assert shown["properties"]["provisioningState"] == "Failed"


def test_protected_settings_are_never_shown(machine: Group) -> None:
    _, shown = run(machine, extension(protected={"commandToExecute": "true # s3cret-word"}))
    assert "s3cret-word" not in str(shown) and "protectedSettings" not in str(shown)
    assert "s3cret-word" not in str(machine.azure.admin.call("GET", "/operations"))


def test_one_configuration_runs_once(machine: Group, root: Path) -> None:
    counter = root / machine.name
    body = extension({"commandToExecute": f"echo run >> {counter}"})
    run(machine, body)
    status, _, headers = machine.call("PUT", EXT, body)
    assert status == 200 and "azure-asyncoperation" not in headers
    assert counter.read_text().count("run") == 1
    run(machine, extension({"commandToExecute": f"echo run >> {counter}"}, forceUpdateTag="2"))
    assert counter.read_text().count("run") == 2


@pytest.mark.parametrize("pack", [lambda b: b, gzip.compress])
def test_scripts(machine: Group, root: Path, pack: Any) -> None:
    script = base64.b64encode(pack(b"#!/bin/sh\necho from script in $(basename $PWD)\n")).decode()
    operation, shown = run(machine, extension({"script": script}))
    assert operation["status"] == "Succeeded", operation
    assert "[stdout]\nfrom script in 0\n" in shown["properties"]["instanceView"]["statuses"][0]["message"]
    assert (root / "var/lib/waagent/custom-script/download/0/stdout").read_text() == "from script in 0\n"
    assert "executed command" in (root / "var/log/azure/custom-script/handler.log").read_text()


@pytest.mark.parametrize(("public", "protected", "words"), [
    ({}, {}, "either 'commandToExecute' or 'script'"), ({"commandToExecute": "a", "script": "YQ=="}, {}, "both"),
    ({"commandToExecute": "a"}, {"commandToExecute": "b"}, "both in public and protected"),
    ({"nonsense": 1, "commandToExecute": "a"}, {}, "Additional property nonsense"),
    ({"managedIdentity": {}, "commandToExecute": "a"}, {}, "Additional property managedIdentity"),
    ({"commandToExecute": "a"}, {"timestamp": 1}, "Additional property timestamp"),
    ({"script": "%"}, {}, "base64"), ({"commandToExecute": "a", "fileUris": ["x"]}, {}, "fileUris"),
    ({"script": base64.b64encode(b"x" * 262145).decode()}, {}, "too large"),
])
def test_settings_that_the_handler_refuses(public: dict[str, Any], protected: dict[str, Any], words: str) -> None:
    with pytest.raises(custom_script.SettingsRefused, match=words):
        custom_script.validate(public, protected)


def test_only_the_last_four_kilobytes_are_shown(machine: Group) -> None:
    _, shown = run(machine, extension({"commandToExecute": "seq 1 5000"}))
    message = shown["properties"]["instanceView"]["statuses"][0]["message"]
    assert 4096 < len(message) < 4200 and message.endswith("\n5000\n\n[stderr]\n")


def test_rules_of_extensions(machine: Group) -> None:
    body = extension({"commandToExecute": "true"})
    run(machine, body)
    other = EXT.replace("/script", "/other")
    assert machine.refused("PUT", other, body)[:2] == (400, "BadRequest")
    assert machine.refused("PUT", other, extension(type="Nothing"))[:2] == (404, "ArtifactNotFound")
    assert machine.refused("PUT", other, extension(typeHandlerVersion="9.9"))[:2] == (404, "ArtifactVersionNotFound")
    assert machine.refused("PUT", EXT, extension(type="DockerExtension", typeHandlerVersion="1.2"))[1] == \
        "PropertyChangeNotAllowed"
    machine.call("POST", f"{COMPUTE}/virtualMachines/m/powerOff")
    assert machine.refused("PUT", EXT, body)[:2] == (409, "OperationNotAllowed")
    machine.call("POST", f"{COMPUTE}/virtualMachines/m/start")
    assert machine.call("DELETE", EXT)[0] == 202
    assert machine.refused("GET", EXT)[:2] == (404, "ResourceNotFound")


def test_a_group_with_extensions_is_deleted_at_once(machine: Group) -> None:
    run(machine, extension({"commandToExecute": "true"}))
    _, _, headers = machine.call("DELETE", "")
    began = time.monotonic()
    while machine.azure.arm("GET", headers["location"])[0] == 202 and time.monotonic() - began < 10:
        time.sleep(0.05)
    assert machine.call("GET", "")[0] == 404
    assert f"/{machine.name}/" not in str(machine.azure.arm("GET", "resources")[1])


def test_run_command(machine: Group) -> None:
    _, _, headers = machine.call("POST", f"{COMPUTE}/virtualMachines/m/runCommand", {
        "commandId": "RunShellScript", "script": ["echo \"$who and $1\"", "exit 7"],
        "parameters": [{"name": "who", "value": "it's me"}]})
    status, body, _ = machine.azure.arm("GET", headers["location"])
    assert (status, body["value"][0]["code"]) == (200, "ProvisioningState/succeeded")
    assert body["value"][0]["message"] == "Enable succeeded: \n[stdout]\nit's me and it's me\n\n[stderr]\n"


def test_files_of_the_command_have_the_usual_mode_and_those_of_the_handler_are_roots_alone(tmp_path: Path) -> None:
    script = custom_script.wrapper(0, f"echo s3cret; : > {tmp_path}/made", None, root=str(tmp_path))
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "s3cret\n"
    kept = tmp_path / "var/lib/waagent/custom-script/download/0"
    assert [oct(f.stat().st_mode & 0o777) for f in (tmp_path / "made", kept / "stdout", kept)] == ["0o644", "0o600", "0o700"]
