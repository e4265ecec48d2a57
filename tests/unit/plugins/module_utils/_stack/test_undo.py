# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run did to a stack, taken back: the requests that reach the engine."""

from __future__ import annotations

from ansible_collections.dockhost.azure.plugins.module_utils._stack import undo
from ansible_collections.dockhost.azure.plugins.module_utils._stack.plan import Actual, Step


def service(name, image, version=1, mode="Replicated", force=0, id=None):
    task = {"ContainerSpec": {"Image": image}, "ForceUpdate": force}
    spec = {"Name": name, "Labels": {}, "Mode": {mode: {}}, "TaskTemplate": task}
    return {"ID": id or f"id-{name}", "Version": {"Index": version}, "Spec": spec}


class Engine:
    """Answers with what it is given, and remembers what changes something."""

    socket_path = "/nowhere"

    def __init__(self, services, networks=()):
        self.lists = {"/services": services, "/networks": list(networks), "/configs": [], "/secrets": [], "/tasks": [], "/nodes": []}
        self.done = []

    def get(self, path, **query):
        return self.lists[path]

    def post(self, path, body=None, **query):
        self.done.append(("POST", path, body["TaskTemplate"]["ContainerSpec"]["Image"], body["TaskTemplate"]["ForceUpdate"], query))

    def delete(self, path, **query):
        self.done.append(("DELETE", path))


class Converged:
    def __init__(self, *given):
        pass

    def wait(self, names, timeout):
        return {}


def test_each_service_is_as_before_and_nothing_new_is_left(monkeypatch):
    monkeypatch.setattr(undo, "Waiter", Converged)
    before = Actual(services={
        "s_web": service("s_web", "web:1"), "s_old": service("s_old", "old:1"),
        "s_mode": service("s_mode", "mode:1"), "s_job": service("s_job", "job:1", mode="ReplicatedJob", force=2),
    })  # fmt: skip
    now = [
        service("s_web", "web:2", version=7), service("s_new", "new:1"), service("s_mode", "mode:2", id="another"),
        service("s_job", "job:2", version=8, mode="ReplicatedJob", force=3),
    ]  # fmt: skip
    engine = Engine(now, [{"Name": "s_net", "Id": "n1"}, {"Name": "other", "Id": "n2"}])
    steps = [
        Step("create", "network", "s_net", ""), Step("update", "service", "s_web", ""), Step("create", "service", "s_new", ""),
        Step("replace", "service", "s_mode", ""), Step("update", "service", "s_job", ""), Step("remove", "service", "s_old", ""),
    ]  # fmt: skip
    told = undo.roll_back(engine, "label", before, steps, 0, 5)
    assert engine.done == [
        ("POST", "/services/create", "old:1", 0, {}),
        ("POST", "/services/id-s_job/update", "job:1", 3, {"version": 8}),  # the number of now: the job does not run again
        ("DELETE", "/services/another"),
        ("POST", "/services/create", "mode:1", 0, {}),
        ("DELETE", "/services/id-s_new"),
        ("POST", "/services/id-s_web/update", "web:1", 0, {"version": 7}),
        ("DELETE", "/networks/n1"),
    ]
    assert told == (
        "The stack was rolled back to what it was before (s_job as before, s_mode made again, s_new removed, s_old made again, s_web as before)."
    )
