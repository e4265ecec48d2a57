# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The HTTPS application: sign-in routes, and one handler that leads everything else to ARM."""
from __future__ import annotations

import asyncio
import json
import logging
import time
import uuid
from datetime import UTC, datetime

from aiohttp import web

from azlab.arm.batch import Batches
from azlab.arm.build import build
from azlab.arm.pages import page
from azlab.arm.wire import Answer, Call
from azlab.errors import ArmError, arm_error
from azlab.faults import Rule
from azlab.identity import Identity
from azlab.lab import Lab
from azlab.requestlog import RequestLog

log = logging.getLogger("azlab.arm")
MAX_BODY = 4 * 1024 * 1024
SETTLE = 0.05           # seconds that an answer may wait for an operation that takes no time


class _Cut(Exception):
    """A fault asks to cut the connection."""


class App:
    """Everything between a socket and a handler."""

    def __init__(self, lab: Lab, requests: RequestLog) -> None:
        self.lab, self.requests = lab, requests
        self.router = build(lab)
        self.batches = Batches(self._answer)        # which asks _answer again, for each request of a batch
        self.web = web.Application(client_max_size=MAX_BODY, middlewares=[self._outer])
        self.web.add_routes(Identity(lab).routes())
        self.web.router.add_route("*", "/{path:.*}", self._arm)

    @web.middleware
    async def _outer(self, request: web.Request, handler: object) -> web.StreamResponse:
        """Request log, faults, and the promise that no traceback reaches a client."""
        started, note = time.perf_counter(), ""
        rule = self.lab.faults.for_request(request.method, request.path)
        try:
            if rule:
                note = f"fault {rule.id}"
                await self._before(rule)
            response = await handler(request)  # type: ignore[operator]
            if rule and rule.cut == "after":
                raise _Cut
        except ArmError as problem:
            if _not_served(problem):
                log.warning("not served: %s %s?%s: %s", request.method, request.path, request.query_string, problem)
            response = _error_response(problem)
        except _Cut:
            self.requests.add(request, 0, started, note)
            if request.transport:
                request.transport.abort()
            raise asyncio.CancelledError from None
        except web.HTTPException as problem:
            response = _error_response(_translated(problem, request))
        except web.RequestPayloadError:      # its Content-Encoding or its chunks cannot be decoded
            response = _error_response(arm_error("bad_content", why="The body does not match its headers"))
        except asyncio.CancelledError:
            self.requests.add(request, 0, started, "the client went away")
            raise
        except Exception:  # the boundary to the client: it gets Azure's 500, the log gets the traceback
            log.exception("%s %s failed", request.method, request.path_qs)
            response = _error_response(arm_error("internal"))
        _common_headers(request, response)
        self.requests.add(request, response.status, started, note, response)
        return response

    @staticmethod
    async def _before(rule: Rule) -> None:
        if rule.delay:
            await asyncio.sleep(rule.delay)
        if rule.cut == "before":
            raise _Cut
        if rule.status is not None:
            raise ArmError(rule.status, rule.code, rule.message, headers=rule.headers)

    async def _arm(self, request: web.Request) -> web.StreamResponse:
        self.lab.tokens.check(request.headers.get("Authorization"))
        call = Call(lab=self.lab, method=request.method, path=request.rel_url.raw_path,
                    base=f"https://{request.host}", query={k.lower(): v for k, v in request.query.items()},
                    headers=request.headers, raw_body=await request.read())
        answer = self._answer(call)
        if answer.operation is not None:
            await self.lab.operations.settle(answer.operation, SETTLE)
        return _response(request, answer)

    def _answer(self, call: Call) -> Answer:
        """What one request comes to, whether it came alone or in a batch; raises ArmError."""
        limits = self.lab.throttle.check(call.method, call.path)
        try:
            answer = self.batches.find(call) or page(call, self.router.dispatch(call), self.lab.page_size)
        except ArmError as problem:
            problem.headers = {**limits, **problem.headers}
            raise
        answer.headers = {**limits, **answer.headers}
        return answer


def _not_served(problem: ArmError) -> bool:
    """Whether the lab lacks what was asked for. A provider's own `NotFound` only says that a resource does not exist."""
    return problem.code in ("InvalidResourceType", "InvalidResourceNamespace", "NotImplementedByLab") or (
        problem.code == "NotFound" and problem.source == "gateway")


def _response(request: web.Request, answer: Answer) -> web.Response:
    request_id = str(uuid.uuid4())
    headers = {"Cache-Control": "no-cache", "Pragma": "no-cache", "x-ms-request-id": request_id,
               "x-ms-correlation-request-id": request.headers.get("x-ms-correlation-request-id", request_id),
               "x-ms-routing-request-id": f"AZLAB:{datetime.now(UTC):%Y%m%dT%H%M%SZ}:{request_id}",
               "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
               "X-Content-Type-Options": "nosniff"}
    client_id = request.headers.get("x-ms-client-request-id")
    if client_id and request.headers.get("x-ms-return-client-request-id", "").lower() == "true":
        headers["x-ms-client-request-id"] = client_id
    headers.update(answer.headers)
    if answer.body is None:
        return web.Response(status=answer.status, headers=headers)
    return web.Response(status=answer.status, headers=headers, body=json.dumps(answer.body).encode(),
                        content_type="application/json", charset="utf-8")


def _common_headers(request: web.Request, response: web.StreamResponse) -> None:
    """What every answer of Resource Manager carries, errors included."""
    if "x-ms-request-id" in response.headers and "x-ms-correlation-request-id" not in response.headers:
        response.headers["x-ms-correlation-request-id"] = request.headers.get(
            "x-ms-correlation-request-id", response.headers["x-ms-request-id"])
        response.headers["x-ms-routing-request-id"] = (
            f"AZLAB:{datetime.now(UTC):%Y%m%dT%H%M%SZ}:{response.headers['x-ms-request-id']}")


def _error_response(problem: ArmError) -> web.Response:
    headers = {"x-ms-failure-cause": problem.source, "x-ms-request-id": str(uuid.uuid4()), "Cache-Control": "no-cache",
               **problem.headers}
    return web.Response(status=problem.status, headers=headers, body=json.dumps(problem.body()).encode(),
                        content_type="application/json", charset="utf-8")


def _translated(problem: web.HTTPException, request: web.Request) -> ArmError:
    if isinstance(problem, web.HTTPRequestEntityTooLarge):
        return arm_error("too_large")
    if isinstance(problem, web.HTTPMethodNotAllowed):
        return arm_error("method", method=request.method)
    return ArmError(problem.status, "BadRequest" if problem.status < 500 else "InternalServerError",
                    problem.reason, source="gateway")
