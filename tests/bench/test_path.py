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
