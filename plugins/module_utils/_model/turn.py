# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose turn it is to change a host group: what stands on the empty scale set that only one run can make. Private; pure."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, Dict, Mapping, Optional

from ansible_collections.dockhost.azure.plugins.module_utils._model.resource import TAG_DEPLOYMENT, tag

LEASE_SECONDS = 120.0    # a run that gives no sign of life for so long has lost its turn
MAX_NAME = 64            # https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules#microsoftcompute
ENDING = "_lock"         # no group has an underscore in its name, so no group's own set is called like this

TAG_RUN, TAG_BY, TAG_PLACE, TAG_SINCE, TAG_UNTIL = (
    "dockhost-run", "dockhost-run-by", "dockhost-run-place", "dockhost-run-since", "dockhost-run-until",
)  # fmt: skip


def lock_name(group: str) -> str:
    """The name of a group's lock; long ones end in a digest, so that two groups never share one."""
    if len(group) + len(ENDING) <= MAX_NAME:
        return group + ENDING
    return group[:40] + "_" + hashlib.sha256(group.lower().encode()).hexdigest()[:16] + ENDING


@dataclass(frozen=True)
class Place:
    """Where a process runs: ``world`` is the same for all processes that can see each other, ``process`` is one of them for all time."""

    world: str = ""
    process: str = ""

    def text(self) -> str:
        """As it stands on the lock."""
        return "{0} {1}".format(self.world, self.process) if self.world else ""

    @classmethod
    def parse(cls, text: str) -> "Place":
        """The reverse of ``text``."""
        world, dummy, process = text.partition(" ")
        return cls(world, process)


@dataclass(frozen=True)
class Holder:
    """The run whose turn it is.

    :param run: what no other run has.
    :param by: who that is, for people.
    :param since: when its turn began, UTC, for people.
    :param until: seconds of the epoch by Azure's clock: without a sign of life until then it has lost its turn.
    """

    run: str
    by: str = ""
    place: Place = Place()
    since: str = ""
    until: float = 0.0

    def tags(self, deployment: str, tags: Mapping[str, str]) -> Dict[str, str]:
        """As they stand on the lock, beside those that the user wants on everything."""
        return dict(tags, **{
            TAG_DEPLOYMENT: deployment, TAG_RUN: self.run, TAG_BY: self.by[:256], TAG_PLACE: self.place.text(), TAG_SINCE: self.since,
            TAG_UNTIL: "{0:.0f}".format(self.until),
        })  # fmt: skip

    def over(self, now: float, here: Place, alive: Any) -> bool:
        """Whether it has lost its turn: its time is up, or it ran where we run and has ended.

        :param now: seconds of the epoch by Azure's clock.
        :param alive: tells whether a process of this place is still there.
        """
        return now >= self.until or bool(here.world and here.world == self.place.world and not alive(self.place.process))


def holder(body: Optional[Mapping[str, Any]]) -> Optional[Holder]:
    """Who stands on a lock; None without a lock. One whose tags somebody took away is nobody's: its time is up."""
    if body is None:
        return None
    try:
        until = float(tag(body, TAG_UNTIL) or 0)
    except ValueError:
        until = 0.0
    return Holder(tag(body, TAG_RUN) or "", tag(body, TAG_BY) or "", Place.parse(tag(body, TAG_PLACE) or ""), tag(body, TAG_SINCE) or "", until)
