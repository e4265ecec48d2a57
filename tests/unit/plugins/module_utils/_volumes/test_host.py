# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check mode on a host that gets its engine and its programs in the same run, and what is refused there all the same."""

from __future__ import annotations

import os

import pytest
from ansible_collections.dockhost.azure.plugins.module_utils._engine.client import Engine
from ansible_collections.dockhost.azure.plugins.module_utils._engine.errors import EngineUnreachable
from ansible_collections.dockhost.azure.plugins.module_utils._volumes import host, units

ENTRY = {"type": "disk", "uid": os.getuid(), "gid": os.getgid(), "file_mode": "0644", "dir_mode": "0755"}


def volumes(folder, **entry):
    return units.volumes_of({**ENTRY, **entry}, str(folder), "myaccount", "file.core.windows.net")


def test_a_host_without_engine_is_told_what_would_be_made_and_nothing_is(tmp_path):
    engine = Engine(str(tmp_path / "no.sock"))
    wanted = [*volumes(tmp_path, name="rows"), *volumes(tmp_path, name="uploads", type="smb")]
    told = host.converge(engine, wanted, {"myaccount": "c2VjcmV0"}, True, True)
    assert "volume rows" in told.done and "volume uploads" in told.done and "credentials of myaccount" in told.done
    assert os.listdir(tmp_path) == []
    assert not host.remove(engine, volumes(tmp_path, name="rows"), True).changed


def test_a_key_that_is_missing_is_refused_in_check_mode_too(tmp_path):
    with pytest.raises(units.VolumeRefused, match="no key for the storage account myaccount of volume uploads"):
        host.converge(Engine(str(tmp_path / "no.sock")), volumes(tmp_path, name="uploads", type="smb"), {}, True, True)


def test_without_check_mode_the_engine_has_to_be_there(tmp_path):
    with pytest.raises(EngineUnreachable):
        host.converge(Engine(str(tmp_path / "no.sock")), volumes(tmp_path, name="rows"), {}, True, False)
    assert os.listdir(tmp_path) == []


def test_an_engine_that_may_not_be_used_is_an_error_in_check_mode_too(monkeypatch, tmp_path):
    def refuse(*dummy):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("socket.socket.connect", refuse)
    with pytest.raises(EngineUnreachable, match="become: true"):
        host.converge(Engine(str(tmp_path / "engine.sock")), volumes(tmp_path, name="rows"), {}, True, True)
