# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""PURE: what the store says → the data path that is wanted. No I/O, no clock.

How Azure evaluates security groups: https://learn.microsoft.com/azure/virtual-network/network-security-group-how-it-works
Which way out a machine has: https://learn.microsoft.com/azure/load-balancer/load-balancer-outbound-connections
"""
from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from azlab.defaultrules import default_rules
from azlab.ids import parse
from azlab.machines.driver import Backend, BalancerRule, Firewall, FirewallRule, InstanceAddress, NatRule, NetworkSpec, NetworkState, Outbound, Probe
from azlab.store import Resource, Store

NET = "Microsoft.Network/"
AZURE_PLATFORM = "168.63.129.16/32"
EVERYWHERE = ("0.0.0.0/0",)
_PORTS_ALL = ((0, 65535),)
_DISTRIBUTION = {"default": "5-tuple", "sourceip": "client-ip", "sourceipprotocol": "client-ip-protocol"}


@dataclass(frozen=True)
class _Address:
    """One IP configuration of a machine that can have packets."""

    backend: Backend
    configuration: dict[str, Any]
    nic: Resource
    vnet: Resource
    subnet: dict[str, Any]


def compute(store: Store, public_range: str) -> NetworkState:
    """The whole wanted state of the data path; sorted, so that equal states compare equal."""
    return _Builder(store).state()


class _Builder:
    def __init__(self, store: Store) -> None:
        self.store = store
        self._rules: dict[tuple[str, str], tuple[FirewallRule, ...]] = {}

    def state(self) -> NetworkState:
        networks = [NetworkSpec(v.lid, tuple(v.properties["addressSpace"]["addressPrefixes"]))
                    for v in self.vnets.values()]
        balancers = self.store.of_type(NET + "loadBalancers")
        return NetworkState(
            networks=tuple(sorted(networks, key=lambda n: n.id)),
            firewalls=tuple(sorted((self._firewall(a) for a in self.addresses.values()),
                                   key=lambda f: (f.vnet_id, f.address))),
            balancer_rules=tuple(sorted((r for b in balancers for r in self._balancing(b)), key=lambda r: r.id)),
            nat_rules=tuple(sorted((r for b in balancers for r in self._nat(b)),
                                   key=lambda r: (r.id, r.frontend_port))),
            instance_addresses=tuple(sorted(self._instances(), key=lambda i: i.public_ip)),
            outbound=tuple(sorted(self._outbound(), key=lambda o: (o.backend.vnet_id, o.backend.address))))

    # -- who is where
    @cached_property
    def vnets(self) -> dict[str, Resource]:
        return {v.lid: v for v in self.store.of_type(NET + "virtualNetworks")}

    @cached_property
    def subnets(self) -> dict[str, tuple[Resource, dict[str, Any]]]:
        return {s["id"].lower(): (v, s) for v in self.vnets.values() for s in v.properties["subnets"]}

    @cached_property
    def addresses(self) -> dict[str, _Address]:
        """{id of an IP configuration: where it is}, for machines that are not deallocated or going."""
        found: dict[str, _Address] = {}
        for machine in self.store.of_type("Microsoft.Compute/virtualMachines"):
            if machine.state == "Deleting" or machine.private.get("power") == "deallocated":
                continue
            for entry in machine.properties["networkProfile"]["networkInterfaces"]:
                nic = self.store.get(entry["id"])
                for configuration in nic.properties["ipConfigurations"] if nic else ():
                    place = self.subnets.get(configuration["properties"]["subnet"]["id"].lower())
                    if place and nic:
                        backend = Backend(place[0].lid, machine.lid, configuration["properties"]["privateIPAddress"])
                        found[configuration["id"].lower()] = _Address(backend, configuration, nic, *place)
        return found

    def _public(self, address_id: str) -> str | None:
        resource = self.store.get(address_id)
        value = resource.properties.get("ipAddress") if resource else None
        return str(value) if value else None

    # -- security groups
    def _firewall(self, address: _Address) -> Firewall:
        """Subnet's group, then the interface's."""
        groups = []
        for holder in (address.subnet["properties"], address.nic.properties):
            reference = holder.get("networkSecurityGroup")
            group = self.store.get(reference["id"]) if reference else None
            if group:
                groups.append(self._group(group, address.vnet))
        if not groups and self._is_standard(address):
            # "Secure by default": without a group, Standard addresses and balancers are closed to all but the network itself.
            # https://learn.microsoft.com/azure/load-balancer/load-balancer-overview#securebydefault
            groups.append(self._filtered("", [], address.vnet))
        return Firewall(address.backend.machine_id, address.vnet.lid, address.backend.address, tuple(groups))

    def _is_standard(self, address: _Address) -> bool:
        """Whether the Internet could reach the address by a public address or a balancer of the SKU Standard."""
        p = address.configuration["properties"]
        owners = [p.get("publicIPAddress"), *p.get("loadBalancerBackendAddressPools", []), *p.get("loadBalancerInboundNatRules", [])]
        found = [self.store.get(str(rid.root)) for o in owners if o and (rid := parse(o["id"]))]
        return any(r.body.get("sku", {}).get("name") == "Standard" for r in found if r)

    def _group(self, group: Resource, vnet: Resource) -> tuple[FirewallRule, ...]:
        return self._filtered(group.lid, group.properties["securityRules"], vnet)

    def _filtered(self, group_id: str, own: list[dict[str, Any]], vnet: Resource) -> tuple[FirewallRule, ...]:
        key = (group_id, vnet.lid)
        if key not in self._rules:
            rules = sorted([*own, *default_rules()],
                           key=lambda r: (r["properties"]["direction"], r["properties"]["priority"]))
            prefixes = tuple(vnet.properties["addressSpace"]["addressPrefixes"])
            self._rules[key] = tuple(f for f in (firewall_rule(r, prefixes, self.application_groups) for r in rules) if f)
        return self._rules[key]

    @cached_property
    def application_groups(self) -> dict[str, list[str]]:
        """{id of an application security group: the private addresses that are in it}."""
        found: dict[str, list[str]] = {}
        for address in self.addresses.values():
            for reference in address.configuration["properties"].get("applicationSecurityGroups", []):
                found.setdefault(reference["id"].lower(), []).append(f"{address.backend.address}/32")
        return found

    # -- load balancers
    def _members(self, pool_id: str) -> list[Backend]:
        found = [self.addresses[u.lower()].backend for u in self.store.referrers(pool_id)
                 if u.lower() in self.addresses]
        return sorted(found, key=lambda b: (b.vnet_id, b.address))

    def _plain_members(self, balancer: Resource, pool_id: str) -> list[Backend]:
        """Addresses that were put into a pool as such."""
        by_address = {(a.vnet.lid, a.backend.address): a.backend for a in self.addresses.values()}
        found = []
        for pool in balancer.properties["backendAddressPools"]:
            if pool["id"].lower() == pool_id.lower():
                for entry in pool["properties"].get("loadBalancerBackendAddresses", []):
                    p = entry["properties"]
                    vnet = (p.get("virtualNetwork") or pool["properties"].get("virtualNetwork") or {}).get("id", "")
                    found.append(by_address.get((vnet.lower(), p["ipAddress"]),
                                                Backend(vnet.lower(), "", p["ipAddress"])))
        return found

    def _frontend(self, balancer: Resource, reference: dict[str, Any]) -> tuple[str, bool] | None:
        """(address, public?) of a frontend."""
        for frontend in balancer.properties["frontendIPConfigurations"]:
            if frontend["id"].lower() == reference["id"].lower():
                p = frontend["properties"]
                if "publicIPAddress" in p:
                    address = self._public(p["publicIPAddress"]["id"])
                    return (address, True) if address else None
                return (p["privateIPAddress"], False)
        return None

    def _balancing(self, balancer: Resource) -> list[BalancerRule]:
        probes = {p["id"].lower(): p["properties"] for p in balancer.properties["probes"]}
        found = []
        for rule in balancer.properties["loadBalancingRules"]:
            p = rule["properties"]
            frontend = self._frontend(balancer, p["frontendIPConfiguration"])
            if frontend is None:
                continue
            backends = [b for pool in p.get("backendAddressPools", [])
                        for b in (*self._members(pool["id"]), *self._plain_members(balancer, pool["id"]))]
            probe = probes.get(p.get("probe", {}).get("id", "").lower())
            found.append(BalancerRule(
                id=rule["id"].lower(), frontend_ip=frontend[0], public=frontend[1],
                protocol="any" if p["protocol"] == "All" else p["protocol"].lower(), frontend_port=p["frontendPort"],
                backend_port=p["backendPort"], backends=tuple(dict.fromkeys(backends)),
                probe=Probe(probe["protocol"].lower(), probe["port"], probe.get("requestPath", ""),
                            probe["intervalInSeconds"], probe["probeThreshold"]) if probe else None,
                distribution=_DISTRIBUTION.get(p["loadDistribution"].lower(), "5-tuple")))
        return found

    def _nat(self, balancer: Resource) -> list[NatRule]:
        """Rules over a whole pool, and rules that single interfaces refer to."""
        found = []
        for rule in balancer.properties["inboundNatRules"]:
            p = rule["properties"]
            frontend = self._frontend(balancer, p["frontendIPConfiguration"])
            if frontend is None:
                continue
            if "backendAddressPool" in p:
                ports = balancer.private.get("ports", {}).get(rule["name"], {})
            else:
                ports = {u.lower(): p["frontendPort"] for u in self.store.referrers(rule["id"])}
            for member, port in ports.items():
                address = self.addresses.get(member)
                if address:
                    found.append(NatRule(rule["id"].lower(), frontend[0], p["protocol"].lower(), port, address.backend,
                                         p["backendPort"]))
        return found

    def _instances(self) -> list[InstanceAddress]:
        found = []
        for address in self.addresses.values():
            reference = address.configuration["properties"].get("publicIPAddress")
            public = self._public(reference["id"]) if reference else None
            if public:
                found.append(InstanceAddress(public, address.backend))
        return found

    # -- the way out
    def _outbound(self) -> list[Outbound]:
        """NAT gateway before the machine's own address before the load balancer; none of them: no way out."""
        own = {i.backend: i.public_ip for i in self._instances()}
        balanced = self._balanced_outbound()
        found = []
        for address in self.addresses.values():
            public = (self._gateway(address.subnet) or own.get(address.backend)
                      or next((balanced[pool["id"].lower()] for pool in address.configuration["properties"].get(
                          "loadBalancerBackendAddressPools", []) if pool["id"].lower() in balanced), None))
            if public:
                found.append(Outbound(address.backend, public))
        return found

    def _gateway(self, subnet: dict[str, Any]) -> str | None:
        reference = subnet["properties"].get("natGateway")
        gateway = self.store.get(reference["id"]) if reference else None
        for entry in gateway.properties.get("publicIpAddresses", []) if gateway else ():
            public = self._public(entry["id"])
            if public:
                return public
        return None

    def _balanced_outbound(self) -> dict[str, str]:
        """{pool id: public address} from outbound rules, and from balancing rules that do not forbid it."""
        found: dict[str, str] = {}
        for balancer in self.store.of_type(NET + "loadBalancers"):
            for rule in balancer.properties["outboundRules"]:
                frontend = self._frontend(balancer, rule["properties"]["frontendIPConfigurations"][0])
                if frontend and frontend[1]:
                    found[rule["properties"]["backendAddressPool"]["id"].lower()] = frontend[0]
            for rule in balancer.properties["loadBalancingRules"]:
                frontend = self._frontend(balancer, rule["properties"]["frontendIPConfiguration"])
                if frontend and frontend[1] and not rule["properties"]["disableOutboundSnat"]:
                    for pool in rule["properties"].get("backendAddressPools", []):
                        found.setdefault(pool["id"].lower(), frontend[0])
        return found


def firewall_rule(rule: dict[str, Any], vnet_prefixes: tuple[str, ...], members: dict[str, list[str]]) -> FirewallRule | None:
    """A security rule with its tags and application security groups (`members`: their addresses) resolved; None when it can match
    nothing here."""
    p = rule["properties"]

    def ends(which: str) -> tuple[str, ...]:
        named = [a for g in p.get(f"{which}ApplicationSecurityGroups", []) for a in sorted(members.get(g["id"].lower(), []))]
        return (*resolve(_values(p, f"{which}AddressPrefix", f"{which}AddressPrefixes"), vnet_prefixes), *named)
    sources, destinations = ends("source"), ends("destination")
    if not sources or not destinations:
        return None
    return FirewallRule(
        name=rule["name"], direction="in" if p["direction"] == "Inbound" else "out", allow=p["access"] == "Allow",
        protocol="any" if p["protocol"] == "*" else p["protocol"].lower(), sources=sources,
        source_ports=port_ranges(_values(p, "sourcePortRange", "sourcePortRanges")), destinations=destinations,
        destination_ports=port_ranges(_values(p, "destinationPortRange", "destinationPortRanges")))


def _values(p: dict[str, Any], single: str, many: str) -> list[str]:
    return [str(v) for v in ([p[single]] if p.get(single) not in (None, "") else []) + list(p.get(many, []))]


def resolve(values: list[str], vnet_prefixes: tuple[str, ...]) -> tuple[str, ...]:
    """Address ranges of prefixes and service tags. Tags of Azure's own services have no addresses in a lab."""
    found: list[str] = []
    for value in values:
        tag = value.lower()
        if tag in ("*", "any", "0.0.0.0/0"):
            return EVERYWHERE
        if tag == "virtualnetwork":
            found.extend(vnet_prefixes)
        elif tag == "azureloadbalancer":
            # the lab's probes come from the first address of the virtual network
            found.extend((AZURE_PLATFORM, f"{ipaddress.ip_network(vnet_prefixes[0])[1]}/32"))
        elif tag == "internet":
            found.extend(outside(vnet_prefixes))
        elif value[0].isdigit() or ":" in value:
            found.append(str(ipaddress.ip_network(int(value) if value.isdigit() else value, strict=False)))
    return tuple(dict.fromkeys(found))


def outside(prefixes: tuple[str, ...]) -> list[str]:
    """Everything but the given IPv4 ranges."""
    left: list[ipaddress.IPv4Network] = [ipaddress.IPv4Network("0.0.0.0/0")]
    for text in prefixes:
        network = ipaddress.ip_network(text)
        if not isinstance(network, ipaddress.IPv4Network):
            continue
        after: list[ipaddress.IPv4Network] = []
        for piece in left:
            if network.subnet_of(piece):
                after.extend(piece.address_exclude(network))
            elif not piece.subnet_of(network):
                after.append(piece)
        left = after
    return [str(n) for n in sorted(left)]


def port_ranges(values: list[str]) -> tuple[tuple[int, int], ...]:
    """Inclusive ranges."""
    found = []
    for value in values:
        if value == "*":
            return _PORTS_ALL
        low, _, high = value.partition("-")
        found.append((int(low), int(high or low)))
    return tuple(found) or _PORTS_ALL
