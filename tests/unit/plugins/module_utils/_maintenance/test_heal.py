# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is decided for hosts whose node is down: tables of (nodes, hosts) and the action expected."""

from __future__ import annotations

import pytest
from ansible_collections.dockhost.azure.plugins.module_utils._maintenance import heal
from ansible_collections.dockhost.azure.plugins.module_utils._maintenance.heal import Host, Limits

NOW = heal.seconds_of("2026-01-01T12:00:00.5Z")
LIMITS = Limits(after=600, workers=1, data=False)


def node(name, state="ready", role="worker", at="2026-01-01T11:00:00.123456789Z", labels=None, reachability=""):
    made = {
        "ID": name,
        "CreatedAt": "2026-01-01T00:00:00Z",
        "UpdatedAt": at,
        "Description": {"Hostname": name},
        "Spec": {"Role": role, "Labels": labels or {}},
        "Status": {"State": state, "Addr": "10.0.0." + name[-1]},
    }
    if role == "manager":
        made["ManagerStatus"] = {"Reachability": reachability or ("reachable" if state == "ready" else "unreachable")}
    return made


MANAGERS = [node("m-1", role="manager"), node("m-2", role="manager"), node("m-3", role="manager")]


def actions(hosts, nodes, **limits):
    return {one.name: one.action for one in heal.decide(hosts, nodes, LIMITS._replace(**limits), NOW)}


@pytest.mark.parametrize(
    "lost, host, limits, action",
    [
        (node("w-4"), Host("w-4", answers=False, power_state="running"), {}, "none"),
        (node("w-4", "down"), Host("w-4", power_state="running"), {}, "replace"),
        (node("w-4", "down", at="2026-01-01T11:55:00Z"), Host("w-4", power_state="running"), {}, "wait"),
        (node("w-4", "down", at="2026-01-01T11:55:00Z"), Host("w-4", power_state="running"), {"after": 60}, "replace"),
        (node("w-4", "unknown"), Host("w-4", power_state="running"), {}, "wait"),
        (node("w-4", "down"), Host("w-4", answers=True, power_state="running"), {}, "repair"),
        (node("w-4", "down"), Host("w-4", power_state="deallocated"), {}, "start"),
        (node("w-4", "down", labels={"dockhost.data": "true"}), Host("w-4", power_state="running"), {}, "leave"),
        (node("w-4", "down", labels={"dockhost.data": "true"}), Host("w-4", power_state="running"), {"data": True}, "replace"),
        (node("x-4", "down"), Host("w-4", address="10.0.0.4", power_state="running"), {}, "replace"),
        (node("x-5"), Host("w-4", power_state="running"), {}, "none"),
    ],
)
def test_one_host(lost, host, limits, action):
    assert actions([host], [*MANAGERS, lost], **limits) == {"w-4": action}


def test_one_manager_at_a_time_and_as_many_workers_as_are_allowed():
    lost = [node("m-4", "down", "manager"), node("m-5", "down", "manager"), node("w-6", "down"), node("w-7", "down")]
    hosts = [Host(one["ID"], power_state="running") for one in lost]
    assert actions(hosts, MANAGERS + lost) == {"m-4": "replace", "m-5": "wait", "w-6": "replace", "w-7": "wait"}
    assert actions(hosts, MANAGERS + lost, workers=2) == {"m-4": "replace", "m-5": "wait", "w-6": "replace", "w-7": "replace"}
    assert actions(hosts, MANAGERS + lost, workers=0)["w-6"] == "wait"


def test_no_manager_goes_without_a_majority_of_the_others():
    nodes = [node("m-1", role="manager"), node("m-2", "down", "manager"), node("m-3", "down", "manager")]
    (one,) = heal.decide([Host("m-2", power_state="running")], nodes, LIMITS, NOW)
    assert (one.action, "1 of 3 managers are reachable and a majority needs 2" in one.reason) == ("leave", True)


def test_nothing_is_replaced_while_an_upgrade_runs_but_a_machine_is_started():
    nodes = [*MANAGERS, node("w-4", "down"), node("w-5", labels={"dockhost.maintenance": "active"}), node("w-6", "down")]
    hosts = [Host("w-4", power_state="running"), Host("w-6", power_state="stopped")]
    first, second = heal.decide(hosts, nodes, LIMITS, NOW)
    assert (first.action, second.action) == ("wait", "start") and "an upgrade runs or was interrupted (on w-5)" in first.reason


def test_of_two_nodes_with_one_name_the_ready_one_counts():
    assert actions([Host("w-4", power_state="running")], [*MANAGERS, node("w-4", "down"), node("w-4")]) == {"w-4": "none"}
