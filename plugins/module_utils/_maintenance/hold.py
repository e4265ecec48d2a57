# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Holds the services of a swarm that use a volume, so that nothing writes to it, and lets them go on.

What a service was like is written on the service itself, so that a run that was cut off can be taken up from any controller.

This util is private to the collection: no release promises that it stays as it is.
"""

from __future__ import annotations

import time
import typing as t

from ansible_collections.dockhost.azure.plugins.module_utils._engine.client import Engine
from ansible_collections.dockhost.azure.plugins.module_utils._engine.errors import EngineError
from ansible_collections.dockhost.azure.plugins.module_utils._maintenance import whole
from ansible_collections.dockhost.azure.plugins.module_utils._maintenance.archive import ArchiveError
from ansible_collections.dockhost.azure.plugins.module_utils._stack.verdict import ENDED_STATES

HELD = "dockhost.held-replicas"
# No node has this label: a service in global mode that asks for it has no tasks.
NOWHERE = "node.labels.dockhost.held == nowhere"
_WITH_CONTAINER = ("accepted", "preparing", "ready", "starting", "running")
_ATTEMPTS = 5
_INTERVAL = 0.5  # seconds


def uses(service: dict[str, t.Any], volume: str) -> bool:
    """Whether tasks of a service mount the volume."""
    mounts = service["Spec"]["TaskTemplate"].get("ContainerSpec", {}).get("Mounts") or []
    return any(mount.get("Type") == "volume" and mount.get("Source") == volume for mount in mounts)


def held(spec: dict[str, t.Any]) -> bool:
    """Whether a service is held."""
    return HELD in (spec.get("Labels") or {}) or NOWHERE in _constraints(spec)


def with_hold(spec: dict[str, t.Any]) -> dict[str, t.Any]:
    """The spec of a service without tasks. ArchiveError for jobs, which end by themselves."""
    mode = spec["Mode"]
    if "Replicated" in mode:
        replicas = mode["Replicated"].get("Replicas", 1)
        return {**spec, "Mode": {"Replicated": {"Replicas": 0}}, "Labels": {**(spec.get("Labels") or {}), HELD: str(replicas)}}
    if "Global" in mode:
        return _with_constraints(spec, [*_constraints(spec), NOWHERE])
    raise ArchiveError(f"Service {spec['Name']} is a job and cannot be held: wait until it has ended.")


def without_hold(spec: dict[str, t.Any]) -> dict[str, t.Any]:
    """The spec as it was before with_hold."""
    labels = dict(spec.get("Labels") or {})
    replicas = labels.pop(HELD, None)
    released = {**spec, "Labels": labels}
    if replicas is not None and "Replicated" in spec["Mode"]:
        released["Mode"] = {"Replicated": {"Replicas": int(replicas)}}
    return _with_constraints(released, [one for one in _constraints(spec) if one != NOWHERE]) if NOWHERE in _constraints(spec) else released


def change(engine: Engine, volume: str, hold: bool, check_mode: bool, timeout: float) -> list[str]:
    """Hold or release all services that use ``volume`` and wait until that is so. Returns the names of those that were changed."""
    services = [service for service in engine.get("/services") if uses(service, volume)]
    names = sorted(service["Spec"]["Name"] for service in services if held(service["Spec"]) != hold)
    if hold:
        for service in services:
            with_hold(service["Spec"])  # what cannot be held is refused before the first one is
    if check_mode:
        return names
    changed: list[str] = []
    try:
        for service in services:
            if held(service["Spec"]) != hold:
                changed.append(service["ID"])
                _change_spec(engine, service["ID"], hold)
        if hold:
            _wait_rest(engine, {service["ID"]: service["Spec"]["Name"] for service in services}, timeout)
    except (ArchiveError, EngineError):
        if hold:
            _release(engine, changed)
        raise
    if not hold:
        _wait_again(engine, changed, timeout)
    return names


def _change_spec(engine: Engine, identity: str, hold: bool) -> None:
    """Read a service, hold or release it, write it back; once more where somebody else was faster, such as the swarm with its own notes."""
    for attempt in range(_ATTEMPTS):
        service = engine.find(f"/services/{identity}")
        if service is None or held(service["Spec"]) == hold:
            return
        spec = with_hold(service["Spec"]) if hold else without_hold(service["Spec"])
        try:
            engine.post(f"/services/{identity}/update", spec, version=service["Version"]["Index"])
            return
        except EngineError as error:
            if "out of sequence" not in error.message or attempt == _ATTEMPTS - 1:
                raise
            time.sleep(_INTERVAL)


def _release(engine: Engine, identities: t.Sequence[str]) -> None:
    """Let services go on that could not be held: nobody else would."""
    for identity in identities:
        _change_spec(engine, identity, False)


def _wait_rest(engine: Engine, services: t.Mapping[str, str], timeout: float) -> None:
    """Until no task of the services runs, or is about to."""
    end = time.monotonic() + timeout
    while services:
        tasks = engine.get("/tasks", filters={"service": sorted(services)})
        late = sorted({services[task["ServiceID"]] for task in tasks if at_work(task)})
        if not late:
            return
        if time.monotonic() > end:
            raise ArchiveError(f"These services still run after {timeout:g} s: {', '.join(late)}. See 'docker service ps' on a manager.")
        time.sleep(_INTERVAL)


def at_work(task: t.Mapping[str, t.Any]) -> bool:
    """Whether a task has a container, gets one now, or is wanted to have one: one that is to go and was on no node yet has none. Pure."""
    state = task["Status"]["State"]
    return state in _WITH_CONTAINER or (task.get("DesiredState") in ("ready", "running") and state not in ENDED_STATES)


def _wait_again(engine: Engine, identities: t.Sequence[str], timeout: float) -> None:
    """Until all tasks of the services run again."""
    missing = whole.wait(engine, timeout, identities)
    if missing:
        told = "; ".join(f"{name}: {text}" for name, text in missing.items())
        raise ArchiveError(f"These services do not run again after {timeout:g} s: {told}. See 'docker service ps' on a manager.")


def _constraints(spec: dict[str, t.Any]) -> list[str]:
    return list((spec["TaskTemplate"].get("Placement") or {}).get("Constraints") or [])


def _with_constraints(spec: dict[str, t.Any], constraints: list[str]) -> dict[str, t.Any]:
    template = dict(spec["TaskTemplate"])
    template["Placement"] = {**(template.get("Placement") or {}), "Constraints": constraints}
    return {**spec, "TaskTemplate": template}
