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
from ansible_collections.dockhost.azure.plugins.module_utils._maintenance.archive import ArchiveError

HELD = "dockhost.held-replicas"
# No node has this label: a service in global mode that asks for it has no tasks.
NOWHERE = "node.labels.dockhost.held == nowhere"


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
    wanted = [(service, with_hold(service["Spec"])) for service in services if hold and not held(service["Spec"])]
    wanted += [(service, without_hold(service["Spec"])) for service in services if not hold and held(service["Spec"])]
    if check_mode:
        return sorted(service["Spec"]["Name"] for service, _spec in wanted)
    for service, spec in wanted:
        engine.post(f"/services/{service['ID']}/update", spec, version=service["Version"]["Index"])
    names = [service["Spec"]["Name"] for service in (services if hold else [service for service, _spec in wanted])]
    try:
        _wait(engine, names, hold, timeout)
    except ArchiveError:
        if hold:
            _release(engine, [service["ID"] for service, _spec in wanted])
        raise
    return sorted(service["Spec"]["Name"] for service, _spec in wanted)


def _release(engine: Engine, identities: t.Sequence[str]) -> None:
    """Let services go on that could not be held: nobody else would."""
    for identity in identities:
        service = engine.get(f"/services/{identity}")
        engine.post(f"/services/{identity}/update", without_hold(service["Spec"]), version=service["Version"]["Index"])


def _wait(engine: Engine, names: t.Sequence[str], hold: bool, timeout: float) -> None:
    """Until no task of the services runs, or until all of them do."""
    end = time.monotonic() + timeout
    while names:
        late = [name for name in names if not _settled(engine, name, hold)]
        if not late:
            return
        if time.monotonic() > end:
            verb = "still run" if hold else "do not run again"
            raise ArchiveError(f"These services {verb} after {timeout:g} s: {', '.join(late)}. See 'docker service ps' on a manager.")
        time.sleep(0.5)


def _settled(engine: Engine, name: str, hold: bool) -> bool:
    tasks = engine.get("/tasks", filters={"service": [name]})
    if hold:
        return not any(task["Status"]["State"] in ("running", "starting", "preparing", "ready") for task in tasks)
    (service,) = [one for one in engine.get("/services", filters={"name": [name]}, status=True) if one["Spec"]["Name"] == name]
    status = service["ServiceStatus"]
    # A service in global mode has no tasks in the first moment, and wants none as far as this says.
    return status["RunningTasks"] >= status["DesiredTasks"] > 0


def _constraints(spec: dict[str, t.Any]) -> list[str]:
    return list((spec["TaskTemplate"].get("Placement") or {}).get("Constraints") or [])


def _with_constraints(spec: dict[str, t.Any], constraints: list[str]) -> dict[str, t.Any]:
    template = dict(spec["TaskTemplate"])
    template["Placement"] = {**(template.get("Placement") or {}), "Constraints": constraints}
    return {**spec, "TaskTemplate": template}
