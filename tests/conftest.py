# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make the collection importable from the work tree as ansible_collections.dockhost.azure."""

from __future__ import annotations

import pathlib
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "support"))

import work_tree  # noqa: E402

work_tree.link()


@pytest.hookimpl(tryfirst=True)     # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Where tests run side by side (--dist loadgroup): those of a file share a lab with machines, so they stay together."""
    for item in items:
        if item.get_closest_marker("machines") and item.path.is_relative_to(ROOT / "tests"):
            item.add_marker(pytest.mark.xdist_group(item.path.stem))
