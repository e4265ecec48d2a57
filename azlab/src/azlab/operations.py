# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Long-running operations: kept in the store, so that those in flight go on after a restart."""
from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from azlab.errors import ArmError
from azlab.machines.driver import MachineError
from azlab.store import Store

log = logging.getLogger("azlab.operations")
Effect = Callable[["Operation"], Awaitable[Any]]


def now_text() -> str:
    """The time as compute writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f0+00:00")


@dataclass
class Operation:
    """One operation: what it does (`effect`, a registered name, and `args`) and how far it is."""

    effect: str
    resource_id: str
    provider: str                       # network | compute | disk | group
    location: str = ""
    args: dict[str, Any] = field(default_factory=dict)
    delay: float = 0.0
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    status: str = "InProgress"
    start: str = field(default_factory=now_text)
    end: str | None = None
    error: dict[str, Any] | None = None
    output: Any = None                  # compute: body of the finished action
    final_status: int = 200             # what the Location URL answers in the end: 200 or 204
    due: float = 0.0                    # epoch seconds

    @property
    def done(self) -> bool:
        return self.status != "InProgress"


class Operations:
    """Runs effects after their delay, one task per operation."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._effects: dict[str, tuple[Effect, Callable[[Operation], None]]] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self.all: dict[str, Operation] = {}
        self.busy: dict[str, str] = {}          # lower-case resource id → id of the operation that changes it
        self.fail_next: list[Callable[[Operation], dict[str, Any] | None]] = []
        self.on_change: Callable[[], None] = lambda: None
        self.gate = asyncio.Event()             # while it is not set, no operation takes effect
        self.gate.set()

    def register(self, name: str, effect: Effect, failed: Callable[[Operation], None] = lambda op: None) -> None:
        """`failed` brings the resource into the state that Azure shows after a failed operation."""
        self._effects[name] = (effect, failed)

    def start(self, operation: Operation) -> Operation:
        """Persist the operation and let it run; the caller has already written the state before the effect."""
        operation.due = time.time() + operation.delay
        self.all[operation.id] = operation
        self.busy[operation.resource_id.lower()] = operation.id
        self._save(operation)
        self._run(operation)
        return operation

    def resume(self) -> int:
        """Take up what a previous process left; returns how many operations go on."""
        for data in self._store.operations():
            operation = Operation(**data)
            self.all[operation.id] = operation
            if not operation.done:
                operation.args["resumed"] = True
                self.busy[operation.resource_id.lower()] = operation.id
                self._run(operation)
        return len(self._tasks)

    def begin(self, operation: Operation) -> None:
        """What follows cannot be done twice: when the lab ends meanwhile, the operation fails at the next start.

        Raises MachineError when that has happened.
        """
        if operation.args.get("begun"):
            raise MachineError("OperationInterrupted", "The lab was stopped while the operation ran: whether it came to its end in the "
                                                       "virtual machine is not known.")
        operation.args["begun"] = True
        self._save(operation)

    def cancel_for(self, resource_id: str) -> None:
        """A more recent operation takes over: what runs for the resource ends as preempted."""
        op_id = self.busy.pop(resource_id.lower(), None)
        if op_id is None:
            return
        operation = self.all[op_id]
        task = self._tasks.pop(op_id, None)
        if task:
            task.cancel()
        self._finish(operation, "Canceled", {
            "code": "OperationPreempted",
            "message": "Operation execution has been preempted by a more recent operation."})

    def running_for(self, resource_id: str) -> Operation | None:
        op_id = self.busy.get(resource_id.lower())
        return self.all[op_id] if op_id else None

    async def settle(self, operation: Operation, seconds: float) -> None:
        """Give an operation without delay the chance to end before its first poll."""
        task = self._tasks.get(operation.id)
        if task is not None and not operation.delay and self.gate.is_set():
            await asyncio.wait([task], timeout=seconds)

    async def wait(self, operation: Operation) -> None:
        """Until the operation has ended, however it ends."""
        task = self._tasks.get(operation.id)
        if task is not None:
            await asyncio.wait([task])

    async def forget(self) -> None:
        """Stop all tasks and drop all operations, also from the store."""
        await self.close()
        self._store.drop_operations(list(self.all))
        self._tasks.clear()
        self.all.clear()
        self.busy.clear()

    async def close(self) -> None:
        """Stop all tasks; the operations stay in the store and go on at the next start."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _run(self, operation: Operation) -> None:
        self._tasks[operation.id] = asyncio.get_running_loop().create_task(self._work(operation))

    async def _work(self, operation: Operation) -> None:
        wait = operation.due - time.time()
        if wait > 0:
            await asyncio.sleep(wait)
        await self.gate.wait()
        effect, failed = self._effects[operation.effect]
        try:
            fault = next((f for f in [rule(operation) for rule in self.fail_next] if f), None)
            output = None if fault and not fault.get("after") else await effect(operation)
            if fault:
                raise MachineError(fault["code"], fault["message"])
        except MachineError as problem:
            error = {"code": problem.code, "message": problem.message}
        except ArmError as problem:
            error = problem.body()["error"]
        except Exception:  # the boundary of a task: whatever goes wrong must end the operation, and be seen
            log.exception("operation %s on %s failed", operation.effect, operation.resource_id)
            error = {"code": "InternalServerError", "message": "An error occurred."}
        else:
            operation.output = output
            self._finish(operation, "Succeeded", None)
            return
        log.warning("operation %s on %s failed: %s: %s", operation.effect, operation.resource_id, error["code"],
                    error["message"])
        operation.error = error
        failed(operation)
        self._finish(operation, "Failed", error)

    def _finish(self, operation: Operation, status: str, error: dict[str, Any] | None) -> None:
        operation.status, operation.error, operation.end = status, error, now_text()
        operation.args = {}             # scripts and settings may be secret: not kept longer than needed
        self._tasks.pop(operation.id, None)
        if self.busy.get(operation.resource_id.lower()) == operation.id:
            del self.busy[operation.resource_id.lower()]
        self._save(operation)
        self._prune()
        self.on_change()

    def _save(self, operation: Operation) -> None:
        self._store.put_operation(operation.id, asdict(operation))

    def _prune(self, keep: int = 5000) -> None:
        if len(self.all) > keep * 2:
            old = [i for i, op in self.all.items() if op.done][:keep]
            for op_id in old:
                del self.all[op_id]
            self._store.drop_operations(old)
