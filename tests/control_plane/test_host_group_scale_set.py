# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Module host_group with engine=scale_set: one request makes the hosts; the rest is as with machines of their own."""

from __future__ import annotations

import base64
import re

import pytest
from azlab.arm.compute.vm_make import Maker

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFSSdwXM3ItvMNHN3qPpwS4nNT8sZNtNnHn9yLzHYzXt demo"
IMAGE = "Debian:debian-13:13-gen2:latest"
DATA = "#cloud-config\nruncmd: [ls]\n"
SET = "providers/Microsoft.Compute/virtualMachineScaleSets/web"


@pytest.fixture
def network(azure, group):
    """A resource group with a network in it."""
    made = azure.run("network", {
        "resource_group": group, "location": "westeurope", "name": "net", "address_prefixes": ["10.60.0.0/16"],
        "subnets": [{"name": "hosts", "address_prefix": "10.60.1.0/24"}, {"name": "small", "address_prefix": "10.60.2.0/29"}],
    })  # fmt: skip
    assert not made["failed"], made
    return group


def run(azure, group, check=False, **more):
    """Three hosts in three zones, as one set."""
    return azure.run("host_group", {
        "resource_group": group, "name": "web", "engine": "scale_set", **({} if "names" in more else {"count": 3}), "size": "Standard_D2s_v5", "image": IMAGE,
        "zones": ["1", "2", "3"], "ssh_public_keys": [KEY], "subnet": {"network": "net", "name": "hosts"}, "swarm_managers": 0,
        "custom_data": DATA, **more,
    }, check=check)  # fmt: skip


def state(azure, group, name, **more):
    return azure.run("host_group", {"resource_group": group, "name": "web", "state": name, **more})


def actions(result):
    assert not result["failed"], result
    return [(step["action"], step["type"].rsplit("/", 1)[-1]) for step in result["plan"] if not step["reason"].startswith("goes with")]


def names(result):
    assert not result["failed"], result
    return [host["name"] for host in result["hosts"]]


def writes(azure, call):
    """The result and what was written, without the turn to change the group."""
    azure.admin.clear_requests()
    result = call()
    return result, [(entry["method"], entry["path"].rsplit("/", 1)[-1]) for entry in azure.admin.requests(limit=100000)
                    if "/subscriptions/" in entry["path"] and entry["method"] != "GET" and not entry["path"].endswith("_lock")]  # fmt: skip


def left(azure, group):
    kinds = ("virtualMachineScaleSets", "virtualMachines", "networkInterfaces", "publicIPAddresses", "disks")
    return [kind for kind, dummy in azure.resources(group) if kind in kinds]


def get(azure, group, path):
    return azure.lab.arm("GET", f"resourceGroups/{group}/{path}")[1]


def test_life_of_a_group(azure, network):
    checked = run(azure, network, check=True)
    assert actions(checked) == [("create", "virtualMachineScaleSets")] and checked["hosts"] == [] and left(azure, network) == []
    assert "  sku.capacity: 3\n" in checked["diff"]["after"] and "osProfile.customData: ********\n" in checked["diff"]["after"]
    assert base64.b64encode(DATA.encode()).decode() not in str(checked)

    made, sent = writes(azure, lambda: run(azure, network))
    assert sent == [("PUT", "web")] and actions(made) == actions(checked)
    hosts = made["hosts"]
    assert len(hosts) == 3 and all(re.fullmatch("web_[0-9a-f]{8}", host["name"]) for host in hosts)
    assert sorted(host["zone"] for host in hosts) == ["1", "2", "3"]
    assert {(host["group"], host["deployment"], host["swarm_role"], host["power_state"], host["index"]) for host in hosts} == {
        ("web", network, "worker", "running", None)}  # fmt: skip
    assert {host["private_address"] for host in hosts} == {"10.60.1.4", "10.60.1.5", "10.60.1.6"}

    again, sent = writes(azure, lambda: run(azure, network))
    assert not again["changed"] and again["plan"] == [] and again["hosts"] == hosts and sent == []

    checked = run(azure, network, check=True, count=5)
    assert [(change["path"], change["before"], change["after"]) for change in checked["plan"][0]["changes"]] == [("sku.capacity", 3, 5)]
    up, sent = writes(azure, lambda: run(azure, network, count=5))
    assert sent == [("PUT", "web")] and len(up["hosts"]) == 5 and {host["name"] for host in hosts} < set(names(up))

    first = hosts[0]["name"]
    planned = run(azure, network, check=True, count=3, scale_in_first=[first])
    assert first in planned["removing"] and len(planned["removing"]) == 2
    newest = next(name for name in planned["removing"] if name != first)
    assert newest not in {host["name"] for host in hosts}
    down, sent = writes(azure, lambda: run(azure, network, count=3, scale_in_first=[first]))
    assert sent == [("POST", "delete")] and set(names(up)) - set(names(down)) == set(planned["removing"])
    assert actions(down)[0] == ("update", "virtualMachineScaleSets") and down["removing"] == planned["removing"]
    assert get(azure, network, SET)["sku"]["capacity"] == 3
    assert sorted(left(azure, network)) == sorted(["virtualMachineScaleSets"] + ["virtualMachines", "networkInterfaces", "disks"] * 3)
    assert not run(azure, network)["changed"]

    checked = state(azure, network, "stopped", names=[names(down)[0]])
    assert [host["power_state"] for host in checked["hosts"]] == ["stopped", "running", "running"]

    told = azure.run("host_group_info", {"resource_group": network, "name": "web"})
    assert names(told) == names(down)
    one = state(azure, network, "absent", names=[names(down)[0]])
    assert names(one) == names(down)[1:] and run(azure, network)["changed"]

    gone, sent = writes(azure, lambda: state(azure, network, "absent"))
    assert sent == [("DELETE", "web")] and len(gone["removing"]) == 3 and gone["hosts"] == [] and left(azure, network) == []
    assert not state(azure, network, "absent")["changed"]


def test_hosts_that_are_there_are_changed_like_others(azure, network):
    options = {"public_ip": True, "os_disk_size_gb": 64, "data_disks": [{"lun": 1, "size_gb": 8}], "boot_diagnostics": True}
    made = run(azure, network, count=2, **options)
    assert all(host["public_address"] for host in made["hosts"])
    assert not run(azure, network, count=2, **options)["changed"]

    tagged = run(azure, network, count=2, tags={"environment": "test"}, **options)
    kinds = [kind for dummy, kind in actions(tagged)]
    assert sorted(set(kinds)) == ["networkInterfaces", "publicIPAddresses", "virtualMachineScaleSets", "virtualMachines"]
    assert {host["tags"]["environment"] for host in tagged["hosts"]} == {"test"} and names(tagged) == names(made)
    more = run(azure, network, count=3, tags={"environment": "test"}, **options)
    assert {host["tags"]["environment"] for host in more["hosts"]} == {"test"}
    assert not run(azure, network, count=3, tags={"environment": "test"}, **options)["changed"]

    refused = run(azure, network, count=3, custom_data="#cloud-config\nruncmd: [id]\n", **options)
    assert refused["failed"] and "custom_data: hosts web_" in refused["msg"] and "immutable_changes=keep" in refused["msg"]
    kept = run(azure, network, count=4, custom_data="#cloud-config\nruncmd: [id]\n", immutable_changes="keep", **options)
    assert sorted(kept["outdated"]) == names(more) and len(kept["hosts"]) == 4
    digests = {host["name"]: host["tags"]["dockhost-custom-data"] for host in kept["hosts"]}
    assert len(set(digests.values())) == 2 and {digests[name] for name in names(more)} != {digests[(set(names(kept)) - set(names(more))).pop()]}

    bigger = run(azure, network, count=4, size="Standard_D4s_v5", allow_restart=True, immutable_changes="keep", **options,
                 custom_data="#cloud-config\nruncmd: [id]\n")  # fmt: skip
    assert {host["size"] for host in bigger["hosts"]} == {"Standard_D4s_v5"}
    user = run(azure, network, count=4, admin_username="other", immutable_changes="keep", **options)
    assert user["failed"] and "admin_username: the scale set web was made with azureuser" in user["msg"]


def test_a_host_without_its_tags_is_still_the_groups(azure, network):
    made = run(azure, network, count=2)
    one = names(made)[0]
    path = f"providers/Microsoft.Compute/virtualMachines/{one}"
    assert azure.lab.arm("PATCH", f"resourceGroups/{network}/{path}", {"tags": {}})[0] == 200
    checked = run(azure, network, check=True, count=2)
    assert [(step["action"], step["name"]) for step in checked["plan"]] == [("update", one)]
    assert names(run(azure, network, count=2)) == names(made)
    assert get(azure, network, path)["tags"]["dockhost-group"] == "web"


def test_an_azure_that_does_not_copy_the_tags_of_a_set(azure, network, monkeypatch):
    make = Maker.make
    monkeypatch.setattr(Maker, "make", lambda self, call, p, kept: make(self, call, p, {**kept, "tags": {}}))
    made, sent = writes(azure, lambda: run(azure, network, count=2))
    assert [method for method, dummy in sent] == ["PUT"] * 3 and actions(made) == [("create", "virtualMachineScaleSets")]
    assert {(host["group"], host["swarm_role"]) for host in made["hosts"]} == {("web", "worker")} and len(made["hosts"]) == 2
    assert all(host["tags"]["dockhost-custom-data"] for host in made["hosts"])
    assert not run(azure, network, count=2)["changed"]


def test_what_somebody_has_put_into_the_set_is_left_alone(azure, network):
    run(azure, network, count=1, zones=None)
    other = azure.run("host_group", {
        "resource_group": network, "name": "own", "count": 1, "size": "Standard_D2s_v5", "ssh_public_keys": [KEY],
        "subnet": {"network": "net", "name": "hosts"}})  # fmt: skip
    assert not other["failed"]
    whole = f"/subscriptions/{azure.lab.subscription}/resourceGroups/{network}/{SET}"
    assert azure.lab.arm("PATCH", f"resourceGroups/{network}/providers/Microsoft.Compute/virtualMachines/own-1",
                         {"properties": {"virtualMachineScaleSet": {"id": whole}}})[0] == 200  # fmt: skip
    again = run(azure, network, count=1, zones=None)
    assert len(again["hosts"]) == 1
    refused = state(azure, network, "absent")
    assert refused["failed"] and refused["msg"].startswith("name: own-1 in the scale set web is not of this group")


def test_hosts_of_a_set_are_protected(azure, network):
    made = run(azure, network, count=2, delete_protection=True)
    assert len(made["hosts"]) == 2 and not run(azure, network, count=2, delete_protection=True)["changed"]
    for refused in (run(azure, network, count=1, delete_protection=True), state(azure, network, "absent")):
        assert refused["failed"] and refused["msg"].startswith("delete_protection: host"), refused
    assert len(run(azure, network, count=1, delete_protection=False)["hosts"]) == 1
    assert not state(azure, network, "absent")["failed"] and left(azure, network) == []


def test_the_other_engine(azure, network):
    run(azure, network, count=1)
    refused = run(azure, network, count=1, engine="virtual_machines")
    assert refused["failed"] and refused["msg"].startswith("engine: the hosts of group web are in a scale set (web_")
    state(azure, network, "absent")
    run(azure, network, count=1, engine="virtual_machines")
    refused = run(azure, network, count=1)
    assert refused["failed"] and refused["msg"].startswith("engine: group web has hosts that are machines of their own (web-1 is one of them)")


@pytest.mark.parametrize(("options", "text"), [
    ({"names": ["a"]}, "names: not with engine=scale_set: Azure chooses the names of a scale set's hosts: give count."),
    ({"swarm_managers": 1}, "swarm_managers: not with engine=scale_set: "),
    ({"zones": None, "availability_set": "a"}, "availability_set: not with engine=scale_set: "),
    ({"identities": {"system_assigned": True}}, "identities: not with engine=scale_set: "),
    ({"name": "w" * 36}, "name: '" + "w" * 36 + "' is too long for engine=scale_set"),
    ({"subnet": {"network": "net", "name": "small"}, "count": 9}, "subnet: small (10.60.2.0/29) has 3 free addresses and 9 more hosts need one each"),
    ({"size": "Standard_Nothing"}, "size: 'Standard_Nothing' is not offered"),
])  # fmt: skip
def test_bad_input(azure, network, options, text):
    refused = run(azure, network, **options)
    assert refused["failed"] and refused["msg"].startswith(text), refused["msg"]
    assert left(azure, network) == []


def test_a_set_of_another(azure, network):
    run(azure, network, count=0)
    refused = run(azure, network, count=1, deployment="another")
    assert refused["failed"] and refused["msg"].startswith("name: the scale set web exists in resource group")
    assert not state(azure, network, "absent", deployment="another")["changed"] and left(azure, network) == ["virtualMachineScaleSets"]
    assert actions(state(azure, network, "absent")) == [("delete", "virtualMachineScaleSets")]


@pytest.mark.parametrize("rollback", [False, True])
def test_a_host_that_cannot_be_made(azure, network, rollback):
    run(azure, network, count=1)
    azure.admin.fault(path="virtualMachines/web_.*/create vm", nth=1, times=1,
                      operation={"code": "ZonalAllocationFailed", "message": "No room in this zone."})  # fmt: skip
    failed = run(azure, network, count=3, on_failure="rollback" if rollback else "keep")
    azure.admin.clear_faults()
    assert failed["failed"]
    [failure] = failed["failures"]
    assert failure["host"].startswith("web_") and failure["code"] == "ZonalAllocationFailed" and "other zones" in failed["msg"]
    there = left(azure, network).count("virtualMachines")
    assert there == (1 if rollback else 3)
    again = run(azure, network, count=3)
    assert len(again["hosts"]) == 3 and {host["provisioning_state"] for host in again["hosts"]} == {"Succeeded"}
    assert not run(azure, network, count=3)["changed"]
