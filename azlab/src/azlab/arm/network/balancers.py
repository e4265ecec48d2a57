# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Load balancers: how they look and what is done with them. Their rules are checked in `balancer_rules`."""
from __future__ import annotations

from typing import Any

from azlab.arm.network.addresses import PublicAddresses
from azlab.arm.network.allocation import allocate, find_subnet
from azlab.arm.network.balancer_rules import PARTS, check_parts
from azlab.arm.network.base import NetworkType, embed, reference
from azlab.arm.network.child import Child
from azlab.arm.network.ports import mapping, members, reassign
from azlab.arm.wire import Answer, Call
from azlab.errors import arm_error, network_error
from azlab.ids import parse
from azlab.operations import Operation
from azlab.store import Resource


class LoadBalancers(NetworkType):
    name = "Microsoft.Network/loadBalancers"
    settles = False

    def __init__(self, lab: Any, addresses: PublicAddresses) -> None:
        super().__init__(lab)
        self.addresses = addresses

    def prepare(self, call: Call, body: dict[str, Any], existing: Resource | None,
                kept: dict[str, Any]) -> dict[str, Any]:
        owner = existing.id if existing else str(call.id.root)
        kept["sku"] = {"name": "Basic", "tier": "Regional", **(kept.get("sku") or {})}
        if existing and existing.body["sku"]["name"] != kept["sku"]["name"]:
            raise network_error("sku_change", id=owner)
        parts = {key: embed(owner, key, body.get(key)) for key in PARTS}
        old = {f["name"].lower(): f for f in existing.properties["frontendIPConfigurations"]} if existing else {}
        reserved: set[str] = set()
        for frontend in parts["frontendIPConfigurations"]:
            self._frontend(frontend, old.get(frontend["name"].lower()), reserved, kept["location"])
        for pool in parts["backendAddressPools"]:
            self._pool(pool)
        check_parts(owner, parts)
        return dict(parts)

    def _frontend(self, frontend: dict[str, Any], old: dict[str, Any] | None, reserved: set[str],
                  location: str) -> None:
        p, source = frontend["properties"], frontend["id"]
        for key in ("provisioningState", "loadBalancingRules", "inboundNatRules", "outboundRules", "inboundNatPools"):
            p.pop(key, None)
        if bool(p.get("subnet")) == bool(p.get("publicIPAddress") or p.get("publicIPPrefix")):
            raise network_error("mutually_exclusive", id=source)
        p.setdefault("privateIPAddressVersion", "IPv4")
        if p.get("subnet"):
            p["subnet"] = reference(p["subnet"])
            self.target(p["subnet"], source, location)
            found = find_subnet(self.lab.store, p["subnet"]["id"])
            assert found is not None
            allocate(self.lab.store, found[1], frontend, old, reserved)
            return
        p["privateIPAllocationMethod"] = "Dynamic"
        p["publicIPAddress"] = reference(p["publicIPAddress"])
        self.target(p["publicIPAddress"], source, location)
        for user in self.lab.store.referrers(p["publicIPAddress"]["id"]):
            if user.lower() != source.lower():
                raise network_error("address_taken", source=source, id=p["publicIPAddress"]["id"], user=user)

    @staticmethod
    def _pool(pool: dict[str, Any]) -> None:
        p = pool["properties"]
        for key in ("provisioningState", "backendIPConfigurations", "loadBalancingRules", "outboundRule",
                    "outboundRules", "inboundNatRules"):
            p.pop(key, None)
        plain = []
        for entry in p.pop("loadBalancerBackendAddresses", []):
            details = entry.get("properties", {})
            if "networkInterfaceIPConfiguration" not in details and details.get("ipAddress"):
                details.pop("inboundNatRulesPortMapping", None)
                plain.append({"name": entry.get("name"), "properties": details})
        if plain:
            p["loadBalancerBackendAddresses"] = plain

    def after_put(self, resource: Resource) -> None:
        for frontend in resource.properties["frontendIPConfigurations"]:
            if "publicIPAddress" in frontend["properties"]:
                self.addresses.attached(frontend["properties"]["publicIPAddress"]["id"])
        if reassign(self.lab.store, resource):
            self.lab.store.put(resource)
        self._drop_members(resource)

    def after_delete(self, resource: Resource) -> None:
        self._drop_members(resource, everything=True)

    def _drop_members(self, balancer: Resource, *, everything: bool = False) -> None:
        """Interfaces leave pools and rules that are gone."""
        kept = set() if everything else {
            part["id"].lower() for key in ("backendAddressPools", "inboundNatRules")
            for part in balancer.properties[key]}
        prefix = balancer.lid + "/"
        for nic in self.lab.store.of_type("Microsoft.Network/networkInterfaces"):
            changed = False
            for configuration in nic.properties["ipConfigurations"]:
                for key in ("loadBalancerBackendAddressPools", "loadBalancerInboundNatRules"):
                    entries = configuration["properties"].get(key, [])
                    left = [e for e in entries if not e["id"].lower().startswith(prefix) or e["id"].lower() in kept]
                    if len(left) != len(entries):
                        configuration["properties"][key] = left
                        changed = True
            if changed:
                self.lab.store.put(nic)

    # -- rendering
    def properties(self, resource: Resource, etag: str) -> dict[str, Any]:
        wire: dict[str, Any] = {"resourceGuid": resource.properties.get("resourceGuid")}
        for key in PARTS:
            wire[key] = self.children(resource, etag, key, lambda part, key=key: self._computed(resource, key, part))
        return wire

    def _computed(self, balancer: Resource, key: str, part: dict[str, Any]) -> dict[str, Any]:
        """Who refers to a part; for a pool also its members and their ports."""
        extra: dict[str, Any] = {}
        if key == "backendAddressPools":
            extra = self._members(balancer, part)
        users: dict[str, list[dict[str, str]]] = {}
        for user in self.lab.store.referrers(part["id"]):
            rid = parse(user)
            kind = rid.types[1] if rid and len(rid.types) > 1 else ""
            users.setdefault(kind, []).append({"id": user})
        wanted = {"frontendIPConfigurations": ("loadBalancingRules", "inboundNatRules", "outboundRules",
                                               "inboundNatPools"),
                  "backendAddressPools": ("loadBalancingRules", "outboundRules", "inboundNatRules"),
                  "probes": ("loadBalancingRules",)}.get(key, ())
        extra.update({kind: users[kind] for kind in wanted if kind in users})
        if key == "backendAddressPools" and "outboundRules" in extra:
            extra["outboundRule"] = extra["outboundRules"][0]
        if key == "inboundNatRules" and "ipConfigurations" in users:
            extra["backendIPConfiguration"] = users["ipConfigurations"][0]
        return extra

    def _members(self, balancer: Resource, pool: dict[str, Any]) -> dict[str, Any]:
        addresses, configurations = [], []
        for member in members(self.lab.store, pool):
            rid = parse(member)
            ports = mapping(balancer, pool["id"], member)
            if "/networkinterfaces/" in member.lower() and rid:
                configurations.append({"id": member})
                entry: dict[str, Any] = {"networkInterfaceIPConfiguration": {"id": member}}
                name = f"{rid.group}_{rid.names[0]}{rid.names[1]}"
            else:
                name = member.rsplit("/", 1)[1]
                entry = next(dict(a["properties"]) for a in pool["properties"]["loadBalancerBackendAddresses"]
                             if a["name"] == name)
            if ports:
                entry["inboundNatRulesPortMapping"] = ports
            addresses.append({"name": name, "etag": f'W/"{balancer.etag}"', "id": f"{pool['id']}/loadBalancerBackendAddresses/{name}",
                              "type": f"{self.name}/backendAddressPools/loadBalancerBackendAddresses",
                              "properties": {"provisioningState": balancer.state, **entry}})
        extra: dict[str, Any] = {"loadBalancerBackendAddresses": addresses}
        if configurations:
            extra["backendIPConfigurations"] = configurations
        return extra


class Pools(Child):
    """…/backendAddressPools with its question which port leads to a member."""

    def __init__(self, parent: LoadBalancers) -> None:
        super().__init__(parent, "backendAddressPools")
        self.actions["queryinboundnatruleportmapping"] = self.query_ports
        self.lab.operations.register("query ports", self._answer)

    def query_ports(self, call: Call) -> Answer:
        balancer = self._parent(call)
        pool = next((p for p in balancer.properties["backendAddressPools"]
                     if p["name"].lower() == call.id.name.lower()), None)
        if pool is None:
            raise network_error("resource_missing", id=str(call.id))
        body = call.body()
        wanted = body.get("ipConfiguration", {}).get("id", "").lower()
        address = body.get("ipAddress")
        if not wanted and not address:
            raise arm_error("bad_content", why="Either ipConfiguration or ipAddress must be given.")
        found: list[dict[str, Any]] = []
        for member in members(self.lab.store, pool):
            if member.lower() == wanted or (address and self._address(pool, member) == address):
                found = mapping(balancer, pool["id"], member)
        operation = self.lab.start("query ports", balancer, "network", what=self.name, method="POST",
                                   args={"mappings": found})
        return self.started(call, Answer(202), operation, location=True, retry_after=10)

    def _address(self, pool: dict[str, Any], member: str) -> str | None:
        rid = parse(member)
        if rid is None or rid.types[0].lower() != "networkinterfaces":
            name = member.rsplit("/", 1)[1]
            return next((a["properties"].get("ipAddress") for a in
                         pool["properties"].get("loadBalancerBackendAddresses", []) if a["name"] == name), None)
        nic = self.lab.store.get(str(rid.root))
        return next((c["properties"]["privateIPAddress"] for c in (nic.properties["ipConfigurations"] if nic else [])
                     if c["id"].lower() == member.lower()), None)

    async def _answer(self, operation: Operation) -> dict[str, Any]:
        return {"inboundNatRulePortMappings": operation.args["mappings"]}


