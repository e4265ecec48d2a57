# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads a folder of recordings. What has no such form is said, not guessed."""
from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

LISTED = 60
_SUBSCRIPTION = re.compile(r"(/subscriptions/)([^/?\"]+)", re.IGNORECASE)


@dataclass(frozen=True)
class Exchange:
    """One recorded request and Azure's answer."""

    method: str
    path: str
    query: dict[str, str]
    request: Any
    status: int
    headers: dict[str, str]             # names in lower case
    body: Any                           # parsed where it is JSON, else text; None when empty

    @property
    def api_version(self) -> str:
        return self.query.get("api-version", "")

    @property
    def code(self) -> str:
        """Azure's error code, empty when there is none."""
        error = self.body.get("error", self.body) if isinstance(self.body, dict) else {}
        return str(error.get("code") or "") if isinstance(error, dict) and self.status >= 400 else ""


@dataclass(frozen=True)
class Case:
    """A request with the polls that followed it."""

    name: str
    first: Exchange
    then: list[Exchange] = field(default_factory=list)


def rewrite(value: Any, subscription: str) -> Any:
    """A copy with every subscription replaced by the lab's."""
    if isinstance(value, str):
        return _SUBSCRIPTION.sub(lambda m: m[1] + subscription, value)
    if isinstance(value, list):
        return [rewrite(v, subscription) for v in value]
    if isinstance(value, dict):
        return {rewrite(k, subscription): rewrite(v, subscription) for k, v in value.items()}
    return value


def _parsed(value: Any) -> Any:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return value.strip() or None
    return None if value == "" else value


def exchange(data: Any, subscription: str) -> Exchange:
    """One recorded exchange. Raises ValueError with what is wrong with it."""
    if not isinstance(data, dict):
        raise ValueError("an exchange must be an object")
    url, method, status = data.get("url"), data.get("method"), data.get("status")
    if not isinstance(url, str) or not isinstance(method, str) or not isinstance(status, int):
        raise ValueError("an exchange needs 'method', 'url' and a numeric 'status'")
    parts = urlsplit(rewrite(url, subscription))
    headers = data.get("response_headers") or {}
    if not isinstance(headers, dict):
        raise ValueError("'response_headers' must be an object")
    return Exchange(
        method=method.upper(), path=parts.path, query=dict(parse_qsl(parts.query, keep_blank_values=True)),
        request=_parsed(rewrite(data.get("request_body"), subscription)), status=status,
        headers={str(k).lower(): rewrite(str(v), subscription) for k, v in headers.items()},
        body=_shortened(_parsed(rewrite(data.get("response_body"), subscription))))


def _shortened(body: Any) -> Any:
    """A list with its first entries: hundreds of resources of one subscription say no more than these."""
    if isinstance(body, dict) and isinstance(body.get("value"), list) and len(body["value"]) > LISTED:
        return {**body, "value": body["value"][:LISTED]}
    return body


def load(folder: Path, subscription: str, say: Any) -> Iterator[tuple[str, Case | dict[str, Any]]]:
    """("case", Case) and ("error", entry of errors.json) for every file; `say(text)` hears of what cannot be read."""
    for path in sorted(folder.glob("*.json")):
        try:
            data = json.loads(path.read_text())
        except (OSError, ValueError) as problem:
            say(f"{path.name}: cannot be read: {problem}")
            continue
        if not isinstance(data, list):
            say(f"{path.name}: no list of exchanges, left out")
            continue
        for index, item in enumerate(data):
            name = f"{path.name}[{index}]"
            if isinstance(item, dict) and "first" in item:
                try:
                    yield "case", Case(name, exchange(item["first"], subscription),
                                       [exchange(t, subscription) for t in item.get("then") or []])
                except (ValueError, TypeError) as problem:
                    say(f"{name}: {problem}")
            elif isinstance(item, dict) and "status" in item and "body" in item:
                yield "error", {**item, "name": name}
            else:
                say(f"{name}: neither an exchange nor an error answer")
