# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Route tables and peerings of virtual networks, as Azure keeps them."""
from __future__ import annotations

from typing import Any

import pytest

from labgroup import NET, Group

TABLE = f"{NET}/routeTables/t"
ROUTE = {"addressPrefix": "10.9.0.0/16", "nextHopType": "virtualAppliance", "nextHopIpAddress": "10.20.0.9"}


def test_life_of_a_route_table(group: Group) -> None:
    made = group.put(TABLE, {"routes": [{"name": "out", "properties": {"addressPrefix": "0.0.0.0/0", "nextHopType": "Internet"}}]})
    assert made["properties"]["disableBgpRoutePropagation"] is False
    assert made["properties"]["routes"][0]["id"] == group.id(f"{TABLE}/routes/out")
    assert group.call("PUT", f"{TABLE}/routes/in", {"properties": ROUTE})[0] == 201
    shown = group.call("GET", f"{TABLE}/routes/in")[1]
    assert shown["properties"]["nextHopType"] == "VirtualAppliance" and shown["properties"]["hasBgpOverride"] is False
    assert [r["name"] for r in group.call("GET", f"{TABLE}/routes")[1]["value"]] == ["out", "in"]
    subnet = group.vnet(routeTable={"id": group.id(TABLE)})
    assert group.call("GET", TABLE)[1]["properties"]["subnets"] == [{"id": subnet}]
    assert group.refused("DELETE", TABLE)[:2] == (400, "InUseRouteTableCannotBeDeleted")
    assert group.call("DELETE", f"{TABLE}/routes/in")[0] == 202 and group.call("GET", f"{TABLE}/routes/in")[0] == 404
    assert group.call("PUT", TABLE, group.call("GET", TABLE)[1])[0] == 200, "what the lab shows can be sent back"
    assert group.call("DELETE", f"{NET}/virtualNetworks/vnet")[0] == 202 and group.call("DELETE", TABLE)[0] == 202
    assert group.call("GET", TABLE)[0] == 404


@pytest.mark.parametrize(("route", "code"), [
    ({"nextHopType": "Internet"}, "InvalidAddressPrefixFormat"), ({**ROUTE, "nextHopType": "Somewhere"}, "InvalidRequestFormat"),
    ({**ROUTE, "nextHopIpAddress": None}, "RouteNextHopIpAddressRequired"), ({**ROUTE, "nextHopTyp": "x"}, "InvalidRequestFormat")])
def test_routes_that_azure_refuses(group: Group, route: dict[str, Any], code: str) -> None:
    assert group.refused("PUT", TABLE, {"location": "westeurope", "properties": {"routes": [{"name": "r", "properties": route}]}})[1] == code
    assert group.call("GET", TABLE)[0] == 404


def test_two_routes_to_one_place(group: Group) -> None:
    group.put(TABLE, {"routes": [{"name": "a", "properties": ROUTE}]})
    assert group.refused("PUT", f"{TABLE}/routes/b", {"properties": ROUTE})[:2] == (400, "RouteConflict")
    assert len(group.call("GET", TABLE)[1]["properties"]["routes"]) == 1


def peer(group: Group, own: str, other: str, **more: Any) -> tuple[int, Any, dict[str, str]]:
    """A peering `to-<other>` of the network `own`."""
    return group.call("PUT", f"{NET}/virtualNetworks/{own}/virtualNetworkPeerings/to-{other}", {"properties": {
        "remoteVirtualNetwork": {"id": group.id(f"{NET}/virtualNetworks/{other}")}, **more}})


def test_two_networks_are_connected_when_both_sides_are_peered(group: Group) -> None:
    group.vnet("a", "10.1.0.0/16")
    group.vnet("b", "10.2.0.0/16")
    status, first, _ = peer(group, "a", "b", allowForwardedTraffic=True)
    assert status == 201 and first["properties"]["peeringState"] == "Initiated" and first["properties"]["allowForwardedTraffic"] is True
    assert first["properties"]["remoteAddressSpace"] == {"addressPrefixes": ["10.2.0.0/16"]}
    peer(group, "b", "a")
    shown = group.call("GET", f"{NET}/virtualNetworks/a")[1]["properties"]["virtualNetworkPeerings"][0]
    assert (shown["properties"]["peeringState"], shown["properties"]["peeringSyncLevel"]) == ("Connected", "FullyInSync")
    assert peer(group, "a", "b")[0] == 200
    assert group.call("PUT", f"{NET}/virtualNetworks/a", group.call("GET", f"{NET}/virtualNetworks/a")[1])[0] == 200
    assert group.call("DELETE", f"{NET}/virtualNetworks/b")[0] == 202
    assert group.call("GET", f"{NET}/virtualNetworks/a/virtualNetworkPeerings/to-b")[1]["properties"]["peeringState"] == "Disconnected"
    assert group.call("DELETE", f"{NET}/virtualNetworks/a/virtualNetworkPeerings/to-b")[0] == 202
    assert group.call("GET", f"{NET}/virtualNetworks/a/virtualNetworkPeerings")[1] == {"value": []}


def test_peerings_that_azure_refuses(group: Group) -> None:
    group.vnet("a", "10.1.0.0/16")
    group.vnet("same", "10.1.0.0/16")
    group.vnet("b", "10.2.0.0/16")
    assert peer(group, "a", "same")[1]["error"]["code"] == "VnetAddressSpacesOverlap"
    assert peer(group, "a", "nobody")[1]["error"]["code"] == "InvalidResourceReference"
    peer(group, "a", "b")
    status, answer, _ = group.call("PUT", f"{NET}/virtualNetworks/a/virtualNetworkPeerings/again", {"properties": {
        "remoteVirtualNetwork": {"id": group.id(f"{NET}/virtualNetworks/b")}}})
    assert (status, answer["error"]["code"]) == (400, "AnotherPeeringAlreadyReferencesRemoteVnet")
    assert [p["name"] for p in group.call("GET", f"{NET}/virtualNetworks/a/virtualNetworkPeerings")[1]["value"]] == ["to-b"]
