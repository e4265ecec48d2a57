# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which hosts stay, which come and which go, by rule."""

from __future__ import annotations

import pytest
from ansible_collections.dockhost.azure.plugins.module_utils._plan import host_slots


def machine(name, zone="1", made=""):
    return {"name": name, "zones": [zone], "tags": {}, "properties": {"timeCreated": made} if made else {}}


def three_zones(*numbers):
    return [machine(f"web-{n}", str((n - 1) % 3 + 1), f"2026-01-{20 - n:02d}T00:00:00Z") for n in numbers]


CASES = [
    # here, count, rule, first, numbers
    ((), 3, "newest", (), [1, 2, 3]),
    ((1, 2, 3), 0, "newest", (), []),
    ((1, 2, 3), 2, "newest", (), [1, 2]),
    ((1, 3), 2, "newest", (), [1, 3]),
    ((1, 3), 3, "newest", (), [1, 2, 3]),
    ((3, 9), 4, "newest", (), [1, 2, 3, 9]),
    ((1, 2, 3), 2, "oldest", (), [1, 2]),  # higher numbers were made earlier here
    ((1, 2, 3), 1, "oldest", (), [1]),
    ((1, 2, 3, 4), 3, "balance_zones", (), [1, 2, 3]),  # 1 and 4 are in one zone
    ((1, 4, 5), 2, "balance_zones", (), [1, 5]),
    ((1, 2, 4, 5, 7), 3, "balance_zones", (), [1, 2, 4]),  # 7 of zone 1, then 5 as the highest of two full zones
    ((1, 2, 3), 2, "newest", ("WEB-1",), [2, 3]),
    ((1, 2, 3), 1, "newest", ("web-1",), [2]),
    ((2, 3), 2, "newest", ("web-2",), [2, 3]),  # asked for again: nothing goes any more
    ((1, 2), 1, "newest", ("web-7",), [1]),
]


@pytest.mark.parametrize("here, count, rule, first, numbers", CASES)
def test_numbers(here, count, rule, first, numbers):
    machines = three_zones(*here)
    for order in (machines, machines[::-1]):
        slots = host_slots.by_count("web", count, order, rule, first)
        assert [slot.index for slot in slots] == numbers
        assert [slot.rank for slot in slots] == list(range(1, count + 1))
    again = host_slots.by_count("web", count, three_zones(*numbers), rule, first)
    assert [slot.index for slot in again] == numbers


def test_without_times_the_lowest_number_is_the_oldest():
    machines = [machine("web-1"), machine("web-2"), machine("web-10")]
    assert [slot.index for slot in host_slots.by_count("web", 2, machines, "oldest")] == [2, 10]


@pytest.mark.parametrize("name", ["db", "web-", "web-x", "web-0", "web-01", "webb-1", "web-1-2"])
def test_hosts_of_other_names_have_no_number(name):
    assert [slot.name for slot in host_slots.by_count("web", 1, [machine(name)])] == ["web-1"]
