# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Machines, extensions, deployments and the inventory by azure.azcollection, and what the lab holds afterwards."""

from __future__ import annotations

import json
import pathlib
from typing import Any

import pytest
from azcollection_client import Collection, Task, task
from azlab.testing import RunningLab

GROUP = {"resource_group": "hosts"}
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGq8Qz1mYtJb1h7hV6yTgYtT0uVZbqkz0fXo0s7oGJ5s lab"
MACHINE: dict[str, Any] = {
    **GROUP, "name": "one", "vm_size": "Standard_B2s", "admin_username": "azureuser", "ssh_password_enabled": False,
    "ssh_public_keys": [{"path": "/home/azureuser/.ssh/authorized_keys", "key_data": KEY}],
    "image": {"publisher": "Debian", "offer": "debian-13", "sku": "13-gen2", "version": "latest"},
    "managed_disk_type": "Standard_LRS", "virtual_network_name": "v", "subnet_name": "hosts", "open_ports": ["22"],
    "data_disks": [{"lun": 0, "name": "one-data", "disk_size_gb": 8, "managed_disk_type": "Standard_LRS"}], "tags": {"tier": "web"},
}
EXTENSION: dict[str, Any] = {**GROUP, "virtual_machine_name": "one", "name": "command",
                             "publisher": "Microsoft.Azure.Extensions", "virtual_machine_extension_type": "CustomScript",
                             "type_handler_version": "2.1", "settings": {"commandToExecute": "true"}}
TEMPLATE = json.loads((pathlib.Path(__file__).parent / "templates" / "application.json").read_text())


def machine(azure: RunningLab, name: str = "one") -> dict[str, Any]:
    """A machine as the lab shows it, with its instance view."""
    status, body, _headers = azure.arm("GET", f"resourceGroups/hosts/providers/Microsoft.Compute/virtualMachines/{name}?$expand=instanceView")
    assert status == 200, body
    return dict(body)


def power(azure: RunningLab) -> str:
    """The machine's power state, as C(running)."""
    states = [s["code"] for s in machine(azure)["properties"]["instanceView"]["statuses"]]
    return next(code.split("/")[1] for code in states if code.startswith("PowerState/"))


@pytest.fixture(scope="module")
def made(azcollection: Collection) -> dict[str, Any]:
    """A group with a network and one machine; the machine's interface, address and security group come from its module."""
    tasks: list[Task] = [
        task("group", "resourcegroup", name="hosts", location="westeurope"),
        task("network", "virtualnetwork", **GROUP, name="v", address_prefixes_cidr=["10.0.0.0/16"]),
        task("subnet", "subnet", **GROUP, name="hosts", virtual_network_name="v", address_prefix_cidr="10.0.1.0/24"),
        task("machine", "virtualmachine", **MACHINE),
    ]
    return azcollection.play(tasks)


def test_what_the_first_run_made(made: dict[str, Any], azure: RunningLab) -> None:
    properties = machine(azure)["properties"]
    assert properties["hardwareProfile"] == {"vmSize": "Standard_B2s"} and properties["storageProfile"]["imageReference"]["sku"] == "13-gen2"
    assert properties["osProfile"]["linuxConfiguration"]["ssh"]["publicKeys"][0]["keyData"] == KEY
    assert [(d["lun"], d["name"], d["diskSizeGB"]) for d in properties["storageProfile"]["dataDisks"]] == [(0, "one-data", 8)]
    assert power(azure) == "running"
    shown = made["machine"]["ansible_facts"]["azure_vm"]
    assert shown["name"] == "one" and shown["powerstate"] == "running" and shown["tags"]["tier"] == "web"
    # What the module makes beside the machine carries its name.
    kinds = sorted(r["type"].split("/")[1] for r in azure.arm("GET", "resourceGroups/hosts/resources")[1]["value"] if r["name"] == "one01")
    assert kinds == ["networkInterfaces", "networkSecurityGroups", "publicIPAddresses"]


def test_a_second_run_changes_nothing(made: dict[str, Any], azcollection: Collection) -> None:
    assert azcollection.changed([task("machine", "virtualmachine", **MACHINE)]) == []


def test_changes_are_made(made: dict[str, Any], azcollection: Collection, azure: RunningLab) -> None:
    changed = task("machine", "virtualmachine", **{**MACHINE, "vm_size": "Standard_B4ms", "tags": {"tier": "db"}})
    assert azcollection.changed([changed]) == ["machine"]
    shown = machine(azure)
    assert shown["properties"]["hardwareProfile"] == {"vmSize": "Standard_B4ms"} and shown["tags"]["tier"] == "db"
    stop = task("stop", "virtualmachine", **GROUP, name="one", allocated=False)
    assert azcollection.changed([stop]) == ["stop"] and power(azure) == "deallocated"
    start = task("start", "virtualmachine", **GROUP, name="one", started=True)
    assert azcollection.changed([start]) == ["start"] and power(azure) == "running"


def test_errors_are_those_of_azure(made: dict[str, Any], azcollection: Collection, azure: RunningLab) -> None:
    other = {**MACHINE, "name": "two", "data_disks": [], "network_interfaces": ["one01"]}
    del other["open_ports"]
    failed = azcollection.results([task("taken", "virtualmachine", **other)])["taken"]
    assert failed["failed"] and "NicInUse" in failed["msg"] and "/virtualMachines/one" in failed["msg"], failed["msg"]
    assert azure.arm("GET", "resourceGroups/hosts/providers/Microsoft.Compute/virtualMachines/two")[0] == 404


def test_inventory(made: dict[str, Any], azcollection: Collection, azure: RunningLab) -> None:
    address = azure.arm("GET", "resourceGroups/hosts/providers/Microsoft.Network/publicIPAddresses")[1]["value"][0]["properties"]["ipAddress"]
    for batch in (True, False):
        listed = azcollection.inventory(plain_host_names=True, batch_fetch=batch, include_vm_resource_groups=["hosts"],
                                        keyed_groups=[{"prefix": "tag", "key": "tags"}], batch_fetch_interval=1,
                                        conditional_groups={"up": "powerstate == 'running'"})
        found = listed["_meta"]["hostvars"]["one"]
        assert found["ansible_host"] == address and found["public_ipv4_address"] == [address]
        assert found["private_ipv4_addresses"][0].startswith("10.0.1.") and found["computer_name"] == "one"
        assert listed["up"]["hosts"] == ["one"] and listed[f"tag_tier_{machine(azure)['tags']['tier']}"]["hosts"] == ["one"]


def test_an_extension_without_a_machine_fails_and_says_why(made: dict[str, Any], azcollection: Collection, azure: RunningLab) -> None:
    """Extensions that really run are in test_azcollection_real_machines.py."""
    failed = azcollection.results([task("extension", "virtualmachineextension", **EXTENSION)])["extension"]
    assert failed["failed"] and "VMAgentStatusCommunicationError" in failed["msg"]
    unknown = {**EXTENSION, "name": "unknown", "virtual_machine_extension_type": "Nonsense"}
    refused = azcollection.results([task("extension", "virtualmachineextension", **unknown)])["extension"]
    assert refused["failed"] and "Nonsense" in refused["msg"]
    gone = task("extension", "virtualmachineextension", **GROUP, virtual_machine_name="one", name="command", state="absent")
    assert azcollection.changed([gone]) == ["extension"]
    assert azure.arm("GET", "resourceGroups/hosts/providers/Microsoft.Compute/virtualMachines/one/extensions")[1]["value"] == []


def test_deployment(made: dict[str, Any], azcollection: Collection, azure: RunningLab) -> None:
    deployment = {"resource_group": "templated", "name": "application", "location": "westeurope", "template": TEMPLATE,
                  "parameters": {"prefix": {"value": "app"}}, "wait_for_deployment_polling_period": 1}
    made_by = azcollection.play([task("deployment", "deployment", **deployment)])["deployment"]
    assert made_by["changed"] and made_by["deployment"]["outputs"], made_by
    names = {r["name"] for r in azure.arm("GET", "resourceGroups/templated/resources")[1]["value"]}
    assert {"app-vnet", "app-nic-0", "app-nic-1"} <= names
    failed = azcollection.results([task("deployment", "deployment", **{**deployment, "name": "broken", "parameters": {}})])["deployment"]
    assert failed["failed"] and "prefix" in failed["msg"]
    assert azcollection.changed([task("gone", "deployment", resource_group="templated", name="application", state="absent")]) == ["gone"]
    assert azure.arm("GET", "resourceGroups/templated/providers/Microsoft.Resources/deployments/application")[0] == 404


def test_delete_removes_what_the_module_made(made: dict[str, Any], azcollection: Collection, azure: RunningLab) -> None:
    gone = task("machine", "virtualmachine", **GROUP, name="one", state="absent", remove_on_absent=["all"])
    assert azcollection.changed([gone]) == ["machine"]
    assert [r["name"] for r in azure.arm("GET", "resourceGroups/hosts/resources")[1]["value"]] == ["v"]
    assert azcollection.changed([gone]) == []
