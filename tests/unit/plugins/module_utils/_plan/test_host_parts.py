# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Interfaces, addresses, system disks and locks of hosts: how they come, change and go."""

from __future__ import annotations

import pytest
from ansible_collections.dockhost.azure.plugins.module_utils._model.host import Status, key
from ansible_collections.dockhost.azure.plugins.module_utils._plan import host_group, host_power, host_slots
from ansible_collections.dockhost.azure.plugins.module_utils._plan.host_group import Observed

from .test_host_group import NAMING, Cloud, group, names, present

STORAGE = {"name": "storage", "subnet": {"network": "v", "name": "t"}, "private_addresses": {"WEB-1": "10.0.9.9"}}
TWO = host_slots.by_count("web", 2)


def made(**changes):
    cloud = Cloud()
    cloud.apply(host_group.present(group(**changes), TWO, Observed()).plan)
    return cloud


def body(cloud, path):
    return cloud.bodies[key(path)]["properties"]


def test_interfaces_in_order_and_with_their_host():
    cloud = made(further_interfaces=[STORAGE])
    assert names(cloud) == ["web-1", "web-1-nic", "web-1-storage", "web-2", "web-2-nic", "web-2-storage"]
    references = body(cloud, NAMING.machine("web-1"))["networkProfile"]["networkInterfaces"]
    assert [(one["id"].rsplit("/", 1)[1], one["properties"]) for one in references] == [
        ("web-1-nic", {"primary": True, "deleteOption": "Delete"}),
        ("web-1-storage", {"primary": False, "deleteOption": "Delete"}),
    ]
    configuration = body(cloud, NAMING.interface("web-1").replace("-nic", "-storage"))["ipConfigurations"][0]["properties"]
    assert (configuration["privateIPAllocationMethod"], configuration["privateIPAddress"]) == ("Static", "10.0.9.9")
    fewer = present(cloud, group(further_interfaces=[STORAGE]), host_slots.by_count("web", 1))
    assert [(step.method, step.resource.name) for step in fewer.plan.steps if step.action == "delete"] == [
        ("DELETE", "web-2"), ("", "web-2-nic"), ("", "web-2-storage"),
    ]  # fmt: skip


def test_interfaces_come_and_go_on_deallocated_hosts_only():
    cloud = made()
    refused = present(cloud, group(further_interfaces=[STORAGE]), TWO, statuses={"web-1": Status("running"), "web-2": Status("running")})
    assert len(refused.refusals) == 1 and refused.refusals[0].endswith(
        "Deallocate these hosts first (state=deallocated), since interfaces come and go only then, or set further_interfaces back, or set "
        "immutable_changes=keep to leave them as they are and use the new interfaces for new hosts only."
    )
    away = {"web-1": Status("deallocated"), "web-2": Status("deallocated")}
    more = present(cloud, group(further_interfaces=[STORAGE]), TWO, statuses=away)
    assert not more.refusals
    cloud.apply(more.plan)
    assert not present(cloud, group(further_interfaces=[STORAGE]), TWO, statuses=away).plan.changed
    assert not present(cloud, group(), TWO, statuses=away).plan.changed, "left alone when nothing is said"
    none = present(cloud, group(further_interfaces=[]), TWO, statuses=away)
    assert not none.refusals
    cloud.apply(none.plan)
    assert names(cloud) == ["web-1", "web-1-nic", "web-2", "web-2-nic"]


def test_an_address_stays_as_it_is_unless_it_is_spoken_of():
    cloud = made(private_addresses={"web-1": "10.0.0.9"})
    for wanted, changed in ((None, False), ({"web-1": "10.0.0.9"}, False), ({"web-1": "10.0.0.10"}, True), ({}, True)):
        found = present(cloud, group(private_addresses=wanted), TWO)
        assert not found.refusals and found.plan.changed is changed, wanted
    assert [step.resource.name for step in found.plan.steps if step.action == "update"] == ["web-1-nic"]


@pytest.mark.parametrize("status, options, refused", [
    (Status("running"), {}, True), (Status("running"), {"allow_restart": True}, False), (Status("deallocated"), {}, False),
])  # fmt: skip
def test_the_cache_of_the_system_disk_restarts_a_host(status, options, refused):
    cloud = made()
    found = present(cloud, group(os_disk_caching="ReadOnly"), TWO, statuses={"web-1": status, "web-2": status}, **options)
    assert bool(found.refusals) is refused
    if refused:
        assert "Set allow_restart=true to let Azure restart them with the new cache" in found.refusals[0]


def test_an_ephemeral_disk_is_for_life_and_is_not_deallocated():
    cloud = made(os_disk_ephemeral="ResourceDisk")
    disk = body(cloud, NAMING.machine("web-1"))["storageProfile"]["osDisk"]
    assert disk["diffDiskSettings"] == {"option": "Local", "placement": "ResourceDisk"} and disk["caching"] == "ReadOnly"
    assert not present(cloud, group(), TWO).plan.changed
    assert present(made(), group(os_disk_ephemeral="CacheDisk"), TWO).refusals[0].startswith("os_disk_")
    machines = cloud.observed().machines
    assert host_power.refusals(machines, "stopped") == []
    assert host_power.refusals(machines, "deallocated") == [
        "state: web-1, web-2 cannot be deallocated, since Azure does not do that with an ephemeral disk (os_disk_ephemeral): give state=stopped, "
        "which is paid for, or state=absent."
    ]


def test_locked_hosts_stay():
    cloud = made(delete_protection=True)
    one = host_slots.by_count("web", 1)
    sentence = "delete_protection: host web-2 is protected from deletion: give delete_protection=false if it is to go, and run again."
    for wanted in (True, None):
        assert present(cloud, group(delete_protection=wanted), one).refusals == (sentence,)
    assert host_group.absent("web", "rg", cloud.observed(), ["web-2"]).refusals == (sentence,)
    unlocked = present(cloud, group(delete_protection=False), one)
    assert not unlocked.refusals
    order = {step.id: step for step in unlocked.plan.steps}
    deletion = next(step for step in order.values() if step.method == "DELETE" and step.resource.name == "web-2")
    assert any("/locks/" in needed for needed in deletion.depends_on), "the lock goes first"
    cloud.apply(unlocked.plan)
    assert names(cloud) == ["web-1", "web-1-nic"]


@pytest.mark.parametrize("scope", ["/subscriptions/sub", "/subscriptions/sub/resourceGroups/RG", NAMING.machine("web-2")])
def test_locks_of_others_hold_too(scope):
    cloud = made()
    held = f"{scope}/providers/Microsoft.Authorization/locks/audit"
    cloud.bodies[key(held)] = {"id": held, "name": "audit", "properties": {"level": "CanNotDelete"}}
    found = present(cloud, group(delete_protection=False), host_slots.by_count("web", 1))
    assert found.refusals == (
        f"delete_protection: host web-2 is held by the lock {held}, which is not of this collection: whoever set it has to remove it first.",
    )
