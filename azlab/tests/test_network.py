# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Networks, subnets, security groups, addresses and interfaces by Azure's rules."""
from __future__ import annotations

from typing import Any

import pytest

from labgroup import NET, Group, vm_body  # noqa: F401

VNET = f"{NET}/virtualNetworks/vnet"


def vnet_body(prefixes: list[str], subnets: dict[str, str]) -> dict[str, Any]:
    return {"location": "westeurope", "properties": {
        "addressSpace": {"addressPrefixes": prefixes},
        "subnets": [{"name": n, "properties": {"addressPrefix": p}} for n, p in subnets.items()]}}


def test_a_new_network_is_updating_and_then_succeeded(group: Group) -> None:
    status, body, headers = group.call("PUT", VNET, vnet_body(["10.1.0.0/16"], {"a": "10.1.0.0/24"}))
    assert status == 201 and body["properties"]["provisioningState"] == "Updating"
    assert headers["retry-after"] == "1" and "location" not in headers
    status, operation, _ = group.azure.arm("GET", headers["azure-asyncoperation"])
    assert (status, operation) == (200, {"status": "Succeeded"})
    after = group.call("GET", VNET)[1]
    assert after["properties"]["provisioningState"] == "Succeeded"
    assert after["etag"] != body["etag"] and after["etag"].startswith('W/"')
    assert list(after["properties"]) == ["provisioningState", "resourceGuid", "addressSpace", "subnets",
                                         "virtualNetworkPeerings", "enableDdosProtection", "privateEndpointVNetPolicies"]
    assert group.call("PUT", VNET, vnet_body(["10.1.0.0/16"], {"a": "10.1.0.0/24"}))[0] == 200


@pytest.mark.parametrize(("prefixes", "subnets", "code"), [
    (["10.1.0.0"], {}, "InvalidAddressPrefixFormat"), (["10.1.0.1/16"], {}, "InvalidCIDRNotation"),
    ([], {}, "MissingAddressSpace"), (["10.0.0.0/8", "10.1.0.0/16"], {}, "AddressPrefixesOverlap"),
    (["10.1.0.0/16"], {"a": "10.2.0.0/24"}, "NetcfgSubnetRangeOutsideVnet"),
    (["10.1.0.0/16"], {"a": "10.1.0.0/24", "b": "10.1.0.128/25"}, "NetcfgSubnetRangesOverlap"),
    (["10.1.0.0/16"], {"a": "10.1.0.0/30"}, "NetcfgInvalidSubnet"),
    (["10.1.0.0/16"], {"a": "banana"}, "InvalidAddressPrefixFormat"),
])
def test_address_ranges(group: Group, prefixes: list[str], subnets: dict[str, str], code: str) -> None:
    assert group.refused("PUT", VNET, vnet_body(prefixes, subnets))[:2] == (400, code)
    assert group.call("GET", VNET)[0] == 404


def test_subnets_on_their_own(group: Group) -> None:
    group.vnet()
    path = f"{VNET}/subnets/more"
    status, body, headers = group.call("PUT", path, {"properties": {"addressPrefix": "10.20.9.0/24"}})
    assert status == 201 and body["properties"]["provisioningState"] == "Updating" and headers["retry-after"] == "1"
    assert [s["name"] for s in group.call("GET", f"{VNET}/subnets")[1]["value"]] == ["hosts", "more"]
    assert group.refused("PUT", f"{VNET}/subnets/x", {"properties": {"addressPrefix": "10.20.9.0/25"}})[1] == \
        "NetcfgSubnetRangesOverlap"
    status, _, headers = group.call("DELETE", path)
    assert status == 202 and group.azure.arm("GET", headers["location"])[0] == 204
    assert group.call("DELETE", path)[0] == 204
    assert group.refused("GET", path)[:2] == (404, "NotFound")
    assert group.refused("PUT", f"{NET}/virtualNetworks/none/subnets/x",
                         {"properties": {"addressPrefix": "10.0.0.0/24"}})[:2] == (404, "ParentResourceNotFound")


def test_what_is_in_use_cannot_be_deleted(group: Group) -> None:
    security = group.put(f"{NET}/networkSecurityGroups/nsg", {})
    gateway = group.put(f"{NET}/natGateways/nat", {})
    address = group.address()
    subnet = group.vnet(networkSecurityGroup={"id": security["id"]}, natGateway={"id": gateway["id"]})
    nic = group.nic("n", subnet, publicIPAddress={"id": address["id"]})
    group.vm("m", nic["id"])
    for path, code, who in (
            (VNET, "InUseSubnetCannotBeDeleted", "/networkInterfaces/n/ipConfigurations/ip"),
            (f"{VNET}/subnets/hosts", "InUseSubnetCannotBeDeleted", "/networkInterfaces/n/ipConfigurations/ip"),
            (f"{NET}/networkSecurityGroups/nsg", "InUseNetworkSecurityGroupCannotBeDeleted", "/subnets/hosts"),
            (f"{NET}/natGateways/nat", "CannotDeleteNatGatewayAssociatedToSubnet", "1 subnets"),
            (f"{NET}/publicIPAddresses/ip", "PublicIPAddressCannotBeDeleted", "/networkInterfaces/n/ipConfigurations/ip"),
            (f"{NET}/networkInterfaces/n", "NicInUse", "/virtualMachines/m")):
        status, got, message = group.refused("DELETE", path)
        assert (status, got) == (400, code) and who in message
        assert group.call("GET", path)[0] == 200
    assert group.refused("PUT", VNET, vnet_body(["10.20.0.0/16"], {}))[1] == "InUseSubnetCannotBeDeleted"
    assert group.refused("PUT", VNET, vnet_body(["10.20.0.0/16"], {"hosts": "10.20.1.0/24"}))[1] == \
        "InUsePrefixCannotBeDeleted"


def test_back_references(group: Group) -> None:
    security = group.put(f"{NET}/networkSecurityGroups/nsg", {})
    address = group.address()
    subnet = group.vnet(networkSecurityGroup={"id": security["id"]})
    nic = group.nic("n", subnet, publicIPAddress={"id": address["id"]})
    configuration = nic["properties"]["ipConfigurations"][0]["id"]
    machine = group.vm("m", nic["id"])
    assert group.call("GET", f"{VNET}/subnets/hosts")[1]["properties"]["ipConfigurations"] == [{"id": configuration}]
    assert group.call("GET", f"{NET}/publicIPAddresses/ip")[1]["properties"]["ipConfiguration"] == {"id": configuration}
    assert group.call("GET", f"{NET}/networkSecurityGroups/nsg")[1]["properties"]["subnets"] == [{"id": subnet}]
    after = group.call("GET", f"{NET}/networkInterfaces/n")[1]["properties"]
    assert after["virtualMachine"] == {"id": machine["id"]} and after["macAddress"].startswith("00-0D-3A-")


def test_references_must_exist_and_be_in_the_region(group: Group) -> None:
    missing = group.id(f"{NET}/virtualNetworks/none/subnets/x")
    body = {"location": "westeurope", "properties": {"ipConfigurations": [
        {"name": "ip", "properties": {"subnet": {"id": missing}}}]}}
    status, code, message = group.refused("PUT", f"{NET}/networkInterfaces/n", body)
    assert (status, code) == (400, "InvalidResourceReference") and missing in message
    body["properties"]["ipConfigurations"][0]["properties"]["subnet"]["id"] = group.vnet()  # type: ignore[index]
    assert group.refused("PUT", f"{NET}/networkInterfaces/n", {**body, "location": "eastus"})[1] == \
        "InvalidResourceReference"
    body["properties"]["ipConfigurations"][0]["properties"]["subnet"]["id"] = "hosts"  # type: ignore[index]
    assert group.refused("PUT", f"{NET}/networkInterfaces/n", body)[1] == "LinkedInvalidPropertyId"


def test_references_keep_the_case_in_which_they_came(group: Group) -> None:
    subnet = group.vnet().replace("virtualNetworks/vnet", "virtualnetworks/VNET")
    nic = group.nic("n", subnet)
    assert nic["properties"]["ipConfigurations"][0]["properties"]["subnet"]["id"] == subnet


def test_allocation_of_private_addresses(group: Group) -> None:
    group.vnet()
    group.put(f"{VNET}/subnets/tiny", {"addressPrefix": "10.20.7.0/29"})
    tiny = group.id(f"{VNET}/subnets/tiny")

    def address(name: str, **configuration: Any) -> str:
        made = group.nic(name, tiny, **configuration)
        return str(made["properties"]["ipConfigurations"][0]["properties"]["privateIPAddress"])
    assert [address(n) for n in "ab"] == ["10.20.7.4", "10.20.7.5"]
    assert address("a") == "10.20.7.4"
    assert address("c", privateIPAllocationMethod="Static", privateIPAddress="10.20.7.6") == "10.20.7.6"

    def refused(**configuration: Any) -> str:
        return group.refused("PUT", f"{NET}/networkInterfaces/x", {"location": "westeurope", "properties": {
            "ipConfigurations": [{"name": "ip", "properties": {"subnet": {"id": tiny}, **configuration}}]}})[1]
    assert refused() == "SubnetIsFull"
    static = {"privateIPAllocationMethod": "Static"}
    assert refused(**static, privateIPAddress="10.20.7.5") == "PrivateIPAddressIsAllocated"
    assert refused(**static, privateIPAddress="10.20.7.3") == "PrivateIPAddressInReservedRange"
    assert refused(**static, privateIPAddress="10.20.7.7") == "PrivateIPAddressInReservedRange"
    assert refused(**static, privateIPAddress="10.20.8.5") == "PrivateIPAddressNotInSubnet"
    group.call("DELETE", f"{NET}/networkInterfaces/b")
    assert address("d") == "10.20.7.5"


def test_public_addresses(group: Group) -> None:
    status, body, _ = group.call("PUT", f"{NET}/publicIPAddresses/ip", {
        "location": "westeurope", "sku": {"name": "Standard"}, "properties": {
            "publicIPAllocationMethod": "Static", "dnsSettings": {"domainNameLabel": "dockhost-lab"}}})
    assert status == 201 and "ipAddress" not in body["properties"]
    after = group.call("GET", f"{NET}/publicIPAddresses/ip")[1]
    assert after["properties"]["ipAddress"].startswith("203.0.113.")
    assert after["properties"]["dnsSettings"]["fqdn"] == "dockhost-lab.westeurope.cloudapp.azure.com"
    assert after["sku"] == {"tier": "Regional", "name": "Standard"}
    for properties, code in (({"idleTimeoutInMinutes": 31}, "PublicIPIdleTimeoutIsOutOfRange"),
                             ({"publicIPAllocationMethod": "Dynamic"}, "PublicIPAddressStandardSkuDynamic"),
                             ({"dnsSettings": {"domainNameLabel": "l-a_b"}}, "InvalidDomainNameLabel"),
                             ({"dnsSettings": {"domainNameLabel": "dockhost-lab"}}, "DnsRecordInUse")):
        assert group.refused("PUT", f"{NET}/publicIPAddresses/other", {
            "location": "westeurope", "sku": {"name": "Standard"}, "properties": properties})[1] == code


def test_choices_of_an_address_count_whatever_their_case(group: Group) -> None:
    status, body, _ = group.call("PUT", f"{NET}/publicIPAddresses/ip", {
        "location": "westeurope", "sku": {"name": "standard"}, "properties": {"publicIPAllocationMethod": "static"}})
    assert (status, body["sku"]["name"], body["properties"]["publicIPAllocationMethod"]) == (201, "Standard", "Static")


def test_one_address_serves_one_thing(group: Group) -> None:
    address, subnet = group.address(), group.vnet()
    group.nic("n", subnet, publicIPAddress={"id": address["id"]})
    body = {"location": "westeurope", "properties": {"ipConfigurations": [
        {"name": "ip", "properties": {"subnet": {"id": subnet}, "publicIPAddress": {"id": address["id"]}}}]}}
    assert group.refused("PUT", f"{NET}/networkInterfaces/m", body)[1] == "PublicIPAddressInUse"


RULE = {"priority": 100, "direction": "Inbound", "access": "Allow", "protocol": "Tcp", "sourceAddressPrefix": "*",
        "sourcePortRange": "*", "destinationAddressPrefix": "*", "destinationPortRange": "22"}


def test_a_security_group_shows_its_defaults(group: Group) -> None:
    made = group.put(f"{NET}/networkSecurityGroups/nsg", {"securityRules": [{"name": "ssh", "properties": RULE}]})
    rule = made["properties"]["securityRules"][0]
    assert rule["properties"]["sourceAddressPrefixes"] == [] and rule["etag"] == made["etag"]
    assert [(r["name"], r["properties"]["priority"]) for r in made["properties"]["defaultSecurityRules"]] == [
        ("AllowVnetInBound", 65000), ("AllowAzureLoadBalancerInBound", 65001), ("DenyAllInBound", 65500),
        ("AllowVnetOutBound", 65000), ("AllowInternetOutBound", 65001), ("DenyAllOutBound", 65500)]


@pytest.mark.parametrize(("change", "code"), [
    ({"priority": 99}, "SecurityRuleInvalidPriority"), ({"priority": 4097}, "SecurityRuleInvalidPriority"),
    ({"destinationPortRange": "70000"}, "SecurityRuleInvalidPortRange"),
    ({"destinationPortRange": "90-80"}, "SecurityRuleInvalidPortRange"),
    ({"sourceAddressPrefix": "10.0.0.0/99"}, "SecurityRuleInvalidAddressPrefix"),
    ({"description": "x" * 141}, "SecurityRuleDescriptionTooLong"), ({"protocol": "Http"}, "InvalidRequestFormat"),
    ({"access": None}, "SecurityRuleParameterIsMissing"), ({"priority": "many"}, "InvalidRequestFormat"),
])
def test_limits_of_security_rules(group: Group, change: dict[str, Any], code: str) -> None:
    group.put(f"{NET}/networkSecurityGroups/nsg", {})
    path = f"{NET}/networkSecurityGroups/nsg/securityRules/r"
    assert group.refused("PUT", path, {"properties": {**RULE, **change}})[:2] == (400, code)
    assert group.call("GET", f"{NET}/networkSecurityGroups/nsg/securityRules")[1]["value"] == []


def test_two_rules_of_one_priority(group: Group) -> None:
    nsg = f"{NET}/networkSecurityGroups/nsg"
    group.put(nsg, {"securityRules": [{"name": "a", "properties": RULE}]})
    assert group.refused("PUT", f"{nsg}/securityRules/b", {"properties": RULE})[1] == "SecurityRuleConflict"
    assert group.call("PUT", f"{nsg}/securityRules/b", {"properties": {**RULE, "direction": "Outbound"}})[0] == 201
    assert group.call("PUT", f"{nsg}/securityRules/a", {"properties": {**RULE, "access": "Deny"}})[0] == 200
    assert group.call("GET", f"{nsg}/securityRules/A")[1]["properties"]["access"] == "Deny"


def test_etags_guard_against_lost_updates(group: Group) -> None:
    group.vnet()
    current = group.call("GET", VNET)[1]
    body = vnet_body(["10.20.0.0/16"], {"hosts": "10.20.0.0/24"})
    assert group.refused("PUT", VNET, body, headers={"If-Match": 'W/"other"'})[:2] == (412, "PreconditionFailed")
    assert group.refused("PUT", VNET, body, headers={"If-None-Match": "*"})[0] == 412
    assert group.call("PUT", VNET, body, headers={"If-Match": current["etag"]})[0] == 200
    assert group.call("PUT", f"{NET}/virtualNetworks/new", body, headers={"If-None-Match": "*"})[0] == 201


def test_a_body_that_was_read_can_be_sent_back(group: Group) -> None:
    """What Azure computes is left out of what is kept: the same document comes back."""
    security = group.put(f"{NET}/networkSecurityGroups/nsg", {"securityRules": [{"name": "a", "properties": RULE}]})
    subnet = group.vnet(networkSecurityGroup={"id": security["id"]})
    group.nic("n", subnet, publicIPAddress={"id": group.address()["id"]})
    for path in (VNET, f"{NET}/networkSecurityGroups/nsg", f"{NET}/networkInterfaces/n", f"{NET}/publicIPAddresses/ip"):
        before = group.call("GET", path)[1]
        assert group.call("PUT", path, before)[0] == 200
        after = group.call("GET", path)[1]
        assert _without_etags(after) == _without_etags(before)


def _without_etags(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _without_etags(v) for k, v in value.items() if k != "etag"}
    return [_without_etags(v) for v in value] if isinstance(value, list) else value


def test_region_of_a_resource_cannot_change(group: Group) -> None:
    group.vnet()
    body = vnet_body(["10.20.0.0/16"], {"hosts": "10.20.0.0/24"})
    assert group.refused("PUT", VNET, {**body, "location": "eastus"})[:2] == (409, "InvalidResourceLocation")
    assert group.refused("PUT", f"{NET}/virtualNetworks/x", {**body, "location": "mars"})[1] == \
        "LocationNotAvailableForResourceType"
    assert group.refused("PUT", f"{NET}/virtualNetworks/x", {**body, "name": "y"})[1] == "InvalidRequestContent"


def test_whether_an_address_is_free(group: Group) -> None:
    group.nic("nic1", group.vnet())
    path = f"{NET}/virtualNetworks/vnet/CheckIPAddressAvailability?ipAddress="
    assert group.call("GET", path + "10.20.0.5")[1] == {"available": True, "isPlatformReserved": False}
    assert group.call("GET", path + "10.20.0.4")[1] == {"available": False, "isPlatformReserved": False, "availableIPAddresses": [
        f"10.20.0.{n}" for n in range(5, 10)]}
    assert group.call("GET", path + "10.20.0.1")[1]["isPlatformReserved"] is True
    assert group.refused("GET", path + "10.99.0.1")[:2] == (400, "PrivateIPAddressNotInAnySubnet")
    assert group.refused("GET", path + "x")[:2] == (400, "IPAddressFormatIsInvalid")


def test_an_interface_behind_a_balancer_takes_a_moment(group: Group) -> None:
    subnet = group.vnet()
    group.put(f"{NET}/loadBalancers/b", {"frontendIPConfigurations": [{"name": "f", "properties": {"subnet": {"id": subnet}}}],
                                         "backendAddressPools": [{"name": "pool"}]}, sku={"name": "Standard"})
    pool = group.id(f"{NET}/loadBalancers/b/backendAddressPools/pool")
    for name, more, state in (("plain", {}, "Succeeded"), ("behind", {"loadBalancerBackendAddressPools": [{"id": pool}]}, "Updating")):
        status, body, headers = group.call("PUT", f"{NET}/networkInterfaces/{name}", {"location": "westeurope", "properties": {
            "ipConfigurations": [{"name": "ip", "properties": {"subnet": {"id": subnet}, **more}}]}})
        assert (status, body["properties"]["provisioningState"]) == (201, state)
        assert ("azure-asyncoperation" in headers) == (state == "Updating")


def test_service_endpoints_are_of_the_region(group: Group) -> None:
    group.vnet(serviceEndpoints=[{"service": "Microsoft.Sql"}, {"service": "Microsoft.KeyVault", "locations": ["*"]}])
    shown = group.call("GET", f"{VNET}/subnets/hosts")[1]["properties"]["serviceEndpoints"]
    assert [(e["service"], e["locations"], e["provisioningState"]) for e in shown] == [
        ("Microsoft.Sql", ["westeurope"], "Succeeded"), ("Microsoft.KeyVault", ["*"], "Succeeded")]


def test_address_pools_are_refused(group: Group) -> None:
    body = vnet_body(["10.1.0.0/16"], {})
    body["properties"]["addressSpace"]["ipamPoolPrefixAllocations"] = [{"pool": {"id": "/subscriptions/x"}}]
    assert group.refused("PUT", VNET, body)[:2] == (501, "NotImplementedByLab")


def test_the_parent_of_what_is_to_be_deleted_must_be_there(group: Group) -> None:
    assert group.refused("DELETE", f"{NET}/virtualNetworks/none/subnets/a")[:2] == (404, "ResourceNotFound")
    status, code, text = group.refused("DELETE", "providers/Microsoft.Compute/virtualMachineScaleSets/none/extensions/e")
    assert (status, code) == (404, "ParentResourceNotFound") and "'delete'" in text


def test_a_network_that_is_written_again_keeps_what_the_body_does_not_name(group: Group) -> None:
    body = vnet_body(["10.1.0.0/16"], {})
    group.vnet("other", "10.9.0.0/16")
    body["properties"]["virtualNetworkPeerings"] = [{"name": "p", "properties": {
        "allowForwardedTraffic": True, "remoteVirtualNetwork": {"id": group.id(f"{NET}/virtualNetworks/other")}}}]
    assert group.call("PUT", VNET, body)[0] == 201
    assert group.call("PUT", VNET, vnet_body(["10.1.0.0/16"], {"a": "10.1.0.0/24"}))[0] == 200
    assert [p["name"] for p in group.call("GET", VNET)[1]["properties"]["virtualNetworkPeerings"]] == ["p"]


def test_a_range_of_ports_may_wait_for_its_pool(group: Group) -> None:
    subnet = group.vnet()
    frontend = group.id(f"{NET}/loadBalancers/b/frontendIPConfigurations/f")
    rule = {"frontendIPConfiguration": {"id": frontend}, "frontendPortRangeStart": 0, "frontendPortRangeEnd": 3, "backendPort": 22}
    made = group.put(f"{NET}/loadBalancers/b", {"frontendIPConfigurations": [{"name": "f", "properties": {"subnet": {"id": subnet}}}],
                                                "inboundNatRules": [{"name": "r", "properties": rule}]}, sku={"name": "Standard"})
    assert made["properties"]["inboundNatRules"][0]["properties"]["frontendPortRangeEnd"] == 3
    del rule["frontendPortRangeEnd"]
    assert group.refused("PUT", f"{NET}/loadBalancers/b/inboundNatRules/r2", {"properties": rule})[0] == 400
