# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Volumes and tmpfs of a service as the Engine API's mounts.

This util is private to the collection: no release promises that it stays as it is.
"""

from __future__ import annotations

import typing as t

from ansible_collections.dockhost.azure.plugins.module_utils._stack.values import (
    Json,
    StackError,
    boolean,
    file_mode,
    one_of,
    section,
    sequence,
    size,
    text,
    texts,
)

_PROPAGATIONS = ("private", "rprivate", "shared", "rshared", "slave", "rslave")

# Turns the document's name of a volume into the mount's Source and VolumeOptions.
Volumes = t.Callable[[str, str], t.Tuple[str, t.Dict[str, Json]]]


def mounts(path: str, volumes: Json, tmpfs: Json, named: Volumes) -> list[dict[str, Json]]:
    """Mounts of one service. ``named(path, name)`` looks up a named volume of the document."""
    found = []
    for index, item in enumerate(sequence(f"{path}.volumes", volumes)):
        where = f"{path}.volumes[{index}]"
        found.append(_long(where, item, named) if isinstance(item, dict) else _short(where, text(where, item), named))
    for entry in texts(f"{path}.tmpfs", tmpfs):
        found.append(_tmpfs(f"{path}.tmpfs", entry))
    targets = [mount["Target"] for mount in found]
    for target in targets:
        if targets.count(target) > 1:
            raise StackError(f"{path}.volumes: {target} is mounted twice.")
    return found


def _short(path: str, entry: str, named: Volumes) -> dict[str, Json]:
    parts = entry.split(":")
    if len(parts) > 3 or not all(parts):
        raise StackError(f"{path} is {entry!r}; a volume is written as name:/path or name:/path:ro.")
    if len(parts) == 1:
        return {"Type": "volume", "Target": _absolute(path, parts[0])}
    source, target = parts[0], _absolute(path, parts[1])
    mount: dict[str, Json] = {"Type": "bind" if source[:1] in "/.~" else "volume", "Target": target}
    for option in parts[2].split(",") if len(parts) == 3 else ():
        if option == "ro":
            mount["ReadOnly"] = True
        elif option == "nocopy" and mount["Type"] == "volume":
            mount["VolumeOptions"] = {"NoCopy": True}
        elif option in _PROPAGATIONS and mount["Type"] == "bind":
            mount["BindOptions"] = {"Propagation": option}
        elif option != "rw":
            raise StackError(f"{path}: option {option!r} is not supported; ro, rw and nocopy are.")
    return _with_source(path, mount, source, named)


def _with_source(path: str, mount: dict[str, Json], source: str, named: Volumes) -> dict[str, Json]:
    if mount["Type"] == "bind":
        if not source.startswith("/"):
            raise StackError(f"{path}: {source!r} is relative; a bind mount needs a path that exists on every host, from / on.")
        mount["Source"] = source
        return mount
    mount["Source"], options = named(path, source)
    merged = {**options, **mount.get("VolumeOptions", {})}
    if merged:
        mount["VolumeOptions"] = merged
    return mount


def _long(path: str, item: Json, named: Volumes) -> dict[str, Json]:
    entry = section(path, item, ("type", "source", "target", "read_only", "bind", "volume", "tmpfs"))
    kind = one_of(f"{path}.type", entry.get("type", "volume"), ("volume", "bind", "tmpfs"))
    if "target" not in entry:
        raise StackError(f"{path}.target is missing: the path inside the container.")
    for other in ("bind", "volume", "tmpfs"):
        if other != kind and other in entry:
            raise StackError(f"{path}.{other} does not go with type {kind}.")
    mount: dict[str, Json] = {"Type": kind, "Target": _absolute(f"{path}.target", text(f"{path}.target", entry["target"]))}
    if "read_only" in entry and boolean(f"{path}.read_only", entry["read_only"]):
        mount["ReadOnly"] = True
    _options(path, entry, kind, mount)
    if kind == "tmpfs":
        if entry.get("source"):
            raise StackError(f"{path}.source: a tmpfs has no source.")
        return mount
    if not entry.get("source"):
        if kind == "bind":
            raise StackError(f"{path}.source is missing: the path on the host.")
        return mount
    return _with_source(path, mount, text(f"{path}.source", entry["source"]), named)


def _options(path: str, entry: dict[str, Json], kind: str, mount: dict[str, Json]) -> None:
    if kind == "bind":
        bind = section(f"{path}.bind", entry.get("bind"), ("propagation",))
        if "propagation" in bind:
            mount["BindOptions"] = {"Propagation": one_of(f"{path}.bind.propagation", bind["propagation"], _PROPAGATIONS)}
    elif kind == "volume":
        volume = section(f"{path}.volume", entry.get("volume"), ("nocopy",))
        if boolean(f"{path}.volume.nocopy", volume.get("nocopy", False)):
            mount["VolumeOptions"] = {"NoCopy": True}
    else:
        options = section(f"{path}.tmpfs", entry.get("tmpfs"), ("size", "mode"))
        _tmpfs_options(f"{path}.tmpfs", options, mount)


def _tmpfs(path: str, entry: str) -> dict[str, Json]:
    target, _colon, rest = entry.partition(":")
    mount: dict[str, Json] = {"Type": "tmpfs", "Target": _absolute(path, target)}
    options = {}
    for word in filter(None, rest.split(",")):
        name, _equals, value = word.partition("=")
        if name not in ("size", "mode"):
            raise StackError(f"{path}: option {name!r} of {target} is not supported; size and mode are.")
        options[name] = value
    _tmpfs_options(path, options, mount)
    return mount


def _tmpfs_options(path: str, options: dict[str, Json], mount: dict[str, Json]) -> None:
    wanted = {}
    if "size" in options:
        wanted["SizeBytes"] = size(f"{path}.size", options["size"])
    if "mode" in options:
        wanted["Mode"] = file_mode(f"{path}.mode", options["mode"])
    if wanted:
        mount["TmpfsOptions"] = wanted


def _absolute(path: str, target: str) -> str:
    if not target.startswith("/"):
        raise StackError(f"{path}: {target!r} is no path inside a container; it has to start with /.")
    return target
