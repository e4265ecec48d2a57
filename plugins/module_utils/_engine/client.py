# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Client of the Docker Engine API over its Unix socket, on the standard library alone.

Works from API 1.41 (Engine 20.10) to engines that refuse everything below 1.44 (Engine 29): it speaks the
newest version that both sides know. API: https://docs.docker.com/reference/api/engine/

This util is private to the collection: no release promises that it stays as it is.
"""

from __future__ import annotations

import base64
import getpass
import http.client
import json
import os
import socket
import time
import typing as t
from urllib.parse import urlencode

from ansible_collections.dockhost.azure.plugins.module_utils._engine.errors import EngineError, EngineUnreachable
from ansible_collections.dockhost.azure.plugins.module_utils._engine.relay import connect, fits

DEFAULT_SOCKET = "/var/run/docker.sock"
# The option of modules on hosts; its documentation is the fragment `engine`.
ENGINE_ARGS: t.Dict[str, t.Any] = {"docker_socket": {"type": "str", "default": DEFAULT_SOCKET}}
# What this client was written against. Engine 29 still serves 1.44 and refuses what is older.
NEWEST_API = (1, 44)
# See Engine.batch.
UNTIL = "UNTIL"
OLDEST_API = (1, 41)

Json = t.Any


class _UnixConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket: only how to connect differs."""

    def __init__(self, path: str, timeout: float | None) -> None:
        # The name goes into the Host header, which the engine requires and ignores.
        super().__init__("docker", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self.sock.settimeout(self.timeout)
            self.sock.connect(self._path)
        except OSError:
            self.sock.close()
            self.sock = None
            raise


class Engine:
    """One Docker Engine, reached over its socket.

    ``socket_path``: path of the socket, a leading ``unix://`` is accepted. ``timeout``: seconds without a byte
    from the engine after which it counts as dead (a stream may last longer, as long as it says something).
    """

    def __init__(self, socket_path: str = DEFAULT_SOCKET, timeout: float = 60) -> None:
        self.socket_path = socket_path[7:] if socket_path.startswith("unix://") else socket_path
        self.timeout = timeout
        self._api: tuple[int, int] | None = None

    # -- requests ---------------------------------------------------------------------------------------

    @property
    def api_version(self) -> str:
        """The API version spoken with this engine, as "1.44"; asks the engine once."""
        if self._api is None:
            self._api = self._negotiate()
        return "%d.%d" % self._api

    def request(
        self,
        method: str,
        path: str,
        query: t.Mapping[str, Json] | None = None,
        body: Json = None,
        headers: t.Mapping[str, str] | None = None,
    ) -> Json:
        """Send one request. Returns parsed JSON, bytes where the answer is none, None where it is empty.

        ``query`` values that are lists or mappings go as JSON (``filters``), booleans as true/false, None is left out.
        ``body`` is sent as JSON, except for bytes, which go as they are (name their Content-Type in ``headers``).
        Raises EngineError for a refusal and EngineUnreachable where no engine answers.
        """
        connection, response = self._open(method, f"/v{self.api_version}{path}", query, body, headers, self.timeout)
        try:
            return _parsed(response, self._read(response))
        finally:
            connection.close()

    def stream(
        self,
        method: str,
        path: str,
        query: t.Mapping[str, Json] | None = None,
        body: Json = None,
        headers: t.Mapping[str, str] | None = None,
        timeout: float | None = None,
    ) -> t.Iterator[dict[str, Json]]:
        """Send one request whose answer is a stream of JSON lines (pull, build, events); yields each as it comes.

        A line that carries ``error`` ends the stream with an EngineError: the HTTP status was sent long before.
        """
        connection, response = self._open(
            method, f"/v{self.api_version}{path}", query, body, headers, timeout or self.timeout
        )
        try:
            for line in self._lines(response):
                item = json.loads(line)
                if item.get("error"):
                    raise EngineError(0, str(item["error"]), f"{method} {path}")
                yield item
        finally:
            connection.close()

    def get(self, path: str, /, **query: Json) -> Json:
        """GET; see request."""
        return self.request("GET", path, query)

    def get_secret(self, path: str) -> Json:
        """GET of what holds join tokens or the unlock key, which plugin_utils/_relay.py leaves out of all other answers."""
        return self.get(path)

    def find(self, path: str, /, **query: Json) -> Json:
        """GET where a missing thing (404) is None, not an error."""
        try:
            return self.request("GET", path, query)
        except EngineError as error:
            if error.not_found:
                return None
            raise

    def post(self, path: str, /, body: Json = None, headers: t.Mapping[str, str] | None = None, **query: Json) -> Json:
        """POST; see request."""
        return self.request("POST", path, query, body, headers)

    def delete(self, path: str, /, **query: Json) -> bool:
        """DELETE; False where there was nothing to delete."""
        try:
            self.request("DELETE", path, query)
        except EngineError as error:
            if error.not_found:
                return False
            raise
        return True

    def runs(self) -> bool:
        """Whether an engine runs here at all. EngineUnreachable where one does and does not answer this user."""
        try:
            self.ping()
        except EngineUnreachable as error:
            if not error.absent:
                raise
            return False
        return True

    def batch(self, requests: t.Sequence[tuple[str, str, Json]]) -> list[Json | EngineError]:
        """Several requests (method, path, body), one after the other: for each its answer, or its refusal.

        Where the engine is reached over the network (plugin_utils/_relay.py) all of them are one round trip. The method UNTIL, after a
        request that was taken, gets ``path`` until it is as the wish in ``body`` has it (relay.until); after one that was refused it answers the same.
        """
        answers: list[Json | EngineError] = []
        for method, path, body in requests:
            try:
                answers.append(self._until(path, body, answers[-1]) if method == UNTIL else self.request(method, path, None, body))
            except EngineUnreachable:
                raise
            except EngineError as error:
                answers.append(error)
        return answers

    def _until(self, path: str, wish: t.Mapping[str, t.Any], before: Json | EngineError) -> Json | EngineError:
        deadline = time.monotonic() + wish["timeout"]
        while not isinstance(before, EngineError):
            try:
                found = self.get(path)
                if fits(found, wish) or time.monotonic() >= deadline:
                    return found
            except EngineUnreachable:
                raise
            except EngineError as error:
                if error.not_found or time.monotonic() >= deadline:
                    raise
            time.sleep(wish["pause"])
        return before

    def reach(self, places: t.Sequence[tuple[str, int]], timeout: float) -> list[str]:
        """Try these TCP ports (address, port) from the engine's host: for each "" or what does not work."""
        return [connect(address, port, timeout) for address, port in places]

    def batch_where_reached(
        self, places: t.Sequence[tuple[str, int]], timeout: float, requests: t.Sequence[tuple[str, str, Json]]
    ) -> list[Json | EngineError] | None:
        """As batch, where all these TCP ports answer the engine's host; else None, and nothing was requested. The first that does not ends it."""
        return None if any(self.reach([place], timeout)[0] for place in places) else self.batch(requests)

    # -- what every module asks ---------------------------------------------------------------------------

    def ping(self) -> dict[str, str]:
        """Headers of /_ping, lower case names: api-version, swarm (inactive|active/manager|…), docker-experimental."""
        connection, response = self._open("GET", "/_ping", None, None, None, self.timeout)
        try:
            self._read(response)
            return {name.lower(): value for name, value in response.getheaders()}
        finally:
            connection.close()

    def info(self) -> dict[str, Json]:
        """GET /info: the engine, its host, and under ``Swarm`` what it knows of its swarm."""
        return self.get("/info")

    def version(self) -> dict[str, Json]:
        """GET /version."""
        return self.get("/version")

    # -- inside -----------------------------------------------------------------------------------------

    def _negotiate(self) -> tuple[int, int]:
        said = self.ping().get("api-version", "")
        try:
            major, minor = (int(part) for part in said.split("."))
        except ValueError:
            raise EngineUnreachable(
                f"What answers on {self.socket_path} is not a Docker Engine: it names no API version."
            ) from None
        if (major, minor) < OLDEST_API:
            raise EngineUnreachable(
                f"The Docker Engine on {self.socket_path} speaks API {said}; at least API 1.41 (Engine 20.10) is needed: "
                "upgrade the engine."
            )
        return min((major, minor), NEWEST_API)

    def _open(
        self,
        method: str,
        path: str,
        query: t.Mapping[str, Json] | None,
        body: Json,
        headers: t.Mapping[str, str] | None,
        timeout: float,
    ) -> tuple[_UnixConnection, http.client.HTTPResponse]:
        """Send a request and return connection and answer; a refusal (status ≥ 400) is raised as EngineError."""
        sent = dict(headers or {})
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            sent.setdefault("Content-Type", "application/json")
        connection = _UnixConnection(self.socket_path, timeout)
        try:
            connection.request(method, path + query_text(query), body=body, headers=sent)
            response = connection.getresponse()
            if response.status >= 400:
                raise EngineError(response.status, _message(response, response.read()), f"{method} {path}")
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise self._unreachable(error) from error
        except EngineError:
            connection.close()
            raise
        return connection, response

    def _read(self, response: http.client.HTTPResponse) -> bytes:
        try:
            return response.read()
        except (OSError, http.client.HTTPException) as error:
            raise self._unreachable(error) from error

    def _lines(self, response: http.client.HTTPResponse) -> t.Iterator[bytes]:
        while True:
            try:
                line = response.readline()
            except (OSError, http.client.HTTPException) as error:
                raise self._unreachable(error) from error
            if not line:
                return
            if line.strip():
                yield line

    def _unreachable(self, error: Exception) -> EngineUnreachable:
        """One sentence that tells the cause and the remedy."""
        path = self.socket_path
        if isinstance(error, FileNotFoundError):
            return EngineUnreachable(
                f"There is no Docker Engine: the socket {path} does not exist. "
                "Install and start the engine first (role dockhost.azure.docker).",
                absent=True,
            )
        if isinstance(error, PermissionError):
            return EngineUnreachable(
                f"User {_user()} may not use the Docker Engine's socket {path}: "
                "run the task with become: true, or add the user to group docker."
            )
        if isinstance(error, ConnectionRefusedError):
            return EngineUnreachable(
                f"The Docker Engine is not running: nothing listens on {path}. "
                "Look at 'systemctl status docker' and 'journalctl -u docker' on the host.",
                absent=True,
            )
        if isinstance(error, socket.timeout):
            return EngineUnreachable(f"The Docker Engine on {path} was silent for {self.timeout:g} s.", silent=True)
        return EngineUnreachable(f"The Docker Engine on {path} broke off: {error or type(error).__name__}.")


def registry_auth(username: str, password: str, server: str = "") -> dict[str, str]:
    """The header that lets the engine pull from a registry that asks for a login."""
    login = {"username": username, "password": password, "serveraddress": server}
    return {"X-Registry-Auth": base64.urlsafe_b64encode(json.dumps(login).encode()).decode()}


def query_text(query: t.Mapping[str, Json] | None) -> str:
    """A query as the end of a path, see request."""
    parts = {}
    for name, value in (query or {}).items():
        if value is None:
            continue
        if isinstance(value, bool):
            value = "true" if value else "false"
        elif isinstance(value, (dict, list, tuple)):
            value = json.dumps(value)
        parts[name] = value
    return "?" + urlencode(parts) if parts else ""


def _parsed(response: http.client.HTTPResponse, content: bytes) -> Json:
    if not content:
        return None
    if response.getheader("Content-Type", "").startswith("application/json"):
        return json.loads(content)
    return content


def _message(response: http.client.HTTPResponse, content: bytes) -> str:
    """The engine's own words: {"message": …} as documented, plain text from proxies and very old paths."""
    try:
        return json.loads(content)["message"].strip()
    except (ValueError, KeyError, TypeError, AttributeError):
        return content.decode(errors="replace").strip() or response.reason


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())
