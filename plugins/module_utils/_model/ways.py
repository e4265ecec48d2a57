# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ways to a host's SSH port: its own addresses, and the load balancer's inbound NAT (private, pure).

Which port of a load balancer leads to which host stands in the backend pool
(C(inboundNatRulesPortMapping)): https://learn.microsoft.com/azure/load-balancer/inbound-nat-rules.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Dict, Iterable, List, Mapping, Optional, Tuple

from ansible_collections.dockhost.azure.plugins.module_utils._model.host import Host, key, primary_configuration

SSH_PORT = 22

Body = Mapping[str, Any]


@dataclass(frozen=True)
class Way:
    """An address and a port."""

    address: str
    port: int = SSH_PORT
    kind: str = "private"


@dataclass(frozen=True)
class NatPorts:
    """SSH ports of load balancers: by IP configuration and, where Azure names only the address, by private address."""

    by_configuration: Mapping[str, Tuple[str, int]]
    by_address: Mapping[Tuple[str, str], Tuple[str, int]]


def nat_ports(load_balancers: Iterable[Body], addresses: Iterable[Body], backend_port: int = SSH_PORT) -> NatPorts:
    """Read the NAT ports that lead to C(backend_port).

    :param addresses: the public addresses that frontends refer to
    """
    publics = {key(address["id"]): (address.get("properties") or {}).get("ipAddress") for address in addresses}
    by_configuration: Dict[str, Tuple[str, int]] = {}
    by_address: Dict[Tuple[str, str], Tuple[str, int]] = {}
    for balancer in load_balancers:
        properties = balancer.get("properties") or {}
        frontends = _frontends(properties, publics)
        rules = _rules(properties, backend_port)
        for rule in rules.values():
            target = key((rule.get("backendIPConfiguration") or {}).get("id"))
            address = frontends.get(key((rule.get("frontendIPConfiguration") or {}).get("id")))
            if target and address and rule.get("frontendPort"):
                by_configuration[target] = (address, int(rule["frontendPort"]))
        for entry in _members(properties):
            found = _mapped(entry, rules, frontends)
            if found is None:
                continue
            configuration = key((entry.get("networkInterfaceIPConfiguration") or {}).get("id"))
            if configuration:
                by_configuration[configuration] = found
            elif entry.get("ipAddress"):
                network = key((entry.get("virtualNetwork") or {}).get("id"))
                by_address[(network, entry["ipAddress"])] = found
    return NatPorts(by_configuration, by_address)


def _frontends(properties: Body, publics: Mapping[str, Optional[str]]) -> Dict[str, str]:
    found = {}
    for frontend in properties.get("frontendIPConfigurations") or ():
        details = frontend.get("properties") or {}
        address = publics.get(key((details.get("publicIPAddress") or {}).get("id"))) or details.get("privateIPAddress")
        if address:
            found[key(frontend.get("id"))] = address
    return found


def _rules(properties: Body, backend_port: int) -> Dict[str, Body]:
    rules = {}
    for rule in properties.get("inboundNatRules") or ():
        details = rule.get("properties") or {}
        if int(details.get("backendPort") or 0) == backend_port and str(details.get("protocol")).lower() in ("tcp", "all"):
            rules[str(rule.get("name")).lower()] = details
    return rules


def _members(properties: Body) -> List[Body]:
    return [
        entry.get("properties") or {}
        for pool in properties.get("backendAddressPools") or ()
        for entry in (pool.get("properties") or {}).get("loadBalancerBackendAddresses") or ()
    ]


def _mapped(entry: Body, rules: Mapping[str, Body], frontends: Mapping[str, str]) -> Optional[Tuple[str, int]]:
    for mapping in entry.get("inboundNatRulesPortMapping") or ():
        rule = rules.get(str(mapping.get("inboundNatRuleName")).lower())
        address = frontends.get(key(((rule or {}).get("frontendIPConfiguration") or {}).get("id")))
        if address and mapping.get("frontendPort"):
            return address, int(mapping["frontendPort"])
    return None


def way(host: Host, interface: Optional[Body], ports: Optional[NatPorts], order: Iterable[str]) -> Optional[Way]:
    """The first way of C(order) (C(public), C(load_balancer), C(private)) that a host has."""
    for kind in order:
        if kind == "public" and host.public_address:
            return Way(host.public_address, SSH_PORT, kind)
        if kind == "private" and host.private_address:
            return Way(host.private_address, SSH_PORT, kind)
        if kind == "load_balancer" and ports is not None:
            found = _nat(host, interface, ports)
            if found:
                return Way(found[0], found[1], kind)
    return None


def _nat(host: Host, interface: Optional[Body], ports: NatPorts) -> Optional[Tuple[str, int]]:
    configuration = primary_configuration(interface)
    found = ports.by_configuration.get(key(configuration.get("id")))
    if found is None and host.private_address:
        subnet = key(((configuration.get("properties") or {}).get("subnet") or {}).get("id"))
        network = subnet.rsplit("/subnets/", 1)[0]
        found = ports.by_address.get((network, host.private_address)) or ports.by_address.get(("", host.private_address))
    return found
