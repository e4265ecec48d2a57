# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""PURE: the parts of a load balancer by Azure's rules; defaults are laid in."""
from __future__ import annotations

from typing import Any

from azlab.arm.network.base import integer, reference
from azlab.errors import network_error

Part = dict[str, Any]
PARTS = ("frontendIPConfigurations", "backendAddressPools", "loadBalancingRules", "probes", "inboundNatRules",
         "outboundRules", "inboundNatPools")


def check_parts(owner: str, parts: dict[str, list[Part]]) -> None:
    """Check all rules and probes, and that what they refer to is there."""
    known = {part["id"].lower() for items in parts.values() for part in items}
    for probe in parts["probes"]:
        _probe(probe)
    for rule in parts["loadBalancingRules"]:
        _balancing(rule, known)
    for rule in parts["inboundNatRules"]:
        _inbound(rule, known)
    for rule in parts["outboundRules"]:
        _outbound(rule, known)
    for pool in parts["inboundNatPools"]:
        _strip(pool)
        _inside(pool, "frontendIPConfiguration", known)
        p = pool["properties"]
        p.setdefault("idleTimeoutInMinutes", 4)
        for key in ("enableFloatingIP", "enableDestinationServiceEndpoint", "enableTcpReset",
                    "allowBackendPortConflict"):
            p.setdefault(key, False)
    _frontend_conflicts(parts)


def _strip(part: Part) -> None:
    part["properties"].pop("provisioningState", None)


def _inside(part: Part, key: str, known: set[str], *, needed: bool = True) -> None:
    """A reference to another part of the same balancer."""
    p = part["properties"]
    if not p.get(key):
        if needed:
            raise network_error("format", details=[{
                "code": "MissingJsonField", "message": f"'{key}' of '{part['name']}' must not be empty."}])
        p.pop(key, None)
        return
    p[key] = reference(p[key])
    if p[key]["id"].lower() not in known:
        raise network_error("reference", target=p[key]["id"], source=part["id"], details=[
            {"code": "NotFound", "message": f"Resource {p[key]['id']} not found."}])


def _protocol(part: Part, allowed: tuple[str, ...]) -> None:
    given = str(part["properties"].get("protocol", ""))
    match = next((a for a in allowed if a.lower() == given.lower()), None)
    if match is None:
        raise network_error("format", details=[{
            "code": "InvalidJson", "message": f"Error converting value \"{given}\" to type 'protocol' of "
                                              f"'{part['name']}'. Allowed are: {', '.join(allowed)}."}])
    part["properties"]["protocol"] = match


def _port(part: Part, key: str, *, low: int = 1) -> None:
    value = integer(part["properties"].get(key), f"properties.{key}", None)
    if not low <= value <= 65534:
        raise network_error("port_value", value=value, name=part["name"])
    part["properties"][key] = value


def _timeout(part: Part, limit: int) -> None:
    value = integer(part["properties"].get("idleTimeoutInMinutes"), "properties.idleTimeoutInMinutes", 4)
    if not 4 <= value <= limit:
        raise network_error("rule_timeout", name=part["name"], limit=limit)
    part["properties"]["idleTimeoutInMinutes"] = value


def _probe(probe: Part) -> None:
    _strip(probe)
    p = probe["properties"]
    p.pop("loadBalancingRules", None)
    _protocol(probe, ("Tcp", "Http", "Https"))
    _port(probe, "port")
    interval = integer(p.get("intervalInSeconds"), "properties.intervalInSeconds", 15)
    if interval < 5:
        raise network_error("probe_interval", name=probe["name"])
    limit = ((1 << 31) - 1) // interval
    count = integer(p.get("numberOfProbes"), "properties.numberOfProbes", 2)
    if not 1 <= count <= limit:
        raise network_error("probe_count", name=probe["name"], interval=interval, limit=limit)
    p.update(intervalInSeconds=interval, numberOfProbes=count)
    p.setdefault("probeThreshold", 1)
    p.setdefault("noHealthyBackendsBehavior", "AllProbedDown")
    if p["protocol"] == "Tcp" and p.get("requestPath"):
        raise network_error("probe_path", id=probe["id"])
    if p["protocol"] != "Tcp" and not p.get("requestPath"):
        raise network_error("probe_no_path", id=probe["id"], protocol=p["protocol"])


def _balancing(rule: Part, known: set[str]) -> None:
    _strip(rule)
    p = rule["properties"]
    _inside(rule, "frontendIPConfiguration", known)
    pools = p.get("backendAddressPools") or ([p["backendAddressPool"]] if p.get("backendAddressPool") else [])
    p["backendAddressPools"] = []
    for pool in pools:
        p["backendAddressPool"] = pool
        _inside(rule, "backendAddressPool", known)
        p["backendAddressPools"].append(p["backendAddressPool"])
    if not pools:
        del p["backendAddressPools"]
        p.pop("backendAddressPool", None)
    else:
        p["backendAddressPool"] = p["backendAddressPools"][0]
    _inside(rule, "probe", known, needed=False)
    _protocol(rule, ("Tcp", "Udp", "All"))
    low = 0 if p["protocol"] == "All" else 1
    _port(rule, "frontendPort", low=low)
    p.setdefault("backendPort", p["frontendPort"])
    _port(rule, "backendPort", low=low)
    _timeout(rule, 100)
    for key in ("enableFloatingIP", "enableDestinationServiceEndpoint", "enableTcpReset", "allowBackendPortConflict",
                "disableOutboundSnat", "enableConnectionTracking"):
        p.setdefault(key, False)
    p.setdefault("loadDistribution", "Default")


def _inbound(rule: Part, known: set[str]) -> None:
    _strip(rule)
    p = rule["properties"]
    p.pop("backendIPConfiguration", None)
    _inside(rule, "frontendIPConfiguration", known)
    _inside(rule, "backendAddressPool", known, needed=False)
    p.setdefault("protocol", "Tcp")
    _protocol(rule, ("Tcp", "Udp", "All"))
    _port(rule, "backendPort")
    _timeout(rule, 30)
    if "backendAddressPool" in p or (p.get("frontendPort") is None and "frontendPortRangeEnd" in p):     # the pool may come later
        start = integer(p.get("frontendPortRangeStart"), "properties.frontendPortRangeStart", 0)
        end = integer(p.get("frontendPortRangeEnd"), "properties.frontendPortRangeEnd", 0)
        if "frontendPortRangeStart" not in p or not 0 <= start <= end <= 65534:      # Azure takes a range that begins at 0
            raise network_error("port_range", id=rule["id"], start=start, end=end)
        p.update(frontendPortRangeStart=start, frontendPortRangeEnd=end)
        p.setdefault("frontendPort", 0)
    else:
        _port(rule, "frontendPort")
    for key in ("enableFloatingIP", "enableDestinationServiceEndpoint", "enableTcpReset", "allowBackendPortConflict"):
        p.setdefault(key, False)


def _outbound(rule: Part, known: set[str]) -> None:
    _strip(rule)
    p = rule["properties"]
    _inside(rule, "backendAddressPool", known)
    frontends = p.get("frontendIPConfigurations") or []
    if not frontends:
        raise network_error("format", details=[{
            "code": "MissingJsonField", "message": f"'frontendIPConfigurations' of '{rule['name']}' must not be empty."}])
    checked = []
    for frontend in frontends:
        p["frontendIPConfiguration"] = frontend
        _inside(rule, "frontendIPConfiguration", known)
        checked.append(p.pop("frontendIPConfiguration"))
    p["frontendIPConfigurations"] = checked
    _protocol(rule, ("Tcp", "Udp", "All"))
    _timeout(rule, 100)
    p["allocatedOutboundPorts"] = integer(p.get("allocatedOutboundPorts"), "properties.allocatedOutboundPorts", 0)
    p.setdefault("enableTcpReset", False)


def _frontend_conflicts(parts: dict[str, list[Part]]) -> None:
    """Two rules must not listen on the same port of the same frontend."""
    seen: list[tuple[str, str, int, int, str]] = []
    for key in ("loadBalancingRules", "inboundNatRules"):
        for rule in parts[key]:
            p = rule["properties"]
            start = p.get("frontendPortRangeStart", p["frontendPort"])
            end = p.get("frontendPortRangeEnd", p["frontendPort"])
            frontend = p["frontendIPConfiguration"]["id"].lower()
            for other, protocol, low, high, name in seen:
                if other == frontend and protocol == p["protocol"] and start <= high and low <= end:
                    raise network_error("frontend_conflict", a=name, b=rule["name"], port=max(start, low),
                                        protocol=protocol)
            seen.append((frontend, p["protocol"], start, end, rule["name"]))
