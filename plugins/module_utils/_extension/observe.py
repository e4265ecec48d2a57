# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading machines and their extensions. Private to this collection.

The list of a resource group's machines names their extensions by id only; what they are is read machine by machine, side by
side, and only where there is one.
"""

from __future__ import annotations

import asyncio
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from ansible_collections.dockhost.azure.plugins.module_utils._azure.client import Client
from ansible_collections.dockhost.azure.plugins.module_utils._errors import AzureError
from ansible_collections.dockhost.azure.plugins.module_utils._extension.plan import Target
from ansible_collections.dockhost.azure.plugins.module_utils._hosts import read
from ansible_collections.dockhost.azure.plugins.module_utils._model.host import hosts_from_lists, key, select, statuses_by_id
from ansible_collections.dockhost.azure.plugins.module_utils._model.host_group import VIRTUAL_MACHINE
from ansible_collections.dockhost.azure.plugins.module_utils._model.resource import COMPUTE_API

VIEW = {"$expand": "instanceView"}


async def targets(
    client: Client, resource_group: str, names: Optional[Sequence[str]], group: Optional[str], deployment: Optional[str],
    scale_set: Optional[str] = None,
) -> Tuple[List[Target], List[str]]:
    """(the machines that are meant, names that no machine has).

    :param names: names of machines; else ``group``, a group of hosts; else ``scale_set``; else all machines of the resource group.
    :param deployment: that ``group`` belongs to.
    :param scale_set: a flexible scale set, whose instances are machines of the resource group.
    """
    machines, states = await asyncio.gather(read.list_of(client, resource_group, VIRTUAL_MACHINE), read.statuses(client))
    missing: List[str] = []
    if names is not None:
        by_name = {machine["name"].lower(): machine for machine in machines}
        missing = [name for name in names if name.lower() not in by_name]
        chosen = [by_name[name] for name in dict.fromkeys(name.lower() for name in names) if name in by_name]
    elif group is not None:
        chosen = list(select(machines, deployment, group))
    else:
        chosen = [machine for machine in machines if scale_set is None or set_of(machine) == scale_set.lower()]
    if states is None:
        states = await read.views(client, chosen)
    bodies = {key(machine["id"]): machine for machine in chosen}
    hosts = hosts_from_lists(chosen, statuses=statuses_by_id(states))
    found = await asyncio.gather(*(extensions(client, bodies[key(host.id)]) for host in hosts))
    allowed = [((bodies[key(host.id)].get("properties") or {}).get("osProfile") or {}).get("allowExtensionOperations") for host in hosts]
    return [Target(host, have, allow is not False) for host, have, allow in zip(hosts, found, allowed)], missing


def set_of(machine: Mapping[str, Any]) -> Optional[str]:
    """The name of the scale set that a machine belongs to, in lower case."""
    found = ((machine.get("properties") or {}).get("virtualMachineScaleSet") or {}).get("id")
    return str(found).rsplit("/", 1)[-1].lower() if found else None


async def extensions(client: Client, machine: Mapping[str, Any]) -> Dict[str, Mapping[str, Any]]:
    """The extensions of one machine by name; no request where it has none, or where the list told all of them."""
    named = [item for item in machine.get("resources") or [] if "/extensions/" in str(item.get("id")).lower()]
    if all((item.get("properties") or {}).get("publisher") for item in named):
        return {_name(item): item for item in named}
    answer = await client.get(machine["id"] + "/extensions", COMPUTE_API, query=VIEW)
    return {_name(item): item for item in (answer or {}).get("value") or []}


async def view(client: Client, extension_id: str) -> Optional[Mapping[str, Any]]:
    """One extension with what it reported; None where it is gone or cannot be read."""
    try:
        return await client.get(extension_id, COMPUTE_API, query=VIEW)
    except AzureError:
        return None


async def versions(client: Client, location: str, publisher: str, type_: str) -> Optional[List[str]]:
    """The versions of an extension that a region publishes; an empty list where it has none, None where Azure does not say.

    https://learn.microsoft.com/rest/api/compute/virtual-machine-extension-images/list-versions
    """
    path = "/subscriptions/{0}/providers/Microsoft.Compute/locations/{1}/publishers/{2}/artifacttypes/vmextension/types/{3}/versions"
    try:
        found = await client.get(path.format(client.subscription_id, location.replace(" ", "").lower(), publisher, type_), COMPUTE_API)
    except AzureError:
        return None
    return [str(item.get("name")) for item in found] if isinstance(found, list) else []


def _name(body: Mapping[str, Any]) -> str:
    return str(body["id"]).rsplit("/", 1)[-1].lower()
