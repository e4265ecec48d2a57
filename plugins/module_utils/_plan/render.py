# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A plan as text that people read, and as return values. Private to this collection; pure."""

from __future__ import annotations

from typing import Any, Dict, Iterable, List, Mapping, Sequence, Tuple

from ansible_collections.dockhost.azure.plugins.module_utils._model.resource import Resource, Step
from ansible_collections.dockhost.azure.plugins.module_utils._plan.compare import HIDDEN, list_key

# Envelope and constants of a body that say nothing to a reader.
_QUIET = frozenset({"id", "etag", "type", "provisioningState", "resourceGuid"})


def value(item: Any) -> str:
    """A value in a sentence or a line of a diff; ids are shortened to what names them."""
    if item is None:
        return "nothing"
    if isinstance(item, bool):
        return "true" if item else "false"
    if isinstance(item, Mapping):
        if set(item) == {"id"}:
            return value(item["id"])
        return ", ".join("{0}: {1}".format(key, value(part)) for key, part in _lines(item, ""))
    if isinstance(item, (list, tuple)):
        return ", ".join(value(part) for part in item) or "none"
    text = str(item)
    return _short_id(text) if text.startswith("/subscriptions/") else text


def _short_id(text: str) -> str:
    parts = text.split("/")
    if "/galleries/" in text.lower():  # gallery/image/version: a version alone would name nothing
        return "/".join(parts[8::2])
    if len(parts) > 10:  # a child: load balancer/backend pool
        return "/".join((parts[8], parts[-1]))
    return parts[-1]


def _lines(body: Any, path: str) -> List[Tuple[str, Any]]:
    """(path, plain value) for everything that a body sets."""
    if isinstance(body, Mapping) and set(body) != {"id"}:
        found = []
        for key, item in body.items():
            if key in _QUIET or item is None or item == [] or item == {}:
                continue
            below = path if key == "properties" else "{0}.{1}".format(path, key) if path else key
            found += _lines(item, below)
        return found
    if isinstance(body, (list, tuple)) and list_key(body) == "name":
        found = []
        for item in body:
            rest = {key: part for key, part in item.items() if key != "name"}
            place = "{0}[{1}]".format(path, item["name"])
            found += _lines(rest, place) or [(place, "present")]
        return found
    return [(path, body)]


def body_lines(resource: Resource) -> List[str]:
    """Everything that a new resource gets, a line each; hidden values are masked."""
    lines = []
    masked = _mask(resource.body, "", resource.hidden)
    for path, item in _lines(masked, ""):
        lines.append("  {0}: {1}".format(path, value(item)))
    return lines


def _mask(body: Any, path: str, hidden: Sequence[str]) -> Any:
    if path in hidden:
        return None if body is None else HIDDEN
    if isinstance(body, Mapping):
        return {key: _mask(item, "{0}.{1}".format(path, key) if path else key, hidden) for key, item in body.items()}
    if isinstance(body, (list, tuple)):
        return [_mask(item, path, hidden) for item in body]
    return body


def diff(steps: Iterable[Step]) -> Dict[str, str]:
    """Before and after as text: whole resources where they come or go, single properties where they change."""
    before: List[str] = []
    after: List[str] = []
    for step in steps:
        if step.action == "create":
            after += [step.resource.title] + body_lines(step.resource)
        elif step.action == "delete":
            before.append(step.resource.title)
        elif step.action == "update":
            before.append(step.resource.title)
            after.append(step.resource.title)
            for change in step.changes:
                before += _side(change.path, change.before)
                after += _side(change.path, change.after)
    return {"before": _text(before), "after": _text(after)}


def _side(path: str, item: Any) -> List[str]:
    return [] if item is None else ["  {0}: {1}".format(path, value(item))]


def _text(lines: List[str]) -> str:
    return "\n".join(lines) + "\n" if lines else ""


def summary(steps: Iterable[Step], seconds: Mapping[str, float]) -> List[Dict[str, Any]]:
    """The steps for return values."""
    return [
        {
            "action": step.action,
            "type": step.resource.type,
            "name": step.resource.name,
            "changes": [
                {"path": change.path, "before": change.before, "after": change.after} for change in step.changes
            ],
            "reason": step.reason,
            "seconds": round(seconds[step.id], 1) if step.id in seconds else None,
        }
        for step in steps if step.action != "keep"
    ]
