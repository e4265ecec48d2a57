# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Waits until services of a swarm, of whatever stack, have all their tasks.

This util is private to the collection: no release promises that it stays as it is.
"""

from __future__ import annotations

import time
import typing as t

from ansible_collections.dockhost.azure.plugins.module_utils._engine.client import Engine
from ansible_collections.dockhost.azure.plugins.module_utils._engine.errors import EngineError
from ansible_collections.dockhost.azure.plugins.module_utils._stack.verdict import ENDED_STATES, Before, Verdict, judge

_INTERVAL = 0.5  # seconds
# What looks hopeless may be so for a moment only: a node that is not quite ready yet, for instance.
_CERTAIN = 6


def wait(engine: Engine, timeout: float, identities: t.Collection[str] | None = None) -> dict[str, str]:
    """Wait until the services (all when None) run as they should. What is missing by name, where it does not come within ``timeout`` seconds.

    It ends before where waiting longer has no point. A service that is gone is not waited for. EngineError where the swarm cannot be asked.
    """
    end = time.monotonic() + timeout
    before: Before | None = None
    hopeless = 0
    while True:
        trouble: EngineError | None = None
        left: dict[str, Verdict] = {}
        try:
            before = before or _history(engine)
            left = look(engine, before, identities)
        except EngineError as error:  # the managers may be choosing a leader
            trouble = error
        if trouble is None and not left:
            return {}
        hopeless = hopeless + 1 if left and all(verdict.state == "failed" for verdict in left.values()) else 0
        if hopeless >= _CERTAIN or time.monotonic() > end:
            if trouble is not None:
                raise trouble
            return {name: verdict.text for name, verdict in sorted(left.items())}
        time.sleep(_INTERVAL)


def look(engine: Engine, before: Before, identities: t.Collection[str] | None) -> dict[str, Verdict]:
    """The services that are not as they should be, by name."""
    services = [one for one in engine.get("/services") or () if identities is None or one["ID"] in identities]
    tasks, nodes = engine.get("/tasks") or (), engine.get("/nodes") or ()
    found = {}
    for service in services:
        verdict = judge(service, [task for task in tasks if task.get("ServiceID") == service["ID"]], nodes, before)
        if verdict.state != "done":
            found[service["Spec"]["Name"]] = verdict
    return found


def _history(engine: Engine) -> Before:
    """What had failed before does not count, and neither does how an update ended that nobody here began."""
    return Before(
        frozenset(task["ID"] for task in engine.get("/tasks") or () if task["Status"]["State"] in ENDED_STATES),
        {service["ID"]: (service.get("UpdateStatus") or {}).get("StartedAt") for service in engine.get("/services") or ()},
    )
