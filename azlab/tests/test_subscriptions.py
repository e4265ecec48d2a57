# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab with several subscriptions: what is in one is not seen, counted or used up in another."""
from __future__ import annotations

import json

import pytest
from azlab import testing

NET = "providers/Microsoft.Network"


@pytest.fixture(scope="module")
def azure():
    with testing.lab(subscriptions=3) as running:
        yield running


@pytest.fixture(scope="module")
def two(azure):
    """The paths of the second and third subscription, with a resource group and an address of the same name in both."""
    paths = [f"/subscriptions/{one}" for one in azure.settings.subscription_ids[1:]]
    for path in paths:
        assert azure.arm("PUT", f"{path}/resourceGroups/rg", {"location": "westeurope", "tags": {"of": path[-4:]}})[0] == 201
        body = {"location": "westeurope", "sku": {"name": "Standard"}, "properties": {"publicIPAllocationMethod": "Static"}}
        assert azure.arm("PUT", f"{path}/resourceGroups/rg/{NET}/publicIPAddresses/ip", body)[0] == 201
    return paths


def ids(answer):
    assert answer[0] == 200, answer
    return [entry["id"] for entry in answer[1]["value"]]


def test_one_sign_in_sees_all_of_them(azure):
    status, found, _ = azure.arm("GET", "/subscriptions")
    assert status == 200 and [s["subscriptionId"] for s in found["value"]] == list(azure.settings.subscription_ids)
    assert [s["displayName"] for s in found["value"]] == ["azlab test", "azlab test 2", "azlab test 3"]
    assert len(set(azure.settings.subscription_ids)) == 3 and found["count"]["value"] == 3
    other = azure.arm("GET", "/subscriptions/11111111-1111-1111-1111-111111111111")
    assert other[0] == 404 and other[1]["error"]["code"] == "SubscriptionNotFound"
    assert azure.admin.call("GET", "/")["subscriptions"] == list(azure.settings.subscription_ids)


def test_lists_are_those_of_one(azure, two):
    for path in two:
        assert ids(azure.arm("GET", f"{path}/resourceGroups")) == [f"{path}/resourceGroups/rg"]
        address = f"{path}/resourceGroups/rg/{NET}/publicIPAddresses/ip"
        for listed in (f"{path}/resourceGroups/rg/{NET}/publicIPAddresses", f"{path}/{NET}/publicIPAddresses", f"{path}/resources",
                       f"{path}/resourceGroups/rg/resources"):
            assert ids(azure.arm("GET", listed)) == [address]
        names = {entry["tagName"]: entry["values"] for entry in azure.arm("GET", f"{path}/tagNames")[1]["value"]}
        assert [value["tagValue"] for value in names["of"]] == [path[-4:]]
        usage = next(u for u in azure.arm("GET", f"{path}/{NET}/locations/westeurope/usages")[1]["value"] if u["name"]["value"] == "PublicIPAddresses")
        assert usage["currentValue"] == 1
    assert ids(azure.arm("GET", "resourceGroups")) == [] == ids(azure.arm("GET", f"{NET}/publicIPAddresses"))


def test_each_has_its_own_registrations_tags_and_quota(azure, two):
    second, third = two
    assert azure.arm("POST", f"{second}/providers/Microsoft.Compute/unregister")[0] == 200
    disks = "resourceGroups/rg/providers/Microsoft.Compute/disks"
    assert azure.arm("GET", f"{second}/{disks}")[1]["error"]["code"] == "MissingSubscriptionRegistration"
    assert azure.arm("GET", f"{third}/{disks}")[0] == 200
    tags = "providers/Microsoft.Resources/tags/default"
    assert azure.arm("PUT", f"{second}/{tags}", {"properties": {"tags": {"a": "b"}}})[0] == 200
    assert azure.arm("GET", f"{third}/{tags}")[1]["properties"]["tags"] == {}
    assert azure.arm("GET", second)[1]["tags"] == {"a": "b"}
    azure.admin.call("POST", "/conditions", {"quotas": [{"name": "PublicIPAddresses", "limit": 1}]})
    body = {"location": "westeurope", "sku": {"name": "Standard"}, "properties": {"publicIPAllocationMethod": "Static"}}
    assert azure.arm("PUT", f"{third}/resourceGroups/rg/{NET}/publicIPAddresses/more", body)[1]["error"]["code"] == "PublicIPCountLimitReached"
    assert azure.arm("PUT", "resourceGroups/rg", {"location": "westeurope"})[0] == 201
    assert azure.arm("PUT", f"resourceGroups/rg/{NET}/publicIPAddresses/ip", body)[0] == 201
    azure.admin.call("POST", "/conditions", {"quotas": []})


def test_throttling_counts_by_subscription(azure, two):
    azure.admin.call("POST", "/throttling", {"on": True, "scale": 0.01})        # 250 reads become 2
    try:
        answers = [azure.arm("GET", f"{path}/resourceGroups")[0] for path in (two[0], two[0], two[0], two[1])]
    finally:
        azure.admin.call("POST", "/throttling", {"on": False})
    assert answers == [200, 200, 429, 200]


def test_a_template_knows_its_subscription(azure, two):
    template = {"$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#", "contentVersion": "1.0.0.0",
                "resources": [], "outputs": {"id": {"type": "string", "value": "[subscription().subscriptionId]"},
                                             "group": {"type": "string", "value": "[resourceGroup().id]"}}}
    path = f"{two[1]}/resourceGroups/rg/providers/Microsoft.Resources/deployments/one"
    status, answer, headers = azure.arm("PUT", path, {"properties": {"mode": "Incremental", "template": template}})
    assert status == 201 and two[1] in headers["azure-asyncoperation"], answer
    outputs = azure.arm("GET", path)[1]["properties"]["outputs"]
    assert outputs["id"]["value"] == two[1].split("/")[2] and outputs["group"]["value"] == f"{two[1]}/resourceGroups/rg", json.dumps(outputs)


def test_a_group_is_deleted_in_its_own_subscription(azure, two):
    assert azure.arm("DELETE", f"{two[0]}/resourceGroups/rg")[0] == 202
    assert azure.arm("GET", f"{two[0]}/resourceGroups/rg")[0] == 404
    assert azure.arm("GET", f"{two[1]}/resourceGroups/rg/{NET}/publicIPAddresses/ip")[0] == 200
