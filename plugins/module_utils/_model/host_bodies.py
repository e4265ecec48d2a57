# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ARM bodies of a host's machine, interface and address (private to dockhost.azure, pure).

Properties: https://learn.microsoft.com/rest/api/compute/virtual-machines/create-or-update and
https://learn.microsoft.com/rest/api/virtualnetwork/network-interfaces/create-or-update
"""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional

from ansible_collections.dockhost.azure.plugins.module_utils._model import custom_data
from ansible_collections.dockhost.azure.plugins.module_utils._model import host_interfaces as nics
from ansible_collections.dockhost.azure.plugins.module_utils._model.host import TAG_CUSTOM_DATA, key
from ansible_collections.dockhost.azure.plugins.module_utils._model.host_group import (
    ADDRESS,
    INTERFACE,
    VIRTUAL_MACHINE,
    HostGroup,
    Slot,
    custom_data_salt,
)
from ansible_collections.dockhost.azure.plugins.module_utils._model.resource import (
    TAG_DEPLOYMENT,
    TAG_GROUP,
    TAG_INDEX,
    TAG_SWARM_ROLE,
    Resource,
)

# What Azure keeps for the life of a machine, and what it restarts a running one for: that is taken out where it is allowed.
MACHINE_IMMUTABLE = (
    "location",
    "zones",
    "plan",
    "tags." + TAG_CUSTOM_DATA,
    "properties.hardwareProfile.vmSize",
    "properties.storageProfile.imageReference",
    "properties.storageProfile.osDisk.name",
    "properties.storageProfile.osDisk.diskSizeGB",
    "properties.storageProfile.osDisk.managedDisk",
    "properties.storageProfile.osDisk.caching",
    "properties.storageProfile.osDisk.diffDiskSettings",
    "properties.storageProfile.dataDisks.diskSizeGB",
    "properties.storageProfile.dataDisks.lun",
    "properties.osProfile",
    "properties.availabilitySet",
    "properties.proximityPlacementGroup",
    "properties.priority",
    "properties.evictionPolicy",
    "properties.billingProfile",
    "properties.securityProfile",
)

# https://learn.microsoft.com/azure/virtual-machines/disks-performance-caching: the cache of the system's disk restarts it too.
RESTARTING = ("properties.hardwareProfile.vmSize", "properties.storageProfile.osDisk.caching")

# Tags of these beginnings are not the user's to remove: ours, and those that Azure hides from people.
KEPT_TAGS = ("dockhost-", "hidden-")


def tags(group: HostGroup, slot: Slot, actual: Optional[Mapping[str, Any]] = None) -> Dict[str, Optional[str]]:
    """The user's tags and ours; ours win, ownership hangs on them. C(None) is a tag that has to go.

    :param actual: the resource as it is
    """
    found: Dict[str, Optional[str]] = dict(group.tags)
    if not group.append_tags:
        wanted = {name.lower() for name in found}
        there = [name for name in (actual or {}).get("tags") or {} if not name.lower().startswith(KEPT_TAGS)]
        found.update({name: None for name in there if name.lower() not in wanted})
    found[TAG_DEPLOYMENT] = group.deployment
    found[TAG_GROUP] = group.name
    if slot.index:  # hosts of a scale set have no numbers
        found[TAG_INDEX] = str(slot.index)
    role = group.role(slot)
    if role:
        found[TAG_SWARM_ROLE] = role
    return found


def address(group: HostGroup, slot: Slot, actual: Optional[Mapping[str, Any]] = None) -> Resource:
    """The host's own public address."""
    body = {
        "location": group.location,
        "tags": tags(group, slot, actual),
        "sku": {"name": "Standard"},
        "properties": {"publicIPAllocationMethod": "Static", "publicIPAddressVersion": "IPv4"},
    }
    return Resource(
        id=group.naming.address(slot.name),
        type=ADDRESS,
        body=body,
        immutable=("location", "sku", "properties.publicIPAddressVersion"),
        delete_with=group.naming.machine(slot.name),
    )


def interface(group: HostGroup, slot: Slot, has_address: bool = False, actual: Optional[Mapping[str, Any]] = None) -> Resource:
    """The host's network interface.

    :param actual: the interface as it is
    :param has_address: the host's own address is there; where the group has none, the interface lets go of it
    """
    configuration: Dict[str, Any] = {"primary": True, "subnet": {"id": group.subnet}}
    configuration.update(nics.allocation(group.private_addresses, slot.name, actual))
    if group.load_balancer_pools is not None:
        configuration["loadBalancerBackendAddressPools"] = nics.references(group.load_balancer_pools)
    if group.application_security_groups is not None:
        configuration["applicationSecurityGroups"] = nics.references(group.application_security_groups)
    needs = [group.subnet]
    if group.public_ip:
        reference = {"id": group.naming.address(slot.name), "properties": {"deleteOption": "Delete"}}
        configuration["publicIPAddress"] = reference
        needs.append(reference["id"])
    elif has_address:
        configuration["publicIPAddress"] = None
    properties: Dict[str, Any] = {"ipConfigurations": [{"name": nics.IP_CONFIGURATION, "properties": configuration}]}
    if group.security_group:
        properties["networkSecurityGroup"] = {"id": group.security_group}
    if group.accelerated_networking is not None:
        properties["enableAcceleratedNetworking"] = group.accelerated_networking
    return Resource(
        id=group.naming.interface(slot.name),
        type=INTERFACE,
        body={"location": group.location, "tags": tags(group, slot, actual), "properties": properties},
        depends_on=tuple(needs),
        immutable=("location", "properties.ipConfigurations.properties.subnet"),
        delete_with=group.naming.machine(slot.name),
    )


def machine(
    group: HostGroup, slot: Slot, actual: Optional[Mapping[str, Any]], resizable: bool, deallocated: bool = False
) -> Resource:
    """The virtual machine.

    :param actual: the machine as it is, or None where it is to be made
    :param resizable: whether a size may change (Azure restarts a running machine for it)
    :param deallocated: whether it is deallocated: only then Azure lets interfaces come and go
    """
    body: Dict[str, Any] = {"location": group.location, "tags": tags(group, slot, actual), "properties": _properties(group, slot, actual)}
    zone = group.zone(slot.index)
    if zone:
        body["zones"] = _kept_zone(group, actual) or [zone]
    if group.identities is not None:
        body["identity"] = identity(group.identities, actual)
    if group.image_plan:
        body["plan"] = {name: value for name, value in group.image_plan.items() if value is not None}
    if group.custom_data is not None:
        salt = custom_data_salt(group.naming.subscription_id, group.naming.resource_group, group.name)
        body["tags"][TAG_CUSTOM_DATA] = custom_data.digest(group.custom_data, salt)
    immutable = tuple(path for path in MACHINE_IMMUTABLE if not (resizable and path in RESTARTING))
    if actual is not None and not deallocated and not nics.same(group, slot, actual):
        immutable += (nics.OF_MACHINE,)
    shared = {"properties.storageProfile.dataDisks": ""}
    if group.further_interfaces is None:
        shared[nics.OF_MACHINE] = ""
    return Resource(
        id=group.naming.machine(slot.name),
        type=VIRTUAL_MACHINE,
        body=body,
        depends_on=tuple(nics.ids(group, slot)),
        immutable=immutable,
        shared_lists=shared,
        create_only=("properties.osProfile.customData",),
        hidden=("properties.osProfile.customData",),
        wait="list",
    )


def _properties(group: HostGroup, slot: Slot, actual: Optional[Mapping[str, Any]]) -> Dict[str, Any]:
    properties: Dict[str, Any] = {
        "hardwareProfile": {"vmSize": group.size},
        "storageProfile": _storage(group, slot, actual),
        "osProfile": _system(group, slot, actual),
        "networkProfile": {"networkInterfaces": nics.of_machine(group, slot)},
    }
    if group.boot_diagnostics is not None:
        properties["diagnosticsProfile"] = {"bootDiagnostics": {"enabled": group.boot_diagnostics}}
    if group.availability_set:
        properties["availabilitySet"] = {"id": group.availability_set}
    if group.proximity_placement_group:
        properties["proximityPlacementGroup"] = {"id": group.proximity_placement_group}
    if group.license_type:
        properties["licenseType"] = group.license_type
    if group.security_profile:
        properties["securityProfile"] = _security(group.security_profile)
    if group.termination_notice:
        notice = {"enable": True, "notBeforeTimeout": f"PT{group.termination_notice}M"}
        properties["scheduledEventsProfile"] = {"terminateNotificationProfile": notice}
    elif group.termination_notice == 0 and _has_notice(actual):
        properties["scheduledEventsProfile"] = {"terminateNotificationProfile": {"enable": False}}
    if group.spot:
        properties["priority"] = "Spot"
        properties["evictionPolicy"] = group.spot.get("eviction_policy") or "Deallocate"
        properties["billingProfile"] = {"maxPrice": -1 if group.spot.get("max_price") is None else group.spot["max_price"]}
    return properties


def _has_notice(actual: Optional[Mapping[str, Any]]) -> bool:
    profile = ((actual or {}).get("properties") or {}).get("scheduledEventsProfile") or {}
    return bool((profile.get("terminateNotificationProfile") or {}).get("enable"))


def _storage(group: HostGroup, slot: Slot, actual: Optional[Mapping[str, Any]]) -> Dict[str, Any]:
    disk: Dict[str, Any] = {
        "name": group.naming.disk_name(slot.name),
        "createOption": "FromImage",
        "deleteOption": "Delete",
    }
    if group.os_disk_ephemeral:
        # https://learn.microsoft.com/azure/virtual-machines/ephemeral-os-disks-deploy: such a disk is cached for reading.
        disk.update(diffDiskSettings={"option": "Local", "placement": group.os_disk_ephemeral}, caching="ReadOnly")
        disk["managedDisk"] = {"storageAccountType": "Standard_LRS"}
    elif group.os_disk_caching or actual is None:
        disk["caching"] = group.os_disk_caching or "ReadWrite"
    if group.os_disk_size_gb:
        disk["diskSizeGB"] = group.os_disk_size_gb
    if group.os_disk_type:
        disk["managedDisk"] = {"storageAccountType": group.os_disk_type}
    storage: Dict[str, Any] = {"imageReference": group.image.reference() if group.image else {}, "osDisk": disk}
    if group.data_disks:
        storage["dataDisks"] = [_data_disk(group, slot, wanted) for wanted in group.data_disks]
    return storage


def _data_disk(group: HostGroup, slot: Slot, wanted: Mapping[str, Any]) -> Dict[str, Any]:
    disk: Dict[str, Any] = {
        "name": group.naming.data_disk_name(slot.name, wanted["lun"]),
        "lun": wanted["lun"],
        "createOption": "Empty",
        "diskSizeGB": wanted["size_gb"],
        "caching": wanted.get("caching") or "None",
        "deleteOption": "Delete",
    }
    if wanted.get("type"):
        disk["managedDisk"] = {"storageAccountType": wanted["type"]}
    return disk


def _system(group: HostGroup, slot: Slot, actual: Optional[Mapping[str, Any]]) -> Dict[str, Any]:
    home = f"/home/{group.admin_username}/.ssh/authorized_keys"
    system: Dict[str, Any] = {
        "computerName": group.naming.computer(slot.name),
        "adminUsername": group.admin_username,
        "linuxConfiguration": {
            "disablePasswordAuthentication": True,
            "ssh": {"publicKeys": _public_keys(group, actual) or [{"path": home, "keyData": text} for text in group.ssh_public_keys]},
        },
    }
    if group.custom_data and actual is None:
        system["customData"] = custom_data.encode(group.custom_data)
    return system


def _public_keys(group: HostGroup, actual: Optional[Mapping[str, Any]]) -> Optional[List[Any]]:
    """The keys that the machine has already, where they are the wanted ones: order and comments mean nothing."""
    system = ((actual or {}).get("properties") or {}).get("osProfile") or {}
    have = ((system.get("linuxConfiguration") or {}).get("ssh") or {}).get("publicKeys") or []
    texts = {" ".join(str(entry.get("keyData")).split()[:2]) for entry in have}
    return have if texts == {" ".join(text.split()[:2]) for text in group.ssh_public_keys} else None


def _security(wanted: Mapping[str, Any]) -> Dict[str, Any]:
    profile: Dict[str, Any] = {}
    if wanted.get("encryption_at_host") is not None:
        profile["encryptionAtHost"] = wanted["encryption_at_host"]
    if (wanted.get("security_type") or "Standard") != "Standard":
        profile["securityType"] = wanted["security_type"]
        profile["uefiSettings"] = {
            "secureBootEnabled": wanted.get("secure_boot") is not False,
            "vTpmEnabled": wanted.get("vtpm") is not False,
        }
    return profile


def identity(wanted: Mapping[str, Any], actual: Optional[Mapping[str, Any]]) -> Dict[str, Any]:
    kinds = []
    if wanted.get("system_assigned"):
        kinds.append("SystemAssigned")
    users = wanted.get("user_assigned") or []
    if users:
        kinds.append("UserAssigned")
    identity: Dict[str, Any] = {"type": ", ".join(kinds) or "None"}
    if users:
        # Azure fills in principalId and clientId: what it has for an identity is taken as it is.
        have = {key(name): value for name, value in (((actual or {}).get("identity") or {}).get("userAssignedIdentities") or {}).items()}
        identity["userAssignedIdentities"] = {name: have.get(key(name)) or {} for name in users}
    return identity


def _kept_zone(group: HostGroup, actual: Optional[Mapping[str, Any]]) -> Optional[List[str]]:
    """The zone that a host has already, where it is one of the wanted: a longer list of zones moves nobody."""
    zones = [str(zone) for zone in (actual or {}).get("zones") or []]
    return zones if zones and all(zone in group.zones for zone in zones) else None
