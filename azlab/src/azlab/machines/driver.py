# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the control plane asks of machines, and nothing about how they are made.

Every id is the ARM id of the resource in lower case. All dataclasses are frozen and hold only tuples,
so that two states can be compared and hashed.
"""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

Progress = Callable[[str], None]
PROVISIONING_SECONDS = 1200.0           # that Azure gives a Linux machine


class MachineError(Exception):
    """A machine could not do what it was asked; `code` is Azure's error code for the failed operation."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


@dataclass(frozen=True)
class LabConfig:
    """The settings of one lab that a driver needs."""

    name: str
    home: Path                                  # state directory of this lab, mode 0700
    public_range: str = "203.0.113.0/24"        # .1 is the controller, .5 the lab registry
    ca_file: Path | None = None                 # the lab CA's certificate (PEM)
    ca_key: Path | None = None                  # its key, to sign the registry's certificate
    egress: str = "packages"                    # where machines with a way out get to (see machines.egress)
    apps: str = "wordpress"                     # applications whose images the lab's registry serves (see images.images_for)


@dataclass(frozen=True)
class NetworkSpec:
    """A virtual network. The host's bridge holds .1 of the first prefix, the gateway .2."""

    id: str
    prefixes: tuple[str, ...]


@dataclass(frozen=True)
class DataDisk:
    """A managed data disk: it outlives the machine, and goes when `delete_disk` is called for it."""

    id: str
    lun: int
    size_gb: int


@dataclass(frozen=True)
class MachineSpec:
    """A virtual machine as it has to boot."""

    id: str
    name: str
    computer_name: str
    vnet_id: str
    private_ip: str
    image: str                                  # publisher:offer:sku:version
    admin_username: str
    ssh_public_keys: tuple[str, ...]
    custom_data: bytes | None = None
    cpus: int = 1
    memory_mb: int = 1024
    data_disks: tuple[DataDisk, ...] = ()
    password_auth: bool = False
    admin_password: str | None = None
    tags: tuple[tuple[str, str], ...] = ()
    vm_id: str = ""                             # the machine's GUID
    prefix_length: int = 24                     # of the subnet that private_ip is in
    location: str = ""
    zone: str = ""
    resource_group: str = ""


@dataclass(frozen=True)
class CommandResult:
    """How a command in a machine ended.

    `interrupted`: the machine went down under it, so that nobody knows how it would have ended; the exit code is 0 then.
    """

    exit_code: int
    stdout: str
    stderr: str
    interrupted: bool = False


@dataclass(frozen=True)
class FirewallRule:
    """One security rule, names and tags resolved to address ranges. `protocols` holds tcp, udp, icmp or any."""

    name: str
    direction: str                              # in | out
    allow: bool
    protocol: str                               # tcp | udp | icmp | esp | ah | any
    sources: tuple[str, ...]                    # CIDRs, never empty
    source_ports: tuple[tuple[int, int], ...]   # inclusive ranges; (0, 65535) is all
    destinations: tuple[str, ...]
    destination_ports: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Firewall:
    """The security groups that apply to one machine address.

    Each group is evaluated on its own, first match decides; a packet passes when every group lets it pass
    (Azure: inbound the subnet's group first, then the interface's; outbound the other way round).
    No group at all means that everything passes.
    """

    machine_id: str
    vnet_id: str
    address: str
    groups: tuple[tuple[FirewallRule, ...], ...]


@dataclass(frozen=True)
class Probe:
    """A health probe of a load balancer."""

    protocol: str                               # tcp | http | https
    port: int
    path: str = ""
    interval: int = 15
    threshold: int = 1                          # consecutive results that turn the state


@dataclass(frozen=True)
class Backend:
    """One machine address in a backend pool."""

    vnet_id: str
    machine_id: str                             # "" when the address belongs to no machine
    address: str


@dataclass(frozen=True)
class BalancerRule:
    """One load balancing rule: what reaches frontend_ip:frontend_port goes to a healthy backend."""

    id: str                                     # ARM id of the rule
    frontend_ip: str
    public: bool                                # False: an internal load balancer's private frontend
    protocol: str                               # tcp | udp | any (HA ports)
    frontend_port: int                          # 0 with protocol any
    backend_port: int
    backends: tuple[Backend, ...]
    probe: Probe | None
    distribution: str = "5-tuple"               # 5-tuple | client-ip | client-ip-protocol


@dataclass(frozen=True)
class NatRule:
    """One frontend port that leads to one machine's port."""

    id: str
    frontend_ip: str
    protocol: str
    frontend_port: int
    backend: Backend
    backend_port: int


@dataclass(frozen=True)
class InstanceAddress:
    """A public address that belongs to one machine: 1:1 translation."""

    public_ip: str
    backend: Backend


@dataclass(frozen=True)
class Outbound:
    """A machine that may leave its virtual network, and the public address it leaves as."""

    backend: Backend
    public_ip: str


@dataclass(frozen=True)
class NetworkState:
    """Everything wanted of the data path, at one moment. Sorted, so that equal states compare equal."""

    networks: tuple[NetworkSpec, ...] = ()
    firewalls: tuple[Firewall, ...] = ()
    balancer_rules: tuple[BalancerRule, ...] = ()
    nat_rules: tuple[NatRule, ...] = ()
    instance_addresses: tuple[InstanceAddress, ...] = ()
    outbound: tuple[Outbound, ...] = ()


class MachineDriver(Protocol):
    """All calls are coroutines; each raises MachineError when the machine cannot do what is asked."""

    boot_seconds: float                 # that a machine may take to come up before OSProvisioningTimedOut

    @property
    def hot_disks(self) -> bool:
        """Can data disks be attached to and detached from a machine that exists?"""

    async def start(self, progress: Progress) -> None:
        """Make ready what machines need (images, networks, registry); say what is going on."""

    async def sweep(self, machines: set[str], disks: set[str]) -> int:
        """Remove machines and data disks that are not among these ids, as a lab that was killed may leave them; how many there were."""

    async def close(self) -> None:
        """Let go of connections and tasks. Machines go on running."""

    async def destroy(self) -> None:
        """Remove everything that this lab made: machines, volumes, networks, registry (`azlab down`)."""

    async def ensure_network(self, network: NetworkSpec) -> None:
        """Make the virtual network, or do nothing when it is there."""

    async def delete_network(self, network_id: str) -> None:
        """Remove the virtual network; a missing one is no error."""

    async def create_machine(self, spec: MachineSpec) -> None:
        """Create and boot; returns when cloud-init is done. OSProvisioningTimedOut when it does not come up."""

    async def start_machine(self, machine_id: str) -> None: ...

    async def power_off(self, machine_id: str, *, cut: bool = False) -> None:
        """Shut the machine down, or with `cut` take its power away at once."""

    async def deallocate(self, machine_id: str) -> None: ...

    async def restart(self, machine_id: str) -> None: ...

    async def redeploy(self, machine_id: str) -> None: ...

    async def reimage(self, spec: MachineSpec) -> None: ...

    async def delete_machine(self, machine_id: str) -> None:
        """Remove the machine and its OS disk; a missing one is no error. Data disks stay."""

    async def set_disks(self, machine_id: str, disks: tuple[DataDisk, ...]) -> None:
        """These data disks and no others, at once in a machine that runs. DataDiskInUse when one that has to go is mounted and busy."""

    async def delete_disk(self, disk_id: str) -> None:
        """Remove a data disk's storage; a missing one is no error."""

    async def run_command(self, machine_id: str, script: str, timeout: float) -> CommandResult:
        """Run a shell script as root. VMAgentStatusCommunicationError when nobody answers there."""

    async def machine_state(self, machine_id: str) -> str:
        """running, stopped or missing."""

    async def apply_network(self, state: NetworkState) -> None:
        """Bring the data path to this state; idempotent, called after every change that matters."""

    async def health(self, rule_id: str) -> tuple[str, ...]:
        """Addresses of the healthy backends of a balancer rule, as the driver's probes see them."""
