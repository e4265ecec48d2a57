# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Virtual networks and their subnets."""
from __future__ import annotations

import ipaddress
from typing import Any

from azlab.arm.network import peerings
from azlab.arm.network.base import NetworkType, embed, reference
from azlab.arm.network.child import Child
from azlab.arm.wire import Call
from azlab.errors import arm_error, network_error
from azlab.operations import Operation
from azlab.store import Resource

_NO_POOLS = "This lab has no network managers: name the address prefixes instead of pools."
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
# a subnet reaches the storage of its region and of the one that is paired with it, and SQL of its own; other services everywhere
_OF_REGION = {"microsoft.sql", "microsoft.storage"}
_SUBNET_READ_ONLY = ("ipConfigurations", "ipConfigurationProfiles", "privateEndpoints", "resourceNavigationLinks",
                     "serviceAssociationLinks", "provisioningState", "purpose")


def parse_prefix(text: Any, owner: str) -> Network:
    """An address prefix in CIDR notation with no host bits set."""
    if not isinstance(text, str) or "/" not in text:
        raise network_error("prefix_format", prefix=text, id=owner)
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise network_error("prefix_format", prefix=text, id=owner) from None
    if str(network.network_address) != text.split("/")[0]:
        raise network_error("prefix_bits", prefix=text, id=owner, network=str(network))
    return network


def subnet_prefixes(properties: dict[str, Any]) -> list[str]:
    """A subnet says addressPrefix or addressPrefixes; newer clients send the list."""
    return list(properties.get("addressPrefixes") or ([properties["addressPrefix"]] if properties.get("addressPrefix")
                                                      else []))


def _inside(inner: Network, outer: Network) -> bool:
    return inner.version == outer.version and inner.subnet_of(outer)  # type: ignore[arg-type]


def _delegation(owner: str, given: dict[str, Any]) -> dict[str, Any]:
    service = given.get("properties", {}).get("serviceName", "")
    return {"name": given.get("name", ""), "id": f"{owner}/delegations/{given.get('name', '')}", "etag": "",
            "type": "Microsoft.Network/virtualNetworks/subnets/delegations", "properties": {
                "provisioningState": "Succeeded", "serviceName": service,
                "actions": ["Microsoft.Network/virtualNetworks/subnets/action"]}}


def _endpoint(given: dict[str, Any], location: str) -> dict[str, Any]:
    """A service endpoint as Azure shows it."""
    here = [location] if str(given.get("service", "")).lower() in _OF_REGION else ["*"]
    return {"provisioningState": "Succeeded", "locations": here, **{k: v for k, v in given.items() if v not in (None, [])}}


class VirtualNetworks(NetworkType):
    name = "Microsoft.Network/virtualNetworks"
    name_limit = 64

    def prepare(self, call: Call, body: dict[str, Any], existing: Resource | None,
                kept: dict[str, Any]) -> dict[str, Any]:
        owner = existing.id if existing else str(call.id.root)
        if body.get("addressSpace", {}).get("ipamPoolPrefixAllocations"):
            raise arm_error("lab_cannot", text=_NO_POOLS)
        space = [parse_prefix(p, owner) for p in body.get("addressSpace", {}).get("addressPrefixes", [])]
        if not space:
            raise network_error("no_prefix", id=owner)
        for index, a in enumerate(space):
            for b in space[index + 1:]:
                if a.version == b.version and a.overlaps(b):
                    raise network_error("prefix_overlap", a=a, b=b, id=owner)
        subnets = embed(owner, "subnets", body.get("subnets"))
        self._check_subnets(owner, space, subnets, existing, kept["location"])
        properties = {"addressSpace": {"addressPrefixes": [str(n) for n in space]}, "subnets": subnets,
                      peerings.KEY: peerings.prepare(self.lab, owner, space, body.get(
                          peerings.KEY, existing.properties.get(peerings.KEY, []) if existing else [])),
                      "enableDdosProtection": bool(body.get("enableDdosProtection", False))}
        if "dhcpOptions" in body:
            servers = body["dhcpOptions"].get("dnsServers", [])
            for server in servers:
                try:
                    ipaddress.ip_address(server)
                except ValueError:
                    raise network_error("dns_server", name=server) from None
            properties["dhcpOptions"] = {"dnsServers": servers}
        encryption = body.get("encryption")
        if isinstance(encryption, dict) and not {"enabled", "enforcement"} <= set(encryption):
            raise network_error("encryption", id=owner)
        if call.api_version < "2020-06-01":
            properties["enableVmProtection"] = False
        if call.api_version >= "2023-11-01":
            properties["privateEndpointVNetPolicies"] = "Disabled"
        for key in ("privateEndpointVNetPolicies", "enableVmProtection", "flowTimeoutInMinutes", "encryption", "bgpCommunities"):
            if key in body:
                properties[key] = body[key]
        return properties

    def _check_subnets(self, owner: str, space: list[Network], subnets: list[dict[str, Any]],
                       existing: Resource | None, location: str) -> None:
        taken: list[Network] = []
        for subnet in subnets:
            p = subnet["properties"]
            for key in _SUBNET_READ_ONLY:
                p.pop(key, None)
            prefixes = [parse_prefix(text, subnet["id"]) for text in subnet_prefixes(p)]
            names = {"subnet": subnet["name"], "vnet": owner.rsplit("/", 1)[1]}
            if not prefixes:
                raise network_error("subnet_invalid", **names)
            for prefix in prefixes:
                if prefix.version == 4 and prefix.prefixlen > 29:
                    raise network_error("subnet_invalid", **names)
                if not any(_inside(prefix, s) for s in space):
                    raise network_error("subnet_outside", **names)
                if any(prefix.version == t.version and prefix.overlaps(t) for t in taken):
                    raise network_error("subnet_overlap", **names)
                taken.append(prefix)
            for key in ("networkSecurityGroup", "natGateway", "routeTable"):
                if key in p:
                    p[key] = reference(p[key])
                    self.target(p[key], subnet["id"], location)
            p["delegations"] = [_delegation(subnet["id"], d) for d in p.get("delegations", []) if isinstance(d, dict)]
            if isinstance(p.get("serviceEndpoints"), list):
                p["serviceEndpoints"] = [_endpoint(e, location) for e in p["serviceEndpoints"] if isinstance(e, dict)]
            if p.get("ipamPoolPrefixAllocations"):
                raise arm_error("lab_cannot", text=_NO_POOLS)
            p.setdefault("privateEndpointNetworkPolicies", "Disabled")
            p.setdefault("privateLinkServiceNetworkPolicies", "Enabled")
        if existing:
            self._check_removed(existing, subnets)

    def _check_removed(self, existing: Resource, subnets: list[dict[str, Any]]) -> None:
        after = {s["id"].lower(): s for s in subnets}
        for old in existing.properties.get("subnets", []):
            users = self.lab.store.referrers(old["id"])
            new = after.get(old["id"].lower())
            if users and new is None:
                raise network_error("subnet_in_use", subnet=old["name"], users=" and ".join(users[:5]))
            if users and new and subnet_prefixes(new["properties"]) != subnet_prefixes(old["properties"]):
                raise network_error("subnet_prefix_in_use", prefix=subnet_prefixes(old["properties"])[0],
                                    subnet=old["name"])

    def check_delete(self, resource: Resource) -> None:
        for subnet in resource.properties.get("subnets", []):
            users = self.lab.store.referrers(subnet["id"])
            if users:
                raise network_error("subnet_in_use", subnet=subnet["name"], users=" and ".join(users[:5]))

    async def _delete_done(self, operation: Operation) -> None:
        await self.lab.driver.delete_network(operation.resource_id.lower())
        await super()._delete_done(operation)

    def properties(self, resource: Resource, etag: str) -> dict[str, Any]:
        p = dict(resource.properties)
        guid = p.pop("resourceGuid", None)
        wire = {"resourceGuid": guid, **p}
        wire["subnets"] = self.children(resource, etag, "subnets", self._users)
        wire[peerings.KEY] = self.children(resource, etag, peerings.KEY, lambda p: peerings.shown(self.lab, resource, p))
        return wire

    def _users(self, subnet: dict[str, Any]) -> dict[str, Any]:
        users = self.lab.store.referrers(subnet["id"])
        return {"ipConfigurations": [{"id": u} for u in users]} if users else {}


class Subnets(Child):
    def check_delete(self, parent: Resource, child: dict[str, Any]) -> None:
        users = self.lab.store.referrers(child["id"])
        if users:
            raise network_error("subnet_in_use", subnet=child["name"], users=" and ".join(users[:5]))
