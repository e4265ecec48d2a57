# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Microsoft.Network's types share: embedded children, references, states that go Updating → Succeeded."""
from __future__ import annotations

import re
import uuid
from typing import Any

from azlab.arm import checks
from azlab.arm.types import ResourceType
from azlab.arm.wire import Answer, Call
from azlab.errors import network_error
from azlab.ids import parse
from azlab.operations import Operation
from azlab.store import Resource

_NAME = re.compile(r"^\w([\w.-]*\w)?$")


def check_name(name: str) -> None:
    """Names of network resources and their children."""
    if not _NAME.match(name):
        raise network_error("network_name", name=name)


def reference(value: Any) -> dict[str, Any]:
    """A reference reduced to what Azure keeps of it, however much of the target the client sent along."""
    if not isinstance(value, dict) or not isinstance(value.get("id"), str):
        raise network_error("format", details=[{"code": "InvalidJson", "message": "A reference must be an object "
                                                                                  "with an id."}])
    kept: dict[str, Any] = {"id": value["id"]}
    option = value.get("properties", {}).get("deleteOption") if isinstance(value.get("properties"), dict) else None
    if option:
        kept["properties"] = {"deleteOption": option}
    return kept


def integer(value: Any, path: str, default: int | None = None) -> int:
    """A JSON integer of 32 bits (text that is one counts, as in Azure)."""
    if value is None and default is not None:
        return default
    try:
        number = int(value)
    except (TypeError, ValueError):
        number = 1 << 40
    if isinstance(value, (bool, float)) or not -(1 << 31) <= number < (1 << 31):
        raise network_error("format", details=[{
            "code": "InvalidJson", "message": f"Could not convert '{value}' to an Int32. Path '{path}'."}])
    return number


def embed(owner: str, key: str, items: Any) -> list[dict[str, Any]]:
    """Embedded children with their ids and a properties object; names must be there and differ."""
    if items is None:
        return []
    if not isinstance(items, list) or not all(isinstance(i, dict) for i in items):
        raise network_error("format", details=[{"code": "InvalidJson", "message": f"'{key}' must be a list of objects."}])
    children, names = [], set()
    for item in items:
        name, properties = item.get("name"), item.get("properties", {})
        if not isinstance(name, str) or not name or not isinstance(properties, dict):
            raise network_error("format", details=[{
                "code": "InvalidJson", "message": f"Each of '{key}' must have a name and properties."}])
        if name.lower() in names:
            raise network_error("duplicate", parent=owner, name=name)
        names.add(name.lower())
        child = {"name": name, "id": f"{owner}/{key}/{name}", "properties": dict(properties)}
        if "zones" in item:
            child["zones"] = item["zones"]
        children.append(child)
    return children


class NetworkType(ResourceType):
    """PUT → 201/200 `Updating` and an operation; DELETE → 202 and an operation."""

    put_retry_after = 3
    delete_retry_after = 10
    settles = True                      # False: the first answer says Succeeded already

    def __init__(self, lab: Any) -> None:
        super().__init__(lab)
        short = self.name.split("/")[1]
        self.put_effect, self.delete_effect = f"put {short}", f"delete {short}"
        lab.operations.register(self.put_effect, self._put_done, self._put_failed)
        lab.operations.register(self.delete_effect, self._delete_done, self._delete_failed)

    # -- hooks
    def check_delete(self, resource: Resource) -> None:
        """Raise when something still uses the resource."""

    def settled(self, properties: dict[str, Any], existing: Resource | None) -> bool:
        """Does the first answer say Succeeded, when the lab has no latency?"""
        return not self.settles

    def after_put(self, resource: Resource) -> None:
        """Consequences of a changed resource for others, at once."""

    def after_delete(self, resource: Resource) -> None:
        """Consequences of a delete for others."""

    def prepare(self, call: Call, body: dict[str, Any], existing: Resource | None, kept: dict[str, Any]) -> dict[str, Any]:
        """The properties to keep, checked, of a body whose other members are `kept`; raises Azure's errors."""
        raise NotImplementedError

    # -- verbs
    def put(self, call: Call) -> Answer:
        checks.require_group(call, writing=True)
        body = call.body()
        existing = self.lab.store.get(str(call.id))
        checks.preconditions(call, f'W/"{existing.etag}"' if existing else None)
        kept = self.new_body(call, body, existing)
        if existing is None:
            self.lab.limits.check_network(self.name, kept["location"], call.subscription)
        check_name(call.id.name)
        self.refuse_busy(call, existing)
        kept["properties"] = self.prepare(call, body.get("properties", {}), existing, kept)
        return self.store_and_answer(call, kept, existing)

    def store_and_answer(self, call: Call, kept: dict[str, Any], existing: Resource | None) -> Answer:
        new = existing is None
        properties = kept["properties"]
        properties["resourceGuid"] = (existing.body["properties"].get("resourceGuid") if existing
                                      else None) or str(uuid.uuid4())
        delayed = self.lab.latency.seconds(self.name, "PUT") > 0
        state = "Updating" if delayed or not self.settled(properties, existing) else "Succeeded"
        resource = self.save(call, kept, existing, state)
        self.after_put(resource)
        answer = Answer(201 if new else 200, self.render(resource, call))
        operation = self.lab.start(self.put_effect, resource, "network", what=self.name, method="PUT")
        return self.started(call, answer, operation, location=False,
                            retry_after=self.put_retry_after if state == "Updating" else None)

    def delete(self, call: Call) -> Answer:
        checks.require_group(call)
        resource = self.lab.store.get(str(call.id))
        if resource is None:
            return Answer(204)
        checks.preconditions(call, f'W/"{resource.etag}"')
        self.refuse_busy(call, resource)
        self.check_delete(resource)
        resource.state = "Deleting"
        self.touch(resource)
        operation = self.lab.start(self.delete_effect, resource, "network", what=self.name, method="DELETE",
                                   final_status=204)
        return self.started(call, Answer(202), operation, location=True, retry_after=self.delete_retry_after)

    def refuse_busy(self, call: Call, resource: Resource | None) -> None:
        """429 while another operation changes the resource."""
        running = self.lab.operations.running_for(resource.id) if resource else None
        if resource is None or running is None:
            return
        wait = 11
        raise network_error("busy", headers={"Retry-After": self.lab.latency.retry_after(wait)}, details=[{
            "code": "RetryableErrorDueToAnotherOperation",
            "message": f"Operation {running.effect.title().replace(' ', '')}Operation ({running.id}) is updating "
                       f"resource {resource.id}. The call can be retried in {wait} seconds."}])

    # -- effects
    async def _put_done(self, operation: Operation) -> None:
        resource = self.lab.store.get(operation.resource_id)
        if resource is None:
            return
        self.provisioned(resource)
        if resource.state != "Succeeded":
            resource.state = "Succeeded"
            self.touch(resource)

    def provisioned(self, resource: Resource) -> None:
        """What Azure fills in only when the operation is done."""

    def _put_failed(self, operation: Operation) -> None:
        resource = self.lab.store.get(operation.resource_id)
        if resource:
            resource.state = "Failed"
            self.touch(resource)

    async def _delete_done(self, operation: Operation) -> None:
        resource = self.lab.store.delete(operation.resource_id)
        if resource:
            self.after_delete(resource)
            self.lab.network_changed()

    def _delete_failed(self, operation: Operation) -> None:
        resource = self.lab.store.get(operation.resource_id)
        if resource:
            resource.state = "Failed"
            self.touch(resource)

    # -- rendering
    def render(self, resource: Resource, call: Call | None = None) -> dict[str, Any]:
        etag = f'W/"{resource.etag}"'
        wire: dict[str, Any] = {"name": resource.name, "id": resource.id, "etag": etag, "type": resource.type,
                                "location": resource.location}
        if "tags" in resource.body:
            wire["tags"] = resource.body["tags"]
        wire["properties"] = {"provisioningState": resource.state, **self.properties(resource, etag)}
        for key in ("extendedLocation", "zones", "sku", "kind"):
            if key in resource.body:
                wire[key] = resource.body[key]
        return wire

    def properties(self, resource: Resource, etag: str) -> dict[str, Any]:
        return dict(resource.properties)

    def children(self, resource: Resource, etag: str, key: str, extra: Any = None) -> list[dict[str, Any]]:
        """Embedded children as Azure shows them; `extra(child)` gives computed properties."""
        return [self.child(resource, etag, key, c, extra(c) if extra else {})
                for c in resource.properties.get(key, ())]

    def child(self, resource: Resource, etag: str, key: str, child: dict[str, Any],
              extra: dict[str, Any]) -> dict[str, Any]:
        wire = {"name": child["name"], "id": child["id"], "etag": etag, "type": f"{self.name}/{key}",
                "properties": {"provisioningState": resource.state, **child["properties"], **extra}}
        if "zones" in child:
            wire["zones"] = child["zones"]
        return wire

    # -- references
    def target(self, value: dict[str, Any], source: str, location: str, *, ready: bool = True) -> Resource:
        """The resource that a reference leads to: it must exist, in the same region, and be provisioned."""
        rid = parse(value["id"])
        found = self.lab.store.get(str(rid.root)) if rid else None
        missing = found is None or (location and found.location and found.location != location)
        if not missing and rid and found and len(rid.types) > 1:
            children = found.properties.get(rid.types[1], found.properties.get(_list_name(rid.types[1]), []))
            missing = not any(c["id"].lower() == value["id"].lower() for c in children)
        if missing or found is None:
            raise network_error("reference", target=value["id"], source=source, details=[
                {"code": "NotFound", "message": f"Resource {value['id']} not found."}])
        if ready and found.state in ("Updating", "Deleting"):
            raise network_error("busy", details=[{
                "code": "ReferencedResourceNotProvisioned",
                "message": f"Cannot proceed with operation because resource {value['id']} used by resource {source} is "
                           f"not in Succeeded state. Resource is in {found.state} state and the last operation that "
                           "updated/is updating the resource is PutOperation."}])
        return found


def _list_name(segment: str) -> str:
    """`subnets` as Azure spells it, whatever the case of a reference."""
    for known in ("subnets", "backendAddressPools", "inboundNatRules", "frontendIPConfigurations", "probes",
                  "loadBalancingRules", "outboundRules", "ipConfigurations", "securityRules", "routes", "virtualNetworkPeerings"):
        if known.lower() == segment.lower():
            return known
    return segment
