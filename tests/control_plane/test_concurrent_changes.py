# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Somebody changes a load balancer or a network between what a module reads and what it writes."""

from __future__ import annotations

import pytest
from ansible_collections.dockhost.azure.plugins.module_utils import _apply

from .test_load_balancer import WEB, add_rule, names, path_of, read, wanted

NETWORK = {"location": "westeurope", "name": "net", "address_prefixes": ["10.61.0.0/16"]}


@pytest.fixture
def meanwhile(monkeypatch):
    """Do something just before the first steps of a run are applied, each time that one is applied."""
    real = _apply.apply

    def arrange(what, times=1):
        left = [what] * times

        async def apply(*arguments, **options):
            if left:
                left.pop()()
            return await real(*arguments, **options)

        monkeypatch.setattr(_apply, "apply", apply)

    return arrange


def test_a_rule_of_somebody_else_is_not_lost(azure, group, meanwhile):
    assert not azure.run("load_balancer", wanted(group))["failed"]
    meanwhile(lambda: add_rule(azure, group))
    changed = azure.run("load_balancer", wanted(group, published_ports=WEB))
    assert not changed["failed"] and [(step["action"], step["name"]) for step in changed["plan"]] == [("update", "lb")]
    assert names(read(azure, group)["loadBalancingRules"]) == ["dockhost-tcp-443", "dockhost-tcp-80", "dockhost-udp-53", "theirs"]
    assert not azure.run("load_balancer", wanted(group, published_ports=WEB))["changed"]


def test_who_is_overtaken_twice_gives_up(azure, group, meanwhile):
    azure.run("load_balancer", wanted(group))
    path = path_of(group, "loadBalancers", "lb")
    meanwhile(lambda: azure.arm("PUT", path, {**azure.arm("GET", path)[1], "tags": {"dockhost-deployment": group, "owner": "me"}}), times=2)
    failed = azure.run("load_balancer", wanted(group, published_ports=WEB))
    assert failed["failed"] and failed["msg"] == (
        "Somebody else keeps changing load balancer lb while this run does, so that what it was to write is out of date: nothing of theirs "
        "was overwritten. Run again when the other change has ended."
    )
    body = azure.arm("GET", path)[1]
    assert body["tags"]["owner"] == "me" and body["properties"].get("loadBalancingRules", []) == []
    assert not azure.run("load_balancer", wanted(group, published_ports=WEB))["failed"]


def test_a_subnet_of_somebody_else_is_not_lost(azure, group, meanwhile):
    options = {"resource_group": group, **NETWORK, "subnets": [{"name": "a", "address_prefix": "10.61.1.0/24"}]}
    assert not azure.run("network", options)["failed"]

    def add_subnet():
        path = path_of(group, "virtualNetworks", "net") + "/subnets/theirs"
        assert azure.arm("PUT", path, {"properties": {"addressPrefix": "10.61.9.0/24"}})[0] in (200, 201)

    meanwhile(add_subnet)
    more = [*options["subnets"], {"name": "b", "address_prefix": "10.61.2.0/24"}]
    changed = azure.run("network", {**options, "subnets": more})
    assert not changed["failed"], changed
    body = azure.arm("GET", path_of(group, "virtualNetworks", "net"))[1]
    assert names(body["properties"]["subnets"]) == ["a", "b", "theirs"]


def test_what_was_done_before_stays_in_the_plan(azure, group, meanwhile):
    """The security group is written, the network was changed meanwhile: both are in the plan, each once."""
    subnet = {"name": "a", "address_prefix": "10.61.1.0/24"}
    options = {"resource_group": group, **NETWORK, "security_groups": [{"name": "sg", "rules": []}], "subnets": [subnet]}
    assert not azure.run("network", options)["failed"]
    path = path_of(group, "virtualNetworks", "net")
    meanwhile(lambda: azure.arm("PATCH", path, {"tags": {**azure.arm("GET", path)[1]["tags"], "owner": "me"}}))
    rule = {"name": "ssh", "priority": 100, "direction": "Inbound", "access": "Allow", "protocol": "Tcp", "destination_port_ranges": ["22"]}
    options["security_groups"] = [{"name": "sg", "rules": [rule]}]
    options["subnets"].append({"name": "b", "address_prefix": "10.61.2.0/24", "security_group": "sg"})
    changed = azure.run("network", options)
    assert not changed["failed"], changed
    assert sorted((step["action"], step["name"]) for step in changed["plan"]) == [("update", "net"), ("update", "sg")]
    assert azure.arm("GET", path)[1]["tags"]["owner"] == "me"
    assert not azure.run("network", options)["changed"]
