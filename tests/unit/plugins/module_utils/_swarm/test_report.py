# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.dockhost.azure.plugins.module_utils._swarm.report import (
    load_balancer_ports,
    published_ports,
    service_report,
)


def service(name, mode, status, ports=(), endpoint=None):
    made = {
        "ID": f"id-{name}",
        "Spec": {
            "Name": name,
            "Labels": {"com.docker.stack.namespace": "blog"},
            "Mode": mode,
            "TaskTemplate": {"ContainerSpec": {"Image": "redis:8.0@sha256:0123"}},
            "EndpointSpec": {"Ports": list(ports)},
        },
        "ServiceStatus": status,
    }
    if endpoint is not None:
        made["Endpoint"] = {"Ports": endpoint}
    return made


TCP_80 = {"PublishedPort": 80, "TargetPort": 8080, "Protocol": "tcp", "PublishMode": "host"}
UDP_53 = {"PublishedPort": 53, "TargetPort": 53, "Protocol": "udp", "PublishMode": "ingress"}


@pytest.mark.parametrize(
    ("mode", "status", "running", "wanted", "healthy"),
    [
        ({"Replicated": {"Replicas": 2}}, {"RunningTasks": 2, "DesiredTasks": 2}, 2, 2, True),
        ({"Replicated": {"Replicas": 2}}, {"RunningTasks": 1, "DesiredTasks": 2}, 1, 2, False),
        ({"Global": {}}, {"RunningTasks": 3, "DesiredTasks": 3}, 3, 3, True),
        ({"ReplicatedJob": {"TotalCompletions": 1}}, {"RunningTasks": 0, "DesiredTasks": 0, "CompletedTasks": 1}, 1, 1, True),
        ({"ReplicatedJob": {"TotalCompletions": 1}}, {"RunningTasks": 1, "DesiredTasks": 1, "CompletedTasks": 0}, 0, 1, False),
        ({"GlobalJob": {}}, {"RunningTasks": 0, "DesiredTasks": 0, "CompletedTasks": 3}, 3, 3, True),
    ],
)
def test_tasks_running_of_tasks_wanted(mode, status, running, wanted, healthy):
    report = service_report(service("s", mode, status))
    assert (report["running"], report["wanted"], report["healthy"]) == (running, wanted, healthy)
    assert report["image"] == "redis:8.0"


def test_each_published_port_once_and_in_order():
    edge = service("edge", {"Global": {}}, {}, [TCP_80])
    twin = service("twin", {"Global": {}}, {}, [TCP_80])
    dns = service("dns", {"Global": {}}, {}, [UDP_53])
    assert published_ports([edge, twin, dns]) == [
        {"port": 53, "target_port": 53, "protocol": "udp", "mode": "ingress", "service": "dns"},
        {"port": 80, "target_port": 8080, "protocol": "tcp", "mode": "host", "service": "edge"},
    ]


def test_a_port_that_the_swarm_chose_is_read_from_the_endpoint():
    chosen = dict(TCP_80, PublishedPort=30000)
    asked = {key: value for key, value in TCP_80.items() if key != "PublishedPort"}
    assert [p["port"] for p in published_ports([service("s", {"Global": {}}, {}, [asked], endpoint=[chosen])])] == [30000]
    assert published_ports([service("s", {"Global": {}}, {}, [asked])]) == []


def labelled(label):
    made = service("edge", {"Global": {}}, {}, [TCP_80])
    made["Spec"]["Labels"]["dockhost.probe"] = label
    return made


@pytest.mark.parametrize(
    ("services", "expected"),
    [
        ([service("edge", {"Global": {}}, {}, [TCP_80])], {"port": 80, "protocol": "tcp"}),
        ([labelled("tcp")], {"port": 80, "protocol": "tcp", "probe": {"protocol": "tcp"}}),
        ([labelled("http:/up")], {"port": 80, "protocol": "tcp", "probe": {"protocol": "http", "path": "/up"}}),
        ([service("dns", {"Global": {}}, {}, [UDP_53])], {"port": 53, "protocol": "udp", "probe": {"protocol": "tcp", "port": 7946}}),
    ],
)
def test_what_the_load_balancer_has_to_do(services, expected):
    assert load_balancer_ports(services) == [expected]


def test_the_label_of_one_port_goes_before_that_of_all():
    made = service("edge", {"Global": {}}, {}, [TCP_80, dict(TCP_80, TargetPort=443, PublishedPort=443)])
    made["Spec"]["Labels"].update({"dockhost.probe": "http:/up", "dockhost.probe.443": "tcp"})
    assert [port["probe"]["protocol"] for port in load_balancer_ports([made])] == ["http", "tcp"]


@pytest.mark.parametrize("label", ["http", "http:up", "ftp:/up", "tcp:80", ""])
def test_a_probe_label_with_an_error_names_the_service(label):
    with pytest.raises(ValueError, match=f"^Service edge has the label dockhost.probe={label}: write http:/path, https:/path or tcp.$"):
        load_balancer_ports([labelled(label)])
