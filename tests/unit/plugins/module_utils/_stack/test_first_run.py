# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check mode on a host that gets engine and swarm in the same run."""

from __future__ import annotations

import pytest
from ansible_collections.dockhost.azure.plugins.module_utils._engine.client import Engine
from ansible_collections.dockhost.azure.plugins.module_utils._engine.errors import EngineUnreachable
from ansible_collections.dockhost.azure.plugins.module_utils._stack.live import refuse_project
from ansible_collections.dockhost.azure.plugins.module_utils._stack.run import run
from ansible_collections.dockhost.azure.plugins.module_utils._stack.values import StackError

DOCUMENT = {
    "services": {"web": {"image": "example.com/web:1", "networks": ["own", "other"], "secrets": ["mine", "theirs"]}},
    "networks": {"own": {}, "other": {"external": True}},
    "secrets": {"mine": {}, "theirs": {"external": True}},
}
PARAMS = {
    "name": "shop", "state": "present", "compose": DOCUMENT, "overlays": None, "configs": None, "secrets": {"mine": "word"}, "variables": None,
    "routing_mesh": True, "encrypt_networks": False, "resolve_image": "changed", "prune": True, "first": [], "settle": 1, "wait": True, "timeout": 1,
}  # fmt: skip


class Outside:
    """An engine that is in no swarm, or a worker of one."""

    def __init__(self, state):
        self.state = state

    def runs(self):
        return True

    def info(self):
        return {"Swarm": {"LocalNodeState": self.state, "ControlAvailable": False}}


@pytest.fixture(params=["no engine", "no swarm"])
def engine(request, tmp_path):
    return Engine(str(tmp_path / "no.sock")) if request.param == "no engine" else Outside("inactive")


def test_all_of_it_would_be_made(engine):
    told = run(engine, PARAMS, True)
    assert told["changed"] and [(step["action"], step["type"]) for step in told["plan"]] == [("create", "network"), ("create", "secret"), ("create", "service")]
    assert "word" not in str(told) and any("in no swarm yet" in note for note in told["notes"])
    assert not run(engine, {**PARAMS, "state": "absent"}, True)["changed"]


def test_an_engine_that_is_there_and_does_not_answer_us_is_an_error_in_check_mode_too(monkeypatch, tmp_path):
    def refuse(*dummy):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("socket.socket.connect", refuse)
    for state in ("present", "absent"):
        with pytest.raises(EngineUnreachable, match="become: true"):
            run(Engine(str(tmp_path / "engine.sock")), {**PARAMS, "state": state}, True)


def test_a_document_with_an_error_is_refused_there_too(engine):
    with pytest.raises(StackError, match="services.web.imag"):
        run(engine, {**PARAMS, "compose": {"services": {"web": {"imag": "x"}}}}, True)


def test_without_check_mode_and_on_workers_it_is_an_error(engine):
    with pytest.raises((StackError, EngineUnreachable)):
        run(engine, PARAMS, False)
    with pytest.raises(StackError, match="no manager of a swarm"):
        run(Outside("active"), PARAMS, True)


class Taken:
    """A manager on which a Compose project of a name runs."""

    def __init__(self, project):
        self.project = project

    def get(self, path, all, filters):
        assert path == "/containers/json" and all
        return [{"Id": "c"}] if filters == {"label": [f"com.docker.compose.project={self.project}"]} else []


def test_a_compose_project_of_the_same_name_is_not_run_a_second_time():
    with pytest.raises(StackError, match="A Compose project called shop is on this host.*Nothing was changed"):
        refuse_project(Taken("shop"), "shop")
    refuse_project(Taken("blog"), "shop")


def test_a_service_that_is_in_no_document_cannot_come_first(tmp_path):
    with pytest.raises(StackError, match="first: store is no service of the document"):
        run(Engine(str(tmp_path / "no.sock")), {**PARAMS, "first": ["web", "store"]}, False)
