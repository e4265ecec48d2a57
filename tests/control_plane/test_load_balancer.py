# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module load_balancer: missing argument, check mode, create, idempotence, update, delete, bad input."""

from __future__ import annotations

import pytest


def actions(result):
    assert not result["failed"], result
    return [(step["action"], step["name"]) for step in result["plan"]]


def wanted(group, **more):
    arguments = {
        "resource_group": group, "location": "westeurope", "name": "lb", "public_ip": "lb-ip", "backend_pools": ["hosts"],
        "ssh_nat": {}, "outbound": True,
    }
    arguments.update(more)
    return arguments


WEB = [
    {"port": 80, "target_port": 8080, "probe": {"protocol": "http", "path": "/healthz"}},
    {"port": 443},
    {"port": 53, "protocol": "udp", "probe": {"port": 8053}},
]


def path_of(group, type_, name):
    return "resourceGroups/{0}/providers/Microsoft.Network/{1}/{2}".format(group, type_, name)


def read(azure, group):
    status, body = azure.arm("GET", path_of(group, "loadBalancers", "lb"))
    assert status == 200, body
    return body["properties"]


def add_rule(azure, group, port=9000, name="theirs"):
    """Somebody else adds a rule, a probe and a pool."""
    path = path_of(group, "loadBalancers", "lb")
    body = azure.arm("GET", path)[1]
    properties, own = body["properties"], body["id"]
    properties["backendAddressPools"].append({"name": "their-pool"})
    properties["probes"].append({"name": name, "properties": {"protocol": "Tcp", "port": port, "intervalInSeconds": 15}})
    properties["loadBalancingRules"].append({"name": name, "properties": {
        "frontendIPConfiguration": {"id": own + "/frontendIPConfigurations/dockhost-frontend"},
        "backendAddressPool": {"id": own + "/backendAddressPools/their-pool"}, "probe": {"id": own + "/probes/" + name},
        "protocol": "Tcp", "frontendPort": port, "backendPort": port, "disableOutboundSnat": True,
    }})
    status, answer = azure.arm("PUT", path, body)
    assert status == 200, answer


def names(items):
    return sorted(item["name"] for item in items)


def test_life_of_a_load_balancer(azure, group):
    missing = azure.run("load_balancer", {"name": "lb"})
    assert missing["failed"] and missing["msg"] == "missing required arguments: resource_group"

    checked = azure.run("load_balancer", wanted(group, published_ports=WEB), check=True)
    assert actions(checked) == [("create", "lb-ip"), ("create", "lb")]
    assert checked["load_balancer"]["id"] is None
    assert checked["load_balancer"]["pools"]["hosts"].endswith("/loadBalancers/lb/backendAddressPools/hosts")
    assert "  loadBalancingRules[dockhost-tcp-80].frontendPort: 80\n" in checked["diff"]["after"]
    assert azure.resources(group) == []

    azure.admin.clear_requests()
    created = azure.run("load_balancer", wanted(group))
    assert actions(created) == [("create", "lb-ip"), ("create", "lb")]
    assert len(azure.writes()) == 2
    balancer = created["load_balancer"]
    assert balancer["frontend_address"].startswith("192.0.2.") and balancer["rules"] == [] and balancer["ssh_ports"] == {}
    properties = read(azure, group)
    rule = properties["inboundNatRules"][0]
    assert rule["name"] == "dockhost-ssh"
    assert {key: rule["properties"][key] for key in ("frontendPortRangeStart", "frontendPortRangeEnd", "backendPort", "protocol")} == {
        "frontendPortRangeStart": 50000, "frontendPortRangeEnd": 50999, "backendPort": 22, "protocol": "Tcp",
    }
    assert names(properties["outboundRules"]) == ["dockhost-outbound"]

    again = azure.run("load_balancer", wanted(group))
    assert not again["changed"] and again["plan"] == [] and again["load_balancer"] == balancer

    gone = azure.run("load_balancer", wanted(group, state="absent"))
    assert actions(gone) == [("delete", "lb-ip"), ("delete", "lb")]
    assert azure.resources(group) == []
    assert not azure.run("load_balancer", wanted(group, state="absent"))["changed"]


def test_published_ports_come_and_go_in_one_write(azure, group):
    azure.run("load_balancer", wanted(group))
    azure.admin.clear_requests()
    published = azure.run("load_balancer", wanted(group, published_ports=WEB))
    assert actions(published) == [("update", "lb")]
    assert [item["method"] for item in azure.writes()] == ["PUT"]
    assert [(rule["name"], rule["port"], rule["target_port"]) for rule in published["load_balancer"]["rules"]] == [
        ("dockhost-tcp-80", 80, 8080), ("dockhost-tcp-443", 443, 443), ("dockhost-udp-53", 53, 53),
    ]
    properties = read(azure, group)
    probes = {probe["name"]: probe["properties"] for probe in properties["probes"]}
    assert probes["dockhost-tcp-80"]["requestPath"] == "/healthz" and probes["dockhost-tcp-80"]["port"] == 8080
    assert probes["dockhost-tcp-443"]["protocol"] == "Tcp" and probes["dockhost-udp-53"]["port"] == 8053
    assert all(rule["properties"]["disableOutboundSnat"] for rule in properties["loadBalancingRules"])
    assert not azure.run("load_balancer", wanted(group, published_ports=WEB))["changed"]
    assert not azure.run("load_balancer", wanted(group))["changed"], "rules that are not spoken of were touched"

    less = azure.run("load_balancer", wanted(group, published_ports=WEB[:1]))
    assert [change["path"] for change in less["plan"][0]["changes"]] == [
        "loadBalancingRules[dockhost-tcp-443]", "loadBalancingRules[dockhost-udp-53]", "probes[dockhost-tcp-443]",
        "probes[dockhost-udp-53]",
    ]
    none = azure.run("load_balancer", wanted(group, published_ports=[]))
    assert none["load_balancer"]["rules"] == [] and read(azure, group)["probes"] == []
    assert not azure.run("load_balancer", wanted(group, published_ports=[]))["changed"]


def test_what_is_of_others_stays(azure, group):
    azure.run("load_balancer", wanted(group, published_ports=WEB))
    add_rule(azure, group)
    azure.run("load_balancer", wanted(group, published_ports=[], outbound=False, backend_pools=["hosts", "more"]))
    properties = read(azure, group)
    assert names(properties["loadBalancingRules"]) == ["theirs"] and names(properties["probes"]) == ["theirs"]
    assert names(properties["backendAddressPools"]) == ["hosts", "more", "their-pool"]
    assert properties["probes"][0]["properties"]["intervalInSeconds"] == 15
    assert properties["outboundRules"] == []
    clash = azure.run("load_balancer", wanted(group, published_ports=[{"port": 9000}]))
    assert clash["failed"] and clash["msg"] == (
        "published_ports wants port 9000/tcp, which rule theirs of load balancer lb holds already, and that rule is not this "
        "collection's: choose another port, or remove that rule."
    )


def test_ssh_ports_of_hosts(azure, group):
    azure.run("network", {
        "resource_group": group, "location": "westeurope", "name": "net", "address_prefixes": ["10.60.0.0/16"],
        "subnets": [{"name": "hosts", "address_prefix": "10.60.1.0/24"}],
    })
    pool = azure.run("load_balancer", wanted(group))["load_balancer"]["pools"]["hosts"]
    subnet = "/subscriptions/{0}/{1}/subnets/hosts".format(azure.lab.subscription, path_of(group, "virtualNetworks", "net"))
    for name in ("web-1", "web-2"):
        status, body = azure.arm("PUT", path_of(group, "networkInterfaces", name + "-nic"), {
            "location": "westeurope", "properties": {"ipConfigurations": [{"name": "ipconfig1", "properties": {
                "subnet": {"id": subnet}, "loadBalancerBackendAddressPools": [{"id": pool}],
            }}]},
        })
        assert status in (200, 201), body
    again = azure.run("load_balancer", wanted(group))
    assert not again["changed"], again["plan"]
    assert again["load_balancer"]["ssh_ports"] == {"web-1": 50000, "web-2": 50001}
    updated = azure.run("load_balancer", wanted(group, published_ports=WEB))
    assert updated["load_balancer"]["ssh_ports"] == {"web-1": 50000, "web-2": 50001}, "hosts fell out of the pool"


def test_an_address_of_somebody_else_is_used_and_kept(azure, group):
    azure.arm("PUT", path_of(group, "publicIPAddresses", "lb-ip"), {
        "location": "westeurope", "sku": {"name": "Standard"}, "properties": {"publicIPAllocationMethod": "Static"},
    })
    assert actions(azure.run("load_balancer", wanted(group))) == [("create", "lb")]
    assert actions(azure.run("load_balancer", wanted(group, state="absent"))) == [("delete", "lb")]
    assert azure.resources(group) == [("publicIPAddresses", "lb-ip")]


def test_a_load_balancer_of_somebody_else_is_not_deleted(azure, group):
    azure.run("load_balancer", wanted(group, deployment="other"))
    refused = azure.run("load_balancer", wanted(group, state="absent"))
    assert refused["failed"] and refused["msg"] == (
        "Load balancer lb is not deleted, because it does not carry the tag dockhost-deployment={0}: this collection deletes only "
        "what it made.".format(group)
    )
    taken = azure.run("load_balancer", wanted(group))
    assert taken["failed"] and "Load balancer lb belongs to the deployment 'other', not to '{0}'".format(group) in taken["msg"]


@pytest.mark.parametrize("more, message", [
    ({"public_ip": None},
     "public_ip is missing: name the public address of the load balancer; it is made when it is not there."),
    ({"published_ports": [{"port": 80}, {"port": 443}, {"port": 80}]},
     "published_ports has port 80/tcp twice (entries 1 and 3): a port leads to one target only."),
    ({"published_ports": [{"port": 50022}]},
     "published_ports has port 50022/tcp, which lies in the SSH ports 50000 to 50999 of ssh_nat: choose another port, or move "
     "frontend_port_start and frontend_port_end."),
    ({"published_ports": [{"port": 0}]}, "published_ports[0].port is 0: a port is a number from 1 to 65534."),
    ({"published_ports": [{"port": 80, "target_port": 70000}]}, "published_ports[0].target_port is 70000: a port is a number from 1 to 65535."),
    ({"published_ports": [{"port": 80, "probe": {"port": 0}}]}, "published_ports[0].probe.port is 0: a port is a number from 1 to 65535."),
    ({"ssh_nat": {"backend_port": 0}}, "ssh_nat.backend_port is 0: a port is a number from 1 to 65535."),
    ({"published_ports": [{"port": 53, "protocol": "udp"}]},
     "published_ports[0].probe.port is missing: Azure cannot probe a UDP port, so port 53/udp needs a TCP port by which its health is "
     "known."),
    ({"published_ports": [{"port": 80, "probe": {"path": "/x"}}]},
     "published_ports[0].probe.path is '/x': a path begins with / and belongs to a probe with protocol http or https."),
    ({"published_ports": [{"port": 80, "pool": "web"}]}, "published_ports[0].pool is 'web', which is not in backend_pools (hosts)."),
    ({"backend_pools": []}, "ssh_nat.pool needs a backend pool: name one in backend_pools."),
    ({"backend_pools": ["a", "A"]},
     "backend_pools has 'A' twice (Azure compares names without case): give each entry a name of its own."),
    ({"ssh_nat": {"frontend_port_start": 200, "frontend_port_end": 100}},
     "ssh_nat.frontend_port_end (100) lies before ssh_nat.frontend_port_start (200): swap them."),
    ({"backend_pools": None, "ssh_nat": None}, "outbound needs a backend pool: name one in backend_pools."),
])
def test_bad_input_is_refused_before_anything_is_sent(azure, more, message):
    before = len(azure.admin.requests(limit=100000))
    result = azure.run("load_balancer", wanted("rg", **more))
    assert result["failed"] and result["msg"] == message
    assert len(azure.admin.requests(limit=100000)) == before, "something was sent"
