# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Deployments to the subscription: groups, and deployments to them."""
from __future__ import annotations

import time

import pytest
from azlab.testing import lab

from .template_tools import resource, template

DEPLOYMENTS = "providers/Microsoft.Resources/deployments"
GROUPS, NESTED = "Microsoft.Resources/resourceGroups", "Microsoft.Resources/deployments"
SECURITY = "Microsoft.Network/networkSecurityGroups"
WHERE = "[resourceGroup().location]"


def body(document, *, location="westeurope", mode="Incremental"):
    return {**({"location": location} if location else {}), "properties": {"mode": mode, "template": document, "parameters": {}}}


def deploy(azure, name, document):
    """The deployment when it has ended."""
    status, first, headers = azure.arm("PUT", f"{DEPLOYMENTS}/{name}", body(document), api_version="2024-11-01")
    assert status in (200, 201), first
    return ended(azure, name, headers["azure-asyncoperation"])


def ended(azure, name, url):
    for _ in range(200):
        if azure.arm("GET", url)[1]["status"] not in ("Accepted", "Running"):
            return azure.arm("GET", f"{DEPLOYMENTS}/{name}")[1]
        time.sleep(0.05)
    raise AssertionError("the deployment did not end")


def group(name, **more):
    return resource(GROUPS, name, location="northeurope", **more)


def inside(of, *resources, scope="inner", outputs=None, **more):
    """A nested deployment to the group `of`."""
    return resource(NESTED, "inside", resourceGroup=of, properties={
        "mode": "Incremental", "expressionEvaluationOptions": {"scope": scope}, "template": template(resources, outputs=outputs or {})}, **more)


def test_a_group_and_what_is_in_it(azure):
    nested = inside("one", resource(SECURITY, "nsg", location=WHERE, properties={}), dependsOn=[f"[resourceId('{GROUPS}', 'one')]"],
                    outputs={"place": {"type": "string", "value": WHERE}})
    made = deploy(azure, "d", template([nested, group("one", tags={"a": "b"})], outputs={
        "id": {"type": "string", "value": f"[subscriptionResourceId('{GROUPS}', 'one')]"},
        "location": {"type": "string", "value": "[deployment().location]"},
        "place": {"type": "string", "value": "[reference('inside').outputs.place.value]"},
        "state": {"type": "string", "value": f"[reference(resourceId('{GROUPS}', 'one'), '2022-09-01').provisioningState]"}}))
    properties = made["properties"]
    assert properties["provisioningState"] == "Succeeded", made
    assert made["location"] == "westeurope" and made["id"] == f"/subscriptions/{azure.subscription}/{DEPLOYMENTS}/d"
    assert {n: o["value"] for n, o in properties["outputs"].items()} == {
        "id": f"/subscriptions/{azure.subscription}/resourceGroups/one", "location": "westeurope", "place": "northeurope", "state": "Succeeded"}
    assert azure.arm("GET", "resourceGroups/one")[1]["tags"] == {"a": "b"}
    assert azure.arm("GET", f"resourceGroups/one/providers/{SECURITY}/nsg")[1]["location"] == "northeurope"
    assert [d["name"] for d in azure.arm("GET", f"resourceGroups/one/{DEPLOYMENTS}")[1]["value"]] == ["inside"]
    assert "d" in [d["name"] for d in azure.arm("GET", DEPLOYMENTS)[1]["value"]]
    assert "inside" not in [d["name"] for d in azure.arm("GET", DEPLOYMENTS)[1]["value"]]
    operations = azure.arm("GET", f"{DEPLOYMENTS}/d/operations")[1]["value"]
    assert [o["properties"]["targetResource"]["resourceName"] for o in operations[:2]] == ["one", "inside"]


def test_groups_by_nested_deployments_to_the_subscription(azure):
    nested = resource(NESTED, "[concat('more-', copyIndex())]", location="[deployment().location]", copy={"name": "more", "count": 2},
                      properties={"mode": "Incremental", "template": template([
                          resource(GROUPS, "[concat('many', copyIndex())]", location="westeurope")])})
    assert deploy(azure, "n", template([nested]))["properties"]["provisioningState"] == "Succeeded"
    assert [azure.arm("GET", f"resourceGroups/many{i}")[0] for i in range(2)] == [200, 200]


@pytest.mark.parametrize(("document", "options", "status", "code"), [
    ([group("x")], {"location": None}, 400, "LocationRequired"),
    ([group("x")], {"location": "nowhere"}, 400, "LocationNotAvailableForDeployment"),
    ([group("x")], {"mode": "Complete"}, 400, "InvalidDeploymentMode"),
    ([resource(SECURITY, "nsg", location="westeurope", properties={})], {}, 400, "InvalidTemplateDeployment"),
    ([inside("nowhere")], {}, 404, "ResourceGroupNotFound"),
    ([resource(GROUPS, "x", location=WHERE)], {}, 400, "InvalidTemplate"),
    ([resource(NESTED, "n", properties={"mode": "Incremental", "template": template([])})], {}, 400, "LocationRequired"),
])
def test_what_cannot_be_deployed_to_a_subscription(azure, document, options, status, code):
    answer = azure.arm("PUT", f"{DEPLOYMENTS}/wrong", body(template(document), **options), api_version="2024-11-01")
    assert (answer[0], answer[1]["error"]["code"]) == (status, code)
    assert azure.arm("GET", f"{DEPLOYMENTS}/wrong")[0] == 404


def test_a_group_deployment_makes_no_groups(azure):
    azure.arm("PUT", "resourceGroups/plain", {"location": "westeurope"})
    answer = azure.arm("PUT", f"resourceGroups/plain/{DEPLOYMENTS}/d", body(template([group("x")])), api_version="2024-11-01")
    assert (answer[0], answer[1]["error"]["code"]) == (400, "InvalidTemplateDeployment")


def test_it_goes_on_after_a_restart(tmp_path):
    document = template([group("late"), inside("late", resource(SECURITY, "nsg", location=WHERE, properties={}), dependsOn=["late"])])
    with lab("resume", home=tmp_path) as first:
        first.admin.latencies(hold=True)
        headers = first.arm("PUT", f"{DEPLOYMENTS}/d", body(document), api_version="2024-11-01")[2]
    with lab("resume", home=tmp_path) as second:
        found = ended(second, "d", second.url + headers["azure-asyncoperation"].removeprefix(first.url))
        assert (found["properties"]["provisioningState"], found["location"]) == ("Succeeded", "westeurope")
        assert second.arm("GET", f"resourceGroups/late/providers/{SECURITY}/nsg")[0] == 200
