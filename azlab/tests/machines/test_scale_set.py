# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The instances of a scale set are hosts: they boot, run the extensions of the profile, are reached, and go."""
from __future__ import annotations

import asyncio
import base64
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from azlab import testing
from azlab.server import make_driver
from azlab.settings import Settings

sys.path.insert(0, str(Path(__file__).parents[1]))
from labgroup import COMPUTE, NET, Group, profile

pytestmark = pytest.mark.machines
RANGE = "198.51.100.128/26"        # no other lab of the tests takes it, so that all may run at once
SET = f"{COMPUTE}/virtualMachineScaleSets/web"
SCRIPT = {"name": "script", "properties": {
    "publisher": "Microsoft.Azure.Extensions", "type": "CustomScript", "typeHandlerVersion": "2.1",
    "protectedSettings": {"commandToExecute": "hostname > /root/ran"}}}


@pytest.fixture(scope="module")
def group(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Group]:
    with testing.lab("pytest-set", machines="docker", home=tmp_path_factory.mktemp("set"), public_range=RANGE) as azure:
        yield Group(azure, "set")
    asyncio.run(_destroy(azure.settings))


async def _destroy(settings: Settings) -> None:
    driver = make_driver(settings)
    await driver.destroy()
    await driver.close()


def finish(group: Group, method: str, path: str, body: Any = None) -> Any:
    """A request and its long-running operation, which must end well; what it gave."""
    status, answer, headers = group.call(method, path, body)
    assert status in (200, 201, 202), answer
    deadline = time.monotonic() + 180
    while True:
        state = group.azure.arm("GET", headers["azure-asyncoperation"])[1]
        if state["status"] != "InProgress":
            assert state["status"] == "Succeeded", state
            return state.get("properties", {}).get("output")
        assert time.monotonic() < deadline, state
        time.sleep(0.2)


def machines(group: Group) -> list[dict[str, Any]]:
    return list(group.call("GET", f"{COMPUTE}/virtualMachines")[1]["value"])


def says(group: Group, name: str, script: str) -> str:
    """What a script prints on a machine."""
    output = finish(group, "POST", f"{COMPUTE}/virtualMachines/{name}/runCommand", {"commandId": "RunShellScript", "script": [script]})
    return str(output["value"][0]["message"].split("[stdout]\n")[1].split("\n[stderr]")[0]).rstrip("\n")


def test_instances_are_hosts(group: Group, tmp_path: Path) -> None:
    key = tmp_path / "id"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    # Standard addresses let nobody in without a security group that says so.
    group.put(f"{NET}/networkSecurityGroups/ssh", {"securityRules": [{"name": "ssh", "properties": {
        "priority": 100, "direction": "Inbound", "access": "Allow", "protocol": "Tcp", "sourceAddressPrefix": "*", "sourcePortRange": "*",
        "destinationAddressPrefix": "*", "destinationPortRange": "22"}}]})
    subnet = group.vnet(networkSecurityGroup={"id": group.id(f"{NET}/networkSecurityGroups/ssh")})
    model = profile(subnet, publicIPAddressConfiguration={"name": "out", "properties": {}})
    user = model["osProfile"]
    user["linuxConfiguration"]["ssh"]["publicKeys"][0]["keyData"] = key.with_suffix(".pub").read_text()
    user["customData"] = base64.b64encode(b"#cloud-config\nwrite_files: [{path: /etc/marker, content: from the profile}]\n").decode()
    model["extensionProfile"] = {"extensions": [SCRIPT]}
    body = {"location": "westeurope", "sku": {"name": "Standard_B2s", "capacity": 2}, "properties": {
        "orchestrationMode": "Flexible", "virtualMachineProfile": model}}
    finish(group, "PUT", SET, body)
    made = machines(group)
    assert len(made) == 2
    for machine in made:
        host = machine["properties"]["osProfile"]["computerName"]
        assert says(group, machine["name"], "cat /root/ran; cat /etc/marker") == f"{host}\nfrom the profile"
    addresses = [a["properties"]["ipAddress"] for a in group.call("GET", f"{NET}/publicIPAddresses")[1]["value"]]
    hosts = {subprocess.run(["ssh", "-i", str(key), "-F", "/dev/null", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
                             "-o", "LogLevel=ERROR", "-o", "ConnectTimeout=10", "-o", "BatchMode=yes", f"azureuser@{address}", "hostname"],
                            capture_output=True, text=True, timeout=60, check=False).stdout.strip() for address in addresses}
    assert hosts == {m["properties"]["osProfile"]["computerName"] for m in made}

    finish(group, "PATCH", SET, {"sku": {"capacity": 1}})
    [left] = machines(group)
    assert says(group, left["name"], "hostname") == left["properties"]["osProfile"]["computerName"]
    found = subprocess.run(["docker", "ps", "-aq", "--filter", "name=pytest-set.*-vm-"], capture_output=True, text=True, check=True)
    assert len(found.stdout.split()) == 1
    finish(group, "DELETE", SET)
    assert machines(group) == []
    found = subprocess.run(["docker", "ps", "-aq", "--filter", "name=pytest-set.*-vm-"], capture_output=True, text=True, check=True)
    assert found.stdout == ""
