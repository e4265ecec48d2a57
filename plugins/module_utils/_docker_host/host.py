# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From what is asked for to a host that has it: observe, plan, apply. What module engine does.

This util is private to the collection: no release promises that it stays as it is.
"""

from __future__ import annotations

import typing as t
import urllib.error
from dataclasses import dataclass, field

from ansible_collections.dockhost.azure.plugins.module_utils._docker_host import apply, daemon, extras, managers, packages, plan, probe, sysext
from ansible_collections.dockhost.azure.plugins.module_utils._docker_host.packages import HostError
from ansible_collections.dockhost.azure.plugins.module_utils._engine.client import Engine

_DATA_ROOT = "/var/lib/docker"


@dataclass(frozen=True)
class Request:
    """The options of module engine, see there."""

    state: str = "present"
    source: str = "distribution"
    version: str | None = None
    allow_downgrade: bool = False
    hold: bool | None = None
    compose: bool = True
    buildx: bool = True
    repository_url: str | None = None
    repository_key: str | None = None
    repository_key_url: str | None = None
    repository_channel: str = "stable"
    daemon_options: t.Mapping[str, t.Any] | None = None
    live_restore: str = "auto"
    unit_settings: t.Mapping[str, t.Any] | None = None
    proxies: t.Mapping[str, str] | None = None
    tls: t.Mapping[str, str] | None = None
    kernel_parameters: t.Mapping[str, t.Any] | None = None
    prune: t.Mapping[str, t.Any] | None = None
    system_extensions: t.Sequence[t.Mapping[str, str]] = ()
    leave_data: bool = False
    users: t.Sequence[str] = ()
    read_lists: bool = False
    lock_timeout: int = 300


@dataclass
class Outcome:
    """What came of it; filled as it goes, so that a failure can still tell what was planned."""

    changed: bool = False
    plan: list[dict[str, str]] = field(default_factory=list)
    diff: list[dict[str, str]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    version: str = ""
    service: str = daemon.NOTHING
    interrupts: bool = False
    daemon_options: dict[str, t.Any] | None = None


def converge(request: Request, check_mode: bool, outcome: Outcome) -> None:
    """Make the host what the request says; in check mode only say what would be done. Raises HostError."""
    distribution = probe.distribution()
    known = packages.package_set(distribution, request.source)
    manager = managers.of(distribution.tool, probe.read)
    if distribution.tool == "none" and probe.dockerd() is None:
        raise HostError(f"This host ({distribution.name}) has no Docker Engine, which is a part of the system there; choose an image that has it.")
    if request.version and not known.versioned:
        raise HostError(f"version: {distribution.name} has one engine only, its own; leave docker_version out.")
    if request.state == "absent":
        _remove(known, distribution, manager, check_mode, request, outcome)
        return
    hint = "set docker_source to docker to have it" if distribution.tool == "apt" else "have it as an extension of the system (system_extensions)"
    names, missing = packages.wanted_packages(known, request.compose, request.buildx)
    extended = " ".join(extension["name"] for extension in request.system_extensions)
    outcome.warnings += [
        f"{distribution.name} has no {word} plugin among its packages; {hint}."
        for word in missing
        if word.lower() not in extended
    ]
    options = _options(request)
    outcome.daemon_options = options
    companions = probe.companions(distribution.tool)
    repository = packages.repository_files(distribution.tool)
    sysext.validate(request.system_extensions)
    kernel = extras.kernel_values(request.kernel_parameters)
    observed = probe.observe(manager, (*names, *companions, *known.obsolete), (*repository, *extras.ALL), kernel)
    wanted = plan.Wanted(
        packages=_versions(request, known, names, observed, manager, check_mode),
        companions=companions,
        absent_packages=known.obsolete,
        hold=request.hold,
        daemon_options=options,
        files=_files(request, distribution, known, options, observed),
        users=request.users,
        kernel=kernel,
        extensions=sysext.missing(request.system_extensions, probe.read),
        timer=None if request.prune is None else bool(request.prune.get("schedule")),
    )
    _keep_data(request, options, observed)
    todo = plan.plan(wanted, observed)
    _tell(outcome, todo, observed, manager)
    outcome.interrupts = plan.interrupts(todo, observed, (*known.engine, *companions))
    if observed.packages and request.users:
        probe.check_users(todo.users)
    if todo.daemon_json is not None and check_mode:
        apply.validate(todo.daemon_json, todo.files, check_mode)
    if todo.changed and not check_mode:
        probe.check_users(todo.users)
        apply.apply(todo, observed, manager, request.lock_timeout)
    if observed.active or not check_mode:
        outcome.version = Engine().version()["Version"]


def _tell(outcome: Outcome, todo: plan.Plan, observed: plan.Observed, manager: managers.PackageManager) -> None:
    outcome.changed = todo.changed
    outcome.plan = plan.steps(todo)
    outcome.service = todo.service
    outcome.diff = plan.diff(todo, observed, manager.candidates(tuple(todo.install)) if todo.install else {})


def _options(request: Request) -> dict[str, t.Any] | None:
    """The whole of daemon.json, None where it is to be left alone."""
    if request.daemon_options is None:
        return None
    options = dict(request.daemon_options)
    daemon.check(options)
    swarm = probe.in_swarm(str(options.get("data-root") or "/var/lib/docker"))
    return daemon.with_live_restore(options, request.live_restore, swarm)


def _versions(
    request: Request,
    known: packages.PackageSet,
    names: t.Sequence[str],
    observed: plan.Observed,
    manager: managers.PackageManager,
    check_mode: bool,
) -> dict[str, str]:
    """Each wanted package with the version it must have, "" where any will do."""
    wanted = dict.fromkeys(names, "")
    if request.read_lists and check_mode:
        manager.update(request.lock_timeout)
    if request.state == "latest":
        if not check_mode:
            manager.update(request.lock_timeout)
        offered = manager.candidates(names)
        wanted.update((name, offered.get(name, "")) for name in names)
    if not request.version:
        return wanted
    for name in known.versioned:
        have = observed.packages.get(name)
        try:
            wanted[name] = packages.match_version(name, request.version, [have.version] if have else [])
        except HostError:
            offered_versions = manager.versions(name)
            if not offered_versions and not have and check_mode:
                wanted[name] = request.version  # lists are not there yet, and check mode does not fetch them
                continue
            if not offered_versions:
                manager.update(request.lock_timeout)
                offered_versions = manager.versions(name)
            wanted[name] = packages.match_version(name, request.version, offered_versions)
            if have and manager.newer(have.version, wanted[name]) and not request.allow_downgrade:
                raise HostError(
                    f"version: {name} {have.version} is installed and {wanted[name]} is older; "
                    "set docker_allow_downgrade: true to go back, or ask for a newer version."
                ) from None
    return wanted


def _files(
    request: Request,
    distribution: packages.Distribution,
    known: packages.PackageSet,
    options: t.Mapping[str, t.Any] | None,
    observed: plan.Observed,
) -> dict[str, str | None]:
    files: dict[str, str | None] = {}
    if request.source == "docker":
        source, key = packages.repository_files(distribution.tool)
        files[key] = request.repository_key or observed.files.get(key) or _fetch_key(request, distribution)
        files[source] = packages.docker_repository(
            distribution, probe.architecture(), request.repository_url or "", request.repository_channel, key
        )
    files.update(extras.proxies(request.proxies))
    files.update(extras.tls(request.tls))
    if any((request.tls or {}).values()):
        daemon.check_certificate(*(request.tls[name] for name in ("ca", "certificate", "key")))
    files.update(extras.kernel(request.kernel_parameters))
    files.update(extras.prune(request.prune))
    if request.prune and request.prune.get("schedule"):
        probe.check_schedule(request.prune["schedule"])
    if (options, request.unit_settings, request.proxies) != (None, None, None):
        files[extras.DROP_IN] = _drop_in(request, known, options, observed)
    return files


def _drop_in(
    request: Request, known: packages.PackageSet, options: t.Mapping[str, t.Any] | None, observed: plan.Observed
) -> str | None:
    settings = request.unit_settings or {}
    extras.check_settings(settings)
    valid = options if options is not None else daemon.parse(observed.daemon_json) or {}
    own = daemon.drop_in(valid, known.daemon)
    return extras.drop_in(own, settings, any((request.proxies or {}).values()))


def _keep_data(request: Request, options: t.Mapping[str, t.Any] | None, observed: plan.Observed) -> None:
    """Refuse a new data root while the old one has what cannot be fetched again: containers, volumes, a swarm."""
    if options is None or request.leave_data:
        return
    old = str((daemon.parse(observed.daemon_json) or {}).get("data-root") or _DATA_ROOT)
    new = str(options.get("data-root") or _DATA_ROOT)
    if old == new:
        return
    there = probe.data_in(old)
    if there:
        raise HostError(
            f"daemon_options.data-root: {old} has {there}, which the engine would not find under {new}. Remove or move them first, "
            "or set docker_leave_data: true to let them lie where they are."
        )


def _fetch_key(request: Request, distribution: packages.Distribution) -> str:
    url = request.repository_key_url or f"{packages.repository_base(distribution, request.repository_url or '')}/gpg"
    if not url.startswith("https://"):
        raise HostError(f"repository_key_url: {url} is not https, so anybody on the way could change the key; give repository_key.")
    # Imported here: hosts with the distribution's packages never need it, and it takes longer than the rest of the module.
    from ansible.module_utils.urls import ConnectionError as UrlError, open_url

    try:
        with open_url(url, timeout=30, use_netrc=False) as answer:
            key = answer.read().decode("ascii", errors="replace")
    except (urllib.error.URLError, OSError, UrlError) as error:
        raise HostError(
            f"repository_key_url: {url} cannot be read from this host ({error}); give the key itself as docker_repository_key."
        ) from None
    if "BEGIN PGP PUBLIC KEY BLOCK" not in key:
        raise HostError(f"repository_key_url: what {url} serves is not an ASCII-armoured key; give docker_repository_key.")
    return key


def _remove(
    known: packages.PackageSet,
    distribution: packages.Distribution,
    manager: managers.PackageManager,
    check_mode: bool,
    request: Request,
    outcome: Outcome,
) -> None:
    """State absent: what belongs to either source goes, except what other things than Docker use too."""
    shared = ("containerd", "runc", "podman-docker")
    ours = (*known.engine, known.compose, known.buildx, *known.obsolete)
    names = tuple(name for name in dict.fromkeys(ours) if name and name not in shared)
    observed = probe.observe(manager, names, (*packages.repository_files(distribution.tool), *extras.ALL))
    files = {path: None for path, text in observed.files.items() if text is not None}
    if observed.daemon_json is not None:
        files[probe.DAEMON_JSON] = None
    todo = plan.Plan(files=files, remove=tuple(observed.packages), service="stop" if observed.active else daemon.NOTHING)
    shown = plan.Observed(
        packages=observed.packages, files={**observed.files, probe.DAEMON_JSON: observed.daemon_json}, active=observed.active
    )
    _tell(outcome, todo, shown, manager)
    if todo.changed and not check_mode:
        apply.absent(todo.remove, tuple(files), manager, request.lock_timeout)
