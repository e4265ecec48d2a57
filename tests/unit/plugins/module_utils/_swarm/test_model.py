# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nodes as the API tells them, a host's view as it travels, and whether the kernel has IPVS."""

from __future__ import annotations

import os

import socket
import threading

import pytest
from ansible_collections.dockhost.azure.plugins.module_utils._swarm import mesh
from ansible_collections.dockhost.azure.plugins.module_utils._engine.client import Engine
from ansible_collections.dockhost.azure.plugins.module_utils._swarm.local import check_ports
from ansible_collections.dockhost.azure.plugins.module_utils._swarm.model import Local, Node

# From GET /nodes of Engine 26.1.5, shortened.
MANAGER = {
    "ID": "x1imwslsld9tooq9mgpid8wey",
    "Spec": {"Labels": {"dockhost.zone": "1"}, "Role": "manager", "Availability": "active"},
    "Description": {"Hostname": "h1"},
    "Status": {"State": "ready", "Addr": "0.0.0.0"},
    "ManagerStatus": {"Leader": True, "Reachability": "reachable", "Addr": "172.29.8.11:2377"},
}
WORKER = {
    "ID": "ms6eqqlyca1vsgkl8sb1uxy0e",
    "Spec": {"Labels": None, "Role": "worker", "Availability": "drain"},
    "Description": {"Hostname": "h2"},
    "Status": {"State": "down", "Addr": "172.29.8.12"},
}

ENGINE = Engine("/nonexistent")  # ports are tried without it


def test_nodes():
    assert Node.from_api(MANAGER) == Node(
        "x1imwslsld9tooq9mgpid8wey", "h1", "manager", "active", {"dockhost.zone": "1"}, "ready", "172.29.8.11", True, True
    )
    assert Node.from_api(WORKER) == Node("ms6eqqlyca1vsgkl8sb1uxy0e", "h2", "worker", "drain", {}, "down", "172.29.8.12", None, False)


@pytest.mark.parametrize(
    "node, counts",
    [
        (Node("n", "h", "manager", reachable=True), True),
        (Node("n", "h", "manager", reachable=False, state="down"), True),
        (Node("n", "h", "worker", reachable=True), True),  # a demotion is under way
        (Node("n", "h", "manager", reachable=None), True),  # a promotion is under way
        (Node("n", "h", "manager", reachable=None, state="down"), False),  # of before a forced new cluster
        (Node("n", "h", "worker"), False),
    ],
)
def test_who_counts_for_the_majority(node, counts):
    assert node.in_raft is counts


def test_a_hosts_view_survives_its_travel():
    local = Local("active", "n1", "c1", True, True, "10.0.0.4", "h1", ("10.0.0.4:2377",), "", "26.1.5", False)
    assert Local.from_dict(local.to_dict()) == local
    assert Local.from_dict(None) == Local()
    assert Local.from_dict({"state": "active", "something new": 1}) == Local(state="active")


def test_the_kernel_answers_for_families_that_it_has():
    assert mesh._answers(b"nlctrl")
    assert not mesh._answers(b"nonesuch")


@pytest.mark.parametrize("line, found", [("kernel/net/netfilter/ipvs/ip_vs.ko\n", True), ("kernel/net/ipvs/ip_vs_rr.ko\n", False)])
def test_built_in(tmp_path, line, found):
    directory = tmp_path / os.uname().release
    directory.mkdir()
    (directory / "modules.builtin").write_text(line)
    assert mesh._built_in(str(tmp_path)) is found


def test_nothing_is_built_in_where_nothing_is_known(tmp_path):
    assert not mesh._built_in(str(tmp_path))


def test_modprobe_is_asked_without_loading(tmp_path):
    for code, answer in ((0, True), (1, False)):
        modprobe = tmp_path / "modprobe"
        modprobe.write_text(f'#!/bin/sh\n[ "$*" = "-n -q ip_vs" ] || exit 9\nexit {code}\n')
        modprobe.chmod(0o755)
        assert mesh._loadable(str(tmp_path)) is answer
    modprobe.unlink()
    assert not mesh._loadable(str(tmp_path))


def test_ports_that_do_not_answer_are_named():
    assert "127.0.0.1 does not answer on TCP port 1 (" in check_ports(ENGINE, ["127.0.0.1"], (1,), opening=0)[0]


def test_a_port_that_opens_a_moment_later_is_waited_for():
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))  # bound, and refused until somebody listens
        opener = threading.Timer(0.3, server.listen)
        opener.start()
        assert check_ports(ENGINE, ["127.0.0.1"], (server.getsockname()[1],), opening=20) == [None]
        opener.join()
