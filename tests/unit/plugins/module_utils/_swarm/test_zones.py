# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How many managers, which ones, and in which zones."""

from __future__ import annotations

import re

import pytest
from ansible_collections.dockhost.azure.plugins.module_utils._swarm.model import MANAGER, WORKER, Cluster, Local, Member, Node, Step, SwarmRefused
from ansible_collections.dockhost.azure.plugins.module_utils._swarm.zones import ZONE, check_count, check_growth, choose, trouble


def member(name, zone="", role=MANAGER):
    return Member(name, role, local=Local(node_id=f"n-{name}"), labels={ZONE: zone} if zone else {})


def swarm(*managers):
    return Cluster("c1", tuple(Node(f"n-{name}", name, MANAGER, labels={ZONE: zone}) for name, zone in managers))


HOSTS = [member("a", "1"), member("b", "1"), member("c", "2"), member("d", "2"), member("e", "3"), member("f", "3")]


@pytest.mark.parametrize(
    "members, cluster, count, expected",
    [
        (HOSTS, None, 3, "ace"),
        (HOSTS, None, 5, "abcde"),
        (HOSTS, None, 1, "a"),
        (HOSTS, swarm(("b", "1"), ("d", "2"), ("f", "3")), 3, "bdf"),
        (HOSTS, swarm(("b", "1")), 3, "bce"),
        # Two managers in one zone: the third zone gets one of them.
        (HOSTS, swarm(("a", "1"), ("b", "1"), ("c", "2")), 3, "ace"),
        # A run on some of the hosts: managers outside of it keep their places.
        (HOSTS[:2], swarm(("c", "2"), ("e", "3")), 3, "a"),
        ([member("x"), member("y"), member("z")], swarm(("z", "")), 1, "z"),
        ([member("w", "1", WORKER), member("x", "2")], None, 1, "x"),
    ],
)
def test_who_becomes_manager(members, cluster, count, expected):
    chosen = choose(members, cluster, members[0].name, count)
    assert "".join(one.name for one in chosen if one.role == MANAGER) == expected
    assert [one.name for one in chosen] == [one.name for one in members]


def test_the_choice_stays_once_it_was_made():
    first = choose(HOSTS, None, "f", 3)
    made = swarm(*((one.name, one.labels[ZONE]) for one in first if one.role == MANAGER))
    assert choose(HOSTS, made, "a", 3) == first
    assert first[5].role == MANAGER  # the host that acts is one of them


@pytest.mark.parametrize("count", [1, 3, 5, 7])
def test_numbers_that_make_sense(count):
    check_count(count)


@pytest.mark.parametrize(
    "count, words",
    [
        (0, "needs a manager"),
        (2, "2 managers need 2 for a majority, so they tolerate the loss of 0, as 1 do"),
        (4, "4 managers need 3 for a majority, so they tolerate the loss of 1, as 3 do"),
        (9, "agreed on by 5 managers"),
    ],
)
def test_numbers_that_do_not(count, words):
    with pytest.raises(SwarmRefused, match=words):
        check_count(count)


@pytest.mark.parametrize(
    "zones, words",
    [
        ("123", None),
        ("1", None),
        (["", "", ""], None),
        ("112", r"Zone 1 alone holds 2 of 3 managers \(0, 1\): without it 1 would be left, and a majority needs 2"),
        ("111", "Zone 1 alone holds 3 of 3"),
        ("11223", None),
        ("11123", "Zone 1 alone holds 3 of 5"),
    ],
)
def test_a_zone_with_the_majority(zones, words):
    told = trouble([member(str(index), zone) for index, zone in enumerate(zones)])
    if words is None:
        assert told is None
    else:
        assert re.match(words, told)


JOIN_B, PROMOTE_B = Step("join", "b"), Step("update", "b", "n-b", {"role": ("worker", "manager")})


@pytest.mark.parametrize(
    "managers, steps, total, fine",
    [
        ("", [Step("init", "a"), JOIN_B], 2, False),
        ("", [Step("init", "a"), JOIN_B], 3, True),  # the third one is in a later batch
        ("a", [PROMOTE_B], 2, False),
        ("ac", [PROMOTE_B], 2, True),  # one of three is powered off, and its inventory does not list it
        ("acd", [Step("remove", "c", "n-c"), JOIN_B], 3, True),
        ("ab", [], 2, True),
        ("abc", [Step("remove", "c", "n-c")], 2, True),
    ],
)
def test_a_plan_that_adds_managers_ends_with_a_number_that_makes_sense(managers, steps, total, fine):
    cluster = swarm(*((name, "") for name in managers)) if managers else None
    if fine:
        check_growth(HOSTS, cluster, steps, total)
    else:
        with pytest.raises(SwarmRefused, match="2 managers are asked for"):
            check_growth(HOSTS, cluster, steps, total)
