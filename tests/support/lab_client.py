# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The other end of lab_process.py."""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys
import tempfile
from typing import Any, Dict

PROGRAM = pathlib.Path(__file__).with_name("lab_process.py")


class LabProcess:
    """A lab in a process of its own. ``call`` asks it for one of the methods of ``Steered``."""

    def __init__(self, core_quota: int = 100000):
        self._errors = tempfile.TemporaryFile("w+")
        self._process = subprocess.Popen(
            [sys.executable, str(PROGRAM), str(core_quota)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors, text=True
        )
        self.env: Dict[str, str] = self.call("environment")

    @property
    def pid(self) -> int:
        return self._process.pid

    def call(self, do: str, **arguments: Any) -> Any:
        """One question, one answer; raises RuntimeError with what the lab wrote when it has ended."""
        try:
            self._process.stdin.write(json.dumps(dict(arguments, do=do)) + "\n")
            self._process.stdin.flush()
            answer = self._process.stdout.readline()
        except BrokenPipeError:
            answer = ""
        if not answer:
            raise RuntimeError("the lab has ended: " + self.errors())
        return json.loads(answer)

    def errors(self) -> str:
        """What the lab wrote to stderr: tracebacks, if there were any."""
        self._errors.seek(0)
        return self._errors.read()

    def close(self) -> None:
        """End the lab."""
        self._process.stdin.close()
        try:
            self._process.wait(15)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._errors.close()
