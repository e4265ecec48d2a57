# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ask a registry for /v2/: does it serve, does it take a login, do we trust it.

The API: https://distribution.github.io/distribution/spec/api/#api-version-check
Tokens: https://distribution.github.io/distribution/spec/auth/token/

This util is private to the collection: no release promises that it stays as it is.
"""

from __future__ import annotations

import base64
import http.client
import re
import ssl
import time
import typing as t
import urllib.parse

from ansible_collections.dockhost.azure.plugins.module_utils._docker_host.command import run
from ansible_collections.dockhost.azure.plugins.module_utils._docker_host.packages import HostError

if t.TYPE_CHECKING:
    from ansible_collections.dockhost.azure.plugins.module_utils._registry.config import Request


class Answer(t.NamedTuple):
    """HTTP status of /v2/, and what the registry asks for as a login (WWW-Authenticate)."""

    status: int
    challenge: str


def ask(address: str, context: ssl.SSLContext, username: str = "", password: str = "", timeout: float = 10) -> Answer:
    """GET /v2/ of ``host:port``. Raises OSError (ssl.SSLError among them) and http.client.HTTPException."""
    return _get(address, "/v2/", context, username, password, timeout)


def ask_for_token(challenge: str, context: ssl.SSLContext, username: str, password: str) -> tuple[str, int]:
    """Ask the token server that a registry names in its challenge: who that is (``host:port``), and the HTTP status of its answer.

    Raises as :func:`ask`, and HostError where the challenge names no address that a password may be sent to.
    """
    told = dict(re.findall(r'(\w+)="([^"]*)"', challenge))
    realm = urllib.parse.urlsplit(told.get("realm", ""))
    if realm.scheme != "https" or not realm.hostname:
        raise HostError(f"address: the registry wants a token of {told.get('realm') or 'nobody'}, which is no https address to send a password to.")
    query = urllib.parse.urlencode({"account": username, "service": told.get("service", "")})
    path = f"{realm.path or '/'}?{realm.query + '&' if realm.query else ''}{query}"
    return realm.netloc, _get(realm.netloc, path, context, username, password, 10).status


def _get(address: str, path: str, context: ssl.SSLContext, username: str, password: str, timeout: float) -> Answer:
    headers = {}
    if username:
        headers["Authorization"] = "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()
    connection = http.client.HTTPSConnection(address, timeout=timeout, context=context)
    try:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        answer.read()
        return Answer(answer.status, answer.getheader("WWW-Authenticate") or "")
    finally:
        connection.close()


def untrusting() -> ssl.SSLContext:
    """For a question to this very host, where what matters is that somebody answers."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def wait_for_registry(request: Request) -> None:
    """Wait until the registry of this host serves; HostError with its own last words where it does not."""
    unit = f"{request.unit}.service"
    host = request.listen_address if request.listen_address not in ("", "0.0.0.0", "::") else "127.0.0.1"
    deadline = time.monotonic() + request.timeout
    wanted = (200,) if request.auth == "none" else (401,)
    while True:
        try:
            status = ask(f"{host}:{request.port}", untrusting(), timeout=5).status
            if status in wanted:
                return
            said = f"it answers with HTTP {status} where {wanted[0]} is expected"
        except (OSError, http.client.HTTPException) as error:
            said = f"nothing answers on port {request.port} ({error})"
        restarts = run("systemctl", "show", "--property=NRestarts", "--value", unit).output.strip()
        if restarts.isdigit() and int(restarts) >= 3:
            said = "it ends again and again"
            break
        if time.monotonic() > deadline:
            said += f" after {request.timeout} s"
            break
        time.sleep(0.2)
    raise HostError(f"The registry {request.name} does not serve: {said}. Its last words: {last_words(unit)}")


def last_words(unit: str) -> str:
    """The last lines that a unit's program wrote, without systemd's own."""
    lines = run("journalctl", "--unit", unit, "--lines", "12", "--output", "cat", "--no-pager").output.splitlines()
    own = [line for line in lines if not line.startswith((unit, "Started ", "Stopped ", "Stopping ", "Starting ", "Scheduled "))]
    return " | ".join(line.strip() for line in own[-4:] if line.strip()) or "none"
