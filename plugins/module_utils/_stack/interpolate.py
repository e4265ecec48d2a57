# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Variables in a Compose document: $NAME, ${NAME}, ${NAME:-default}, ${NAME:?message}, ${NAME:+other}, and $$ for a dollar.

Rules: https://docs.docker.com/reference/compose-file/interpolation/

This util is private to the collection: no release promises that it stays as it is.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.dockhost.azure.plugins.module_utils._stack.values import Json, StackError

_REFERENCE = re.compile(
    r"\$(?:(?P<dollar>\$)|(?P<plain>[A-Za-z_][A-Za-z0-9_]*)"
    r"|\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?:(?P<rule>:?[-?+])(?P<other>[^}]*))?\}|(?P<bad>))"
)


def interpolate(document: Json, variables: t.Mapping[str, str], path: str = "") -> Json:
    """The document with every text's variables replaced. A variable that has no value is an error, not an empty text."""
    if isinstance(document, dict):
        return {key: interpolate(item, variables, f"{path}.{key}" if path else str(key)) for key, item in document.items()}
    if isinstance(document, list):
        return [interpolate(item, variables, f"{path}[{index}]") for index, item in enumerate(document)]
    if isinstance(document, str) and "$" in document:
        return _REFERENCE.sub(lambda found: _value(found, variables, path), document)
    return document


def _value(found: re.Match[str], variables: t.Mapping[str, str], path: str) -> str:
    if found.group("dollar"):
        return "$"
    name = found.group("plain") or found.group("name")
    if not name:
        raise StackError(f"{path}: a $ starts a variable; write $$ where a dollar sign is meant.")
    rule, other = found.group("rule") or "", found.group("other") or ""
    value = variables.get(name)
    has = value is not None and (value != "" or not rule.startswith(":"))
    if rule.endswith("-"):
        return str(value) if has else other
    if rule.endswith("+"):
        return other if has else ""
    if not has:
        why = f": {other}" if other else ""
        raise StackError(f"{path}: variable {name} has no value{why}; give it in option variables, or write $$ for a dollar sign.")
    return str(value)
