# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What operations on scale sets do: machines come and go by the same way as those that clients make one by one."""
from __future__ import annotations

import asyncio
import json
import uuid
from collections import Counter
from typing import TYPE_CHECKING, Any

from azlab.arm.compute import memberships, scale_model, vm_view
from azlab.arm.compute.base import VM, ComputeType
from azlab.arm.types import Registry
from azlab.arm.wire import Answer, Call
from azlab.errors import ArmError
from azlab.ids import ResourceId, parse
from azlab.lab import Lab
from azlab.machines.driver import MachineError
from azlab.operations import Operation, now_text
from azlab.store import Resource

if TYPE_CHECKING:
    from azlab.arm.compute.machines import VirtualMachines

VERSION = "2024-11-01"


class Effects:
    """Registered once; each takes its operation."""

    def __init__(self, lab: Lab, registry: Registry) -> None:
        self.lab, self.registry = lab, registry
        lab.operations.register("put scale set", self._put, self._failed)
        lab.operations.register("delete scale set", self._delete, self._failed)
        lab.operations.register("scale set action", self._action, self._failed)

    @property
    def machines(self) -> VirtualMachines:
        found = self.registry.types[VM.lower()]
        return found  # type: ignore[return-value]

    # -- the number of machines
    async def _put(self, operation: Operation) -> None:
        resource = self.lab.store.get(operation.resource_id)
        if resource is None:
            return
        wanted = resource.private.get("wanted")
        if wanted is not None:
            have = memberships.instances(self.lab, resource)
            if operation.args.get("resumed"):
                await self._wait_all([o for m in have if (o := self.lab.operations.running_for(m.id))])
            new = await self._add(resource, wanted - len(have))
            await self._remove(resource, len(have) - wanted)
            automatic = resource.properties.get("upgradePolicy", {}).get("mode") == "Automatic"
            await self._extend(resource, memberships.instances(self.lab, resource) if automatic else new)
        self._settle(operation, "Succeeded")

    async def _add(self, resource: Resource, count: int) -> list[Resource]:
        """Make machines, and wait for their hosts; one after the other in the state, all at once on the hosts."""
        made: list[Resource] = []
        started: list[Operation] = []
        problem: ArmError | None = None
        for _ in range(count):
            try:
                machine, operation = self._make(resource)
            except ArmError as refused:
                problem = refused
                break
            made.append(machine)
            started.append(operation)
            await asyncio.sleep(0)              # a thousand machines must not keep other requests waiting
        await self._wait_all(started)
        if problem:
            raise problem
        return made

    def _make(self, resource: Resource) -> tuple[Resource, Operation]:
        names = {m.rsplit("/", 1)[1].lower() for m in self.lab.store.referrers(resource.id, VM)}
        name = next(n for n in iter(lambda: f"{resource.name}_{uuid.uuid4().hex[:8]}", "") if n.lower() not in names)
        p = scale_model.machine(resource.body["profile"], resource.private["hidden"], name, resource.body["sku"]["name"], resource.id)
        if "proximityPlacementGroup" in resource.properties:
            p["proximityPlacementGroup"] = resource.properties["proximityPlacementGroup"]
        self._priority(resource, p)
        kept: dict[str, Any] = {"location": resource.location}
        for key in ("tags", "identity"):
            if key in resource.body:
                kept[key] = dict(resource.body[key])
        zones = resource.body.get("zones")
        if zones:
            used = Counter((m.body.get("zones") or [""])[0] for m in memberships.instances(self.lab, resource))
            kept["zones"] = [min(zones, key=lambda z: used[z])]
        return self.machines.maker.make(self._call(self._machine_id(resource, name), "PUT"), p, kept)

    def _priority(self, resource: Resource, p: dict[str, Any]) -> None:
        """With a mix of priorities: regular ones up to the base, then a part of the others."""
        policy = resource.properties.get("priorityMixPolicy")
        if not policy or p.get("priority") != "Spot":
            return
        machines = memberships.instances(self.lab, resource)
        base = policy.get("baseRegularPriorityCount", 0)
        regular = sum(m.properties.get("priority", "Regular") == "Regular" for m in machines)
        above = max(0, len(machines) + 1 - base)
        if regular < base or regular - base < above * policy.get("regularPriorityPercentageAboveBase", 0) / 100:
            p["priority"] = "Regular"
            p.pop("evictionPolicy", None)
            p.pop("billingProfile", None)

    async def _remove(self, resource: Resource, count: int) -> None:
        if count > 0:
            chosen = scale_in(memberships.instances(self.lab, resource), count, resource.properties.get("scaleInPolicy", {}))
            await self._delete_machines(chosen)

    async def _delete_machines(self, machines: list[Resource]) -> None:
        started = []
        for machine in machines:
            answer = self.machines.delete(self._call(_id(machine), "DELETE"))
            started += [answer.operation] if answer.operation else []
            await asyncio.sleep(0)
        await self._wait_all(started)

    # -- extensions
    async def _extend(self, resource: Resource, machines: list[Resource]) -> None:
        wanted = resource.body["profile"].get("extensionProfile", {}).get("extensions", [])
        if wanted:
            protected = resource.private["hidden"].get("protected", {})
            results = await asyncio.gather(*(self._extend_one(m, wanted, protected) for m in machines), return_exceptions=True)
            for result in results:
                if isinstance(result, BaseException):
                    raise result

    async def _extend_one(self, machine: Resource, wanted: list[dict[str, Any]], protected: dict[str, Any]) -> None:
        """The extensions of the profile on one machine, one after the other, as their order in the profile says."""
        handler = self.registry.types[vm_view.EXTENSION.lower()]
        assert isinstance(handler, ComputeType)
        for entry in in_order(wanted):
            rid = _id(machine)
            rid = ResourceId(rid.subscription, rid.group, rid.namespace, (*rid.types, "extensions"), (*rid.names, entry["name"]))
            properties = dict(entry["properties"])
            if entry["name"] in protected:
                properties["protectedSettings"] = protected[entry["name"]]
            body = {"location": machine.location, "properties": properties}
            answer = handler.put(self._call(rid, "PUT", body))
            await self._wait_all([answer.operation] if answer.operation else [])

    # -- end of a set, and actions on many
    async def _delete(self, operation: Operation) -> None:
        resource = self.lab.store.get(operation.resource_id)
        if resource is None:
            return
        await self._delete_machines([m for m in (self.lab.store.get(i) for i in self.lab.store.referrers(resource.id, VM)) if m])
        self.lab.store.delete(resource.id)

    async def _action(self, operation: Operation) -> None:
        action, names = operation.args["action"], operation.args["machines"]
        machines = [m for m in (self.lab.store.get(i) for i in names) if m]
        if action == "delete":
            await self._delete_machines(machines)
        else:
            running = [self._act(m, action) for m in machines]
            await self._wait_all([a.operation for a in running if a and a.operation])
        self._settle(operation, "Succeeded")

    def _act(self, machine: Resource, action: str) -> Answer | None:
        if action in ("restart", "powerOff") and machine.private["power"] == "deallocated":
            return None                         # such an instance has nothing to stop
        return self.machines.actions[action.lower()](self._call(_id(machine), "POST"))

    # -- common
    async def _wait_all(self, operations: list[Operation]) -> None:
        """Until all have ended; raises the first error."""
        for operation in operations:
            await self.lab.operations.wait(operation)
        failed = next((o for o in operations if o.status != "Succeeded" and o.error), None)
        if failed and failed.error:
            raise MachineError(failed.error["code"], failed.error["message"])

    def _settle(self, operation: Operation, state: str, error: dict[str, Any] | None = None) -> None:
        resource = self.lab.store.get(operation.resource_id)
        if resource:
            resource.state, resource.private["error"], resource.private["changed"] = state, error, now_text()
            self.lab.store.put(resource)

    def _failed(self, operation: Operation) -> None:
        self._settle(operation, "Failed")

    @staticmethod
    def _machine_id(resource: Resource, name: str) -> ResourceId:
        parts = resource.id.split("/")
        return ResourceId(parts[2], resource.group, "Microsoft.Compute", ("virtualMachines",), (name,))

    def _call(self, rid: ResourceId, method: str, body: dict[str, Any] | None = None) -> Call:
        """A request of the set's own, by the way that clients' requests take inside."""
        return Call(lab=self.lab, method=method, path=str(rid), base=self.lab.settings.url, query={"api-version": VERSION}, headers={},
                    raw_body=json.dumps(body).encode() if body is not None else b"", subscription=rid.subscription, group=rid.group,
                    rid=rid)


def _id(resource: Resource) -> ResourceId:
    rid = parse(resource.id)
    assert rid is not None
    return rid


def scale_in(machines: list[Resource], count: int, policy: dict[str, Any]) -> list[Resource]:
    """PURE: which machines go. Zones are balanced first; within a zone the oldest goes, with NewestVM the newest; protected ones stay.

    https://learn.microsoft.com/azure/virtual-machine-scale-sets/virtual-machine-scale-sets-scale-in-policy
    """
    newest = "NewestVM" in policy.get("rules", [])
    left = sorted(machines, key=lambda m: m.seq, reverse=newest)
    chosen: list[Resource] = []
    for _ in range(count):
        sizes = Counter((m.body.get("zones") or [""])[0] for m in left)
        free = [m for m in left if not any(m.private.get("protection", {}).values())]
        if not free:
            break
        victim = max(free, key=lambda m: sizes[(m.body.get("zones") or [""])[0]])       # of equals the first
        left.remove(victim)
        chosen.append(victim)
    return chosen


def in_order(extensions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """PURE: extensions so that each comes after those that its `provisionAfterExtensions` names."""
    left, done = list(extensions), []
    while left:
        names = {e["name"] for e in left}
        ready = next((e for e in left if not names & set(e["properties"].get("provisionAfterExtensions", []))), left[0])
        left.remove(ready)
        done.append(ready)
    return done
