# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may speak to the admin port: programs on this machine, and the lab's own page in a browser on it.

A page of somebody else in that browser must neither read the lab nor steer it:
- requests with another `Host` are refused (a name that was rebound to 127.0.0.1 still says its own name),
- requests that the browser marks as coming from elsewhere (`Origin`, `Sec-Fetch-Site`) are refused,
- what changes something needs the page's key as well, and only conditions can be changed so.
https://cheatsheetseries.owasp.org/cheatsheets/Cross-Site_Request_Forgery_Prevention_Cheat_Sheet.html
"""
from __future__ import annotations

import hmac
import secrets
from typing import Any

from aiohttp import web

KEY_HEADER = "X-Azlab-Page"
HOSTS = ("127.0.0.1", "localhost")
CHANGEABLE = ("/faults", "/latencies", "/conditions", "/throttling", "/paging")
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
                               "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY",
    "Cache-Control": "no-store"}


class Guard:
    """The middleware of the admin port, with the key of this run's page."""

    def __init__(self) -> None:
        self.key = secrets.token_urlsafe(24)

    @web.middleware
    async def middleware(self, request: web.Request, handler: Any) -> web.StreamResponse:
        self._check(request)
        response: web.StreamResponse = await handler(request)
        if not response.prepared:
            response.headers.update(HEADERS)
        return response

    def _check(self, request: web.Request) -> None:
        if request.host.rsplit(":", 1)[0] not in HOSTS:
            raise _refused()
        origin, site = request.headers.get("Origin"), request.headers.get("Sec-Fetch-Site")
        if origin is not None and origin != f"http://{request.host}":
            raise _refused()
        # A link from elsewhere may open the page (a navigation tells its sender nothing), but nothing else.
        opened = request.headers.get("Sec-Fetch-Mode") == "navigate" and request.path in ("/", "/page/")
        if site not in (None, "same-origin", "none") and not (opened and request.method == "GET"):
            raise _refused()
        if (origin or site) and request.method not in ("GET", "HEAD"):
            self._check_change(request)

    def _check_change(self, request: web.Request) -> None:
        """A change that a browser asks for."""
        if "/" + request.path.split("/")[1] not in CHANGEABLE:
            raise web.HTTPForbidden(text="the page changes conditions only; use the admin API or the command azlab for this")
        if not hmac.compare_digest(request.headers.get(KEY_HEADER, "").encode(), self.key.encode()):
            raise web.HTTPForbidden(text="this page is older than the running lab: load it again")


def _refused() -> web.HTTPForbidden:
    return web.HTTPForbidden(text="the admin API answers local programs only")
