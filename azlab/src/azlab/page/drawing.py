# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""PURE: what the store says → the drawing of the lab: networks with their hosts, balancers with their pools.

A lab may hold thousands of hosts, so a subnet shows the first ones and counts all of them.
"""
from __future__ import annotations

from collections import Counter
from typing import Any

from azlab.store import Resource, Store

NET = "Microsoft.Network/"
MACHINE = "Microsoft.Compute/virtualMachines"
SHOWN = 120             # hosts of a subnet
MEMBERS = 40            # members of a pool
NETWORKS = 20           # networks, and balancers, of one drawing


def draw(store: Store, group: str = "") -> dict[str, Any]:
    """Networks and balancers, of one resource group or of all."""
    wanted = group or None
    networks, balancers = (store.of_type(NET + kind, group=wanted) for kind in ("virtualNetworks", "loadBalancers"))
    hosts, pools = _places(store)
    return {"networks": [_network(store, v, hosts) for v in networks[:NETWORKS]],
            "balancers": [_balancer(store, b, pools) for b in balancers[:NETWORKS]],
            "more": {"networks": max(0, len(networks) - NETWORKS), "balancers": max(0, len(balancers) - NETWORKS)}}


def machine_of(store: Store, nic: Resource) -> Resource | None:
    """The machine that an interface belongs to."""
    for _part, resource in store.referring(nic.id):
        if resource.type == MACHINE:
            return resource
    return None


def power(machine: Resource | None) -> str:
    """The power state as the page names it; '' for an interface without a machine."""
    return str(machine.private.get("power") or "") if machine else ""


def address_of(store: Store, reference: dict[str, Any] | None) -> str:
    """The address of a public address that is referred to."""
    found = store.get(reference["id"]) if reference and "id" in reference else None
    return str(found.properties.get("ipAddress") or "") if found else ""


def _places(store: Store) -> tuple[dict[str, list[dict[str, Any]]], dict[str, list[dict[str, Any]]]]:
    """({subnet: its hosts}, {pool: its members}), both by id in lower case, from the interfaces."""
    hosts: dict[str, list[dict[str, Any]]] = {}
    pools: dict[str, list[dict[str, Any]]] = {}
    for nic in store.of_type(NET + "networkInterfaces"):
        machine = machine_of(store, nic)
        for configuration in nic.properties.get("ipConfigurations", []):
            p = configuration["properties"]
            host = {"id": machine.id if machine else nic.id, "name": machine.name if machine else nic.name,
                    "power": power(machine), "state": (machine or nic).state, "machine": machine is not None,
                    "address": p.get("privateIPAddress", ""), "public": address_of(store, p.get("publicIPAddress"))}
            hosts.setdefault(p.get("subnet", {}).get("id", "").lower(), []).append(host)
            for pool in p.get("loadBalancerBackendAddressPools", []):
                pools.setdefault(pool["id"].lower(), []).append(host)
    return hosts, pools


def _network(store: Store, network: Resource, hosts: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    subnets = []
    for subnet in network.properties.get("subnets", []):
        p, here = subnet["properties"], hosts.get(subnet["id"].lower(), [])
        security, gateway = p.get("networkSecurityGroup"), store.get((p.get("natGateway") or {}).get("id", ""))
        leaves = [address_of(store, a) for a in gateway.properties.get("publicIpAddresses", [])] if gateway else []
        subnets.append({"id": subnet["id"], "name": subnet["name"],
                        "prefix": p.get("addressPrefix") or ", ".join(p.get("addressPrefixes", [])),
                        "security": security["id"].rsplit("/", 1)[1] if security else "",
                        "gateway": f"{gateway.name} {' '.join(leaves)}".strip() if gateway else "",
                        "count": len(here), "power": Counter(h["power"] or "no machine" for h in here),
                        "hosts": here[:SHOWN]})
    return {"id": network.id, "name": network.name, "group": network.group, "location": network.location,
            "prefixes": network.properties["addressSpace"]["addressPrefixes"], "subnets": subnets}


def _last(reference: dict[str, Any] | None) -> str:
    return str(reference["id"]).rsplit("/", 1)[1] if reference else ""


def _balancer(store: Store, balancer: Resource, pools: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    p = balancer.properties
    frontends = []
    for frontend in p.get("frontendIPConfigurations", []):
        f = frontend["properties"]
        public = address_of(store, f.get("publicIPAddress"))
        frontends.append({"name": frontend["name"], "address": public or f.get("privateIPAddress", ""), "public": bool(public)})
    rules = [{"id": r["id"], "name": r["name"], "protocol": r["properties"]["protocol"], "from": r["properties"]["frontendPort"],
              "to": r["properties"]["backendPort"], "frontend": _last(r["properties"].get("frontendIPConfiguration")),
              "probe": _last(r["properties"].get("probe")),
              "pools": [_last(x) for x in r["properties"].get("backendAddressPools", [])
                        or [r["properties"].get("backendAddressPool")] if x]} for r in p.get("loadBalancingRules", [])]
    probes = [{"name": x["name"], "protocol": x["properties"]["protocol"], "port": x["properties"]["port"],
               "path": x["properties"].get("requestPath", ""), "interval": x["properties"].get("intervalInSeconds", 15)}
              for x in p.get("probes", [])]
    members = []
    for pool in p.get("backendAddressPools", []):
        here = pools.get(pool["id"].lower(), [])
        first = sorted(here, key=lambda host: bool(host["power"] == "running"))      # who does not serve is looked for
        members.append({"name": pool["name"], "count": len(here), "members": first[:MEMBERS]})
    return {"id": balancer.id, "name": balancer.name, "group": balancer.group, "frontends": frontends, "rules": rules,
            "probes": probes, "pools": members, "nat": len(p.get("inboundNatRules", []))}
