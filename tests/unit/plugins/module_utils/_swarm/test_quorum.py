# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The arithmetic of raft."""

from __future__ import annotations

import itertools

import pytest
from ansible_collections.dockhost.azure.plugins.module_utils._swarm.model import Cluster, Node, SwarmRefused
from ansible_collections.dockhost.azure.plugins.module_utils._swarm.quorum import Managers, majority


@pytest.mark.parametrize("managers, needed", [(1, 1), (2, 2), (3, 2), (4, 3), (5, 3), (7, 4)])
def test_majority(managers, needed):
    assert majority(managers) == needed


def managers_of(up, down=0):
    nodes = [Node(f"up{i}", f"up{i}", "manager", reachable=True) for i in range(up)]
    nodes += [Node(f"down{i}", f"down{i}", "manager", state="down", reachable=False) for i in range(down)]
    return Managers(Cluster("c", (*nodes, Node("w", "w"))))


@pytest.mark.parametrize(
    "up, down, step, message",
    [
        (3, 0, "stop", None),
        (2, 1, "stop", "stopping up0 would leave 1 of 3 managers reachable; a majority needs 2"),
        (2, 0, "stop", "stopping up0 would leave 1 of 2 managers reachable; a majority needs 2"),
        (1, 0, "stop", "stopping up0 would leave 0 of 1 managers reachable; a majority needs 1"),
        (3, 0, "remove", None),
        (2, 0, "remove", None),
        (2, 1, "remove", "demoting up0 would leave 1 of 2 managers reachable; a majority needs 2"),
        (3, 2, "remove", "demoting up0 would leave 2 of 4 managers reachable; a majority needs 3"),
        (1, 0, "remove", "demoting up0 would leave the swarm without a manager"),
    ],
)
def test_losing_one(up, down, step, message):
    managers = managers_of(up, down)
    if message is None:
        getattr(managers, step)("up0", "up0")
    else:
        with pytest.raises(SwarmRefused, match=message):
            getattr(managers, step)("up0", "up0")
        assert len(managers.reachable) == up, "a refused step must not count as taken"


def test_taking_out_the_dead_comes_first():
    managers = managers_of(2, 1)
    managers.remove("down0", "down0")
    managers.remove("up0", "up0")
    assert managers.members == {"up1"}


def test_a_worker_is_no_matter():
    managers = managers_of(2, 1)
    managers.remove("w", "w")
    assert len(managers.members) == 3


def test_a_host_that_is_known_to_be_gone_does_not_count_as_reachable():
    nodes = tuple(Node(f"n{i}", f"n{i}", "manager", reachable=True) for i in range(3))
    with pytest.raises(SwarmRefused, match="demoting n1 would leave 1 of 2"):
        Managers(Cluster("c", nodes), dead={"n2"}).remove("n1", "n1")


@pytest.mark.parametrize("up, down", list(itertools.product(range(1, 6), range(0, 5))))
def test_no_step_ever_loses_the_majority(up, down):
    """Try every step in every state that has a majority, and look at what it left."""
    if up < majority(up + down):
        return
    for step, name in (("stop", "up0"), ("remove", "up0"), ("remove", "down0"), ("promote", "new")):
        managers = managers_of(up, down)
        try:
            getattr(managers, step)(name, name)
        except SwarmRefused:
            pass
        assert len(managers.reachable) >= majority(len(managers.members))
