# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When a drained node may go, and what a recovery does before it changes anything."""

from __future__ import annotations

import copy
import os
import stat
import subprocess
import tarfile

import pytest
from ansible_collections.dockhost.azure.plugins.module_utils._engine.client import Engine
from ansible_collections.dockhost.azure.plugins.module_utils._engine.errors import EngineError
from ansible_collections.dockhost.azure.plugins.module_utils._swarm.cluster import moving_tasks, remove
from ansible_collections.dockhost.azure.plugins.module_utils._swarm.model import Local, Step, SwarmRefused
from ansible_collections.dockhost.azure.plugins.module_utils._swarm.recovery import back_up, refuse_locked, refuse_needless


def task(state, node="other", error=""):
    return {"ID": "t", "NodeID": node, "Status": {"State": state, "Err": error}}


@pytest.mark.parametrize(
    "found, moving",
    [
        (task("running"), False),
        (task("starting"), True),
        (task("preparing"), True),
        (task("pending", ""), True),
        (task("pending", "", "no suitable node (max replicas per node limit exceed)"), False),
        (task("running", "leaving"), False),
        (task("failed"), False),
    ],
)
def test_which_tasks_are_still_on_their_way(found, moving):
    assert bool(moving_tasks([found], "leaving")) is moving


@pytest.fixture
def engine_folder(tmp_path):
    """What an engine keeps, and a process in its place."""
    folder = tmp_path / "docker"
    (folder / "swarm" / "certificates").mkdir(parents=True)
    (folder / "swarm" / "certificates" / "swarm-node.key").write_text("-----BEGIN PRIVATE KEY-----\n")
    (folder / "swarm" / "raft").mkdir()
    (folder / "swarm" / "raft" / "wal").write_text("entries")
    os.mkfifo(folder / "swarm" / "control.sock")
    process = subprocess.Popen(["sleep", "60"])
    pid = tmp_path / "docker.pid"
    pid.write_text(str(process.pid))
    yield folder, pid, process
    process.kill()
    process.wait()


def state_of(process):
    with open(f"/proc/{process.pid}/stat", encoding="ascii") as file:
        return file.read().rpartition(")")[2].split()[0]


def test_the_backup_holds_all_and_the_engine_goes_on(engine_folder, tmp_path):
    folder, pid, process = engine_folder
    path = tmp_path / "backups" / "swarm.tar.gz"
    back_up(str(folder), str(path), [str(pid)])
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with tarfile.open(path) as archive:
        names = archive.getnames()
        assert archive.extractfile("swarm/raft/wal").read() == b"entries"
    assert "swarm/certificates/swarm-node.key" in names and "swarm/control.sock" not in names
    assert state_of(process) in "SR"


def test_the_engine_goes_on_when_the_backup_fails(engine_folder, tmp_path):
    folder, pid, process = engine_folder
    with pytest.raises(OSError):
        back_up(str(folder / "nothing"), str(tmp_path / "b" / "swarm.tar.gz"), [str(pid)])
    assert state_of(process) in "SR"


def test_without_a_process_to_halt_nothing_is_copied(tmp_path):
    with pytest.raises(SwarmRefused, match="nothing was changed"):
        back_up(str(tmp_path), str(tmp_path / "b" / "swarm.tar.gz"), [str(tmp_path / "none.pid")])


def test_a_swarm_with_autolock_is_refused(engine_folder):
    folder, _pid, _process = engine_folder
    refuse_locked(str(folder))
    (folder / "swarm" / "certificates" / "swarm-node.key").write_text("-----BEGIN ENCRYPTED PRIVATE KEY-----\n")
    with pytest.raises(SwarmRefused, match="moby issue 36852.*Nothing was changed"):
        refuse_locked(str(folder))


@pytest.mark.parametrize(
    "before, words",
    [(Local(state="active"), "no manager of a swarm"), (Local(state="active", manager=True, leads=True), "nothing to recover")],
)
def test_recovery_without_need_is_refused(before, words):
    with pytest.raises(SwarmRefused, match=words):
        refuse_needless(before)


class Raft(Engine):
    """An engine that leads a swarm with the manager m2, which is down and leaves raft some looks after it was demoted."""

    def __init__(self, looks):
        super().__init__("/nowhere")
        self.looks, self.asked = looks, []
        self.node = {
            "ID": "m2",
            "Version": {"Index": 7},
            "Spec": {"Role": "manager", "Availability": "active", "Labels": {}},
            "Description": {"Hostname": "m2"},
            "Status": {"State": "down", "Addr": "192.0.2.2"},
            "ManagerStatus": {"Reachability": "unreachable", "Addr": "192.0.2.2:2377"},
        }

    def request(self, method, path, query=None, body=None, **more):
        self.asked.append(f"{method} {path.partition('?')[0]}")
        if method == "POST":
            self.node["Spec"] = body
        elif method == "GET":
            if self.node["Spec"]["Role"] == "worker":
                self.looks -= 1
                if self.looks < 0:
                    self.node.pop("ManagerStatus", None)
            return copy.deepcopy(self.node)
        elif "ManagerStatus" in self.node:
            raise EngineError(400, "node m2 is a cluster manager and is a member of the raft cluster. It must be demoted to worker before removal")
        return {}


def test_a_manager_that_is_removed_has_left_raft_before():
    engine = Raft(looks=3)
    assert remove(engine, Step("remove", "m2", node_id="m2", reason="gone"), timeout=5) == []
    at = engine.asked.index("POST /nodes/m2/update")
    assert engine.asked[at + 1 :] == ["GET /nodes/m2"] * 4 + ["DELETE /nodes/m2"]


def test_a_manager_that_stays_in_raft_is_not_removed():
    engine = Raft(looks=10**6)
    with pytest.raises(SwarmRefused, match=r"m2 did not leave the managers within 0\.1 s\."):
        remove(engine, Step("remove", "m2", node_id="m2", reason="gone"), timeout=0.1)
    assert "DELETE /nodes/m2" not in engine.asked
