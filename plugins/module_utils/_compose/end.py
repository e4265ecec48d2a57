# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""States stopped and absent of module compose: the project's containers are found by their labels, whatever has become of its files.

This util is private to the collection: no release promises that it stays as it is.
"""

from __future__ import annotations

import os
import shutil

from ansible_collections.dockhost.azure.plugins.module_utils._compose import files, live, plan
from ansible_collections.dockhost.azure.plugins.module_utils._compose.model import OURS
from ansible_collections.dockhost.azure.plugins.module_utils._compose.project import Project
from ansible_collections.dockhost.azure.plugins.module_utils._docker_host.packages import HostError


class Ending(Project):
    """A project that is to stop, or to go."""

    def stopped(self) -> None:
        """Its containers are there, and none of them runs."""
        found = live.read(self.engine, self.request.name)
        running = [item for item in found if item.status in ("running", "restarting", "paused")]
        self.outcome.plan = [plan.step("stop", "container", item.name) for item in running]
        self._end(bool(running), "stop")
        self.told(found if self.check_mode else live.read(self.engine, self.request.name))

    def absent(self) -> None:
        """Neither containers nor our files; volumes stay unless they are to go."""
        request, names = self.request, list(self.state.get("files", {}))
        found = live.read(self.engine, request.name)
        self.outcome.plan = [plan.step("remove", "container", item.name) for item in found]
        volumes = self.engine.get("/volumes", filters={"label": [f"{live.PROJECT}={request.name}"]})["Volumes"] or []
        networks = self.engine.get("/networks", filters={"label": [f"{live.PROJECT}={request.name}"]}) or []
        self.outcome.plan += [plan.step("remove", "network", item["Name"]) for item in networks]
        if request.remove_volumes:
            self.outcome.plan += [plan.step("remove", "volume", item["Name"]) for item in volumes]
        words = ["down", "--remove-orphans"] + (["--volumes"] if request.remove_volumes else [])
        self._end(bool(self.outcome.plan), *words)
        there = [name for name in names if os.path.lexists(os.path.join(request.folder, name))]
        self.outcome.plan += [plan.step("delete", "file", name) for name in there]
        self.outcome.changed |= bool(there)
        if self.check_mode or not os.path.isdir(os.path.join(request.folder, OURS)):
            return
        files.remove(request.folder, there)
        shutil.rmtree(os.path.join(request.folder, OURS))
        if not os.listdir(request.folder):
            os.rmdir(request.folder)

    def _end(self, needed: bool, *words: str) -> None:
        """A command that finds the containers by their labels, where it is needed."""
        self.outcome.changed = needed
        lines = [f"{item['type']} {item['name']}\n" for item in self.outcome.plan]
        if lines:
            self.outcome.diff.append({"before_header": "containers", "after_header": "containers", "before": "".join(lines), "after": ""})
        if not needed or self.check_mode:
            return
        self.compose.require()
        result = self.compose.project(*words)
        if result.code:
            raise HostError(f"'docker compose {words[0]}' of project {self.request.name} failed: {self.compose.words(result)}.")
