# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Makes one archive on this host: of a volume, of what a command in a container prints, or of the swarm's state.

This util is private to the collection: no release promises that it stays as it is.
"""

from __future__ import annotations

import contextlib
import datetime
import os
import typing as t

from ansible_collections.dockhost.azure.plugins.module_utils._engine.client import Engine
from ansible_collections.dockhost.azure.plugins.module_utils._engine.execute import execute
from ansible_collections.dockhost.azure.plugins.module_utils._maintenance import archive, swarm_state, volume
from ansible_collections.dockhost.azure.plugins.module_utils._maintenance.archive import ArchiveError, Written

FORMAT = 1


def create(engine: Engine, params: dict[str, t.Any], check_mode: bool) -> dict[str, t.Any] | None:
    """The manifest of the archive, without digests in check mode; None where this host has nothing of that name."""
    if params["swarm"]:
        kind, source = "swarm", swarm_state.describe(engine)
    elif params["volume"]:
        kind, source = "volume", _describe_volume(engine, params["volume"])
    else:
        kind, source = "dump", _describe_service(engine, params["service"])
    if source is None:
        return None
    manifest = {"format": FORMAT, "name": params["name"], "kind": kind, "created": _now(), **source}
    directory = manifest.pop("directory", "")
    if check_mode:
        return manifest
    path = params["path"]
    if directory:
        archive.need_space(os.path.dirname(path), archive.usage(directory), f"the archive {os.path.basename(path)}")
    try:
        if kind == "swarm":
            written = swarm_state.save(engine, directory, path, params["consistency"])
        elif kind == "volume":
            written = _save_volume(engine, params, directory, path)
        else:
            written = _save_dump(engine, params, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        raise
    # Who may enter the folder may read the archive, and nobody else: the user who fetches it made that folder.
    owner = os.stat(os.path.dirname(path))
    os.chown(path, owner.st_uid, owner.st_gid)
    return {**manifest, "consistency": params["consistency"], **written._asdict()}


def _now() -> str:
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def _describe_volume(engine: Engine, name: str) -> dict[str, t.Any] | None:
    found = volume.find(engine, name)
    if found is None:
        return None
    return {"volume": name, "labels": found.get("Labels") or {}, "options": _shown(found.get("Options") or {}), "directory": volume.directory_of(found)}


def _shown(options: dict[str, str]) -> dict[str, str]:
    """Options of a volume without a password in the mount options, since manifests are no secrets."""
    kept = [part for part in options.get("o", "").split(",") if not part.startswith(("password=", "pass="))]
    return {**options, "o": ",".join(kept)} if options.get("o") else dict(options)


def _describe_service(engine: Engine, service: str) -> dict[str, t.Any] | None:
    return {"service": service} if volume.container_of(engine, service) else None


@contextlib.contextmanager
def _hooks(engine: Engine, params: dict[str, t.Any]) -> t.Iterator[None]:
    """The commands before, and those after, whatever happened in between."""
    try:
        for hook in params["before"]:
            _run_hook(engine, hook, "before")
        yield
    finally:
        for hook in params["after"]:
            _run_hook(engine, hook, "after")


def _run_hook(engine: Engine, hook: dict[str, t.Any], when: str) -> None:
    container = _container(engine, hook["service"])
    ended = execute(engine, container, hook["command"], user=hook.get("user") or "")
    if ended.code:
        raise ArchiveError(f"The command {when} the backup failed in service {hook['service']} with status {ended.code}: {ended.errors or 'it said nothing'}")


def _container(engine: Engine, service: str) -> str:
    found = volume.container_of(engine, service)
    if not found:
        raise ArchiveError(f"No container of service {service} runs on this host, so its command cannot be run: start it, or name another service.")
    return found["Id"]


def _save_volume(engine: Engine, params: dict[str, t.Any], directory: str, path: str) -> Written:
    with _hooks(engine, params), volume.quiet(engine, params["volume"], params["consistency"]):
        return archive.pack(directory, path)


def _save_dump(engine: Engine, params: dict[str, t.Any], path: str) -> Written:
    container = _container(engine, params["service"])
    with _hooks(engine, params), archive.writing(path) as (sink, written):
        ended = execute(engine, container, params["dump"], stdout=sink, user=params["user"])  # type: ignore[arg-type]
    if ended.code:
        raise ArchiveError(f"The dump command failed in service {params['service']} with status {ended.code}: {ended.errors or 'it said nothing'}")
    if not written().content_bytes:
        raise ArchiveError(f"The dump command in service {params['service']} printed nothing: it has to print the dump on standard output.")
    return written()
