# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Commands in running containers over the Engine's socket, with what they read and write as files.

API: https://docs.docker.com/reference/api/engine/version/v1.44/#tag/Exec; the stream's frames are described under "Attach to a container".

This util is private to the collection: no release promises that it stays as it is.
"""

from __future__ import annotations

import http.client
import json
import socket
import struct
import threading
import typing as t

from ansible_collections.dockhost.azure.plugins.module_utils._engine.client import Engine, _UnixConnection
from ansible_collections.dockhost.azure.plugins.module_utils._engine.errors import EngineError

# How much of what a command says on standard error is kept, in bytes.
KEPT = 4000
_CHUNK = 1 << 16


class Ended(t.NamedTuple):
    """How a command ended: its exit status, and the end of what it said on standard error."""

    code: int
    errors: str


def execute(
    engine: Engine,
    container: str,
    command: t.Sequence[str],
    stdin: t.BinaryIO | None = None,
    stdout: t.BinaryIO | None = None,
    user: str = "",
    timeout: float = 3600,
) -> Ended:
    """Run ``command`` in a running container and wait for its end.

    ``stdin`` is read to its end, ``stdout`` takes what the command prints (dropped when None). ``timeout``: seconds without a byte from the
    command. EngineError where the engine refuses or the command stays silent for too long.
    """
    body = {"Cmd": list(command), "AttachStdin": stdin is not None, "AttachStdout": True, "AttachStderr": True, "User": user}
    made = engine.post(f"/containers/{container}/exec", body)["Id"]
    path = f"/v{engine.api_version}/exec/{made}/start"
    connection = _UnixConnection(engine.socket_path, timeout)
    try:
        # The engine hands the connection over: what follows its answer is the command's own input and output.
        headers = {"Content-Type": "application/json", "Connection": "Upgrade", "Upgrade": "tcp"}
        connection.request("POST", path, json.dumps({"Detach": False, "Tty": False}).encode(), headers)
        response = connection.getresponse()
        if response.status not in (101, 200):
            raise EngineError(response.status, response.read().decode(errors="replace").strip(), f"POST {path}")
        feeder = threading.Thread(target=_feed, args=(connection.sock, stdin), daemon=True)
        if stdin is not None:
            feeder.start()
        errors = _drain(response.fp, stdout)
    except (OSError, http.client.HTTPException) as error:
        raise EngineError(0, f"'{command[0]}' in container {container[:12]} broke off: {error or type(error).__name__}") from error
    finally:
        connection.close()
    return Ended(int(engine.get(f"/exec/{made}/json")["ExitCode"] or 0), errors.decode(errors="replace").strip())


def _feed(sock: socket.socket, source: t.BinaryIO) -> None:
    """Send all of ``source``, then say that nothing more comes. A command that ends early does not read it all."""
    try:
        while True:
            chunk = source.read(_CHUNK)
            if not chunk:
                break
            sock.sendall(chunk)
        sock.shutdown(socket.SHUT_WR)
    except OSError:
        return


def _drain(source: t.BinaryIO, stdout: t.BinaryIO | None) -> bytes:
    """Read frames to the end of the stream: standard output to ``stdout``; returns the end of standard error."""
    errors = b""
    while True:
        header = source.read(8)
        if len(header) < 8:
            return errors
        stream, length = struct.unpack(">BxxxL", header)
        while length:
            chunk = source.read(min(length, _CHUNK))
            if not chunk:
                return errors
            length -= len(chunk)
            if stream == 2:
                errors = (errors + chunk)[-KEPT:]
            elif stdout is not None:
                stdout.write(chunk)
