# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where clients look how an operation is going."""
from __future__ import annotations

from azlab.arm.wire import Answer, Call, operation_headers
from azlab.errors import arm_error
from azlab.operations import Operation


def _find(call: Call, op_id: str) -> Operation:
    operation = call.lab.operations.all.get(op_id.lower())
    if operation is None:
        raise arm_error("operation_not_found", id=op_id)
    return operation


def group_result(call: Call) -> Answer:
    """Location of Resource Manager's own operations: 202 while it runs, then what it gave, if anything."""
    operation = _find(call, call.tail[0])
    if not operation.done:
        return Answer(202, None, operation_headers(call, operation, location=True, retry_after=15))
    if operation.error:
        return Answer(409, {"error": operation.error})
    if operation.output is not None:
        return Answer(200, operation.output)
    return Answer(operation.final_status)


def network_status(call: Call) -> Answer:
    """Azure-AsyncOperation of Microsoft.Network."""
    operation = _find(call, call.tail[-1])
    if not operation.done:
        return Answer(200, {"status": "InProgress"}, {"Retry-After": call.lab.latency.retry_after(10)})
    body: dict[str, object] = {"status": operation.status}
    if operation.error:
        body["error"] = {"details": [], **operation.error}
    if operation.output is not None:
        body["properties"] = operation.output
    return Answer(200, body)


def network_result(call: Call) -> Answer:
    """Location of Microsoft.Network: 202 while it runs."""
    operation = _find(call, call.tail[-1])
    if not operation.done:
        return Answer(202, None, operation_headers(call, operation, location=True, retry_after=10))
    if operation.error:
        return Answer(400, {"error": {"details": [], **operation.error}})
    if operation.output is not None:
        return Answer(200, operation.output)
    return Answer(operation.final_status, None, operation_headers(call, operation, location=True, retry_after=None))


def storage_result(call: Call) -> Answer:
    """Location of Microsoft.Storage: 202 while it runs, then the account."""
    operation = _find(call, call.tail[-1])
    if not operation.done:
        return Answer(202, None, operation_headers(call, operation, location=True, retry_after=17, async_header=False))
    if operation.error:
        return Answer(409, {"error": operation.error})
    return Answer(200, operation.output)


def compute_status(call: Call) -> Answer:
    """Azure-AsyncOperation of Microsoft.Compute; with `monitor=true` it is the Location."""
    operation = _find(call, call.tail[-1])
    if call.query.get("monitor") == "true":
        return _compute_result(call, operation)
    headers = {} if operation.done else {"Retry-After": call.lab.latency.retry_after(30)}
    body: dict[str, object] = {"startTime": operation.start}
    if operation.done:
        body["endTime"] = operation.end
    body["status"] = operation.status
    if operation.output is not None:
        body["properties"] = {"output": operation.output}
    if operation.error:
        body["error"] = operation.error
    body["name"] = operation.id
    return Answer(200, body, headers)


def _compute_result(call: Call, operation: Operation) -> Answer:
    if not operation.done:
        return Answer(202, None, operation_headers(call, operation, location=True, retry_after=30))
    if operation.error:
        return Answer(409, {"error": operation.error})
    if operation.output is not None:
        return Answer(200, operation.output)
    return Answer(operation.final_status)
