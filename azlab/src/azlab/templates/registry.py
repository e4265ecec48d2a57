# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of functions: name, how many arguments, what it does."""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from azlab.templates.errors import ExpressionError


@dataclass(frozen=True)
class Function:
    name: str
    least: int
    most: int | None                # None: any number
    work: Callable[..., Any]
    needs_scope: bool = False       # its first argument is the scope
    keeps_unknown: bool = False     # can work on values that are not known yet


TABLE: dict[str, Function] = {}


def function(name: str, least: int, most: int | None = -1, *, needs_scope: bool = False,
             keeps_unknown: bool = False) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register a function of the language; `most` is `least` when it is not given."""
    def register(work: Callable[..., Any]) -> Callable[..., Any]:
        limit = least if most == -1 else most
        TABLE[name.lower()] = Function(name, least, limit, work, needs_scope, keeps_unknown)
        return work
    return register


def wrong(name: str, why: str) -> ExpressionError:
    """A function was given something that it cannot work with."""
    return ExpressionError(f"The template language function '{name}' {why}. Please see "
                           "https://aka.ms/arm-functions for usage details.")


def misplaced(name: str) -> ExpressionError:
    """A function stands where the language does not take it."""
    return ExpressionError(f"The template function '{name}' is not expected at this location. Please see "
                           "https://aka.ms/arm-functions for usage details.")


def check_count(found: Function, count: int) -> None:
    """Raises when a call has too few or too many arguments."""
    if count < found.least or (found.most is not None and count > found.most):
        if found.most is None:
            expected = f"at least '{found.least}' parameter(s)"
        elif found.most == found.least:
            expected = f"exactly '{found.least}' parameter(s)"
        else:
            expected = f"between '{found.least}' and '{found.most}' parameter(s)"
        raise wrong(found.name, f"expects {expected}: it was invoked with '{count}' parameter(s)")


def text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise wrong(name, "expects its parameter to be a string")
    return value


def integer(name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise wrong(name, "expects its parameter to be an integer")
    return value


def boolean(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise wrong(name, "expects its parameter to be a boolean")
    return value
