# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""PURE: (what a Docker host should be, what it is) → ordered steps.

This util is private to the collection: no release promises that it stays as it is.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.dockhost.azure.plugins.module_utils._docker_host import daemon, extras


@dataclass(frozen=True)
class Package:
    """An installed package as dpkg knows it."""

    version: str
    held: bool = False


@dataclass(frozen=True)
class Wanted:
    """The Docker host that is asked for.

    ``packages``: name → exact version, or "" for any. ``companions``: packages that the engine needs and that others use
    too, so that they are neither held nor removed. ``daemon_options``: the whole file, None leaves it alone.
    ``files``: path → text of further files (source, key, drop-in …); None as text means that it must not be there.
    ``kernel``: parameter → value. ``timer``: whether the prune timer runs, None leaves it alone.
    """

    packages: t.Mapping[str, str] = field(default_factory=dict)
    companions: t.Sequence[str] = ()
    absent_packages: t.Sequence[str] = ()
    hold: bool | None = None
    daemon_options: t.Mapping[str, t.Any] | None = None
    files: t.Mapping[str, str | None] = field(default_factory=dict)
    users: t.Sequence[str] = ()
    kernel: t.Mapping[str, str] = field(default_factory=dict)
    timer: bool | None = None
    extensions: t.Sequence[t.Mapping[str, str]] = ()  # of the system, that are not there yet
    running: bool = True


@dataclass(frozen=True)
class Observed:
    """The host as it is. ``pending``: a restart or reload that an interrupted run still owes (or nothing)."""

    packages: t.Mapping[str, Package] = field(default_factory=dict)
    daemon_json: str | None = None
    files: t.Mapping[str, str | None] = field(default_factory=dict)
    group_members: frozenset[str] = frozenset()
    active: bool = False
    enabled: bool = False
    kernel: t.Mapping[str, str] = field(default_factory=dict)
    timer: bool = False
    pending: str = daemon.NOTHING


@dataclass(frozen=True)
class Plan:
    """What to do, in the order of the fields."""

    files: t.Mapping[str, str | None] = field(default_factory=dict)
    remove: tuple[str, ...] = ()
    install: t.Mapping[str, str] = field(default_factory=dict)
    hold: tuple[str, ...] = ()
    unhold: tuple[str, ...] = ()
    daemon_json: str | None = None
    users: tuple[str, ...] = ()
    kernel: t.Mapping[str, str] = field(default_factory=dict)
    timer: str = ""  # enable, disable
    extensions: tuple[t.Mapping[str, str], ...] = ()
    enable: bool = False
    service: str = daemon.NOTHING  # nothing, reload, restart, start, stop

    @property
    def changed(self) -> bool:
        """True where there is anything to do."""
        return self != Plan()


def plan(wanted: Wanted, observed: Observed) -> Plan:
    """Compare, and say what to do."""
    held = {name for name, package in observed.packages.items() if package.held}
    install = {
        name: version
        for name, version in wanted.packages.items()
        if name not in observed.packages or version not in ("", observed.packages[name].version)
    }
    install.update((name, "") for name in wanted.companions if name not in observed.packages)
    files = {path: text for path, text in wanted.files.items() if observed.files.get(path) != text}
    config, config_effect = _config(wanted, observed)
    return Plan(
        files=files,
        remove=tuple(name for name in wanted.absent_packages if name in observed.packages),
        install=install,
        hold=tuple(name for name in wanted.packages if wanted.hold and name not in held),
        unhold=tuple(name for name in wanted.packages if wanted.hold is False and name in held),
        daemon_json=config,
        users=tuple(user for user in wanted.users if user not in observed.group_members),
        kernel={name: value for name, value in wanted.kernel.items() if observed.kernel.get(name) != value},
        timer=_timer(wanted, observed, files),
        extensions=tuple(wanted.extensions),
        enable=wanted.running and not observed.enabled,
        service=_service(wanted, observed, config_effect, files),
    )


def _config(wanted: Wanted, observed: Observed) -> tuple[str | None, str]:
    """The new text of daemon.json (None where the file may stay), and what the daemon needs then."""
    if wanted.daemon_options is None:
        return None, daemon.NOTHING
    before = daemon.parse(observed.daemon_json)
    # No file and no options are the same to the daemon, and so are texts that differ in blanks only.
    if before is None and observed.daemon_json is None and not wanted.daemon_options:
        return None, daemon.NOTHING
    if before == dict(wanted.daemon_options):
        return None, daemon.NOTHING
    if observed.daemon_json is None:
        before = {}
    return daemon.text(wanted.daemon_options), daemon.effect(before, wanted.daemon_options)


def _timer(wanted: Wanted, observed: Observed, files: t.Collection[str]) -> str:
    if wanted.timer:
        return "enable" if not observed.timer or f"{extras.UNITS}/{extras.PRUNE_TIMER}" in files else ""
    return "disable" if wanted.timer is False and observed.timer else ""


def _service(wanted: Wanted, observed: Observed, config_effect: str, files: t.Mapping[str, str | None]) -> str:
    if not wanted.running:
        return "stop" if observed.active else daemon.NOTHING
    if not observed.active:
        return "start"
    if extras.READ_AT_START & set(files):
        return daemon.RESTART
    order = (daemon.NOTHING, daemon.RELOAD, daemon.RESTART)
    return max(config_effect, observed.pending, key=order.index)


def interrupts(todo: Plan, observed: Observed, engine: t.Collection[str]) -> bool:
    """True where a running engine goes down for a moment, or may: with a restart, or with new packages of its own."""
    return observed.active and (todo.service in ("stop", daemon.RESTART) or bool({*todo.install, *todo.remove} & set(engine)))


def steps(todo: Plan) -> list[dict[str, str]]:
    """The plan as people read it: one entry a step."""
    found = [_step("write" if text is not None else "delete", "file", path) for path, text in todo.files.items()]
    found += [_step("remove", "package", name) for name in todo.remove]
    found += [_step("install", "package", name, version) for name, version in todo.install.items()]
    found += [_step("install", "system extension", extension["name"], extension["url"]) for extension in todo.extensions]
    found += [_step("unhold", "package", name) for name in todo.unhold]
    found += [_step("hold", "package", name) for name in todo.hold]
    if todo.daemon_json is not None:
        found.append(_step("write", "file", "/etc/docker/daemon.json"))
    found += [_step("set", "kernel parameter", name, value) for name, value in todo.kernel.items()]
    if todo.timer:
        found.append(_step(todo.timer, "timer", extras.PRUNE_TIMER))
    found += [_step("add to group docker", "user", user) for user in todo.users]
    if todo.enable:
        found.append(_step("enable", "service", "docker"))
    if todo.service != daemon.NOTHING:
        found.append(_step(todo.service, "service", "docker"))
    return found


def _step(action: str, kind: str, name: str, detail: str = "") -> dict[str, str]:
    return {"action": action, "type": kind, "name": name, "detail": detail}


def diff(todo: Plan, observed: Observed, versions: t.Mapping[str, str]) -> list[dict[str, str]]:
    """For --diff: files with their texts, everything else as lines. ``versions``: what would be installed."""
    shown = []
    for path, text in todo.files.items():
        if path in extras.SECRET:
            shown.append(_diff(path, "(not shown)\n" if observed.files.get(path) else "", "(not shown, other than before)\n" if text else ""))
            continue
        shown.append(_diff(path, observed.files.get(path) or "", text or ""))
    if todo.daemon_json is not None:
        shown.append(_diff("/etc/docker/daemon.json", observed.daemon_json or "", todo.daemon_json))
    before, after = [], []
    for name in (*todo.remove, *todo.install):
        have = observed.packages.get(name)
        if have:
            before.append(f"{name} {have.version}")
        if name in todo.install:
            after.append(f"{name} {versions.get(name) or todo.install[name] or '(newest)'}")
    after += [f"system extension {extension['name']} {extension['checksum']}" for extension in todo.extensions]
    before += [f"{name} held" for name in todo.unhold]
    after += [f"{name} held" for name in todo.hold]
    before += [f"{name} = {observed.kernel.get(name, '(nothing)')}" for name in todo.kernel]
    after += [f"{name} = {value}" for name, value in todo.kernel.items()]
    after += [f"{extras.PRUNE_TIMER}: {todo.timer}"] if todo.timer else []
    after += [f"user {user} in group docker" for user in todo.users]
    if todo.enable:
        before.append("service docker not enabled")
        after.append("service docker enabled")
    if todo.service in ("start", "stop"):
        words = ["service docker stopped", "service docker running"]
        before.append(words[todo.service == "stop"])
        after.append(words[todo.service == "start"])
    elif todo.service != daemon.NOTHING:
        after.append(f"service docker: {todo.service}")
    if before or after:
        shown.append(_diff("packages, users, kernel and services", "".join(f"{x}\n" for x in before), "".join(f"{x}\n" for x in after)))
    return shown


def _diff(what: str, before: str, after: str) -> dict[str, str]:
    return {"before_header": what, "after_header": what, "before": before, "after": after}
