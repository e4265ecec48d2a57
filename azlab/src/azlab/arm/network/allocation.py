# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses inside subnets. Azure keeps the first four and the last one of each subnet for itself."""
from __future__ import annotations

import ipaddress
import itertools
from typing import Any

from azlab.arm.network.vnets import subnet_prefixes
from azlab.arm.wire import Answer, Call
from azlab.errors import network_error
from azlab.ids import parse
from azlab.store import Resource, Store

RESERVED_FIRST = 4


def find_subnet(store: Store, subnet_id: str) -> tuple[Resource, dict[str, Any]] | None:
    """(virtual network, subnet) of a subnet's id."""
    rid = parse(subnet_id)
    vnet = store.get(str(rid.root)) if rid else None
    for subnet in vnet.properties.get("subnets", []) if vnet else ():
        if subnet["id"].lower() == subnet_id.lower():
            return vnet, subnet  # type: ignore[return-value]
    return None


def parts_with_addresses(resource: Resource) -> list[dict[str, Any]]:
    """The parts of a resource that hold private addresses."""
    p = resource.properties
    parts: list[dict[str, Any]] = p.get("ipConfigurations") or p.get("frontendIPConfigurations") or []
    return parts


def taken_addresses(store: Store, subnet_id: str) -> dict[str, str]:
    """{address: id of the part that holds it} of a subnet."""
    taken: dict[str, str] = {}
    for part_id, resource in store.referring(subnet_id):
        for part in parts_with_addresses(resource):
            if part["id"] == part_id and part["properties"].get("privateIPAddress"):
                taken[part["properties"]["privateIPAddress"]] = part_id
    return taken


def allocate(store: Store, subnet: dict[str, Any], part: dict[str, Any], old: dict[str, Any] | None,
             reserved: set[str]) -> None:
    """Give `part` (an IP configuration) its private address. `reserved`: given out in the same request already."""
    p = part["properties"]
    network = ipaddress.ip_network(subnet_prefixes(subnet["properties"])[0])
    taken = {a: user for a, user in taken_addresses(store, subnet["id"]).items()
             if user.lower() != part["id"].lower()}
    method = str(p.get("privateIPAllocationMethod", "Dynamic")).capitalize()
    p["privateIPAllocationMethod"] = method
    if method == "Static":
        p["privateIPAddress"] = _static(str(p.get("privateIPAddress", "")), network, part["id"], taken)
    else:
        keep = old["properties"].get("privateIPAddress") if old and _same_subnet(old, subnet) else None
        p["privateIPAddress"] = keep or _dynamic(network, taken, reserved, subnet)
    reserved.add(p["privateIPAddress"])


def _same_subnet(old: dict[str, Any], subnet: dict[str, Any]) -> bool:
    return bool(old["properties"].get("subnet", {}).get("id", "").lower() == subnet["id"].lower())


def _static(address: str, network: Any, part_id: str, taken: dict[str, str]) -> str:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        raise network_error("private_outside", address=address, prefix=network) from None
    if parsed not in network:
        raise network_error("private_outside", address=address, prefix=network)
    offset = int(parsed) - int(network.network_address)
    if offset < RESERVED_FIRST or parsed == network.broadcast_address:
        raise network_error("private_reserved", address=address, prefix=network)
    if str(parsed) in taken:
        raise network_error("private_taken", source=part_id, address=address, user=taken[str(parsed)])
    return str(parsed)


def _dynamic(network: Any, taken: dict[str, str], reserved: set[str], subnet: dict[str, Any]) -> str:
    for offset in range(RESERVED_FIRST, network.num_addresses - 1):
        address = str(network.network_address + offset)
        if address not in taken and address not in reserved:
            return address
    raise network_error("subnet_full", subnet=subnet["name"], prefix=network)


def availability(call: Call, network: Resource) -> Answer:
    """CheckIPAddressAvailability: whether an address of a network is free, and five that are when it is not."""
    try:
        asked = ipaddress.ip_address(call.query.get("ipaddress", ""))
    except ValueError:
        raise network_error("address_format", address=call.query.get("ipaddress", "")) from None
    for subnet in network.properties.get("subnets", []):
        prefix = ipaddress.ip_network(subnet_prefixes(subnet["properties"])[0])
        if asked not in prefix:
            continue
        taken = taken_addresses(call.lab.store, subnet["id"])
        offset = int(asked) - int(prefix.network_address)
        reserved = offset < RESERVED_FIRST or asked == prefix.broadcast_address
        if str(asked) not in taken and not reserved:
            return Answer(200, {"available": True, "isPlatformReserved": False})
        hosts = (str(prefix.network_address + o) for o in range(RESERVED_FIRST, prefix.num_addresses - 1))
        free = list(itertools.islice((h for h in hosts if h not in taken), 5))
        return Answer(200, {"available": False, "availableIPAddresses": free, "isPlatformReserved": reserved})
    raise network_error("address_outside", address=asked, network=network.name)
