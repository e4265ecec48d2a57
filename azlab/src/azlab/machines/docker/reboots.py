# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sees machines that reboot from inside. Without this they would stay off, since a container ends with its init."""
from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import docker
import docker.errors
import requests

from azlab.machines.docker.names import LABEL_ID, LABEL_KIND, LABEL_LAB
from azlab.machines.driver import MachineError

log = logging.getLogger("azlab.machines")
# The kernel ends a process-id namespace whose init called reboot(2) with SIGHUP, one that was powered off with SIGINT.
REBOOT = 128 + 1


class Reboots:
    """Reads the engine's events in a thread; each reboot becomes one call of a coroutine."""

    def __init__(self, client: docker.DockerClient, lab: str, rebooted: Callable[[str], Awaitable[None]]) -> None:
        self._client = client
        self._lab = lab
        self._rebooted = rebooted
        self._loop = asyncio.get_running_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        self._expected: set[str] = set()
        self._events: Any = None
        self._closed = False

    def start(self) -> None:
        label = [f"{LABEL_LAB}={self._lab}", f"{LABEL_KIND}=machine"]
        self._events = self._client.events(decode=True, filters={"type": "container", "event": "die", "label": label})
        threading.Thread(target=self._read, name="azlab-reboots", daemon=True).start()

    def expect(self, container_id: str) -> None:
        """The next end of this container is wanted."""
        self._expected.add(container_id)

    async def close(self) -> None:
        self._closed = True
        if self._events is not None:
            self._events.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _read(self) -> None:
        try:
            for event in self._events:
                self._loop.call_soon_threadsafe(self._ended, event)
        except (docker.errors.DockerException, requests.RequestException, OSError, ValueError, RuntimeError) as error:
            if not self._closed:
                log.warning("the engine's events ended (%s): machines that reboot from inside stay off until azlab starts again", error)

    def _ended(self, event: dict[str, Any]) -> None:
        attributes = event["Actor"]["Attributes"]
        if event["id"] in self._expected:
            self._expected.discard(event["id"])
        elif int(attributes.get("exitCode", 0)) == REBOOT and not self._closed:
            task = self._loop.create_task(self._restart(attributes[LABEL_ID]))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _restart(self, machine_id: str) -> None:
        try:
            await self._rebooted(machine_id)
        except MachineError as error:
            log.error("%s did not come back after its reboot: %s", machine_id, error)
