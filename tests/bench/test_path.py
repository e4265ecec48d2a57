# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The measure of the benchmarks: the slowest chain that nothing can avoid."""

from __future__ import annotations

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from path import critical, throttled  # noqa: E402


def operation(effect, name, seconds):
    return {"effect": effect, "id": "/subscriptions/s/resourceGroups/g/providers/" + name, "delay": seconds}


NIC, ADDRESS, MACHINE = "Microsoft.Network/networkInterfaces/", "Microsoft.Network/publicIPAddresses/", "Microsoft.Compute/virtualMachines/"
TWO = [
    operation("put networkInterfaces", NIC + "web-1-nic", 2.0), operation("create vm", MACHINE + "web-1", 30.0),
    operation("put networkInterfaces", NIC + "web-2-nic", 1.0), operation("create vm", MACHINE + "web-2", 40.0),
]  # fmt: skip
SHARED = [operation("put x", "Microsoft.Network/networkSecurityGroups/nsg", 3.0), operation("put x", "Microsoft.Network/virtualNetworks/net", 4.0)]


@pytest.mark.parametrize("operations, seconds", [
    ([], 0.0), (TWO, 41.0), (SHARED, 7.0), (SHARED + TWO, 48.0),
    ([*TWO, operation("put publicIPAddresses", ADDRESS + "web-1-ip", 12.0)], 44.0),
    ([operation("update vm", MACHINE + "web-1", 5.0), operation("put networkInterfaces", NIC + "web-1-nic", 2.0)], 5.0),
    ([*SHARED, operation("put scale set", "Microsoft.Compute/virtualMachineScaleSets/web", 20.0), operation("create vm", MACHINE + "web_0", 30.0)], 57.0),
    ([operation("put scale set", "Microsoft.Compute/virtualMachineScaleSets/web_lock", 20.0), *TWO], 41.0),
    ([operation("delete vm", MACHINE + "web-1", 20.0), operation("delete vm", MACHINE + "web-2", 30.0)], 30.0),
])  # fmt: skip
def test_critical_path(operations, seconds):
    assert critical(operations) == pytest.approx(seconds)


@pytest.mark.parametrize("writes, floor, ratio", [(4, 30.0, 2.0), (200, 30.0, 2.0), (1000, 110.0, 0.545)])
def test_what_the_bucket_allows(writes, floor, ratio):
    found = throttled(TWO, {"GET": 50, "PUT": writes}, 60.0)
    assert (found["bucket_floor_s"], found["bucket_ratio"]) == (floor, ratio)
    assert throttled(TWO, {"GET": 50, "PUT": writes + 7}, 60.0, refused=7) == found


def test_the_slowest_chain_of_token_and_machine():
    """Of 400 hosts whose interfaces come first the 800th write has its token after 60 s; a machine that takes long counts from its own token."""
    interfaces = [operation("put networkInterfaces", NIC + f"web-{n}-nic", 2.0) for n in range(400)]
    machines = [operation("create vm", MACHINE + f"web-{n}", 45.0 if n == 349 else 30.0) for n in range(400)]
    found = throttled([*interfaces, *machines], {"PUT": 800}, 110.0)
    assert (found["bucket_floor_s"], found["bucket_path_s"], found["bucket_path_ratio"]) == (90.0, 100.0, 1.1)
    early = throttled([*interfaces, machines[349], *machines[:349], *machines[350:]], {"PUT": 800}, 110.0)
    assert early["bucket_path_s"] == 90.0, "who knew it would have sent it first"
    assert throttled(TWO, {"PUT": 4}, 60.0)["bucket_path_s"] == 41.0
