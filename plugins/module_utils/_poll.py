# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A client that asks an address all the time and counts what was not answered.

This util is private to the collection: no release promises that it stays as it is.
"""

from __future__ import annotations

import os
import time
import typing as t
from dataclasses import dataclass, field

# How many failures are told one by one.
TOLD = 20


@dataclass
class Count:
    """What a poller saw. ``outage``: the longest time in seconds from a request that failed to
    one that was answered."""

    requests: int = 0
    unanswered: int = 0
    outage: float = 0.0
    failures: list[dict[str, t.Any]] = field(default_factory=list)
    _since: float | None = None

    def add(self, began: float, ended: float, trouble: str, at: str) -> None:
        """Count one request; ``trouble`` is empty where it was answered, ``at`` the time of day for people."""
        self.requests += 1
        if self._since is not None:
            self.outage = max(self.outage, (ended if trouble else began) - self._since)
        if not trouble:
            self._since = None
            return
        self.unanswered += 1
        self._since = began if self._since is None else self._since
        if len(self.failures) < TOLD:
            self.failures.append({"at": at, "error": trouble})

    def result(self) -> dict[str, t.Any]:
        """For a module's result."""
        return {"requests": self.requests, "unanswered": self.unanswered, "outage": round(self.outage, 2), "failures": self.failures}


def poll(ask: t.Callable[[], str], flag: str, interval: float, seconds: float) -> Count:
    """Ask until the file ``flag`` is gone or ``seconds`` are over, every ``interval`` seconds; ``ask`` gives "" or what went wrong."""
    count, end = Count(), time.monotonic() + seconds
    while os.path.exists(flag) and time.monotonic() < end:
        began = time.monotonic()
        trouble = ask()
        ended = time.monotonic()
        count.add(began, ended, trouble, time.strftime("%H:%M:%S", time.gmtime()))
        time.sleep(max(0.0, interval - (ended - began)))
    return count
