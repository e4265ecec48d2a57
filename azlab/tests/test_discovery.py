# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What tools ask beside resources: providers, documents of commands and images, usages, and lists as Azure shortens them."""
from __future__ import annotations

import json
import ssl
import urllib.request

import pytest

from azlab import testing
from labgroup import COMPUTE, NET, Group


@pytest.mark.parametrize("namespace", ["Microsoft.Compute", "microsoft.network", "Microsoft.Storage", "Microsoft.Resources"])
def test_each_provider_is_shown(azure: testing.RunningLab, namespace: str) -> None:
    status, body, _ = azure.arm("GET", f"providers/{namespace}")
    assert status == 200 and body["registrationState"] == "Registered" and body["resourceTypes"]


def test_the_document_of_a_run_command(azure: testing.RunningLab) -> None:
    base = "providers/Microsoft.Compute/locations/westeurope/runCommands"
    windows, entry = azure.arm("GET", base)[1]["value"]
    assert (windows["id"], entry["id"]) == ("RunPowerShellScript", "RunShellScript") and "script" not in entry
    assert azure.arm("GET", f"{base}/runshellscript")[1]["parameters"][0]["name"] == "arg1"
    assert azure.arm("GET", f"{base}/Nope")[0] == 404


def test_usages_of_storage(azure: testing.RunningLab) -> None:
    entry, = azure.arm("GET", "providers/Microsoft.Storage/locations/westeurope/usages")[1]["value"]
    assert entry["name"]["value"] == "StorageAccounts" and entry["currentValue"] == 0 and entry["limit"] == 250


def test_short_names_of_images_lead_to_images_of_the_lab(azure: testing.RunningLab) -> None:
    context = ssl.create_default_context(cafile=str(azure.ca_file))

    def get(path: str) -> dict[str, object]:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))
        with opener.open(azure.url + path) as answer:
            return dict(json.load(answer))
    url = str(get("/metadata/endpoints?api-version=2022-09-01")["vmImageAliasDoc"])
    images = get(url.removeprefix(azure.url))["outputs"]["aliases"]["value"]["Linux"]  # type: ignore[index]
    assert {"Ubuntu2204", "Ubuntu2404", "Debian12"} <= set(images)
    for image in images.values():
        path = "publishers/{publisher}/artifacttypes/vmimage/offers/{offer}/skus/{sku}/versions/{version}".format(**image)
        assert azure.arm("GET", f"providers/Microsoft.Compute/locations/westeurope/{path}")[0] == 200


@pytest.mark.parametrize("name", ["bad name", "-first", "last-", "a!b", "last."])
def test_names_of_network_resources(group: Group, name: str) -> None:
    path = f"{NET}/networkSecurityGroups/{name.replace(' ', '%20')}"
    status, code, text = group.refused("PUT", path, {"location": "westeurope"})
    assert (status, code) == (400, "InvalidResourceName") and text.startswith(f"Resource name {name} is invalid.")
    group.put(f"{NET}/networkSecurityGroups/good.name_", {})
    rule = {"properties": {"priority": 100, "direction": "Inbound", "access": "Allow", "protocol": "Tcp", "sourcePortRange": "*",
                           "destinationPortRange": "22", "sourceAddressPrefix": "*", "destinationAddressPrefix": "*"}}
    path = f"{NET}/networkSecurityGroups/good.name_/securityRules/{name.replace(' ', '%20')}"
    assert group.refused("PUT", path, rule)[1] == "InvalidResourceName"


def test_lists_of_machines_name_extensions_by_id_only(group: Group) -> None:
    nic = group.nic("nic", group.vnet())
    group.vm("vm", nic["id"])
    group.call("PUT", f"{COMPUTE}/virtualMachines/vm/extensions/script", {"location": "westeurope", "properties": {
        "publisher": "Microsoft.Azure.Extensions", "type": "CustomScript", "typeHandlerVersion": "2.1",
        "settings": {"commandToExecute": "true"}}})
    shown, = group.call("GET", f"{COMPUTE}/virtualMachines/vm")[1]["resources"]
    assert shown["properties"]["type"] == "CustomScript"
    machine, = group.call("GET", f"{COMPUTE}/virtualMachines")[1]["value"]
    assert machine["resources"] == [{"id": shown["id"]}]
