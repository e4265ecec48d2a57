# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is known to be impossible before the first host is made, in one sentence each."""

from __future__ import annotations

import dataclasses

import pytest
from ansible_collections.dockhost.azure.plugins.module_utils._hosts.preflight import Facts, free_addresses, problems
from ansible_collections.dockhost.azure.plugins.module_utils._model.host_group import HostGroup, Naming
from ansible_collections.dockhost.azure.plugins.module_utils._plan.host_slots import by_count

NAMING = Naming("sub", "rg")
SUBNET = NAMING.subnet({"network": "v", "name": "hosts"})
PARAMS = {
    "resource_group": "rg", "name": "web", "size": "Standard_D2s_v5", "image": "Debian:debian-13:13-gen2:latest",
    "admin_username": "azureuser", "ssh_public_keys": [], "subnet": SUBNET,
}  # fmt: skip


def size(name, zones=("1", "2", "3"), restrictions=(), cores="2"):
    return {
        "resourceType": "virtualMachines", "name": name, "family": "standardDSv5Family",
        "locationInfo": [{"location": "westeurope", "zones": list(zones)}], "restrictions": list(restrictions),
        "capabilities": [{"name": "vCPUs", "value": cores}],
    }  # fmt: skip


def usage(name, current, limit, shown=None):
    return {"name": {"value": name, "localizedValue": shown or name}, "currentValue": current, "limit": limit}


FACTS = Facts(
    resource_group={"name": "rg"},
    regions=({"name": "westeurope"}, {"name": "northeurope"}),
    sizes=(size("Standard_D2s_v5"), size("Standard_D4s_v5", cores="4"), size("Standard_B1s", zones=(), cores="1")),
    usages=(usage("cores", 90, 100, "Total Regional vCPUs"), usage("standardDSv5Family", 0, 100), usage("virtualMachines", 3, 25000)),
    versions=("0.20250101.1", "0.20251001.2"),
    network={"name": "v", "location": "westeurope", "properties": {"subnets": [
        {"id": SUBNET, "name": "hosts", "properties": {"addressPrefix": "10.0.0.0/28", "ipConfigurations": [{"id": "/a"}]}}]}},
)  # fmt: skip

NO_ACCESS = {"type": "Location", "reasonCode": "NotAvailableForSubscription"}
NO_ZONE = {"type": "Zone", "restrictionInfo": {"zones": ["2"]}}

CASES = [
    (
        "good",
        {},
        {},
        3,
        [],
    ),
    (
        "region",
        {"location": "westeurop"},
        {},
        1,
        [
            (
                "location",
                "location: 'westeurop' is not a region of this subscription (near it: westeurope, northeurope): az "
                "account list-locations shows them.",
            ),
        ],
    ),
    (
        "size",
        {"size": "Standard_D2_v5"},
        {},
        1,
        [
            (
                "size",
                "size: 'Standard_D2_v5' is not offered in westeurope (near it: Standard_D2s_v5, Standard_D4s_v5, "
                "Standard_B1s): az vm list-skus -l westeurope shows the sizes.",
            ),
        ],
    ),
    (
        "access",
        {},
        {"sizes": (size("Standard_D2s_v5", restrictions=[NO_ACCESS]),)},
        1,
        [
            (
                "size",
                "size: 'Standard_D2s_v5' cannot be used in westeurope by this subscription "
                "(NotAvailableForSubscription): choose another size or region, or ask Azure's support for access.",
            ),
        ],
    ),
    (
        "zone",
        {"zones": ["1", "2"]},
        {"sizes": (size("Standard_D2s_v5", restrictions=[NO_ZONE]),)},
        2,
        [
            (
                "zones",
                "zones: size Standard_D2s_v5 is not offered in zone 2 of westeurope; it has 1, 3.",
            ),
        ],
    ),
    (
        "no zones",
        {"size": "Standard_B1s", "zones": ["1"]},
        {},
        1,
        [
            (
                "zones",
                "zones: size Standard_B1s is not offered in zone 1 of westeurope; it has none: leave zones out.",
            ),
        ],
    ),
    (
        "quota",
        {},
        {},
        6,
        [
            (
                "count",
                "count: 6 more hosts of size Standard_D2s_v5 need 12 of the quota 'Total Regional vCPUs' in westeurope "
                "and 10 are left: lower count, choose another size, or ask for more at "
                "https://portal.azure.com/#view/Microsoft_Azure_Capacity/QuotaMenuBlade.",
            ),
        ],
    ),
    (
        "image",
        {},
        {"versions": ()},
        1,
        [
            (
                "image",
                "image: 'Debian:debian-13:13-gen2:latest' is not offered in westeurope: az vm image list --all -p "
                "Debian -l westeurope shows the images.",
            ),
        ],
    ),
    (
        "version",
        {"image": "Debian:debian-13:13-gen2:1.0"},
        {},
        1,
        [
            (
                "image",
                "image: 'Debian:debian-13:13-gen2:1.0' has no version 1.0 in westeurope; the newest is 0.20251001.2: "
                "give that one, or 'latest'.",
            ),
        ],
    ),
    (
        "own image",
        {"image": "/CommunityGalleries/g/Images/i"},
        {"versions": None},
        1,
        [],
    ),
    (
        "group",
        {},
        {"resource_group": None},
        1,
        [
            (
                "resource_group",
                "resource_group: 'rg' does not exist: make it with dockhost.azure.resource_group first.",
            ),
        ],
    ),
    (
        "network",
        {},
        {"network": None},
        1,
        [
            (
                "subnet",
                "subnet: the virtual network 'v' does not exist: make it with dockhost.azure.network first.",
            ),
        ],
    ),
    (
        "subnet",
        {"subnet": NAMING.subnet({"network": "v", "name": "host"})},
        {},
        1,
        [
            (
                "subnet",
                "subnet: the virtual network v has no subnet 'host' (it has: hosts): correct the name, or add it with "
                "dockhost.azure.network.",
            ),
        ],
    ),
    (
        "elsewhere",
        {"location": "northeurope"},
        {},
        1,
        [
            (
                "location",
                "location: 'northeurope' is not where the virtual network v is (westeurope): hosts have to be in the "
                "region of their network.",
            ),
        ],
    ),
    (
        "full",
        {},
        {"usages": ()},
        11,
        [
            (
                "subnet",
                "subnet: hosts (10.0.0.0/28) has 10 free addresses and 11 more hosts need one each: give a larger "
                "subnet, or lower count.",
            ),
        ],
    ),
]


@pytest.mark.parametrize("change, facts, count, expected", [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_problems(change, facts, count, expected):
    change = dict(change)
    group = HostGroup.from_params({**PARAMS, **{k: v for k, v in change.items() if k != "location"}}, NAMING, change.get("location", "westeurope"))
    assert problems(group, by_count("web", count), dataclasses.replace(FACTS, **facts)) == expected


def test_interfaces_of_an_interrupted_run_have_their_addresses_already():
    group = HostGroup.from_params(PARAMS, NAMING, "westeurope")
    facts = dataclasses.replace(FACTS, usages=())
    nics = [
        {"id": NAMING.interface(slot.name), "properties": {"ipConfigurations": [{"id": slot.name, "properties": {"subnet": {"id": SUBNET.upper()}}}]}}
        for slot in by_count("web", 10)
    ]
    assert problems(group, by_count("web", 10), facts, nics) == []
    assert free_addresses(FACTS.network["properties"]["subnets"][0], nics) == 0
