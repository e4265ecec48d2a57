# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From resources to packets: security rules, balancers, ways in and ways out."""
from __future__ import annotations

from typing import Any

import pytest

from azlab import netstate
from azlab.testing import RunningLab
from labgroup import COMPUTE, NET, Group

LB = f"{NET}/loadBalancers/lb"


def state(azure: RunningLab, group: Group) -> dict[str, list[dict[str, Any]]]:
    """What the lab wants of this group's machines."""
    wanted = azure.admin.network()
    mine = f"/resourcegroups/{group.name}/".lower()
    return {key: [e for e in entries if mine in str(e)] for key, entries in wanted.items()}


def test_tags_become_ranges() -> None:
    prefixes = ("10.20.0.0/16", "172.16.0.0/24")
    assert netstate.resolve(["VirtualNetwork"], prefixes) == prefixes
    assert netstate.resolve(["AzureLoadBalancer"], prefixes) == ("168.63.129.16/32", "10.20.0.1/32")
    assert netstate.resolve(["10.0.0.7", "192.168.0.0/24"], prefixes) == ("10.0.0.7/32", "192.168.0.0/24")
    assert netstate.resolve(["10.0.0.7", "*"], prefixes) == ("0.0.0.0/0",)
    assert netstate.resolve(["Storage"], prefixes) == ()


def test_internet_is_all_but_the_network() -> None:
    import ipaddress
    ranges = [ipaddress.ip_network(r) for r in netstate.resolve(["Internet"], ("10.20.0.0/16",))]

    def inside(address: str) -> bool:
        return any(ipaddress.ip_address(address) in r for r in ranges)
    assert inside("203.0.113.1") and inside("10.21.0.1") and inside("10.19.255.255")
    assert not inside("10.20.0.0") and not inside("10.20.255.255")
    assert sum(r.num_addresses for r in ranges) == 2**32 - 2**16


@pytest.mark.parametrize(("values", "ranges"), [(["*"], ((0, 65535),)), (["22", "80-90"], ((22, 22), (80, 90))),
                                                ([], ((0, 65535),))])
def test_ports(values: list[str], ranges: tuple[tuple[int, int], ...]) -> None:
    assert netstate.port_ranges(values) == ranges


def rule(priority: int, **more: Any) -> dict[str, Any]:
    return {"name": f"r{priority}", "properties": {
        "priority": priority, "direction": "Inbound", "access": "Allow", "protocol": "Tcp", "sourceAddressPrefix": "*",
        "sourcePortRange": "*", "destinationAddressPrefix": "*", "destinationPortRange": "22", **more}}


def test_both_security_groups_count_in_the_order_of_priorities(azure: RunningLab, group: Group) -> None:
    first = group.put(f"{NET}/networkSecurityGroups/a", {"securityRules": [rule(300), rule(200, access="Deny")]})
    second = group.put(f"{NET}/networkSecurityGroups/b", {"securityRules": [rule(100, sourceAddressPrefix="Storage")]})
    subnet = group.vnet(networkSecurityGroup={"id": first["id"]})
    nic = group.put(f"{NET}/networkInterfaces/n", {
        "networkSecurityGroup": {"id": second["id"]},
        "ipConfigurations": [{"name": "ip", "properties": {"subnet": {"id": subnet}}}]})
    assert state(azure, group)["firewalls"] == []          # an interface without a machine has no packets
    group.vm("m", nic["id"])
    (firewall,) = state(azure, group)["firewalls"]
    assert firewall["address"] == "10.20.0.4"
    names = [[r["name"] for r in g if r["direction"] == "in"] for g in firewall["groups"]]
    default = ["AllowVnetInBound", "AllowAzureLoadBalancerInBound", "DenyAllInBound"]
    assert names == [["r200", "r300", *default], default]      # the tag Storage has no address in a lab
    group.call("POST", f"{COMPUTE}/virtualMachines/m/deallocate")
    assert state(azure, group)["firewalls"] == []


def test_balancer_nat_and_ways_out(azure: RunningLab, group: Group) -> None:
    address, subnet = group.address(), group.vnet()
    public = address["properties"]["ipAddress"]
    base = group.id(LB)
    frontend, pool = {"id": f"{base}/frontendIPConfigurations/fe"}, {"id": f"{base}/backendAddressPools/hosts"}
    properties: dict[str, Any] = {
        "frontendIPConfigurations": [{"name": "fe", "properties": {"publicIPAddress": {"id": address["id"]}}}],
        "backendAddressPools": [{"name": "hosts"}],
        "probes": [{"name": "web", "properties": {"protocol": "Http", "port": 8080, "requestPath": "/ok",
                                                  "intervalInSeconds": 5}}],
        "loadBalancingRules": [{"name": "web", "properties": {
            "frontendIPConfiguration": frontend, "backendAddressPool": pool, "probe": {"id": f"{base}/probes/web"},
            "protocol": "Tcp", "frontendPort": 80, "backendPort": 8080, "disableOutboundSnat": True,
            "loadDistribution": "SourceIP"}}],
        "inboundNatRules": [{"name": "ssh", "properties": {
            "frontendIPConfiguration": frontend, "backendAddressPool": pool, "protocol": "Tcp",
            "frontendPortRangeStart": 50000, "frontendPortRangeEnd": 50009, "backendPort": 22}}]}
    group.put(LB, properties, sku={"name": "Standard"})
    for name in "ab":
        group.vm(name, group.nic(f"n{name}", subnet, loadBalancerBackendAddressPools=[pool])["id"])
    group.vm("alone", group.nic("nalone", subnet)["id"])
    wanted = state(azure, group)
    (balancing,) = wanted["balancer_rules"]
    assert (balancing["frontend_ip"], balancing["frontend_port"], balancing["backend_port"]) == (public, 80, 8080)
    assert [b["address"] for b in balancing["backends"]] == ["10.20.0.4", "10.20.0.5"]
    assert balancing["probe"] == {"protocol": "http", "port": 8080, "path": "/ok", "interval": 5, "threshold": 1}
    assert balancing["distribution"] == "client-ip"
    assert [(n["frontend_port"], n["backend"]["address"], n["backend_port"]) for n in wanted["nat_rules"]] == [
        (50000, "10.20.0.4", 22), (50001, "10.20.0.5", 22)]
    assert wanted["outbound"] == []             # nobody asked for a way out: there is none
    properties["outboundRules"] = [{"name": "out", "properties": {
        "frontendIPConfigurations": [frontend], "backendAddressPool": pool, "protocol": "All"}}]
    group.put(LB, properties, sku={"name": "Standard"})
    out = {o["backend"]["address"]: o["public_ip"] for o in state(azure, group)["outbound"]}
    assert out == {"10.20.0.4": public, "10.20.0.5": public}


def test_own_address_and_nat_gateway(azure: RunningLab, group: Group) -> None:
    own, shared = group.address("own"), group.address("shared")
    subnet = group.vnet()
    group.vm("m", group.nic("n", subnet, publicIPAddress={"id": own["id"]})["id"])
    (instance,) = state(azure, group)["instance_addresses"]
    assert (instance["public_ip"], instance["backend"]["address"]) == (own["properties"]["ipAddress"], "10.20.0.4")
    assert [o["public_ip"] for o in state(azure, group)["outbound"]] == [own["properties"]["ipAddress"]]
    gateway = group.put(f"{NET}/natGateways/nat", {"publicIpAddresses": [{"id": shared["id"]}]})
    group.vnet(natGateway={"id": gateway["id"]})
    assert [o["public_ip"] for o in state(azure, group)["outbound"]] == [shared["properties"]["ipAddress"]]


def test_application_security_groups_are_the_addresses_in_them(azure: RunningLab, group: Group) -> None:
    web, empty = (group.put(f"{NET}/applicationSecurityGroups/{n}", {})["id"] for n in ("web", "empty"))
    rules = [rule(100, sourceAddressPrefix=None, sourceApplicationSecurityGroups=[{"id": web}]),
             rule(200, destinationAddressPrefix=None, destinationApplicationSecurityGroups=[{"id": empty}])]
    guard = group.put(f"{NET}/networkSecurityGroups/n", {"securityRules": rules})
    assert guard["properties"]["securityRules"][0]["properties"]["sourceApplicationSecurityGroups"] == [{"id": web}]
    subnet = group.vnet(networkSecurityGroup={"id": guard["id"]})
    group.vm("a", str(group.nic("na", subnet, applicationSecurityGroups=[{"id": web}])["id"]))
    group.vm("b", str(group.nic("nb", subnet)["id"]))
    firewall = next(f for f in state(azure, group)["firewalls"] if f["address"] == "10.20.0.5")
    named = {r["name"]: r["sources"] for r in firewall["groups"][0] if r["direction"] == "in"}
    assert list(named["r100"]) == ["10.20.0.4/32"] and "r200" not in named
    assert group.refused("PUT", f"{NET}/networkSecurityGroups/other", {"location": "westeurope", "properties": {"securityRules": [
        rule(100, sourceAddressPrefix=None, sourceApplicationSecurityGroups=[{"id": web + "x"}])]}})[1] == "InvalidResourceReference"
    assert group.refused("DELETE", f"{NET}/applicationSecurityGroups/empty")[1] == "ApplicationSecurityGroupInUse"


def test_standard_is_closed_without_a_security_group(azure: RunningLab, group: Group) -> None:
    subnet = group.vnet()
    basic = group.put(f"{NET}/publicIPAddresses/basic", {"publicIPAllocationMethod": "Static"}, sku={"name": "Basic"})
    for name, address in (("own", group.address("standard")), ("old", basic), ("none", None)):
        more = {"publicIPAddress": {"id": address["id"]}} if address else {}
        group.vm(name, group.nic(f"n{name}", subnet, **more)["id"])
    found = {f["machine_id"].rsplit("/", 1)[1]: f["groups"] for f in state(azure, group)["firewalls"]}
    assert [r["name"] for r in found["own"][0] if r["direction"] == "in"] == [
        "AllowVnetInBound", "AllowAzureLoadBalancerInBound", "DenyAllInBound"]
    assert found["old"] == found["none"] == []
