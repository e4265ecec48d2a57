# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host that trusts a registry and logs in to it. What module registry_client does.

How the engine finds a registry's CA: https://docs.docker.com/engine/security/certificates/

This util is private to the collection: no release promises that it stays as it is.
"""

from __future__ import annotations

import http.client
import os
import pkgutil
import pwd
import re
import ssl
import sys
import typing as t
from dataclasses import dataclass

from ansible_collections.dockhost.azure.plugins.module_utils._docker_host.apply import write
from ansible_collections.dockhost.azure.plugins.module_utils._docker_host.command import check as must, run
from ansible_collections.dockhost.azure.plugins.module_utils._docker_host.packages import HostError
from ansible_collections.dockhost.azure.plugins.module_utils._registry import acr_login
from ansible_collections.dockhost.azure.plugins.module_utils._registry.answer import ask, ask_for_token, last_words
from ansible_collections.dockhost.azure.plugins.module_utils._registry.server import Outcome

PROGRAM = "/usr/local/lib/dockhost/acr_login.py"
CERTIFICATES = "/etc/docker/certs.d"
UNITS = "/etc/systemd/system"
Config = t.Dict[str, t.Any]


@dataclass(frozen=True)
class Request:
    """The options of module registry_client, see there."""

    address: str
    state: str = "present"
    ca: str = ""
    username: str = ""
    password: str = ""
    azure_identity: str = ""
    users: t.Sequence[str] = ("root",)
    verify: bool = True

    @property
    def ca_file(self) -> str:
        """Where the engine looks for this registry's CA."""
        return f"{CERTIFICATES}/{self.address}/ca.crt"

    @property
    def unit(self) -> str:
        """The unit that renews a login to Azure Container Registry, without suffix."""
        return "dockhost-acr-login-" + re.sub(r"[^a-z0-9-]", "-", self.address)


def check(request: Request) -> None:
    """Refuse what cannot work, before anything is touched."""
    if not re.match(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:\d{1,5})?\Z", request.address):
        raise HostError(f"address: {request.address!r} is no HOST or HOST:PORT in lower case; give it as image names begin, without https://.")
    if request.username and request.azure_identity:
        raise HostError("azure_identity: the host logs in either with it or with username and password; give one of them.")
    if bool(request.username) != bool(request.password):
        raise HostError("username: username and password belong together; give both or none.")
    if request.ca and "-----BEGIN CERTIFICATE-----" not in request.ca:
        raise HostError("ca: this is no PEM text, which begins with -----BEGIN CERTIFICATE-----; give the file's content and not its path.")
    if request.azure_identity and ":" in request.address:
        raise HostError(f"address: {request.address} has a port, and Azure Container Registry has none; give NAME.azurecr.io.")


def converge(request: Request, check_mode: bool, outcome: Outcome) -> None:
    """Make the host what the request says. Raises HostError."""
    check(request)
    present = request.state == "present"
    if present and request.username and request.verify and not check_mode:
        _verify(request)
    _trust(request, check_mode, outcome)
    if present and request.azure_identity:
        _renewal(request, check_mode, outcome)
        return
    for path in (f"{UNITS}/{request.unit}.{kind}" for kind in ("timer", "service")):
        _file(path, None, check_mode, outcome)
    if not present or request.username:
        for user in request.users:
            _login(request, user, check_mode, outcome)


def _file(path: str, text: str | None, check_mode: bool, outcome: Outcome, mode: int = 0o644) -> bool:
    """One file; whether it has to be, or was, changed."""
    try:
        with open(path, encoding="utf-8") as file:
            old = file.read()
    except FileNotFoundError:
        old = None
    if old == text:
        return False
    outcome.step("write" if text is not None else "delete", "file", path)
    outcome.show(path, old or "", text or "")
    if not check_mode:
        if text is None and path.endswith(".timer"):
            run("systemctl", "disable", "--now", os.path.basename(path))
        write(path, text, mode)
    return True


def _trust(request: Request, check_mode: bool, outcome: Outcome) -> None:
    """The engine reads a CA when it pulls, so it need not even be there yet."""
    wanted = request.ca.strip() + "\n" if request.ca and request.state == "present" else None
    if wanted or request.state == "absent":
        _file(request.ca_file, wanted, check_mode, outcome)
    folder = os.path.dirname(request.ca_file)
    if request.state == "absent" and not check_mode and os.path.isdir(folder) and not os.listdir(folder):
        os.rmdir(folder)


def _verify(request: Request) -> None:
    """Whether the registry takes this login, before anybody has to find out in a service that does not start."""
    context = ssl.create_default_context()
    try:
        if request.ca:
            context.load_verify_locations(cadata=request.ca)
        elif os.path.exists(request.ca_file):
            context.load_verify_locations(cafile=request.ca_file)
    except ssl.SSLError as error:
        raise HostError(f"ca: this is no certificate ({error.reason or error}); give the CA that signed the registry's.") from None
    try:
        answer = ask(request.address, context, request.username, request.password)
    except ssl.SSLCertVerificationError as error:
        raise HostError(
            f"ca: the registry {request.address} shows a certificate that this host does not trust ({error.verify_message}); "
            "give the CA that signed it, and the address that stands in it."
        ) from None
    except (OSError, http.client.HTTPException) as error:
        raise HostError(f"address: the registry {request.address} does not answer ({error}); see that it runs and that this host reaches it.") from None
    if answer.status == 401 and answer.challenge.lower().startswith("bearer"):
        _verify_token(request, context, answer.challenge)
    elif answer.status == 401:
        raise HostError(f"password: the registry {request.address} refuses the login of {request.username}; give the password that it knows.")
    if answer.status not in (200, 401):
        raise HostError(f"address: what answers at {request.address} is no registry (HTTP {answer.status} for /v2/).")


def _verify_token(request: Request, context: ssl.SSLContext, challenge: str) -> None:
    """Whether the registry's token server takes the login, which the registry itself never sees."""
    try:
        realm, status = ask_for_token(challenge, context, request.username, request.password)
    except (OSError, http.client.HTTPException) as error:
        raise HostError(f"address: the token server of the registry {request.address} does not answer or is not trusted ({error}): {challenge}.") from None
    if status in (401, 403):
        raise HostError(f"password: the token server {realm} of the registry {request.address} refuses the login of {request.username}; give the right one.")
    if status != 200:
        raise HostError(f"address: the token server {realm} of the registry {request.address} gives no token (HTTP {status}); see what it writes.")


def _account(user: str) -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(user)
    except KeyError:
        raise HostError(f"users: there is no user {user} on this host; make the account first, or leave it out.") from None


def _config(path: str) -> Config:
    try:
        return acr_login.read_config(path)
    except acr_login.LoginError as error:
        raise HostError(f"users: {error}.") from None


def _login(request: Request, user: str, check_mode: bool, outcome: Outcome) -> None:
    """The login of one user of the host, in the configuration of the Docker CLI."""
    account = _account(user)
    path = os.path.join(account.pw_dir, ".docker", "config.json")
    try:
        config = acr_login.read_config(path)
        if request.state == "present":
            wanted = acr_login.with_login(config, request.address, request.username, request.password)
        else:
            wanted = {**config, "auths": {k: v for k, v in (config.get("auths") or {}).items() if k != request.address}}
    except acr_login.LoginError as error:
        raise HostError(f"users: no login for {user}: {error}.") from None
    had, has = request.address in (config.get("auths") or {}), request.state == "present"
    open_to_others = os.path.exists(path) and os.stat(path).st_mode & 0o077 != 0
    if (wanted == config or not (had or has)) and not (has and open_to_others):
        return
    outcome.step("write", "file", path, f"login to {request.address}")
    words = [f"login to {request.address} as {request.username}\n" if has else "", f"login to {request.address}\n" if had else ""]
    outcome.show(path, words[1], words[0])
    if not check_mode:
        acr_login.write_config(path, wanted, account.pw_uid, account.pw_gid)


def _renewal(request: Request, check_mode: bool, outcome: Outcome) -> None:
    """The program and the timer that log in with the host's managed identity, and the first login."""
    paths = [os.path.join(_account(user).pw_dir, ".docker", "config.json") for user in request.users]
    program = (pkgutil.get_data(acr_login.__name__.rpartition(".")[0], "acr_login.py") or b"").decode()
    changed = _file(PROGRAM, program, check_mode, outcome)
    changed |= _file(f"{UNITS}/{request.unit}.service", service(request, paths), check_mode, outcome)
    changed |= _file(f"{UNITS}/{request.unit}.timer", timer(request), check_mode, outcome)
    missing = [path for path in paths if request.address not in (_config(path).get("auths") or {})]
    off = run("systemctl", "is-active", f"{request.unit}.timer").output.strip() != "active"
    if not (changed or missing or off):
        return
    outcome.step("start", "service", f"{request.unit}.service", f"log in to {request.address}")
    if check_mode:
        return
    must("systemctl", "daemon-reload")
    if run("systemctl", "start", f"{request.unit}.service", timeout=180).code:
        raise HostError(f"azure_identity: {last_words(request.unit + '.service')}")
    must("systemctl", "enable", "--now", f"{request.unit}.timer")


def service(request: Request, paths: t.Sequence[str]) -> str:
    """One login. ``paths``: the config.json of each user."""
    command = " ".join((sys.executable or "/usr/bin/python3", PROGRAM, request.address, request.azure_identity, *paths))
    head = f"[Unit]\nDescription=Log in to {request.address}\nAfter=network-online.target\nWants=network-online.target\n"
    return f"{head}\n[Service]\nType=oneshot\nExecStart={command}\n"


def timer(request: Request) -> str:
    """Every hour: a login lasts three, so one that fails twice in a row is still in time."""
    when = "OnActiveSec=1h\nOnUnitActiveSec=1h\nOnBootSec=30s\nRandomizedDelaySec=2min\n"
    return f"[Unit]\nDescription=Renew the login to {request.address}\n\n[Timer]\n{when}\n[Install]\nWantedBy=timers.target\n"
