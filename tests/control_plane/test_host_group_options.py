# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options of host_group beyond the life of a group."""

from __future__ import annotations

from . import test_host_group
from .test_host_group import requests, run
from .test_inventory import balancer

network = test_host_group.network  # the fixture


def test_pools_are_looked_for_before_the_first_host(azure, network):
    lb = balancer(azure, network)
    wrong = lb["pools"]["hosts"].replace("/hosts", "/host")
    refused, sent = requests(azure, lambda: run(azure, network, load_balancer_pools=[wrong]))
    assert refused["msg"] == "load_balancer_pools: the load balancer lb has no backend pool 'host' (it has: hosts): correct the id."
    assert all(entry["method"] == "GET" for entry in sent)
    nowhere = lb["pools"]["hosts"].replace("/lb/", "/lb2/")
    planned = run(azure, network, load_balancer_pools=[nowhere], check=True)
    assert not planned["failed"] and "the load balancer 'lb2' does not exist" in planned["missing"][0]
    assert not run(azure, network, count=1, load_balancer_pools=[lb["pools"]["hosts"]])["failed"]


def test_an_image_that_is_not_there(azure, network):
    image = f"/subscriptions/{azure.lab.env['AZURE_SUBSCRIPTION_ID']}/resourceGroups/{network}/providers/Microsoft.Compute/images/golden"
    azure.admin.fault(method="GET", path="images/golden", status=404, code="ResourceNotFound", message="It was not found.")
    refused, sent = requests(azure, lambda: run(azure, network, image=image))
    assert refused["msg"] == (
        f"image: there is no image '{image}' that this client can see: correct the id, or give the client the role Reader on it."
    )
    assert all(entry["method"] == "GET" for entry in sent)


def test_termination_notice(azure, network):
    assert run(azure, network, count=1, termination_notice=4)["msg"] == (
        "termination_notice: 4 minutes are not possible: give a number from 5 to 15, or 0 for no notice."
    )
    assert not run(azure, network, count=1, termination_notice=10)["failed"]
    assert not run(azure, network, count=1, termination_notice=10)["changed"] and not run(azure, network, count=1)["changed"]
    path = f"resourceGroups/{network}/providers/Microsoft.Compute/virtualMachines/web-1"
    profile = azure.arm("GET", path)[1]["properties"]["scheduledEventsProfile"]["terminateNotificationProfile"]
    assert profile == {"enable": True, "notBeforeTimeout": "PT10M"}
    assert run(azure, network, count=1, termination_notice=0)["changed"]
    assert not run(azure, network, count=1, termination_notice=0)["changed"]


def _hosts(azure, network):
    return sorted(name for kind, name in azure.resources(network) if kind == "virtualMachines")


def test_replaced_hosts_go_when_the_new_ones_are_there(azure, network):
    old, new = {"count": 3}, {"count": 3, "image": "Debian:debian-12:12-gen2:latest", "immutable_changes": "replace"}
    assert not run(azure, network, **old)["failed"]
    planned = run(azure, network, check=True, **new)
    assert planned["removing"] == ["web-3", "web-2", "web-1"] and planned["outdated"] == []
    reasons = {entry["name"]: entry["reason"] for entry in planned["plan"] if entry["type"].endswith("/virtualMachines")}
    assert reasons["web-4"] == "replaces web-1" and reasons["web-1"] == "is replaced by web-4"
    azure.admin.fault(path="virtualMachines/web-5/create vm", operation={"code": "AllocationFailed", "message": "No room."})
    failed = run(azure, network, **new)
    assert "AllocationFailed" in failed["msg"] and [entry["host"] for entry in failed["failures"]] == ["web-5"]
    assert _hosts(azure, network) == ["web-2", "web-4", "web-5", "web-6"], "the host whose replacement failed stays"
    azure.admin.clear_faults()
    done = run(azure, network, **new)
    assert not done["failed"] and [host["name"] for host in done["hosts"]] == ["web-4", "web-5", "web-6"] == _hosts(azure, network)
    assert not run(azure, network, **new)["changed"]
    assert [name for kind, name in azure.resources(network) if kind == "networkInterfaces"] == ["web-4-nic", "web-5-nic", "web-6-nic"]


def test_an_old_host_stays_until_docker_answers_on_its_replacement(azure, network):
    assert not run(azure, network, count=2)["failed"]
    waiting = run(
        azure, network, count=2, image="Debian:debian-12:12-gen2:latest", immutable_changes="replace", serial=1, wait_for="docker", wait_timeout=1
    )
    assert "Docker does not answer after 1 seconds on web-3" in waiting["msg"] and "web-1" in waiting["msg"]
    assert _hosts(azure, network) == ["web-1", "web-2", "web-3"], "one at a time, and nothing goes"
