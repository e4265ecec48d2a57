# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The routes of the page, on the admin port: its files, what it shows as JSON, and the requests as they come."""
from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Callable
from importlib.resources import files
from typing import Any

from aiohttp import web

from azlab.lab import Lab
from azlab.page import views
from azlab.page.drawing import draw
from azlab.requestlog import RequestLog
from azlab.store import Resource

Render = Callable[[Resource], dict[str, Any]]
TYPES = {"html": "text/html", "css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
TICK = 0.25             # seconds between two looks at what is new
PING = 15.0             # seconds after which a silent stream says that it is there
BATCH = 300             # requests of one message and of one list
_POLL = re.compile(r"/(operations|operationresults|operationstatuses|azureasyncoperations)/", re.IGNORECASE)
_CLIENTS = (("dockhost", "dockhost.azure"), ("azurecli", "Azure CLI"), ("azure-cli", "Azure CLI"), ("ansible", "Ansible"),
            ("terraform", "Terraform"), ("azsdk-", "Azure SDK"), ("msal", "MSAL"), ("python-urllib", "Python"),
            ("python-requests", "Python"), ("aiohttp", "Python"), ("curl", "curl"))


def client_of(user_agent: str) -> str:
    """Who sent a request, as people call it."""
    agent = user_agent.lower()
    for word, name in _CLIENTS:
        if word in agent:
            return name
    return user_agent.split("/")[0][:30] or "unknown"


def request_row(entry: dict[str, Any]) -> dict[str, Any]:
    """A request of the log, as the page shows it."""
    return {**{k: entry[k] for k in ("seq", "time", "method", "path", "query", "status", "milliseconds", "request_id",
                                     "client_request_id")},
            "note": entry.get("note", ""), "client": client_of(entry["user_agent"]), "poll": bool(_POLL.search(entry["path"]))}


def _number(request: web.Request, name: str, default: int) -> int:
    text = request.query.get(name, "")
    return int(text) if text.isdigit() and len(text) < 10 else default


class Page:
    """What `/page/` serves. Everything is read only: conditions are set by the admin API, with the page's key."""

    def __init__(self, lab: Lab, requests: RequestLog, render: Render, key: str) -> None:
        self.lab, self.requests, self.render = lab, requests, render
        static = files("azlab.page") / "static"
        self.files = {f.name: f.read_text(encoding="utf-8") for f in static.iterdir() if f.name.rsplit(".", 1)[-1] in TYPES}
        self.files["index.html"] = self.files["index.html"].replace("PAGE-KEY", key)
        self._closing = asyncio.Event()

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/page", self.start), web.get("/page/", self.file), web.get("/page/data/summary", self.summary),
                web.get("/page/data/resources", self.resources), web.get("/page/data/resource", self.resource),
                web.get("/page/data/drawing", self.drawing), web.get("/page/data/machines", self.machines),
                web.get("/page/data/operations", self.operations), web.get("/page/data/requests", self.past),
                web.get("/page/data/requests/{seq}", self.request), web.get("/page/events", self.events),
                web.get("/page/{name}", self.file)]

    async def close(self, _app: web.Application) -> None:
        """End the streams, so that a lab stops at once while a browser looks on."""
        self._closing.set()

    async def start(self, request: web.Request) -> web.Response:
        raise web.HTTPFound("/page/")

    async def file(self, request: web.Request) -> web.Response:
        name = request.match_info.get("name", "index.html")
        if name not in self.files:
            raise web.HTTPNotFound(text=f"there is no {request.path} here")
        return web.Response(text=self.files[name], content_type=TYPES[name.rsplit(".", 1)[1]], charset="utf-8")

    async def summary(self, request: web.Request) -> web.Response:
        return web.json_response(views.summary(self.lab))

    async def resources(self, request: web.Request) -> web.Response:
        """?words= ?type= ?group= ?offset= ?limit="""
        query = request.query
        return web.json_response(views.listing(
            self.lab.store, words=query.get("words", ""), type_name=query.get("type", ""), group=query.get("group", ""),
            offset=_number(request, "offset", 0), limit=_number(request, "limit", 50)))

    async def resource(self, request: web.Request) -> web.Response:
        """?id=: the resource as a GET of it shows it to clients."""
        found = self.lab.store.get(request.query.get("id", ""))
        if found is None:
            raise web.HTTPNotFound(text="there is no such resource any more")
        return web.json_response(views.without_secrets(self.render(found)))

    async def drawing(self, request: web.Request) -> web.Response:
        """?group="""
        drawn = draw(self.lab.store, request.query.get("group", ""))
        for balancer in drawn["balancers"]:
            for rule in balancer["rules"]:
                if self.lab.has_machines and rule["probe"]:
                    rule["healthy"] = list(await self.lab.driver.health(rule["id"].lower()))
        return web.json_response(drawn)

    async def machines(self, request: web.Request) -> web.Response:
        """?words= ?group= ?power= ?offset= ?limit="""
        query = request.query
        return web.json_response(views.machines(
            self.lab.store, words=query.get("words", ""), group=query.get("group", ""), state=query.get("power", ""),
            offset=_number(request, "offset", 0), limit=_number(request, "limit", 50)))

    async def operations(self, request: web.Request) -> web.Response:
        return web.json_response(views.operations(self.lab, time.time()))

    async def past(self, request: web.Request) -> web.Response:
        found = self.requests.since(0, BATCH)
        return web.json_response({"rows": [request_row(e) for e in found], "last": self.requests.last})

    async def request(self, request: web.Request) -> web.Response:
        seq = request.match_info["seq"]
        found = self.requests.details(int(seq)) if seq.isdigit() else None
        if found is None:
            raise web.HTTPNotFound(text="this request is no longer in the log")
        return web.json_response({**found, **request_row(found)})

    async def events(self, request: web.Request) -> web.StreamResponse:
        """Server-sent events: `requests` (those since the last message), `changed` (the state is another), and the
        number of the last request as id, from which a browser goes on after a break."""
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store",
                                               "X-Content-Type-Options": "nosniff"})
        await response.prepare(request)
        last = request.headers.get("Last-Event-ID", "")
        seen = int(last) if last.isdigit() and int(last) <= self.requests.last else _number(request, "since", self.requests.last)
        changes, quiet = -1, 0.0
        try:
            while not self._closing.is_set():
                message = b""
                if self.requests.last != seen:
                    rows = self.requests.since(seen, BATCH)
                    left_out = self.requests.last - seen - len(rows)
                    seen = self.requests.last
                    message += _event("requests", {"rows": [request_row(e) for e in rows], "left_out": left_out}, seen)
                if (now := self._state()) != changes:
                    changes = now
                    message += _event("changed", views.summary(self.lab))
                quiet = 0.0 if message else quiet + TICK
                if quiet >= PING:
                    message, quiet = b": still here\n\n", 0.0
                if message:
                    await response.write(message)
                await self._pause()
        except ConnectionError:
            pass                # the browser went away
        return response

    def _state(self) -> int:
        """Another number when something that the page shows is another."""
        return hash((self.lab.store.changes, json.dumps(views.conditions(self.lab), sort_keys=True)))

    async def _pause(self) -> None:
        try:
            await asyncio.wait_for(self._closing.wait(), TICK)
        except TimeoutError:
            pass


def _event(name: str, data: Any, number: int | None = None) -> bytes:
    head = f"id: {number}\n" if number is not None else ""
    return f"{head}event: {name}\ndata: {json.dumps(data)}\n\n".encode()
