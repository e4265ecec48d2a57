# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan of a host group: hosts that come, change, stay and go (private to dockhost.azure, pure)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Dict, Iterable, List, Mapping, Optional, Sequence, Tuple

from ansible_collections.dockhost.azure.plugins.module_utils._model import host_bodies, host_interfaces
from ansible_collections.dockhost.azure.plugins.module_utils._model.host import (
    TAG_CUSTOM_DATA,
    Status,
    interfaces_of,
    key,
    primary_configuration,
)
from ansible_collections.dockhost.azure.plugins.module_utils._model.host_group import (
    ADDRESS,
    DISK,
    INTERFACE,
    VIRTUAL_MACHINE,
    HostGroup,
    Slot,
)
from ansible_collections.dockhost.azure.plugins.module_utils._model.resource import Resource, Step
from ansible_collections.dockhost.azure.plugins.module_utils._model.scale_set import made_by
from ansible_collections.dockhost.azure.plugins.module_utils._plan import core, host_protection, host_refusals, host_slots
from ansible_collections.dockhost.azure.plugins.module_utils._plan.compare import Comparer, without
from ansible_collections.dockhost.azure.plugins.module_utils._plan.readonly import read_only_paths

Body = Mapping[str, Any]


@dataclass(frozen=True)
class Observed:
    """What is in the resource group: whole lists, of everybody's resources."""

    machines: Tuple[Body, ...] = ()
    interfaces: Tuple[Body, ...] = ()
    addresses: Tuple[Body, ...] = ()
    disks: Tuple[Body, ...] = ()
    statuses: Mapping[str, Status] = field(default_factory=dict)
    scale_set: Optional[Body] = None
    locks: Tuple[Body, ...] = ()

    def everything(self) -> Dict[str, Body]:
        """All bodies by id."""
        return {
            key(body["id"]): body
            for bodies in (self.machines, self.interfaces, self.addresses, self.disks, self.locks, [self.scale_set] if self.scale_set else ())
            for body in bodies
        }

    def of(self, group: str, deployment: str) -> List[Body]:
        """The machines of a group: those with its tags, and those that its scale set made."""
        whole = self.scale_set if self.scale_set is not None and host_slots.ours(self.scale_set, group, deployment) else None
        return [
            machine for machine in self.machines
            if host_slots.ours(machine, group, deployment) or (whole is not None and made_by(machine, whole))
        ]  # fmt: skip


@dataclass(frozen=True)
class GroupPlan:
    """A plan, why it may not be carried out, and which hosts differ but were left as they are."""

    plan: core.Plan
    refusals: Tuple[str, ...] = ()
    outdated: Tuple[str, ...] = ()
    creating: Tuple[Slot, ...] = ()
    removing: Tuple[str, ...] = ()


def present(
    group: HostGroup, slots: Sequence[Slot], observed: Observed, allow_restart: bool = False, keep_existing: bool = False,
    members: bool = False,
) -> GroupPlan:
    """Bring the group to these slots.

    :param allow_restart: a size may change although Azure restarts the machine for it
    :param keep_existing: what cannot be changed in place is left on existing hosts and holds for new ones only
    :param members: the hosts are there, and known to be the group's by their scale set, whatever their tags say
    """
    actual = observed.everything()
    refusals = [] if members else host_slots.strangers(group, slots, actual)
    if refusals:
        return GroupPlan(core.Plan(), tuple(refusals))  # what belongs to another is not compared any further
    found: List[host_refusals.Difference] = []
    desired: List[Resource] = []
    for slot in slots:
        for resource in _wanted(group, slot, actual, observed.statuses, allow_restart):
            resource = _untold(resource, actual.get(resource.key)) if members else resource
            fixed = host_refusals.differences(resource, actual.get(resource.key), slot.name)
            found += fixed
            desired.append(host_refusals.left_alone(resource, fixed) if fixed else resource)
    leaving = host_slots.leaving(observed.of(group.name, group.deployment), slots)
    going = removal(leaving, actual)
    if group.delete_protection is False:
        going += host_protection.released(observed.of(group.name, group.deployment), observed.locks)
    refusals += host_protection.refusals(leaving, observed.locks, group.delete_protection)
    going += _dropped_addresses(group, slots, actual) + _dropped_interfaces(group, slots, actual)
    going += _orphans(group.name, group.deployment, observed, {resource.key for resource in desired + going})
    steps = [_again(step, observed.statuses) for step in core.plan(desired, _with_disks(actual, going), going).steps]
    if not keep_existing:
        refusals += host_refusals.sentences(found)
    creating = tuple(slot for slot in slots if key(group.naming.machine(slot.name)) not in actual)
    return GroupPlan(
        plan=core.Plan(tuple(_after_leftovers(steps, group, creating))),
        refusals=tuple(refusals + host_refusals.unfinished(slots, group, observed.statuses)),
        outdated=tuple(dict.fromkeys(difference.host for difference in found)),
        creating=creating,
        removing=tuple(step.resource.name for step in steps if _removes_machine(step)),
    )


def _wanted(
    group: HostGroup, slot: Slot, actual: Mapping[str, Body], statuses: Mapping[str, Status], allow_restart: bool
) -> List[Resource]:
    machine_id = key(group.naming.machine(slot.name))
    status = statuses.get(machine_id)
    resizable = allow_restart or (status is not None and status.power_state == "deallocated")
    address = actual.get(key(group.naming.address(slot.name)))
    resources = [host_bodies.address(group, slot, address)] if group.public_ip else []
    nic = actual.get(key(group.naming.interface(slot.name)))
    resources.append(host_bodies.interface(group, slot, address is not None, nic))
    for wanted in group.further_interfaces or ():
        there = actual.get(key(host_interfaces.further_id(group, slot, wanted)))
        resources.append(host_interfaces.further(group, slot, wanted, host_bodies.tags(group, slot, there), there))
    deallocated = status is not None and status.power_state == "deallocated"
    resources.append(host_bodies.machine(group, slot, actual.get(machine_id), resizable, deallocated))
    if group.delete_protection:
        resources.append(host_protection.lock(group.naming.machine(slot.name), group.name))
    return resources


def _untold(resource: Resource, actual: Optional[Body]) -> Resource:
    """A host that a scale set made without its tags: the digest of its custom data is written, not compared."""
    if _carries_group(actual or {}):
        return resource
    return replace(resource, immutable=tuple(path for path in resource.immutable if path != "tags." + TAG_CUSTOM_DATA))


def _dropped_addresses(group: HostGroup, slots: Iterable[Slot], actual: Mapping[str, Body]) -> List[Resource]:
    """Addresses of staying hosts that are to have none any more."""
    ids = [] if group.public_ip else [group.naming.address(slot.name) for slot in slots]
    return [Resource(id=address, type=ADDRESS) for address in ids if key(address) in actual]


def _dropped_interfaces(group: HostGroup, slots: Iterable[Slot], actual: Mapping[str, Body]) -> List[Resource]:
    """Further interfaces of staying hosts that are no longer listed: their machines let go of them first."""
    if group.further_interfaces is None:
        return []
    found = []
    for slot in slots:
        machine = actual.get(key(group.naming.machine(slot.name)))
        keep = {key(one) for one in host_interfaces.ids(group, slot)}
        for nic, dummy in _own_interfaces(machine, actual) if machine else ():
            if key(nic["id"]) not in keep and host_slots.ours(nic, group.name, group.deployment):
                found.append(Resource(id=nic["id"], type=INTERFACE, depends_on=_nic_needs(nic)))
    return found


def _with_disks(actual: Mapping[str, Body], going: Iterable[Resource]) -> Dict[str, Body]:
    """The list of disks is not read to delete a machine: its disks are known from its body, and Azure deletes them."""
    known = dict(actual)
    for resource in going:
        known.setdefault(resource.key, {"id": resource.id, "name": resource.name})
    return known


def _removes_machine(step: Step) -> bool:
    return step.action == "delete" and step.resource.type == VIRTUAL_MACHINE


def _again(step: Step, statuses: Mapping[str, Status]) -> Step:
    """A resource in C(Failed) is sent once more as it should be: an interrupted or refused creation goes on."""
    properties = (step.actual or {}).get("properties") or {}
    if step.action not in ("keep", "update") or str(properties.get("provisioningState")).lower() != "failed":
        return step
    status = statuses.get(step.resource.key)
    cause = f": {status.failure_code}" if status and status.failure_code else ""
    body = without(Comparer(step.resource).merged(step.actual), read_only_paths(step.resource.type))
    return replace(
        step,
        id=core.step_id("update", step.resource.id),
        action="update",
        method="PUT",
        body=body,
        reason=f"is in the state Failed{cause}, asked for again",
    )


def removal(machines: Iterable[Body], actual: Mapping[str, Body]) -> List[Resource]:
    """The resources that go with machines: one request each, the rest is deleted by Azure (C(deleteOption))."""
    going: List[Resource] = []
    for machine in machines:
        going.append(Resource(id=machine["id"], type=VIRTUAL_MACHINE, depends_on=_needs(machine), wait="list"))
        for nic, reference in _own_interfaces(machine, actual):
            along = machine["id"] if _deleted_with(reference) else None
            going.append(Resource(id=nic["id"], type=INTERFACE, depends_on=_nic_needs(nic), delete_with=along))
            going += _address_removal(nic, actual, along)
        going += _disk_removal(machine)
    return going


def _needs(machine: Body) -> Tuple[str, ...]:
    interfaces = [reference.get("id") for reference in interfaces_of(machine)]
    disks = [(disk.get("managedDisk") or {}).get("id") for disk in _disks(machine)]
    return tuple(found for found in [*interfaces, *disks] if found)


def _own_interfaces(machine: Body, actual: Mapping[str, Body]) -> List[Tuple[Body, Body]]:
    """(interface, the machine's reference to it) of those that go: its first, and others that the collection made."""
    found = [(actual.get(key(reference.get("id"))), reference) for reference in interfaces_of(machine)]
    return [(nic, ref) for position, (nic, ref) in enumerate(found) if nic is not None and (not position or _carries_group(nic))]


def _deleted_with(reference: Body) -> bool:
    option = reference.get("deleteOption") or (reference.get("properties") or {}).get("deleteOption")
    return str(option).lower() == "delete"


def _nic_needs(nic: Body) -> Tuple[str, ...]:
    reference = (primary_configuration(nic).get("properties") or {}).get("publicIPAddress") or {}
    return (reference["id"],) if reference.get("id") else ()


def _address_removal(nic: Body, actual: Mapping[str, Body], along: Optional[str]) -> List[Resource]:
    reference = (primary_configuration(nic).get("properties") or {}).get("publicIPAddress") or {}
    body = actual.get(key(reference.get("id")))
    if body is None or not _carries_group(body):
        return []
    return [Resource(id=body["id"], type=ADDRESS, delete_with=along if _deleted_with(reference) else None)]


def _carries_group(body: Body) -> bool:
    return any(name.lower() == "dockhost-group" for name in body.get("tags") or {})


def _disks(machine: Body) -> List[Body]:
    storage = (machine.get("properties") or {}).get("storageProfile") or {}
    return [storage.get("osDisk") or {}, *(storage.get("dataDisks") or [])]


def _disk_removal(machine: Body) -> List[Resource]:
    return [
        Resource(id=(disk.get("managedDisk") or {}).get("id"), type=DISK, delete_with=machine["id"])
        for disk in _disks(machine)
        if _deleted_with(disk) and (disk.get("managedDisk") or {}).get("id")
    ]


def _orphans(name: str, deployment: str, observed: Observed, keep: Any) -> List[Resource]:
    used = host_slots.used_interfaces(observed.machines) | set(keep)
    nics = host_slots.orphans(observed.interfaces, used, name, deployment)
    addresses = host_slots.orphans(observed.addresses, set(keep), name, deployment)
    held = {needed.lower() for nic in nics for needed in _nic_needs(nic)}
    addresses += [
        body for body in observed.addresses
        if key(body["id"]) in held - set(keep) and body not in addresses and host_slots.ours(body, name, deployment)
    ]  # fmt: skip
    disks = host_slots.orphans(observed.disks, set(keep), name, deployment)
    going = [Resource(id=nic["id"], type=INTERFACE, depends_on=_nic_needs(nic)) for nic in nics]
    going += [Resource(id=body["id"], type=ADDRESS) for body in addresses]
    return going + [Resource(id=body["id"], type=DISK) for body in disks]


def _after_leftovers(steps: List[Step], group: HostGroup, creating: Sequence[Slot]) -> List[Step]:
    """A machine whose disk's name is taken by an earlier machine's disk waits until that disk is gone."""
    deletes = {step.resource.key: step.id for step in steps if step.action == "delete"}
    waits = {
        key(group.naming.machine(slot.name)): deletes[key(group.naming.disk(slot.name))]
        for slot in creating
        if key(group.naming.disk(slot.name)) in deletes
    }
    return [
        replace(step, depends_on=step.depends_on + (waits[step.resource.key],))
        if step.action == "create" and step.resource.key in waits
        else step
        for step in steps
    ]


def absent(
    name: str, deployment: str, observed: Observed, only: Optional[Sequence[str]] = None, protection: Optional[bool] = None
) -> GroupPlan:
    """Remove the group, or the hosts C(only) of it.

    :param protection: the option C(delete_protection)
    """
    machines = observed.of(name, deployment)
    if only is not None:
        chosen = {host.lower() for host in only}
        machines = [machine for machine in machines if machine["name"].lower() in chosen]
    actual = observed.everything()
    going = removal(host_slots.leaving(machines, ()), actual)
    if protection is False:
        going += host_protection.released(machines, observed.locks)
    if only is None:
        going += _orphans(name, deployment, observed, {resource.key for resource in going})
    plan = core.plan((), _with_disks(actual, going), going)
    refusals = host_protection.refusals(machines, observed.locks, protection)
    return GroupPlan(plan, tuple(refusals), removing=tuple(machine["name"] for machine in machines))
