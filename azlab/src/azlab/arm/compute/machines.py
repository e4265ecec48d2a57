# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Virtual machines: the verbs. What they do to the hosts is in `vm_effects`."""
from __future__ import annotations

import json
import re
import uuid
from dataclasses import replace
from functools import partial
from typing import Any

from azlab.arm import checks, shapes
from azlab.arm.compute import captured, memberships, vm_body, vm_view
from azlab.arm.compute.base import VM, ComputeType, listed, section
from azlab.arm.compute.offers import RUN_COMMANDS, size_entry
from azlab.arm.compute.vm_effects import Effects
from azlab.arm.compute.vm_make import PLAIN, Maker
from azlab.arm.identity.carried import carry
from azlab.arm.types import Registry
from azlab.arm.wire import Answer, Call
from azlab.errors import arm_error
from azlab.lab import Lab
from azlab.operations import now_text
from azlab.store import Resource

# dotted path in properties, the name that Azure gives it as `target`
IMMUTABLE = (("osProfile.computerName", "osProfile.computerName"),
             ("osProfile.adminUsername", "osProfile.adminUsername"),
             ("osProfile.linuxConfiguration.ssh.publicKeys", "linuxConfiguration.ssh.publicKeys"),
             ("osProfile.linuxConfiguration.disablePasswordAuthentication",
              "linuxConfiguration.disablePasswordAuthentication"),
             ("storageProfile.osDisk.name", "osDisk.name"), ("storageProfile.osDisk.osType", "osDisk.osType"),
             ("storageProfile.osDisk.createOption", "osDisk.createOption"),
             ("storageProfile.imageReference.publisher", "imageReference"),
             ("storageProfile.imageReference.offer", "imageReference"),
             ("storageProfile.imageReference.sku", "imageReference"),
             ("storageProfile.imageReference.version", "imageReference"), ("storageProfile.imageReference.id", "imageReference"))
_OF_SET = re.compile(r"'?virtualMachineScaleSet/id'?\s+eq\s+'([^']*)'", re.IGNORECASE)


def dig(value: Any, path: str) -> Any:
    for key in path.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    return value


class VirtualMachines(ComputeType):
    name = VM
    name_limit = 64

    def __init__(self, lab: Lab, registry: Registry) -> None:
        super().__init__(lab)
        self.effects = Effects(lab, registry)
        self.maker = Maker(lab, registry, self)
        for action in ("start", "powerOff", "deallocate", "restart", "redeploy", "reimage"):
            self.actions[action.lower()] = partial(self._power, action=action)
        self.actions["runcommand"] = self.run_command
        self.actions["reapply"] = self.reapply
        self.actions["generalize"] = lambda call: captured.generalize(lab, self.require(call, writing=True))
        self.get_actions["instanceview"] = self.instance_view
        self.get_actions["vmsizes"] = self.sizes

    # -- reading
    def found(self, call: Call) -> list[Resource]:
        """The machines of a list; `$filter='virtualMachineScaleSet/id' eq '...'` leaves those of one scale set."""
        if call.group:
            checks.require_group(call)
        machines = self.lab.store.of_type(self.name, call.subscription, call.group or None)
        text = call.query.get("$filter", "").strip()
        if not text:
            return machines
        match = _OF_SET.fullmatch(text)
        if match is None:
            raise arm_error("filter", filter=text)
        return [m for m in machines if str(dig(m.properties, "virtualMachineScaleSet.id")).lower() == match[1].lower()]

    def render(self, resource: Resource, call: Call | None = None) -> dict[str, Any]:
        return vm_view.machine(self.lab, resource, expand=call.query.get("$expand", "") if call else "")

    def listing(self, call: Call) -> Answer:
        if call.query.get("statusonly", "").lower() == "true":
            return Answer(200, {"value": [vm_view.status_only(r) for r in self.found(call)]})
        listed_machines = [self.render(r, call) for r in self.found(call)]
        for entry in listed_machines:           # a list names the extensions by their ids only
            if "resources" in entry:
                entry["resources"] = [{"id": extension["id"]} for extension in entry["resources"]]
        return Answer(200, {"value": listed_machines})

    def instance_view(self, call: Call) -> Answer:
        return Answer(200, vm_view.instance_view(self.lab, self.require(call)))

    def sizes(self, call: Call) -> Answer:
        self.require(call)
        return Answer(200, {"value": [size_entry(s) for s in self.lab.catalogue.sizes.values()]})

    # -- writing
    def put(self, call: Call) -> Answer:
        body, existing, kept = self.checked(call)
        vm_body.check_name(call.id.name)
        p = section(body, "properties")
        if existing:
            return self._update(call, p, existing, kept)
        return self._create(call, p, kept)

    def _create(self, call: Call, p: dict[str, Any], kept: dict[str, Any]) -> Answer:
        resource, operation = self.maker.make(call, p, kept)
        answer = Answer(201, vm_view.machine(self.lab, resource, first=True), {"ETag": self.etag(resource)})
        return self.started(call, answer, operation, location=False, retry_after=10)

    def _update(self, call: Call, p: dict[str, Any], existing: Resource, kept: dict[str, Any]) -> Answer:
        if self.lab.operations.running_for(existing.id):
            raise arm_error("conflict")
        old = existing.properties
        for path, target in IMMUTABLE:
            before, after = dig(old, path), dig(p, path)
            if after is not None and after != before and not _same_text(before, after):
                raise arm_error("changed", target=target)
        self._check_secrets(p, existing)
        if kept.get("zones") != existing.body.get("zones"):
            raise arm_error("changed", target="zones")
        if dig(p, "availabilitySet.id") and not _same_text(dig(old, "availabilitySet.id"), dig(p, "availabilitySet.id")):
            raise arm_error("changed", target="availabilitySet.id")
        new = {**old, **{k: p[k] for k in PLAIN if k in p}}
        if "hardwareProfile" in p:
            size = vm_body.check_size(self.lab, p, existing.location, existing.body.get("zones", ()))
            self.lab.limits.check_cores(size, existing.location, existing.subscription, existing, spot=old.get("priority") == "Spot")
            new["hardwareProfile"] = {**old["hardwareProfile"], **p["hardwareProfile"], "vmSize": size}
        if "networkProfile" in p and not vm_body.configurations(p):      # configurations are read at the creation only
            new["networkProfile"] = {"networkInterfaces": vm_body.interfaces(
                self.lab, p, existing.id, existing.location)}
            self._check_interfaces(existing, new)
        if "storageProfile" in p:
            new["storageProfile"] = self._storage(p["storageProfile"], existing, new["hardwareProfile"]["vmSize"])
        if "virtualMachineScaleSet" in p:
            group = memberships.change(self.lab, existing, section(p, "virtualMachineScaleSet"))
            new.pop("virtualMachineScaleSet", None)
            if group:
                new["virtualMachineScaleSet"] = group
        self._refuse_what_hosts_cannot(old, new)
        kept["properties"] = new
        carry(self.lab, call, kept, existing)
        resource = self.save(call, kept, existing, "Updating")
        self.maker.make_disks(resource, None)
        resource.private["changed"] = now_text()
        self.lab.store.put(resource)
        answer = Answer(200, self.render(resource), {"ETag": self.etag(resource)})
        operation = self.lab.start("update vm", resource, "compute", what=self.name, method="UPDATE",
                                   args={"disks": old["storageProfile"]["dataDisks"]})
        return self.started(call, answer, operation, location=False, retry_after=10)

    def _refuse_what_hosts_cannot(self, old: dict[str, Any], new: dict[str, Any]) -> None:
        """What a host that runs cannot be given: better an error than a model that lies."""
        def disks(p: dict[str, Any]) -> list[tuple[int, str]]:
            return [(d["lun"], d["name"].lower()) for d in p["storageProfile"]["dataDisks"]]

        def nics(p: dict[str, Any]) -> list[str]:
            return [n["id"].lower() for n in p["networkProfile"]["networkInterfaces"]]
        if not self.lab.has_machines:
            return
        if nics(old) != nics(new):
            raise arm_error("lab_cannot", text="This lab cannot attach or detach network interfaces of a machine that exists: "
                                               "name them when the machine is made.")
        if disks(old) != disks(new) and not self.lab.driver.hot_disks:
            raise arm_error("lab_cannot", text="The kernel under this lab has no loop devices, so that data disks cannot be "
                                               "attached or detached later: name them when the machine is made.")

    def _check_secrets(self, p: dict[str, Any], existing: Resource) -> None:
        for key in ("customData", "adminPassword"):
            given = dig(p, f"osProfile.{key}")
            if given is not None and given != existing.private.get(key):
                raise arm_error("changed", target=f"osProfile.{key}")

    def _storage(self, storage: dict[str, Any], existing: Resource, size: str) -> dict[str, Any]:
        old = existing.properties["storageProfile"]
        given = vm_body.enums(section(storage, "osDisk"))
        os_disk = {**old["osDisk"], **{k: given[k] for k in ("caching", "deleteOption") if k in given}}
        if given.get("diskSizeGB", os_disk["diskSizeGB"]) < os_disk["diskSizeGB"]:
            raise arm_error("disk_shrink", new=given["diskSizeGB"], old=os_disk["diskSizeGB"])
        os_disk["diskSizeGB"] = given.get("diskSizeGB", os_disk["diskSizeGB"])
        disks = old["dataDisks"]
        if "dataDisks" in storage:
            disks = vm_body.data_disks(self.lab, storage, existing.name, size, existing.id)
        return {**old, "osDisk": os_disk, "dataDisks": disks}

    def patch(self, call: Call) -> Answer:
        """PATCH is a PUT of what is there with the given members laid over it."""
        resource = self.require(call, writing=True)
        body = call.body()
        shapes.check(body)
        merged: dict[str, Any] = {"location": resource.location, "properties": section(body, "properties")}
        for key in ("tags", "identity", "zones"):
            value = body.get(key, resource.body.get(key))
            if value is not None:
                merged[key] = value
        if "identity" in body:
            merged["identity"] = json.loads(call.raw_body)["identity"]      # with its nulls, which take identities away
        return self.put(replace(call, raw_body=json.dumps(merged).encode()))

    def _check_interfaces(self, existing: Resource, new: dict[str, Any]) -> None:
        """A machine that runs keeps its interfaces."""
        before, after = (len(p["networkProfile"]["networkInterfaces"]) for p in (existing.properties, new))
        if before != after and existing.private.get("power") != "deallocated":
            raise arm_error("interfaces_while_running", id=existing.id)

    def delete(self, call: Call) -> Answer:
        return self.delete_once(call, "delete vm")

    # -- actions
    def _power(self, call: Call, action: str) -> Answer:
        resource = self.require(call, writing=True)
        if self.lab.operations.running_for(resource.id):
            raise arm_error("conflict")
        if resource.private.get("generalized") and action in ("start", "restart", "redeploy", "reimage"):
            raise arm_error("action_not_allowed", action=action, name=resource.name, why="generalized")
        if action in ("restart", "powerOff") and resource.private["power"] == "deallocated":
            raise arm_error("not_running")
        if action == "deallocate" and dig(resource.properties, "storageProfile.osDisk.diffDiskSettings"):
            raise arm_error("ephemeral_deallocate", name=resource.name)
        if action == "reimage":
            self._reimage_options(resource, call.optional_body())
        args = {"cut": call.query.get("skipshutdown", "").lower() == "true"} if action == "powerOff" else {}
        operation = self.lab.start(action, resource, "compute", what=f"{self.name}/{action}", method="POST", args=args)
        self.effects.begin(resource, action)
        return self.started(call, Answer(202), operation, location=True, retry_after=10)

    def _reimage_options(self, resource: Resource, body: dict[str, Any]) -> None:
        """What a reimage may bring along: the custom data of the next first boot."""
        if body.get("exactVersion"):
            raise arm_error("lab_cannot", text="This lab reimages to the version that the machine was made with only: leave "
                                               "exactVersion out.")
        data = dig(body, "osProfile.customData")
        if data is not None:
            vm_body.check_custom_data(data)
            resource.private["customData"] = data
            self.lab.store.put(resource)

    def reapply(self, call: Call) -> Answer:
        """The state that is wanted is applied again; a machine whose creation failed before it ran is created."""
        resource = self.require(call, writing=True)
        if self.lab.operations.running_for(resource.id):
            raise arm_error("conflict")
        never_ran = resource.state == "Failed" and resource.private["power"] == "stopped"
        args = {"resumed": True} if never_ran else {"disks": resource.properties["storageProfile"]["dataDisks"]}
        operation = self.lab.start("create vm" if never_ran else "update vm", resource, "compute", what=self.name, method="POST", args=args)
        return self.started(call, Answer(202), operation, location=True, retry_after=10)

    def run_command(self, call: Call) -> Answer:
        resource = self.require(call, writing=True)
        body = call.body()
        command = body.get("commandId")
        if not command:
            raise arm_error("required", target="commandId")
        document = RUN_COMMANDS.get(str(command).lower())
        if document is None or document["osType"] != resource.properties["storageProfile"]["osDisk"]["osType"]:
            raise arm_error("run_command", command=command)
        script = body.get("script")
        if not isinstance(script, list) or not all(isinstance(line, str) for line in script) or not script:
            raise arm_error("required", target="script")
        if resource.private["power"] != "running":
            raise arm_error("not_running")
        parameters = [(str(p.get("name", "")), str(p.get("value", ""))) for p in listed(body, "parameters")]
        operation = self.lab.start("run command", f"{resource.id}/runCommand/{uuid.uuid4()}", "compute",
                                   what=f"{self.name}/runCommand", method="POST", location=resource.location,
                                   args={"machine": resource.id, "script": script, "parameters": parameters})
        return self.started(call, Answer(202), operation, location=True, retry_after=10)


def _same_text(before: Any, after: Any) -> bool:
    """Names and ids are compared without case; keys without the blanks around them."""
    if isinstance(before, str) and isinstance(after, str):
        return before.strip().lower() == after.strip().lower()
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        return all(isinstance(a, dict) and isinstance(b, dict)
                   and str(a.get("keyData", "")).strip() == str(b.get("keyData", "")).strip()
                   for a, b in zip(before, after))
    return False
