# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Host groups: apply a plan to a model, plan again, and nothing is left to do; and every way to get there."""

from __future__ import annotations

import copy
import dataclasses

import pytest
from ansible_collections.dockhost.azure.plugins.module_utils._model.host import Status, hosts_from_lists, key
from ansible_collections.dockhost.azure.plugins.module_utils._model.host_group import HostGroup, Naming
from ansible_collections.dockhost.azure.plugins.module_utils._plan import host_group, host_power, host_slots
from ansible_collections.dockhost.azure.plugins.module_utils._plan.host_group import Observed

NAMING = Naming("sub", "rg")
PARAMS = {
    "resource_group": "rg", "name": "web", "size": "Standard_D2s_v5", "image": "Debian:debian-13:13-gen2:latest",
    "admin_username": "azureuser", "ssh_public_keys": ["ssh-ed25519 AAAA one"], "subnet": {"network": "v", "name": "s"},
    "zones": ["1", "2", "3"], "custom_data": "#cloud-config\n", "swarm_managers": 1, "boot_diagnostics": True,
    "load_balancer_pools": ["/subscriptions/sub/resourceGroups/rg/providers/Microsoft.Network/loadBalancers/l/backendAddressPools/p"],
}  # fmt: skip


def group(**changes):
    return HostGroup.from_params({**PARAMS, **changes}, NAMING, "westeurope")


class Cloud:
    """A model of the resource group: does what a plan says, as Azure does it."""

    def __init__(self):
        self.bodies = {}

    def observed(self, **statuses):
        def of(kind):
            return tuple(copy.deepcopy(body) for name, body in self.bodies.items() if f"/{kind}/" in name)

        states = {key(NAMING.machine(name)): status for name, status in statuses.items()}
        machines = tuple(body for body in of("virtualmachines") if "/locks/" not in body["id"])
        return Observed(machines, of("networkinterfaces"), of("publicipaddresses"), of("disks"), states, locks=of("locks"))

    def apply(self, plan):
        done = set()
        steps = list(plan.steps)
        while steps:
            step = next(step for step in steps if set(step.depends_on) <= done)
            steps.remove(step)
            done.add(step.id)
            self.do(step)

    def do(self, step):
        if step.method == "PUT":
            body = copy.deepcopy(dict(step.body))
            body["properties"].get("osProfile", {}).pop("customData", None)  # Azure never returns it
            self.bodies[step.resource.key] = {"id": step.resource.id, "name": step.resource.name, **body}
            self.bodies[step.resource.key]["properties"]["provisioningState"] = "Succeeded"
        elif step.action == "delete":
            self.bodies.pop(step.resource.key, None)


@pytest.fixture
def cloud():
    found = Cloud()
    found.apply(host_group.present(group(), host_slots.by_count("web", 3), Observed()).plan)
    return found


def present(cloud, wanted, slots, **options):
    return host_group.present(wanted, slots, cloud.observed(**options.pop("statuses", {})), **options)


def names(cloud):
    return sorted(body["name"] for body in cloud.bodies.values())


def test_two_writes_a_host_and_three_with_an_address():
    for public, writes in ((False, 2), (True, 3)):
        plan = host_group.present(group(public_ip=public), host_slots.by_count("web", 5), Observed()).plan
        assert len([step for step in plan.steps if step.method]) == 5 * writes


def test_customdata_is_sent_once_and_never_shown():
    plan = host_group.present(group(custom_data="a secret"), host_slots.by_count("web", 1), Observed()).plan
    assert plan.steps[-1].body["properties"]["osProfile"]["customData"] == "YSBzZWNyZXQ="
    assert "YSBzZWNyZXQ=" not in plan.diff()["after"] and "a secret" not in plan.diff()["after"]


@pytest.mark.parametrize(
    "changes",
    [
        {"private_addresses": {"web-2": "10.0.0.9"}, "further_interfaces": [{"name": "storage", "subnet": {"network": "v", "name": "t"}}]},
        {"os_disk_ephemeral": "ResourceDisk"}, {"os_disk_caching": "ReadOnly"}, {"delete_protection": True},
        {}, {"public_ip": True}, {"data_disks": [{"lun": 0, "size_gb": 8}]}, {"spot": {}}, {"zones": None}, {"custom_data": None},
    ],
)  # fmt: skip
def test_applied_and_planned_again_nothing_is_left(changes):
    cloud, wanted = Cloud(), group(**changes)
    cloud.apply(host_group.present(wanted, host_slots.by_count("web", 4), Observed()).plan)
    again = present(cloud, wanted, host_slots.by_count("web", 4))
    assert not again.plan.changed and not again.refusals
    gone = host_group.absent("web", "rg", cloud.observed(), protection=False)
    assert not gone.refusals
    cloud.apply(gone.plan)
    assert names(cloud) == []


def test_zones_go_round_and_stay(cloud):
    zones = {host.name: host.zone for host in hosts_from_lists(cloud.observed().machines)}
    assert zones == {"web-1": "1", "web-2": "2", "web-3": "3"}
    moved = present(cloud, group(zones=["3", "2", "1"]), host_slots.by_count("web", 4))
    assert [(step.action, step.resource.name) for step in moved.plan.steps if step.action != "keep"] == [
        ("create", "web-4-nic"),
        ("create", "web-4"),
    ]
    assert moved.plan.steps[-1].body["zones"] == ["3"]


def test_scale_in_takes_the_newest_and_asks_azure_once_a_host(cloud):
    found = present(cloud, group(), host_slots.by_count("web", 1))
    assert found.removing == ("web-3", "web-2")
    assert [(step.method, step.resource.name) for step in found.plan.steps if step.method] == [("DELETE", "web-3"), ("DELETE", "web-2")]
    cloud.apply(found.plan)
    assert names(cloud) == ["web-1", "web-1-nic"]


def test_names_keep_their_numbers(cloud):
    machines = cloud.observed().machines
    assert [(slot.name, slot.index) for slot in host_slots.by_names(["db", "web-3", "app"], machines)] == [("db", 1), ("web-3", 3), ("app", 2)]


def test_roles_follow_the_number_of_managers(cloud):
    cloud.apply(present(cloud, group(swarm_managers=3), host_slots.by_count("web", 3)).plan)
    assert [host.swarm_role for host in hosts_from_lists(cloud.observed().machines)] == ["manager"] * 3


def test_tags_of_others_stay(cloud):
    machine = cloud.bodies[key(NAMING.machine("web-1"))]
    machine["tags"]["owner"] = "somebody"
    assert not present(cloud, group(), host_slots.by_count("web", 3)).plan.changed
    found = present(cloud, group(tags={"environment": "test"}), host_slots.by_count("web", 3))
    step = next(step for step in found.plan.steps if step.resource.name == "web-1")
    assert step.body["tags"]["owner"] == "somebody" and step.body["tags"]["environment"] == "test"


def test_termination_notice_comes_changes_and_goes(cloud):
    for minutes, changed in ((None, False), (0, False), (5, True), (5, False), (15, True), (None, False), (0, True), (0, False)):
        found = present(cloud, group(termination_notice=minutes), host_slots.by_count("web", 3))
        assert not found.refusals and found.plan.changed is changed, minutes
        cloud.apply(found.plan)
    profile = cloud.bodies[key(NAMING.machine("web-1"))]["properties"]["scheduledEventsProfile"]
    assert profile["terminateNotificationProfile"]["enable"] is False


@pytest.mark.parametrize(
    "wanted, left", [({}, {"hidden-link": "x"}), ({"OWNER": "me"}, {"owner": "me", "hidden-link": "x"}), ({"a": "b"}, {"a": "b", "hidden-link": "x"})]
)
def test_exact_tags(cloud, wanted, left):
    for kind in (NAMING.machine, NAMING.interface):
        cloud.bodies[key(kind("web-2"))]["tags"].update({"owner": "somebody", "hidden-link": "x"})
    exact = group(tags=wanted, append_tags=False)
    cloud.apply(present(cloud, exact, host_slots.by_count("web", 3)).plan)
    assert not present(cloud, exact, host_slots.by_count("web", 3)).plan.changed
    for kind in (NAMING.machine, NAMING.interface):
        tags = cloud.bodies[key(kind("web-2"))]["tags"]
        assert {name: value for name, value in tags.items() if not name.startswith("dockhost-")} == left
        assert tags["dockhost-group"] == "web"


REMEDY = (
    "Set {0} back, or remove these hosts (state=absent with names) and run again to have them made anew, or set "
    "immutable_changes=keep to leave them as they are and use the new value for new hosts only, or =replace to have new hosts take their place."
)
REFUSALS = [
    (
        {"size": "Standard_D4s_v5"},
        "size: hosts web-1, web-2, web-3 were made with Standard_D2s_v5, which Azure cannot change to Standard_D4s_v5 "
        "on an existing machine. Set allow_restart=true to let Azure restart them with the new size, or set size back, "
        "or set immutable_changes=keep to leave them as they are and use the new size for new hosts only.",
    ),
    (
        {"custom_data": "#cloud-config\nother: 1\n"},
        "custom_data: hosts web-1, web-2, web-3 were made with other custom data, which Azure cannot change to these on an "
        "existing machine. "
        + REMEDY.format("custom_data"),
    ),
    (
        {"ssh_public_keys": ["ssh-ed25519 BBBB two"]},
        "ssh_public_keys: hosts web-1, web-2, web-3 were made with other public keys, which Azure cannot change to these on an "
        "existing machine. "
        + REMEDY.format("ssh_public_keys"),
    ),
    (
        {"image": "Debian:debian-12:12-gen2:latest"},
        "image: hosts web-1, web-2, web-3 were made with Debian:debian-13:13-gen2:latest, which Azure cannot change to "
        "Debian:debian-12:12-gen2:latest on an existing machine. "
        + REMEDY.format("image"),
    ),
    (
        {"zones": ["1", "2"]},
        "zones: host web-3 was made with 3, which Azure cannot change to 1 on an existing machine. "
        + REMEDY.format("zones"),
    ),
]


@pytest.mark.parametrize("changes, sentence", REFUSALS, ids=[next(iter(case[0])) for case in REFUSALS])
def test_what_azure_cannot_change_is_refused(cloud, changes, sentence):
    found = present(cloud, group(**changes), host_slots.by_count("web", 3))
    assert found.refusals[0] == sentence


@pytest.mark.parametrize("changes", [case[0] for case in REFUSALS], ids=[next(iter(case[0])) for case in REFUSALS])
def test_kept_hosts_stay_and_new_ones_get_the_new_value(cloud, changes):
    found = present(cloud, group(**changes), host_slots.by_count("web", 4), keep_existing=True)
    assert not found.refusals and found.outdated
    assert {step.resource.name for step in found.plan.steps if step.method} == {"web-4", "web-4-nic"}


def test_order_and_comments_of_keys_mean_nothing():
    cloud, keys = Cloud(), ["ssh-ed25519 AAAA one", "ssh-rsa CCCC two"]
    cloud.apply(host_group.present(group(ssh_public_keys=keys), host_slots.by_count("web", 1), Observed()).plan)
    assert not present(cloud, group(ssh_public_keys=["ssh-rsa CCCC other comment", keys[0]]), host_slots.by_count("web", 1)).plan.changed


@pytest.mark.parametrize("options", [{"allow_restart": True}, {"statuses": {"web_1": None}}])
def test_size_changes_where_it_may(options):
    cloud = Cloud()
    cloud.apply(host_group.present(group(), host_slots.by_count("web", 1), Observed()).plan)
    if "statuses" in options:
        options = {"statuses": {"web-1": Status(power_state="deallocated")}}
    found = present(cloud, group(size="Standard_D4s_v5"), host_slots.by_count("web", 1), **options)
    assert not found.refusals
    assert [(step.action, step.resource.name) for step in found.plan.steps if step.method] == [("update", "web-1")]


def test_a_stranger_with_our_name_is_refused(cloud):
    cloud.bodies[key(NAMING.interface("web-2"))]["tags"] = {}
    found = present(cloud, group(), host_slots.by_count("web", 3))
    assert found.refusals == (
        "name: the network interface web-2-nic exists in resource group rg and does not belong to group web of deployment rg: "
        "choose another name, or remove it.",
    )


def test_interface_without_a_machine_is_used_again(cloud):
    del cloud.bodies[key(NAMING.machine("web-2"))]
    found = present(cloud, group(), host_slots.by_count("web", 3))
    assert [(step.action, step.resource.name) for step in found.plan.steps if step.method] == [("create", "web-2")]


def test_orphans_beyond_the_count_go_and_those_of_others_stay(cloud):
    del cloud.bodies[key(NAMING.machine("web-3"))]
    other = copy.deepcopy(cloud.bodies[key(NAMING.interface("web-3"))])
    other.update(id=NAMING.interface("db-9"), name="db-9-nic")
    other["tags"]["dockhost-group"] = "db"
    cloud.bodies[key(other["id"])] = other
    found = present(cloud, group(), host_slots.by_count("web", 2))
    assert [(step.action, step.resource.name) for step in found.plan.steps if step.method] == [("delete", "web-3-nic")]


def test_a_leftover_disk_goes_before_its_name_is_needed(cloud):
    del cloud.bodies[key(NAMING.machine("web-1"))]
    disk = {"id": NAMING.disk("web-1"), "name": "web-1-osdisk", "tags": {"dockhost-group": "web", "dockhost-deployment": "rg"}}
    cloud.bodies[key(disk["id"])] = disk
    steps = {step.resource.name: step for step in present(cloud, group(), host_slots.by_count("web", 3)).plan.steps if step.method}
    assert set(steps) == {"web-1", "web-1-osdisk"}
    assert steps["web-1"].depends_on == (steps["web-1-osdisk"].id,)


def test_a_failed_machine_is_asked_for_again(cloud):
    cloud.bodies[key(NAMING.machine("web-2"))]["properties"]["provisioningState"] = "Failed"
    status = {"web-2": Status(failure_code="AllocationFailed")}
    found = present(cloud, group(), host_slots.by_count("web", 3), statuses=status)
    steps = [step for step in found.plan.steps if step.method]
    assert [(step.action, step.resource.name, step.reason) for step in steps] == [
        ("update", "web-2", "is in the state Failed: AllocationFailed, asked for again")
    ]
    assert "provisioningState" not in steps[0].body["properties"] and "customData" not in steps[0].body["properties"]["osProfile"]


def test_a_machine_whose_system_did_not_come_up_is_reported(cloud):
    cloud.bodies[key(NAMING.machine("web-2"))]["properties"]["provisioningState"] = "Failed"
    status = {"web-2": Status(failure_code="OSProvisioningTimedOut", failure_message="OS Provisioning did not finish.")}
    found = present(cloud, group(), host_slots.by_count("web", 3), statuses=status)
    assert found.refusals == (
        "Host web-2 exists but its operating system did not finish provisioning (OSProvisioningTimedOut: OS Provisioning did not "
        "finish). Read its serial log (az vm boot-diagnostics get-boot-log -g rg -n web-2), check image and custom_data, then remove "
        "it (state=absent, names=[web-2]) and run again.",
    )


def test_addresses_come_and_go():
    cloud = Cloud()
    cloud.apply(host_group.present(group(public_ip=True), host_slots.by_count("web", 2), Observed()).plan)
    found = present(cloud, group(public_ip=False), host_slots.by_count("web", 2))
    cloud.apply(found.plan)
    assert names(cloud) == ["web-1", "web-1-nic", "web-2", "web-2-nic"]
    order = [step.id for step in found.plan.steps if step.resource.name == "web-1-nic"]
    assert all(order[0] in step.depends_on for step in found.plan.steps if step.resource.name == "web-1-ip")


def test_absent_touches_the_named_hosts_only(cloud):
    cloud.apply(host_group.absent("web", "rg", cloud.observed(), ["WEB-2"]).plan)
    assert names(cloud) == ["web-1", "web-1-nic", "web-3", "web-3-nic"]


def test_absent_of_another_deployment_touches_nothing(cloud):
    assert not host_group.absent("web", "other", cloud.observed()).plan.changed


def test_an_interface_that_azure_would_keep_is_deleted_by_us(cloud):
    machine = cloud.bodies[key(NAMING.machine("web-1"))]
    machine["properties"]["networkProfile"]["networkInterfaces"][0]["properties"]["deleteOption"] = "Detach"
    plan = host_group.absent("web", "rg", cloud.observed(), ["web-1"]).plan
    assert [(step.method, step.resource.name) for step in plan.steps if step.method] == [("DELETE", "web-1"), ("DELETE", "web-1-nic")]


@pytest.mark.parametrize(
    "state, power, operation",
    [
        ("started", "running", None), ("started", "deallocated", "start"), ("started", "stopped", "start"), ("started", None, "start"),
        ("stopped", "running", "powerOff"), ("stopped", "deallocated", None), ("stopped", "stopped", None),
        ("deallocated", "running", "deallocate"), ("deallocated", "stopped", "deallocate"), ("deallocated", "deallocated", None),
        ("restarted", "running", "restart"), ("restarted", "stopped", "start"),
    ],
)  # fmt: skip
def test_power(cloud, state, power, operation):
    machine = cloud.observed().machines[:1]
    plan = host_power.plan(machine, {key(machine[0]["id"]): Status(power_state=power)}, state)
    assert [(step.method, step.operation) for step in plan.steps] == ([("POST", operation)] if operation else [])


def test_serial_lets_so_many_go_at_once(cloud):
    machines = cloud.observed().machines
    steps = host_power.plan(machines, {}, "restarted", serial=2).steps
    assert [step.resource.name for step in steps] == ["web-1", "web-2", "web-3"]
    assert [step.depends_on for step in steps] == [(), (), (steps[0].id,)]


def test_failures_of_the_run_time_list():
    machine = {"properties": {"instanceView": {"platformFaultDomain": 1, "statuses": [
        {"code": "ProvisioningState/failed/OSProvisioningTimedOut", "message": "late"}, {"code": "PowerState/running"}]}}}  # fmt: skip
    assert Status.from_api(machine) == Status("running", 1, "OSProvisioningTimedOut", "late")
    assert Status.from_api({"properties": {}}) == Status()


def test_ids_of_any_casing_are_joined(cloud):
    observed = cloud.observed()
    nic = copy.deepcopy(observed.interfaces[0])
    nic["id"] = nic["id"].upper()
    nic["properties"]["ipConfigurations"][0]["properties"]["privateIPAddress"] = "10.0.0.4"
    host = hosts_from_lists(observed.machines[:1], [nic], (), {})[0]
    assert (host.name, host.index, host.private_address, host.group, host.admin_username) == ("web-1", 1, "10.0.0.4", "web", "azureuser")
    assert dataclasses.asdict(host) == host.result()
