# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The work of C(host_group_info): read hosts, change nothing. Private to this collection."""

from __future__ import annotations

from typing import Any, Dict

from ansible_collections.dockhost.azure.plugins.module_utils._azure.client import Client
from ansible_collections.dockhost.azure.plugins.module_utils._hosts import read
from ansible_collections.dockhost.azure.plugins.module_utils._model.host import hosts_from_lists, select
from ansible_collections.dockhost.azure.plugins.module_utils._module import Task
from ansible_collections.dockhost.azure.plugins.module_utils._plan import core
from ansible_collections.dockhost.azure.plugins.module_utils._plan.host_group import Observed


class HostGroupInfoTask(Task):
    """Lists the hosts of a resource group."""

    async def observe(self, client: Client) -> Observed:
        return await read.observe(client, self.params["resource_group"])

    def result(self, actual: Observed, plan: core.Plan, applied: bool) -> Dict[str, Any]:
        machines = select(actual.machines, self.params.get("deployment"), self.params.get("name"))
        hosts = hosts_from_lists(machines, actual.interfaces, actual.addresses, actual.statuses)
        return {"hosts": [host.result() for host in hosts]}
