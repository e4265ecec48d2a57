# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Resource groups: synchronous writes, a delete that cascades over time."""
from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

from azlab.arm import checks
from azlab.arm.types import Registry
from azlab.arm.wire import Answer, Call, operation_headers
from azlab.errors import ArmError, arm_error
from azlab.ids import group_id, parse
from azlab.lab import Lab
from azlab.operations import Operation, now_text
from azlab.store import Resource

# Who refers to others goes first, so that nothing is in use when its turn comes.
_ORDER = ("microsoft.resources/deployments", "microsoft.compute/virtualmachinescalesets", "microsoft.compute/virtualmachines/extensions",
          "microsoft.compute/virtualmachines/runcommands",
          "microsoft.compute/virtualmachines", "microsoft.compute/galleries/images/versions", "microsoft.compute/galleries/images",
          "microsoft.compute/availabilitysets", "microsoft.compute/proximityplacementgroups", "microsoft.compute/disks", "microsoft.network/networkinterfaces",
          "microsoft.network/loadbalancers", "microsoft.network/virtualnetworks", "microsoft.network/natgateways",
          "microsoft.network/publicipaddresses", "microsoft.network/networksecuritygroups", "microsoft.network/applicationsecuritygroups")
# a delete of these overtakes whatever else runs for them
_OVERTAKES = ("microsoft.compute/virtualmachines", "microsoft.compute/virtualmachinescalesets")


class Groups:
    """The resource groups of the subscriptions."""

    def __init__(self, lab: Lab, registry: Registry) -> None:
        self.lab, self.registry = lab, registry
        lab.operations.register("delete group", self._delete_all, self._delete_failed)

    def render(self, group: Resource) -> dict[str, Any]:
        wire: dict[str, Any] = {"id": group.id, "name": group.name, "type": checks.GROUP_TYPE,
                                "location": group.location}
        if "tags" in group.body:
            wire["tags"] = group.body["tags"]
        if "managedBy" in group.body:
            wire["managedBy"] = group.body["managedBy"]
        wire["properties"] = {"provisioningState": group.state}
        return wire

    def listing(self, call: Call) -> Answer:
        groups = self.lab.store.of_type(checks.GROUP_TYPE, call.subscription)
        wanted = call.query.get("$filter")
        if wanted:
            groups = [g for g in groups if tag_filter(wanted, g.body.get("tags", {}))]
        return Answer(200, {"value": [self.render(g) for g in groups]})

    def get(self, call: Call) -> Answer:
        return Answer(200, self.render(checks.require_group(call)))

    def head(self, call: Call) -> Answer:
        return Answer(204 if checks.find_group(call) else 404)

    def put(self, call: Call) -> Answer:
        body = call.body()
        self._check_name(call.group)
        given = body.get("location")
        if not isinstance(given, str) or not given:
            raise arm_error("location_required")
        region = self.lab.catalogue.region(given)
        if region is None:
            raise arm_error("group_location_unavailable", location=given,
                            regions=",".join(self.lab.catalogue.regions))
        existing = checks.find_group(call)
        if existing and existing.location != region["name"]:
            raise arm_error("group_location", wanted=region["name"], location=existing.location)
        if existing and existing.state == "Deleting":
            raise arm_error("group_deleting", name=call.group)
        tags = checks.tags_of(body)
        kept: dict[str, Any] = {"location": region["name"]}
        if tags is not None:
            kept["tags"] = tags
        if "managedBy" in body:
            kept["managedBy"] = body["managedBy"]
        group = existing or Resource(id=group_id(call.subscription, call.group), type=checks.GROUP_TYPE,
                                     name=call.group, body=kept, created=now_text())
        group.body = kept
        self.lab.store.put(group)
        return Answer(200 if existing else 201, self.render(group))

    @staticmethod
    def _check_name(name: str) -> None:
        if len(name) > 90:
            raise arm_error("name_length", name=name, limit=90)
        if not checks.GROUP_NAME.match(name):
            raise arm_error("group_name", name=name,
                            chars="".join(sorted({c for c in name if not checks.GROUP_NAME.match(c)})))
        if name.endswith("."):
            raise arm_error("group_name_end", name=name)

    def patch(self, call: Call) -> Answer:
        group = checks.require_group(call, writing=True)
        tags = checks.tags_of(call.body())
        if tags is not None:
            group.body["tags"] = tags
            self.lab.store.put(group)
        return Answer(200, self.render(group))

    def delete(self, call: Call) -> Answer:
        group = checks.require_group(call)
        running = self.lab.operations.running_for(group.id)
        if running is None:
            group.state = "Deleting"
            self.lab.store.put(group)
            running = self.lab.start("delete group", group, "group", what=checks.GROUP_TYPE, method="DELETE")
        return Answer(202, None, operation_headers(call, running, location=True, retry_after=15), running)

    async def _delete_all(self, operation: Operation) -> None:
        """Delete all resources, several at once, then the group. What stays in use from outside makes it fail."""
        group = self.lab.store.get(operation.resource_id)
        if group is None:
            return
        parts = group.id.split("/")
        call = Call(self.lab, "DELETE", group.id, self.lab.settings.url, {"api-version": "2022-09-01"}, {}, b"",
                    subscription=parts[2], group=group.name)
        for type_name in (*_ORDER, ""):
            found = [r for r in self.lab.store.in_group(parts[2], group.name)
                     if r.type.lower() == type_name or not type_name]
            if found:
                await asyncio.gather(*(self._delete_one(call, r) for r in found))
        rest = self.lab.store.in_group(parts[2], group.name)
        if rest:
            raise ArmError(409, "ResourceGroupDeletionBlocked",
                           f"Deletion of resource group '{group.name}' failed as resources with identifiers "
                           f"'{','.join(r.id for r in rest)}' could not be deleted.")
        self.lab.store.delete(group.id)
        self.lab.network_changed()

    async def _delete_one(self, call: Call, resource: Resource) -> None:
        handler = self.registry.find(resource.type)
        assert handler is not None
        for _ in range(200):
            if self.lab.store.get(resource.id) is None:
                return
            running = self.lab.operations.running_for(resource.id)
            if running is None or resource.type.lower() in _OVERTAKES:
                try:
                    answer = handler.delete(_call_for(call, resource))
                except ArmError as problem:
                    if problem.status not in (409, 429):
                        return          # in use from another group: reported at the end
                    await asyncio.sleep(0.2)
                    continue
                running = answer.operation
            if running is not None:
                await self.lab.operations.wait(running)
                if running.status == "Failed":
                    return

    def _delete_failed(self, operation: Operation) -> None:
        group = self.lab.store.get(operation.resource_id)
        if group:
            group.state = "Succeeded"
            self.lab.store.put(group)


def _call_for(call: Call, resource: Resource) -> Call:
    return replace(call, rid=parse(resource.id), path=resource.id)


def tag_filter(text: str, tags: dict[str, str]) -> bool:
    """`tagName eq 'x' and tagValue eq 'y'` on one resource's tags."""
    wanted: dict[str, str] = {}
    for clause in text.split(" and "):
        words = clause.strip().split(" ", 2)
        if len(words) != 3 or words[1].lower() != "eq" or words[0].lower() not in ("tagname", "tagvalue"):
            raise arm_error("filter", filter=text)
        wanted[words[0].lower()] = words[2].strip().strip("'")
    value = next((v for n, v in tags.items() if n.lower() == wanted.get("tagname", "").lower()), None)
    return value is not None and ("tagvalue" not in wanted or wanted["tagvalue"] == value)
