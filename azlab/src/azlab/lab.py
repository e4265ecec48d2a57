# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab as handlers see it: store, operations, machines and settings in one place."""
from __future__ import annotations

import asyncio
import logging
import time
from typing import Any

from azlab import netstate
from azlab.catalogue import Catalogue
from azlab.faults import Faults
from azlab.latency import Latency
from azlab.limits import Limits
from azlab.machines.driver import MachineDriver, MachineError
from azlab.machines.none import NoMachines
from azlab.operations import Operation, Operations
from azlab.settings import Settings
from azlab.store import FILE, Resource, Store
from azlab.throttle import Throttle
from azlab.tokens import Tokens

log = logging.getLogger("azlab")


class Lab:
    """Everything that lives as long as the server does."""

    def __init__(self, settings: Settings, driver: MachineDriver) -> None:
        self.settings = settings
        self.driver = driver
        self.store = Store(settings.home / FILE)
        self.operations = Operations(self.store)
        self.latency = Latency(settings.latency_scale)
        self.faults = Faults()
        self.tokens = Tokens(settings)
        self.throttle = Throttle()
        self.page_size = 1000
        self.docker_extension = "broken"    # see azlab.arm.compute.docker_extension.MODES
        self.locks: list[dict[str, Any]] = list(self.store.get_meta("locks", {}).values())
        self.catalogue = Catalogue()
        self.limits = Limits(self.catalogue, self.store, settings.core_quota)
        self.operations.fail_next.append(self.faults.operation_error)
        self.operations.on_change = self.network_changed
        self._network_wanted = asyncio.Event()
        self._network_generation = self._applied_generation = 0
        self._network_applied = asyncio.Event()
        self._network_task: asyncio.Task[None] | None = None
        self._applied: netstate.NetworkState | None = None

    async def open(self) -> None:
        """Start the background work and take up operations of a previous process."""
        self._network_task = asyncio.get_running_loop().create_task(self._keep_network())
        self.network_changed()
        await self._sweep()
        resumed = self.operations.resume()
        if resumed:
            log.info("%d operations of the previous run go on", resumed)

    async def _sweep(self) -> None:
        """What machines and disks there are without a resource: the lab was killed, or its state is older than they are."""
        machines, disks = ({r.lid for r in self.store.resources.values() if r.type.lower() == kind} for kind in (
            "microsoft.compute/virtualmachines", "microsoft.compute/disks"))
        lost = await self.driver.sweep(machines, disks)
        if lost:
            log.warning("%d machines and data disks that no resource knows were removed", lost)

    async def close(self) -> None:
        await self.operations.close()
        if self._network_task:
            self._network_task.cancel()
            await asyncio.gather(self._network_task, return_exceptions=True)
        await self.driver.close()
        self.store.close()

    async def reset(self) -> int:
        """Remove everything that clients made, machines included; returns how many resources there were."""
        await self.operations.forget()
        self.operations.gate.set()
        self.faults.remove()
        found = list(self.store.resources.values())
        if self.has_machines:
            for kind, remove in (("microsoft.compute/virtualmachines", self.driver.delete_machine),
                                 ("microsoft.compute/disks", self.driver.delete_disk),
                                 ("microsoft.network/virtualnetworks", self.driver.delete_network)):
                await asyncio.gather(*(remove(r.lid) for r in found if r.type.lower() == kind))
        self.store.clear()
        self.store.set_meta("locks", {})
        self.locks = []
        self.network_changed()
        return len(found)

    def extension_types(self) -> list[dict[str, Any]]:
        """The extension types that are published now."""
        gone = ("microsoft.azure.extensions", "dockerextension") if self.docker_extension == "retired" else None
        return [e for e in self.catalogue.extensions if (e["publisher"].lower(), e["type"].lower()) != gone]

    # -- the data path
    def network_changed(self) -> None:
        """Something changed that may matter to packets; the driver hears of it soon, many changes at once."""
        self._network_generation += 1
        self._network_wanted.set()

    async def network_settled(self, seconds: float = 30) -> None:
        """Until the driver has the data path of this moment (or could not apply it in time)."""
        generation = self._network_generation
        deadline = time.monotonic() + seconds
        while self.has_machines and self._applied_generation < generation and time.monotonic() < deadline:
            self._network_applied.clear()
            try:
                await asyncio.wait_for(self._network_applied.wait(), deadline - time.monotonic())
            except TimeoutError:
                return

    @property
    def has_machines(self) -> bool:
        """Are there hosts behind the model? Without them there are no packets either, and nobody to tell of them."""
        return not isinstance(self.driver, NoMachines)

    def wanted_network(self) -> netstate.NetworkState:
        """The data path as the resources want it now."""
        return netstate.compute(self.store, self.settings.public_range)

    async def _keep_network(self) -> None:
        while True:
            await self._network_wanted.wait()
            await asyncio.sleep(0.02)           # changes come in bursts: one state for all of them
            self._network_wanted.clear()
            if not self.has_machines:
                continue
            generation = self._network_generation
            try:
                wanted = self.wanted_network()
                if wanted != self._applied:
                    await self.driver.apply_network(wanted)
                self._applied, self._applied_generation = wanted, generation
                self._network_applied.set()
            except Exception as problem:  # the boundary of a task: it must go on for the next change
                log.error("the network state could not be applied: %s", problem,
                          exc_info=not isinstance(problem, MachineError))
                await asyncio.sleep(1)
                self._network_wanted.set()

    # -- operations
    def start(self, effect: str, resource: Resource | str, provider: str, *, what: str, method: str,
              location: str = "", args: dict[str, Any] | None = None, final_status: int = 200) -> Operation:
        """Start a long-running operation; `what` and `method` choose how long Azure takes for it."""
        resource_id = resource if isinstance(resource, str) else resource.id
        place = location or ("" if isinstance(resource, str) else resource.location)
        return self.operations.start(Operation(
            effect=effect, resource_id=resource_id, provider=provider, location=place or "westeurope",
            args=args or {}, delay=self.latency.seconds(what, method), final_status=final_status))
