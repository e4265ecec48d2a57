# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where data lie, which containers rest meanwhile, and what a restore checks before it replaces anything."""

from __future__ import annotations

import os

import pytest
from ansible_collections.dockhost.azure.plugins.module_utils._maintenance import archive, create, restore, volume
from ansible_collections.dockhost.azure.plugins.module_utils._maintenance.archive import ArchiveError


class Engine:
    """An engine with one volume, and containers that obey."""

    def __init__(self, folder, containers=()):
        self.volume = {"Name": "files", "Driver": "local", "Mountpoint": str(folder), "Labels": {"a": "b"}, "Options": None}
        self.containers, self.done = list(containers), []

    def find(self, path):
        return self.volume if path == "/volumes/files" else None

    def get(self, path, **query):
        if query.get("filters", {}).get("label") or query.get("filters", {}).get("name"):
            return []
        return self.containers

    def post(self, path, body=None):
        self.done.append(path.split("/", 2)[2])
        if path.endswith("/stop"):
            self.containers = []

    def info(self):
        return {"DockerRootDir": self.volume["Mountpoint"]}


RUNNING = {"Id": "c1", "State": "running", "Labels": {}, "Names": ["/web"]}
TASK = {"Id": "c2", "State": "running", "Labels": {volume.SERVICE_LABEL: "shop_web"}, "Names": ["/shop_web.1"]}
PARAMS = {"name": "files", "volume": "files", "swarm": False, "consistency": "pause", "before": [], "after": [], "service": None}


@pytest.mark.parametrize(
    "change, words",
    [
        ({"Driver": "rexray"}, "is kept by the driver rexray"),
        ({"Options": {"type": "nfs", "device": ":/x", "o": "addr=1"}}, r"Volume files \(nfs\) is mounted only while a container uses it"),
        ({"Mountpoint": "/none/such"}, "The directory /none/such of volume files does not exist"),
    ],
)
def test_volumes_that_cannot_be_read(tmp_path, change, words):
    engine = Engine(tmp_path)
    engine.volume.update(change)
    with pytest.raises(ArchiveError, match=words):
        volume.directory_of(engine.volume)


def test_a_bound_directory_is_found_though_nothing_runs(tmp_path):
    bound = {"Name": "x", "Driver": "local", "Mountpoint": "/none", "Options": {"type": "none", "o": "bind", "device": str(tmp_path)}}
    assert volume.directory_of(bound) == str(tmp_path)


@pytest.mark.parametrize("consistency, done", [("pause", ["c1/pause", "c1/unpause"]), ("stop", ["c1/stop", "c1/start"]), ("none", [])])
def test_containers_rest_and_go_on_also_when_it_fails(tmp_path, consistency, done):
    engine = Engine(tmp_path, [RUNNING, {"Id": "c9", "State": "paused"}])
    with pytest.raises(KeyError), volume.quiet(engine, "files", consistency):
        raise KeyError
    assert engine.done == done


def test_a_task_of_a_swarm_is_not_stopped_by_hand(tmp_path):
    engine = Engine(tmp_path, [RUNNING, TASK])
    words = r"Container shop_web\.1 of service shop_web still uses volume files on this host: .*docker rm -f shop_web\.1"
    with pytest.raises(ArchiveError, match=words), volume.quiet(engine, "files", "stop"):
        pass
    assert engine.done == ["c1/stop", "c1/start"]


@pytest.fixture
def saved(tmp_path):
    """An engine whose volume was archived, the archive, and its manifest."""
    data = tmp_path / "_data"
    data.mkdir(mode=0o711)
    (data / "file").write_text("precious")
    engine = Engine(data, [RUNNING])
    path = str(tmp_path / "files.gz")
    manifest = create.create(engine, {**PARAMS, "path": path}, False)
    assert engine.done == ["c1/pause", "c1/unpause"]
    manifest["host"] = "web-1"
    (data / "file").write_text("rubbish")
    (data / "more").mkdir()
    engine.done.clear()
    return engine, data, {"path": path, "manifest": manifest, "overwrite": True, "volume": "", "service": "", "load": [], "user": "", "unlock_key": None}


def test_check_mode_tells_and_makes_nothing(tmp_path):
    engine = Engine(tmp_path, [RUNNING])
    manifest = create.create(engine, {**PARAMS, "path": str(tmp_path / "files.gz")}, True)
    assert (manifest["kind"], manifest["volume"], engine.done) == ("volume", "files", []) and not (tmp_path / "files.gz").exists()
    assert create.create(engine, {**PARAMS, "volume": "none", "path": "x"}, False) is None


def test_restore_replaces_all_of_it(saved):
    engine, data, params = saved
    assert restore.check(engine, params)["entries"] == 2 and engine.done == []
    restore.restore(engine, params)
    assert os.listdir(data) == ["file"] and (data / "file").read_text() == "precious" and os.stat(data).st_mode & 0o777 == 0o711
    assert engine.done == ["c1/stop", "c1/start"]


@pytest.mark.parametrize("running", [False, True])
def test_the_list_of_containers_may_be_behind(saved, running):
    engine, data, params = saved
    stopped = []
    engine.find = lambda path: {"State": {"Running": running}} if path == "/containers/c1/json" else engine.volume if path == "/volumes/files" else None
    engine.post = lambda path, body=None: stopped.append(path)  # and the list goes on to show it
    if running:
        with pytest.raises(ArchiveError, match="is still used by container web: stop it first. Nothing was changed"):
            restore.restore(engine, params)
    else:
        restore.restore(engine, params)
    assert ((data / "file").read_text() == "rubbish") == running and stopped == ["/containers/c1/stop", "/containers/c1/start"]


def test_data_are_replaced_only_when_that_is_said(saved):
    engine, data, params = saved
    with pytest.raises(ArchiveError, match=r"holds data \(2 entries\), which a restore would replace: say overwrite"):
        restore.check(engine, {**params, "overwrite": False})
    assert (data / "file").read_text() == "rubbish" and engine.done == []


def test_an_archive_that_fails_while_it_is_unpacked_harms_nothing(saved, monkeypatch):
    engine, data, params = saved
    monkeypatch.setattr(archive, "UNPACK", ("tar", "--no-such-option"))
    with pytest.raises(ArchiveError, match="could not be unpacked"):
        restore.restore(engine, params)
    assert sorted(os.listdir(data)) == ["file", "more"] and (data / "file").read_text() == "rubbish" and engine.done == ["c1/stop", "c1/start"]


def test_what_an_interrupted_restore_left_is_in_no_ones_way(saved):
    engine, data, params = saved
    for leftover in (restore.STAGE, restore.BEFORE):
        (data / leftover).mkdir()
        (data / leftover / "old").write_text("x")
    restore.restore(engine, params)
    assert os.listdir(data) == ["file"]


class Starting:
    """An engine whose newest container of a service becomes healthy when it was looked at for the third time."""

    def __init__(self):
        self.looks = 0

    def get(self, path, filters):
        if "label" not in filters or not filters["label"][0].startswith(volume.SERVICE_LABEL):
            return []
        self.looks += 1
        return [{"Id": "new", "Status": "Up 2 seconds (healthy)" if self.looks > 2 else "Up 1 second (health: starting)"}]


def test_a_database_that_starts_is_waited_for(monkeypatch):
    monkeypatch.setattr(volume, "_INTERVAL", 0)
    engine = Starting()
    assert volume.container_of(engine, "db")["Status"].endswith("(healthy)") and engine.looks == 3
    assert volume.container_of(Starting(), "db", patience=-1)["Status"].endswith("starting)")


class Projects:
    """An engine with service db of project my_shop, and one of another project."""

    def get(self, path, filters):
        containers = [{"Id": "1", "project": "other", "service": "db"}, {"Id": "2", "project": "my_shop", "service": "db"}]
        wanted = dict(label.split("=") for label in filters.get("label", ["none=none"]))
        names = {volume.PROJECT: "project", volume.SERVICE: "service"}
        return [one for one in containers if all(one.get(names.get(label)) == value for label, value in wanted.items())]


def test_a_service_of_a_compose_project_is_called_as_in_a_stack():
    assert volume.container_of(Projects(), "my_shop_db")["Id"] == "2"
    assert volume.container_of(Projects(), "db")["Id"] == "1"
    assert volume.container_of(Projects(), "shop_db") is None


@pytest.mark.parametrize(
    "change, words",
    [
        ({"load": []}, "name the command that loads it"),
        ({"overwrite": False}, "replaces what it holds: say overwrite"),
        ({}, "No container of service db runs on this host"),
    ],
)
def test_dumps_that_cannot_be_loaded(saved, change, words):
    engine, _data, params = saved
    params = {**params, "service": "db", "load": ["mariadb"], **change}
    params["manifest"]["kind"] = "dump"
    with pytest.raises(ArchiveError, match=words):
        restore.check(engine, params)


def test_a_password_in_mount_options_gets_into_no_manifest():
    options = {"type": "cifs", "device": "//x/y", "o": "addr=x,username=u,password=hunter2,vers=3.0"}
    assert create._shown(options)["o"] == "addr=x,username=u,vers=3.0"
