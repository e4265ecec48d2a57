# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests to Azure Resource Manager: JSON in, JSON out, refusals that pass are waited for by cause. Private.

The transport is ``send_request`` of an asynchronous SDK client (sign-in, TLS, proxy, provider registration).
"""

from __future__ import annotations

import asyncio
import json as json_module
import time
from dataclasses import dataclass, field
from typing import Any, Awaitable, Callable, Dict, List, Mapping, Optional
from urllib.parse import urlencode

from ansible_collections.dockhost.azure.plugins.module_utils._azure import retry
from ansible_collections.dockhost.azure.plugins.module_utils._errors import (
    AzureError,
    InterruptedRun,
    TransportError,
    from_body,
)

CONCURRENCY = 64  # requests under way at once: enough to spend ARM's 200 writes quickly, few enough for one connection pool
MAX_PAGES = 1000


# Seconds in which ARM puts one token into each bucket:
# https://learn.microsoft.com/azure/azure-resource-manager/management/request-limits-and-throttling
REFILL = {"read": 1 / 25, "write": 1 / 10, "delete": 1 / 10}


@dataclass(frozen=True)
class Response:
    """An answer below 400. ``headers`` have names in lower case; ``body`` is parsed JSON or None."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    method: str = "GET"
    path: str = ""
    api_version: str = ""


# Sends one request, once: (method, url, json[, headers]) -> Response of any status; raises TransportError or SignInError.
Send = Callable[..., Awaitable[Response]]


class Client:
    """Talks to one ARM endpoint for one subscription.

    :param send: sends one request once (see ``_azure.transport.open_transport``).
    :param renew: called after a 401, so that the next request signs in anew.
    :param stop: when set, nothing is awaited any more: the pending call raises InterruptedRun.
    """

    def __init__(
        self, send: Send, base_url: str, subscription_id: str, renew: Optional[Callable[[], Awaitable[None]]] = None,
    ):
        self.subscription_id = subscription_id
        self.base_url = base_url.rstrip("/")
        self.stop = asyncio.Event()
        self.requests = 0
        self.date = ""  # what the last answer said of the time: our own clock may be wrong
        self._send, self._renew = send, renew
        self._slots = asyncio.Semaphore(CONCURRENCY)
        self._open_at: Dict[str, float] = {}  # kinds whose bucket was empty, and when it is open again
        self._next_at: Dict[str, float] = {}
        self._gates: Dict[str, asyncio.Lock] = {}

    async def request(
        self, method: str, path: str, api_version: str = "", json: Any = None, query: Optional[Mapping[str, str]] = None,
        doing: str = "", creates: bool = False, headers: Optional[Mapping[str, str]] = None, urgent: bool = False,
    ) -> Response:
        """Send a request until it is answered for good.

        :param path: an id with or without further parts, or a whole URL (used verbatim).
        :param doing: what this does, for errors (``create virtual network demo``).
        :param creates: the PUT makes something that was not there: after a cut connection the resource is read first,
            and taken for ours when it is there.
        :param headers: further headers (``If-Match``).
        :param urgent: does not queue behind the others that wait for tokens of a bucket that was empty.
        :raises AzureError: the answer is a refusal that waiting does not cure.
        :raises TransportError: no answer.
        """
        url = self._url(path, api_version, query)
        started, attempt, renewed = time.monotonic(), 0, False
        while True:
            attempt += 1
            try:
                response = await self._once(method, url, json, headers, urgent)
            except TransportError as error:
                decision = retry.cut(attempt)
                if decision is None or (error.sent and method not in ("GET", "PUT", "DELETE")):
                    raise
                await self.pause(decision.delay)
                if creates and error.sent:
                    found = await self.get(path, api_version)
                    if found is not None:
                        return Response(200, {}, found, method, path, api_version)
                continue
            self.date = response.headers.get("date") or self.date
            if response.status < 400:
                return Response(response.status, response.headers, response.body, method, path, api_version)
            refusal = from_body(response.status, response.body, doing)
            if response.status == 401 and self._renew and not renewed:
                renewed = True
                await self._renew()
                continue
            decision = retry.decide(response.status, response.headers, refusal, attempt, time.monotonic() - started)
            if decision is None:
                raise refusal
            if decision.bucket:
                self._open_at[_kind(method)] = time.monotonic() + decision.delay
            else:
                await self.pause(decision.delay)

    async def get(self, path: str, api_version: str, query: Optional[Mapping[str, str]] = None) -> Any:
        """Read a resource; None when it, its parent or its resource group is not there."""
        try:
            return (await self.request("GET", path, api_version, query=query)).body
        except AzureError as error:
            if error.missing:
                return None
            raise

    async def list(self, path: str, api_version: str, query: Optional[Mapping[str, str]] = None) -> List[Dict[str, Any]]:
        """All pages of a list; empty when the resource group is not there.

        :raises AzureError: also when a later page fails: a list that is only partly read is never returned.
        """
        try:
            response = await self.request("GET", path, api_version, query=query, doing="list {0}".format(_tail(path)))
        except AzureError as error:
            if error.code in ("ResourceGroupNotFound", "ParentResourceNotFound"):
                return []
            raise
        items: List[Dict[str, Any]] = []
        for dummy in range(MAX_PAGES):
            items += response.body.get("value") or []
            following = response.body.get("nextLink")
            if not following:
                return items
            response = await self.request("GET", following, doing="list {0}".format(_tail(path)))
        raise AzureError("TooManyPages", "the list did not end after {0} pages".format(MAX_PAGES), doing="list " + _tail(path))

    async def wait(self, response: Response, doing: str = "", final: bool = True) -> Any:
        """Wait until what ``response`` started has ended.

        :param final: read and return the resource afterwards (PUT, PATCH); otherwise the last body that was seen.
        :raises AzureError: the operation ended in Failed or Canceled.
        """
        from ansible_collections.dockhost.azure.plugins.module_utils._azure import operations

        return await operations.wait(self, response, doing, final)

    async def pause(self, seconds: float) -> None:
        """Sleep, unless the run is being stopped."""
        try:
            await asyncio.wait_for(self.stop.wait(), seconds)
        except asyncio.TimeoutError:
            return
        raise InterruptedRun("The run was interrupted.")

    async def _once(self, method: str, url: str, json: Any, headers: Optional[Mapping[str, str]], urgent: bool = False) -> Response:
        """One request, after the bucket of its kind has opened again."""
        kind = _kind(method)
        while True:
            if not urgent:
                await self._turn(kind)
            async with self._slots:
                closed = self._open_at.get(kind, 0.0) - time.monotonic()
                if closed <= 0:
                    self.requests += 1
                    return await (self._send(method, url, json, headers) if headers else self._send(method, url, json))
            if urgent:
                await self.pause(closed)

    async def _turn(self, kind: str) -> None:
        """Wait, in the order of asking, until the bucket is open. One that was empty is drawn from no faster than it is filled."""
        async with self._gates.setdefault(kind, asyncio.Lock()):
            while True:
                closed = max(self._open_at.get(kind, 0.0), self._next_at.get(kind, 0.0)) - time.monotonic()
                if closed <= 0:
                    break
                await self.pause(closed)
            if kind in self._open_at:
                self._next_at[kind] = time.monotonic() + REFILL[kind]

    def _url(self, path: str, api_version: str, query: Optional[Mapping[str, str]]) -> str:
        if path.startswith(("https://", "http://")):
            return path
        parameters = dict(query or {})
        if api_version:
            parameters["api-version"] = api_version
        return "{0}{1}?{2}".format(self.base_url, path, urlencode(parameters))


def parse(text: str) -> Any:
    """The JSON of an answer; text that is none stays text, for the error message."""
    if not text.strip():
        return None
    try:
        return json_module.loads(text)
    except ValueError:
        return text


def _kind(method: str) -> str:
    """ARM keeps one bucket each for reads, writes and deletes."""
    return {"GET": "read", "DELETE": "delete"}.get(method, "write")


def _tail(path: str) -> str:
    """What a list path lists: ``virtualMachines in demo``."""
    parts = path.split("?")[0].split("/")
    group = parts[4] if len(parts) > 4 and parts[3].lower() == "resourcegroups" else ""
    return "{0} in {1}".format(parts[-1], group) if group else parts[-1]
