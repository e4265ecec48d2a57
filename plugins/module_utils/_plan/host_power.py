# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Starting, stopping and restarting hosts (private to dockhost.azure, pure)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, List, Mapping, Optional, Sequence, Tuple

from ansible_collections.dockhost.azure.plugins.module_utils._model.host import Status, index_of, key
from ansible_collections.dockhost.azure.plugins.module_utils._model.host_group import VIRTUAL_MACHINE
from ansible_collections.dockhost.azure.plugins.module_utils._model.resource import Change, Resource, Step
from ansible_collections.dockhost.azure.plugins.module_utils._plan import core

STATES = ("started", "stopped", "deallocated", "restarted")


def operation(state: str, power: Optional[str]) -> Tuple[str, str]:
    """(ARM's action, power state afterwards) that brings a machine to a state; two empty texts where it is there.

    https://learn.microsoft.com/azure/virtual-machines/states-billing: a stopped machine is still paid for, a deallocated
    one is not; who asks for C(stopped) is content with C(deallocated), not the other way round.
    """
    if state == "restarted":
        return ("restart", "running") if power == "running" else ("start", "running")
    if state == "started" and power not in ("running", "starting"):
        return "start", "running"
    if state == "stopped" and power not in ("stopped", "deallocated", "stopping", "deallocating"):
        return "powerOff", "stopped"
    if state == "deallocated" and power not in ("deallocated", "deallocating"):
        return "deallocate", "deallocated"
    return "", ""


def refusals(machines: Sequence[Mapping[str, Any]], state: str) -> List[str]:
    """Hosts that cannot get there: one on an ephemeral disk would lose its system.

    https://learn.microsoft.com/azure/virtual-machines/ephemeral-os-disks-faq
    """
    names = [machine["name"] for machine in machines if state == "deallocated" and _ephemeral(machine)]
    if not names:
        return []
    shown = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
    return [
        f"state: {shown} cannot be deallocated, since Azure does not do that with an ephemeral disk (os_disk_ephemeral): give "
        "state=stopped, which is paid for, or state=absent."
    ]


def _ephemeral(machine: Mapping[str, Any]) -> bool:
    storage = (machine.get("properties") or {}).get("storageProfile") or {}
    return bool((storage.get("osDisk") or {}).get("diffDiskSettings"))


def plan(
    machines: Sequence[Mapping[str, Any]], statuses: Mapping[str, Status], state: str, serial: Optional[int] = None
) -> core.Plan:
    """The steps that bring machines to a power state.

    :param serial: how many at once; a host that fails stops those that come after it
    """
    steps: List[Step] = []
    for machine in sorted(machines, key=lambda body: (index_of(body) or 0, body["name"].lower())):
        power = statuses.get(key(machine["id"]), Status()).power_state
        action, after = operation(state, power)
        if action:
            resource = Resource(id=machine["id"], type=VIRTUAL_MACHINE, wait="list")
            steps.append(core.post(resource, action, Change("power_state", power, after), f"is {power or 'in an unknown state'}"))
    return core.Plan(tuple(in_turn(steps, serial)))


def in_turn(steps: Sequence[Step], serial: Optional[int]) -> List[Step]:
    """Let each step wait for the one that is C(serial) places before it."""
    if not serial:
        return list(steps)
    return [
        replace(step, depends_on=step.depends_on + (steps[position - serial].id,)) if position >= serial else step
        for position, step in enumerate(steps)
    ]


def in_turn_updates(plan: core.Plan, serial: Optional[int]) -> core.Plan:
    """Changes of existing machines may interrupt them (a new size restarts them): C(serial) at once."""
    updates = {step.id: step for step in plan.steps if step.action == "update" and step.resource.type == VIRTUAL_MACHINE}
    turned = {step.id: step for step in in_turn(list(updates.values()), serial)}
    return core.Plan(tuple(turned.get(step.id, step) for step in plan.steps))
