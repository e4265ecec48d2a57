# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a Docker host is, read from the lists that Azure Resource Manager returns (private to dockhost.azure).

One host is a virtual machine, its network interface and, where it has one, its public address. Nothing here asks
Azure: the lists come in, hosts come out.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Dict, Iterable, List, Mapping, Optional, Tuple

from ansible_collections.dockhost.azure.plugins.module_utils._model.resource import (
    TAG_DEPLOYMENT,
    TAG_GROUP,
    TAG_INDEX,
    TAG_SWARM_ROLE,
    tag,
)

TAG_CUSTOM_DATA = "dockhost-custom-data"
TAG_REIMAGED = "dockhost-reimaged"


def key(resource_id: Optional[str]) -> str:
    """The form in which ids are compared: Azure returns the same id in different casing."""
    return (resource_id or "").lower()


def id_part(resource_id: str, after: str) -> str:
    """The segment that follows ``after`` in a resource id, or an empty text."""
    parts = resource_id.split("/")
    lowered = [part.lower() for part in parts]
    if after.lower() in lowered:
        position = lowered.index(after.lower()) + 1
        return parts[position] if position < len(parts) else ""
    return ""


@dataclass(frozen=True)
class Status:
    """What the run-time list says of one machine."""

    power_state: Optional[str] = None
    fault_domain: Optional[int] = None
    failure_code: Optional[str] = None
    failure_message: Optional[str] = None

    @classmethod
    def from_api(cls, machine: Mapping[str, Any]) -> Status:
        """Read ``properties.instanceView`` as C(statusOnly=true) and C($expand=instanceView) return it.

        https://learn.microsoft.com/azure/virtual-machines/states-billing
        """
        view = (machine.get("properties") or {}).get("instanceView") or {}
        power = code = message = None
        for status in view.get("statuses") or ():
            kind, dummy, value = str(status.get("code") or "").partition("/")
            if kind.lower() == "powerstate":
                power = value.lower()
            elif kind.lower() == "provisioningstate" and value.lower().startswith("failed"):
                code = value.partition("/")[2] or "ProvisioningFailed"
                message = status.get("message") or status.get("displayStatus") or ""
        domain = view.get("platformFaultDomain")
        return cls(power, int(domain) if domain is not None else None, code, message)


@dataclass(frozen=True)
class Host:
    """One host as the modules return it and as the inventory shows it."""

    name: str
    id: str
    vm_id: str
    resource_group: str
    location: str
    size: str
    private_address: Optional[str]
    public_address: Optional[str]
    zone: Optional[str]
    fault_domain: Optional[int]
    power_state: Optional[str]
    provisioning_state: str
    deployment: Optional[str]
    group: Optional[str]
    index: Optional[int]
    swarm_role: Optional[str]
    admin_username: Optional[str]
    image: Optional[str]
    network_interface: Optional[str]
    tags: Dict[str, str] = field(default_factory=dict)

    def result(self) -> Dict[str, Any]:
        """The host as a plain dictionary, for return values."""
        return asdict(self)

    @property
    def system(self) -> str:
        """What stands for the installed system: another machine has another one, and so has one that was reimaged."""
        count = reimaged({"tags": self.tags})
        return f"{self.vm_id}.{count}" if count else self.vm_id

    @property
    def running(self) -> bool:
        """Whether the machine runs (a machine whose state nobody asked for is not known to run)."""
        return self.power_state == "running"


def interfaces_of(machine: Mapping[str, Any]) -> List[Mapping[str, Any]]:
    """The machine's references to its network interfaces, the primary one first."""
    found = ((machine.get("properties") or {}).get("networkProfile") or {}).get("networkInterfaces") or []
    return sorted(found, key=lambda reference: not (reference.get("properties") or {}).get("primary"))


def interface_of(machine: Mapping[str, Any]) -> Optional[str]:
    """The id of the machine's primary network interface."""
    found = interfaces_of(machine)
    return found[0].get("id") if found else None


def primary_configuration(interface: Optional[Mapping[str, Any]]) -> Mapping[str, Any]:
    """The primary IP configuration of a network interface, or an empty mapping."""
    found = ((interface or {}).get("properties") or {}).get("ipConfigurations") or []
    for configuration in found:
        if (configuration.get("properties") or {}).get("primary"):
            return configuration
    return found[0] if found else {}


def image_text(reference: Mapping[str, Any]) -> Optional[str]:
    """An image reference as people write it."""
    if reference.get("publisher"):
        parts = [reference.get(part) or "" for part in ("publisher", "offer", "sku", "version")]
        return ":".join(parts)
    return reference.get("id") or reference.get("sharedGalleryImageId") or reference.get("communityGalleryImageId")


def index_of(machine: Mapping[str, Any]) -> Optional[int]:
    """The host's number within its group, from its tag."""
    text = tag(machine, TAG_INDEX) or ""
    return int(text) if text.isdigit() else None


def reimaged(machine: Mapping[str, Any]) -> int:
    """How often the machine was given a new disk from its image, from its tag."""
    text = tag(machine, TAG_REIMAGED) or ""
    return int(text) if text.isdigit() else 0


def host_from_api(
    machine: Mapping[str, Any],
    interface: Optional[Mapping[str, Any]] = None,
    address: Optional[Mapping[str, Any]] = None,
    status: Optional[Status] = None,
) -> Host:
    """Build a host of its machine, its interface, its public address and its run-time status."""
    properties = machine.get("properties") or {}
    tags = dict(machine.get("tags") or {})
    zones = machine.get("zones") or []
    status = status or Status.from_api(machine)
    nic = primary_configuration(interface).get("properties") or {}
    return Host(
        name=machine["name"],
        id=machine["id"],
        vm_id=str(properties.get("vmId") or ""),
        resource_group=id_part(machine["id"], "resourceGroups"),
        location=str(machine.get("location") or ""),
        size=str((properties.get("hardwareProfile") or {}).get("vmSize") or ""),
        private_address=nic.get("privateIPAddress"),
        public_address=((address or {}).get("properties") or {}).get("ipAddress"),
        zone=str(zones[0]) if zones else None,
        fault_domain=status.fault_domain,
        power_state=status.power_state,
        provisioning_state=str(properties.get("provisioningState") or ""),
        deployment=tag(machine, TAG_DEPLOYMENT),
        group=tag(machine, TAG_GROUP),
        index=index_of(machine),
        swarm_role=tag(machine, TAG_SWARM_ROLE),
        admin_username=(properties.get("osProfile") or {}).get("adminUsername"),
        image=image_text((properties.get("storageProfile") or {}).get("imageReference") or {}),
        network_interface=interface_of(machine),
        tags=tags,
    )


def order(host: Host) -> Tuple[str, str, int, str]:
    """Hosts in the order in which people count: web-2 before web-10."""
    return (host.resource_group.lower(), (host.group or "").lower(), host.index or 0, host.name.lower())


def hosts_from_lists(
    machines: Iterable[Mapping[str, Any]],
    interfaces: Iterable[Mapping[str, Any]] = (),
    addresses: Iterable[Mapping[str, Any]] = (),
    statuses: Optional[Mapping[str, Status]] = None,
) -> List[Host]:
    """Join Azure's lists to hosts, in order. Every list is whole: a host whose interface is missing has no address.

    :param statuses: run-time states by id, see C(statuses_by_id)
    """
    nics = {key(nic["id"]): nic for nic in interfaces}
    publics = {key(address["id"]): address for address in addresses}
    hosts = []
    for machine in machines:
        nic = nics.get(key(interface_of(machine)))
        reference = (primary_configuration(nic).get("properties") or {}).get("publicIPAddress") or {}
        hosts.append(host_from_api(machine, nic, publics.get(key(reference.get("id"))), (statuses or {}).get(key(machine["id"]))))
    return sorted(hosts, key=order)


def statuses_by_id(machines: Iterable[Mapping[str, Any]]) -> Dict[str, Status]:
    """The run-time states of a list that has them."""
    return {key(machine["id"]): Status.from_api(machine) for machine in machines}


def select(
    machines: Iterable[Mapping[str, Any]], deployment: Optional[str] = None, group: Optional[str] = None
) -> List[Mapping[str, Any]]:
    """The machines that carry this collection's tags, of one deployment and one group where they are given."""
    chosen = []
    for machine in machines:
        if tag(machine, TAG_GROUP) is None:
            continue
        if deployment is not None and tag(machine, TAG_DEPLOYMENT) != deployment:
            continue
        if group is not None and (tag(machine, TAG_GROUP) or "").lower() != group.lower():
            continue
        chosen.append(machine)
    return chosen
