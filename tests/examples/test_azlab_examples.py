# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The examples of docs/azlab.md, run with the tools that they are for: as their readers run them."""

from __future__ import annotations

import os
import pathlib
import re
import shutil
import subprocess
import sys

import pytest

pytestmark = pytest.mark.examples

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(sys.executable).parent


@pytest.fixture
def copy(tmp_path):
    """A copy of an example's folder, away from this repository, and a run of a program in it."""

    def run(example, *command):
        shutil.copytree(ROOT / "examples" / example, tmp_path / example, ignore=shutil.ignore_patterns("__pycache__", ".*"))
        env = {name: value for name, value in os.environ.items() if not name.startswith(("AZ", "ANSIBLE", "MOLECULE", "PYTEST"))}
        env.update(
            PATH="{0}:{1}".format(BIN, os.environ["PATH"]),
            HOME=str(tmp_path / "home"),
            ANSIBLE_COLLECTIONS_PATH=str(ROOT / ".work" / "dev"),
            ANSIBLE_HOST_PATTERN_MISMATCH="error",
            NO_COLOR="1",
        )
        (tmp_path / "home").mkdir()
        done = subprocess.run(
            [str(BIN / command[0]), *command[1:]], cwd=tmp_path / example, env=env, capture_output=True, text=True, timeout=500, check=False
        )
        return done.returncode, re.sub(r"\x1b\[[0-9;]*m", "", done.stdout + done.stderr)

    return run


def test_molecule(copy, tmp_path):
    status, said = copy("azlab-molecule", "molecule", "test")
    assert status == 0, said
    for step in ("create", "converge", "idempotence", "verify", "destroy"):
        assert "default > {0}: Executed: Successful".format(step) in said, said
    assert re.search(r"successful=7 .*failed=0", said), said
    assert not list((tmp_path / "home").glob(".local/state/azlab/*"))


def test_pytest(copy):
    status, said = copy("azlab-pytest", "python", "-m", "pytest", "-q", "-p", "no:cacheprovider")
    assert status == 0 and "5 passed" in said, said
