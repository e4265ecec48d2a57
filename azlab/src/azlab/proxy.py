# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A CONNECT proxy for clients that insist on the names of the public cloud: it leads these names to the lab.

It leads nowhere else. A client that is pointed at it cannot reach anything outside by mistake, whatever name it asks for.
"""
from __future__ import annotations

import asyncio
import contextlib
import logging
import socket

log = logging.getLogger("azlab.proxy")

# What the lab answers for. Its certificate (pki.SERVER_NAMES) carries these names too.
NAMES = ("management.azure.com", "login.microsoftonline.com")
OWN = ("localhost", "127.0.0.1")        # clients that overlook NO_PROXY ask for these, with the lab's own port
HEAD_LIMIT = 16 * 1024                  # bytes of a request's head
HEAD_SECONDS = 30.0                     # how long a client may take for it
_REASONS = {400: "Bad Request", 403: "Forbidden", 405: "Method Not Allowed", 431: "Request Header Fields Too Large",
            502: "Bad Gateway"}


class Refused(Exception):
    """A request that is answered with an error; `status` is HTTP's."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class Proxy:
    """Tunnels from clients to the API's port of this lab."""

    def __init__(self, api_port: int) -> None:
        self.api_port = api_port
        self._server: asyncio.Server | None = None
        self._clients: set[asyncio.Task[None]] = set()

    async def start(self, sock: socket.socket) -> None:
        self._server = await asyncio.start_server(self._client, sock=sock, limit=HEAD_LIMIT)

    async def close(self) -> None:
        """Stop listening and cut all tunnels."""
        if self._server:
            self._server.close()
        for task in list(self._clients):
            task.cancel()
        await asyncio.gather(*self._clients, return_exceptions=True)

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._clients.add(task)
        try:
            await self._serve(reader, writer)
        except (TimeoutError, OSError, asyncio.IncompleteReadError):
            pass                        # the client went away, or never said what it wants
        finally:
            self._clients.discard(task)
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            self._check(await self._head(reader))
            there = await self._connect()
        except Refused as problem:
            log.warning("refused: %s", problem)
            writer.write(_answer(problem))
            await writer.drain()
            return
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        try:
            await asyncio.gather(_copy(reader, there[1]), _copy(there[0], writer))
        finally:
            there[1].close()

    @staticmethod
    async def _head(reader: asyncio.StreamReader) -> str:
        """The first line of a request, once all of its head has come."""
        try:
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), HEAD_SECONDS)
        except asyncio.LimitOverrunError:
            raise Refused(431, f"the head of a request is larger than {HEAD_LIMIT} bytes") from None
        return head.split(b"\r\n", 1)[0].decode("latin-1")

    def _check(self, line: str) -> None:
        """Whether this request leads to the lab; raises Refused."""
        words = line.split(" ")
        if len(words) != 3 or not words[2].startswith("HTTP/1."):
            raise Refused(400, "this is no request that a proxy understands")
        method, target, _ = words
        if method != "CONNECT":
            raise Refused(405, f"azlab's proxy tunnels HTTPS (CONNECT) and nothing else: {method} {target} was not sent on")
        host, _, port = target.rpartition(":")
        host = host.lower().rstrip(".")
        if not ((host in NAMES and port == "443") or (host in OWN and port == str(self.api_port))):
            raise Refused(403, f"azlab's proxy leads to the lab alone ({', '.join(NAMES)}, port 443): {target} is not served, "
                               "and nothing leaves this machine")

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        try:
            return await asyncio.open_connection("127.0.0.1", self.api_port)
        except OSError as problem:
            raise Refused(502, f"the lab's API does not take connections on port {self.api_port}: {problem.strerror}") from None


def _answer(problem: Refused) -> bytes:
    """An error with its sentence in the status line too: most clients show no more than that of a CONNECT."""
    text = f"{problem}.\n".encode("latin-1", "replace")
    shown = f"{_REASONS[problem.status]}: {problem}".encode("latin-1", "replace")
    return (b"HTTP/1.1 %d %s\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s"
            % (problem.status, shown, len(text), text))


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Carry bytes until one side ends, then tell the other one."""
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except OSError:
        writer.transport.abort()        # one side was cut: so is the other
        return
    with contextlib.suppress(OSError, RuntimeError):
        writer.write_eof()
