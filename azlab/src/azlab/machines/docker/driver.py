# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The driver: machines, their networks and their registry, as the control plane asks for them."""
from __future__ import annotations

import asyncio
import ipaddress
import logging

import docker.errors
from docker.models.containers import Container

from azlab import images
from azlab.machines import egress
from azlab.machines.docker import internet, leftovers, names
from azlab.machines.docker.disks import Disks
from azlab.machines.docker.engine import Engine, connect, name_servers
from azlab.machines.docker.gateway import Gateways
from azlab.machines.docker.machine import Machines, plug
from azlab.machines.docker.reboots import Reboots
from azlab.machines.docker.slices import slice_for
from azlab.machines.driver import PROVISIONING_SECONDS, CommandResult, DataDisk, LabConfig, MachineError, MachineSpec, NetworkSpec, NetworkState, Progress
from azlab.registry import LabRegistry

log = logging.getLogger("azlab.machines")
LATER_BOOT_SECONDS = 60.0
SHUTDOWN_SECONDS = 90                   # that a machine may take to shut down before its power is cut


class DockerMachines:
    """MachineDriver on a Docker engine (see azlab.machines.driver for what each call promises)."""

    def __init__(self, config: LabConfig) -> None:
        self.config = config
        self.boot_seconds = PROVISIONING_SECONDS
        self.controller = str(ipaddress.IPv4Network(config.public_range)[1])
        mirrors = (images.mirror(), images.security_mirror())
        self._egress = egress.parse(config.egress, mirrors, str(names.bridge_range(config.public_range)))
        self._engine: Engine | None = None
        self._state = NetworkState()
        self._locks: dict[str, asyncio.Lock] = {}
        self._watch: Reboots | None = None
        self.boot_errors: dict[str, str] = {}           # machine id → what cloud-init complained about

    # -- life of the lab
    async def start(self, progress: Progress) -> None:
        engine = await self._connect()
        try:
            await engine.call(self._prepare, progress)
        except images.ImageError as error:
            raise MachineError("ImageBuildFailed", str(error)) from error
        await self.gateways.adopt()
        await self._adopt_machines()
        self._watch = Reboots(engine.client, self.config.name, self._rebooted)
        self._watch.start()

    async def sweep(self, machines: set[str], disks: set[str]) -> int:
        lost = [c for c in await self._call(self.machines.list) if c.labels[names.LABEL_ID] not in machines]
        for container in lost:
            self._expect(container)
            await self._call(self._remove, container.labels[names.LABEL_ID])
        return len(lost) + await self._call(self.disks.sweep, disks)

    async def close(self) -> None:
        if self._watch:
            await self._watch.close()
        if self._engine:
            self._engine.close()
        self._engine = self._watch = None

    async def destroy(self) -> None:
        engine = await self._connect()
        if self._watch:
            await self._watch.close()
            self._watch = None
        await engine.call(leftovers.remove, engine.client, self.config.name)

    # -- networks
    async def ensure_network(self, network: NetworkSpec) -> None:
        await self.gateways.ensure(network.id)
        if all(known.id != network.id for known in self._state.networks):
            self._state = NetworkState(**{**vars(self._state), "networks": (*self._state.networks, network)})
        await self._push(network.id)

    async def delete_network(self, network_id: str) -> None:
        # Out of the state first, so that nothing that still runs makes the gateway again.
        networks = tuple(known for known in self._state.networks if known.id != network_id)
        self._state = NetworkState(**{**vars(self._state), "networks": networks})
        await self.gateways.remove(network_id)

    async def apply_network(self, state: NetworkState) -> None:
        self._state = state
        for network in state.networks:
            if network in self._state.networks:
                await self.gateways.ensure(network.id)
        # First those that let go of a public address, then those that take one up.
        for network in sorted(state.networks, key=self._gains_address):
            await self._push(network.id)
        # A network that was deleted while an earlier state was being applied may have got its gateway back.
        wanted = {network.id for network in self._state.networks}
        for network_id in self.gateways.known():
            if network_id not in wanted:
                await self.gateways.remove(network_id)

    async def health(self, rule_id: str) -> tuple[str, ...]:
        for rule in self._state.balancer_rules:
            if rule.id == rule_id and rule.backends:
                gateway = await self.gateways.ensure(rule.backends[0].vnet_id)
                return tuple((await gateway.call("health", rule_id=rule_id))["healthy"])
        return ()

    # -- machines
    async def create_machine(self, spec: MachineSpec) -> None:
        async with self._lock(spec.id):
            await self._create(spec)

    async def start_machine(self, machine_id: str) -> None:
        async with self._lock(machine_id):
            container = await self._call(self.machines.get, machine_id)
            if container.status != "running":
                await self._boot_again(container)

    async def power_off(self, machine_id: str, *, cut: bool = False) -> None:
        async with self._lock(machine_id):
            await self._stop(machine_id, cut=cut)

    async def deallocate(self, machine_id: str) -> None:
        await self.power_off(machine_id)

    async def restart(self, machine_id: str) -> None:
        async with self._lock(machine_id):
            await self._stop(machine_id)
            await self._boot_again(await self._call(self.machines.get, machine_id))

    async def redeploy(self, machine_id: str) -> None:
        """There is one host only, so that moving to another one comes to a stop and a start; the OS disk is kept."""
        await self.restart(machine_id)

    async def reimage(self, spec: MachineSpec) -> None:
        async with self._lock(spec.id):
            await self._call(self._remove, spec.id)
            await self._create(spec)

    async def delete_machine(self, machine_id: str) -> None:
        async with self._lock(machine_id):
            container = await self._call(self.machines.find, machine_id)
            if container is not None:
                self._expect(container)
            await self._call(self._remove, machine_id)
            self.boot_errors.pop(machine_id, None)
        self._locks.pop(machine_id, None)

    def _remove(self, machine_id: str) -> None:
        self.machines.remove(machine_id)
        self.disks.unplug(machine_id)
        self.disks.assign(machine_id, ())

    async def set_disks(self, machine_id: str, disks: tuple[DataDisk, ...]) -> None:
        async with self._lock(machine_id):
            container = await self._call(self.machines.get, machine_id)
            if container.status == "running":
                await self._call(self.disks.change, container, machine_id, disks)
            else:
                await self._call(self.disks.assign, machine_id, disks)

    @property
    def hot_disks(self) -> bool:
        return self.disks.available

    async def delete_disk(self, disk_id: str) -> None:
        await self._call(self.disks.delete, disk_id)
        await self._call(self.machines.remove_volumes, [names.data_disk(self.config.name, disk_id)])
        await self._call(self.machines.remove_volumes, [names.data_disk(self.config.name, disk_id)])

    async def run_command(self, machine_id: str, script: str, timeout: float) -> CommandResult:
        return await self._call(self.machines.run, machine_id, script, timeout)

    async def machine_state(self, machine_id: str) -> str:
        container = await self._call(self.machines.find, machine_id)
        if container is None:
            return "missing"
        return "running" if container.status == "running" else "stopped"

    async def boot_log(self, machine_id: str) -> str:
        """The end of the console, and what cloud-init said."""
        container = await self._call(self.machines.get, machine_id)
        console = (await self._call(container.logs, tail=200)).decode(errors="replace")
        errors = self.boot_errors.get(machine_id, "")
        return console + (f"\ncloud-init: {errors}\n" if errors else "")

    # -- how
    async def _connect(self) -> Engine:
        if self._engine is None:
            client = await asyncio.to_thread(connect)
            self._engine = Engine(client)
            self.machines = Machines(self.config, self._engine)
            self.gateways = Gateways(self.config, self._engine)
            self.registry = LabRegistry(self.config, client)
            self.disks = Disks(self.config, self._engine)
        return self._engine

    def _prepare(self, progress: Progress) -> None:
        """Images, the lab's internet, the registry and what it serves (blocking)."""
        engine = self._running_engine()
        internet.ensure(self.config, engine.client)
        builder = images.Builder(engine.client, progress)
        builder.infrastructure()
        engine.learn(images.tag_of("gateway"), names.labels(self.config, "trial"))
        progress("starting the lab's registry")
        self.registry.ensure()
        if missing := self.disks.prepare():
            progress(f"data disks are directories at /mnt/lun<number> here, since the kernel gives no loop device ({missing})")
        for built in builder.apps(self.config.apps):
            if self.registry.push(built.tag, built.hub_name):
                progress(f"the lab's registry serves {built.hub_name}")

    async def _create(self, spec: MachineSpec) -> None:
        if await self._call(self.machines.find, spec.id) is not None:
            await self._call(self._remove, spec.id)      # a first attempt that was cut off
        ca = self.config.ca_file.read_bytes() if self.config.ca_file else None
        await self._call(self.disks.assign, spec.id, spec.data_disks)
        await self._boot(await self._call(
            self.machines.create, spec, ca, self.registry.address, block_devices=self.disks.available),
            self.boot_seconds)

    async def _boot_again(self, container: Container) -> None:
        """Azure waits for the agent at the first boot only: a later one has ended when the machine runs, whatever is in it."""
        try:
            await self._boot(container, min(self.boot_seconds, LATER_BOOT_SECONDS))
        except MachineError as error:
            if error.code != "OSProvisioningTimedOut" or not await self._call(self.machines.runs, container):
                raise
            log.warning("%s runs, but does not answer: %s", container.labels[names.LABEL_ID], error)

    async def _boot(self, container: Container, seconds: float) -> None:
        await self._call(self.disks.plug_in, container, container.labels[names.LABEL_ID])
        await self._plug(container, await self._call(self.machines.start, container))
        errors = await self._call(self.machines.wait_booted, container, seconds)
        machine_id = container.labels[names.LABEL_ID]
        self.boot_errors[machine_id] = errors
        if errors:
            log.warning("cloud-init in %s: %s", container.labels.get("azlab.name"), errors)

    async def _plug(self, container: Container, pid: int) -> None:
        gateway = await self.gateways.ensure(container.labels["azlab.vnet"])
        await gateway.call("attach", pid=pid, **plug(container))

    async def _stop(self, machine_id: str, *, cut: bool = False) -> None:
        container = await self._call(self.machines.find, machine_id)
        if container is not None and container.status == "running":
            self._expect(container)
            try:
                if cut:
                    await self._call(container.kill)
                    await self._call(container.wait)
                else:
                    await self._call(container.stop, timeout=SHUTDOWN_SECONDS)
            except docker.errors.NotFound:
                pass
        await self._call(self.disks.unplug, machine_id)

    async def _push(self, network_id: str) -> None:
        network = next((n for n in self._state.networks if n.id == network_id), None)
        if network is None:
            return
        gateway = await self.gateways.ensure(network_id)
        async with gateway.lock:
            wanted = slice_for(self._state, network, self.controller, name_servers(), self._egress)
            if wanted != gateway.applied:
                await gateway.call("apply", state=wanted)
                gateway.applied = wanted

    def _gains_address(self, network: NetworkSpec) -> bool:
        known = self.gateways.known().get(network.id)
        held = set((known.applied or {}).get("public_ips", [])) if known else set()
        return bool(set(slice_for(self._state, network, self.controller, [], self._egress)["public_ips"]) - held)

    async def _adopt_machines(self) -> None:
        """Machines that run since before: those whose link is gone (their gateway was restarted) are plugged in again."""
        running = [c for c in await self._call(self.machines.list) if c.status == "running"]
        for container in running:
            gateway = await self.gateways.ensure(container.labels["azlab.vnet"])
            port = f"m-{int(ipaddress.ip_address(container.labels['azlab.address'])):08x}"
            if port not in (await gateway.call("ports"))["ports"]:
                await self._plug(container, int(container.attrs["State"]["Pid"]))

    async def _rebooted(self, machine_id: str) -> None:
        """A machine rebooted from inside: its container ended and is started again."""
        log.info("%s reboots", machine_id)
        await self.start_machine(machine_id)

    def _expect(self, container: Container) -> None:
        if self._watch:
            self._watch.expect(str(container.id))

    def _lock(self, machine_id: str) -> asyncio.Lock:
        return self._locks.setdefault(machine_id, asyncio.Lock())

    def _running_engine(self) -> Engine:
        if self._engine is None:
            raise MachineError("InternalExecutionError", "the machines of this lab were not started.")
        return self._engine

    async def _call(self, function, *args, **kwargs):  # type: ignore[no-untyped-def]
        return await self._running_engine().call(function, *args, **kwargs)
