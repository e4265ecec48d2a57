# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The list of known differences: general rules, each with its reason."""
from __future__ import annotations

import json
import re
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from azlab.conformance.compare import Difference

_KEYS = {"name", "reason", "kind", "type", "method", "path", "azure", "lab", "tag", "request", "before"}


class KnownError(Exception):
    """The file of known differences cannot be used."""


@dataclass
class Rule:
    """A difference is explained when everything that the rule names fits (regular expressions, whole text)."""

    name: str
    reason: str
    fits: dict[str, re.Pattern[str]]
    before: str = ""                    # only api-versions older than this
    used: int = 0


@dataclass(frozen=True)
class Context:
    """What a rule can ask for besides the difference itself."""

    type: str
    method: str
    api_version: str
    tags: frozenset[str]
    request: str


def load(path: Path | None) -> list[Rule]:
    """The rules of a file, or those that come with the lab. Raises KnownError."""
    try:
        text = path.read_text() if path else resources.files("azlab.conformance").joinpath("known.json").read_text()
        data = json.loads(text)["rules"]
    except (OSError, ValueError, KeyError, TypeError) as problem:
        raise KnownError(f"The list of known differences {path or 'known.json'} cannot be read: {problem!r}") from None
    return [_rule(entry) for entry in data]


def _rule(entry: dict[str, Any]) -> Rule:
    unknown = set(entry) - _KEYS
    if unknown or not entry.get("name") or not entry.get("reason"):
        raise KnownError(f"A known difference needs a name and a reason, and knows {sorted(_KEYS)}: {entry}")
    fits = {k: re.compile(v, re.IGNORECASE | re.DOTALL) for k, v in entry.items()
            if k not in ("name", "reason", "before")}
    return Rule(entry["name"], entry["reason"], fits, entry.get("before", ""))


def explain(rules: list[Rule], difference: Difference, context: Context) -> Rule | None:
    """The first rule that fits; it counts its use."""
    facts = {"kind": difference.kind, "path": difference.path, "azure": difference.azure, "lab": difference.lab,
             "type": context.type, "method": context.method}
    for rule in rules:
        if rule.before and not context.api_version < rule.before:
            continue
        if all(_fits(key, pattern, facts, context) for key, pattern in rule.fits.items()):
            rule.used += 1
            return rule
    return None


def _fits(key: str, pattern: re.Pattern[str], facts: dict[str, str], context: Context) -> bool:
    if key == "tag":
        return any(pattern.fullmatch(tag) for tag in context.tags)
    if key == "request":
        return bool(pattern.search(context.request))
    return bool(pattern.fullmatch(facts[key]))
