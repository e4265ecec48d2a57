# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read hosts, and what has to be known before hosts are made. Private to this collection.

Whole lists only: the number of requests does not depend on the number of hosts.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import Any, Dict, Iterable, List, Mapping, Optional, Tuple

from ansible_collections.dockhost.azure.plugins.module_utils._azure.client import Client
from ansible_collections.dockhost.azure.plugins.module_utils._errors import AzureError, DockhostError
from ansible_collections.dockhost.azure.plugins.module_utils._hosts.preflight import Facts
from ansible_collections.dockhost.azure.plugins.module_utils._model.host import (
    key,
    primary_configuration,
    select,
    statuses_by_id,
)
from ansible_collections.dockhost.azure.plugins.module_utils._model.host_group import (
    ADDRESS,
    DISK,
    INTERFACE,
    VIRTUAL_MACHINE,
    HostGroup,
)
from ansible_collections.dockhost.azure.plugins.module_utils._model.images import Image
from ansible_collections.dockhost.azure.plugins.module_utils._model.resource import (
    COMPUTE_API,
    GALLERY_API,
    NETWORK_API,
    RESOURCES_API,
    SKUS_API,
    SUBSCRIPTIONS_API,
    api_version,
    group_id,
    list_path,
)
from ansible_collections.dockhost.azure.plugins.module_utils._plan.host_group import Observed
from ansible_collections.dockhost.azure.plugins.module_utils._plan.host_protection import LOCK

UNKNOWN: Any = object()
UNSETTLED = ("creating", "updating", "deleting", "migrating")
PACE = (0.5, 1.0, 2.0, 5.0)


async def list_of(client: Client, resource_group: str, type_: str) -> List[Dict[str, Any]]:
    """All resources of one type of a resource group."""
    return await client.list(list_path(client.subscription_id, resource_group, type_), api_version(type_))


async def everywhere(client: Client, type_: str, query: Optional[Mapping[str, str]] = None) -> List[Dict[str, Any]]:
    """All resources of one type of the subscription."""
    path = f"/subscriptions/{client.subscription_id}/providers/{type_}"
    return await client.list(path, api_version(type_), query=query)


async def statuses(client: Client) -> Optional[List[Dict[str, Any]]]:
    """The run-time state of all machines of the subscription, in one list.

    The list of a resource group has no run-time state: C($expand=instanceView) is for the machines of a scale set
    only (it asks for a filter by scale set), whereas C(statusOnly=true) on the subscription's list gives the state of
    every machine: https://learn.microsoft.com/rest/api/compute/virtual-machines/list-all. It leaves out everything
    else, tags included, so that both lists are read: https://github.com/Azure/azure-rest-api-specs/issues/42411.

    :return: None where the client may not list machines of the whole subscription
    """
    try:
        return await everywhere(client, VIRTUAL_MACHINE, {"statusOnly": "true"})
    except AzureError as error:
        if error.status == 403:
            return None
        raise


async def views(client: Client, machines: Iterable[Mapping[str, Any]]) -> List[Dict[str, Any]]:
    """The run-time state of machines one by one: for a client whose rights end at its resource group."""
    query = {"$expand": "instanceView"}
    found = await asyncio.gather(*(client.get(machine["id"], COMPUTE_API, query=query) for machine in machines))
    return [machine for machine in found if machine]


async def observe(
    client: Client, resource_group: str, public: Optional[bool] = None, disks: bool = False, locks: bool = False
) -> Observed:
    """The hosts of a resource group and what belongs to them.

    :param public: whether public addresses are read; None: only where an interface has one
    """
    machines, interfaces, states = await asyncio.gather(
        list_of(client, resource_group, VIRTUAL_MACHINE), list_of(client, resource_group, INTERFACE), statuses(client)
    )
    if states is None:
        states = await views(client, select(machines))
    if public is None:
        public = any(_has_address(interface) for interface in interfaces)
    addresses = await list_of(client, resource_group, ADDRESS) if public else []
    found = await list_of(client, resource_group, DISK) if disks else []
    return Observed(
        machines=tuple(machines),
        interfaces=tuple(interfaces),
        addresses=tuple(addresses),
        disks=tuple(found),
        locks=tuple(await locks_of(client, resource_group)) if locks else (),
        statuses=statuses_by_id(states),
    )


async def locks_of(client: Client, resource_group: str) -> List[Dict[str, Any]]:
    """The management locks of a resource group and of what is in it; none where the client may not read them."""
    try:
        return await list_of(client, resource_group, LOCK)
    except AzureError as error:
        if error.status == 403:
            return []
        raise


async def with_leftovers(client: Client, name: str, observed: Observed) -> Observed:
    """The same, with the disks: one that an interrupted run left has the name that a new host's disk needs."""
    return replace(observed, disks=tuple(await list_of(client, name, DISK)))


def _has_address(interface: Mapping[str, Any]) -> bool:
    return bool((primary_configuration(interface).get("properties") or {}).get("publicIPAddress"))


async def settle(client: Client, resource_group: str, group: str, deployment: str, limit: float) -> None:
    """Wait until no machine of the group is being made, changed or deleted: an earlier run may have been cut off.

    :raises DockhostError: time is up; names the machines.
    """
    deadline, turn = time.monotonic() + limit, 0
    while True:
        listed = Observed(machines=tuple(await list_of(client, resource_group, VIRTUAL_MACHINE)))
        busy = [machine["name"] for machine in unsettled(listed.of(group, deployment))]
        if not busy:
            return
        if time.monotonic() > deadline:
            raise DockhostError(
                f"Azure has been working on {', '.join(sorted(busy)[:5])} for more than {int(limit)} seconds: look at the state "
                "of these machines in the portal, or give a longer wait_timeout, and run again."
            )
        await client.pause(PACE[min(turn, len(PACE) - 1)])
        turn += 1


def unsettled(machines: Iterable[Mapping[str, Any]]) -> List[Mapping[str, Any]]:
    """The machines that Azure is working on."""
    return [
        machine
        for machine in machines
        if str((machine.get("properties") or {}).get("provisioningState")).lower() in UNSETTLED
    ]


async def resource_group(client: Client, name: str) -> Optional[Dict[str, Any]]:
    """The resource group, or None."""
    return await client.get(group_id(client.subscription_id, name), RESOURCES_API)


async def facts(client: Client, group: HostGroup) -> Facts:
    """What decides whether new hosts of this group can be made: six requests, and one for each thing referred to, side by side."""
    compute = f"/subscriptions/{client.subscription_id}/providers/Microsoft.Compute"
    here = group.location.replace(" ", "").lower()
    balancers = {key(path): path for path in (pool.rsplit("/", 2)[0] for pool in group.load_balancer_pools or ())}
    wanted = [one.rsplit("/subnets/", 1)[0] for dummy, one in group.references()]
    further = {key(path): path for path in wanted if key(path) not in balancers}
    found, regions, sizes, usages, (versions, image, known), network, *bodies = await asyncio.gather(
        resource_group(client, group.naming.resource_group),
        client.list(f"/subscriptions/{client.subscription_id}/locations", SUBSCRIPTIONS_API),
        client.list(f"{compute}/skus", SKUS_API, query={"$filter": f"location eq '{here}'"}),
        _usages(client, here, group.public_ip),
        _image(client, here, group.image),
        client.get(group.subnet.rsplit("/subnets/", 1)[0], NETWORK_API),
        *(client.get(path, NETWORK_API) for path in balancers.values()),
        *(_reference(client, path) for path in further.values()),
    )
    return Facts(
        resource_group=found,
        regions=tuple(regions),
        sizes=tuple(size for size in sizes if str(size.get("resourceType")).lower() == "virtualmachines"),
        usages=tuple(usages),
        versions=None if versions is None else tuple(str(version.get("name")) for version in versions),
        network=network,
        image=image,
        image_known=known,
        balancers=dict(zip(balancers, bodies)),
        references={name: body for name, body in zip(further, bodies[len(balancers):]) if body is not UNKNOWN},
    )


async def _reference(client: Client, path: str) -> Any:
    """What hosts refer to: its body, None where there is none, C(UNKNOWN) where this client may not know."""
    try:
        return await client.get(path, api_version(path.split("/providers/", 1)[1].rsplit("/", 1)[0]))
    except AzureError:
        return UNKNOWN


async def _usages(client: Client, location: str, addresses: bool) -> List[Dict[str, Any]]:
    """What of the quotas of a region is used: of compute, and of the network where public addresses are wanted."""
    path = f"/subscriptions/{client.subscription_id}/providers/{{0}}/locations/{location}/usages"
    found = [_optional(client, path.format("Microsoft.Compute"))]
    if addresses:
        found.append(_optional(client, path.format("Microsoft.Network"), NETWORK_API))
    return [usage for body in await asyncio.gather(*found) for usage in (body or {}).get("value") or ()]


async def _optional(client: Client, path: str, version: str = COMPUTE_API) -> Any:
    """Something that only helps to know: a refusal (an unknown region, a missing right) leaves it unknown."""
    try:
        return await client.get(path, version)
    except AzureError:
        return None


async def _image(client: Client, location: str, image: Optional[Image]) -> Tuple[Any, Any, bool]:
    """(versions of a marketplace image, body of an image by id, whether that body, or that there is none, is known).

    The body of a gallery's image has its C(versions) beside it, since Azure is to choose one of them.
    """
    if image is None or not image.id.lower().startswith("/subscriptions/"):
        return await image_versions(client, location, image), None, False
    try:
        body = await client.get(image.id, GALLERY_API if "/galleries/" in image.id.lower() else COMPUTE_API)
        if body is not None and image.of_gallery:
            body = dict(body, versions=await client.list(image.id + "/versions", GALLERY_API))
        return None, body, True
    except AzureError:
        return None, None, False  # a missing right, or what this endpoint does not serve: Azure itself will say


async def image_versions(client: Client, location: str, image: Optional[Image]) -> Optional[List[Dict[str, Any]]]:
    """The versions of a marketplace image; an empty list where there is none, None where nothing can be known."""
    if image is None or not image.publisher:
        return None
    path = _image_path(client, location, image.publisher, image.offer, image.sku) + "/versions"
    try:
        found = await client.get(path, COMPUTE_API)
    except AzureError:
        return None
    return found if isinstance(found, list) else []


async def similar_images(client: Client, location: str, image: Image) -> List[str]:
    """What is offered next to an image that is not: the skus of its offer, else the offers of its publisher."""
    skus = await _optional(client, _image_path(client, location, image.publisher, image.offer))
    if isinstance(skus, list) and skus:
        return [f"{image.publisher}:{image.offer}:{sku['name']}" for sku in skus]
    offers = await _optional(client, _image_path(client, location, image.publisher))
    if isinstance(offers, list) and offers:
        return [f"{image.publisher}:{offer['name']}:{image.sku}" for offer in offers]
    return []


def _image_path(client: Client, location: str, publisher: str, offer: str = "", sku: str = "") -> str:
    path = (
        f"/subscriptions/{client.subscription_id}/providers/Microsoft.Compute/locations/{location}/publishers/{publisher}"
        "/artifacttypes/vmimage/offers"
    )
    if offer:
        path += f"/{offer}/skus"
    return f"{path}/{sku}" if sku else path
