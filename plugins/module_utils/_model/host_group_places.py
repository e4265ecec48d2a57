# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be known to be wrong about addresses, further interfaces, disks of the system and Spot (private, pure)."""

from __future__ import annotations

import ipaddress
import re
from typing import Any, Dict, List, Mapping, Optional, Set

from ansible_collections.dockhost.azure.plugins.module_utils._errors import InputError

_SUBNET = re.compile(
    r"^/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft\.Network/virtualNetworks/[^/]+/subnets/[^/]+$",
    re.IGNORECASE,
)
_INTERFACE = re.compile(r"^[a-z]([a-z0-9-]{0,14}[a-z0-9])?$", re.IGNORECASE)
_IDENTITY = re.compile(
    r"^/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft\.ManagedIdentity/userAssignedIdentities/[^/]+$", re.IGNORECASE
)


def check(params: Mapping[str, Any]) -> None:
    """Raise InputError for the first option that cannot work."""
    used: Dict[str, str] = {}
    _addresses("private_addresses", params.get("private_addresses"), params, used)
    _interfaces(params, used)
    _system_disk(params)
    _spot(params)
    for one in (params.get("identities") or {}).get("user_assigned") or ():
        if not _IDENTITY.match(one):
            raise InputError("identities", f"identities: '{one}' is not the id of a user-assigned identity: az identity list shows the ids.")


def check_subnet(option: str, subnet: Any) -> None:
    """A subnet is given by its id, or by its network and name."""
    if isinstance(subnet, str) and _SUBNET.match(subnet):
        return
    if not isinstance(subnet, Mapping) or not subnet.get("network") or not subnet.get("name"):
        raise InputError(option, f"{option}: give the id of a subnet, or a mapping with network and name.")


def _hosts(params: Mapping[str, Any]) -> Optional[Set[str]]:
    """The hosts that the options name, in lower case; None where their number says only how many."""
    if params.get("names") is not None:
        return {name.lower() for name in params["names"]}
    return None


def _addresses(option: str, given: Optional[Mapping[str, Any]], params: Mapping[str, Any], used: Dict[str, str]) -> None:
    hosts, numbered = _hosts(params), re.compile("^" + re.escape(params["name"]) + "-[1-9][0-9]*$", re.IGNORECASE)
    for name, text in (given or {}).items():
        if hosts is not None and name.lower() not in hosts:
            raise InputError(option, f"{option}: '{name}' is not one of names: correct the name, or add it there.")
        if hosts is None and not numbered.match(name):
            raise InputError(option, f"{option}: '{name}' is not a host of this group: they are called {params['name']}-1, {params['name']}-2 and so on.")
        try:
            address = ipaddress.ip_address(str(text))
        except ValueError:
            address = None
        if address is None or address.version != 4:
            raise InputError(option, f"{option}: '{text}' of host {name} is not an IPv4 address: give one like 10.0.1.10.")
        if str(address) in used:
            raise InputError(option, f"{option}: {address} is given to {used[str(address)]} and to {name}: give each host an address of its own.")
        used[str(address)] = name


def _interfaces(params: Mapping[str, Any], used: Dict[str, str]) -> None:
    seen: List[str] = []
    for one in params.get("further_interfaces") or ():
        name = one["name"]
        if not _INTERFACE.match(name) or name.lower() == "nic" or name.lower().endswith("-nic"):
            raise InputError(
                "further_interfaces",
                f"further_interfaces: '{name}' cannot be a name: use letters, digits and hyphens, at most 16, with a letter first, and "
                "not nic, which is the first interface's.",
            )
        if name.lower() in seen:
            raise InputError("further_interfaces", f"further_interfaces: '{name}' is listed twice: give each interface a name of its own.")
        seen.append(name.lower())
        check_subnet("further_interfaces", one["subnet"])
        _addresses("further_interfaces", one.get("private_addresses"), params, used)


def _system_disk(params: Mapping[str, Any]) -> None:
    """https://learn.microsoft.com/azure/virtual-machines/ephemeral-os-disks"""
    if not params.get("os_disk_ephemeral"):
        return
    if params.get("os_disk_caching") not in (None, "ReadOnly"):
        raise InputError("os_disk_caching", f"os_disk_caching: {params['os_disk_caching']} is not possible with os_disk_ephemeral: leave it out.")
    if params.get("os_disk_type") not in (None, "Standard_LRS"):
        raise InputError("os_disk_type", f"os_disk_type: {params['os_disk_type']} is not possible with os_disk_ephemeral: leave it out.")
    if params.get("spot") is not None and params["spot"].get("eviction_policy") != "Delete":
        raise InputError(
            "spot", "spot: eviction_policy Deallocate is not possible with os_disk_ephemeral, since Azure does not deallocate such a host: give Delete."
        )


def _spot(params: Mapping[str, Any]) -> None:
    """https://learn.microsoft.com/azure/virtual-machines/spot-vms"""
    spot = params.get("spot")
    if spot is None:
        return
    price = spot.get("max_price")
    if price is not None and price != -1 and price <= 0:
        raise InputError("spot", f"spot: max_price {price:g} is not possible: give a price per hour above 0, or -1 for that of an ordinary host.")
    if params.get("availability_set"):
        raise InputError("spot", "spot: Azure has no Spot hosts in an availability set: leave availability_set out, or spot.")
