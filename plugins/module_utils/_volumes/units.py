# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a host needs for a volume on a share: a file with the credentials, systemd's units, the engine's volume. Pure: no I/O.

The engine's own driver hands its options to mount(2) as they are, so that C(credentials=), which only the program mount.cifs knows, does not work
there, and a password would be shown by C(docker volume inspect). systemd mounts with that program instead, and the volume is the mounted directory.

This util is private to the collection: no release promises that it stays as it is.
"""

from __future__ import annotations

import posixpath
import re
import typing as t
from dataclasses import dataclass

UNITS = "/etc/systemd/system"
CREDENTIALS = "/etc/dockhost/volumes"
MARK = "# Written by dockhost.azure (role volumes): changes are lost."
NAME = re.compile(r"^[a-z0-9][a-z0-9_.-]{1,60}$")
ACCOUNT = re.compile(r"^[a-z0-9]{3,24}$")
MODE = re.compile(r"^0?[0-7]{3}$")
# https://learn.microsoft.com/azure/storage/files/storage-how-to-use-files-linux, and for symbolic links mfsymlinks.
SMB = ("vers=3.1.1", "serverino", "nosharesock", "mfsymlinks", "actimeo=30")
# https://learn.microsoft.com/azure/storage/files/storage-files-how-to-mount-nfs-shares
NFS = ("vers=4", "minorversion=1", "sec=sys", "nconnect=4")


class VolumeRefused(Exception):
    """One sentence that names option, value and remedy."""


@dataclass(frozen=True)
class Volume:
    """A volume as it is wanted. ``kind``: smb, nfs, tmpfs or disk."""

    name: str
    kind: str
    directory: str
    share: str = ""
    account: str = ""
    server: str = ""
    uid: int = 0
    gid: int = 0
    file_mode: str = "0644"
    dir_mode: str = "0755"
    options: tuple[str, ...] = ()

    @property
    def what(self) -> str:
        """What is mounted."""
        if self.kind == "smb":
            return f"//{self.server}/{self.share}"
        return f"{self.server}:/{self.account}/{self.share}" if self.kind == "nfs" else "tmpfs"

    @property
    def mount_options(self) -> str:
        """How it is mounted; of options that are given twice the user's counts."""
        modes = (f"uid={self.uid}", f"gid={self.gid}", f"file_mode={_four(self.file_mode)}", f"dir_mode={_four(self.dir_mode)}")
        own: tuple[str, ...] = {
            "smb": ("_netdev", *SMB, f"credentials={credentials_path(self.account)}", *modes),
            "nfs": ("_netdev", *NFS),
            "tmpfs": (f"uid={self.uid}", f"gid={self.gid}", f"mode={_four(self.dir_mode)}"),
            "disk": (),
        }[self.kind]
        given = {option.split("=")[0] for option in self.options}
        return ",".join([option for option in own if option.split("=")[0] not in given] + list(self.options))

    @property
    def engine_options(self) -> dict[str, str]:
        """Options of the engine's volume."""
        return {"type": "none", "o": "bind", "device": self.directory}


def volumes_of(entry: dict[str, t.Any], parent: str, account: str, suffix: str) -> list[Volume]:
    """The volumes of one entry: one, or one for each slot. VolumeRefused for what cannot be."""
    name, kind = entry["name"], entry["type"]
    _refuse(entry, account)
    slots = entry.get("slots") or 0
    made = []
    for number in range(1, slots + 1) if slots else (0,):
        full = f"{name}-{number}" if number else name
        share = (entry.get("share") or name.replace("_", "-").replace(".", "-")) + (f"-{number}" if number else "")
        directory = entry.get("path") or posixpath.join(parent, name)
        made.append(
            Volume(
                name=full,
                kind=kind,
                directory=directory + (f"-{number}" if number else ""),
                share=share if kind in ("smb", "nfs") else "",
                account=entry.get("account") or account,
                server=f"{entry.get('account') or account}.{suffix}",
                uid=entry["uid"],
                gid=entry["gid"],
                file_mode=entry["file_mode"],
                dir_mode=entry["dir_mode"],
                options=tuple(entry.get("options") or ()),
            )
        )
    return made


def _refuse(entry: dict[str, t.Any], account: str) -> None:
    name, kind = entry["name"], entry["type"]
    account = entry.get("account") or account
    if not NAME.match(name):
        raise VolumeRefused(f"name is '{name}': a volume has 2 to 61 small letters, digits, '-', '_' and '.', and begins with a letter or digit.")
    if kind in ("smb", "nfs") and not ACCOUNT.match(account):
        raise VolumeRefused(f"account of volume {name} is '{account}': name the storage account, 3 to 24 small letters and digits.")
    for field in ("file_mode", "dir_mode"):
        if not MODE.match(str(entry[field])):
            raise VolumeRefused(f"{field} of volume {name} is '{entry[field]}': give three or four octal digits as text, such as '0640'.")
    if entry.get("path") and not entry["path"].startswith("/"):
        raise VolumeRefused(f"path of volume {name} is '{entry['path']}': give an absolute path.")
    if not 0 <= (entry.get("slots") or 0) <= 100:
        raise VolumeRefused(f"slots of volume {name} is {entry['slots']}: give a number from 0 to 100.")
    secret = [option for option in entry.get("options") or () if option.split("=")[0] in ("password", "pass", "username", "user", "credentials")]
    if secret:
        raise VolumeRefused(f"options of volume {name} have '{secret[0].split('=')[0]}': give the account's key as account_keys, which is shown nowhere.")


def _four(mode: str) -> str:
    return str(mode).zfill(4)


def credentials_path(account: str) -> str:
    """Where the key of a storage account lies on a host."""
    return f"{CREDENTIALS}/{account}.credentials"


def credentials_text(account: str, key: str) -> str:
    """The file that mount.cifs reads."""
    return f"username={account}\npassword={key}\n"


def unit_name(directory: str, kind: str) -> str:
    """As systemd-escape --path names it: what is no letter, digit, ':', '_' or '.' is escaped, '/' becomes '-'."""
    parts = []
    for place, character in enumerate(directory.strip("/")):
        if character == "/":
            parts.append("-")
        elif character.isascii() and (character.isalnum() or character in ":_" or (character == "." and place)):
            parts.append(character)
        else:
            parts.append("".join(f"\\x{byte:02x}" for byte in character.encode()))
    return "".join(parts) + "." + kind


def unit_files(volume: Volume, automount: bool) -> dict[str, str]:
    """Path and text of the units of a volume."""
    if volume.kind == "disk":
        return {}
    network = "After=network-online.target\nWants=network-online.target\n" if volume.kind in ("smb", "nfs") else ""
    install = "" if automount else "\n[Install]\nWantedBy=multi-user.target\n"
    file_system = {"smb": "cifs", "nfs": "nfs", "tmpfs": "tmpfs"}[volume.kind]
    mount = (
        f"{MARK}\n[Unit]\nDescription=Volume {volume.name}\n{network}Before=docker.service\n\n"
        f"[Mount]\nWhat={volume.what}\nWhere={volume.directory}\nType={file_system}\nOptions={_percent(volume.mount_options)}\nTimeoutSec=60\n{install}"
    )
    files = {posixpath.join(UNITS, unit_name(volume.directory, "mount")): mount}
    if automount:
        files[posixpath.join(UNITS, unit_name(volume.directory, "automount"))] = (
            f"{MARK}\n[Unit]\nDescription=Volume {volume.name}, mounted when it is used\nBefore=docker.service\n\n"
            f"[Automount]\nWhere={volume.directory}\n\n[Install]\nWantedBy=multi-user.target\n"
        )
    return files


def _percent(text: str) -> str:
    """'%' begins a specifier in units."""
    return text.replace("%", "%%")
