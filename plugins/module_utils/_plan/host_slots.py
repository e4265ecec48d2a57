# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which hosts a group has, which it gets and which go (private to dockhost.azure, pure).

Scale-in goes from the newest: the hosts with the highest numbers leave first. By names, those leave that are no
longer named. Both rules hold whatever order Azure lists machines in.
"""

from __future__ import annotations

from typing import Any, Iterable, List, Mapping, Sequence, Set, Tuple

from ansible_collections.dockhost.azure.plugins.module_utils._model.host import index_of, interface_of, key
from ansible_collections.dockhost.azure.plugins.module_utils._model.host_group import HostGroup, Naming, Slot
from ansible_collections.dockhost.azure.plugins.module_utils._model.resource import TAG_DEPLOYMENT, TAG_GROUP, tag

Body = Mapping[str, Any]


def by_count(name: str, count: int) -> List[Slot]:
    """C(<name>-1) to C(<name>-<count>)."""
    return [Slot(f"{name}-{index}", index) for index in range(1, count + 1)]


def by_names(names: Sequence[str], machines: Iterable[Body]) -> List[Slot]:
    """Named hosts: who has a number keeps it, new ones get the lowest that is free, in the order of their names."""
    numbers = {machine["name"].lower(): index_of(machine) for machine in machines}
    taken: Set[int] = {numbers[name.lower()] or 0 for name in names if numbers.get(name.lower())}
    slots, following = [], 1
    for name in names:
        index = numbers.get(name.lower())
        if not index:
            while following in taken:
                following += 1
            index = following
            taken.add(index)
        slots.append(Slot(name, index))
    return slots


def ours(resource: Body, group: str, deployment: str) -> bool:
    """Whether a resource carries the tags of this group of this deployment."""
    return tag(resource, TAG_DEPLOYMENT) == deployment and (tag(resource, TAG_GROUP) or "").lower() == group.lower()


def leaving(machines: Iterable[Body], slots: Iterable[Slot]) -> List[Body]:
    """The machines of the group that are in no slot, the newest first."""
    wanted = {slot.name.lower() for slot in slots}
    gone = [machine for machine in machines if machine["name"].lower() not in wanted]
    return sorted(gone, key=lambda machine: (-(index_of(machine) or 0), machine["name"].lower()))


def strangers(group: HostGroup, slots: Iterable[Slot], everything: Mapping[str, Body]) -> List[str]:
    """Sentences about resources that have a host's name but not our tags: nothing of another is ever taken over."""
    sentences = []
    for slot in slots:
        for kind, found in _resources(group.naming, slot.name):
            body = everything.get(key(found))
            if body is not None and not ours(body, group.name, group.deployment):
                sentences.append(
                    f"name: the {kind} {body['name']} exists in resource group {group.naming.resource_group} and does not "
                    f"belong to group {group.name} of deployment {group.deployment}: choose another name, or remove it."
                )
    return sentences


def _resources(naming: Naming, host: str) -> Tuple[Tuple[str, str], ...]:
    return (
        ("virtual machine", naming.machine(host)),
        ("network interface", naming.interface(host)),
        ("public IP address", naming.address(host)),
    )


def used_interfaces(machines: Iterable[Body]) -> Set[str]:
    """Ids of the interfaces that machines hold."""
    return {key(interface_of(machine)) for machine in machines}


def orphans(found: Iterable[Body], keep: Set[str], group: str, deployment: str) -> List[Body]:
    """Interfaces or addresses of the group that no host has or will have: what an interrupted run left behind."""
    return [
        body
        for body in found
        if ours(body, group, deployment) and key(body["id"]) not in keep and not _attached(body)
    ]


def _attached(body: Body) -> bool:
    properties = body.get("properties") or {}
    return bool(properties.get("virtualMachine") or properties.get("ipConfiguration") or body.get("managedBy"))
