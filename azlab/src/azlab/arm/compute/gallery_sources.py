# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a version of a gallery's image is made of, and which version a machine starts from. Reads the state and changes nothing."""
from __future__ import annotations

import re
from typing import Any

from azlab.arm.compute.base import VM, invalid, listed, section
from azlab.arm.compute.captured import IMAGE, Known, of_machine
from azlab.errors import ArmError, arm_error
from azlab.ids import parse
from azlab.lab import Lab
from azlab.store import Resource

GALLERY = "Microsoft.Compute/galleries"
DEFINITION = f"{GALLERY}/images"
VERSION = f"{DEFINITION}/versions"
_SHARED = re.compile(r"^/(SharedGalleries|CommunityGalleries)/[^/]+/Images/[^/]+(/Versions/[^/]+)?$", re.IGNORECASE)
_ONE_SOURCE = ("The gallery artifact version source can only be specified either directly under storageProfile or within individual OS or data "
               "disks. One and only one source type (user image, snapshot, disk, virtual machine) can be provided.")


def plain(region: str) -> str:
    """The name of a region, of its display name."""
    return region.replace(" ", "").lower()


def children(lab: Lab, parent_id: str) -> list[Resource]:
    """The definitions of a gallery, or the versions of a definition."""
    rid = parse(parent_id)
    kind = f"{rid.type}/{'images' if len(rid.types) == 1 else 'versions'}" if rid and len(rid.types) < 3 else ""
    return [r for r in lab.store.of_type(kind) if r.lid.rpartition("/")[0].rpartition("/")[0] == parent_id.lower()]


# -- what a version is made of
def image_of(lab: Lab, storage: dict[str, Any], definition: Resource, location: str) -> Known:
    """The image that the source of a new version holds. Raises Azure's errors."""
    source = section(storage, "source")
    if section(storage, "osDiskImage").get("source") or any(d.get("source") for d in listed(storage, "dataDiskImages")):
        raise arm_error("lab_cannot", text="This lab makes versions of machines, managed images and other versions only, not of disks and snapshots.")
    given = [str(source[k]) for k in ("id", "virtualMachineId", "communityGalleryImageId") if source.get(k)]
    if len(given) != 1:
        raise invalid("storageProfile.source", _ONE_SOURCE)
    found = lab.store.get(given[0])
    if found is None:
        raise ArmError(404, "NotFound", f"Source was not found: {given[0]}. Please make sure the source exists.", target="storageProfile.source.id")
    if found.type not in (VM, IMAGE, VERSION) or (source.get("virtualMachineId") and found.type != VM):
        raise invalid("storageProfile.source.id", f"The source id: {found.id} must either be a managed image, virtual machine or another gallery "
                                                  "image version.")
    if found.location != location:
        raise invalid("storageProfile.source.id", f"Source {found.id} is not found. Please check source exists, and is in the same region as "
                                                  "gallery image version being created.")
    if found.type == VM:
        _check_machine(found, definition)
    image = of_machine(found) if found.type == VM else dict(found.private["image"])
    for key, what, value in (("hyperVGeneration", "Hypervisor generation", image["generation"]), ("osType", "OS type", image.get("os", "Linux"))):
        if value != definition.properties[key]:
            raise invalid(key, f"The resource with id '{found.id}' has a different {what} ['{value}'] than the parent gallery image {what} "
                               f"['{definition.properties[key]}'].")
    return image


def _check_machine(machine: Resource, definition: Resource) -> None:
    if not machine.private.get("generalized"):
        raise invalid("storageProfile.source.id", f"Cannot create Gallery Image Version from: {machine.id} since the OS State in the parent gallery "
                                                  f"image ({definition.properties['osState']}) is not Specialized.")
    if machine.properties["storageProfile"]["osDisk"].get("diffDiskSettings"):
        raise invalid("storageProfile.source.id", f"Source virtual machine {machine.id} cannot contain an ephemeral OS disk.")


# -- which version a machine starts from
def for_machine(lab: Lab, reference: dict[str, Any], location: str) -> Known:
    """The image of a reference by `id`, `sharedGalleryImageId` or `communityGalleryImageId`, for a machine in a region.

    Raises:
        ArmError: GalleryImageNotFound, in Azure's words, when there is none for this region.
    """
    for key in ("sharedGalleryImageId", "communityGalleryImageId"):
        if reference.get(key):
            kind = "/sharedgalleries/" if key.startswith("shared") else "/communitygalleries/"
            if not _SHARED.match(str(reference[key])) or not str(reference[key]).lower().startswith(kind):
                raise invalid(f"imageReference.{key}", f"The value of parameter imageReference.{key} is invalid.")
            raise arm_error("gallery_image", id=reference[key], location=location)
    rid = parse(str(reference["id"]))
    if rid is None or rid.type.lower() not in (DEFINITION.lower(), VERSION.lower()):
        raise invalid("imageReference.id", "The value of parameter imageReference.id is invalid.")
    versions = [lab.store.get(str(rid))] if rid.type.lower() == VERSION.lower() else _latest(lab, str(rid), location)
    for version in versions:
        if version is not None and version.state == "Succeeded" and location in _regions(version):
            return {**version.private["image"], "exact": version.name, "reference": {"galleryImageReference": {"id": version.id}}}
    raise arm_error("gallery_image", id=reference["id"], location=location)


def _latest(lab: Lab, definition_id: str, location: str) -> list[Resource | None]:
    """The versions that `latest` means, the newest first."""
    if lab.store.get(definition_id) is None:
        return []
    found = [v for v in children(lab, definition_id) if not v.properties["publishingProfile"]["excludeFromLatest"] and v.state == "Succeeded"]
    if not found:
        raise arm_error("gallery_latest", id=definition_id)
    found.sort(key=lambda v: [int(n) for n in v.name.split(".")], reverse=True)
    return list(found)


def _regions(version: Resource) -> set[str]:
    return {plain(r["name"]) for r in version.properties["publishingProfile"]["targetRegions"]}
