# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make the collection importable from the work tree as ansible_collections.dockhost.azure."""

from __future__ import annotations

import pathlib
import sys

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "support"))

import work_tree  # noqa: E402

work_tree.link()

ONE_LAB = "azlab/tests/machines/"


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadFileScheduling | None:
    """Where files run side by side (--dist loadfile): those of azlab's machines stay together, since they share one lab."""
    return FilesByLab(config, log) if config.getvalue("dist") == "loadfile" else None


class FilesByLab(LoadFileScheduling):
    """Each file to one process, and all files of one lab to the same one."""

    def _split_scope(self, nodeid: str) -> str:
        file = super()._split_scope(nodeid)
        return ONE_LAB if file.startswith(ONE_LAB) else file
