# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Puts one archive back on this host, after all that can be known was checked.

This util is private to the collection: no release promises that it stays as it is.
"""

from __future__ import annotations

import os
import shutil
import typing as t

from ansible_collections.dockhost.azure.plugins.module_utils._engine.client import Engine
from ansible_collections.dockhost.azure.plugins.module_utils._engine.execute import execute
from ansible_collections.dockhost.azure.plugins.module_utils._maintenance import archive, swarm_state, volume
from ansible_collections.dockhost.azure.plugins.module_utils._maintenance.archive import ArchiveError

STAGE, BEFORE = ".dockhost-restore", ".dockhost-before"


def check(engine: Engine, params: dict[str, t.Any]) -> dict[str, t.Any]:
    """Read the archive to its end and see whether it can be restored here. What is there, for a report; ArchiveError where it cannot be."""
    manifest, path = params["manifest"], params["path"]
    archive.check(path, manifest["sha256"])
    if manifest["kind"] == "dump":
        return _check_dump(engine, params)
    members, size = archive.look_through(path)
    seen: dict[str, t.Any] = {"members": members, "content_bytes": size}
    if manifest["kind"] == "swarm":
        return {**seen, **_check_swarm(engine, params)}
    name = params["volume"] or manifest["volume"]
    found = volume.find(engine, name)
    seen["exists"] = found is not None
    directory = volume.directory_of(found) if found else engine.info()["DockerRootDir"]
    seen["entries"] = len([entry for entry in os.listdir(directory) if entry not in (STAGE, BEFORE)]) if found else 0
    if seen["entries"] and not params["overwrite"]:
        raise ArchiveError(
            f"Volume {name} on this host holds data ({seen['entries']} entries), which a restore would replace: say overwrite, or name another volume to "
            "restore to. Nothing was changed."
        )
    archive.need_space(directory, size, f"the content of {os.path.basename(path)}")
    return seen


def _check_dump(engine: Engine, params: dict[str, t.Any]) -> dict[str, t.Any]:
    if not params["load"]:
        raise ArchiveError(f"The archive {params['path']} is a dump: name the command that loads it (load). Nothing was changed.")
    if not params["overwrite"]:
        raise ArchiveError(f"Loading a dump into service {params['service']} replaces what it holds: say overwrite. Nothing was changed.")
    if not volume.container_of(engine, params["service"]):
        raise ArchiveError(f"No container of service {params['service']} runs on this host: start it first; nothing was changed.")
    return {"exists": True}


def _check_swarm(engine: Engine, params: dict[str, t.Any]) -> dict[str, t.Any]:
    state = engine.info()["Swarm"]["LocalNodeState"]
    if state != "inactive" and not params["overwrite"]:
        raise ArchiveError(
            f"This host is in a swarm (its state is {state}), which a restore would replace: let it leave first, or say overwrite. Nothing was changed."
        )
    if params["manifest"].get("autolock") and not params["unlock_key"]:
        raise ArchiveError("The saved state is locked (autolock was on): give the swarm's key as unlock_key. Nothing was changed.")
    return {"exists": state != "inactive"}


def restore(engine: Engine, params: dict[str, t.Any]) -> None:
    """Put it back. ``check`` has been called before."""
    manifest, path = params["manifest"], params["path"]
    if manifest["kind"] == "swarm":
        swarm_state.restore(engine, path, manifest, params)
    elif manifest["kind"] == "dump":
        _load(engine, params)
    else:
        _fill(engine, params, params["volume"] or manifest["volume"])


def _load(engine: Engine, params: dict[str, t.Any]) -> None:
    found = volume.container_of(engine, params["service"])
    if not found:
        raise ArchiveError(f"The container of service {params['service']} ended before the dump was loaded. Start it and run again.")
    with archive.open_content(params["path"]) as content:
        ended = execute(engine, found["Id"], params["load"], stdin=content, user=params["user"])
    if ended.code:
        raise ArchiveError(
            f"The command that loads the dump failed in service {params['service']} with status {ended.code}: {ended.errors or 'it said nothing'}. "
            "What it had loaded before is there: correct it and run again."
        )


def _fill(engine: Engine, params: dict[str, t.Any], name: str) -> None:
    """Unpack beside the data and change places when that is complete, so that an archive that fails harms nothing."""
    found = volume.find(engine, name)
    if found is None:
        manifest = params["manifest"]
        found = engine.post("/volumes/create", {"Name": name, "Labels": manifest.get("labels") or {}, "DriverOpts": manifest.get("options") or {}})
    directory = volume.directory_of(found)
    with volume.quiet(engine, name, "stop"):
        used = volume.users(engine, name)
        if used:
            raise ArchiveError(f"Volume {name} is still used by container {used[0]['Names'][0].lstrip('/')}: stop it first. Nothing was changed.")
        stage, before = os.path.join(directory, STAGE), os.path.join(directory, BEFORE)
        for leftover in (stage, before):
            shutil.rmtree(leftover, ignore_errors=True)
        os.mkdir(stage, 0o700)
        try:
            archive.unpack(params["path"], stage)
        except ArchiveError:
            shutil.rmtree(stage, ignore_errors=True)
            raise
        _change_places(directory, stage, before)


def _change_places(directory: str, stage: str, before: str) -> None:
    """The old entries go to ``before``, those of ``stage`` take their place; the directory itself gets the owner and mode that it had then.

    These are renames in one file system, so they need no room and hardly any time. Whoever is cut off in between restores once more.
    """
    os.mkdir(before, 0o700)
    for entry in os.listdir(directory):
        if entry not in (STAGE, BEFORE):
            os.rename(os.path.join(directory, entry), os.path.join(before, entry))
    for entry in os.listdir(stage):
        os.rename(os.path.join(stage, entry), os.path.join(directory, entry))
    was = os.stat(stage)
    os.chown(directory, was.st_uid, was.st_gid)
    os.chmod(directory, was.st_mode & 0o7777)
    shutil.rmtree(stage)
    shutil.rmtree(before)
