#!/usr/bin/python
# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module data_disk: a data disk with a file system, mounted by UUID, on the host it runs on."""

from __future__ import annotations

DOCUMENTATION = r"""
module: data_disk
short_description: Mount a data disk of a host, with a file system where it is empty
version_added: 0.1.0
author: The dockhost.azure authors (@dockhost)
description:
  - Finds a data disk by its LUN or path, gives it a file system where there is nothing on it, and mounts it by its UUID, now and at each boot.
  - A disk gets a file system only when it has no signature of anything and its first and last MiB are zeros. What is on a disk stays; a disk with
    several partitions, with LVM, RAID, encryption or swap, or with data of no known kind is refused.
  - A disk is not mounted over files, nor in place of another file system.
  - With nothing to change it reads only, in some hundredths of a second.
requirements:
  - Python 3.9 or later on the host, and C(blkid), C(lsblk) and C(mkfs), which all supported systems have
options:
  path:
    description: Where it is mounted. The folder is made when it is missing, and must be empty.
    type: path
    required: true
  lun:
    description: The number of the disk on an Azure host (O(dockhost.azure.host_group#module:data_disks)).
    type: int
  device:
    description: The path of the disk or partition, on hosts elsewhere. A name below C(/dev/disk/by-id) stays the same over reboots.
    type: path
  filesystem:
    description:
      - The file system that an empty disk gets, V(ext4) when not given.
      - A disk that has another one already is refused.
    type: str
    choices: [ext4, xfs]
  partition:
    description: Whether an empty disk gets one partition (GPT) over all of it. Without that the file system is on the disk itself, which is easier to grow.
    type: bool
    default: false
  options:
    description: Options of the mount.
    type: str
    default: defaults,nofail
  wait:
    description: How many seconds to wait for the disk to appear, for one that has just been attached.
    type: int
    default: 60
attributes:
  check_mode:
    description: Says what would be done.
    support: full
  diff_mode:
    description: Shows the steps, and C(/etc/fstab).
    support: full
seealso:
  - module: dockhost.azure.host_group
  - module: dockhost.azure.engine
"""

EXAMPLES = r"""
- name: The disk with LUN 0 at /data
  dockhost.azure.data_disk:
    lun: 0
    path: /data
  become: true
"""

RETURN = r"""
device:
  description: The device with the file system; in check mode the disk, where it is empty.
  returned: success
  type: str
  sample: /dev/sdc
uuid:
  description: UUID of the file system; empty in check mode where there is none yet.
  returned: success
  type: str
filesystem:
  description: The file system.
  returned: success
  type: str
  sample: ext4
formatted:
  description: Whether the disk was empty and has got a file system, or would in check mode.
  returned: success
  type: bool
steps:
  description: What was done, or would be in check mode.
  returned: success
  type: list
  elements: str
  sample: [make ext4 on /dev/sdc, write /etc/fstab, mount /data]
"""

import os

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.dockhost.azure.plugins.module_utils._docker_host import disk
from ansible_collections.dockhost.azure.plugins.module_utils._docker_host.apply import write
from ansible_collections.dockhost.azure.plugins.module_utils._docker_host.packages import HostError


ARGUMENTS = dict(
    path=dict(type="path", required=True),
    lun=dict(type="int"),
    device=dict(type="path"),
    filesystem=dict(type="str", choices=["ext4", "xfs"]),
    partition=dict(type="bool", default=False),
    options=dict(type="str", default="defaults,nofail"),
    wait=dict(type="int", default=60),
)


def occupied(path: str) -> bool:
    """True where a path is a folder with something in it, or is no folder."""
    try:
        return bool(os.listdir(path))
    except FileNotFoundError:
        return False
    except NotADirectoryError:
        return True


def run(wanted: disk.Wanted, check_mode: bool) -> dict:
    """Look, plan and do; the result of the module."""
    if not wanted.path.startswith("/") or wanted.path.rstrip("/") != os.path.normpath(wanted.path) or any(map(str.isspace, wanted.path)):
        raise HostError(f"path: {wanted.path!r} is not an absolute path without blanks and '..'.")
    contents = disk.look(disk.find(wanted))
    try:
        with open(disk.FSTAB, encoding="utf-8") as file:
            fstab = file.read()
    except FileNotFoundError:
        fstab = ""
    todo = disk.plan(wanted, contents, disk.mounts(), fstab, occupied)
    after = contents if check_mode or not todo.steps else disk.apply(wanted, todo, write)
    return dict(
        changed=bool(todo.steps),
        device=after.device,
        uuid=after.uuid,
        filesystem=after.filesystem or todo.format,
        formatted=bool(todo.format),
        steps=todo.steps,
        diff=[
            dict(before="", after="".join(f"{step}\n" for step in todo.steps), before_header="disk", after_header="disk"),
            dict(before=fstab, after=fstab if todo.fstab is None else todo.fstab, before_header=disk.FSTAB, after_header=disk.FSTAB),
        ],
    )


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec=ARGUMENTS, supports_check_mode=True, mutually_exclusive=[("lun", "device")], required_one_of=[("lun", "device")]
    )
    try:
        result = run(disk.Wanted(**module.params), module.check_mode)
    except HostError as error:
        module.fail_json(msg=str(error))
    except PermissionError as error:
        module.fail_json(msg=f"The host refused: {error}. Run the task with become: true.")
    if not module._diff or not result["changed"]:
        del result["diff"]
    module.exit_json(**result)


if __name__ == "__main__":
    main()
