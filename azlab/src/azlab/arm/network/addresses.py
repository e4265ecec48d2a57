# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Public IP addresses and NAT gateways."""
from __future__ import annotations

import ipaddress
import re
from typing import Any

from azlab.arm.network.base import NetworkType, integer, reference
from azlab.arm.wire import Call
from azlab.errors import network_error
from azlab.machines.docker.names import gateway_range
from azlab.store import Resource

_LABEL = re.compile(r"^[a-z][a-z0-9-]{1,61}[a-z0-9]$")
FIRST_PUBLIC = 10           # .1 to .9 of the public range belong to the lab: controller, gateway, registry
_SKUS = {"basic": "Basic", "standard": "Standard", "standardv2": "StandardV2"}


class PublicAddresses(NetworkType):
    name = "Microsoft.Network/publicIPAddresses"
    put_retry_after = 1

    def prepare(self, call: Call, body: dict[str, Any], existing: Resource | None,
                kept: dict[str, Any]) -> dict[str, Any]:
        owner = existing.id if existing else str(call.id.root)
        kept["sku"] = {"name": "Basic", "tier": "Regional", **(kept.get("sku") or {})}
        # Words of a choice count whatever their case, and are shown in Azure's.
        kept["sku"]["name"] = _SKUS.get(str(kept["sku"]["name"]).lower(), kept["sku"]["name"])
        if existing and existing.body["sku"]["name"] != kept["sku"]["name"]:
            raise network_error("sku_change", id=owner)
        standard = kept["sku"]["name"].lower().startswith("standard")
        method = str(body.get("publicIPAllocationMethod") or ("Static" if standard else "Dynamic")).capitalize()
        if standard and method != "Static":
            raise network_error("standard_static", id=owner)
        timeout = integer(body.get("idleTimeoutInMinutes"), "properties.idleTimeoutInMinutes", 4)
        if not 4 <= timeout <= 30:
            raise network_error("address_timeout", name=call.id.root.name)
        if isinstance(body.get("publicIPPrefix"), dict):        # prefixes are not served: there is none of any name
            raise network_error("resource_missing", id=body["publicIPPrefix"].get("id"))
        properties: dict[str, Any] = {}
        if existing and "ipAddress" in existing.properties:
            properties["ipAddress"] = existing.properties["ipAddress"]
        properties.update({"publicIPAddressVersion": body.get("publicIPAddressVersion", "IPv4"),
                           "publicIPAllocationMethod": method, "idleTimeoutInMinutes": timeout})
        if body.get("dnsSettings", {}).get("domainNameLabel"):
            properties["dnsSettings"] = self._dns(body["dnsSettings"], owner, kept["location"])
        properties["ipTags"] = body.get("ipTags", [])
        properties["ddosSettings"] = body.get("ddosSettings", {"protectionMode": "VirtualNetworkInherited"})
        if "deleteOption" in body:
            properties["deleteOption"] = body["deleteOption"]
        if "ipAddress" not in properties and self._free_address() is None:
            raise network_error("addresses_used_up", limit=self._capacity())
        return properties

    def _dns(self, settings: dict[str, Any], owner: str, location: str) -> dict[str, Any]:
        label = settings["domainNameLabel"]
        if not _LABEL.match(str(label)):
            raise network_error("dns_label", label=label)
        fqdn = f"{label}.{location}.cloudapp.azure.com"
        for other in self.lab.store.of_type(self.name):
            if other.lid != owner.lower() and other.properties.get("dnsSettings", {}).get("fqdn") == fqdn:
                raise network_error("dns_taken", name=fqdn)
        return {**settings, "fqdn": fqdn}

    def _last_offset(self) -> int:
        """Where the addresses to give out end: with machines, before the gateways' own, which end the bridge's range."""
        whole = ipaddress.IPv4Network(self.lab.settings.public_range)
        if not self.lab.has_machines:
            return whole.num_addresses - 1
        return int(gateway_range(str(whole))[0]) - int(whole[0])

    def _capacity(self) -> int:
        return max(0, self._last_offset() - FIRST_PUBLIC)

    def _free_address(self) -> str | None:
        taken = {r.properties.get("ipAddress") for r in self.lab.store.of_type(self.name)}
        network = ipaddress.ip_network(self.lab.settings.public_range)
        for offset in range(FIRST_PUBLIC, self._last_offset()):
            if str(network[offset]) not in taken:
                return str(network[offset])
        return None

    def provisioned(self, resource: Resource) -> None:
        """A static address is there once the operation is done; a dynamic one once something uses it."""
        dynamic = resource.properties["publicIPAllocationMethod"] == "Dynamic"
        if "ipAddress" in resource.properties or (dynamic and not self.lab.store.referrers(resource.id)):
            return
        address = self._free_address()
        if address is None:
            raise network_error("addresses_used_up", limit=self._capacity())
        resource.body["properties"] = {"ipAddress": address, **resource.properties}
        self.touch(resource)

    def attached(self, address_id: str) -> None:
        """Something refers to the address now: a dynamic one gets its value."""
        resource = self.lab.store.get(address_id)
        if resource and resource.state == "Succeeded":
            self.provisioned(resource)

    def check_delete(self, resource: Resource) -> None:
        users = self.lab.store.referrers(resource.id)
        if users:
            raise network_error("address_in_use", id=resource.id, user=users[0])

    def properties(self, resource: Resource, etag: str) -> dict[str, Any]:
        p = dict(resource.properties)
        wire = {"resourceGuid": p.pop("resourceGuid", None), **p}
        for user in self.lab.store.referrers(resource.id):
            if "/natgateways/" in user.lower():
                wire["natGateway"] = {"id": user}
            else:
                wire["ipConfiguration"] = {"id": user}
        return wire


class NatGateways(NetworkType):
    name = "Microsoft.Network/natGateways"

    def prepare(self, call: Call, body: dict[str, Any], existing: Resource | None,
                kept: dict[str, Any]) -> dict[str, Any]:
        owner = existing.id if existing else str(call.id.root)
        kept["sku"] = {"name": "Standard", "tier": "Regional", **kept.get("sku", {})}
        timeout = integer(body.get("idleTimeoutInMinutes"), "properties.idleTimeoutInMinutes", 4)
        if not 4 <= timeout <= 120:
            raise network_error("rule_timeout", name=call.id.root.name, limit=120)
        properties: dict[str, Any] = {"idleTimeoutInMinutes": timeout}
        properties.update({"scope": "Public", "privateIPAddresses": [], "privateIPAddressesV6": []}
                          if call.api_version >= "2025-03-01" else {"type": "Public"})
        if body.get("publicIpAddresses"):
            properties["publicIpAddresses"] = [reference(a) for a in body["publicIpAddresses"]]
        for address in properties.get("publicIpAddresses", []):
            self.target(address, owner, kept["location"])
            for user in self.lab.store.referrers(address["id"]):
                if user.lower() != owner.lower():
                    raise network_error("address_taken", source=owner, id=address["id"], user=user)
        return properties

    def _subnets(self, resource: Resource) -> list[str]:
        return [u for u in self.lab.store.referrers(resource.id) if "/subnets/" in u.lower()]

    def check_delete(self, resource: Resource) -> None:
        subnets = self._subnets(resource)
        if subnets:
            raise network_error("nat_gateway_in_use", id=resource.id, count=len(subnets))

    def properties(self, resource: Resource, etag: str) -> dict[str, Any]:
        p = dict(resource.properties)
        wire = {"resourceGuid": p.pop("resourceGuid", None), **p}
        subnets = self._subnets(resource)
        if subnets:
            wire["subnets"] = [{"id": s} for s in subnets]
        return wire
