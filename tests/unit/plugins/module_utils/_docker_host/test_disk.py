# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a data disk gets, and what is refused so that nothing on it is lost. Disks are files here, with blkid's answers given."""

from __future__ import annotations

import pytest
from ansible_collections.dockhost.azure.plugins.module_utils._docker_host import disk
from ansible_collections.dockhost.azure.plugins.module_utils._docker_host.command import Result
from ansible_collections.dockhost.azure.plugins.module_utils._docker_host.disk import Contents, Wanted, plan
from ansible_collections.dockhost.azure.plugins.module_utils._docker_host.packages import HostError

WANTED = Wanted(path="/data", lun=0)
XFS = Wanted(path="/data", lun=0, filesystem="xfs", partition=True)
FULL = Contents("/dev/sdc", "filesystem", "ext4", "aa-11")
EMPTY = Contents("/dev/sdc", "empty")
FSTAB = "# a comment\nUUID=root / ext4 defaults 0 1\n"
LINE = "UUID=aa-11 /data ext4 defaults,nofail 0 2\n"


def free(path):
    return False


@pytest.mark.parametrize(
    "wanted, contents, mounted, fstab, steps",
    [
        (WANTED, EMPTY, {}, FSTAB, ["make ext4 on /dev/sdc", "write /etc/fstab", "mount /data"]),
        (XFS, EMPTY, {}, FSTAB, ["partition /dev/sdc", "make xfs on /dev/sdc", "write /etc/fstab", "mount /data"]),
        (WANTED, Contents("/dev/sdc1", "empty partition"), {}, FSTAB, ["make ext4 on /dev/sdc1", "write /etc/fstab", "mount /data"]),
        (WANTED, FULL, {}, FSTAB, ["write /etc/fstab", "mount /data"]),
        (WANTED, FULL, {}, FSTAB + LINE, ["mount /data"]),
        (WANTED, FULL, {"/data": "/dev/sdc"}, FSTAB + LINE, []),
        (WANTED, FULL, {"/data": "/dev/sdc", "/var/lib/docker": "/dev/sdc"}, FSTAB + LINE, []),
        (WANTED, FULL, {"/data": "/dev/sdc"}, FSTAB + "UUID=AA-11 /data ext4 noatime 0 2\n", ["write /etc/fstab"]),
    ],
)
def test_plan(wanted, contents, mounted, fstab, steps):
    todo = plan(wanted, contents, mounted, fstab, free)
    assert todo.steps == steps
    assert bool(todo.format) == (contents.kind != "filesystem")
    if todo.fstab and contents.uuid:
        assert todo.fstab == FSTAB + LINE


@pytest.mark.parametrize(
    "wanted, contents, mounted, fstab, occupied, words",
    [
        (Wanted("/data", 0, filesystem="xfs"), FULL, {}, FSTAB, free, "has ext4 already and is not formatted again"),
        (WANTED, FULL, {"/data": "/dev/sdd"}, FSTAB, free, "/dev/sdd is mounted at /data already"),
        (WANTED, FULL, {"/other": "/dev/sdc"}, FSTAB, free, "/dev/sdc is mounted at /other; unmount it first"),
        (WANTED, FULL, {}, FSTAB, lambda path: True, "/data is not an empty folder"),
        (WANTED, FULL, {}, FSTAB + "/dev/sdd1 /data xfs defaults 0 2\n", free, "has /dev/sdd1 at /data already"),
        (WANTED, EMPTY, {}, FSTAB + LINE, free, "has UUID=aa-11 at /data already"),
    ],
)
def test_what_would_hide_or_lose_something_is_refused(wanted, contents, mounted, fstab, occupied, words):
    with pytest.raises(HostError, match=words):
        plan(wanted, contents, mounted, fstab, occupied)


@pytest.fixture
def device(tmp_path, monkeypatch):
    """A disk of 4 MiB, and what blkid and lsblk say of it."""
    path = tmp_path / "disk"
    path.write_bytes(bytes(4 << 20))
    answers = {"blkid": Result(2, "", ""), "lsblk": Result(0, f"{path} disk\n", "")}
    monkeypatch.setattr(disk, "run", lambda *argv, **more: answers[argv[0]] if argv[0] in answers else Result(0, "", ""))
    return path, answers


def test_a_disk_that_nobody_wrote_to_is_empty(device):
    assert disk.look(str(device[0])) == Contents(str(device[0]), "empty")


@pytest.mark.parametrize("offset", [0, 4096, (4 << 20) - 1])
def test_a_single_byte_of_something_is_enough(device, offset):
    with open(device[0], "r+b") as file:
        file.seek(offset)
        file.write(b"x")
    with pytest.raises(HostError, match="has data on it that is no file system, and is left alone"):
        disk.look(str(device[0]))


@pytest.mark.parametrize("kind", ["LVM2_member", "crypto_LUKS", "linux_raid_member", "swap"])
def test_what_belongs_to_somebody_else_is_left_alone(device, kind):
    device[1]["blkid"] = Result(0, f"DEVNAME=/dev/sdc\nTYPE={kind}\n", "")
    with pytest.raises(HostError, match=f"holds {kind}, which is left alone"):
        disk.look(str(device[0]))


def test_signatures_that_contradict_each_other_are_left_alone(device):
    device[1]["blkid"] = Result(8, "", "ambivalent result (probably more filesystems on the device, use wipefs(8) to see more details)")
    with pytest.raises(HostError, match="signatures of more than one kind"):
        disk.look(str(device[0]))


def test_file_system(device):
    device[1]["blkid"] = Result(0, "TYPE=xfs\nUUID=bb-22\n", "")
    assert disk.look(str(device[0])) == Contents(str(device[0]), "filesystem", "xfs", "bb-22")


def test_partitions(device, tmp_path, monkeypatch):
    one = tmp_path / "disk1"
    one.write_bytes(bytes(2 << 20))
    answers = {str(device[0]): Result(0, "PTTYPE=gpt\n", ""), str(one): Result(2, "", "")}
    rows = [f"{device[0]} disk", f"{one} part"]
    monkeypatch.setattr(disk, "run", lambda *argv, **more: answers[argv[-1]] if argv[0] == "blkid" else Result(0, "\n".join(rows) + "\n", ""))
    assert disk.look(str(device[0])) == Contents(str(one), "empty partition")
    answers[str(one)] = Result(0, "TYPE=ext4\nUUID=cc-33\n", "")
    assert disk.look(str(device[0])) == Contents(str(one), "filesystem", "ext4", "cc-33")
    rows.append(f"{one}x part")
    with pytest.raises(HostError, match="has 2 partitions"):
        disk.look(str(device[0]))


def test_a_disk_that_is_not_there(tmp_path):
    with pytest.raises(HostError, match=r"lun: this host has no disk with LUN 77 after 0 s .*host_group"):
        disk.find(Wanted("/data", lun=77, wait=0))
    with pytest.raises(HostError, match="is no block device"):
        (tmp_path / "file").touch()
        disk.find(Wanted("/data", device=str(tmp_path / "file"), wait=0))
