# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands in containers, against a socket that hands the connection over as the engine does."""

from __future__ import annotations

import io
import json
import socketserver
import struct
import threading

import pytest
from ansible_collections.dockhost.azure.plugins.module_utils._engine.client import Engine
from ansible_collections.dockhost.azure.plugins.module_utils._engine.errors import EngineError
from ansible_collections.dockhost.azure.plugins.module_utils._engine.execute import execute


class Handler(socketserver.StreamRequestHandler):
    """The requests of one command; ``cat`` sends back what it reads."""

    def handle(self):
        method, path, _version = self.rfile.readline().decode().split()
        length = 0
        for line in iter(self.rfile.readline, b"\r\n"):
            length = int(line.split(b":")[1]) if line.lower().startswith(b"content-length") else length
        body = json.loads(self.rfile.read(length) or b"{}")
        if path == "/_ping":
            return self.reply(b"OK", "Api-Version: 1.44")
        if method == "POST" and path.endswith("/containers/gone/exec"):
            return self.reply(b'{"message": "No such container: gone"}', status="404 Not Found")
        if method == "POST" and path.endswith("/exec"):
            self.server.command = body["Cmd"]
            return self.reply(b'{"Id": "e1"}')
        if path.endswith("/exec/e1/json"):
            return self.reply(b'{"ExitCode": %d}' % self.server.code)
        self.wfile.write(b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n")
        said = self.rfile.read() if self.server.command == ["cat"] else b"hello"
        for begin in range(0, len(said), 1000):
            self.frame(1, said[begin : begin + 1000])
        self.frame(2, b"a warning\n")

    def frame(self, stream, data):
        self.wfile.write(struct.pack(">BxxxL", stream, len(data)) + data)

    def reply(self, body, header="Content-Type: application/json", status="200 OK"):
        self.wfile.write(f"HTTP/1.1 {status}\r\n{header}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body)


@pytest.fixture
def engine(tmp_path):
    class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
        daemon_threads = True

    server = Server(str(tmp_path / "docker.sock"), Handler)
    server.code = 0
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    made = Engine(str(tmp_path / "docker.sock"))
    made.server = server
    yield made
    server.shutdown()
    thread.join()
    server.server_close()


def test_what_a_command_prints_and_how_it_ends(engine):
    engine.server.code = 3
    printed = io.BytesIO()
    assert execute(engine, "c1", ["echo"], stdout=printed) == (3, "a warning")
    assert printed.getvalue() == b"hello"


def test_what_a_command_reads(engine):
    data, printed = bytes(range(256)) * 1000, io.BytesIO()
    assert execute(engine, "c1", ["cat"], stdin=io.BytesIO(data), stdout=printed).code == 0
    assert printed.getvalue() == data


def test_a_container_that_is_gone(engine):
    with pytest.raises(EngineError, match="No such container: gone"):
        execute(engine, "gone", ["echo"])
