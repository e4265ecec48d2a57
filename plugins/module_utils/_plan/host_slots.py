# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which hosts a group has, which it gets and which go (private to dockhost.azure, pure).

A group that has hosts keeps them: new ones get the lowest free numbers, and when there are too many a rule says which go.
By names, those leave that are no longer named. All this holds whatever order Azure lists machines in.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any, Callable, Iterable, List, Mapping, Sequence, Set, Tuple

from ansible_collections.dockhost.azure.plugins.module_utils._model.host import index_of, interfaces_of, key
from ansible_collections.dockhost.azure.plugins.module_utils._model.host_group import HostGroup, Naming, Slot
from ansible_collections.dockhost.azure.plugins.module_utils._model.resource import TAG_DEPLOYMENT, TAG_GROUP, tag

Body = Mapping[str, Any]
Rule = Callable[[Mapping[int, Body]], int]


def by_count(name: str, count: int, machines: Iterable[Body] = (), rule: str = "newest", first: Iterable[str] = ()) -> List[Slot]:
    """The numbered hosts that a group has (C(<name>-<number>)), as many as are wanted.

    :param machines: the machines of the group
    :param rule: which go when there are too many, see C(RULES)
    :param first: the names of those that go before any other
    """
    here = {number: machine for machine in machines for number in [_number(name, machine)] if number}
    while len(here) > count:
        del here[_goes(here, RULES[rule], {host.lower() for host in first})]
    numbers, following = set(here), 1
    while len(numbers) < count:
        numbers.add(following)
        following += 1
    return ranked(Slot(f"{name}-{number}", number) for number in numbers)


def everyone(name: str, machines: Iterable[Body]) -> List[Slot]:
    """All numbered hosts that are there."""
    return ranked(Slot(machine["name"], number) for machine in machines for number in [_number(name, machine)] if number)


def of_set(count: int, machines: Iterable[Body], rule: str = "newest", first: Iterable[str] = ()) -> List[Slot]:
    """The hosts of a scale set that stay. They have no numbers of their own: they count in the order in which Azure made them."""
    made = sorted(machines, key=lambda machine: (str((machine.get("properties") or {}).get("timeCreated") or ""), machine["name"].lower()))
    here = dict(enumerate(made, 1))
    while len(here) > count:
        del here[_goes(here, RULES[rule], {host.lower() for host in first})]
    return [Slot(machine["name"], 0, rank) for rank, (dummy, machine) in enumerate(sorted(here.items()), 1)]


def ranked(slots: Iterable[Slot]) -> List[Slot]:
    """The slots by number, each knowing how many there are up to it: the first hosts of a swarm are its managers."""
    return [replace(slot, rank=rank) for rank, slot in enumerate(sorted(slots, key=lambda slot: slot.index), 1)]


def _number(name: str, machine: Body) -> int:
    """The number in a host's name, or 0 where its name is not of this form."""
    start, dummy, end = machine["name"].lower().rpartition("-")
    return int(end) if start == name.lower() and end.isdigit() and not end.startswith("0") else 0


def _goes(here: Mapping[int, Body], rule: Rule, first: Set[str]) -> int:
    named = [number for number, machine in here.items() if machine["name"].lower() in first]
    return max(named) if named else rule(here)


def _newest(here: Mapping[int, Body]) -> int:
    """The highest number."""
    return max(here)


def _oldest(here: Mapping[int, Body]) -> int:
    """The one that Azure made first; the lowest number where it does not say."""
    return min(here, key=lambda number: (str((here[number].get("properties") or {}).get("timeCreated") or ""), number))


def _fullest_zone(here: Mapping[int, Body]) -> int:
    """The highest number of the zone that has most hosts."""
    zones = {number: "".join(machine.get("zones") or ()) for number, machine in here.items()}
    counts = Counter(zones.values())
    return max(here, key=lambda number: (counts[zones[number]], number))


RULES: Mapping[str, Rule] = {"newest": _newest, "oldest": _oldest, "balance_zones": _fullest_zone}


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
    return sorted(ranked(slots), key=lambda slot: [name.lower() for name in names].index(slot.name.lower()))


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
    return {key(reference.get("id")) for machine in machines for reference in interfaces_of(machine)}


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
