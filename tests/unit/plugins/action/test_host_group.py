# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How far a group is: when it is told, in which words, and at which pace."""

from __future__ import annotations

import time

import pytest
from ansible_collections.dockhost.azure.plugins.action.host_group import Watch, way
from ansible_collections.dockhost.azure.plugins.module_utils._hosts.progress import FILE, Recorder, Teller
from ansible_collections.dockhost.azure.plugins.module_utils._model.resource import Resource, Step

VM = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/web-"


def step(number, action="create", method="PUT", operation=""):
    resource = Resource(id=f"{VM}{number}", type="Microsoft.Compute/virtualMachines")
    return Step(id=f"{action} {number}", action=action, resource=resource, method=method, operation=operation)


@pytest.mark.parametrize("environ, terminal, expected", [
    ({}, True, "each"), ({}, False, ""), ({"AWX_ISOLATED_DATA_DIR": "/runner"}, True, "pace"),
    ({"ANSIBLE_STDOUT_CALLBACK": "awx_display"}, False, "pace"), ({"ANSIBLE_STDOUT_CALLBACK": "default"}, False, ""),
])  # fmt: skip
def test_when(environ, terminal, expected):
    assert way(environ, terminal) == expected


def recorded(tmp_path, events):
    path = tmp_path / "progress"
    recorder = Recorder({FILE: str(path)})
    recorder.total([step(1), step(2), step(3, "keep", "")])
    for event, what in events:
        recorder.event(event, what)
    return str(path)


def test_words(tmp_path):
    events = [
        ("start", step(1)), ("accepted", step(1)), ("start", step(2)), ("failed", step(2)), ("done", step(1)), ("done", step(3, "keep", "")),
        ("done", step(1, "update", "POST", "powerOff")),
    ]  # fmt: skip
    told = []
    with Watch(recorded(tmp_path, events), Teller("web", True), told.append):
        pass
    assert told == [
        "web: web-1 is being made (0 of 2 done, 1 under way, 0 s)",
        "web: web-2 has failed (0 of 2 done, 1 under way, 1 failed, 0 s)",
        "web: web-1 is there (1 of 2 done, 1 failed, 0 s)",
    ]


def test_pace(tmp_path):
    told = []
    with Watch(recorded(tmp_path, [("accepted", step(1))]), Teller("web", False), told.append, pace=0.1):
        deadline = time.monotonic() + 10
        while len(told) < 2 and time.monotonic() < deadline:
            time.sleep(0.05)
    assert len(told) >= 2 and set(told) <= {f"web: 0 of 2 done, 1 under way ({n} s)" for n in range(10)}


def test_nothing_is_written_where_nobody_reads(tmp_path):
    recorder = Recorder({})
    recorder.event("done", step(1))
    Recorder({FILE: str(tmp_path / "no" / "folder")}).event("done", step(1))
    assert list(tmp_path.iterdir()) == []
