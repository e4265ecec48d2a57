# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Data disks as loop devices of the kernel below: `loops.py probe | attach FILE GIB | detach FILE | detach-all PATTERN [BUT…] | delete FILE | list`.

A disk is a sparse file in /disks whose name says whose it is; so do the kernel's own lists, for whoever looks for what was
left over. Prints one line of JSON; exit status 1 with a sentence when the kernel does not do it.
"""
from __future__ import annotations

import fcntl
import json
import os
import re
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

DISKS = Path("/disks")
LOOP_MAJOR, CONTROL = 7, (10, 237)      # https://www.kernel.org/doc/Documentation/admin-guide/devices.txt
LARGEST = 16 << 40                      # bytes that a file of ext4 can have
IN_USE_SECONDS = 10


class LoopError(Exception):
    """The kernel did not do it; the text is one sentence."""


def attached() -> Iterator[tuple[int, str]]:
    """(number of the loop device, name of its file) of all loop devices that have one."""
    for entry in Path("/sys/block").glob("loop*"):
        try:
            path = (entry / "loop" / "backing_file").read_text().strip()
        except OSError:
            continue                    # free, or freed just now
        yield int(entry.name[4:]), path.removesuffix(" (deleted)").rpartition("/")[2]


def number_of(name: str) -> int | None:
    return next((number for number, file in attached() if file == name), None)


def node(path: str, kind: int, major: int, minor: int) -> str:
    """A device node, made when it is missing: a container has those only that it was made with."""
    try:
        os.mknod(path, kind | 0o600, os.makedev(major, minor))
    except FileExistsError:
        pass
    return path


def run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise LoopError(done.stderr.strip() or f"{command[0]} failed with status {done.returncode}")
    return done.stdout.strip()


def attach(name: str, gibibytes: int) -> int:
    """Make the file as large as the disk (never smaller) and give it a loop device; the one that it has already stays."""
    path, size = DISKS / name, min(gibibytes << 30, LARGEST)
    with path.open("ab") as file:
        if file.tell() < size:
            file.truncate(size)
    number = number_of(name)
    if number is None:
        number = _free_loop(path)
    else:
        run("losetup", "--set-capacity", node(f"/dev/loop{number}", stat.S_IFBLK, LOOP_MAJOR, number))
    return number


def _free_loop(path: Path) -> int:
    problem = LoopError("no loop device is free")
    for _attempt in range(20):          # between the question and the use another program may take it
        number = int(run("losetup", "--find").split()[0].rpartition("loop")[2])    # "/dev/loop0 (lost)" without its node
        try:
            run("losetup", node(f"/dev/loop{number}", stat.S_IFBLK, LOOP_MAJOR, number), str(path))
            return number
        except LoopError as error:
            problem = error
    raise problem


def detach(name: str) -> None:
    """Take the loop device away; an error when something still has it open after some seconds."""
    number = number_of(name)
    if number is None:
        return
    run("losetup", "--detach", node(f"/dev/loop{number}", stat.S_IFBLK, LOOP_MAJOR, number))
    deadline = time.monotonic() + IN_USE_SECONDS
    while number_of(name) is not None:
        if time.monotonic() > deadline:
            raise LoopError(f"/dev/loop{number} ({name}) is still in use")
        time.sleep(0.02)


def detach_all(pattern: str, but: set[str]) -> int:
    found = [name for _number, name in attached() if re.fullmatch(pattern, name) and name not in but]
    for name in found:
        detach(name)
    return len(found)


def probe() -> None:
    """Does the kernel give a loop device, and does it keep what is written?"""
    name = "probe.img"
    try:
        number = attach(name, 1)
        with open(f"/dev/loop{number}", "r+b", buffering=0) as device:
            device.write(b"azlab".ljust(4096))
            device.seek(0)
            if device.read(5) != b"azlab":
                raise LoopError(f"/dev/loop{number} does not keep what is written to it")
    finally:
        detach(name)
        (DISKS / name).unlink(missing_ok=True)


def main(arguments: list[str]) -> dict[str, object]:
    action, *rest = arguments
    node("/dev/loop-control", stat.S_IFCHR, *CONTROL)
    with (DISKS / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if action == "probe":
            probe()
        elif action == "attach":
            return {"loop": attach(rest[0], int(rest[1]))}
        elif action == "detach":
            detach(rest[0])
        elif action == "detach-all":
            return {"detached": detach_all(rest[0], set(rest[1:]))}
        elif action == "delete":
            detach(rest[0])
            (DISKS / rest[0]).unlink(missing_ok=True)
        elif action == "list":
            return {"files": sorted(path.name for path in DISKS.glob("*.img"))}
        else:
            raise LoopError(f"unknown action {action}")
    return {}


if __name__ == "__main__":
    try:
        print(json.dumps(main(sys.argv[1:])))
    except (LoopError, OSError) as failure:
        sys.exit(str(failure))
