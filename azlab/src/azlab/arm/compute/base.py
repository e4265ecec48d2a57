# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Microsoft.Compute's types share."""
from __future__ import annotations

from typing import Any

from azlab.arm import checks
from azlab.arm.types import ResourceType
from azlab.arm.wire import Answer, Call
from azlab.errors import ArmError, arm_error
from azlab.store import Resource

VM = "Microsoft.Compute/virtualMachines"
DISK = "Microsoft.Compute/disks"
NIC = "Microsoft.Network/networkInterfaces"


def invalid(target: str, text: str, status: int = 400) -> ArmError:
    """Compute's most common error: InvalidParameter with a target."""
    return ArmError(status, "InvalidParameter", text, target=target)


def section(body: dict[str, Any], key: str) -> dict[str, Any]:
    """An object inside a body; Azure's error when it is something else."""
    value = body.get(key, {})
    if not isinstance(value, dict):
        raise arm_error("bad_content", why=f"Error converting the value of '{key}'. Path 'properties.{key}'.")
    return value


def listed(body: dict[str, Any], key: str) -> list[dict[str, Any]]:
    """A list of objects inside a body."""
    value = body.get(key, [])
    if not isinstance(value, list) or not all(isinstance(v, dict) for v in value):
        raise arm_error("bad_content", why=f"Error converting the value of '{key}'. Path 'properties.{key}'.")
    return value


def whole(value: Any, target: str) -> int:
    """A JSON integer; Azure's error for anything else."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise invalid(target, f"The value '{value}' of parameter '{target}' is not an integer.")
    return value


class ComputeType(ResourceType):
    provider = "compute"
    name_limit = 80

    def etag(self, resource: Resource) -> str:
        return f'"{resource.revision}"'

    def checked(self, call: Call) -> tuple[dict[str, Any], Resource | None, dict[str, Any]]:
        """(body, existing resource, what is kept outside properties) of a PUT."""
        checks.require_group(call, writing=True)
        body = call.body()
        existing = self.lab.store.get(str(call.id))
        checks.preconditions(call, self.etag(existing) if existing else None)
        return body, existing, self.new_body(call, body, existing)

    def head(self, resource: Resource) -> dict[str, Any]:
        """The members that every resource starts with."""
        wire: dict[str, Any] = {"name": resource.name, "id": resource.id, "type": resource.type,
                                "location": resource.location}
        for key in ("tags", "zones", "identity", "plan", "extendedLocation"):
            if key in resource.body:
                wire[key] = resource.body[key]
        return wire

    def missing_is_done(self, call: Call) -> Resource | None:
        """For DELETE: None when there is nothing to delete."""
        checks.require_group(call)
        return self.lab.store.get(str(call.id))

    def delete_once(self, call: Call, effect: str) -> Answer:
        """A delete that overtakes whatever runs; a second one is told about the first."""
        resource = self.missing_is_done(call)
        if resource is None:
            return Answer(204)
        checks.preconditions(call, self.etag(resource))
        running = self.lab.operations.running_for(resource.id)
        if running is not None and running.effect == effect:
            return self.started(call, Answer(202), running, location=True, retry_after=10)
        self.lab.operations.cancel_for(resource.id)
        return self.deleting(call, resource, effect)

    def deleting(self, call: Call, resource: Resource, effect: str) -> Answer:
        """202 and the operation that will have deleted the resource."""
        resource.state = "Deleting"
        self.lab.store.put(resource)
        operation = self.lab.start(effect, resource, "compute", what=self.name, method="DELETE")
        return self.started(call, Answer(202), operation, location=True, retry_after=10)


class AvailabilitySets(ComputeType):
    name = "Microsoft.Compute/availabilitySets"

    def put(self, call: Call) -> Answer:
        body, existing, kept = self.checked(call)
        p = section(body, "properties")
        kept["sku"] = {"name": "Classic", **kept.get("sku", {})}
        faults, updates = (whole(p.get(key, default), key) for key, default in (
            ("platformFaultDomainCount", 2), ("platformUpdateDomainCount", 5)))
        if not 1 <= faults <= 3:
            raise invalid("platformFaultDomainCount",
                          f"The specified fault domain count {faults} must fall in the range 1 to 3.")
        if not 1 <= updates <= 20:
            raise invalid("platformUpdateDomainCount",
                          f"The specified update domain count {updates} must fall in the range 1 to 20.")
        if existing:
            for key, value in (("platformFaultDomainCount", faults), ("platformUpdateDomainCount", updates)):
                if existing.properties[key] != value:
                    raise arm_error("changed", target=key)
        kept["properties"] = {"platformUpdateDomainCount": updates, "platformFaultDomainCount": faults}
        kept["properties"].update({k: p[k] for k in ("proximityPlacementGroup", "scheduledEventsPolicy") if k in p})
        return self.show(call, self.save(call, kept, existing, "Succeeded"))

    def render(self, resource: Resource, call: Call | None = None) -> dict[str, Any]:
        wire = self.head(resource)
        wire["properties"] = dict(resource.properties)
        machines = self.lab.store.referrers(resource.id, VM)
        wire["properties"]["virtualMachines"] = [{"id": m} for m in machines]
        wire["sku"] = resource.body["sku"]
        return wire

    def delete(self, call: Call) -> Answer:
        resource = self.missing_is_done(call)
        if resource is None:
            return Answer(204)
        if self.lab.store.referrers(resource.id, VM):
            raise arm_error("availability_set_in_use", name=resource.name)
        self.lab.store.delete(resource.id)
        return Answer(200)
