# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files and locks on a real file system."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from ansible_collections.dockhost.azure.plugins.module_utils._docker_host import apply, apt, command, probe
from ansible_collections.dockhost.azure.plugins.module_utils._docker_host.packages import HostError

HOLD = "import fcntl, sys; f = open(sys.argv[1], 'w'); fcntl.lockf(f, fcntl.LOCK_EX); print('held', flush=True); sys.stdin.read()"


@pytest.fixture
def lock(tmp_path):
    """A lock that another process holds, as dpkg's are held, and that process."""
    path = str(tmp_path / "lock")
    with subprocess.Popen([sys.executable, "-c", HOLD, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout.readline() == b"held\n"
        yield path, holder
        holder.stdin.close()


def test_lock_holder(lock):
    path, holder = lock
    assert apt.lock_holder(path) == (path, holder.pid)
    holder.stdin.close()
    holder.wait()
    assert apt.lock_holder(path) is None
    assert apt.lock_holder(path + "-missing") is None


def test_waiting_ends_with_the_name_of_the_holder(lock, monkeypatch):
    path, holder = lock
    monkeypatch.setattr(apt, "_LOCKS", (path,))
    with pytest.raises(apt.LockHeld, match=rf"-c import fcntl.* \(process {holder.pid}\) has held {path} for the 0 s"):
        apt.wait_for_locks(0)


def test_write_is_whole_and_leaves_nothing_behind(tmp_path):
    path = tmp_path / "new" / "daemon.json"
    apply.write(str(path), "{}\n")
    apply.write(str(path), '{"debug": true}\n')
    assert path.read_text() == '{"debug": true}\n'
    assert path.stat().st_mode & 0o777 == 0o644
    assert os.listdir(path.parent) == ["daemon.json"]
    apply.write(str(path), None)
    apply.write(str(path), None)
    assert not path.exists()


def test_in_swarm(tmp_path):
    assert not probe.in_swarm(str(tmp_path))
    (tmp_path / "swarm").mkdir()
    (tmp_path / "swarm" / "docker-state.json").write_text('{"LocalAddr": "10.0.0.4"}')
    assert probe.in_swarm(str(tmp_path))


def test_commands():
    assert command.run("sh", "-c", "echo out; echo err >&2; exit 3") == command.Result(3, "out\n", "err\n")
    with pytest.raises(HostError, match=r"'sh -c echo broken >&2; exit 3' failed \(3\): broken"):
        command.check("sh", "-c", "echo broken >&2; exit 3")
    with pytest.raises(HostError, match="The command no-such-command is not on this host"):
        command.run("no-such-command")
    with pytest.raises(HostError, match=r"did not end within 0\.1 s"):
        command.run("sleep", "5", timeout=0.1)


def test_users():
    probe.check_users(["root"])
    with pytest.raises(HostError, match="this host has no user no-such-user"):
        probe.check_users(["root", "no-such-user"])
