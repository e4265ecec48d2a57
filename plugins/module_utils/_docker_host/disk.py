# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A data disk: found, given a file system only when it is empty, mounted by UUID. Nothing that is on a disk is ever lost.

This util is private to the collection: no release promises that it stays as it is.
"""

from __future__ import annotations

import os
import stat
import time
import typing as t
from dataclasses import dataclass, field

from ansible_collections.dockhost.azure.plugins.module_utils._docker_host.command import check, last_lines, run
from ansible_collections.dockhost.azure.plugins.module_utils._docker_host.packages import HostError

FSTAB = "/etc/fstab"
# Names that udev gives on Azure: for SCSI disks by the rules of the Linux agent, since 2024 also by azure-vm-utils, which knows NVMe disks too.
LUN_NAMES = ("/dev/disk/azure/scsi1/lun{0}", "/dev/disk/azure/data/by-lun/{0}")
_MOUNTABLE = ("ext2", "ext3", "ext4", "xfs", "btrfs")
_EDGE = 1 << 20


@dataclass(frozen=True)
class Wanted:
    """The options of module data_disk, see there."""

    path: str
    lun: int | None = None
    device: str | None = None
    filesystem: str | None = None
    partition: bool = False
    options: str = "defaults,nofail"
    wait: int = 60


@dataclass(frozen=True)
class Contents:
    """What is on a disk. ``device``: where the file system is or goes; ``kind``: filesystem, empty partition, empty."""

    device: str
    kind: str
    filesystem: str = ""
    uuid: str = ""


@dataclass
class Todo:
    """What is to be done, in this order."""

    contents: Contents
    partition: bool = False
    format: str = ""
    fstab: str | None = None
    mount: bool = False
    steps: list[str] = field(default_factory=list)


def find(wanted: Wanted) -> str:
    """The disk's device, once it is there."""
    names = [wanted.device] if wanted.device else [name.format(wanted.lun) for name in LUN_NAMES]
    deadline = time.monotonic() + wanted.wait
    while True:
        for name in names:
            if name and os.path.exists(name):
                device = os.path.realpath(name)
                if not stat.S_ISBLK(os.stat(device).st_mode):
                    raise HostError(f"device: {name} is no block device.")
                return device
        if time.monotonic() >= deadline:
            what = f"device {wanted.device}" if wanted.device else f"disk with LUN {wanted.lun}"
            raise HostError(
                f"{'device' if wanted.device else 'lun'}: this host has no {what} after {wanted.wait} s (looked for {', '.join(map(str, names))}); "
                "attach it first, for instance by data_disks of host_group."
            )
        time.sleep(0.5)


def probe(device: str) -> dict[str, str]:
    """What the signatures on a device say, by blkid; empty where there are none."""
    result = run("blkid", "-p", "-o", "export", device)
    if result.code == 2 and not result.output.strip():
        return {}
    if result.code:
        raise HostError(f"{device} has signatures of more than one kind, and nothing is written to it: {last_lines(result)}. Look at 'wipefs {device}'.")
    return dict(line.split("=", 1) for line in result.output.splitlines() if "=" in line)


def partitions(device: str) -> list[str]:
    """The partitions of a disk, as devices."""
    shown = run("lsblk", "-nrp", "-o", "NAME,TYPE", device).output
    return [line.split()[0] for line in shown.splitlines() if line.endswith(" part")]


def is_blank(device: str) -> bool:
    """True where the first and the last MiB are zeros, as on a disk that nobody has written to."""
    with open(device, "rb") as file:
        start = file.read(_EDGE)
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - _EDGE))
        end = file.read(_EDGE)
    return not any(start) and not any(end)


def look(device: str) -> Contents:
    """What is on the disk; HostError where it is something that this collection leaves alone."""
    found = probe(device)
    if found.get("PTTYPE"):
        parts = partitions(device)
        if len(parts) != 1:
            raise HostError(
                f"{device} has {len(parts)} partitions ({', '.join(parts)}), so it is not a disk of its own for this; "
                "name the partition as device, or another disk."
            )
        inner = look(parts[0])
        return Contents(inner.device, "empty partition" if inner.kind == "empty" else inner.kind, inner.filesystem, inner.uuid)
    kind = found.get("TYPE", "")
    if kind in _MOUNTABLE:
        return Contents(device, "filesystem", kind, found.get("UUID", ""))
    if kind:
        raise HostError(f"{device} holds {kind}, which is left alone; take another disk, or empty this one with 'wipefs -a {device}' if nobody needs it.")
    if not is_blank(device):
        raise HostError(
            f"{device} has data on it that is no file system, and is left alone; take another disk, or empty this one "
            f"with 'blkdiscard {device}' if nobody needs it."
        )
    return Contents(device, "empty")


def mounts() -> dict[str, str]:
    """Mount point → device, as the kernel has them; of several on one point the last counts."""
    with open("/proc/self/mounts", encoding="utf-8", errors="replace") as file:
        rows = [line.split() for line in file]
    return {row[1].replace("\\040", " "): os.path.realpath(row[0]) for row in rows if row[0].startswith("/")}


def plan(wanted: Wanted, contents: Contents, mounted: t.Mapping[str, str], fstab: str, occupied: t.Callable[[str], bool]) -> Todo:
    """Pure: what is to be done, or HostError where it would hide or lose something.

    ``occupied``: whether a path is a folder with something in it, or no folder.
    """
    if contents.kind == "filesystem" and wanted.filesystem and wanted.filesystem != contents.filesystem:
        raise HostError(
            f"filesystem: {contents.device} has {contents.filesystem} already and is not formatted again; "
            f"leave filesystem out, or say {contents.filesystem}."
        )
    here = mounted.get(wanted.path)
    elsewhere = [path for path, device in mounted.items() if device == contents.device and path != wanted.path]
    if here and here != contents.device:
        raise HostError(f"path: {here} is mounted at {wanted.path} already; choose another path, or unmount it first.")
    if elsewhere and not here:
        raise HostError(f"path: {contents.device} is mounted at {elsewhere[0]}; unmount it first, or say path: {elsewhere[0]}.")
    if not here and occupied(wanted.path):
        raise HostError(
            f"path: {wanted.path} is not an empty folder, and a disk that is mounted there would hide what is in it; "
            "choose another path, or move it away."
        )
    todo = Todo(contents)
    if contents.kind != "filesystem":
        todo.partition = wanted.partition and contents.kind == "empty"
        todo.format = wanted.filesystem or "ext4"
        todo.steps += [f"partition {contents.device}"] if todo.partition else []
        todo.steps.append(f"make {todo.format} on {contents.device}")
    new = with_entry(fstab, wanted, contents.uuid or "(new)", todo.format or contents.filesystem)
    if new != fstab:
        todo.fstab = new
        todo.steps.append(f"write {FSTAB}")
    todo.mount = not here
    todo.steps += [f"mount {wanted.path}"] if todo.mount else []
    return todo


def with_entry(fstab: str, wanted: Wanted, uuid: str, filesystem: str) -> str:
    """The text of fstab with our line; an own older one is replaced, another's at the same path is refused."""
    line = f"UUID={uuid} {wanted.path} {filesystem} {wanted.options} 0 2"
    lines, done = [], False
    for old in fstab.splitlines():
        words = old.split()
        if len(words) < 2 or words[0].startswith("#") or words[1] != wanted.path:
            lines.append(old)
            continue
        if words[0].lower() != f"uuid={uuid}".lower():
            raise HostError(f"path: {FSTAB} has {words[0]} at {wanted.path} already; take that line out, or choose another path.")
        lines.append(old if words == line.split() else line)
        done = True
    return "\n".join([*lines, *([] if done else [line])]) + "\n"


def apply(wanted: Wanted, todo: Todo, write: t.Callable[[str, str], None]) -> Contents:
    """Do it; what is on the disk then."""
    contents = todo.contents
    if todo.format:
        contents = _format(todo)
        with open(FSTAB, encoding="utf-8") as file:
            todo.fstab = with_entry(file.read(), wanted, contents.uuid, contents.filesystem)
    if todo.fstab is not None:
        write(FSTAB, todo.fstab)
        check("systemctl", "daemon-reload")
    if todo.mount:
        os.makedirs(wanted.path, mode=0o755, exist_ok=True)
        check("mount", wanted.path)
    return contents


def _format(todo: Todo) -> Contents:
    device = todo.contents.device
    if todo.partition:
        device = _partition(device)
    if run("sh", "-c", f"command -v mkfs.{todo.format}").code:
        package = "xfsprogs" if todo.format == "xfs" else "e2fsprogs"
        raise HostError(f"filesystem: this host has no mkfs.{todo.format}; install {package}, or choose another one.")
    # Without -f or -F: should something be on it after all, both refuse.
    check(f"mkfs.{todo.format}", "-q", device, timeout=1800)
    found = probe(device)
    return Contents(device, "filesystem", found["TYPE"], found["UUID"])


def _partition(device: str) -> str:
    """One partition over the whole disk, aligned as sfdisk does; its device."""
    check("sh", "-c", 'printf "label: gpt\\n,,L\\n" | sfdisk -q "$1"', "sh", device, timeout=300)
    run("udevadm", "settle")
    deadline = time.monotonic() + 30
    while True:
        found = [part for part in partitions(device) if os.path.exists(part)]
        if found:
            return found[0]
        if time.monotonic() >= deadline:
            raise HostError(
                f"partition: {device} was partitioned, but its partition has no device after 30 s; "
                f"run 'partprobe {device}', and then this task again."
            )
        time.sleep(0.5)
