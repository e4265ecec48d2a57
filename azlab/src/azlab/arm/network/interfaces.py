# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Network interfaces."""
from __future__ import annotations

import hashlib
from typing import Any

from azlab.arm.network.addresses import PublicAddresses
from azlab.arm.network.allocation import allocate, find_subnet
from azlab.arm.network.base import NetworkType, embed, reference
from azlab.arm.network.ports import check_room, reassign
from azlab.arm.wire import Answer, Call
from azlab.errors import arm_error, network_error
from azlab.ids import parse
from azlab.store import Resource

_KEPT = ("enableAcceleratedNetworking", "enableIPForwarding", "disableTcpStateTracking", "auxiliaryMode",
         "auxiliarySku", "workloadType", "nicType")
_BEHIND = ("loadBalancerBackendAddressPools", "loadBalancerInboundNatRules", "applicationGatewayBackendAddressPools")
VM = "Microsoft.Compute/virtualMachines"


class Interfaces(NetworkType):
    name = "Microsoft.Network/networkInterfaces"
    settles = False

    def __init__(self, lab: Any, addresses: PublicAddresses) -> None:
        super().__init__(lab)
        self.addresses = addresses

    def put(self, call: Call) -> Answer:
        answer = super().put(call)
        state = answer.body["properties"]["provisioningState"] if answer.operation is not None else ""
        if state == "Succeeded" and call.api_version >= "2023-01-01":
            # Azure answers `Succeeded` at once; in newer versions it gives no URL to ask either
            for header in ("Azure-AsyncOperation", "azure-asyncnotification", "Retry-After"):
                answer.headers.pop(header, None)
        return answer

    def prepare(self, call: Call, body: dict[str, Any], existing: Resource | None,
                kept: dict[str, Any]) -> dict[str, Any]:
        owner = existing.id if existing else str(call.id.root)
        kept["kind"] = "Regular"
        configurations = embed(owner, "ipConfigurations", body.get("ipConfigurations"))
        if not configurations:
            raise network_error("no_ip_config", id=owner)
        old = {c["name"].lower(): c for c in existing.properties["ipConfigurations"]} if existing else {}
        reserved: set[str] = set()
        for index, configuration in enumerate(configurations):
            self._configuration(configuration, index, old.get(configuration["name"].lower()), reserved, kept)
        properties: dict[str, Any] = {"ipConfigurations": configurations}
        properties["dnsSettings"] = {"dnsServers": body.get("dnsSettings", {}).get("dnsServers", [])}
        if "networkSecurityGroup" in body:
            properties["networkSecurityGroup"] = reference(body["networkSecurityGroup"])
            self.target(properties["networkSecurityGroup"], owner, kept["location"])
        properties.update({k: body[k] for k in _KEPT if k in body})
        self._check_room(configurations)
        return properties

    def _configuration(self, configuration: dict[str, Any], index: int, old: dict[str, Any] | None,
                       reserved: set[str], kept: dict[str, Any]) -> None:
        p, source, location = configuration["properties"], configuration["id"], kept["location"]
        for key in ("provisioningState", "privateLinkConnectionProperties"):
            p.pop(key, None)
        if not p.get("subnet"):
            raise network_error("no_subnet", id=source)
        p["subnet"] = reference(p["subnet"])
        self.target(p["subnet"], source, location)
        p.setdefault("primary", index == 0)
        p.setdefault("privateIPAddressVersion", "IPv4")
        if "publicIPAddress" in p:
            p["publicIPAddress"] = reference(p["publicIPAddress"])
            self.target(p["publicIPAddress"], source, location)
            for user in self.lab.store.referrers(p["publicIPAddress"]["id"]):
                if user.lower() != source.lower():
                    raise network_error("address_taken", source=source, id=p["publicIPAddress"]["id"], user=user)
        for key in ("loadBalancerBackendAddressPools", "loadBalancerInboundNatRules", "applicationSecurityGroups"):
            if key in p:
                p[key] = [reference(r) for r in p[key]]
                for entry in p[key]:
                    self.target(entry, source, location)
        found = find_subnet(self.lab.store, p["subnet"]["id"])
        assert found is not None
        allocate(self.lab.store, found[1], configuration, old, reserved)
        if (self.lab.has_machines and old and old["properties"]["privateIPAddress"] != p["privateIPAddress"]
                and self.lab.store.referrers(source.rsplit("/ipConfigurations/", 1)[0], VM)):
            raise arm_error("lab_cannot", text="This lab cannot change the private address of a machine that exists.")

    def _check_room(self, configurations: list[dict[str, Any]]) -> None:
        for configuration in configurations:
            for pool in configuration["properties"].get("loadBalancerBackendAddressPools", []):
                check_room(self.lab.store, pool["id"], configuration["id"])

    def settled(self, properties: dict[str, Any], existing: Resource | None) -> bool:
        """An interface is there at once, but for its places behind load balancers, gained or left: those take Azure a moment."""
        configurations = [*properties["ipConfigurations"], *(existing.properties["ipConfigurations"] if existing else ())]
        return not any(c["properties"].get(key) for c in configurations for key in _BEHIND)

    def after_put(self, resource: Resource) -> None:
        for configuration in resource.properties["ipConfigurations"]:
            address = configuration["properties"].get("publicIPAddress")
            if address:
                self.addresses.attached(address["id"])
        self._reassign()

    def after_delete(self, resource: Resource) -> None:
        for configuration in resource.properties["ipConfigurations"]:
            address = configuration["properties"].get("publicIPAddress", {})
            if address.get("properties", {}).get("deleteOption") == "Delete":
                self.lab.store.delete(address["id"])
        self._reassign()

    def _reassign(self) -> None:
        for balancer in self.lab.store.of_type("Microsoft.Network/loadBalancers"):
            if reassign(self.lab.store, balancer):
                self.lab.store.put(balancer)

    def check_delete(self, resource: Resource) -> None:
        users = self.lab.store.referrers(resource.id, VM)
        if users:
            raise network_error("nic_in_use", id=resource.id, user=users[0])

    def properties(self, resource: Resource, etag: str) -> dict[str, Any]:
        p = resource.properties
        suffix = hashlib.md5(p["ipConfigurations"][0]["properties"]["subnet"]["id"].lower().encode(),
                             usedforsecurity=False).hexdigest()[:26]
        wire: dict[str, Any] = {"resourceGuid": p.get("resourceGuid"),
                                "ipConfigurations": self.children(resource, etag, "ipConfigurations")}
        wire["dnsSettings"] = {**p["dnsSettings"], "appliedDnsServers": [],
                               "internalDomainNameSuffix": f"{suffix}.xx.internal.cloudapp.net"}
        users = self.lab.store.referrers(resource.id, VM)
        if users:
            digest = hashlib.md5(resource.lid.encode(), usedforsecurity=False).hexdigest().upper()
            wire["macAddress"] = f"00-0D-3A-{digest[:2]}-{digest[2:4]}-{digest[4:6]}"
        wire.update({"enableAcceleratedNetworking": False, "vnetEncryptionSupported": False,
                     "enableIPForwarding": False, "disableTcpStateTracking": False})
        if "networkSecurityGroup" in p:
            wire["networkSecurityGroup"] = p["networkSecurityGroup"]
        if users:
            wire.update({"primary": self._is_primary(users[0], resource), "virtualMachine": {"id": users[0]}})
        wire.update({"hostedWorkloads": [], "tapConfigurations": [], "nicType": "Standard", "allowPort25Out": True,
                     "auxiliaryMode": "None", "auxiliarySku": "None"})
        wire.update({k: p[k] for k in _KEPT if k in p})
        return wire

    def _is_primary(self, machine_id: str, resource: Resource) -> bool:
        rid = parse(machine_id)
        machine = self.lab.store.get(str(rid.root)) if rid else None
        if machine is None:
            return True
        entries = machine.properties.get("networkProfile", {}).get("networkInterfaces", [])
        mine: dict[str, Any] = next((n for n in entries if n["id"].lower() == resource.lid), {})
        return bool(mine.get("properties", {}).get("primary", len(entries) == 1 or entries[0] is mine))
