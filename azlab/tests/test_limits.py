# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Quotas by family and region, sizes that a region or a zone lacks; set at run time."""
from __future__ import annotations

import pytest
from labgroup import COMPUTE, NET, vm_body

D2 = {"hardwareProfile": {"vmSize": "Standard_D2s_v3"}}


@pytest.fixture
def limits(azure):
    """Sets conditions, and takes them away again."""
    yield lambda **conditions: azure.admin.call("POST", "/conditions", conditions)
    azure.admin.call("POST", "/conditions", {"quotas": [], "unavailable": []})


def usage(azure, name, region="westeurope", provider=COMPUTE):
    found = azure.arm("GET", f"{provider}/locations/{region}/usages")[1]["value"]
    return next((u["currentValue"], u["limit"]) for u in found if u["name"]["value"] == name)


def test_a_family_has_a_quota_of_its_own(azure, group, limits):
    subnet = group.vnet()
    limits(quotas=[{"name": "standarddsv3family", "region": "West Europe", "limit": 3}])
    group.vm("a", group.nic("na", subnet)["id"], **D2)
    nic = group.nic("nb", subnet)["id"]
    status, code, message = group.refused("PUT", f"{COMPUTE}/virtualMachines/b", vm_body("b", nic, **D2))
    assert (status, code) == (409, "OperationNotAllowed")
    assert "exceeding approved standardDSv3Family Cores quota" in message
    assert "Location: westeurope, Current Limit: 3, Current Usage: 2, Additional Required: 2, (Minimum) New Limit Required: 4." in message
    assert usage(azure, "standardDSv3Family") == (2, 3)
    assert usage(azure, "standardDSv3Family", "northeurope")[1] == 4000
    group.vm("b", nic)                                          # of another family
    refused = group.refused("PATCH", f"{COMPUTE}/virtualMachines/b", {"properties": D2})
    assert refused[1] == "OperationNotAllowed"


def test_spot_has_a_quota_beside_the_regular_one(azure, group, limits):
    subnet = group.vnet()
    before = usage(azure, "cores")[0]
    limits(quotas=[{"name": "lowPriorityCores", "limit": 2}])
    spot = {"priority": "Spot", "evictionPolicy": "Deallocate"}
    group.vm("a", group.nic("na", subnet)["id"], **spot)
    message = group.refused("PUT", f"{COMPUTE}/virtualMachines/b", vm_body("b", group.nic("nb", subnet)["id"], **spot))[2]
    assert "exceeding approved LowPriority Cores quota" in message
    assert usage(azure, "lowPriorityCores") == (2, 2)
    assert usage(azure, "cores")[0] == before


def test_addresses_of_a_region_are_counted(azure, group, limits):
    group.address("one")
    used = usage(azure, "PublicIPAddresses", provider=NET)[0]
    limits(quotas=[{"name": "PublicIPAddresses", "region": "westeurope", "limit": used}])
    refused = group.refused("PUT", f"{NET}/publicIPAddresses/two", {"location": "westeurope", "properties": {}})
    assert refused == (400, "PublicIPCountLimitReached",
                       f"Cannot create more than {used} public IP addresses for this subscription in this region.")
    assert group.call("PUT", f"{NET}/publicIPAddresses/one", {"location": "westeurope", "sku": {"name": "Standard"}, "properties": {
        "publicIPAllocationMethod": "Static"}})[0] == 200       # what is there can be changed
    assert group.call("PUT", f"{NET}/publicIPAddresses/two", {"location": "northeurope", "properties": {}})[0] == 201


def test_a_size_that_a_zone_lacks(azure, group, limits):
    subnet = group.vnet()
    limits(unavailable=[{"size": "standard_d2s_v3", "region": "westeurope", "zones": ["2"]}])
    conditions = azure.admin.call("GET", "/conditions")
    limits(**{k: conditions[k] for k in ("quotas", "unavailable")})      # what is shown can be set
    nic = group.nic("n", subnet)["id"]
    body = vm_body("m", nic, top={"zones": ["2"]}, **D2)
    status, code, message = group.refused("PUT", f"{COMPUTE}/virtualMachines/m", body)
    assert (status, code) == (409, "SkuNotAvailable") and "Standard_D2s_v3' is currently not available in location 'westeurope'" in message
    skus = azure.arm("GET", f"{COMPUTE}/skus?$filter=location%20eq%20'westeurope'")[1]["value"]
    shown = next(s["restrictions"] for s in skus if s["name"] == "Standard_D2s_v3")
    assert shown == [{"type": "Zone", "values": ["westeurope"], "reasonCode": "NotAvailableForSubscription",
                      "restrictionInfo": {"locations": ["westeurope"], "zones": ["2"]}}]
    body["zones"] = ["1"]
    assert group.call("PUT", f"{COMPUTE}/virtualMachines/m", body)[0] == 201


def test_a_size_that_a_region_lacks(group, limits):
    nic = group.nic("n", group.vnet())["id"]
    limits(unavailable=[{"size": "Standard_B2s"}])
    assert group.refused("PUT", f"{COMPUTE}/virtualMachines/m", vm_body("m", nic))[1] == "SkuNotAvailable"
    limits(unavailable=[])
    assert group.call("PUT", f"{COMPUTE}/virtualMachines/m", vm_body("m", nic))[0] == 201


@pytest.mark.parametrize(("conditions", "said"), [
    ({"quotas": [{"name": "standardFamily", "limit": 1}]}, "'standardFamily' is no quota; there are cores, lowPriorityCores"),
    ({"quotas": [{"name": "cores", "limit": -1}]}, "the limit of 'cores' is -1, but must be a number from 0 on"),
    ({"quotas": [{"name": "cores", "limit": True}]}, "is True"),
    ({"quotas": [{"name": "cores", "limit": 1, "location": "x"}]}, "unknown member 'location'; known are limit, name, region"),
    ({"quotas": [{"name": "cores", "limit": 1, "region": "atlantis"}]}, "'atlantis' is no region"),
    ({"quotas": {"cores": 1}}, "quotas must be a list of objects"),
    ({"unavailable": [{"size": "Standard_Z1"}]}, "'Standard_Z1' is no size of the lab's catalogue"),
])
def test_limits_that_make_no_sense(azure, limits, conditions, said):
    with pytest.raises(RuntimeError) as problem:
        limits(**conditions)
    assert "POST /conditions: 400" in str(problem.value) and said in str(problem.value)
