# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Children that live in their parent's document: subnets, security rules, the parts of a load balancer."""
from __future__ import annotations

from typing import Any

from azlab.arm import checks, members, shapes
from azlab.arm.network.base import NetworkType, check_name
from azlab.arm.types import ResourceType
from azlab.arm.wire import Answer, Call
from azlab.errors import arm_error, network_error
from azlab.operations import Operation
from azlab.store import Resource


class Child(ResourceType):
    """A child type: read from what the parent shows, written as a change of the parent."""

    tracked = False

    def __init__(self, parent: NetworkType, key: str, *, writable: bool = True, retry_after: int = 3,
                 rendered_key: str | None = None) -> None:
        self.parent, self.key, self.writable, self.retry_after = parent, key, writable, retry_after
        self.rendered_key = rendered_key or key
        self.name = f"{parent.name}/{key}"
        super().__init__(parent.lab)
        self.delete_effect = f"delete {parent.name.split('/')[1]}/{key}"
        parent.lab.operations.register(self.delete_effect, self._delete_done)

    def _parent(self, call: Call, *, writing: bool = False) -> Resource:
        checks.require_group(call, writing=writing)
        found = self.lab.store.get(str(call.id.root))
        if found is None:
            if call.method == "PUT":
                raise arm_error("parent_not_found", verb="write", type=self.name.split("/", 1)[1],
                                parent=str(call.id.root))
            parts = call.id.root
            raise arm_error("not_found", type=f"{self.parent.name}/{parts.name}", group=call.group)
        return found

    def _find(self, call: Call, parent: Resource) -> dict[str, Any] | None:
        rendered = self.parent.render(parent, call)["properties"].get(self.rendered_key, [])
        return next((c for c in rendered if c["name"].lower() == call.id.name.lower()), None)

    def get(self, call: Call) -> Answer:
        found = self._find(call, self._parent(call))
        if found is None:
            raise network_error("resource_missing", id=str(call.id))
        return Answer(200, found, {"ETag": found["etag"]})

    def listing(self, call: Call) -> Answer:
        parent = self._parent(call)
        return Answer(200, {"value": self.parent.render(parent, call)["properties"].get(self.rendered_key, [])})

    def put(self, call: Call) -> Answer:
        if not self.writable:
            raise arm_error("method", method="PUT")
        parent = self._parent(call, writing=True)
        body = call.body()
        members.check(self.name, body)
        shapes.check(body)
        name = checks.name_of(call, body, self.name_limit)
        check_name(name)
        self.parent.refuse_busy(call, parent)
        current = self._find(call, parent)
        checks.preconditions(call, current["etag"] if current else None)
        checks.reference_ids(body.get("properties", {}))
        properties = dict(parent.properties)
        items = list(properties.get(self.key, []))
        item = {"name": name, "properties": body.get("properties", {}), **({"zones": body["zones"]} if "zones" in body
                                                                          else {})}
        index = next((i for i, c in enumerate(items) if c["name"].lower() == name.lower()), len(items))
        items[index:index + 1] = [item]
        properties[self.key] = items
        parent.body = {**parent.body, "properties": {**self.parent.prepare(call, properties, parent, parent.body),
                                                     "resourceGuid": parent.properties.get("resourceGuid")}}
        parent.state = "Updating" if self.parent.settles else "Succeeded"
        self.parent.touch(parent)
        self.parent.after_put(parent)
        answer = Answer(200 if current else 201, self._find(call, parent))
        operation = self.lab.start(self.parent.put_effect, parent, "network", what=self.name, method="PUT")
        return self.started(call, answer, operation, location=False,
                            retry_after=self.retry_after if parent.state == "Updating" else None)

    def check_delete(self, parent: Resource, child: dict[str, Any]) -> None:
        """Raise when something still uses the child."""

    def delete(self, call: Call) -> Answer:
        if not self.writable:
            raise arm_error("method", method="DELETE")
        parent = self._parent(call, writing=True)
        child = next((c for c in parent.properties.get(self.key, []) if c["name"].lower() == call.id.name.lower()), None)
        if child is None:
            return Answer(204)
        self.parent.refuse_busy(call, parent)
        self.check_delete(parent, child)
        parent.state = "Updating"
        self.parent.touch(parent)
        operation = self.lab.start(self.delete_effect, parent, "network", what=self.name, method="DELETE",
                                   args={"name": child["name"]}, final_status=204)
        return self.started(call, Answer(202), operation, location=True, retry_after=self.parent.delete_retry_after)

    async def _delete_done(self, operation: Operation) -> None:
        parent = self.lab.store.get(operation.resource_id)
        if parent is None:
            return
        name = operation.args["name"]
        kept = [c for c in parent.properties.get(self.key, []) if c["name"] != name]
        parent.body = {**parent.body, "properties": {**parent.properties, self.key: kept}}
        parent.state = "Succeeded"
        self.parent.touch(parent)
        self.parent.after_put(parent)
