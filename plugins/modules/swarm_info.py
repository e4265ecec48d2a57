#!/usr/bin/python
# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: swarm_info
short_description: Read nodes, services and published ports of a Docker swarm, or of a single host
version_added: 0.1.0
author: The dockhost.azure authors (@dockhost)
description:
  - Reads what the swarm says of itself from the Docker Engine of a manager, over the engine's socket.
  - With O(orchestrator=compose) it tells the same of a single host, whose Compose projects take the place of the swarm.
  - Otherwise it runs on a host that is a manager of a swarm and needs nothing there but Python.
extends_documentation_fragment:
  - dockhost.azure.engine
options:
  orchestrator:
    description:
      - V(swarm) asks the swarm.
      - V(compose) tells of this host as the only node and of its Compose projects, their services called C(PROJECT_SERVICE). As many containers of a
        service as there are count as wanted, and as many as M(dockhost.azure.compose) made of one that is not to end, which only root can read. Ports that
        are published for the host alone are left out.
    type: str
    choices: [swarm, compose]
    default: swarm
  tasks:
    description: Whether the tasks are read as well, in one request more.
    type: bool
    default: false
  timeout:
    description:
      - How many seconds to wait for a manager that is being prepared, as it is for a moment after its promotion or after a start.
      - Other reasons why a host cannot tell, such as that it is a worker or that the majority is lost, are not waited for.
    type: int
    default: 0
attributes:
  check_mode:
    description: Can run in check mode and tell the same, since it changes nothing.
    support: full
  diff_mode:
    description: Nothing is changed, so there is nothing to show.
    support: N/A
seealso:
  - module: dockhost.azure.load_balancer
    description: Takes RV(load_balancer_ports) to let the load balancer's rules follow the swarm.
"""

EXAMPLES = r"""
- name: Ask the swarm what it publishes
  dockhost.azure.swarm_info:
  become: true
  register: swarm

- name: Stop when a service misses tasks
  ansible.builtin.assert:
    that: swarm.services | rejectattr('healthy') | list | length == 0
    fail_msg: "These services miss tasks: {{ swarm.services | rejectattr('healthy') | map(attribute='name') | join(', ') }}"
"""

RETURN = r"""
cluster_id:
  description: Id of the swarm.
  returned: success
  type: str
  sample: xkhgigp8a4jvw2ynhqxe1kbcl
nodes:
  description: The nodes, by name.
  returned: success
  type: list
  elements: dict
  sample:
    - {name: demo-1, id: dkp8vy1dq1kxleu9g4u78tlag, role: manager, leader: true, reachability: reachable, state: ready,
       availability: active, address: 172.28.0.4, labels: {dockhost.zone: "1"}, engine: 26.1.5}
services:
  description: The services, by name. For jobs C(running) counts the completed tasks.
  returned: success
  type: list
  elements: dict
  sample:
    - {name: blog_edge, id: 9mnpnzenvg8p8tdbtq4wvbkcz, stack: blog, image: "haproxy:3.0", mode: global, job: false,
       running: 3, wanted: 3, healthy: true, ports: [{port: 80, target_port: 80, protocol: tcp, mode: host}]}
tasks:
  description:
    - The tasks that are wanted, the jobs that are done, and of each service the last task that failed, by service and number.
    - C(node) is empty where the swarm found no node for it; C(error) says why.
  returned: when O(tasks) is set
  type: list
  elements: dict
  sample:
    - {service: blog_edge, node: demo-1, slot: null, state: running, desired: running, since: "2026-03-01T10:00:00Z", error: ""}
published_ports:
  description: The ports that the swarm opens on its nodes, each once.
  returned: success
  type: list
  elements: dict
  sample: [{port: 80, target_port: 80, protocol: tcp, mode: host, service: blog_edge}]
routing_mesh:
  description:
    - Whether the kernel of this host has IPVS, which the swarm's routing mesh and virtual IPs need.
  returned: success
  type: bool
load_balancer_ports:
  description:
    - The same in the form that O(dockhost.azure.load_balancer#module:published_ports) takes, so that the load balancer follows the swarm.
    - The probe is a TCP connection, or what the service's label C(dockhost.probe) says (C(http:/path), C(https:/path) or C(tcp)), or for one of
      several ports the label C(dockhost.probe.PORT).
      For UDP it is the port that the swarm's nodes talk to each other on.
  returned: success
  type: list
  elements: dict
  sample: [{port: 80, protocol: tcp, probe: {protocol: http, path: /healthz}}]
"""

import time

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.dockhost.azure.plugins.module_utils._compose.files import lasting
from ansible_collections.dockhost.azure.plugins.module_utils._compose.report import folders, report
from ansible_collections.dockhost.azure.plugins.module_utils._engine.client import ENGINE_ARGS, Engine
from ansible_collections.dockhost.azure.plugins.module_utils._engine.errors import EngineError, EngineUnreachable
from ansible_collections.dockhost.azure.plugins.module_utils._engine.labels import PROJECT
from ansible_collections.dockhost.azure.plugins.module_utils._swarm.mesh import has_ipvs
from ansible_collections.dockhost.azure.plugins.module_utils._swarm.report import (
    load_balancer_ports,
    node_report,
    published_ports,
    service_report,
    task_reports,
)


# What the engine says while a promotion arrives, see errNoManager of Moby's daemon/cluster.
_PREPARED = "Manager is being prepared"
_INTERVAL = 0.2  # seconds


def read_swarm(engine: Engine, tasks: bool) -> dict:
    """Three requests, or four with the tasks: the swarm, its nodes, its services with the number of their tasks."""
    services = sorted(engine.get("/services", status=True) or [], key=lambda service: service["Spec"]["Name"])
    nodes = [node_report(node) for node in engine.get("/nodes")]
    found = {"tasks": task_reports(engine.get("/tasks") or [], services, nodes)} if tasks else {}
    return {
        **found,
        "cluster_id": engine.get("/swarm")["ID"],
        "nodes": sorted(nodes, key=lambda node: node["name"]),
        "services": [service_report(service) for service in services],
        "published_ports": published_ports(services),
        "routing_mesh": has_ipvs(),
        "load_balancer_ports": load_balancer_ports(services),
    }


def read_single(engine: Engine) -> dict:
    """The same of a host and its Compose projects."""
    found = engine.get("/containers/json", all=True, filters={"label": [PROJECT]}) or []
    inspected = [item for item in (engine.find(f"/containers/{item['Id']}/json") for item in found) if item]
    return report(engine.info(), inspected, lasting(folders(inspected)))


def read_when_ready(engine: Engine, tasks: bool, timeout: float) -> dict:
    """As :func:`read_swarm`; a manager whose node knows its role but not the swarm yet is asked again for ``timeout`` seconds."""
    deadline = time.monotonic() + timeout
    while True:
        try:
            return read_swarm(engine, tasks)
        except EngineError as error:
            if _PREPARED not in error.message or time.monotonic() >= deadline:
                raise
        time.sleep(_INTERVAL)


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **ENGINE_ARGS,
            "orchestrator": {"type": "str", "choices": ["swarm", "compose"], "default": "swarm"},
            "tasks": {"type": "bool", "default": False},
            "timeout": {"type": "int", "default": 0},
        },
        supports_check_mode=True,
    )
    engine = Engine(module.params["docker_socket"])
    try:
        if module.params["orchestrator"] == "compose":
            module.exit_json(changed=False, **read_single(engine))
        module.exit_json(changed=False, **read_when_ready(engine, module.params["tasks"], module.params["timeout"]))
    except (EngineUnreachable, ValueError) as error:
        module.fail_json(msg=str(error))
    except EngineError as error:
        # 503 is the engine's answer of a node that is no manager.
        remedy = " Run this module on a manager of the swarm." if error.status == 503 else ""
        module.fail_json(msg=f"Failed to read the swarm: {error}{remedy}")


if __name__ == "__main__":
    main()
