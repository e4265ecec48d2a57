# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module network: missing argument, check mode, create, idempotence, update, delete, bad input."""

from __future__ import annotations

import pytest


def actions(result):
    assert not result["failed"], result
    return [(step["action"], step["name"]) for step in result["plan"]]


def wanted(group, **more):
    """A network with everything in it."""
    arguments = {
        "resource_group": group, "location": "westeurope", "name": "net", "address_prefixes": ["10.60.0.0/16"],
        "dns_servers": ["10.60.0.9", "10.60.0.8"],
        "subnets": [
            {"name": "hosts", "address_prefix": "10.60.1.0/24", "security_group": "nsg", "nat_gateway": "nat"},
            {"name": "other", "address_prefix": "10.60.2.0/24"},
        ],
        "security_groups": [{"name": "nsg", "rules": [
            {"name": "ssh", "priority": 100, "source_address_prefixes": ["203.0.113.1/32"], "destination_port_ranges": ["22"]},
            {"name": "web", "priority": 200, "protocol": "*", "source_address_prefixes": ["Internet"],
             "destination_port_ranges": ["80", "443", "8000-8099"]},
        ]}],
        "nat_gateways": [{"name": "nat", "public_ip": "nat-ip", "idle_timeout": 10}],
        "public_ips": [{"name": "nat-ip", "zones": ["1", "2", "3"]}],
    }
    arguments.update(more)
    return arguments


def small(group, **more):
    """A network and a subnet."""
    arguments = {
        "resource_group": group, "location": "westeurope", "name": "net", "address_prefixes": ["10.60.0.0/16"],
        "subnets": [{"name": "hosts", "address_prefix": "10.60.1.0/24"}],
    }
    arguments.update(more)
    return arguments


def occupy(azure, group, subnet="hosts"):
    """Let a network interface take an address in a subnet."""
    path = "resourceGroups/{0}/providers/Microsoft.Network".format(group)
    base = "/subscriptions/{0}/{1}".format(azure.lab.subscription, path)
    status, body = azure.arm("PUT", path + "/networkInterfaces/web-1-nic", {
        "location": "westeurope", "properties": {"ipConfigurations": [{"name": "ipconfig1", "properties": {
            "subnet": {"id": "{0}/virtualNetworks/net/subnets/{1}".format(base, subnet)},
        }}]},
    })
    assert status in (200, 201), body


def test_life_of_a_network(azure, group):
    missing = azure.run("network", {"resource_group": group})
    assert missing["failed"] and missing["msg"] == "missing required arguments: name"

    everything = [("create", "nat-ip"), ("create", "nsg"), ("create", "nat"), ("create", "net")]
    checked = azure.run("network", wanted(group), check=True)
    assert actions(checked) == everything
    assert checked["network"] == {"id": None, "subnets": {}, "security_groups": {}, "public_ips": {}}
    assert "  subnets[hosts].addressPrefix: 10.60.1.0/24\n" in checked["diff"]["after"]
    assert "  securityRules[web].destinationPortRanges: 80, 443, 8000-8099\n" in checked["diff"]["after"]
    assert azure.resources(group) == []

    created = azure.run("network", wanted(group))
    assert actions(created) == everything and all(step["seconds"] is not None for step in created["plan"])
    assert azure.resources(group) == [
        ("natGateways", "nat"), ("networkSecurityGroups", "nsg"), ("publicIPAddresses", "nat-ip"), ("virtualNetworks", "net"),
    ]
    network = created["network"]
    assert network["subnets"]["hosts"] == {"id": network["id"] + "/subnets/hosts", "address_prefix": "10.60.1.0/24"}
    assert set(network["security_groups"]) == {"nsg"}
    assert network["public_ips"]["nat-ip"]["address"].startswith("192.0.2.")

    again = azure.run("network", wanted(group))
    assert not again["changed"] and again["plan"] == [] and again["diff"] == {"before": "", "after": ""}
    assert again["network"] == network

    gone = azure.run("network", wanted(group, state="absent"))
    assert sorted(actions(gone)) == sorted(("delete", name) for dummy, name in everything)
    assert azure.resources(group) == []
    assert not azure.run("network", wanted(group, state="absent"))["changed"]


def test_service_endpoints(azure, group):
    def net(**more):
        return small(group, subnets=[{"name": "hosts", "address_prefix": "10.60.1.0/24", **more}])

    def at_azure():
        dummy, body = azure.arm("GET", "resourceGroups/{0}/providers/Microsoft.Network/virtualNetworks/net/subnets/hosts".format(group))
        return [item["service"] for item in body["properties"].get("serviceEndpoints") or []]

    azure.run("network", net())
    both = ["Microsoft.Storage", "Microsoft.KeyVault"]
    checked = azure.run("network", net(service_endpoints=both), check=True)
    assert actions(checked) == [("update", "net")] and at_azure() == []
    assert "subnets[hosts].serviceEndpoints[Microsoft.Storage]" in checked["diff"]["after"]
    assert actions(azure.run("network", net(service_endpoints=both))) == [("update", "net")] and at_azure() == both
    # As Azure shows them it adds regions and a state; neither order nor case is a change; and what is not given is left alone.
    for same in (both, ["microsoft.keyvault", "Microsoft.Storage"]):
        assert not azure.run("network", net(service_endpoints=same))["changed"]
    assert not azure.run("network", net())["changed"] and at_azure() == both

    less = azure.run("network", net(service_endpoints=["Microsoft.KeyVault"]))
    assert [change["path"] for step in less["plan"] for change in step["changes"]] == ["subnets[hosts].serviceEndpoints[Microsoft.Storage]"]
    assert at_azure() == ["Microsoft.KeyVault"]
    assert azure.run("network", net(service_endpoints=[]))["changed"] and at_azure() == []
    assert not azure.run("network", net(service_endpoints=[]))["changed"]


@pytest.mark.parametrize(
    "services, words",
    [
        (["Storage"], "'Storage' names no service: give it as Azure does, for instance Microsoft.Storage."),
        (["Microsoft.Storage", "microsoft.storage"], "names microsoft.storage twice: name it once."),
    ],
)
def test_service_endpoints_that_are_none(azure, group, services, words):
    result = azure.run("network", small(group, subnets=[{"name": "hosts", "address_prefix": "10.60.1.0/24", "service_endpoints": services}]))
    assert result["failed"] and words in result["msg"] and "subnets[hosts].service_endpoints" in result["msg"]
    assert azure.resources(group) == []


def test_updates_send_what_differs_and_keep_the_rest(azure, group):
    azure.run("network", wanted(group))
    path = "resourceGroups/{0}/providers/Microsoft.Network/virtualNetworks/net/subnets/theirs".format(group)
    assert azure.arm("PUT", path, {"properties": {"addressPrefix": "10.60.9.0/24"}})[0] == 201

    changed = wanted(group, tags={"owner": "me"})
    changed["subnets"][0]["security_group"] = ""
    changed["subnets"][1]["address_prefix"] = "10.60.3.0/24"
    changed["security_groups"][0]["rules"].pop()
    result = azure.run("network", changed)
    assert actions(result) == [("update", "nat-ip"), ("update", "nsg"), ("update", "nat"), ("update", "net")]
    steps = {step["name"]: [(change["path"], change["before"], change["after"]) for change in step["changes"]] for step in result["plan"]}
    assert steps["nat"] == [("tags.owner", None, "me")]
    assert [change[0] for change in steps["nsg"]] == ["securityRules[web]", "tags.owner"]
    assert ("subnets[other].addressPrefix", "10.60.2.0/24", "10.60.3.0/24") in steps["net"]
    assert "subnets[hosts].networkSecurityGroup" in [change[0] for change in steps["net"]]
    assert result["network"]["subnets"]["theirs"]["address_prefix"] == "10.60.9.0/24"
    assert not azure.run("network", changed)["changed"]


def test_subnets_and_rules_that_are_not_named_stay(azure, group):
    azure.run("network", wanted(group))
    less = wanted(group)
    del less["security_groups"][0]["rules"], less["dns_servers"], less["subnets"][1]
    less["subnets"][0].pop("security_group")
    assert not azure.run("network", less)["changed"]


def test_a_subnet_in_use_keeps_its_range(azure, group):
    azure.run("network", small(group))
    occupy(azure, group)
    moved = azure.run("network", small(group, subnets=[{"name": "hosts", "address_prefix": "10.60.7.0/24"}]))
    assert moved["failed"] and moved["msg"] == (
        "subnets[hosts].address_prefix cannot be changed from 10.60.1.0/24 to 10.60.7.0/24, because web-1-nic has an address in "
        "it: set it back, or make another subnet and move them."
    )
    gone = azure.run("network", small(group, state="absent"))
    assert gone["failed"] and gone["msg"] == (
        "Virtual network net is not deleted, because web-1-nic has an address in its subnet hosts: delete what uses it first."
    )
    assert azure.run("network", small(group))["changed"] is False


def test_ranges_of_subnets_of_others_are_respected(azure, group):
    azure.run("network", small(group))
    path = "resourceGroups/{0}/providers/Microsoft.Network/virtualNetworks/net/subnets/theirs".format(group)
    assert azure.arm("PUT", path, {"properties": {"addressPrefix": "10.60.9.0/24"}})[0] == 201
    over = azure.run("network", small(group, subnets=[{"name": "new", "address_prefix": "10.60.8.0/22"}]))
    assert over["failed"] and over["msg"] == (
        "subnets[new].address_prefix (10.60.8.0/22) overlaps 10.60.9.0/24 of subnet theirs, which is in virtual network net "
        "already: choose a free range."
    )
    shrunk = azure.run("network", small(group, address_prefixes=["10.60.0.0/22"]))
    assert shrunk["failed"] and shrunk["msg"] == (
        "address_prefixes (10.60.0.0/22) would leave out 10.60.9.0/24 of subnet theirs, which is in virtual network net: keep a "
        "range that covers it, or delete that subnet first."
    )


def test_nothing_of_others_is_deleted_or_marked_as_ours(azure, group):
    path = "resourceGroups/{0}/providers/Microsoft.Network/networkSecurityGroups/nsg".format(group)
    azure.arm("PUT", path, {"location": "westeurope", "tags": {"team": "web"}})
    used = azure.run("network", small(group, security_groups=[{"name": "nsg", "rules": []}]))
    assert actions(used) == [("create", "net")]
    assert azure.arm("GET", path)[1]["tags"] == {"team": "web"}
    refused = azure.run("network", small(group, security_groups=[{"name": "nsg"}], state="absent"))
    assert refused["failed"] and refused["msg"] == (
        "Network security group nsg is not deleted, because it does not carry the tag dockhost-deployment={0}: this collection "
        "deletes only what it made.".format(group)
    )
    assert len(azure.resources(group)) == 2


def test_the_location_can_be_that_of_the_group(azure, group):
    arguments = small(group)
    del arguments["location"]
    created = azure.run("network", arguments)
    assert not created["failed"], created
    assert azure.arm("GET", "resourceGroups/{0}/providers/Microsoft.Network/virtualNetworks/net".format(group))[1]["location"] == "westeurope"
    nowhere = azure.run("network", dict(arguments, resource_group="nowhere"))
    assert nowhere["failed"] and nowhere["msg"] == (
        "There is no resource group 'nowhere' whose location could be taken: make it with dockhost.azure.resource_group, or give "
        "location."
    )


def test_a_group_that_is_not_there(azure):
    checked = azure.run("network", small("nowhere"), check=True)
    assert actions(checked) == [("create", "net")]
    failed = azure.run("network", small("nowhere"))
    assert failed["failed"] and failed["error"]["code"] == "ResourceGroupNotFound"
    assert failed["msg"] == (
        "Failed to create virtual network net: ResourceGroupNotFound: Resource group 'nowhere' could not be found. (0 of 1 steps "
        "done; running again continues from here)"
    )


@pytest.mark.parametrize("more, message", [
    ({"address_prefixes": []},
     "address_prefixes is missing: a virtual network has at least one address range, such as 10.60.0.0/16."),
    ({"address_prefixes": ["10.60.0.1/16"]},
     "address_prefixes[0] is '10.60.0.1/16', which has address bits behind its mask: did you mean 10.60.0.0/16?"),
    ({"address_prefixes": ["ten"]},
     "address_prefixes[0] is 'ten', which is no address range: write one such as 10.60.0.0/16."),
    ({"address_prefixes": ["10.60.0.0/16", "10.60.128.0/17"]},
     "address_prefixes[1] (10.60.128.0/17) overlaps address_prefixes[0] (10.60.0.0/16): give each a range of its own."),
    ({"address_prefixes": ["169.254.0.0/16"], "subnets": []},
     "address_prefixes[0] is '169.254.0.0/16', which overlaps 169.254.0.0/16: Azure keeps that range for itself. Choose a private "
     "one such as 10.60.0.0/16."),
    ({"subnets": [{"name": "hosts", "address_prefix": "10.61.0.0/24"}]},
     "subnets[hosts].address_prefix (10.61.0.0/24) does not lie inside of the network's address_prefixes (10.60.0.0/16): widen "
     "address_prefixes or move the subnet."),
    ({"subnets": [{"name": "a", "address_prefix": "10.60.0.0/23"}, {"name": "b", "address_prefix": "10.60.1.0/24"}]},
     "subnets[b].address_prefix (10.60.1.0/24) overlaps subnets[a].address_prefix (10.60.0.0/23): give each a range of its own."),
    ({"subnets": [{"name": "a", "address_prefix": "10.60.0.0/30"}]},
     "subnets[a].address_prefix is '10.60.0.0/30': the smallest range that Azure takes is /29, since it keeps five addresses of each "
     "subnet."),
    ({"subnets": [{"name": "a", "address_prefix": "10.60.0.0/24"}, {"name": "A", "address_prefix": "10.60.1.0/24"}]},
     "subnets has 'A' twice (Azure compares names without case): give each entry a name of its own."),
    ({"name": "-net"},
     "name is '-net', which Azure refuses as the name of a virtual network: it takes 2 to 64 characters, letters, digits, '.', '_' "
     "and '-', beginning with a letter or digit and ending with one of them or '_'."),
    ({"dns_servers": ["dns.example"]}, "dns_servers[0] is 'dns.example', which is no IP address."),
    ({"security_groups": [{"name": "nsg", "rules": [{"name": "a", "priority": 99}]}]},
     "security_groups[nsg].rules[a].priority is 99: Azure takes 100 to 4096."),
    ({"security_groups": [{"name": "nsg", "rules": [{"name": "a", "priority": 100}, {"name": "b", "priority": 100}]}]},
     "security_groups[nsg].rules: 'a' and 'b' both have priority 100 for Inbound traffic: Azure needs a different one for each."),
    ({"security_groups": [{"name": "nsg", "rules": [{"name": "a", "priority": 100, "destination_port_ranges": ["90-80"]}]}]},
     "security_groups[nsg].rules[a].destination_port_ranges is '90-80': write a port (80), a range of ports (8000-8099) or *."),
    ({"security_groups": [{"name": "nsg", "rules": [{"name": "a", "priority": 100, "source_address_prefixes": ["1.2.3"]}]}]},
     "security_groups[nsg].rules[a].source_address_prefixes is '1.2.3', which is no IP address."),
    ({"nat_gateways": [{"name": "nat"}]}, "nat_gateways[nat] lacks public_ip: name one of public_ips, or an address that exists."),
    ({"nat_gateways": [{"name": "nat", "public_ip": "ip", "idle_timeout": 0}]}, "nat_gateways[nat].idle_timeout is 0: it is 4 to 120 minutes."),
    ({"nat_gateways": [{"name": "nat", "public_ip": "/ip"}]},
     "nat_gateways[nat].public_ip is '/ip', which is no id: it begins with /subscriptions/ID/resourceGroups/NAME/providers/. Give the whole id, or a name in "
     "this resource group."),
    ({"nat_gateways": [{"name": "n t", "public_ip": "ip"}]},
     "nat_gateways[].name is 'n t', which Azure refuses as the name of a NAT gateway: it takes 1 to 80 characters, letters, digits, '.', '_' and '-', "
     "beginning with a letter or digit and ending with one of them or '_'."),
    ({"subnets": [{"name": "a", "address_prefix": "10.60.0.0/24", "security_group": "n sg"}]},
     "subnets[a].security_group is 'n sg', which Azure refuses as the name of a network security group: it takes 1 to 80 characters, letters, digits, '.', "
     "'_' and '-', beginning with a letter or digit and ending with one of them or '_'."),
    ({"subnets": [{"name": "a", "address_prefix": "10.60.0.0/24", "nat_gateway": "/nat"}]},
     "subnets[a].nat_gateway is '/nat', which is no id: it begins with /subscriptions/ID/resourceGroups/NAME/providers/. Give the whole id, or a name in this "
     "resource group."),
    ({"subnets": [{"name": "a"}]}, "subnets[a].address_prefix is missing: a subnet has an address range, such as 10.60.1.0/24."),
    ({"subnets": [{"name": "", "address_prefix": "10.60.0.0/24"}]},
     "subnets[].name is '', which Azure refuses as the name of a subnet: it takes 1 to 80 characters, letters, digits, '.', '_' and '-', beginning with a "
     "letter or digit and ending with one of them or '_'."),
    ({"security_groups": [{"name": "nsg"}, {"name": "NSG"}]},
     "security_groups has 'NSG' twice (Azure compares names without case): give each entry a name of its own."),
    ({"security_groups": [{"name": "nsg", "rules": [{"name": "a", "priority": 100, "description": "x" * 141}]}]},
     "security_groups[nsg].rules[a].description has 141 characters: Azure takes 140."),
    ({"security_groups": [{"name": "nsg", "rules": [{"name": "a", "priority": 100, "source_port_ranges": ["70000"]}]}]},
     "security_groups[nsg].rules[a].source_port_ranges is '70000': write a port (80), a range of ports (8000-8099) or *."),
    ({"security_groups": [{"name": "nsg", "rules": [{"name": "a", "priority": 100, "destination_address_prefixes": ["10.0.0.1/8"]}]}]},
     "security_groups[nsg].rules[a].destination_address_prefixes is '10.0.0.1/8', which has address bits behind its mask: did you mean 10.0.0.0/8?"),
    ({"public_ips": [{"name": "ip", "zones": ["4"]}]}, "public_ips[ip].zones has '4': the zones of a region are 1, 2 and 3."),
    ({"public_ips": [{"name": "ip"}, {"name": "ip"}]},
     "public_ips has 'ip' twice (Azure compares names without case): give each entry a name of its own."),
    ({"public_ips": [{"name": "ip", "dns_label": "Web"}]},
     "public_ips[ip].dns_label is 'Web': a DNS label has 3 to 63 lower-case letters, digits and '-', begins with a letter and ends "
     "with a letter or digit."),
])
def test_bad_input_is_refused_before_anything_is_sent(azure, more, message):
    before = len(azure.admin.requests(limit=100000))
    result = azure.run("network", small("rg", **more))
    assert result["failed"] and result["msg"] == message
    assert len(azure.admin.requests(limit=100000)) == before, "something was sent"
