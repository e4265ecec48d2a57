# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What operations on virtual machines do: to the hosts through the driver, and to the state."""
from __future__ import annotations

import asyncio
import base64
import shlex
from typing import Any

from azlab.arm.compute import vm_view
from azlab.arm.compute.base import NIC
from azlab.arm.compute.disks import attached_disks, drop_disk
from azlab.arm.network.allocation import find_subnet
from azlab.arm.network.vnets import subnet_prefixes
from azlab.arm.types import Registry
from azlab.lab import Lab
from azlab.machines.driver import MachineError, MachineSpec, NetworkSpec
from azlab.operations import Operation, now_text
from azlab.store import Resource

OUTPUT_LIMIT = 4096
RUN_COMMAND_TIMEOUT = 90 * 60.0
_DURING = {"start": "starting", "powerOff": "stopping", "deallocate": "deallocating", "restart": "starting",
           "redeploy": "starting", "reimage": "starting"}
_AFTER = {"start": "running", "powerOff": "stopped", "deallocate": "deallocated", "restart": "running",
          "redeploy": "running", "reimage": "running"}


def shown_output(text: str) -> str:
    """The last four KiB, as the agent reports them."""
    return text.encode()[-OUTPUT_LIMIT:].decode(errors="replace")


def _places(disks: list[dict[str, Any]]) -> set[tuple[int, str]]:
    """Which disk is where."""
    return {(d["lun"], d["managedDisk"]["id"].lower()) for d in disks}


class Effects:
    """Registered once; each takes its operation."""

    def __init__(self, lab: Lab, registry: Registry) -> None:
        self.lab, self.registry = lab, registry
        register = lab.operations.register
        register("create vm", self._create, self._failed)
        register("update vm", self._update, self._failed)
        register("delete vm", self._delete, self._failed)
        register("run command", self._run_command)
        for action in _AFTER:
            register(action, self._power, self._power_failed)

    def _machine(self, operation: Operation) -> Resource | None:
        return self.lab.store.get(operation.resource_id)

    def _settle(self, resource: Resource, state: str, power: str | None = None,
                error: dict[str, str] | None = None) -> None:
        if self.lab.store.get(resource.id) is None:
            return
        resource.state = state
        if power:
            resource.private["power"] = power
        resource.private["changed"] = now_text()
        resource.private["error"] = error
        resource.private["silent"] = error is not None and error["code"] == "OSProvisioningTimedOut"
        self.lab.store.put(resource)
        self.lab.network_changed()

    def begin(self, resource: Resource, action: str) -> None:
        """The state that is seen while the action runs; nothing when it has ended already."""
        if self.lab.operations.running_for(resource.id) is None:
            return
        resource.private["before"] = resource.private["power"]
        resource.private["power"] = _DURING[action]
        resource.state = "Updating"
        self.lab.store.put(resource)

    # -- life
    async def _create(self, operation: Operation) -> None:
        resource = self._machine(operation)
        if resource is None:
            return
        spec, network = self.spec(resource)
        if operation.args.get("resumed"):
            await self.lab.driver.delete_machine(spec.id)
        await self.lab.driver.ensure_network(network)
        await self.lab.network_settled()        # the machine must find its firewall and its way out when it boots
        try:
            await self.lab.driver.create_machine(spec)
        except MachineError as problem:
            # A machine that did not report in time runs all the same, and may still come up.
            power = "running" if await self.lab.driver.machine_state(spec.id) == "running" else "stopped"
            self._settle(resource, "Failed", power, {"code": problem.code, "message": problem.message})
            raise
        self._settle(resource, "Succeeded", "running")

    async def _update(self, operation: Operation) -> None:
        resource = self._machine(operation)
        if resource is None:
            return
        before = operation.args.get("disks", [])
        profile = resource.properties["storageProfile"]
        if _places(before) != _places(profile["dataDisks"]):
            try:
                await self.lab.driver.set_disks(resource.lid, attached_disks(self.lab, resource))
            except MachineError as problem:
                self._release(profile["dataDisks"], before)
                profile["dataDisks"] = before           # what the machine still has
                self._settle(resource, "Failed", error={"code": problem.code, "message": problem.message})
                raise
            self._release(before, profile["dataDisks"])
        self._settle(resource, "Succeeded")

    def _release(self, before: list[dict[str, Any]], after: list[dict[str, Any]]) -> None:
        """Disks that a machine had and has no more belong to nobody; until then nobody else can have them."""
        left = {d["managedDisk"]["id"].lower() for d in after}
        for entry in before:
            disk = self.lab.store.get(entry["managedDisk"]["id"])
            if disk and disk.lid not in left:
                disk.body.pop("managedBy", None)
                self.lab.store.put(disk)

    def _failed(self, operation: Operation) -> None:
        resource = self._machine(operation)
        if resource and resource.state != "Failed":
            never_ran = operation.effect == "create vm" and resource.private["power"] != "running"
            self._settle(resource, "Failed", "stopped" if never_ran else None, operation.error)

    async def _delete(self, operation: Operation) -> None:
        resource = self._machine(operation)
        if resource is None:
            return
        await self.lab.driver.delete_machine(resource.lid)
        for kind in ("extensions", "runCommands"):
            for child in vm_view.children_of(self.lab, resource, kind):
                self.lab.store.delete(child.id)
        self.lab.store.delete(resource.id)
        profile = resource.properties["storageProfile"]
        for disk in (profile["osDisk"], *profile["dataDisks"]):
            await self._release_disk(disk)
        for entry in resource.properties["networkProfile"]["networkInterfaces"]:
            if entry.get("properties", {}).get("deleteOption") == "Delete":
                nic = self.lab.store.delete(entry["id"])
                if nic:
                    self.registry.types[NIC.lower()].after_delete(nic)  # type: ignore[attr-defined]
        self.lab.network_changed()

    async def _release_disk(self, disk: dict[str, Any]) -> None:
        found = self.lab.store.get(disk["managedDisk"]["id"])
        if found is None:
            return
        if disk.get("deleteOption") == "Delete":
            await drop_disk(self.lab, found.id)
        else:
            found.body.pop("managedBy", None)
            self.lab.store.put(found)

    # -- power
    async def _power(self, operation: Operation) -> None:
        resource = self._machine(operation)
        if resource is None:
            return
        driver, lid = self.lab.driver, resource.lid
        if operation.effect == "reimage":
            await driver.reimage(self.spec(resource)[0])
        elif operation.effect == "powerOff":
            await driver.power_off(lid, cut=bool(operation.args.get("cut")))
        else:
            verb = {"start": driver.start_machine, "deallocate": driver.deallocate,
                    "restart": driver.restart, "redeploy": driver.redeploy}[operation.effect]
            await verb(lid)
        self._settle(resource, "Succeeded", _AFTER[operation.effect])

    def _power_failed(self, operation: Operation) -> None:
        resource = self._machine(operation)
        if resource:
            self._settle(resource, "Failed", resource.private.get("before") or resource.private["power"],
                         operation.error)

    # -- commands
    async def _run_command(self, operation: Operation) -> dict[str, Any]:
        """The agent reports success whatever the script's exit status, as Azure's does."""
        script = "\n".join(operation.args["script"])
        lines = [f"export {n}={shlex.quote(v)}" for n, v in operation.args["parameters"] if n.isidentifier()]
        values = " ".join(shlex.quote(v) for _, v in operation.args["parameters"])
        if values:
            lines.append(f"set -- {values}")
        machine = self.lab.store.get(operation.args["machine"])
        if machine is None:
            raise MachineError("OperationPreempted", "The machine was deleted while the command was waiting.")
        self.lab.operations.begin(operation)
        try:
            result = await asyncio.wait_for(
                self.lab.driver.run_command(machine.lid, "\n".join([*lines, script]) + "\n", RUN_COMMAND_TIMEOUT),
                RUN_COMMAND_TIMEOUT + 30)
        except TimeoutError:
            raise MachineError("VMExtensionProvisioningTimeout",
                               "Provisioning of VM extension RunCommandLinux has timed out.") from None
        message = (f"Enable succeeded: \n[stdout]\n{shown_output(result.stdout)}\n[stderr]\n"
                   f"{shown_output(result.stderr)}")
        return {"value": [{"code": "ProvisioningState/succeeded", "level": "Info",
                           "displayStatus": "Provisioning succeeded", "message": message}]}

    # -- what the driver is told
    def spec(self, resource: Resource) -> tuple[MachineSpec, NetworkSpec]:
        """A machine as the driver has to make it, and the network that it is in."""
        p = resource.properties
        configuration = self._primary(resource)
        subnet_id = configuration["properties"]["subnet"]["id"]
        found = find_subnet(self.lab.store, subnet_id)
        if found is None:
            raise MachineError("NetworkingInternalOperationError", f"Subnet {subnet_id} is gone.")
        vnet, subnet = found
        size = self.lab.catalogue.sizes[p["hardwareProfile"]["vmSize"].lower()]
        image, linux = resource.private["image"], p["osProfile"].get("linuxConfiguration", {})
        custom = resource.private.get("customData")
        spec = MachineSpec(
            id=resource.lid, name=resource.name, computer_name=p["osProfile"]["computerName"], vnet_id=vnet.lid,
            private_ip=configuration["properties"]["privateIPAddress"],
            image=":".join((image["publisher"], image["offer"], image["sku"], image["version"])),
            admin_username=p["osProfile"]["adminUsername"],
            ssh_public_keys=tuple(k["keyData"].strip() for k in linux.get("ssh", {}).get("publicKeys", [])),
            custom_data=base64.b64decode(custom) if custom else None, cpus=size.cores, memory_mb=size.memory_mb,
            data_disks=attached_disks(self.lab, resource),
            password_auth=not linux.get("disablePasswordAuthentication", False),
            admin_password=resource.private.get("adminPassword"),
            tags=tuple(sorted(resource.body.get("tags", {}).items())), vm_id=resource.private["vmId"],
            prefix_length=int(subnet_prefixes(subnet["properties"])[0].split("/")[1]), location=resource.location,
            zone=(resource.body.get("zones") or [""])[0], resource_group=resource.group)
        return spec, NetworkSpec(vnet.lid, tuple(vnet.properties["addressSpace"]["addressPrefixes"]))

    def _primary(self, resource: Resource) -> dict[str, Any]:
        entries = resource.properties["networkProfile"]["networkInterfaces"]
        entry = next((e for e in entries if e.get("properties", {}).get("primary")), entries[0])
        nic = self.lab.store.get(entry["id"])
        if nic is None:
            raise MachineError("NetworkingInternalOperationError", f"Network interface {entry['id']} is gone.")
        configurations = nic.properties["ipConfigurations"]
        return next((c for c in configurations if c["properties"].get("primary")), configurations[0])
