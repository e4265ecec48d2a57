# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The log of requests: the last ones in memory for the admin API, all of them as lines of JSON in a file."""
from __future__ import annotations

import json
import time
from collections import deque
from pathlib import Path
from typing import Any

from aiohttp import web


class RequestLog:
    """One entry per request, in the order in which they were answered."""

    def __init__(self, path: Path | None, keep: int = 50_000) -> None:
        self.entries: deque[dict[str, Any]] = deque(maxlen=keep)
        self._file = path.open("a", buffering=1) if path else None
        self._seq = 0

    def add(self, request: web.Request, status: int, started: float, note: str = "") -> None:
        """Note a request. Neither bodies nor tokens are kept: they hold secrets."""
        self._seq += 1
        entry = {"seq": self._seq, "time": round(time.time(), 3), "method": request.method, "path": request.path,
                 "query": request.query_string, "status": status,
                 "milliseconds": round((time.perf_counter() - started) * 1000, 1),
                 "client_request_id": request.headers.get("x-ms-client-request-id", ""),
                 "user_agent": request.headers.get("User-Agent", "")}
        if note:
            entry["note"] = note
        self.entries.append(entry)
        if self._file:
            self._file.write(json.dumps(entry) + "\n")

    def clear(self) -> int:
        count = len(self.entries)
        self.entries.clear()
        return count

    def close(self) -> None:
        if self._file:
            self._file.close()
