# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What becomes of a service's spec when it is held, and that it comes back as it was."""

from __future__ import annotations

import copy

import pytest
from ansible_collections.dockhost.azure.plugins.module_utils._engine.errors import EngineError
from ansible_collections.dockhost.azure.plugins.module_utils._maintenance import hold
from ansible_collections.dockhost.azure.plugins.module_utils._maintenance.archive import ArchiveError


def service(mode, **more):
    mounts = [{"Type": "volume", "Source": "shop_files", "Target": "/data"}]
    return {"Name": "shop_web", "Labels": {"a": "b"}, "Mode": mode, "TaskTemplate": {"ContainerSpec": {"Image": "x", "Mounts": mounts}}, **more}


@pytest.mark.parametrize("mode", [{"Replicated": {"Replicas": 3}}, {"Replicated": {"Replicas": 0}}, {"Global": {}}])
def test_a_service_comes_back_as_it_was(mode):
    spec = service(mode)
    before = copy.deepcopy(spec)
    held = hold.with_hold(spec)
    assert hold.held(held) and not hold.held(spec) and spec == before
    if "Replicated" in mode:
        assert held["Mode"] == {"Replicated": {"Replicas": 0}}
    else:
        assert held["TaskTemplate"]["Placement"]["Constraints"] == [hold.NOWHERE]
    back = hold.without_hold(held)
    assert back["Mode"] == mode and back["Labels"] == {"a": "b"}
    assert (back["TaskTemplate"].get("Placement") or {}).get("Constraints", []) == []


def test_constraints_of_its_own_stay():
    spec = service({"Global": {}})
    spec["TaskTemplate"]["Placement"] = {"Constraints": ["node.role == worker"], "Preferences": [1]}
    back = hold.without_hold(hold.with_hold(spec))
    assert back["TaskTemplate"]["Placement"] == spec["TaskTemplate"]["Placement"]


def test_jobs_are_not_held():
    with pytest.raises(ArchiveError, match="Service shop_web is a job and cannot be held"):
        hold.with_hold(service({"ReplicatedJob": {}}))


class Swarm:
    """An engine with services whose tasks obey at once, or never; ``busy``: updates that somebody else is faster with."""

    def __init__(self, obeys=True, busy=0, replicas=2):
        self.obeys, self.busy = obeys, busy
        self.services = {
            "1": {"ID": "1", "Version": {"Index": 7}, "Spec": service({"Replicated": {"Replicas": replicas}})},
            "2": {"ID": "2", "Version": {"Index": 8}, "Spec": dict(service({"Global": {}}), Name="other", TaskTemplate={"ContainerSpec": {}})},
        }
        self.updates = []

    def get(self, path, **query):
        if path == "/tasks":
            spec = self.services["1"]["Spec"]
            count = spec["Mode"]["Replicated"]["Replicas"] if self.obeys else 1
            common = {"ServiceID": "1", "NodeID": "n1", "DesiredState": "running", "Spec": spec["TaskTemplate"], "Status": {"State": "running"}}
            return [{"ID": f"t{slot}", "Slot": slot, **common} for slot in range(1, count + 1)]
        if path == "/nodes":
            return [{"ID": "n1", "Status": {"State": "ready"}, "Spec": {"Availability": "active"}}]
        return list(self.services.values())

    def find(self, path):
        return self.services.get(path.rsplit("/", 1)[1])

    def post(self, path, body, version):
        identity = path.split("/")[2]
        if self.busy:
            self.busy -= 1
            self.services[identity]["Version"] = {"Index": version + 1}
            raise EngineError(400, "rpc error: code = Unknown desc = update out of sequence")
        assert version == self.services[identity]["Version"]["Index"]
        self.updates.append(body["Mode"])
        self.services[identity] = {"ID": identity, "Version": {"Index": version + 1}, "Spec": body}


def test_only_services_with_the_volume_are_held_and_only_once():
    swarm = Swarm()
    assert hold.change(swarm, "shop_files", True, True, 1) == ["shop_web"] and swarm.updates == []
    assert hold.change(swarm, "shop_files", True, False, 1) == ["shop_web"]
    assert hold.change(swarm, "shop_files", True, False, 1) == []
    assert hold.change(swarm, "shop_files", False, False, 1) == ["shop_web"]
    assert hold.change(swarm, "shop_files", False, False, 1) == []
    assert swarm.updates == [{"Replicated": {"Replicas": 0}}, {"Replicated": {"Replicas": 2}}]


def test_a_service_that_does_not_stop_goes_on():
    swarm = Swarm(obeys=False)
    with pytest.raises(ArchiveError, match="These services still run after 0 s: shop_web"):
        hold.change(swarm, "shop_files", True, False, 0)
    assert swarm.services["1"]["Spec"]["Mode"] == {"Replicated": {"Replicas": 2}} and not hold.held(swarm.services["1"]["Spec"])


def test_a_change_of_somebody_else_in_between_is_read_first(monkeypatch):
    monkeypatch.setattr(hold, "_INTERVAL", 0)
    swarm = Swarm(busy=2)
    assert hold.change(swarm, "shop_files", True, False, 1) == ["shop_web"] and len(swarm.updates) == 1
    with pytest.raises(EngineError, match="out of sequence"):
        hold.change(Swarm(busy=9), "shop_files", True, False, 1)


def test_a_service_without_tasks_is_not_waited_for():
    swarm = Swarm(replicas=0)
    assert hold.change(swarm, "shop_files", True, False, 0) == ["shop_web"]
    assert hold.change(swarm, "shop_files", False, False, 0) == ["shop_web"]


def test_a_job_is_refused_before_anything_is_held():
    swarm = Swarm()
    swarm.services["3"] = {"ID": "3", "Version": {"Index": 9}, "Spec": dict(service({"ReplicatedJob": {}}), Name="job")}
    with pytest.raises(ArchiveError, match="Service job is a job and cannot be held"):
        hold.change(swarm, "shop_files", True, False, 1)
    assert swarm.updates == []


@pytest.mark.parametrize(
    "state, desired, works",
    [
        ("running", "running", True),
        ("running", "remove", True),   # it is being stopped, and writes until it is
        ("preparing", "shutdown", True),
        ("pending", "running", True),  # about to get a container
        ("pending", "remove", False),  # was on no node, and comes to none
        ("shutdown", "running", False),
        ("orphaned", "remove", False),
    ],
)
def test_which_tasks_may_write(state, desired, works):
    assert hold.at_work({"Status": {"State": state}, "DesiredState": desired}) is works
