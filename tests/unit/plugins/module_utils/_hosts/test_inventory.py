# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the inventory says of hosts."""

from __future__ import annotations

import shlex

import pytest
from ansible_collections.dockhost.azure.plugins.module_utils._hosts import inventory
from ansible_collections.dockhost.azure.plugins.module_utils._hosts.inventory import Entry
from ansible_collections.dockhost.azure.plugins.module_utils._model.host import host_from_api
from ansible_collections.dockhost.azure.plugins.module_utils._model.ways import Way, nat_ports, way

BASE = "/subscriptions/s/resourceGroups/RG/providers/Microsoft.Network"
NIC = {
    "id": f"{BASE}/networkInterfaces/web-1-nic",
    "properties": {"ipConfigurations": [{
        "id": f"{BASE}/networkInterfaces/web-1-nic/ipConfigurations/primary",
        "properties": {"primary": True, "privateIPAddress": "10.0.0.4", "subnet": {"id": f"{BASE}/virtualNetworks/v/subnets/hosts"}},
    }]},
}  # fmt: skip
MACHINE = {
    "id": "/subscriptions/s/resourceGroups/RG/providers/Microsoft.Compute/virtualMachines/web-1", "name": "web-1", "location": "westeurope",
    "zones": ["2"], "tags": {"dockhost-deployment": "demo", "dockhost-group": "web", "dockhost-index": "1", "dockhost-swarm-role": "manager"},
    "properties": {"vmId": "v1", "provisioningState": "Succeeded", "osProfile": {"adminUsername": "azureuser"},
                   "hardwareProfile": {"vmSize": "Standard_B1s"},
                   "networkProfile": {"networkInterfaces": [{"id": NIC["id"]}]},
                   "instanceView": {"statuses": [{"code": "PowerState/running"}]}},
}  # fmt: skip
ADDRESSES = [{"id": f"{BASE}/publicIPAddresses/lb-ip", "properties": {"ipAddress": "203.0.113.9"}}]


def balancer(member, port=50001, backend=22):
    return {"properties": {
        "frontendIPConfigurations": [{"id": f"{BASE}/loadBalancers/l/frontendIPConfigurations/f",
                                      "properties": {"publicIPAddress": {"id": ADDRESSES[0]["id"].upper()}}}],
        "inboundNatRules": [{"name": "ssh", "properties": {
            "backendPort": backend, "protocol": "Tcp", "frontendIPConfiguration": {"id": f"{BASE}/loadBalancers/l/frontendIPConfigurations/F"}}}],
        "backendAddressPools": [{"properties": {"loadBalancerBackendAddresses": [{"properties": {
            **member, "inboundNatRulesPortMapping": [{"inboundNatRuleName": "SSH", "frontendPort": port, "backendPort": backend}]}}]}}],
    }}  # fmt: skip


BY_NIC = {"networkInterfaceIPConfiguration": {"id": NIC["properties"]["ipConfigurations"][0]["id"].upper()}}
BY_ADDRESS = {"ipAddress": "10.0.0.4", "virtualNetwork": {"id": f"{BASE}/virtualNetworks/V"}}
HOST = host_from_api(MACHINE, NIC)


@pytest.mark.parametrize("member", [BY_NIC, BY_ADDRESS])
def test_nat_port_of_the_load_balancer(member):
    ports = nat_ports([balancer(member)], ADDRESSES)
    assert way(HOST, NIC, ports, ["public", "load_balancer", "private"]) == Way("203.0.113.9", 50001, "load_balancer")
    assert way(HOST, NIC, ports, ["private", "load_balancer"]) == Way("10.0.0.4", 22, "private")


def test_nat_rule_of_one_machine():
    details = {
        "backendPort": 22, "protocol": "Tcp", "frontendPort": 2222, "frontendIPConfiguration": {"id": "/F"},
        "backendIPConfiguration": {"id": NIC["properties"]["ipConfigurations"][0]["id"]},
    }  # fmt: skip
    frontend = {"id": "/f", "properties": {"privateIPAddress": "10.0.0.100"}}
    rule = {"properties": {"frontendIPConfigurations": [frontend], "inboundNatRules": [{"name": "one", "properties": details}]}}
    assert way(HOST, NIC, nat_ports([rule], []), ["load_balancer"]) == Way("10.0.0.100", 2222, "load_balancer")


def test_other_ports_lead_nowhere():
    assert way(HOST, NIC, nat_ports([balancer(BY_NIC, backend=80)], ADDRESSES), ["load_balancer"]) is None
    assert way(HOST, NIC, None, ["public", "load_balancer"]) is None


def test_variables():
    found = inventory.variables(Entry(HOST, Way("203.0.113.9", 50001, "load_balancer")), "/state/known_hosts")
    assert (found["ansible_host"], found["ansible_port"], found["ansible_user"]) == ("203.0.113.9", 50001, "azureuser")
    assert found["ansible_ssh_common_args"] == (
        "-o HostKeyAlias=web-1.rg -o UserKnownHostsFile=/state/known_hosts -o GlobalKnownHostsFile=/dev/null -o StrictHostKeyChecking=yes"
    )
    assert (found["dockhost_zone"], found["dockhost_swarm_role"], found["dockhost_power_state"]) == ("2", "manager", "running")
    assert not any("secret" in name for name in found)


def test_paths_with_spaces_are_quoted_for_ssh_and_for_ansible():
    text = inventory.ssh_arguments(HOST, "/my state/known_hosts", "ops@bastion")
    words = shlex.split(text)
    assert 'UserKnownHostsFile="/my state/known_hosts"' in words and words[-1] == "ProxyJump=ops@bastion"


@pytest.mark.parametrize(
    "option, environ, path",
    [
        ("/x/kh", {"DOCKHOST_STATE_DIR": "/s"}, "/x/kh"),
        (None, {"DOCKHOST_STATE_DIR": "/s"}, "/s/demo/known_hosts"),
    ],
)
def test_known_hosts_file(option, environ, path):
    assert inventory.known_hosts_file(option, "demo", environ) == path


def test_groups():
    assert inventory.groups(HOST) == ["dockhost", "web", "swarm_manager", "zone_2", "size_Standard_B1s", "power_running"]


@pytest.mark.parametrize(
    "power, state, include, shown",
    [("running", "Succeeded", False, True), ("starting", "Updating", False, True), (None, "Succeeded", False, True), ("stopped", "Succeeded", False, False),
     ("deallocated", "Succeeded", True, True), ("running", "Deleting", True, False)],
)  # fmt: skip
def test_shown(power, state, include, shown):
    machine = {**MACHINE, "properties": {**MACHINE["properties"], "provisioningState": state,
                                         "instanceView": {"statuses": [{"code": f"PowerState/{power}"}] if power else []}}}  # fmt: skip
    assert inventory.shown(Entry(host_from_api(machine, NIC), None), include) is shown


def test_equal_names_are_told_apart_and_a_cache_keeps_everything():
    other = host_from_api({**MACHINE, "id": MACHINE["id"].replace("/RG/", "/other/")}, NIC)
    rows = [Entry(HOST, Way("203.0.113.9", 50001, "load_balancer")), Entry(other, None)]
    assert [name for name, dummy in inventory.named(rows)] == ["web-1.rg", "web-1.other"]
    twin = host_from_api({**MACHINE, "id": "/subscriptions/9/" + MACHINE["id"].split("/", 3)[3]}, NIC)
    assert [name for name, dummy in inventory.named([*rows, Entry(twin, None)])] == [
        "web-1.rg." + MACHINE["id"].split("/")[2], "web-1.other", "web-1.rg.9",
    ]  # fmt: skip
    assert [Entry.from_plain(row.plain()) for row in rows] == rows
