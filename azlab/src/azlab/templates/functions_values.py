# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Functions on arrays and objects.

https://learn.microsoft.com/azure/azure-resource-manager/templates/template-functions-array
"""
from __future__ import annotations

from typing import Any

from azlab.templates.registry import function, integer, text, wrong
from azlab.templates.values import UNKNOWN, find_key, has_unknown, member, same, text_of


@function("concat", 1, None)
def concat(*values: Any) -> Any:
    if isinstance(values[0], list):
        if not all(isinstance(v, list) for v in values):
            raise wrong("concat", "expects all its parameters to be arrays when the first is one")
        return [item for v in values for item in v]
    if any(isinstance(v, (list, dict)) for v in values):
        raise wrong("concat", "parameters are invalid: they must be all of the string or all of the array type")
    return "".join(text_of(v) for v in values)


@function("length", 1)
def length(value: Any) -> int:
    if not isinstance(value, (str, list, dict)):
        raise wrong("length", "expects its parameter to be an array, object, or a string")
    return len(value)


@function("empty", 1)
def empty(value: Any) -> bool:
    if value is None:
        return True
    if not isinstance(value, (str, list, dict)):
        raise wrong("empty", "expects its parameter to be an array, object, or a string")
    return not value


@function("contains", 2)
def contains(container: Any, item: Any) -> bool:
    if isinstance(container, str):
        return text_of(item) in container
    if isinstance(container, list):
        return any(same(item, v) for v in container)
    if isinstance(container, dict):
        return find_key(container, text("contains", item)) is not None
    raise wrong("contains", "expects its first parameter to be an array, object, or a string")


def _sequence(name: str, value: Any) -> Any:
    if not isinstance(value, (str, list)):
        raise wrong(name, "expects its parameter to be an array or a string")
    return value


@function("first", 1)
def first(value: Any) -> Any:
    values = _sequence("first", value)
    return values[0] if values else ("" if isinstance(values, str) else None)


@function("last", 1)
def last(value: Any) -> Any:
    values = _sequence("last", value)
    return values[-1] if values else ("" if isinstance(values, str) else None)


@function("take", 2)
def take(value: Any, count: Any) -> Any:
    return _sequence("take", value)[:max(0, integer("take", count))]


@function("skip", 2)
def skip(value: Any, count: Any) -> Any:
    return _sequence("skip", value)[max(0, integer("skip", count)):]


@function("indexOf", 2)
def index_of(value: Any, item: Any) -> int:
    if isinstance(value, list):
        return next((i for i, v in enumerate(value) if same(v, item)), -1)
    return text("indexOf", value).lower().find(text("indexOf", item).lower())


@function("lastIndexOf", 2)
def last_index_of(value: Any, item: Any) -> int:
    if isinstance(value, list):
        return max((i for i, v in enumerate(value) if same(v, item)), default=-1)
    return text("lastIndexOf", value).lower().rfind(text("lastIndexOf", item).lower())


@function("range", 2)
def range_(start: Any, count: Any) -> list[int]:
    begin, many = integer("range", start), integer("range", count)
    if not 0 <= many <= 10000:
        raise wrong("range", "expects its second parameter to be between '0' and '10000'")
    return list(range(begin, begin + many))


def _numbers(name: str, values: tuple[Any, ...]) -> list[int]:
    given = values[0] if len(values) == 1 and isinstance(values[0], list) else values
    if not given:
        raise wrong(name, "expects at least one integer")
    return [integer(name, v) for v in given]


@function("min", 1, None)
def min_(*values: Any) -> int:
    return min(_numbers("min", values))


@function("max", 1, None)
def max_(*values: Any) -> int:
    return max(_numbers("max", values))


@function("array", 1)
def array(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


@function("createArray", 0, None, keeps_unknown=True)
def create_array(*values: Any) -> list[Any]:
    return list(values)


@function("createObject", 0, None, keeps_unknown=True)
def create_object(*values: Any) -> Any:
    if len(values) % 2:
        raise wrong("createObject", "expects an even number of parameters: pairs of a key and a value")
    if has_unknown(list(values[::2])):
        return UNKNOWN
    return {text("createObject", k): v for k, v in zip(values[::2], values[1::2])}


@function("union", 1, None)
def union(*values: Any) -> Any:
    if all(isinstance(v, list) for v in values):
        merged: list[Any] = []
        for item in (i for v in values for i in v):
            if not any(same(item, m) for m in merged):
                merged.append(item)
        return merged
    if all(isinstance(v, dict) for v in values):
        result: dict[str, Any] = {}
        for value in values:
            result = _merged(result, value)
        return result
    raise wrong("union", "expects all its parameters to be arrays or all to be objects")


def _merged(left: dict[str, Any], right: dict[str, Any]) -> dict[str, Any]:
    result = dict(left)
    for name, value in right.items():
        key = find_key(result, name) or name
        old = result.get(key)
        result[key] = _merged(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return result


@function("intersection", 2, None)
def intersection(*values: Any) -> Any:
    if all(isinstance(v, list) for v in values):
        kept = [i for i in values[0] if all(any(same(i, o) for o in v) for v in values[1:])]
        return union(kept)
    if all(isinstance(v, dict) for v in values):
        return {k: v for k, v in values[0].items()
                if all((o := find_key(other, k)) is not None and same(v, other[o]) for other in values[1:])}
    raise wrong("intersection", "expects all its parameters to be arrays or all to be objects")


@function("items", 1)
def items(value: Any) -> list[dict[str, Any]]:
    if not isinstance(value, dict):
        raise wrong("items", "expects its parameter to be an object")
    return [{"key": k, "value": value[k]} for k in sorted(value)]


@function("objectKeys", 1)
def object_keys(value: Any) -> list[str]:
    if not isinstance(value, dict):
        raise wrong("objectKeys", "expects its parameter to be an object")
    return sorted(value)


@function("shallowMerge", 1)
def shallow_merge(values: Any) -> dict[str, Any]:
    if not isinstance(values, list) or not all(isinstance(v, dict) for v in values):
        raise wrong("shallowMerge", "expects its parameter to be an array of objects")
    return {k: v for value in values for k, v in value.items()}


@function("flatten", 1)
def flatten(values: Any) -> list[Any]:
    if not isinstance(values, list) or not all(isinstance(v, list) for v in values):
        raise wrong("flatten", "expects its parameter to be an array of arrays")
    return [item for v in values for item in v]


@function("tryGet", 2, None)
def try_get(value: Any, *path: Any) -> Any:
    for part in path:
        if (isinstance(value, dict) and isinstance(part, str) and find_key(value, part) is not None) \
                or (isinstance(value, list) and isinstance(part, int) and 0 <= part < len(value)):
            value = member(value, part)
        else:
            return None
    return value
