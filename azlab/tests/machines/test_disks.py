# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Data disks as block devices: formatted and mounted in a machine, moved to another one, kept when it stops or goes."""
from __future__ import annotations

from pathlib import Path

import pytest
from machine_lab import Lab, machine_id

from azlab import images
from azlab.machines.docker import create_driver, disks, leftovers, names
from azlab.machines.driver import DataDisk, MachineError

pytestmark = pytest.mark.machines
DISK = DataDisk("/subscriptions/s/disks/d-1", 3, 2)
LINK = "/dev/disk/azure/scsi1/lun3"
FORMAT = f"mkfs.ext4 -q {LINK} && mkdir -p /data && mount {LINK} /data && echo kept > /data/file && blockdev --getsize64 {LINK}"


@pytest.fixture(autouse=True)
def block_devices(lab: Lab) -> None:
    if not Path("/dev/loop-control").exists():
        pytest.skip("this kernel gives no loop devices")
    assert lab.driver.hot_disks


def loops(lab: Lab) -> dict[str, str]:
    """{loop device: file} of this lab's disks, as the kernel has them."""
    return {device: file for device, (owner, file) in disks.in_kernel().items() if owner == lab.config.name}


def test_a_disk_is_attached_to_a_running_machine_and_moves_to_another_with_its_data(lab: Lab) -> None:
    lab.do(lab.driver.set_disks(machine_id(1), (DISK,)))
    made = lab.run(1, FORMAT)
    assert (made.exit_code, made.stdout) == (0, f"{2 << 30}\n"), made
    assert list(loops(lab).values()) == [names.disk_file(lab.config.name, DISK.id)]

    lab.run(1, "cd /data && systemd-run --quiet --unit busy --property WorkingDirectory=/data sleep 600")
    with pytest.raises(MachineError, match="DataDiskInUse"):
        lab.do(lab.driver.set_disks(machine_id(1), ()))
    assert lab.run(1, f"cat /data/file; test -b {LINK} && systemctl stop busy").stdout == "kept\n"

    lab.do(lab.driver.set_disks(machine_id(1), ()))
    assert lab.run(1, f"test -e {LINK} || findmnt /data").exit_code == 1
    assert loops(lab) == {}
    other = DataDisk(DISK.id, 0, 3)         # another place, and a gibibyte more
    lab.do(lab.driver.set_disks(machine_id(2), (other,)))
    device = LINK.replace("lun3", "lun0")
    moved = lab.run(2, f"mount {device} /mnt && cat /mnt/file && blockdev --getsize64 {device} && umount /mnt")
    assert moved.stdout == f"kept\n{3 << 30}\n", moved
    lab.do(lab.driver.set_disks(machine_id(2), ()))
    lab.do(lab.driver.delete_disk(DISK.id))
    assert loops(lab) == {}


def test_a_disk_in_fstab_is_mounted_at_each_start_and_outlives_the_machine(lab: Lab) -> None:
    spec = lab.spec(4, data_disks=(DISK,))
    try:
        lab.do(lab.driver.create_machine(spec))
        assert lab.run(4, FORMAT).exit_code == 0
        lab.run(4, "echo UUID=$(blkid -o value -s UUID /dev/disk/azure/scsi1/lun3) /data ext4 defaults 0 2 >> /etc/fstab; "
                   "echo system > /root/file; sync")
        lab.do(lab.driver.deallocate(spec.id))
        assert loops(lab) == {}
        lab.do(lab.driver.start_machine(spec.id))
        again = lab.run(4, "findmnt -no FSTYPE /data; cat /data/file; systemctl is-system-running")
        assert again.stdout == "ext4\nkept\nrunning\n", again
        keys = lab.run(4, "cat /etc/ssh/ssh_host_ed25519_key.pub").stdout
        lab.do(lab.driver.reimage(spec))
        after = lab.run(4, f"ls /root/file /data; cat /etc/ssh/ssh_host_ed25519_key.pub; mount {LINK} /mnt && cat /mnt/file")
        assert after.stdout.endswith("kept\n") and keys not in after.stdout and "file" not in after.stdout.split("\n")[0]
    finally:
        lab.do(lab.driver.delete_machine(spec.id))
    assert lab.do(lab.driver.machine_state(spec.id)) == "missing"
    assert lab.do(lab.driver.delete_machine(spec.id)) is None
    assert loops(lab) == {}
    lab.do(lab.driver.set_disks(machine_id(1), (DISK,)))
    assert lab.run(1, f"mount {LINK} /mnt && cat /mnt/file; umount /mnt").stdout == "kept\n"
    lab.do(lab.driver.set_disks(machine_id(1), ()))
    lab.do(lab.driver.delete_disk(DISK.id))


def test_the_next_process_lets_go_of_what_the_last_one_was_about_to_detach(lab: Lab) -> None:
    kept = DataDisk("/subscriptions/s/disks/kept", 1, 1)
    lab.do(lab.driver.set_disks(machine_id(1), (kept,)))
    lab.driver.disks._attach(DISK)          # attached for nobody: what a process leaves that is killed in between
    assert lab.driver._engine is not None
    labels = names.labels(lab.config, "trial")
    lab.driver._engine.client.containers.create(images.tag_of("gateway"), ["true"], network_mode="none", labels=labels)

    async def next_process() -> None:
        other = create_driver(lab.config)
        try:
            await other.start(lambda line: None)
        finally:
            await other.close()
    lab.do(next_process())
    assert list(loops(lab).values()) == [names.disk_file(lab.config.name, kept.id)]
    assert "trial" not in {item.use for item in leftovers.find(lab.driver._engine.client, lab.config.name)}
    lab.do(lab.driver.set_disks(machine_id(1), ()))
    for disk in (kept, DISK):
        lab.do(lab.driver.delete_disk(disk.id))


def test_without_loop_devices_a_disk_is_a_directory_that_outlives_the_machine(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lab.driver.disks, "available", False)
    assert not lab.driver.hot_disks
    spec = lab.spec(4, data_disks=(DISK,))
    for content in ("", "kept\n"):
        try:
            lab.do(lab.driver.create_machine(spec))
            assert lab.run(4, "findmnt -no TARGET /mnt/lun3; cat /mnt/lun3/file 2>/dev/null; echo kept > /mnt/lun3/file").stdout == \
                "/mnt/lun3\n" + content
        finally:
            lab.do(lab.driver.delete_machine(spec.id))
    assert lab.driver._engine is not None
    uses = [item.use for item in leftovers.find(lab.driver._engine.client, lab.config.name)]
    lab.do(lab.driver.delete_disk(DISK.id))
    left = [item.use for item in leftovers.find(lab.driver._engine.client, lab.config.name)]
    assert "data-disk" in uses and "data-disk" not in left


def test_loop_devices_whose_container_is_gone_are_found_and_taken_away(lab: Lab) -> None:
    assert lab.driver._engine is not None
    client, lost = lab.driver._engine.client, f"{lab.config.name}l"
    config = lab.config.__class__(lost, Path("/nonexistent"))
    container = disks.ensure(client, config, lab.driver._engine.privileges())
    container.start()
    disks.run(container, "attach", names.disk_file(lost, "some disk"), "1")
    container.remove(force=True)
    assert {item.kind for item in leftovers.find(client, lost)} == {"loop", "volume"}
    leftovers.remove(client, lost)
    assert leftovers.find(client, lost) == []
