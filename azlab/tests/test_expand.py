# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`$expand`: what a client would else have to ask for one by one."""
from __future__ import annotations

from labgroup import NET


def test_references_of_an_interface_are_shown(group):
    subnet, address = group.vnet(), group.address("ip1")
    group.nic("nic1", subnet, publicIPAddress={"id": address["id"]})
    path = f"{NET}/networkInterfaces/nic1"
    before = group.call("GET", path)[1]
    _, shown, _ = group.call("GET", f"{path}?$expand=ipConfigurations/publicIPAddress,IPCONFIGURATIONS/Subnet,nothing/here")
    found = shown["properties"]["ipConfigurations"][0]["properties"]
    assert found["publicIPAddress"]["properties"]["ipAddress"] == address["properties"]["ipAddress"]
    assert found["subnet"]["properties"]["addressPrefix"] == "10.20.0.0/24"
    assert group.call("GET", path)[1] == before, "what is shown must not become what is kept"


def test_back_references_of_a_network_are_shown(group):
    subnet = group.vnet()
    group.nic("nic1", subnet)
    _, shown, _ = group.call("GET", f"{NET}/virtualNetworks/vnet?$expand=subnets/ipConfigurations")
    used = shown["properties"]["subnets"][0]["properties"]["ipConfigurations"]
    assert [(u["name"], u["properties"]["privateIPAddress"]) for u in used] == [("ip", "10.20.0.4")]
    _, shown, _ = group.call("GET", f"{NET}/virtualNetworks/vnet/subnets/hosts?$expand=ipConfigurations")
    assert shown["properties"]["ipConfigurations"][0]["properties"]["privateIPAddress"] == "10.20.0.4"


def test_lists_of_resources_tell_when(group, azure):
    group.vnet()
    path = f"resourceGroups/{group.name}/resources?$expand=createdTime,changedTime,provisioningState"
    first = azure.arm("GET", path)[1]["value"][0]
    group.call("PATCH", f"{NET}/virtualNetworks/vnet", {"tags": {"a": "b"}})
    second = azure.arm("GET", path)[1]["value"][0]
    assert first["createdTime"] == second["createdTime"] <= first["changedTime"] < second["changedTime"]
    assert second["provisioningState"] == "Succeeded"
    assert "changedTime" not in azure.arm("GET", f"resourceGroups/{group.name}/resources")[1]["value"][0]
