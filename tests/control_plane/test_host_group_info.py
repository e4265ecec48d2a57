# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Module host_group_info: what is there, and nothing of others."""

from __future__ import annotations

from . import test_host_group
from .test_host_group import requests, run, state

network = test_host_group.network  # the fixture


def test_hosts_are_read_in_few_requests(azure, network):
    missing = azure.run("host_group_info", {})
    assert missing["failed"] and missing["msg"] == "missing required arguments: resource_group"

    made = run(azure, network)
    run(azure, network, name="db", count=1, swarm_managers=0, public_ip=True)
    state(azure, network, "deallocated", names=["web-2"])
    found, sent = requests(azure, lambda: azure.run("host_group_info", {"resource_group": network}))
    assert not found["failed"] and not found["changed"]
    assert [(host["name"], host["group"], host["power_state"]) for host in found["hosts"]] == [
        ("db-1", "db", "running"), ("web-1", "web", "running"), ("web-2", "web", "deallocated"), ("web-3", "web", "running"),
    ]  # fmt: skip
    assert found["hosts"][0]["public_address"].startswith("192.0.2.") and found["hosts"][1] == made["hosts"][0]
    assert len(sent) == 4 and all(entry["method"] == "GET" for entry in sent)

    web = azure.run("host_group_info", {"resource_group": network, "name": "web"})
    assert [host["name"] for host in web["hosts"]] == ["web-1", "web-2", "web-3"]
    assert azure.run("host_group_info", {"resource_group": network, "deployment": "other"})["hosts"] == []


def test_a_resource_group_that_is_not_there_has_no_hosts(azure):
    found = azure.run("host_group_info", {"resource_group": "nowhere"})
    assert not found["failed"] and found["hosts"] == []
