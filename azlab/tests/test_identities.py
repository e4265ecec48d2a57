# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Identities: those of users as resources, and those that machines, scale sets and storage accounts carry."""
from __future__ import annotations

import pytest
from labgroup import COMPUTE, vm_body

IDENTITIES = "providers/Microsoft.ManagedIdentity/userAssignedIdentities"
WHERE = {"location": "westeurope"}


@pytest.fixture
def made(group):
    assert group.call("PUT", f"{IDENTITIES}/One", WHERE)[0] == 201
    return group.call("GET", f"{IDENTITIES}/one")[1]


def machine(group, name="m", **top):
    nic = group.nic(f"{name}-nic", group.vnet(f"{name}-net"))["id"]
    return vm_body(name, nic, top=top)


def test_life_of_an_identity(group, made):
    assert made["id"].endswith("/resourceGroups/" + group.name + "/providers/Microsoft.ManagedIdentity/userAssignedIdentities/One")
    assert set(made["properties"]) == {"isolationScope", "tenantId", "principalId", "clientId"}
    status, again, _ = group.call("PUT", f"{IDENTITIES}/One", {**WHERE, "tags": {"a": "b"}})
    assert status == 200 and again["properties"] == made["properties"] and again["tags"] == {"a": "b"}
    assert group.call("PATCH", f"{IDENTITIES}/One", {"tags": {"c": "d"}})[1]["tags"] == {"c": "d"}
    assert [i["name"] for i in group.call("GET", IDENTITIES)[1]["value"]] == ["One"]
    assert group.call("DELETE", f"{IDENTITIES}/One")[0] == 200
    assert group.call("DELETE", f"{IDENTITIES}/One")[0] == 204
    assert group.refused("GET", f"{IDENTITIES}/One")[:2] == (404, "ResourceNotFound")
    assert group.refused("PUT", f"{IDENTITIES}/a", WHERE)[1] == "InvalidResourceName"


def test_a_machine_carries_both_kinds(group, made):
    body = machine(group, identity={"type": "userassigned,systemassigned", "userAssignedIdentities": {made["id"]: {}}})
    shown = group.call("PUT", f"{COMPUTE}/virtualMachines/m", body)[1]["identity"]
    assert shown["type"] == "SystemAssigned, UserAssigned"
    assert shown["userAssignedIdentities"] == {made["id"]: {k: made["properties"][k] for k in ("principalId", "clientId")}}
    principal = shown["principalId"]
    # What a PATCH does not name stays, what it names as null goes, and the system's principal is the same for life.
    group.call("PUT", f"{IDENTITIES}/Two", WHERE)
    two = group.call("GET", f"{IDENTITIES}/Two")[1]["id"]
    shown = group.call("PATCH", f"{COMPUTE}/virtualMachines/m", {"identity": {
        "type": "SystemAssigned, UserAssigned", "userAssignedIdentities": {two: {}}}})[1]["identity"]
    assert set(shown["userAssignedIdentities"]) == {made["id"], two} and shown["principalId"] == principal
    shown = group.call("PATCH", f"{COMPUTE}/virtualMachines/m", {"identity": {
        "type": "UserAssigned", "userAssignedIdentities": {made["id"]: None}}})[1]["identity"]
    assert shown == {"type": "UserAssigned", "userAssignedIdentities": shown["userAssignedIdentities"]}
    assert set(shown["userAssignedIdentities"]) == {two}
    assert "identity" in group.call("PATCH", f"{COMPUTE}/virtualMachines/m", {"tags": {"a": "b"}})[1]
    assert "identity" not in group.call("PATCH", f"{COMPUTE}/virtualMachines/m", {"identity": {"type": "None"}})[1]


@pytest.mark.parametrize(("identity", "code"), [
    ({"type": "UserAssigned", "userAssignedIdentities": {
        "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/x/" + IDENTITIES + "/none": {}}}, "FailedIdentityOperation"),
    ({"type": "UserAssigned"}, "MissingIdentityIds"),
    ({"type": "Mine"}, "InvalidIdentityValues"),
    ("SystemAssigned", "InvalidRequestContent"),
])
def test_identities_that_are_refused(group, identity, code):
    for path, body in ((f"{COMPUTE}/virtualMachines/m", machine(group)),
                       ("providers/Microsoft.Storage/storageAccounts/identityaccount", {
                           **WHERE, "sku": {"name": "Standard_LRS"}, "kind": "StorageV2", "properties": {}})):
        assert group.refused("PUT", path, {**body, "identity": identity})[:2] == (400, code)
        assert group.call("GET", path)[0] == 404
