# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The work of C(vm_extension_info): read extensions and what they reported, change nothing. Private to this collection."""

from __future__ import annotations

import asyncio
from typing import Any, Dict, List, Mapping, Tuple

from ansible_collections.dockhost.azure.plugins.module_utils._azure.client import Client
from ansible_collections.dockhost.azure.plugins.module_utils._errors import RefusedError
from ansible_collections.dockhost.azure.plugins.module_utils._extension import observe
from ansible_collections.dockhost.azure.plugins.module_utils._extension.plan import Target
from ansible_collections.dockhost.azure.plugins.module_utils._extension.report import Report, log_place
from ansible_collections.dockhost.azure.plugins.module_utils._module import DEPLOYMENT_ARGS, Task
from ansible_collections.dockhost.azure.plugins.module_utils._plan import core

ARGUMENTS: Dict[str, Any] = dict(
    DEPLOYMENT_ARGS,
    resource_group={"type": "str", "required": True},
    hosts={"type": "list", "elements": "str"},
    group={"type": "str"},
    scale_set={"type": "str"},
    publisher={"type": "str"},
    type={"type": "str"},
)
CONSTRAINTS: Dict[str, Any] = {"mutually_exclusive": [("hosts", "group", "scale_set")]}


class VmExtensionInfoTask(Task):
    """Lists the extensions of machines."""

    sdk = "compute"

    async def observe(self, client: Client) -> List[Tuple[Target, Mapping[str, Any]]]:
        params = self.params
        found, missing = await observe.targets(
            client, params["resource_group"], params.get("hosts"), params.get("group"), self.deployment, params.get("scale_set")
        )
        if missing:
            raise RefusedError(["hosts: there is no virtual machine '{0}' in resource group {1}: correct the name.".format(
                "', '".join(missing), params["resource_group"]
            )])
        wanted = [(target, body) for target in found for body in target.extensions.values() if self._wanted(body)]
        views = await asyncio.gather(*(observe.view(client, str(body["id"])) for dummy, body in wanted))
        return [(target, view or body) for (target, body), view in zip(wanted, views)]

    def result(self, actual: List[Tuple[Target, Mapping[str, Any]]], plan: core.Plan, applied: bool) -> Dict[str, Any]:
        return {"extensions": [shown(target, body) for target, body in actual]}

    def _wanted(self, body: Mapping[str, Any]) -> bool:
        have = body.get("properties") or {}
        return all(
            not self.params.get(name) or str(have.get(name)).lower() == self.params[name].lower() for name in ("publisher", "type")
        )


def shown(target: Target, body: Mapping[str, Any]) -> Dict[str, Any]:
    """One extension of one machine, with what its instance view says."""
    have, report = body.get("properties") or {}, Report.from_api(body)
    return {
        "host": target.host.name, "id": body["id"], "name": str(body["id"]).rsplit("/", 1)[-1], "publisher": have.get("publisher"),
        "type": have.get("type"), "version": have.get("typeHandlerVersion"), "provisioning_state": have.get("provisioningState"),
        "power_state": target.host.power_state, "settings": have.get("settings") or {}, "message": report.message,
        "exit_code": report.exit_code, "stdout": report.stdout, "stderr": report.stderr, "reason": report.reason,
        "log": log_place(str(have.get("publisher")), str(have.get("type"))),
    }  # fmt: skip
