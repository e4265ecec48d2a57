# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab of three machines for the tests that need real packets, made once for all of them."""
from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from machine_lab import ANSWERER, Lab, machine_id, until


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Three machines behind a load balancer."""
    made = Lab(tmp_path_factory.mktemp("lab"))
    try:
        made.do(made.driver.start(lambda line: print(line, flush=True)))
        made.apply(made.state())
        made.all(*(made.driver.create_machine(made.spec(index)) for index in (1, 2, 3)))
        yield made
    finally:
        made.do(made.driver.destroy())
        made.do(made.driver.close())
        made.loop.call_soon_threadsafe(made.loop.stop)


@pytest.fixture
def answering(lab: Lab) -> Lab:
    """All three machines run and answer on port 80, and the load balancer knows it."""
    lab.apply(lab.state())
    lab.all(*(lab.driver.start_machine(machine_id(index)) for index in (1, 2, 3)))
    for index in (1, 2, 3):
        if lab.run(index, "systemctl is-active --quiet answer").exit_code:
            assert lab.run(index, ANSWERER).exit_code == 0
    until(15, lambda: len(lab.do(lab.driver.health("lb/tcp"))) == 3, "three healthy backends")
    return lab
