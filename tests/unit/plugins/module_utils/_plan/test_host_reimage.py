# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reimaging: the order of the steps, what is sent, and which keys are read again."""

from __future__ import annotations

import os
import subprocess

import pytest
from ansible_collections.dockhost.azure.plugins.module_utils._apply import StepResult
from ansible_collections.dockhost.azure.plugins.module_utils._hosts import failures, keys_task, known_hosts
from ansible_collections.dockhost.azure.plugins.module_utils._model import authorized_keys, custom_data
from ansible_collections.dockhost.azure.plugins.module_utils._model.host import host_from_api
from ansible_collections.dockhost.azure.plugins.module_utils._plan import host_reimage

SALT = "sub/rg/web"
DATA = b"#cloud-config\n"


def machine(number, **tags):
    path = f"/subscriptions/sub/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/web-{number}"
    tags = {"dockhost-index": str(number), **{f"dockhost-{name.replace('_', '-')}": value for name, value in tags.items()}}
    return {"id": path, "name": f"web-{number}", "tags": tags, "properties": {"vmId": f"id-{number}"}}


@pytest.mark.parametrize(
    "given, has, refused",
    [(None, None, False), (None, "abc", True), (None, custom_data.digest(b"", SALT), False), (DATA, "abc", False), (b"", "abc", False)],
)
def test_custom_data_is_not_lost_unseen(given, has, refused):
    machines = [machine(1, **({"custom_data": has} if has else {}))]
    assert bool(host_reimage.refusals(machines, given, SALT)) is refused


def test_the_counter_goes_before_and_the_digest_after():
    steps = host_reimage.plan([machine(1, reimaged="2", owner="me")], DATA, SALT).steps
    assert [(step.method, step.operation) for step in steps] == [("PATCH", ""), ("POST", "reimage"), ("PATCH", "")]
    assert steps[0].body["tags"] == {"dockhost-index": "1", "dockhost-owner": "me", "dockhost-reimaged": "3"}
    assert steps[1].body == {"osProfile": {"customData": custom_data.encode(DATA)}}
    assert steps[2].body["tags"] == {**steps[0].body["tags"], "dockhost-custom-data": custom_data.digest(DATA, SALT)}
    assert [step.depends_on for step in steps] == [(), (steps[0].id,), (steps[1].id,)]


def test_without_custom_data_none_is_sent():
    steps = host_reimage.plan([machine(1)], None, SALT).steps
    assert [step.body for step in steps] == [{"tags": {"dockhost-index": "1", "dockhost-reimaged": "1"}}, {}]


def test_custom_data_is_not_shown():
    plan = host_reimage.plan([machine(1)], b"a secret", SALT)
    assert "secret" not in str(plan.diff()) + str(plan.summary()) and custom_data.encode(b"a secret") not in str(plan.diff())


@pytest.mark.parametrize("serial, first", [(None, [True] * 3), (1, [True, False, False]), (2, [True, True, False])])
def test_serial(serial, first):
    steps = host_reimage.plan([machine(3), machine(1), machine(2)], None, SALT, serial).steps
    assert [step.resource.name for step in steps[::2]] == ["web-1", "web-2", "web-3"]
    assert [not step.depends_on for step in steps[::2]] == first
    if serial:
        assert steps[2 * serial].depends_on == (steps[1].id,)


def test_the_keys_of_a_reimaged_host_are_read_again():
    plain, again = (host_from_api(machine(1, **tags)) for tags in ({}, {"reimaged": "1"}))
    owner = keys_task.owners({"web-1.rg": plain})["web-1.rg"]
    line = known_hosts.Entry("web-1.rg", "ssh-ed25519", "AAAA", owner).line()
    assert known_hosts.missing(line, keys_task.owners({"web-1.rg": plain})) == []
    assert known_hosts.missing(line, keys_task.owners({"web-1.rg": again})) == ["web-1.rg"]


OLD, NEW, OTHER = (f"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI{letter} {letter}@example" for letter in "abc")


def with_keys(number, *keys, path="/home/azureuser/.ssh/authorized_keys"):
    found = machine(number)
    ssh = {"publicKeys": [{"path": path, "keyData": key + "\r\n"} for key in keys]}
    found["properties"]["osProfile"] = {"adminUsername": "azureuser", "linuxConfiguration": {"ssh": ssh}}
    return found


@pytest.mark.parametrize("wanted, authorising", [((), False), ((OLD.replace("a@", "z@"),), False), ((NEW,), True), ((OLD, NEW), True)])
def test_keys_are_put_in_place_where_they_are_others_than_those_of_the_model(wanted, authorising):
    steps = host_reimage.plan([with_keys(1, OLD)], DATA, SALT, None, wanted).steps
    assert [step.operation for step in steps] == ["", "reimage", "", *(["runCommand"] if authorising else [])]
    if authorising:
        assert steps[-1].depends_on == (steps[-2].id,) and steps[-1].changes[0].after == list(wanted)


def test_the_next_host_waits_for_the_keys_of_the_one_before():
    steps = host_reimage.plan([with_keys(1, OLD), with_keys(2, OLD)], None, SALT, 1, [NEW]).steps
    assert [step.operation for step in steps] == ["", "reimage", "runCommand"] * 2 and steps[3].depends_on == (steps[2].id,)


@pytest.mark.parametrize("before", [None, OLD, f"{OLD}\n{OTHER}\n", f"# mine\n{NEW}\n{OTHER}"])
def test_the_script_leaves_lines_of_others(tmp_path, before):
    """The script as it is, with the owner of this process as the administrator."""
    file = tmp_path / "home of me" / "authorized_keys"
    if before is not None:
        file.parent.mkdir()
        file.write_text(before)
    here = with_keys(1, OLD, path=str(file))
    here["properties"]["osProfile"]["adminUsername"] = subprocess.check_output(["id", "-un"], text=True).strip()
    for dummy in range(2):
        run = subprocess.run(["sh"], input=authorized_keys.script(here, [NEW]), capture_output=True, text=True, check=True)
        assert authorized_keys.DONE in run.stdout
    lines = file.read_text().splitlines()
    assert lines.count(NEW) == 1 and OLD not in lines
    assert [line for line in lines if line != NEW] == [line for line in (before or "").splitlines() if line not in (OLD, NEW)]
    assert file.stat().st_mode & 0o777 == 0o600 and os.listdir(file.parent) == [file.name]


def test_a_script_that_did_not_come_to_its_end_is_told():
    step = host_reimage.plan([with_keys(1, OLD)], None, SALT, None, [NEW]).steps[-1]
    bodies = [{"value": [{"message": f"Enable succeeded: \n[stdout]\n{authorized_keys.DONE}\n"}]}, {"value": [{"message": "[stderr]\nid: no such user"}]}, None]
    found = [failures.without_keys([StepResult(step, "done", 1.0, body)]) for body in bodies]
    assert [len(told) for told in found] == [0, 1, 1]
    assert failures.sentences(found[1]) == ["Host web-1 could not be given its SSH keys: ScriptFailed: [stderr] id: no such user."]
