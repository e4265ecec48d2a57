# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Template deployments by the Azure CLI, with a template of the kind that people use."""

from __future__ import annotations

import json
import pathlib
from typing import Any

import pytest
from az_client import Az
from azlab.testing import RunningLab

GROUP = "deploy"
TEMPLATE = pathlib.Path(__file__).with_name("templates") / "application.json"
GIVEN = ("-g", GROUP, "-f", str(TEMPLATE), "-p", "prefix=lab", "password=hunter2hunter2")


@pytest.fixture(scope="module", autouse=True)
def group(az: Az) -> None:
    az.run("group", "create", "-n", GROUP, "-l", "westeurope")


@pytest.fixture(scope="module")
def deployed(az: Az, group: None) -> dict[str, Any]:
    """The deployment `app` as `az deployment group create` printed it."""
    return dict(az.json("deployment", "group", "create", "-n", "app", *GIVEN))


def resources(azure: RunningLab) -> set[str]:
    return {r["name"] for r in azure.arm("GET", f"resourceGroups/{GROUP}/resources")[1]["value"]}


def test_validation_and_what_if_make_nothing(az: Az, azure: RunningLab) -> None:
    validated = az.json("deployment", "group", "validate", *GIVEN)
    assert validated["error"] is None and validated["properties"]["provisioningState"] == "Succeeded"
    short = az.error("deployment", "group", "validate", "-g", GROUP, "-f", str(TEMPLATE), "-p", "prefix=l")
    assert "InvalidTemplate" in short and "Length of the value should be greater than or equal to '2'" in short
    changes = az.json("deployment", "group", "what-if", *GIVEN, "--no-pretty-print")["changes"]
    assert {c["changeType"] for c in changes} == {"Create"} and len(changes) >= 5
    assert "+ Microsoft.Network/networkInterfaces/lab-nic-0" in az.run("deployment", "group", "what-if", *GIVEN)
    assert resources(azure) == set()


def test_outputs_come_from_what_was_made(az: Az, azure: RunningLab, deployed: dict[str, Any]) -> None:
    outputs = {name: entry["value"] for name, entry in deployed["properties"]["outputs"].items()}
    assert deployed["properties"]["provisioningState"] == "Succeeded"
    assert outputs["addresses"] == ["10.0.0.4", "10.0.0.5"]
    assert outputs["blob"] == f"https://{outputs['account']}.blob.core.windows.net/"
    assert outputs["nsg"].endswith("/networkSecurityGroups/lab-nsg")
    assert resources(azure) == {"lab-vnet", "lab-nic-0", "lab-nic-1", "lab-nsg", outputs["account"]}


def test_secure_parameters_are_never_shown(az: Az, deployed: dict[str, Any]) -> None:
    shown = az.json("deployment", "group", "show", "-g", GROUP, "-n", "app")
    assert "hunter2" not in json.dumps([shown, deployed]) and shown["properties"]["parameters"]["prefix"]["value"] == "lab"


def test_deployments_and_their_operations_are_listed(az: Az, deployed: dict[str, Any]) -> None:
    assert {d["name"] for d in az.json("deployment", "group", "list", "-g", GROUP)} >= {"app", "inner"}
    operations = az.json("deployment", "operation", "group", "list", "-g", GROUP, "-n", "app")
    targets = {o["properties"]["targetResource"]["resourceName"] for o in operations if o["properties"].get("targetResource")}
    assert {"lab-vnet", "lab-nic-0", "lab-nic-1", "inner"} <= targets
    first = az.json("deployment", "operation", "group", "show", "-g", GROUP, "-n", "app", "--operation-ids",
                    operations[0]["operationId"])
    assert first[0]["id"] == operations[0]["id"]
    exported = az.json("deployment", "group", "export", "-g", GROUP, "-n", "app")
    assert exported["resources"] == json.loads(TEMPLATE.read_text())["resources"]


def test_the_same_again_changes_nothing_and_more_only_adds(az: Az, azure: RunningLab, deployed: dict[str, Any]) -> None:
    before = resources(azure)
    again = az.json("deployment", "group", "create", "-n", "app", *GIVEN)
    assert again["properties"]["outputs"] == deployed["properties"]["outputs"] and resources(azure) == before
    more = az.json("deployment", "group", "what-if", *GIVEN, "count=3", "--no-pretty-print", "--result-format", "ResourceIdOnly")
    created = [c["resourceId"].rsplit("/", 1)[1] for c in more["changes"] if c["changeType"] == "Create"]
    assert created == ["lab-nic-2"]


def test_what_a_template_cannot_have(az: Az, deployed: dict[str, Any], tmp_path: pathlib.Path) -> None:
    too_many = az.error("deployment", "group", "create", *GIVEN, "count=9")
    assert "InvalidTemplate" in too_many and "The value should be less than or equal to '4'" in too_many
    broken = tmp_path / "broken.json"
    template = json.loads(TEMPLATE.read_text())
    template["resources"][1]["dependsOn"] = ["[resourceId('Microsoft.Network/virtualNetworks', 'elsewhere')]"]
    broken.write_text(json.dumps(template))
    refused = az.error("deployment", "group", "create", "-g", GROUP, "-f", str(broken), "-p", "prefix=lab")
    assert "InvalidTemplate" in refused and "elsewhere" in refused


def test_a_resource_that_fails_is_named_by_the_deployment(az: Az, azure: RunningLab, tmp_path: pathlib.Path) -> None:
    template = json.loads(TEMPLATE.read_text())
    template["resources"] = [template["resources"][0]]
    template["resources"][0]["properties"]["subnets"][0]["properties"]["addressPrefix"] = "172.16.0.0/24"
    template["outputs"] = {}
    bad = tmp_path / "bad.json"
    bad.write_text(json.dumps(template))
    failed = az.error("deployment", "group", "create", "-g", GROUP, "-n", "bad", "-f", str(bad), "-p", "prefix=bad")
    assert "DeploymentFailed" in failed and "NetcfgSubnetRangeOutsideVnet" in failed
    assert az.json("deployment", "group", "show", "-g", GROUP, "-n", "bad", "--query", "properties.provisioningState") == "Failed"
    operation, = az.json("deployment", "operation", "group", "list", "-g", GROUP, "-n", "bad", "--query",
                         "[?properties.provisioningState=='Failed']")
    assert operation["properties"]["targetResource"]["resourceName"] == "bad-vnet"


def test_a_deployment_can_be_cancelled_and_forgotten(az: Az, azure: RunningLab) -> None:
    slow = ("-g", "slow", "-n", "slow")
    az.run("group", "create", "-n", "slow", "-l", "westeurope")
    azure.admin.latencies(overrides=[{"type": "Microsoft.Network/virtualNetworks", "method": "PUT", "seconds": 900}])
    try:
        az.run("deployment", "group", "create", *slow, "-f", str(TEMPLATE), "-p", "prefix=slow", "--no-wait")
        assert az.json("deployment", "group", "show", *slow, "--query", "properties.provisioningState") in ("Accepted", "Running")
        assert "(DeploymentActive)" in az.error("deployment", "group", "delete", *slow)
        az.run("deployment", "group", "cancel", *slow)
    finally:
        azure.admin.latencies(overrides=[])
    az.run("deployment", "group", "wait", *slow, "--custom", "properties.provisioningState=='Canceled'", "--interval", "1", "--timeout", "30")
    assert "(DeploymentCannotBeCancelled)" in az.error("deployment", "group", "cancel", *slow)
    az.run("deployment", "group", "delete", *slow)
    assert az.json("deployment", "group", "list", "-g", "slow") == []


def test_a_complete_deployment_removes_the_rest(az: Az, azure: RunningLab, deployed: dict[str, Any], tmp_path: pathlib.Path) -> None:
    template = json.loads(TEMPLATE.read_text())
    template.update(resources=[template["resources"][0]], outputs={})
    only = tmp_path / "only.json"
    only.write_text(json.dumps(template))
    az.run("deployment", "group", "create", "-g", GROUP, "-n", "only", "-f", str(only), "-p", "prefix=lab", "--mode", "Complete")
    assert resources(azure) == {"lab-vnet"}


def test_a_deployment_to_the_subscription_makes_a_group_and_what_is_in_it(az: Az, azure: RunningLab) -> None:
    given = ("-l", "northeurope", "-f", str(TEMPLATE.with_name("subscription.json")), "-p", "group=whole")
    assert az.json("deployment", "sub", "validate", *given)["properties"]["provisioningState"] == "Succeeded"
    planned = az.json("deployment", "sub", "what-if", *given, "--no-pretty-print")["changes"]
    assert [c["resourceId"].rsplit("/", 1)[1] for c in planned if c["changeType"] == "Create"] == ["whole", "nsg"]
    assert azure.arm("GET", "resourceGroups/whole")[0] == 404
    outputs = az.json("deployment", "sub", "create", "-n", "all", *given)["properties"]["outputs"]
    group = f"/subscriptions/{azure.subscription}/resourceGroups/whole"
    assert {n: o["value"] for n, o in outputs.items()} == {
        "group": group, "nsg": f"{group}/providers/Microsoft.Network/networkSecurityGroups/nsg"}
    made = azure.arm("GET", "resourceGroups/whole")[1]
    assert (made["location"], made["tags"]) == ("northeurope", {"made": "here"})
    assert [d["name"] for d in az.json("deployment", "sub", "list")] == ["all"]
    operations = az.json("deployment", "operation", "sub", "list", "-n", "all")
    assert [o["properties"]["targetResource"]["resourceName"] for o in operations if o["properties"].get("targetResource")] == ["whole", "inside"]
    assert "InvalidDeploymentLocation" in az.error("deployment", "sub", "create", "-n", "all", "-l", "westeurope", *given[2:])
    az.run("deployment", "sub", "delete", "-n", "all")
    assert az.json("deployment", "sub", "list") == [] and azure.arm("GET", "resourceGroups/whole")[0] == 200
