# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A sample of the fault suite, spread over all cases; all of it is ``make faults``."""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys

import pytest

pytest.importorskip("azlab.server")

PROGRAM = pathlib.Path(__file__).with_name("run.py")


def test_a_sample_of_all_faults_ends_well():
    """In a process of its own: the suite forks, which a test process with threads must not."""
    done = subprocess.run([sys.executable, str(PROGRAM), "--sample", "40"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    result = json.loads(done.stdout.splitlines()[-1])
    assert result["converged_on_rerun"] == result["points"] >= 35
