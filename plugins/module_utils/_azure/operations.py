# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting for Azure's long-running operations. Private to this collection.

Source: https://learn.microsoft.com/azure/azure-resource-manager/management/async-operations

Two strategies: the operation's own URL, and for many resources of a type one loop that reads the list of the resource
group, so that requests grow with time and not with resources times time.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any, Dict, Mapping, Optional, Set, Tuple

from ansible_collections.dockhost.azure.plugins.module_utils._azure import retry
from ansible_collections.dockhost.azure.plugins.module_utils._azure.client import Client, Response
from ansible_collections.dockhost.azure.plugins.module_utils._errors import AzureError, DockhostError

DONE = ("succeeded",)
FAILED = ("failed", "canceled", "cancelled")
# Without Retry-After: soon at first, for what is quick, then at a pace that costs little.
PACE = (0.2, 0.5, 1.0, 2.0, 3.0)
# Lists: what has been waited for so long may be noticed this part of it late, within these bounds in seconds.
LIST_PART = 0.04
LIST_FIRST, LIST_FASTEST, LIST_SLOWEST = 0.2, 0.5, 2.0


def state_of(body: Any) -> str:
    """provisioningState in lower case; a resource that has none is done."""
    properties = body.get("properties") if isinstance(body, Mapping) else None
    state = properties.get("provisioningState") if isinstance(properties, Mapping) else None
    return str(state or "Succeeded").lower()


async def wait(client: Client, response: Response, doing: str, final: bool) -> Any:
    """See ``Client.wait``."""
    operation = response.headers.get("azure-asyncoperation")
    location = response.headers.get("location")
    writes = response.method in ("PUT", "PATCH")
    if response.method == "DELETE" and response.status in (200, 204):
        return None
    if writes and response.status != 202 and response.body is not None:
        if state_of(response.body) in DONE:
            return response.body
        if not operation:
            return await _poll_resource(client, response, doing)
    if operation:
        ended = await _poll_operation(client, operation, response, doing)
        if writes and final:
            return (await client.request("GET", response.path, response.api_version, doing=doing)).body
        if response.method == "POST" and location and final:
            return (await _poll_location(client, location, response, doing)).body
        return response.body if writes else ended
    if response.status == 202 and location:
        last = await _poll_location(client, location, response, doing)
        if writes and final and last.body is None:
            return (await client.request("GET", response.path, response.api_version, doing=doing)).body
        return last.body
    return response.body


async def _poll_operation(client: Client, url: str, first: Response, doing: str) -> Any:
    """Read an Azure-AsyncOperation URL, verbatim, until its status is terminal.

    The first look is at once, as the SDKs do it; after that Retry-After is honoured.
    """
    turn = 0
    while True:
        answer = await client.request("GET", url, doing=doing)
        body = answer.body if isinstance(answer.body, Mapping) else {}
        status = str(body.get("status") or "Succeeded").lower()
        if status in DONE:
            return body
        if status in FAILED:
            raise operation_error(body, doing)
        asked = retry.retry_after(answer.headers) or retry.retry_after(first.headers)
        await client.pause(asked or _pace(turn))
        turn += 1


async def _poll_location(client: Client, url: str, first: Response, doing: str) -> Response:
    """Read a Location URL until it answers something else than 202."""
    turn = 0
    while True:
        answer = await client.request("GET", url, doing=doing)
        if answer.status != 202:
            return answer
        url = answer.headers.get("location") or url
        asked = retry.retry_after(answer.headers) or retry.retry_after(first.headers)
        await client.pause(asked or _pace(turn))
        turn += 1


async def _poll_resource(client: Client, response: Response, doing: str) -> Any:
    """Read the resource itself until its provisioningState is terminal."""
    turn, body = 0, response.body
    while True:
        state = state_of(body)
        if state in DONE:
            return body
        if state in FAILED:
            raise AzureError("Provisioning" + state.capitalize(), "Azure reports no further reason.", 200, doing=doing)
        await client.pause(_pace(turn))
        turn += 1
        body = (await client.request("GET", response.path, response.api_version, doing=doing)).body


def operation_error(body: Mapping[str, Any], doing: str) -> AzureError:
    """The error of an operation that ended in Failed or Canceled."""
    error = body.get("error") or {}
    code = str(error.get("code") or "Operation" + str(body.get("status")))
    details = [dict(item) for item in error.get("details") or [] if isinstance(item, Mapping)]
    return AzureError(
        code, str(error.get("message") or "Azure reports no further reason."), 200, error.get("target"), details, doing
    )


def _pace(turn: int) -> float:
    return PACE[min(turn, len(PACE) - 1)]


def list_pace(waited: float) -> float:
    """Seconds until a list is read again, by how long the oldest of its resources has been waited for."""
    return min(max(waited * LIST_PART, LIST_FASTEST if waited > LIST_FASTEST else LIST_FIRST), LIST_SLOWEST)


class ListWaiter:
    """One loop per list: settles every resource whose state in the list is terminal."""

    def __init__(self, client: Client):
        self.client = client
        self._waiting: Dict[Tuple[str, str], Dict[str, "asyncio.Future[Any]"]] = {}
        self._since: Dict[str, float] = {}
        self._loops: Set["asyncio.Task[None]"] = set()

    async def settle(self, response: Response, doing: str) -> Any:
        """Wait until the resource that ``response`` is about has settled.

        :return: its body from the list; None when it is gone (DELETE).
        :raises AzureError: the operation failed; the reason is read from the operation's URL, once.
        """
        if response.method == "DELETE" and response.status in (200, 204):
            return None
        if response.method in ("PUT", "PATCH") and state_of(response.body) in DONE and response.body is not None:
            return response.body
        path = response.path if response.method != "POST" else response.path.rsplit("/", 1)[0]
        body = await self._listed(path, response.api_version)
        if response.method == "DELETE":
            if body is None:
                return None
        elif body is None:
            raise AzureError("ResourceNotFound", "It disappeared while it was being worked on.", 404, doing=doing)
        if state_of(body) in FAILED or response.method == "POST":
            await self._explain(response, body, doing)
        return body

    async def _explain(self, response: Response, body: Any, doing: str) -> None:
        """Raise what the operation says; a list tells that something failed, but not why."""
        operation = response.headers.get("azure-asyncoperation")
        if operation:
            await _poll_operation(self.client, operation, response, doing)
        elif response.headers.get("location") and response.method == "POST":
            await _poll_location(self.client, response.headers["location"], response, doing)
        if state_of(body) in FAILED:
            raise AzureError("ProvisioningFailed", "Azure reports no further reason.", 200, doing=doing)

    async def _listed(self, path: str, api_version: str) -> Any:
        collection = path.rsplit("/", 1)[0]
        key = (collection, api_version)
        future: "asyncio.Future[Any]" = asyncio.get_running_loop().create_future()
        running = key in self._waiting
        self._waiting.setdefault(key, {})[path.lower()] = future
        self._since[path.lower()] = time.monotonic()
        if not running:
            task = asyncio.ensure_future(self._loop(key))
            self._loops.add(task)
            task.add_done_callback(self._loops.discard)
        return await future

    async def _loop(self, key: Tuple[str, str]) -> None:
        """Read the list until nobody waits for it. An error ends the wait of all, with that error."""
        waiting = self._waiting[key]
        try:
            while waiting:
                await self.client.pause(list_pace(time.monotonic() - min(self._since[path] for path in waiting)))
                asked = set(waiting)  # who comes while the list is being read waits for the next one
                listed = {str(item["id"]).lower(): item for item in await self.client.list(*key)}
                for path in asked:
                    body = listed.get(path)
                    if body is None or state_of(body) in DONE + FAILED:
                        _resolve(waiting.pop(path), body)
        except DockhostError as error:
            for path in list(waiting):
                future = waiting.pop(path)
                if not future.done():
                    future.set_exception(error)
        finally:
            for future in self._waiting.pop(key).values():
                future.cancel()  # only when this loop itself broke: nobody must wait for ever


def _resolve(future: "asyncio.Future[Any]", body: Optional[Any]) -> None:
    if not future.done():
        future.set_result(body)
