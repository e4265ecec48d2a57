# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from deployment import Deployment  # noqa: E402


@pytest.fixture(scope="session")
def deployment(tmp_path_factory):
    """A lab with machines, ready for the site playbook; removed at the end, whatever happened."""
    made = Deployment(tmp_path_factory.mktemp("e2e"), "e2e")
    with made.running():
        yield made
    for kind in ("containers", "networks", "volumes"):
        assert made.left_in_engine(kind) == []
