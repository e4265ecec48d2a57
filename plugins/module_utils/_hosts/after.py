# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What follows the steps of a host group's plan. Private to this collection."""

from __future__ import annotations

import asyncio
import time
from typing import Any, List, Mapping, Sequence

from ansible_collections.dockhost.azure.plugins.module_utils import _apply
from ansible_collections.dockhost.azure.plugins.module_utils._azure.client import Client
from ansible_collections.dockhost.azure.plugins.module_utils._errors import DockhostError, InputError
from ansible_collections.dockhost.azure.plugins.module_utils._hosts import docker_wait, read, ssh
from ansible_collections.dockhost.azure.plugins.module_utils._model.host import Host, hosts_from_lists, key
from ansible_collections.dockhost.azure.plugins.module_utils._model.host_group import ADDRESS
from ansible_collections.dockhost.azure.plugins.module_utils._model.resource import NETWORK_API, Resource
from ansible_collections.dockhost.azure.plugins.module_utils._model.ways import nat_ports, way
from ansible_collections.dockhost.azure.plugins.module_utils._plan import core, host_group
from ansible_collections.dockhost.azure.plugins.module_utils._plan.host_protection import LOCK

PACE = (0.2, 0.5, 1.0, 2.0, 3.0)
ALONG_SECONDS = 30.0  # how long Azure may take to delete what goes with a machine before it is asked for it


async def prove_gone(client: Client, resource_group: str, results: Sequence[_apply.StepResult], limit: float) -> None:
    """Read the lists until nothing of what was to go is in them.

    Azure deletes interface, disk and address by itself after their machine; what it leaves is deleted here.

    :raises DockhostError: something is still there; names it
    """
    going = {result.step.resource.key: result.step.resource for result in results if result.step.action == "delete"}
    deadline, asked, turn = time.monotonic() + min(ALONG_SECONDS, limit), False, 0
    while True:
        left = await _left(client, resource_group, going)
        if not left:
            return
        if time.monotonic() > deadline:
            if asked:
                raise DockhostError(
                    "Azure has deleted the hosts but these are still there: "
                    + ", ".join(sorted(resource.id for resource in left))
                    + ". Run again, or delete them in the portal."
                )
            asked, deadline = True, time.monotonic() + limit
            await _delete(client, left)
        await client.pause(PACE[min(turn, len(PACE) - 1)])
        turn += 1


async def _left(client: Client, resource_group: str, going: Mapping[str, Resource]) -> List[Resource]:
    types = sorted({resource.type for resource in going.values()})
    lists = await asyncio.gather(*(read.list_of(client, resource_group, type_) for type_ in types))
    there = {key(body["id"]) for bodies in lists for body in bodies}
    return [resource for name, resource in going.items() if name in there]


async def _delete(client: Client, left: Sequence[Resource]) -> None:
    alone = [Resource(id=resource.id, type=resource.type, depends_on=resource.depends_on) for resource in left]
    plan = core.plan((), {resource.key: {"id": resource.id} for resource in alone}, alone)
    _apply.check_results(await _apply.apply(plan, client))


async def roll_back(client: Client, resource_group: str, group: str, deployment: str, results: Sequence[_apply.StepResult]) -> str:
    """Remove what this run made; says in a sentence what became of it."""
    made = {
        result.step.resource.key for result in results if result.step.action == "create" and result.state in ("done", "failed", "left")
    }
    observed = await read.observe(client, resource_group, public=True, disks=True, locks=any(one.step.resource.type == LOCK for one in results))
    machines = [machine for machine in observed.of(group, deployment) if key(machine["id"]) in made]
    actual = observed.everything()
    going = host_group.removal(machines, actual)
    known = {resource.key for resource in going}
    going += [
        Resource(id=result.step.resource.id, type=result.step.resource.type, depends_on=result.step.resource.depends_on)
        for result in results
        if result.step.resource.key in made - known and result.step.resource.key in actual
    ]
    plan = core.plan((), actual, going)
    undone = await _apply.apply(plan, client)
    try:
        _apply.check_results(undone)
        await prove_gone(client, resource_group, undone, ALONG_SECONDS)
    except DockhostError as error:
        return f"Rolling back did not end well: {error}"
    return "What this run had made was removed again (on_failure=rollback)."


async def wait_for(client: Client, resource_group: str, group: str, deployment: str, params: Mapping[str, Any]) -> None:
    """Wait for what C(wait_for) says, on all hosts of the group or on those that are named."""
    if params["wait_for"] == "provisioned":
        return
    observed = await read.observe(client, resource_group)
    chosen = {name.lower() for name in params.get("names") or ()}
    hosts = [
        host
        for host in hosts_from_lists(observed.of(group, deployment), observed.interfaces, observed.addresses, observed.statuses)
        if not chosen or host.name.lower() in chosen
    ]
    if params["wait_for"] == "ssh":
        await wait_for_ssh(client, observed, hosts, params)
        return
    # One that is stopped on purpose has no engine to answer; after a start or a restart none should be.
    asked = [host for host in hosts if host.running or params["state"] != "present"]
    await docker_wait.wait(client, asked, params["wait_timeout"])


async def wait_for_ssh(client: Client, observed: host_group.Observed, hosts: Sequence[Host], params: Mapping[str, Any]) -> None:
    """Wait until SSH answers on each host, over its own public address, the load balancer, or the private one."""
    balancers, addresses = await balancers_of(client, observed.interfaces)
    ports = nat_ports(balancers, list(observed.addresses) + addresses)
    nics = {key(nic["id"]): nic for nic in observed.interfaces}
    ways = {}
    for host in hosts:
        found = way(host, nics.get(key(host.network_interface)), ports, ("public", "load_balancer", "private"))
        if found is None:
            raise InputError("wait_for", f"wait_for: ssh cannot be waited for on {host.name}: it has no address that leads to it.")
        ways[host.name] = found
    await ssh.wait(client, ways, params["wait_timeout"])


async def balancers_of(client: Client, interfaces: Sequence[Mapping[str, Any]]) -> Any:
    """The load balancers that interfaces are behind, and their public addresses."""
    ids = {}
    for interface in interfaces:
        for configuration in (interface.get("properties") or {}).get("ipConfigurations") or ():
            for pool in (configuration.get("properties") or {}).get("loadBalancerBackendAddressPools") or ():
                balancer = pool["id"].rsplit("/backendAddressPools/", 1)[0]
                ids[key(balancer)] = balancer
    found = [body for body in await asyncio.gather(*(client.get(name, NETWORK_API) for name in ids.values())) if body]
    groups = {name.split("/")[4].lower(): name.split("/")[4] for name in ids.values()}
    lists = await asyncio.gather(*(read.list_of(client, name, ADDRESS) for name in groups.values()))
    return found, [body for bodies in lists for body in bodies]
