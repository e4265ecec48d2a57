# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""daemon.json: what a change costs, what is refused."""

from __future__ import annotations

import pytest
from ansible_collections.dockhost.azure.plugins.module_utils._docker_host import daemon
from ansible_collections.dockhost.azure.plugins.module_utils._docker_host.packages import HostError

TLS = {"tlsverify": True, "tlscacert": "/ca", "tlscert": "/cert", "tlskey": "/key"}


@pytest.mark.parametrize(
    "before, after, effect",
    [
        (None, {}, daemon.NOTHING),
        (None, {"debug": True}, daemon.RESTART),
        ({}, {}, daemon.NOTHING),
        ({"a": [1, 2]}, {"a": [1, 2]}, daemon.NOTHING),
        ({}, {"labels": ["a=b"]}, daemon.RELOAD),
        ({"labels": ["a=b"]}, {"labels": ["a=c"], "debug": True}, daemon.RELOAD),
        # A reload does not undo a label that the file no longer has.
        ({"labels": ["a=b"]}, {}, daemon.RESTART),
        # It does undo these.
        ({"shutdown-timeout": 30}, {}, daemon.RELOAD),
        ({"max-concurrent-downloads": 3}, {"registry-mirrors": ["https://m"]}, daemon.RELOAD),
        ({"live-restore": True}, {"live-restore": False}, daemon.RELOAD),
        ({}, {"log-driver": "local"}, daemon.RESTART),
        ({"labels": ["a=b"]}, {"labels": ["a=c"], "log-opts": {"max-size": "1m"}}, daemon.RESTART),
        ({}, {"features": {"containerd-snapshotter": True}}, daemon.RESTART),
    ],
)
def test_effect(before, after, effect):
    assert daemon.effect(before, after) == effect


@pytest.mark.parametrize(
    "content, options", [(None, None), ("", {}), ("{}", {}), ('{"debug": true}', {"debug": True}), ("{", None), ("[1]", None)]
)
def test_parse(content, options):
    assert daemon.parse(content) == options


def test_text_is_the_same_for_the_same_options():
    assert daemon.text({"b": 1, "a": {"d": 2, "c": 3}}) == daemon.text({"a": {"c": 3, "d": 2}, "b": 1})
    assert daemon.parse(daemon.text({"b": 1})) == {"b": 1}


@pytest.mark.parametrize(
    "options, choice, in_swarm, live",
    [
        ({}, "auto", False, True),
        ({}, "auto", True, False),
        ({}, "yes", False, True),
        ({}, "no", False, False),
        ({"live-restore": False}, "yes", False, False),
        ({"live-restore": True}, "no", False, True),
    ],
)
def test_live_restore(options, choice, in_swarm, live):
    assert daemon.with_live_restore(options, choice, in_swarm)["live-restore"] is live


@pytest.mark.parametrize("options, choice", [({}, "yes"), ({"live-restore": True}, "auto")])
def test_live_restore_is_refused_in_a_swarm(options, choice):
    with pytest.raises(HostError, match="does not start with live-restore"):
        daemon.with_live_restore(options, choice, True)


@pytest.mark.parametrize(
    "options, words",
    [
        ({"hosts": ["unix:///var/run/docker.sock", "tcp://0.0.0.0:2375"]}, "tcp://0.0.0.0:2375 without mutual TLS"),
        ({"hosts": ["fd://", "tcp://10.0.0.4:2376"], **TLS, "tlsverify": False}, "without mutual TLS"),
        ({"hosts": ["fd://", "tcp://10.0.0.4:2376"], **{**TLS, "tlscacert": ""}}, "without mutual TLS"),
        ({"hosts": ["tcp://10.0.0.4:2376"], **TLS}, "unix:///var/run/docker.sock must be among them"),
        ({"hosts": "fd://"}, "a list of addresses"),
    ],
)
def test_refused(options, words):
    with pytest.raises(HostError, match=words):
        daemon.check(options)


@pytest.mark.parametrize(
    "options", [{}, {"hosts": ["fd://"]}, {"hosts": ["unix:///var/run/docker.sock", "tcp://10.0.0.4:2376"], **TLS}]
)
def test_accepted(options):
    daemon.check(options)


def test_drop_in():
    assert daemon.drop_in({}, "/usr/sbin/dockerd") is None
    text = daemon.drop_in({"hosts": ["unix:///var/run/docker.sock"]}, "/usr/sbin/dockerd")
    assert "\nExecStart=\nExecStart=/usr/sbin/dockerd --containerd" in text
    assert "-H fd://" not in text.split("[Service]")[1]
