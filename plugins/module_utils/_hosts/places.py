# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where new hosts are to be: what they refer to, their static addresses, and what their size can carry (private, pure)."""

from __future__ import annotations

import ipaddress
from typing import Any, Dict, Iterable, List, Mapping, Optional, Sequence, Tuple

from ansible_collections.dockhost.azure.plugins.module_utils._model.host import key
from ansible_collections.dockhost.azure.plugins.module_utils._model.host_group import HostGroup, Slot
from ansible_collections.dockhost.azure.plugins.module_utils._model.resource import type_word

# Names of the network's list of usages that a static address of SKU Standard counts for.
ADDRESS_QUOTAS = ("publicipaddresses", "staticpublicipaddresses", "standardskupublicipaddresses")

Body = Mapping[str, Any]
Problem = Tuple[str, str]


def size_problems(group: HostGroup, size: Body) -> List[Problem]:
    """What the size cannot carry. https://learn.microsoft.com/rest/api/compute/resource-skus/list: C(capabilities)"""
    can = {str(cap.get("name")): str(cap.get("value")) for cap in size.get("capabilities") or ()}
    found: List[Problem] = []
    if group.os_disk_ephemeral and can.get("EphemeralOSDiskSupported", "True").lower() == "false":
        found.append(("os_disk_ephemeral", f"os_disk_ephemeral: size {group.size} has no place for an ephemeral disk: leave it out, or choose another size."))
    if group.accelerated_networking and can.get("AcceleratedNetworkingEnabled", "True").lower() == "false":
        text = f"accelerated_networking: size {group.size} does not support it: leave it out, or choose another size."
        found.append(("accelerated_networking", text))
    for option, name, wanted, what in (
        ("data_disks", "MaxDataDiskCount", len(group.data_disks), "data disks"),
        ("further_interfaces", "MaxNetworkInterfaces", 1 + len(group.further_interfaces or ()), "network interfaces"),
    ):
        limit = can.get(name, "")
        if limit.isdigit() and wanted > int(limit):
            found.append((option, f"{option}: size {group.size} takes {limit} {what} and {wanted} are asked for: give fewer, or choose another size."))
    if group.spot and can.get("LowPriorityCapable", "True").lower() == "false":
        found.append(("spot", f"spot: size {group.size} is not offered as Spot: leave it out, or choose another size."))
    return found


def address_quota(usages: Iterable[Body], count: int, location: str) -> List[Problem]:
    """Public addresses that the quota has no room for.

    https://learn.microsoft.com/azure/azure-resource-manager/management/azure-subscription-service-limits#publicip-address
    """
    for usage in usages:
        name = usage.get("name") or {}
        left = int(usage.get("limit") or 0) - int(usage.get("currentValue") or 0)
        if str(name.get("value")).lower() in ADDRESS_QUOTAS and count > left:
            text = (
                f"public_ip: {count} more hosts need as many public addresses of the quota '{name.get('localizedValue') or name.get('value')}' in "
                f"{location} and {max(left, 0)} are left: set public_ip=false (hosts go out by a NAT gateway or a load balancer), lower count, or ask "
                "for more at https://portal.azure.com/#view/Microsoft_Azure_Capacity/QuotaMenuBlade."
            )
            return [("public_ip", text)]
    return []


def reference_problems(group: HostGroup, references: Mapping[str, Optional[Body]]) -> List[Problem]:
    """What the hosts refer to and is not there, or is in another region."""
    found: Dict[Tuple[str, str], None] = {}
    for option, one in group.references():
        path, dummy, subnet = one.partition("/subnets/")
        if key(path) not in references:
            continue
        body, (scope, type_, name) = references[key(path)], _parts(path)
        what = f"the {type_word(type_)} '{name}'"
        if body is None:
            text = f"{what} does not exist in resource group {scope}: correct the name, or make it first"
        elif subnet and subnet.lower() not in _subnets(body):
            text = f"{what} has no subnet '{subnet}' (it has: {', '.join(_subnets(body)) or 'none'}): correct the name"
        elif _elsewhere(group, type_, body):
            text = f"{what} is in {body.get('location')} and the hosts are to be in {group.location}: both have to be in one region"
        else:
            continue
        found[option, f"{option}: {text}."] = None
    return list(found)


def _parts(path: str) -> Tuple[str, str, str]:
    """(resource group, type, name) of an id."""
    parts = path.split("/")
    return parts[4], f"{parts[6]}/{parts[7]}", parts[-1]


def _subnets(network: Body) -> List[str]:
    return [str(entry.get("name")).lower() for entry in (network.get("properties") or {}).get("subnets") or ()]


def _elsewhere(group: HostGroup, type_: str, body: Body) -> bool:
    """Whether it cannot be used since it is in another region; an identity can be used from anywhere."""
    if "identit" in type_.lower() or not body.get("location"):
        return False
    return str(body["location"]).replace(" ", "").lower() != group.location.replace(" ", "").lower()


def address_problems(group: HostGroup, creating: Sequence[Slot], subnet: Body, interfaces: Iterable[Body]) -> List[Problem]:
    """Static addresses of new hosts that Azure would refuse."""
    wanted = {slot.name: (group.private_addresses or {}).get(slot.name.lower()) for slot in creating}
    properties = subnet.get("properties") or {}
    prefixes = [ipaddress.ip_network(text, strict=False) for text in properties.get("addressPrefixes") or [properties.get("addressPrefix")] if text]
    taken = _taken(subnet, interfaces)
    for host, text in wanted.items():
        if text is None:
            continue
        address = ipaddress.ip_address(text)
        around = next((prefix for prefix in prefixes if address in prefix), None)
        user = taken.get(text)
        if around is None:
            why = f"is not in subnet {subnet.get('name')} ({', '.join(str(prefix) for prefix in prefixes)}): give one that is"
        elif int(address) - int(around.network_address) < 4 or address == around.broadcast_address:
            why = f"is one of the five that Azure keeps in {around} (the first four and the last): give another"
        elif user is not None and user != key(group.naming.interface(host)):
            why = f"is taken by the network interface {user.rsplit('/', 1)[-1]}: give another"
        else:
            continue
        return [("private_addresses", f"private_addresses: {text} of host {host} {why}.")]
    return []


def _taken(subnet: Body, interfaces: Iterable[Body]) -> Dict[str, str]:
    """The addresses of a subnet that interfaces of this resource group have, and the id of the interface."""
    found = {}
    for interface in interfaces:
        for entry in (interface.get("properties") or {}).get("ipConfigurations") or ():
            details = entry.get("properties") or {}
            if key((details.get("subnet") or {}).get("id")) == key(subnet.get("id")) and details.get("privateIPAddress"):
                found[str(details["privateIPAddress"])] = key(interface.get("id"))
    return found
