# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`$expand` of Microsoft.Network: references are answered with what they refer to, `ipConfigurations/publicIPAddress` for example.

https://learn.microsoft.com/rest/api/virtualnetwork/network-interfaces/get: paths of members, several of them with commas between.
"""
from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from azlab.ids import parse

Show = Callable[[str], dict[str, Any] | None]      # id of a resource → its body


def expanded(body: dict[str, Any], text: str, show: Show) -> dict[str, Any]:
    """A copy of `body` with what its references refer to, for each path of `$expand`. Paths that lead nowhere change nothing."""
    body = copy.deepcopy(body)      # what is shown shares parts with what is kept
    for path in text.split(","):
        _walk(body, [s.lower() for s in path.strip().split("/") if s], show)
    return body


def _walk(value: Any, segments: list[str], show: Show) -> None:
    if isinstance(value, list):
        for item in value:
            _walk(item, segments, show)
        return
    members: dict[str, Any] = (value.get("properties") if isinstance(value, dict) else None) or {}
    key = next((k for k in members if segments and k.lower() == segments[0]), None)
    if key is None:
        return
    inner = members[key]
    members[key] = [_target(i, show) for i in inner] if isinstance(inner, list) else _target(inner, show)
    _walk(members[key], segments[1:], show)


def _target(value: Any, show: Show) -> Any:
    """What a reference leads to; anything else, and a reference to what is gone, as it is."""
    if not isinstance(value, dict) or set(value) != {"id"}:
        return value
    rid = parse(value["id"])
    root = show(str(rid.root)) if rid else None
    return copy.deepcopy(_part(root, value["id"].lower())) or value


def _part(value: Any, wanted: str) -> dict[str, Any] | None:
    """The object with an id, inside the body of the resource that it belongs to."""
    if isinstance(value, dict) and str(value.get("id", "")).lower() == wanted and len(value) > 1:
        return value
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return next((found for child in children if (found := _part(child, wanted))), None)
