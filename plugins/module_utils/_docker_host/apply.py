# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Carry a plan out: packages, daemon.json, service, users, in an order in which an interruption does no harm.

This util is private to the collection: no release promises that it stays as it is.
"""

from __future__ import annotations

import os
import tempfile
import typing as t

from ansible_collections.dockhost.azure.plugins.module_utils._docker_host import daemon, extras, probe, sysext
from ansible_collections.dockhost.azure.plugins.module_utils._docker_host.command import check, last_lines, run
from ansible_collections.dockhost.azure.plugins.module_utils._docker_host.managers import SOURCE_FOLDERS, PackageManager
from ansible_collections.dockhost.azure.plugins.module_utils._docker_host.packages import HostError
from ansible_collections.dockhost.azure.plugins.module_utils._docker_host.plan import Observed, Plan
from ansible_collections.dockhost.azure.plugins.module_utils._engine.client import Engine
from ansible_collections.dockhost.azure.plugins.module_utils._engine.errors import EngineUnreachable

_UNITS = ("docker.service", "docker.socket")


def apply(todo: Plan, observed: Observed, manager: PackageManager, lock_timeout: float) -> None:
    """Do what the plan says."""
    sources = {path: text for path, text in todo.files.items() if path.startswith(SOURCE_FOLDERS)}
    _write_all(sources)
    first = bool(todo.install) and not observed.active and probe.dockerd() is None
    try:
        if first:
            _keep_stopped()
        _packages(todo, bool(sources), manager, lock_timeout)
        if todo.extensions:
            sysext.install(todo.extensions, write)
        if todo.daemon_json is not None:
            validate(todo.daemon_json, todo.files)
        _configure(todo, observed, {path: text for path, text in todo.files.items() if path not in sources})
    except HostError:
        # The packages enabled their service; without its daemon.json it must not start at the next boot either.
        if first:
            run("systemctl", "disable", *_UNITS)
        raise
    finally:
        if first:
            check("systemctl", "unmask", "--runtime", *_UNITS)
    _kernel(todo.kernel)
    _timer(todo.timer)
    _service(todo)
    if todo.service in ("start", daemon.RESTART):
        _start(todo.service, todo, observed)
    elif todo.install and observed.active and probe.outdated_daemon():
        _start(daemon.RESTART, todo, observed)
    write(probe.PENDING, None)
    for user in todo.users:
        check("usermod", "-a", "-G", "docker", user)


def _configure(todo: Plan, observed: Observed, files: t.Mapping[str, str | None]) -> None:
    """Put daemon.json and drop-in in place."""
    if observed.active and todo.service in (daemon.RELOAD, daemon.RESTART):
        # Before what makes it necessary: a run that is interrupted in between still leaves the next one its duty.
        write(probe.PENDING, todo.service)
    if todo.timer == "disable":
        check("systemctl", "disable", "--now", extras.PRUNE_TIMER)
    _write_all(files)
    if todo.daemon_json is not None:
        write(probe.DAEMON_JSON, todo.daemon_json)
    if files:
        check("systemctl", "daemon-reload")


def _write_all(files: t.Mapping[str, str | None]) -> None:
    for path, text in files.items():
        write(path, text, 0o600 if path in extras.SECRET else 0o644)


def _kernel(parameters: t.Mapping[str, str]) -> None:
    for name, value in parameters.items():
        try:
            with open(extras.proc_path(name), "w", encoding="ascii") as file:
                file.write(value)
        except OSError as error:
            raise HostError(f"kernel_parameters.{name}: the kernel refuses {value!r} ({error.strerror}).") from None


def _timer(what: str) -> None:
    if what == "enable":
        check("systemctl", "enable", extras.PRUNE_TIMER)
        check("systemctl", "restart", extras.PRUNE_TIMER)  # it takes a changed schedule over


def _keep_stopped() -> None:
    """Let the packages' scripts not start the daemon: it must not run once without its daemon.json.

    Debian's packages start their service while they are installed, and storage driver, address pools and log driver
    that the first start chose stay with what it made. A mask in /run is honoured by deb-systemd-invoke, concerns
    these units alone (a policy-rc.d would stop the services of every package) and does not outlive a reboot.
    """
    check("systemctl", "mask", "--runtime", *_UNITS)


def _packages(todo: Plan, new_source: bool, manager: PackageManager, timeout: float) -> None:
    manager.mark("unhold", todo.unhold, timeout)
    if new_source:
        manager.update(timeout)
    if todo.install:
        manager.install(todo.install, todo.remove, timeout)
    else:
        manager.remove(todo.remove, timeout)
    manager.mark("hold", todo.hold, timeout)


def write(path: str, text: str | None, mode: int = 0o644) -> None:
    """Write a file in one step, so that nobody ever reads half of it; None removes it."""
    if text is None:
        if os.path.exists(path):
            os.unlink(path)
        return
    os.makedirs(os.path.dirname(path), mode=0o755, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=os.path.dirname(path), prefix=".dockhost-")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, mode)
        os.replace(temporary, path)
    except OSError:
        os.unlink(temporary)
        raise


def validate(text: str, files: t.Mapping[str, str | None], check_mode: bool = False) -> None:
    """Let the daemon itself check the text of a daemon.json; HostError with its own words where it refuses.

    It reads certificates too, so those of ``files``, which are not in their place yet, are lent to it. Certificates that are nowhere, as in
    check mode before they were made, are left out of what it is asked. Engines before 23.0 cannot do that; there the start tells, and a
    failed start puts the old files back.
    """
    program = probe.dockerd()
    if program is None:
        return
    with tempfile.TemporaryDirectory(prefix="dockhost-") as directory:
        path = os.path.join(directory, "daemon.json")
        write(path, daemon.text(_lent(daemon.parse(text) or {}, files, directory, check_mode)))
        result = run(program, "--validate", "--config-file", path)
    if result.code and "unknown flag" not in result.errors:
        words = last_lines(result, 2).replace(path, probe.DAEMON_JSON).replace(directory, extras.TLS_FOLDER)
        raise HostError(f"daemon_options: the engine refuses this configuration, so it was not put in place: {words}")


def _lent(options: daemon.Options, files: t.Mapping[str, str | None], directory: str, check_mode: bool) -> dict[str, t.Any]:
    result = dict(options)
    for name in daemon.TLS_OPTIONS:
        place = str(options.get(name) or "")
        text = files.get(place)
        if text:
            result[name] = os.path.join(directory, os.path.basename(place))
            write(result[name], text, 0o600)
        elif check_mode and place and not os.path.exists(place):
            return {key: value for key, value in options.items() if not key.startswith("tls")}
    return result


def _service(todo: Plan) -> None:
    """Enable, stop, reload: what cannot fail for a reason in daemon.json."""
    if todo.enable:
        check("systemctl", "enable", "docker.service")
    if todo.service == "stop":
        check("systemctl", "stop", *(unit for unit in reversed(_UNITS) if probe.known_unit(unit)))
    elif todo.service == daemon.RELOAD:
        check("systemctl", "reload", "docker.service")


def _start(verb: str, todo: Plan, observed: Observed) -> None:
    """Start or restart the daemon; where the new daemon.json keeps it from starting, put the old one back."""
    # systemd refuses a fourth start within a minute, and our own starts are deliberate.
    run("systemctl", "reset-failed", "docker.service")
    # The socket unit goes along: a daemon that had a socket of its own removed the one that systemd listens on.
    units = [unit for unit in _UNITS if probe.known_unit(unit)]  # not every distribution has a socket unit
    result = run("systemctl", verb, *units, timeout=180)
    if result.code == 0:
        return
    cause = _journal() or last_lines(result)
    undone = ""
    others = {path: observed.files[path] for path in todo.files if path in extras.READ_AT_START and observed.active}
    if others or todo.daemon_json is not None and observed.daemon_json is not None:
        if todo.daemon_json is not None and observed.daemon_json is not None:
            write(probe.DAEMON_JSON, observed.daemon_json)
        _write_all(others)
        run("systemctl", "daemon-reload")
        run("systemctl", "reset-failed", "docker.service")
        back = run("systemctl", "restart", *units, timeout=180).code == 0
        undone = " The old configuration is back and the engine runs again." if back else " The old configuration is back."
    write(probe.PENDING, None)
    raise HostError(f"The Docker Engine did not {verb}: {cause}.{undone}")


def _journal() -> str:
    """The daemon's own last error."""
    said = run("journalctl", "-u", "docker.service", "-n", "30", "-o", "cat", "--no-pager").output.splitlines()
    errors = [line for line in said if "level=fatal" in line or line.startswith(("failed to", "unable to"))]
    return (errors or [""])[-1].strip().rstrip(".")


def _stop_containers() -> None:
    engine = Engine(timeout=120)
    try:
        for container in engine.get("/containers/json") or ():
            engine.post(f"/containers/{container['Id']}/stop", t=10)
    except EngineUnreachable:  # it does not run, so it keeps no container running either
        return


def absent(names: t.Sequence[str], files: t.Sequence[str], manager: PackageManager, lock_timeout: float) -> None:
    """Take the engine away; images, containers and volumes under its data root stay.

    Containers are stopped first: with live-restore they would run on with nobody to look after them.
    """
    _stop_containers()
    if probe.timer():
        run("systemctl", "disable", "--now", extras.PRUNE_TIMER)
    run("systemctl", "disable", "--now", "docker.socket", "docker.service")
    manager.remove(names, lock_timeout)
    for path in (*files, probe.DAEMON_JSON, probe.PENDING):
        write(path, None)
    run("systemctl", "daemon-reload")
