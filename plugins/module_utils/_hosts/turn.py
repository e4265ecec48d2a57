# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One run at a time changes a host group. Private to this collection.

Its turn is an empty flexible scale set beside the group: it costs nothing, who may make machines may make it, and Azure documents for it what
a lock needs: C(If-None-Match: *) makes it only where there is none, C(If-Match) changes it only as it was seen
(https://learn.microsoft.com/rest/api/compute/virtual-machine-scale-sets/create-or-update). It is deleted when the turn ends. A run that
was killed leaves it: the next one takes it over at once where it can see that the process has ended, else when its time is up.
"""

from __future__ import annotations

import asyncio
import email.utils
import os
import socket
import time
import uuid
from dataclasses import replace
from typing import Any, Dict, List, Mapping, Optional, Tuple

from ansible_collections.dockhost.azure.plugins.module_utils._azure.client import Client
from ansible_collections.dockhost.azure.plugins.module_utils._errors import AzureError, DockhostError, InterruptedRun
from ansible_collections.dockhost.azure.plugins.module_utils._model.resource import COMPUTE_API, resource_id
from ansible_collections.dockhost.azure.plugins.module_utils._model.scale_set import SCALE_SET
from ansible_collections.dockhost.azure.plugins.module_utils._model.turn import LEASE_SECONDS, Holder, Place, holder, lock_name

RENEW_SECONDS = LEASE_SECONDS / 3
PACE = (0.5, 1.0, 2.0, 5.0)


class Turn:
    """This run's turn at one group. ``read`` looks who has it, ``begin`` and ``end`` take it and give it back."""

    def __init__(self, resource_group: str, group: str, deployment: str, tags: Mapping[str, str], limit: float):
        self.resource_group, self.group, self.deployment, self.tags, self.limit = resource_group, group, deployment, dict(tags), limit
        self.me = Holder(uuid.uuid4().hex, "process {0} on {1}".format(os.getpid(), socket.gethostname()), here())
        self.held, self.lost, self.waited = False, False, False
        self.warnings: List[str] = []
        self._seen: Optional[Mapping[str, Any]] = None
        self._other: Optional[Holder] = None
        self._ahead = 0.0          # what Azure's clock says more than ours, which may be wrong
        self._until = 0.0          # by our own clock, of which only differences count
        self._renewing: Optional["asyncio.Task[None]"] = None

    @property
    def left_over(self) -> bool:
        """Whether the lock of a run that has lost its turn is there."""
        return self._seen is not None and self._other is None and not self._going and not self.held

    async def read(self, client: Client) -> Optional[Holder]:
        """Who has the turn, when that is another run that has not lost it."""
        if self.held:
            return None
        self._seen = await self._get(client)
        found = holder(self._seen)
        self._other = None if found is None or self._going or found.over(self._now(), self.me.place, alive) else found
        return self._other

    async def free(self, client: Client) -> None:
        """Wait until no other run has the turn.

        :raises DockhostError: time is up; says who has it
        """
        deadline, turn = time.monotonic() + self.limit, 0
        while True:
            other = await self.read(client)
            if other is None and not self._going:
                return
            self.waited = True
            if time.monotonic() > deadline:
                raise DockhostError(self._busy(other))
            await client.pause(PACE[min(turn, len(PACE) - 1)])
            turn += 1

    @property
    def _going(self) -> bool:
        """Whether Azure is still deleting the lock of the last run."""
        return str(((self._seen or {}).get("properties") or {}).get("provisioningState")).lower() == "deleting"

    def _busy(self, other: Optional[Holder]) -> str:
        who = "Another run ({0}, since {1})".format(other.by, other.since) if other else "Azure, which deletes what an earlier run left,"
        return "{0} is at work on host group {1} and has not ended within {2} seconds: run again when it has, or give a longer wait_timeout.".format(
            who, self.group, int(self.limit)
        )

    def warning(self, other: Holder) -> str:
        """For a run that only looks."""
        return "Another run ({0}, since {1}) is changing host group {2}: what is shown may be out of date.".format(other.by, other.since, self.group)

    async def begin(self, client: Client, location: str) -> None:
        """Take the turn, after those who have it. Where this client may not, the run goes on without, with a warning.

        :raises DockhostError: another run has it all the time
        """
        deadline = time.monotonic() + self.limit
        while not self.held:
            if self._going or self._other:
                await self.free(client)
            try:
                self.held = await self._take(client, location)
            except AzureError as error:
                if error.status in (401, 408, 429) or error.status >= 500:
                    raise
                if error.status != 409 or time.monotonic() > deadline:
                    self.warnings.append(
                        "This run could not make sure that it alone changes host group {0} ({1}): let no other run change it now.".format(self.group, error)
                    )
                    return
                await client.pause(PACE[0])
            if not self.held:
                await self.free(client)
        self._renewing = asyncio.ensure_future(self._renew(client, location))

    async def _take(self, client: Client, location: str) -> bool:
        """Make the lock, or write on the one that a lost run has left; False when another was faster."""
        condition = {"If-Match": str(self._seen.get("etag"))} if self._seen is not None else {"If-None-Match": "*"}
        location = str((self._seen or {}).get("location") or location)
        since = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self._now()))
        self.me = replace(self.me, since=since)
        if await self._write(client, location, condition):
            return True
        self._seen = await self._get(client)
        found = holder(self._seen)
        if found is not None and found.run == self.me.run:  # the answer was lost on its way, and the request sent again
            return True
        return False

    async def _write(self, client: Client, location: str, condition: Dict[str, str]) -> bool:
        """Whether the condition held; then the turn is ours for the time of a lease."""
        began = elapsed()
        self.me = replace(self.me, until=self._now() + LEASE_SECONDS)
        body = {
            "location": location, "tags": self.me.tags(self.deployment, self.tags),
            "properties": {"orchestrationMode": "Flexible", "platformFaultDomainCount": 1},
        }  # fmt: skip
        try:
            answer = await client.request(
                "PUT", self._path(client), COMPUTE_API, json=body, headers=condition, doing="take the turn at host group " + self.group, urgent=True
            )
        except AzureError as error:
            if error.status == 412:
                return False
            raise
        self._clock(client)
        self._seen, self._until = answer.body, began + LEASE_SECONDS
        return True

    async def _renew(self, client: Client, location: str) -> None:
        """A sign of life now and then, until the turn ends or is lost."""
        while not self.lost:
            await asyncio.sleep(RENEW_SECONDS)
            try:
                if await self._write(client, location, {"If-Match": str((self._seen or {}).get("etag"))}):
                    continue
                self._seen = await self._get(client)
                found = holder(self._seen)
                self.lost = found is None or found.run != self.me.run
            except DockhostError:
                self.lost = self._late()
            if self.lost:
                client.stop.set()

    def check(self) -> None:
        """Before something is written.

        :raises InterruptedRun: the turn is lost
        """
        if self.held and (self.lost or self._late(LEASE_SECONDS / 4)):  # what is sent now has to be there before another may begin
            self.lost = True
            raise InterruptedRun(self.loss())

    def _late(self, margin: float = 0.0) -> bool:
        return elapsed() > self._until - margin

    def loss(self) -> str:
        """What has happened, for people."""
        return (
            "This run has lost its turn at host group {0}, since it gave no sign of life for {1:.0f} seconds or another run took it: it has stopped, "
            "and running again continues from here."
        ).format(self.group, LEASE_SECONDS)

    async def end(self, client: Client) -> None:
        """Give the turn back; what cannot be deleted now is the next run's to take over."""
        if self._renewing:
            self._renewing.cancel()
            await asyncio.gather(self._renewing, return_exceptions=True)
        if not self.held or self.lost or self._late():
            return
        self.held = False
        try:
            await client.request("DELETE", self._path(client), COMPUTE_API, doing="end the turn at host group " + self.group, urgent=True)
        except AzureError as error:
            if not error.missing:
                self.warnings.append("The turn of this run at host group {0} could not be ended ({1}): it ends by itself.".format(self.group, error))
        except DockhostError as error:
            self.warnings.append("The turn of this run at host group {0} could not be ended ({1}): it ends by itself.".format(self.group, error))

    async def _get(self, client: Client) -> Optional[Mapping[str, Any]]:
        """The lock, or None; what this client may not read it may not make either."""
        try:
            return (await client.request("GET", self._path(client), COMPUTE_API)).body
        except AzureError as error:
            if error.missing or error.status == 403:
                return None
            raise
        finally:
            self._clock(client)

    def _path(self, client: Client) -> str:
        return resource_id(client.subscription_id, self.resource_group, SCALE_SET, lock_name(self.group))

    def _clock(self, client: Client) -> None:
        told = seconds_of(client.date)
        if told is not None:
            self._ahead = told - elapsed()

    def _now(self) -> float:
        """Seconds of the epoch by Azure's clock, once an answer has told it."""
        return elapsed() + self._ahead if self._ahead else time.time()


def seconds_of(date: str) -> Optional[float]:
    """Seconds of the epoch of an HTTP date, or None."""
    try:
        return email.utils.parsedate_to_datetime(date).timestamp()
    except (TypeError, ValueError, IndexError):
        return None


def elapsed() -> float:
    """Seconds since something, counted while the machine sleeps too where its system can tell."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if clock is None else time.clock_gettime(clock)


def here() -> Place:
    """This process, and the world of processes that it can see; without Linux's /proc that is nobody."""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as source:
            boot = source.read().strip()
        return Place("{0}/{1}".format(boot, os.readlink("/proc/self/ns/pid")), "{0}/{1}".format(*_process(os.getpid())))
    except (OSError, ValueError, IndexError):
        return Place()


def _process(pid: int) -> Tuple[int, str]:
    """The number of a process and when it began: numbers come again."""
    with open("/proc/{0}/stat".format(pid), encoding="utf-8", errors="replace") as source:
        return pid, source.read().rpartition(")")[2].split()[19]


def alive(process: str) -> bool:
    """Whether a process of this world is still there."""
    pid, dummy, began = process.partition("/")
    try:
        return _process(int(pid))[1] == began
    except (OSError, ValueError, IndexError):
        return False
