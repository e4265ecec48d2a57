# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Functions on numbers, comparison, logic and conversion.

https://learn.microsoft.com/azure/azure-resource-manager/templates/template-functions-logical
"""
from __future__ import annotations

from typing import Any

from azlab.templates.registry import boolean, function, integer, wrong
from azlab.templates.values import same, text_of


@function("coalesce", 1, None)
def coalesce(*values: Any) -> Any:
    return next((v for v in values if v is not None), None)


@function("null", 0)
def null() -> None:
    return None


@function("true", 0)
def true() -> bool:
    return True


@function("false", 0)
def false() -> bool:
    return False


@function("not", 1)
def not_(value: Any) -> bool:
    return not boolean("not", value)


@function("bool", 1)
def bool_(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value != 0
    if isinstance(value, str) and value.lower() in ("true", "false", "1", "0"):
        return value.lower() in ("true", "1")
    raise wrong("bool", "parameter is not valid: the provided value cannot be converted to a boolean")


@function("int", 1)
def int_(value: Any) -> int:
    try:
        if isinstance(value, (str, int, float)) and not isinstance(value, bool):
            return _fits("int", int(value))
    except (ValueError, OverflowError):
        pass
    raise wrong("int", f"parameter is not valid: the value '{text_of(value)}' cannot be converted to an integer")


@function("float", 1)
def float_(value: Any) -> float:
    try:
        if isinstance(value, (str, int, float)) and not isinstance(value, bool):
            return float(value)
    except ValueError:
        pass
    raise wrong("float", f"parameter is not valid: the value '{text_of(value)}' cannot be converted to a number")


@function("string", 1)
def string(value: Any) -> str:
    return text_of(value)


@function("equals", 2)
def equals(left: Any, right: Any) -> bool:
    return same(left, right)


def _ordered(name: str, left: Any, right: Any) -> tuple[Any, Any]:
    if isinstance(left, str) and isinstance(right, str):
        return left, right
    return integer(name, left), integer(name, right)


@function("less", 2)
def less(left: Any, right: Any) -> bool:
    a, b = _ordered("less", left, right)
    return bool(a < b)


@function("lessOrEquals", 2)
def less_or_equals(left: Any, right: Any) -> bool:
    a, b = _ordered("lessOrEquals", left, right)
    return bool(a <= b)


@function("greater", 2)
def greater(left: Any, right: Any) -> bool:
    a, b = _ordered("greater", left, right)
    return bool(a > b)


@function("greaterOrEquals", 2)
def greater_or_equals(left: Any, right: Any) -> bool:
    a, b = _ordered("greaterOrEquals", left, right)
    return bool(a >= b)


def _fits(name: str, value: int) -> int:
    """Numbers are 64-bit integers."""
    if not -2**63 <= value < 2**63:
        raise wrong(name, "has a result that is too large for an integer")
    return value


@function("add", 2)
def add(left: Any, right: Any) -> int:
    return _fits("add", integer("add", left) + integer("add", right))


@function("sub", 2)
def sub(left: Any, right: Any) -> int:
    return _fits("sub", integer("sub", left) - integer("sub", right))


@function("mul", 2)
def mul(left: Any, right: Any) -> int:
    return _fits("mul", integer("mul", left) * integer("mul", right))


@function("div", 2)
def div(left: Any, right: Any) -> int:
    a, b = integer("div", left), integer("div", right)
    if not b:
        raise wrong("div", "cannot divide by zero")
    quotient = abs(a) // abs(b)
    return quotient if (a < 0) == (b < 0) else -quotient


@function("mod", 2)
def mod(left: Any, right: Any) -> int:
    a, b = integer("mod", left), integer("mod", right)
    if not b:
        raise wrong("mod", "cannot divide by zero")
    return a - b * div(a, b)
