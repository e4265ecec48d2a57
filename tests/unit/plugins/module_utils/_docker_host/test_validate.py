# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the daemon is asked when it checks a daemon.json whose certificates are not in their place yet."""

from __future__ import annotations

import json
import pathlib

import pytest
from ansible_collections.dockhost.azure.plugins.module_utils._docker_host import apply, daemon, extras
from ansible_collections.dockhost.azure.plugins.module_utils._docker_host.command import Result
from ansible_collections.dockhost.azure.plugins.module_utils._docker_host.packages import HostError

PATHS = {"tlscacert": extras.TLS_FILES["ca"], "tlscert": extras.TLS_FILES["certificate"], "tlskey": extras.TLS_FILES["key"]}
OPTIONS = {"debug": True, "tlsverify": True, **PATHS}


@pytest.fixture
def asked(monkeypatch):
    """The configuration that the daemon was given, with the texts of its certificates."""
    seen = {}

    def run(*argv):
        seen.update(json.loads(pathlib.Path(argv[-1]).read_text()))
        for name in PATHS:
            place = pathlib.Path(seen.get(name, "/nowhere"))
            seen[name] = place.read_text() if place.exists() else None
        return seen.get("answer", Result(0, "", "")) if not seen.get("bad") else Result(1, "", f"unable to configure: {argv[-1]}: bad")

    monkeypatch.setattr(apply, "run", run)
    monkeypatch.setattr(apply.probe, "dockerd", lambda: "/usr/sbin/dockerd")
    return seen


def test_certificates_that_are_to_be_written_are_lent(asked):
    apply.validate(daemon.text(OPTIONS), {path: name for name, path in PATHS.items()})
    assert {name: asked[name] for name in PATHS} == {name: name for name in PATHS} and asked["tlsverify"]


def test_certificates_that_are_nowhere_are_left_out_in_check_mode_only(asked):
    apply.validate(daemon.text(OPTIONS), {}, check_mode=True)
    assert "tlsverify" not in asked and asked["debug"]
    apply.validate(daemon.text(OPTIONS), {})
    assert asked["tlsverify"]


def test_the_error_names_the_real_file(asked):
    with pytest.raises(HostError, match=r"the engine refuses this configuration, .*: unable to configure: /etc/docker/daemon\.json: bad"):
        apply.validate(daemon.text({"bad": True}), {})
