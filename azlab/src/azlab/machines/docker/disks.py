# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Data disks of machines: block devices that outlive them (images/gateway/loops.py, images/machine/disks). Blocking.

A disk is a sparse file in a volume of the lab and has a loop device while a machine that it is attached to runs. Where the
kernel gives none (`available` is False), a disk is a volume that is mounted in the machine from its start on, and cannot be
attached or detached later.
"""
from __future__ import annotations

import json
import logging
import re
import threading
from pathlib import Path
from typing import Any

import docker
import docker.errors
import docker.types
from docker.models.containers import Container

from azlab import images
from azlab.machines.docker import names, seed
from azlab.machines.docker.engine import Engine
from azlab.machines.driver import DataDisk, LabConfig, MachineError

log = logging.getLogger("azlab.machines")
LIST = "etc/azlab/disks"
LOOPS = ["python3", "/opt/azlab/loops.py"]
_TRIES = 5
RULES = [f"b {names.LOOP_MAJOR}:* rwm"]         # what a container needs to use loop devices that it was not made with


class Disks:
    """The data disks of a lab, and which machine has which."""

    def __init__(self, config: LabConfig, engine: Engine) -> None:
        self.config, self.engine = config, engine
        self.available = False
        self._file = config.home / "data-disks.json"
        self._table: dict[str, tuple[DataDisk, ...]] = {}
        self._writing = threading.Lock()

    def prepare(self) -> str:
        """Make the container that holds the disks and try a loop device; empty, or why there is none."""
        if self._file.exists():
            self._table = {machine: tuple(DataDisk(*disk) for disk in disks) for machine, disks in json.loads(self._file.read_text()).items()}
        try:
            ensure(self.engine.client, self.config, self.engine.privileges()).start()
            self._loops("probe")
        except MachineError as error:
            return error.message
        self.available = True
        self._let_go()
        return ""

    def _let_go(self) -> None:
        """Loop devices of disks that no machine has: the lab ended between two steps of a detachment."""
        held = {names.disk_file(self.config.name, disk.id) for disks in self._table.values() for disk in disks}
        try:
            self._loops("detach-all", names.disk_files(self.config.name), *sorted(held))
        except MachineError as error:
            log.warning("%s", error)

    def of(self, machine_id: str) -> tuple[DataDisk, ...]:
        return self._table.get(machine_id, ())

    def assign(self, machine_id: str, disks: tuple[DataDisk, ...]) -> None:
        """Keep which disks a machine has; a next process of the lab knows it too."""
        with self._writing:
            if disks:
                self._table[machine_id] = disks
            elif self._table.pop(machine_id, None) is None:
                return
            new = self._file.with_suffix(".new")
            new.write_text(json.dumps({machine: [[d.id, d.lun, d.size_gb] for d in held] for machine, held in self._table.items()}))
            new.replace(self._file)

    def plug_in(self, container: Container, machine_id: str) -> None:
        """Loop devices for a machine that is about to start, and the list from which it makes its names for them."""
        if self.available:
            self._write_list(container, self.of(machine_id))

    def change(self, container: Container, machine_id: str, disks: tuple[DataDisk, ...]) -> None:
        """Attach and detach while the machine runs. MachineError when a disk that has to go is in use; nothing changed then."""
        before = self.of(machine_id)
        self._write_list(container, disks)
        shown = container.exec_run(["/usr/lib/azlab/disks"])
        if shown.exit_code:
            self._write_list(container, before)
            container.exec_run(["/usr/lib/azlab/disks"])
            self._detach(set(disks) - set(before))
            text = (shown.output or b"").decode(errors="replace").strip()
            raise MachineError("DataDiskInUse", f"A data disk that is to be detached is in use in the virtual machine: {text}")
        self.assign(machine_id, disks)
        self._detach(set(before) - set(disks))

    def unplug(self, machine_id: str) -> None:
        """After the machine stopped: nothing of its disks stays in the kernel."""
        if self.available:
            self._detach(set(self.of(machine_id)))

    def delete(self, disk_id: str) -> None:
        """Remove a disk for good."""
        if self.available:
            self._loops("delete", names.disk_file(self.config.name, disk_id))

    def sweep(self, known: set[str]) -> int:
        """Remove the disks that are not among these ids; how many there were."""
        wanted = {names.disk_file(self.config.name, disk_id) for disk_id in known}
        lost = [file for file in self._loops("list")["files"] if file not in wanted] if self.available else []
        for file in lost:
            self._loops("delete", file)
        return len(lost)

    def _write_list(self, container: Container, disks: tuple[DataDisk, ...]) -> None:
        lines = [f"{disk.lun} {self._attach(disk)}\n" for disk in disks]
        container.put_archive("/", seed.tar({LIST: ("".join(lines).encode(), 0o644)}))

    def _attach(self, disk: DataDisk) -> int:
        return int(self._loops("attach", names.disk_file(self.config.name, disk.id), str(disk.size_gb))["loop"])

    def _detach(self, disks: set[DataDisk]) -> None:
        for disk in disks:
            self._loops("detach", names.disk_file(self.config.name, disk.id))

    def _loops(self, *arguments: str) -> dict[str, Any]:
        container = self.engine.client.containers.get(names.disks(self.config.name))
        if container.status != "running":       # the engine was started anew meanwhile
            container.start()
        return run(container, *arguments)


def run(container: Container, *arguments: str) -> dict[str, Any]:
    """One call of loops.py, which does nothing twice; again when the engine lost what it said (see commands.py). MachineError
    with its sentence when it fails."""
    for _ in range(_TRIES):
        result = container.exec_run([*LOOPS, *arguments])
        text = (result.output or b"").decode(errors="replace").strip()
        if text or result.exit_code:
            break
    if result.exit_code:
        raise MachineError("InternalExecutionError", f"the data disks of the lab: {text.splitlines()[-1] if text else 'no answer'}")
    return dict(json.loads(text))


def ensure(client: docker.DockerClient, config: LabConfig, privileges: dict[str, Any]) -> Container:
    """The container that has the volume with the disks, made anew when its image changed."""
    name, image = names.disks(config.name), images.any_of(client, "gateway")
    try:
        container = client.containers.get(name)
        if container.attrs["Image"] == image:
            return container
        container.remove(force=True)
    except docker.errors.NotFound:
        pass
    mount = docker.types.Mount("/disks", names.disk_store(config.name), type="volume", labels=names.labels(config, "disk-store"))
    return client.containers.create(
        image, ["sleep", "infinity"], name=name, hostname="disks", network_mode="none", mounts=[mount],
        labels=names.labels(config, "disks"), **with_loops(privileges))


def with_loops(privileges: dict[str, Any]) -> dict[str, Any]:
    """The privileges of a container that also uses loop devices."""
    if privileges.get("privileged"):
        return privileges
    control = "c 10:237 rwm"            # /dev/loop-control
    return {**privileges, "device_cgroup_rules": [*RULES, control]}


def release(client: docker.DockerClient, lab: str) -> None:
    """Take away all loop devices of a lab, also when the container that made them is gone. Its machines must be gone."""
    try:
        container = client.containers.get(names.disks(lab))
    except docker.errors.NotFound:
        if not any(owner == lab for owner, _file in in_kernel().values()):
            return
        config, engine = LabConfig(lab, Path()), Engine(client)
        engine.learn(images.any_of(client, "gateway"), names.labels(config, "trial"))
        container = ensure(client, config, engine.privileges())
    container.start()
    run(container, "detach-all", names.disk_files(lab))


def in_kernel(sys_block: Path = Path("/sys/block")) -> dict[str, tuple[str, str]]:
    """{loop device: (lab, file)} of labs, by this machine's kernel; empty where the engine runs on another one."""
    found = {}
    for entry in sys_block.glob("loop*"):
        try:
            path = (entry / "loop" / "backing_file").read_text().strip()
        except OSError:
            continue
        match = re.fullmatch(names.DISK_FILE, path.removesuffix(" (deleted)").rpartition("/")[2])
        if match:
            found[f"/dev/{entry.name}"] = (match["lab"], match[0])
    return found
