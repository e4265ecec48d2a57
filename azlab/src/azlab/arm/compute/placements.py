# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Proximity placement groups: who is in them, and what that forbids. A lab has no distances to keep small."""
from __future__ import annotations

from typing import Any

from azlab.arm.compute.base import VM, ComputeType, invalid, section
from azlab.arm.compute.memberships import SCALE_SET
from azlab.arm.wire import Answer, Call
from azlab.errors import arm_error
from azlab.lab import Lab
from azlab.store import Resource

PLACEMENT = "Microsoft.Compute/proximityPlacementGroups"
_USERS = (("virtualMachines", VM), ("virtualMachineScaleSets", SCALE_SET), ("availabilitySets", "Microsoft.Compute/availabilitySets"))


def check_placement(lab: Lab, p: dict[str, Any], location: str) -> None:
    """Raise when the placement group that a body names is not there, or is in another region."""
    wanted = section(p, "proximityPlacementGroup").get("id")
    if not wanted:
        return
    found = lab.store.get(str(wanted))
    if found is None or found.type != PLACEMENT:
        raise arm_error("resource_missing", id=wanted)
    if found.location != location:
        raise invalid("proximityPlacementGroup", "The resource and its proximity placement group must be in the same location.")


class PlacementGroups(ComputeType):
    name = PLACEMENT

    def put(self, call: Call) -> Answer:
        body, existing, kept = self.checked(call)
        p = section(body, "properties")
        old = existing.properties if existing else {}
        kind = p.get("proximityPlacementGroupType", old.get("proximityPlacementGroupType", "Standard"))
        if kind not in ("Standard", "Ultra"):
            raise invalid("proximityPlacementGroupType", f"The value '{kind}' of parameter 'proximityPlacementGroupType' is not "
                                                         "valid. Allowed values: Standard, Ultra.")
        sizes = section(p, "intent").get("vmSizes", [])
        for size in sizes:
            if str(size).lower() not in self.lab.catalogue.sizes:
                raise arm_error("vm_size", target="intent.vmSizes", size=size,
                                sizes=",".join(s.name for s in self.lab.catalogue.sizes.values()))
        if existing and kept.get("zones") != existing.body.get("zones"):
            raise arm_error("changed", target="zones")
        kept["properties"] = {"proximityPlacementGroupType": kind, **({"intent": {"vmSizes": sizes}} if sizes else {})}
        return self.show(call, self.save(call, kept, existing, "Succeeded"), 200 if existing else 201)

    def render(self, resource: Resource, call: Call | None = None) -> dict[str, Any]:
        wire = self.head(resource)
        wire["properties"] = dict(resource.properties)
        for key, kind in _USERS:
            users = self.lab.store.referrers(resource.id, kind)
            if users:
                wire["properties"][key] = [{"id": u} for u in users]
        return wire

    def delete(self, call: Call) -> Answer:
        resource = self.missing_is_done(call)
        if resource is None:
            return Answer(204)
        if self.lab.store.referrers(resource.id):
            raise arm_error("placement_in_use", name=resource.name)
        self.lab.store.delete(resource.id)
        return Answer(200)
