# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Networks by azure.azcollection: made, found unchanged by a second run, changed, deleted; and what the lab holds then."""

from __future__ import annotations

from typing import Any

import pytest
from azcollection_client import Collection, Task, task
from azlab.testing import RunningLab

GROUP = {"resource_group": "net"}
RULES = [
    {"name": "ssh", "protocol": "Tcp", "destination_port_range": 22, "access": "Allow", "priority": 100, "direction": "Inbound",
     "source_address_prefix": ["198.51.100.0/25", "203.0.113.0/24"]},
    {"name": "web", "protocol": "Tcp", "destination_port_range": [80, 443], "access": "Allow", "priority": 110, "direction": "Inbound"},
]
BALANCER: dict[str, Any] = {
    **GROUP, "name": "lb", "sku": "Standard",
    "frontend_ip_configurations": [{"name": "front", "public_ip_address": "address"}],
    "backend_address_pools": [{"name": "hosts"}],
    "probes": [{"name": "alive", "port": 80, "protocol": "Http", "request_path": "/", "interval": 15, "fail_count": 4}],
    "load_balancing_rules": [{"name": "web", "frontend_ip_configuration": "front", "backend_address_pool": "hosts", "probe": "alive",
                              "protocol": "Tcp", "frontend_port": 80, "backend_port": 80, "idle_timeout": 4}],
    "inbound_nat_rules": [{"name": "ssh", "frontend_ip_configuration": "front", "protocol": "Tcp", "frontend_port": 2222,
                           "backend_port": 22}],
}
NETWORK: list[Task] = [
    task("group", "resourcegroup", name="net", location="westeurope", tags={"made-by": "azcollection"}),
    task("network", "virtualnetwork", **GROUP, name="v", address_prefixes_cidr=["10.0.0.0/16"], dns_servers=["10.0.0.10"]),
    task("security group", "securitygroup", **GROUP, name="nsg", rules=RULES),
    task("subnet", "subnet", **GROUP, name="hosts", virtual_network_name="v", address_prefix_cidr="10.0.1.0/24", security_group="nsg"),
    task("address", "publicipaddress", **GROUP, name="address", allocation_method="Static", sku="Standard", domain_name="azcollection"),
    task("load balancer", "loadbalancer", **BALANCER),
    task("interface", "networkinterface", **GROUP, name="nic", virtual_network="v", subnet_name="hosts", security_group="nsg",
         ip_configurations=[{"name": "main", "primary": True, "load_balancer_backend_address_pools": [{"name": "hosts",
                                                                                                      "load_balancer": "lb"}]}]),
]


@pytest.fixture(scope="module")
def made(azcollection: Collection) -> dict[str, Any]:
    """The network, made by the first run."""
    results = azcollection.play(NETWORK)
    assert [name for name, result in results.items() if not result["changed"]] == []
    return results


def arm(azure: RunningLab, path: str) -> dict[str, Any]:
    """The properties of a network resource as the lab shows it."""
    status, body, _headers = azure.arm("GET", f"resourceGroups/net/providers/Microsoft.Network/{path}")
    assert status == 200, body
    return dict(body["properties"])


def test_what_the_first_run_made(made: dict[str, Any], azure: RunningLab) -> None:
    assert arm(azure, "virtualNetworks/v")["dhcpOptions"] == {"dnsServers": ["10.0.0.10"]}
    subnet = arm(azure, "virtualNetworks/v/subnets/hosts")
    assert subnet["addressPrefix"] == "10.0.1.0/24" and subnet["networkSecurityGroup"]["id"].endswith("/nsg")
    ssh, web = arm(azure, "networkSecurityGroups/nsg")["securityRules"]
    assert ssh["properties"]["sourceAddressPrefixes"] == ["198.51.100.0/25", "203.0.113.0/24"]
    assert web["properties"]["destinationPortRanges"] == ["80", "443"]
    balancer = arm(azure, "loadBalancers/lb")
    assert [rule["name"] for rule in balancer["loadBalancingRules"] + balancer["inboundNatRules"]] == ["web", "ssh"]
    assert balancer["probes"][0]["properties"]["requestPath"] == "/"
    nic = arm(azure, "networkInterfaces/nic")["ipConfigurations"][0]["properties"]
    assert nic["loadBalancerBackendAddressPools"][0]["id"] == balancer["backendAddressPools"][0]["id"]
    state = made["interface"]["state"]
    assert state["ip_configurations"][0]["private_ip_address"] == nic["privateIPAddress"] and nic["privateIPAddress"].startswith("10.0.1.")
    assert made["address"]["state"]["ip_address"] == arm(azure, "publicIPAddresses/address")["ipAddress"]
    assert made["address"]["state"]["dns_settings"]["domain_name_label"] == "azcollection"


def test_a_second_run_changes_nothing(made: dict[str, Any], azcollection: Collection, azure: RunningLab) -> None:
    azure.admin.call("DELETE", "/requests")
    assert azcollection.changed(NETWORK) == []
    assert [(r["method"], r["path"]) for r in azure.admin.requests()
            if r["method"] in ("PUT", "PATCH", "DELETE") and "management" not in r["path"]] == []


def test_changes_are_made(made: dict[str, Any], azcollection: Collection, azure: RunningLab) -> None:
    changes = [
        task("group", "resourcegroup", name="net", location="westeurope", tags={"stage": "two"}),
        task("network", "virtualnetwork", **GROUP, name="v", address_prefixes_cidr=["10.0.0.0/16", "10.9.0.0/16"],
             dns_servers=["10.0.0.10"]),
        task("security group", "securitygroup", **GROUP, name="nsg", purge_rules=True, rules=[{**RULES[0], "priority": 105}]),
        task("address", "publicipaddress", **GROUP, name="address", allocation_method="Static", sku="Standard",
             domain_name="azcollection-two"),
        task("load balancer", "loadbalancer", **{**BALANCER, "probes": [{**BALANCER["probes"][0], "request_path": "/alive"}]}),
    ]
    assert azcollection.changed(changes) == [one["name"] for one in changes]
    assert arm(azure, "virtualNetworks/v")["addressSpace"]["addressPrefixes"] == ["10.0.0.0/16", "10.9.0.0/16"]
    assert [(r["name"], r["properties"]["priority"]) for r in arm(azure, "networkSecurityGroups/nsg")["securityRules"]] == [("ssh", 105)]
    assert arm(azure, "publicIPAddresses/address")["dnsSettings"]["domainNameLabel"] == "azcollection-two"
    balancer = arm(azure, "loadBalancers/lb")
    assert balancer["probes"][0]["properties"]["requestPath"] == "/alive"
    # What the load balancer does not own stays: the interface is still in the pool.
    assert "/networkInterfaces/nic/" in balancer["backendAddressPools"][0]["properties"]["backendIPConfigurations"][0]["id"]
    assert azcollection.changed(changes) == []


def test_what_is_in_use_is_not_deleted_and_the_rest_is(made: dict[str, Any], azcollection: Collection, azure: RunningLab) -> None:
    refused = azcollection.results([task("network", "virtualnetwork", **GROUP, name="v", state="absent")])["network"]
    assert refused["failed"] and "InUseSubnetCannotBeDeleted" in refused["msg"] and "/networkInterfaces/nic/" in refused["msg"]
    deleted = [
        task("interface", "networkinterface", **GROUP, name="nic", state="absent"),
        task("load balancer", "loadbalancer", **GROUP, name="lb", state="absent"),
        task("address", "publicipaddress", **GROUP, name="address", state="absent"),
        task("subnet", "subnet", **GROUP, name="hosts", virtual_network_name="v", state="absent"),
        task("security group", "securitygroup", **GROUP, name="nsg", state="absent"),
        task("network", "virtualnetwork", **GROUP, name="v", state="absent"),
    ]
    assert azcollection.changed(deleted) == [one["name"] for one in deleted]
    assert azure.arm("GET", "resourceGroups/net/resources")[1]["value"] == []
    assert azcollection.changed([*deleted[:1], task("group", "resourcegroup", name="net", state="absent")]) == ["group"]
    assert azure.arm("GET", "resourceGroups/net")[0] == 404
