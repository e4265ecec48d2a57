# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Waits until the services of a stack have converged, and tells why where they do not.

This util is private to the collection: no release promises that it stays as it is.
"""

from __future__ import annotations

import struct
import time
import typing as t

from ansible_collections.dockhost.azure.plugins.module_utils._engine.client import Engine
from ansible_collections.dockhost.azure.plugins.module_utils._engine.errors import EngineError
from ansible_collections.dockhost.azure.plugins.module_utils._stack.verdict import ENDED_STATES, Before, Verdict, judge
from ansible_collections.dockhost.azure.plugins.module_utils._stack.values import Json, StackError

# Seconds between two looks: a tenth of what has been waited, so that a quick stack is seen quickly and a slow one costs the manager little.
SHORTEST, LONGEST, SHARE = 0.1, 1.0, 0.1
LOG_LINES = 15


class Waiter:
    """Watches the services of one stack. Make it before the first change: it remembers which tasks had ended by then.

    ``settle``: seconds that a task without healthcheck has to run before it counts.
    """

    def __init__(self, engine: Engine, namespace_label: str, settle: float = 5) -> None:
        self._engine = engine
        self._filters = {"label": [namespace_label]}
        self._settle = settle
        tasks = self._engine.get("/tasks", filters=self._filters) or ()
        services = self._engine.get("/services", filters=self._filters) or ()
        self._before = Before(
            frozenset(task["ID"] for task in tasks if task["Status"]["State"] in ENDED_STATES),
            {service["ID"]: (service.get("UpdateStatus") or {}).get("StartedAt") for service in services},
        )
        # What ran before this run began is taken as proved.
        self._seen = {task["ID"]: float("-inf") for task in tasks if task["Status"]["State"] == "running"}

    def verdicts(self, names: t.Collection[str]) -> dict[str, Verdict]:
        """What the swarm says now of each service."""
        services = self._engine.get("/services", filters=self._filters) or ()
        nodes = self._engine.get("/nodes")
        by_service: dict[str, list[Json]] = {}
        for task in self._engine.get("/tasks", filters=self._filters) or ():
            by_service.setdefault(task["ServiceID"], []).append(task)
        found = {}
        for service in services:
            if service["Spec"]["Name"] in names:
                found[service["Spec"]["Name"]] = judge(service, by_service.get(service["ID"], []), nodes, self._before)
        return found

    def wait(self, names: t.Collection[str], timeout: float, watched: bool = True) -> dict[str, Verdict]:
        """Return when all have converged, or run, where the end of the time for which the swarm watches an update (``watched``) is not waited for.

        Raises StackError at the first that failed, or when the time is over.
        """
        began = time.monotonic()
        end = began + timeout
        while True:
            now = self.verdicts(names)
            failed = {name: verdict for name, verdict in now.items() if verdict.state == "failed"}
            if failed:
                raise StackError(" ".join(self._story(name, verdict) for name, verdict in sorted(failed.items())))
            waiting = {name: verdict for name, verdict in now.items() if verdict.state == "waiting" and (watched or not verdict.up)}
            unproved = self._unproved(now)
            if not waiting and not unproved:
                return now
            if time.monotonic() > end:
                stories = [self._story(name, verdict) for name, verdict in sorted(waiting.items())]
                raise StackError(f"Not converged within {timeout:g} s. " + " ".join(stories or [f"{', '.join(sorted(unproved))}: tasks keep being replaced."]))
            time.sleep(min(LONGEST, max(SHORTEST, SHARE * (time.monotonic() - began))))

    def _unproved(self, now: t.Mapping[str, Verdict]) -> set[str]:
        """Names of services with a running task that has not run for long enough."""
        clock = time.monotonic()
        young = set()
        for name, verdict in now.items():
            for task in verdict.unproved:
                if clock - self._seen.setdefault(task, clock) < self._settle:
                    young.add(name)
        return young

    def _story(self, name: str, verdict: Verdict) -> str:
        text = f"Service {name}: {verdict.text}."
        logs = self._logs(verdict.task) if verdict.task else ""
        return f"{text} Last lines of its log:\n{logs}\n" if logs else text

    def _logs(self, task: Json) -> str:
        """The last lines that a task wrote; "" where it never had a container or its host does not answer."""
        if not ((task["Status"].get("ContainerStatus") or {}).get("ContainerID")):
            return ""
        try:
            raw = Engine(self._engine.socket_path, timeout=10).get(f"/tasks/{task['ID']}/logs", stdout=True, stderr=True, tail=LOG_LINES)
        except EngineError:
            return ""
        return log_text(raw if isinstance(raw, bytes) else b"")


def log_text(raw: bytes) -> str:
    """The text of a log stream: frames of an 8-byte header (stream, length) and content, or plain text of a terminal.

    https://docs.docker.com/reference/api/engine/version/v1.41/#tag/Container/operation/ContainerAttach
    """
    parts, at = [], 0
    while at + 8 <= len(raw) and raw[at] in (0, 1, 2) and raw[at + 1 : at + 4] == b"\0\0\0":
        (length,) = struct.unpack(">I", raw[at + 4 : at + 8])
        parts.append(raw[at + 8 : at + 8 + length])
        at += 8 + length
    text = (b"".join(parts) if parts else raw).decode(errors="replace")
    return "\n".join(line.rstrip() for line in text.splitlines()[-LOG_LINES:])
