# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Docker extension: retired, broken or working, as the lab is told. What it does in a machine is tested in tests/integration."""
from __future__ import annotations

import base64
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from azlab import testing
from azlab.arm.compute import docker_extension
from azlab.machines.driver import CommandResult
from azlab.machines.none import NoMachines
from labgroup import COMPUTE, Group

EXT = f"{COMPUTE}/virtualMachines/m/extensions/docker"
TYPES = f"{COMPUTE}/locations/westeurope/publishers/Microsoft.Azure.Extensions/artifacttypes/vmextension/types"
PUBLIC = {"docker": {"port": "2376", "options": ["-D"]}, "compose": {"web": {"image": "w", "volumes": ["data:/d", "/a:/b"]}},
          "compose-environment": {"A": "it's"}}
PROTECTED = {"environment": {"B": "hidden"}, "login": {"username": "u", "password": "p w", "email": "e", "server": "r:5000"},
             "certs": {"ca": base64.b64encode(b"the ca").decode(), "cert": "no base64", "key": base64.b64encode(b"key").decode()}}


class Recorder(NoMachines):
    """Keeps the scripts and runs none: they would set up Docker on the machine of the tests."""

    def __init__(self) -> None:
        super().__init__()
        self.scripts: list[str] = []
        self.answer = CommandResult(0, "", "")

    async def run_command(self, machine_id: str, script: str, timeout: float) -> CommandResult:
        self.scripts.append(script)
        return self.answer


DRIVER = Recorder()


@pytest.fixture(scope="module")
def azure() -> Iterator[testing.RunningLab]:
    with testing.lab(driver=DRIVER) as running:
        yield running


@pytest.fixture
def machine(azure: testing.RunningLab, group: Group) -> Group:
    DRIVER.scripts.clear()
    DRIVER.answer = CommandResult(0, "", "")
    group.vm("m", group.nic("n", group.vnet())["id"])
    return group


def told(azure: testing.RunningLab, mode: str) -> None:
    azure.admin.call("POST", "/conditions", {"docker_extension": mode})


def wait(group: Group, answer: tuple[int, Any, dict[str, str]]) -> dict[str, Any]:
    status, body, headers = answer
    assert status in (200, 201, 202), body
    operation = group.azure.arm("GET", headers["azure-asyncoperation"])[1]
    while operation["status"] == "InProgress":
        operation = group.azure.arm("GET", headers["azure-asyncoperation"])[1]
    return operation


def put(group: Group, public: Any = None, protected: Any = None) -> dict[str, Any]:
    return wait(group, group.call("PUT", EXT, {"location": "westeurope", "properties": {
        "publisher": "Microsoft.Azure.Extensions", "type": "DockerExtension", "typeHandlerVersion": "1.2",
        "settings": public or {}, "protectedSettings": protected or {}}}))


def test_retired_it_is_no_type_any_more(azure: testing.RunningLab, machine: Group) -> None:
    told(azure, "retired")
    assert [t["name"] for t in azure.arm("GET", TYPES)[1]] == ["CustomScript"]
    assert azure.arm("GET", f"{TYPES}/DockerExtension/versions")[1]["error"]["code"] == "ArtifactNotFound"
    body = {"location": "westeurope", "properties": {"publisher": "Microsoft.Azure.Extensions", "type": "DockerExtension",
                                                     "typeHandlerVersion": "1.2"}}
    assert machine.refused("PUT", EXT, body)[:2] == (404, "ArtifactNotFound")


def test_broken_it_is_published_and_fails(azure: testing.RunningLab, machine: Group) -> None:
    told(azure, "broken")
    assert azure.arm("GET", f"{TYPES}/DockerExtension/versions")[1][-1]["name"] == "1.2.2"
    failed = put(machine)
    assert failed["error"]["code"] == "VMExtensionProvisioningError" and "Enable Docker failed" in failed["error"]["message"]
    assert DRIVER.scripts == []


def test_working_it_does_what_it_did(azure: testing.RunningLab, machine: Group) -> None:
    told(azure, "working")
    assert put(machine, PUBLIC, PROTECTED)["status"] == "Succeeded"
    shown = machine.call("GET", f"{EXT}?$expand=instanceView")[1]["properties"]
    assert shown["instanceView"]["statuses"][0]["message"] == "Enable Docker succeeded" and "hidden" not in str(shown)
    script = DRIVER.scripts[0]
    assert ("-H=fd:// --tlsverify --tlscacert=/etc/docker/ca.pem --tlscert=/etc/docker/cert.pem --tlskey=/etc/docker/key.pem "
            "-H=0.0.0.0:2376 -D") in script
    written = {path: base64.b64decode(text) for path, text in re.findall(r">(\S+) <<'END_OF_FILE'\n(.*)\nEND", script)}
    assert (written["/etc/docker/ca.pem"], written["/etc/docker/cert.pem"]) == (b"the ca", b"no base64")
    assert b'"network_mode": "bridge"' in written["/etc/docker/compose/docker-compose.yml"]
    assert "docker login --username=u '--password=p w' r:5000" in script and "export COMPOSE_PROJECT_NAME=compose" in script
    machine.call("DELETE", EXT)
    for _ in range(200):
        if machine.call("GET", EXT)[0] == 404:
            break
    assert "systemctl stop docker" in DRIVER.scripts[1] and "purge docker-engine" in DRIVER.scripts[1]


def test_a_failure_is_told_in_its_words(azure: testing.RunningLab, machine: Group) -> None:
    told(azure, "working")
    DRIVER.answer = CommandResult(1, "", "ERROR: 'docker login' failed\n")
    assert "Enable Docker failed: ERROR: 'docker login' failed" in put(machine)["error"]["message"]
    refused = put(machine, {"azure-environment": "Moon"})
    assert "Enable Docker failed: ERROR: invalid environment name: Moon" in refused["error"]["message"]


@pytest.mark.parametrize("public, words", [
    ({"docker": {"port": 2376}}, "cannot unmarshal number"), ({"docker": []}, "cannot unmarshal docker"),
    ({"docker": {"options": "-D"}}, "a list of strings"), ({"compose": "x"}, "cannot unmarshal compose"),
])
def test_settings_that_it_could_not_read(public: dict[str, Any], words: str) -> None:
    with pytest.raises(docker_extension.SettingsRefused, match=words):
        docker_extension.enable_script(public, {}, "u")


def test_another_word_is_no_condition(azure: testing.RunningLab) -> None:
    with pytest.raises(Exception, match="docker_extension is 'gone', but must be one of retired, broken, working"):
        told(azure, "gone")


@pytest.mark.parametrize("text", [docker_extension.enable_script(PUBLIC, PROTECTED, "u"), docker_extension.enable_script({}, {}, "u"),
                                  docker_extension.removal_script()])
def test_shellcheck_is_content(text: str, tmp_path: Path) -> None:
    (tmp_path / "s.sh").write_text(text)
    done = subprocess.run([str(Path(sys.executable).parent / "shellcheck"), "-s", "sh", str(tmp_path / "s.sh")], capture_output=True,
                          text=True, check=False)
    assert done.stdout == ""
