# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""PURE: what the swarm says of one service → done, waiting or failed, in words.

This util is private to the collection: no release promises that it stays as it is.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass, field

from ansible_collections.dockhost.azure.plugins.module_utils._stack.values import Json

FAILED_STATES = ("failed", "rejected")
ENDED_STATES = ("complete", "failed", "rejected", "shutdown", "orphaned", "remove")
# A task that fails once may have waited for another service; one that fails this often will go on to.
FAILURES_ALLOWED = 3

_CONSTRAINT = re.compile(r"\s*([^\s=!]+)\s*(==|!=)\s*(.*?)\s*")


@dataclass(frozen=True)
class Verdict:
    """``state`` is done, waiting or failed; ``text`` says what is missing; ``task`` is the one whose logs tell why.

    ``unproved`` are the ids of running tasks without a healthcheck: running says little about them until some time has passed.
    ``up``: all tasks run and are of the present version, though the swarm may still watch the update (``monitor``), which is not done until then.
    """

    state: str
    text: str
    running: int = 0
    desired: int = 0
    task: Json = None
    unproved: frozenset[str] = frozenset()
    up: bool = False


@dataclass(frozen=True)
class Before:
    """What was so when the run began: ids of tasks that had ended, and per service id when its last update had begun."""

    ended: frozenset[str] = frozenset()
    updates: t.Mapping[str, str] = field(default_factory=dict)


def judge(service: Json, tasks: t.Sequence[Json], nodes: t.Sequence[Json], before: Before | None = None) -> Verdict:
    """Judge one service. ``tasks`` are all of its tasks, ``nodes`` all of the swarm."""
    before = before or Before()
    mode = service["Spec"]["Mode"]
    current = [task for task in tasks if _current(task, service)]
    if "ReplicatedJob" in mode or "GlobalJob" in mode:
        return _judge_job(service, current, nodes, before)
    # What swarm last heard of tasks on a host that is gone says nothing, and stays for a day.
    present = {node["ID"] for node in nodes if node["Status"]["State"] == "ready"}
    alive = [task for task in current if task["DesiredState"] == "running" and task.get("NodeID", "") in present | {""}]
    view = _View(
        service,
        desired=_desired(service, nodes),
        current=current,
        alive=alive,
        running=[task for task in alive if task["Status"]["State"] == "running"],
        finished=_finished(service, current, alive),
        stale=[task for task in tasks if task not in current and _may_run(task) and task.get("NodeID", "") in present],
        history=[task for task in tasks if _failed(task, service)],
        failures=[task for task in tasks if _failed(task, service) and task["ID"] not in before.ended],
    )
    state, text = _judge_service(view, nodes, before)
    up = view.up and state != "failed" and (service.get("UpdateStatus") or {}).get("State") != "rollback_started"
    unproved = _unproved(service, view.running) if state == "done" or up else frozenset()
    return Verdict(state, text, len(view.running) + view.finished, view.desired, None if state == "done" else view.worst, unproved, up)


@dataclass(frozen=True)
class _View:
    """One service's tasks, sorted."""

    service: Json
    desired: int
    current: list[Json]
    alive: list[Json]
    running: list[Json]
    finished: int
    stale: list[Json]
    history: list[Json]
    failures: list[Json]

    @property
    def up(self) -> bool:
        """As many run as are wanted, and no other is on its way up or down."""
        return not self.stale and len(self.alive) == len(self.running) and len(self.running) + self.finished == self.desired

    @property
    def worst(self) -> Json:
        """The failure that happened last, in this run if there was one."""
        return _latest(self.failures) or _latest(self.history)


def _judge_service(view: _View, nodes: t.Sequence[Json], before: Before) -> tuple[str, str]:
    update = view.service.get("UpdateStatus") or {}
    state = update.get("State", "")
    ours = update.get("StartedAt") != before.updates.get(view.service["ID"])
    rolled_back = ours and state in ("rollback_completed", "rollback_paused")
    if state not in ("updating", "rollback_started") and view.up and not rolled_back:
        return "done", ""
    if rolled_back or state == "paused":
        said = {"paused": "the update was paused", "rollback_completed": "the update was rolled back"}.get(state, "the rollback was paused")
        return "failed", f"{said}: {_told(update.get('Message', ''), view.worst)}"
    if state != "rollback_started":
        hopeless = _nowhere(view, nodes) or _hopeless(view)
        if hopeless:
            return "failed", hopeless
    return "waiting", _missing(view, state)


def _current(task: Json, service: Json) -> bool:
    """Whether the task is of the service's present spec; as swarm itself compares, placement apart."""

    def bare(spec: Json) -> Json:
        return _without_empty({key: value for key, value in spec.items() if key != "Placement"})

    wanted = bare(service["Spec"]["TaskTemplate"])
    if "JobStatus" in service and service["JobStatus"]:
        return (task.get("JobIteration") or {}).get("Index", 0) == (service["JobStatus"].get("JobIteration") or {}).get("Index", 0)
    return bare(task["Spec"]) == wanted


def _without_empty(value: Json) -> Json:
    if isinstance(value, dict):
        cleaned = {key: _without_empty(item) for key, item in value.items() if key not in ("ForceUpdate", "Runtime")}
        cleaned = {key: item for key, item in cleaned.items() if item not in (None, "", 0, False) and item != [] and item != {}}
        if "ForceUpdate" in value and value["ForceUpdate"]:
            cleaned["ForceUpdate"] = value["ForceUpdate"]
        return cleaned
    if isinstance(value, list):
        return [_without_empty(item) for item in value]
    return value


def _desired(service: Json, nodes: t.Sequence[Json]) -> int:
    mode = service["Spec"]["Mode"]
    if "Replicated" in mode:
        return mode["Replicated"].get("Replicas", 1)
    return len(eligible(nodes, (service["Spec"]["TaskTemplate"].get("Placement") or {}).get("Constraints") or ()))


def eligible(nodes: t.Sequence[Json], constraints: t.Sequence[str]) -> list[Json]:
    """Nodes that are ready and active and that meet the constraints."""
    able = [node for node in nodes if node["Status"]["State"] == "ready" and node["Spec"]["Availability"] == "active"]
    return [node for node in able if all(_meets(node, constraint) for constraint in constraints)]


def _nowhere(view: _View, nodes: t.Sequence[Json]) -> str:
    """Why no task can start anywhere, "" where one can."""
    constraints = (view.service["Spec"]["TaskTemplate"].get("Placement") or {}).get("Constraints") or ()
    if len(view.running) >= view.desired or not constraints or eligible(nodes, constraints):
        return ""
    return f"no ready node meets its placement constraints ({', '.join(constraints)}): label a node, or change the constraint"


def _meets(node: Json, constraint: str) -> bool:
    found = _CONSTRAINT.fullmatch(constraint)
    if not found:
        return True
    key, operator, value = found.groups()
    description = node.get("Description") or {}
    platform = description.get("Platform") or {}
    if key.startswith("node.labels."):
        have = (node["Spec"].get("Labels") or {}).get(key[12:], "")
    elif key.startswith("engine.labels."):
        have = ((description.get("Engine") or {}).get("Labels") or {}).get(key[14:], "")
    else:
        have = {
            "node.id": node["ID"],
            "node.hostname": description.get("Hostname", ""),
            "node.role": node["Spec"].get("Role", ""),
            "node.platform.os": platform.get("OS", ""),
            "node.platform.arch": platform.get("Architecture", ""),
        }.get(key, "")
    return (have.lower() == value.lower()) == (operator == "==")


def _hopeless(view: _View) -> str:
    """Why waiting longer has no point, "" where it has."""
    failures = [task for task in view.failures if task in view.current]
    if not failures or len(view.running) >= view.desired:
        return ""
    most = max(_by_place(failures).values())
    if most >= FAILURES_ALLOWED:
        return f"its tasks fail again and again ({len(failures)} times): {_told('', view.worst)}"
    policy = _restart_policy(view.service)
    given_up = policy.get("Condition") == "none" or 0 < policy.get("MaxAttempts", 0) < most
    if given_up and not any(task["Status"]["State"] not in ENDED_STATES for task in view.alive):
        return f"a task failed, and its restart policy does not let it start again: {_told('', view.worst)}"
    return ""


def _by_place(tasks: t.Sequence[Json]) -> dict[t.Any, int]:
    """Tasks a slot, or of a global service a node."""
    count: dict[t.Any, int] = {}
    for task in tasks:
        place = task.get("Slot") or task.get("NodeID")
        count[place] = count.get(place, 0) + 1
    return count


def _restart_policy(service: Json) -> dict[str, Json]:
    return service["Spec"]["TaskTemplate"].get("RestartPolicy") or {}


def _one_shot(service: Json) -> bool:
    """A service whose tasks may end: those that end well are not started again."""
    return _restart_policy(service).get("Condition") in ("none", "on-failure")


def _failed(task: Json, service: Json) -> bool:
    """A task that should run on but ended by itself failed, whatever its exit code: swarm ends the others as "shutdown"."""
    state = task["Status"]["State"]
    return state in FAILED_STATES or (state == "complete" and not _one_shot(service))


def _may_run(task: Json) -> bool:
    return task["Status"]["State"] not in ENDED_STATES


def _finished(service: Json, current: t.Sequence[Json], alive: t.Sequence[Json]) -> int:
    if not _one_shot(service):
        return 0
    complete = _by_place([task for task in current if task["Status"]["State"] == "complete"])
    return len(set(complete) - set(_by_place([task for task in alive if task["Status"]["State"] != "complete"])))


def _judge_job(service: Json, current: t.Sequence[Json], nodes: t.Sequence[Json], before: Before) -> Verdict:
    mode = service["Spec"]["Mode"]
    wanted = mode["ReplicatedJob"].get("TotalCompletions", 1) if "ReplicatedJob" in mode else _desired(service, nodes)
    complete = [task for task in current if task["Status"]["State"] == "complete"]
    if len(complete) >= wanted:
        return Verdict("done", "", len(complete), wanted)
    active = [task for task in current if task["Status"]["State"] not in ENDED_STATES]
    failures = [task for task in current if task["Status"]["State"] in FAILED_STATES]
    fresh = [task for task in failures if task["ID"] not in before.ended]
    worst, policy = _latest(failures), _restart_policy(service)
    attempts = 0 if policy.get("Condition") == "none" else policy.get("MaxAttempts", 0) or None
    spent = len(fresh) >= FAILURES_ALLOWED if attempts is None else bool(failures) and not active and len(failures) > attempts
    if spent:
        return Verdict("failed", f"the job failed ({len(failures)} times): {_told('', worst)}", len(complete), wanted, worst)
    states = ", ".join(sorted({_state(task) for task in active})) or "no task yet"
    text = f"{len(complete)} of {wanted} completed ({states})"
    if worst is not None:
        text += f"; last failure: {_told('', worst)}"
    return Verdict("waiting", text, len(complete), wanted, worst or (active[0] if active else None))


def _latest(tasks: t.Sequence[Json]) -> Json:
    return max(tasks, key=lambda task: task["Status"].get("Timestamp", ""), default=None)


def _told(message: str, task: Json) -> str:
    """The cause: the task's own error where there is one, else what swarm says of the update."""
    if task is None:
        return message or "swarm names no cause"
    status = task["Status"]
    if status["State"] == "complete":
        checked = (task["Spec"].get("ContainerSpec") or {}).get("Healthcheck")
        return "its container ended with exit code 0" + (", as one does that its failing healthcheck has stopped" if checked else " instead of running on")
    error = status.get("Err") or status.get("Message") or status["State"]
    code = (status.get("ContainerStatus") or {}).get("ExitCode")
    return f"{error} (exit code {code})" if code and str(code) not in error else error


def _state(task: Json) -> str:
    error = task["Status"].get("Err")
    return f"{task['Status']['State']}: {error}" if error else task["Status"]["State"]


def _missing(view: _View, state: str) -> str:
    parts = [f"{len(view.running) + view.finished} of {view.desired} tasks run"]
    others = sorted({_state(task) for task in view.alive if task["Status"]["State"] != "running"})
    if others:
        parts.append("others are " + ", ".join(others))
    if view.stale:
        parts.append(f"{len(view.stale)} of the old version still there")
    if state == "rollback_started":
        parts.append("the update is being rolled back")
    if view.worst is not None:
        parts.append(f"last failure: {_told('', view.worst)}")
    return "; ".join(parts)


def _unproved(service: Json, running: t.Sequence[Json]) -> frozenset[str]:
    check = (service["Spec"]["TaskTemplate"].get("ContainerSpec") or {}).get("Healthcheck") or {}
    if check.get("Test") and check["Test"] != ["NONE"]:
        return frozenset()
    return frozenset(task["ID"] for task in running)
