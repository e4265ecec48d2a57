# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The log of requests: the last ones in memory for the admin API, all of them as lines of JSON in a file."""
from __future__ import annotations

import itertools
import json
import time
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aiohttp import web

DETAILS = 1000          # requests of which the headers are kept, in memory only
_LONGEST = 400          # characters of a header that are kept
_SECRET_HEADERS = ("authorization", "cookie", "token", "secret", "password", "api-key", "x-functions-key")


def shown_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Headers for people: of those that carry tokens only the scheme is left."""
    return {name: _shown(name.lower(), value) for name, value in headers.items()}


def _shown(name: str, value: str) -> str:
    if any(word in name for word in _SECRET_HEADERS):
        scheme, _, rest = value.partition(" ")
        return f"{scheme} (not shown)" if rest and scheme.isalpha() else "(not shown)"
    return value if len(value) <= _LONGEST else value[:_LONGEST] + "…"


def error_of(response: web.StreamResponse | None) -> dict[str, str]:
    """Code and message of an error answer."""
    if not isinstance(response, web.Response) or response.status < 400 or not isinstance(response.body, bytes):
        return {}
    try:
        error = json.loads(response.body)["error"]
        if isinstance(error, dict):
            return {k: str(error[k])[:2000] for k in ("code", "message") if k in error}
        return {"code": str(error)}
    except (ValueError, KeyError, TypeError):
        return {}


class RequestLog:
    """One entry per request, in the order in which they were answered."""

    def __init__(self, path: Path | None, keep: int = 50_000) -> None:
        self.entries: deque[dict[str, Any]] = deque(maxlen=keep)
        self._file = path.open("a", buffering=1) if path else None
        self._details: dict[int, dict[str, Any]] = {}
        self._seq = 0

    @property
    def last(self) -> int:
        """The number of the latest request."""
        return self._seq

    def add(self, request: web.Request, status: int, started: float, note: str = "",
            response: web.StreamResponse | None = None) -> None:
        """Note a request. Neither bodies nor tokens are kept: they hold secrets."""
        self._seq += 1
        entry = {"seq": self._seq, "time": round(time.time(), 3), "method": request.method, "path": request.path,
                 "query": request.query_string, "status": status,
                 "milliseconds": round((time.perf_counter() - started) * 1000, 1),
                 "request_id": response.headers.get("x-ms-request-id", "") if response is not None else "",
                 "client_request_id": request.headers.get("x-ms-client-request-id", ""),
                 "user_agent": request.headers.get("User-Agent", "")}
        if note:
            entry["note"] = note
        self.entries.append(entry)
        if self._file:
            self._file.write(json.dumps(entry) + "\n")
        self._details[self._seq] = {"request_headers": shown_headers(request.headers),
                                    "response_headers": shown_headers(response.headers) if response is not None else {},
                                    "error": error_of(response)}
        self._details.pop(self._seq - DETAILS, None)

    def since(self, seq: int, limit: int) -> list[dict[str, Any]]:
        """The last entries, at most `limit`, that came after number `seq`; the oldest first."""
        found = list(itertools.islice(itertools.takewhile(lambda e: e["seq"] > seq, reversed(self.entries)), limit))
        return found[::-1]

    def details(self, seq: int) -> dict[str, Any] | None:
        """An entry with the headers of request and answer, as long as they are kept."""
        entry = next((e for e in reversed(self.entries) if e["seq"] == seq), None)
        return {**entry, **self._details.get(seq, {})} if entry else None

    def clear(self) -> int:
        count = len(self.entries)
        self.entries.clear()
        self._details.clear()
        return count

    def close(self) -> None:
        if self._file:
            self._file.close()
