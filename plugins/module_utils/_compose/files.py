# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of a project on the host: read, write, keep the last good version.

Everything lies in a folder of root's that nobody else can enter. Beside the project's files, ``.dockhost/state.json`` names those that we wrote, so that
what is no longer wanted goes and what others put there stays, and ``.dockhost/good`` holds the version that last became healthy.

This util is private to the collection: no release promises that it stays as it is.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import typing as t

from ansible_collections.dockhost.azure.plugins.module_utils._compose.model import FOLDERS, OURS, File
from ansible_collections.dockhost.azure.plugins.module_utils._docker_host.apply import write as write_text

State = t.Dict[str, t.Any]
GOOD = f"{OURS}/good"
STATE = f"{OURS}/state.json"


def read_state(folder: str) -> State:
    """What we noted: ``files`` (path → mode), ``secret`` (paths), ``good`` (the same of the last good version, and its images),
    ``project`` and ``services`` (its name and those of its services that last)."""
    try:
        with open(os.path.join(folder, STATE), encoding="utf-8") as file:
            found = json.load(file)
    except (FileNotFoundError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def write_state(folder: str, state: State) -> None:
    """Note it."""
    os.makedirs(os.path.join(folder, OURS), mode=0o700, exist_ok=True)
    write_text(os.path.join(folder, STATE), json.dumps(state, indent=1, sort_keys=True) + "\n", 0o600)


def lasting(folders: t.Iterable[str], root: str = FOLDERS) -> dict[str, dict[str, t.Any]]:
    """Project → its services that last, as noted in these folders and in those that projects have without being given one.

    Of a project that is not ours, or not for this user to read, nothing is known.
    """
    known = [os.path.join(root, name) for name in (os.listdir(root) if os.path.isdir(root) else ())]
    found = {}
    for folder in sorted({*known, *folders}):
        try:
            state = read_state(folder)
        except OSError:
            continue
        if state.get("project"):
            found[state["project"]] = state["services"]
    return found


def noted(files: t.Mapping[str, File]) -> State:
    """Files as they stand in the state."""
    return {"files": {name: file.mode for name, file in files.items()}, "secret": sorted(name for name, file in files.items() if file.secret)}


def read(folder: str, state: State) -> dict[str, File]:
    """The files that we wrote, as they are now; one that somebody removed is missing."""
    found = {}
    secret = set(state.get("secret", ()))
    for name in state.get("files", {}):
        path = os.path.join(folder, name)
        try:
            with open(path, "rb") as file:
                found[name] = File(file.read(), os.stat(path).st_mode & 0o777, name in secret)
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            continue
    return found


def differing(wanted: t.Mapping[str, File], actual: t.Mapping[str, File], folder: str) -> tuple[list[str], list[str]]:
    """Names of the files to write and of those to remove. A file of somebody else in the way is one to write."""
    write = [name for name, file in wanted.items() if (have := actual.get(name)) is None or (have.content, have.mode) != (file.content, file.mode)]
    return write, [name for name in actual if name not in wanted and os.path.exists(os.path.join(folder, name))]


def put(folder: str, files: t.Mapping[str, File]) -> None:
    """Write files, each in one step, and folders that nobody else can enter."""
    make_folder(folder)
    for name, file in files.items():
        path = os.path.join(folder, name)
        parent = os.path.dirname(path)
        if parent != folder:
            os.makedirs(parent, mode=0o700, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=parent, prefix=".dockhost-")
        try:
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(file.content)
                stream.flush()
                os.fsync(stream.fileno())
            os.chmod(temporary, file.mode)
            os.replace(temporary, path)
        except OSError:
            os.unlink(temporary)
            raise


def make_folder(folder: str) -> None:
    """The project's folder, for root alone."""
    os.makedirs(os.path.dirname(folder), mode=0o755, exist_ok=True)
    os.makedirs(folder, mode=0o700, exist_ok=True)
    os.chmod(folder, 0o700)


def remove(folder: str, names: t.Iterable[str]) -> None:
    """Remove files, and the folders that become empty by that."""
    for name in names:
        path = os.path.join(folder, name)
        if os.path.lexists(path):
            os.unlink(path)
        parent = os.path.dirname(path)
        while parent != folder and os.path.isdir(parent) and not os.listdir(parent):
            os.rmdir(parent)
            parent = os.path.dirname(parent)


def keep_good(folder: str, files: t.Mapping[str, File], state: State, images: t.Mapping[str, str]) -> State:
    """This version became healthy: keep a copy to go back to; the state that says so."""
    shutil.rmtree(os.path.join(folder, GOOD), ignore_errors=True)
    put(os.path.join(folder, GOOD), files)
    kept = {**state, "good": {**noted(files), "images": dict(images)}}
    write_state(folder, kept)
    return kept


def good(folder: str, state: State) -> dict[str, File]:
    """The last good version; empty where there is none, or not all of it."""
    told = state.get("good") or {}
    found = read(os.path.join(folder, GOOD), told)
    return found if set(found) == set(told.get("files", {})) else {}
