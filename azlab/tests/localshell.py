# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A driver whose machines run commands in a shell of this machine, for tests without machines."""
from __future__ import annotations

import asyncio
import subprocess
from pathlib import Path

from azlab.machines.driver import CommandResult
from azlab.machines.none import NoMachines


class LocalShell(NoMachines):
    """Commands really run, with their absolute paths below a directory of the test."""

    def __init__(self, root: Path) -> None:
        super().__init__()
        self.root = root

    async def run_command(self, machine_id: str, script: str, timeout: float) -> CommandResult:
        for directory in ("/var/lib/waagent", "/var/log/azure"):
            script = script.replace(directory, f"{self.root}{directory}")
        command = ["timeout", str(min(timeout, 30)), "/bin/sh", "-c", script]
        done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True)
        return CommandResult(done.returncode, done.stdout, done.stderr)
