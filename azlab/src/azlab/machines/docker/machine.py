# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The container of one virtual machine: make, start, stop, remove, run commands in it. Blocking; run in threads."""
from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import docker.errors
import docker.types
import requests
from docker.models.containers import Container

from azlab import images
from azlab.machines.docker import commands, kernel, names, seed
from azlab.machines.docker.disks import with_loops
from azlab.machines.docker.engine import Engine, name_servers
from azlab.machines.driver import CommandResult, DataDisk, LabConfig, MachineError, MachineSpec

# Where an engine in the machine keeps images and containers: overlay file systems cannot lie on one another.
Mounts = list[docker.types.Mount]
OS_VOLUMES = {"docker": "/var/lib/docker", "containerd": "/var/lib/containerd"}
TMPFS = {"/run": "mode=755", "/run/lock": "", "/tmp": "exec,mode=1777"}
TIMED_OUT = 124     # what timeout(1) ends with
GOING = 10          # seconds from the end of a system's processes to the engine's word that it ended
HUB = ("registry-1.docker.io", "index.docker.io", "docker.io")


class Machines:
    """Containers of a lab's machines."""

    def __init__(self, config: LabConfig, engine: Engine) -> None:
        self.config = config
        self.engine = engine

    def find(self, machine_id: str) -> Container | None:
        try:
            return self.engine.client.containers.get(names.machine(self.config.name, machine_id))
        except docker.errors.NotFound:
            return None

    def get(self, machine_id: str) -> Container:
        container = self.find(machine_id)
        if container is None:
            raise MachineError("ResourceNotFound", f"the machine {machine_id} has no container; delete it and create it again.")
        return container

    def list(self) -> list[Container]:
        label = [f"{names.LABEL_LAB}={self.config.name}", f"{names.LABEL_KIND}=machine"]
        return self.engine.client.containers.list(all=True, filters={"label": label})

    def running(self) -> int:
        """How many machines run on this engine, those of other labs included."""
        return len(self.engine.client.containers.list(filters={"label": f"{names.LABEL_KIND}=machine"}))

    def create(self, spec: MachineSpec, ca: bytes | None, registry: str, *, block_devices: bool) -> Container:
        """A container that is ready to boot for the first time; nothing runs yet."""
        lab = self.config.name
        container = self.engine.client.containers.create(
            images.tag_of("machine"), name=names.machine(lab, spec.id), hostname=spec.computer_name,
            # Its interface comes from the gateway of its virtual network, not from the engine.
            network_mode="none", dns=name_servers(), cgroupns="private", tmpfs=TMPFS,
            extra_hosts={spec.computer_name: "127.0.1.1", **dict.fromkeys(HUB, registry)},
            mounts=self._mounts(spec, block_devices), labels=self._labels(spec),
            nano_cpus=min(spec.cpus, self.engine.cpus) * 10**9, mem_limit=self._memory(spec.memory_mb),
            log_config={"type": "json-file", "config": {"max-size": "5m", "max-file": "1"}},
            environment={"container": "docker"}, **(with_loops if block_devices else dict)(self.engine.privileges()))
        container.put_archive("/", seed.archive(spec, ca))
        return container

    def start(self, container: Container) -> int:
        """Start it; the process id whose network namespace the gateway has to connect."""
        container.start()
        container.reload()
        pid = int(container.attrs["State"]["Pid"])
        if not pid:
            raise MachineError("OSProvisioningTimedOut", f"the machine ended while it started: {self.last_words(container)}")
        return pid

    @staticmethod
    def runs(container: Container) -> bool:
        container.reload()
        return str(container.status) == "running"

    @staticmethod
    def ended(container: Container) -> bool:
        """Whether its system ends; the engine says so a moment after the last process was killed, which this waits for."""
        try:
            container.wait(timeout=GOING)
        except requests.RequestException:
            pass
        return not Machines.runs(container)

    def remove(self, machine_id: str) -> None:
        """The container and its OS disk; data disks stay."""
        container = self.find(machine_id)
        if container is not None:
            _ignore_missing(container.remove, force=True, v=True)
        self.remove_volumes(names.os_volume(self.config.name, machine_id, use) for use in OS_VOLUMES)

    def remove_volumes(self, wanted: Iterable[str]) -> None:
        for name in wanted:
            _ignore_missing(lambda name=name: self.engine.client.volumes.get(name).remove(force=True))

    def run(self, machine_id: str, script: str, timeout: float) -> CommandResult:
        """Run a shell script as root; exit code 124 when it took too long."""
        container = self.find(machine_id)
        if container is None or container.status != "running":
            raise MachineError("VMAgentStatusCommunicationError", (
                f"VM '{machine_id.rpartition('/')[2]}' has not reported status for VM agent or extensions: it is not running."))
        return commands.run(container, script, timeout)

    def wait_booted(self, container: Container, seconds: float) -> str:
        """Until cloud-init is done and sshd answers; what cloud-init complained about (empty: nothing)."""
        script = f"timeout {max(1, int(seconds))} /usr/lib/azlab/booted"
        name = container.labels.get("azlab.name", container.name)
        try:
            result = container.exec_run(["/bin/sh", "-c", script])
            code, text = result.exit_code, (result.output or b"").decode(errors="replace").strip()
        except docker.errors.APIError as error:
            code, text = None, str(error.explanation)
        if code not in (0, TIMED_OUT) and self.ended(container):
            raise MachineError("OSProvisioningTimedOut", (
                f"OS Provisioning for VM '{name}' did not finish: its system ended while it booted "
                f"(exit status {container.attrs['State']['ExitCode']}). {kernel.shortage(self.running()) or self.last_words(container)}".rstrip()))
        if code != 0:
            raise MachineError("OSProvisioningTimedOut", (
                f"OS Provisioning for VM '{name}' did not finish in the allotted time. "
                "The VM may still finish provisioning successfully. Please check provisioning state later. (In this lab: "
                f"{int(seconds)} s. {text or self.last_words(container)})"))
        return text

    @staticmethod
    def last_words(container: Container) -> str:
        return container.logs(tail=5).decode(errors="replace").strip()[-500:]

    def _mounts(self, spec: MachineSpec, block_devices: bool) -> Mounts:
        lab = self.config.name
        mounts = [self._mount(names.os_volume(lab, spec.id, use), target, "os-volume", spec.id) for use, target in OS_VOLUMES.items()]
        return mounts + [self._data(disk) for disk in spec.data_disks if not block_devices]

    def _data(self, disk: DataDisk) -> docker.types.Mount:
        """Without loop devices a data disk is a directory that outlives the machine: formatted and mounted already."""
        return self._mount(names.data_disk(self.config.name, disk.id), f"/mnt/lun{disk.lun}", "data-disk", disk.id)

    def _mount(self, name: str, target: str, kind: str, identifier: str) -> docker.types.Mount:
        return docker.types.Mount(target, name, type="volume", labels=names.labels(self.config, kind, identifier))

    def _labels(self, spec: MachineSpec) -> dict[str, str]:
        return names.labels(
            self.config, "machine", spec.id, name=spec.name, vnet=spec.vnet_id, address=spec.private_ip,
            prefix_length=str(spec.prefix_length), resource_group=spec.resource_group)

    def _memory(self, megabytes: int) -> int:
        wanted = megabytes * 1024 * 1024
        return min(wanted, self.engine.memory) if self.engine.memory else wanted


def plug(container: Container) -> dict[str, Any]:
    """What a gateway needs to know of a machine's interface."""
    labels = container.labels
    return {"address": labels["azlab.address"], "prefix_length": int(labels["azlab.prefix-length"]), "mac": names.mac(labels[names.LABEL_ID])}


def _ignore_missing(function: Any, **kwargs: Any) -> None:
    """Remove something that may be gone, or is going just now."""
    try:
        function(**kwargs)
    except docker.errors.NotFound:
        pass
    except docker.errors.APIError as error:
        if "already in progress" not in str(error):
            raise
