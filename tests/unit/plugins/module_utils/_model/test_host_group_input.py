# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bad input of host_group: each message word for word, before anything is sent."""

from __future__ import annotations

import pytest
from ansible_collections.dockhost.azure.plugins.module_utils._errors import InputError
from ansible_collections.dockhost.azure.plugins.module_utils._model.host_group_input import check

ED25519 = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFSSdwXM3ItvMNHN3qPpwS4nNT8sZNtNnHn9yLzHYzXt demo"
GOOD = {
    "resource_group": "rg-demo",
    "name": "demo",
    "state": "present",
    "count": 3,
    "size": "Standard_D2s_v5",
    "image": "Debian:debian-13:13-gen2:latest",
    "admin_username": "azureuser",
    "ssh_public_keys": [ED25519],
    "subnet": {"network": "demo-vnet", "name": "hosts"},
}


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"count": 0},
        {"count": 1000},
        {"count": None, "names": ["db", "web"]},
        {"zones": ["1", "2", "3"]},
        {"subnet": "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v/subnets/n"},
        {"custom_data": "#cloud-config\nruncmd: [ls]\n"},
        {"custom_data": "#!/bin/sh\nnot: [yaml\n"},
        {"custom_data": "#cloud-config\n# nothing but comments\n"},
        {"image": "Canonical:ubuntu-24_04-lts:server"},
        {"image": "/CommunityGalleries/g/Images/i/Versions/1.0.0"},
        {"swarm_managers": 3},
        {"private_addresses": {"Demo-2": "10.0.0.9"}, "further_interfaces": [{"name": "storage", "subnet": {"network": "v", "name": "s"}}]},
        {"os_disk_ephemeral": "ResourceDisk", "spot": {"eviction_policy": "Delete", "max_price": 0.1}},
        {"state": "absent", "size": None, "subnet": None, "ssh_public_keys": None, "count": None},
    ],
)
def test_good(change):
    check({**GOOD, **change})


INTERFACE = {"name": "storage", "subnet": {"network": "v", "name": "s"}}
CASES = [
    ({"count": None, "names": ["db"], "immutable_changes": "replace"}, "names",
     "names: not with immutable_changes=replace: a host can only be replaced under its own name once it is gone, so that there would be fewer "
     "for a while: give count, or remove these hosts first (state=absent with names)."),
    ({"engine": "scale_set", "immutable_changes": "replace"}, "engine",
     "engine: not with immutable_changes=replace: hosts of a scale set are renewed with immutable_changes=keep, a higher count, and then the "
     "old count with scale_in_first: give engine=virtual_machines, or keep."),
    ({"scale_in_first": ["demo-1"], "immutable_changes": "replace"}, "scale_in_first",
     "scale_in_first: not with immutable_changes=replace: outdated hosts are the first to go: leave it out."),
    ({"on_failure": "rollback", "immutable_changes": "replace"}, "on_failure",
     "on_failure: not with immutable_changes=replace: hosts that were removed cannot be brought back: give keep, which leaves each old host "
     "whose replacement could not be made."),
    ({"engine": "scale_set", "private_addresses": {"demo-1": "10.0.0.9"}}, "private_addresses",
     "private_addresses: not with engine=scale_set: the names of its hosts cannot be known before they are there: leave it out."),
    ({"engine": "scale_set", "further_interfaces": [INTERFACE]}, "further_interfaces",
     "further_interfaces: not with engine=scale_set: hosts of a set have one interface here: leave it out, or use virtual_machines."),
    ({"private_addresses": {"web-1": "10.0.0.9"}}, "private_addresses",
     "private_addresses: 'web-1' is not a host of this group: they are called demo-1, demo-2 and so on."),
    ({"count": None, "names": ["db"], "private_addresses": {"web": "10.0.0.9"}}, "private_addresses",
     "private_addresses: 'web' is not one of names: correct the name, or add it there."),
    ({"private_addresses": {"demo-1": "10.0.0"}}, "private_addresses",
     "private_addresses: '10.0.0' of host demo-1 is not an IPv4 address: give one like 10.0.1.10."),
    ({"private_addresses": {"demo-1": "10.0.0.9", "demo-2": "10.0.0.9"}}, "private_addresses",
     "private_addresses: 10.0.0.9 is given to demo-1 and to demo-2: give each host an address of its own."),
    ({"further_interfaces": [{**INTERFACE, "name": "nic"}]}, "further_interfaces",
     "further_interfaces: 'nic' cannot be a name: use letters, digits and hyphens, at most 16, with a letter first, and not nic, which is the "
     "first interface's."),
    ({"further_interfaces": [INTERFACE, INTERFACE]}, "further_interfaces",
     "further_interfaces: 'storage' is listed twice: give each interface a name of its own."),
    ({"further_interfaces": [{"name": "storage", "subnet": "storage"}]}, "further_interfaces",
     "further_interfaces: give the id of a subnet, or a mapping with network and name."),
    ({"os_disk_ephemeral": "CacheDisk", "os_disk_caching": "ReadWrite"}, "os_disk_caching",
     "os_disk_caching: ReadWrite is not possible with os_disk_ephemeral: leave it out."),
    ({"os_disk_ephemeral": "CacheDisk", "os_disk_type": "Premium_LRS"}, "os_disk_type",
     "os_disk_type: Premium_LRS is not possible with os_disk_ephemeral: leave it out."),
    ({"os_disk_ephemeral": "CacheDisk", "spot": {"eviction_policy": "Deallocate", "max_price": -1}}, "spot",
     "spot: eviction_policy Deallocate is not possible with os_disk_ephemeral, since Azure does not deallocate such a host: give Delete."),
    ({"spot": {"eviction_policy": "Delete", "max_price": 0}}, "spot",
     "spot: max_price 0 is not possible: give a price per hour above 0, or -1 for that of an ordinary host."),
    ({"spot": {"eviction_policy": "Delete", "max_price": -1}, "availability_set": "a"}, "spot",
     "spot: Azure has no Spot hosts in an availability set: leave availability_set out, or spot."),
    ({"identities": {"system_assigned": False, "user_assigned": ["me"]}}, "identities",
     "identities: 'me' is not the id of a user-assigned identity: az identity list shows the ids."),
    ({"image_plan": {"name": "host", "product": " ", "publisher": "us"}, "image": "us:host:host:latest"}, "image_plan",
     "image_plan: product is empty: az vm image show --urn us:host:host:latest shows the plan of an image."),
    ({"wait_timeout": 0}, "wait_timeout", "wait_timeout: 0 is too small: give a number from 1."),
    ({"data_disks": [{"lun": 0, "size_gb": 0}]}, "data_disks", "data_disks: size_gb 0 is not possible: give a number from 1 to 32767."),
    ({"further_interfaces": [{**INTERFACE, "private_addresses": {"demo-1": "10.0.0"}}]}, "further_interfaces",
     "further_interfaces: '10.0.0' of host demo-1 is not an IPv4 address: give one like 10.0.1.10."),
    ({"custom_data": "# cloud-config\nruncmd: [ls]\n"}, "custom_data",
     "custom_data cannot be used: cloud-init takes it for a cloud-config only where the very first line is #cloud-config, and it begins with "
     "'# cloud-config'."),
    ({"custom_data": "  #cloud-config\nruncmd: [ls]\n"}, "custom_data",
     "custom_data cannot be used: cloud-init takes it for a cloud-config only where the very first line is #cloud-config, and it begins with "
     "'  #cloud-config'."),
    ({"custom_data": "{'runcmd': ['ls']}"}, "custom_data",
     "custom_data cannot be used: it is a mapping and not a text: write '#cloud-config' and a line break before it, and the filter to_nice_yaml "
     "after it."),
    ({"custom_data": "#cloud-config\nruncmd: ls\n"}, "custom_data",
     "custom_data cannot be used: cloud-init expects a list as runcmd, and it is a text."),
    ({"custom_data": "#cloud-config\nwrite_files:\n  - content: x\n"}, "custom_data",
     "custom_data cannot be used: write_files[0] has no path."),
    (
        {"name": "demo_1"},
        "name",
        "name: 'demo_1' cannot be the name of a host group: use letters, digits and hyphens, at most 58, with a letter "
        "or digit at both ends (host names are made of it).",
    ),
    (
        {"name": "d" * 59},
        "name",
        f"name: '{'d' * 59}' cannot be the name of a host group: use letters, digits and hyphens, at most 58, with a "
        "letter or digit at both ends (host names are made of it).",
    ),
    (
        {"resource_group": "rg."},
        "resource_group",
        "resource_group is 'rg.', which Azure refuses as the name of a resource group: it takes 1 to 90 characters, "
        "letters, digits, '.', '_', '-' and parentheses, not ending in '.'.",
    ),
    (
        {"deployment": "a b"},
        "deployment",
        "deployment: 'a b' cannot be used: give 1 to 256 characters without spaces.",
    ),
    (
        {"count": -1},
        "count",
        "count: -1 is not possible: give a number from 0 to 1000.",
    ),
    (
        {"count": 1001},
        "count",
        "count: 1001 is not possible: give a number from 0 to 1000.",
    ),
    (
        {"count": None, "names": ["ok", "-bad"]},
        "names",
        "names: '-bad' cannot be the name of a host: use letters, digits and hyphens, at most 63, with a letter or "
        "digit at both ends.",
    ),
    (
        {"count": None, "names": ["a", "A"]},
        "names",
        "names: 'a' is listed twice: name each host once.",
    ),
    (
        {"swarm_managers": 4},
        "swarm_managers",
        "swarm_managers: 4 is not possible with 3 hosts: give a number from 0 to 3.",
    ),
    (
        {"admin_username": "admin"},
        "admin_username",
        "admin_username: 'admin' is a name that Azure refuses: use another one, such as azureuser (letters, digits, '_'"
        " and '-', a letter first, none of Azure's reserved names).",
    ),
    (
        {"ssh_public_keys": []},
        "ssh_public_keys",
        "ssh_public_keys: give at least one public key: nobody could sign in to the hosts otherwise.",
    ),
    (
        {"ssh_public_keys": [ED25519, "ssh-ed25519 AAAA demo"]},
        "ssh_public_keys",
        "ssh_public_keys[1] is not a usable public key: it is cut off. Give the content of a file like "
        "~/.ssh/id_ed25519.pub.",
    ),
    (
        {"ssh_public_keys": ["-----BEGIN OPENSSH PRIVATE KEY-----\nxx"]},
        "ssh_public_keys",
        "ssh_public_keys[0] is not a usable public key: it is a private key: give the file that ends in .pub. Give the "
        "content of a file like ~/.ssh/id_ed25519.pub.",
    ),
    (
        {"custom_data": "#cloud-config\n- ls\n"},
        "custom_data",
        "custom_data cannot be used: it starts with #cloud-config but holds a list where cloud-init expects a mapping.",
    ),
    (
        {"custom_data": "x" * 65536},
        "custom_data",
        "custom_data cannot be used: it has 65536 bytes and Azure takes 65535.",
    ),
    (
        {"size": ""},
        "size",
        "size: name the size of the hosts, for instance Standard_D2s_v5.",
    ),
    (
        {"image": "debian"},
        "image",
        "image: 'debian' is neither publisher:offer:sku:version (for instance Canonical:ubuntu-24_04-lts:server:latest)"
        " nor the id of an image.",
    ),
    (
        {"zones": ["4"]},
        "zones",
        "zones: '4' is not a zone: Azure numbers the zones of a region 1, 2 and 3.",
    ),
    (
        {"zones": ["1", "1"]},
        "zones",
        "zones: '1' is listed twice: name each zone once.",
    ),
    (
        {"zones": ["1"], "availability_set": "a"},
        "availability_set",
        "availability_set and zones exclude each other in Azure: give one of them.",
    ),
    (
        {"subnet": "hosts"},
        "subnet",
        "subnet: give the id of a subnet, or a mapping with network and name.",
    ),
    (
        {"subnet": {"network": "demo-vnet"}},
        "subnet",
        "subnet: give the id of a subnet, or a mapping with network and name.",
    ),
    (
        {"load_balancer_pools": ["hosts"]},
        "load_balancer_pools",
        "load_balancer_pools: 'hosts' is not the id of a backend pool: take it from the result of "
        "dockhost.azure.load_balancer (load_balancer.pools).",
    ),
    (
        {"os_disk_size_gb": 5000},
        "os_disk_size_gb",
        "os_disk_size_gb: 5000 is not possible: give a number from 1 to 4095.",
    ),
    (
        {"data_disks": [{"lun": 64, "size_gb": 8}]},
        "data_disks",
        "data_disks: lun 64 is not possible: give a number from 0 to 63.",
    ),
    (
        {"data_disks": [{"lun": 0, "size_gb": 0}]},
        "data_disks",
        "data_disks: size_gb 0 is not possible: give a number from 1 to 32767.",
    ),
    (
        {"data_disks": [{"lun": 0, "size_gb": 8}, {"lun": 0, "size_gb": 9}]},
        "data_disks",
        "data_disks: lun 0 is used twice: give each disk a lun of its own.",
    ),
    (
        {"tags": {"dockhost-group": "x"}},
        "tags",
        "tags has the name 'dockhost-group': names that begin with dockhost- are this collection's own; the option "
        "deployment sets dockhost-deployment.",
    ),
    (
        {"serial": 0},
        "serial",
        "serial: 0 is too small: give a number from 1.",
    ),
]


@pytest.mark.parametrize("change, option, sentence", CASES, ids=[f"{case[1]}-{number}" for number, case in enumerate(CASES)])
def test_bad(change, option, sentence):
    with pytest.raises(InputError) as error:
        check({**GOOD, **change})
    assert str(error.value) == sentence
    assert error.value.option == option


def test_broken_cloud_config_names_the_line():
    with pytest.raises(InputError) as error:
        check({**GOOD, "custom_data": "#cloud-config\nruncmd: [ls\n"})
    assert str(error.value).startswith("custom_data cannot be used: it starts with #cloud-config but is not YAML: line 3: ")
