# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What hangs below a deployment: its operations, and the status of its run."""
from __future__ import annotations

from typing import Any

from azlab.arm.resources.deployments import Deployments
from azlab.arm.types import ResourceType
from azlab.arm.wire import Answer, Call
from azlab.errors import ArmError, arm_error


class _Below(ResourceType):
    tracked = False

    def __init__(self, deployments: Deployments) -> None:
        super().__init__(deployments.lab)
        self.deployments = deployments

    def put(self, call: Call) -> Answer:
        raise arm_error("method", method=call.method)

    patch = delete = put


class DeploymentOperations(_Below):
    """One operation per resource, and one for the outputs."""

    name = "Microsoft.Resources/deployments/operations"

    def listing(self, call: Call) -> Answer:
        found = self._all(call)
        top = call.query.get("$top", "")
        return Answer(200, {"value": found[:int(top)] if top.isdigit() else found})

    def get(self, call: Call) -> Answer:
        wanted = call.id.name.lower()
        for entry in self._all(call):
            if entry["operationId"].lower() == wanted:
                return Answer(200, entry)
        raise ArmError(404, "DeploymentOperationNotFound", f"The deployment operation '{call.id.name}' could not be "
                       "found.", source="gateway")

    def _all(self, call: Call) -> list[dict[str, Any]]:
        return list(self.deployments.require(call).private.get("operations", []))


class DeploymentStatuses(_Below):
    """Where the Azure-AsyncOperation of a deployment leads."""

    name = "Microsoft.Resources/deployments/operationStatuses"

    def get(self, call: Call) -> Answer:
        resource = self.deployments.require(call)
        operation = self.lab.operations.all.get(call.id.name.lower())
        if operation is None:
            raise ArmError(404, "DeploymentOperationNotFound", f"The deployment operation '{call.id.name}' could not be "
                           "found.", source="gateway")
        if not operation.done:
            return Answer(200, {"status": resource.state}, self.deployments.hurry())
        body: dict[str, Any] = {"status": operation.status}
        if operation.error:
            body["error"] = operation.error
        return Answer(200, body)
