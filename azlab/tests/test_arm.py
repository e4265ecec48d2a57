# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules of ARM itself: paths, api-versions, groups, tags, bodies."""
from __future__ import annotations

import pytest

from azlab.testing import RunningLab
from labgroup import COMPUTE, NET, Group


@pytest.mark.parametrize(("path", "version", "status", "code"), [
    ("resourceGroups", "", 400, "MissingApiVersionParameter"),
    ("resourceGroups", "yesterday", 400, "InvalidApiVersionParameter"),
    ("resourceGroups", "2021-13-01", 400, "InvalidApiVersionParameter"),
    ("resourceGroups/none", "2022-09-01", 404, "ResourceGroupNotFound"),
    (f"resourceGroups/none/{NET}/virtualNetworks/v", "2024-07-01", 404, "ResourceGroupNotFound"),
    ("providers/Microsoft.Nothing/things", "2024-07-01", 404, "InvalidResourceNamespace"),
    ("providers/Microsoft.Network/things", "2024-07-01", 404, "InvalidResourceType"),
    ("/subscriptions/00000000-0000-0000-0000-000000000009/resourceGroups", "2022-09-01", 404, "SubscriptionNotFound"),
    ("/subscriptions/mine/resourceGroups", "2022-09-01", 400, "InvalidSubscriptionId"),
])
def test_paths_that_lead_nowhere(azure: RunningLab, path: str, version: str, status: int, code: str) -> None:
    got, body, headers = azure.arm("GET", path, api_version=version)
    assert (got, body["error"]["code"]) == (status, code)
    assert headers["x-ms-failure-cause"] == "gateway"


def test_an_unknown_type_is_noted_in_the_log(azure: RunningLab, caplog: pytest.LogCaptureFixture) -> None:
    azure.arm("PUT", "resourceGroups/any/providers/Microsoft.Network/applicationGateways/g", {"location": "westeurope"})
    assert "not served: PUT" in caplog.text and "applicationGateways" in caplog.text


def test_a_subnet_that_does_not_exist_is_not_noted_as_unserved(azure: RunningLab, caplog: pytest.LogCaptureFixture) -> None:
    azure.arm("PUT", "resourceGroups/unnoted", {"location": "westeurope"})
    network = "resourceGroups/unnoted/providers/Microsoft.Network/virtualNetworks/v"
    azure.arm("PUT", network, {"location": "westeurope", "properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}}})
    status, body, _headers = azure.arm("GET", f"{network}/subnets/s")
    assert (status, body["error"]["code"]) == (404, "NotFound") and "not served" not in caplog.text


def test_life_of_a_group(azure: RunningLab) -> None:
    path = "resourceGroups/Life-Of.A_(Group)"
    assert azure.arm("HEAD", path)[0] == 404
    status, body, _ = azure.arm("PUT", path, {"location": "West Europe", "tags": {"a": "1"}})
    assert status == 201
    assert body == {"id": f"/subscriptions/{azure.subscription}/{path}", "name": "Life-Of.A_(Group)",
                    "type": "Microsoft.Resources/resourceGroups", "location": "westeurope", "tags": {"a": "1"},
                    "properties": {"provisioningState": "Succeeded"}}
    assert azure.arm("PUT", path, {"location": "westeurope"})[0] == 200
    assert azure.arm("HEAD", path.lower())[0] == 204
    assert azure.arm("GET", path.upper().replace("RESOURCEGROUPS", "resourcegroups"))[1]["name"] == "Life-Of.A_(Group)"
    assert azure.arm("PATCH", path, {"tags": {"b": "2"}})[1]["tags"] == {"b": "2"}
    assert azure.arm("PUT", path, {"location": "eastus"})[1]["error"]["code"] == "InvalidResourceGroupLocation"
    status, body, headers = azure.arm("DELETE", path)
    assert status == 202 and body is None and "azure-asyncoperation" not in headers
    status, body, _ = azure.arm("GET", headers["location"])
    assert (status, body) == (200, None)
    assert azure.arm("GET", path)[0] == 404


@pytest.mark.parametrize(("name", "code"), [("bad*name", "InvalidResourceGroup"), ("ends.", "InvalidResourceGroup"),
                                            ("x" * 91, "InvalidResourceName")])
def test_names_of_groups(azure: RunningLab, name: str, code: str) -> None:
    assert azure.arm("PUT", f"resourceGroups/{name}", {"location": "westeurope"})[1]["error"]["code"] == code


def test_unknown_region(azure: RunningLab) -> None:
    error = azure.arm("PUT", "resourceGroups/r", {"location": "atlantis"})[1]["error"]
    assert error["code"] == "LocationNotAvailableForResourceGroup" and "westeurope" in error["message"]


@pytest.mark.parametrize(("body", "code"), [
    (b"{", "InvalidRequestContent"), (b"[]", "InvalidRequestContent"), (b"", "MissingRequestBody"),
    (b'{"location": "westeurope", "tags": []}', "InvalidRequestContent"),
    (b'{"location": 5}', "LocationRequired"), (b'{"a":' * 3000 + b"1" + b"}" * 3000, "InvalidRequestContent"),
    (b"\xff\xfe{}", "InvalidRequestContent"),
])
def test_malformed_bodies(azure: RunningLab, body: bytes, code: str) -> None:
    status, answer, _ = azure.arm("PUT", "resourceGroups/malformed", body)
    assert (status, answer["error"]["code"]) == (400, code)
    assert azure.arm("GET", "resourceGroups/malformed")[0] == 404


def test_a_body_of_ten_megabytes(azure: RunningLab) -> None:
    try:
        status, answer, _ = azure.arm("PUT", "resourceGroups/large", b" " * 10_000_000)
    except OSError:
        return          # the connection was closed while the body was still being sent: as good as the status
    assert (status, answer["error"]["code"]) == (413, "RequestContentTooLarge")


@pytest.mark.parametrize(("tags", "code"), [
    ({str(n): "" for n in range(51)}, "InvalidTags"), ({"n" * 513: ""}, "InvalidTagName"),
    ({"n": "v" * 257}, "InvalidTagValue"), ({"a/b": ""}, "InvalidTagNameCharacters")])
def test_limits_of_tags(azure: RunningLab, tags: dict[str, str], code: str) -> None:
    answer = azure.arm("PUT", "resourceGroups/tags", {"location": "westeurope", "tags": tags})[1]
    assert answer["error"]["code"] == code


def test_fifty_tags_are_fine_and_can_be_filtered(azure: RunningLab) -> None:
    tags = {f"t{n}": "v" for n in range(50)}
    assert azure.arm("PUT", "resourceGroups/fifty", {"location": "westeurope", "tags": tags})[0] == 201
    found = azure.arm("GET", "resourceGroups?$filter=tagName%20eq%20'T7'%20and%20tagValue%20eq%20'v'")[1]["value"]
    assert [g["name"] for g in found] == ["fifty"]
    assert azure.arm("GET", "resourceGroups?$filter=tagName%20like%20'T7'")[1]["error"]["code"] == \
        "InvalidFilterInQueryString"


def test_doubled_slashes_and_any_case(group: Group) -> None:
    group.vnet("Net")
    status, body, _ = group.azure.arm(
        "GET", f"/subscriptions/{group.azure.subscription}//RESOURCEGROUPS/{group.name.upper()}//providers/"
               "microsoft.network/VIRTUALNETWORKS/nEt")
    assert status == 200 and body["name"] == "Net" and body["type"] == "Microsoft.Network/virtualNetworks"


def test_resources_of_group_and_subscription(group: Group) -> None:
    subnet = group.vnet()
    nic = group.nic("n", subnet)
    group.vm("m", nic["id"], top={"tags": {"role": "x"}})
    names = {(r["type"], r["name"]) for r in group.call("GET", "resources")[1]["value"]}
    assert names == {("Microsoft.Network/virtualNetworks", "vnet"), ("Microsoft.Network/networkInterfaces", "n"),
                     ("Microsoft.Compute/virtualMachines", "m"), ("Microsoft.Compute/disks", "m-osdisk")}
    only = group.call("GET", "resources?$filter=resourceType%20eq%20'Microsoft.Compute/virtualMachines'")[1]["value"]
    assert [r["name"] for r in only] == ["m"]
    everywhere = group.azure.arm("GET", "resources")[1]["value"]
    assert names <= {(r["type"], r["name"]) for r in everywhere}


def test_deleting_a_group_takes_everything_with_it(group: Group) -> None:
    subnet = group.vnet()
    group.vm("m", group.nic("n", subnet)["id"])
    group.address()
    _, _, headers = group.call("DELETE", "")
    assert group.azure.arm("GET", headers["location"])[0] == 200
    left = [r["id"] for r in group.azure.arm("GET", "resources")[1]["value"] if f"/{group.name}/" in r["id"]]
    assert left == []


def test_a_group_that_is_needed_elsewhere_stays(make_group: object) -> None:
    network, hosts = make_group("needed-network"), make_group("needed-hosts")  # type: ignore[operator]
    nic = hosts.nic("n", network.vnet())
    assert nic["properties"]["ipConfigurations"][0]["properties"]["privateIPAddress"] == "10.20.0.4"
    _, _, headers = network.call("DELETE", "")
    status, body, _ = network.azure.arm("GET", headers["location"])
    assert (status, body["error"]["code"]) == (409, "ResourceGroupDeletionBlocked")
    assert network.call("GET", "")[1]["properties"]["provisioningState"] == "Succeeded"
    assert hosts.call("GET", f"{NET}/networkInterfaces/n")[0] == 200


def test_registration_of_providers(azure: RunningLab, make_group: object) -> None:
    group = make_group("registration")  # type: ignore[operator]
    assert azure.arm("POST", "providers/Microsoft.Compute/unregister")[1]["registrationState"] == "NotRegistered"
    assert group.refused("GET", f"{COMPUTE}/virtualMachines/m")[:2] == (409, "MissingSubscriptionRegistration")
    assert azure.arm("POST", "providers/microsoft.compute/register")[1]["registrationState"] == "Registered"
    assert group.refused("GET", f"{COMPUTE}/virtualMachines/m")[:2] == (404, "ResourceNotFound")


def test_locations_have_zones(azure: RunningLab) -> None:
    found = {r["name"]: r for r in azure.arm("GET", "locations")[1]["value"]}
    assert [z["logicalZone"] for z in found["westeurope"]["availabilityZoneMappings"]] == ["1", "2", "3"]
    assert "availabilityZoneMappings" not in found["westus"]


@pytest.mark.parametrize(("path", "body"), [
    (f"{NET}/virtualNetworks/x", {"properties": 5}), (f"{NET}/virtualNetworks/x", {"properties": {"subnets": {}}}),
    (f"{NET}/virtualNetworks/x", {"properties": {"addressSpace": []}}),
    (f"{NET}/virtualNetworks/x", {"properties": {"addressSpace": {"addressPrefixes": [{}]}}}),
    (f"{NET}/networkSecurityGroups/x", {"properties": {"securityRules": ["ssh"]}}),
    (f"{NET}/publicIPAddresses/x", {"sku": {"name": 5}}), (f"{NET}/publicIPAddresses/x", {"zones": "1"}),
    (f"{COMPUTE}/virtualMachines/x", {"properties": {"osProfile": {"linuxConfiguration": {"ssh": []}}}}),
    (f"{COMPUTE}/availabilitySets/x", {"properties": {"platformFaultDomainCount": "two"}}),
])
def test_members_of_the_wrong_kind(group: Group, path: str, body: dict[str, object]) -> None:
    status, code, _ = group.refused("PUT", path, {"location": "westeurope", **body})
    assert status == 400 and code in ("InvalidRequestContent", "InvalidParameter")
    assert group.call("GET", path)[0] == 404
