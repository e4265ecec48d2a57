# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The ``deploy`` section of a service: mode, placement, resources, restarts and updates.

Rules: https://docs.docker.com/reference/compose-file/deploy/

This util is private to the collection: no release promises that it stays as it is.
"""

from __future__ import annotations

from ansible_collections.dockhost.azure.plugins.module_utils._stack.values import (
    Json,
    StackError,
    boolean,
    duration,
    labels,
    mapping,
    number,
    one_of,
    section,
    sequence,
    size,
    text,
    texts,
)

KEYS = ("mode", "replicas", "placement", "resources", "restart_policy", "update_config", "rollback_config", "labels", "endpoint_mode")
MODES = ("replicated", "global", "replicated-job", "global-job")


def deploy(path: str, value: Json) -> dict[str, Json]:
    """The parts of a ServiceSpec that come from ``deploy``: Mode, Labels, EndpointMode, UpdateConfig, RollbackConfig and
    of the task Placement, Resources, RestartPolicy; only those that the section asks for."""
    found = section(path, value, KEYS)
    mode = one_of(f"{path}.mode", found.get("mode", "replicated"), MODES)
    job = mode.endswith("-job")
    parts: dict[str, Json] = {"Mode": _mode(path, mode, found.get("replicas")), "Labels": labels(f"{path}.labels", found.get("labels"))}
    if found.get("endpoint_mode"):
        parts["EndpointMode"] = one_of(f"{path}.endpoint_mode", found["endpoint_mode"], ("vip", "dnsrr"))
    for key, name in (("update_config", "UpdateConfig"), ("rollback_config", "RollbackConfig")):
        if found.get(key) is not None:
            if job:
                raise StackError(f"{path}.{key} does not go with mode {mode}: a job is run again, not updated.")
            parts[name] = _update(f"{path}.{key}", found[key])
    parts["RestartPolicy"] = _restart(f"{path}.restart_policy", found.get("restart_policy"), job)
    parts["Placement"] = _placement(f"{path}.placement", found.get("placement"), mode)
    parts["Resources"] = _resources(f"{path}.resources", found.get("resources"))
    return parts


def _mode(path: str, mode: str, replicas: Json) -> dict[str, Json]:
    if mode.startswith("global"):
        if replicas is not None:
            raise StackError(f"{path}.replicas does not go with mode {mode}, which runs one task on every node.")
        return {"Global": {}} if mode == "global" else {"GlobalJob": {}}
    count = number(f"{path}.replicas", 1 if replicas is None else replicas)
    if mode == "replicated":
        return {"Replicated": {"Replicas": count}}
    return {"ReplicatedJob": {"MaxConcurrent": count, "TotalCompletions": count}}


def _update(path: str, value: Json) -> dict[str, Json]:
    found = section(path, value, ("parallelism", "delay", "failure_action", "monitor", "max_failure_ratio", "order"))
    actions = ("pause", "continue") if path.endswith("rollback_config") else ("pause", "continue", "rollback")
    config: dict[str, Json] = {"Parallelism": number(f"{path}.parallelism", found.get("parallelism", 1))}
    if "delay" in found:
        config["Delay"] = duration(f"{path}.delay", found["delay"])
    if "monitor" in found:
        config["Monitor"] = duration(f"{path}.monitor", found["monitor"])
    if "max_failure_ratio" in found:
        config["MaxFailureRatio"] = number(f"{path}.max_failure_ratio", found["max_failure_ratio"], float)
    config["FailureAction"] = one_of(f"{path}.failure_action", found.get("failure_action", "pause"), actions)
    config["Order"] = one_of(f"{path}.order", found.get("order", "stop-first"), ("stop-first", "start-first"))
    return config


def _restart(path: str, value: Json, job: bool) -> dict[str, Json]:
    if value is None:
        # A job that starts again after its success would never end: swarm refuses "any" there.
        return {"Condition": "on-failure"} if job else {}
    found = section(path, value, ("condition", "delay", "max_attempts", "window"))
    conditions = ("none", "on-failure") if job else ("none", "on-failure", "any")
    policy: dict[str, Json] = {"Condition": one_of(f"{path}.condition", found.get("condition", conditions[-1]), conditions)}
    if "delay" in found:
        policy["Delay"] = duration(f"{path}.delay", found["delay"])
    if "max_attempts" in found:
        policy["MaxAttempts"] = number(f"{path}.max_attempts", found["max_attempts"])
    if "window" in found:
        policy["Window"] = duration(f"{path}.window", found["window"])
    return policy


def _placement(path: str, value: Json, mode: str) -> dict[str, Json]:
    found = section(path, value, ("constraints", "preferences", "max_replicas_per_node"))
    placement: dict[str, Json] = {}
    if found.get("constraints"):
        placement["Constraints"] = texts(f"{path}.constraints", found["constraints"])
        for constraint in placement["Constraints"]:
            if "==" not in constraint and "!=" not in constraint:
                raise StackError(f"{path}.constraints: {constraint!r} compares nothing; write node.labels.name == value.")
    if found.get("preferences"):
        placement["Preferences"] = []
        for index, item in enumerate(sequence(f"{path}.preferences", found["preferences"])):
            where = f"{path}.preferences[{index}]"
            spread = section(where, item, ("spread",)).get("spread")
            placement["Preferences"].append({"Spread": {"SpreadDescriptor": text(f"{where}.spread", spread)}})
    if found.get("max_replicas_per_node") is not None:
        if mode != "replicated":
            raise StackError(f"{path}.max_replicas_per_node does not go with mode {mode}.")
        placement["MaxReplicas"] = number(f"{path}.max_replicas_per_node", found["max_replicas_per_node"])
    return placement


def _resources(path: str, value: Json) -> dict[str, Json]:
    found = section(path, value, ("limits", "reservations"))
    result = {}
    for key, name in (("limits", "Limits"), ("reservations", "Reservations")):
        where = f"{path}.{key}"
        known = ("cpus", "memory", "pids") if key == "limits" else ("cpus", "memory", "generic_resources")
        entry = section(where, found.get(key), known, {"devices": "swarm knows generic_resources instead"})
        amounts: dict[str, Json] = {}
        if "cpus" in entry:
            amounts["NanoCPUs"] = int(number(f"{where}.cpus", entry["cpus"], float) * 10**9)
        if "memory" in entry:
            amounts["MemoryBytes"] = size(f"{where}.memory", entry["memory"])
        if "pids" in entry:
            amounts["Pids"] = number(f"{where}.pids", entry["pids"])
        if "generic_resources" in entry:
            amounts["GenericResources"] = _generic(f"{where}.generic_resources", entry["generic_resources"])
        if amounts:
            result[name] = amounts
    return result


def _generic(path: str, value: Json) -> list[dict[str, Json]]:
    result = []
    for index, item in enumerate(sequence(path, value)):
        where = f"{path}[{index}].discrete_resource_spec"
        entry = section(where, section(f"{path}[{index}]", item, ("discrete_resource_spec",)).get("discrete_resource_spec"), ("kind", "value"))
        kind, amount = text(f"{where}.kind", entry.get("kind")), number(f"{where}.value", entry.get("value"))
        result.append({"DiscreteResourceSpec": {"Kind": kind, "Value": amount}})
    return result


def healthcheck(path: str, value: Json) -> dict[str, Json]:
    """The Engine API's HealthConfig."""
    found = section(path, value, ("test", "interval", "timeout", "retries", "start_period", "start_interval", "disable"))
    if boolean(f"{path}.disable", found.get("disable", False)):
        return {"Test": ["NONE"]}
    check: dict[str, Json] = {}
    test = found.get("test")
    if isinstance(test, str):
        check["Test"] = ["CMD-SHELL", test]
    elif test is not None:
        check["Test"] = texts(f"{path}.test", test)
        if check["Test"][:1] not in (["NONE"], ["CMD"], ["CMD-SHELL"]):
            raise StackError(f"{path}.test has to begin with NONE, CMD or CMD-SHELL.")
    for key, name in (("interval", "Interval"), ("timeout", "Timeout"), ("start_period", "StartPeriod"), ("start_interval", "StartInterval")):
        if key in found:
            check[name] = duration(f"{path}.{key}", found[key])
    if "retries" in found:
        check["Retries"] = number(f"{path}.retries", found["retries"])
    return check


def ulimits(path: str, value: Json) -> list[dict[str, Json]]:
    """The Engine API's Ulimits."""
    result = []
    for name, limit in mapping(path, value).items():
        where = f"{path}.{name}"
        if isinstance(limit, dict):
            both = section(where, limit, ("soft", "hard"))
            soft, hard = (number(f"{where}.{key}", both.get(key), least=-1) for key in ("soft", "hard"))
        else:
            soft = hard = number(where, limit, least=-1)
        result.append({"Name": name, "Soft": soft, "Hard": hard})
    return sorted(result, key=lambda item: item["Name"])
