# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Virtual machines on the control plane: bodies, limits, power, disks, what goes with a machine."""
from __future__ import annotations

import base64
import time
from collections.abc import Callable
from typing import Any

import pytest

from azlab import testing
from azlab.machines.driver import DataDisk, MachineError
from azlab.machines.none import NoMachines
from labgroup import COMPUTE, NET, PUBLIC_KEY, Group, vm_body

VM = f"{COMPUTE}/virtualMachines/m"


def power(group: Group, name: str = "m") -> str:
    view = group.call("GET", f"{COMPUTE}/virtualMachines/{name}/instanceView")[1]
    return next(s["code"] for s in view["statuses"] if s["code"].startswith("PowerState/"))


@pytest.fixture
def nic(group: Group) -> str:
    return str(group.nic("n", group.vnet())["id"])


def test_a_machine_is_created(group: Group, nic: str) -> None:
    status, body, headers = group.call("PUT", VM, vm_body("m", nic, top={"zones": ["2"], "tags": {"a": "b"}}))
    assert status == 201 and body["properties"]["provisioningState"] == "Creating"
    assert "name" not in body["properties"]["storageProfile"]["osDisk"]
    assert "location" not in headers and headers["retry-after"] == "1"
    operation = group.azure.arm("GET", headers["azure-asyncoperation"])[1]
    assert list(operation) == ["startTime", "endTime", "status", "name"] and operation["status"] == "Succeeded"
    machine = group.call("GET", f"{VM}?$expand=instanceView")[1]
    p = machine["properties"]
    assert p["provisioningState"] == "Succeeded" and len(p["vmId"]) == 36 and machine["zones"] == ["2"]
    assert p["storageProfile"]["imageReference"]["exactVersion"] == "0.20251006.2257"
    assert p["storageProfile"]["osDisk"]["managedDisk"]["id"].endswith("/disks/m-osdisk")
    assert [s["code"] for s in p["instanceView"]["statuses"]] == ["ProvisioningState/succeeded", "PowerState/running"]
    assert machine["etag"] == '"1"' and "customData" not in str(machine)


@pytest.mark.parametrize(("section", "change", "code", "target"), [
    ("hardwareProfile", {"vmSize": "Standard_Banana"}, "InvalidParameter", "vmSize"),
    ("storageProfile", {"imageReference": {"publisher": "Debian", "offer": "debian-12", "sku": "none",
                                           "version": "latest"}}, "PlatformImageNotFound", "imageReference"),
    ("storageProfile", {}, "InvalidParameter", "imageReference"),
    ("osProfile", {"computerName": "m"}, "InvalidParameter", "adminUsername"),
    ("osProfile", {"adminUsername": "root", "adminPassword": "Secret123!"}, "InvalidParameter", "adminUsername"),
    ("osProfile", {"adminUsername": "azureuser"}, "InvalidParameter", "adminPassword"),
    ("osProfile", {"adminUsername": "azureuser", "adminPassword": "weak"}, "InvalidParameter", "adminPassword"),
    ("osProfile", {"adminUsername": "azureuser", "adminPassword": "Secret123!", "customData": "%%"},
     "InvalidParameter", "customData"),
    ("osProfile", {"adminUsername": "azureuser", "adminPassword": "Secret123!",
                   "customData": base64.b64encode(b"x" * 65536).decode()}, "InvalidParameter", "customData"),
    ("osProfile", {"adminUsername": "azureuser", "linuxConfiguration": {"ssh": {"publicKeys": [
        {"path": "/root/.ssh/authorized_keys", "keyData": PUBLIC_KEY}]}}}, "InvalidParameter",
     "linuxConfiguration.ssh.publicKeys.path"),
    ("osProfile", {"adminUsername": "azureuser", "linuxConfiguration": {"ssh": {"publicKeys": [
        {"path": "/home/azureuser/.ssh/authorized_keys", "keyData": "ssh-rsa nonsense"}]}}}, "InvalidParameter",
     "linuxConfiguration.ssh.publicKeys.keyData"),
    ("networkProfile", {"networkInterfaces": []}, "InvalidParameter", "networkProfile"),
])
def test_bodies_that_azure_refuses(group: Group, nic: str, section: str, change: dict[str, Any], code: str,
                                   target: str) -> None:
    status, body, _ = group.call("PUT", VM, vm_body("m", nic, **{section: change}))
    assert status in (400, 404) and (body["error"]["code"], body["error"]["target"]) == (code, target)
    assert group.call("GET", VM)[0] == 404
    assert group.call("GET", f"{COMPUTE}/disks")[1]["value"] == []


@pytest.mark.parametrize("name", ["ends-", "ends.", "under*score", "x" * 65])
def test_names_of_machines(group: Group, nic: str, name: str) -> None:
    assert group.refused("PUT", f"{COMPUTE}/virtualMachines/{name}", vm_body("m", nic))[0] == 400


def test_zones_and_regions(group: Group, nic: str) -> None:
    assert group.refused("PUT", VM, vm_body("m", nic, top={"zones": ["4"]}))[1] == "InvalidAvailabilityZone"
    assert group.refused("PUT", VM, vm_body("m", nic, top={"location": "mars"}))[1] == \
        "LocationNotAvailableForResourceType"


def test_a_missing_interface(group: Group) -> None:
    status, code, message = group.refused("PUT", VM, vm_body("m", group.id(f"{NET}/networkInterfaces/none")))
    assert (status, code) == (404, "NotFound") and message.endswith("/networkInterfaces/none not found.")


def test_an_interface_belongs_to_one_machine(group: Group, nic: str) -> None:
    group.vm("m", nic)
    assert group.refused("PUT", f"{COMPUTE}/virtualMachines/other", vm_body("other", nic))[1] == "NicInUse"


@pytest.mark.parametrize(("change", "target"), [
    ({"osProfile": {"computerName": "other"}}, "osProfile.computerName"),
    ({"osProfile": {"adminUsername": "other"}}, "osProfile.adminUsername"),
    ({"osProfile": {"customData": "QUJD"}}, "osProfile.customData"),
    ({"osProfile": {"linuxConfiguration": {"ssh": {"publicKeys": [
        {"path": "/home/azureuser/.ssh/authorized_keys", "keyData": "ssh-ed25519 AAAA"}]}}}},
     "linuxConfiguration.ssh.publicKeys"),
    ({"storageProfile": {"imageReference": {"sku": "13"}}}, "imageReference"),
    ({"storageProfile": {"osDisk": {"name": "other"}}}, "osDisk.name"),
])
def test_what_cannot_change(group: Group, nic: str, change: dict[str, Any], target: str) -> None:
    before = group.vm("m", nic)
    status, body, _ = group.call("PATCH", VM, {"properties": change})
    assert (status, body["error"]["code"], body["error"]["target"]) == (409, "PropertyChangeNotAllowed", target)
    assert group.call("GET", VM)[1] == before


def test_what_can_change(group: Group, nic: str) -> None:
    before = group.vm("m", nic)
    status, body, headers = group.call("PUT", VM, {**before, "tags": {"x": "y"}})
    assert status == 200 and body["properties"]["provisioningState"] == "Updating" and headers["etag"] == '"2"'
    after = group.call("GET", VM)[1]
    assert after["tags"] == {"x": "y"} and after["properties"]["vmId"] == before["properties"]["vmId"]
    group.call("PATCH", VM, {"properties": {"hardwareProfile": {"vmSize": "standard_b4ms"}}})
    after = group.call("GET", VM)[1]
    assert after["properties"]["hardwareProfile"]["vmSize"] == "Standard_B4ms" and after["tags"] == {"x": "y"}


def test_power(group: Group, nic: str) -> None:
    group.vm("m", nic)
    for action, state in (("powerOff", "stopped"), ("start", "running"), ("deallocate", "deallocated"),
                          ("start", "running"), ("restart", "running"), ("redeploy", "running")):
        status, body, headers = group.call("POST", f"{VM}/{action}")
        assert status == 202 and body is None
        assert {"azure-asyncoperation", "location", "retry-after"} <= set(headers)
        assert group.azure.arm("GET", headers["location"])[0] == 200
        assert power(group) == f"PowerState/{state}", action
    group.call("POST", f"{VM}/deallocate")
    assert group.refused("POST", f"{VM}/restart")[:2] == (409, "OperationNotAllowed")
    disk = group.call("GET", f"{COMPUTE}/disks/m-osdisk")[1]
    assert disk["properties"]["diskState"] == "Reserved"


def test_without_machines_a_command_gets_no_answer(group: Group, nic: str) -> None:
    group.vm("m", nic)
    _, _, headers = group.call("POST", f"{VM}/runCommand", {"commandId": "RunShellScript", "script": ["id"]})
    operation = group.azure.arm("GET", headers["azure-asyncoperation"])[1]
    assert operation["status"] == "Failed" and operation["error"]["code"] == "VMAgentStatusCommunicationError"
    assert group.refused("POST", f"{VM}/runCommand", {"commandId": "RunShellScript"})[1] == "InvalidParameter"
    assert group.refused("POST", f"{VM}/runCommand", {"commandId": "Nothing", "script": ["id"]})[0] == 404


def test_what_goes_with_a_machine(group: Group) -> None:
    address = group.address()
    keep = group.nic("keep", group.vnet())
    nic = group.nic("n", keep["properties"]["ipConfigurations"][0]["properties"]["subnet"]["id"],
                    publicIPAddress={"id": address["id"], "properties": {"deleteOption": "Delete"}})
    storage = vm_body("m", nic["id"])["properties"]["storageProfile"]
    storage["dataDisks"] = [{"lun": 0, "createOption": "Empty", "diskSizeGB": 8, "name": "gone",
                             "deleteOption": "Delete"},
                            {"lun": 1, "createOption": "Empty", "diskSizeGB": 8, "name": "kept"}]
    group.vm("m", nic["id"], storageProfile=storage)
    assert group.refused("DELETE", f"{COMPUTE}/disks/kept")[:2] == (409, "OperationNotAllowed")
    status, _, headers = group.call("DELETE", VM)
    assert status == 202 and group.azure.arm("GET", headers["location"])[0] == 200
    assert group.refused("GET", VM)[:2] == (404, "ResourceNotFound")
    left = {r["name"] for r in group.call("GET", "resources")[1]["value"]}
    assert left == {"vnet", "keep", "kept"}
    assert group.call("GET", f"{COMPUTE}/disks/kept")[1]["properties"]["diskState"] == "Unattached"
    assert group.call("DELETE", VM)[0] == 204


def test_data_disks_move_between_machines(group: Group) -> None:
    subnet = group.vnet()
    disk = group.put(f"{COMPUTE}/disks/d", {"creationData": {"createOption": "Empty"}, "diskSizeGB": 4})
    first, second = (group.nic(n, subnet)["id"] for n in ("n1", "n2"))
    group.vm("a", first)
    group.vm("b", second)
    attach = {"properties": {"storageProfile": {"dataDisks": [
        {"lun": 0, "createOption": "Attach", "managedDisk": {"id": disk["id"]}}]}}}
    assert group.call("PATCH", f"{COMPUTE}/virtualMachines/a", attach)[0] == 200
    assert group.call("GET", f"{COMPUTE}/disks/d")[1]["managedBy"].endswith("/virtualMachines/a")
    assert group.refused("PATCH", f"{COMPUTE}/virtualMachines/b", attach)[1] == "ConflictingUserInput"
    group.call("PATCH", f"{COMPUTE}/virtualMachines/a", {"properties": {"storageProfile": {"dataDisks": []}}})
    assert group.call("PATCH", f"{COMPUTE}/virtualMachines/b", attach)[0] == 200
    assert group.refused("PUT", f"{COMPUTE}/disks/d", {"location": "westeurope", "properties": {
        "creationData": {"createOption": "Empty"}, "diskSizeGB": 2}})[0] == 400


class DiskDriver(NoMachines):
    """Remembers the disks of machines; `busy` ones cannot be detached."""

    def __init__(self) -> None:
        super().__init__()
        self.disks: dict[str, list[tuple[str, int, int]]] = {}
        self.busy = False

    async def set_disks(self, machine_id: str, disks: tuple[DataDisk, ...]) -> None:
        if self.busy:
            raise MachineError("DataDiskInUse", "in use")
        self.disks[machine_id.rpartition("/")[2]] = [(d.id.rpartition("/")[2], d.lun, d.size_gb) for d in disks]


def test_a_data_disk_is_free_only_when_the_machine_has_let_it_go() -> None:
    driver = DiskDriver()
    with testing.lab(driver=driver) as azure:
        group = Group(azure, "disks")
        subnet = group.vnet()
        disk = group.put(f"{COMPUTE}/disks/d", {"creationData": {"createOption": "Empty"}, "diskSizeGB": 4})["id"]
        for name in ("m", "n"):
            group.vm(name, group.nic(f"nic-{name}", subnet)["id"])
        attach, detach = ({"properties": {"storageProfile": {"dataDisks": disks}}} for disks in (
            [{"lun": 5, "createOption": "Attach", "managedDisk": {"id": disk}}], []))
        group.call("PATCH", VM, attach)
        assert driver.disks == {"m": [("d", 5, 4)]}
        group.call("PATCH", f"{COMPUTE}/disks/d", {"properties": {"diskSizeGB": 6}})
        assert driver.disks == {"m": [("d", 5, 6)]}
        assert group.call("GET", VM)[1]["properties"]["storageProfile"]["dataDisks"][0]["diskSizeGB"] == 6

        driver.busy = True
        _, _, headers = group.call("PATCH", VM, detach)
        assert azure.arm("GET", headers["azure-asyncoperation"])[1]["error"]["code"] == "DataDiskInUse"
        kept = group.call("GET", VM)[1]["properties"]
        assert kept["provisioningState"] == "Failed" and kept["storageProfile"]["dataDisks"][0]["lun"] == 5
        assert group.refused("PATCH", f"{COMPUTE}/virtualMachines/n", attach)[1] == "ConflictingUserInput"

        driver.busy = False
        azure.admin.call("POST", "/latencies", {"hold": True})
        group.call("PATCH", VM, detach)
        assert group.refused("PATCH", f"{COMPUTE}/virtualMachines/n", attach)[1] == "ConflictingUserInput"
        azure.admin.call("POST", "/latencies", {"hold": False})
        _wait(lambda: group.call("GET", f"{COMPUTE}/disks/d")[1]["properties"]["diskState"] == "Unattached")
        assert group.call("PATCH", f"{COMPUTE}/virtualMachines/n", attach)[0] == 200
        assert driver.disks == {"m": [], "n": [("d", 5, 6)]}


def _wait(question: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not question():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_power_off_shuts_down_unless_told_to_skip_it() -> None:
    seen: list[bool] = []

    class Watching(NoMachines):
        async def power_off(self, machine_id: str, *, cut: bool = False) -> None:
            seen.append(cut)
    with testing.lab(driver=Watching()) as azure:
        group = Group(azure, "off")
        group.vm("m", group.nic("n", group.vnet())["id"])
        for query in ("", "?skipShutdown=true", "?skipShutdown=false"):
            assert group.call("POST", f"{VM}/powerOff{query}")[0] == 202
    assert seen == [False, True, False]


def test_availability_sets(group: Group) -> None:
    subnet = group.vnet()
    made = group.put(f"{COMPUTE}/availabilitySets/set", {"platformFaultDomainCount": 2}, sku={"name": "Aligned"})
    for name in "abc":
        group.vm(name, group.nic(f"n{name}", subnet)["id"], availabilitySet={"id": made["id"]})
    domains = [group.call("GET", f"{COMPUTE}/virtualMachines/{n}/instanceView")[1]["platformFaultDomain"] for n in "abc"]
    assert domains == [0, 1, 0]
    assert len(group.call("GET", f"{COMPUTE}/availabilitySets/set")[1]["properties"]["virtualMachines"]) == 3
    assert group.refused("DELETE", f"{COMPUTE}/availabilitySets/set")[:2] == (409, "OperationNotAllowed")


def test_lists(group: Group, nic: str) -> None:
    group.vm("m", nic)
    assert [m["name"] for m in group.call("GET", f"{COMPUTE}/virtualMachines")[1]["value"]] == ["m"]
    states = group.azure.arm("GET", f"{COMPUTE}/virtualMachines?statusOnly=true")[1]["value"]
    mine = next(m for m in states if f"/{group.name}/" in m["id"])
    assert mine["properties"]["instanceView"]["statuses"][-1]["code"] == "PowerState/running"
    assert "hardwareProfile" not in mine["properties"]
    expanded = group.call("GET", f"{COMPUTE}/virtualMachines?$expand=instanceView")[1]["value"]
    assert "instanceView" in expanded[0]["properties"]


def test_the_core_quota() -> None:
    with testing.lab(core_quota=5) as azure:
        group = Group(azure, "quota")
        subnet = group.vnet()
        for name in "ab":
            group.vm(name, group.nic(f"n{name}", subnet)["id"])
        status, code, message = group.refused("PUT", f"{COMPUTE}/virtualMachines/c",
                                              vm_body("c", group.nic("nc", subnet)["id"]))
        assert (status, code) == (409, "OperationNotAllowed")
        assert message.startswith(
            "Operation could not be completed as it results in exceeding approved Total Regional Cores quota. Additional details - "
            "Deployment Model: Resource Manager, Location: westeurope, Current Limit: 5, Current Usage: 4, Additional Required: 2, "
            "(Minimum) New Limit Required: 6. ")
        usages = {u["name"]["value"]: u for u in
                  azure.arm("GET", f"{COMPUTE}/locations/westeurope/usages")[1]["value"]}
        assert (usages["cores"]["currentValue"], usages["cores"]["limit"]) == (4, 5)


def test_offers(azure: testing.RunningLab) -> None:
    base = f"{COMPUTE}/locations/westeurope"
    versions = azure.arm("GET", f"{base}/publishers/debian/artifacttypes/vmimage/offers/debian-12/skus/12-gen2/versions")
    assert isinstance(versions[1], list) and versions[1][-1]["name"] == "0.20251006.2257"
    one = azure.arm("GET", f"{base}/publishers/Debian/artifacttypes/vmimage/offers/debian-12/skus/12-gen2/versions/latest")
    assert one[1]["properties"]["osDiskImage"]["operatingSystem"] == "Linux"
    types = azure.arm("GET", f"{base}/publishers/Microsoft.Azure.Extensions/artifacttypes/vmextension/types")[1]
    assert {t["name"] for t in types} == {"CustomScript", "DockerExtension"}
    sizes = azure.arm("GET", f"{base}/vmSizes")[1]["value"]
    assert {"name": "Standard_B2s", "numberOfCores": 2, "osDiskSizeInMB": 1047552, "resourceDiskSizeInMB": 8192,
            "memoryInMB": 4096, "maxDataDiskCount": 4} in sizes
    skus = azure.arm("GET", f"{COMPUTE}/skus?$filter=location%20eq%20'westus'")[1]["value"]
    assert skus[0]["locationInfo"] == [{"location": "westus", "zones": [], "zoneDetails": []}]
    assert azure.arm("GET", f"{COMPUTE}/locations/atlantis/vmSizes")[1]["error"]["code"] == "NoRegisteredProviderFound"
    missing = azure.arm("GET", f"{base}/publishers/Debian/artifacttypes/vmimage/offers/none/skus")
    assert missing[0] == 404


def test_a_machine_that_failed_is_reapplied(group: Group) -> None:
    nic = group.nic("n", group.vnet())["id"]
    group.azure.admin.fault(path="virtualMachines/m/create vm", times=1, operation={"code": "AllocationFailed", "message": "Allocation failed."})
    group.call("PUT", f"{COMPUTE}/virtualMachines/m", vm_body("m", nic))
    state = lambda: group.call("GET", f"{COMPUTE}/virtualMachines/m")[1]["properties"]["provisioningState"]  # noqa: E731
    assert state() == "Failed"
    status, _, headers = group.call("POST", f"{COMPUTE}/virtualMachines/m/reapply")
    assert status == 202 and headers["azure-asyncoperation"]
    assert state() == "Succeeded"
    power = group.call("GET", f"{COMPUTE}/virtualMachines/m/instanceView")[1]["statuses"][-1]["code"]
    assert power == "PowerState/running"
    assert group.call("POST", f"{COMPUTE}/virtualMachines/m/reapply")[0] == 202 and state() == "Succeeded"


def windows_body(name: str, nic: str, **changes: Any) -> dict[str, Any]:
    return vm_body(name, nic, storageProfile={
        "imageReference": {"publisher": "MicrosoftWindowsServer", "offer": "WindowsServer", "sku": "2022-datacenter-g2", "version": "latest"},
        "osDisk": {"createOption": "FromImage"}}, osProfile={"computerName": name, "adminUsername": "azureuser",
                                                             "adminPassword": "Lab-Passw0rd", **changes})


def test_windows_is_in_the_model_only(group: Group) -> None:
    nic = group.nic("n", group.vnet())["id"]
    path = f"{COMPUTE}/virtualMachines/win1"
    for changes, target in (({"computerName": "a-name-of-sixteen"}, "computerName"), ({"linuxConfiguration": {}}, "linuxConfiguration")):
        status, answer, _ = group.call("PUT", path, windows_body("win1", nic, **changes))
        assert (status, answer["error"]["code"], answer["error"]["target"]) == (400, "InvalidParameter", target)
    assert group.call("PUT", path, windows_body("win1", nic))[0] == 201
    shown = group.call("GET", path)[1]["properties"]
    assert shown["provisioningState"] == "Succeeded" and shown["storageProfile"]["osDisk"]["osType"] == "Windows"
    assert shown["osProfile"]["windowsConfiguration"]["patchSettings"]["patchMode"] == "AutomaticByOS"
    assert "linuxConfiguration" not in shown["osProfile"]
    disk = group.azure.arm("GET", shown["storageProfile"]["osDisk"]["managedDisk"]["id"])[1]["properties"]
    assert (disk["osType"], disk["diskSizeGB"]) == ("Windows", 127)
    command = {"commandId": "RunPowerShellScript", "script": ["hostname"]}
    assert group.call("POST", f"{path}/runCommand", command)[0] == 202
    assert group.refused("POST", f"{path}/runCommand", {**command, "commandId": "RunShellScript"})[0] == 404


def test_windows_settings_on_a_linux_image(group: Group) -> None:
    nic = group.nic("n", group.vnet())["id"]
    body = vm_body("v1", nic)
    body["properties"]["osProfile"]["windowsConfiguration"] = {}
    assert group.refused("PUT", f"{COMPUTE}/virtualMachines/v1", body)[:2] == (400, "InvalidParameter")


def test_an_empty_availability_set_says_so(group: Group) -> None:
    made = group.put(f"{COMPUTE}/availabilitySets/a", {"scheduledEventsPolicy": {"allInstancesDown": {"automaticallyApprove": True}}}, sku={"name": "Aligned"})
    assert made["properties"]["virtualMachines"] == []
