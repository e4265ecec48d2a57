# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Interfaces, addresses, system disks and locks of host_group on a lab: made, made again, changed, refused, removed."""

from __future__ import annotations

from . import test_host_group
from .test_host_group import actions, hosts_and_nics, requests, run, state

network = test_host_group.network  # the fixture
STORAGE = {"name": "storage", "subnet": {"network": "net", "name": "small"}}


def machine(azure, group, name):
    return azure.arm("GET", f"resourceGroups/{group}/providers/Microsoft.Compute/virtualMachines/{name}")[1]


def test_static_addresses(azure, network):
    fixed = {"web-2": "10.60.1.20"}
    made = run(azure, network, count=2, private_addresses=fixed)
    assert [host["private_address"] for host in made["hosts"]] == ["10.60.1.4", "10.60.1.20"]
    assert not run(azure, network, count=2, private_addresses=fixed)["changed"] and not run(azure, network, count=2)["changed"]
    moved = run(azure, network, count=2, private_addresses={"web-1": "10.60.1.30", **fixed})
    assert actions(moved) == [("update", "web-1-nic")] and moved["hosts"][0]["private_address"] == "10.60.1.30"
    for address, why in (
        ("10.60.9.9", "is not in subnet hosts (10.60.1.0/24): give one that is"),
        ("10.60.1.3", "is one of the five that Azure keeps in 10.60.1.0/24 (the first four and the last): give another"),
        ("10.60.1.20", "is taken by the network interface web-2-nic: give another"),
    ):
        refused, sent = requests(azure, lambda text=address: run(azure, network, private_addresses={"web-3": text}))
        assert refused["msg"] == f"private_addresses: {address} of host web-3 {why}."
        assert all(entry["method"] == "GET" for entry in sent)


def test_further_interfaces_live_and_go_with_their_host(azure, network):
    made, sent = requests(azure, lambda: run(azure, network, count=2, further_interfaces=[STORAGE]))
    assert actions(made) == [("create", f"web-{n}{kind}") for n in (1, 2) for kind in ("-nic", "-storage", "")]
    assert len([entry for entry in sent if entry["method"] == "PUT"]) == 6
    assert {host["private_address"] for host in made["hosts"]} == {"10.60.1.4", "10.60.1.5"}, "that of the first interface"
    assert not run(azure, network, count=2, further_interfaces=[STORAGE])["changed"] and not run(azure, network, count=2)["changed"]
    refused = run(azure, network, count=2, further_interfaces=[])
    assert "further_interfaces" in refused["msg"] and "state=deallocated" in refused["msg"]
    down = run(azure, network, count=1, further_interfaces=[STORAGE])
    assert actions(down) == [("delete", "web-2")] and "web-2-storage" not in hosts_and_nics(azure, network)
    assert not state(azure, network, "deallocated")["failed"]
    assert not run(azure, network, count=1, further_interfaces=[])["failed"]
    assert hosts_and_nics(azure, network) == ["web-1-osdisk", "web-1-nic", "web-1"]
    assert not run(azure, network, count=1, further_interfaces=[STORAGE])["failed"]
    assert [one["id"].rsplit("/", 1)[1] for one in machine(azure, network, "web-1")["properties"]["networkProfile"]["networkInterfaces"]] == [
        "web-1-nic", "web-1-storage",
    ]  # fmt: skip
    assert not state(azure, network, "absent")["failed"] and hosts_and_nics(azure, network) == []


def test_more_than_the_size_carries(azure, network):
    more = [dict(STORAGE, name=f"n{number}") for number in (1, 2)]
    refused, sent = requests(azure, lambda: run(azure, network, further_interfaces=more))
    assert refused["msg"] == (
        "further_interfaces: size Standard_D2s_v5 takes 2 network interfaces and 3 are asked for: give fewer, or choose another size."
    )
    assert run(azure, network, os_disk_ephemeral="CacheDisk")["msg"] == (
        "os_disk_ephemeral: size Standard_D2s_v5 has no place for an ephemeral disk: leave it out, or choose another size."
    )
    disks = [{"lun": lun, "size_gb": 4} for lun in range(5)]
    assert run(azure, network, data_disks=disks)["msg"].startswith("data_disks: size Standard_D2s_v5 takes 4 data disks and 5 are asked for")


def test_more_public_addresses_than_the_quota_has(azure, network):
    azure.admin.call("POST", "/conditions", {"quotas": [{"name": "PublicIPAddresses", "limit": 1}]})
    try:
        refused, sent = requests(azure, lambda: run(azure, network, public_ip=True))
    finally:
        azure.admin.call("POST", "/conditions", {"quotas": []})
    assert refused["msg"].startswith("public_ip: 3 more hosts need as many public addresses of the quota 'Public IP Addresses' in westeurope and ")
    assert all(entry["method"] == "GET" for entry in sent)


def test_what_hosts_refer_to_is_looked_for_first(azure, network):
    elsewhere = {"name": "storage", "subnet": {"network": "net", "name": "nowhere"}}
    for options, sentence in (
        ({"security_group": "nsg"}, f"security_group: the network security group 'nsg' does not exist in resource group {network}"),
        ({"application_security_groups": ["app"]}, "application_security_groups: the application security group 'app' does not exist"),
        ({"availability_set": "set", "zones": None}, "availability_set: the availability set 'set' does not exist"),
        ({"proximity_placement_group": "near"}, "proximity_placement_group: the proximity placement group 'near' does not exist"),
        ({"further_interfaces": [elsewhere]}, "further_interfaces: the virtual network 'net' has no subnet 'nowhere' (it has: hosts, small)"),
    ):
        refused, sent = requests(azure, lambda more=options: run(azure, network, **more))
        assert refused["msg"].startswith(sentence), refused["msg"]
        assert all(entry["method"] == "GET" for entry in sent)
        planned = run(azure, network, check=True, **options)
        assert not planned["failed"] and planned["missing"][0].startswith(sentence)


def test_ephemeral_disks(azure, network):
    options = {"count": 1, "size": "Standard_D4s_v3", "os_disk_ephemeral": "ResourceDisk"}
    assert not run(azure, network, **options)["failed"] and not run(azure, network, **options)["changed"]
    disk = machine(azure, network, "web-1")["properties"]["storageProfile"]["osDisk"]
    assert disk["diffDiskSettings"] == {"option": "Local", "placement": "ResourceDisk"} and disk["caching"] == "ReadOnly"
    refused, sent = requests(azure, lambda: state(azure, network, "deallocated"))
    assert refused["msg"].startswith("state: web-1 cannot be deallocated") and all(entry["method"] == "GET" for entry in sent)
    assert not state(azure, network, "stopped")["failed"]


def test_delete_protection(azure, network):
    made, sent = requests(azure, lambda: run(azure, network, count=2, delete_protection=True))
    assert [entry["method"] for entry in sent].count("PUT") == 6
    assert not run(azure, network, count=2, delete_protection=True)["changed"]
    again, sent = requests(azure, lambda: run(azure, network, count=2))
    assert not again["changed"] and len(sent) <= 4, "nothing more is read where no host goes"
    path = f"resourceGroups/{network}/providers/Microsoft.Compute/virtualMachines/web-2"
    assert azure.arm("DELETE", path)[0] == 409
    sentence = "delete_protection: host web-2 is protected from deletion: give delete_protection=false if it is to go, and run again."
    refused, sent = requests(azure, lambda: run(azure, network, count=1))
    assert refused["msg"] == sentence and all(entry["method"] == "GET" for entry in sent)
    assert state(azure, network, "absent", names=["web-2"])["msg"] == sentence
    down = run(azure, network, count=1, delete_protection=False)
    assert not down["failed"] and down["removing"] == ["web-2"]
    assert azure.arm("DELETE", path.replace("web-2", "web-9"))[0] == 204
    assert not run(azure, network, count=1, delete_protection=True)["failed"]
    assert not state(azure, network, "absent", delete_protection=False)["failed"] and hosts_and_nics(azure, network) == []


def test_a_rollback_unlocks_what_it_made(azure, network):
    azure.admin.fault(method="PUT", path="virtualMachines/web-2/create vm$", operation={"code": "AllocationFailed", "message": "No room."}, times=0)
    failed = run(azure, network, count=2, delete_protection=True, on_failure="rollback")
    azure.admin.clear_faults()
    assert failed["failed"] and failed["msg"].endswith("What this run had made was removed again (on_failure=rollback)."), failed["msg"]
    assert hosts_and_nics(azure, network) == []


def test_hosts_are_renewed_without_ever_being_fewer(azure, network):
    old = run(azure, network, count=2, swarm_managers=0)["hosts"]
    newer = {"image": "Debian:debian-12:12-gen2:latest", "immutable_changes": "keep", "swarm_managers": 0}
    both = run(azure, network, count=4, **newer)
    assert both["outdated"] == ["web-1", "web-2"] and [host["image"].split(":")[1] for host in both["hosts"]] == ["debian-13"] * 2 + ["debian-12"] * 2
    asked = run(azure, network, check=True, count=2, scale_in_first=both["outdated"], **newer)
    assert sorted(asked["removing"]) == ["web-1", "web-2"]
    left = run(azure, network, count=2, scale_in_first=both["outdated"], **newer)
    assert [host["name"] for host in left["hosts"]] == ["web-3", "web-4"] and left["outdated"] == []
    assert not run(azure, network, count=2, scale_in_first=both["outdated"], **newer)["changed"]
    assert not {host["vm_id"] for host in old} & {host["vm_id"] for host in left["hosts"]}
