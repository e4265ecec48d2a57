# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands in the way of a load balancer's rules, and what they look like in return values. Private; pure."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional, Tuple

from ansible_collections.dockhost.azure.plugins.module_utils._model.load_balancer import FRONTEND, PREFIX, LoadBalancer
from ansible_collections.dockhost.azure.plugins.module_utils._plan.compare import same_value


def children(body: Optional[Mapping[str, Any]], kind: str) -> List[Mapping[str, Any]]:
    """The rules, probes, pools … of a load balancer as Azure returned it."""
    return list(((body or {}).get("properties") or {}).get(kind) or [])


def refusals(wanted: LoadBalancer, actual: Optional[Mapping[str, Any]]) -> List[str]:
    """Sentences for frontend ports that rules of others hold on our frontend."""
    ours: List[Tuple[str, str, int, int, str]] = [
        ("published_ports", item.protocol, item.port, item.port, item.name) for item in wanted.published or ()
    ]
    if wanted.ssh_nat:
        ours.append(("ssh_nat", "tcp", wanted.ssh_nat.start, wanted.ssh_nat.end, "dockhost-ssh"))
    found = []
    for rule in children(actual, "loadBalancingRules") + children(actual, "inboundNatRules"):
        if rule["name"].lower().startswith(PREFIX):
            continue
        properties = rule["properties"]
        frontend = str((properties.get("frontendIPConfiguration") or {}).get("id", ""))
        if not frontend.lower().endswith("/" + FRONTEND):
            continue
        first, last = _ports(properties)
        for option, protocol, start, end, dummy in ours:
            if str(properties.get("protocol", "")).lower() in (protocol, "all") and start <= last and first <= end:
                found.append(
                    "{0} wants port {1}/{2}, which rule {3} of load balancer {4} holds already, and that rule is not this "
                    "collection's: choose another port, or remove that rule.".format(
                        option, max(start, first), protocol, rule["name"], wanted.name)
                )
    return found


def address_refusals(wanted: LoadBalancer, address: Optional[Mapping[str, Any]]) -> List[str]:
    """Sentences for an existing public address that a Standard load balancer cannot have."""
    if address is None:
        return []
    sku = (address.get("sku") or {}).get("name")
    method = (address.get("properties") or {}).get("publicIPAllocationMethod")
    if same_value("Standard", sku) and same_value("Static", method):
        return []
    return [(
        "public_ip is {0}, which is {1} and {2}: a Standard load balancer needs a Standard, static address. Name another one; it "
        "is made when it does not exist."
    ).format(wanted.public_ip, sku or "of no SKU", str(method or "unassigned").lower())]


def _ports(properties: Mapping[str, Any]) -> Tuple[int, int]:
    first = properties.get("frontendPortRangeStart") or properties.get("frontendPort") or 0
    return int(first), int(properties.get("frontendPortRangeEnd") or first)


def ssh_ports(body: Optional[Mapping[str, Any]], rule_name: str) -> Dict[str, int]:
    """Which frontend port leads to which host: machine name (a NIC ``<name>-nic`` belongs to ``<name>``) -> port."""
    ports = {}
    for pool in children(body, "backendAddressPools"):
        for member in (pool.get("properties") or {}).get("loadBalancerBackendAddresses") or []:
            properties = member.get("properties") or {}
            path = str((properties.get("networkInterfaceIPConfiguration") or {}).get("id", ""))
            for mapping in properties.get("inboundNatRulesPortMapping") or []:
                if path and same_value(rule_name, mapping.get("inboundNatRuleName")):
                    ports[host_name(path)] = int(mapping["frontendPort"])
    return ports


def host_name(ip_configuration_id: str) -> str:
    """The host behind an address configuration of a network interface."""
    parts = ip_configuration_id.split("/")
    nic = parts[8] if len(parts) > 8 else parts[-1]
    return nic[:-len("-nic")] if nic.lower().endswith("-nic") else nic


def rules_view(body: Optional[Mapping[str, Any]]) -> List[Dict[str, Any]]:
    """The rules for return values, those of others included."""
    return [
        {
            "name": rule["name"],
            "protocol": str(rule["properties"].get("protocol", "")).lower(),
            "port": rule["properties"].get("frontendPort"),
            "target_port": rule["properties"].get("backendPort"),
            "owned": rule["name"].lower().startswith(PREFIX),
        }
        for rule in children(body, "loadBalancingRules")
    ]
