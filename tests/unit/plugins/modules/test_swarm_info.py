# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module swarm_info: which answers of an engine it waits for."""

from __future__ import annotations

import pytest
from ansible_collections.dockhost.azure.plugins.module_utils._engine.errors import EngineError
from ansible_collections.dockhost.azure.plugins.modules import swarm_info

PREPARED = "This node is not a swarm manager. Manager is being prepared or has trouble connecting to the cluster."
WORKER = "This node is not a swarm manager. Worker nodes can't be used to view or modify cluster state."


class Engine:
    """Answers with the errors first."""

    def __init__(self, *errors):
        self.errors = list(errors)

    def get(self, path, **options):
        if self.errors:
            raise EngineError(503, self.errors.pop(0), f"GET {path}")
        return {"ID": "c"} if path == "/swarm" else []


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(swarm_info, "_INTERVAL", 0)


def test_a_manager_that_is_being_prepared_is_asked_again():
    assert swarm_info.read_when_ready(Engine(PREPARED, PREPARED), False, 60)["cluster_id"] == "c"


@pytest.mark.parametrize(("error", "timeout"), [(PREPARED, 0), (WORKER, 60)])
def test_nothing_else_is_waited_for_and_nothing_without_a_timeout(error, timeout):
    engine = Engine(error, "a second request")
    with pytest.raises(EngineError, match="not a swarm manager"):
        swarm_info.read_when_ready(engine, False, timeout)
    assert engine.errors == ["a second request"]
