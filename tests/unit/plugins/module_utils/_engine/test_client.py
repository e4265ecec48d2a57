# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The client against a real HTTP server on a real Unix socket that speaks like the engine."""

from __future__ import annotations

import base64
import http.server
import json
import os
import socketserver
import threading

import pytest
from ansible_collections.dockhost.azure.plugins.module_utils._engine.client import Engine, registry_auth
from ansible_collections.dockhost.azure.plugins.module_utils._engine.errors import EngineError, EngineUnreachable


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers by the server's table: (method, path without version) → (status, body)."""

    def answer(self):
        length = int(self.headers.get("Content-Length") or 0)
        self.server.seen.append((self.command, self.path, dict(self.headers), self.rfile.read(length)))
        if self.path == "/_ping":
            status, body, headers = 200, b"OK", {"Api-Version": self.server.api} if self.server.api else {}
        else:
            path = self.path.split("?")[0]
            status, body = self.server.table.get((self.command, "/" + path.split("/", 2)[2]), (404, {"message": "no such thing"}))
            headers = {"Content-Type": "application/json"}
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_DELETE = answer

    def address_string(self):
        return "unix"

    def log_message(self, *arguments):
        pass


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True


@pytest.fixture
def server(tmp_path):
    with Server(str(tmp_path / "docker.sock"), Handler) as running:
        running.api, running.table, running.seen, running.path = "1.45", {}, [], str(tmp_path / "docker.sock")
        thread = threading.Thread(target=running.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.mark.parametrize(
    "theirs, spoken",
    [("1.41", "1.41"), ("1.43", "1.43"), ("1.44", "1.44"), ("1.45", "1.44"), ("1.52", "1.44"), ("2.0", "1.44")],
)
def test_newest_version_that_both_know(server, theirs, spoken):
    server.api = theirs
    server.table[("GET", "/info")] = 200, {"Name": "demo-1"}
    engine = Engine(server.path)
    assert engine.info() == {"Name": "demo-1"}
    assert engine.api_version == spoken
    assert [path for _method, path, _headers, _body in server.seen] == ["/_ping", f"/v{spoken}/info"]


@pytest.mark.parametrize("theirs, words", [("1.40", "at least API 1.41"), ("", "not a Docker Engine"), ("x", "not a Docker Engine")])
def test_version_that_cannot_be_spoken(server, theirs, words):
    server.api = theirs
    with pytest.raises(EngineUnreachable, match=words):
        Engine(server.path).info()


def test_refusal_carries_the_engines_words(server):
    server.table[("POST", "/swarm/init")] = 503, {"message": "This node is already part of a swarm."}
    with pytest.raises(EngineError) as caught:
        Engine(server.path).post("/swarm/init", body={"ListenAddr": "0.0.0.0:2377"})
    assert caught.value.status == 503
    assert str(caught.value) == "POST /v1.44/swarm/init: This node is already part of a swarm. (HTTP 503)"
    assert json.loads(server.seen[-1][3]) == {"ListenAddr": "0.0.0.0:2377"}
    assert server.seen[-1][2]["Content-Type"] == "application/json"


def test_missing_things(server):
    server.table[("DELETE", "/nodes/there")] = 200, b""
    server.table[("GET", "/nodes/broken")] = 500, {"message": "no leader"}
    engine = Engine(server.path)
    assert engine.find("/nodes/gone") is None
    assert engine.delete("/nodes/gone") is False
    assert engine.delete("/nodes/there", force=True) is True
    assert server.seen[-1][1] == "/v1.44/nodes/there?force=true"
    with pytest.raises(EngineError, match="no leader"):
        engine.find("/nodes/broken")


@pytest.mark.parametrize(
    "query, sent",
    [
        ({}, "/v1.44/tasks"),
        ({"a": None, "b": False}, "/v1.44/tasks?b=false"),
        ({"filters": {"node": ["x"]}}, "/v1.44/tasks?filters=%7B%22node%22%3A+%5B%22x%22%5D%7D"),
        ({"version": 12}, "/v1.44/tasks?version=12"),
    ],
)
def test_query(server, query, sent):
    server.table[("GET", "/tasks")] = 200, []
    assert Engine(server.path).get("/tasks", **query) == []
    assert server.seen[-1][1] == sent


def test_stream_yields_lines_and_ends_with_the_error_in_it(server):
    lines = b'{"status":"Pulling"}\r\n\r\n{"status":"Done"}\r\n{"errorDetail":{"message":"x"},"error":"manifest unknown"}\r\n'
    server.table[("POST", "/images/create")] = 200, lines
    seen = []
    with pytest.raises(EngineError, match="manifest unknown"):
        for item in Engine(server.path).stream("POST", "/images/create", {"fromImage": "x"}, headers=registry_auth("u", "p", "r.example")):
            seen.append(item["status"])
    assert seen == ["Pulling", "Done"]
    sent = json.loads(base64.urlsafe_b64decode(server.seen[-1][2]["X-Registry-Auth"]))
    assert sent == {"username": "u", "password": "p", "serveraddress": "r.example"}


def test_bytes_are_sent_and_returned_as_they_are(server):
    server.table[("POST", "/build")] = 200, b"{}"
    Engine(server.path).request("POST", "/build", body=b"\0tar", headers={"Content-Type": "application/x-tar"})
    assert server.seen[-1][3] == b"\0tar"
    assert server.seen[-1][2]["Content-Type"] == "application/x-tar"


def test_no_socket(tmp_path):
    with pytest.raises(EngineUnreachable, match=r"There is no Docker Engine: the socket .*nope does not exist\. Install"):
        Engine(str(tmp_path / "nope")).info()


def test_nobody_listens(tmp_path):
    path = str(tmp_path / "docker.sock")
    with socketserver.UnixStreamServer(path, Handler):
        pass
    with pytest.raises(EngineUnreachable, match="not running: nothing listens"):
        Engine("unix://" + path).info()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may open every socket")
def test_no_permission(server):
    os.chmod(server.path, 0)
    with pytest.raises(EngineUnreachable, match="become: true"):
        Engine(server.path).info()


def test_permission_is_told_as_such():
    # The kernel never refuses root, so the wording is tried by itself.
    assert "become: true" in str(Engine("/run/x")._unreachable(PermissionError(13, "Permission denied")))


def test_silence(tmp_path):
    class Silent(socketserver.BaseRequestHandler):
        def handle(self):
            self.request.recv(1000)
            released.wait(5)

    released = threading.Event()
    path = str(tmp_path / "docker.sock")
    with Server(path, Silent) as running:
        threading.Thread(target=running.serve_forever, args=(0.02,), daemon=True).start()
        with pytest.raises(EngineUnreachable, match=r"was silent for 0\.2 s"):
            Engine(path, timeout=0.2).info()
        released.set()
        running.shutdown()


def test_breaks_off(server):

    class Cut(socketserver.StreamRequestHandler):
        def handle(self):
            self.rfile.readline()
            self.wfile.write(b"HTTP/1.1 200 OK\r\nApi-Version: 1.44\r\nContent-Length: 100\r\n\r\nOK")

    path = server.path + "2"
    with Server(path, Cut) as running:
        threading.Thread(target=running.serve_forever, args=(0.02,), daemon=True).start()
        with pytest.raises(EngineUnreachable, match="broke off"):
            Engine(path).info()
        running.shutdown()
