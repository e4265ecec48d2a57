# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How far host_group is, as ansible-playbook shows it on a terminal, into a pipe, and in AWX."""

from __future__ import annotations

import json
import os
import pathlib
import pty
import re
import subprocess
import sys

import pytest

from . import test_host_group
from .test_host_group import wanted

network = test_host_group.network  # the fixture
ROOT = pathlib.Path(__file__).resolve().parents[2]
PLAYBOOK = str(pathlib.Path(sys.executable).parent / "ansible-playbook")


@pytest.fixture
def play(azure, network, tmp_path):
    """Run a playbook with one task; what it wrote."""

    def run(terminal=False, env=None, **more):
        file = tmp_path / "play.yml"
        tasks = [{"dockhost.azure.host_group": wanted(network, **more)}]
        file.write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]))
        environment = {
            **os.environ, **azure.lab.env, "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".work" / "dev"), "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_LOCALHOST_WARNING": "false", "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false", **(env or {}),
        }  # fmt: skip
        command = [PLAYBOOK, str(file)]
        if not terminal:
            done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=240, check=True)
            return done.stdout
        leader, follower = pty.openpty()
        process = subprocess.Popen(command, env=environment, stdin=follower, stdout=follower, stderr=follower, close_fds=True)
        os.close(follower)
        text = b""
        while True:
            try:
                part = os.read(leader, 65536)
            except OSError:  # Linux says so when the other end is closed
                break
            text += part
        os.close(leader)
        assert process.wait(240) == 0, text.decode()
        return text.decode()

    return run


def test_a_terminal_gets_a_line_as_each_host_changes_state(play):
    text = play(terminal=True, count=2)
    found = re.findall(r"^web: (web-\d) (is being made|is there) \((\d) of 2 done[^)]* s\)\r$", text, re.MULTILINE)
    assert sorted(line[:2] for line in found) == [(f"web-{n}", word) for n in (1, 2) for word in ("is being made", "is there")]
    assert found[-1][1:] == ("is there", "2")
    assert "web: " not in play(terminal=True, count=2), "nothing to tell"


def test_no_terminal_gets_none(play):
    assert "web: " not in play(count=1)
