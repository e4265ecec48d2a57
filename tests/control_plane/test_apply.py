# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the engine does when Azure is busy, broken or refuses, on the module network."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from ansible_collections.dockhost.azure.plugins.module_utils._azure import retry

EVERYTHING = [
    ("natGateways", "nat"), ("networkSecurityGroups", "nsg"), ("publicIPAddresses", "nat-ip"), ("virtualNetworks", "net"),
]


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """The same policy, at a pace for tests."""
    monkeypatch.setattr(retry, "BROKEN_STEPS", (0.01,) * 6)
    monkeypatch.setattr(retry, "BUSY_STEPS", (0.01,))


@pytest.fixture
def wanted(azure, group):
    yield {
        "resource_group": group, "location": "westeurope", "name": "net", "address_prefixes": ["10.60.0.0/16"],
        "subnets": [{"name": "hosts", "address_prefix": "10.60.1.0/24", "security_group": "nsg", "nat_gateway": "nat"}],
        "security_groups": [{"name": "nsg", "rules": [{"name": "ssh", "priority": 100}]}],
        "nat_gateways": [{"name": "nat", "public_ip": "nat-ip"}],
        "public_ips": [{"name": "nat-ip"}],
    }
    azure.admin.clear_faults()


def under(group):
    return "resourceGroups/{0}/".format(group)


def test_steps_start_when_their_own_dependencies_are_done(azure, wanted):
    """The network waits for the NAT gateway; the security group waits for nothing, and its slowness delays only the network."""
    azure.admin.fault(method="PUT", path="networkSecurityGroups", delay=0.6)
    azure.run("network", wanted)
    order = [item["path"].split("?")[0].rsplit("/", 1)[-1] for item in azure.writes() if item["method"] == "PUT"]
    assert order.index("nat-ip") < order.index("nat") < order.index("net")
    assert order.index("net") == len(order) - 1
    assert azure.resources(wanted["resource_group"]) == EVERYTHING


FAULTS = {
    "throttled": {"status": 429, "code": "SubscriptionRequestsThrottled", "headers": {"Retry-After": "1"}},
    "busy": {"status": 429, "code": "RetryableError", "message": "can be retried in 1 seconds."},
    "conflict": {"status": 409, "code": "AnotherOperationInProgress"},
    "broken": {"status": 500},
    "unavailable": {"status": 503},
    "cut before": {"cut": "before"},
    "cut after": {"cut": "after"},
    "expired token": {"status": 401, "code": "ExpiredAuthenticationToken"},
}


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_refusals_that_pass_are_waited_for(azure, wanted, fault):
    """Whichever request of the run meets them."""
    azure.run("network", wanted, check=True)
    azure.admin.clear_requests()
    azure.run("network", wanted)
    mine = under(wanted["resource_group"]).lower()
    total = len([item for item in azure.admin.requests(limit=1000) if mine in item["path"].lower()])
    assert total >= 12
    azure.run("network", dict(wanted, state="absent"))
    # Cut connections at every request; of the others a sample (make faults tries each).
    for index in range(1, total + 1, 1 if fault.startswith("cut") else 4):
        azure.admin.fault(path=mine, nth=index, **FAULTS[fault])
        result = azure.run("network", wanted)
        azure.admin.clear_faults()
        assert not result["failed"], (index, result["msg"])
        assert azure.resources(wanted["resource_group"]) == EVERYTHING, index
        assert not azure.run("network", wanted)["changed"], index
        gone = azure.run("network", dict(wanted, state="absent"))
        assert not gone["failed"], (index, gone["msg"])


def test_an_operation_that_fails_is_one_error_and_the_next_run_converges(azure, wanted):
    azure.admin.fault(method="PUT", path="natGateways", operation={"code": "InternalExecutionError", "message": "It broke."})
    failed = azure.run("network", wanted)
    assert failed["failed"] and failed["msg"] == (
        "Failed to create NAT gateway nat: InternalExecutionError: It broke. (2 of 4 steps done; running again continues from here)"
    )
    assert failed["error"]["code"] == "InternalExecutionError" and failed["error"]["message"] == "It broke."
    azure.admin.clear_faults()
    converged = azure.run("network", wanted)
    assert not converged["failed"], converged
    assert azure.resources(wanted["resource_group"]) == EVERYTHING
    assert not azure.run("network", wanted)["changed"]


def test_success_first_and_failure_later_is_an_error(azure, group):
    """A load balancer's first answer says Succeeded while its operation still runs."""
    balancer = {"resource_group": group, "location": "westeurope", "name": "lb", "public_ip": "lb-ip", "backend_pools": ["hosts"]}
    azure.admin.fault(method="PUT", path="loadBalancers", operation={"code": "InternalExecutionError"})
    failed = azure.run("load_balancer", balancer)
    azure.admin.clear_faults()
    assert failed["failed"] and failed["msg"].startswith("Failed to create load balancer lb: ProvisioningFailed: ")
    again = azure.run("load_balancer", balancer)
    assert [(step["action"], step["name"], step["reason"]) for step in again["plan"]] == [
        ("update", "lb", "is in the state Failed, asked for again"),
    ]
    assert not azure.run("load_balancer", balancer)["changed"]


@pytest.mark.parametrize("fault", ["throttled", "broken", "cut before"], ids=str)
def test_an_endpoint_that_is_busy_is_asked_again_what_it_is(azure, group, fault):
    azure.admin.fault(path="/metadata/endpoints", **FAULTS[fault])
    result = azure.run("resource_group", {"name": group, "location": "westeurope"})
    azure.admin.clear_faults()
    assert not result["failed"], result["msg"]


def test_a_refusal_that_does_not_pass_ends_at_once(azure, wanted):
    azure.admin.fault(method="PUT", path="publicIPAddresses", status=400, code="PublicIPCountLimitReached", message="Too many.", times=0)
    azure.admin.clear_requests()
    failed = azure.run("network", wanted)
    assert failed["msg"] == (
        "Failed to create public IP address nat-ip: PublicIPCountLimitReached: Too many. (1 of 4 steps done; running again continues "
        "from here)"
    )
    puts = [item for item in azure.writes() if "publicIPAddresses" in item["path"]]
    assert len(puts) == 1
    assert azure.resources(wanted["resource_group"]) == [("networkSecurityGroups", "nsg")]


def test_azure_that_stays_broken_is_given_up(azure, wanted):
    azure.admin.fault(method="PUT", path="publicIPAddresses", status=503, code="ServiceUnavailable", message="Later.", times=0)
    failed = azure.run("network", wanted)
    assert failed["failed"] and "ServiceUnavailable: Later." in failed["msg"]
    assert len([item for item in azure.writes() if "publicIPAddresses" in item["path"]]) == 1 + len(retry.BROKEN_STEPS)


RUNNER = """
import json, sys
from ansible.module_utils.testing import patch_module_args
from ansible_collections.dockhost.azure.plugins.modules import network
with patch_module_args(json.loads(sys.argv[1])):
    network.main()
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=str)
def test_a_signal_stops_the_run_after_what_is_under_way(azure, wanted, number):
    azure.admin.fault(method="PUT", path="natGateways", delay=3)
    environment = dict(os.environ, PYTHONPATH=os.pathsep.join(sys.path), **azure.lab.env)
    process = subprocess.Popen([sys.executable, "-c", RUNNER, json.dumps(wanted)], env=environment, stdout=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 20
    while ("publicIPAddresses", "nat-ip") not in azure.resources(wanted["resource_group"]):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    time.sleep(0.5)
    process.send_signal(number)
    out = process.communicate(timeout=20)[0]
    result = json.loads(out.strip().splitlines()[-1])
    assert result["failed"] and result["msg"].startswith("The run was interrupted after "), result
    assert ("virtualNetworks", "net") not in azure.resources(wanted["resource_group"])
    azure.admin.clear_faults()
    assert not azure.run("network", wanted)["failed"]
    assert azure.resources(wanted["resource_group"]) == EVERYTHING
