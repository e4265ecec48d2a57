# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What went wrong with which hosts: one sentence for each cause."""

from __future__ import annotations

import pytest
from ansible_collections.dockhost.azure.plugins.module_utils._apply import StepResult
from ansible_collections.dockhost.azure.plugins.module_utils._errors import AzureError, TransportError
from ansible_collections.dockhost.azure.plugins.module_utils._hosts.failures import HostsError, failures, sentences
from ansible_collections.dockhost.azure.plugins.module_utils._model.resource import Resource, Step
from ansible_collections.dockhost.azure.plugins.module_utils._plan.host_refusals import next_step

VM, NIC = "Microsoft.Compute/virtualMachines", "Microsoft.Network/networkInterfaces"


def failed(name, error, type_=VM, action="create", operation=""):
    step = Step(id=f"{action} {name}", action=action, resource=Resource(id=f"/x/{name}", type=type_), operation=operation)
    return StepResult(step, "failed", 1.0, None, error)


def test_hosts_with_one_cause_share_a_sentence():
    quota = AzureError("OperationNotAllowed", "Operation results in exceeding quota limits of Core.")
    found = failures([
        failed("web-1-nic", AzureError("Conflict", "Busy."), NIC), failed("web-2", quota), failed("web-3", quota),
        failed("web-4", TransportError("Connection cut."), action="delete"), failed("web-5", AzureError("InternalExecutionError", "Oh"), operation="restart"),
        StepResult(Step(id="k", action="create", resource=Resource(id="/x/web-6", type=VM)), "done"),
    ])  # fmt: skip
    assert [failure["host"] for failure in found] == ["web-1", "web-2", "web-3", "web-4", "web-5"]
    assert sentences(found) == [
        "Host web-1 could not be made: Conflict: Busy.",
        "Hosts web-2, web-3 could not be made: OperationNotAllowed: Operation results in exceeding quota limits of Core. To go on: ask for more "
        "cores at https://portal.azure.com/#view/Microsoft_Azure_Capacity/QuotaMenuBlade, or lower count.",
        "Host web-4 could not be removed: ConnectionFailed: Connection cut. To go on: check the connection to Azure and run again.",
        "Host web-5 did not restart: InternalExecutionError: Oh.",
    ]
    assert HostsError(sentences(found[:1]), found[:1], "The end.").result() == {"failures": found[:1]}


def test_the_inner_error_is_told_too():
    error = AzureError("Conflict", "It failed.", details=[{"code": "VMAgentStatusCommunicationError", "message": "No agent."}])
    assert failures([failed("web-1", error)])[0]["message"] == "It failed. VMAgentStatusCommunicationError: No agent."


@pytest.mark.parametrize(
    "code, message, words",
    [
        ("ZonalAllocationFailed", "", "other zones"),
        ("AllocationFailed", "", "another size or region"),
        ("SkuNotAvailable", "", "another size"),
        ("OSProvisioningTimedOut", "", "serial log"),
        ("OperationNotAllowed", "exceeding quota limits", "QuotaMenuBlade"),
        ("AuthorizationFailed", "", "Contributor"),
    ],
)
def test_next_step(code, message, words):
    assert words in next_step(code, message)
    assert next_step("OperationNotAllowed", "VM is being deallocated") == ""
