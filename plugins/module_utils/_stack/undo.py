# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Takes back what a run did to a stack that did not come up: each service as it was, nothing left of what is new.

This util is private to the collection: no release promises that it stays as it is.
"""

from __future__ import annotations

import copy
import typing as t

from ansible_collections.dockhost.azure.plugins.module_utils._engine.client import Engine
from ansible_collections.dockhost.azure.plugins.module_utils._engine.errors import EngineError
from ansible_collections.dockhost.azure.plugins.module_utils._stack.live import Deployer
from ansible_collections.dockhost.azure.plugins.module_utils._stack.plan import Actual, Step
from ansible_collections.dockhost.azure.plugins.module_utils._stack.values import Json, StackError
from ansible_collections.dockhost.azure.plugins.module_utils._stack.wait import Waiter


def roll_back(engine: Engine, label: str, actual: Actual, done: t.Sequence[Step], settle: float, timeout: float) -> str:
    """Undo the steps, the last one first, and wait until the services of before run. Returns what was done, in words."""
    waiter = Waiter(engine, label, settle)
    told = []
    try:
        made = {item["Spec"]["Name"]: item for item in engine.get("/services", filters={"label": [label]}) or ()}
        for step in reversed(done):
            if step.type == "service":
                told.append(_service(engine, step, actual.services.get(step.name), made.get(step.name)))
        _remove_new(engine, actual, done)
        waiter.wait(set(actual.services), timeout)
    except (EngineError, StackError) as error:
        return f"Rolling back did not succeed either: {error}"
    if not told:
        return "No service had been changed."
    return f"The stack was rolled back to what it was before ({', '.join(sorted(told))})."


def _service(engine: Engine, step: Step, before: Json, now: Json) -> str:
    if now is not None and (before is None or before["ID"] != now["ID"]):
        engine.delete(f"/services/{now['ID']}")
        now = None
    if before is None:
        return f"{step.name} removed"
    spec = copy.deepcopy(before["Spec"])
    if now is None:
        engine.post("/services/create", body=spec)
        return f"{step.name} made again"
    if "ReplicatedJob" in spec["Mode"] or "GlobalJob" in spec["Mode"]:
        # Another number here would let the job run once more.
        spec["TaskTemplate"]["ForceUpdate"] = now["Spec"]["TaskTemplate"].get("ForceUpdate", 0)
    engine.post(f"/services/{now['ID']}/update", body=spec, version=now["Version"]["Index"])
    return f"{step.name} as before"


def _remove_new(engine: Engine, actual: Actual, done: t.Sequence[Step]) -> None:
    """Configs, secrets and networks that this run made. Tasks that are just ending may hold them for a moment."""
    deployer = Deployer(engine, actual)
    for kind in ("config", "secret", "network"):
        names = {step.name for step in done if step.type == kind and step.action == "create"}
        for item in engine.get(f"/{kind}s") or () if names else ():
            name = item.get("Name") or item["Spec"]["Name"]
            if name in names:
                deployer.apply(Step("remove", kind, name, "rolled back", id=item.get("ID") or item["Id"]))
