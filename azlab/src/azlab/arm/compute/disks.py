# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Managed disks, those that machines bring along included."""
from __future__ import annotations

import json
import uuid
from dataclasses import replace
from typing import Any

from azlab.arm.compute.base import DISK, ComputeType, invalid, section
from azlab.arm.wire import Answer, Call
from azlab.errors import arm_error
from azlab.ids import group_id
from azlab.lab import Lab
from azlab.machines.driver import DataDisk, MachineError
from azlab.operations import Operation, now_text
from azlab.store import Resource

_SKUS = ("Standard_LRS", "Premium_LRS", "StandardSSD_LRS", "UltraSSD_LRS", "Premium_ZRS", "StandardSSD_ZRS",
         "PremiumV2_LRS")


def check_sku(text: Any, target: str) -> str:
    match = next((s for s in _SKUS if s.lower() == str(text).lower()), None)
    if match is None:
        raise invalid(target, f"The value '{text}' of parameter '{target}' is not valid. Allowed values: "
                              f"{', '.join(_SKUS)}.")
    return match


def _bootable(image: dict[str, Any]) -> dict[str, Any]:
    """What Azure notes on a disk that a machine can start from."""
    return {"osType": image.get("os", "Linux"), "hyperVGeneration": image.get("generation", "V2"), "supportsHibernation": True, "supportedCapabilities": {
        "acceleratedNetwork": True, "architecture": "x64", "diskControllerTypes": "SCSI, NVMe"}}


def make_disk(lab: Lab, machine: Resource, name: str, sku: str, size: int, *, image: dict[str, Any] | None,
              os: bool) -> Resource:
    """The implicit disk of a machine, attached to it."""
    created: dict[str, Any] = {"createOption": "FromImage", **(image.get("reference") or {"imageReference": {
        "id": f"/Subscriptions/{machine.id.split('/')[2]}/Providers/Microsoft.Compute/Locations/{machine.location}"
              f"/Publishers/{image['publisher']}/ArtifactTypes/VMImage/Offers/{image['offer']}/Skus/{image['sku']}"
              f"/Versions/{image['version']}"}})} if image else {"createOption": "Empty"}
    properties: dict[str, Any] = {"creationData": created, "diskSizeGB": size, "timeCreated": now_text(),
                                  "diskSizeBytes": size << 30, "uniqueId": str(uuid.uuid4()),
                                  "networkAccessPolicy": "AllowAll", "publicNetworkAccess": "Enabled"}
    if os:
        properties.update(_bootable(image or {}))
    body: dict[str, Any] = {"location": machine.location, "sku": {"name": sku}, "managedBy": machine.id,
                            "properties": properties}
    for key in ("zones", "tags"):
        if key in machine.body:
            body[key] = machine.body[key]
    parts = machine.id.split("/")
    disk = Resource(id=f"{group_id(parts[2], parts[4])}/providers/{DISK}/{name}", type=DISK, name=name, body=body,
                    created=now_text())
    lab.store.put(disk)
    return disk


# size in GiB up to which a tier reaches → tier, operations and megabytes a second of premium disks
_TIERS = ((4, "P1", 120, 25), (8, "P2", 120, 25), (16, "P3", 120, 25), (32, "P4", 120, 25), (64, "P6", 240, 50),
          (128, "P10", 500, 100), (256, "P15", 1100, 125), (512, "P20", 2300, 150), (1024, "P30", 5000, 200),
          (2048, "P40", 7500, 250), (4096, "P50", 7500, 250), (8192, "P60", 16000, 500), (16384, "P70", 18000, 750),
          (1 << 20, "P80", 20000, 900))
_LIMITS = ("diskIOPSReadWrite", "diskMBpsReadWrite", "diskIOPSReadOnly", "diskMBpsReadOnly")     # of Ultra disks, set by the client
_GIVEN = ("supportedCapabilities", "diskAccessId", "networkAccessPolicy", "publicNetworkAccess", "osType", "hyperVGeneration",
          "supportsHibernation", "maxShares", "burstingEnabled", "encryption", "securityProfile", "dataAccessAuthMode", "purchasePlan")


def performance(sku: str, size: int) -> dict[str, Any]:
    """Tier and limits of a disk."""
    _gb, tier, operations, megabytes = next(t for t in _TIERS if size <= t[0])
    if sku.startswith("Premium_"):
        return {"diskIOPSReadWrite": operations, "diskMBpsReadWrite": megabytes, "tier": tier}
    if sku.startswith("Standard"):
        return {"diskIOPSReadWrite": 500, "diskMBpsReadWrite": 100 if "SSD" in sku else 60}
    return {"diskIOPSReadWrite": 3000, "diskMBpsReadWrite": 125}


class Disks(ComputeType):
    name = DISK
    provider = "disk"

    def __init__(self, lab: Lab) -> None:
        super().__init__(lab)
        lab.operations.register("put disk", self._put_done)
        lab.operations.register("delete disk", self._delete_done)

    def put(self, call: Call) -> Answer:
        body, existing, kept = self.checked(call)
        p = section(body, "properties")
        kept["sku"] = {"name": check_sku(kept.get("sku", {}).get("name", "Standard_LRS"), "sku.name")}
        creation = section(p, "creationData")
        option = creation.get("createOption")
        least = self._origin(creation) if not existing else None
        source = self.lab.store.get(str(creation.get("sourceResourceId", ""))) if option == "Copy" else None
        if source is not None:
            creation = {**creation, "sourceUniqueId": source.properties["uniqueId"]}
        size = p.get("diskSizeGB", existing.properties["diskSizeGB"] if existing else least)
        if not isinstance(size, int) or not 1 <= size <= 65536:
            raise invalid("diskSizeGB", "The value of parameter diskSizeGB is invalid: it must be between 1 and 65536.")
        if existing and size < existing.properties["diskSizeGB"]:
            raise arm_error("disk_shrink", new=size, old=existing.properties["diskSizeGB"])
        if existing:
            kept["properties"] = {**existing.properties, "diskSizeGB": size, "diskSizeBytes": size << 30}
            if "managedBy" in existing.body:
                kept["managedBy"] = existing.body["managedBy"]
        else:
            kept["properties"] = {"creationData": creation, "diskSizeGB": size, "diskSizeBytes": size << 30,
                                  "uniqueId": str(uuid.uuid4()), "timeCreated": now_text(),
                                  "networkAccessPolicy": "AllowAll", "publicNetworkAccess": "Enabled"}
        given = {k: p[k] for k in _GIVEN if k in p}
        if kept["sku"]["name"] in ("UltraSSD_LRS", "PremiumV2_LRS"):
            given.update({k: p[k] for k in _LIMITS if k in p}, readOnly=False)
        if p.get("burstingEnabled"):
            given["burstingEnabledTime"] = existing.properties.get("burstingEnabledTime", now_text()) if existing else now_text()
        kept["properties"].update({**(_bootable(self._image(creation)) if option == "FromImage" and not existing else {}), **given})
        grown = existing is not None and size > existing.properties["diskSizeGB"]
        resource = self.save(call, kept, existing, "Updating")
        first = {**self.head(resource), "sku": kept["sku"], "properties": {
            "creationData": kept["properties"]["creationData"], "diskSizeGB": size, "diskSizeBytes": size << 30, **given, "provisioningState": "Updating",
            "isArmResource": True}}
        if existing or "tier" in p:
            first["sku"] = self.render(resource)["sku"] if existing else kept["sku"]
            if "tier" in (limits := performance(kept["sku"]["name"], size)):
                first["properties"]["tier"] = limits["tier"]
        operation = self.lab.start("put disk", resource, "disk", what=self.name, method="PUT", args={"grown": grown})
        return self.started(call, Answer(202, first), operation, location=True, retry_after=2)

    def _origin(self, creation: dict[str, Any]) -> int | None:
        """What a new disk begins with, checked: the size in GB that it has when the client names none."""
        option = creation.get("createOption")
        if option is None:
            raise arm_error("required", target="creationData.createOption")
        if option == "Empty":
            return None
        if self.lab.has_machines or option not in ("FromImage", "Copy"):
            raise arm_error("lab_cannot", text=f"This lab makes empty disks only, not with createOption '{option}'.")
        if option == "Copy":
            source = self.lab.store.get(str(creation.get("sourceResourceId", "")))
            if source is None or source.type != DISK:
                raise arm_error("resource_missing", id=creation.get("sourceResourceId"))
            return int(source.properties["diskSizeGB"])
        return int(self._image(creation)["sizeGB"])

    def _image(self, creation: dict[str, Any]) -> dict[str, Any]:
        parts = str(section(creation, "imageReference").get("id", "")).split("/")
        named = dict(zip(map(str.lower, parts[1::2]), parts[2::2]))
        image = self.lab.catalogue.image_version(*(named.get(k, "") for k in ("publishers", "offers", "skus", "versions")))
        if image is None:
            raise arm_error("image", target="imageReference", image=":".join(list(named.values())[-4:]))
        return image

    def patch(self, call: Call) -> Answer:
        """Size, SKU and tags can be patched."""
        resource = self.require(call, writing=True)
        body = call.body()
        merged = {"location": resource.location, "sku": body.get("sku", resource.body["sku"]),
                  "properties": section(body, "properties")}
        tags = body.get("tags", resource.body.get("tags"))
        if tags is not None:
            merged["tags"] = tags
        return self._put_body(call, merged)

    def _put_body(self, call: Call, body: dict[str, Any]) -> Answer:
        return self.put(replace(call, raw_body=json.dumps(body).encode()))

    def render(self, resource: Resource, call: Call | None = None) -> dict[str, Any]:
        wire = self.head(resource)
        owner = resource.body.get("managedBy")
        if owner:
            wire["managedBy"] = owner
        tier = resource.body["sku"]["name"].split("_")[0]
        wire["sku"] = {**resource.body["sku"], "tier": tier}
        state = "Attached" if owner else "Unattached"
        if owner:
            machine = self.lab.store.get(owner)
            if machine and machine.private.get("power") == "deallocated":
                state = "Reserved"
        p = resource.properties
        if owner:
            p = {**p, "LastOwnershipUpdateTime": p.get("timeCreated")}
        wire["properties"] = {"encryption": {"type": "EncryptionAtRestWithPlatformKey"},
                              **performance(resource.body["sku"]["name"], p["diskSizeGB"]), **p, "provisioningState": resource.state, "diskState": state}
        return wire

    def delete(self, call: Call) -> Answer:
        resource = self.missing_is_done(call)
        if resource is None:
            return Answer(204)
        if resource.body.get("managedBy"):
            raise arm_error("disk_attached", name=resource.name, vm=resource.body["managedBy"])
        operation = self.lab.start("delete disk", resource, "disk", what=self.name, method="DELETE",
                                   final_status=204 if call.api_version >= "2020-09-30" else 200)
        return self.started(call, Answer(202), operation, location=True, retry_after=2)

    async def _put_done(self, operation: Operation) -> dict[str, Any] | None:
        resource = self.lab.store.get(operation.resource_id)
        machine = self.lab.store.get(resource.body.get("managedBy", "")) if resource and operation.args.get("grown") else None
        if resource and machine:
            await self._grow(resource, machine)
        return await self.put_done(operation)

    async def _grow(self, disk: Resource, machine: Resource) -> None:
        """A disk that became larger while a machine has it: the machine shows it, and a data disk is larger in it at once."""
        profile = machine.properties["storageProfile"]
        for entry in (profile["osDisk"], *profile["dataDisks"]):
            if entry["managedDisk"]["id"].lower() == disk.lid:
                entry["diskSizeGB"] = disk.properties["diskSizeGB"]
        self.lab.store.put(machine)
        if not disk.properties.get("osType") and self.lab.driver.hot_disks:
            await self.lab.driver.set_disks(machine.lid, attached_disks(self.lab, machine))

    async def _delete_done(self, operation: Operation) -> None:
        await drop_disk(self.lab, operation.resource_id)


def attached_disks(lab: Lab, machine: Resource) -> tuple[DataDisk, ...]:
    """The data disks of a machine as the driver is told of them."""
    found = ((d["lun"], lab.store.get(d["managedDisk"]["id"])) for d in machine.properties["storageProfile"]["dataDisks"])
    return tuple(DataDisk(disk.lid, lun, disk.properties["diskSizeGB"]) for lun, disk in found if disk)


async def drop_disk(lab: Lab, disk_id: str) -> None:
    """Remove a disk and what the machines keep of it."""
    resource = lab.store.delete(disk_id)
    if resource and not resource.properties.get("osType"):
        try:
            await lab.driver.delete_disk(resource.lid)
        except MachineError:
            lab.store.put(resource)
            raise
