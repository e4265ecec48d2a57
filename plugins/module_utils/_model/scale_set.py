# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host group as one flexible scale set (private to dockhost.azure, pure).

One request makes all hosts; their names, and those of their interfaces, addresses and disks, are Azure's choice, so that they are
read from the machines instead of made up. https://learn.microsoft.com/rest/api/compute/virtual-machine-scale-sets/create-or-update
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Any, Dict, Iterable, List, Mapping, Optional

from ansible_collections.dockhost.azure.plugins.module_utils._model import custom_data, host_bodies, host_interfaces
from ansible_collections.dockhost.azure.plugins.module_utils._model.host import (
    TAG_CUSTOM_DATA,
    interface_of,
    key,
    primary_configuration,
)
from ansible_collections.dockhost.azure.plugins.module_utils._model.host_group import HostGroup, Naming, Slot, custom_data_salt
from ansible_collections.dockhost.azure.plugins.module_utils._model.resource import Resource

SCALE_SET = "Microsoft.Compute/virtualMachineScaleSets"
NETWORK_API = "2022-11-01"  # of what the set makes of its interface configuration
PREFIX = "properties.virtualMachineProfile."
CUSTOM_DATA = PREFIX + "osProfile.customData"

# What Azure keeps for the life of a set, and the option that says it.
FIXED: Mapping[str, str] = {
    "location": "location",
    "zones": "zones",
    "plan": "image_plan",
    "properties.proximityPlacementGroup": "proximity_placement_group",
    PREFIX + "osProfile.adminUsername": "admin_username",
}
# Members of a machine's properties that a profile has in the same form.
_ALIKE = ("diagnosticsProfile", "licenseType", "securityProfile", "scheduledEventsProfile", "priority", "evictionPolicy", "billingProfile")

Body = Mapping[str, Any]


@dataclass(frozen=True)
class SetNaming(Naming):
    """Naming for hosts that are there already: what belongs to a host is called as Azure called it.

    :ivar known: host in lower case -> C(interface), C(address), C(disk) (ids), C(computer), and C(data) (LUN -> name)
    """

    known: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def _of(self, host: str, what: str) -> Any:
        return self.known.get(host.lower(), {}).get(what)

    def interface(self, host: str) -> str:
        return self._of(host, "interface") or super().interface(host)

    def address(self, host: str) -> str:
        return self._of(host, "address") or super().address(host)

    def disk_name(self, host: str) -> str:
        return self._of(host, "disk") or super().disk_name(host)

    def data_disk_name(self, host: str, lun: int) -> str:
        return (self._of(host, "data") or {}).get(lun) or super().data_disk_name(host, lun)

    def computer(self, host: str) -> str:
        return self._of(host, "computer") or super().computer(host)


def naming(base: Naming, machines: Iterable[Body], interfaces: Iterable[Body]) -> SetNaming:
    """The naming of the machines that a set has."""
    nics = {key(nic["id"]): nic for nic in interfaces}
    known = {}
    for machine in machines:
        properties = machine.get("properties") or {}
        storage = properties.get("storageProfile") or {}
        nic = nics.get(key(interface_of(machine)))
        address = (primary_configuration(nic).get("properties") or {}).get("publicIPAddress") or {}
        known[machine["name"].lower()] = {
            "interface": interface_of(machine),
            "address": address.get("id"),
            "disk": (storage.get("osDisk") or {}).get("name"),
            "computer": (properties.get("osProfile") or {}).get("computerName"),
            "data": {disk.get("lun"): disk.get("name") for disk in storage.get("dataDisks") or ()},
        }
    return SetNaming(base.subscription_id, base.resource_group, known)


def set_of(machine: Body) -> str:
    """The id of the scale set that a machine is in, in lower case, or an empty text."""
    return key(((machine.get("properties") or {}).get("virtualMachineScaleSet") or {}).get("id"))


def made_by(machine: Body, scale_set: Body) -> bool:
    """Whether a set made a machine: it is in it, and has a name that only a set gives."""
    pattern = re.escape(scale_set["name"]) + "_[0-9a-f]{8}"
    return set_of(machine) == key(scale_set["id"]) and re.fullmatch(pattern, machine["name"], re.IGNORECASE) is not None


def resource(group: HostGroup, actual: Optional[Body], capacity: int) -> Resource:
    """The scale set with so many instances."""
    slot = Slot(group.name, 0, 1)
    body: Dict[str, Any] = {
        "location": group.location,
        "tags": host_bodies.tags(group, slot, actual),
        "sku": {"name": group.size, "capacity": capacity},
        "properties": {
            "orchestrationMode": "Flexible",
            "platformFaultDomainCount": 1,
            "singlePlacementGroup": False,
            "virtualMachineProfile": _profile(group, slot, actual),
        },
    }
    if group.zones:
        body["zones"] = list(group.zones)
    if group.image_plan:
        body["plan"] = {name: value for name, value in group.image_plan.items() if value is not None}
    if group.identities is not None:
        body["identity"] = host_bodies.identity(group.identities, actual)
    if group.proximity_placement_group:
        body["properties"]["proximityPlacementGroup"] = {"id": group.proximity_placement_group}
    if group.custom_data is not None:
        salt = custom_data_salt(group.naming.subscription_id, group.naming.resource_group, group.name)
        body["tags"][TAG_CUSTOM_DATA] = custom_data.digest(group.custom_data, salt)
    more = actual is not None and set(map(str, actual.get("zones") or ())) <= set(group.zones) and bool(actual.get("zones"))
    return Resource(
        id=group.naming.any(SCALE_SET, group.name),
        type=SCALE_SET,
        body=body,
        depends_on=(group.subnet,),
        immutable=tuple(path for path in FIXED if not (more and path == "zones")),
        create_only=(CUSTOM_DATA,),
        hidden=(CUSTOM_DATA,),
        wait="list",  # its operation's Retry-After of 30 seconds would be noticed as late as that
    )


def with_custom_data(body: Body, group: HostGroup) -> Body:
    """A body that is sent once more: Azure does not give custom data back, so it is laid in again where it is known."""
    if not group.custom_data:
        return body
    properties = body["properties"]
    profile = properties["virtualMachineProfile"]
    system = {**profile["osProfile"], "customData": custom_data.encode(group.custom_data)}
    return {**body, "properties": {**properties, "virtualMachineProfile": {**profile, "osProfile": system}}}


def _profile(group: HostGroup, slot: Slot, actual: Optional[Body]) -> Dict[str, Any]:
    """What each machine of the set is like: that of a machine of its own, without what is of one machine only."""
    have = ((actual or {}).get("properties") or {}).get("virtualMachineProfile") or {}
    machine = host_bodies.machine(group, slot, {"properties": have} if actual else None, True).body["properties"]
    storage, system = dict(machine["storageProfile"]), dict(machine["osProfile"])
    storage["osDisk"] = {name: value for name, value in storage["osDisk"].items() if name != "name"}
    if "dataDisks" in storage:
        storage["dataDisks"] = [{name: value for name, value in disk.items() if name != "name"} for disk in storage["dataDisks"]]
    system.pop("computerName")
    return {
        "storageProfile": storage,
        "osProfile": {"computerNamePrefix": group.name + "-", **system},
        "networkProfile": {"networkApiVersion": NETWORK_API, "networkInterfaceConfigurations": [_interface(group, slot)]},
        **{name: machine[name] for name in _ALIKE if name in machine},
    }


def _interface(group: HostGroup, slot: Slot) -> Dict[str, Any]:
    tags = {name: value for name, value in host_bodies.tags(group, slot).items() if value is not None}
    nic = host_bodies.interface(replace(group, public_ip=False), slot).body["properties"]
    configuration = dict(nic["ipConfigurations"][0]["properties"])
    configuration.pop("privateIPAllocationMethod")
    configuration["publicIPAddressConfiguration"] = None
    if group.public_ip:
        configuration["publicIPAddressConfiguration"] = {
            "name": group.name + "-ip", "sku": {"name": "Standard"}, "tags": tags, "properties": {"deleteOption": "Delete"},
        }  # fmt: skip
    properties = {**nic, "primary": True, "deleteOption": "Delete", "ipConfigurations": [
        {"name": host_interfaces.IP_CONFIGURATION, "properties": configuration}]}  # fmt: skip
    return {"name": group.name + "-nic", "tags": tags, "properties": properties}


def strangers(machines: Iterable[Body], scale_set: Body, mine: Iterable[Body]) -> List[str]:
    """Names of machines in the set that are not of the group: somebody has put them there."""
    own = {key(machine["id"]) for machine in mine}
    return [machine["name"] for machine in machines if set_of(machine) == key(scale_set["id"]) and key(machine["id"]) not in own]
