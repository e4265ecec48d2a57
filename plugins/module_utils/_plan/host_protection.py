# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Protection of hosts from deletion by anybody, with a management lock on each machine (private to dockhost.azure, pure).

https://learn.microsoft.com/azure/azure-resource-manager/management/lock-resources
"""

from __future__ import annotations

from typing import Any, Dict, Iterable, List, Mapping, Optional

from ansible_collections.dockhost.azure.plugins.module_utils._model.host import key
from ansible_collections.dockhost.azure.plugins.module_utils._model.resource import Resource

Body = Mapping[str, Any]

LOCK = "Microsoft.Authorization/locks"
NAME = "dockhost-delete-protection"
_MARK = "/providers/microsoft.authorization/locks/"


def lock(machine_id: str, group: str) -> Resource:
    """The lock of a machine."""
    body = {"properties": {"level": "CanNotDelete", "notes": f"delete_protection of host group {group} (dockhost.azure)"}}
    return Resource(id=_id(machine_id), type=LOCK, body=body, depends_on=(machine_id,), immutable=())


def released(machines: Iterable[Body], locks: Iterable[Body]) -> List[Resource]:
    """The locks to take away from machines; each goes before its machine."""
    there = {key(found.get("id")) for found in locks}
    return [
        Resource(id=_id(machine["id"]), type=LOCK, depends_on=(machine["id"],))
        for machine in machines
        if key(_id(machine["id"])) in there
    ]


def refusals(leaving: Iterable[Body], locks: Iterable[Body], protection: Optional[bool]) -> List[str]:
    """Sentences about hosts that are to go and must not.

    :param protection: the option C(delete_protection); False takes our own locks away first
    """
    found: Dict[str, List[str]] = {}
    for machine in leaving:
        for held in locks:
            scope, dummy, name = key(held.get("id")).partition(_MARK)
            ours = scope == key(machine["id"]) and name == NAME
            if (key(machine["id"]) + "/").startswith(scope + "/") and not (ours and protection is False):
                found.setdefault("" if ours else str(held["id"]), []).append(machine["name"])
    return [_sentence(hosts, held) for held, hosts in found.items()]


def _sentence(hosts: List[str], held: str) -> str:
    shown = ", ".join(hosts[:5]) + (f" and {len(hosts) - 5} more" if len(hosts) > 5 else "")
    who = f"host {shown} is" if len(hosts) == 1 else f"hosts {shown} are"
    if held:
        return f"delete_protection: {who} held by the lock {held}, which is not of this collection: whoever set it has to remove it first."
    return f"delete_protection: {who} protected from deletion: give delete_protection=false if it is to go, and run again."


def _id(machine_id: str) -> str:
    return f"{machine_id}/providers/{LOCK}/{NAME}"
