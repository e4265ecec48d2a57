# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The management SDKs for Python, unchanged: create, list, page, update, delete, long-running operations and errors."""

from __future__ import annotations

import os
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from azlab.testing import RunningLab
from azure.core import MatchConditions
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceModifiedError, ResourceNotFoundError
from azure.identity import ClientSecretCredential
from azure.mgmt.compute import ComputeManagementClient
from azure.mgmt.compute import models as compute_models
from azure.mgmt.network import NetworkManagementClient
from azure.mgmt.network import models as network_models
from azure.mgmt.resource.locks import ManagementLockClient
from azure.mgmt.resource.resources import ResourceManagementClient
from azure.mgmt.resource.deployments import DeploymentsMgmtClient
from azure.mgmt.storage import StorageManagementClient

GROUP, PLACE = "sdk", "westeurope"


@pytest.fixture(scope="module")
def clients(azure: RunningLab) -> Iterator[SimpleNamespace]:
    """A client of each package, signed in to the lab, and a group."""
    env = azure.env
    os.environ["REQUESTS_CA_BUNDLE"], before = env["REQUESTS_CA_BUNDLE"], os.environ.get("REQUESTS_CA_BUNDLE")
    credential = ClientSecretCredential(env["AZURE_TENANT"], env["AZURE_CLIENT_ID"], env["AZURE_SECRET"], authority=azure.url,
                                        disable_instance_discovery=True)
    of_lab: dict[str, Any] = {"base_url": azure.url, "credential_scopes": [azure.url + "/.default"], "polling_interval": 1}
    made = SimpleNamespace(**{name: of(credential, azure.subscription, **of_lab) for name, of in {
        "compute": ComputeManagementClient, "network": NetworkManagementClient, "resource": ResourceManagementClient,
        "deployments": DeploymentsMgmtClient, "locks": ManagementLockClient, "storage": StorageManagementClient}.items()})
    made.resource.resource_groups.create_or_update(GROUP, {"location": PLACE, "tags": {"made-by": "sdk"}})
    yield made
    for client in vars(made).values():
        client.close()
    if before is None:
        del os.environ["REQUESTS_CA_BUNDLE"]
    else:
        os.environ["REQUESTS_CA_BUNDLE"] = before


@pytest.fixture(scope="module")
def subnet(clients: SimpleNamespace) -> Any:
    network = clients.network.virtual_networks.begin_create_or_update(GROUP, "v", network_models.VirtualNetwork(
        location=PLACE, address_space=network_models.AddressSpace(address_prefixes=["10.0.0.0/16"]),
        subnets=[network_models.Subnet(name="hosts", address_prefix="10.0.1.0/24")])).result()
    assert network.provisioning_state == "Succeeded" and network.address_space.address_prefixes == ["10.0.0.0/16"]
    return network.subnets[0]


def interface(clients: SimpleNamespace, subnet: Any, name: str) -> Any:
    """An interface in the subnet."""
    return clients.network.network_interfaces.begin_create_or_update(GROUP, name, {
        "location": PLACE, "properties": {"ipConfigurations": [{"name": "main", "properties": {"subnet": {"id": subnet.id}}}]}}).result()


def vm(nic: Any, **changes: Any) -> Any:
    """A machine as the SDK's models write it."""
    profile = compute_models.OSProfile(computer_name="host", admin_username="azureuser", admin_password="Correct-horse-9")
    return compute_models.VirtualMachine(
        location=PLACE, hardware_profile=compute_models.HardwareProfile(vm_size="Standard_B2s"), os_profile=profile,
        storage_profile=compute_models.StorageProfile(
            image_reference=compute_models.ImageReference(publisher="Debian", offer="debian-13", sku="13-gen2", version="latest"),
            os_disk=compute_models.OSDisk(create_option="FromImage", delete_option="Delete")),
        network_profile=compute_models.NetworkProfile(network_interfaces=[
            compute_models.NetworkInterfaceReference(id=nic.id, delete_option="Delete")]), **changes)


def test_group(clients: SimpleNamespace) -> None:
    groups = clients.resource.resource_groups
    assert groups.check_existence(GROUP) is True and groups.check_existence("nowhere") is False
    assert groups.get(GROUP.upper()).tags == {"made-by": "sdk"}
    assert [g.name for g in groups.list(filter="tagName eq 'made-by' and tagValue eq 'sdk'")] == [GROUP]
    assert groups.update(GROUP, {"tags": {"made-by": "sdk", "stage": "two"}}).tags["stage"] == "two"
    with pytest.raises(ResourceNotFoundError) as caught:
        groups.get("nowhere")
    assert caught.value.error.code == "ResourceGroupNotFound"


def test_provider_and_resource_lists(clients: SimpleNamespace, subnet: Any) -> None:
    assert clients.resource.providers.register("Microsoft.Compute").registration_state == "Registered"
    types = {t.resource_type for t in clients.resource.providers.get("Microsoft.Network").resource_types}
    assert {"virtualNetworks", "loadBalancers", "networkInterfaces"} <= types
    listed = list(clients.resource.resources.list_by_resource_group(GROUP, filter="resourceType eq 'Microsoft.Network/virtualNetworks'"))
    assert [r.name for r in listed] == ["v"]


def test_network_update_with_etag(clients: SimpleNamespace, subnet: Any) -> None:
    groups = clients.network.network_security_groups
    made = groups.begin_create_or_update(GROUP, "nsg", {"location": PLACE}).result()
    assert len(made.default_security_rules) == 6 and made.etag.startswith('W/"')
    rule = network_models.SecurityRule(name="ssh", protocol="Tcp", source_address_prefix="*", source_port_range="*",
                                       destination_address_prefix="*", destination_port_range="22", access="Allow", priority=100,
                                       direction="Inbound")
    clients.network.security_rules.begin_create_or_update(GROUP, "nsg", "ssh", rule).result()
    made.tags = {"late": "yes"}
    with pytest.raises(HttpResponseError) as caught:
        groups.begin_create_or_update(GROUP, "nsg", made, headers={"If-Match": made.etag}).result()
    assert caught.value.status_code == 412 and caught.value.error.code == "PreconditionFailed"
    fresh = groups.get(GROUP, "nsg")
    assert [r.name for r in fresh.security_rules] == ["ssh"] and fresh.etag != made.etag
    fresh.tags = {"late": "no"}
    changed = groups.begin_create_or_update(GROUP, "nsg", fresh, headers={"If-Match": fresh.etag}).result()
    assert changed.tags == {"late": "no"} and [r.name for r in changed.security_rules] == ["ssh"]
    assert groups.update_tags(GROUP, "nsg", {"tags": {"only": "this"}}).tags == {"only": "this"}


def test_pages(clients: SimpleNamespace, azure: RunningLab) -> None:
    names = [f"page{n}" for n in range(5)]
    for name in names:
        clients.network.public_ip_addresses.begin_create_or_update(GROUP, name, {
            "location": PLACE, "sku": {"name": "Standard"}, "properties": {"publicIPAllocationMethod": "Static"}}).wait()
    azure.admin.call("POST", "/paging", {"size": 2})
    try:
        pages = [[a.name for a in page] for page in clients.network.public_ip_addresses.list(GROUP).by_page()]
        everywhere = [a.name for a in clients.network.public_ip_addresses.list_all()]
    finally:
        azure.admin.call("POST", "/paging", {"size": 1000})
    assert pages == [names[:2], names[2:4], names[4:]] and everywhere == names


def test_load_balancer(clients: SimpleNamespace, subnet: Any) -> None:
    balancers = clients.network.load_balancers
    front = network_models.FrontendIPConfiguration(name="front", subnet=network_models.Subnet(id=subnet.id),
                                                   private_ip_allocation_method="Dynamic")
    made = balancers.begin_create_or_update(GROUP, "lb", network_models.LoadBalancer(
        location=PLACE, sku=network_models.LoadBalancerSku(name="Standard"), frontend_ip_configurations=[front],
        backend_address_pools=[network_models.BackendAddressPool(name="hosts")])).result()
    assert made.frontend_ip_configurations[0].private_ip_address.startswith("10.0.1.")
    made.probes = [network_models.Probe(name="alive", protocol="Tcp", port=80, interval_in_seconds=5, number_of_probes=1)]
    made.load_balancing_rules = [network_models.LoadBalancingRule(
        name="web", protocol="Tcp", frontend_port=80, backend_port=80,
        frontend_ip_configuration=network_models.SubResource(id=made.frontend_ip_configurations[0].id),
        backend_address_pool=network_models.SubResource(id=made.backend_address_pools[0].id),
        probe=network_models.SubResource(id=f"{made.id}/probes/alive"))]
    changed = balancers.begin_create_or_update(GROUP, "lb", made).result()
    assert changed.load_balancing_rules[0].probe.id == changed.probes[0].id
    assert [r.name for r in clients.network.load_balancer_load_balancing_rules.list(GROUP, "lb")] == ["web"]
    with pytest.raises(HttpResponseError) as caught:
        clients.network.subnets.begin_delete(GROUP, "v", "hosts").result()
    assert caught.value.error.code == "InUseSubnetCannotBeDeleted" and "/loadBalancers/lb/" in caught.value.error.message
    balancers.begin_delete(GROUP, "lb").result()
    with pytest.raises(ResourceNotFoundError):
        balancers.get(GROUP, "lb")


def test_machine(clients: SimpleNamespace, subnet: Any) -> None:
    machines = clients.compute.virtual_machines
    nic = interface(clients, subnet, "nic")
    made = machines.begin_create_or_update(GROUP, "host", vm(nic, tags={"tier": "web"})).result()
    assert made.provisioning_state == "Succeeded" and made.vm_id and made.storage_profile.os_disk.managed_disk.id
    assert made.os_profile.admin_password is None                                       # never shown
    assert clients.network.network_interfaces.get(GROUP, "nic").virtual_machine.id.lower() == made.id.lower()
    view = machines.instance_view(GROUP, "host")
    assert [s.code for s in view.statuses] == ["ProvisioningState/succeeded", "PowerState/running"] and view.statuses[0].time
    assert [m.name for m in machines.list(GROUP)] == [m.name for m in machines.list_all()] == ["host"]
    assert machines.get(GROUP, "host", expand="instanceView").instance_view.statuses[1].display_status == "VM running"
    changed = machines.begin_update(GROUP, "host", {"tags": {"tier": "db"}}).result()
    assert changed.tags == {"tier": "db"} and changed.hardware_profile.vm_size == "Standard_B2s"
    for act, code in ((machines.begin_power_off, "stopped"), (machines.begin_deallocate, "deallocated"), (machines.begin_start, "running"),
                      (machines.begin_restart, "running")):
        act(GROUP, "host").result()
        assert machines.instance_view(GROUP, "host").statuses[-1].code == f"PowerState/{code}"
    with pytest.raises(HttpResponseError) as caught:
        clients.network.network_interfaces.begin_delete(GROUP, "nic").result()
    assert caught.value.error.code == "NicInUse"
    machines.begin_delete(GROUP, "host").result()
    for gone in (lambda: machines.get(GROUP, "host"), lambda: clients.network.network_interfaces.get(GROUP, "nic")):
        with pytest.raises(ResourceNotFoundError):
            gone()
    assert list(clients.compute.disks.list_by_resource_group(GROUP)) == []


def test_conditional_writes_of_machines(clients: SimpleNamespace, subnet: Any) -> None:
    nic = interface(clients, subnet, "nic-etag")
    machines = clients.compute.virtual_machines
    made = machines.begin_create_or_update(GROUP, "etag", vm(nic), etag="*", match_condition=MatchConditions.IfMissing).result()
    with pytest.raises(ResourceExistsError) as exists:
        machines.begin_create_or_update(GROUP, "etag", vm(nic), etag="*", match_condition=MatchConditions.IfMissing).result()
    assert exists.value.status_code == 412 and machines.get(GROUP, "etag").vm_id == made.vm_id
    with pytest.raises(ResourceModifiedError):
        machines.begin_update(GROUP, "etag", {"tags": {"a": "b"}}, etag='"0"', match_condition=MatchConditions.IfNotModified).result()
    machines.begin_delete(GROUP, "etag", force_deletion=True).result()


def test_operations_that_fail(clients: SimpleNamespace, subnet: Any, azure: RunningLab) -> None:
    nic = interface(clients, subnet, "nic-fail")
    azure.admin.fault(path="virtualMachines/unlucky/create vm", operation={"code": "AllocationFailed", "message": "No room here."})
    poller = clients.compute.virtual_machines.begin_create_or_update(GROUP, "unlucky", vm(nic))
    with pytest.raises(HttpResponseError) as caught:
        poller.result()
    assert caught.value.error.code == "AllocationFailed" and caught.value.error.message == "No room here."
    assert poller.status() == "Failed"
    azure.admin.clear_faults()
    assert clients.compute.virtual_machines.get(GROUP, "unlucky").provisioning_state == "Failed"
    clients.compute.virtual_machines.begin_delete(GROUP, "unlucky").result()


def test_an_operation_is_taken_up_by_another_process(clients: SimpleNamespace, subnet: Any, azure: RunningLab) -> None:
    azure.admin.call("POST", "/latencies", {"hold": True})
    poller = clients.compute.disks.begin_create_or_update(GROUP, "held", {
        "location": PLACE, "properties": {"creationData": {"createOption": "Empty"}, "diskSizeGB": 8}})
    assert poller.status() in ("Updating", "InProgress", "Accepted") and not poller.done()
    token = poller.continuation_token()
    azure.admin.call("POST", "/latencies", {"hold": False})
    again = clients.compute.disks.begin_create_or_update(GROUP, "held", {}, continuation_token=token)
    assert again.result().provisioning_state == "Succeeded" and poller.result().disk_size_gb == 8
    access = clients.compute.disks.get(GROUP, "held")
    assert access.disk_state == "Unattached" and access.sku.name == "Standard_LRS"
    clients.compute.disks.begin_delete(GROUP, "held").wait()


def test_catalogues(clients: SimpleNamespace) -> None:
    sizes = {s.name for s in clients.compute.resource_skus.list(filter=f"location eq '{PLACE}'") if s.resource_type == "virtualMachines"}
    assert "Standard_B2s" in sizes
    assert "13-gen2" in [s.name for s in clients.compute.virtual_machine_images.list_skus(PLACE, "Debian", "debian-13")]
    cores = next(u for u in clients.compute.usage.list(PLACE) if u.name.value == "cores")
    assert cores.limit > 0 and cores.unit == "Count"


def test_storage(clients: SimpleNamespace) -> None:
    accounts = clients.storage.storage_accounts
    assert accounts.check_name_availability({"name": "sdkaccount", "type": "Microsoft.Storage/storageAccounts"}).name_available
    made = accounts.begin_create(GROUP, "sdkaccount", {"location": PLACE, "sku": {"name": "Standard_LRS"}, "kind": "StorageV2"}).result()
    assert made.provisioning_state == "Succeeded" and made.primary_endpoints.blob.startswith("https://sdkaccount.blob.")
    taken = accounts.check_name_availability({"name": "sdkaccount", "type": "Microsoft.Storage/storageAccounts"})
    assert not taken.name_available and taken.reason == "AlreadyExists"
    keys = accounts.list_keys(GROUP, "sdkaccount").keys_property
    renewed = accounts.regenerate_key(GROUP, "sdkaccount", {"keyName": "key1"}).keys_property
    assert renewed[0].value != keys[0].value and renewed[1].value == keys[1].value
    assert accounts.update(GROUP, "sdkaccount", {"tags": {"a": "b"}}).tags == {"a": "b"}
    assert [a.name for a in accounts.list_by_resource_group(GROUP)] == [a.name for a in accounts.list()] == ["sdkaccount"]
    accounts.delete(GROUP, "sdkaccount")
    with pytest.raises(ResourceNotFoundError):
        accounts.get_properties(GROUP, "sdkaccount")


def test_deployment_and_lock(clients: SimpleNamespace) -> None:
    template = {"$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#", "contentVersion": "1.0.0.0",
                "parameters": {"name": {"type": "string"}},
                "resources": [{"type": "Microsoft.Network/networkSecurityGroups", "apiVersion": "2024-05-01", "name": "[parameters('name')]",
                               "location": "[resourceGroup().location]", "properties": {}}],
                "outputs": {"id": {"type": "string", "value": "[resourceId('Microsoft.Network/networkSecurityGroups', parameters('name'))]"}}}
    body = {"properties": {"mode": "Incremental", "template": template, "parameters": {"name": {"value": "deployed"}}}}
    made = clients.deployments.deployments.begin_create_or_update(GROUP, "d", body).result()
    assert made.properties.provisioning_state == "Succeeded" and made.properties.outputs["id"]["value"].endswith("/deployed")
    operations = list(clients.deployments.deployment_operations.list(GROUP, "d"))
    assert "networkSecurityGroups" in str([o.properties.target_resource and o.properties.target_resource.resource_type for o in operations])
    locks = clients.locks.management_locks
    locks.create_or_update_at_resource_group_level(GROUP, "keep", {"properties": {"level": "CanNotDelete"}})
    with pytest.raises(HttpResponseError) as caught:
        clients.network.network_security_groups.begin_delete(GROUP, "deployed").result()
    assert caught.value.status_code == 409 and caught.value.error.code == "ScopeLocked"
    locks.delete_at_resource_group_level(GROUP, "keep")
    clients.network.network_security_groups.begin_delete(GROUP, "deployed").result()


def test_a_group_and_all_in_it_is_deleted(clients: SimpleNamespace, subnet: Any) -> None:
    clients.resource.resource_groups.begin_delete(GROUP).result()
    assert not clients.resource.resource_groups.check_existence(GROUP)
    with pytest.raises(ResourceNotFoundError) as caught:
        clients.network.virtual_networks.get(GROUP, "v")
    assert caught.value.error.code == "ResourceGroupNotFound"
