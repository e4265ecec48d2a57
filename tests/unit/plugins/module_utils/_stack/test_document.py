# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Compose documents: what becomes of each key, and what is refused in which words."""

from __future__ import annotations

import pytest
from ansible_collections.dockhost.azure.plugins.module_utils._stack.document import build
from ansible_collections.dockhost.azure.plugins.module_utils._stack.values import StackError


def make(service, routing_mesh=True, config_values=None, secret_values=None, variables=None, **top):
    document = {"services": {"web": {"image": "nginx:1", **service}}, **top}
    return build("shop", document, config_values or {}, secret_values or {}, b"k" * 32, variables, routing_mesh)


def spec(service, **more):
    return make(service, **more).services["shop_web"]


def container(service, **more):
    return spec(service, **more)["TaskTemplate"]["ContainerSpec"]


def test_names_and_labels_are_those_of_docker_stack():
    wanted = make({"deploy": {"labels": ["a=b"]}})
    assert list(wanted.networks) == ["shop_default"]
    web = wanted.services["shop_web"]
    assert web["Labels"] == {"a": "b", "com.docker.stack.namespace": "shop", "com.docker.stack.image": "nginx:1"}
    assert web["TaskTemplate"]["Networks"] == [{"Target": "shop_default", "Aliases": ["web"]}]


@pytest.mark.parametrize(
    ("service", "key", "value"),
    [
        ({"command": "sh -c 'a b'"}, "Args", ["sh", "-c", "a b"]),
        ({"entrypoint": ["x"]}, "Command", ["x"]),
        ({"environment": ["B=2", "A=1=1"]}, "Env", ["A=1=1", "B=2"]),
        ({"environment": {"N": 3, "E": ""}}, "Env", ["E=", "N=3"]),
        ({"stop_grace_period": "1m30s"}, "StopGracePeriod", 90 * 10**9),
        ({"extra_hosts": ["a:10.0.0.1", "b=fd00::1"]}, "Hosts", ["10.0.0.1 a", "fd00::1 b"]),
        ({"cap_add": ["net_admin", "ALL"]}, "CapabilityAdd", ["CAP_NET_ADMIN", "ALL"]),
        ({"ulimits": {"nofile": {"soft": 1, "hard": -1}}}, "Ulimits", [{"Name": "nofile", "Soft": 1, "Hard": -1}]),
        ({"healthcheck": {"test": "true", "interval": "500ms"}}, "Healthcheck", {"Test": ["CMD-SHELL", "true"], "Interval": 500 * 10**6}),
        ({"healthcheck": {"disable": True}}, "Healthcheck", {"Test": ["NONE"]}),
        ({"tmpfs": "/run:size=1m,mode=755"}, "Mounts", [{"Type": "tmpfs", "Target": "/run", "TmpfsOptions": {"SizeBytes": 2**20, "Mode": 0o755}}]),
        ({"volumes": ["/a:/b:ro"]}, "Mounts", [{"Type": "bind", "Source": "/a", "Target": "/b", "ReadOnly": True}]),
        ({"init": "yes"}, "Init", True),
    ],
)
def test_keys_of_a_container(service, key, value):
    assert container(service)[key] == value


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("80", [(None, 80, "tcp", "ingress")]),
        ("8080:80/udp", [(8080, 80, "udp", "ingress")]),
        ("90-91:80-81", [(90, 80, "tcp", "ingress"), (91, 81, "tcp", "ingress")]),
        ({"target": 80, "published": "8080", "mode": "host"}, [(8080, 80, "tcp", "host")]),
    ],
)
def test_ports(written, expected):
    found = spec({"ports": [written]})["EndpointSpec"]["Ports"]
    assert [(port.get("PublishedPort"), port["TargetPort"], port["Protocol"], port["PublishMode"]) for port in found] == expected


@pytest.mark.parametrize(
    ("deploy", "mode"),
    [
        ({"replicas": "3"}, {"Replicated": {"Replicas": 3}}),
        ({"mode": "global"}, {"Global": {}}),
        ({"mode": "replicated-job", "replicas": 2}, {"ReplicatedJob": {"MaxConcurrent": 2, "TotalCompletions": 2}}),
        ({"mode": "global-job"}, {"GlobalJob": {}}),
    ],
)
def test_modes(deploy, mode):
    assert spec({"deploy": deploy})["Mode"] == mode


def test_a_named_volume_carries_the_namespace_and_its_driver():
    mount = container({"volumes": ["data:/d"]}, volumes={"data": {"driver_opts": {"type": "nfs"}}})["Mounts"][0]
    assert mount["Source"] == "shop_data"
    assert mount["VolumeOptions"] == {
        "Labels": {"com.docker.stack.namespace": "shop"},
        "DriverConfig": {"Name": "local", "Options": {"type": "nfs"}},
    }


@pytest.mark.parametrize(
    ("service", "top", "message"),
    [
        ({"build": "."}, {}, "services.web.build is not supported in a swarm stack: build and push the image first, then name it in image."),
        ({"depends_on": ["db"]}, {}, "services.web.depends_on is not supported"),
        ({"nonsense": 1}, {}, "services.web.nonsense is not supported here; supported are cap_add, "),
        ({"deploy": {"mode": "swarm"}}, {}, "services.web.deploy.mode is 'swarm'; it has to be one of replicated, global, "),
        ({"deploy": {"mode": "global", "replicas": 2}}, {}, "services.web.deploy.replicas does not go with mode global"),
        ({"deploy": {"replicas": -1}}, {}, "services.web.deploy.replicas is -1; it cannot be below 0."),
        ({"deploy": {"resources": {"limits": {"memory": "lots"}}}}, {}, "services.web.deploy.resources.limits.memory: a size such as 64m"),
        ({"environment": {"A": True}}, {}, "services.web.environment.A: a text is expected, not True; put it in quotes."),
        ({"environment": ["A"]}, {}, "services.web.environment.A has no value"),
        ({"ports": ["127.0.0.1:80:80"]}, {}, "services.web.ports[0] is '127.0.0.1:80:80'; a swarm publishes on all addresses"),
        ({"ports": ["99999:80"]}, {}, "services.web.ports[0]: 99999 is no port"),
        ({"ports": ["80:80", "80:81"]}, {}, "services.web.ports: port 80/tcp is published twice."),
        ({"volumes": ["data:/d"]}, {}, "services.web.volumes[0]: volume data is not declared under volumes."),
        ({"volumes": ["./x:/d"]}, {}, "services.web.volumes[0]: './x' is relative"),
        ({"networks": ["n"]}, {}, "services.web.networks.n: the network is not declared under networks."),
        ({"secrets": ["s"]}, {}, "services.web.secrets[0]: secret s is not declared under secrets."),
        ({}, {"secrets": {"s": {}}}, "secrets.s has no value: give it in option secrets of the module under the name s"),
        ({}, {"secrets": {"s": {"file": "x"}}}, "secrets.s.file is not supported in a swarm stack: the file lies on the controller"),
        ({}, {"networks": {"n": {"driver": "bridge"}}}, "networks.n.driver is bridge, which does not span hosts"),
        ({}, {"networks": {"n": {"external": True, "attachable": True}}}, "networks.n.attachable does not go with external: true"),
        ({}, {"services": {}}, "services: the document has none"),
        ({"healthcheck": {"interval": "5 minutes"}}, {}, "services.web.healthcheck.interval: a duration such as 30s"),
        ({"command": "sh -c 'x"}, {}, "services.web.command: No closing quotation; check the quotes."),
        ({"image": ""}, {}, "services.web.image is missing"),
        ({"environment": {"A": "$B"}}, {}, "services.web.environment.A: variable B has no value"),
        ({"environment": {"A": "${B:?say which}"}}, {}, "services.web.environment.A: variable B has no value: say which"),
        ({"environment": {"A": "5$"}}, {}, "services.web.environment.A: a $ starts a variable; write $$"),
        ({"ports": ["80:80"], "deploy": {"endpoint_mode": "dnsrr"}}, {}, "services.web: endpoint_mode dnsrr does not go with ports in mode ingress"),
    ],
)
def test_what_is_refused(service, top, message):
    with pytest.raises(StackError) as error:
        make(service, **top)
    assert str(error.value).startswith(message)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("$A-${A}", "1-1"), ("$$A", "$A"), ("${N:-x}", "x"), ("${E-x}", ""), ("${E:-x}", "x"), ("${A:+y}", "y"), ("${N:+y}", "")],
)
def test_variables(text, expected):
    assert container({"working_dir": "/" + text}, variables={"A": "1", "E": ""})["Dir"] == "/" + expected


def test_values_of_the_options_are_taken_as_they_are():
    wanted = make({"configs": ["c"]}, config_values={"c": "$A ${B}"})
    (blob,) = wanted.configs.values()
    assert blob.spec["Data"] == "JEEgJHtCfQ=="


def test_a_secret_is_named_by_a_keyed_digest_and_is_not_shown():
    def name(value, key):
        return next(iter(build("shop", {"services": {"web": {"image": "i"}}}, {}, {"s": value}, key).secrets))

    assert name("a", b"1") == name("a", b"1")
    assert len({name("a", b"1"), name("b", b"1"), name("a", b"2")}) == 3
    assert "hunter2" not in repr(make({}, secret_values={"s": "hunter2"}))


class TestWithoutRoutingMesh:
    def test_published_ports_move_to_the_hosts(self):
        wanted = make({"ports": ["80:8080"], "deploy": {"replicas": 2, "update_config": {"order": "start-first"}}}, routing_mesh=False)
        web = wanted.services["shop_web"]
        assert web["EndpointSpec"] == {
            "Mode": "dnsrr",
            "Ports": [{"Protocol": "tcp", "TargetPort": 8080, "PublishMode": "host", "PublishedPort": 80}],
        }
        assert web["TaskTemplate"]["Placement"] == {"MaxReplicas": 1}
        assert web["UpdateConfig"]["Order"] == "stop-first"
        assert len(wanted.notes) == 4
        assert "web: port 80/tcp is published by each host that runs a task (mode host), since there is no routing mesh" in wanted.notes

    def test_a_global_service_keeps_its_placement(self):
        web = spec({"ports": ["80:80"], "deploy": {"mode": "global"}}, routing_mesh=False)
        assert "Placement" not in web["TaskTemplate"]

    def test_an_own_wish_for_the_endpoint_stays(self):
        assert spec({"deploy": {"endpoint_mode": "vip"}}, routing_mesh=False)["EndpointSpec"]["Mode"] == "vip"

    def test_two_tasks_on_a_host_are_refused(self):
        with pytest.raises(StackError, match="without a routing mesh a host can publish a port for one task only"):
            make({"ports": ["80:80"], "deploy": {"placement": {"max_replicas_per_node": 2}}}, routing_mesh=False)


def test_two_services_cannot_publish_one_port():
    services = {name: {"image": "i", "ports": ["80:80"]} for name in ("a", "b")}
    with pytest.raises(StackError, match="services.b.ports: port 80/tcp is published by a already."):
        build("shop", {"services": services}, {}, {}, b"k")
