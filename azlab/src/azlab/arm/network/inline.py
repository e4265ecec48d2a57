# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Interfaces and addresses that compute makes for machines from `networkInterfaceConfigurations`.

They follow the rules of those that clients make (checks, allocation, pools, ports); but there is no request and no operation of
their own: they belong to the operation that makes the machine, and are there when it begins.

Names: the configuration's name, `-` and eight hexadecimal digits that nothing else has. Azure documents no form; what is known is
that the machine's name is not in it (kubernetes-sigs/cloud-provider-azure#2671), so that nobody can foretell it.
"""
from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from azlab.arm import checks
from azlab.arm.network.addresses import PublicAddresses
from azlab.arm.network.interfaces import Interfaces
from azlab.arm.types import Registry, ResourceType
from azlab.arm.wire import Call
from azlab.errors import ArmError
from azlab.ids import ResourceId
from azlab.lab import Lab
from azlab.store import Resource

NIC, ADDRESS = "Microsoft.Network/networkInterfaces", "Microsoft.Network/publicIPAddresses"
_NIC_MEMBERS = ("enableAcceleratedNetworking", "enableIPForwarding", "disableTcpStateTracking", "dnsSettings", "networkSecurityGroup",
                "auxiliaryMode", "auxiliarySku")
_IP_MEMBERS = ("subnet", "primary", "privateIPAddressVersion", "applicationSecurityGroups", "loadBalancerBackendAddressPools",
               "applicationGatewayBackendAddressPools")
_ADDRESS_MEMBERS = ("idleTimeoutInMinutes", "publicIPAddressVersion", "publicIPAllocationMethod", "publicIPPrefix", "ipTags",
                    "dnsSettings")


@dataclass(frozen=True)
class Place:
    """Where the parts of a machine are made."""

    subscription: str
    group: str
    location: str
    zones: tuple[str, ...] = ()


class InlineNetwork:
    """Makes and takes back the interfaces of machines."""

    def __init__(self, lab: Lab, registry: Registry) -> None:
        self.lab, self.registry = lab, registry

    def interfaces(self, configurations: list[dict[str, Any]], place: Place) -> list[dict[str, Any]]:
        """Make all interfaces of one machine; returns its `networkInterfaces`. Raises ArmError, and then leaves nothing."""
        made: list[Resource] = []
        entries = []
        try:
            for index, configuration in enumerate(configurations):
                p = configuration.get("properties", {})
                nic = self._interface(configuration, place, made)
                entries.append({"id": nic.id, "properties": {
                    "primary": bool(p.get("primary", len(configurations) == 1 or index == 0)),
                    "deleteOption": p.get("deleteOption", "Delete")}})
        except ArmError:
            for resource in reversed(made):
                self.lab.store.delete(resource.id)
            raise
        return entries

    def remove(self, entries: list[dict[str, Any]]) -> None:
        """Take back what `interfaces` made for a machine that was then refused."""
        for entry in entries:
            nic = self.lab.store.delete(entry["id"])
            if nic:
                self._nics.after_delete(nic)

    @property
    def _nics(self) -> Interfaces:
        found = self.registry.types[NIC.lower()]
        assert isinstance(found, Interfaces)
        return found

    @property
    def _addresses(self) -> PublicAddresses:
        found = self.registry.types[ADDRESS.lower()]
        assert isinstance(found, PublicAddresses)
        return found

    def _interface(self, configuration: dict[str, Any], place: Place, made: list[Resource]) -> Resource:
        p = configuration.get("properties", {})
        name = f"{configuration['name']}-{uuid.uuid4().hex[:8]}"
        body: dict[str, Any] = {k: p[k] for k in _NIC_MEMBERS if k in p}
        body["ipConfigurations"] = [self._ip_configuration(c, place, made) for c in p.get("ipConfigurations", [])]
        nic = self._make(self._nics, name, body, place, configuration.get("tags"), made)
        self._nics.after_put(nic)
        return nic

    def _ip_configuration(self, configuration: dict[str, Any], place: Place, made: list[Resource]) -> dict[str, Any]:
        p = configuration.get("properties", {})
        kept = {k: p[k] for k in _IP_MEMBERS if k in p}
        wanted = p.get("publicIPAddressConfiguration")
        if wanted:
            inner = wanted.get("properties", {})
            body = {k: inner[k] for k in _ADDRESS_MEMBERS if k in inner}
            if body.get("dnsSettings", {}).get("domainNameLabel"):      # one label for many machines: each gets one of its own
                body["dnsSettings"] = {"domainNameLabel": f"{body['dnsSettings']['domainNameLabel']}-{uuid.uuid4().hex[:6]}"}
            address = self._make(self._addresses, f"{wanted['name']}-{uuid.uuid4().hex[:8]}", body, place, wanted.get("tags"), made,
                                 sku={"name": "Standard", "tier": "Regional", **wanted.get("sku", {})})
            self._addresses.provisioned(address)
            kept["publicIPAddress"] = {"id": address.id, "properties": {"deleteOption": inner.get("deleteOption", "Delete")}}
        return {"name": configuration["name"], "properties": kept}

    def _make(self, kind: ResourceType, name: str, body: dict[str, Any], place: Place, tags: Any, made: list[Resource],
              **outside: Any) -> Resource:
        """Check and save one resource as its type would, in the state Succeeded."""
        namespace, short = kind.name.split("/")
        rid = ResourceId(place.subscription, place.group, namespace, (short,), (name,))
        call = Call(lab=self.lab, method="PUT", path=str(rid), base=self.lab.settings.url, query={"api-version": "2024-07-01"},
                    headers={}, raw_body=b"", subscription=place.subscription, group=place.group, rid=rid)
        kept: dict[str, Any] = {"location": place.location, **outside}
        if tags:
            kept["tags"] = checks.tags_of({"tags": tags})
        if place.zones and kind.name == ADDRESS:
            kept["zones"] = list(place.zones)
        properties = kind.prepare(call, body, None, kept)  # type: ignore[attr-defined]  # only types of Microsoft.Network are made inline
        kept["properties"] = {**properties, "resourceGuid": str(uuid.uuid4())}
        resource = kind.save(call, kept, None, "Succeeded")
        made.append(resource)
        return resource
