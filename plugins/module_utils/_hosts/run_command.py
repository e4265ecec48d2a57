# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a script on a host over Azure's agent, without SSH. Private to this collection.

https://learn.microsoft.com/azure/virtual-machines/linux/run-command
"""

from __future__ import annotations

from ansible_collections.dockhost.azure.plugins.module_utils._azure.client import Client
from ansible_collections.dockhost.azure.plugins.module_utils._model import shell_script
from ansible_collections.dockhost.azure.plugins.module_utils._model.host import Host
from ansible_collections.dockhost.azure.plugins.module_utils._model.resource import COMPUTE_API

AT_ONCE = 50


async def run(client: Client, host: Host, script: str, doing: str) -> str:
    """Run a script as root; what it printed, at most its last 4 KiB.

    :raises AzureError: Azure could not run it
    """
    response = await client.request("POST", f"{host.id}/{shell_script.OPERATION}", COMPUTE_API, json=shell_script.body(script), doing=doing)
    return shell_script.output(await client.wait(response, doing))
