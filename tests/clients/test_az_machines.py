# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Virtual machines by the Azure CLI, in a lab without machines: what it prints, and what the lab holds afterwards."""

from __future__ import annotations

import base64
import pathlib
import subprocess
from typing import Any

import pytest
from az_client import Az
from azlab.testing import RunningLab

GROUP = "vms"
IMAGE = "Debian:debian-12:12-gen2:latest"
CLOUD_INIT = "#cloud-config\nruncmd: [touch /etc/ran]\n"


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """The public half of a new SSH key."""
    path = tmp_path_factory.mktemp("key") / "id"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True)
    return path.with_suffix(".pub")


def create(az: Az, key: pathlib.Path, name: str, *more: str, image: str = IMAGE) -> Any:
    return az.json("vm", "create", "-g", GROUP, "-n", name, "--image", image, "--size", "Standard_B2s", "--admin-username", "azureuser",
                   *(() if "--ssh-key-name" in more else ("--ssh-key-values", str(key))), *more)


@pytest.fixture(scope="module")
def one(az: Az, key: pathlib.Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """One machine as `az vm create` makes it with everything around it; what it printed."""
    data = tmp_path_factory.mktemp("data") / "cloud-init.yml"
    data.write_text(CLOUD_INIT)
    az.run("group", "create", "-n", GROUP, "-l", "westeurope")
    return dict(create(az, key, "one", "--custom-data", str(data), "--tags", "role=web"))


def arm(azure: RunningLab, path: str, **query: str) -> dict[str, Any]:
    options = "?" + "&".join(f"${k}={v}" for k, v in query.items()) if query else ""
    status, body, _headers = azure.arm("GET", f"resourceGroups/{GROUP}/providers/{path}{options}")
    assert status == 200, body
    return dict(body)


def vm(azure: RunningLab, name: str = "one") -> dict[str, Any]:
    return arm(azure, f"Microsoft.Compute/virtualMachines/{name}")


def power(azure: RunningLab, name: str = "one") -> str:
    view = arm(azure, f"Microsoft.Compute/virtualMachines/{name}/instanceView")
    return str(view["statuses"][-1]["code"])


def test_a_machine_with_all_that_it_needs(az: Az, azure: RunningLab, one: dict[str, Any]) -> None:
    assert one["powerState"] == "VM running" and one["privateIpAddress"] == "10.0.0.4" and one["location"] == "westeurope"
    address = arm(azure, "Microsoft.Network/publicIPAddresses/onePublicIP")["properties"]
    assert one["publicIpAddress"] == address["ipAddress"]
    found = vm(azure)
    assert found["tags"]["role"] == "web" and found["properties"]["hardwareProfile"]["vmSize"] == "Standard_B2s"
    assert "customData" not in found["properties"]["osProfile"]
    rule, = arm(azure, "Microsoft.Network/networkSecurityGroups/oneNSG")["properties"]["securityRules"]
    assert rule["properties"]["destinationPortRange"] == "22"


def test_custom_data_reaches_the_machine_and_is_never_shown(az: Az, azure: RunningLab, one: dict[str, Any]) -> None:
    text = az.run("deployment", "group", "list", "-g", GROUP) + az.run("vm", "show", "-g", GROUP, "-n", "one")
    assert base64.b64encode(CLOUD_INIT.encode()).decode() not in text and "runcmd" not in text


def test_show_and_list_with_details(az: Az, one: dict[str, Any]) -> None:
    detailed = az.json("vm", "show", "-d", "-g", GROUP, "-n", "one")
    assert (detailed["powerState"], detailed["privateIps"], detailed["publicIps"]) == ("VM running", "10.0.0.4", one["publicIpAddress"])
    assert "powerState" not in az.json("vm", "show", "-g", GROUP, "-n", "one")
    entry = next(m for m in az.json("vm", "list", "-d", "-g", GROUP) if m["name"] == "one")
    assert (entry["powerState"], entry["publicIps"], entry["macAddresses"]) == ("VM running", one["publicIpAddress"], one["macAddress"])
    view = az.json("vm", "get-instance-view", "-g", GROUP, "-n", "one")["instanceView"]
    assert view["vmAgent"]["statuses"][0]["displayStatus"] == "Ready" and view["computerName"] == "one"
    addresses = az.json("vm", "list-ip-addresses", "-g", GROUP, "-n", "one")[0]["virtualMachine"]["network"]
    assert addresses["privateIpAddresses"] == ["10.0.0.4"] and addresses["publicIpAddresses"][0]["ipAddress"] == one["publicIpAddress"]


def test_a_machine_in_a_zone_with_disks_and_a_key_resource(az: Az, azure: RunningLab, one: dict[str, Any], key: pathlib.Path) -> None:
    az.run("sshkey", "create", "-g", GROUP, "-n", "key", "--public-key", f"@{key}")
    assert [k["name"] for k in az.json("sshkey", "list", "-g", GROUP)] == ["key"]
    made = create(az, key, "zoned", "--ssh-key-name", "key", "--public-ip-address", "", "--nsg", "", "--zone", "1",
                  "--data-disk-sizes-gb", "8", "16", "--os-disk-size-gb", "64", image="Ubuntu2204")
    assert made["publicIpAddress"] == "" and made["zones"] == "1"
    properties = vm(azure, "zoned")["properties"]
    assert [(d["lun"], d["diskSizeGB"]) for d in properties["storageProfile"]["dataDisks"]] == [(0, 8), (1, 16)]
    assert properties["storageProfile"]["osDisk"]["diskSizeGB"] == 64
    assert properties["storageProfile"]["imageReference"]["offer"] == "0001-com-ubuntu-server-jammy"
    assert properties["osProfile"]["linuxConfiguration"]["ssh"]["publicKeys"][0]["keyData"].strip() == key.read_text().strip()
    az.run("vm", "delete", "-g", GROUP, "-n", "zoned", "--yes")
    assert azure.arm("GET", f"resourceGroups/{GROUP}/providers/Microsoft.Compute/virtualMachines/zoned")[0] == 404


def test_ten_machines_in_one_deployment(az: Az, azure: RunningLab, one: dict[str, Any], key: pathlib.Path) -> None:
    azure.admin.clear_requests()
    made = create(az, key, "many", "--count", "10", "--public-ip-address", "", "--nsg-rule", "NONE")
    assert sorted(m["name"] for m in made) == [f"many{i}" for i in range(10)]
    puts = azure.admin.requests(method="PUT")
    assert len(puts) == 1 and "/deployments/" in puts[0]["path"]
    listed = {m["name"]: m for m in az.json("vm", "list", "-d", "-g", GROUP)}
    assert len({listed[f"many{i}"]["privateIps"] for i in range(10)}) == 10
    assert {listed[f"many{i}"]["powerState"] for i in range(10)} == {"VM running"}
    az.run("vm", "delete", "--yes", "--no-wait", "--ids", *(m["id"] for m in made))
    az.run("vm", "wait", "--deleted", "--interval", "1", "--ids", made[-1]["id"])
    assert "many0" not in [m["name"] for m in az.json("vm", "list", "-g", GROUP)]


def test_a_machine_with_an_interface_that_is_there_in_an_availability_set(az: Az, azure: RunningLab, one: dict[str, Any],
                                                                          key: pathlib.Path) -> None:
    az.run("vm", "availability-set", "create", "-g", GROUP, "-n", "set", "--platform-fault-domain-count", "2",
           "--platform-update-domain-count", "5")
    az.run("network", "nic", "create", "-g", GROUP, "-n", "mine", "--vnet-name", "oneVNET", "--subnet", "oneSubnet")
    create(az, key, "member", "--nics", "mine", "--availability-set", "set")
    machine = vm(azure, "member")
    assert machine["properties"]["networkProfile"]["networkInterfaces"][0]["id"].endswith("/networkInterfaces/mine")
    shown = az.json("vm", "availability-set", "show", "-g", GROUP, "-n", "set")
    assert [m["id"].lower() for m in shown["virtualMachines"]] == [machine["id"].lower()]
    assert shown["platformFaultDomainCount"] == 2
    assert "does not contain any VM" in az.error("vm", "availability-set", "delete", "-g", GROUP, "-n", "set")
    assert "/virtualMachines/member" in az.error("network", "nic", "delete", "-g", GROUP, "-n", "mine")
    taken = az.error("vm", "create", "-g", GROUP, "-n", "thief", "--nics", "mine", "--image", IMAGE, "--size", "Standard_B2s",
                     "--admin-username", "azureuser", "--ssh-key-values", str(key))
    assert "NicInUse" in taken and "/virtualMachines/member" in taken
    az.run("vm", "delete", "-g", GROUP, "-n", "member", "--yes")
    az.run("network", "nic", "delete", "-g", GROUP, "-n", "mine")
    az.run("vm", "availability-set", "delete", "-g", GROUP, "-n", "set")
    assert az.json("vm", "availability-set", "list", "-g", GROUP) == []


def test_power(az: Az, azure: RunningLab, one: dict[str, Any]) -> None:
    def do(verb: str, *more: str) -> None:
        az.run("vm", verb, "-g", GROUP, "-n", "one", *more)
    do("stop")
    assert power(azure) == "PowerState/stopped" and "requires the VM to be running" in az.error(
        "vm", "run-command", "invoke", "-g", GROUP, "-n", "one", "--command-id", "RunShellScript", "--scripts", "true")
    do("start")
    for verb in ("restart", "redeploy", "reimage"):
        do(verb)
        assert power(azure) == "PowerState/running"
    do("deallocate")
    assert power(azure) == "PowerState/deallocated"
    assert az.json("vm", "show", "-d", "-g", GROUP, "-n", "one", "--query", "powerState") == "VM deallocated"
    do("start", "--no-wait")
    do("wait", "--custom", "instanceView.statuses[?code=='PowerState/running']", "--interval", "1")
    do("wait", "--updated", "--interval", "1")
    assert power(azure) == "PowerState/running"
    done = [r["path"].rsplit("/", 1)[1] for r in azure.admin.requests(method="POST") if "/virtualMachines/one/" in r["path"]]
    assert [a for a in done if a != "runCommand"] == ["powerOff", "start", "restart", "redeploy", "reimage", "deallocate", "start"]


def test_changes_of_a_machine(az: Az, azure: RunningLab, one: dict[str, Any]) -> None:
    assert len(az.json("vm", "list-vm-resize-options", "-g", GROUP, "-n", "one")) > 100
    assert az.json("vm", "resize", "-g", GROUP, "-n", "one", "--size", "Standard_B2ms")["hardwareProfile"]["vmSize"] == "Standard_B2ms"
    az.run("vm", "update", "-g", GROUP, "-n", "one", "--set", "tags.stage=prod")
    assert vm(azure)["tags"] == {"role": "web", "stage": "prod"}
    assigned = az.json("vm", "identity", "assign", "-g", GROUP, "-n", "one")["systemAssignedIdentity"]
    assert vm(azure)["identity"]["principalId"] == assigned
    assert az.json("vm", "identity", "show", "-g", GROUP, "-n", "one")["type"] == "SystemAssigned"
    az.run("vm", "identity", "remove", "-g", GROUP, "-n", "one")
    assert "identity" not in vm(azure)
    az.run("vm", "open-port", "-g", GROUP, "-n", "one", "--port", "443", "--priority", "950")
    rules = arm(azure, "Microsoft.Network/networkSecurityGroups/oneNSG")["properties"]["securityRules"]
    assert "443" in [r["properties"]["destinationPortRange"] for r in rules]
    az.run("vm", "boot-diagnostics", "enable", "-g", GROUP, "-n", "one")
    assert vm(azure)["properties"]["diagnosticsProfile"]["bootDiagnostics"]["enabled"] is True


def test_disks(az: Az, azure: RunningLab, one: dict[str, Any]) -> None:
    made = az.json("disk", "create", "-g", GROUP, "-n", "d", "--size-gb", "32", "--sku", "StandardSSD_LRS", "--tags", "a=b")
    assert (made["diskSizeGB"], made["sku"]["name"], made["diskState"]) == (32, "StandardSSD_LRS", "Unattached")
    az.run("vm", "disk", "attach", "-g", GROUP, "--vm-name", "one", "-n", "d", "--lun", "3")
    attached, = vm(azure)["properties"]["storageProfile"]["dataDisks"]
    assert attached["lun"] == 3 and attached["managedDisk"]["id"].lower() == made["id"].lower()
    shown = az.json("disk", "show", "-g", GROUP, "-n", "d")
    assert shown["diskState"] == "Attached" and shown["managedBy"].endswith("/virtualMachines/one")
    refused = az.error("disk", "delete", "-g", GROUP, "-n", "d", "--yes")
    assert "Disk d is attached to VM" in refused and "/virtualMachines/one" in refused
    az.run("vm", "disk", "attach", "-g", GROUP, "--vm-name", "one", "-n", "extra", "--new", "--size-gb", "8")
    assert [d["name"] for d in vm(azure)["properties"]["storageProfile"]["dataDisks"]] == ["d", "extra"]
    for name in ("d", "extra"):
        az.run("vm", "disk", "detach", "-g", GROUP, "--vm-name", "one", "-n", name)
    assert vm(azure)["properties"]["storageProfile"]["dataDisks"] == []
    assert az.json("disk", "update", "-g", GROUP, "-n", "d", "--size-gb", "64")["diskSizeGB"] == 64
    assert "Shrinking a disk is not supported" in az.error("disk", "update", "-g", GROUP, "-n", "d", "--size-gb", "32")
    for name in ("d", "extra"):
        assert name in [d["name"] for d in az.json("disk", "list", "-g", GROUP)]
        az.run("disk", "delete", "-g", GROUP, "-n", name, "--yes")
    assert not {"d", "extra"} & {d["name"] for d in az.json("disk", "list", "-g", GROUP)}


def test_extensions_without_a_machine_fail_and_say_why(az: Az, azure: RunningLab, one: dict[str, Any]) -> None:
    of_vm = ("-g", GROUP, "--vm-name", "one")
    refused = az.error("vm", "extension", "set", *of_vm, "-n", "CustomScript", "--publisher", "Microsoft.Azure.Extensions", "--settings",
                       '{"timestamp": 1}', "--protected-settings", '{"commandToExecute": "echo s3cret"}')
    assert "VMAgentStatusCommunicationError" in refused and "--machines docker" in refused
    listed, = az.json("vm", "extension", "list", *of_vm)
    assert (listed["name"], listed["typePropertiesType"], listed["provisioningState"]) == ("CustomScript", "CustomScript", "Failed")
    shown = az.json("vm", "extension", "show", *of_vm, "-n", "CustomScript")
    assert shown["settings"] == {"timestamp": 1} and "s3cret" not in str(shown)
    # A list of machines that have extensions is what the CLI could not read when they were shown whole.
    assert [r["id"] for m in az.json("vm", "list", "-g", GROUP) if m["name"] == "one" for r in m["resources"]] == [shown["id"]]
    unknown = az.error("vm", "extension", "set", *of_vm, "-n", "Nope", "--publisher", "Microsoft.Azure.Extensions", "--version", "1.0")
    assert "(ArtifactNotFound)" in unknown
    az.run("vm", "extension", "delete", *of_vm, "-n", "CustomScript")
    assert az.json("vm", "extension", "list", *of_vm) == []


def test_extension_images(az: Az) -> None:
    publisher = ("-l", "westeurope", "-p", "Microsoft.Azure.Extensions")
    assert "CustomScript" in [i["name"] for i in az.json("vm", "extension", "image", "list", "-l", "westeurope")]
    assert "CustomScript" in [i["name"] for i in az.json("vm", "extension", "image", "list-names", *publisher)]
    versions = [i["name"] for i in az.json("vm", "extension", "image", "list-versions", *publisher, "-n", "CustomScript")]
    assert versions[-1].startswith("2.1.")
    shown = az.json("vm", "extension", "image", "show", *publisher, "-n", "CustomScript", "--version", versions[-1])
    assert shown["operatingSystem"] == "Linux"


def test_run_command_documents(az: Az, one: dict[str, Any]) -> None:
    assert {c["id"]: c["osType"] for c in az.json("vm", "run-command", "list", "-l", "westeurope")}["RunShellScript"] == "Linux"
    shown = az.json("vm", "run-command", "show", "-l", "westeurope", "--command-id", "RunShellScript")
    assert shown["osType"] == "Linux" and shown["script"]
    assert "VMAgentStatusCommunicationError" in az.error(
        "vm", "run-command", "invoke", "-g", GROUP, "-n", "one", "--command-id", "RunShellScript", "--scripts", "true")


def test_images(az: Az) -> None:
    offline = {i["urnAlias"]: i for i in az.json("vm", "image", "list")}
    assert offline["Ubuntu2204"]["offer"] == "0001-com-ubuntu-server-jammy" and "Debian12" in offline
    listed = az.json("vm", "image", "list", "--publisher", "Debian", "--offer", "debian-12", "--all", "-l", "westeurope")
    assert {i["sku"] for i in listed} == {"12", "12-gen2"}
    shown = az.json("vm", "image", "show", "--urn", IMAGE, "-l", "westeurope")
    assert shown["osDiskImage"]["operatingSystem"] == "Linux" and shown["name"] == max(
        i["version"] for i in listed if i["sku"] == "12-gen2")
    for level, more, name in (("publishers", (), "Debian"), ("offers", ("-p", "Debian"), "debian-12"),
                              ("skus", ("-p", "Debian", "-f", "debian-12"), "12-gen2")):
        assert name in [i["name"] for i in az.json("vm", "image", f"list-{level}", "-l", "westeurope", *more)]


def test_sizes_and_quota(az: Az, one: dict[str, Any]) -> None:
    sizes = {s["name"]: s for s in az.json("vm", "list-sizes", "-l", "westeurope")}
    assert sizes["Standard_B2s"]["numberOfCores"] == 2
    skus = az.json("vm", "list-skus", "-l", "westeurope", "--size", "Standard_B2s", "--zone")
    assert "Standard_B2s" in [s["name"] for s in skus] and skus[0]["locationInfo"][0]["zones"]
    usage = {u["name"]["value"]: int(u["currentValue"]) for u in az.json("vm", "list-usage", "-l", "westeurope")}
    assert usage["virtualMachines"] >= 1 and usage["cores"] >= 2


@pytest.mark.parametrize("more, text", [
    (("--image", "Debian:debian-12:nope:latest", "--size", "Standard_B2s"), "Artifact: VMImage was not found."),
    (("--image", IMAGE, "--size", "Standard_Nope"), "The value Standard_Nope provided for the VM size is not valid."),
    (("--image", IMAGE, "--size", "Standard_B2s", "--zone", "9"), "The zone(s) '9' for resource"),
    (("--image", IMAGE, "--size", "Standard_B2s", "--computer-name", "x" * 65), "The computer name"),
])
def test_machines_that_azure_refuses(az: Az, azure: RunningLab, one: dict[str, Any], key: pathlib.Path, more: tuple[str, ...],
                                     text: str) -> None:
    refused = az.error("vm", "create", "-g", GROUP, "-n", "bad", "--admin-username", "azureuser", "--ssh-key-values", str(key), *more)
    assert text in refused
    assert azure.arm("GET", f"resourceGroups/{GROUP}/providers/Microsoft.Compute/virtualMachines/bad")[0] == 404


def test_a_machine_that_is_not_there(az: Az, one: dict[str, Any]) -> None:
    assert "(ResourceNotFound) The Resource 'Microsoft.Compute/virtualMachines/nope'" in az.error("vm", "start", "-g", GROUP, "-n", "nope")
    assert "(ResourceGroupNotFound) Resource group 'nowhere' could not be found." in az.error("vm", "list", "-g", "nowhere")


def test_a_property_that_cannot_change(az: Az, one: dict[str, Any]) -> None:
    assert "Changing property 'osProfile.adminUsername' is not allowed." in az.error(
        "vm", "update", "-g", GROUP, "-n", "one", "--set", "osProfile.adminUsername=other")
