# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a new virtual machine comes into the state: checked as a whole, then its parts. Clients and scale sets make them alike."""
from __future__ import annotations

import uuid
from typing import Any

from azlab.arm.compute import memberships, vm_body
from azlab.arm.compute.base import VM, ComputeType, section
from azlab.arm.compute.disks import make_disk
from azlab.arm.compute.placements import check_placement
from azlab.arm.identity.carried import carry
from azlab.arm.network.inline import InlineNetwork, Place
from azlab.arm.types import Registry
from azlab.arm.wire import Call
from azlab.errors import arm_error
from azlab.lab import Lab
from azlab.operations import Operation, now_text
from azlab.store import Resource

PLAIN = ("securityProfile", "diagnosticsProfile", "priority", "evictionPolicy", "billingProfile", "licenseType",
         "proximityPlacementGroup", "applicationProfile", "additionalCapabilities", "scheduledEventsProfile",
         "platformFaultDomain", "scheduledEventsPolicy")


def reference(given: dict[str, Any], image: dict[str, Any]) -> dict[str, Any]:
    """How a machine names its image: with the exact version of what has versions, which managed images do not."""
    exact = image.get("exact", image["version"])
    return {**given, **({"exactVersion": exact} if exact else {})}


class Maker:
    """Makes machines; `kind` is the type whose `save` writes them."""

    def __init__(self, lab: Lab, registry: Registry, kind: ComputeType) -> None:
        self.lab, self.kind = lab, kind
        self.inline = InlineNetwork(lab, registry)

    def make(self, call: Call, p: dict[str, Any], kept: dict[str, Any]) -> tuple[Resource, Operation]:
        """The machine in the state Creating, and the operation that starts its host.

        `p` are the properties of the request, `kept` what is kept outside them. Raises ArmError, and then leaves nothing.
        """
        location, name, machine_id = kept["location"], call.id.name, str(call.id)
        size = vm_body.check_size(self.lab, p, location, kept.get("zones", ()))
        storage = section(p, "storageProfile")
        inline = vm_body.configurations(p)
        nics = [] if inline else vm_body.interfaces(self.lab, p, machine_id, location)
        image = vm_body.check_image(self.lab, storage, location)
        shown, private = vm_body.os_profile(p, name, image)
        os_disk = vm_body.os_disk(self.lab, storage, name, image, size)
        disks = vm_body.data_disks(self.lab, storage, name, size, machine_id)
        self.lab.limits.check_cores(size, location, call.subscription, spot=p.get("priority") == "Spot")
        private.update(self._availability(p, kept))
        check_placement(self.lab, p, location)
        group = memberships.of_new(self.lab, p, kept, call.group)
        if group is not None:
            private.update(memberships.fault_domain(self.lab, group, p))
        if inline:
            nics = self.inline.interfaces(inline, Place(call.subscription, call.group, location, tuple(kept.get("zones", ()))))
        if p.get("userData"):
            private["userData"] = p["userData"]
        private.update(vmId=str(uuid.uuid4()), power="starting", image=image, changed=now_text(), extensions=[])
        kept["properties"] = {
            "hardwareProfile": {**section(p, "hardwareProfile"), "vmSize": size},
            **({"availabilitySet": {"id": p["availabilitySet"]["id"]}} if "availabilitySet" in p else {}),
            **({"virtualMachineScaleSet": {"id": group.id}} if group is not None else {}),
            "storageProfile": {"imageReference": reference(storage["imageReference"], image),
                               "osDisk": os_disk, "dataDisks": disks, "diskControllerType": "SCSI",
                               **{k: storage[k] for k in ("alignRegionalDisksToVMZone",) if k in storage}},
            "osProfile": shown, **{k: p[k] for k in PLAIN if k in p},
            "networkProfile": {"networkInterfaces": nics}}
        carry(self.lab, call, kept, None)
        resource = self.kind.save(call, kept, None, "Creating")
        resource.private = private
        self.make_disks(resource, image)
        self.lab.store.put(resource)
        return resource, self.lab.start("create vm", resource, "compute", what=VM, method="PUT")

    def _availability(self, p: dict[str, Any], kept: dict[str, Any]) -> dict[str, Any]:
        """Fault and update domain of a machine in an availability set."""
        if "availabilitySet" not in p:
            return {}
        group = self.lab.store.get(str(p["availabilitySet"].get("id", "")))
        if group is None:
            raise arm_error("resource_missing", id=p["availabilitySet"].get("id"))
        if "zones" in kept:
            raise arm_error("parameter", target="zones", text="A virtual machine cannot be in an availability set and in a "
                                                               "zone.")
        count = len(self.lab.store.referrers(group.id, VM))
        return {"faultDomain": count % group.properties["platformFaultDomainCount"],
                "updateDomain": count % group.properties["platformUpdateDomainCount"]}

    def make_disks(self, resource: Resource, image: dict[str, Any] | None) -> None:
        """The managed disks that the body asks for and that are not there; and who owns which."""
        profile = resource.properties["storageProfile"]
        for disk, os in ((profile["osDisk"], True), *((d, False) for d in profile["dataDisks"])):
            managed = disk["managedDisk"]
            if "id" not in managed:
                made = make_disk(self.lab, resource, disk["name"], managed["storageAccountType"],
                                 disk.get("diskSizeGB", 30), image=image if os else None, os=os)
                managed["id"] = made.id
            else:
                found = self.lab.store.get(managed["id"])
                if found and found.body.get("managedBy") != resource.id:
                    found.body["managedBy"] = resource.id
                    self.lab.store.put(found)
