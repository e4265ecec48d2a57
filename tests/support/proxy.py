# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small CONNECT proxy in a process of its own, that can refuse or break down.

    proxy.py MODE [name=host:port …]

MODE is C(work), C(refuse), or C(break:N): after N tunnels it ends in the middle of what it carries. It prints its port,
then one line for each tunnel. C(name=host:port) leads a name elsewhere.
"""

from __future__ import annotations

import asyncio
import os
import sys


class Proxy:
    """Tunnels of one proxy."""

    def __init__(self, mode: str, names: dict):
        self.refuses = mode == "refuse"
        self.breaks = int(mode.split(":")[1]) if mode.startswith("break:") else 0
        self.names, self.tunnels = names, 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One client."""
        request = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split()
        if self.refuses or request[0] != "CONNECT":
            writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
            await writer.drain()
            writer.close()
            return
        self.tunnels += 1
        print("CONNECT", request[1], flush=True)
        if self.breaks and self.tunnels > self.breaks:
            os._exit(0)
        host, dummy, port = self.names.get(request[1].split(":")[0], request[1]).rpartition(":")
        there = await asyncio.open_connection(host, int(port))
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await asyncio.gather(_copy(reader, there[1]), _copy(there[0], writer))


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while True:
            data = await reader.read(65536)
            if not data:
                break
            writer.write(data)
            await writer.drain()
    except OSError:
        pass  # one side hung up: so does the other
    finally:
        writer.close()


async def main() -> None:
    """Serve until killed."""
    proxy = Proxy(sys.argv[1], dict(item.split("=", 1) for item in sys.argv[2:]))
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
