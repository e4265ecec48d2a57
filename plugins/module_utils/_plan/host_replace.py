# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Replacing hosts that Azure cannot change, without ever having fewer than asked for (private to dockhost.azure, pure).

A replacement gets a number of its own, so that it can be there before the old host goes. Whatever an interrupted run left, the next
one goes on: outdated hosts are the first to go when there are more hosts than asked for.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Dict, List, Mapping, Optional, Tuple

from ansible_collections.dockhost.azure.plugins.module_utils._model.host_group import VIRTUAL_MACHINE, HostGroup, Slot
from ansible_collections.dockhost.azure.plugins.module_utils._model.resource import Step
from ansible_collections.dockhost.azure.plugins.module_utils._plan import core, host_group, host_slots

Body = Mapping[str, Any]


@dataclass(frozen=True)
class Replacement:
    """The hosts that the group is to have, and what for.

    :param slots: the hosts when all is done
    :param pairs: outdated host -> the one that takes its place
    :param surplus: outdated hosts that go without a replacement, since there are more hosts than asked for
    """

    slots: Tuple[Slot, ...] = ()
    pairs: Mapping[str, str] = field(default_factory=dict)
    surplus: Tuple[str, ...] = ()


def choose(group: HostGroup, count: int, observed: host_group.Observed, rule: str = "newest", allow_restart: bool = False) -> Replacement:
    """Which hosts stay, come and go.

    :param rule: see C(host_slots.RULES); outdated hosts go before those that it chooses
    """
    machines = observed.of(group.name, group.deployment)
    everyone = host_slots.everyone(group.name, machines)
    old = {name.lower() for name in host_group.present(group, everyone, observed, allow_restart, keep_existing=True).outdated}
    stay = host_slots.by_count(group.name, count, machines, rule, old)
    outdated = [slot for slot in stay if slot.name.lower() in old]
    new = _free(group.name, len(outdated), {slot.index for slot in [*everyone, *stay]})
    final = host_slots.ranked([slot for slot in stay if slot not in outdated] + new)
    kept = {slot.name.lower() for slot in stay}
    return Replacement(
        slots=tuple(final),
        pairs={before.name: after.name for before, after in zip(outdated, new)},
        surplus=tuple(slot.name for slot in everyone if slot.name.lower() in old - kept),
    )


def _free(name: str, count: int, taken: Any) -> List[Slot]:
    """So many slots with the lowest numbers that no host has."""
    found: List[Slot] = []
    number = 1
    while len(found) < count:
        if number not in taken:
            found.append(Slot(f"{name}-{number}", number))
        number += 1
    return found


def in_order(plan: core.Plan, chosen: Replacement, serial: Optional[int]) -> core.Plan:
    """The plan with its machines in an order in which there are never fewer hosts than asked for.

    :param serial: how many are replaced at once; all when None
    """
    creates, deletes = _machines(plan, "create"), _machines(plan, "delete")
    pairs = [(before.lower(), after.lower()) for before, after in chosen.pairs.items()]
    replacing = {creates[after].id for dummy, after in pairs}
    other = [step.id for step in plan.steps if _makes_right(step) and step.id not in replacing]
    waits: Dict[str, List[str]] = {}
    reasons: Dict[str, str] = {}
    # What an earlier run left takes its turn before everything else: it is one too many already.
    turns = [deletes[name.lower()].id for name in chosen.surplus] + [deletes[before].id for before, dummy in pairs]
    for position, (before, after) in enumerate(pairs, len(chosen.surplus)):
        made, gone = creates[after], deletes[before]
        waits[gone.id] = [made.id]
        reasons[gone.id], reasons[made.id] = f"is replaced by {made.resource.name}", f"replaces {gone.resource.name}"
        if serial and position >= serial:
            waits[made.id] = [turns[position - serial]]
    for name in chosen.surplus:
        waits[deletes[name.lower()].id] = other
        reasons[deletes[name.lower()].id] = "was replaced by an earlier run"
    return core.Plan(tuple(
        replace(step, depends_on=tuple(dict.fromkeys([*step.depends_on, *waits.get(step.id, ())])), reason=reasons.get(step.id, step.reason))
        for step in plan.steps
    ))


def gates(plan: core.Plan, chosen: Replacement) -> Dict[str, Tuple[str, ...]]:
    """Id of a delete -> the hosts that have to be ready before it (C(wait_for))."""
    deletes = _machines(plan, "delete")
    found = {deletes[before.lower()].id: (after,) for before, after in chosen.pairs.items()}
    everybody = tuple(slot.name for slot in chosen.slots if slot.name not in chosen.pairs.values())
    found.update({deletes[name.lower()].id: everybody for name in chosen.surplus if everybody})
    return found


def _machines(plan: core.Plan, action: str) -> Dict[str, Step]:
    return {
        step.resource.name.lower(): step for step in plan.steps if step.action == action and step.resource.type == VIRTUAL_MACHINE
    }


def _makes_right(step: Step) -> bool:
    """A machine that is not yet there, or that Azure gave up and is asked for again."""
    return step.resource.type == VIRTUAL_MACHINE and (step.action == "create" or (step.action == "update" and core.failed(step.actual)))
