# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Images of one's own: machines that are generalized, and what is captured of them.

The lab keeps no content of disks in images, so that all of this is in the model of a lab without machines only.
https://learn.microsoft.com/azure/virtual-machines/capture-image-resource
"""
from __future__ import annotations

from typing import Any

from azlab.arm.compute.base import VM, ComputeType, invalid, section
from azlab.arm.wire import Answer, Call
from azlab.errors import arm_error
from azlab.lab import Lab
from azlab.store import Resource

IMAGE = "Microsoft.Compute/images"
Known = dict[str, Any]                 # an image as the catalogue describes one


def refuse_content(lab: Lab) -> None:
    """A lab with hosts would have to start machines with what was on the disk of another."""
    if lab.has_machines:
        raise arm_error("lab_cannot", text="This lab has hosts behind its machines and keeps no content of disks in images: images of one's "
                                           "own are in the model of a lab without machines.")


def generalize(lab: Lab, machine: Resource) -> Answer:
    """Mark a machine as one that images are made of; it never starts again."""
    if machine.private["power"] not in ("stopped", "deallocated"):
        raise arm_error("action_not_allowed", action="generalize", name=machine.name, why="running")
    machine.private["generalized"] = True
    lab.store.put(machine)
    return Answer(200)


def of_machine(machine: Resource) -> Known:
    """What an image that is captured of a machine holds."""
    disk, image = machine.properties["storageProfile"]["osDisk"], machine.private["image"]
    return {**{k: v for k, v in image.items() if k not in ("exact", "reference")}, "sizeGB": disk["diskSizeGB"]}


def managed(lab: Lab, image_id: str, location: str) -> Known:
    """The managed image of a reference; it starts machines of its own region only."""
    found = lab.store.get(image_id)
    if found is None or found.type != IMAGE or found.location != location:
        raise arm_error("own_image", id=image_id, location=location)
    return {**found.private["image"], "exact": "", "reference": {"imageReference": {"id": found.id}}}


class Images(ComputeType):
    """Managed images, captured of generalized machines."""

    name = IMAGE

    def __init__(self, lab: Lab) -> None:
        super().__init__(lab)
        lab.operations.register("put image", self.put_done)
        lab.operations.register("delete image", self._delete_done)

    def put(self, call: Call) -> Answer:
        refuse_content(self.lab)
        body, existing, kept = self.checked(call)
        p = section(body, "properties")
        source = section(p, "sourceVirtualMachine").get("id")
        if not source:
            raise arm_error("lab_cannot", text="This lab captures images of machines only (sourceVirtualMachine), not of disks, snapshots or blobs.")
        if existing is not None:
            if str(source).lower() != existing.properties["sourceVirtualMachine"]["id"].lower():
                raise arm_error("changed", target="sourceVirtualMachine")
            kept["properties"] = existing.properties
            return self.show(call, self.save(call, kept, existing, "Succeeded"))
        machine = self.lab.store.get(str(source))
        if machine is None or machine.type != VM:
            raise arm_error("resource_missing", id=source)
        if machine.location != kept["location"]:
            raise invalid("location", "The image and its source virtual machine must be in the same location.")
        if not machine.private.get("generalized"):
            raise arm_error("not_generalized", name=machine.name)
        image = of_machine(machine)
        disk = machine.properties["storageProfile"]["osDisk"]
        kept["properties"] = {"sourceVirtualMachine": {"id": machine.id}, "hyperVGeneration": p.get("hyperVGeneration", image["generation"]),
                              "storageProfile": {"osDisk": {
                                  "osType": disk["osType"], "osState": "Generalized", "diskSizeGB": disk["diskSizeGB"], "caching": disk["caching"],
                                  "managedDisk": {"id": disk["managedDisk"]["id"]}, "storageAccountType": disk["managedDisk"]["storageAccountType"]},
                                  "dataDisks": [], "zoneResilient": bool(section(p, "storageProfile").get("zoneResilient", False))}}
        resource = self.save(call, kept, None, "Creating")
        resource.private["image"] = image
        self.lab.store.put(resource)
        operation = self.lab.start("put image", resource, "compute", what=self.name, method="PUT")
        return self.started(call, self.show(call, resource, 201), operation, location=True, retry_after=10)

    def render(self, resource: Resource, call: Call | None = None) -> dict[str, Any]:
        return {**self.head(resource), "properties": {**resource.properties, "provisioningState": resource.state}}

    def delete(self, call: Call) -> Answer:
        return self.delete_once(call, "delete image")

    async def _delete_done(self, operation: Any) -> None:
        self.lab.store.delete(operation.resource_id)
