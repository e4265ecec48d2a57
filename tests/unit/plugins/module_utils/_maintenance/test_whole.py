# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is waited for after nodes came and went, and what the swarm says of nodes that are gone."""

from __future__ import annotations

import pytest
from ansible_collections.dockhost.azure.plugins.module_utils._engine.errors import EngineError
from ansible_collections.dockhost.azure.plugins.module_utils._maintenance import whole

TEMPLATE = {"ContainerSpec": {"Image": "x"}, "Placement": {"Constraints": ["node.role == worker"]}}
SERVICE = {"ID": "s", "Spec": {"Name": "shop_web", "Mode": {"Replicated": {"Replicas": 1}}, "TaskTemplate": TEMPLATE}}


def node(identity, state="ready"):
    return {"ID": identity, "Status": {"State": state}, "Spec": {"Availability": "active", "Role": "worker"}}


def task(identity, on, state="running", desired="running"):
    status = {"State": state, "Timestamp": identity, "Err": "it broke" if state == "failed" else ""}
    return {"ID": identity, "ServiceID": "s", "Slot": 1, "NodeID": on, "DesiredState": desired, "Spec": TEMPLATE, "Status": status}


class Swarm:
    """An engine that goes on to the next picture (tasks, nodes) whenever it is asked for its nodes; the last one stays."""

    def __init__(self, *pictures):
        self.pictures = list(pictures)
        self.looks = 0

    def get(self, path):
        if isinstance(self.pictures[0], EngineError):
            raise self.pictures.pop(0) if len(self.pictures) > 1 else self.pictures[0]
        tasks, nodes = self.pictures[0]
        if path == "/nodes":
            self.looks += 1
            if len(self.pictures) > 1:
                self.pictures.pop(0)
        return {"/services": [SERVICE], "/tasks": tasks, "/nodes": nodes}[path]


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch):
    monkeypatch.setattr(whole, "_INTERVAL", 0)


def test_a_task_on_a_node_that_is_gone_does_not_count():
    gone = ([task("t1", "old")], [node("old", "down"), node("new")])
    swarm = Swarm(gone, ([task("t1", "old"), task("t2", "new", "preparing")], [node("new")]), ([task("t2", "new")], [node("new")]))
    assert whole.wait(swarm, 60) == {} and swarm.looks == 3


def test_managers_that_choose_a_leader_are_waited_for():
    refusal = EngineError(503, "no leader")
    assert whole.wait(Swarm(refusal, refusal, ([task("t1", "n")], [node("n")])), 60) == {}
    with pytest.raises(EngineError, match="no leader"):
        whole.wait(Swarm(refusal), 0)


def test_what_is_missing_is_told_in_the_end():
    swarm = Swarm(([task("t1", "n", "preparing")], [node("n")]))
    assert "preparing" in whole.wait(swarm, 0)["shop_web"]


def test_what_has_no_point_is_not_waited_for_and_old_failures_do_not_count():
    nowhere = Swarm(([], [node("n", "down")]))
    assert "no ready node meets its placement constraints" in whole.wait(nowhere, 3600)["shop_web"]
    assert nowhere.looks == whole._CERTAIN
    old = [task(f"t{number}", "n", "failed", "shutdown") for number in range(5)]
    assert whole.wait(Swarm(([*old, task("t9", "n", "starting")], [node("n")]), ([*old, task("t9", "n")], [node("n")])), 60) == {}


def test_services_of_others_are_not_looked_at():
    assert whole.wait(Swarm(([], [node("n", "down")])), 0, ["other"]) == {}
