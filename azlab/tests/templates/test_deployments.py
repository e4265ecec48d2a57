# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Deployments against a lab without machines, over HTTPS."""
from __future__ import annotations

import json
import time

import pytest
from azlab.testing import lab
from labgroup import NET, PUBLIC_KEY

from .template_tools import resource, template

DEPLOYMENTS = "providers/Microsoft.Resources/deployments"
SLOW = {"type": "Microsoft.Network/virtualNetworks", "method": "PUT"}
IMAGE = {"publisher": "Canonical", "offer": "ubuntu-24_04-lts", "sku": "server", "version": "latest"}


def body(document, *, mode="Incremental", **parameters):
    return {"properties": {"mode": mode, "template": document,
                           "parameters": {k: {"value": v} for k, v in parameters.items()}}}


def deploy(group, name, document, *, mode="Incremental", **parameters):
    """(first answer's status, the deployment when it has ended)"""
    status, first, headers = group.call("PUT", f"{DEPLOYMENTS}/{name}", body(document, mode=mode, **parameters),
                                        api_version="2024-11-01")
    assert status in (200, 201), first
    assert first["properties"]["provisioningState"] == "Accepted"
    ended = poll(group, headers["azure-asyncoperation"])
    found = group.call("GET", f"{DEPLOYMENTS}/{name}")[1]
    assert found["properties"]["provisioningState"] == ended["status"]
    return status, found


def poll(group, url):
    for _ in range(100):
        status, answer, _ = group.azure.arm("GET", url)
        assert status == 200
        if answer["status"] not in ("Accepted", "Running"):
            return answer
        time.sleep(0.05)
    raise AssertionError("the deployment did not end")


def located(group, headers):
    for _ in range(100):
        status, answer, _ = group.azure.arm("GET", headers["location"])
        if status != 202:
            return status, answer
        time.sleep(0.05)
    raise AssertionError("the operation did not end")


def network(name="net", **more):
    return resource("Microsoft.Network/virtualNetworks", name, location="[resourceGroup().location]", properties={
        "addressSpace": {"addressPrefixes": ["10.0.0.0/16"]},
        "subnets": [{"name": "hosts", "properties": {"addressPrefix": "10.0.0.0/24"}}]}, **more)


def machines():
    """Machines as `az vm create --count` asks for them."""
    loop = {"count": "[parameters('count')]"}
    return template([
        network(), resource("Microsoft.Network/networkSecurityGroups", "nsg", location="westeurope", properties={
            "securityRules": [{"name": "default-allow-ssh", "properties": {
                "protocol": "Tcp", "sourcePortRange": "*", "destinationPortRange": "22", "sourceAddressPrefix": "*",
                "destinationAddressPrefix": "*", "access": "Allow", "priority": 1000, "direction": "Inbound"}}]}),
        resource("Microsoft.Network/publicIPAddresses", "[concat('ip', copyIndex())]", location="westeurope",
                 sku={"name": "Standard"}, properties={"publicIPAllocationMethod": "Static"}, copy={"name": "ips", **loop}),
        resource("Microsoft.Network/networkInterfaces", "[concat('nic', copyIndex())]", location="westeurope",
                 copy={"name": "nics", **loop}, dependsOn=[
                     "Microsoft.Network/virtualNetworks/net", "Microsoft.Network/networkSecurityGroups/nsg", "ips"],
                 properties={
                     "networkSecurityGroup": {"id": "[resourceId('Microsoft.Network/networkSecurityGroups', 'nsg')]"},
                     "ipConfigurations": [{"name": "c", "properties": {
                         "subnet": {"id": "[concat(resourceId('Microsoft.Network/virtualNetworks', 'net'), "
                                          "'/subnets/hosts')]"},
                         "publicIPAddress": {"id": "[resourceId('Microsoft.Network/publicIPAddresses', "
                                                   "concat('ip', copyIndex()))]"}}}]}),
        resource("Microsoft.Compute/virtualMachines", "[concat('vm', copyIndex())]", location="westeurope",
                 copy={"name": "vms", **loop},
                 tags={"address": "[reference(concat('nic', copyIndex())).ipConfigurations[0].properties.privateIPAddress]"},
                 properties={
                     "hardwareProfile": {"vmSize": "Standard_B1s"},
                     "networkProfile": {"networkInterfaces": [{
                         "id": "[resourceId('Microsoft.Network/networkInterfaces', concat('nic', copyIndex()))]"}]},
                     "osProfile": {"computerName": "[concat('vm', copyIndex())]", "adminUsername": "azureuser",
                                   "customData": "[base64(parameters('data'))]", "linuxConfiguration": {
                                       "disablePasswordAuthentication": True, "ssh": {"publicKeys": [{
                                           "path": "/home/azureuser/.ssh/authorized_keys", "keyData": PUBLIC_KEY}]}}},
                     "storageProfile": {"imageReference": IMAGE, "osDisk": {"createOption": "fromImage"}}}),
    ], parameters={"count": {"type": "int", "defaultValue": 2}, "data": {"type": "securestring"}}, outputs={
        "public": {"type": "string", "value": "[reference('ip1').ipAddress]"},
        "size": {"type": "string", "value": "[reference(resourceId('Microsoft.Compute/virtualMachines', 'vm0'), "
                                            "'2024-07-01', 'Full').properties.hardwareProfile.vmSize]"},
        "data": {"type": "securestring", "value": "[parameters('data')]"}})


def test_machines_as_az_creates_them_and_again(group):
    status, made = deploy(group, "vms", machines(), data="geheim")
    assert (status, made["properties"]["provisioningState"]) == (201, "Succeeded")
    outputs = made["properties"]["outputs"]
    assert outputs == {"public": {"type": "String", "value": outputs["public"]["value"]},
                       "size": {"type": "String", "value": "Standard_B1s"}, "data": {"type": "SecureString"}}
    assert outputs["public"]["value"].startswith("203.0.113.")
    found = {r["type"]: r for r in group.call("GET", "resources")[1]["value"]}
    assert set(found) == {f"Microsoft.Network/{t}" for t in (
        "virtualNetworks", "networkSecurityGroups", "publicIPAddresses", "networkInterfaces")} | {
            "Microsoft.Compute/virtualMachines", "Microsoft.Compute/disks"}
    machine = group.call("GET", "providers/Microsoft.Compute/virtualMachines/vm1")[1]
    assert machine["tags"] == {"address": "10.0.0.5"}
    operations = group.call("GET", "deployments/vms/operations")[1]["value"]
    assert [o["properties"]["provisioningOperation"] for o in operations] == ["Create"] * 8 + ["EvaluateDeploymentOutput"]
    assert {o["properties"]["provisioningState"] for o in operations} == {"Succeeded"}
    assert group.call("GET", f"{DEPLOYMENTS}/vms/operations/{operations[0]['operationId']}")[1] == operations[0]
    assert len(made["properties"]["outputResources"]) == 8
    waits = {d["resourceName"]: [n["resourceName"] for n in d["dependsOn"]] for d in made["properties"]["dependencies"]}
    assert waits["nic0"] == ["net", "nsg", "ip0", "ip1"] and waits["vm1"] == ["nic1"]
    assert "geheim" not in json.dumps(made) and made["properties"]["parameters"]["data"] == {"type": "SecureString"}
    # once more: nothing is made anew
    status, again = deploy(group, "vms", machines(), data="geheim")
    assert (status, again["properties"]["outputs"]) == (200, outputs)
    assert group.call("GET", "providers/Microsoft.Compute/virtualMachines/vm1")[1]["properties"]["vmId"] == \
        machine["properties"]["vmId"]


def test_locks_and_tags_are_deployed_too(group):
    lock = {"properties": {"level": "CanNotDelete", "notes": "keep"}}
    _, made = deploy(group, "d", template([
        network("net"),
        resource("Microsoft.Network/virtualNetworks/providers/locks", "net/Microsoft.Authorization/old", dependsOn=["net"], **lock),
        resource("Microsoft.Authorization/locks", "new", scope="Microsoft.Network/virtualNetworks/net", dependsOn=["net"], **lock),
        resource("Microsoft.Resources/tags", "default", properties={"tags": {"team": "a"}})]))
    assert made["properties"]["provisioningState"] == "Succeeded", made
    locks = group.call("GET", "providers/Microsoft.Network/virtualNetworks/net/providers/Microsoft.Authorization/locks")[1]["value"]
    assert sorted(found["name"] for found in locks) == ["new", "old"] and locks[0]["properties"] == lock["properties"]
    assert group.call("GET", "providers/Microsoft.Resources/tags/default")[1]["properties"]["tags"] == {"team": "a"}
    assert group.call("DELETE", "providers/Microsoft.Network/virtualNetworks/net")[1]["error"]["code"] == "ScopeLocked"


def test_what_is_there_already_is_referred_to_by_type_and_name(group):
    deploy(group, "first", template([network("net")]))
    document = template(outputs={"space": {"type": "array", "value": "[reference('Microsoft.Network/virtualNetworks/net', "
                                           "'2023-11-01').addressSpace.addressPrefixes]"}})
    _, made = deploy(group, "second", document)
    assert made["properties"]["outputs"]["space"]["value"] == ["10.0.0.0/16"]


def test_an_api_profile_stands_for_the_versions_of_resources(group):
    plain = network("net")
    del plain["apiVersion"]
    _, made = deploy(group, "d", template([plain], apiProfile="2020-09-01-hybrid"))
    assert made["properties"]["provisioningState"] == "Succeeded", made
    status, refused, _ = group.call("PUT", f"{DEPLOYMENTS}/e", body(template([plain], apiProfile="latest")))
    assert (status, refused["error"]["code"]) == (400, "InvalidTemplate") and "'latest'" in refused["error"]["message"]


def test_the_error_of_a_resource_is_the_error_of_the_deployment(group):
    wrong = network("bad")
    wrong["properties"]["subnets"][0]["properties"]["addressPrefix"] = "10.77.0.0/24"
    _, made = deploy(group, "d", template([network("good"), wrong, resource(
        "Microsoft.Network/publicIPAddresses", "after", location="westeurope", dependsOn=["bad"], properties={})]))
    error = made["properties"]["error"]
    assert (made["properties"]["provisioningState"], error["code"]) == ("Failed", "DeploymentFailed")
    assert error["message"] == (
        "At least one resource deployment operation failed. Please list deployment operations for details. Please see "
        "https://aka.ms/arm-deployment-operations for usage details.")
    assert [d["code"] for d in error["details"]] == ["NetcfgSubnetRangeOutsideVnet"]
    states = {o["properties"]["targetResource"]["resourceName"]: o["properties"]
              for o in group.call("GET", "deployments/d/operations")[1]["value"]}
    assert {n: p["provisioningState"] for n, p in states.items()} == {"good": "Succeeded", "bad": "Failed"}
    assert states["bad"]["statusCode"] == "BadRequest"
    assert states["bad"]["statusMessage"]["error"]["code"] == "NetcfgSubnetRangeOutsideVnet"
    assert group.call("GET", f"{NET}/virtualNetworks/good")[0] == 200
    assert group.call("GET", f"{NET}/publicIPAddresses/after")[0] == 404


def test_nested_deployments_in_both_scopes(group, make_group):
    other = make_group(f"{group.name[:60]}-other")
    inner = template([resource("Microsoft.Network/publicIPAddresses", "[parameters('ip')]", location="westeurope",
                               sku={"name": "Standard"}, properties={"publicIPAllocationMethod": "Static"})],
                     parameters={"ip": {"type": "string"}, "net": {"type": "string"}},
                     outputs={"where": {"type": "string", "value": "[concat(parameters('net'), ' ', resourceGroup().name)]"}})
    outer = template([network("[variables('name')]")])
    whole = template([
        network(),
        resource("Microsoft.Resources/deployments", "inner", resourceGroup=other.name, properties={
            "mode": "Incremental", "expressionEvaluationOptions": {"scope": "inner"}, "template": inner,
            "parameters": {"ip": {"value": "ip"}, "net": {"value": "[reference('net').addressSpace.addressPrefixes[0]]"}}}),
        resource("Microsoft.Resources/deployments", "outer", properties={"mode": "Incremental", "template": outer}),
    ], variables={"name": "from-outer"}, outputs={
        "where": {"type": "string", "value": "[reference('inner').outputs.where.value]"}})
    _, _, headers = group.call("POST", f"{DEPLOYMENTS}/main/whatIf", body(whole))
    found = {c["resourceId"].rsplit("/", 1)[1]: c["changeType"] for c in located(group, headers)[1]["properties"]["changes"]}
    # what `inner` deploys is not known before `net` is there
    assert found == {"net": "Create", "from-outer": "Create", "inner": "Deploy"}
    _, made = deploy(group, "main", whole)
    assert made["properties"]["provisioningState"] == "Succeeded", made["properties"].get("error")
    assert made["properties"]["outputs"]["where"]["value"] == f"10.0.0.0/16 {other.name}"
    assert group.call("GET", f"{NET}/virtualNetworks/from-outer")[0] == 200
    assert other.call("GET", f"{NET}/publicIPAddresses/ip")[0] == 200
    assert other.call("GET", f"{DEPLOYMENTS}/inner")[1]["properties"]["provisioningState"] == "Succeeded"
    names = [d["name"] for d in group.call("GET", f"{DEPLOYMENTS}/")[1]["value"]]
    assert sorted(names) == ["main", "outer"]
    # the error of a nested deployment comes up with its own details
    outer["resources"][0]["properties"]["subnets"][0]["properties"]["addressPrefix"] = "10.77.0.0/24"
    _, made = deploy(group, "main", whole)
    nested = made["properties"]["error"]["details"][0]
    assert (nested["code"], nested["details"][0]["code"]) == ("DeploymentFailed", "NetcfgSubnetRangeOutsideVnet")


def test_what_if_and_validate_change_nothing(group):
    group.put(f"{NET}/networkSecurityGroups/other", {})
    document = template([network()], parameters={"p": {"type": "string", "defaultValue": "x"}})
    status, answer, headers = group.call("POST", f"{DEPLOYMENTS}/d/whatIf", body(document), api_version="2024-11-01")
    assert (status, answer) == (202, None) and int(headers["retry-after"]) >= 1

    def changes(headers):
        status, answer = located(group, headers)
        assert (status, answer["status"]) == (200, "Succeeded")
        return {c["resourceId"].rsplit("/", 1)[1]: c for c in answer["properties"]["changes"]}

    found = changes(headers)
    assert {n: c["changeType"] for n, c in found.items()} == {"net": "Create", "other": "Ignore"}
    assert found["net"]["after"]["properties"]["addressSpace"] == {"addressPrefixes": ["10.0.0.0/16"]}
    assert group.call("GET", f"{NET}/virtualNetworks/net")[0] == 404
    deploy(group, "d", document)
    found = changes(group.call("POST", f"{DEPLOYMENTS}/d/whatIf", body(document))[2])
    assert found["net"]["changeType"] == "NoChange"
    document["resources"][0]["tags"] = {"a": "b"}
    found = changes(group.call("POST", f"{DEPLOYMENTS}/d/whatIf", body(document))[2])
    assert found["net"]["changeType"] == "Modify"
    assert [(d["path"], d["propertyChangeType"]) for d in found["net"]["delta"]] == [("tags", "Create")]
    found = changes(group.call("POST", f"{DEPLOYMENTS}/d/whatIf", body(document, mode="Complete"))[2])
    assert found["other"]["changeType"] == "Delete"
    status, answer, _ = group.call("POST", f"{DEPLOYMENTS}/new/validate", body(document), api_version="2024-11-01")
    assert (status, answer["properties"]["provisioningState"]) == (200, "Succeeded")
    status, answer, headers = group.call("POST", f"{DEPLOYMENTS}/new/validate", body(document), api_version="2025-04-01")
    assert (status, answer) == (202, None)
    status, answer = located(group, headers)
    assert (status, answer["properties"]["validatedResources"]) == (200, [
        {"id": group.id(f"{NET}/virtualNetworks/net")}])
    assert group.call("GET", f"{DEPLOYMENTS}/new")[0] == 404


def test_mode_complete_deletes_what_the_template_does_not_name(group):
    subnet = group.vnet("old")
    group.nic("nic", subnet)
    # A type that does not have the api-versions of the others.
    account = resource("Microsoft.Storage/storageAccounts", "labaccount7", location="westeurope", sku={"name": "Standard_LRS"}, properties={})
    deploy(group, "first", template([{**account, "kind": "StorageV2"}]))
    _, made = deploy(group, "d", template([network()]), mode="Complete")
    assert made["properties"]["provisioningState"] == "Succeeded"
    assert [r["name"] for r in group.call("GET", "resources")[1]["value"]] == ["net"]


@pytest.mark.parametrize(("given", "status", "code", "text"), [
    (b"{", 400, "InvalidRequestContent", "Invalid property identifier character"),
    ({}, 400, "InvalidRequestContent", "Required property 'properties' not found in JSON."),
    ({"properties": {"template": {}}}, 400, "InvalidRequestContent", "Required property 'mode' not found in JSON."),
    ({"properties": {"mode": "Some", "template": {}}}, 400, "InvalidRequestContent", "to type 'DeploymentMode'"),
    ({"properties": {"mode": "Incremental"}}, 400, "InvalidRequestContent", "neither a 'template' nor a 'templateLink'"),
    ({"properties": {"mode": "Incremental", "templateLink": {"uri": "https://example.org/t.json"}}}, 400,
     "InvalidContentLink", "Unable to download deployment content from 'https://example.org/t.json'"),
    (body({**template(), "parameters": {"a": {"type": "string"}}}), 400, "InvalidTemplate", "is not provided"),
    (body(template([resource("Microsoft.Nosuch/things", "x")])), 400, "InvalidTemplateDeployment",
     "is not valid according to the validation procedure"),
    (body(template([network(), network()])), 400, "InvalidTemplate", "is defined multiple times in a template"),
])
def test_what_is_refused_at_once(group, given, status, code, text):
    for verb, path in (("PUT", "d"), ("POST", "d/validate"), ("POST", "d/whatIf")):
        found = group.refused(verb, f"{DEPLOYMENTS}/{path}", given)
        assert found[:2] == (status, code) and text in found[2]
    assert group.call("GET", f"{DEPLOYMENTS}/d")[0] == 404
    assert group.call("GET", "resources")[1]["value"] == []


def test_preflight_names_each_resource(group):
    document = template([resource("Microsoft.Nosuch/things", "x"), network(), resource(
        "Microsoft.Network/publicIPAddresses", "ip", location="atlantis", properties={})])
    answer = group.call("PUT", f"{DEPLOYMENTS}/d", body(document))[1]["error"]
    assert [(d["code"], d["target"].rsplit("/", 1)[1]) for d in answer["details"]] == [
        ("InvalidResourceNamespace", "x"), ("LocationNotAvailableForResourceType", "ip")]


def test_not_found_delete_export_and_names(group):
    assert group.refused("GET", f"{DEPLOYMENTS}/none") == (404, "DeploymentNotFound",
                                                           "Deployment 'none' could not be found.")
    assert group.call("HEAD", f"{DEPLOYMENTS}/none")[0] == 404
    assert group.call("DELETE", f"{DEPLOYMENTS}/none")[0] == 204
    assert group.refused("PUT", f"{DEPLOYMENTS}/{'x' * 65}", body(template()))[1] == "InvalidDeploymentName"
    document = template([network()])
    deploy(group, "d", document)
    assert group.call("HEAD", f"{DEPLOYMENTS}/d")[0] == 204
    assert group.call("POST", f"{DEPLOYMENTS}/d/exportTemplate")[1] == {"template": document}
    assert group.refused("POST", f"{DEPLOYMENTS}/d/cancel")[:2] == (409, "DeploymentCannotBeCancelled")
    status, answer, headers = group.call("DELETE", f"{DEPLOYMENTS}/d")
    assert (status, answer) == (202, None)
    assert located(group, headers) == (204, None)
    assert group.call("GET", f"{DEPLOYMENTS}/d")[0] == 404
    assert group.call("GET", f"{NET}/virtualNetworks/net")[0] == 200


def test_a_running_deployment_can_be_cancelled_and_not_replaced(group):
    group.azure.admin.latencies(overrides=[{**SLOW, "seconds": 30}])
    try:
        status, _, headers = group.call("PUT", f"{DEPLOYMENTS}/d", body(template([network()])))
        assert status == 201
        for _ in range(50):
            state = group.azure.arm("GET", headers["azure-asyncoperation"])[1]["status"]
            if state == "Running":
                break
            time.sleep(0.02)
        assert state == "Running"
        assert group.refused("PUT", f"{DEPLOYMENTS}/d", body(template()))[:2] == (409, "DeploymentActive")
        assert group.refused("DELETE", f"{DEPLOYMENTS}/d")[:2] == (409, "DeploymentActive")
        assert group.call("POST", f"{DEPLOYMENTS}/d/cancel")[0] == 204
        assert group.azure.arm("GET", headers["azure-asyncoperation"])[1]["status"] == "Canceled"
        assert group.call("GET", f"{DEPLOYMENTS}/d")[1]["properties"]["provisioningState"] == "Canceled"
    finally:
        group.azure.admin.latencies(overrides=[])


def test_a_lab_that_was_stopped_goes_on_with_its_deployment(tmp_path):
    with lab("resume", home=tmp_path) as first:
        first.arm("PUT", "resourceGroups/rg", {"location": "westeurope"})
        first.admin.latencies(overrides=[{**SLOW, "seconds": 1}])
        path = f"resourceGroups/rg/{DEPLOYMENTS}/d"
        document = template([network(), network("second", dependsOn=["net"])],
                            parameters={"p": {"type": "securestring"}},
                            outputs={"u": {"type": "int", "value": "[length(parameters('p'))]"}})
        assert first.arm("PUT", path, body(document, p="geheim"))[0] == 201
    with lab("resume", home=tmp_path) as second:
        for _ in range(100):
            found = second.arm("GET", path)[1]["properties"]
            if found["provisioningState"] not in ("Accepted", "Running"):
                break
            time.sleep(0.05)
        assert (found["provisioningState"], found["outputs"]["u"]["value"]) == ("Succeeded", 6)
        assert second.arm("GET", f"resourceGroups/rg/{NET}/virtualNetworks/second")[0] == 200


def test_a_group_takes_its_deployments_with_it(azure, make_group):
    group = make_group("short-lived")
    deploy(group, "d", template([network()]))
    status, _, headers = group.call("DELETE", "")
    assert (status, located(group, headers)[0]) == (202, 200)
    again = make_group("short-lived")
    assert again.call("GET", f"{DEPLOYMENTS}/")[1] == {"value": []}
