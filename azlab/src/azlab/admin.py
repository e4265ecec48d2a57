# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The admin API on its own loopback port: faults, latencies, the request log, the data path."""
from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from aiohttp import web

from azlab import conditions
from azlab.faults import FaultError
from azlab.lab import Lab
from azlab.page.guard import Guard
from azlab.page.routes import Page, Render
from azlab.requestlog import RequestLog
from azlab.settings import SettingsError


class Admin:
    """Plain HTTP for people and tests; nothing of it exists on Azure."""

    def __init__(self, lab: Lab, requests: RequestLog, stop: Callable[[], None], render: Render) -> None:
        self.lab, self.requests, self._stop = lab, requests, stop
        guard = Guard()
        self.web = web.Application(middlewares=[guard.middleware])
        page = Page(lab, requests, render, guard.key)
        self.web.add_routes(page.routes())
        self.web.on_shutdown.append(page.close)
        self.web.add_routes([
            web.get("/", self.status), web.get("/requests", self.list_requests),
            web.delete("/requests", self.clear_requests), web.get("/faults", self.list_faults),
            web.post("/faults", self.add_fault), web.delete("/faults", self.clear_faults),
            web.delete("/faults/{id}", self.remove_fault), web.get("/latencies", self.latencies),
            web.post("/latencies", self.set_latencies), web.get("/network", self.network),
            web.get("/operations", self.operations), web.post("/tokens", self.token),
            web.get("/health", self.health), web.post("/reset", self.reset),
            web.post("/throttling", self.set_throttling), web.post("/paging", self.set_paging),
            web.get("/conditions", self.conditions), web.post("/conditions", self.set_conditions), web.post("/shutdown", self.shutdown)])

    async def status(self, request: web.Request) -> web.Response:
        """Counts and settings; a browser is led to the page."""
        if "text/html" in request.headers.get("Accept", ""):
            raise web.HTTPFound("/page/")
        store, settings = self.lab.store, self.lab.settings
        counts: dict[str, int] = {}
        for resource in store.resources.values():
            counts[resource.type] = counts.get(resource.type, 0) + 1
        return web.json_response({
            "name": settings.name, "machines": settings.machines, "url": settings.url,
            "subscriptions": settings.subscription_ids, "resources": counts,
            "operations_in_flight": len(self.lab.operations.busy), "requests": len(self.requests.entries),
            "faults": len(self.lab.faults.rules), "latency_scale": self.lab.latency.scale,
            "throttling": self.lab.throttle.on, "page_size": self.lab.page_size,
            "docker_extension": self.lab.docker_extension})

    async def list_requests(self, request: web.Request) -> web.Response:
        """?since=SEQ only later ones, ?method= and ?path= (substring) filter, ?limit=N the last N."""
        since = int(request.query.get("since", "0"))
        method, path = request.query.get("method", "").upper(), request.query.get("path", "").lower()
        found = [e for e in self.requests.entries if e["seq"] > since and (not method or e["method"] == method)
                 and path in e["path"].lower()]
        limit = int(request.query.get("limit", "0"))
        return web.json_response({"requests": found[-limit:] if limit else found, "count": len(found)})

    async def clear_requests(self, request: web.Request) -> web.Response:
        return web.json_response({"removed": self.requests.clear()})

    async def list_faults(self, request: web.Request) -> web.Response:
        return web.json_response({"faults": [asdict(r) for r in self.lab.faults.rules]})

    async def add_fault(self, request: web.Request) -> web.Response:
        data = await _object(request)
        try:
            rule = self.lab.faults.add(data)
        except (FaultError, TypeError) as problem:
            raise web.HTTPBadRequest(text=str(problem)) from None
        return web.json_response(asdict(rule), status=201)

    async def clear_faults(self, request: web.Request) -> web.Response:
        return web.json_response({"removed": self.lab.faults.remove()})

    async def remove_fault(self, request: web.Request) -> web.Response:
        number = request.match_info["id"]
        removed = self.lab.faults.remove(int(number)) if number.isdigit() else 0
        return web.json_response({"removed": removed}, status=200 if removed else 404)

    async def latencies(self, request: web.Request) -> web.Response:
        latency = self.lab.latency
        return web.json_response({"scale": latency.scale, "hold": not self.lab.operations.gate.is_set(), "overrides": [
            {"type": t, "method": m, "seconds": s} for (t, m), s in latency.overrides.items()]})

    async def set_latencies(self, request: web.Request) -> web.Response:
        """{"scale": S} and/or {"overrides": [{"type", "method", "seconds"}]} (an empty list removes them);
        {"hold": true} lets no operation end until {"hold": false}."""
        data = await _object(request)
        try:
            if "scale" in data:
                self.lab.latency.scale = float(data["scale"])
            if "hold" in data:
                (self.lab.operations.gate.clear if data["hold"] else self.lab.operations.gate.set)()
            if "overrides" in data:
                self.lab.latency.overrides = {(o["type"].lower(), o["method"].upper()): float(o["seconds"])
                                              for o in data["overrides"]}
        except (TypeError, ValueError, KeyError, AttributeError) as problem:
            raise web.HTTPBadRequest(text=f"these latencies cannot be used: {problem!r}") from None
        return await self.latencies(request)

    async def network(self, request: web.Request) -> web.Response:
        return web.json_response(asdict(self.lab.wanted_network()))

    async def health(self, request: web.Request) -> web.Response:
        """?rule=ARM id: the healthy backends of a balancer rule."""
        return web.json_response({"healthy": list(await self.lab.driver.health(request.query.get("rule", "").lower()))})

    async def operations(self, request: web.Request) -> web.Response:
        keep = ("id", "effect", "resource_id", "status", "start", "end", "error")
        return web.json_response({"operations": [{k: getattr(o, k) for k in keep}
                                                 for o in self.lab.operations.all.values()]})

    async def token(self, request: web.Request) -> web.Response:
        """A token with a chosen audience, lifetime (seconds, may be negative) or tenant: for tests of sign-in."""
        data = await _object(request)
        token = self.lab.tokens.issue(data.get("audience", self.lab.settings.url),
                                      lifetime=int(data.get("lifetime", 3599)), tenant=data.get("tenant"))
        return web.json_response({"access_token": token})

    async def conditions(self, request: web.Request) -> web.Response:
        """All conditions in force; what this answers can be posted again."""
        return web.json_response(conditions.show(self.lab))

    async def set_conditions(self, request: web.Request) -> web.Response:
        """Several settings in one, as in the file of `azlab up --conditions`."""
        self._apply(await _object(request))
        return await self.conditions(request)

    def _apply(self, data: dict[str, Any]) -> None:
        try:
            conditions.apply(self.lab, data)
        except SettingsError as problem:
            raise web.HTTPBadRequest(text=str(problem)) from None

    async def set_throttling(self, request: web.Request) -> web.Response:
        """{"on": true, "scale": 1}: refuse what Azure would refuse; a small scale gives small buckets."""
        self._apply({"throttling": await _object(request)})
        return web.json_response({"on": self.lab.throttle.on, "scale": self.lab.throttle.scale})

    async def set_paging(self, request: web.Request) -> web.Response:
        """{"size": N}: lists come in pages of N; 0 never cuts a list."""
        self._apply({"page_size": (await _object(request)).get("size")})
        return web.json_response({"size": self.lab.page_size})

    async def reset(self, request: web.Request) -> web.Response:
        """An empty lab: resources, operations, machines and faults are gone; name, addresses and identities stay."""
        removed = await self.lab.reset()
        self.requests.clear()
        return web.json_response({"removed": removed})

    async def shutdown(self, request: web.Request) -> web.Response:
        asyncio.get_running_loop().call_later(0.05, self._stop)
        return web.json_response({"stopping": True})


async def _object(request: web.Request) -> dict[str, Any]:
    try:
        data = await request.json()
    except json.JSONDecodeError as problem:
        raise web.HTTPBadRequest(text=f"the body is no JSON: {problem}") from None
    if not isinstance(data, dict):
        raise web.HTTPBadRequest(text="the body must be a JSON object")
    return data
