# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Networks by the Azure CLI: what it prints, and what the lab holds afterwards."""

from __future__ import annotations

from typing import Any

import pytest
from az_client import Az
from azlab.testing import RunningLab

GROUP = "net"


@pytest.fixture(scope="module", autouse=True)
def network(az: Az) -> None:
    """A group with a network, a security group, a load balancer and an interface, made by the CLI."""
    az.run("group", "create", "-n", GROUP, "-l", "westeurope")
    az.run("network", "vnet", "create", "-g", GROUP, "-n", "v", "--address-prefixes", "10.0.0.0/16", "--subnet-name", "hosts",
           "--subnet-prefixes", "10.0.1.0/24")
    az.run("network", "nsg", "create", "-g", GROUP, "-n", "nsg")
    az.run("network", "lb", "create", "-g", GROUP, "-n", "lb", "--sku", "Standard", "--public-ip-address", "lbip",
           "--frontend-ip-name", "fe", "--backend-pool-name", "be")
    az.run("network", "nic", "create", "-g", GROUP, "-n", "nic", "--vnet-name", "v", "--subnet", "hosts")


def arm(azure: RunningLab, path: str) -> dict[str, Any]:
    """A network resource as the lab shows it."""
    status, body, _headers = azure.arm("GET", f"resourceGroups/{GROUP}/providers/Microsoft.Network/{path}")
    assert status == 200, body
    return dict(body)


def names(items: list[dict[str, Any]]) -> list[str]:
    return [item["name"] for item in items]


def test_virtual_network(az: Az, azure: RunningLab) -> None:
    shown = az.json("network", "vnet", "show", "-g", GROUP, "-n", "v")
    assert shown["addressSpace"]["addressPrefixes"] == ["10.0.0.0/16"] and shown["provisioningState"] == "Succeeded"
    az.run("network", "vnet", "update", "-g", GROUP, "-n", "v", "--address-prefixes", "10.0.0.0/16", "10.9.0.0/16",
           "--dns-servers", "10.0.1.10")
    properties = arm(azure, "virtualNetworks/v")["properties"]
    assert properties["addressSpace"]["addressPrefixes"] == ["10.0.0.0/16", "10.9.0.0/16"]
    assert properties["dhcpOptions"]["dnsServers"] == ["10.0.1.10"] and "hosts" in names(properties["subnets"])
    assert "v" in names(az.json("network", "vnet", "list", "-g", GROUP))


def test_subnet_with_nat_gateway_and_security_group(az: Az, azure: RunningLab) -> None:
    az.run("network", "public-ip", "create", "-g", GROUP, "-n", "natip", "--sku", "Standard")
    made = az.json("network", "nat", "gateway", "create", "-g", GROUP, "-n", "nat", "--public-ip-addresses", "natip",
                   "--idle-timeout", "10")
    assert made["idleTimeoutInMinutes"] == 10
    az.run("network", "vnet", "subnet", "create", "-g", GROUP, "--vnet-name", "v", "-n", "out", "--address-prefixes", "10.0.2.0/24")
    updated = az.json("network", "vnet", "subnet", "update", "-g", GROUP, "--vnet-name", "v", "-n", "out", "--nat-gateway", "nat",
                      "--nsg", "nsg")
    assert updated["natGateway"]["id"].endswith("/natGateways/nat")
    assert arm(azure, "natGateways/nat")["properties"]["subnets"] == [{"id": updated["id"]}]
    assert [s["id"] for s in arm(azure, "networkSecurityGroups/nsg")["properties"]["subnets"]] == [updated["id"]]
    assert "still configured on 1 subnets" in az.error("network", "nat", "gateway", "delete", "-g", GROUP, "-n", "nat")
    assert updated["id"] in az.error("network", "nsg", "delete", "-g", GROUP, "-n", "nsg")
    az.run("network", "vnet", "subnet", "update", "-g", GROUP, "--vnet-name", "v", "-n", "out", "--remove", "natGateway", "--remove",
           "networkSecurityGroup")
    az.run("network", "nat", "gateway", "delete", "-g", GROUP, "-n", "nat")
    az.run("network", "vnet", "subnet", "delete", "-g", GROUP, "--vnet-name", "v", "-n", "out")
    assert names(az.json("network", "vnet", "subnet", "list", "-g", GROUP, "--vnet-name", "v")) == ["hosts"]
    assert az.json("network", "nat", "gateway", "list", "-g", GROUP) == []


def test_security_rules(az: Az, azure: RunningLab) -> None:
    def rule(verb: str, name: str, *more: str) -> Any:
        return az.json("network", "nsg", "rule", verb, "-g", GROUP, "--nsg-name", "nsg", "-n", name, *more)
    rule("create", "ssh", "--priority", "100", "--destination-port-ranges", "22", "--access", "Allow", "--protocol", "Tcp")
    web = rule("create", "web", "--priority", "110", "--destination-port-ranges", "80", "443", "--source-address-prefixes",
               "10.0.0.0/8", "192.168.0.0/16")
    assert web["destinationPortRanges"] == ["80", "443"] and web["sourceAddressPrefixes"] == ["10.0.0.0/8", "192.168.0.0/16"]
    rule("update", "ssh", "--priority", "200", "--source-address-prefixes", "203.0.113.0/24")
    kept = arm(azure, "networkSecurityGroups/nsg/securityRules/ssh")["properties"]
    assert (kept["priority"], kept["sourceAddressPrefix"], kept["destinationPortRange"]) == (200, "203.0.113.0/24", "22")
    listing = ("network", "nsg", "rule", "list", "-g", GROUP, "--nsg-name", "nsg")
    assert sorted(names(az.json(*listing))) == ["ssh", "web"]
    assert {"AllowVnetInBound", "DenyAllInBound", "ssh"} <= set(names(az.json(*listing, "--include-default")))
    create = ("network", "nsg", "rule", "create", "-g", GROUP, "--nsg-name", "nsg", "-n", "bad", "--destination-port-ranges", "22")
    assert "Security rule has invalid Priority. Value provided: 50 Allowed range 100-4096." in az.error(*create, "--priority", "50")
    assert "SecurityRuleConflict" in az.error(*create, "--priority", "200")
    rule("delete", "web")
    assert names(arm(azure, "networkSecurityGroups/nsg")["properties"]["securityRules"]) == ["ssh"]


def test_public_addresses(az: Az, azure: RunningLab) -> None:
    made = az.json("network", "public-ip", "create", "-g", GROUP, "-n", "zonal", "--sku", "Standard", "--zone", "1", "2", "3",
                   "--dns-name", "lab-zonal")["publicIp"]
    assert made["zones"] == ["1", "2", "3"] and made["dnsSettings"]["fqdn"] == "lab-zonal.westeurope.cloudapp.azure.com"
    az.run("network", "public-ip", "update", "-g", GROUP, "-n", "zonal", "--idle-timeout", "20")
    kept = arm(azure, "publicIPAddresses/zonal")["properties"]
    assert kept["idleTimeoutInMinutes"] == 20 and kept["ipAddress"] == made["ipAddress"]
    text = az.run("network", "public-ip", "show", "-g", GROUP, "-n", "zonal", "--query", "ipAddress", "-o", "tsv")
    assert text.strip() == made["ipAddress"]
    taken = az.error("network", "public-ip", "create", "-g", GROUP, "-n", "other", "--sku", "Standard", "--dns-name", "lab-zonal")
    assert "DnsRecordInUse" in taken
    assert "PublicIPIdleTimeoutIsOutOfRange" in az.error("network", "public-ip", "update", "-g", GROUP, "-n", "zonal",
                                                         "--idle-timeout", "99")
    assert "zonal" in names(az.json("network", "public-ip", "list", "-g", GROUP))
    az.run("network", "public-ip", "delete", "-g", GROUP, "-n", "zonal")
    assert azure.arm("GET", f"resourceGroups/{GROUP}/providers/Microsoft.Network/publicIPAddresses/zonal")[0] == 404


def test_load_balancer_and_its_parts(az: Az, azure: RunningLab) -> None:
    def part(kind: str, verb: str, name: str, *more: str) -> Any:
        return az.json("network", "lb", kind, verb, "-g", GROUP, "--lb-name", "lb", "-n", name, *more)

    def parts(kind: str) -> list[str]:
        return names(az.json("network", "lb", kind, "list", "-g", GROUP, "--lb-name", "lb"))
    az.run("network", "public-ip", "create", "-g", GROUP, "-n", "fe2ip", "--sku", "Standard")
    part("frontend-ip", "create", "fe2", "--public-ip-address", "fe2ip")
    part("address-pool", "create", "be2")
    part("probe", "create", "http", "--protocol", "http", "--port", "80", "--path", "/")
    part("probe", "update", "http", "--interval", "10")
    part("rule", "create", "web", "--protocol", "tcp", "--frontend-port", "80", "--backend-port", "8080", "--frontend-ip-name", "fe",
         "--backend-pool-name", "be", "--probe-name", "http", "--disable-outbound-snat", "true")
    part("rule", "update", "web", "--idle-timeout", "10")
    part("inbound-nat-rule", "create", "ssh", "--protocol", "tcp", "--frontend-port", "2222", "--backend-port", "22",
         "--frontend-ip-name", "fe")
    part("inbound-nat-rule", "create", "pool", "--protocol", "tcp", "--frontend-port-range-start", "5000", "--frontend-port-range-end",
         "5100", "--backend-port", "22", "--frontend-ip-name", "fe", "--backend-address-pool", "be")
    part("outbound-rule", "create", "out", "--protocol", "All", "--frontend-ip-configs", "fe", "--address-pool", "be2",
         "--outbound-ports", "1024")
    kept = arm(azure, "loadBalancers/lb")["properties"]
    web, = kept["loadBalancingRules"]
    assert web["properties"]["backendPort"] == 8080 and web["properties"]["idleTimeoutInMinutes"] == 10
    assert web["properties"]["disableOutboundSnat"] is True and web["properties"]["probe"]["id"].endswith("/probes/http")
    assert kept["probes"][0]["properties"]["intervalInSeconds"] == 10
    assert kept["outboundRules"][0]["properties"]["allocatedOutboundPorts"] == 1024
    listed = {kind: parts(kind) for kind in ("frontend-ip", "address-pool", "probe", "rule", "inbound-nat-rule", "outbound-rule")}
    assert listed == {"frontend-ip": ["fe", "fe2"], "address-pool": ["be", "be2"], "probe": ["http"], "rule": ["web"],
                      "inbound-nat-rule": ["ssh", "pool"], "outbound-rule": ["out"]}
    assert "/frontendIPConfigurations/fe2" in az.error("network", "public-ip", "delete", "-g", GROUP, "-n", "fe2ip")
    for kind, name in (("outbound-rule", "out"), ("inbound-nat-rule", "pool"), ("inbound-nat-rule", "ssh"), ("rule", "web"),
                       ("probe", "http"), ("address-pool", "be2"), ("frontend-ip", "fe2")):
        part(kind, "delete", name)
        assert name not in parts(kind)
    az.run("network", "public-ip", "delete", "-g", GROUP, "-n", "fe2ip")


def test_interfaces(az: Az, azure: RunningLab) -> None:
    def configuration(verb: str, name: str, *more: str) -> Any:
        return az.json("network", "nic", "ip-config", verb, "-g", GROUP, "--nic-name", "nic", "-n", name, *more)
    az.run("network", "nic", "update", "-g", GROUP, "-n", "nic", "--ip-forwarding", "true", "--network-security-group", "nsg")
    second = configuration("create", "second", "--private-ip-address", "10.0.1.50")
    assert (second["privateIPAddress"], second["privateIPAllocationMethod"]) == ("10.0.1.50", "Static")
    pool = ("-g", GROUP, "--nic-name", "nic", "--ip-config-name", "ipconfig1", "--lb-name", "lb", "--address-pool", "be")
    az.run("network", "nic", "ip-config", "address-pool", "add", *pool)
    member, = arm(azure, "loadBalancers/lb/backendAddressPools/be")["properties"]["backendIPConfigurations"]
    assert member["id"].endswith("/networkInterfaces/nic/ipConfigurations/ipconfig1")
    az.run("network", "nic", "ip-config", "address-pool", "remove", *pool)
    assert "backendIPConfigurations" not in arm(azure, "loadBalancers/lb/backendAddressPools/be")["properties"]
    az.run("network", "lb", "inbound-nat-rule", "create", "-g", GROUP, "--lb-name", "lb", "-n", "one", "--protocol", "tcp",
           "--frontend-port", "2200", "--backend-port", "22", "--frontend-ip-name", "fe")
    configuration("update", "ipconfig1", "--lb-name", "lb", "--lb-inbound-nat-rules", "one")
    nat, = arm(azure, "networkInterfaces/nic")["properties"]["ipConfigurations"][0]["properties"]["loadBalancerInboundNatRules"]
    assert nat["id"].endswith("/inboundNatRules/one")
    az.run("network", "nic", "ip-config", "inbound-nat-rule", "remove", "-g", GROUP, "--nic-name", "nic", "--ip-config-name",
           "ipconfig1", "--lb-name", "lb", "--inbound-nat-rule", "one")
    taken = az.error("network", "nic", "create", "-g", GROUP, "-n", "nic2", "--vnet-name", "v", "--subnet", "hosts",
                     "--private-ip-address", "10.0.1.50")
    assert "PrivateIPAddressIsAllocated" in taken and "/networkInterfaces/nic/ipConfigurations/second" in taken
    configuration("delete", "second")
    assert names(az.json("network", "nic", "ip-config", "list", "-g", GROUP, "--nic-name", "nic")) == ["ipconfig1"]
    shown = az.json("network", "nic", "show", "-g", GROUP, "-n", "nic")
    assert shown["enableIPForwarding"] is True and shown["networkSecurityGroup"]["id"].endswith("/networkSecurityGroups/nsg")
    assert names(az.json("network", "nic", "list", "-g", GROUP)) == ["nic"]


def test_usages_of_the_region(az: Az) -> None:
    usages = {u["name"]["value"]: int(u["currentValue"]) for u in az.json("network", "list-usages", "-l", "westeurope")}
    assert usages["VirtualNetworks"] == 1 and usages["LoadBalancers"] == 1


@pytest.mark.parametrize("command, code", [
    (("vnet", "create", "-n", "w", "--address-prefixes", "10.0.0.0/99"), "InvalidAddressPrefixFormat"),
    (("vnet", "create", "-n", "bad name!"), "InvalidResourceName"),
    (("vnet", "subnet", "create", "--vnet-name", "v", "-n", "s", "--address-prefixes", "10.0.1.128/25"), "NetcfgSubnetRangesOverlap"),
    (("vnet", "subnet", "create", "--vnet-name", "v", "-n", "s", "--address-prefixes", "172.16.0.0/24"),
     "NetcfgSubnetRangeOutsideVnet"),
    (("lb", "address-pool", "create", "--lb-name", "nope", "-n", "x"), "ResourceNotFound"),
    (("public-ip", "create", "-n", "z", "--sku", "Standard", "--zone", "7"), "InvalidAvailabilityZone"),
])
def test_what_azure_refuses(az: Az, command: tuple[str, ...], code: str) -> None:
    assert f"({code})" in az.error("network", *command, "-g", GROUP)


def test_deletes_in_the_wrong_order_name_what_is_in_use_and_in_the_right_one_work(az: Az) -> None:
    def delete(*what: str) -> tuple[str, ...]:
        return ("network", *what[:-1], "delete", "-g", GROUP, "-n", what[-1])
    refused = az.error(*delete("vnet", "v"))
    assert "InUseSubnetCannotBeDeleted" in refused and "/networkInterfaces/nic/ipConfigurations/ipconfig1" in refused
    assert "/networkInterfaces/nic" in az.error(*delete("nsg", "nsg"))
    assert "/loadBalancers/lb/frontendIPConfigurations/fe" in az.error(*delete("public-ip", "lbip"))
    for what in (("nic", "nic"), ("lb", "lb"), ("public-ip", "lbip"), ("nsg", "nsg"), ("vnet", "v"), ("public-ip", "natip")):
        az.run(*delete(*what))
    assert az.json("resource", "list", "-g", GROUP) == []
