# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the inventory says of hosts: variables, groups, and the lists they come from. Private to this collection."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any, Dict, Iterable, List, Mapping, Optional, Sequence, Tuple

from ansible_collections.dockhost.azure.plugins.module_utils._azure.client import Client
from ansible_collections.dockhost.azure.plugins.module_utils._errors import AzureError
from ansible_collections.dockhost.azure.plugins.module_utils._hosts import known_hosts, read
from ansible_collections.dockhost.azure.plugins.module_utils._model.host import (
    Host,
    hosts_from_lists,
    id_part,
    key,
    select,
    statuses_by_id,
)
from ansible_collections.dockhost.azure.plugins.module_utils._model.host_group import ADDRESS, INTERFACE, VIRTUAL_MACHINE
from ansible_collections.dockhost.azure.plugins.module_utils._model.ways import NatPorts, Way, nat_ports, way

LOAD_BALANCER = "Microsoft.Network/loadBalancers"
TYPES = (VIRTUAL_MACHINE, INTERFACE, ADDRESS, LOAD_BALANCER)
# With more resource groups than this the subscription's lists cost fewer requests than those of each group.
FEW_GROUPS = 2


@dataclass(frozen=True)
class Entry:
    """One host of the inventory: what is known of it, and the way to it, if there is one."""

    host: Host
    way: Optional[Way]

    def plain(self) -> Dict[str, Any]:
        """The entry for a cache."""
        return {"host": asdict(self.host), "way": asdict(self.way) if self.way else None}

    @classmethod
    def from_plain(cls, data: Mapping[str, Any]) -> Entry:
        """The entry of a cache."""
        return cls(Host(**data["host"]), Way(**data["way"]) if data["way"] else None)


async def entries(
    client: Client,
    resource_groups: Optional[Sequence[str]],
    deployment: Optional[str],
    group: Optional[str],
    order: Sequence[str],
) -> List[Entry]:
    """All hosts of the deployment, running or not.

    A list that cannot be read to its end is an error: a shorter inventory would look like hosts that are gone.
    """
    lists, states = await asyncio.gather(_lists(client, resource_groups), read.statuses(client))
    machines, interfaces, addresses, balancers = lists
    chosen = select(machines, deployment, group)
    if states is None:
        states = await read.views(client, chosen)
    hosts = hosts_from_lists(chosen, interfaces, addresses, statuses_by_id(states))
    ports: NatPorts = nat_ports(balancers, addresses)
    nics = {key(nic["id"]): nic for nic in interfaces}
    return [Entry(host, way(host, nics.get(key(host.network_interface)), ports, order)) for host in hosts]


async def _lists(client: Client, resource_groups: Optional[Sequence[str]]) -> Sequence[List[Dict[str, Any]]]:
    """The lists of C(TYPES), in that order."""
    if resource_groups is None or len(resource_groups) > FEW_GROUPS:
        try:
            found = await asyncio.gather(*(read.everywhere(client, type_) for type_ in TYPES))
            return [_within(bodies, resource_groups) for bodies in found]
        except AzureError as error:
            if error.status != 403 or resource_groups is None:
                raise
    each = [[read.list_of(client, name, type_) for name in resource_groups] for type_ in TYPES]
    found = await asyncio.gather(*(asyncio.gather(*row) for row in each))
    return [[body for bodies in row for body in bodies] for row in found]


def _within(bodies: List[Dict[str, Any]], resource_groups: Optional[Sequence[str]]) -> List[Dict[str, Any]]:
    if resource_groups is None:
        return bodies
    names = {name.lower() for name in resource_groups}
    return [body for body in bodies if id_part(body["id"], "resourceGroups").lower() in names]


def named(found: Iterable[Entry]) -> List[Tuple[str, Entry]]:
    """The hosts' names in the inventory: the machine's name, with its resource group, and then its subscription, where two have the same."""
    rows = list(found)
    shorts = Counter(entry.host.name.lower() for entry in rows)
    aliases = Counter(known_hosts.alias(entry.host.name, entry.host.resource_group).lower() for entry in rows)
    chosen = []
    for entry in rows:
        alias = known_hosts.alias(entry.host.name, entry.host.resource_group)
        if shorts[entry.host.name.lower()] == 1:
            name = entry.host.name
        elif aliases[alias.lower()] == 1:
            name = alias
        else:
            name = f"{alias}.{id_part(entry.host.id, 'subscriptions')}"
        chosen.append((name, entry))
    return chosen


def known_hosts_file(option: Optional[str], deployment: Optional[str], environ: Mapping[str, str]) -> str:
    """The known_hosts file of a host's deployment: where the role C(deployment) keeps it, unless the option says otherwise."""
    if option:
        return os.path.expanduser(option)
    folder = environ.get("DOCKHOST_STATE_DIR") or "~/.local/state/dockhost"
    return os.path.join(os.path.expanduser(folder), deployment or "", "known_hosts")


def ssh_arguments(host: Host, file: str, proxy_jump: Optional[str] = None) -> str:
    """The host's key is looked up under its alias, in the deployment's file alone, and has to be there.

    The alias and the file are quoted twice: once for ansible's split of the arguments, once for ssh's of the option.
    """
    arguments = [
        f"-o HostKeyAlias={_quoted(known_hosts.alias(host.name, host.resource_group))}",
        f"-o UserKnownHostsFile={_quoted(file)}",
        "-o GlobalKnownHostsFile=/dev/null",
        "-o StrictHostKeyChecking=yes",
    ]
    if proxy_jump:
        arguments.append(f"-o ProxyJump={_quoted(proxy_jump)}")
    return " ".join(arguments)


def _quoted(text: str) -> str:
    if all(letter.isalnum() or letter in "-_./~@:,+%" for letter in text):
        return text
    return "'\"" + text.replace("'", "'\"'\"'") + "\"'"


def variables(entry: Entry, file: str, admin_username: Optional[str] = None, proxy_jump: Optional[str] = None) -> Dict[str, Any]:
    """The host's variables."""
    host = entry.host
    found: Dict[str, Any] = {
        "ansible_ssh_common_args": ssh_arguments(host, file, proxy_jump),
        "ansible_user": admin_username or host.admin_username,
        "dockhost_deployment": host.deployment,
        "dockhost_fault_domain": host.fault_domain,
        "dockhost_group": host.group,
        "dockhost_id": host.id,
        "dockhost_image": host.image,
        "dockhost_index": host.index,
        "dockhost_location": host.location,
        "dockhost_name": host.name,
        "dockhost_power_state": host.power_state,
        "dockhost_private_address": host.private_address,
        "dockhost_provisioning_state": host.provisioning_state,
        "dockhost_public_address": host.public_address,
        "dockhost_resource_group": host.resource_group,
        "dockhost_size": host.size,
        "dockhost_subscription_id": id_part(host.id, "subscriptions"),
        "dockhost_swarm_role": host.swarm_role,
        "dockhost_tags": host.tags,
        "dockhost_vm_id": host.vm_id,
        "dockhost_zone": host.zone,
    }
    if entry.way:
        found["ansible_host"] = entry.way.address
        found["ansible_port"] = entry.way.port
        found["dockhost_connect_via"] = entry.way.kind
    return found


def groups(host: Host) -> List[str]:
    """The groups that a host is in."""
    found = ["dockhost"]
    if host.group:
        found.append(host.group)
    if host.swarm_role in ("manager", "worker"):
        found.append("swarm_" + host.swarm_role)
    if host.zone:
        found.append("zone_" + host.zone)
    if host.size:
        found.append("size_" + host.size)
    if host.power_state:
        found.append("power_" + host.power_state)
    if host.power_state not in (None, "running"):
        found.append("dockhost_powered_off")
    return found


def shown(entry: Entry, include_powered_off: bool) -> bool:
    """Whether a host is in the inventory: it runs, or it is asked for; one that is being deleted is not."""
    if entry.host.provisioning_state.lower() == "deleting":
        return False
    return include_powered_off or entry.host.power_state in (None, "running", "starting")
