# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Verdicts over services: tasks as swarm describes them, by table."""

from __future__ import annotations

import pytest
from ansible_collections.dockhost.azure.plugins.module_utils._stack.verdict import Before, eligible, judge
from ansible_collections.dockhost.azure.plugins.module_utils._stack.wait import log_text

NEW, OLD = {"ContainerSpec": {"Image": "i:2"}}, {"ContainerSpec": {"Image": "i:1"}}


def node(number, **more):
    base = {
        "ID": f"n{number}",
        "Spec": {"Availability": "active", "Role": "worker", "Labels": {}},
        "Status": {"State": "ready"},
        "Description": {"Hostname": f"h{number}", "Platform": {"OS": "linux", "Architecture": "x86_64"}},
    }
    base["Spec"].update(more.pop("spec", {}))
    return {**base, **more}


NODES = [node(1, spec={"Labels": {"data": "true"}}), node(2), node(3, spec={"Availability": "drain"})]


def service(mode=None, task=None, **more):
    return {"ID": "s", "Spec": {"Name": "x_web", "Mode": mode or {"Replicated": {"Replicas": 2}}, "TaskTemplate": task or NEW}, **more}


def task(number, state="running", spec=None, desired=None, slot=None, node_id="n1", **status):
    ended = state in ("complete", "failed", "rejected", "shutdown")
    return {
        "ID": f"t{number}",
        "Slot": slot or number,
        "NodeID": node_id,
        "Spec": spec or NEW,
        "DesiredState": desired or ("shutdown" if ended else "running"),
        "Status": {"State": state, "Timestamp": f"2026-01-01T00:00:{number:02d}Z", **status},
    }


POLICY_NONE = {**NEW, "RestartPolicy": {"Condition": "none"}}
ROLLED = {"State": "rollback_completed", "StartedAt": "then", "Message": "rolled"}
PAUSED = {"State": "paused", "StartedAt": "now"}
UPDATING = {"State": "updating", "StartedAt": "now"}
LOST = {**NEW, "Placement": {"Constraints": ["node.labels.data == nowhere"]}}

CASES = [
    ("all run", service(), [task(1), task(2)], "done", ""),
    ("one starts", service(), [task(1), task(2, "starting")], "waiting", "1 of 2 tasks run; others are starting"),
    ("no task yet", service(), [], "waiting", "0 of 2 tasks run"),
    ("an old task is left", service(), [task(1), task(2), task(3, spec=OLD, desired="shutdown")], "waiting", "1 of the old version"),
    ("an old task on a host that is gone", service(), [task(1), task(2), task(3, spec=OLD, desired="shutdown", node_id="n9")], "done", ""),
    ("a task on a host that is gone", service(), [task(1), task(2), task(3, node_id="n9")], "done", ""),
    ("a task without a host", service(), [task(1), task(2, "pending", node_id="")], "waiting", "others are pending"),
    ("old tasks only", service(), [task(1, spec=OLD), task(2, spec=OLD)], "waiting", "0 of 2 tasks run"),
    ("update goes on", service(UpdateStatus=UPDATING), [task(1), task(2)], "waiting", "2 of 2"),
    ("pending says why", service(), [task(1), task(2, "pending", Err="no suitable node")], "waiting", "others are pending: no suitable node"),
    ("one failure is no end", service(), [task(1), task(2, "failed", Err="boom")], "waiting", "last failure: boom"),
    (
        "three failures are",
        service(),
        [task(1), *(task(n, "rejected", slot=2, Err="No such image: i:2") for n in (2, 3, 4))],
        "failed",
        "its tasks fail again and again (3 times): No such image: i:2",
    ),
    (
        "ending well is failing, too",
        service(),
        [task(1), *(task(n, "complete", slot=2) for n in (2, 3, 4))],
        "failed",
        "its tasks fail again and again (3 times): its container ended with exit code 0 instead of running on",
    ),
    ("paused", service(UpdateStatus=PAUSED), [task(1), task(2, "failed", Err="boom")], "failed", "the update was paused: boom"),
    ("rolled back now", service(UpdateStatus={**ROLLED, "StartedAt": "now"}), [task(1), task(2)], "failed", "the update was rolled back: rolled"),
    ("rolled back long ago", service(UpdateStatus=ROLLED), [task(1), task(2)], "done", ""),
    ("one-shot ended well", service({"Replicated": {"Replicas": 1}}, POLICY_NONE), [task(1, "complete", POLICY_NONE)], "done", ""),
    (
        "one-shot ended badly",
        service({"Replicated": {"Replicas": 1}}, POLICY_NONE),
        [task(1, "failed", POLICY_NONE, Err="task: non-zero exit (3)", ContainerStatus={"ExitCode": 3})],
        "failed",
        "a task failed, and its restart policy does not let it start again: task: non-zero exit (3)",
    ),
    ("nowhere to run", service(task=LOST), [], "failed", "no ready node meets its placement constraints (node.labels.data == nowhere)"),
    ("scaled to zero", service({"Replicated": {"Replicas": 0}}), [], "done", ""),
    ("global counts able nodes", service({"Global": {}}), [task(1), task(2)], "done", ""),
    ("global before its tasks exist", service({"Global": {}}), [], "waiting", "0 of 2"),
]


@pytest.mark.parametrize(("subject", "tasks", "state", "text"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_services(subject, tasks, state, text):
    verdict = judge(subject, tasks, NODES, Before(updates={"s": "then"}))
    assert verdict.state == state
    assert text in verdict.text


def test_failures_of_earlier_runs_do_not_count():
    tasks = [task(1), *(task(n, "failed", slot=2, Err="old") for n in (2, 3, 4)), task(5, "starting", slot=2)]
    assert judge(service(), tasks, NODES, Before(frozenset({"t2", "t3", "t4"}))).state == "waiting"


def test_a_healthcheck_proves_what_running_alone_does_not():
    checked = {"ContainerSpec": {"Image": "i:2", "Healthcheck": {"Test": ["CMD", "true"]}}}
    assert judge(service(), [task(1), task(2)], NODES).unproved == {"t1", "t2"}
    assert judge(service(task=checked), [task(1, spec=checked), task(2, spec=checked)], NODES).unproved == frozenset()


ROLLING = {"State": "rollback_started", "StartedAt": "now"}


@pytest.mark.parametrize("update, tasks, up", [
    (UPDATING, [task(1), task(2)], True),
    (UPDATING, [task(1), task(2, "starting")], False),
    (UPDATING, [task(1, spec=OLD), task(2, spec=OLD)], False),
    (UPDATING, [task(1), task(2), task(3, spec=OLD, desired="shutdown")], False),
    (ROLLING, [task(1), task(2)], False),
    (PAUSED, [task(1), task(2, "failed")], False),
    (None, [task(1), task(2)], True),
], ids=["watched", "one starts", "old ones", "one of the old", "back to the old version", "paused", "long ago"])  # fmt: skip
def test_a_service_is_up_while_the_swarm_watches_its_update(update, tasks, up):
    verdict = judge(service(UpdateStatus=update), tasks, NODES, Before(updates={"s": "then"}))
    assert verdict.up is up
    assert verdict.unproved == ({"t1", "t2"} if up else frozenset())


def test_a_task_that_only_the_placement_tells_apart_is_current():
    moved = {**NEW, "Placement": {"MaxReplicas": 1}}
    assert judge(service(task=moved), [task(1), task(2)], NODES).state == "done"


def job(state, iteration=1, number=1, **status):
    return {**task(number, state, **status), "JobIteration": {"Index": iteration}}


JOBS = [
    ("complete", [job("complete")], "done", ""),
    ("runs", [job("running")], "waiting", "0 of 1 completed (running)"),
    ("completed an earlier time", [job("complete", 0)], "waiting", "no task yet"),
    ("failed once", [job("failed", Err="boom"), job("running", number=2)], "waiting", "last failure: boom"),
    ("failed for good", [job("failed", number=n, Err="boom") for n in (1, 2, 3)], "failed", "the job failed (3 times): boom"),
]


@pytest.mark.parametrize(("tasks", "state", "text"), [case[1:] for case in JOBS], ids=[case[0] for case in JOBS])
def test_jobs(tasks, state, text):
    subject = service({"ReplicatedJob": {"TotalCompletions": 1}}, {**NEW, "RestartPolicy": {"Condition": "on-failure", "MaxAttempts": 2}})
    verdict = judge({**subject, "JobStatus": {"JobIteration": {"Index": 1}}}, tasks, NODES)
    assert verdict.state == state
    assert text in verdict.text


@pytest.mark.parametrize(
    ("constraint", "hosts"),
    [
        ("node.labels.data == true", ["h1"]),
        ("node.labels.data != true", ["h2"]),
        ("node.hostname==h2", ["h2"]),
        ("node.role == manager", []),
        ("node.platform.os == linux", ["h1", "h2"]),
    ],
)
def test_constraints(constraint, hosts):
    assert [item["Description"]["Hostname"] for item in eligible(NODES, [constraint])] == hosts


def test_recorded_services_have_converged(recorded):
    for item in recorded["services"]:
        tasks = [one for one in recorded["tasks"] if one["ServiceID"] == item["ID"]]
        assert judge(item, tasks, recorded["nodes"]).state == "done", item["Spec"]["Name"]


def test_log_frames():
    assert log_text(b"\1\0\0\0\0\0\0\3ab\n\2\0\0\0\0\0\0\2cd") == "ab\ncd"
    assert log_text(b"plain\n") == "plain"
    assert log_text(b"") == ""
