# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Giving hosts a new disk of their operating system, from the image that they have (private to dockhost.azure, pure).

https://learn.microsoft.com/rest/api/compute/virtual-machines/reimage: the machine keeps its id, C(vmId), interfaces and data
disks. The custom data has to be sent again, since Azure does not return it and the new system's first boot asks for it. The
public keys of the new system are those that the machine was made with; where others are wanted, they are put in their place.
"""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from ansible_collections.dockhost.azure.plugins.module_utils._model import authorized_keys, custom_data, shell_script
from ansible_collections.dockhost.azure.plugins.module_utils._model.host import (
    TAG_CUSTOM_DATA,
    TAG_REIMAGED,
    index_of,
    reimaged,
)
from ansible_collections.dockhost.azure.plugins.module_utils._model.host_group import VIRTUAL_MACHINE
from ansible_collections.dockhost.azure.plugins.module_utils._model.resource import Change, Resource, Step, tag
from ansible_collections.dockhost.azure.plugins.module_utils._plan import core

Body = Mapping[str, Any]


def refusals(machines: Sequence[Body], data: Optional[bytes], salt: str) -> List[str]:
    """Hosts whose first boot had custom data, when none is given: they would come up as something else."""
    nothing = custom_data.digest(b"", salt)
    names = [machine["name"] for machine in sorted(machines, key=_place) if tag(machine, TAG_CUSTOM_DATA) not in (None, nothing)]
    if data is not None or not names:
        return []
    shown = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
    return [
        f"custom_data: {shown} had custom data at the first boot, which Azure does not give back: give custom_data, or an empty text "
        "to have the system set up without it."
    ]


def plan(
    machines: Sequence[Body], data: Optional[bytes], salt: str, serial: Optional[int] = None, keys: Sequence[str] = ()
) -> core.Plan:
    """The steps that reimage machines.

    The tag that counts goes first: a run that is cut off afterwards has the host's keys read once too often, never too seldom.

    :param data: the custom data of the next first boot; None sends none
    :param serial: how many at once; a host that fails stops those that come after it
    :param keys: the public keys of the administrator; without any, those with which the machine was made
    """
    chains: List[Tuple[Step, ...]] = []
    for machine in sorted(machines, key=_place):
        before = chains[-serial][-1].id if serial and len(chains) >= serial else None
        chains.append(_chain(machine, data, salt, keys, (before,) if before else ()))
    return core.Plan(tuple(step for chain in chains for step in chain))


def _place(machine: Body) -> Tuple[int, str]:
    return index_of(machine) or 0, machine["name"].lower()


def _chain(machine: Body, data: Optional[bytes], salt: str, keys: Sequence[str], after: Tuple[str, ...]) -> Tuple[Step, ...]:
    resource = Resource(id=machine["id"], type=VIRTUAL_MACHINE, wait="list")
    tags = dict(machine.get("tags") or {})
    count = str(reimaged(machine) + 1)
    first = _tagging(resource, tags, TAG_REIMAGED, count, "is to be reimaged", after, "count")
    body: Dict[str, Any] = {}
    if data:
        body["osProfile"] = {"customData": custom_data.encode(data)}
    steps = [first, Step(
        id=core.step_id("reimage", resource.id), action="update", resource=resource, method="POST", operation="reimage", body=body,
        changes=(Change("reimaged", reimaged(machine), int(count)),), reason="gets a new disk from its image", depends_on=(first.id,),
    )]  # fmt: skip
    wanted = None if data is None else custom_data.digest(data, salt)
    if wanted is not None and wanted != tag(machine, TAG_CUSTOM_DATA):
        done = {**tags, TAG_REIMAGED: count}
        steps.append(_tagging(resource, done, TAG_CUSTOM_DATA, wanted, "has other custom data", (steps[-1].id,), "data"))
    dummy, dummy, old = authorized_keys.made_with(machine)
    if keys and authorized_keys.differ(keys, old):
        steps.append(_authorising(machine, old, keys, (steps[-1].id,)))
    return tuple(steps)


def _authorising(machine: Body, old: Sequence[str], keys: Sequence[str], after: Tuple[str, ...]) -> Step:
    """A command on the new system; what it prints tells whether it was carried out."""
    resource = Resource(id=machine["id"], type=VIRTUAL_MACHINE)
    return Step(
        id=core.step_id("keys", resource.id), action="update", resource=resource, method="POST", operation=shell_script.OPERATION, depends_on=after,
        changes=(Change("ssh_public_keys", list(old), list(keys)),), reason="has other keys than those that it was made with",
        body=shell_script.body(authorized_keys.script(machine, keys)),
    )  # fmt: skip


def _tagging(
    resource: Resource, tags: Mapping[str, str], name: str, value: str, reason: str, after: Tuple[str, ...], what: str
) -> Step:
    """A change of one tag, all others as they are."""
    kept = {key: old for key, old in tags.items() if key.lower() != name.lower()}
    before = next((old for key, old in tags.items() if key.lower() == name.lower()), None)
    return Step(
        id=core.step_id("tag " + what, resource.id), action="update", resource=resource, method="PATCH",
        changes=(Change("tags." + name, before, value),), reason=reason, depends_on=after, body={"tags": {**kept, name: value}},
    )  # fmt: skip
