# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the module and tells how far it is: on a terminal as each host changes state, in AWX at a measured pace, else not at all."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import threading
import time
from typing import Any, Callable, Dict, List, Mapping, Optional

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.dockhost.azure.plugins.module_utils._hosts.progress import FILE, Teller

LOOK_SECONDS = 0.25
PACE_SECONDS = 15.0  # between two lines where each goes into a database


def way(environ: Mapping[str, str], terminal: bool) -> str:
    """How progress is told: C(each), C(pace) or an empty text.

    A job of AWX runs under ansible-runner, whose output is a terminal to it, but whose lines are kept for ever.
    """
    if environ.get("AWX_ISOLATED_DATA_DIR") or environ.get("ANSIBLE_STDOUT_CALLBACK", "").startswith("awx"):
        return "pace"
    return "each" if terminal else ""


# Ansible loads this file in its main process, which has the terminal, and runs it in another, which may have none.
WAY = way(os.environ, bool(sys.stdout) and sys.stdout.isatty())


class Watch:
    """Reads a file of events and tells of them, until it is told to stop."""

    def __init__(self, path: str, teller: Teller, tell: Callable[[str], None], pace: float = PACE_SECONDS):
        self.path, self.teller, self.tell, self.pace = path, teller, tell, pace
        self.began = self.told = time.monotonic()
        self.place = 0
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Watch:
        self.thread.start()
        return self

    def __exit__(self, *dummy: Any) -> None:
        self.ended.set()
        self.thread.join()
        self._look()

    def _run(self) -> None:
        while not self.ended.wait(LOOK_SECONDS):
            self._look()

    def _look(self) -> None:
        now = time.monotonic()
        for line in self.teller.lines(self._entries(), now - self.began):
            self.tell(line)
        if not self.teller.each and not self.ended.is_set() and now - self.told >= self.pace:
            self.told, line = now, self.teller.summary(now - self.began)
            if line:
                self.tell(line)

    def _entries(self) -> List[Dict[str, Any]]:
        try:
            with open(self.path, encoding="utf-8") as file:
                file.seek(self.place)
                text = file.read()
        except OSError:
            return []
        whole = text[: text.rfind("\n") + 1]
        self.place += len(whole.encode("utf-8"))
        return [json.loads(line) for line in whole.splitlines()]


class ActionModule(ActionBase):
    """The module, and its progress where somebody watches."""

    _supports_async = True
    _supports_check_mode = True

    def run(self, tmp: Optional[str] = None, task_vars: Optional[Dict[str, Any]] = None) -> Dict[str, Any]:
        """Run the module."""
        result = super().run(tmp, task_vars)
        if not WAY or self._task.async_val or self._task.check_mode or self._connection.transport != "local":
            result.update(self._module(task_vars))
            return result
        folder = tempfile.mkdtemp(prefix="dockhost-")
        path, before = os.path.join(folder, "progress"), os.environ.get(FILE)
        os.environ[FILE] = path
        try:
            with Watch(path, Teller(str(self._task.args.get("name")), WAY == "each"), Display().display):
                result.update(self._module(task_vars))
        finally:
            os.environ.pop(FILE)
            if before is not None:
                os.environ[FILE] = before
            shutil.rmtree(folder, ignore_errors=True)
        return result

    def _module(self, task_vars: Optional[Dict[str, Any]]) -> Dict[str, Any]:
        return self._execute_module(task_vars=task_vars, wrap_async=self._task.async_val)
