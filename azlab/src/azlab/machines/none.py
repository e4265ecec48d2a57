# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`--machines none`: a control plane without machines. Nothing boots, so nothing can run a command."""
from __future__ import annotations

from azlab.machines.driver import PROVISIONING_SECONDS, CommandResult, DataDisk, MachineError, MachineSpec, NetworkSpec, NetworkState, Progress


class NoMachines:
    """Remembers which machines should be on, and the last network state for whoever wants to look at it."""

    hot_disks = True
    boot_seconds = PROVISIONING_SECONDS

    def __init__(self) -> None:
        self.states: dict[str, str] = {}
        self.network = NetworkState()

    async def start(self, progress: Progress) -> None:
        progress("control plane only: virtual machines have no hosts behind them")

    async def sweep(self, machines: set[str], disks: set[str]) -> int:
        return 0

    async def close(self) -> None:
        return None

    async def destroy(self) -> None:
        self.states.clear()

    async def ensure_network(self, network: NetworkSpec) -> None:
        return None

    async def delete_network(self, network_id: str) -> None:
        return None

    async def create_machine(self, spec: MachineSpec) -> None:
        self.states[spec.id] = "running"

    async def start_machine(self, machine_id: str) -> None:
        self.states[machine_id] = "running"

    async def power_off(self, machine_id: str, *, cut: bool = False) -> None:
        self.states[machine_id] = "stopped"

    async def deallocate(self, machine_id: str) -> None:
        self.states[machine_id] = "stopped"

    async def restart(self, machine_id: str) -> None:
        self.states[machine_id] = "running"

    async def redeploy(self, machine_id: str) -> None:
        self.states[machine_id] = "running"

    async def reimage(self, spec: MachineSpec) -> None:
        self.states[spec.id] = "running"

    async def delete_machine(self, machine_id: str) -> None:
        self.states.pop(machine_id, None)

    async def set_disks(self, machine_id: str, disks: tuple[DataDisk, ...]) -> None:
        return None

    async def delete_disk(self, disk_id: str) -> None:
        return None

    async def run_command(self, machine_id: str, script: str, timeout: float) -> CommandResult:
        raise MachineError(
            "VMAgentStatusCommunicationError",
            "VM has reported a failure when processing the command: no VM agent has reported status, because "
            "this lab runs without machines. Start it with 'azlab up --machines docker' to run commands.",
        )

    async def machine_state(self, machine_id: str) -> str:
        return self.states.get(machine_id, "missing")

    async def apply_network(self, state: NetworkState) -> None:
        self.network = state

    async def health(self, rule_id: str) -> tuple[str, ...]:
        return ()
