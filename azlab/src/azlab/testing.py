# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab for tests: a real server over HTTPS, in a thread of the test process, on free ports.

    with azlab.testing.lab(latency_scale=0) as azure:
        subprocess.run([...], env={**os.environ, **azure.env})
        azure.admin.fault(method="PUT", path="virtualMachines", status=500)
        print(azure.admin.requests())
"""
from __future__ import annotations

import asyncio
import json
import shutil
import ssl
import tempfile
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from azlab import api_versions
from azlab.machines.driver import MachineDriver
from azlab.server import Server
from azlab.settings import Settings, load


class AdminClient:
    """The admin API of a lab."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """One request; raises RuntimeError with the lab's text when it refuses."""
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(self.url + path, data, {"Content-Type": "application/json"}, method=method)
        try:
            with self._opener.open(request, timeout=30) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as problem:
            raise RuntimeError(f"{method} {path}: {problem.status} {problem.read().decode()}") from None

    def fault(self, **rule: Any) -> dict[str, Any]:
        """Add a fault rule (see docs/azlab.md); returns it with its id."""
        return dict(self.call("POST", "/faults", rule))

    def clear_faults(self) -> None:
        self.call("DELETE", "/faults")

    def requests(self, **filters: Any) -> list[dict[str, Any]]:
        """The request log; filters: since, method, path, limit."""
        return list(self.call("GET", "/requests?" + urllib.parse.urlencode(filters))["requests"])

    def clear_requests(self) -> None:
        self.call("DELETE", "/requests")

    def latencies(self, **settings: Any) -> dict[str, Any]:
        return dict(self.call("POST", "/latencies", settings))

    def network(self) -> dict[str, Any]:
        """The data path that the resources ask for."""
        return dict(self.call("GET", "/network"))

    def token(self, **claims: Any) -> str:
        return str(self.call("POST", "/tokens", claims)["access_token"])


def _newest_version(url: str) -> str:
    """The newest api-version of the type that a URL leads to."""
    namespace, *rest = url.partition("?")[0].rpartition("/providers/")[2].split("/")
    return api_versions.newest("/".join((namespace, *(rest if rest[:1] == ["locations"] else rest[::2]))))


@dataclass
class RunningLab:
    """What a test gets."""

    settings: Settings
    env: dict[str, str]
    ca_file: Path
    url: str
    admin: AdminClient

    @property
    def proxy_env(self) -> dict[str, str]:
        """For clients that insist on the names of the public cloud."""
        return {**self.env, **self.settings.proxy_environment()}

    @property
    def subscription(self) -> str:
        """The first subscription; `settings.subscription_ids` are all."""
        return self.settings.subscription_id

    def token(self) -> str:
        """An access token, as a client signs in for it."""
        form = urllib.parse.urlencode({"grant_type": "client_credentials", "client_id": self.settings.client_id,
                                       "client_secret": self.settings.secret, "scope": self.url + "/.default"})
        request = urllib.request.Request(f"{self.url}/{self.settings.tenant}/oauth2/v2.0/token", form.encode())
        with self._open(request) as answer:
            return str(json.load(answer)["access_token"])

    def arm(self, method: str, path: str, body: Any = None, *, api_version: str | None = None,
            headers: dict[str, str] | None = None, token: str | None = None) -> tuple[int, Any, dict[str, str]]:
        """One request to ARM: (status, parsed body or None, headers in lower case). `path` may be a whole URL;
        a path that begins with `resourceGroups` or `providers` is meant under the lab's subscription. Without `api_version`
        the newest that the lab knows of the type is taken; with "" none is sent."""
        if not path.startswith(("http", "/")):
            path = f"/subscriptions/{self.subscription}/{path}"
        url = path if path.startswith("http") else self.url + path
        if "api-version=" not in url and api_version != "":
            url += ("&" if "?" in url else "?") + f"api-version={api_version or _newest_version(url)}"
        if not hasattr(self, "_token"):
            self._token = self.token()
        data = body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(url, data, {
            "Authorization": f"Bearer {token or self._token}", "Content-Type": "application/json", **(headers or {})},
            method=method)
        try:
            with self._open(request) as answer:
                return self._parsed(answer)
        except urllib.error.HTTPError as problem:
            return self._parsed(problem)

    @staticmethod
    def _parsed(answer: Any) -> tuple[int, Any, dict[str, str]]:
        text = answer.read()
        return answer.status, json.loads(text) if text else None, {k.lower(): v for k, v in answer.headers.items()}

    def _open(self, request: urllib.request.Request) -> Any:
        context = ssl.create_default_context(cafile=str(self.ca_file))
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))
        return opener.open(request, timeout=60)


class _Thread(threading.Thread):
    """The server with its own event loop."""

    def __init__(self, settings: Settings, driver: MachineDriver | None) -> None:
        super().__init__(name="azlab", daemon=True)
        self.settings, self.driver = settings, driver
        self.ready = threading.Event()
        self.error: BaseException | None = None
        self.server: Server | None = None
        self.loop: asyncio.AbstractEventLoop | None = None

    def run(self) -> None:
        try:
            asyncio.run(self._main())
        except BaseException as problem:  # handed to the test's thread
            self.error = problem
        finally:
            self.ready.set()

    async def _main(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.server = Server(self.settings, self.driver)
        await self.server.start()
        self.ready.set()
        await self.server.wait()
        await self.server.close()

    def stop(self) -> None:
        if self.loop and self.server and self.is_alive():
            self.loop.call_soon_threadsafe(self.server.stop)
        self.join(30)


@contextmanager
def lab(name: str = "test", *, machines: str = "none", latency_scale: float = 0.0,
        faults: list[dict[str, Any]] | None = None, driver: MachineDriver | None = None,
        home: Path | None = None, core_quota: int = 4000,
        public_range: str = "203.0.113.0/24", conditions: Path | None = None, subscriptions: int = 1) -> Iterator[RunningLab]:
    """A running lab. Give `home` to keep the state and start a lab on it again."""
    base = home or Path(tempfile.mkdtemp(prefix="azlab-"))
    settings = load(name, base) or Settings(name=name, base=base)
    settings.machines, settings.port, settings.admin_port, settings.proxy_port = machines, 0, 0, 0
    settings.latency_scale, settings.core_quota, settings.public_range = latency_scale, core_quota, public_range
    settings.conditions, settings.subscriptions = str(conditions) if conditions else "", subscriptions
    thread = _Thread(settings, driver)
    thread.start()
    try:
        thread.ready.wait(1800)
        if thread.error:
            raise thread.error
        admin = AdminClient(settings.admin_port)
        for rule in faults or []:
            admin.fault(**rule)
        env = {**settings.environment(), "AZLAB_HOME": str(base)}
        yield RunningLab(settings, env, settings.home / "ca.pem", settings.url, admin)
    finally:
        thread.stop()
        if home is None:
            shutil.rmtree(base, ignore_errors=True)
