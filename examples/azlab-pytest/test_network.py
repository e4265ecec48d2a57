# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What one wants to know of a playbook before it meets Azure."""
from __future__ import annotations

from conftest import Playbook

from azlab.testing import RunningLab

VNET = "resourceGroups/rg-web/providers/Microsoft.Network/virtualNetworks/web-vnet"
WRITES = ("PUT", "PATCH", "POST", "DELETE")


def writes(azure: RunningLab) -> list[str]:
    return [f"{r['method']} {r['path'].rsplit('/', 1)[1]}" for r in azure.admin.requests()
            if r["method"] in WRITES and "/oauth2/" not in r["path"]]


def test_it_makes_the_network(azure: RunningLab, playbook: Playbook) -> None:
    assert playbook("network.yml")["changed"] == 2
    status, network, dummy = azure.arm("GET", VNET)
    assert status == 200
    assert [subnet["properties"]["addressPrefix"] for subnet in network["properties"]["subnets"]] == ["10.20.1.0/24"]


def test_a_second_run_writes_nothing(azure: RunningLab, playbook: Playbook) -> None:
    playbook("network.yml")
    azure.admin.clear_requests()
    assert playbook("network.yml")["changed"] == 0
    assert writes(azure) == []


def test_check_mode_writes_nothing(azure: RunningLab, playbook: Playbook) -> None:
    assert playbook("network.yml", "--check")["failed"] == 0
    assert writes(azure) == []


def test_what_somebody_changed_is_put_right(azure: RunningLab, playbook: Playbook) -> None:
    playbook("network.yml")
    azure.arm("DELETE", VNET + "/subnets/web")
    assert playbook("network.yml")["changed"] == 1
    assert azure.arm("GET", VNET + "/subnets/web")[0] == 200


def test_a_write_that_fails_can_be_run_again(azure: RunningLab, playbook: Playbook) -> None:
    """Azure takes the request and its operation fails, as when something is wrong in the region."""
    azure.admin.fault(path="virtualNetworks/web-vnet", operation={"code": "InternalServerError", "message": "Try again later."})
    failed = playbook("network.yml")
    assert failed["failed"] == 1 and "Try again later." in failed["output"]
    assert playbook("network.yml")["failed"] == 0
    assert azure.arm("GET", VNET)[1]["properties"]["provisioningState"] == "Succeeded"
