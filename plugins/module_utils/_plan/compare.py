# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compare a wanted body with the actual one, and lay the wanted one over it. Private to this collection; pure.

What a wanted body names is ours; everything else that Azure has is left alone and is sent back in an update, since a
PUT replaces the whole resource.
"""

from __future__ import annotations

from typing import Any, Iterable, List, Mapping, Optional, Tuple

from ansible_collections.dockhost.azure.plugins.module_utils._model.resource import Change, Resource

HIDDEN = "********"

# Objects in lists are matched by the first of these that both sides carry.
LIST_KEYS = ("name", "id", "lun", "service")

# Texts that Azure compares with case; all others (ids, enums, locations) it compares without.
CASED = frozenset({
    "adminUsername", "computerName", "keyData", "path", "customData", "requestPath", "value", "description", "script",
})

_ABSENT = object()


def same_value(wanted: Any, actual: Any, cased: bool = False) -> bool:
    """Whether two plain values mean the same to Azure.

    Numbers and their text are alike (Azure returns some numbers as text), and empty things equal missing ones.
    """
    if wanted is None or wanted == [] or wanted == {}:
        return actual is None or actual == [] or actual == {}
    if actual is None:
        return False
    if isinstance(wanted, bool) or isinstance(actual, bool):
        return str(wanted).lower() == str(actual).lower()
    if isinstance(wanted, (int, float)) and isinstance(actual, (int, float)):
        return wanted == actual
    one, other = str(wanted), str(actual)
    return one == other if cased else one.lower() == other.lower()


def same_location(wanted: Any, actual: Any) -> bool:
    """``West Europe`` and ``westeurope`` are one region."""
    return str(wanted).replace(" ", "").lower() == str(actual).replace(" ", "").lower()


def find_key(mapping: Mapping[str, Any], key: str) -> str:
    """The spelling that ``mapping`` has of ``key`` (ARM property and tag names are compared without case)."""
    if key in mapping:
        return key
    low = key.lower()
    for other in mapping:
        if other.lower() == low:
            return other
    return key


def list_key(items: Iterable[Any]) -> Optional[str]:
    """The property by which the objects of a list are matched, or None for plain values."""
    items = list(items)
    if not items or not all(isinstance(item, Mapping) for item in items):
        return None
    for key in LIST_KEYS:
        if all(item.get(key) is not None for item in items):
            return key
    return None


class Comparer:
    """Compares and merges by the rules of one Resource."""

    def __init__(self, resource: Resource):
        self.resource = resource
        self.changes: List[Change] = []
        self.paths: List[str] = []  # for each change: its path without list positions

    def changed(self, actual: Mapping[str, Any]) -> List[Change]:
        """All differences between the wanted body and the actual one."""
        self.changes, self.paths = [], []
        self._walk(self.resource.body, actual, "", "")
        return self.changes

    def merged(self, actual: Mapping[str, Any]) -> Any:
        """The actual body with the owned values laid over it (read-only properties are not removed here)."""
        return self._merge(self.resource.body, actual, "")

    def _walk(self, wanted: Any, actual: Any, path: str, shown: str) -> None:
        if path in self.resource.create_only:
            return
        if isinstance(wanted, Mapping) and (isinstance(actual, Mapping) or actual is None):
            have = actual or {}
            for key, value in wanted.items():
                self._walk(value, have.get(find_key(have, key)), _join(path, key), _join(shown, key))
        elif isinstance(wanted, (list, tuple)) and (wanted or path in self.resource.shared_lists):
            self._walk_list(list(wanted), actual if isinstance(actual, list) else [], path, shown)
        elif not self._same(wanted, actual, path):
            self._add(path, shown, actual, wanted)

    def _walk_list(self, wanted: List[Any], actual: List[Any], path: str, shown: str) -> None:
        key = list_key(wanted) or (list_key(actual) if not wanted else None)
        if key is None:
            if not self._same_list(wanted, actual, path):
                self._add(path, shown, actual, wanted)
            return
        for item in wanted:
            other = _find(actual, key, item[key])
            place = "{0}[{1}]".format(shown, _short(item[key]))
            if other is None:
                self._add(path, place, None, item)
            else:
                self._walk(item, other, path, place)
        for item in self._surplus(wanted, actual, key, path):
            self._add(path, "{0}[{1}]".format(shown, _short(item.get(key))), item, None)

    def _surplus(self, wanted: List[Any], actual: List[Any], key: str, path: str) -> List[Any]:
        """Entries of the actual list that are ours to remove."""
        prefix = self.resource.shared_lists.get(path)
        if prefix == "":
            return []
        surplus = []
        for item in actual:
            name = str(item.get(key) or "")
            if prefix is not None and not name.lower().startswith(prefix.lower()):
                continue
            if _find(wanted, key, name) is None:
                surplus.append(item)
        return surplus

    def _same(self, wanted: Any, actual: Any, path: str) -> bool:
        last = path.rsplit(".", 1)[-1]
        if last == "location" and wanted and actual:
            return same_location(wanted, actual)
        return same_value(wanted, actual, cased=last in CASED or path.startswith("tags."))

    def _same_list(self, wanted: List[Any], actual: List[Any], path: str) -> bool:
        if len(wanted) != len(actual):
            return False
        if path not in self.resource.ordered and all(not isinstance(item, (Mapping, list)) for item in wanted + actual):
            wanted, actual = (sorted(items, key=lambda item: str(item).lower()) for items in (wanted, actual))
        return all(self._same_item(one, other, path) for one, other in zip(wanted, actual))

    def _same_item(self, wanted: Any, actual: Any, path: str) -> bool:
        if not isinstance(wanted, Mapping):
            return self._same(wanted, actual, path)
        probe = Comparer(self.resource)
        probe._walk(wanted, actual, path, "")
        return not probe.changes

    def _add(self, path: str, shown: str, before: Any, after: Any) -> None:
        if any(path == hidden or path.startswith(hidden + ".") for hidden in self.resource.hidden):
            before = None if before is None else HIDDEN
            after = None if after is None else HIDDEN
        self.changes.append(Change(_plain(shown), before, after))
        self.paths.append(path)

    def _merge(self, wanted: Any, actual: Any, path: str) -> Any:
        if path in self.resource.create_only:
            return _ABSENT if actual is None else actual
        if isinstance(wanted, Mapping):
            merged = dict(actual) if isinstance(actual, Mapping) else {}
            for key, value in wanted.items():
                spelled = find_key(merged, key)
                new = self._merge(value, merged.get(spelled), _join(path, key))
                if new is _ABSENT:
                    merged.pop(spelled, None)
                else:
                    merged[spelled] = new
            return merged
        if isinstance(wanted, (list, tuple)):
            return self._merge_list(list(wanted), actual if isinstance(actual, list) else [], path)
        if wanted is None:
            return _ABSENT
        return actual if self._same(wanted, actual, path) else wanted

    def _merge_list(self, wanted: List[Any], actual: List[Any], path: str) -> List[Any]:
        key = list_key(wanted) or (list_key(actual) if not wanted else None)
        if key is None:
            return actual if self._same_list(wanted, actual, path) else wanted
        surplus = self._surplus(wanted, actual, key, path)
        merged = []
        for item in actual:
            mine = _find(wanted, key, item.get(key))
            if mine is not None:
                merged.append(self._merge(mine, item, path))
            elif item not in surplus:
                merged.append(item)
        new = [item for item in wanted if _find(actual, key, item[key]) is None]
        return merged + [self._merge(item, None, path) for item in new]


def _find(items: List[Any], key: str, value: Any) -> Optional[Any]:
    """The entry of a list whose ``key`` is ``value``."""
    for item in items:
        if isinstance(item, Mapping) and same_value(value, item.get(key)):
            return item
    return None


def _join(path: str, key: str) -> str:
    return "{0}.{1}".format(path, key) if path else key


def _plain(shown: str) -> str:
    """Leave ``properties`` out of a path: people know the properties, not ARM's envelope."""
    return ".".join(part for part in shown.split(".") if part != "properties") if "[" not in shown else _plain_parts(shown)


def _plain_parts(shown: str) -> str:
    return shown.replace("properties.", "")


def _short(value: Any) -> str:
    """The end of an id, or the value itself."""
    text = str(value)
    return text.rsplit("/", 1)[-1] if text.startswith("/") else text


def without(body: Any, paths: Iterable[str]) -> Any:
    """A copy of a body without the given paths (which leave list positions out)."""
    split: Tuple[Tuple[str, ...], ...] = tuple(tuple(path.split(".")) for path in paths)
    return _without(body, split)


def _without(value: Any, paths: Tuple[Tuple[str, ...], ...]) -> Any:
    if isinstance(value, list):
        return [_without(item, paths) for item in value]
    if not isinstance(value, Mapping) or not paths:
        return value
    copy = {}
    for key, item in value.items():
        below = tuple(path[1:] for path in paths if path[0] == key)
        if () in below:
            continue
        copy[key] = _without(item, below)
    return copy
