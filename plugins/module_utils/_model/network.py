# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a virtual network with its subnets, security groups, NAT gateways and addresses is. Private; pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from ansible_collections.dockhost.azure.plugins.module_utils._errors import InputError
from ansible_collections.dockhost.azure.plugins.module_utils._model import names
from ansible_collections.dockhost.azure.plugins.module_utils._model.resource import Resource, resource_id

NETWORKS = "Microsoft.Network/virtualNetworks"
SECURITY_GROUPS = "Microsoft.Network/networkSecurityGroups"
NAT_GATEWAYS = "Microsoft.Network/natGateways"
PUBLIC_ADDRESSES = "Microsoft.Network/publicIPAddresses"

PRIORITIES = (100, 4096)
IDLE_MINUTES = (4, 120)
_SERVICE = re.compile(r"Microsoft(\.[A-Za-z]+)+\Z", re.I)
MAX_DESCRIPTION = 140  # https://learn.microsoft.com/rest/api/virtualnetwork/security-rules/create-or-update

_ID = re.compile(r"^/subscriptions/[^/]+/resourceGroups/[^/]+/providers/[^/]+(/[^/]+/[^/]+)+$", re.IGNORECASE)


@dataclass(frozen=True)
class Subnet:
    """One subnet. ``security_group`` and ``nat_gateway``: a name, an id, empty for none, None to leave it as it is.

    ``service_endpoints``: the services that it reaches by Azure's own network; None to leave them as they are.
    """

    name: str
    address_prefix: str
    security_group: Optional[str]
    nat_gateway: Optional[str]
    default_outbound_access: bool
    service_endpoints: Optional[Tuple[str, ...]] = None


@dataclass(frozen=True)
class SecurityGroup:
    """A network security group; ``rules`` are ARM bodies, or None to leave them as they are."""

    name: str
    rules: Optional[Tuple[Mapping[str, Any], ...]]


@dataclass(frozen=True)
class NatGateway:
    """A NAT gateway with one public address; ``idle_timeout`` in minutes."""

    name: str
    public_ip: str
    idle_timeout: int


@dataclass(frozen=True)
class PublicAddress:
    """A static public address of the Standard SKU."""

    name: str
    zones: Tuple[str, ...]
    dns_label: Optional[str]


@dataclass(frozen=True)
class Network:
    """All that the module ``network`` makes."""

    name: str
    address_prefixes: Tuple[str, ...]
    dns_servers: Optional[Tuple[str, ...]]
    subnets: Tuple[Subnet, ...]
    security_groups: Tuple[SecurityGroup, ...]
    nat_gateways: Tuple[NatGateway, ...]
    public_ips: Tuple[PublicAddress, ...]
    tags: Mapping[str, str]

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> "Network":
        """Check the module's options and turn them into what is wanted. Raises InputError."""
        network = cls(
            names.check_name("name", params["name"], "virtual network"),
            tuple(params.get("address_prefixes") or ()),
            None if params.get("dns_servers") is None else tuple(
                names.check_address("dns_servers[{0}]".format(position), text)
                for position, text in enumerate(params["dns_servers"])
            ),
            tuple(_subnet(item) for item in params.get("subnets") or ()),
            tuple(_security_group(item) for item in params.get("security_groups") or ()),
            tuple(_nat_gateway(item) for item in params.get("nat_gateways") or ()),
            tuple(_public_address(item) for item in params.get("public_ips") or ()),
            names.check_tags("tags", params.get("tags")),
        )
        for option in ("subnets", "security_groups", "nat_gateways", "public_ips"):
            names.check_unique(option, [item.name for item in getattr(network, option)])
        if params.get("state", "present") == "present":
            network.check_ranges()
        return network

    def check_ranges(self) -> None:
        """Nothing needed is missing; ranges are well formed, do not overlap, and subnets lie inside of the network."""
        if not self.address_prefixes:
            raise InputError("address_prefixes", "address_prefixes is missing: a virtual network has at least one address range, such "
                             "as 10.60.0.0/16.")
        spaces = [
            ("address_prefixes[{0}]".format(position), text) for position, text in enumerate(self.address_prefixes)
        ]
        space = [(option, names.check_network_range(option, text)) for option, text in spaces]
        names.check_disjoint(space)
        ranges = []
        for subnet in self.subnets:
            option = "subnets[{0}].address_prefix".format(subnet.name)
            if not subnet.address_prefix:
                raise InputError(option, "{0} is missing: a subnet has an address range, such as 10.60.1.0/24.".format(option))
            found = names.check_network_range(option, subnet.address_prefix)
            if not names.inside(found, [item for dummy, item in space]):
                raise InputError(option, "{0} ({1}) does not lie inside of the network's address_prefixes ({2}): widen address_prefixes or "
                                 "move the subnet.".format(option, found, ", ".join(self.address_prefixes)))
            ranges.append((option, found))
        names.check_disjoint(ranges)
        for item in self.nat_gateways:
            if not item.public_ip:
                raise InputError("nat_gateways", "nat_gateways[{0}] lacks public_ip: name one of public_ips, or an address that exists."
                                 .format(item.name))

    def resources(
        self, subscription_id: str, resource_group: str, location: str, deployment: str,
        actual: Mapping[str, Mapping[str, Any]],
    ) -> List[Resource]:
        """The resources in an order that can be made from top to bottom."""
        place = _Place(subscription_id, resource_group, location, deployment, self.tags, actual)
        return (
            [_public_address_resource(place, item) for item in self.public_ips]
            + [_security_group_resource(place, item) for item in self.security_groups]
            + [_nat_gateway_resource(place, item) for item in self.nat_gateways]
            + [self._network_resource(place)]
        )

    def _network_resource(self, place: "_Place") -> Resource:
        properties: Dict[str, Any] = {"addressSpace": {"addressPrefixes": list(self.address_prefixes)}}
        if self.dns_servers is not None:
            properties["dhcpOptions"] = {"dnsServers": list(self.dns_servers)}
        needed: List[str] = []
        properties["subnets"] = [_subnet_body(place, subnet, needed) for subnet in self.subnets]
        return place.resource(
            NETWORKS, self.name, {"properties": properties}, depends_on=tuple(dict.fromkeys(needed)),
            shared_lists={"properties.subnets": ""}, ordered=("properties.dhcpOptions.dnsServers",),
        )


@dataclass(frozen=True)
class _Place:
    """Where resources are made, and whose they are."""

    subscription_id: str
    resource_group: str
    location: str
    deployment: str
    tags: Mapping[str, str]
    actual: Mapping[str, Mapping[str, Any]]

    def id(self, type_: str, name: str) -> str:
        """The id of ``name`` here; an id stays what it is."""
        if name.startswith("/"):
            return name
        return resource_id(self.subscription_id, self.resource_group, type_, name)

    def resource(self, type_: str, name: str, body: Mapping[str, Any], **more: Any) -> Resource:
        """A resource here, with location and tags."""
        wanted = self.id(type_, name)
        tags = names.owned_tags(self.tags, self.deployment, self.actual.get(wanted.lower()))
        return Resource(wanted, type_, dict(body, location=self.location, tags=tags), **more)


def public_address_resource(
    subscription_id: str, resource_group: str, location: str, deployment: str, tags: Mapping[str, str],
    actual: Mapping[str, Mapping[str, Any]], address: PublicAddress,
) -> Resource:
    """The resource of one public address (the load balancer makes its own)."""
    return _public_address_resource(
        _Place(subscription_id, resource_group, location, deployment, tags, actual), address
    )


def _public_address_resource(place: _Place, item: PublicAddress) -> Resource:
    body: Dict[str, Any] = {
        "sku": {"name": "Standard"},
        "properties": {"publicIPAllocationMethod": "Static", "publicIPAddressVersion": "IPv4"},
    }
    if item.zones:
        body["zones"] = list(item.zones)
    if item.dns_label is not None:
        body["properties"]["dnsSettings"] = {"domainNameLabel": item.dns_label}
    return place.resource(
        PUBLIC_ADDRESSES, item.name, body,
        immutable=("location", "zones", "sku", "properties.publicIPAddressVersion"),
    )


def _security_group_resource(place: _Place, item: SecurityGroup) -> Resource:
    properties = {} if item.rules is None else {"securityRules": [dict(rule) for rule in item.rules]}
    return place.resource(SECURITY_GROUPS, item.name, {"properties": properties})


def _nat_gateway_resource(place: _Place, item: NatGateway) -> Resource:
    address = place.id(PUBLIC_ADDRESSES, item.public_ip)
    return place.resource(
        NAT_GATEWAYS, item.name,
        {"sku": {"name": "Standard"}, "properties": {
            "idleTimeoutInMinutes": item.idle_timeout, "publicIpAddresses": [{"id": address}],
        }},
        depends_on=(address,), immutable=("location", "sku"),
    )


def _subnet_body(place: _Place, subnet: Subnet, needed: List[str]) -> Dict[str, Any]:
    """The subnet inside of its network's body; what it refers to is added to ``needed``."""
    properties: Dict[str, Any] = {
        "addressPrefix": subnet.address_prefix, "defaultOutboundAccess": subnet.default_outbound_access,
    }
    for key, type_, name in (
        ("networkSecurityGroup", SECURITY_GROUPS, subnet.security_group),
        ("natGateway", NAT_GATEWAYS, subnet.nat_gateway),
    ):
        if name:
            properties[key] = {"id": place.id(type_, name)}
            needed.append(properties[key]["id"])
        elif name == "":
            properties[key] = None
    if subnet.service_endpoints is not None:
        properties["serviceEndpoints"] = [{"service": service} for service in subnet.service_endpoints]
    return {"name": subnet.name, "properties": properties}


def _subnet(item: Mapping[str, Any]) -> Subnet:
    name = names.check_name("subnets[].name", item["name"], "subnet")
    return Subnet(
        name, item.get("address_prefix") or "",
        _reference("subnets[{0}].security_group".format(name), item.get("security_group"), "network security group"),
        _reference("subnets[{0}].nat_gateway".format(name), item.get("nat_gateway"), "NAT gateway"),
        bool(item.get("default_outbound_access")), _service_endpoints(name, item.get("service_endpoints")),
    )


def _service_endpoints(subnet: str, services: Optional[Sequence[str]]) -> Optional[Tuple[str, ...]]:
    """https://learn.microsoft.com/azure/virtual-network/virtual-network-service-endpoints-overview"""
    option = "subnets[{0}].service_endpoints".format(subnet)
    for place, service in enumerate(services or ()):
        if not _SERVICE.match(service):
            raise InputError(option, "{0}: '{1}' names no service: give it as Azure does, for instance Microsoft.Storage.".format(option, service))
        if service.lower() in [other.lower() for other in services[:place]]:
            raise InputError(option, "{0} names {1} twice: name it once.".format(option, service))
    return None if services is None else tuple(services)


def _security_group(item: Mapping[str, Any]) -> SecurityGroup:
    name = names.check_name("security_groups[].name", item["name"], "network security group")
    if item.get("rules") is None:
        return SecurityGroup(name, None)
    option = "security_groups[{0}].rules".format(name)
    rules = item["rules"]
    names.check_unique(option, [rule["name"] for rule in rules])
    taken: Dict[Tuple[str, int], str] = {}
    for rule in rules:
        place = (rule["direction"], rule["priority"])
        if place in taken:
            raise InputError(option, "{0}: '{1}' and '{2}' both have priority {3} for {4} traffic: Azure needs a different one for each."
                             .format(option, taken[place], rule["name"], rule["priority"], rule["direction"]))
        taken[place] = rule["name"]
    return SecurityGroup(name, tuple(_rule(option, rule) for rule in rules))


def _rule(option: str, rule: Mapping[str, Any]) -> Dict[str, Any]:
    """The ARM body of a security rule."""
    option = "{0}[{1}]".format(option, rule["name"])
    names.check_name(option + ".name", rule["name"], "security rule")
    if not PRIORITIES[0] <= rule["priority"] <= PRIORITIES[1]:
        raise InputError(option + ".priority", "{0}.priority is {1}: Azure takes {2} to {3}.".format(option, rule["priority"], *PRIORITIES))
    properties: Dict[str, Any] = {
        "priority": rule["priority"],
        "direction": rule["direction"],
        "access": rule["access"],
        "protocol": rule["protocol"],
    }
    for side in ("source", "destination"):
        for what, single, plural, check in (
            ("address_prefixes", "AddressPrefix", "AddressPrefixes", names.check_source),
            ("port_ranges", "PortRange", "PortRanges", names.check_port_range),
        ):
            key = "{0}_{1}".format(side, what)
            values = [check("{0}.{1}".format(option, key), text) for text in rule.get(key) or ["*"]]
            # One value goes into the single property: Azure takes * and service tags there only.
            properties[side + single] = values[0] if len(values) == 1 else None
            properties[side + plural] = values if len(values) > 1 else None
    if rule.get("description") is not None:
        if len(rule["description"]) > MAX_DESCRIPTION:
            raise InputError(option + ".description", "{0}.description has {1} characters: Azure takes {2}.".format(
                option, len(rule["description"]), MAX_DESCRIPTION))
        properties["description"] = rule["description"]
    return {"name": rule["name"], "properties": properties}


def _nat_gateway(item: Mapping[str, Any]) -> NatGateway:
    name = names.check_name("nat_gateways[].name", item["name"], "NAT gateway")
    minutes = IDLE_MINUTES[0] if item.get("idle_timeout") is None else item["idle_timeout"]
    if not IDLE_MINUTES[0] <= minutes <= IDLE_MINUTES[1]:
        raise InputError("nat_gateways", "nat_gateways[{0}].idle_timeout is {1}: it is {2} to {3} minutes.".format(name, minutes, *IDLE_MINUTES))
    return NatGateway(name, _reference("nat_gateways[{0}].public_ip".format(name), item.get("public_ip"), "public IP address") or "", minutes)


def _reference(option: str, value: Optional[str], kind: str) -> Optional[str]:
    """What is beside it or elsewhere: a name, an id, empty for none."""
    if not value:
        return value
    if value.startswith("/"):
        if not _ID.match(value):
            raise InputError(option, "{0} is '{1}', which is no id: it begins with /subscriptions/ID/resourceGroups/NAME/providers/. Give the whole id, or a "
                             "name in this resource group.".format(option, value))
        return value
    return names.check_name(option, value, kind)


def _public_address(item: Mapping[str, Any]) -> PublicAddress:
    name = names.check_name("public_ips[].name", item["name"], "public IP address")
    option = "public_ips[{0}]".format(name)
    label = item.get("dns_label")
    return PublicAddress(
        name, tuple(names.check_zones(option + ".zones", item.get("zones"))),
        None if label is None else names.check_dns_label(option + ".dns_label", label),
    )
