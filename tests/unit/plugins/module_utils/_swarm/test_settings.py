# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Settings of the swarm as a whole, and what a rotation asks for."""

from __future__ import annotations

import pytest
from ansible_collections.dockhost.azure.plugins.module_utils._swarm import settings, upkeep
from ansible_collections.dockhost.azure.plugins.module_utils._swarm.model import Cluster, Node, SwarmRefused

HOUR = 3600 * 10**9
SPEC = {
    "Name": "default",
    "Labels": {"kept": "yes"},
    "Orchestration": {"TaskHistoryRetentionLimit": 5},
    "Raft": {"SnapshotInterval": 10000, "ElectionTick": 10},
    "Dispatcher": {"HeartbeatPeriod": 5 * 10**9},
    "CAConfig": {"NodeCertExpiry": 2160 * HOUR, "ForceRotate": 2},
    "EncryptionConfig": {"AutoLockManagers": False},
}


@pytest.mark.parametrize(
    "params, changes",
    [
        ({}, {}),
        ({"autolock": False, "task_history_limit": 5, "heartbeat_period": "5s", "certificate_expiry": "2160h"}, {}),
        ({"autolock": True}, {"autolock": (False, True)}),
        ({"task_history_limit": 0}, {"task_history_limit": (5, 0)}),
        ({"snapshot_interval": 500}, {"snapshot_interval": (10000, 500)}),
        ({"heartbeat_period": "1m30s"}, {"heartbeat_period": ("5s", "90s")}),
        ({"certificate_expiry": "720h"}, {"certificate_expiry": ("2160h", "720h")}),
    ],
)
def test_only_what_differs_is_changed(params, changes):
    steps = settings.plan(settings.wanted(params), Cluster("c1", spec=SPEC))
    assert [step.changes for step in steps] == ([changes] if changes else [])


def test_the_rest_of_the_spec_stays():
    changed = settings.changed_spec(SPEC, settings.wanted({"snapshot_interval": 500, "autolock": True}))
    assert changed == {**SPEC, "Raft": {"SnapshotInterval": 500, "ElectionTick": 10}, "EncryptionConfig": {"AutoLockManagers": True}}
    assert SPEC["Raft"]["SnapshotInterval"] == 10000


@pytest.mark.parametrize(
    "params, words",
    [
        ({"heartbeat_period": "5"}, "heartbeat_period is '5': write a duration such as"),
        ({"heartbeat_period": "5s later"}, "write a duration"),
        ({"certificate_expiry": "30m"}, "certificate_expiry is 30m: the engine takes 1h or more"),
        ({"snapshot_interval": 0}, "snapshot_interval is 0: give a number above 0"),
        ({"task_history_limit": -1}, "task_history_limit is -1: give a number above -1"),
    ],
)
def test_settings_that_are_refused(params, words):
    with pytest.raises(SwarmRefused, match=words):
        settings.wanted(params)


def test_a_new_ca_is_demanded_and_other_parts_of_its_configuration_stay():
    config = settings.rotated_ca(SPEC, None, None)["CAConfig"]
    assert config == {"NodeCertExpiry": 2160 * HOUR, "ForceRotate": 3, "SigningCACert": "", "SigningCAKey": ""}
    assert settings.rotated_ca(SPEC, "cert", "key")["CAConfig"]["SigningCAKey"] == "key"


class Silent:
    """An engine that must not be asked."""


@pytest.mark.parametrize(
    "what, words",
    [
        (["ca"], "all 2 nodes have a new certificate, and h2 is not ready"),
        (["unlock_key"], "the swarm has no autolock"),
        (["join_tokens", "ca"], "h2 is not ready"),
    ],
)
def test_rotations_that_are_refused_change_nothing(what, words):
    cluster = Cluster("c1", (Node("n1", "h1"), Node("n2", "h2", state="down")), SPEC)
    with pytest.raises(SwarmRefused, match=words):
        upkeep.rotate(Silent(), cluster, what, None, None, 1, False)


def test_check_mode_tells_and_does_nothing():
    steps = upkeep.rotate(Silent(), Cluster("c1", (Node("n1", "h1"),), SPEC), ["ca", "join_tokens"], None, None, 1, True)
    assert [(step.action, step.name) for step in steps] == [("rotate", "join_tokens"), ("rotate", "ca")]


NETWORK = {"Name": "back", "Attachable": True, "Internal": False, "Options": {"encrypted": ""}, "IPAM": {"Config": [{"Subnet": "172.27.9.0/24"}]}}


class Networks:
    """An engine with one network, which remembers what it was asked to make."""

    def __init__(self):
        self.made = []

    def get(self, path, **query):
        return [NETWORK]

    def post(self, path, body):
        self.made.append(body)


def test_networks_are_made_once():
    engine = Networks()
    wanted = [{"name": "back", "encrypted": True, "attachable": True}, {"name": "new", "encrypted": True, "subnet": "172.27.8.0/24"}]
    assert [step.name for step in upkeep.plan_networks(engine, wanted, True)] == ["new"]
    assert engine.made == []
    upkeep.plan_networks(engine, wanted, False)
    assert [(body["Name"], body["Options"], body["IPAM"]) for body in engine.made] == [("new", {"encrypted": ""}, {"Config": [{"Subnet": "172.27.8.0/24"}]})]


@pytest.mark.parametrize("more, word", [({"encrypted": False}, "encrypted"), ({"subnet": "10.9.0.0/24"}, "subnet"), ({"internal": True}, "internal")])
def test_a_network_that_differs_is_refused(more, word):
    with pytest.raises(SwarmRefused, match=f"Network back exists and differs in {word}, and a network cannot be changed"):
        upkeep.plan_networks(Networks(), [{"name": "back", "encrypted": True, "attachable": True, **more}], False)
