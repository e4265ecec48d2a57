# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where archives are kept: a directory, or a container of Azure Blob Storage. Each archive NAME/HOST/STAMP.gz has its manifest NAME/HOST/STAMP.json beside it.

This util is private to the collection: no release promises that it stays as it is.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import typing as t

from ansible_collections.dockhost.azure.plugins.module_utils._maintenance import archive
from ansible_collections.dockhost.azure.plugins.module_utils._maintenance.archive import ArchiveError
from ansible_collections.dockhost.azure.plugins.module_utils._maintenance.blob import Container

NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")


class Backend(t.Protocol):
    """What a store needs of the place where it keeps things, by key."""

    def keys(self, prefix: str) -> list[str]:
        """Keys that begin with ``prefix``."""

    def read(self, key: str) -> bytes:
        """The whole of a small thing."""

    def write(self, key: str, data: bytes) -> None:
        """Keep a small thing; it is there as a whole or not at all."""

    def put(self, key: str, path: str) -> None:
        """Keep a file."""

    def get(self, key: str, path: str) -> None:
        """Fetch a file."""

    def remove(self, key: str) -> None:
        """Remove a thing; one that is not there is no error."""


class Directory:
    """A directory of the machine that the module runs on."""

    def __init__(self, path: str) -> None:
        self.path = os.path.abspath(os.path.expanduser(path))

    def keys(self, prefix: str) -> list[str]:
        """See Backend."""
        found = []
        for folder, _folders, files in os.walk(os.path.join(self.path, os.path.dirname(prefix))):
            found += [os.path.relpath(os.path.join(folder, name), self.path) for name in files]
        return sorted(key for key in found if key.startswith(prefix))

    def read(self, key: str) -> bytes:
        """See Backend."""
        with open(os.path.join(self.path, key), "rb") as file:
            return file.read()

    def write(self, key: str, data: bytes) -> None:
        """See Backend."""
        path = self._place(key)
        with open(os.open(path + ".part", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(data)
        os.replace(path + ".part", path)

    def put(self, key: str, path: str) -> None:
        """See Backend. A file that is in its place already stays there."""
        place = self._place(key)
        if os.path.realpath(path) != os.path.realpath(place):
            shutil.copyfile(path, place)
        os.chmod(place, 0o600)

    def get(self, key: str, path: str) -> None:
        """See Backend."""
        shutil.copyfile(os.path.join(self.path, key), path)

    def remove(self, key: str) -> None:
        """See Backend."""
        if os.path.exists(os.path.join(self.path, key)):
            os.unlink(os.path.join(self.path, key))

    def _place(self, key: str) -> str:
        """The path of a key, in folders that are the owner's alone: archives hold passwords of applications, and the keys of swarms."""
        folder = self.path
        os.makedirs(os.path.dirname(folder), exist_ok=True)
        for part in ("", *key.split("/")[:-1]):
            folder = os.path.join(folder, part) if part else folder
            if not os.path.isdir(folder):
                os.mkdir(folder, 0o700)
        return os.path.join(self.path, key)


def backend_of(params: dict[str, t.Any]) -> Backend:
    """The place that a module's parameters name."""
    if params["directory"]:
        return Directory(params["directory"])
    return Container(params["blob_url"], params["blob_sas"] or "", params["blob_identity"] or "", params["blob_ca_file"] or None)


def archives(backend: Backend, name: str, host: str = "") -> list[dict[str, t.Any]]:
    """The manifests of the archives of ``name``, the oldest first, each with the key of its archive; only those of ``host`` when given."""
    found = []
    for key in backend.keys(f"{name}/{host}/" if host else f"{name}/"):
        if not key.endswith(".json"):
            continue
        try:
            manifest = json.loads(backend.read(key))
            found.append({**manifest, "stamp": os.path.basename(key)[: -len(".json")], "key": key[: -len(".json")] + ".gz"})
        except ValueError:
            raise ArchiveError(f"{key} is no manifest: remove it, or bring it back from a copy.") from None
    return sorted(found, key=lambda one: (one["stamp"], one["host"]))


def add(backend: Backend, path: str, manifest: dict[str, t.Any], stamp: str, keep: int, check_mode: bool) -> list[str]:
    """Keep an archive whose digest is right, and remove what is more than ``keep`` of this name and host. Keys of what was removed."""
    name, host = manifest["name"], manifest["host"]
    key = f"{name}/{host}/{stamp}"
    if not check_mode:
        archive.check(path, manifest["sha256"])
        backend.put(f"{key}.gz", path)
        # The manifest last: an archive without one was not finished, and counts for nothing.
        backend.write(f"{key}.json", json.dumps(manifest, indent=2, sort_keys=True).encode() + b"\n")
    return prune(backend, name, host, keep, check_mode)


def prune(backend: Backend, name: str, host: str, keep: int, check_mode: bool) -> list[str]:
    """Remove the oldest archives beyond ``keep`` (0: none), the manifest first. Keys of what was, or would be, removed."""
    found = archives(backend, name, host)
    gone = found[: max(0, len(found) - keep)] if keep else []
    for one in gone if not check_mode else []:
        backend.remove(one["key"][: -len(".gz")] + ".json")
        backend.remove(one["key"])
    return [one["key"] for one in gone]


def choose(backend: Backend, name: str, wanted: str, host: str) -> dict[str, t.Any]:
    """The manifest of the archive that is wanted: ``latest``, or a stamp or the beginning of one. ArchiveError that lists what there is."""
    found = archives(backend, name, host)
    where = f" of host {host}" if host else ""
    if not found:
        names = sorted({key.split("/")[0] for key in backend.keys("")})
        raise ArchiveError(f"There is no archive of '{name}'{where}; there are archives of: {', '.join(names) or 'nothing'}. Nothing was changed.")
    fitting = found if wanted == "latest" else [one for one in found if one["stamp"].startswith(wanted)]
    if not fitting:
        stamps = ", ".join(one["stamp"] for one in found[-8:])
        raise ArchiveError(f"There is no archive '{wanted}' of '{name}'{where}; the newest are: {stamps}. Nothing was changed.")
    hosts = sorted({one["host"] for one in fitting})
    if len(hosts) > 1:
        raise ArchiveError(f"Archives of '{name}' come from several hosts ({', '.join(hosts)}): say which one's is wanted. Nothing was changed.")
    return fitting[-1]
