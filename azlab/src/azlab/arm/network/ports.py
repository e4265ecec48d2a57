# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which frontend port of an inbound NAT rule leads to which member of its backend pool.

A port stays with its member for as long as both are there; a new member gets the lowest free one.
"""
from __future__ import annotations

from typing import Any

from azlab.errors import network_error
from azlab.ids import parse
from azlab.store import Resource, Store


def pool_rules(balancer: Resource, pool_id: str) -> list[dict[str, Any]]:
    """The NAT rules that cover a whole pool."""
    return [r for r in balancer.properties.get("inboundNatRules", [])
            if r["properties"].get("backendAddressPool", {}).get("id", "").lower() == pool_id.lower()]


def members(store: Store, pool: dict[str, Any]) -> list[str]:
    """Ids of the IP configurations in a pool, then the plain addresses, in the order in which they joined."""
    configurations = [u for u in store.referrers(pool["id"]) if "/networkinterfaces/" in u.lower()]
    plain = [f"{pool['id']}/loadBalancerBackendAddresses/{a['name']}"
             for a in pool["properties"].get("loadBalancerBackendAddresses", [])]
    return configurations + plain


def reassign(store: Store, balancer: Resource) -> bool:
    """Bring the ports of a balancer up to date; True when something changed."""
    before: dict[str, dict[str, int]] = balancer.private.get("ports", {})
    after: dict[str, dict[str, int]] = {}
    for pool in balancer.properties.get("backendAddressPools", []):
        present = [m.lower() for m in members(store, pool)]
        for rule in pool_rules(balancer, pool["id"]):
            start, end = _range(rule)
            current = {m: p for m, p in before.get(rule["name"], {}).items() if m in present and start <= p <= end}
            used = set(current.values())
            port = start
            for member in present:
                if member in current:
                    continue
                while port in used:
                    port += 1
                if port > end:
                    break
                current[member] = port
                used.add(port)
            after[rule["name"]] = current
    balancer.private["ports"] = after
    return before != after


def check_room(store: Store, pool_id: str, newcomer: str) -> None:
    """Refuse a new member for which a NAT rule of the pool has no port left."""
    rid = parse(pool_id)
    balancer = store.get(str(rid.root)) if rid else None
    if balancer is None:
        return
    for rule in pool_rules(balancer, pool_id):
        start, end = _range(rule)
        given = balancer.private.get("ports", {}).get(rule["name"], {})
        if newcomer.lower() not in given and len(given) > end - start:
            raise network_error("ports_used_up", id=rule["id"], size=end - start + 1)


def mapping(balancer: Resource, pool_id: str, member: str) -> list[dict[str, Any]]:
    """`inboundNatRulesPortMapping` of one member."""
    found = []
    for rule in pool_rules(balancer, pool_id):
        port = balancer.private.get("ports", {}).get(rule["name"], {}).get(member.lower())
        if port is not None:
            found.append({"inboundNatRuleName": rule["name"], "protocol": rule["properties"]["protocol"],
                          "frontendPort": port, "backendPort": rule["properties"]["backendPort"]})
    return found


def _range(rule: dict[str, Any]) -> tuple[int, int]:
    return max(1, int(rule["properties"]["frontendPortRangeStart"])), int(rule["properties"]["frontendPortRangeEnd"])
