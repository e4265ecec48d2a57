# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values of the language: what is not known yet, lookup without case, texts of values."""
from __future__ import annotations

import json
from typing import Any

from azlab.templates.errors import ExpressionError


class Unknown:
    """What only a deployment that runs can know: the result of reference() and of list functions."""

    def __repr__(self) -> str:
        return "<known when it runs>"


UNKNOWN = Unknown()


def has_unknown(value: Any) -> bool:
    if isinstance(value, dict):
        return any(has_unknown(v) for v in value.values())
    if isinstance(value, list):
        return any(has_unknown(v) for v in value)
    return value is UNKNOWN


def find_key(mapping: dict[str, Any], name: str) -> str | None:
    """The key of that name; names are compared without case."""
    if name in mapping:
        return name
    wanted = name.lower()
    return next((k for k in mapping if k.lower() == wanted), None)


def get(mapping: dict[str, Any], name: str, default: Any = None) -> Any:
    key = find_key(mapping, name)
    return default if key is None else mapping[key]


def member(target: Any, name: Any) -> Any:
    """`target.name` or `target[name]`. Raises ExpressionError with Azure's text."""
    if target is UNKNOWN or name is UNKNOWN:
        return UNKNOWN
    if isinstance(target, dict) and isinstance(name, str):
        key = find_key(target, name)
        if key is None:
            raise ExpressionError(f"The language expression property '{name}' doesn't exist, available properties are "
                                  f"'{', '.join(target)}'.")
        return target[key]
    if isinstance(target, list) and isinstance(name, int) and not isinstance(name, bool):
        if not 0 <= name < len(target):
            raise ExpressionError(f"The language expression property array index '{name}' is out of bounds.")
        return target[name]
    if isinstance(target, list):
        raise ExpressionError(f"The language expression property '{name}' can't be evaluated, property name must be an "
                              "integer.")
    if isinstance(target, dict):
        raise ExpressionError(f"The language expression property '{name}' can't be evaluated, property name must be a "
                              "string.")
    raise ExpressionError(f"The language expression property '{name}' can't be evaluated.")


def text_of(value: Any) -> str:
    """A value as string() and concat() write it."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "True" if value else "False"
    if value is None:
        return ""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def type_name(value: Any) -> str:
    """The name of a value's type in Azure's messages."""
    names = {str: "String", bool: "Boolean", int: "Integer", float: "Float", list: "Array", dict: "Object"}
    return names.get(type(value), "Null")


def same(left: Any, right: Any) -> bool:
    """Deep equality that does not take 1 for true; names of properties without case."""
    if isinstance(left, bool) != isinstance(right, bool):
        return False
    if isinstance(left, dict) and isinstance(right, dict):
        other = {k.lower(): v for k, v in right.items()}
        return len(left) == len(other) and all(k.lower() in other and same(v, other[k.lower()])
                                               for k, v in left.items())
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(same(a, b) for a, b in zip(left, right))
    return bool(left == right)
