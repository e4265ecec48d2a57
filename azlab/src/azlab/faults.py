# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults on demand: by the n-th matching request, or in the operation that a request starts."""
from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from azlab.operations import Operation


class FaultError(ValueError):
    """A fault rule that cannot be used."""


@dataclass
class Rule:
    """One rule. `nth` counts matching requests from 1; it strikes `times` times from then on (0 = always)."""

    id: int
    method: str = ""                    # one, or several with commas between them; empty: any
    path: str = ""                      # regular expression, searched without case
    nth: int = 1
    times: int = 1
    status: int | None = None           # answer with this status and an error body …
    code: str = "InternalServerError"
    message: str = "An error occurred."
    headers: dict[str, str] = field(default_factory=dict)
    cut: str | None = None              # … or cut the connection: before | after the effect
    operation: dict[str, Any] | None = None     # … or let the operation on the resource fail: {code, message, after}
    delay: float = 0.0                  # seconds to wait before anything else
    seen: int = 0
    struck: int = 0

    def matches(self, method: str, path: str) -> bool:
        if self.method and method not in self.method.upper().split(","):
            return False
        return not self.path or re.search(self.path, path, re.IGNORECASE) is not None

    def strikes(self) -> bool:
        """Count one matching request; does the rule act on it?"""
        self.seen += 1
        if self.seen < self.nth or (self.times and self.struck >= self.times):
            return False
        self.struck += 1
        return True


class Faults:
    """The rules in force, in the order they came."""

    def __init__(self) -> None:
        self.rules: list[Rule] = []
        self._next = 1

    def add(self, data: dict[str, Any]) -> Rule:
        known = set(Rule.__dataclass_fields__) - {"id", "seen", "struck"}
        unknown = sorted(set(data) - known)
        if unknown:
            raise FaultError(f"unknown field '{unknown[0]}' in a fault; known are: {', '.join(sorted(known))}")
        rule = Rule(id=self._next, **data)
        if rule.cut not in (None, "before", "after"):
            raise FaultError(f"cut is '{rule.cut}', but must be 'before' or 'after'")
        if rule.operation is not None and "code" not in rule.operation:
            raise FaultError("operation needs a code, as in {\"code\": \"AllocationFailed\"}")
        try:
            re.compile(rule.path)
        except re.error as problem:
            raise FaultError(f"path '{rule.path}' is no regular expression: {problem}") from None
        self._next += 1
        self.rules.append(rule)
        return rule

    def remove(self, rule_id: int | None = None) -> int:
        """Remove one rule, or all; returns how many went."""
        before = len(self.rules)
        self.rules = [] if rule_id is None else [r for r in self.rules if r.id != rule_id]
        return before - len(self.rules)

    def for_request(self, method: str, path: str) -> Rule | None:
        """The rule that acts on this request, if any. Every matching rule counts it."""
        acting = None
        for rule in self.rules:
            if rule.operation is None and rule.matches(method, path) and rule.strikes():
                acting = acting or rule
        return acting

    def operation_error(self, operation: Operation) -> dict[str, Any] | None:
        """What the operation has to fail with, if a rule says so; with `after` it has its effect all the same."""
        for rule in self.rules:
            path = operation.resource_id + (f"/{operation.effect}" if operation.effect else "")
            if rule.operation is not None and rule.matches(rule.method.upper(), path) and rule.strikes():
                return {"code": rule.operation["code"], "after": bool(rule.operation.get("after")),
                        "message": rule.operation.get("message", "The operation failed because a fault of the lab asked "
                                                                 "for it.")}
        return None
