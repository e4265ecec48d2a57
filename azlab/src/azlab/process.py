# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The server of a lab as a process: is it there, start it and wait for it, ask it, stop it."""
from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections import deque
from pathlib import Path
from typing import Any

from azlab.settings import Settings, SettingsError, load

UP_TIMEOUT = {"none": 30, "docker": 1800}


def server_pid(settings: Settings) -> int:
    """The process of this lab's server, ready or still starting; 0 when there is none."""
    try:
        pid = settings.pid or int((settings.home / "lock").read_text() or 0)
        command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except (OSError, ValueError):
        return 0
    return pid if b"azlab.server" in command and settings.name.encode() in command else 0


def is_running(settings: Settings) -> bool:
    """Does this lab's server serve?"""
    return bool(settings.pid) and server_pid(settings) == settings.pid


def admin(settings: Settings, path: str, *, method: str = "GET", data: Any = None, seconds: float = 10) -> Any:
    """One request to the admin API of a running lab."""
    body = None if data is None else json.dumps(data).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{settings.admin_port}{path}", body, {"Content-Type": "application/json"},
                                     method=method)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=seconds) as answer:
        return json.load(answer)


def require(name: str) -> Settings:
    settings = load(name)
    if settings is None:
        raise SettingsError(f"there is no lab '{name}': make it with 'azlab up --name {name}'.")
    return settings


def start(settings: Settings, *, quiet: bool) -> Settings | None:
    """Start the server in the background and wait until it serves: its settings, or None after its log was shown."""
    log_path = settings.home / "azlab.log"
    with log_path.open("ab") as log:
        offset = log.tell()
        process = subprocess.Popen([sys.executable, "-m", "azlab.server", settings.name], stdin=subprocess.DEVNULL,
                                   stdout=log, stderr=log, start_new_session=True, cwd="/")
    try:
        return _wait_ready(settings, process, log_path, offset, quiet=quiet)
    except KeyboardInterrupt:
        process.terminate()
        raise


def _wait_ready(settings: Settings, process: subprocess.Popen[bytes], log_path: Path, offset: int, *,
                quiet: bool) -> Settings | None:
    """Follow the server's log until it serves or ends."""
    deadline = time.monotonic() + UP_TIMEOUT[settings.machines]
    shown, name = offset, settings.name
    while time.monotonic() < deadline:
        shown = _show_progress(log_path, shown, quiet=quiet)
        fresh = load(name)
        if fresh and fresh.pid == process.pid:
            _show_progress(log_path, shown, quiet=quiet)
            return fresh
        if process.poll() is not None:
            break
        time.sleep(0.05)
    else:
        process.terminate()
        print(f"azlab '{name}' did not get ready in time; its log: {log_path}", file=sys.stderr)
        return None
    print(f"azlab '{name}' did not start; the end of its log ({log_path}):", file=sys.stderr)
    print(tail(log_path, 8, offset), file=sys.stderr)
    return None


def _show_progress(path: Path, offset: int, *, quiet: bool) -> int:
    """Print what the server logged since `offset`; returns how far it was read."""
    with path.open("rb") as log:
        log.seek(offset)
        data = log.read()
    if b"\n" not in data:
        return offset
    data = data[:data.rindex(b"\n") + 1]
    if not quiet:
        for line in data.decode(errors="replace").splitlines():
            if " azlab.server: " in line and " INFO " in line:
                print("  " + line.split(" azlab.server: ", 1)[1], flush=True)
    return offset + len(data)


def tail(path: Path, count: int, offset: int = 0) -> str:
    """The last lines of a log, of what was written since `offset`."""
    with path.open("rb") as log:
        log.seek(offset)
        return b"".join(deque(log, maxlen=count)).decode(errors="replace").rstrip("\n")


def stop_server(settings: Settings, seconds: float = 20) -> None:
    """Ask the server to stop and wait for it; kill it when it does not listen."""
    pid = server_pid(settings)
    if not pid:
        return
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and server_pid(settings) == pid:
        time.sleep(0.05)
    if server_pid(settings) == pid:
        os.kill(pid, signal.SIGKILL)
