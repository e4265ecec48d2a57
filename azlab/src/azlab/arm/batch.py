# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`POST /batch`: many requests in one, as the portal and the inventory of azure.azcollection send them.

Azure does not document it. What is known of it: up to 500 requests, 20 when some have a body; each with `httpMethod`, `url` or
`relativeUrl`, `name`, `requestHeaderDetails` and `content`. Up to 20 are answered with 200 and `responses`, more with 202 and a
`Location`, where `value` holds the same. https://maciejporebski.github.io/azure-management-batch-api
"""
from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from multidict import CIMultiDict

from azlab.arm.wire import Answer, Call
from azlab.errors import ArmError, arm_error

AT_ONCE = 20            # so many are answered at once; also the limit of requests with bodies
LIMIT = 500
KEPT = 50               # results that wait for their client; the oldest go first

Handle = Callable[[Call], Answer]


class Batches:
    """Answers batches, and keeps what is to be fetched later. In memory alone: a client whose lab was killed asks again."""

    def __init__(self, handle: Handle) -> None:
        self._handle = handle
        self._results: dict[str, list[dict[str, Any]]] = {}

    def find(self, call: Call) -> Answer | None:
        """The answer when this request is about a batch, else None."""
        words = call.path.lower().strip("/").split("/")
        if words[0] != "batch" or len(words) > 2:
            return None
        if not call.api_version:
            raise arm_error("missing_api_version")
        if call.method != ("POST" if len(words) == 1 else "GET"):
            raise arm_error("method", method=call.method)
        return self._post(call) if len(words) == 1 else self._result(call)

    def _post(self, call: Call) -> Answer:
        """Answer each request of a batch, in its order; raises ArmError when the batch itself is wrong."""
        requests = call.body().get("requests")
        if not isinstance(requests, list) or not requests or not all(isinstance(one, dict) for one in requests):
            raise _wrong("The member 'requests' is missing, empty or no list of objects.")
        limit = AT_ONCE if any(one.get("content") for one in requests) else LIMIT
        if len(requests) > limit:
            raise _wrong(f"The batch has {len(requests)} requests; the maximum is {limit}.")
        if len(requests) > AT_ONCE and not all(one.get("name") for one in requests):
            raise _wrong(f"In a batch of more than {AT_ONCE} requests each needs a name.")
        responses = [self._one(call, one) for one in requests]
        if len(requests) <= AT_ONCE:
            return Answer(200, {"responses": responses})
        number = str(uuid.uuid4())
        self._results[number] = responses
        while len(self._results) > KEPT:
            del self._results[next(iter(self._results))]
        return Answer(202, None, {"Location": f"{call.base}/batch/{number}?api-version={call.api_version}",
                                  "Retry-After": call.lab.latency.retry_after(1)})

    def _result(self, call: Call) -> Answer:
        """What a large batch came to."""
        number = call.path.rpartition("/")[2]
        if number not in self._results:
            raise arm_error("operation_not_found", id=number)
        return Answer(200, {"value": self._results[number]})

    def _one(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        try:
            answer = self._handle(_inner(call, request))
        except ArmError as problem:
            answer = Answer(problem.status, problem.body(), problem.headers)
        named = {"name": request["name"]} if "name" in request else {}
        return {**named, "httpStatusCode": answer.status, "headers": answer.headers, "content": answer.body,
                "contentLength": len(json.dumps(answer.body)) if answer.body is not None else 0}


def _inner(call: Call, request: dict[str, Any]) -> Call:
    """One request of a batch as if it had come alone."""
    url = request.get("relativeUrl") or request.get("url")
    if not isinstance(url, str) or not isinstance(request.get("httpMethod"), str):
        raise _wrong("A request of a batch needs 'httpMethod' and one of 'url' and 'relativeUrl'.")
    parts = urlsplit("/" + url.lstrip("/") if url.startswith("/") else url)     # clients double the first slash
    if parts.netloc and f"{parts.scheme}://{parts.netloc}" != call.base:
        raise _wrong(f"The host of '{url}' is not this one.")
    path = "/" + parts.path.lstrip("/")
    if path.lower().split("/")[1] == "batch":
        raise _wrong("A batch cannot contain a batch.")
    details = request.get("requestHeaderDetails")
    headers = CIMultiDict({str(k): str(v) for k, v in details.items()} if isinstance(details, dict) else {})
    content = request.get("content")
    return Call(lab=call.lab, method=request["httpMethod"].upper(), path=path, base=call.base,
                query={k.lower(): v for k, v in parse_qsl(parts.query, keep_blank_values=True)}, headers=headers,
                raw_body=json.dumps(content).encode() if content else b"")


def _wrong(why: str) -> ArmError:
    return arm_error("bad_content", why=why)
