# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Operations over time: latencies, what is refused meanwhile, faults, and a lab that is started again."""
from __future__ import annotations

import asyncio
import http.client
import time
import urllib.error
from pathlib import Path
from typing import Any

import pytest

from azlab import testing
from azlab.machines.driver import MachineError, MachineSpec
from azlab.machines.none import NoMachines
from labgroup import COMPUTE, NET, Group, vm_body

VM = f"{COMPUTE}/virtualMachines/m"
VNET = {"location": "westeurope", "properties": {
    "addressSpace": {"addressPrefixes": ["10.1.0.0/16"]},
    "subnets": [{"name": "hosts", "properties": {"addressPrefix": "10.1.0.0/24"}}]}}


def until(check: Any, seconds: float = 10) -> Any:
    """The first true value of `check`."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = check()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError("did not happen in time")


def slow(azure: testing.RunningLab, type_name: str, method: str, seconds: float) -> None:
    azure.admin.latencies(overrides=[{"type": type_name, "method": method, "seconds": seconds}])


def finished(group: Group, headers: dict[str, str]) -> dict[str, Any]:
    def check() -> Any:
        body = group.azure.arm("GET", headers["azure-asyncoperation"])[1]
        return body if body["status"] != "InProgress" else None
    return dict(until(check))


def test_azures_times_at_full_scale() -> None:
    with testing.lab(latency_scale=1.0) as azure:
        group = Group(azure, "slow")
        began = time.monotonic()
        status, body, headers = group.call("PUT", f"{NET}/virtualNetworks/v", VNET)
        assert time.monotonic() - began < 1 and headers["retry-after"] == "3"
        status, operation, poll = azure.arm("GET", headers["azure-asyncoperation"])
        assert operation == {"status": "InProgress"} and poll["retry-after"] == "10"
        status, code, _ = group.refused("PUT", f"{NET}/networkInterfaces/n", {
            "location": "westeurope", "properties": {"ipConfigurations": [
                {"name": "ip", "properties": {"subnet": {"id": group.id(f"{NET}/virtualNetworks/v/subnets/hosts")}}}]}})
        assert (status, code) == (429, "RetryableError")
        assert group.call("PUT", f"{NET}/virtualNetworks/v", VNET)[2]["retry-after"] == "11"
        assert group.call("DELETE", "")[2]["retry-after"] == "15"


def test_what_refers_to_something_unfinished_is_told_to_wait(azure: testing.RunningLab, group: Group) -> None:
    slow(azure, f"{NET.split('/')[1]}/virtualNetworks", "PUT", 0.4)
    group.call("PUT", f"{NET}/virtualNetworks/v", VNET)
    body = {"location": "westeurope", "properties": {"ipConfigurations": [
        {"name": "ip", "properties": {"subnet": {"id": group.id(f"{NET}/virtualNetworks/v/subnets/hosts")}}}]}}
    status, answer, headers = group.call("PUT", f"{NET}/networkInterfaces/n", body)
    assert status == 429 and "retry-after" not in headers
    assert answer["error"]["details"][0]["code"] == "ReferencedResourceNotProvisioned"
    status, answer, headers = group.call("PUT", f"{NET}/virtualNetworks/v/subnets/x",
                                         {"properties": {"addressPrefix": "10.1.1.0/24"}})
    assert status == 429 and answer["error"]["details"][0]["code"] == "RetryableErrorDueToAnotherOperation"
    assert "retry-after" in headers
    until(lambda: group.call("PUT", f"{NET}/networkInterfaces/n", body)[0] == 201)
    azure.admin.latencies(overrides=[])


def test_a_machine_is_busy_until_its_operation_ends(azure: testing.RunningLab, group: Group) -> None:
    nic = group.nic("n", group.vnet())["id"]
    azure.admin.latencies(hold=True)
    _, _, headers = group.call("PUT", VM, vm_body("m", nic))
    view = group.call("GET", f"{VM}/instanceView")[1]
    assert [s["code"] for s in view["statuses"]] == ["ProvisioningState/creating", "PowerState/starting"]
    assert "vmAgent" not in view
    assert group.refused("POST", f"{VM}/restart")[:2] == (409, "Conflict")
    assert group.refused("PATCH", VM, {"tags": {}})[:2] == (409, "Conflict")
    azure.admin.latencies(hold=False)
    assert finished(group, headers)["status"] == "Succeeded"


def test_a_delete_overtakes_what_is_running(azure: testing.RunningLab, group: Group) -> None:
    nic = group.nic("n", group.vnet())["id"]
    slow(azure, f"{COMPUTE.split('/')[1]}/virtualMachines", "PUT", 30)
    _, _, creating = group.call("PUT", VM, vm_body("m", nic))
    _, _, deleting = group.call("DELETE", VM)
    assert finished(group, deleting)["status"] == "Succeeded"
    assert finished(group, creating)["error"]["code"] == "OperationPreempted"
    assert group.call("GET", VM)[0] == 404
    azure.admin.latencies(overrides=[])


# -- faults
def test_the_nth_request_fails(azure: testing.RunningLab, group: Group) -> None:
    azure.admin.fault(method="PUT", path="virtualNetworks/v", nth=2, status=503, code="ServiceUnavailable",
                      headers={"Retry-After": "1"})
    answers = [group.call("PUT", f"{NET}/virtualNetworks/v", VNET) for _ in range(3)]
    assert [a[0] for a in answers] == [201, 503, 200]
    assert answers[1][1]["error"]["code"] == "ServiceUnavailable" and answers[1][2]["retry-after"] == "1"
    azure.admin.clear_faults()


@pytest.mark.parametrize(("cut", "there"), [("before", False), ("after", True)])
def test_the_connection_is_cut(azure: testing.RunningLab, group: Group, cut: str, there: bool) -> None:
    azure.admin.fault(method="PUT", path=f"{group.name}.*virtualNetworks/v", cut=cut)
    with pytest.raises((urllib.error.URLError, http.client.HTTPException, ConnectionError)):
        group.call("PUT", f"{NET}/virtualNetworks/v", VNET)
    assert (group.call("GET", f"{NET}/virtualNetworks/v")[0] == 200) is there
    azure.admin.clear_faults()


def test_an_operation_fails_as_asked(azure: testing.RunningLab, group: Group) -> None:
    nic = group.nic("n", group.vnet())["id"]
    azure.admin.fault(path="virtualMachines/m", operation={"code": "AllocationFailed", "message": "No room."})
    _, _, headers = group.call("PUT", VM, vm_body("m", nic))
    operation = finished(group, headers)
    assert operation["status"] == "Failed" and operation["error"] == {"code": "AllocationFailed", "message": "No room."}
    assert group.call("GET", VM)[1]["properties"]["provisioningState"] == "Failed"
    assert group.call("DELETE", VM)[0] == 202
    azure.admin.clear_faults()


@pytest.mark.parametrize("rule", [{"colour": "red"}, {"cut": "sideways"}, {"path": "("}, {"operation": {}}])
def test_rules_that_make_no_sense(azure: testing.RunningLab, rule: dict[str, Any]) -> None:
    with pytest.raises(RuntimeError, match="400"):
        azure.admin.fault(**rule)


def test_requests_are_logged_without_secrets(azure: testing.RunningLab, group: Group) -> None:
    azure.admin.clear_requests()
    group.call("PUT", f"{NET}/virtualNetworks/v", VNET)
    found = azure.admin.requests(method="PUT", path="virtualnetworks")
    assert [(r["status"], r["method"]) for r in found] == [(201, "PUT")]
    assert azure.settings.secret not in (azure.settings.home / "requests.jsonl").read_text()


def test_the_admin_api_is_for_local_programs(azure: testing.RunningLab) -> None:
    for headers in ({"Origin": "https://example.com"}, {"Host": "example.com"}):
        connection = http.client.HTTPConnection("127.0.0.1", azure.settings.admin_port, timeout=5)
        connection.request("GET", "/", headers=headers)
        assert connection.getresponse().status == 403
        connection.close()


# -- machines that fail, and a lab that is started again
class Stubborn(NoMachines):
    """The first machine does not come up."""

    async def create_machine(self, spec: MachineSpec) -> None:
        if not self.states:
            self.states[spec.id] = "stopped"
            raise MachineError("OSProvisioningTimedOut", f"OS Provisioning for VM '{spec.name}' did not finish in the "
                                                         "allotted time.")
        await super().create_machine(spec)


def test_a_machine_that_does_not_come_up() -> None:
    with testing.lab(driver=Stubborn()) as azure:
        group = Group(azure, "stubborn")
        subnet = group.vnet()
        _, _, headers = group.call("PUT", VM, vm_body("m", group.nic("n", subnet)["id"]))
        assert finished(group, headers)["error"]["code"] == "OSProvisioningTimedOut"
        view = group.call("GET", f"{VM}/instanceView")[1]
        assert view["statuses"][0]["code"] == "ProvisioningState/failed/OSProvisioningTimedOut"
        second = group.vm("n", group.nic("n2", subnet)["id"])
        assert second["properties"]["provisioningState"] == "Succeeded"


def test_nothing_is_lost_between_two_runs(tmp_path: Path) -> None:
    with testing.lab(home=tmp_path) as azure:
        group = Group(azure, "kept")
        nic = group.nic("n", group.vnet())["id"]
        azure.admin.latencies(overrides=[{"type": "Microsoft.Compute/virtualMachines", "method": "PUT",
                                          "seconds": 1.0}])
        _, _, headers = group.call("PUT", VM, vm_body("m", nic))
        before = group.call("GET", f"{NET}/networkInterfaces/n")[1]
    with testing.lab(home=tmp_path) as again:
        assert again.settings.secret == azure.settings.secret
        assert again.arm("GET", f"resourceGroups/kept/{NET}/networkInterfaces/n")[1] == before
        path = headers["azure-asyncoperation"].split("/subscriptions/")[1]
        until(lambda: again.arm("GET", "/subscriptions/" + path)[1]["status"] == "Succeeded")
        machine = again.arm("GET", f"resourceGroups/kept/{VM}")[1]
        assert machine["properties"]["provisioningState"] == "Succeeded"


class Watching(NoMachines):
    """Counts how often it is told about the data path, and what it knows when a machine boots."""

    def __init__(self) -> None:
        super().__init__()
        self.told, self.known_at_boot = 0, False

    async def apply_network(self, state: Any) -> None:
        await asyncio.sleep(0.05)
        self.told += 1
        await super().apply_network(state)

    async def create_machine(self, spec: MachineSpec) -> None:
        self.known_at_boot = spec.private_ip in {f.address for f in self.network.firewalls}
        await super().create_machine(spec)


def test_the_driver_hears_of_changes_in_one_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("azlab.lab.NoMachines", type("Nobody", (), {}))
    driver = Watching()
    with testing.lab(driver=driver) as azure:
        group = Group(azure, "told")
        group.put(f"{NET}/networkSecurityGroups/nsg", {})
        subnet = group.vnet(networkSecurityGroup={"id": group.id(f"{NET}/networkSecurityGroups/nsg")})
        _, _, headers = group.call("PUT", VM, vm_body("m", group.nic("n", subnet)["id"]))
        finished(group, headers)
        assert driver.known_at_boot
        disk, driver.hot_disks = {"lun": 0, "createOption": "Empty", "diskSizeGB": 1}, False
        assert group.refused("PATCH", VM, {"properties": {"storageProfile": {"dataDisks": [disk]}}})[1] == \
            "NotImplementedByLab"
        static = {"privateIPAllocationMethod": "Static", "privateIPAddress": "10.20.0.77", "subnet": {"id": subnet}}
        assert group.refused("PUT", f"{NET}/networkInterfaces/n", {"location": "westeurope", "properties": {
            "ipConfigurations": [{"name": "ip", "properties": static}]}})[1] == "NotImplementedByLab"
        told = driver.told
        for number in range(20):
            group.call("PUT", f"{NET}/networkSecurityGroups/nsg/securityRules/r{number}", {"properties": {
                "priority": 100 + number, "direction": "Inbound", "access": "Allow", "protocol": "Tcp",
                "sourceAddressPrefix": "*", "sourcePortRange": "*", "destinationAddressPrefix": "*",
                "destinationPortRange": "22"}})
        until(lambda: len(driver.network.firewalls[0].groups[0]) == 26)
        assert driver.told - told < 20
