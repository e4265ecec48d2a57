# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The interfaces of a host: its addresses, those beside its first, and how the machine refers to them (private, pure).

A machine's own PUT could make its interface (C(networkInterfaceConfigurations)): see docs/architecture.md for why not.
"""

from __future__ import annotations

from typing import Any, Dict, Iterable, List, Mapping, Optional

from ansible_collections.dockhost.azure.plugins.module_utils._model.host import key
from ansible_collections.dockhost.azure.plugins.module_utils._model.host_group import INTERFACE, FurtherInterface, HostGroup, Slot
from ansible_collections.dockhost.azure.plugins.module_utils._model.resource import Resource

IP_CONFIGURATION = "primary"
OF_MACHINE = "properties.networkProfile.networkInterfaces"


def allocation(addresses: Optional[Mapping[str, str]], host: str, actual: Optional[Mapping[str, Any]]) -> Dict[str, Any]:
    """How an interface gets its private address; nothing where that is not said and the interface is there.

    :param addresses: the addresses that are to be static, by host
    """
    if addresses is None:
        return {} if actual else {"privateIPAllocationMethod": "Dynamic"}
    address = addresses.get(host.lower())
    if address is None:
        return {"privateIPAllocationMethod": "Dynamic"}
    return {"privateIPAllocationMethod": "Static", "privateIPAddress": address}


def further_id(group: HostGroup, slot: Slot, wanted: FurtherInterface) -> str:
    """Id of an interface beside the first."""
    return group.naming.any(INTERFACE, f"{slot.name}-{wanted.name}")


def ids(group: HostGroup, slot: Slot) -> List[str]:
    """All interfaces that the group says a host has, the first one first."""
    return [group.naming.interface(slot.name), *(further_id(group, slot, one) for one in group.further_interfaces or ())]


def of_machine(group: HostGroup, slot: Slot) -> List[Dict[str, Any]]:
    """The machine's references to them: Azure deletes them together with it."""
    return [
        {"id": one, "properties": {"primary": not position, "deleteOption": "Delete"}}
        for position, one in enumerate(ids(group, slot))
    ]


def same(group: HostGroup, slot: Slot, actual: Mapping[str, Any]) -> bool:
    """Whether a machine has the interfaces that it is to have; more of them, where the group says nothing of those."""
    profile = (actual.get("properties") or {}).get("networkProfile") or {}
    have = {key(reference.get("id")) for reference in profile.get("networkInterfaces") or ()}
    wanted = {key(one) for one in ids(group, slot)}
    return wanted <= have if group.further_interfaces is None else wanted == have


def further(group: HostGroup, slot: Slot, wanted: FurtherInterface, tags: Mapping[str, Any], actual: Optional[Mapping[str, Any]]) -> Resource:
    """An interface beside the first.

    :param actual: the interface as it is
    """
    configuration: Dict[str, Any] = {"primary": True, "subnet": {"id": wanted.subnet}}
    configuration.update(allocation(wanted.private_addresses, slot.name, actual))
    if wanted.application_security_groups is not None:
        configuration["applicationSecurityGroups"] = references(wanted.application_security_groups)
    properties: Dict[str, Any] = {"ipConfigurations": [{"name": IP_CONFIGURATION, "properties": configuration}]}
    if wanted.security_group:
        properties["networkSecurityGroup"] = {"id": wanted.security_group}
    if wanted.accelerated_networking is not None:
        properties["enableAcceleratedNetworking"] = wanted.accelerated_networking
    return Resource(
        id=further_id(group, slot, wanted),
        type=INTERFACE,
        body={"location": group.location, "tags": tags, "properties": properties},
        depends_on=(wanted.subnet,),
        immutable=("location", "properties.ipConfigurations.properties.subnet"),
        delete_with=group.naming.machine(slot.name),
    )


def references(ids_: Iterable[str]) -> List[Dict[str, str]]:
    """Ids as ARM refers to them."""
    return [{"id": resource_id} for resource_id in ids_]
