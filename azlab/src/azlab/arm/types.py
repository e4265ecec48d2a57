# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is common to resource types, and the table of all of them."""
from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from azlab.arm import checks, members, shapes
from azlab.arm.wire import Answer, Call, operation_headers
from azlab.errors import ArmError, arm_error
from azlab.ids import parse
from azlab.lab import Lab
from azlab.operations import now_text
from azlab.store import Resource

Action = Callable[[Call], Answer]


def not_found(call: Call) -> ArmError:
    """ARM's 404 for the resource of this call: it names the outermost thing that is missing."""
    rid = call.id
    path = f"{rid.namespace}/" + "/".join(f"{t}/{n}" for t, n in zip(rid.types, rid.names))
    return arm_error("not_found", type=path, group=rid.group)


class ResourceType:
    """One resource type: what it accepts, how it looks on the wire, what a delete needs."""

    name = ""                           # Microsoft.Network/virtualNetworks
    provider = "network"
    name_limit = 80
    tracked = True                      # has location and tags

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.actions: dict[str, Action] = {}
        self.get_actions: dict[str, Action] = {}

    # -- to be said by each type
    def render(self, resource: Resource, call: Call | None = None) -> dict[str, Any]:
        raise NotImplementedError

    def put(self, call: Call) -> Answer:
        raise NotImplementedError

    def delete(self, call: Call) -> Answer:
        raise NotImplementedError

    # -- common
    def get(self, call: Call) -> Answer:
        return self.show(call, self.require(call))

    def show(self, call: Call, resource: Resource, status: int = 200) -> Answer:
        body = self.render(resource, call)
        headers = {"ETag": body["etag"]} if "etag" in body else {}
        return Answer(status, body, headers)

    def patch(self, call: Call) -> Answer:
        """Only tags can be patched, unless a type says more."""
        resource = self.require(call, writing=True)
        tags = checks.tags_of(call.body())
        if tags is not None:
            resource.body["tags"] = tags
        self.touch(resource)
        return self.show(call, resource)

    def listing(self, call: Call) -> Answer:
        """All of a group, or of its subscription."""
        if call.group:
            checks.require_group(call)
        found = self.lab.store.of_type(self.name, call.subscription, call.group or None)
        return Answer(200, {"value": [self.render(r, call) for r in found]})

    def require(self, call: Call, *, writing: bool = False) -> Resource:
        checks.require_group(call, writing=writing)
        resource = self.lab.store.get(str(call.id))
        if resource is None:
            raise not_found(call)
        return resource

    def new_body(self, call: Call, body: dict[str, Any], existing: Resource | None) -> dict[str, Any]:
        """Location, tags, zones, sku and kind of a body, checked; properties come from `prepare`."""
        members.check(self.name, body)      # first: what follows reads members by their documented names
        shapes.check(body)
        checks.name_of(call, body, self.name_limit)
        kept: dict[str, Any] = {"location": checks.location_of(call, body, self.name, existing)}
        tags = checks.tags_of(body)
        if tags is not None:
            kept["tags"] = tags
        for key in ("zones", "sku", "identity", "kind", "plan", "extendedLocation", "placement"):
            if key in body:
                kept[key] = body[key]
            elif existing and key in existing.body:
                kept[key] = existing.body[key]
        properties = body.get("properties", {})
        if not isinstance(properties, dict):
            raise arm_error("bad_content", why="Error converting the value of 'properties'. Path 'properties'.")
        checks.reference_ids(properties)
        if "zones" in body:
            self._check_zones(call, kept)
        return kept

    def _check_zones(self, call: Call, kept: dict[str, Any]) -> None:
        offered = self.lab.catalogue.regions[kept["location"]]["zones"]
        zones = kept["zones"]
        for zone in zones if isinstance(zones, list) else [zones]:
            if zone not in offered:
                raise arm_error("zone", zone=zone, type=self.name.split("/")[1], name=call.id.name,
                                location=kept["location"], zones=",".join(offered))

    def save(self, call: Call, kept: dict[str, Any], existing: Resource | None, state: str) -> Resource:
        """Write the resource with its new body; ids keep the casing of the latest PUT."""
        rid = call.id
        canonical = f"/subscriptions/{rid.subscription}/resourceGroups/{checks.require_group(call).name}/providers/"
        canonical += self.name.split("/")[0]
        canonical += "".join(f"/{t}/{n}" for t, n in zip(self.name.split("/")[1:], rid.names))
        if existing is None:
            resource = Resource(id=canonical, type=self.name, name=rid.name, body=kept, state=state,
                                created=now_text())
        else:
            resource = existing
            resource.id, resource.name, resource.body, resource.state = canonical, rid.name, kept, state
        self.touch(resource)
        return resource

    def touch(self, resource: Resource) -> None:
        """A change: new ETag, written through, and the data path hears of it."""
        resource.etag, resource.changed = str(uuid.uuid4()), now_text()
        resource.revision += bool(resource.seq)
        self.lab.store.put(resource)
        self.lab.network_changed()

    async def put_done(self, operation: Any) -> dict[str, Any] | None:
        """The end of an operation that made or changed a resource; None when it was deleted meanwhile."""
        resource = self.lab.store.get(operation.resource_id)
        if resource is None:
            return None
        resource.state = "Succeeded"
        self.lab.store.put(resource)
        return self.render(resource)

    def started(self, call: Call, answer: Answer, operation: Any, *, location: bool,
                retry_after: int | None) -> Answer:
        """Add the headers of a long-running operation to an answer."""
        answer.headers.update(operation_headers(call, operation, location=location, retry_after=retry_after))
        answer.operation = operation
        return answer


class Registry:
    """All resource types by name, and where a path leads."""

    def __init__(self) -> None:
        self.types: dict[str, ResourceType] = {}
        self.namespaces: dict[str, str] = {}

    def add(self, resource_type: ResourceType) -> None:
        self.types[resource_type.name.lower()] = resource_type
        namespace = resource_type.name.split("/")[0]
        self.namespaces[namespace.lower()] = namespace

    def find(self, type_name: str) -> ResourceType | None:
        return self.types.get(type_name.lower())

    def render(self, resource: Resource) -> dict[str, Any]:
        found = self.find(resource.type)
        assert found is not None
        return found.render(resource)

    def of_id(self, resource_id: str) -> ResourceType | None:
        rid = parse(resource_id)
        return self.find(rid.type) if rid else None
