# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Route tables and their routes.

The lab's gateways route as Azure does without a table. With machines a table with routes of its own is refused: its packets would go
another way than Azure's.

https://learn.microsoft.com/azure/virtual-network/virtual-networks-udr-overview
"""
from __future__ import annotations

from typing import Any

from azlab.arm.network.base import NetworkType, embed
from azlab.arm.network.vnets import parse_prefix
from azlab.arm.wire import Call
from azlab.errors import arm_error, network_error
from azlab.store import Resource

HOPS = ("VirtualNetworkGateway", "VnetLocal", "Internet", "VirtualAppliance", "None")


class RouteTables(NetworkType):
    name = "Microsoft.Network/routeTables"

    def prepare(self, call: Call, body: dict[str, Any], existing: Resource | None, kept: dict[str, Any]) -> dict[str, Any]:
        owner = existing.id if existing else str(call.id.root)
        routes = embed(owner, "routes", body.get("routes"))
        seen: dict[str, str] = {}
        for route in routes:
            self._check(route)
            prefix = str(route["properties"]["addressPrefix"]).lower()
            if prefix in seen:
                raise network_error("route_conflict", a=seen[prefix], b=route["name"], prefix=prefix)
            seen[prefix] = route["name"]
        if routes and self.lab.has_machines:
            raise arm_error("lab_cannot", text="This lab's packets follow Azure's system routes only: use it without machines for route tables.")
        return {"disableBgpRoutePropagation": bool(body.get("disableBgpRoutePropagation", False)), "routes": routes}

    @staticmethod
    def _check(route: dict[str, Any]) -> None:
        p = route["properties"]
        p.pop("provisioningState", None)
        hop = next((h for h in HOPS if h.lower() == str(p.get("nextHopType", "")).lower()), None)
        if hop is None:
            raise network_error("format", details=[{
                "code": "InvalidJson", "message": f"Error converting value \"{p.get('nextHopType')}\" to type 'nextHopType'. Path "
                                                  "'properties.nextHopType'."}])
        p["nextHopType"] = hop
        if hop == "VirtualAppliance" and not p.get("nextHopIpAddress"):
            raise network_error("route_next_hop", name=route["name"])
        if not str(p.get("addressPrefix", "")).isalnum():           # a service tag has no slash
            parse_prefix(p.get("addressPrefix"), route["id"])
        p["hasBgpOverride"] = bool(p.get("hasBgpOverride", False))

    def _subnets(self, resource: Resource) -> list[str]:
        return [u for u in self.lab.store.referrers(resource.id) if "/subnets/" in u.lower()]

    def check_delete(self, resource: Resource) -> None:
        if self._subnets(resource):
            raise network_error("route_table_in_use", name=resource.name)

    def properties(self, resource: Resource, etag: str) -> dict[str, Any]:
        p = resource.properties
        wire = {"disableBgpRoutePropagation": p["disableBgpRoutePropagation"], "routes": self.children(resource, etag, "routes"),
                "resourceGuid": p.get("resourceGuid")}
        subnets = self._subnets(resource)
        if subnets:
            wire["subnets"] = [{"id": s} for s in subnets]
        return wire
