# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Projects on a single host, told in the form of a swarm."""

from __future__ import annotations

import pytest
from ansible_collections.dockhost.azure.plugins.module_utils._compose import files
from ansible_collections.dockhost.azure.plugins.module_utils._compose.report import folders, report

INFO = {"Name": "demo-1", "ServerVersion": "28.1"}


def inspected(service, number=1, ports=None, policy="unless-stopped", one_off="False", **state):
    labels = {"com.docker.compose.project": "shop", "com.docker.compose.service": service, "com.docker.compose.oneoff": one_off,
              "dockhost.probe": "http:/health"}  # fmt: skip
    return {"Id": f"{service}{number}", "Name": f"/shop-{service}-{number}", "Image": "sha256:0", "Config": {"Image": "a:1@sha256:0", "Labels": labels},
            "State": {"Status": "running", "ExitCode": 0, **state}, "HostConfig": {"RestartPolicy": {"Name": policy}, "PortBindings": ports or {}}}  # fmt: skip


def test_services_tasks_and_the_node():
    told = report(INFO, [inspected("api", 2, Status="exited", ExitCode=1), inspected("api"), inspected("job", policy="on-failure", Status="exited"),
                         inspected("api", 3, one_off="True")])  # fmt: skip
    assert [(one["name"], one["running"], one["wanted"], one["healthy"], one["job"], one["image"]) for one in told["services"]] == [
        ("shop_api", 1, 2, False, False, "a:1"), ("shop_job", 1, 1, True, True, "a:1")]  # fmt: skip
    assert [(one["service"], one["slot"], one["state"], one["node"]) for one in told["tasks"]] == [
        ("shop_api", 1, "running", "demo-1"), ("shop_api", 2, "failed", "demo-1"), ("shop_job", 1, "complete", "demo-1")]  # fmt: skip
    assert [(node["name"], node["role"], node["state"], node["engine"]) for node in told["nodes"]] == [("demo-1", "single", "ready", "28.1")]


@pytest.mark.parametrize("bindings, expected", [
    ({"8080/tcp": [{"HostIp": "", "HostPort": "80"}, {"HostIp": "::", "HostPort": "80"}]},
     [{"port": 80, "protocol": "tcp", "probe": {"protocol": "http", "path": "/health"}}]),
    ({"53/udp": [{"HostIp": "", "HostPort": "53"}]}, [{"port": 53, "protocol": "udp", "probe": {"protocol": "tcp", "port": 22}}]),
    ({"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "80"}], "81/tcp": [{"HostIp": "", "HostPort": ""}]}, []),
])  # fmt: skip
def test_what_the_load_balancer_forwards(bindings, expected):
    assert report(INFO, [inspected("edge", ports=bindings)])["load_balancer_ports"] == expected


def test_a_service_whose_containers_are_gone_is_missed():
    lasting = {"shop": {"api": {"replicas": 2, "image": "a:1"}, "worker": {"replicas": 1, "image": "b:1@sha256:0"}, "off": {"replicas": 0, "image": "c:1"}}}
    told = report(INFO, [inspected("api"), inspected("job", policy="on-failure", Status="exited")], lasting)
    assert [(one["name"], one["running"], one["wanted"], one["healthy"], one["job"], one["image"]) for one in told["services"]] == [
        ("shop_api", 1, 2, False, False, "a:1"), ("shop_job", 1, 1, True, True, "a:1"), ("shop_worker", 0, 1, False, False, "b:1")]  # fmt: skip
    assert {one["stack"] for one in told["services"]} == {"shop"} and told["published_ports"] == []


def test_what_is_to_last_is_read_where_projects_are(tmp_path):
    services = {"api": {"replicas": 2, "image": "a:1"}}
    for folder, project in (("root/shop", "shop"), ("elsewhere", "blog")):
        files.write_state(str(tmp_path / folder), {"project": project, "services": services})
    files.write_state(str(tmp_path / "root/before"), {"files": {}})  # by a version of the module that did not note it
    (tmp_path / "root/file").touch()
    item = inspected("api")
    item["Config"]["Labels"]["com.docker.compose.project.working_dir"] = str(tmp_path / "elsewhere")
    assert files.lasting(folders([item]), str(tmp_path / "root")) == {"shop": services, "blog": services}
    assert files.lasting((), str(tmp_path / "nowhere")) == {}


def test_what_is_of_no_project_is_left_out():
    other = inspected("web")
    other["Config"]["Labels"] = None
    assert report(INFO, [other])["services"] == []
