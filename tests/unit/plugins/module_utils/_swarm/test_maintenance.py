# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A node out of service and back, on a swarm that is played by a dictionary."""

from __future__ import annotations

import copy

import pytest
from ansible_collections.dockhost.azure.plugins.module_utils._engine.errors import EngineError
from ansible_collections.dockhost.azure.plugins.module_utils._swarm import cluster, maintenance
from ansible_collections.dockhost.azure.plugins.module_utils._swarm.maintenance import LABEL, Maintenance
from ansible_collections.dockhost.azure.plugins.module_utils._swarm.model import Step, SwarmRefused


def node(name, *, role="worker", reachable=None, state="ready", availability="active", labels=None):
    status = {"ManagerStatus": {"Reachability": "reachable" if reachable else "unreachable", "Addr": "10.0.0.1:2377"}} if reachable is not None else {}
    return {"ID": f"id-{name}", "Version": {"Index": 7}, "Description": {"Hostname": name}, "Status": {"State": state},
            "Spec": {"Role": role, "Availability": availability, "Labels": labels or {}}, **status}


def service(name, running, wanted):
    return {"ID": f"id-{name}", "Spec": {"Name": name, "TaskTemplate": {}, "Mode": {"Replicated": {}}},
            "ServiceStatus": {"RunningTasks": running, "DesiredTasks": wanted}}


class Swarm:
    """The engine of a manager: ``frames`` are the services as they are at one look after the other, the last one stays."""

    def __init__(self, nodes, frames=((),), tasks=()):
        self.nodes, self.frames, self.tasks = {one["ID"]: one for one in nodes}, list(frames), list(tasks)
        self.troubles, self.updates = [], []

    def get(self, path, /, **query):
        if self.troubles:
            raise self.troubles.pop(0)
        if path == "/nodes":
            return copy.deepcopy(list(self.nodes.values()))
        if path.startswith("/nodes/"):
            return copy.deepcopy(self.nodes[path[7:]])
        if path == "/tasks":
            return self.tasks if "node" not in query["filters"] else []
        return self.frames.pop(0) if len(self.frames) > 1 else self.frames[0]

    def post(self, path, /, body, version):
        assert version == 7
        self.updates.append(body)
        self.nodes[path.split("/")[2]]["Spec"] = body


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch):
    """Time passes by looking at it."""
    now = iter(range(10**6))
    monkeypatch.setattr(maintenance.time, "monotonic", lambda: next(now))
    monkeypatch.setattr(maintenance.time, "sleep", lambda seconds: None)


def test_a_node_is_drained_marked_and_given_back_as_it_was():
    swarm = Swarm([node("a", role="manager", reachable=True), node("b", availability="pause", labels={"x": "1"})])
    task = Maintenance(swarm, "b", 60)
    assert task.drain(False) is not None
    assert swarm.nodes["id-b"]["Spec"] == {"Role": "worker", "Availability": "drain", "Labels": {"x": "1", LABEL: "pause"}}
    assert task.drain(False) is None
    assert task.activate(False) is not None
    assert swarm.nodes["id-b"]["Spec"] == {"Role": "worker", "Availability": "pause", "Labels": {"x": "1"}}
    assert task.activate(False) is None


def test_a_node_that_somebody_else_drained_stays_drained():
    swarm = Swarm([node("a", availability="drain")])
    assert Maintenance(swarm, "a", 60).drain(False) is None
    assert Maintenance(swarm, "a", 60).activate(False) is None
    assert swarm.updates == []


def test_check_mode_tells_and_changes_nothing():
    swarm = Swarm([node("a", state="down")])
    assert Maintenance(swarm, "a", 60).drain(True) == {"Availability": "drain", "Labels": {LABEL: "active"}}
    assert Maintenance(swarm, "a", 60).activate(True) is None
    assert swarm.updates == []


def test_it_waits_until_services_are_whole_several_looks_in_a_row():
    frames = [[service("web", 1, 3)], [service("web", 3, 3)], [service("web", 2, 3)], [service("web", 3, 3)]]
    swarm = Swarm([node("a")], frames)
    Maintenance(swarm, "a", 60).drain(False)
    assert swarm.frames == [[service("web", 3, 3)]]


def test_services_that_no_node_can_take_are_told_and_not_waited_for():
    pending = {"ServiceID": "id-db", "Status": {"State": "pending", "Err": "no suitable node (scheduling constraints not satisfied on 1 node)"}}
    task = Maintenance(Swarm([node("a")], [[service("db", 0, 1), service("web", 2, 2)]], [pending]), "a", 60)
    task.drain(False)
    assert task.stuck == ["db"]


def test_services_that_missed_tasks_before_are_not_waited_for():
    Maintenance(Swarm([node("a")], [[service("broken", 0, 1)]]), "a", 60, ["broken"]).drain(False)


def test_services_that_missed_tasks_before_are_found_and_told_where_that_is_asked_for():
    frames = [[service("broken", 0, 1), service("web", 2, 2)], [service("broken", 0, 1), service("web", 1, 2)], [service("broken", 0, 1), service("web", 2, 2)]]
    swarm = Swarm([node("a")], frames)
    task = Maintenance(swarm, "a", 60, tolerant=True)
    task.drain(False)
    assert task.missed == ["broken"] and len(swarm.frames) == 1  # web was waited for
    later = Maintenance(Swarm([node("a", labels={LABEL: "active"}, availability="drain")], frames[-1:]), "a", 60, task.missed)
    assert later.activate(False) is not None


def test_of_a_drain_that_was_begun_before_what_is_missing_may_be_its_own_doing():
    swarm = Swarm([node("a", labels={LABEL: "active"}, availability="drain")], [[service("web", 1, 2)], [service("web", 2, 2)]])
    task = Maintenance(swarm, "a", 60, tolerant=True)
    task.drain(False)
    assert task.missed == [] and len(swarm.frames) == 1


def test_a_manager_that_is_ready_and_not_reachable_is_not_back():
    with pytest.raises(SwarmRefused, match="Node a is not ready after 60 s: the other managers do not reach it"):
        Maintenance(Swarm([node("a", role="manager", reachable=False, labels={LABEL: "active"})]), "a", 60).activate(False)


def test_services_that_do_not_come_back_are_named():
    with pytest.raises(SwarmRefused, match=r"these services miss tasks since after 60 s: web\. Look at 'docker node ps a'"):
        Maintenance(Swarm([node("a")], [[service("web", 0, 1)]]), "a", 60).drain(False)


def test_a_node_that_does_not_come_back_is_named():
    with pytest.raises(SwarmRefused, match="Node a is not ready after 60 s: its state is down"):
        Maintenance(Swarm([node("a", state="down", labels={LABEL: "active"})]), "a", 60).activate(False)


def test_managers_that_choose_a_leader_are_waited_for():
    swarm = Swarm([node("a", labels={LABEL: "active"}, availability="drain")])
    swarm.troubles = [EngineError(500, "rpc error: The swarm does not have a leader")] * 3
    assert Maintenance(swarm, "a", 60).activate(False) is not None


@pytest.mark.parametrize("others", [(), (True,), (True, True)])
def test_a_manager_may_go_for_a_while_when_all_others_are_there(others):
    nodes = [node("a", role="manager", reachable=True)] + [node(f"m{n}", role="manager", reachable=r) for n, r in enumerate(others)]
    assert Maintenance(Swarm(nodes), "a", 60).drain(False) is not None


def test_a_manager_that_the_majority_needs_is_refused():
    nodes = [node("a", role="manager", reachable=True), node("b", role="manager", reachable=True), node("c", role="manager", reachable=False)]
    with pytest.raises(SwarmRefused, match="stopping a would leave 1 of 3 managers reachable; a majority needs 2"):
        Maintenance(Swarm(nodes), "a", 60).drain(False)


def test_a_name_that_nobody_has_is_named():
    with pytest.raises(SwarmRefused, match="The swarm has no node z: name one that 'docker node ls' shows"):
        Maintenance(Swarm([node("a")]), "z", 60).drain(False)


class Listed(Swarm):
    """Node b has another version than was listed; the others have that one."""

    def batch(self, requests):
        self.trips = getattr(self, "trips", 0) + 1
        answers = []
        for dummy, path, body in requests:
            name, version = path.split("/")[2], int(path.rpartition("=")[2])
            if version != self.nodes[name]["Version"]["Index"]:
                answers.append(EngineError(500, "rpc error: update out of sequence"))
            else:
                self.nodes[name]["Spec"] = body
                answers.append(None)
        return answers


def test_labels_of_many_nodes_are_one_round_trip_and_nothing_newer_is_written_over():
    swarm = Listed([node("a"), node("b"), node("c")])
    listed = copy.deepcopy(swarm.nodes)
    listed["id-b"]["Version"]["Index"], listed["id-b"]["Spec"]["Availability"] = 6, "drain"
    steps = [Step("update", name, f"id-{name}", {"labels": ({}, {"zone": "1"})}) for name in "abc"]
    cluster.update_all(swarm, steps, 5, listed)
    assert swarm.trips == 1 and len(swarm.updates) == 1
    assert all(one["Spec"] == {"Role": "worker", "Availability": "active", "Labels": {"zone": "1"}} for one in swarm.nodes.values())
