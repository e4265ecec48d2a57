# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What becomes of a service's spec when it is held, and that it comes back as it was."""

from __future__ import annotations

import copy

import pytest
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
    """An engine with services whose tasks obey at once, or never."""

    def __init__(self, obeys=True):
        self.obeys = obeys
        self.services = {
            "1": {"ID": "1", "Version": {"Index": 7}, "Spec": service({"Replicated": {"Replicas": 2}})},
            "2": {"ID": "2", "Version": {"Index": 8}, "Spec": dict(service({"Global": {}}), Name="other", TaskTemplate={"ContainerSpec": {}})},
        }
        self.updates = []

    def get(self, path, **query):
        if path == "/tasks":
            busy = not self.obeys or not hold.held(self.services["1"]["Spec"])
            return [{"Status": {"State": "running" if busy else "shutdown"}}]
        if path.startswith("/services/"):
            return self.services[path.rsplit("/", 1)[1]]
        wanted = self.services["1"]["Spec"]["Mode"]["Replicated"]["Replicas"]
        return [dict(one, ServiceStatus={"RunningTasks": wanted, "DesiredTasks": wanted}) for one in self.services.values()]

    def post(self, path, body, version):
        identity = path.split("/")[2]
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
