# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A group of Docker hosts as the user describes it (private to dockhost.azure, pure)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Dict, List, Mapping, Optional, Tuple

from ansible_collections.dockhost.azure.plugins.module_utils._model.images import Image
from ansible_collections.dockhost.azure.plugins.module_utils._model.names import check_tags
from ansible_collections.dockhost.azure.plugins.module_utils._model.resource import resource_id

VIRTUAL_MACHINE = "Microsoft.Compute/virtualMachines"
DISK = "Microsoft.Compute/disks"
INTERFACE = "Microsoft.Network/networkInterfaces"
ADDRESS = "Microsoft.Network/publicIPAddresses"
NETWORK = "Microsoft.Network/virtualNetworks"
SECURITY_GROUP = "Microsoft.Network/networkSecurityGroups"
APPLICATION_GROUP = "Microsoft.Network/applicationSecurityGroups"
AVAILABILITY_SET = "Microsoft.Compute/availabilitySets"
PLACEMENT_GROUP = "Microsoft.Compute/proximityPlacementGroups"
IDENTITY = "Microsoft.ManagedIdentity/userAssignedIdentities"


@dataclass(frozen=True)
class Slot:
    """One place of a group: a host's name, its number, and its place among the group's numbers (0: as its number)."""

    name: str
    index: int
    rank: int = 0


@dataclass(frozen=True)
class Naming:
    """The names and ids of everything that belongs to a host; any run finds what an earlier one made."""

    subscription_id: str
    resource_group: str

    def machine(self, host: str) -> str:
        """Id of the virtual machine."""
        return self.any(VIRTUAL_MACHINE, host)

    def interface(self, host: str) -> str:
        """Id of the network interface."""
        return self.any(INTERFACE, host + "-nic")

    def address(self, host: str) -> str:
        """Id of the public address."""
        return self.any(ADDRESS, host + "-ip")

    def disk(self, host: str) -> str:
        """Id of the operating system's disk."""
        return self.any(DISK, self.disk_name(host))

    def disk_name(self, host: str) -> str:
        """Name of the operating system's disk."""
        return host + "-osdisk"

    def data_disk_name(self, host: str, lun: int) -> str:
        """Name of a data disk."""
        return f"{host}-data-{lun}"

    def computer(self, host: str) -> str:
        """Name that the host has for itself."""
        return host

    def any(self, type_: str, name: str) -> str:
        """Id of a resource of the group by type and name; an id is left as it is."""
        if name.startswith("/"):
            return name
        return resource_id(self.subscription_id, self.resource_group, type_, name)

    def subnet(self, wanted: Any) -> str:
        """Id of a subnet given by id, or by C(network), C(name) and maybe C(resource_group)."""
        if isinstance(wanted, str):
            return wanted
        group = wanted.get("resource_group") or self.resource_group
        return resource_id(self.subscription_id, group, NETWORK, wanted["network"], "subnets/" + wanted["name"])


@dataclass(frozen=True)
class FurtherInterface:
    """An interface of each host beside its first: C(<host>-<name>). C(None) means: leave it as it is."""

    name: str
    subnet: str
    security_group: Optional[str] = None
    application_security_groups: Optional[Tuple[str, ...]] = None
    accelerated_networking: Optional[bool] = None
    private_addresses: Optional[Mapping[str, str]] = None

    @classmethod
    def from_params(cls, params: Mapping[str, Any], naming: Naming) -> FurtherInterface:
        """Build it of an entry of C(further_interfaces)."""
        groups = params.get("application_security_groups")
        return cls(
            name=params["name"],
            subnet=naming.subnet(params["subnet"]),
            security_group=_id(naming, SECURITY_GROUP, params.get("security_group")),
            application_security_groups=None if groups is None else tuple(naming.any(APPLICATION_GROUP, g) for g in groups),
            accelerated_networking=params.get("accelerated_networking"),
            private_addresses=_addresses(params.get("private_addresses")),
        )


@dataclass(frozen=True)
class HostGroup:
    """What the hosts of a group are like. C(None) means: not ours to say, leave it as it is."""

    naming: Naming
    name: str
    deployment: str
    location: str
    size: str = ""
    image: Optional[Image] = None
    admin_username: str = ""
    ssh_public_keys: Tuple[str, ...] = ()
    custom_data: Optional[bytes] = None
    zones: Tuple[str, ...] = ()
    subnet: str = ""
    security_group: Optional[str] = None
    load_balancer_pools: Optional[Tuple[str, ...]] = None
    application_security_groups: Optional[Tuple[str, ...]] = None
    public_ip: bool = False
    accelerated_networking: Optional[bool] = None
    os_disk_size_gb: Optional[int] = None
    os_disk_type: Optional[str] = None
    data_disks: Tuple[Mapping[str, Any], ...] = ()
    tags: Dict[str, str] = field(default_factory=dict)
    append_tags: bool = True
    swarm_managers: Optional[int] = None
    availability_set: Optional[str] = None
    proximity_placement_group: Optional[str] = None
    spot: Optional[Mapping[str, Any]] = None
    identities: Optional[Mapping[str, Any]] = None
    boot_diagnostics: Optional[bool] = None
    security_profile: Optional[Mapping[str, Any]] = None
    license_type: Optional[str] = None
    termination_notice: Optional[int] = None
    image_plan: Optional[Mapping[str, str]] = None
    os_disk_caching: Optional[str] = None
    os_disk_ephemeral: Optional[str] = None
    private_addresses: Optional[Mapping[str, str]] = None
    further_interfaces: Optional[Tuple[FurtherInterface, ...]] = None
    delete_protection: Optional[bool] = None

    @classmethod
    def from_params(cls, params: Mapping[str, Any], naming: Naming, location: str) -> HostGroup:
        """Build it of a module's options, which C(host_group_input.check) has found right."""
        groups = params.get("application_security_groups")
        further = params.get("further_interfaces")
        return cls(
            naming=naming,
            name=params["name"],
            deployment=params.get("deployment") or params["resource_group"],
            location=location,
            size=params["size"],
            image=Image.parse(params["image"]),
            admin_username=params["admin_username"],
            ssh_public_keys=tuple(text.strip() for text in params["ssh_public_keys"] or ()),
            custom_data=custom_data(params),
            zones=tuple(str(zone) for zone in params.get("zones") or ()),
            subnet=naming.subnet(params["subnet"]),
            security_group=_id(naming, SECURITY_GROUP, params.get("security_group")),
            load_balancer_pools=_tuple(params.get("load_balancer_pools")),
            application_security_groups=None if groups is None else tuple(naming.any(APPLICATION_GROUP, g) for g in groups),
            public_ip=bool(params.get("public_ip")),
            tags=check_tags("tags", params.get("tags")),
            append_tags=params.get("append_tags") is not False,
            data_disks=tuple(params.get("data_disks") or ()),
            availability_set=_id(naming, AVAILABILITY_SET, params.get("availability_set")),
            proximity_placement_group=_id(naming, PLACEMENT_GROUP, params.get("proximity_placement_group")),
            private_addresses=_addresses(params.get("private_addresses")),
            further_interfaces=None if further is None else tuple(FurtherInterface.from_params(one, naming) for one in further),
            **{name: params.get(name) for name in PLAIN},
        )

    def at(self, location: str) -> HostGroup:
        """The same group in a region."""
        return replace(self, location=location)

    def references(self) -> List[Tuple[str, str]]:
        """(option, id) of what has to be there before a host is made, but for the subnet and the backend pools."""
        found = [
            ("security_group", self.security_group),
            ("availability_set", self.availability_set),
            ("proximity_placement_group", self.proximity_placement_group),
            *(("application_security_groups", one) for one in self.application_security_groups or ()),
            *(("identities", one) for one in (self.identities or {}).get("user_assigned") or ()),
        ]
        for further in self.further_interfaces or ():
            found += [("further_interfaces", further.subnet), ("further_interfaces", further.security_group)]
            found += [("further_interfaces", one) for one in further.application_security_groups or ()]
        return [(option, one) for option, one in dict.fromkeys(found) if one]

    def role(self, slot: Slot) -> Optional[str]:
        """The swarm role of a host, or None where the group says nothing of a swarm."""
        if self.swarm_managers is None:
            return None
        return "manager" if (slot.rank or slot.index) <= self.swarm_managers else "worker"

    def zone(self, index: int) -> Optional[str]:
        """The zone of a new host: round robin by its number, so that it is the same in every run."""
        return self.zones[(index - 1) % len(self.zones)] if self.zones else None


# Options that go into the model as they are.
PLAIN = (
    "accelerated_networking", "boot_diagnostics", "delete_protection", "identities", "image_plan", "license_type",
    "os_disk_caching", "os_disk_ephemeral", "os_disk_size_gb", "os_disk_type", "security_profile", "spot", "swarm_managers",
    "termination_notice",
)  # fmt: skip


def custom_data(params: Mapping[str, Any]) -> Optional[bytes]:
    """The bytes of C(custom_data); None where the option is left out, empty bytes where it is empty."""
    text = params.get("custom_data")
    return None if text is None else text.encode("utf-8")


def custom_data_salt(subscription_id: str, resource_group: str, name: str) -> str:
    """What the digest of custom data is salted with: two groups with the same data have different digests."""
    return f"{subscription_id}/{resource_group}/{name}"


def _addresses(given: Optional[Mapping[str, Any]]) -> Optional[Dict[str, str]]:
    """Addresses by host, its name in lower case."""
    return None if given is None else {name.lower(): str(address) for name, address in given.items()}


def _tuple(values: Any) -> Optional[Tuple[str, ...]]:
    return None if values is None else tuple(values)


def _id(naming: Naming, type_: str, name: Optional[str]) -> Optional[str]:
    return naming.any(type_, name) if name else None
