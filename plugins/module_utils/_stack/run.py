# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One run of module stack: build what is wanted, read what is there, plan, apply, wait.

This util is private to the collection: no release promises that it stays as it is.
"""

from __future__ import annotations

import typing as t

from ansible_collections.dockhost.azure.plugins.module_utils._engine.client import Engine
from ansible_collections.dockhost.azure.plugins.module_utils._engine.errors import EngineError
from ansible_collections.dockhost.azure.plugins.module_utils._stack.document import Wanted, build, stack_name
from ansible_collections.dockhost.azure.plugins.module_utils._stack.live import (
    Deployer,
    digest_key,
    in_swarm,
    observe,
    pin_images,
    refuse_project,
    remove_all,
    require_manager,
    store_digest_key,
)
from ansible_collections.dockhost.azure.plugins.module_utils._stack.merge import merge
from ansible_collections.dockhost.azure.plugins.module_utils._stack.plan import Actual, Step, diff, plan, plan_removal
from ansible_collections.dockhost.azure.plugins.module_utils._stack.resources import NAMESPACE
from ansible_collections.dockhost.azure.plugins.module_utils._stack.service import IMAGE
from ansible_collections.dockhost.azure.plugins.module_utils._stack.undo import roll_back
from ansible_collections.dockhost.azure.plugins.module_utils._stack.values import Json, StackError
from ansible_collections.dockhost.azure.plugins.module_utils._stack.verdict import Verdict
from ansible_collections.dockhost.azure.plugins.module_utils._stack.wait import Waiter
from ansible_collections.dockhost.azure.plugins.module_utils._swarm.report import published_ports


def run(engine: Engine, params: t.Mapping[str, Json], check_mode: bool) -> dict[str, Json]:
    """The module's result. Raises StackError and EngineError."""
    stack_name(params["name"])
    if params["state"] == "absent":
        return _absent(engine, params, check_mode)
    return _present(engine, params, check_mode)


def _absent(engine: Engine, params: t.Mapping[str, Json], check_mode: bool) -> dict[str, Json]:
    if check_mode and not in_swarm(engine):
        return {**_told([]), "services": [], "published_ports": [], "notes": []}
    require_manager(engine)
    actual = observe(engine, params["name"])
    steps = plan_removal(actual)
    if steps and not check_mode:
        remove_all(engine, params["name"], actual, steps, params["timeout"])
    return {**_told(steps), "services": [], "published_ports": [], "notes": []}


def _present(engine: Engine, params: t.Mapping[str, Json], check_mode: bool) -> dict[str, Json]:
    # A document with an error is refused before anybody is asked anything.
    first = _build(params, b"\0" * 32)
    _check_first(params, first)
    if check_mode and not in_swarm(engine):
        return _would_be_first(params, first)
    require_manager(engine)
    stack = params["name"]
    refuse_project(engine, stack)
    actual = observe(engine, stack)
    key, new_key = digest_key(actual)
    wanted = _build(params, key)
    always = params["resolve_image"] == "always"
    pins, pin_notes = pin_images(engine, _to_pin(wanted, actual, params["resolve_image"], check_mode))
    steps = plan(wanted, actual, params["prune"], pins if always else None)
    early, rest = turns(steps, stack, params["first"] if params["wait"] else ())
    steps = early + rest
    notes = [*wanted.notes, *pin_notes]
    verdicts: dict[str, Verdict] = {}
    waiter = Waiter(engine, f"{NAMESPACE}={stack}", params["settle"])
    if not check_mode:
        deployer = Deployer(engine, actual, pins, always)
        if new_key and any(blob.spec for blob in wanted.secrets.values()):
            store_digest_key(engine, stack, key)
        # What is outdated may be in use until the services have converged, and is what a rollback goes back to.
        late = [step for step in steps if step.action == "remove" and step.type != "service"]
        verdicts = _apply(engine, params, actual, wanted, (early, [step for step in rest if step not in late]), deployer, waiter)
        if params["wait"]:
            for step in late:
                deployer.apply(step)
        elif late:
            notes.append("outdated configs, secrets and networks stay until a run that waits")
    verdicts = verdicts or waiter.verdicts(set(wanted.services))
    return {**_told(steps), **_state(engine, wanted, verdicts), "notes": notes}


def _check_first(params: t.Mapping[str, Json], wanted: Wanted) -> None:
    unknown = [name for name in params["first"] if f"{params['name']}_{name}" not in wanted.services]
    if unknown:
        raise StackError(f"first: {', '.join(unknown)} is no service of the document; give names of its services.")


def _would_be_first(params: t.Mapping[str, Json], wanted: Wanted) -> dict[str, Json]:
    """Check mode on a host that gets its engine and its swarm from earlier tasks of the same run: all is new, and what is external is taken to be there."""
    steps = plan(wanted, Actual.of_externals(wanted), params["prune"], None)
    notes = [*wanted.notes, "this host is in no swarm yet: external objects were not looked for"]
    return {**_told(steps), "services": [], "published_ports": [], "notes": notes}


def _apply(
    engine: Engine,
    params: t.Mapping[str, Json],
    actual: Actual,
    wanted: Wanted,
    steps: tuple[t.Sequence[Step], t.Sequence[Step]],
    deployer: Deployer,
    waiter: Waiter,
) -> dict[str, Verdict]:
    """Carry out the steps, those of services that come first and then the others, and wait; where a service does not come up, go back if that is asked for."""
    done: list[Step] = []
    early, rest = steps
    try:
        for step in early:
            done.append(step)
            deployer.apply(step)
        between = awaited(steps, params["name"], params["first"], actual) if params["wait"] else set()
        if between:
            # The others cannot use them since their tasks were stopped, and are not to wait for as long as the swarm watches the update as well.
            waiter.wait(between, params["timeout"], watched=False)
        for step in rest:
            done.append(step)
            deployer.apply(step)
        return waiter.wait(set(wanted.services), params["timeout"]) if params["wait"] else {}
    except (StackError, EngineError) as error:
        if params["on_failure"] != "rollback" or not done:
            raise
        told = roll_back(engine, f"{NAMESPACE}={params['name']}", actual, done, params["settle"], params["timeout"])
        raise StackError(f"{error} {told}") from error


def turns(steps: t.Sequence[Step], stack: str, first: t.Collection[str]) -> tuple[list[Step], list[Step]]:
    """(steps up to the updates of the services ``first``, with what they need; all others). Nothing comes early where none of them changes."""
    names = {f"{stack}_{name}" for name in first}
    chosen = {step.name for step in steps if step.type == "service" and step.action in ("update", "replace") and step.name in names}
    early = [step for step in steps if (step.name in chosen if step.type == "service" else step.action != "remove")] if chosen else []
    return early, [step for step in steps if step not in early]


def awaited(steps: tuple[t.Sequence[Step], t.Sequence[Step]], stack: str, first: t.Collection[str], actual: Actual) -> set[str]:
    """Services that have to run before others are touched: those that come first and change, or whose update was begun by a run that was cut off."""
    early, rest = steps
    if not any(step.type == "service" for step in rest):
        return set()
    found = {name: (actual.services.get(name) or {}).get("UpdateStatus") or {} for name in (f"{stack}_{name}" for name in first)}
    return {step.name for step in early if step.type == "service"} | {name for name, update in found.items() if update.get("State") == "updating"}


def _to_pin(wanted: Wanted, actual: Actual, when: str, check_mode: bool) -> set[str]:
    """The images whose digests have to be asked for."""
    images = {name: spec["Labels"][IMAGE] for name, spec in wanted.services.items()}
    if when == "always":
        return set(images.values())
    if when == "never" or check_mode:
        return set()
    had = {name: item["Spec"].get("Labels", {}).get(IMAGE) for name, item in actual.services.items()}
    return {image for name, image in images.items() if had.get(name) != image}


def _build(params: t.Mapping[str, Json], key: bytes) -> Wanted:
    return build(
        params["name"],
        merge([params["compose"], *(params["overlays"] or ())]),
        params["configs"] or {},
        params["secrets"] or {},
        key,
        params["variables"] or {},
        params["routing_mesh"],
        params["encrypt_networks"],
    )


def _told(steps: t.Sequence[Step]) -> dict[str, Json]:
    return {"changed": bool(steps), "plan": [step.summary() for step in steps], "diff": diff(steps)}


def _state(engine: Engine, wanted: Wanted, verdicts: t.Mapping[str, Verdict]) -> dict[str, Json]:
    found = [item for item in engine.get("/services", status=True) or () if item["Spec"]["Name"] in wanted.services]
    services = []
    for item in sorted(found, key=lambda item: item["Spec"]["Name"]):
        spec, verdict = item["Spec"], verdicts.get(item["Spec"]["Name"])
        services.append(
            {
                "name": spec["Name"],
                "id": item["ID"],
                "image": spec["Labels"].get(IMAGE, ""),
                "mode": next(iter(spec["Mode"])).lower(),
                "running": verdict.running if verdict else 0,
                "desired": verdict.desired if verdict else 0,
                "state": verdict.state if verdict else "unknown",
                "message": verdict.text if verdict else "",
            }
        )
    return {"services": services, "published_ports": published_ports(found)}
