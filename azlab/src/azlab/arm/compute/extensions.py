# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""VM extensions. CustomScript runs in the machine, and the Docker extension where the lab is told so; the others are known by
name and fail as they would here."""
from __future__ import annotations

import asyncio
import hashlib
import json
import logging
from dataclasses import replace
from typing import Any

from azlab.arm import checks, shapes
from azlab.arm.compute import custom_script, docker_extension, vm_view
from azlab.arm.compute.base import VM, ComputeType, section
from azlab.arm.compute.vm_effects import shown_output
from azlab.arm.wire import Answer, Call
from azlab.errors import arm_error
from azlab.lab import Lab
from azlab.machines.driver import CommandResult, MachineError
from azlab.operations import Operation, now_text
from azlab.store import Resource

log = logging.getLogger("azlab")


class Extensions(ComputeType):
    name = vm_view.EXTENSION
    tracked = False

    def __init__(self, lab: Lab) -> None:
        super().__init__(lab)
        lab.operations.register("put extension", self._put_done, self._failed)
        lab.operations.register("delete extension", self._delete_done)

    def machine(self, call: Call) -> Resource:
        checks.require_group(call, writing=call.method in ("PUT", "PATCH"))
        machine = self.lab.store.get(str(call.id.root))
        if machine is None:
            if call.method == "PUT":
                raise arm_error("parent_not_found", verb="write", type="virtualMachines/extensions",
                                parent=str(call.id.root))
            raise arm_error("not_found", type=f"{VM}/{call.id.root.name}", group=call.group)
        return machine

    def render(self, resource: Resource, call: Call | None = None) -> dict[str, Any]:
        expand = call.query.get("$expand", "") if call else ""
        return vm_view.extension(resource, view="instanceview" in expand.lower())

    def get(self, call: Call) -> Answer:
        self.machine(call)
        return Answer(200, self.render(self.require(call), call))

    def listing(self, call: Call) -> Answer:
        machine = self.machine(replace(call, method="GET"))
        return Answer(200, {"value": [self.render(e, call) for e in vm_view.extensions_of(self.lab, machine)]})

    # -- writing
    def put(self, call: Call) -> Answer:
        machine = self.machine(call)
        body, existing = call.body(), self.lab.store.get(str(call.id))
        shapes.check(body)
        p = section(body, "properties")
        if self.lab.operations.running_for(machine.id) or self.lab.operations.running_for(str(call.id)):
            raise arm_error("conflict")
        for key in ("publisher", "type", "typeHandlerVersion"):
            if not p.get(key) and not (existing and existing.properties.get(key)):
                raise arm_error("required", target=f"VMExtension.{key}")
        if machine.private["power"] != "running":
            raise arm_error("extension_not_running")
        kept = self._kept(call, body, p, machine, existing)
        private = self._private(p, existing)
        digest = self._digest(kept["properties"], private["protected"])
        if existing is not None and existing.state == "Succeeded" and existing.private.get("digest") == digest:
            existing.body = kept            # the same configuration again: the handler does nothing
            self.lab.store.put(existing)
            return Answer(200, self.render(existing))
        resource = self.save(call, kept, existing, "Updating" if existing else "Creating")
        resource.private = {**private, "digest": digest,
                            "sequence": existing.private.get("sequence", -1) + 1 if existing else 0}
        self.lab.store.put(resource)
        vm_view.adopt(self.lab, machine, "extensions", resource)
        operation = self.lab.start("put extension", resource, "compute", what=self.name, method="PUT")
        answer = Answer(200 if existing and existing.revision > 1 else 201, self.render(resource))
        return self.started(call, answer, operation, location=False, retry_after=10)

    def _kept(self, call: Call, body: dict[str, Any], p: dict[str, Any], machine: Resource,
              existing: Resource | None) -> dict[str, Any]:
        """What is shown of the extension, checked against the catalogue and the machine's other extensions."""
        checks.name_of(call, body, 80)
        old = existing.properties if existing else {}
        shown = {k: p.get(k, old.get(k)) for k in ("autoUpgradeMinorVersion", "enableAutomaticUpgrade", "publisher",
                                                   "type", "typeHandlerVersion", "settings", "forceUpdateTag",
                                                   "suppressFailures", "provisionAfterExtensions")}
        shown = {k: v for k, v in shown.items() if v is not None}
        for key in ("publisher", "type"):
            if existing and str(old[key]).lower() != str(shown[key]).lower():
                raise arm_error("changed", target=key)
        entry = next((e for e in self.lab.extension_types() if (e["publisher"].lower(), e["type"].lower()) == (
            str(shown["publisher"]).lower(), str(shown["type"]).lower())), None)
        if entry is None:
            raise arm_error("artifact", publisher=shown["publisher"], type=shown["type"], location=machine.location)
        wanted = str(shown["typeHandlerVersion"])
        if not any(v == wanted or v.startswith(wanted + ".") for v in entry["versions"]):
            raise arm_error("artifact_version", publisher=shown["publisher"], type=shown["type"], version=wanted,
                            location=machine.location)
        for other in vm_view.extensions_of(self.lab, machine):
            if other.name.lower() != call.id.name.lower() and (other.properties["publisher"].lower(),
                                                               other.properties["type"].lower()) == (
                    entry["publisher"].lower(), entry["type"].lower()):
                raise arm_error("extension_twice", name=call.id.name, handler=f"{entry['publisher']}.{entry['type']}")
        kept: dict[str, Any] = {"location": machine.location, "properties": shown}
        tags = checks.tags_of(body)
        if tags is not None:
            kept["tags"] = tags
        return kept

    @staticmethod
    def _private(p: dict[str, Any], existing: Resource | None) -> dict[str, Any]:
        protected = p.get("protectedSettings")
        if protected is None and existing:
            protected = existing.private.get("protected", {})
        return {"protected": protected or {}}

    @staticmethod
    def _digest(shown: dict[str, Any], protected: dict[str, Any]) -> str:
        relevant = [shown.get("settings"), protected, shown.get("forceUpdateTag"), shown["typeHandlerVersion"]]
        return hashlib.sha256(json.dumps(relevant, sort_keys=True).encode()).hexdigest()

    def patch(self, call: Call) -> Answer:
        """PATCH takes the same members as PUT; what it leaves out stays."""
        self.require(call)
        return self.put(call)

    def delete(self, call: Call) -> Answer:
        machine = self.machine(call)
        resource = self.lab.store.get(str(call.id))
        if resource is None:
            return Answer(204)
        if machine.private["power"] != "running":
            raise arm_error("extension_not_running")
        if self.lab.operations.running_for(resource.id):
            raise arm_error("conflict")
        return self.deleting(call, resource, "delete extension")

    # -- effects
    async def _put_done(self, operation: Operation) -> None:
        resource = self.lab.store.get(operation.resource_id)
        if resource is None:
            return
        p = resource.properties
        kind = p["type"].lower()
        self.lab.operations.begin(operation)
        try:
            if kind == docker_extension.TYPE:
                message = await self._docker(resource)
            elif kind == "customscript":
                message = await self._custom_script(resource)
            else:
                raise MachineError("", "this lab knows the extension, but cannot run it: only CustomScript runs here")
        except MachineError as problem:
            if problem.code:
                raise
            self._report(resource, "Failed", problem.message)
            raise self._provisioning_error(resource, problem.message) from None
        self._report(resource, "Succeeded", message)

    def _provisioning_error(self, resource: Resource, text: str) -> MachineError:
        p = resource.properties
        return MachineError(
            "VMExtensionProvisioningError",
            f"VM has reported a failure when processing extension '{resource.name}' (publisher '{p['publisher']}' and type "
            f"'{p['type']}'). Error message: '{text}'. More information on troubleshooting is available at "
            "https://aka.ms/VMExtensionCSELinuxTroubleshoot. ")

    async def _custom_script(self, resource: Resource) -> str:
        machine_id = resource.lid.rsplit("/extensions/", 1)[0]
        try:
            command, script = custom_script.validate(resource.properties.get("settings") or {},
                                                     resource.private["protected"])
        except custom_script.SettingsRefused as problem:
            raise MachineError("", f"Enable failed: {problem}") from None
        result = await self._in_machine(resource, machine_id, custom_script.wrapper(resource.private["sequence"], command, script))
        output = f"\n[stdout]\n{shown_output(result.stdout)}\n[stderr]\n{shown_output(result.stderr)}"
        if result.exit_code:
            raise MachineError("", "Enable failed: failed to execute command: command terminated with exit "
                                   f"status={result.exit_code}{output}")
        return f"Enable succeeded: {output}"

    async def _docker(self, resource: Resource) -> str:
        """The old Docker extension, if the lab is to carry it out."""
        if self.lab.docker_extension != "working":
            raise MachineError("", docker_extension.BROKEN)
        machine_id = resource.lid.rsplit("/extensions/", 1)[0]
        machine = self.lab.store.get(machine_id)
        user = machine.properties["osProfile"]["adminUsername"] if machine else ""
        try:
            text = docker_extension.enable_script(resource.properties.get("settings") or {}, resource.private["protected"], user)
        except docker_extension.SettingsRefused as problem:
            raise MachineError("", f"Enable Docker failed: ERROR: {problem}") from None
        result = await self._in_machine(resource, machine_id, text)
        if result.exit_code:
            raise MachineError("", f"Enable Docker failed: {result.stderr.strip()[-2000:]}")
        return "Enable Docker succeeded"

    async def _in_machine(self, resource: Resource, machine_id: str, text: str) -> CommandResult:
        try:
            result = await asyncio.wait_for(self.lab.driver.run_command(machine_id, text, custom_script.TIMEOUT),
                                            custom_script.TIMEOUT + 30)
        except TimeoutError:
            raise MachineError("VMExtensionProvisioningTimeout",
                               f"Provisioning of VM extension {resource.name} has timed out. Extension provisioning has "
                               "taken too long to complete.") from None
        if result.interrupted:
            # On Azure the handler's last status stays "transitioning" until the time is up; nobody waits for that here.
            raise MachineError("VMExtensionProvisioningTimeout",
                               f"Provisioning of VM extension {resource.name} has timed out. The machine went down while it ran.")
        return result

    def _report(self, resource: Resource, state: str, message: str) -> None:
        if self.lab.store.get(resource.id) is None:
            return
        failed = state == "Failed"
        resource.state = state
        resource.private["statuses"] = [{
            "code": "ProvisioningState/failed/0" if failed else "ProvisioningState/succeeded",
            "level": "Error" if failed else "Info",
            "displayStatus": "Provisioning failed" if failed else "Provisioning succeeded",
            "message": message, "time": now_text()}]
        self.lab.store.put(resource)

    def _failed(self, operation: Operation) -> None:
        resource = self.lab.store.get(operation.resource_id)
        if resource and resource.state != "Failed":
            self._report(resource, "Failed", "The extension failed.")

    async def _delete_done(self, operation: Operation) -> None:
        going = self.lab.store.get(operation.resource_id)
        if going and going.properties["type"].lower() == docker_extension.TYPE and self.lab.docker_extension == "working":
            try:  # the agent goes on when a handler cannot uninstall itself
                await self._in_machine(going, going.lid.rsplit("/extensions/", 1)[0], docker_extension.removal_script())
            except MachineError as problem:
                log.info("the Docker extension was not uninstalled: %s", problem.message)
        resource = self.lab.store.delete(operation.resource_id)
        machine = self.lab.store.get(operation.resource_id.rsplit("/extensions/", 1)[0]) if resource else None
        if resource and machine:
            vm_view.disown(self.lab, machine, "extensions", resource)
