# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Managed run commands (virtualMachines/runCommands): scripts that are resources and really run in the machine.

https://learn.microsoft.com/azure/virtual-machines/linux/run-command-managed
"""
from __future__ import annotations

from dataclasses import replace
from typing import Any

from azlab.arm import checks
from azlab.arm.compute import managed_script, vm_view
from azlab.arm.compute.base import VM, ComputeType, invalid, section
from azlab.arm.compute.managed_script import ManagedScript
from azlab.arm.wire import Answer, Call
from azlab.errors import arm_error
from azlab.lab import Lab
from azlab.machines.driver import MachineError
from azlab.operations import Operation, now_text
from azlab.store import Resource

_SHOWN = ("source", "parameters", "runAsUser", "timeoutInSeconds", "outputBlobUri", "errorBlobUri", "asyncExecution",
          "treatFailureAsDeploymentFailure")
_SECRET = ("protectedParameters", "runAsPassword")
_DEFAULT_SECONDS = 90 * 60


class RunCommands(ComputeType):
    name = vm_view.RUN_COMMAND
    tracked = False

    def __init__(self, lab: Lab) -> None:
        super().__init__(lab)
        lab.operations.register("put run command", self._put_done, self._failed)
        lab.operations.register("follow run command", self._follow, self._lost)
        lab.operations.register("delete run command", self._delete_done)

    def machine(self, call: Call) -> Resource:
        """The machine of a command; Azure's error when it is missing."""
        checks.require_group(call, writing=call.method in ("PUT", "PATCH"))
        machine = self.lab.store.get(str(call.id.root))
        if machine is None and call.method == "PUT":
            raise arm_error("parent_not_found", verb="write", type="virtualMachines/runCommands", parent=str(call.id.root))
        if machine is None:
            raise arm_error("not_found", type=f"{VM}/{call.id.root.name}", group=call.group)
        return machine

    def render(self, resource: Resource, call: Call | None = None) -> dict[str, Any]:
        p = resource.properties
        shown = {key: p[key] for key in _SHOWN if key in p}
        shown["provisioningState"] = resource.state
        if call is not None and "instanceview" in call.query.get("$expand", "").lower():
            shown["instanceView"] = {**resource.private["view"], "statuses": []}
        wire = self.head(resource)
        wire["properties"] = shown
        return wire

    def get(self, call: Call) -> Answer:
        self.machine(call)
        return Answer(200, self.render(self.require(call), call))

    def listing(self, call: Call) -> Answer:
        machine = self.machine(replace(call, method="GET"))
        return Answer(200, {"value": [self.render(c, call) for c in vm_view.children_of(self.lab, machine, "runCommands")]})

    # -- writing
    def put(self, call: Call) -> Answer:
        machine = self.machine(call)
        body, existing, kept = self.checked(call)
        return self._write(call, machine, section(body, "properties"), existing, kept)

    def patch(self, call: Call) -> Answer:
        """What is given replaces what was there; the script runs again."""
        machine, existing, body = self.machine(call), self.require(call, writing=True), call.body()
        kept = dict(existing.body)
        tags = checks.tags_of(body)
        if tags is not None:
            kept["tags"] = tags
        p = {**existing.properties, **existing.private["secret"], **section(body, "properties")}
        return self._write(call, machine, p, existing, kept)

    def _write(self, call: Call, machine: Resource, p: dict[str, Any], existing: Resource | None, kept: dict[str, Any]) -> Answer:
        if machine.private["power"] != "running":
            raise arm_error("extension_not_running")
        if self.lab.operations.running_for(machine.id) or self.lab.operations.running_for(str(call.id)):
            raise arm_error("conflict")
        self._check(p)
        kept["properties"] = {"timeoutInSeconds": 0, "asyncExecution": False, **{k: p[k] for k in _SHOWN if k in p}}
        if existing:
            self.lab.operations.cancel_for(_execution(existing))
        resource = self.save(call, kept, existing, "Updating" if existing else "Creating")
        resource.private = {"secret": {k: p[k] for k in _SECRET if k in p}, "view": {"executionState": "Pending", "exitCode": 0},
                            "sequence": existing.private["sequence"] + 1 if existing else 0}
        self.lab.store.put(resource)
        vm_view.adopt(self.lab, machine, "runCommands", resource)
        operation = self.lab.start("put run command", resource, "compute", what=self.name, method="PUT")
        return self.started(call, Answer(200 if existing else 201, self.render(resource)), operation, location=False, retry_after=10)

    def _check(self, p: dict[str, Any]) -> None:
        source = section(p, "source")
        given = [key for key in ("script", "scriptUri", "commandId", "galleryScriptReferenceId") if source.get(key)]
        if len(given) != 1:
            raise invalid("runCommand.source", "Exactly one of script, scriptUri, commandId must be specified in the source of a run command.")
        if given != ["script"] or p.get("outputBlobUri") or p.get("errorBlobUri"):
            raise arm_error("lab_cannot", text="This lab runs scripts that are given in source.script and shows their output in the "
                                               "instance view: it opens no connections to scriptUri or to blobs.")
        seconds = p.get("timeoutInSeconds", 0)
        if not isinstance(seconds, int) or isinstance(seconds, bool) or seconds < 0:
            raise invalid("runCommand.timeoutInSeconds", f"The value '{seconds}' of parameter 'timeoutInSeconds' is not valid.")

    def delete(self, call: Call) -> Answer:
        machine = self.machine(call)
        resource = self.lab.store.get(str(call.id))
        if resource is None:
            return Answer(204)
        if machine.private["power"] != "running":
            raise arm_error("extension_not_running")
        self.lab.operations.cancel_for(resource.id)
        self.lab.operations.cancel_for(_execution(resource))
        return self.deleting(call, resource, "delete run command")

    # -- effects
    async def _put_done(self, operation: Operation) -> None:
        resource = self.lab.store.get(operation.resource_id)
        if resource is None:
            return
        if resource.properties["asyncExecution"]:
            self.lab.start("follow run command", _execution(resource), "compute", what=f"{self.name}/execution", method="POST",
                           location=resource.location)
        else:
            self.lab.operations.begin(operation)
            await self._execute(resource)
            view = resource.private["view"]
            if resource.properties.get("treatFailureAsDeploymentFailure") and view["executionState"] != "Succeeded":
                raise MachineError("VMExtensionProvisioningError", (
                    f"VM has reported a failure when processing run command '{resource.name}'. Error message: "
                    f"'{view['executionMessage']}'."))
        self._settle(resource, "Succeeded")

    async def _follow(self, operation: Operation) -> None:
        """The script of a command with asyncExecution: its provisioning has ended before."""
        resource = self.lab.store.get(operation.resource_id.rpartition("/")[0])
        if resource is not None:
            self.lab.operations.begin(operation)
            await self._execute(resource)

    async def _execute(self, resource: Resource) -> None:
        seconds = resource.properties["timeoutInSeconds"] or _DEFAULT_SECONDS
        began = now_text()
        self._view(resource, {"executionState": "Running", "exitCode": 0, "output": "", "error": "", "startTime": began})
        result = await self.lab.driver.run_command(_machine_id(resource), managed_script.wrapper(_script(resource)), seconds)
        state, message, code = managed_script.outcome(result)
        self._view(resource, {"executionState": state, "executionMessage": message, "exitCode": code, "output": result.stdout,
                              "error": result.stderr, "startTime": began, "endTime": now_text()})

    def _view(self, resource: Resource, view: dict[str, Any]) -> None:
        resource.private["view"] = view
        if self.lab.store.get(resource.id) is not None:
            self.lab.store.put(resource)

    def _settle(self, resource: Resource, state: str) -> None:
        if self.lab.store.get(resource.id) is not None:
            resource.state = state
            self.lab.store.put(resource)

    def _failed(self, operation: Operation) -> None:
        resource = self.lab.store.get(operation.resource_id)
        if resource:
            self._ended_unseen(resource)
            self._settle(resource, "Failed")

    def _lost(self, operation: Operation) -> None:
        resource = self.lab.store.get(operation.resource_id.rpartition("/")[0])
        if resource:
            self._ended_unseen(resource)

    def _ended_unseen(self, resource: Resource) -> None:
        """The script was cut off, or nobody saw how it ended."""
        if resource.private["view"]["executionState"] in ("Pending", "Running"):
            self._view(resource, {**resource.private["view"], "executionState": "Unknown", "endTime": now_text()})

    async def _delete_done(self, operation: Operation) -> None:
        running = self.lab.store.get(operation.resource_id)
        if running and running.private["view"]["executionState"] == "Running":
            await self.lab.driver.run_command(_machine_id(running), managed_script.stopper(_script(running)), 30)
        resource = self.lab.store.delete(operation.resource_id)
        machine = self.lab.store.get(operation.resource_id.rsplit("/runCommands/", 1)[0]) if resource else None
        if resource and machine:
            vm_view.disown(self.lab, machine, "runCommands", resource)


def _execution(resource: Resource) -> str:
    return f"{resource.id}/execution"


def _machine_id(resource: Resource) -> str:
    return resource.lid.rsplit("/runcommands/", 1)[0]


def _script(resource: Resource) -> ManagedScript:
    p, secret = resource.properties, resource.private["secret"]
    return ManagedScript(resource.name, resource.private["sequence"], p["source"]["script"],
                         [*p.get("parameters", []), *secret.get("protectedParameters", [])], p.get("runAsUser", ""))
