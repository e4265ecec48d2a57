# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An engine that went on alone and does not listen for gossip is started anew, one that does is left alone."""

from __future__ import annotations

import socket
import threading

import pytest
from ansible_collections.dockhost.azure.plugins.module_utils._docker_host.command import Result
from ansible_collections.dockhost.azure.plugins.module_utils._docker_host.packages import HostError
from ansible_collections.dockhost.azure.plugins.module_utils._engine.errors import EngineUnreachable
from ansible_collections.dockhost.azure.plugins.module_utils._maintenance import swarm_state
from ansible_collections.dockhost.azure.plugins.module_utils._swarm import cluster, gossip, local, recovery
from ansible_collections.dockhost.azure.plugins.module_utils._swarm.model import Local, Member, SwarmRefused

SWARM = {"LocalNodeState": "active", "ControlAvailable": True, "NodeID": "n", "NodeAddr": "10.0.0.4", "Cluster": {"ID": "c"}, "Managers": 1}


class Engine:
    """A manager that went on alone. ``starting``: how often it does not answer, since it is being started."""

    def __init__(self):
        self.starting, self.done = 0, []

    def info(self):
        if self.starting:
            self.starting -= 1
            raise EngineUnreachable("Connection refused")
        return {"Swarm": SWARM, "ServerVersion": "26.1.5"}

    def get(self, path, **query):
        self.info()
        return [{"ID": "n"}] if path == "/nodes" else {"ID": "c", "Version": {"Index": 1}, "Spec": {"Labels": {}}}

    def post(self, path, body=None, **query):
        self.done.append(path)

    def batch(self, questions):
        return [self.info(), self.get("/swarm")]


@pytest.fixture
def commands(monkeypatch):
    """What systemctl was told."""
    ran: list = []
    monkeypatch.setattr(gossip.command, "run", lambda *words, **options: ran.append(words) or Result(0, "", ""))
    return ran


@pytest.mark.parametrize("deaf", [False, True])
@pytest.mark.parametrize("how", ["restore", "recover"])
def test_an_engine_that_is_or_may_be_deaf_is_started_anew(monkeypatch, commands, deaf, how):
    engine = Engine()

    def check(*words, **options):
        commands.append(words)
        engine.starting = 2
        return ""

    monkeypatch.setattr(gossip.command, "check", check)
    monkeypatch.setattr(gossip, "is_deaf", lambda: engine.done == ["/swarm/init"] and deaf)
    if how == "restore":
        swarm_state._take_over(engine, {"cluster_id": "c"}, {"advertise_address": "10.0.0.4", "unlock_key": ""})
    else:
        recovery.recover(engine, {}, 5)
    anew = [("systemctl", "reset-failed", "docker.socket", "docker.service"), ("systemctl", "restart", "docker.service")]
    assert commands == (anew if deaf or how == "recover" else [])
    assert engine.starting == 0 and engine.done[0] == "/swarm/init"


@pytest.mark.parametrize("closes_after, deaf", [(None, False), (0.2, True)])
def test_a_socket_that_does_not_stay_is_the_old_nodes(monkeypatch, closes_after, deaf):
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setattr(gossip, "GOSSIP_PORT", server.getsockname()[1])
        monkeypatch.setattr(gossip, "_INTERVAL", 0.02)
        timer = threading.Timer(closes_after or 9, server.close)
        timer.start()
        assert gossip.is_deaf(patience=0.1, stays=0.6) is deaf
        timer.cancel()


def test_what_systemd_says_is_told(monkeypatch, commands):
    def check(*words, **options):
        raise HostError("systemctl restart docker.service failed: no room.")

    monkeypatch.setattr(gossip.command, "check", check)
    with pytest.raises(SwarmRefused, match="moby issue 36860.*no room. Restart docker.service on this host"):
        gossip.restart_engine()


@pytest.mark.parametrize("trouble, told", [(local.REFUSED, True), ("timed out", False)])
def test_a_port_of_a_node_that_is_refused_may_be_a_deaf_engine(monkeypatch, trouble, told):
    monkeypatch.setattr(local, "check_ports", lambda *given: [f"10.0.0.5 does not answer on TCP port 7946 ({trouble})"])
    there = [{"Spec": {}}, [{"ID": "n", "Description": {"Hostname": "b"}, "Spec": {"Role": "worker"}, "Status": {"State": "ready", "Addr": "10.0.0.5"}}]]

    class Listing:
        def batch(self, questions):
            return there

    with pytest.raises(SwarmRefused) as refused:
        cluster.verify(Listing(), Local(), [Member("b", local=Local(state="active", node_id="n"))], True, 1)
    assert ("moby issue 36860" in str(refused.value)) is told
