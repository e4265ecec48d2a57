# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a deployment: resources in the order of their dependencies, each by the way that a client's PUT takes."""
from __future__ import annotations

import asyncio
import logging
import time
import uuid
from typing import TYPE_CHECKING, Any

from azlab import api_versions
from azlab.arm.resources import deploy_view as view
from azlab.arm.resources.deploy_context import Lookup, dispatch
from azlab.arm.wire import Answer
from azlab.errors import ArmError
from azlab.operations import Operation
from azlab.store import Resource
from azlab.templates import plan as plans
from azlab.templates.errors import ExpressionError, TemplateError
from azlab.templates.plan import Plan
from azlab.templates.planned import Planned

if TYPE_CHECKING:
    from azlab.arm.resources.deployments import Deployments

log = logging.getLogger("azlab.deployments")
_RETRIES = 600          # of a request that Azure's own engine repeats: two minutes
_PAUSE = 0.2


class Failed(Exception):
    """Deployment or resource: `error` is what a client gets to see."""

    def __init__(self, error: dict[str, Any], status: int = 409) -> None:
        super().__init__(error.get("message"))
        self.error, self.status = error, status


class Run:
    """One run of one deployment."""

    def __init__(self, owner: Deployments, resource: Resource, plan: Plan) -> None:
        self.owner, self.resource, self.plan = owner, resource, plan
        self.lab, self.router = owner.lab, owner.router
        self.lookup = Lookup(self.router, plan)
        self.started = time.monotonic()
        self.saved = 0.0
        self.pace = asyncio.Lock()
        done = [o for o in resource.private.get("operations", []) if o["properties"]["provisioningState"] == "Succeeded"]
        self.operations: list[dict[str, Any]] = done        # of a run that a restart of the lab cut short
        resource.private["operations"] = self.operations

    async def whole(self) -> None:
        """Deploy everything. Raises Failed."""
        self.resource.state = "Running"
        self.save(force=True)
        details = await self._resources()
        if details:
            raise Failed(view.failure(self.resource.id, details))
        body = self.resource.body["deployment"]
        if self.plan.outputs:
            body["outputs"] = await self._outputs()
        if str(body.get("mode")).lower() == "complete":
            await self._delete_others()
        body["outputResources"] = [{"id": r.id} for r in self.plan.active]

    def save(self, *, force: bool = False) -> None:
        """Write progress; not at every step, since a deployment can have 800 resources."""
        body = self.resource.body["deployment"]
        body["timestamp"], body["duration"] = view.clock(), view.duration(time.monotonic() - self.started)
        if force or time.monotonic() - self.saved > 0.5:
            self.saved = time.monotonic()
            self.lab.store.put(self.resource)

    # -- the graph
    async def _resources(self) -> list[dict[str, Any]]:
        """Start each resource when what it depends on is there; returns the errors."""
        finished = {o["properties"]["targetResource"]["id"].lower() for o in self.operations
                    if "targetResource" in o["properties"]}
        known = {r.key: r for r in self.plan.active if r.key not in finished}
        missing = {key: {d.lower() for d in r.depends_on} - finished for key, r in known.items()}
        followers: dict[str, list[str]] = {}
        for key, needed in missing.items():
            for other in needed:
                followers.setdefault(other, []).append(key)
        running: dict[asyncio.Task[None], Planned] = {}
        errors: list[dict[str, Any]] = []
        ready = [key for key, needed in missing.items() if not needed]
        while True:
            for key in ready:
                running[asyncio.get_running_loop().create_task(self._one(known[key]))] = known[key]
            if not running:
                return errors
            ready = []
            for task in await self._some(running):
                resource, problem = running.pop(task), task.exception()
                if isinstance(problem, Failed):
                    errors.append(problem.error)
                elif problem is not None:
                    raise problem
                else:
                    for key in followers.get(resource.key, ()):
                        missing[key].discard(resource.key)
                        if not missing[key]:
                            ready.append(key)

    @staticmethod
    async def _some(running: dict[asyncio.Task[None], Planned]) -> set[asyncio.Task[None]]:
        """Those that have ended; there is at least one."""
        try:
            done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:          # the deployment was cancelled, or the lab stops
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
            raise
        return done

    async def _one(self, resource: Planned) -> None:
        """One resource, from its last expressions to the end of its operation. Raises Failed."""
        entry = view.new_operation(self.resource.id, str(uuid.uuid4()), resource)
        self.operations.append(entry)
        started = time.monotonic()
        try:
            status = await self._deploy(resource)
        except Failed as problem:
            self._close(entry, started, "Failed", problem.status, {"error": problem.error})
            raise
        self._close(entry, started, "Succeeded", status, None)

    def _close(self, entry: dict[str, Any], started: float, state: str, status: int,
               message: dict[str, Any] | None) -> None:
        properties = entry["properties"]
        properties.update(provisioningState=state, timestamp=view.clock(),
                          duration=view.duration(time.monotonic() - started), statusCode=view.status_name(status))
        if message is not None:
            properties["statusMessage"] = message
        self.save()

    async def _deploy(self, resource: Planned) -> int:
        running = self.lab.operations.running_for(resource.id)
        if running is not None and running.resource_id.lower() != self.resource.lid:
            await self.lab.operations.wait(running)
        try:
            body = resource.final_body(self.lookup)
            answer = await self._put(resource, body)
        except TemplateError as problem:
            raise Failed({"code": problem.code, "message": problem.message}, 400) from None
        except ArmError as problem:
            raise Failed(problem.body()["error"], problem.status) from None
        if answer.operation is not None:
            await self.lab.operations.wait(answer.operation)
            if answer.operation.error:
                raise Failed(answer.operation.error)
            if answer.operation.status == "Canceled":
                raise Failed({"code": "Canceled", "message": f"The operation on '{resource.id}' was canceled."})
        return answer.status

    async def _put(self, resource: Planned, body: dict[str, Any]) -> Answer:
        """The request, repeated as Azure repeats it when a provider asks for that. Raises ArmError."""
        for attempt in range(_RETRIES):
            async with self.pace:               # hundreds are ready at once: clients get their turn between two
                await asyncio.sleep(0)
                try:
                    if resource.is_deployment:
                        return self.owner.begin_nested(resource, body)
                    return dispatch(self.router, "PUT", resource.id, resource.api_version, body)
                except ArmError as problem:
                    if problem.status != 429 or attempt == _RETRIES - 1:
                        raise
            await asyncio.sleep(_PAUSE)
        raise AssertionError("the loop ends by return or raise")

    # -- what comes after the resources
    async def _outputs(self) -> dict[str, Any]:
        entry = view.new_operation(self.resource.id, str(uuid.uuid4()), None)
        self.operations.append(entry)
        started = time.monotonic()
        try:
            result = plans.outputs(self.plan, self.lookup)
        except (TemplateError, ArmError, ExpressionError) as problem:
            error = {"code": getattr(problem, "code", "DeploymentOutputEvaluationFailed"),
                     "message": getattr(problem, "message", str(problem))}
            self._close(entry, started, "Failed", 400, {"error": error})
            raise Failed({"code": "DeploymentOutputEvaluationFailed", "target": self.resource.id,
                          "message": "Unable to evaluate template outputs: "
                                     f"'{','.join(self.plan.outputs)}'. Please see error details and deployment "
                                     "operations. Please see https://aka.ms/arm-common-errors for usage details.",
                          "details": [error]}, 400) from None
        self._close(entry, started, "Succeeded", 200, None)
        return result

    async def _delete_others(self) -> None:
        """Mode Complete: what the group holds and the template does not is deleted. Raises Failed."""
        parts = self.resource.id.split("/")
        mine = {r.key for r in self.plan.resources if r.active}
        others = [r for r in self.lab.store.in_group(parts[2], parts[4])
                  if r.lid not in mine and r.type != self.resource.type and r.type.count("/") == 1
                  and not r.body.get("managedBy")]
        problem: ArmError | None = None
        for _ in range(len(others) + 1):        # what is in use by another can go after that one
            left = []
            for other in others:
                try:
                    answer = dispatch(self.router, "DELETE", other.id, api_versions.newest(other.type))
                except ArmError as refused:
                    problem = refused
                    left.append(other)
                    continue
                if answer.operation is not None:
                    await self.lab.operations.wait(answer.operation)
            if not left or len(left) == len(others):
                others = left
                break
            others = left
        if others and problem is not None:
            raise Failed(view.failure(self.resource.id, [problem.body()["error"]]))


async def run(owner: Deployments, operation: Operation) -> None:
    """The effect of the operation: the deployment ends as Succeeded, or the operation fails with Azure's error."""
    resource = owner.lab.store.get(operation.resource_id)
    if resource is None:
        return
    try:
        work = Run(owner, resource, owner.plan_of(resource))
        await work.whole()
    except (Failed, TemplateError) as problem:
        error: dict[str, Any] = problem.error if isinstance(problem, Failed) else {"code": problem.code, "message": problem.message}
        resource.body["deployment"]["error"] = error
        owner.finish(resource, "Failed")
        raise ArmError(409, error["code"], error["message"], target=error.get("target"),
                       details=error.get("details")) from None
    work.save()
    owner.finish(resource, "Succeeded")
