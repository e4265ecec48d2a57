# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Load balancers: parts, rules, and the ports of NAT rules over a pool."""
from __future__ import annotations

from typing import Any

import pytest

from labgroup import NET, Group

LB = f"{NET}/loadBalancers/lb"


def balancer(group: Group, address: str, **parts: Any) -> dict[str, Any]:
    """A balancer body with frontend `fe`, pool `hosts`, a probe, a rule, outbound and SSH over the pool."""
    base = group.id(LB)
    frontend, pool = {"id": f"{base}/frontendIPConfigurations/fe"}, {"id": f"{base}/backendAddressPools/hosts"}
    properties: dict[str, Any] = {
        "frontendIPConfigurations": [{"name": "fe", "properties": {"publicIPAddress": {"id": address}}}],
        "backendAddressPools": [{"name": "hosts"}],
        "probes": [{"name": "web", "properties": {"protocol": "Tcp", "port": 80}}],
        "loadBalancingRules": [{"name": "web", "properties": {
            "frontendIPConfiguration": frontend, "backendAddressPool": pool, "probe": {"id": f"{base}/probes/web"},
            "protocol": "Tcp", "frontendPort": 80, "backendPort": 80, "disableOutboundSnat": True}}],
        "outboundRules": [{"name": "out", "properties": {
            "frontendIPConfigurations": [frontend], "backendAddressPool": pool, "protocol": "All",
            "allocatedOutboundPorts": 1024}}],
        "inboundNatRules": [{"name": "ssh", "properties": {
            "frontendIPConfiguration": frontend, "backendAddressPool": pool, "protocol": "Tcp",
            "frontendPortRangeStart": 50000, "frontendPortRangeEnd": 50002, "backendPort": 22}}]}
    properties.update(parts)
    return {"location": "westeurope", "sku": {"name": "Standard"}, "properties": properties}


def make(group: Group) -> tuple[dict[str, Any], str, str]:
    """(body, subnet, pool id) of a balancer that is there."""
    body = balancer(group, group.address()["id"])
    assert group.call("PUT", LB, body)[0] == 201
    return body, group.vnet(), group.id(f"{LB}/backendAddressPools/hosts")


def ports(group: Group) -> dict[str, int]:
    pool = group.call("GET", f"{LB}/backendAddressPools/hosts")[1]["properties"]
    return {a["properties"]["networkInterfaceIPConfiguration"]["id"].split("/")[8]:
            a["properties"]["inboundNatRulesPortMapping"][0]["frontendPort"]
            for a in pool["loadBalancerBackendAddresses"]}


def test_parts_know_each_other(group: Group) -> None:
    make(group)
    properties = group.call("GET", LB)[1]["properties"]
    rule = {"id": group.id(f"{LB}/loadBalancingRules/web")}
    assert properties["frontendIPConfigurations"][0]["properties"]["loadBalancingRules"] == [rule]
    assert properties["probes"][0]["properties"]["loadBalancingRules"] == [rule]
    pool = properties["backendAddressPools"][0]["properties"]
    assert pool["loadBalancingRules"] == [rule]
    assert pool["outboundRule"] == {"id": group.id(f"{LB}/outboundRules/out")}
    assert pool["inboundNatRules"] == [{"id": group.id(f"{LB}/inboundNatRules/ssh")}]
    address = group.call("GET", f"{NET}/publicIPAddresses/ip")[1]["properties"]
    assert address["ipConfiguration"] == {"id": group.id(f"{LB}/frontendIPConfigurations/fe")}


@pytest.mark.parametrize("part", ["frontendIPConfigurations/fe", "backendAddressPools/hosts", "probes/web",
                                  "loadBalancingRules/web", "outboundRules/out", "inboundNatRules/ssh"])
def test_parts_can_be_read_on_their_own(group: Group, part: str) -> None:
    make(group)
    status, body, _ = group.call("GET", f"{LB}/{part}")
    assert status == 200 and body["id"] == group.id(f"{LB}/{part}")
    assert [p["name"] for p in group.call("GET", f"{LB}/{part.split('/')[0]}")[1]["value"]] == [part.split("/")[1]]


def test_each_member_of_a_pool_gets_a_port_and_keeps_it(group: Group) -> None:
    _, subnet, pool = make(group)
    for name in "abc":
        group.nic(name, subnet, loadBalancerBackendAddressPools=[{"id": pool}])
    assert ports(group) == {"a": 50000, "b": 50001, "c": 50002}
    body = {"location": "westeurope", "properties": {"ipConfigurations": [{"name": "ip", "properties": {
        "subnet": {"id": subnet}, "loadBalancerBackendAddressPools": [{"id": pool}]}}]}}
    assert group.refused("PUT", f"{NET}/networkInterfaces/d", body)[1] == "InboundNatRuleFrontendPortRangeTooSmall"
    group.call("DELETE", f"{NET}/networkInterfaces/b")
    assert ports(group) == {"a": 50000, "c": 50002}
    group.nic("d", subnet, loadBalancerBackendAddressPools=[{"id": pool}])
    assert ports(group) == {"a": 50000, "c": 50002, "d": 50001}


def test_which_port_leads_to_a_member(group: Group) -> None:
    _, subnet, pool = make(group)
    nic = group.nic("a", subnet, loadBalancerBackendAddressPools=[{"id": pool}])
    for question in ({"ipConfiguration": {"id": nic["properties"]["ipConfigurations"][0]["id"].upper()}},
                     {"ipAddress": "10.20.0.4"}):
        status, _, headers = group.call("POST", f"{LB}/backendAddressPools/hosts/queryInboundNatRulePortMapping",
                                        question)
        assert status == 202
        assert group.azure.arm("GET", headers["location"])[1] == {"inboundNatRulePortMappings": [
            {"inboundNatRuleName": "ssh", "protocol": "Tcp", "frontendPort": 50000, "backendPort": 22}]}


def _rule(group: Group, **changes: Any) -> list[dict[str, Any]]:
    rule = balancer(group, "x")["properties"]["loadBalancingRules"][0]
    return [{"name": "web", "properties": {**rule["properties"], **changes}}]


@pytest.mark.parametrize(("key", "change", "code"), [
    ("probes", [{"name": "web", "properties": {"protocol": "Tcp", "port": 80, "intervalInSeconds": 4}}],
     "ProbeIntervalIsOutOfRange"),
    ("probes", [{"name": "web", "properties": {"protocol": "Tcp", "port": 80, "requestPath": "/"}}],
     "ProbeRequestPathIsNotNull"),
    ("probes", [{"name": "web", "properties": {"protocol": "Http", "port": 80}}], "ProbeRequestPathIsNull"),
    ("probes", [{"name": "web", "properties": {"protocol": "Tcp", "port": 80, "intervalInSeconds": 15,
                                               "numberOfProbes": 143165577}}], "NumberOfProbesIsOutOfRange"),
    ("probes", [{"name": "web", "properties": {"protocol": "Tcp", "port": 2147483650}}], "InvalidRequestFormat"),
    ("probes", [], "InvalidResourceReference"),
    ("backendAddressPools", [{"name": "a"}, {"name": "A"}], "DuplicateResourceName"),
    ("frontendIPConfigurations", [{"name": "fe", "properties": {}}],
     "FrontendIPConfigurationMustHaveOneAddress"),
])
def test_limits_of_parts(group: Group, key: str, change: list[Any], code: str) -> None:
    body = balancer(group, group.address()["id"], **{key: change})
    assert group.refused("PUT", LB, body)[:2] == (400, code)


def test_limits_of_rules(group: Group) -> None:
    address = group.address()["id"]
    for change, code in (({"idleTimeoutInMinutes": 3}, "RuleIdleTimeoutIsOutOfRange"),
                         ({"frontendPort": 50001}, "RulesUseSameFrontendPortProtocolAndIPConfig"),
                         ({"frontendPort": 0}, "InvalidPortValue"), ({"protocol": "Icmp"}, "InvalidRequestFormat")):
        body = balancer(group, address, loadBalancingRules=_rule(group, **change))
        assert group.refused("PUT", LB, body)[1] == code


def test_a_missing_address_is_named(group: Group) -> None:
    missing = group.id(f"{NET}/publicIPAddresses/none")
    status, code, message = group.refused("PUT", LB, balancer(group, missing))
    assert (status, code) == (400, "InvalidResourceReference") and missing in message


def test_rules_of_others_survive_a_pool_of_their_own(group: Group) -> None:
    body, subnet, _ = make(group)
    status, made, _ = group.call("PUT", f"{LB}/backendAddressPools/second", {"properties": {}})
    assert status == 201 and made["name"] == "second"
    group.nic("a", subnet, loadBalancerBackendAddressPools=[{"id": made["id"]}])
    assert group.call("PUT", LB, body)[0] == 200        # leaves the second pool out: its members leave it
    nic = group.call("GET", f"{NET}/networkInterfaces/a")[1]
    assert nic["properties"]["ipConfigurations"][0]["properties"]["loadBalancerBackendAddressPools"] == []


def test_deleting_a_balancer_frees_its_address_and_members(group: Group) -> None:
    _, subnet, pool = make(group)
    group.nic("a", subnet, loadBalancerBackendAddressPools=[{"id": pool}])
    assert group.call("DELETE", LB)[0] == 202
    assert "ipConfiguration" not in group.call("GET", f"{NET}/publicIPAddresses/ip")[1]["properties"]
    assert group.call("DELETE", f"{NET}/publicIPAddresses/ip")[0] == 202


def test_the_body_that_was_read_can_be_sent_back(group: Group) -> None:
    _, subnet, pool = make(group)
    group.nic("a", subnet, loadBalancerBackendAddressPools=[{"id": pool}])
    before = group.call("GET", LB)[1]
    status, answer, _ = group.call("PUT", LB, before)
    assert status == 200, answer
    assert ports(group) == {"a": 50000}
    after = group.call("GET", LB)[1]
    assert str(after).replace(after["etag"], "") == str(before).replace(before["etag"], "")


def test_the_sku_cannot_change(group: Group) -> None:
    body, _, _ = make(group)
    assert group.refused("PUT", LB, {**body, "sku": {"name": "Basic"}})[1] == "SkuCannotBeChangedOnUpdate"
