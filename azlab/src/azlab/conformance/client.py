# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One kept connection to a lab and one to its admin API."""
from __future__ import annotations

import http.client
import json
import ssl
import time
from typing import Any
from urllib.parse import urlencode, urlsplit

from azlab.testing import RunningLab

Reply = tuple[int, dict[str, str], Any]


class Client:
    """Sends requests as they were recorded."""

    def __init__(self, lab: RunningLab) -> None:
        context = ssl.create_default_context(cafile=str(lab.ca_file))
        self._arm = http.client.HTTPSConnection("localhost", lab.settings.port, context=context, timeout=60)
        self._admin = http.client.HTTPConnection("127.0.0.1", lab.settings.admin_port, timeout=60)
        self._subscription = lab.subscription
        self._token = lab.token()
        self._held = False
        self.types = self._served()

    def close(self) -> None:
        self._arm.close()
        self._admin.close()

    def send(self, method: str, path: str, query: dict[str, str], body: Any) -> Reply:
        """(status, headers in lower case, parsed body or None)"""
        return self._request(method, path + ("?" + urlencode(query) if query else ""), body)

    def _served(self) -> set[str]:
        """The resource types that the lab names when it is asked for its providers, in lower case."""
        _status, _headers, body = self._request("GET", f"/subscriptions/{self._subscription}/providers?api-version=2022-12-01", None)
        return {f"{p['namespace']}/{t['resourceType']}".lower() for p in body["value"] for t in p["resourceTypes"]}

    def follow(self, url: str) -> Reply:
        parts = urlsplit(url)
        return self._request("GET", f"{parts.path}?{parts.query}", None)

    def _request(self, method: str, target: str, body: Any) -> Reply:
        data = body.encode() if isinstance(body, str) else json.dumps(body).encode() if body is not None else None
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        self._arm.request(method, target.replace(" ", "%20"), data, headers)
        answer = self._arm.getresponse()
        text = answer.read()
        try:
            parsed = json.loads(text) if text else None
        except ValueError:
            parsed = text.decode(errors="replace")
        return answer.status, {k.lower(): v for k, v in answer.getheaders()}, parsed

    def admin(self, method: str, path: str, body: Any = None) -> Any:
        self._admin.request(method, path, json.dumps(body) if body is not None else None,
                            {"Content-Type": "application/json"})
        answer = self._admin.getresponse()
        text = answer.read()
        if answer.status >= 400:
            raise RuntimeError(f"{method} {path}: {answer.status} {text.decode(errors='replace')}")
        return json.loads(text)

    def reset(self) -> None:
        """An empty lab without faults."""
        self.hold(False)
        self.admin("POST", "/reset", {})

    def hold(self, on: bool) -> None:
        """While held no operation ends, so that the polls that Azure answered with InProgress can be compared."""
        if on != self._held:
            self.admin("POST", "/latencies", {"hold": on})
            self._held = on

    def settle(self) -> None:
        """Until no operation is in flight (at most two seconds)."""
        deadline = time.monotonic() + 2
        while not self._held and self.admin("GET", "/")["operations_in_flight"] and time.monotonic() < deadline:
            time.sleep(0.002)
