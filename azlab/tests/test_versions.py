# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Api-versions: each type has its own, and a request with another one is refused before anything is read or written."""
from __future__ import annotations

import re
import time
from importlib import resources

import pytest
from azlab import api_versions
from labgroup import COMPUTE, NET

DISK = {"location": "westeurope", "sku": {"name": "Standard_LRS"}, "properties": {"creationData": {"createOption": "Empty"}, "diskSizeGB": 4}}


@pytest.mark.parametrize(("path", "version", "type_name"), [
    (f"{COMPUTE}/disks/d", "2024-07-01", "disks"),                       # a version of machines
    (f"{COMPUTE}/virtualMachines/m", "2024-03-02", "virtualMachines"),   # a version of disks
    (f"{NET}/virtualNetworks/v", "2013-01-01", "virtualNetworks"),       # older than the type
    (f"{NET}/virtualNetworks/v/subnets/s", "2024-04-01", "virtualNetworks/subnets"),
    ("providers/Microsoft.Storage/storageAccounts/account1", "2024-07-01", "storageAccounts"),
])
def test_a_version_that_the_type_never_had(group, path, version, type_name):
    status, code, message = group.refused("PUT", path, DISK, api_version=version)
    assert (status, code) == (400, "NoRegisteredProviderFound")
    assert message.startswith(f"No registered resource provider found for location 'westeurope' and API version '{version}' for type "
                              f"'{type_name}'. The supported api-versions are '20")
    assert group.refused("GET", path, api_version=version)[1] == "NoRegisteredProviderFound"
    assert group.call("GET", path)[0] == 404


def test_lists_and_actions_have_versions_too(group, azure):
    assert group.refused("GET", f"{COMPUTE}/disks", api_version="2024-07-01")[1] == "NoRegisteredProviderFound"
    assert group.refused("POST", f"{COMPUTE}/virtualMachines/m/start", api_version="2024-03-02")[1] == "NoRegisteredProviderFound"
    status, answer, _ = azure.arm("GET", f"{COMPUTE}/disks", api_version="2024-07-01")
    assert (status, answer["error"]["code"]) == (400, "NoRegisteredProviderFound")


def test_a_version_that_the_lab_does_not_know_yet_is_let_through(group):
    assert group.call("PUT", f"{COMPUTE}/disks/d", DISK, api_version="2039-01-01")[0] in (201, 202)


def test_the_provider_tells_the_versions_of_each_type(azure):
    _, shown, _ = azure.arm("GET", "providers/Microsoft.Compute")
    found = {t["resourceType"]: t["apiVersions"] for t in shown["resourceTypes"]}
    assert found["disks"] != found["virtualMachines"]
    for name, listed in found.items():
        assert listed == sorted(listed, reverse=True), name
        assert azure.arm("GET", f"resourceGroups/none/{COMPUTE}/{name.split('/')[0]}/x", api_version=listed[0])[1]["error"]["code"] \
            != "NoRegisteredProviderFound"


def test_a_template_with_a_wrong_version_is_refused(group):
    template = {"$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#", "contentVersion": "1.0.0.0",
                "resources": [{"type": "Microsoft.Compute/disks", "apiVersion": "2024-07-01", "name": "d", **DISK}]}
    status, answer, _ = group.call("PUT", "providers/Microsoft.Resources/deployments/d",
                                   {"properties": {"mode": "Incremental", "template": template}})
    assert status == 400
    assert "NoRegisteredProviderFound" in str(answer) and "API version '2024-07-01' for type 'disks'" in str(answer)
    assert group.call("GET", f"{COMPUTE}/disks/d")[0] == 404


def test_the_lists_are_dates_in_order():
    text = (resources.files("azlab") / "data" / "api_versions.json").read_text()
    assert len(re.findall(r'": "20', text)) >= 7
    for kind in ("Microsoft.Compute/x", "Microsoft.Compute/disks", "Microsoft.Compute/skus", "Microsoft.Network/x", "Microsoft.Storage/x", "x"):
        known = api_versions.supported(kind)
        assert list(known) == sorted(set(known)), kind
        assert all(time.strptime(v[:10], "%Y-%m-%d") for v in known)
