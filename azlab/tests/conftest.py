# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab for each test module: a real server over HTTPS, in this process."""
from __future__ import annotations

import itertools
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from azlab import testing

sys.path.insert(0, str(Path(__file__).parent))
from labgroup import Group

_NUMBERS = itertools.count(1)


@pytest.fixture(scope="module")
def azure() -> Iterator[testing.RunningLab]:
    """A lab without machines and without latencies."""
    with testing.lab() as running:
        yield running


@pytest.fixture
def group(azure: testing.RunningLab, request: pytest.FixtureRequest) -> Group:
    name = re.sub(r"[^A-Za-z0-9_]+", "-", request.node.name)[:70].rstrip("-")
    return Group(azure, f"rg{next(_NUMBERS)}-{name}")


@pytest.fixture
def make_group(azure: testing.RunningLab) -> Callable[[str], Group]:
    return lambda name: Group(azure, name)
