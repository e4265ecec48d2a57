# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Network security groups and their rules."""
from __future__ import annotations

import ipaddress
import re
from typing import Any

from azlab.arm.network.base import NetworkType, embed, integer, reference
from azlab.arm.wire import Call
from azlab.defaultrules import default_rules
from azlab.errors import network_error
from azlab.store import Resource

_TAG = re.compile(r"^[A-Za-z][A-Za-z0-9.]*$")


def check_port(text: Any) -> None:
    """`*`, a port or a range."""
    value = str(text)
    if value == "*":
        return
    ends = value.split("-")
    if len(ends) > 2 or not all(e.isdigit() and int(e) <= 65535 for e in ends) or int(ends[0]) > int(ends[-1]):
        raise network_error("rule_port", value=value)


def check_prefix(text: Any) -> None:
    """`*`, a service tag, an address or a range."""
    value = str(text)
    if value == "*" or _TAG.match(value) or (value.isdigit() and int(value) < 1 << 32):
        return              # Azure takes a bare number for an address, as inet_aton does
    try:
        ipaddress.ip_network(value, strict=False)
    except ValueError:
        raise network_error("rule_prefix", value=value) from None


def check_rule(rule: dict[str, Any]) -> None:
    """One rule by Azure's limits; fills in the lists that Azure always shows."""
    p = rule["properties"]
    for key in ("provisioningState", "etag"):
        p.pop(key, None)
    for key in ("protocol", "access", "direction", "priority"):
        if p.get(key) in (None, ""):
            raise network_error("rule_parameters", name=key, rule=rule["name"])
    for key, allowed in (("protocol", ("*", "Tcp", "Udp", "Icmp", "Esp", "Ah")), ("access", ("Allow", "Deny")),
                         ("direction", ("Inbound", "Outbound"))):
        match = next((a for a in allowed if a.lower() == str(p[key]).lower()), None)
        if match is None:
            raise network_error("format", details=[{
                "code": "InvalidJson", "message": f"Error converting value \"{p[key]}\" to type '{key}'. Path "
                                                  f"'properties.{key}'."}])
        if key != "protocol":           # Azure shows a protocol as it was written
            p[key] = match
    p["priority"] = integer(p["priority"], "properties.priority")
    if not 100 <= p["priority"] <= 4096:
        raise network_error("rule_priority", value=p["priority"])
    if len(p.get("description", "")) > 140:
        raise network_error("rule_description")
    for single, many, check in (("sourcePortRange", "sourcePortRanges", check_port),
                                ("destinationPortRange", "destinationPortRanges", check_port),
                                ("sourceAddressPrefix", "sourceAddressPrefixes", check_prefix),
                                ("destinationAddressPrefix", "destinationAddressPrefixes", check_prefix)):
        values = p.setdefault(many, [])
        groups = single.replace("AddressPrefix", "ApplicationSecurityGroups")
        if p.get(single) in (None, "") and not values and not p.get(groups):
            raise network_error("rule_parameters", name=single, rule=rule["name"])
        for value in ([p[single]] if p.get(single) not in (None, "") else []) + list(values):
            check(value)


class SecurityGroups(NetworkType):
    name = "Microsoft.Network/networkSecurityGroups"
    put_retry_after = 1
    delete_retry_after = 1

    def prepare(self, call: Call, body: dict[str, Any], existing: Resource | None,
                kept: dict[str, Any]) -> dict[str, Any]:
        owner = existing.id if existing else str(call.id.root)
        rules = embed(owner, "securityRules", body.get("securityRules"))
        seen: dict[tuple[int, str], str] = {}
        for rule in rules:
            check_rule(rule)
            for which in ("sourceApplicationSecurityGroups", "destinationApplicationSecurityGroups"):
                if which in rule["properties"]:
                    rule["properties"][which] = [reference(r) for r in rule["properties"][which]]
                    for entry in rule["properties"][which]:
                        self.target(entry, rule["id"], kept["location"])
            key = (rule["properties"]["priority"], rule["properties"]["direction"])
            if key in seen:
                raise network_error("rule_conflict", a=rule["name"], b=seen[key])
            seen[key] = rule["name"]
        properties: dict[str, Any] = {"securityRules": rules}
        if "flushConnection" in body:
            properties["flushConnection"] = body["flushConnection"]
        return properties

    def users(self, resource: Resource) -> tuple[list[str], list[str]]:
        """(interfaces, subnets) that refer to the group."""
        found = self.lab.store.referrers(resource.id)
        subnets = [u for u in found if "/subnets/" in u.lower()]
        return [u for u in found if "/networkinterfaces/" in u.lower()], subnets

    def check_delete(self, resource: Resource) -> None:
        nics, subnets = self.users(resource)
        if nics or subnets:
            raise network_error("nsg_in_use", id=resource.id, users=", ".join(nics + subnets))

    def properties(self, resource: Resource, etag: str) -> dict[str, Any]:
        wire = {"resourceGuid": resource.properties.get("resourceGuid"),
                "securityRules": self.children(resource, etag, "securityRules")}
        wire["defaultSecurityRules"] = [
            self.child(resource, etag, "defaultSecurityRules",
                       {**rule, "id": f"{resource.id}/defaultSecurityRules/{rule['name']}"}, {})
            for rule in default_rules()]
        nics, subnets = self.users(resource)
        if nics:
            wire["networkInterfaces"] = [{"id": n} for n in nics]
        if subnets:
            wire["subnets"] = [{"id": s} for s in subnets]
        return wire
