# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Somebody who asks an application all the time while something is done to it, or until it answers."""

from __future__ import annotations

import contextlib
import http.client
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any


def eventually(check: Callable[[], Any], seconds: float = 90) -> Any:
    """The first true answer of a check; an error of the connection or of what came over it counts as none."""
    end, last = time.monotonic() + seconds, None
    while time.monotonic() < end:
        try:
            if answer := check():
                return answer
        except (OSError, ValueError, http.client.HTTPException) as error:
            last = error
        time.sleep(0.5)
    raise AssertionError(f"not within {seconds} s: {last}")


@contextlib.contextmanager
def polled(answers: Callable[[], bool]) -> Iterator[dict[str, int]]:
    """Ask five times a second: how many requests were answered (``good``), and how many failed or got something else (``bad``)."""
    count, end = {"good": 0, "bad": 0}, threading.Event()

    def poll() -> None:
        while not end.wait(0.2):
            try:
                count["good" if answers() else "bad"] += 1
            except (OSError, ValueError, http.client.HTTPException):
                count["bad"] += 1

    thread = threading.Thread(target=poll)
    thread.start()
    try:
        yield count
    finally:
        end.set()
        thread.join()
        print(f"polled: {count}")
