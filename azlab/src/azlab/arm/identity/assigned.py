# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Identities of users as resources: made at once, with a principal that other resources can carry.

https://learn.microsoft.com/rest/api/managedidentity/user-assigned-identities
"""
from __future__ import annotations

import re
import uuid
from typing import Any

from azlab.arm import checks
from azlab.arm.types import ResourceType
from azlab.arm.wire import Answer, Call
from azlab.errors import ArmError
from azlab.store import Resource

TYPE = "Microsoft.ManagedIdentity/userAssignedIdentities"
_NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9_-]{2,127}$")


class UserAssignedIdentities(ResourceType):
    """PUT answers 201 or 200 with the finished resource, DELETE 200 or 204: there are no operations."""

    name = TYPE
    provider = "identity"
    name_limit = 128

    def put(self, call: Call) -> Answer:
        checks.require_group(call, writing=True)
        if not _NAME.match(call.id.name):
            raise ArmError(400, "InvalidResourceName", f"The resource name '{call.id.name}' is invalid. It must begin with a letter or a "
                                                       "number, contain 3 to 128 letters, numbers, hyphens and underscores.")
        existing = self.lab.store.get(str(call.id))
        body = call.body()
        kept = self.new_body(call, body, existing)
        kept["properties"] = existing.properties if existing else {
            "isolationScope": body.get("properties", {}).get("isolationScope", "None"), "tenantId": self.lab.settings.tenant,
            "principalId": str(uuid.uuid4()), "clientId": str(uuid.uuid4())}
        return self.show(call, self.save(call, kept, existing, "Succeeded"), 200 if existing else 201)

    def render(self, resource: Resource, call: Call | None = None) -> dict[str, Any]:
        wire: dict[str, Any] = {"location": resource.location, "tags": resource.body.get("tags", {}), "id": resource.id,
                                "name": resource.name, "type": resource.type, "properties": dict(resource.properties)}
        return wire

    def delete(self, call: Call) -> Answer:
        checks.require_group(call)
        return Answer(200 if self.lab.store.delete(str(call.id)) else 204)
