# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""PURE: several Compose documents as one, each laid over those before it.

Rules: https://docs.docker.com/reference/compose-file/merge/

This util is private to the collection: no release promises that it stays as it is.
"""

from __future__ import annotations

import typing as t

from ansible_collections.dockhost.azure.plugins.module_utils._stack.values import Json, StackError, pairs

# Lists that are one value: the later one replaces the earlier one.
REPLACED = ("command", "entrypoint", "test")
# Mappings that may be written as lists of NAME=value.
PAIRS = ("environment", "labels", "driver_opts", "sysctls", "extra_hosts", "options")
# Lists whose entries go by where they lead to inside of the container.
BY_TARGET = ("volumes", "devices", "configs", "secrets")


def merge(documents: t.Sequence[Json]) -> dict[str, Json]:
    """One document of several. Raises StackError where two of them have another kind of value at one place."""
    result: dict[str, Json] = {}
    for document in documents:
        if not isinstance(document, dict):
            raise StackError("A Compose document has to be a mapping.")
        result = _both("", result, document)
    return result


def _both(path: str, before: Json, after: Json) -> t.Any:
    key = path.rpartition(".")[2]
    if after is None:
        return before
    if before is None or key in REPLACED:
        return after
    inside = path.startswith("services.") and path.count(".") >= 2
    if inside and key in PAIRS and (isinstance(before, list) or isinstance(after, list)):
        marks = ":=" if key == "extra_hosts" else "="
        return {**pairs(path, before, marks), **pairs(path, after, marks)}
    if inside and key == "networks" and isinstance(before, list) != isinstance(after, list):
        before, after = _named(before), _named(after)
    if isinstance(before, dict) and isinstance(after, dict):
        return {name: _both(f"{path}.{name}" if path else str(name), before.get(name), after.get(name)) for name in {**before, **after}}
    if isinstance(before, list) and isinstance(after, list):
        return _lists(key, before, after) if inside else after
    if isinstance(before, (dict, list)) or isinstance(after, (dict, list)):
        if isinstance(before, (dict, list)) and isinstance(after, (dict, list)) or key not in ("tmpfs", "dns", "dns_search", "env_file"):
            raise StackError(f"{path}: one document has another kind of value there than the one before it; write both in the same form.")
        return _lists(key, before if isinstance(before, list) else [before], after if isinstance(after, list) else [after])
    return after


def _named(value: Json) -> dict[str, Json]:
    return {str(name): None for name in value} if isinstance(value, list) else value


def _lists(key: str, before: list[Json], after: list[Json]) -> list[Json]:
    """Both lists; what leads to the same place, or is the same, is there once, as the later one has it."""
    if key in BY_TARGET:
        places = {_target(key, item): item for item in before}
        places.update({_target(key, item): item for item in after})
        return list(places.values())
    return before + [item for item in after if item not in before]


def _target(key: str, item: Json) -> str:
    if isinstance(item, dict):
        return str(item.get("target") or item.get("source") or "")
    parts = str(item).split(":")
    return parts[1] if key in ("volumes", "devices") and len(parts) > 1 else parts[0]
