# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan of a host group that is one scale set (private to dockhost.azure, pure).

The set makes new hosts: one request, however many. What hosts that are there differ in is changed on them, as with machines of their
own. Hosts that are to go are named to the set in one request, so that it is known before which they are.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from ansible_collections.dockhost.azure.plugins.module_utils._model import scale_set
from ansible_collections.dockhost.azure.plugins.module_utils._model.host_group import VIRTUAL_MACHINE, HostGroup, Slot
from ansible_collections.dockhost.azure.plugins.module_utils._model.resource import Change, Resource, Step
from ansible_collections.dockhost.azure.plugins.module_utils._plan import core, host_group, host_protection, host_refusals, render
from ansible_collections.dockhost.azure.plugins.module_utils._plan.host_group import GroupPlan, Observed

Body = Mapping[str, Any]


def present(
    group: HostGroup, count: int, slots: Sequence[Slot], observed: Observed, allow_restart: bool = False, keep_existing: bool = False
) -> GroupPlan:
    """Bring the set to so many hosts.

    :param slots: the hosts that are there and stay
    """
    mine = observed.of(group.name, group.deployment)
    named = replace(group, naming=scale_set.naming(group.naming, mine, observed.interfaces))
    hosts = host_group.present(named, slots, observed, allow_restart, keep_existing, members=True)
    others = scale_set.strangers(observed.machines, observed.scale_set, mine) if observed.scale_set else []
    capacity = max(count, len(mine)) + len(others)  # fewer only by naming who goes; machines that others put in count too
    wanted = scale_set.resource(group, observed.scale_set, capacity)
    refusals = _fixed(wanted, observed.scale_set)
    steps = list(core.plan([wanted], {wanted.key: observed.scale_set} if observed.scale_set else {}).steps)
    steps = [_complete(step, group) for step in steps]
    going = _together(wanted, hosts.plan.steps, len(mine), steps[0])
    return GroupPlan(
        plan=core.Plan(tuple(steps) + tuple(going)),
        refusals=tuple([*refusals, *hosts.refusals]),
        outdated=hosts.outdated,
        removing=hosts.removing,
    )


def _complete(step: Step, group: HostGroup) -> Step:
    """The request to the set with its custom data."""
    if step.action not in ("create", "update") or step.body is None:
        return step
    return replace(step, body=scale_set.with_custom_data(step.body, group))


def _fixed(wanted: Resource, actual: Optional[Body]) -> List[str]:
    """Sentences about what the set cannot change; here there is no leaving it for existing hosts only."""
    sentences = []
    for difference in host_refusals.differences(wanted, actual, wanted.name):
        option = next((name for path, name in scale_set.FIXED.items() if difference.path.startswith(path)), difference.option)
        before, after = render.value(difference.change.before), render.value(difference.change.after)
        sentences.append(
            f"{option}: the scale set {wanted.name} was made with {before}, which Azure cannot change to {after}. Set {option} back, "
            "or remove the group (state=absent) and run again to have it made anew."
        )
    return sentences


def _together(wanted: Resource, steps: Sequence[Step], have: int, first: Step) -> List[Step]:
    """The deletes of machines as one request to the set."""
    going = [step for step in steps if step.action == "delete" and step.resource.type == VIRTUAL_MACHINE and step.method]
    if not going:
        return list(steps)
    names = [step.resource.name for step in going]
    needs = {needed for step in going for needed in step.depends_on}
    if first.action in ("create", "update"):
        needs.add(first.id)     # the set takes one request at a time
    batch = Step(
        id=core.step_id("shrink", wanted.id), action="update", resource=wanted, depends_on=tuple(sorted(needs)), method="POST",
        operation="delete", body={"instanceIds": names}, changes=(Change("sku.capacity", have, have - len(names)),),
        reason=f"{len(names)} of {have} hosts go",
    )  # fmt: skip
    rest = [replace(step, method="", depends_on=(batch.id,)) if step in going else step for step in steps]
    return [batch, *rest]


def absent(
    name: str, deployment: str, observed: Observed, only: Optional[Sequence[str]] = None, protection: Optional[bool] = None
) -> GroupPlan:
    """Remove the set with its hosts, or the hosts C(only) of it."""
    found = host_group.absent(name, deployment, observed, only, protection)
    body = observed.scale_set
    if body is None:
        return found
    resource = Resource(id=body["id"], type=scale_set.SCALE_SET, wait="list")
    if only is not None:
        have = len(observed.of(name, deployment))
        steps = _together(resource, found.plan.steps, have, Step("", "keep", resource))
        return replace(found, plan=core.Plan(tuple(steps)))
    locks = tuple(step.id for step in found.plan.steps if step.resource.type == host_protection.LOCK)
    whole = tuple(replace(step, depends_on=locks) for step in core.plan((), {resource.key: body}, [resource]).steps)
    others = [
        replace(step, method="", depends_on=(whole[0].id,), reason=f"goes with {resource.name}") if _is_machine(step) else step
        for step in found.plan.steps
    ]
    return replace(found, plan=core.Plan(whole + tuple(others)))


def _is_machine(step: Step) -> bool:
    return step.resource.type == VIRTUAL_MACHINE


def undo(name: str, deployment: str, before: Observed, after: Observed) -> core.Plan:
    """What takes back what a failed run has made: the set, or the hosts that it got."""
    if before.scale_set is None:
        return absent(name, deployment, after).plan
    there = {machine["name"].lower() for machine in before.machines}
    new = [machine["name"] for machine in after.of(name, deployment) if machine["name"].lower() not in there]
    return absent(name, deployment, after, new).plan if new else core.Plan()


def failed_hosts(name: str, deployment: str, observed: Observed) -> List[Tuple[str, str, str]]:
    """(host, Azure's code, message) of the hosts of the set that did not come up."""
    found: Dict[str, Tuple[str, str, str]] = {}
    for machine in observed.of(name, deployment):
        status = observed.statuses.get(str(machine["id"]).lower())
        if core.failed(machine):
            found[machine["name"]] = (
                machine["name"], (status and status.failure_code) or "ProvisioningFailed", (status and status.failure_message) or "",
            )  # fmt: skip
    return list(found.values())
