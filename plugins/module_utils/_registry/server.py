# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A registry on this host: observe, plan, apply. What module registry does.

This util is private to the collection: no release promises that it stays as it is.
"""

from __future__ import annotations

import grp
import os
import pwd
import typing as t
from dataclasses import dataclass, field

from ansible_collections.dockhost.azure.plugins.module_utils._docker_host import apt, probe
from ansible_collections.dockhost.azure.plugins.module_utils._docker_host.apply import write
from ansible_collections.dockhost.azure.plugins.module_utils._docker_host.command import check as must, last_lines, run
from ansible_collections.dockhost.azure.plugins.module_utils._docker_host.packages import HostError
from ansible_collections.dockhost.azure.plugins.module_utils._engine.client import Engine
from ansible_collections.dockhost.azure.plugins.module_utils._registry import config, passwords, units
from ansible_collections.dockhost.azure.plugins.module_utils._registry.answer import wait_for_registry
from ansible_collections.dockhost.azure.plugins.module_utils._registry.config import Request

PACKAGE = "docker-registry"
# Of these the registry takes notice only when it starts. It reads htpasswd again by itself.
_AT_START = (config.CONFIG, config.TLS_CERTIFICATE, config.TLS_KEY, config.TOKEN_CERTIFICATES)


@dataclass
class Outcome:
    """What came of it; filled as it goes, so that a failure can still tell what was planned."""

    plan: list[dict[str, str]] = field(default_factory=list)
    diff: list[dict[str, str]] = field(default_factory=list)

    @property
    def changed(self) -> bool:
        """True where there is anything to do."""
        return bool(self.plan)

    def step(self, action: str, kind: str, name: str, detail: str = "") -> None:
        """One more thing to do."""
        self.plan.append({"action": action, "type": kind, "name": name, "detail": detail})

    def show(self, what: str, before: str, after: str) -> None:
        """One more piece of the diff."""
        self.diff.append({"before_header": what, "after_header": what, "before": before, "after": after})


@dataclass(frozen=True)
class Todo:
    """What the host lacks. ``old``: the texts of the files before, to go back to."""

    files: t.Mapping[str, str | None]
    old: t.Mapping[str, str | None]
    install: bool = False
    pull: bool = False
    mode: bool = False
    enable: tuple[str, ...] = ()
    restart: bool = False


def converge(request: Request, check_mode: bool, outcome: Outcome) -> None:
    """Make the host what the request says; in check mode only say what would be done. Raises HostError, EngineError."""
    if request.state == "absent":
        _absent(request, check_mode, outcome)
        return
    config.check(request, check_mode)
    for name, password in request.users.items():
        passwords.check_user(name, password)
    if request.source == "distribution" and probe.distribution().tool != "apt":
        raise HostError(f"source: {probe.distribution().name} has no registry among its packages; say source: image.")
    todo = _plan(request, outcome)
    if outcome.changed and not check_mode:
        _apply(request, todo)


def _plan(request: Request, outcome: Outcome) -> Todo:
    wanted, logins = _wanted(request)
    gone = {f"{units.UNITS}/{request.unit}-garbage.{kind}": None for kind in ("timer", "service") if not request.collects}
    every: dict[str, str | None] = {**wanted, **gone}
    old = {path: _read(path) for path in every}
    files = {path: text for path, text in every.items() if old[path] != text}
    install = request.source == "distribution" and not apt.installed([PACKAGE])
    if install:
        outcome.step("install", "package", PACKAGE)
        outcome.show("packages", "", f"{PACKAGE}\n")
    pull = request.source == "image" and not _has_image(request)
    if pull:
        outcome.step("pull", "image", request.image)
        outcome.show("images", "", f"{request.image}\n")
    for path, text in files.items():
        _tell_file(outcome, request, path, old[path], text, logins)
    mode = not install and _wrong_modes(request, [path for path, text in wanted.items() if path not in files])
    if mode:
        outcome.step("change owner and mode", "folder", request.folder)
    todo = Todo(files, old, install, pull, mode, _to_enable(request), _needs_restart(request, files, pull))
    _tell_service(outcome, request, todo)
    return todo


def _wanted(request: Request) -> tuple[dict[str, str], list[str]]:
    """Path → text of all files, and what changes among the logins in words."""
    path, logins = request.path, []
    made = {
        path(config.CONFIG): config.text(config.config(request)),
        path(config.TLS_CERTIFICATE): request.tls_certificate.strip() + "\n",
        path(config.TLS_KEY): request.tls_key.strip() + "\n",
    }
    if request.collects:
        made[path(config.READ_ONLY)] = config.text(config.config(request, read_only=True))
    if request.auth == "htpasswd":
        made[path(config.HTPASSWD)], logins = passwords.htpasswd(request.users, _read(path(config.HTPASSWD)))
    elif request.auth == "token":
        made[path(config.TOKEN_CERTIFICATES)] = (request.token or {})["certificates"].strip() + "\n"
    return {**made, **units.files(request)}, logins


def _tell_file(outcome: Outcome, request: Request, path: str, old: str | None, new: str | None, logins: list[str]) -> None:
    """A file in the plan and the diff, without what is secret."""
    outcome.step("write" if new is not None else "delete", "file", path)
    if path == request.path(config.TLS_KEY):
        outcome.show(path, "(a private key)\n" if old else "", "(a private key)\n" if not old else "(another private key)\n")
    elif path == request.path(config.HTPASSWD):
        outcome.show(path, "", "".join(f"{line}\n" for line in logins))
    else:
        outcome.show(path, config.without_secrets(old or ""), config.without_secrets(new or ""))


def _tell_service(outcome: Outcome, request: Request, todo: Todo) -> None:
    for unit in todo.enable:
        outcome.step("enable", "service", unit)
        outcome.show("services", f"{unit} off\n", f"{unit} on\n")
    if todo.restart:
        outcome.step("restart", "service", f"{request.unit}.service")


def _has_image(request: Request) -> bool:
    return Engine(request.docker_socket).find(f"/images/{request.image}/json") is not None


def _to_enable(request: Request) -> tuple[str, ...]:
    names = [f"{request.unit}.service"] + ([f"{request.unit}-garbage.timer"] if request.collects else [])
    return tuple(name for name in names if run("systemctl", "is-enabled", name).output.strip() != "enabled" or not _active(name))


def _active(unit: str) -> bool:
    return run("systemctl", "is-active", unit).output.strip() == "active"


def _needs_restart(request: Request, files: t.Mapping[str, str | None], pull: bool) -> bool:
    """Whether a running registry has to be started anew; also where an earlier run was cut off before it did that."""
    unit = f"{request.unit}.service"
    if not _active(unit):
        return False
    at_start = [request.path(name) for name in _AT_START] + [f"{units.UNITS}/{unit}"]
    if pull or any(path in files for path in at_start):
        return True
    since = run("systemctl", "show", "--timestamp=unix", "--property=ActiveEnterTimestamp", "--value", unit).output.strip().lstrip("@")
    return since.isdigit() and any(int(os.stat(path).st_mtime) > int(since) for path in at_start if os.path.exists(path))


def _read(path: str) -> str | None:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        return None


def _owner(request: Request) -> tuple[int, int]:
    """Who the registry runs as on the host: user and group id."""
    if request.source == "image":
        return 0, 0
    try:
        return pwd.getpwnam(units.USER).pw_uid, grp.getgrnam(units.USER).gr_gid
    except KeyError:
        raise HostError(f"The user {units.USER} of package {PACKAGE} is not on this host; install the package again.") from None


def _wrong_modes(request: Request, paths: t.Sequence[str]) -> bool:
    """Whether somebody else may read our files, or the registry may not."""
    group = _owner(request)[1]
    for path in (request.folder, *(path for path in paths if path.startswith(request.folder))):
        try:
            found = os.stat(path)
        except FileNotFoundError:
            continue
        if found.st_uid or found.st_gid != group or found.st_mode & 0o777 != _mode(request, path):
            return True
    return False


def _mode(request: Request, path: str) -> int:
    return 0o750 if path in (request.folder, request.path(config.COLLECT)) else 0o640


def _apply(request: Request, todo: Todo) -> None:
    if todo.install:
        _install(request)
    if todo.pull:
        name, _colon, tag = request.image.rpartition(":")
        for _line in Engine(request.docker_socket).stream("POST", "/images/create", {"fromImage": name, "tag": tag}, timeout=600):
            pass
    _write(request, todo.files)
    _own(request)
    must("systemctl", "daemon-reload")
    try:
        _start(request, todo)
    except HostError as error:
        raise HostError(f"{error}{_go_back(request, todo)}") from None


def _install(request: Request) -> None:
    """The package, whose own service with its open port 5000 must not even start once."""
    must("systemctl", "mask", "--runtime", f"{PACKAGE}.service")
    try:
        apt.install({PACKAGE: ""}, (), request.lock_timeout)
        run("systemctl", "disable", f"{PACKAGE}.service")
    finally:
        must("systemctl", "unmask", "--runtime", f"{PACKAGE}.service")


def _write(request: Request, files: t.Mapping[str, str | None]) -> None:
    os.makedirs(config.ROOT, mode=0o755, exist_ok=True)
    os.makedirs(request.folder, mode=0o750, exist_ok=True)
    for path, text in files.items():
        if text is None and path.endswith(".timer"):
            run("systemctl", "disable", "--now", os.path.basename(path))
        write(path, text, _mode(request, path) if path.startswith(request.folder) else 0o644)


def _own(request: Request) -> None:
    """Files for the registry to read, and a folder of images that is its own."""
    user, group = _owner(request)
    for path in (request.folder, *(request.path(name) for name in os.listdir(request.folder))):
        os.chown(path, 0, group)
        os.chmod(path, _mode(request, path))
    if request.storage != "disk":
        return
    os.makedirs(request.data, mode=0o750, exist_ok=True)
    if os.stat(request.data).st_uid == user:
        return
    # It was run from the other source before.
    os.chown(request.data, user, group)
    for folder, folders, names in os.walk(request.data):
        for name in (*folders, *names):
            os.lchown(os.path.join(folder, name), user, group)


def _start(request: Request, todo: Todo) -> None:
    unit = f"{request.unit}.service"
    if todo.enable:
        must("systemctl", "enable", *todo.enable)
    run("systemctl", "reset-failed", unit)
    for name in todo.enable:
        if name != unit:
            must("systemctl", "start", name)
    result = run("systemctl", "restart" if todo.restart else "start", unit, timeout=180)
    if result.code:
        raise HostError(f"The registry did not start: {last_lines(result)}.")
    wait_for_registry(request)


def _go_back(request: Request, todo: Todo) -> str:
    """Put a registry that ran before back to what it was; what was done, as a sentence."""
    if todo.old.get(request.path(config.CONFIG)) is None:
        # It never ran: one that fails again and again helps nobody.
        run("systemctl", "disable", "--now", f"{request.unit}.service", f"{request.unit}-garbage.timer")
        return " It is stopped; correct the cause and run again."
    _write(request, {path: todo.old[path] for path in todo.files})
    _own(request)
    must("systemctl", "daemon-reload")
    back = run("systemctl", "restart", f"{request.unit}.service", timeout=180).code == 0
    return " Its old configuration is back" + (" and it runs again." if back else ".")


def _absent(request: Request, check_mode: bool, outcome: Outcome) -> None:
    """Service, timer and files go; images stay on their disk."""
    names = [f"{request.unit}.service", f"{request.unit}-garbage.timer", f"{request.unit}-garbage.service"]
    paths = [f"{units.UNITS}/{name}" for name in names]
    if os.path.isdir(request.folder):
        paths += [request.path(name) for name in sorted(os.listdir(request.folder))]
    there = [path for path in paths if os.path.exists(path)]
    for path in there:
        outcome.step("delete", "file", path)
        outcome.show(path, "(a file of the registry)\n", "")
    if check_mode or not there:
        return
    run("systemctl", "disable", "--now", *names[:2], timeout=120)
    for path in there:
        os.unlink(path)
    if os.path.isdir(request.folder):
        os.rmdir(request.folder)
    must("systemctl", "daemon-reload")
