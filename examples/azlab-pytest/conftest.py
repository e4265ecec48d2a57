# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures: one lab for all tests, empty at the start of each, and a playbook run against it."""
from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from azlab import testing

HERE = Path(__file__).parent
Playbook = Callable[..., dict[str, Any]]


@pytest.fixture(scope="session")
def running_lab() -> Iterator[testing.RunningLab]:
    """Starts in a tenth of a second, in this process, on free ports."""
    with testing.lab() as lab:
        yield lab


@pytest.fixture
def azure(running_lab: testing.RunningLab) -> testing.RunningLab:
    """The lab without resources, faults and past requests."""
    running_lab.admin.call("POST", "/reset")
    running_lab.admin.clear_requests()
    return running_lab


@pytest.fixture
def playbook(azure: testing.RunningLab) -> Playbook:
    """Run a playbook against the lab; the counts of its recap (`ok`, `changed`, `failed`, …) and its `output`."""
    def run(name: str, *options: str) -> dict[str, Any]:
        env = {**os.environ, **azure.env, "ANSIBLE_NOCOLOR": "1"}
        done = subprocess.run(["ansible-playbook", HERE / name, *options], env=env, capture_output=True, text=True, check=False)
        recap = done.stdout.rpartition("PLAY RECAP")[2]
        return {"output": done.stdout + done.stderr, **{key: int(number) for key, number in re.findall(r"(\w+)=(\d+)", recap)}}
    return run
