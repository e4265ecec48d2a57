# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands below a scale set: its instances (the machines, seen from the set) and the extensions of its profile."""
from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from typing import Any

from azlab.arm import checks, shapes
from azlab.arm.compute import memberships, vm_view
from azlab.arm.compute.base import VM, ComputeType, invalid, section
from azlab.arm.compute.scale_sets import ScaleSets, extensions_of
from azlab.arm.types import Registry
from azlab.arm.wire import Answer, Call
from azlab.errors import arm_error
from azlab.ids import ResourceId
from azlab.operations import Operation
from azlab.store import Resource


class _Part(ComputeType):
    tracked = False

    def __init__(self, parent: ScaleSets) -> None:
        super().__init__(parent.lab)
        self.parent = parent

    def owner(self, call: Call, *, writing: bool = False) -> Resource:
        """The scale set of a path below it."""
        checks.require_group(call, writing=writing)
        found = self.lab.store.get(str(call.id.root))
        if found is None:
            if call.method in ("PUT", "DELETE"):
                raise arm_error("parent_not_found", verb="delete" if call.method == "DELETE" else "write", type=self.name.split("/", 1)[1], parent=str(call.id.root))
            raise arm_error("not_found", type=f"{self.parent.name}/{call.id.root.name}", group=call.group)
        return found


class Instances(_Part):
    """The instances of a set: their id is the machine's name, and the machines are ordinary ones."""

    name = f"{memberships.SCALE_SET}/virtualMachines"

    def __init__(self, parent: ScaleSets, registry: Registry) -> None:
        super().__init__(parent)
        self.registry = registry
        self.lab.operations.register("update instance", self._done)
        for action in ("start", "powerOff", "deallocate", "restart", "redeploy", "reimage", "runCommand"):
            self.actions[action.lower()] = partial(self._forward, action=action)
        self.get_actions["instanceview"] = lambda call: Answer(200, vm_view.instance_view(self.lab, self._machine(call)))

    def _machine(self, call: Call) -> Resource:
        group = self.owner(call)
        found = next((m for m in memberships.instances(self.lab, group) if m.name.lower() == call.id.names[1].lower()), None)
        if found is None:
            raise arm_error("entity_missing")
        return found

    def show_machine(self, group: Resource, machine: Resource, expand: str = "") -> dict[str, Any]:
        shown: dict[str, Any] = {"latestModelApplied": True, "provisioningState": machine.state, "vmId": machine.private["vmId"],
                                 "timeCreated": machine.created}
        if "protection" in machine.private:
            shown["protectionPolicy"] = machine.private["protection"]
        if "instanceview" in expand.lower():
            shown["instanceView"] = vm_view.instance_view(self.lab, machine)
        wire = {"name": machine.name, "id": machine.id, "type": VM, "location": machine.location, "instanceId": machine.name}
        for key in ("tags", "zones"):
            if key in machine.body:
                wire[key] = machine.body[key]
        return {**wire, "properties": shown}

    def get(self, call: Call) -> Answer:
        return Answer(200, self.show_machine(self.owner(call), self._machine(call), call.query.get("$expand", "")))

    def listing(self, call: Call) -> Answer:
        group = self.owner(replace(call, method="GET"))
        expand = call.query.get("$expand", "")
        return Answer(200, {"value": [self.show_machine(group, m, expand) for m in memberships.instances(self.lab, group)]})

    def put(self, call: Call) -> Answer:
        """Instance protection; everything else of an instance is changed at the machine."""
        machine = self._machine(call)
        body = call.body()
        shapes.check(body)
        policy = section(section(body, "properties"), "protectionPolicy")
        known = {k: bool(policy[k]) for k in ("protectFromScaleIn", "protectFromScaleSetActions") if k in policy}
        if known.get("protectFromScaleSetActions") and known.get("protectFromScaleIn") is False:
            raise invalid("protectionPolicy", "protectFromScaleIn cannot be false while protectFromScaleSetActions is true.")
        if known:
            machine.private["protection"] = {**machine.private.get("protection", {}), **known}
        self.lab.store.put(machine)
        operation = self.lab.start("update instance", f"{machine.id}/protection", "compute", what=self.name, method="UPDATE",
                                   location=machine.location)
        answer = Answer(200, self.show_machine(self.owner(call), machine))
        return self.started(call, answer, operation, location=False, retry_after=10)

    async def _done(self, operation: Operation) -> None:
        """Protection holds from the answer on; the operation only reports it."""

    def delete(self, call: Call) -> Answer:
        return self.parent.effects.machines.delete(self._to_machine(call))

    def _forward(self, call: Call, action: str) -> Answer:
        return self.parent.effects.machines.actions[action.lower()](self._to_machine(call))

    def _to_machine(self, call: Call) -> Call:
        machine = self._machine(call)
        rid = ResourceId(call.subscription, call.group, "Microsoft.Compute", ("virtualMachines",), (machine.name,))
        return replace(call, rid=rid, path=str(rid))


class SetExtensions(_Part):
    """…/extensions: a member of the profile, written and read on its own."""

    name = f"{memberships.SCALE_SET}/extensions"

    def render_one(self, group: Resource, entry: dict[str, Any], state: str) -> dict[str, Any]:
        return {"name": entry["name"], "id": f"{group.id}/extensions/{entry['name']}", "type": self.name,
                "properties": {"provisioningState": state, **entry["properties"]}}

    def _find(self, call: Call, group: Resource) -> dict[str, Any] | None:
        return next((e for e in extensions_of(group) if e["name"].lower() == call.id.name.lower()), None)

    def get(self, call: Call) -> Answer:
        group = self.owner(call)
        found = self._find(call, group)
        if found is None:
            raise arm_error("entity_missing")
        return Answer(200, self.render_one(group, found, group.state))

    def listing(self, call: Call) -> Answer:
        group = self.owner(replace(call, method="GET"))
        return Answer(200, {"value": [self.render_one(group, e, group.state) for e in extensions_of(group)]})

    def put(self, call: Call) -> Answer:
        group = self.owner(call, writing=True)
        body = call.body()
        shapes.check(body)
        name = checks.name_of(call, body, 80)
        old = self._find(call, group)
        p = {**(old["properties"] if old else {}), **section(body, "properties")}
        left = [e for e in extensions_of(group) if e is not old]
        answer = self._write(call, group, [*left, {"name": name, "properties": p}])
        entry = next(e for e in extensions_of(group) if e["name"] == name)
        return replace(answer, status=200 if old else 201, body=self.render_one(group, entry, "Updating" if old else "Creating"))

    def patch(self, call: Call) -> Answer:
        if self._find(call, self.owner(call)) is None:
            raise arm_error("entity_missing")
        return self.put(call)

    def delete(self, call: Call) -> Answer:
        """Out of the profile: new instances do not get it; those that have it keep it."""
        group = self.owner(call)
        found = self._find(call, group)
        if found is None:
            return Answer(204)
        answer = self._write(call, group, [e for e in extensions_of(group) if e is not found])
        assert answer.operation is not None
        return self.started(call, Answer(202), answer.operation, location=True, retry_after=10)

    def _write(self, call: Call, group: Resource, extensions: list[dict[str, Any]]) -> Answer:
        if "profile" not in group.body:
            raise invalid("virtualMachineProfile", "A Virtual Machine Scale Set without a virtualMachineProfile has no extensions.")
        body = {"location": group.location, "properties": {"virtualMachineProfile": {"extensionProfile": {"extensions": extensions}}}}
        root = call.id.root
        answer = self.parent.put(replace(call, method="PUT", rid=root, path=str(root), headers={}, raw_body=json.dumps(body).encode()))
        answer.headers.pop("ETag", None)
        return answer
