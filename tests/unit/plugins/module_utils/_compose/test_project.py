# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Compose project: its files, what is refused, what is planned, and that no secret is shown."""

from __future__ import annotations

import base64
import dataclasses
import os
import struct

import pytest
from ansible.errors import AnsibleActionFail
from ansible_collections.dockhost.azure.plugins.action.compose import read_folder
from ansible_collections.dockhost.azure.plugins.module_utils._compose import files, live, model, plan
from ansible_collections.dockhost.azure.plugins.module_utils._compose.live import Container
from ansible_collections.dockhost.azure.plugins.module_utils._compose.model import File, Request
from ansible_collections.dockhost.azure.plugins.module_utils._docker_host.packages import HostError

SHOP = Request("shop", definition={"services": {}})
WEB = Container("1", "shop-web-1", "web", "h1", "sha256:a", "web:1", "running", "healthy")


def source(**texts):
    return {name: {"content": base64.b64encode(text.encode()).decode(), "executable": name.endswith(".sh")} for name, text in texts.items()}


# -- what it is to be -------------------------------------------------------------------------------------


def test_what_is_closer_to_the_task_wins():
    request = Request(
        "shop", source_files=source(**{"compose.yaml": "a", "run.sh": "b", "x": "c"}), files={"x": "d"}, definition={"services": {}},
        environment={"A": 1}, secrets={"db": "s"}, secrets_mode="0444",
    )  # fmt: skip
    found = model.wanted_files(request)
    assert found["compose.yaml"].content == b'{\n  "services": {}\n}\n'
    assert found["x"] == File(b"d") and found["run.sh"] == File(b"b", 0o700)
    assert found[".env"] == File(b"A='1'\n", secret=True) and found["secrets/db"] == File(b"s", 0o444, True)


VALUES = ["plain", "", "with space", "it's", 'say "x"', "a$b ${C}", "back\\slash", "two\nlines", "'\n\\$\"", True, None, 80]


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_a_variable_means_its_value_whatever_is_in_it(value):
    text = model.environment_text({"BEFORE": "1", "NAME": value, "ZLAST": "it's"})
    wanted = {True: "true", None: ""}.get(value, str(value))
    assert plan.parse_environment(text) == {"BEFORE": "1", "NAME": wanted, "ZLAST": "it's"}


def test_a_variable_within_a_value_is_no_variable():
    text = model.environment_text({"A": "it's $HOME", "B": "$HOME"})
    assert text == 'A="it\'s \\$HOME"\nB=\'$HOME\'\n'


@pytest.mark.parametrize(
    "change, words",
    [
        ({"name": "Shop"}, "name: 'Shop' cannot name a project"),
        ({"directory": "opt/x"}, "directory: opt/x cannot be"),
        ({"directory": "/etc/"}, "directory: /etc/ cannot be"),
        ({"secrets_mode": "600x"}, "secrets_mode"),
        ({"files_mode": "rw"}, "files_mode"),
        ({"environment": {"A": 1}, "environment_secrets": {"A": 2}}, "environment: A is in environment_secrets too"),
        ({"environment": {"A-B": 1}}, "environment: 'A-B' cannot name"),
        ({"environment": {"A": [1]}}, "environment: A is a list"),
        ({"secrets": {"../x": "1"}}, "secrets: '../x' cannot name"),
        ({"files": {"../x": "1"}}, "files: '../x' is outside"),
        ({"files": {"/x": "1"}}, "files: '/x' is outside"),
        ({"files": {".dockhost/state.json": "1"}}, "is outside"),
        ({"compose_files": ["compose.yaml", "more.yaml"]}, "compose_files: more.yaml is not among the project's files (compose.yaml)"),
        ({"definition": None}, "compose_files: compose.yaml is not among the project's files (there are none)"),
    ],
)
def test_what_cannot_work_is_refused(change, words):
    with pytest.raises(HostError) as caught:
        model.check(dataclasses.replace(SHOP, **change))
    assert words in str(caught.value)


def test_a_project_that_goes_needs_no_files():
    model.check(SHOP)
    model.check(Request("shop", state="absent"))


# -- files on the host ------------------------------------------------------------------------------------


def test_files_are_written_noted_and_removed_and_others_stay(tmp_path):
    folder = str(tmp_path / "opt" / "shop")
    first = {"compose.yaml": File(b"1"), "conf/a.conf": File(b"a"), "secrets/db": File(b"s", 0o444, True)}
    files.put(folder, first)
    files.write_state(folder, files.noted(first))
    (tmp_path / "opt" / "shop" / "theirs").write_text("x")
    actual = files.read(folder, files.read_state(folder))
    assert actual == first and os.stat(folder).st_mode & 0o777 == 0o700
    write, gone = files.differing({"compose.yaml": File(b"1"), "conf/b.conf": File(b"b")}, actual, folder)
    assert (write, gone) == (["conf/b.conf"], ["conf/a.conf", "secrets/db"])
    files.remove(folder, gone)
    assert sorted(os.listdir(folder)) == [".dockhost", "compose.yaml", "theirs"]


def test_another_mode_and_a_missing_file_are_changes(tmp_path):
    folder = str(tmp_path / "shop")
    wanted = {"a": File(b"1"), "b": File(b"2")}
    files.put(folder, wanted)
    os.chmod(os.path.join(folder, "a"), 0o644)
    os.unlink(os.path.join(folder, "b"))
    assert files.differing(wanted, files.read(folder, files.noted(wanted)), folder) == (["a", "b"], [])


def test_the_good_version_is_whole_or_none(tmp_path):
    folder = str(tmp_path / "shop")
    files.make_folder(folder)
    version = {"compose.yaml": File(b"1"), "secrets/db": File(b"s", 0o444, True)}
    state = files.keep_good(folder, version, files.noted(version), {"web:1": "sha256:a"})
    assert files.good(folder, state) == version == files.good(folder, files.read_state(folder))
    os.unlink(os.path.join(folder, files.GOOD, "compose.yaml"))
    assert files.good(folder, state) == {} == files.good(folder, {})


def test_a_folder_of_the_controller(tmp_path):
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "config").write_text("x")
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "run.sh").write_bytes(b"\x00\xff")
    (tmp_path / "conf" / "run.sh").chmod(0o755)
    assert read_folder(str(tmp_path)) == {"conf/run.sh": {"content": "AP8=", "executable": True}}
    (tmp_path / "conf" / "passwd").symlink_to("/etc/passwd")
    with pytest.raises(AnsibleActionFail, match="leads out of the folder"):
        read_folder(str(tmp_path))


# -- what to do -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "service, hashes, found, images, recreate, wanted",
    [
        ({}, {"web": "h1"}, [WEB], {}, {}, None),
        ({}, {"web": "h1"}, [], {}, {}, "create"),
        ({"scale": 0}, {"web": "h1"}, [], {}, {}, None),
        ({}, {"web": "h2"}, [WEB], {}, {}, "update: its configuration differs"),
        ({"labels": {}}, None, [WEB], {}, {}, "update: its configuration differs"),
        ({}, {"web": "h1"}, [WEB], {"web:1": "sha256:b"}, {}, "update: web:1 is another image now"),
        ({}, {"web": "h1"}, [WEB], {"web:1": "sha256:a"}, {"web": "conf"}, "update: its file conf differs"),
        ({"deploy": {"replicas": 2}}, {"web": "h1"}, [WEB], {}, {}, "scale: from 1 to 2"),
        ({}, {"web": "h1"}, [dataclasses.replace(WEB, status="exited")], {}, {}, "start"),
        ({}, {"web": "h1"}, [dataclasses.replace(WEB, status="exited", ends=True)], {}, {}, None),
        ({}, {"web": "h1"}, [dataclasses.replace(WEB, status="exited", ends=True, exit_code=1)], {}, {}, "start"),
        # Unhealthy is no difference that a start would change: the wait tells it.
        ({}, {"web": "h1"}, [dataclasses.replace(WEB, health="unhealthy")], {}, {}, None),
    ],
)
def test_what_happens_to_a_service(service, hashes, found, images, recreate, wanted):
    before = {"services": {"web": {}}}
    steps = plan.services({"services": {"web": service}}, before, hashes, found, images, recreate)
    assert [step["action"] + (f": {step['detail']}" if step["detail"] else "") for step in steps] == ([wanted] if wanted else [])


def test_services_whose_mounted_files_change():
    project = {
        "services": {
            "a": {"secrets": [{"source": "db"}]},
            "b": {"configs": [{"source": "site"}]},
            "c": {"volumes": [{"type": "bind", "source": "/p/conf"}, {"type": "volume", "source": "data"}]},
            "d": {"volumes": [{"type": "bind", "source": "/p/con"}], "build": {"context": "/p"}},
        },
        "secrets": {"db": {"file": "/p/secrets/db"}, "outside": {"external": True}},
        "configs": {"site": {"file": "/p/site.conf"}},
    }
    assert plan.touched(project, "/p", ["secrets/db", "site.conf", "conf/x", "compose.yaml"]) == {"a": "secrets/db", "b": "site.conf", "c": "conf/x"}


def test_networks_and_the_like_and_orphans():
    steps = plan.parts({"networks": {"a": {}, "b": {"x": 1}}}, {"networks": {"b": {}, "c": {}}, "volumes": {"v": {}}})
    assert [(step["action"], step["type"], step["name"]) for step in steps] == [
        ("create", "network", "a"), ("update", "network", "b"), ("drop", "network", "c"), ("drop", "volume", "v"),
    ]  # fmt: skip
    assert plan.orphans({"web"}, [WEB, dataclasses.replace(WEB, service="old")]) == ["old"]


def test_no_secret_is_shown_and_a_change_of_one_is():
    old = {"services": {"web": {"environment": {"URL": "db://u:hunter22@h", "DB_PASSWORD": "direct", "A": "1"}}}}
    new = {"services": {"web": {"environment": {"URL": "db://u:other333@h", "DB_PASSWORD": "direct2", "A": "2"}}}}
    (piece,) = plan.show(new, old, ["hunter22", "other333"])
    assert '"A": "1"' in piece["before"] and '"A": "2"' in piece["after"] and "db://u:********@h" in piece["after"]
    assert not any(word in str(piece) for word in ("hunter22", "other333", "direct"))
    assert plan.HIDDEN in piece["before"] and plan.OTHER in piece["after"]


def test_variables_and_secret_files_are_told_by_name():
    actual = {".env": File(b"A='1'\nKEY='old-one'\n", secret=True), "secrets/db": File(b"sss", 0o600, True), "x": File(b"before\n")}
    wanted = {".env": File(b"A='2'\nKEY='new-one'\n", secret=True), "secrets/db": File(b"ttt", 0o600, True), "x": File(b"after new-one\n")}
    shown = {item["after_header"]: item for item in plan.show_files(wanted, actual, wanted, (), {"KEY"}, ["new-one", "old-one"])}
    assert shown[".env"]["before"] == "A=1\nKEY=(hidden)\n" and shown[".env"]["after"] == "A=2\nKEY=(hidden, another value)\n"
    assert shown["secrets/db"]["after"] == "(hidden, another value)\n" and shown["x"]["after"] == "after ********\n"


def test_values_of_the_version_before_are_hidden_too():
    found = plan.hidden_of("A='1'\nTHE_TOKEN='tok'\nX='y'\n", {"X"}, {"secrets/a": File(b"file", secret=True), "b": File(b"no")})
    assert sorted(found) == ["file", "tok", "y"]


def test_short_secrets_do_not_hide_everything():
    assert plan.mask('{"a": "1", "b": "11"}', ["1"]) == '{"a": "********", "b": "11"}'
    assert plan.mask('x a"b\\n', ['a"b\\n']) == "x ********"


# -- what containers say ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change, wrong, fine",
    [
        ({}, "", True),
        ({"health": "none"}, "", True),
        ({"health": "starting"}, "", False),
        ({"health": "unhealthy", "probe": "refused"}, "is unhealthy (its check says: refused)", False),
        ({"status": "restarting", "restarts": 1}, "", False),
        ({"restarts": 3, "exit_code": 7}, "ends again and again, last with exit code 7", False),
        ({"status": "exited", "exit_code": 0, "ends": True}, "", True),
        ({"status": "exited", "exit_code": 0}, "has ended with exit code 0", False),
        ({"status": "exited", "exit_code": 1, "ends": True}, "has ended with exit code 1", False),
        ({"status": "created"}, "", False),
        ({"status": "created", "error": "port is taken"}, "cannot be started: port is taken", False),
    ],
)
def test_what_is_wrong_with_a_container(change, wrong, fine):
    found = dataclasses.replace(WEB, **change)
    assert (found.wrong, found.fine) == (wrong, fine)


def frame(text, stream=1):
    return bytes([stream, 0, 0, 0]) + struct.pack(">I", len(text)) + text


class Engine:
    """Answers with one inspection of the only container after the other, and with its log."""

    def __init__(self, *states):
        self.states = list(states)

    def get(self, path, /, **query):
        return frame(b"first\n") + frame(b"last words\n", 2) if path.endswith("/logs") else [{"Id": "1"}]

    def find(self, path, /, **query):
        status, health = self.states[0] if len(self.states) == 1 else self.states.pop(0)
        return {
            "Id": "1", "Name": "/shop-web-1", "Image": "i", "RestartCount": 0, "HostConfig": {"RestartPolicy": {"Name": "always"}},
            "Config": {"Image": "web:1", "Labels": {live.SERVICE: "web"}}, "State": {"Status": status, "ExitCode": 3, "Health": health and {"Status": health}},
        }  # fmt: skip


def test_waiting_ends_when_it_is_healthy(monkeypatch):
    monkeypatch.setattr(live, "PAUSE", 0)
    assert live.wait(Engine(("created", None), ("running", "starting"), ("running", "healthy")), "shop", 5, 9)[0].fine


@pytest.mark.parametrize(
    "states, words",
    [
        ([("running", "starting"), ("exited", None)], "has ended with exit code 3"),
        ([("running", "starting")], "after 0 s container shop-web-1 is starting"),
    ],
)
def test_waiting_ends_with_the_containers_own_words(monkeypatch, states, words):
    monkeypatch.setattr(live, "PAUSE", 0)
    with pytest.raises(HostError) as caught:
        live.wait(Engine(*states), "shop", 5 if len(states) > 1 else 0, 0)
    assert words in str(caught.value) and str(caught.value).endswith("; its last lines: first | last words")


def test_a_log_of_a_terminal_has_no_frames():
    assert live.plain(b"plain text\n") == b"plain text\n" and live.plain(frame(b"a") + frame(b"b")) == b"ab"
