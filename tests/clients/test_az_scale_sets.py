# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Flexible scale sets by the Azure CLI, in a lab without machines."""

from __future__ import annotations

import json
import re
import subprocess
from typing import Any

import pytest
from az_client import Az
from azlab.testing import RunningLab

GROUP = "sets"
IMAGE = "Debian:debian-12:12-gen2:latest"
SET = ("-g", GROUP, "-n", "web")


@pytest.fixture(scope="module")
def login(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, ...]:
    """Options for a user with a new SSH key."""
    path = tmp_path_factory.mktemp("key") / "id"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True)
    return "--admin-username", "azureuser", "--ssh-key-values", f"{path}.pub"


@pytest.fixture(scope="module", autouse=True)
def web(az: Az, login: tuple[str, ...]) -> dict[str, Any]:
    """A set of three as `az vmss create` makes it with everything around it; what it printed."""
    az.run("group", "create", "-n", GROUP, "-l", "westeurope")
    made = az.json("vmss", "create", *SET, "--orchestration-mode", "Flexible", "--image", IMAGE, "--vm-sku", "Standard_B2s",
                   "--instance-count", "3", *login)
    return dict(made["VMSS"])


def machines(az: Az, of: str = "web") -> list[str]:
    return [m["name"] for m in az.json("vm", "list", "-g", GROUP)
            if str((m["virtualMachineScaleSet"] or {}).get("id", "")).lower().endswith(f"/virtualmachinescalesets/{of}")]


def test_a_set_makes_ordinary_machines(az: Az, azure: RunningLab, web: dict[str, Any]) -> None:
    assert (web["orchestrationMode"], web["provisioningState"]) == ("Flexible", "Succeeded")
    shown = az.json("vmss", "show", *SET)
    assert (shown["sku"]["name"], shown["sku"]["capacity"], shown["uniqueId"]) == ("Standard_B2s", 3, web["uniqueId"])
    assert [s["name"] for s in az.json("vmss", "list", "-g", GROUP)] == ["web"]
    made = machines(az)
    assert len(made) == 3 and all(re.fullmatch("web_[0-9a-f]{8}", name) for name in made)
    assert sorted(i["name"] for i in az.json("vmss", "list-instances", *SET)) == sorted(made)
    details = [m for m in az.json("vm", "list", "-d", "-g", GROUP) if m["name"] in made]
    assert {m["powerState"] for m in details} == {"VM running"} and len({m["privateIps"] for m in details}) == 3
    pool, = azure.arm("GET", f"resourceGroups/{GROUP}/providers/Microsoft.Network/loadBalancers/webLB")[1]["properties"]["backendAddressPools"]
    assert len(pool["properties"]["backendIPConfigurations"]) == 3


def test_scaling(az: Az, azure: RunningLab) -> None:
    before = machines(az)
    azure.admin.clear_requests()
    assert az.json("vmss", "scale", *SET, "--new-capacity", "5")["sku"]["capacity"] == 5
    assert len(azure.admin.requests(method="PUT")) + len(azure.admin.requests(method="PATCH")) == 1
    assert set(before) < set(machines(az)) and len(machines(az)) == 5
    assert az.json("vmss", "scale", *SET, "--new-capacity", "2")["sku"]["capacity"] == 2
    left = machines(az)
    assert len(left) == 2
    interfaces = azure.arm("GET", f"resourceGroups/{GROUP}/providers/Microsoft.Network/networkInterfaces")[1]["value"]
    assert len(interfaces) == 2, "interfaces go with their machines"
    refused = az.error("vmss", "scale", *SET, "--new-capacity", "1001")
    assert "1001" in refused and machines(az) == left


def test_power_of_all_and_of_one(az: Az) -> None:
    def states() -> dict[str, str]:
        return {m["name"]: m["powerState"] for m in az.json("vm", "list", "-d", "-g", GROUP) if m["name"] in machines(az)}
    for verb, said in (("deallocate", "VM deallocated"), ("start", "VM running"), ("stop", "VM stopped"), ("start", "VM running"),
                       ("restart", "VM running")):
        az.run("vmss", verb, *SET)
        assert set(states().values()) == {said}, verb
    one, other = machines(az)
    az.run("vm", "deallocate", "-g", GROUP, "-n", one)
    assert states() == {one: "VM deallocated", other: "VM running"}
    counts = {s["code"]: s["count"] for s in az.json("vmss", "get-instance-view", *SET)["virtualMachine"]["statusesSummary"]}
    assert counts["PowerState/running"] == 1 and counts["PowerState/deallocated"] == 1
    az.run("vm", "start", "-g", GROUP, "-n", one)


def test_changes_of_a_set(az: Az) -> None:
    assert az.json("vmss", "update", *SET, "--set", "tags.stage=prod")["tags"]["stage"] == "prod"
    az.run("vmss", "extension", "set", "-g", GROUP, "--vmss-name", "web", "-n", "CustomScript", "--publisher", "Microsoft.Azure.Extensions",
           "--version", "2.1", "--protected-settings", json.dumps({"commandToExecute": "echo s3cret"}))
    listed = az.json("vmss", "extension", "list", "-g", GROUP, "--vmss-name", "web")
    assert [e["name"] for e in listed] == ["CustomScript"] and "s3cret" not in json.dumps([listed, az.json("vmss", "show", *SET)])
    az.run("vmss", "extension", "delete", "-g", GROUP, "--vmss-name", "web", "-n", "CustomScript")
    assert not az.json("vmss", "extension", "list", "-g", GROUP, "--vmss-name", "web")
    assert "is not allowed" in az.error("vmss", "update", *SET, "--set", "platformFaultDomainCount=2")


def test_a_set_without_a_profile_takes_machines_of_their_own(az: Az, login: tuple[str, ...]) -> None:
    az.run("vmss", "create", "-g", GROUP, "-n", "plain", "--orchestration-mode", "Flexible", "--platform-fault-domain-count", "1")
    assert az.json("vmss", "show", "-g", GROUP, "-n", "plain").get("virtualMachineProfile") is None
    az.run("vm", "create", "-g", GROUP, "-n", "member", "--vmss", "plain", "--image", IMAGE, "--size", "Standard_B2s",
           "--public-ip-address", "", "--nsg", "", *login)
    assert machines(az, "plain") == ["member"] == [i["name"] for i in az.json("vmss", "list-instances", "-g", GROUP, "-n", "plain")]
    az.run("vm", "delete", "-g", GROUP, "-n", "member", "--yes")
    az.run("network", "nic", "delete", "-g", GROUP, "-n", "memberVMNic")       # it was made for itself, and stays
    az.run("vmss", "delete", "-g", GROUP, "-n", "plain")
    assert [s["name"] for s in az.json("vmss", "list", "-g", GROUP)] == ["web"]


def test_deletes_in_the_wrong_order_and_in_the_right_one(az: Az) -> None:
    one, other = machines(az)
    az.run("vmss", "delete-instances", *SET, "--instance-ids", one)
    assert machines(az) == [other] and az.json("vmss", "show", *SET)["sku"]["capacity"] == 1
    refused = az.error("network", "vnet", "delete", "-g", GROUP, "-n", "webVNET")
    assert "(InUseSubnetCannotBeDeleted)" in refused and "/networkInterfaces/web" in refused
    az.run("vmss", "delete", *SET)
    assert machines(az) == [] and az.json("vmss", "list", "-g", GROUP) == []
    for what in (("lb", "webLB"), ("vnet", "webVNET")):
        az.run("network", what[0], "delete", "-g", GROUP, "-n", what[1])
    assert "(ResourceNotFound)" in az.error("vmss", "show", *SET)


def test_uniform_sets_are_refused_with_a_reason(az: Az, login: tuple[str, ...]) -> None:
    refused = az.error("vmss", "create", "-g", GROUP, "-n", "uniform", "--orchestration-mode", "Uniform", "--image", IMAGE, "--vm-sku",
                       "Standard_B2s", *login)
    assert "NotImplementedByLab" in refused and "Flexible" in refused
