# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A node is drained, and what ran there runs elsewhere before anybody stops it."""

from __future__ import annotations

import pytest
from ansible_collections.dockhost.azure.plugins.module_utils._engine.errors import EngineUnreachable
from ansible_collections.dockhost.azure.plugins.module_utils._swarm import availability
from ansible_collections.dockhost.azure.plugins.module_utils._swarm.model import Node, SwarmRefused


def manager(name, reachable=True):
    return Node(id=f"id-{name}", hostname=name, role="manager", reachable=reachable, state="ready" if reachable else "down")


WORKER = Node(id="id-w", hostname="w")


def service(key, running, desired, mode="Replicated"):
    return {"ID": key, "Spec": {"Name": key, "Mode": {mode: {}}}, "ServiceStatus": {"RunningTasks": running, "DesiredTasks": desired}}


def test_find():
    nodes = [manager("a"), manager("b"), Node(id="other", hostname="b")]
    assert availability.find(nodes, "id-b").id == "id-b" and availability.find(nodes, "a").id == "id-a"
    with pytest.raises(SwarmRefused, match="the swarm has no node c; it has a, b, b"):
        availability.find(nodes, "c")
    with pytest.raises(SwarmRefused, match="2 nodes called b; give the id"):
        availability.find(nodes, "b")


@pytest.mark.parametrize(
    "nodes, stopping, words",
    [
        ([manager("a"), manager("b"), manager("c")], 0, None),
        ([manager("a"), manager("b"), manager("c", False)], 0, "stopping a would leave 1 of 3 managers reachable; a majority needs 2"),
        ([manager("a"), manager("b")], 1, "stopping b would leave 1 of 2 managers reachable"),
        ([manager("a"), WORKER], 0, None),
        ([manager("a"), manager("b", False), WORKER], 2, None),
    ],
)
def test_a_majority_is_kept(nodes, stopping, words):
    if words is None:
        availability.refuse_loss(nodes, nodes[stopping])
        return
    with pytest.raises(SwarmRefused, match=words):
        availability.refuse_loss(nodes, nodes[stopping])


def test_services_that_are_fewer_than_before():
    before = availability.counts([service("web", 2, 2), service("sick", 1, 3), service("edge", 3, 3, "Global")])
    assert set(before) == {"web", "sick"}  # a global service has fewer tasks on fewer nodes
    now = availability.counts([service("web", 1, 2), service("sick", 0, 3), service("new", 0, 1)])
    assert availability.fewer(before, now) == ["web 1/2"]  # what was incomplete before is nobody's fault, and what is new neither
    assert availability.fewer(before, before) == []


class Swarm:
    """A manager whose service moves after some questions, or never."""

    def __init__(self, moves_after):
        self.moves_after, self.asked, self.spec = moves_after, 0, {}

    def get(self, path, **query):
        if path == "/services":
            self.asked += 1
            return [service("web", 2 if self.asked == 1 or self.asked > self.moves_after else 1, 2)]
        if path == "/tasks":
            return []
        return {"Spec": {"Availability": "active"}, "Version": {"Index": 1}}

    def post(self, path, body=None, **query):
        self.spec = body


@pytest.fixture(autouse=True)
def quickly(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(availability.time, "sleep", lambda seconds: now.__setitem__(0, now[0] + seconds))
    monkeypatch.setattr(availability.time, "monotonic", lambda: now[0])


def test_drain_waits_until_services_are_complete_elsewhere():
    swarm = Swarm(moves_after=4)
    availability.drain(swarm, WORKER, 30)
    assert swarm.spec["Availability"] == "drain" and swarm.asked == 5


def test_drain_says_what_found_no_place():
    with pytest.raises(SwarmRefused, match=r"w is drained, but its tasks do not all run elsewhere after 5 s \(web 1/2\)"):
        availability.drain(Swarm(moves_after=10**6), WORKER, 5)


def test_wait_ready_is_patient_with_a_manager_that_was_restarted():
    answers = [EngineUnreachable("no"), [], [{"ID": "x", "Description": {"Hostname": "w"}, "Status": {"State": "down"}}]]
    good = [{"ID": "x", "Description": {"Hostname": "w"}, "Status": {"State": "ready"}}]

    class Engine:
        def get(self, path):
            answer = answers.pop(0) if answers else good
            if isinstance(answer, Exception):
                raise answer
            return answer or good

    assert availability.wait_ready(Engine(), "w", 10).state == "ready"
