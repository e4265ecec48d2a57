# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is referred to by id: images of one's own, and backend pools."""

from __future__ import annotations

import dataclasses

import pytest
from ansible_collections.dockhost.azure.plugins.module_utils._hosts.preflight import problems
from ansible_collections.dockhost.azure.plugins.module_utils._model.host_group import HostGroup
from ansible_collections.dockhost.azure.plugins.module_utils._plan.host_slots import by_count

from .test_preflight import FACTS, NAMING, PARAMS

GROUP = "/subscriptions/sub/resourceGroups/rg/providers"
OWN = GROUP + "/Microsoft.Compute/images/golden"
VERSION = GROUP + "/Microsoft.Compute/galleries/g/images/docker/versions/1.2.3"
BALANCER = GROUP + "/Microsoft.Network/loadBalancers/lb"
POOL = BALANCER + "/backendAddressPools/hosts"
REGIONS = {"publishingProfile": {"targetRegions": [{"name": "North Europe"}, {"name": "France Central"}]}}
IMAGE = VERSION.rsplit("/versions/", 1)[0]
HERE = {"properties": {"publishingProfile": {"targetRegions": [{"name": "West Europe"}]}}}
EXCLUDED = {"properties": {"publishingProfile": {"targetRegions": [{"name": "West Europe"}], "excludeFromLatest": True}}}

CASES = [
    ("own image", {"image": OWN}, {"image_known": True, "image": {"name": "golden", "location": "West Europe"}}, None),
    ("nothing known", {"image": OWN}, {"image_known": False}, None),
    (
        "no image", {"image": OWN}, {"image_known": True},
        f"image: there is no image '{OWN}' that this client can see: correct the id, or give the client the role Reader on it.",
    ),
    (
        "elsewhere", {"image": OWN}, {"image_known": True, "image": {"name": "golden", "location": "northeurope"}},
        "image: golden is in northeurope, and the hosts are to be in westeurope: copy it there, or use a gallery.",
    ),
    (
        "not replicated", {"image": VERSION}, {"image_known": True, "image": {"name": "1.2.3", "location": "northeurope", "properties": REGIONS}},
        "image: version 1.2.3 is not replicated to westeurope (it is in: North Europe, France Central): add this region to it.",
    ),
    ("of a gallery", {"image": IMAGE}, {"image_known": True, "image": {"name": "docker", "versions": [HERE, EXCLUDED]}}, None),
    (
        "no latest", {"image": IMAGE}, {"image_known": True, "image": {"name": "docker", "versions": [EXCLUDED]}},
        "image: docker has no version that may be the latest: publish one, or give the id of a version that is excluded from that.",
    ),
    (
        "latest elsewhere", {"image": IMAGE}, {"image_known": True, "image": {"name": "docker", "versions": [{"properties": REGIONS}, EXCLUDED]}},
        "image: no version of docker that may be the latest is replicated to westeurope (they are in: France Central, North Europe): add this region "
        "to one.",
    ),
    ("pool", {"load_balancer_pools": [POOL]}, {"balancers": {BALANCER.lower(): {"properties": {"backendAddressPools": [{"name": "Hosts"}]}}}}, None),
    (
        "no balancer", {"load_balancer_pools": [POOL]}, {"balancers": {BALANCER.lower(): None}},
        "load_balancer_pools: the load balancer 'lb' does not exist: make it with dockhost.azure.load_balancer first.",
    ),
    (
        "no pool", {"load_balancer_pools": [POOL]}, {"balancers": {BALANCER.lower(): {"properties": {"backendAddressPools": [{"name": "web"}]}}}},
        "load_balancer_pools: the load balancer lb has no backend pool 'hosts' (it has: web): correct the id.",
    ),
]  # fmt: skip


@pytest.mark.parametrize("options, facts, sentence", [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_ids(options, facts, sentence):
    group = HostGroup.from_params({**PARAMS, **options}, NAMING, "westeurope")
    versions = FACTS.versions if "load_balancer_pools" in options else None
    found = problems(group, by_count("web", 2), dataclasses.replace(FACTS, versions=versions, **facts))
    assert [text for dummy, text in found] == ([sentence] if sentence else [])
