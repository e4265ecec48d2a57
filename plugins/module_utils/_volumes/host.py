# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Brings a host to the volumes that are wanted: credentials, units, mounts, the engine's volumes.

This util is private to the collection: no release promises that it stays as it is.
"""

from __future__ import annotations

import os
import shutil
import typing as t
from urllib.parse import quote

from ansible_collections.dockhost.azure.plugins.module_utils._docker_host import command
from ansible_collections.dockhost.azure.plugins.module_utils._engine.client import Engine
from ansible_collections.dockhost.azure.plugins.module_utils._volumes import units
from ansible_collections.dockhost.azure.plugins.module_utils._volumes.units import Volume, VolumeRefused

HELPERS = {"smb": ("mount.cifs", "cifs-utils"), "nfs": ("mount.nfs4", "nfs-common")}


class Outcome:
    """What was done, for people and for the diff; no secret is in it."""

    def __init__(self) -> None:
        self.done: list[str] = []

    @property
    def changed(self) -> bool:
        """Whether anything was, or would be, changed."""
        return bool(self.done)


def converge(engine: Engine, volumes: t.Sequence[Volume], keys: dict[str, str], automount: bool, check_mode: bool) -> Outcome:
    """Make the volumes as they are wanted. VolumeRefused before the first change where one cannot be made.

    In check mode programs and engine may be missing: tasks before this one would have brought them.
    """
    outcome = Outcome()
    there = not check_mode or engine.runs()
    if not check_mode:
        _need_programs(volumes)
    _need_keys(volumes, keys)
    stale = [volume for volume in volumes if there and _is_stale(engine, volume)]
    automount = automount and os.path.exists("/dev/autofs")
    for account in sorted({volume.account for volume in volumes if volume.kind == "smb"}):
        _write(units.credentials_path(account), units.credentials_text(account, keys[account]), 0o600, f"credentials of {account}", outcome, check_mode)
    changed = []
    for volume in volumes:
        before = len(outcome.done)
        for path, text in units.unit_files(volume, automount).items():
            _write(path, text, 0o644, f"unit {os.path.basename(path)}", outcome, check_mode)
        _directory(volume, outcome, check_mode)
        if len(outcome.done) > before:
            changed.append(volume)
    if check_mode:
        outcome.done += [f"volume {volume.name}" for volume in volumes if not there or volume in stale or _found(engine, volume) is None]
        return outcome
    _mount(volumes, changed, automount, outcome)
    for volume in volumes:
        _engine_volume(engine, volume, volume in stale, outcome)
    return outcome


def remove(engine: Engine, volumes: t.Sequence[Volume], check_mode: bool) -> Outcome:
    """Take volumes and their mounts away. What is on the shares and in directories stays."""
    outcome = Outcome()
    there = not check_mode or engine.runs()
    for volume in volumes:
        if there and _found(engine, volume) is not None:
            _refuse_in_use(engine, volume, "is to be removed")
            outcome.done.append(f"volume {volume.name} removed")
            if not check_mode:
                engine.delete("/volumes/" + quote(volume.name, safe=""))
        paths = [path for automount in (True, False) for path in units.unit_files(volume, automount) if os.path.exists(path)]
        for path in sorted(set(paths)):
            outcome.done.append(f"unit {os.path.basename(path)} removed")
            if not check_mode:
                command.run("systemctl", "disable", "--now", os.path.basename(path))
                os.unlink(path)
    if outcome.changed and not check_mode:
        command.check("systemctl", "daemon-reload")
    return outcome


def _need_programs(volumes: t.Sequence[Volume]) -> None:
    for volume in volumes:
        helper, package = HELPERS.get(volume.kind, ("", ""))
        if helper and not shutil.which(helper, path="/sbin:/usr/sbin:/usr/bin:/bin"):
            raise VolumeRefused(f"{helper} is not on this host; volume {volume.name} needs it: install {package}.")


def _need_keys(volumes: t.Sequence[Volume], keys: dict[str, str]) -> None:
    for volume in volumes:
        if volume.kind == "smb" and not keys.get(volume.account):
            raise VolumeRefused(f"There is no key for the storage account {volume.account} of volume {volume.name}: give it in account_keys.")


def _is_stale(engine: Engine, volume: Volume) -> bool:
    """Whether the engine has a volume of that name which has to be made anew."""
    found = _found(engine, volume)
    if found is None or (found.get("Options") or {}) == volume.engine_options:
        return False
    if not found.get("Options"):
        raise VolumeRefused(
            f"There is a volume {volume.name} with data of its own on this host. Copy them to the share and remove it (docker volume rm), or take another name."
        )
    _refuse_in_use(engine, volume, "is to be changed")
    return True


def _found(engine: Engine, volume: Volume) -> dict[str, t.Any] | None:
    return engine.find("/volumes/" + quote(volume.name, safe=""))


def _refuse_in_use(engine: Engine, volume: Volume, what: str) -> None:
    users = engine.get("/containers/json", all=True, filters={"volume": [volume.name]})
    if users:
        names = ", ".join(one["Names"][0].lstrip("/") for one in users[:3])
        raise VolumeRefused(f"Volume {volume.name} {what} and is used by {names}: remove these containers or services first. Nothing was changed.")


def _write(path: str, text: str, mode: int, what: str, outcome: Outcome, check_mode: bool) -> None:
    """Write a file when it differs; it is there as a whole or not at all, and never readable for others while it is written."""
    try:
        with open(path, encoding="utf-8") as file:
            same = file.read() == text and os.stat(path).st_mode & 0o777 == mode
    except FileNotFoundError:
        same = False
    if same:
        return
    outcome.done.append(what)
    if check_mode:
        return
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    part = path + ".part"
    if os.path.exists(part):
        os.unlink(part)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(part, mode)
    os.replace(part, path)


def _directory(volume: Volume, outcome: Outcome, check_mode: bool) -> None:
    """The directory: of the volume itself where it is on the disk, of the mount otherwise."""
    if os.path.isdir(volume.directory):
        was = os.stat(volume.directory)
        wanted = (volume.uid, volume.gid, int(str(volume.dir_mode), 8))
        if volume.kind != "disk" or (was.st_uid, was.st_gid, was.st_mode & 0o777) == wanted:
            return
        outcome.done.append(f"owner or mode of {volume.directory}")
    else:
        outcome.done.append(f"directory {volume.directory}")
        if not check_mode:
            os.makedirs(volume.directory)
    if not check_mode and volume.kind == "disk":
        os.chown(volume.directory, volume.uid, volume.gid)
        os.chmod(volume.directory, int(str(volume.dir_mode), 8))


def _mount(volumes: t.Sequence[Volume], changed: t.Sequence[Volume], automount: bool, outcome: Outcome) -> None:
    """Reload systemd once, and have the units on. A mount that changed is made anew, unless something uses it."""
    mounted = [volume for volume in volumes if volume.kind != "disk"]
    if any(volume.kind != "disk" for volume in changed):
        command.check("systemctl", "daemon-reload")
    for volume in mounted:
        unit = units.unit_name(volume.directory, "automount" if automount else "mount")
        state = command.run("systemctl", "is-active", unit).output.strip()
        if volume in changed and state == "active":
            command.check("systemctl", "restart", unit, timeout=120)
        elif state != "active" or volume in changed:
            if volume not in changed:
                outcome.done.append(f"unit {unit} started")
            command.check("systemctl", "enable", "--now", unit, timeout=120)


def _engine_volume(engine: Engine, volume: Volume, stale: bool, outcome: Outcome) -> None:
    found = _found(engine, volume)
    if found is not None and stale:
        engine.delete("/volumes/" + quote(volume.name, safe=""))
        found = None
    if found is None:
        labels = {"dockhost.volume": volume.kind}
        engine.post("/volumes/create", {"Name": volume.name, "Driver": "local", "DriverOpts": volume.engine_options, "Labels": labels})
        outcome.done.append(f"volume {volume.name}")
