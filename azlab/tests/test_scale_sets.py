# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Flexible scale sets on the control plane: the model, capacity, instances, membership, deletes."""
from __future__ import annotations

import copy
import re
import time
from typing import Any

import pytest

from azlab import testing
from azlab.arm.compute.scale_effects import in_order, scale_in
from azlab.store import Resource
from labgroup import COMPUTE, NET, Group, profile, vm_body

SETS = f"{COMPUTE}/virtualMachineScaleSets"
SET = f"{SETS}/web"


def set_body(model: dict[str, Any] | None, capacity: int = 2, *, top: dict[str, Any] | None = None, **properties: Any) -> dict[str, Any]:
    body: dict[str, Any] = {"location": "westeurope", "properties": {"orchestrationMode": "Flexible", **properties}}
    if model is not None:
        body["sku"] = {"name": "Standard_B2s", "capacity": capacity}
        body["properties"]["virtualMachineProfile"] = model
    return {**body, **(top or {})}


def settle(group: Group, headers: dict[str, str]) -> dict[str, Any]:
    """Until the operation has ended; its last answer."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        answer = group.azure.arm("GET", headers["azure-asyncoperation"])[1]
        if answer["status"] != "InProgress":
            return dict(answer)
        time.sleep(0.02)
    raise AssertionError("the operation does not end")


def put_set(group: Group, body: dict[str, Any], path: str = SET) -> dict[str, Any]:
    status, answer, headers = group.call("PUT", path, body)
    assert status in (200, 201), answer
    assert settle(group, headers)["status"] == "Succeeded"
    return dict(group.call("GET", path)[1])


def machines(group: Group, name: str = "web") -> list[dict[str, Any]]:
    wanted = f"/virtualMachineScaleSets/{name}"
    return [m for m in group.call("GET", f"{COMPUTE}/virtualMachines")[1]["value"]
            if m["properties"].get("virtualMachineScaleSet", {}).get("id", "").endswith(wanted)]


@pytest.fixture
def subnet(group: Group) -> str:
    return group.vnet()


def test_one_request_makes_the_machines(group: Group, subnet: str) -> None:
    status, body, headers = group.call("PUT", SET, set_body(profile(subnet), 3, top={"tags": {"a": "b"}}))
    assert status == 201 and body["properties"]["provisioningState"] == "Creating" and body["sku"]["capacity"] == 3
    assert "location" not in headers and headers["etag"] == '"1"'
    assert settle(group, headers)["status"] == "Succeeded"
    shown = group.call("GET", SET)[1]
    p = shown["properties"]
    assert p["provisioningState"] == "Succeeded" and shown["sku"] == {"name": "Standard_B2s", "tier": "Standard", "capacity": 3}
    assert p["orchestrationMode"] == "Flexible" and p["singlePlacementGroup"] is False and p["upgradePolicy"] == {"mode": "Manual"}
    assert p["virtualMachineProfile"]["storageProfile"]["osDisk"]["deleteOption"] == "Delete"
    assert p["virtualMachineProfile"]["networkProfile"]["networkInterfaceConfigurations"][0]["properties"]["deleteOption"] == "Delete"
    made = machines(group)
    assert len(made) == 3 and all(re.fullmatch(r"web_[0-9a-f]{8}", m["name"]) for m in made)
    for machine in made:
        assert machine["tags"] == {"a": "b"} and re.fullmatch(r"web[A-Z0-9]{6}", machine["properties"]["osProfile"]["computerName"])
        assert machine["properties"]["provisioningState"] == "Succeeded"
    names = [m["properties"]["networkProfile"]["networkInterfaces"][0]["id"].rsplit("/", 1)[1] for m in made]
    assert len(set(names)) == 3 and all(re.fullmatch(r"nic-[0-9a-f]{8}", n) for n in names)
    assert len(group.call("GET", f"{COMPUTE}/disks")[1]["value"]) == 3


def test_scale_out_in_and_the_lists(group: Group, subnet: str) -> None:
    put_set(group, set_body(profile(subnet), 2))
    before = {m["name"] for m in machines(group)}
    # az vmss scale sends the sku and nothing else
    status, body, headers = group.call("PUT", SET, {"location": "westeurope", "sku": {"name": "Standard_B2s", "capacity": 5}})
    assert status == 200 and body["properties"]["provisioningState"] == "Updating" and body["sku"]["capacity"] == 5
    settle(group, headers)
    assert before < {m["name"] for m in machines(group)} and len(machines(group)) == 5
    status, _body, headers = group.call("PATCH", SET, {"sku": {"capacity": 1}})
    assert status == 200 and settle(group, headers)["status"] == "Succeeded"
    left = machines(group)
    assert len(left) == 1 and left[0]["name"] not in before         # the oldest go first
    assert len(group.call("GET", f"{NET}/networkInterfaces")[1]["value"]) == 1
    assert len(group.call("GET", f"{COMPUTE}/disks")[1]["value"]) == 1
    listed = group.call("GET", f"{SET}/virtualMachines")[1]["value"]
    assert [(i["instanceId"], i["id"]) for i in listed] == [(left[0]["name"], left[0]["id"])]
    assert [s["name"] for s in group.call("GET", SETS)[1]["value"]] == ["web"]
    assert group.id(SET) in [s["id"] for s in group.azure.arm("GET", SETS)[1]["value"]]
    found = group.azure.arm("GET", f"{COMPUTE}/virtualMachines?$filter='virtualMachineScaleSet/id'%20eq%20'{group.id(SET)}'")[1]["value"]
    assert [m["name"] for m in found] == [left[0]["name"]]
    view = group.call("GET", f"{SET}/instanceView")[1]
    assert {"code": "PowerState/running", "count": 1} in view["virtualMachine"]["statusesSummary"]
    assert view["statuses"][0]["code"] == "ProvisioningState/succeeded"
    assert group.call("GET", f"{SET}/skus")[1]["value"][0]["capacity"]["maximum"] == 1000


def test_addresses_pools_and_application_groups(group: Group, subnet: str) -> None:
    address = group.address("front")["id"]
    balancer = group.put(f"{NET}/loadBalancers/lb", {
        "frontendIPConfigurations": [{"name": "f", "properties": {"publicIPAddress": {"id": address}}}],
        "backendAddressPools": [{"name": "pool"}]}, sku={"name": "Standard"})
    pool = balancer["properties"]["backendAddressPools"][0]["id"]
    app = group.put(f"{NET}/applicationSecurityGroups/app", {})
    put_set(group, set_body(profile(
        subnet, loadBalancerBackendAddressPools=[{"id": pool}], applicationSecurityGroups=[{"id": app["id"]}],
        publicIPAddressConfiguration={"name": "out", "sku": {"name": "Standard"}, "properties": {"idleTimeoutInMinutes": 9}}), 2))
    members = group.call("GET", f"{NET}/loadBalancers/lb")[1]["properties"]["backendAddressPools"][0]["properties"]
    assert len(members["backendIPConfigurations"]) == 2
    addresses = [a for a in group.call("GET", f"{NET}/publicIPAddresses")[1]["value"] if a["name"] != "front"]
    assert len(addresses) == 2 and all(re.fullmatch(r"out-[0-9a-f]{8}", a["name"]) for a in addresses)
    assert all(a["properties"]["idleTimeoutInMinutes"] == 9 and a["properties"]["ipAddress"] for a in addresses)
    assert group.refused("DELETE", f"{NET}/applicationSecurityGroups/app")[1] == "ApplicationSecurityGroupInUse"
    put_set(group, {"location": "westeurope", "sku": {"capacity": 0}})
    assert [a["name"] for a in group.call("GET", f"{NET}/publicIPAddresses")[1]["value"]] == ["front"]
    assert "backendIPConfigurations" not in group.call("GET", f"{NET}/loadBalancers/lb")[1]["properties"]["backendAddressPools"][0]["properties"]
    # the profile of an empty set uses nothing: what it names can go
    assert group.call("DELETE", f"{NET}/applicationSecurityGroups/app")[0] == 202


def test_machines_are_spread_over_zones_and_taken_from_the_fullest(group: Group, subnet: str) -> None:
    put_set(group, set_body(profile(subnet), 5, top={"zones": ["1", "2", "3"]}))
    assert sorted(m["zones"][0] for m in machines(group)) == ["1", "1", "2", "2", "3"]
    put_set(group, {"location": "westeurope", "zones": ["1", "2", "3"], "sku": {"capacity": 3}})
    assert sorted(m["zones"][0] for m in machines(group)) == ["1", "2", "3"]
    assert group.refused("PUT", f"{SETS}/other", set_body(profile(subnet), 1, top={"zones": ["1"]}, platformFaultDomainCount=2))[1] == \
        "InvalidParameter"


def resource(name: str, seq: int, zone: str = "", **protection: bool) -> Resource:
    return Resource(id=f"/x/{name}", type="t", name=name, seq=seq, body={"zones": [zone]} if zone else {},
                    private={"protection": protection} if protection else {})


@pytest.mark.parametrize(("machines_there", "count", "policy", "expected"), [
    ([resource("a", 1), resource("b", 2), resource("c", 3)], 2, {}, ["a", "b"]),
    ([resource("a", 1), resource("b", 2), resource("c", 3)], 1, {"rules": ["NewestVM"]}, ["c"]),
    ([resource("a", 1, "1"), resource("b", 2, "2"), resource("c", 3, "2")], 1, {}, ["b"]),
    ([resource("a", 1, "1"), resource("b", 2, "2"), resource("c", 3, "2")], 1, {"rules": ["NewestVM"]}, ["c"]),
    ([resource("a", 1, protectFromScaleIn=True), resource("b", 2)], 2, {}, ["b"]),
])
def test_who_goes(machines_there: list[Resource], count: int, policy: dict[str, Any], expected: list[str]) -> None:
    assert [m.name for m in scale_in(machines_there, count, policy)] == expected


def test_the_order_of_extensions() -> None:
    first, second = {"name": "a", "properties": {"provisionAfterExtensions": ["b"]}}, {"name": "b", "properties": {}}
    assert [e["name"] for e in in_order([first, second])] == ["b", "a"]


def test_protection_and_single_instances(group: Group, subnet: str) -> None:
    put_set(group, set_body(profile(subnet), 3))
    oldest = group.call("GET", f"{SET}/virtualMachines")[1]["value"][0]["instanceId"]
    one = f"{SET}/virtualMachines/{oldest}"
    status, body, headers = group.call("PUT", one, {"location": "westeurope", "properties": {
        "protectionPolicy": {"protectFromScaleIn": True, "protectFromScaleSetActions": True}}})
    assert status == 200 and body["properties"]["protectionPolicy"]["protectFromScaleIn"] is True
    assert settle(group, headers)["status"] == "Succeeded"
    put_set(group, {"location": "westeurope", "sku": {"capacity": 1}})
    assert [m["name"] for m in machines(group)] == [oldest]
    status, _body, headers = group.call("POST", f"{SET}/deallocate")
    assert status == 202 and settle(group, headers)["status"] == "Succeeded"
    codes = [s["code"] for s in group.call("GET", f"{one}/instanceView")[1]["statuses"]]
    assert "PowerState/running" in codes                        # protected from actions of the set
    status, _body, headers = group.call("POST", f"{one}/deallocate")
    assert status == 202 and settle(group, headers)["status"] == "Succeeded"
    assert "PowerState/deallocated" in [s["code"] for s in group.call("GET", f"{one}/instanceView")[1]["statuses"]]
    assert group.refused("GET", f"{SET}/virtualMachines/none")[:2] == (404, "NotFound")
    assert group.refused("PUT", one, {"properties": {"protectionPolicy": {
        "protectFromScaleIn": False, "protectFromScaleSetActions": True}}})[1] == "InvalidParameter"
    assert group.refused("POST", f"{SET}/delete", {"instanceIds": ["999"]})[1:] == (
        "InvalidParameter", "The provided instanceId 999 is not an active Virtual Machine Scale Set VM instanceId.")
    status, _body, headers = group.call("POST", f"{SET}/delete", {"instanceIds": [oldest]})
    assert status == 202 and settle(group, headers)["status"] == "Succeeded"
    assert machines(group) == [] and group.call("GET", SET)[1]["sku"]["capacity"] == 0


def test_actions_on_all(group: Group, subnet: str) -> None:
    put_set(group, set_body(profile(subnet), 2))
    for action, power in (("powerOff", "stopped"), ("start", "running"), ("restart", "running"), ("deallocate", "deallocated")):
        status, _body, headers = group.call("POST", f"{SET}/{action}", {"instanceIds": ["*"]})
        assert status == 202 and settle(group, headers)["status"] == "Succeeded"
        summary = group.call("GET", f"{SET}/instanceView")[1]["virtualMachine"]["statusesSummary"]
        assert {"code": f"PowerState/{power}", "count": 2} in summary
    assert group.refused("POST", f"{SET}/manualupgrade", {"instanceIds": ["*"]})[:2] == (501, "NotImplementedByLab")


def test_a_machine_made_by_hand_joins_and_leaves(group: Group, subnet: str) -> None:
    put_set(group, set_body(None, singlePlacementGroup=False, platformFaultDomainCount=1))
    assert "sku" not in group.call("GET", SET)[1]
    group.vm("m", str(group.nic("n", subnet)["id"]))
    machine = f"{COMPUTE}/virtualMachines/m"
    status, _body, headers = group.call("PATCH", machine, {"properties": {"virtualMachineScaleSet": {"id": group.id(SET)}}})
    assert status == 200 and settle(group, headers)["status"] == "Succeeded"
    assert [m["name"] for m in machines(group)] == ["m"]
    assert [i["instanceId"] for i in group.call("GET", f"{SET}/virtualMachines")[1]["value"]] == ["m"]
    put_set(group, set_body(None, singlePlacementGroup=False), f"{SETS}/second")
    assert group.refused("PATCH", machine, {"properties": {"virtualMachineScaleSet": {"id": group.id(f"{SETS}/second")}}}) == (
        409, "PropertyChangeNotAllowed", "Changing property 'virtualMachineScaleSet.id' is not allowed.")
    status, body, headers = group.call("PATCH", machine, {"properties": {"virtualMachineScaleSet": {"id": None}}})
    assert status == 200 and "virtualMachineScaleSet" not in body["properties"]
    settle(group, headers)
    made = vm_body("new", str(group.nic("n2", subnet)["id"]), virtualMachineScaleSet={"id": group.id(SET)})
    assert group.call("PUT", f"{COMPUTE}/virtualMachines/new", made)[0] == 201
    assert [m["name"] for m in machines(group)] == ["new"]


def test_who_cannot_join(group: Group, subnet: str) -> None:
    put_set(group, set_body(None, platformFaultDomainCount=2, singlePlacementGroup=False), f"{SETS}/two")
    put_set(group, set_body(None), f"{SETS}/unsaid")
    group.vm("m", str(group.nic("n", subnet)["id"]))

    def join(name: str) -> str:
        return group.refused("PATCH", f"{COMPUTE}/virtualMachines/m", {"properties": {
            "virtualMachineScaleSet": {"id": group.id(f"{SETS}/{name}")}}})[1]
    assert join("two") == "VmssDoesNotSupportAttachingExistingVMMultiFD"
    assert join("unsaid") == "VmssDoesNotSupportAttachingWithSpg"
    assert join("none") == "InvalidParameter"
    put_set(group, set_body(None, singlePlacementGroup=False, top={"zones": ["1"]}), f"{SETS}/zonal")
    assert join("zonal") == "InvalidParameter"
    group.put(f"{COMPUTE}/availabilitySets/a", {}, sku={"name": "Aligned"})
    group.vm("grouped", str(group.nic("n3", subnet)["id"]), availabilitySet={"id": group.id(f"{COMPUTE}/availabilitySets/a")})
    put_set(group, set_body(None, singlePlacementGroup=False))
    assert group.refused("PATCH", f"{COMPUTE}/virtualMachines/grouped", {"properties": {
        "virtualMachineScaleSet": {"id": group.id(SET)}}})[1] == "VmssDoesNotSupportAttachingExistingAvsetVM"


@pytest.mark.parametrize("query", ["", "?forceDeletion=true"])
def test_a_set_is_deleted_with_its_machines(group: Group, subnet: str, query: str) -> None:
    put_set(group, set_body(profile(subnet), 2))
    status, _body, headers = group.call("DELETE", SET + query)
    assert status == 202 and "location" in headers and settle(group, headers)["status"] == "Succeeded"
    assert group.call("GET", SET)[0] == 404 and machines(group) == []
    assert group.call("GET", f"{NET}/networkInterfaces")[1]["value"] == []
    assert group.call("DELETE", SET)[0] == 204


def test_a_group_is_deleted_with_its_sets(group: Group, subnet: str) -> None:
    put_set(group, set_body(profile(subnet), 2))
    status, _body, headers = group.azure.arm("DELETE", f"resourceGroups/{group.name}")
    assert status == 202
    deadline = time.monotonic() + 20
    while group.azure.arm("GET", f"resourceGroups/{group.name}")[0] != 404:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_what_an_update_keeps_and_refuses(group: Group, subnet: str) -> None:
    body = set_body(profile(subnet), 1)
    body["properties"]["virtualMachineProfile"]["osProfile"]["customData"] = "I2Nsb3VkLWNvbmZpZwo="
    first = put_set(group, body)
    assert "customData" not in str(first)
    again = copy.deepcopy(first)
    del again["properties"]["virtualMachineProfile"]["storageProfile"]["imageReference"]        # as az vmss update sends it
    again["properties"]["scaleInPolicy"] = {"rules": ["NewestVM"]}
    second = put_set(group, again)
    assert second["properties"]["virtualMachineProfile"]["storageProfile"]["imageReference"]["offer"] == "debian-12"
    assert second["properties"]["scaleInPolicy"] == {"rules": ["NewestVM"]} and second["etag"] == '"2"'
    assert second["properties"]["uniqueId"] == first["properties"]["uniqueId"]

    def change(**p: Any) -> tuple[str, str]:
        status, code, text = group.refused("PATCH", SET, {"properties": p})
        return code, text
    assert change(orchestrationMode="Uniform")[0] == "PropertyChangeNotAllowed"
    assert change(platformFaultDomainCount=2)[0] == "PropertyChangeNotAllowed"
    assert change(virtualMachineProfile={"osProfile": {"adminUsername": "other"}})[0] == "PropertyChangeNotAllowed"
    assert change(scaleInPolicy={"rules": ["Random"]})[0] == "InvalidParameter"
    assert change(virtualMachineProfil={})[0] == "BadRequest"


@pytest.mark.parametrize(("change", "code"), [
    ({"orchestrationMode": "Uniform"}, "NotImplementedByLab"), ({"orchestrationMode": "Other"}, "InvalidParameter"),
    ({"overprovision": True}, "InvalidParameter"), ({"platformFaultDomainCount": 5}, "InvalidParameter"),
])
def test_refused_properties(group: Group, subnet: str, change: dict[str, Any], code: str) -> None:
    assert group.refused("PUT", SET, set_body(profile(subnet), 1, **change))[1] == code
    assert group.call("GET", SET)[0] == 404


def test_refused_models(group: Group, subnet: str) -> None:
    def refused(capacity: int = 1, size: str = "Standard_B2s", **change: Any) -> str:
        model = profile(subnet)
        model.update(change)
        body = set_body(model, capacity)
        body["sku"]["name"] = size
        return group.refused("PUT", SET, body)[1]
    assert refused(1001) == "InvalidParameter"
    assert refused(1, "Standard_None") == "InvalidParameter"
    assert refused(networkProfile={"networkInterfaceConfigurations": profile(subnet)["networkProfile"]["networkInterfaceConfigurations"]}) \
        == "InvalidParameter"
    assert refused(networkProfile=profile(subnet + "x")["networkProfile"]) == "InvalidResourceReference"
    assert refused(osProfile={"adminUsername": "azureuser"}) == "InvalidParameter"
    assert refused(networkProfile=profile(subnet, loadBalancerInboundNatPools=[{"id": subnet}])["networkProfile"]) == "InvalidParameter"
    body = set_body(profile(subnet), 1, top={"identity": {"type": "SystemAssigned"}})
    assert group.refused("PUT", SET, body)[1] == "InvalidParameter"
    assert group.call("GET", f"{NET}/networkInterfaces")[1]["value"] == []


def test_the_quota_counts_all_instances() -> None:
    with testing.lab(core_quota=6) as azure:
        group = Group(azure, "quota")
        subnet = group.vnet()
        status, code, message = group.refused("PUT", SET, set_body(profile(subnet), 4))
        assert (status, code) == (409, "OperationNotAllowed")
        assert "Current Limit: 6, Current Usage: 0, Additional Required: 8, (Minimum) New Limit Required: 8." in message
        put_set(group, set_body(profile(subnet), 3))


def test_a_machine_that_fails_fails_the_operation(group: Group, subnet: str) -> None:
    group.azure.admin.fault(path="virtualMachines/web_.*/create vm", nth=2, times=1,
                            operation={"code": "AllocationFailed", "message": "Allocation failed."})
    status, _body, headers = group.call("PUT", SET, set_body(profile(subnet), 3))
    assert status == 201
    answer = settle(group, headers)
    assert answer["status"] == "Failed" and answer["error"]["code"] == "AllocationFailed"
    assert group.call("GET", SET)[1]["properties"]["provisioningState"] == "Failed"
    assert sorted(m["properties"]["provisioningState"] for m in machines(group)) == ["Failed", "Succeeded", "Succeeded"]


def test_a_subnet_that_is_full_fails_the_operation(group: Group) -> None:
    group.put(f"{NET}/virtualNetworks/small", {"addressSpace": {"addressPrefixes": ["10.9.0.0/24"]},
                                               "subnets": [{"name": "s", "properties": {"addressPrefix": "10.9.0.0/29"}}]})
    small = group.id(f"{NET}/virtualNetworks/small/subnets/s")
    _status, _body, headers = group.call("PUT", SET, set_body(profile(small), 4))
    assert settle(group, headers)["error"]["code"] == "SubnetIsFull"
    assert len(machines(group)) == 3 and group.call("GET", SET)[1]["sku"]["capacity"] == 3
    assert len(group.call("GET", f"{NET}/networkInterfaces")[1]["value"]) == 3


def test_extensions_of_the_profile(group: Group, subnet: str) -> None:
    put_set(group, set_body(profile(subnet), 0))
    extension = f"{SET}/extensions/script"
    status, body, headers = group.call("PUT", extension, {"properties": {
        "publisher": "Microsoft.Azure.Extensions", "type": "CustomScript", "typeHandlerVersion": "2.1",
        "settings": {"timestamp": 1}, "protectedSettings": {"commandToExecute": "true"}}})
    assert status == 201 and body["properties"]["provisioningState"] == "Creating" and "protectedSettings" not in str(body)
    assert settle(group, headers)["status"] == "Succeeded"
    assert group.call("GET", extension)[1]["properties"]["provisioningState"] == "Succeeded"
    assert [e["name"] for e in group.call("GET", f"{SET}/extensions")[1]["value"]] == ["script"]
    # there is no host that could run it: the instance says so, and with it the set
    _status, _body, headers = group.call("PATCH", SET, {"sku": {"capacity": 1}})
    assert settle(group, headers)["error"]["code"] == "VMAgentStatusCommunicationError"
    assert [e["id"].rsplit("/", 1)[1] for e in machines(group)[0]["resources"]] == ["script"]
    status, _body, headers = group.call("DELETE", extension)
    assert status == 202 and settle(group, headers)["status"] == "Succeeded"
    assert group.refused("GET", extension)[:2] == (404, "NotFound") and group.call("DELETE", extension)[0] == 204


def test_a_machine_makes_its_own_interface(group: Group, subnet: str) -> None:
    network = {**profile(subnet, publicIPAddressConfiguration={"name": "out", "properties": {}})["networkProfile"]}
    body = vm_body("m", "", networkProfile=network)
    assert group.call("PUT", f"{COMPUTE}/virtualMachines/m", body)[0] == 201
    shown = group.call("GET", f"{COMPUTE}/virtualMachines/m")[1]
    [entry] = shown["properties"]["networkProfile"]["networkInterfaces"]
    assert entry["properties"] == {"primary": True, "deleteOption": "Delete"}
    nic = group.azure.arm("GET", entry["id"])[1]
    assert nic["properties"]["virtualMachine"]["id"] == shown["id"]
    assert len(group.call("GET", f"{NET}/publicIPAddresses")[1]["value"]) == 1
    assert group.call("PUT", f"{COMPUTE}/virtualMachines/m", body)[0] == 200         # the same again makes nothing
    assert len(group.call("GET", f"{NET}/networkInterfaces")[1]["value"]) == 1
    group.call("DELETE", f"{COMPUTE}/virtualMachines/m")
    assert group.call("GET", f"{NET}/networkInterfaces")[1]["value"] == [] == group.call("GET", f"{NET}/publicIPAddresses")[1]["value"]
    missing = {k: v for k, v in network.items() if k != "networkApiVersion"}
    assert group.refused("PUT", f"{COMPUTE}/virtualMachines/x", vm_body("x", "", networkProfile=missing))[2].endswith("is missing (null).")
    wrong = vm_body("x", "", networkProfile=network, hardwareProfile={"vmSize": "Standard_None"})
    assert group.refused("PUT", f"{COMPUTE}/virtualMachines/x", wrong)[1] == "InvalidParameter"
    assert group.call("GET", f"{NET}/networkInterfaces")[1]["value"] == []


def test_placement_groups(group: Group, subnet: str) -> None:
    path = f"{COMPUTE}/proximityPlacementGroups/near"
    assert group.call("PUT", path, {"location": "westeurope", "properties": {}})[0] == 201
    put_set(group, set_body(profile(subnet), 1, proximityPlacementGroup={"id": group.id(path)}))
    shown = group.call("GET", path)[1]["properties"]
    assert shown["proximityPlacementGroupType"] == "Standard"
    assert [s["id"] for s in shown["virtualMachineScaleSets"]] == [group.id(SET)] and len(shown["virtualMachines"]) == 1
    assert group.refused("DELETE", path)[1] == "OperationNotAllowed"
    settle(group, group.call("DELETE", SET)[2])
    assert group.call("DELETE", path)[0] == 200
    nic = str(group.nic("n", subnet)["id"])
    assert group.refused("PUT", f"{COMPUTE}/virtualMachines/x", vm_body("x", nic, proximityPlacementGroup={"id": group.id(path)}))[0] == 404
