# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A request and an answer as handlers see them, free of the HTTP library."""
from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from azlab.errors import arm_error
from azlab.ids import ResourceId
from azlab.operations import Operation

if TYPE_CHECKING:
    from azlab.lab import Lab


@dataclass
class Call:
    """One request to ARM, authenticated and with its api-version checked."""

    lab: Lab
    method: str
    path: str
    base: str                               # https://host:port, as the client calls the lab
    query: dict[str, str]                   # names in lower case
    headers: Mapping[str, str]
    raw_body: bytes
    subscription: str = ""
    group: str = ""
    rid: ResourceId | None = None
    tail: tuple[str, ...] = ()

    @property
    def api_version(self) -> str:
        return self.query.get("api-version", "")

    @property
    def id(self) -> ResourceId:
        assert self.rid is not None
        return self.rid

    def body(self) -> dict[str, Any]:
        """The JSON object of the request; Azure's error when there is none. `null` members mean unset."""
        if not self.raw_body.strip():
            raise arm_error("no_content")
        try:
            value = json.loads(self.raw_body)
        except (ValueError, RecursionError) as problem:
            why = str(problem) if isinstance(problem, ValueError) else "the document is nested too deep"
            raise arm_error("bad_content", why=why) from None
        if not isinstance(value, dict):
            raise arm_error("bad_content", why="Error converting value to a JSON object. Path '', line 1, position 1.")
        return dict(without_nulls(value))

    def optional_body(self) -> dict[str, Any]:
        return self.body() if self.raw_body.strip() else {}


@dataclass
class Answer:
    """What goes back. `operation` is the long-running operation that the request started, if any."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    operation: Operation | None = None


def without_nulls(value: Any, depth: int = 0) -> Any:
    """A copy without members that are null."""
    if depth > 100:
        raise arm_error("bad_content", why="the document is nested too deep")
    if isinstance(value, dict):
        return {k: without_nulls(v, depth + 1) for k, v in value.items() if v is not None}
    if isinstance(value, list):
        return [without_nulls(v, depth + 1) for v in value if v is not None]
    return value


_RESULT_PATHS = {"network": ("Microsoft.Network", "operations", "operationResults"),
                 "compute": ("Microsoft.Compute", "operations", "operations"),
                 "storage": ("Microsoft.Storage", "asyncoperations", "asyncoperations"),
                 "disk": ("Microsoft.Compute", "DiskOperations", "DiskOperations")}


def operation_headers(call: Call, operation: Operation, *, location: bool, retry_after: int | None,
                      async_header: bool = True) -> dict[str, str]:
    """The headers that tell a client where to look: Azure-AsyncOperation, Location, Retry-After."""
    base = f"{call.base}/subscriptions/{call.subscription}"
    version = f"api-version={call.api_version}"
    headers = {}
    if operation.provider == "group":
        headers["Location"] = f"{base}/operationresults/{operation.id}?{version}"
    else:
        namespace, status_path, result_path = _RESULT_PATHS[operation.provider]
        base += f"/providers/{namespace}/locations/{operation.location}"
        monitor = "" if operation.provider == "network" else "monitor=true&"
        if async_header:
            headers["Azure-AsyncOperation"] = f"{base}/{status_path}/{operation.id}?{version}"
            headers["azure-asyncnotification"] = "Enabled"
        if location:
            headers["Location"] = f"{base}/{result_path}/{operation.id}?{monitor}{version}"
    if retry_after is not None:
        headers["Retry-After"] = call.lab.latency.retry_after(retry_after)
    return headers
