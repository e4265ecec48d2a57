# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Azure Compute Galleries: the gallery, its image definitions, and their versions.

Rules and texts of errors: https://learn.microsoft.com/azure/virtual-machines/troubleshooting-shared-images
"""
from __future__ import annotations

import re
from typing import Any

from azlab.arm import checks
from azlab.arm.compute import gallery_sources
from azlab.arm.compute.base import ComputeType, invalid, section
from azlab.arm.compute.captured import refuse_content
from azlab.arm.compute.gallery_sources import DEFINITION, GALLERY, VERSION, children
from azlab.arm.wire import Answer, Call
from azlab.errors import arm_error
from azlab.lab import Lab
from azlab.operations import now_text
from azlab.store import Resource

_GALLERY_NAME = re.compile(r"^[A-Za-z0-9]([A-Za-z0-9._]*[A-Za-z0-9])?$")
_NAME = re.compile(r"^[^_\W][\w.-]{0,79}(?<![-.])$")
_VERSION_NAME = re.compile(r"^\d{1,10}\.\d{1,10}\.\d{1,10}$")
_PART = re.compile(r"^[A-Za-z0-9._-]*[A-Za-z0-9_-]$")
_FIXED = ("osType", "osState", "hyperVGeneration", "identifier")        # of a definition


class GalleryType(ComputeType):
    """What the three levels share: operations, parents that must be there, children that go first."""

    def __init__(self, lab: Lab) -> None:
        super().__init__(lab)
        self.what = self.name.split("/", 1)[1]
        lab.operations.register(f"put {self.what}", self.put_done)
        lab.operations.register(f"delete {self.what}", self._delete_done)

    def parent(self, call: Call) -> Resource:
        found = self.lab.store.get(str(call.id.parent))
        if found is None:
            raise arm_error("nested_parent", parent="/".join(call.id.parent.names))
        return found

    def written(self, call: Call, kept: dict[str, Any], existing: Resource | None) -> Answer:
        resource = self.save(call, kept, existing, "Updating" if existing else "Creating")
        operation = self.lab.start(f"put {self.what}", resource, "compute", what=self.name, method="PUT")
        return self.started(call, self.show(call, resource, 200 if existing else 201), operation, location=False, retry_after=10)

    def patch(self, call: Call) -> Answer:
        """Tags alone: what else can be patched is written by a PUT in the lab."""
        if set(call.body()) - {"tags"}:
            raise arm_error("lab_cannot", text="This lab changes the tags of galleries and their images by PATCH; use PUT for the rest.")
        return super().patch(call)

    def render(self, resource: Resource, call: Call | None = None) -> dict[str, Any]:
        return {**self.head(resource), "properties": {**resource.properties, "provisioningState": resource.state}}

    def delete(self, call: Call) -> Answer:
        if self.missing_is_done(call) is not None and children(self.lab, str(call.id)):
            raise arm_error("nested_first")
        return self.delete_once(call, f"delete {self.what}")

    async def _delete_done(self, operation: Any) -> None:
        self.lab.store.delete(operation.resource_id)


class NestedType(GalleryType):
    """Definitions and versions: a list is that of one parent."""

    def listing(self, call: Call) -> Answer:
        checks.require_group(call)
        parent = str(call.id)           # the path of a list ends with the type: the id is that of the parent
        if self.lab.store.get(parent) is None:
            raise arm_error("nested_parent", parent="/".join(call.id.names))
        return Answer(200, {"value": [self.render(r, call) for r in children(self.lab, parent)]})


class Galleries(GalleryType):
    name = GALLERY

    def put(self, call: Call) -> Answer:
        body, existing, kept = self.checked(call)
        if not _GALLERY_NAME.match(call.id.name):
            raise invalid("galleryName", "Gallery name is invalid. Allowed characters are English alphanumeric characters, with underscores, and "
                                         "periods allowed in the middle, up to 80 characters total. All other special characters, including "
                                         "dashes, are disallowed.")
        p = section(body, "properties")
        if section(p, "sharingProfile").get("permissions", "Private") != "Private":
            raise arm_error("lab_cannot", text="Galleries of this lab are private: it shares none with other tenants or the community.")
        kept["properties"] = {**({"description": p["description"]} if "description" in p else {}),
                              "identifier": {"uniqueName": f"{call.subscription}-{call.id.name.upper()}"}}
        return self.written(call, kept, existing)


class Definitions(NestedType):
    name = DEFINITION

    def put(self, call: Call) -> Answer:
        body, existing, kept = self.checked(call)
        gallery = self.parent(call)
        if not _NAME.match(call.id.name):
            raise invalid("galleryImageName", f"The entity name '{call.id.name}' is invalid according to its validation rule: "
                                              "^[^_\\W][\\w-._]{0,79}(?<![-.])$")
        p = self._checked_properties(section(body, "properties"))
        for key in _FIXED if existing else ():
            if p[key] != existing.properties[key]:          # type: ignore[union-attr]
                raise arm_error("changed", target=f"galleryImage.properties.{key}")
        wanted = {k: v.lower() for k, v in p["identifier"].items()}
        for other in children(self.lab, gallery.id):
            if other is not existing and {k: v.lower() for k, v in other.properties["identifier"].items()} == wanted:
                raise arm_error("gallery_identifier", name=other.name, **p["identifier"])
        kept["properties"] = p
        return self.written(call, kept, existing)

    @staticmethod
    def _checked_properties(p: dict[str, Any]) -> dict[str, Any]:
        for key, allowed in (("osType", ("Linux", "Windows")), ("osState", ("Generalized", "Specialized"))):
            if not p.get(key):
                raise arm_error("required", target=f"galleryImage.properties.{key}")
            if p[key] not in allowed:
                raise invalid(key, f"The value '{p[key]}' of parameter 'galleryImage.properties.{key}' is not valid. Allowed values: "
                                   f"{', '.join(allowed)}.")
        if p["osState"] == "Specialized":
            raise arm_error("lab_cannot", text="This lab starts machines from generalized images only (osState Generalized).")
        identifier = section(p, "identifier")
        for key, limit in (("publisher", 128), ("offer", 64), ("sku", 64)):
            value = str(identifier.get(key) or "")
            if not _PART.match(value) or len(value) > limit:
                raise invalid(f"galleryImage.properties.identifier.{key}",
                              f"Asset name galleryImage.properties.identifier.{key} is not valid. It cannot be empty. Allowed characters are "
                              "uppercase or lowercase letters, digits, hyphen(-), period (.), underscore (_). Names are not allowed to end "
                              f"with period(.). The length of the name cannot exceed {limit} characters.")
        return {"hyperVGeneration": "V1", "architecture": "x64", **{k: v for k, v in p.items() if k != "provisioningState"}}


class Versions(NestedType):
    name = VERSION

    def put(self, call: Call) -> Answer:
        refuse_content(self.lab)
        body, existing, kept = self.checked(call)
        definition = self.parent(call)
        if not _VERSION_NAME.match(call.id.name):
            raise invalid("galleryImageVersionName", "The image version name is invalid. The image version name should follow "
                                                     "Major(int).Minor(int).Patch(int) format, for e.g: 1.0.0, 2018.12.1 etc.")
        p = section(body, "properties")
        storage, profile = section(p, "storageProfile"), self._profile(section(p, "publishingProfile"), kept["location"], existing)
        if existing is None:
            image = gallery_sources.image_of(self.lab, storage, definition, kept["location"])
            source = {k: v for k, v in section(storage, "source").items() if v}
        else:
            image, source = existing.private["image"], existing.properties["storageProfile"]["source"]
            if section(storage, "source") and {k: str(v).lower() for k, v in storage["source"].items() if v} != {
                    k: str(v).lower() for k, v in source.items()}:
                raise arm_error("changed", target="galleryImageVersion.properties.storageProfile.source.id")
        kept["properties"] = {
            "publishingProfile": profile, "safetyProfile": {"allowDeletionOfReplicatedLocations": True, **section(p, "safetyProfile")},
            "storageProfile": {"source": source, "osDiskImage": {"sizeInGB": image["sizeGB"], "hostCaching": "ReadWrite"}}}
        answer = self.written(call, kept, existing)
        resource = self.lab.store.get(str(call.id))
        assert resource is not None
        resource.private["image"] = image
        self.lab.store.put(resource)
        return answer

    def _profile(self, given: dict[str, Any], location: str, existing: Resource | None) -> dict[str, Any]:
        """Where a version is replicated to: its own region always."""
        regions = []
        for wanted in given.get("targetRegions") or [{"name": location}]:
            region = self.lab.catalogue.region(str(wanted.get("name", "")))
            if region is None:
                raise arm_error("location_unavailable", location=wanted.get("name"), type=GALLERY, regions=",".join(self.lab.catalogue.regions))
            regions.append({"regionalReplicaCount": 1, "storageAccountType": "Standard_LRS", **wanted, "name": region["displayName"]})
        names = [gallery_sources.plain(r["name"]) for r in regions]
        if len(set(names)) != len(names):
            raise invalid("targetRegions", "Duplicate regions are not allowed in target publishing regions.")
        if location not in names:
            raise invalid("targetRegions", f"Gallery image version publishing profile regions '{', '.join(names)}' must contain the location of "
                                           f"image version '{location}'.")
        published = existing.properties["publishingProfile"]["publishedDate"] if existing else now_text()
        return {"replicaCount": 1, "excludeFromLatest": False, "storageAccountType": "Standard_LRS", "replicationMode": "Full", **given,
                "targetRegions": regions, "publishedDate": published}
