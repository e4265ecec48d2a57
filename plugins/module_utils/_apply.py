# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Walk a Plan as a graph: a step starts the moment that its own dependencies are done. Private to this collection."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import Any, Awaitable, Callable, Dict, List, Optional

from ansible_collections.dockhost.azure.plugins.module_utils._azure.client import Client, Response
from ansible_collections.dockhost.azure.plugins.module_utils._azure.operations import ListWaiter
from ansible_collections.dockhost.azure.plugins.module_utils._errors import (
    ApplyError,
    AzureError,
    DockhostError,
    InterruptedRun,
    RefusedError,
)
from ansible_collections.dockhost.azure.plugins.module_utils._model.resource import Step
from ansible_collections.dockhost.azure.plugins.module_utils._plan.core import Plan

# (event, step): event is "start", "accepted" (Azure works on it), "done", "failed" or "skipped".
Progress = Callable[[str, Step], None]
Ready = Callable[[Step], Awaitable[None]]


@dataclass(frozen=True)
class StepResult:
    """What became of a step.

    :param state: ``done``; ``failed``; ``skipped`` (a step that it needs failed, or the run was stopped before it);
        ``left`` (Azure accepted it and works on it, but the run was stopped).
    :param seconds: wall time of the step.
    :param body: the last body that Azure returned for it, if any.
    """

    step: Step
    state: str
    seconds: float = 0.0
    body: Any = None
    error: Optional[DockhostError] = None


async def apply(
    plan: Plan, client: Client, progress: Optional[Progress] = None, guarded: bool = False, ready: Optional[Ready] = None
) -> List[StepResult]:
    """Do all steps of a plan.

    A step that fails stops only what depends on it: everything else is done, since a second run would do it anyway.
    When ``client.stop`` is set no further step starts, and what Azure has accepted is left to it.

    :param guarded: an update is only taken by Azure when nobody has changed the resource since it was observed
        (C(If-Match)); otherwise it fails with 412, see C(overtaken).
    :param ready: awaited before a step is sent; when it raises, the step has failed and nothing is sent.
    :return: a result for each step, in the order of the plan.
    :raises RefusedError: the plan has refusals; nothing is sent.
    :raises ValueError: the steps depend on each other in a circle.
    """
    if plan.refusals:
        raise RefusedError([step.reason for step in plan.refusals])
    return await _Walk(plan, client, progress or _silent, guarded, ready).run()


def overtaken(results: List[StepResult]) -> List[StepResult]:
    """The updates that Azure refused because somebody else has changed the resource since it was observed."""
    return [result for result in results if isinstance(result.error, AzureError) and result.error.status == 412]


def check_results(results: List[StepResult]) -> None:
    """Raise what a user has to know: failed steps, or an interruption.

    :raises ApplyError: one or more steps failed.
    :raises InterruptedRun: the run was stopped.
    """
    work = [result for result in results if result.step.action != "keep"]
    done = [result for result in work if result.state == "done"]
    errors = [(result.step.title, result.error) for result in work if result.state == "failed" and result.error]
    if errors:
        raise ApplyError(errors, len(done), len(work))
    stopped = [result for result in work if result.state in ("skipped", "left")]
    if stopped:
        left = [result.step.title for result in work if result.state == "left"]
        raise InterruptedRun("The run was interrupted after {0} of {1} steps{2}; running again continues from here.".format(
            len(done), len(work), ", while Azure was still busy with: " + ", ".join(left) if left else ""
        ))


def seconds(results: List[StepResult]) -> Dict[str, float]:
    """Step id -> seconds, for ``Plan.summary``."""
    return {result.step.id: result.seconds for result in results if result.state != "skipped"}


class _Walk:
    """One walk over one plan."""

    def __init__(self, plan: Plan, client: Client, progress: Progress, guarded: bool = False, ready: Optional[Ready] = None):
        self.plan, self.client, self.progress, self.guarded, self.ready = plan, client, progress, guarded, ready
        self.waiter = ListWaiter(client)
        self.results: Dict[str, StepResult] = {}
        self.waiting = {step.id: set(step.depends_on) for step in plan.steps}
        self.steps = {step.id: step for step in plan.steps}
        self.users: Dict[str, List[str]] = {}
        for step in plan.steps:
            for needed in step.depends_on:
                self.users.setdefault(needed, []).append(step.id)

    async def run(self) -> List[StepResult]:
        _check_order(self.plan)
        pending = {self._start(step) for step in self.plan.steps if not step.depends_on}
        while pending:
            finished, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            for task in finished:
                pending |= self._finish(task.result())
        return [self.results[step.id] for step in self.plan.steps]

    def _start(self, step: Step) -> "asyncio.Task[StepResult]":
        return asyncio.ensure_future(self._do(step))

    def _finish(self, result: StepResult) -> set:
        """Record a result and start (or skip) what waited for it."""
        self.results[result.step.id] = result
        started = set()
        for user in self.users.get(result.step.id, []):
            if user in self.results:
                continue
            if result.state != "done":
                self.progress("skipped", self.steps[user])
                started |= self._finish(StepResult(self.steps[user], "skipped"))
                continue
            self.waiting[user].discard(result.step.id)
            if not self.waiting[user]:
                started.add(self._start(self.steps[user]))
        return started

    async def _do(self, step: Step) -> StepResult:
        if not step.method:
            return StepResult(step, "done", 0.0, step.actual if step.action == "keep" else None)
        if self.client.stop.is_set():
            return StepResult(step, "skipped")
        began, accepted = time.monotonic(), False
        try:
            if self.ready:
                await self.ready(step)
            began = time.monotonic()
            self.progress("start", step)
            response = await self._send(step)
            accepted = True
            self.progress("accepted", step)
            body = await self._wait(step, response)
        except InterruptedRun as error:
            return StepResult(step, "left" if accepted else "skipped", time.monotonic() - began, None, error)
        except DockhostError as error:
            self.progress("failed", step)
            return StepResult(step, "failed", time.monotonic() - began, None, error)
        self.progress("done", step)
        return StepResult(step, "done", time.monotonic() - began, body)

    async def _send(self, step: Step) -> Response:
        try:
            return await self.client.request(
                step.method, step.path, step.resource.api_version, json=step.body, query=step.query, doing=step.title,
                creates=step.action == "create", headers=self._condition(step),
            )
        except AzureError as error:
            if step.method == "DELETE" and error.missing:
                return Response(204, {}, None, "DELETE", step.path, step.resource.api_version)
            raise

    def _condition(self, step: Step) -> Dict[str, str]:
        """A PUT replaces the whole resource: what somebody else wrote meanwhile must not be lost by it."""
        etag = (step.actual or {}).get("etag")
        return {"If-Match": str(etag)} if self.guarded and step.method == "PUT" and etag else {}

    async def _wait(self, step: Step, response: Response) -> Any:
        if step.resource.wait == "list" or _network(step.resource.type):
            return await self.waiter.settle(response, step.title)
        return await self.client.wait(response, step.title, final=False)


def _network(type_: str) -> bool:
    """Whether a type is one of the network's, and not part of another.

    Azure's answers on operations of the network ask for pauses of ten seconds, on what takes two: lists tell sooner,
    and one of all interfaces instead of one request for each.
    """
    return type_.lower().startswith("microsoft.network/") and type_.count("/") == 1


def _check_order(plan: Plan) -> None:
    """Raise ValueError when a dependency is missing or the steps depend on each other in a circle."""
    needs = {step.id: set(step.depends_on) for step in plan.steps}
    if len(needs) != len(plan.steps):
        raise ValueError("two steps of the plan have the same id")
    unknown = {needed for found in needs.values() for needed in found} - set(needs)
    if unknown:
        raise ValueError("the plan lacks steps that others need: {0}".format(sorted(unknown)))
    users: Dict[str, List[str]] = {}
    for name, found in needs.items():
        for needed in found:
            users.setdefault(needed, []).append(name)
    ready = [name for name, found in needs.items() if not found]
    while ready:
        name = ready.pop()
        for user in users.get(name, []):
            needs[user].discard(name)
            if not needs[user]:
                ready.append(user)
        del needs[name]
    if needs:
        raise ValueError("the steps depend on each other in a circle: {0}".format(sorted(needs)))


def _silent(event: str, step: Step) -> None:
    """The progress of a run that nobody watches."""
