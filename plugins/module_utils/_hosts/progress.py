# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How far a host group is, told while it is worked on. Private to this collection.

The module, a process of its own, appends events to a file; the action plugin of the same name reads it and writes lines for people.
"""

from __future__ import annotations

import json
import os
from typing import Any, Dict, List, Mapping, Optional

from ansible_collections.dockhost.azure.plugins.module_utils._model.resource import Step

FILE = "DOCKHOST_PROGRESS"  # the variable that names the file

WORDS = {
    "create": ("is being made", "is there"), "update": ("is being changed", "is changed"), "delete": ("is being removed", "is gone"),
    "start": ("starts", "runs"), "powerOff": ("stops", "is stopped"), "deallocate": ("is being deallocated", "is deallocated"),
    "restart": ("restarts", "has restarted"), "reimage": ("is being reimaged", "is reimaged"),
    "runCommand": ("gets its SSH keys", "has its SSH keys"),
}  # fmt: skip


class Recorder:
    """Appends events to the file, where there is one. What goes wrong with it never concerns the hosts."""

    def __init__(self, environ: Optional[Mapping[str, str]] = None):
        self.path = (os.environ if environ is None else environ).get(FILE)

    def total(self, steps: List[Step]) -> None:
        """How many hosts are to be worked on."""
        self._write({"total": len({step.resource.key for step in steps if of_host(step)})})

    def event(self, event: str, step: Step) -> None:
        """A change of state of a step."""
        if of_host(step):
            self._write({"event": event, "host": step.resource.name, "action": step.operation or step.action})

    def _write(self, entry: Mapping[str, Any]) -> None:
        if not self.path:
            return
        try:
            with open(self.path, "a", encoding="utf-8") as file:
                file.write(json.dumps(entry) + "\n")
        except OSError:
            self.path = None


def of_host(step: Step) -> bool:
    """Whether a step is about a host itself, and does something that takes time."""
    return step.resource.type.lower() == "microsoft.compute/virtualmachines" and step.method in ("PUT", "POST", "DELETE")


class Teller:
    """Turns events into lines.

    :param name: the group
    :param each: a line for each change of state; otherwise only ``summary`` tells
    """

    def __init__(self, name: str, each: bool):
        self.name, self.each = name, each
        self.total = 0
        self.states: Dict[str, str] = {}

    def lines(self, entries: List[Mapping[str, Any]], seconds: float) -> List[str]:
        """The lines for new entries."""
        found = []
        for entry in entries:
            if "total" in entry:
                self.total = max(self.total, int(entry["total"]))
                continue
            before = self.states.get(entry["host"])
            self.states[entry["host"]] = entry["event"]
            words = WORDS.get(entry["action"], ("is being changed", "is changed"))
            text = {"accepted": words[0], "done": words[1], "failed": "has failed", "skipped": "is not tried"}.get(entry["event"])
            if self.each and text and before != entry["event"]:
                found.append(f"{self.name}: {entry['host']} {text} ({self.counts()}, {seconds:.0f} s)")
        return found

    def counts(self) -> str:
        """How many are done, under way and failed."""
        states = list(self.states.values())
        texts = [f"{states.count('done')} of {self.total} done"]
        busy, failed = states.count("start") + states.count("accepted"), states.count("failed") + states.count("skipped")
        texts += [f"{busy} under way"] if busy else []
        return ", ".join(texts + ([f"{failed} failed"] if failed else []))

    def summary(self, seconds: float) -> Optional[str]:
        """One line for all; None as long as nothing is known."""
        return f"{self.name}: {self.counts()} ({seconds:.0f} s)" if self.total else None
