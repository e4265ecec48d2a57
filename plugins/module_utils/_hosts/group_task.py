# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The work of C(host_group): observe, plan, and what follows when the plan is done. Private to this collection."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from ansible_collections.dockhost.azure.plugins.module_utils import _apply
from ansible_collections.dockhost.azure.plugins.module_utils._azure.client import Client
from ansible_collections.dockhost.azure.plugins.module_utils._errors import InputError, RefusedError
from ansible_collections.dockhost.azure.plugins.module_utils._hosts import after, failures, preflight, progress, read, set_task, wanted
from ansible_collections.dockhost.azure.plugins.module_utils._hosts.turn import Turn
from ansible_collections.dockhost.azure.plugins.module_utils._model import host_group_input
from ansible_collections.dockhost.azure.plugins.module_utils._model.host import Host, hosts_from_lists, key
from ansible_collections.dockhost.azure.plugins.module_utils._model.host_group import (
    HostGroup,
    Naming,
    Slot,
    custom_data,
    custom_data_salt,
)
from ansible_collections.dockhost.azure.plugins.module_utils._model.resource import Step
from ansible_collections.dockhost.azure.plugins.module_utils._module import Task
from ansible_collections.dockhost.azure.plugins.module_utils._plan import (
    core,
    host_group,
    host_power,
    host_reimage,
    host_replace,
    host_slots,
    scale_set,
)
from ansible_collections.dockhost.azure.plugins.module_utils._plan.host_group import GroupPlan, Observed

# What an earlier task of the same play may make: in check mode it is only returned.
MADE_EARLIER = (
    "resource_group", "subnet", "load_balancer_pools", "security_group", "application_security_groups", "availability_set",
    "proximity_placement_group", "identities", "further_interfaces",
)  # fmt: skip


@dataclass(frozen=True)
class Seen:
    """What was observed, and what of it the options mean."""

    observed: Observed
    group: Optional[HostGroup] = None
    slots: Tuple[Slot, ...] = ()
    problems: Tuple[preflight.Problem, ...] = field(default=())


class HostGroupTask(Task):
    """Brings a group of hosts to a state."""

    def __init__(self, params: Mapping[str, Any], subscription_id: str):
        super().__init__(params, subscription_id)
        self.outdated: List[str] = []
        self.missing: List[str] = []         # in check mode: what an earlier task would make
        self.removing: List[str] = []
        self.replacement = host_replace.Replacement()
        self.gates: Dict[str, Tuple[str, ...]] = {}
        self.recorder = progress.Recorder()
        self.turn = Turn(params["resource_group"], params["name"], self.deployment, params.get("tags") or {}, params["wait_timeout"])
        self._facts: Optional[preflight.Facts] = None

    def check(self) -> None:
        host_group_input.check(self.params)

    async def observe(self, client: Client) -> Seen:
        other, observed = await asyncio.gather(self.turn.read(client), self._settled(client))
        if other and self.check_mode:
            self.warnings.append(self.turn.warning(other))
        elif other:
            await self.turn.free(client)
            observed = await self._settled(client)
        if self.params["state"] == "absent":
            observed = set_task.check_absent(self.params, self.deployment, observed)
        if self.params["state"] != "present":
            return Seen(observed)
        return await self._wanted(client, observed)

    async def _settled(self, client: Client) -> Observed:
        """What is there once Azure does nothing to the group that an earlier run began; as it is in check mode."""
        whole = self.params["state"] == "absent" or self._one_set
        whole_set = await set_task.read_set(client, self.params, not self.check_mode) if whole else None
        observed = await self._look(client)
        if read.unsettled(observed.of(self.params["name"], self.deployment)) and not self.check_mode:
            await read.settle(client, self.params["resource_group"], self.params["name"], self.deployment, self.params["wait_timeout"])
            observed = await self._look(client)
        return replace(observed, scale_set=whole_set)

    async def begin(self, client: Client, actual: Seen, plan: core.Plan) -> bool:
        """Other runs are kept out of what changes something; what a lost run left is removed by whoever finds it."""
        if not plan.changed and not self.turn.left_over:
            return False
        located = [actual.group.location] if actual.group else [str(body.get("location")) for body in self.bodies(actual).values()]
        await self.turn.begin(client, located[0] if located else "")
        if self.turn.waited:
            self._facts = None
        return True

    async def end(self, client: Client) -> None:
        await self.turn.end(client)
        self.warnings += self.turn.warnings

    @property
    def _one_set(self) -> bool:
        """Whether the group is wanted as one scale set."""
        return self.params["engine"] == "scale_set" and self.params["state"] == "present"

    @property
    def _replacing(self) -> bool:
        """Whether hosts that Azure cannot change are replaced."""
        return self.params["immutable_changes"] == "replace" and self.params["state"] == "present"

    async def _look(self, client: Client) -> Observed:
        """What is there. Locks are read where hosts may go, or where the protection is asked for."""
        public = True if self.params["state"] == "absent" or self.params.get("public_ip") else None
        locks = self.params["state"] == "absent" or self.params.get("delete_protection") is not None or self._replacing
        observed = await read.observe(client, self.params["resource_group"], public=public, locks=locks)
        if self.params["state"] == "present" and not locks:
            kept = {slot.name.lower() for slot in self._slots(observed)}
            if any(machine["name"].lower() not in kept for machine in observed.of(self.params["name"], self.deployment)):
                observed = replace(observed, locks=tuple(await read.locks_of(client, self.params["resource_group"])))
        return observed

    async def _wanted(self, client: Client, observed: Observed) -> Seen:
        """The group as it is wanted; where hosts are to be made, whether they can be."""
        set_task.check_engine(self.params, self.deployment, observed)
        group = HostGroup.from_params(self.params, Naming(client.subscription_id, self.params["resource_group"]), "")
        slots = self._slots(observed)
        group = await wanted.located(client, self.params, group, observed.of(self.params["name"], self.deployment))
        if self._replacing:
            self.replacement = host_replace.choose(
                group, self.params["count"], observed, self.params["scale_in"], self.params["allow_restart"]
            )
            slots = list(self.replacement.slots)
        there = {key(machine["id"]) for machine in observed.machines}
        creating = [slot for slot in slots if key(group.naming.machine(slot.name)) not in there]
        if self._one_set:
            creating = set_task.new_slots(self.params, len(slots))
        if not creating:
            return Seen(observed, group, tuple(slots))
        found = self._facts = self._facts or await read.facts(client, group)
        observed = await read.with_leftovers(client, self.params["resource_group"], observed)
        problems = preflight.problems(group, creating, found, observed.interfaces, observed.addresses)
        if any(option == "image" for option, dummy in problems) and group.image and not found.versions:
            problems = await wanted.with_hint(client, group, problems)
        return Seen(observed, group, tuple(slots), tuple(problems))

    def _slots(self, observed: Observed) -> List[Slot]:
        names, mine = self.params.get("names"), observed.of(self.params["name"], self.deployment)
        if self._one_set:
            return host_slots.of_set(self.params["count"], mine, self.params["scale_in"], self.params.get("scale_in_first") or ())
        if names is None:
            rule, first = self.params["scale_in"], self.params.get("scale_in_first") or ()
            return host_slots.by_count(self.params["name"], self.params["count"], mine, rule, first)
        return host_slots.by_names(names, mine)

    def progress(self, event: str, step: Step) -> None:
        self.recorder.event(event, step)

    def plan(self, actual: Seen) -> core.Plan:
        found = self._planned(actual)
        self.recorder.total(list(found.steps))
        return found

    def _planned(self, actual: Seen) -> core.Plan:
        state = self.params["state"]
        if state == "present":
            return self._present(actual)
        if state == "absent":
            chosen = scale_set.absent(
                self.params["name"], self.deployment, actual.observed, self.params.get("names"), self.params.get("delete_protection")
            )
            if chosen.refusals:
                raise RefusedError(chosen.refusals)
            self.removing = list(chosen.removing)
            return chosen.plan
        if state == "reimaged":
            return self._reimaged(self._chosen(actual.observed))
        machines = self._chosen(actual.observed)
        refusals = host_power.refusals(machines, state)
        if refusals:
            raise RefusedError(refusals)
        return host_power.plan(machines, actual.observed.statuses, state, self.params.get("serial"))

    def _present(self, actual: Seen) -> core.Plan:
        self._refuse(actual.problems)
        options = {"allow_restart": self.params["allow_restart"], "keep_existing": self.params["immutable_changes"] != "refuse"}
        found: GroupPlan
        if self._one_set:
            found = scale_set.present(actual.group, self.params["count"], actual.slots, actual.observed, **options)
        else:
            found = host_group.present(actual.group, actual.slots, actual.observed, **options)
        if found.refusals:
            raise RefusedError(found.refusals)
        self.outdated, self.removing = list(found.outdated), list(found.removing)
        plan = host_power.in_turn_updates(found.plan, self.params.get("serial"))
        if self._replacing:
            plan = host_replace.in_order(plan, self.replacement, self.params.get("serial"))
            self.gates = host_replace.gates(plan, self.replacement)
        return plan

    async def ready(self, client: Client, step: Step) -> None:
        """Nothing is sent out of turn; an old host goes when those that take its place are what C(wait_for) says."""
        self.turn.check()
        if step.id in self.gates:
            params = dict(self.params, names=list(self.gates[step.id]))
            await after.wait_for(client, self.params["resource_group"], self.params["name"], self.deployment, params)

    def _reimaged(self, machines: Sequence[Mapping[str, Any]]) -> core.Plan:
        data = custom_data(self.params)
        salt = custom_data_salt(self.subscription_id, self.params["resource_group"], self.params["name"])
        refusals = host_reimage.refusals(machines, data, salt)
        if refusals:
            raise RefusedError(refusals)
        return host_reimage.plan(machines, data, salt, self.params.get("serial"), self.params.get("ssh_public_keys") or ())

    def _refuse(self, problems: Sequence[preflight.Problem]) -> None:
        """Raise what makes hosts impossible.

        In check mode a network that does not exist yet is only returned: an earlier task of the same play would make it.
        """
        lasting = []
        for option, text in problems:
            if self.check_mode and option in MADE_EARLIER:
                self.missing.append(text)
            else:
                lasting.append((option, text))
        if lasting:
            raise InputError(lasting[0][0], " ".join(text for dummy, text in lasting))

    def _chosen(self, observed: Observed) -> List[Mapping[str, Any]]:
        mine, names = observed.of(self.params["name"], self.deployment), self.params.get("names")
        if names is None:
            if not mine:
                self.warnings.append(f"Group {self.params['name']} of deployment {self.deployment} has no hosts: nothing to do.")
            return mine
        have = {machine["name"].lower(): machine for machine in mine}
        for name in names:
            if name.lower() not in have:
                has = ", ".join(sorted(machine["name"] for machine in mine)) or "none"
                raise InputError("names", f"names: '{name}' is not a host of group {self.params['name']} (it has: {has}): correct the name.")
        return [have[name.lower()] for name in names]

    async def failed(self, client: Client, actual: Seen, results: List[_apply.StepResult]) -> None:
        found = failures.failures(results)
        self.turn.check()
        if not found:
            return  # interrupted: the framework says what was done
        if self._one_set:
            now = await set_task.observe(client, self.params, None)
            found = set_task.failures(results, now, self.params, self.deployment) or found
        others = "were not all done" if any(r.state == "skipped" and r.step.method for r in results) else "were done"
        done = "What was made is kept" if self.params["state"] == "present" else f"The other steps {others}"
        closing = f"{done}: running again continues from here."
        if self.params["on_failure"] == "rollback" and self.params["state"] == "present":
            closing = await self._roll_back(client, actual, results)
        raise failures.HostsError(failures.sentences(found), found, closing)

    async def _roll_back(self, client: Client, actual: Seen, results: List[_apply.StepResult]) -> str:
        if self._one_set:
            return await set_task.roll_back(client, self.params, self.deployment, actual.observed)
        return await after.roll_back(client, self.params["resource_group"], self.params["name"], self.deployment, results)

    async def finish(self, client: Client, actual: Seen, results: List[_apply.StepResult]) -> None:
        group = self.params["resource_group"]
        unheard = failures.without_keys(results)
        if unheard:
            raise failures.HostsError(failures.sentences(unheard), unheard, "Their systems are new: running again sets them up once more.")
        if self._one_set and any(result.step.action in core.CHANGING for result in results):
            # Whatever Azure did not copy from the set to its new hosts, tags above all, is written now.
            outdated, removing = self.outdated, self.removing
            rest = self.plan(await self.observe(client))
            self.outdated, self.removing = outdated, removing
            _apply.check_results(await _apply.apply(rest, client, self.progress))
        if any(result.step.action == "delete" for result in results):
            await after.prove_gone(client, group, results, self.params["wait_timeout"])
        if self.params["state"] in ("present", "started", "restarted", "reimaged"):
            await after.wait_for(client, group, self.params["name"], self.deployment, self.params)

    def bodies(self, actual: Seen) -> Mapping[str, Mapping[str, Any]]:
        return actual.observed.everything()

    def result(self, actual: Seen, plan: core.Plan, applied: bool) -> Dict[str, Any]:
        hosts = [host.result() for host in self.hosts(actual.observed)]
        return {"hosts": hosts, "outdated": self.outdated, "removing": self.removing, "missing": self.missing}

    def hosts(self, observed: Observed) -> List[Host]:
        """The hosts of the group."""
        mine = observed.of(self.params["name"], self.deployment)
        return hosts_from_lists(mine, observed.interfaces, observed.addresses, observed.statuses)
