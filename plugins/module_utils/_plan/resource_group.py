# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What in a resource group is ours, and whether the group may be deleted. Private to this collection; pure."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from ansible_collections.dockhost.azure.plugins.module_utils._model.resource import (
    Resource,
    group_id,
    is_ours,
    tag,
    type_word,
    TAG_DEPLOYMENT,
)

GROUPS = "Microsoft.Resources/resourceGroups"


def group_resource(subscription_id: str, name: str, location: str, tags: Mapping[str, str]) -> Resource:
    """The resource group itself."""
    return Resource(
        group_id(subscription_id, name), GROUPS, {"location": location, "tags": dict(tags)},
        remedies={"location": "Set it back, or choose another name for a group in that region"},
    )


def split(resources: Sequence[Mapping[str, Any]], deployment: str) -> Tuple[List[Mapping[str, Any]], List[Mapping[str, Any]]]:
    """(ours, those of others).

    Ours is what carries the tag, what belongs to such a resource (a disk that its machine manages), and what is a
    part of one (an extension: its id lies below).
    """
    ours = [item for item in resources if is_ours(item, deployment)]
    known = {str(item["id"]).lower() for item in ours}
    foreign = []
    for item in resources:
        if is_ours(item, deployment):
            continue
        own_id, manager = str(item["id"]).lower(), str(item.get("managedBy") or "").lower()
        if tag(item, TAG_DEPLOYMENT) is None and (manager in known or any(own_id.startswith(one + "/") for one in known)):
            ours.append(item)
        else:
            foreign.append(item)
    return ours, foreign


def delete_refusals(
    name: str, group: Mapping[str, Any], resources: Sequence[Mapping[str, Any]], deployment: str,
) -> List[str]:
    """Sentences for why the group is not deleted without ``force_delete_nonempty``."""
    if not is_ours(group, deployment):
        return [(
            "Resource group {0} is not deleted, because it does not carry the tag {1}={2}: delete what is in it with the "
            "modules that made it, or set force_delete_nonempty to delete it with all that it holds."
        ).format(name, TAG_DEPLOYMENT, deployment)]
    foreign = split(resources, deployment)[1]
    if not foreign:
        return []
    named = ", ".join(describe(item) for item in foreign[:3])
    more = " and {0} more".format(len(foreign) - 3) if len(foreign) > 3 else ""
    return [(
        "Resource group {0} is not deleted, because it holds resources that are not of deployment {1}: {2}{3}. Move or "
        "delete them, or set force_delete_nonempty to delete them too."
    ).format(name, deployment, named, more)]


def describe(item: Mapping[str, Any]) -> str:
    """``virtual machine web-1``."""
    return "{0} {1}".format(type_word(str(item["type"])), item["name"])


def brief(item: Mapping[str, Any]) -> Dict[str, Any]:
    """A resource of a group for return values."""
    return {
        "id": item["id"], "name": item["name"], "type": item["type"], "location": item.get("location"),
        "tags": item.get("tags") or {},
    }


def group_view(group: Optional[Mapping[str, Any]], deployment: str) -> Optional[Dict[str, Any]]:
    """The group itself for return values."""
    if group is None:
        return None
    return {
        "id": group["id"], "name": group["name"], "location": group["location"], "tags": group.get("tags") or {},
        "provisioning_state": (group.get("properties") or {}).get("provisioningState"),
        "owned": is_ours(group, deployment),
    }
