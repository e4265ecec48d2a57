# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What C(host_group) does otherwise when the group is one scale set. Private to this collection."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any, Dict, List, Mapping, Optional, Sequence

from ansible_collections.dockhost.azure.plugins.module_utils import _apply
from ansible_collections.dockhost.azure.plugins.module_utils._azure.client import Client
from ansible_collections.dockhost.azure.plugins.module_utils._azure.operations import state_of
from ansible_collections.dockhost.azure.plugins.module_utils._errors import DockhostError, InputError
from ansible_collections.dockhost.azure.plugins.module_utils._hosts import after, read
from ansible_collections.dockhost.azure.plugins.module_utils._model import scale_set
from ansible_collections.dockhost.azure.plugins.module_utils._model.host_group import Slot
from ansible_collections.dockhost.azure.plugins.module_utils._model.resource import COMPUTE_API, resource_id
from ansible_collections.dockhost.azure.plugins.module_utils._plan import host_refusals, host_slots
from ansible_collections.dockhost.azure.plugins.module_utils._plan import scale_set as planning
from ansible_collections.dockhost.azure.plugins.module_utils._plan.host_group import Observed


async def read_set(client: Client, params: Mapping[str, Any], wait: bool) -> Optional[Dict[str, Any]]:
    """The scale set of the group's name, or None.

    :param wait: wait until Azure has done what an earlier run asked for
    :raises DockhostError: time is up
    """
    path = resource_id(client.subscription_id, params["resource_group"], scale_set.SCALE_SET, params["name"])
    deadline, turn = time.monotonic() + params["wait_timeout"], 0
    while True:
        body = await client.get(path, COMPUTE_API)
        if body is None or not wait or state_of(body) not in read.UNSETTLED:
            return body
        if time.monotonic() > deadline:
            raise DockhostError(
                f"Azure has been working on the scale set {params['name']} for more than {params['wait_timeout']} seconds: look at its "
                "state in the portal, or give a longer wait_timeout, and run again."
            )
        await client.pause(read.PACE[min(turn, len(read.PACE) - 1)])
        turn += 1


def check_engine(params: Mapping[str, Any], deployment: str, observed: Observed) -> None:
    """Raise when the hosts that are there were made by the other engine, or the set is another's."""
    name, body = params["name"], observed.scale_set
    mine = observed.of(name, deployment)
    in_sets = [machine["name"] for machine in mine if scale_set.set_of(machine)]
    if params["engine"] == "virtual_machines":
        if in_sets:
            raise InputError("engine", f"engine: the hosts of group {name} are in a scale set ({in_sets[0]} is one of them): give engine=scale_set.")
        return
    if body is not None and not host_slots.ours(body, name, deployment):
        raise InputError(
            "name",
            f"name: the scale set {name} exists in resource group {params['resource_group']} and does not belong to group {name} of "
            f"deployment {deployment}: choose another name, or remove it.",
        )
    own = [machine["name"] for machine in mine if body is None or scale_set.set_of(machine) != body["id"].lower()]
    if own:
        raise InputError(
            "engine",
            f"engine: group {name} has hosts that are machines of their own ({own[0]} is one of them): give engine=virtual_machines, or "
            "remove the group first.",
        )


def check_absent(params: Mapping[str, Any], deployment: str, observed: Observed) -> Observed:
    """What is to go. A set of another is none of ours; machines that somebody has put into ours would go with it, which is refused."""
    body = observed.scale_set
    if body is None:
        return observed
    if not host_slots.ours(body, params["name"], deployment):
        return replace(observed, scale_set=None)
    others = scale_set.strangers(observed.machines, body, observed.of(params["name"], deployment))
    if others and params.get("names") is None:
        raise InputError(
            "name",
            f"name: {', '.join(others[:3])} in the scale set {params['name']} {'is' if len(others) == 1 else 'are'} not of this group and "
            "would be deleted with it: take them out of the set first (az vm update --set virtualMachineScaleSet.id=null).",
        )
    return observed


def new_slots(params: Mapping[str, Any], have: int) -> List[Slot]:
    """Stand-ins for the hosts that the set is to make: what they need can be checked, what they are called is not known."""
    return [Slot(f"{params['name']}_{number}", number) for number in range(have + 1, params["count"] + 1)]


def failures(results: Sequence[_apply.StepResult], observed: Observed, params: Mapping[str, Any], deployment: str) -> List[Dict[str, Any]]:
    """The hosts that did not come up, instead of the one request that made them all."""
    made = [result for result in results if result.state == "failed" and result.step.resource.type == scale_set.SCALE_SET]
    found = []
    for host, code, message in planning.failed_hosts(params["name"], deployment, observed) if made else ():
        found.append({
            "host": host, "step": made[0].step.title, "action": "create", "code": code, "message": message or "Azure gives no reason",
            "next_step": host_refusals.next_step(code, message) or "run again",
        })  # fmt: skip
    return found


async def roll_back(client: Client, params: Mapping[str, Any], deployment: str, before: Observed) -> str:
    """Remove what this run made; says in a sentence what became of it."""
    now = await observe(client, params, True)
    undone = await _apply.apply(planning.undo(params["name"], deployment, before, now), client)
    try:
        _apply.check_results(undone)
        await after.prove_gone(client, params["resource_group"], undone, after.ALONG_SECONDS)
    except DockhostError as error:
        return f"Rolling back did not end well: {error}"
    return "What this run had made was removed again (on_failure=rollback)."


async def observe(client: Client, params: Mapping[str, Any], public: Optional[bool]) -> Observed:
    """The lists, with the set."""
    found = await read.observe(client, params["resource_group"], public=public)
    return replace(found, scale_set=await read_set(client, params, True))
