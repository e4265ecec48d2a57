# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The stack and the engine: reads what the swarm holds, and carries out the steps of a plan.

Beside ``wait.py`` the only code of this package that talks to the engine.

This util is private to the collection: no release promises that it stays as it is.
"""

from __future__ import annotations

import base64
import copy
import os
import time
import typing as t

from ansible_collections.dockhost.azure.plugins.module_utils._engine.client import Engine
from ansible_collections.dockhost.azure.plugins.module_utils._engine.errors import EngineError
from ansible_collections.dockhost.azure.plugins.module_utils._engine.labels import PROJECT
from ansible_collections.dockhost.azure.plugins.module_utils._engine.logins import auth_header
from ansible_collections.dockhost.azure.plugins.module_utils._stack.plan import Actual, Step, purpose
from ansible_collections.dockhost.azure.plugins.module_utils._stack.resources import NAMESPACE, PURPOSE
from ansible_collections.dockhost.azure.plugins.module_utils._stack.service import IMAGE
from ansible_collections.dockhost.azure.plugins.module_utils._stack.values import Json, StackError

KEY_PURPOSE = "digest-key"


def require_manager(engine: Engine) -> None:
    """Stacks can be read and changed on managers only."""
    swarm = engine.info().get("Swarm") or {}
    if not swarm.get("ControlAvailable"):
        state = swarm.get("LocalNodeState", "inactive")
        raise StackError(f"This host is no manager of a swarm (state {state}): run the task on a manager (role dockhost.azure.swarm makes one).")


def refuse_project(engine: Engine, stack: str) -> None:
    """A Compose project of the stack's name has volumes of the same names: two writers would destroy what is in them."""
    if engine.get("/containers/json", all=True, filters={"label": [f"{PROJECT}={stack}"]}):
        raise StackError(
            f"A Compose project called {stack} is on this host, and the stack would run it a second time on the same volumes: remove the project first "
            "(its volumes stay), or give the stack another name. Nothing was changed."
        )


def in_swarm(engine: Engine) -> bool:
    """Whether there is an engine, and it is in a swarm in whatever role."""
    return engine.runs() and (engine.info().get("Swarm") or {}).get("LocalNodeState", "inactive") != "inactive"


def observe(engine: Engine, stack: str) -> Actual:
    """Everything of the swarm that the stack owns or may refer to: four lists."""
    networks = engine.get("/networks")
    configs = {item["Spec"]["Name"]: item for item in engine.get("/configs") or ()}
    secrets = {item["Spec"]["Name"]: item for item in engine.get("/secrets") or ()}
    services = engine.get("/services", filters={"label": [f"{NAMESPACE}={stack}"]}) or ()

    def mine(items: t.Mapping[str, Json], labels: t.Callable[[Json], Json]) -> dict[str, Json]:
        return {name: item for name, item in items.items() if (labels(item) or {}).get(NAMESPACE) == stack}

    # Several hosts can have a local network of one name; those of the swarm win.
    everything = {item["Name"]: item for item in sorted(networks, key=lambda item: item.get("Scope") == "swarm")}
    everything.update(_unlisted(engine, services, everything))
    return Actual(
        services={item["Spec"]["Name"]: item for item in services},
        networks=mine({name: item for name, item in everything.items() if item.get("Scope") == "swarm"}, lambda item: item.get("Labels")),
        configs=mine(configs, lambda item: item["Spec"].get("Labels")),
        secrets=mine(secrets, lambda item: item["Spec"].get("Labels")),
        all_networks=everything,
        all_configs=configs,
        all_secrets=secrets,
    )


def _unlisted(engine: Engine, services: t.Iterable[Json], listed: t.Mapping[str, Json]) -> dict[str, Json]:
    """Networks that services are on and that the list leaves out: the swarm has an id of its own for the hosts' network."""
    known = {item.get("Id") or item.get("ID") for item in listed.values()}
    targets = {item["Target"] for service in services for item in service["Spec"]["TaskTemplate"].get("Networks") or ()}
    found = [engine.find(f"/networks/{target}") for target in sorted(targets - known)]
    return {item["Name"]: item for item in found if item}


def digest_key(actual: Actual) -> tuple[bytes, bool]:
    """The key of the secrets' digests and whether it is new (then store_digest_key).

    It is random and lies in a config of the stack: so every manager has it, it outlives the loss of one, and only who can
    read every secret anyway (by mounting it) can read it.
    """
    for item in actual.configs.values():
        if purpose(item) == KEY_PURPOSE:
            return base64.b64decode(item["Spec"]["Data"]), False
    return os.urandom(32), True


def store_digest_key(engine: Engine, stack: str, key: bytes) -> None:
    """Keep a new digest key in the swarm."""
    labels = {NAMESPACE: stack, PURPOSE: KEY_PURPOSE}
    spec = {"Name": f"{stack}_dockhost-digest-key", "Labels": labels, "Data": base64.b64encode(key).decode()}
    engine.post("/configs/create", body=spec)


def pin_images(engine: Engine, images: t.Iterable[str]) -> tuple[dict[str, str], list[str]]:
    """Resolve tags once, on the manager, so that all hosts run the same image: {image: image@digest}, and notes on those that
    could not be resolved."""
    pins, notes = {}, []
    for image in sorted(images):
        if "@" in image:
            continue
        try:
            digest = engine.request("GET", f"/distribution/{image}/json", headers=auth_header(image))["Descriptor"]["digest"]
        except EngineError as error:
            notes.append(f"{image}: its registry did not tell the digest, so each host takes what its tag means there ({error.message})")
            continue
        tagged = image if ":" in image.rsplit("/", 1)[-1] else f"{image}:latest"
        pins[image] = f"{tagged}@{digest}"
    return pins, notes


class Deployer:
    """Carries out steps. ``pins`` are images with their digests; a service whose image did not change keeps the digest that it has."""

    def __init__(self, engine: Engine, actual: Actual, pins: t.Mapping[str, str] | None = None, repin: bool = False) -> None:
        self._engine = engine
        self._actual = actual
        self._pins = pins or {}
        self._repin = repin
        self._ids = {
            "Config": {name: item["ID"] for name, item in actual.all_configs.items()},
            "Secret": {name: item["ID"] for name, item in actual.all_secrets.items()},
        }

    def apply(self, step: Step) -> None:
        """Carry out one step; raises EngineError where the engine refuses it."""
        if step.type == "service" and step.action != "remove":
            self._service(step)
        elif step.action == "create" and step.type == "network":
            self._engine.post("/networks/create", body={**(step.spec or {}), "CheckDuplicate": True})
        elif step.action == "create":
            made = self._engine.post(f"/{step.type}s/create", body=step.spec)
            self._ids[step.type.capitalize()][step.name] = made["ID"]
        else:
            self._remove(step)

    def _service(self, step: Step) -> None:
        spec = self._with_ids(step.spec or {})
        found = self._actual.services.get(step.name)
        self._set_image(spec, found)
        # As docker stack deploy --with-registry-auth: the hosts that run tasks pull with the login that came with the service.
        login = auth_header(spec["TaskTemplate"]["ContainerSpec"]["Image"])
        if step.action == "replace":
            self._engine.delete(f"/services/{step.id}")
            self._wait_gone(step.id)
        if step.action != "update" or found is None:
            self._engine.post("/services/create", body=spec, headers=login)
            return
        before = found["Spec"]["TaskTemplate"].get("ForceUpdate", 0)
        # A job runs again only when it is forced: its spec has changed, so it has to.
        job = "ReplicatedJob" in spec["Mode"] or "GlobalJob" in spec["Mode"]
        spec["TaskTemplate"]["ForceUpdate"] = before + 1 if job else before
        self._engine.post(f"/services/{step.id}/update", body=spec, headers=login, version=found["Version"]["Index"])

    def _with_ids(self, spec: dict[str, Json]) -> dict[str, Json]:
        spec = copy.deepcopy(spec)
        container = spec["TaskTemplate"]["ContainerSpec"]
        for kind in ("Config", "Secret"):
            for reference in container.get(f"{kind}s") or ():
                reference[f"{kind}ID"] = self._ids[kind][reference[f"{kind}Name"]]
        return spec

    def _set_image(self, spec: dict[str, Json], found: Json) -> None:
        container = spec["TaskTemplate"]["ContainerSpec"]
        image = container["Image"]
        again = self._repin and image in self._pins
        if found and not again and found["Spec"].get("Labels", {}).get(IMAGE) == image:
            container["Image"] = found["Spec"]["TaskTemplate"]["ContainerSpec"]["Image"]
        else:
            container["Image"] = self._pins.get(image, image)

    def _remove(self, step: Step) -> None:
        for attempt in range(40):
            try:
                self._engine.delete(f"/{step.type}s/{step.id}")
                return
            except EngineError as error:
                # Tasks that are just ending still hold it; that takes moments.
                if step.type == "service" or "in use" not in error.message and "active endpoints" not in error.message or attempt == 39:
                    raise
            time.sleep(0.5)

    def _wait_gone(self, service: str, timeout: float = 60) -> None:
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            if not engine_tasks(self._engine, service):
                return
            time.sleep(0.5)


def engine_tasks(engine: Engine, service: str) -> list[Json]:
    """All tasks of a service, also of one that was removed."""
    return engine.get("/tasks", filters={"service": [service]}) or []


def remove_all(engine: Engine, stack: str, actual: Actual, steps: t.Sequence[Step], timeout: float) -> None:
    """Carry out a removal and wait until tasks and networks are gone."""
    deployer = Deployer(engine, actual)
    services = [step for step in steps if step.type == "service"]
    for step in services:
        deployer.apply(step)
    end = time.monotonic() + timeout
    waiting = [step.id for step in services]
    while waiting:
        waiting = [service for service in waiting if any(_alive(task) for task in _tasks_or_none(engine, service))]
        if waiting and time.monotonic() > end:
            raise StackError(f"Stack {stack}: tasks of {len(waiting)} services have not ended within {timeout:g} s; run again, or raise timeout.")
        if waiting:
            time.sleep(0.5)
    for step in steps:
        if step.type != "service":
            deployer.apply(step)
    while any((item.get("Labels") or {}).get(NAMESPACE) == stack for item in engine.get("/networks")):
        if time.monotonic() > end:
            raise StackError(f"Stack {stack}: its networks are still there after {timeout:g} s; a container outside of the stack may use them.")
        time.sleep(0.5)


def _tasks_or_none(engine: Engine, service: str) -> list[Json]:
    try:
        return engine_tasks(engine, service)
    except EngineError as error:
        if error.not_found:
            return []
        raise


def _alive(task: Json) -> bool:
    return task["Status"]["State"] not in ("complete", "failed", "rejected", "shutdown", "orphaned", "remove", "new", "pending")
