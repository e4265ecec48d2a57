# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The asynchronous management SDKs for Python, unchanged: many things at once over aiohttp."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from types import SimpleNamespace
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from azlab.testing import RunningLab
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError, ResourceNotFoundError
from azure.core.pipeline.transport import AioHttpTransport
from azure.identity.aio import ClientSecretCredential
from azure.mgmt.compute.aio import ComputeManagementClient
from azure.mgmt.network.aio import NetworkManagementClient
from azure.mgmt.resource.resources.aio import ResourceManagementClient
from azure.mgmt.storage.aio import StorageManagementClient

PLACE = "westeurope"


def transport(azure: RunningLab) -> AioHttpTransport:
    """A transport that trusts the lab's authority."""
    session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=ssl.create_default_context(cafile=azure.env["REQUESTS_CA_BUNDLE"])))
    return AioHttpTransport(session=session, session_owner=True)


def credential(azure: RunningLab, secret: str = "") -> ClientSecretCredential:
    env = azure.env
    return ClientSecretCredential(env["AZURE_TENANT"], env["AZURE_CLIENT_ID"], secret or env["AZURE_SECRET"], authority=azure.url,
                                  disable_instance_discovery=True, transport=transport(azure))


def client(of: Any, azure: RunningLab, signed_in: ClientSecretCredential, **options: Any) -> Any:
    """A client of one package for the lab."""
    return of(signed_in, azure.subscription, base_url=azure.url, credential_scopes=[azure.url + "/.default"], polling_interval=1,
              transport=transport(azure), **options)


@pytest_asyncio.fixture
async def clients(azure: RunningLab, request: pytest.FixtureRequest) -> AsyncIterator[SimpleNamespace]:
    """A client of each package, and a group of the test's own."""
    async with AsyncExitStack() as stack:
        signed_in = await stack.enter_async_context(credential(azure))
        made = SimpleNamespace(group=request.node.name.replace("_", "-"))
        for name, of in {"compute": ComputeManagementClient, "network": NetworkManagementClient, "resource": ResourceManagementClient,
                         "storage": StorageManagementClient}.items():
            setattr(made, name, await stack.enter_async_context(client(of, azure, signed_in)))
        await made.resource.resource_groups.create_or_update(made.group, {"location": PLACE})
        yield made


async def machine(clients: SimpleNamespace, name: str) -> Any:
    """A machine with an interface of its own; there is a subnet already."""
    nics, machines = clients.network.network_interfaces, clients.compute.virtual_machines
    subnet = await clients.network.subnets.get(clients.group, "v", "hosts")
    nic = await (await nics.begin_create_or_update(clients.group, f"{name}-nic", {
        "location": PLACE, "properties": {"ipConfigurations": [{"name": "main", "properties": {"subnet": {"id": subnet.id}}}]}})).result()
    return await (await machines.begin_create_or_update(clients.group, name, {
        "location": PLACE,
        "properties": {
            "hardwareProfile": {"vmSize": "Standard_B2s"},
            "storageProfile": {"imageReference": {"publisher": "Debian", "offer": "debian-13", "sku": "13-gen2", "version": "latest"},
                               "osDisk": {"createOption": "FromImage", "deleteOption": "Delete"}},
            "osProfile": {"computerName": name, "adminUsername": "azureuser", "adminPassword": "Correct-horse-9"},
            "networkProfile": {"networkInterfaces": [{"id": nic.id, "properties": {"deleteOption": "Delete"}}]}}})).result()


async def test_many_machines_at_once(clients: SimpleNamespace, azure: RunningLab) -> None:
    await (await clients.network.virtual_networks.begin_create_or_update(clients.group, "v", {
        "location": PLACE, "properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]},
                                          "subnets": [{"name": "hosts", "properties": {"addressPrefix": "10.0.1.0/24"}}]}})).result()
    names = [f"host{n}" for n in range(6)]
    made = await asyncio.gather(*(machine(clients, name) for name in names))
    assert [m.name for m in made] == names and len({m.vm_id for m in made}) == 6
    addresses = {n.ip_configurations[0].private_ip_address async for n in clients.network.network_interfaces.list(clients.group)}
    assert len(addresses) == 6
    azure.admin.call("POST", "/paging", {"size": 4})
    try:
        pages = [[m.name async for m in page] async for page in clients.compute.virtual_machines.list(clients.group).by_page()]
    finally:
        azure.admin.call("POST", "/paging", {"size": 1000})
    assert [len(page) for page in pages] == [4, 2] and sorted(sum(pages, [])) == names
    pollers = await asyncio.gather(*(clients.compute.virtual_machines.begin_delete(clients.group, name) for name in names))
    await asyncio.gather(*(poller.result() for poller in pollers))
    assert [m async for m in clients.compute.virtual_machines.list(clients.group)] == []
    assert [n async for n in clients.network.network_interfaces.list(clients.group)] == []


async def test_update_with_etag_and_delete(clients: SimpleNamespace) -> None:
    tables = clients.network.network_security_groups
    made = await (await tables.begin_create_or_update(clients.group, "nsg", {"location": PLACE, "tags": {"a": "1"}})).result()
    second = await tables.update_tags(clients.group, "nsg", {"tags": {"a": "2"}})
    with pytest.raises(HttpResponseError) as caught:
        await (await tables.begin_create_or_update(clients.group, "nsg", made, headers={"If-Match": made.etag})).result()
    assert caught.value.status_code == 412 and second.etag != made.etag
    assert (await tables.get(clients.group, "nsg")).tags == {"a": "2"}
    await (await tables.begin_delete(clients.group, "nsg")).result()
    with pytest.raises(ResourceNotFoundError) as gone:
        await tables.get(clients.group, "nsg")
    assert gone.value.error.code == "ResourceNotFound"
    await (await tables.begin_delete(clients.group, "nsg")).result()             # 204: what is not there is deleted


async def test_an_operation_fails_with_azures_code(clients: SimpleNamespace, azure: RunningLab) -> None:
    azure.admin.fault(path="disks/unlucky/", operation={"code": "AllocationFailed", "message": "No room here."})
    poller = await clients.compute.disks.begin_create_or_update(clients.group, "unlucky", {
        "location": PLACE, "properties": {"creationData": {"createOption": "Empty"}, "diskSizeGB": 8}})
    with pytest.raises(HttpResponseError) as caught:
        await poller.result()
    azure.admin.clear_faults()
    assert caught.value.error.code == "AllocationFailed" and poller.status() == "Failed"


async def test_throttling_is_waited_for(clients: SimpleNamespace, azure: RunningLab) -> None:
    """The SDK's own retry: two answers of 429 with Retry-After, then the answer itself."""
    azure.admin.fault(method="GET", path="networkSecurityGroups", times=2, status=429, code="TooManyRequests", message="Wait.",
                      headers={"Retry-After": "1"})
    azure.admin.call("DELETE", "/requests")
    assert [n async for n in clients.network.network_security_groups.list(clients.group)] == []
    azure.admin.clear_faults()
    assert [r["status"] for r in azure.admin.requests(path="networkSecurityGroups")] == [429, 429, 200]


async def test_storage(clients: SimpleNamespace) -> None:
    accounts = clients.storage.storage_accounts
    made = await (await accounts.begin_create(clients.group, "asyncaccount", {
        "location": PLACE, "sku": {"name": "Standard_LRS"}, "kind": "StorageV2"})).result()
    assert made.sku.tier == "Standard" and len((await accounts.list_keys(clients.group, "asyncaccount")).keys_property) == 2
    with pytest.raises(HttpResponseError) as caught:
        await accounts.begin_create(clients.group, "No-Such-Name", {"location": PLACE, "sku": {"name": "Standard_LRS"}, "kind": "StorageV2"})
    assert caught.value.error.code == "AccountNameInvalid"
    await accounts.delete(clients.group, "asyncaccount")
    assert [a async for a in accounts.list()] == []


async def test_groups_are_deleted_with_all_in_them(clients: SimpleNamespace) -> None:
    await (await clients.network.public_ip_addresses.begin_create_or_update(clients.group, "address", {
        "location": PLACE, "sku": {"name": "Standard"}, "properties": {"publicIPAllocationMethod": "Static"}})).result()
    await (await clients.resource.resource_groups.begin_delete(clients.group)).result()
    assert clients.group not in [g.name async for g in clients.resource.resource_groups.list()]


async def test_wrong_secret_and_wrong_audience(azure: RunningLab) -> None:
    async with credential(azure, "wrong") as wrong:
        with pytest.raises(ClientAuthenticationError) as caught:
            await wrong.get_token(azure.url + "/.default")
    assert "AADSTS7000215" in str(caught.value)
    async with credential(azure) as right, ResourceManagementClient(
            right, azure.subscription, base_url=azure.url, credential_scopes=["https://vault.azure.net/.default"],
            transport=transport(azure)) as other:
        with pytest.raises(ClientAuthenticationError) as refused:
            await other.resource_groups.get("any")
    assert refused.value.status_code == 401 and refused.value.error.code == "InvalidAuthenticationTokenAudience"
