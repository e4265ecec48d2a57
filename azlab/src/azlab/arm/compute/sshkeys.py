# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SSH public keys kept as resources."""
from __future__ import annotations

from azlab.arm.compute.base import ComputeType, invalid, section
from azlab.arm.wire import Answer, Call
from azlab.errors import arm_error
from azlab.store import Resource


class SshPublicKeys(ComputeType):
    name = "Microsoft.Compute/sshPublicKeys"

    def put(self, call: Call) -> Answer:
        body, existing, kept = self.checked(call)
        key = section(body, "properties").get("publicKey")
        if key is not None and (not isinstance(key, str) or not key.startswith(("ssh-", "ecdsa-"))):
            raise invalid("publicKey", "The value of parameter publicKey is invalid.")
        if existing and key and existing.properties.get("publicKey") not in (None, key):
            raise arm_error("changed", target="publicKey")
        kept["properties"] = {"publicKey": key} if key else dict(existing.properties) if existing else {}
        return self.show(call, self.save(call, kept, existing, "Succeeded"), 200 if existing else 201)

    def render(self, resource: Resource, call: Call | None = None) -> dict[str, object]:
        return {**self.head(resource), "properties": dict(resource.properties)}

    def delete(self, call: Call) -> Answer:
        resource = self.missing_is_done(call)
        if resource is None:
            return Answer(204)
        self.lab.store.delete(resource.id)
        return Answer(200)
