# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules of ARM itself, the same for every resource: groups, locations, names, tags, ETags."""
from __future__ import annotations

import re
from typing import Any

from azlab.arm.wire import Call
from azlab.errors import arm_error
from azlab.ids import group_id, parse
from azlab.store import Resource

GROUP_TYPE = "Microsoft.Resources/resourceGroups"
_TAG_RESERVED = "<>%&\\?/"


def find_group(call: Call) -> Resource | None:
    return call.lab.store.get(group_id(call.subscription, call.group))


def require_group(call: Call, *, writing: bool = False) -> Resource:
    """The resource group of the call, or ARM's 404; 409 when it is being deleted and the call would write."""
    group = find_group(call)
    if group is None:
        raise arm_error("group_not_found", name=call.group)
    if writing and group.state == "Deleting":
        raise arm_error("group_deleting", name=call.group)
    return group


def location_of(call: Call, body: dict[str, Any], type_name: str, existing: Resource | None) -> str:
    """The normalised region of a new or existing resource."""
    given = body.get("location")
    if not isinstance(given, str) or not given:
        if existing:
            return existing.location
        raise arm_error("location_required")
    region = call.lab.catalogue.region(given)
    if region is None:
        raise arm_error("location_unavailable", location=given, type=type_name,
                        regions=",".join(call.lab.catalogue.regions))
    if existing and existing.location != region["name"]:
        raise arm_error("resource_location", name=existing.name, location=existing.location, group=existing.group,
                        wanted=region["name"])
    return str(region["name"])


def tags_of(body: dict[str, Any], *, name_limit: int = 512) -> dict[str, str] | None:
    """The tags of a body, checked, or None when it says nothing about tags."""
    tags = body.get("tags")
    if tags is None:
        return None
    if not isinstance(tags, dict):
        raise arm_error("bad_content", why="Error converting the value of 'tags' to a dictionary. Path 'tags'.")
    if len(tags) > 50:
        raise arm_error("tags_limit", count=len(tags))
    for name, value in tags.items():
        if not isinstance(value, (str, int, float, bool)):
            raise arm_error("bad_content", why=f"Unexpected value of the tag. Path 'tags.{name}'.")
        if len(name) > name_limit or not name:
            raise arm_error("tag_name_length", limit=name_limit, name=name)
        if any(c in _TAG_RESERVED for c in name):
            raise arm_error("tag_name", name=name, chars=",".join(_TAG_RESERVED))
        if len(str(value)) > 256:
            raise arm_error("tag_value_length", value=value)
    if len({n.lower() for n in tags}) != len(tags):
        raise arm_error("bad_content", why="Two tags have the same name but for the case of their letters.")
    return {n: v if isinstance(v, str) else str(v) for n, v in tags.items()}


def name_of(call: Call, body: dict[str, Any], limit: int) -> str:
    """The name in the URL, which the body must not contradict."""
    name = call.id.name
    if not 1 <= len(name) <= limit:
        raise arm_error("name_length", name=name, limit=limit)
    given = body.get("name")
    if isinstance(given, str) and given.lower() != name.lower() and "/" not in given:
        raise arm_error("name_mismatch", body=given, url=name)
    return name


def preconditions(call: Call, current: str | None) -> None:
    """If-Match and If-None-Match against the current ETag (None: the resource does not exist)."""
    wanted, unwanted = call.headers.get("If-Match"), call.headers.get("If-None-Match")
    if wanted and (current is None or (wanted != "*" and current not in _tags(wanted))):
        raise arm_error("precondition", given=wanted, current=current or "")
    if unwanted and current is not None and (unwanted == "*" or current in _tags(unwanted)):
        raise arm_error("precondition", given=unwanted, current=current)


def _tags(header: str) -> list[str]:
    return [t.strip() for t in header.split(",")]


def reference_ids(value: Any, path: str = "properties") -> None:
    """Every `id` in a body must be a fully qualified resource id."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            reference_ids(item, f"{path}[{index}]")
    elif isinstance(value, dict):
        given = value.get("id")
        if given is not None and (not isinstance(given, str) or (given and not given.startswith("/"))):
            raise arm_error("reference_id", id=given, path=f"{path}.id")
        for key, item in value.items():
            if isinstance(item, (dict, list)):
                reference_ids(item, f"{path}.{key}")


def split_reference(text: str) -> tuple[str, str, str]:
    """(type, name, root id) of a reference, for looking it up; empty strings when it is none."""
    rid = parse(text)
    return (rid.type, rid.name, str(rid.root)) if rid else ("", "", "")


GROUP_NAME = re.compile(r"^[\w\-.()]*$", re.UNICODE)
