# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""PURE: what the swarm says of one service → done, waiting or failed, in words.

This util is private to the collection: no release promises that it stays as it is.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

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
    """

    state: str
    text: str
    running: int = 0
    desired: int = 0
    task: Json = None
    unproved: frozenset[str] = frozenset()


def judge(service: Json, tasks: t.Sequence[Json], nodes: t.Sequence[Json], old: t.AbstractSet[str] = frozenset()) -> Verdict:
    """Judge one service. ``tasks`` are all of its tasks, ``old`` the ids of those that had ended before this run."""
    mode = service["Spec"]["Mode"]
    current = [task for task in tasks if _current(task, service)]
    if "ReplicatedJob" in mode or "GlobalJob" in mode:
        return _judge_job(service, current, nodes, old)
    update = service.get("UpdateStatus") or {}
    state = update.get("State", "")
    desired = _desired(service, nodes)
    alive = [task for task in current if task["DesiredState"] == "running"]
    running = [task for task in alive if task["Status"]["State"] == "running"]
    worst = _last_failure(tasks, old)
    if state == "paused" or state.startswith("rollback"):
        if state in ("rollback_started",):
            return Verdict("waiting", f"rolling back: {update.get('Message', '')}", len(running), desired, worst)
        said = {"paused": "the update was paused", "rollback_completed": "the update was rolled back"}.get(state, "the rollback was paused")
        return Verdict("failed", f"{said}: {_told(update.get('Message', ''), worst)}", len(running), desired, worst)
    failures = [task for task in current if task["Status"]["State"] in FAILED_STATES and task["ID"] not in old]
    hopeless = _hopeless(service, current, failures, len(running), desired)
    if hopeless:
        return Verdict("failed", f"{hopeless}: {_told('', worst)}", len(running), desired, worst)
    stale = [task for task in tasks if task not in current and task["Status"]["State"] not in ENDED_STATES]
    if len(running) == desired and len(alive) == desired and not stale and state != "updating":
        return Verdict("done", "", len(running), desired, None, _unproved(service, running))
    return Verdict("waiting", _missing(running, alive, desired, stale, worst), len(running), desired, worst)


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


def _hopeless(service: Json, current: t.Sequence[Json], failures: t.Sequence[Json], running: int, desired: int) -> str:
    """Why waiting longer has no point, "" where it has."""
    if not failures or running >= desired:
        return ""
    by_place: dict[t.Any, int] = {}
    for task in failures:
        place = task.get("Slot") or task.get("NodeID")
        by_place[place] = by_place.get(place, 0) + 1
    if max(by_place.values()) >= FAILURES_ALLOWED:
        return f"its tasks fail again and again ({len(failures)} times)"
    policy = service["Spec"]["TaskTemplate"].get("RestartPolicy") or {}
    given_up = policy.get("Condition") == "none" or 0 < policy.get("MaxAttempts", 0) < max(by_place.values())
    if given_up and not any(task["DesiredState"] == "running" and task["Status"]["State"] not in ENDED_STATES for task in current):
        return "a task failed and its restart policy lets it not start again"
    return ""


def _judge_job(service: Json, current: t.Sequence[Json], nodes: t.Sequence[Json], old: t.AbstractSet[str]) -> Verdict:
    mode = service["Spec"]["Mode"]
    wanted = mode["ReplicatedJob"].get("TotalCompletions", 1) if "ReplicatedJob" in mode else _desired(service, nodes)
    complete = [task for task in current if task["Status"]["State"] == "complete"]
    worst = _last_failure(current, frozenset())
    if len(complete) >= wanted:
        return Verdict("done", "", len(complete), wanted)
    active = [task for task in current if task["Status"]["State"] not in ENDED_STATES]
    failures = [task for task in current if task["Status"]["State"] in FAILED_STATES]
    policy = service["Spec"]["TaskTemplate"].get("RestartPolicy") or {}
    attempts = policy.get("MaxAttempts", 0)
    spent = len(failures) > attempts if attempts else len([task for task in failures if task["ID"] not in old]) >= FAILURES_ALLOWED
    if failures and not active and (policy.get("Condition") == "none" or (attempts and spent)) or (spent and not attempts):
        return Verdict("failed", f"the job failed ({len(failures)} times): {_told('', worst)}", len(complete), wanted, worst)
    states = ", ".join(sorted({_state(task) for task in active})) or "no task yet"
    return Verdict("waiting", f"{len(complete)} of {wanted} completed ({states})", len(complete), wanted, worst or (active[0] if active else None))


def _last_failure(tasks: t.Sequence[Json], old: t.AbstractSet[str]) -> Json:
    failures = [task for task in tasks if task["Status"]["State"] in FAILED_STATES and task["ID"] not in old]
    return max(failures, key=lambda task: task["Status"].get("Timestamp", ""), default=None)


def _told(message: str, task: Json) -> str:
    """The cause: the task's own error where there is one, else what swarm says of the update."""
    if task is None:
        return message or "swarm names no cause"
    status = task["Status"]
    error = status.get("Err") or status.get("Message") or status["State"]
    code = (status.get("ContainerStatus") or {}).get("ExitCode")
    return f"{error} (exit code {code})" if code and str(code) not in error else error


def _state(task: Json) -> str:
    error = task["Status"].get("Err")
    return f"{task['Status']['State']}: {error}" if error else task["Status"]["State"]


def _missing(running: t.Sequence[Json], alive: t.Sequence[Json], desired: int, stale: t.Sequence[Json], worst: Json) -> str:
    parts = [f"{len(running)} of {desired} tasks run"]
    others = sorted({_state(task) for task in alive if task["Status"]["State"] != "running"})
    if others:
        parts.append("others are " + ", ".join(others))
    if stale:
        parts.append(f"{len(stale)} of the old version still there")
    if worst is not None:
        parts.append(f"last failure: {_told('', worst)}")
    return "; ".join(parts)


def _unproved(service: Json, running: t.Sequence[Json]) -> frozenset[str]:
    check = (service["Spec"]["TaskTemplate"].get("ContainerSpec") or {}).get("Healthcheck") or {}
    if check.get("Test") and check["Test"] != ["NONE"]:
        return frozenset()
    return frozenset(task["ID"] for task in running)
