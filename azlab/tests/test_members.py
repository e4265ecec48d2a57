# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Misspelt members are refused as Azure refuses them; what Azure shows may be sent back."""
from __future__ import annotations

import json
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from azlab.arm import members
from azlab.errors import ArmError
from labgroup import COMPUTE, NET, Group


def test_a_misspelt_member_of_the_network_is_named_with_its_path(group: Group) -> None:
    status, body, _ = group.call("PUT", f"{NET}/virtualNetworks/v", {"location": "westeurope", "properties": {
        "addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}, "subnets": [
            {"name": "s", "properties": {"addressPrefix": "10.0.0.0/24", "networkSecurityGrup": {}}}]}})
    assert (status, body["error"]["code"]) == (400, "InvalidRequestFormat")
    assert body["error"]["details"] == [{"code": "InvalidJson", "message":
                                         "Could not find member 'networkSecurityGrup' on object of type 'SubnetPropertiesFormat'. "
                                         "Path 'properties.subnets[0].properties.networkSecurityGrup', line 1, position 1."}]
    assert group.call("GET", f"{NET}/virtualNetworks/v")[0] == 404


def test_a_misspelt_member_of_compute(group: Group) -> None:
    status, body, _ = group.call("PUT", f"{COMPUTE}/disks/d", {"location": "westeurope", "properties": {
        "creationData": {"createOption": "Empty"}, "diskSizeGb": 4, "diskSize": 4}})
    assert (status, body["error"]["code"], body["error"]["target"]) == (400, "BadRequest", "properties.diskSize"), \
        "names are compared without case"


def test_members_count_whatever_their_case(group: Group) -> None:
    made = group.call("PUT", f"{COMPUTE}/disks/d", {"LOCATION": "westeurope", "Properties": {
        "creationdata": {"CreateOption": "Empty"}, "diskSizeGb": 7}})[1]
    assert made["properties"]["diskSizeGB"] == 7
    group.put(f"{NET}/networkSecurityGroups/n", {})
    rule = {"Priority": 100, "direction": "Inbound", "access": "Allow", "PROTOCOL": "Tcp", "sourcePortRange": "*",
            "destinationportrange": "22", "sourceAddressPrefix": "*", "destinationAddressPrefix": "*"}
    made = group.call("PUT", f"{NET}/networkSecurityGroups/n/securityRules/r", {"PROPERTIES": rule})[1]
    assert (made["properties"]["priority"], made["properties"]["destinationPortRange"]) == (100, "22")


def test_children_and_unknown_members_at_the_top(group: Group) -> None:
    group.put(f"{NET}/networkSecurityGroups/n", {})
    assert group.refused("PUT", f"{NET}/networkSecurityGroups/n/securityRules/r", {"properties": {"prioritaet": 1}})[1] == \
        "InvalidRequestFormat"
    assert group.refused("PUT", f"{NET}/networkSecurityGroups/n", {"location": "westeurope", "propertis": {}})[1] == \
        "InvalidRequestFormat"


def test_what_the_lab_shows_can_be_sent_back(group: Group) -> None:
    subnet = group.vnet()
    group.put(f"{NET}/publicIPAddresses/a", {"publicIPAllocationMethod": "Static"}, sku={"name": "Standard"})
    group.put(f"{NET}/natGateways/g", {}, sku={"name": "Standard"})
    balancer = group.id(f"{NET}/loadBalancers/b")
    group.put(f"{NET}/loadBalancers/b", {
        "frontendIPConfigurations": [{"name": "f", "properties": {"publicIPAddress": {"id": group.id(f"{NET}/publicIPAddresses/a")}}}],
        "backendAddressPools": [{"name": "p"}], "probes": [{"name": "q", "properties": {"protocol": "Tcp", "port": 80}}],
        "loadBalancingRules": [{"name": "r", "properties": {
            "frontendIPConfiguration": {"id": f"{balancer}/frontendIPConfigurations/f"}, "protocol": "Tcp", "frontendPort": 80,
            "backendPort": 80, "backendAddressPool": {"id": f"{balancer}/backendAddressPools/p"},
            "probe": {"id": f"{balancer}/probes/q"}}}]}, sku={"name": "Standard"})
    group.put(f"{NET}/networkInterfaces/i", {"ipConfigurations": [{"name": "c", "properties": {
        "subnet": {"id": subnet}, "loadBalancerBackendAddressPools": [{"id": f"{balancer}/backendAddressPools/p"}]}}]})
    group.put(f"{COMPUTE}/disks/d", {"creationData": {"createOption": "Empty"}, "diskSizeGB": 4})
    for path in (f"{NET}/virtualNetworks/vnet", f"{NET}/publicIPAddresses/a", f"{NET}/natGateways/g", f"{NET}/loadBalancers/b",
                 f"{NET}/networkInterfaces/i", f"{COMPUTE}/disks/d"):
        shown = group.call("GET", path)[1]
        status, body, _ = group.call("PUT", path, shown)
        assert status in (200, 202), (path, body)


@pytest.mark.parametrize("body", [{"properties": {"publicIPAllocationMethod": "Static", "dnsSettings": {"fqdn": "x"}}, "zones": []},
                                  {"tags": {"anything": "goes"}}, {"Properties": {"IdleTimeoutInMinutes": 4}}])
def test_known_members_pass_in_any_case(body: dict[str, Any]) -> None:
    members.check("Microsoft.Network/publicIPAddresses", body)


@pytest.mark.parametrize(("method", "path", "body", "member"), [
    ("PUT", "providers/Microsoft.Storage/storageAccounts/misspelt1", {
        "location": "westeurope", "kind": "StorageV2", "sku": {"name": "Standard_LRS"}, "properties": {"minimumTlsVersoin": "TLS1_2"}},
     "'minimumTlsVersoin' on object of type 'StorageAccountPropertiesCreateParameters'. Path 'properties.minimumTlsVersoin'"),
    ("PATCH", "providers/Microsoft.Storage/storageAccounts/spelt1", {"properties": {"networkAcls": {"ipRules": [{"valeu": "1.2.3.4"}]}}},
     "'valeu' on object of type 'IPRule'. Path 'properties.networkAcls.ipRules[0].valeu'"),
    ("PUT", "providers/Microsoft.Authorization/locks/l", {"properties": {"level": "ReadOnly", "note": "n"}},
     "'note' on object of type 'ManagementLockObjectProperties'. Path 'properties.note'")])
def test_a_misspelt_member_of_an_account_or_a_lock(group: Group, method: str, path: str, body: dict[str, Any], member: str) -> None:
    if method == "PATCH":
        group.put(path, {}, sku={"name": "Standard_LRS"}, kind="StorageV2")
    before = group.call("GET", path)[:2]
    status, answer, _ = group.call(method, path, body)
    assert (status, answer["error"]["code"]) == (400, "InvalidRequestContent")
    assert answer["error"]["message"] == \
        f"The request content was invalid and could not be deserialized: 'Could not find member {member}, line 1, position 1.'."
    assert group.call("GET", path)[:2] == before, "a refused body leaves no trace"


def test_what_the_lab_shows_of_an_account_can_be_sent_back(group: Group) -> None:
    path = "providers/Microsoft.Storage/storageAccounts/spelt2"
    group.put(path, {"allowBlobPublicAccess": False}, sku={"name": "Standard_RAGRS"}, kind="StorageV2")
    status, body, _ = group.call("PUT", path, group.call("GET", path)[1])
    assert status == 200, body


def test_types_without_names_are_not_checked() -> None:
    members.check("Microsoft.ManagedIdentity/userAssignedIdentities", {"odd": 1})
    with pytest.raises(ArmError):
        members.check("Microsoft.Compute/disks", {"odd": 1})


def test_the_names_are_those_of_the_sdk() -> None:
    sdk = pytest.importorskip("azure.mgmt.network")
    shipped = json.loads(resources.files("azlab.data").joinpath("members.json").read_text())
    assert shipped == members.read_types(Path(sdk.__file__).parents[3])


def test_a_disk_whose_operation_has_ended_has_succeeded(group: Group) -> None:
    group.put(f"{COMPUTE}/disks/d", {"creationData": {"createOption": "Empty"}, "diskSizeGB": 4})
    assert group.call("GET", f"{COMPUTE}/disks/d")[1]["properties"]["provisioningState"] == "Succeeded"
