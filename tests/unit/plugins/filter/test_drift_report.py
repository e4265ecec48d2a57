# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plans of modules, as they return them, put into one list of differences."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.dockhost.azure.plugins.filter.drift_report import drift_report

AZURE = [{"action": "update", "type": "Microsoft.Network/networkSecurityGroups", "name": "demo-nsg", "reason": "differs",
          "changes": [{"path": "properties.securityRules[ssh].priority", "before": 100, "after": 110}]},
         {"action": "create", "type": "Microsoft.Compute/virtualMachines", "name": "demo-3", "changes": [], "reason": "is missing"}]
ENGINE = [{"action": "write", "type": "file", "name": "/etc/docker/daemon.json", "detail": ""}]
SWARM = [{"action": "update", "type": "swarm node", "name": "demo-2", "changes": {"role": {"before": "manager", "after": "worker"}}, "reason": ""}]


def test_nothing_differs():
    told = drift_report({"deployment": "demo", "azure": [], "engine": {"demo-1": []}})
    assert (told["state"], told["differences"], told["lines"]) == ("none", [], ["Deployment demo is as its variables say."])


def test_all_parts_are_told_in_one_form():
    told = drift_report({"azure": AZURE, "engine": {"demo-2": ENGINE, "demo-1": []}, "swarm": SWARM,
                         "stopped": [{"name": "demo-4", "power_state": "deallocated"}],
                         "application": [{"action": "update", "type": "service", "name": "blog_edge", "changes": {"image": "haproxy:3.1"}}]})
    assert told["state"] == "drift"
    assert told["lines"] == [
        "azure: update networkSecurityGroups demo-nsg (properties.securityRules[ssh].priority: 100 → 110)",
        "azure: create virtualMachines demo-3 (is missing)",
        "azure on demo-4: start virtual machine demo-4 (is deallocated)",
        "engine on demo-2: write file /etc/docker/daemon.json",
        "swarm: update swarm node demo-2 (role: manager → worker)",
        "application: update service blog_edge (image: nothing → haproxy:3.1)",
    ]
    assert told["differences"][2] == {"where": "azure", "host": "demo-4", "what": "virtual machine demo-4", "action": "start", "detail": "is deallocated"}


def test_what_could_not_be_looked_at_counts_more_than_a_difference():
    told = drift_report({"swarm": SWARM, "errors": ["demo-1 cannot be reached:\n  timed out"]})
    assert told["state"] == "error"
    assert told["lines"][-1] == "Not known: demo-1 cannot be reached: timed out"


def test_long_values_are_cut():
    step = {"action": "update", "type": "x", "name": "y", "changes": [{"path": "p", "before": "a" * 200, "after": None}]}
    detail = drift_report({"azure": [step]})["differences"][0]["detail"]
    assert len(detail) < 110 and detail.endswith("… → nothing")


def test_what_is_no_plan_is_refused():
    with pytest.raises(AnsibleFilterError, match="takes a dictionary of plans"):
        drift_report([])
