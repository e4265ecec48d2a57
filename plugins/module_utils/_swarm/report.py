# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a swarm says of itself, in the words that operators use: nodes, services, published ports.

Pure: the answers of the Engine API in, plain dictionaries out. Private to the collection.
API: https://docs.docker.com/reference/api/engine/version/v1.44/#tag/Service/operation/ServiceList
"""

from __future__ import annotations

import typing as t

Json = t.Mapping[str, t.Any]

# A service says with this label how a load balancer asks whether a node can serve it: http:/path, https:/path or tcp.
PROBE_LABEL = "dockhost.probe"
# UDP cannot be probed. A node whose gossip port answers is part of the swarm, which is the best that can be asked.
# https://docs.docker.com/engine/swarm/swarm-tutorial/#open-protocols-and-ports-between-the-hosts
GOSSIP_PORT = 7946


def node_report(node: Json) -> dict[str, t.Any]:
    """One node: name, id, role, leader, state, availability, address, labels."""
    manager = node.get("ManagerStatus") or {}
    return {
        "id": node["ID"],
        "name": node["Description"]["Hostname"],
        "role": node["Spec"]["Role"],
        "leader": bool(manager.get("Leader")),
        "reachability": manager.get("Reachability"),
        "state": node["Status"]["State"],
        "availability": node["Spec"]["Availability"],
        "address": node["Status"].get("Addr", ""),
        "labels": dict(node["Spec"].get("Labels") or {}),
        "engine": node["Description"].get("Engine", {}).get("EngineVersion", ""),
    }


def service_report(service: Json) -> dict[str, t.Any]:
    """One service: name, stack, image, mode, tasks running of tasks wanted (for jobs: completed of wanted), ports."""
    spec = service["Spec"]
    status = service.get("ServiceStatus") or {}
    mode = next(iter(spec.get("Mode") or {"Replicated": {}}))
    job = mode in ("ReplicatedJob", "GlobalJob")
    running = status.get("CompletedTasks" if job else "RunningTasks", 0)
    wanted = status.get("DesiredTasks", 0)
    if mode == "ReplicatedJob":
        wanted = spec["Mode"][mode].get("TotalCompletions", 1)
    elif job:
        # A global job wants one task a node, and each that is done counts as completed, no longer as desired.
        wanted = max(wanted, running)
    return {
        "id": service["ID"],
        "name": spec["Name"],
        "stack": (spec.get("Labels") or {}).get("com.docker.stack.namespace", ""),
        "image": spec["TaskTemplate"].get("ContainerSpec", {}).get("Image", "").partition("@")[0],
        "mode": mode.lower(),
        "job": job,
        "running": running,
        "wanted": wanted,
        "healthy": running >= wanted,
        "ports": [_port(port) for port in _ports(service)],
    }


def task_reports(tasks: t.Iterable[Json], services: t.Iterable[Json], nodes: t.Iterable[Json]) -> list[dict[str, t.Any]]:
    """The tasks that are wanted, jobs that are done, and of each service the last task that failed, by service and number.

    ``services`` as the API lists them, ``nodes`` as node_report gave them. Tasks of services that are gone are left out.
    """
    names = {service["ID"]: service["Spec"]["Name"] for service in services}
    hosts = {node["id"]: node["name"] for node in nodes}
    wanted, failed = [], {}
    for task in sorted(tasks, key=lambda task: task["Status"].get("Timestamp", "")):
        if task.get("ServiceID") not in names:
            continue
        entry = _task(task, names[task["ServiceID"]], hosts)
        if entry["desired"] not in ("shutdown", "remove") or entry["state"] == "complete":
            wanted.append(entry)
        elif entry["state"] in ("failed", "rejected"):
            failed[entry["service"]] = entry
    return sorted([*wanted, *failed.values()], key=lambda task: (task["service"], task["slot"] or 0, task["node"]))


def _task(task: Json, service: str, hosts: t.Mapping[str, str]) -> dict[str, t.Any]:
    return {
        "service": service,
        "node": hosts.get(task.get("NodeID", ""), ""),
        "slot": task.get("Slot"),
        "state": task["Status"]["State"],
        "desired": task.get("DesiredState", ""),
        "since": task["Status"].get("Timestamp", ""),
        "error": task["Status"].get("Err", ""),
    }


def published_ports(services: t.Iterable[Json]) -> list[dict[str, t.Any]]:
    """The ports that the swarm opens on its nodes, each once, in order: what a load balancer has to forward."""
    found: dict[tuple[int, str], dict[str, t.Any]] = {}
    for service in services:
        for port in _ports(service):
            entry = _port(port)
            if entry["port"]:
                found.setdefault((entry["port"], entry["protocol"]), dict(entry, service=service["Spec"]["Name"]))
    return [found[key] for key in sorted(found)]


def load_balancer_ports(services: t.Sequence[Json]) -> list[dict[str, t.Any]]:
    """The published ports in the form that the module load_balancer takes.

    The target is the port that the swarm opens on its nodes, never the container's. A label ``dockhost.probe`` (of one
    port: ``dockhost.probe.443``) with something else than http:/path, https:/path or tcp raises ValueError with a sentence that names the service.
    """
    labels = {service["Spec"]["Name"]: service["Spec"].get("Labels") or {} for service in services}
    found = []
    for port in published_ports(services):
        entry = {"port": port["port"], "protocol": port["protocol"]}
        if port["protocol"] == "udp":
            entry["probe"] = {"protocol": "tcp", "port": GOSSIP_PORT}
        elif label := _probe_label(labels[port["service"]], port["port"]):
            entry["probe"] = _probe(port["service"], *label)
        found.append(entry)
    return found


def _probe_label(labels: t.Mapping[str, str], port: int) -> tuple[str, str] | None:
    """Name and value of the label that says how a port is probed: that of the port itself before that of all."""
    for name in (f"{PROBE_LABEL}.{port}", PROBE_LABEL):
        if name in labels:
            return name, labels[name]
    return None


def _probe(service: str, name: str, label: str) -> dict[str, str]:
    protocol, colon, path = label.partition(":")
    if protocol == "tcp" and not colon:
        return {"protocol": "tcp"}
    if protocol in ("http", "https") and path.startswith("/"):
        return {"protocol": protocol, "path": path}
    raise ValueError(
        f"Service {service} has the label {name}={label}: write http:/path, https:/path or tcp."
    )


def _ports(service: Json) -> t.Sequence[Json]:
    # Endpoint carries the ports that the swarm itself chose where the user named none; a service that was created this
    # moment has no endpoint yet, and its specification must do.
    endpoint = service.get("Endpoint") or {}
    return endpoint.get("Ports") or (service["Spec"].get("EndpointSpec") or {}).get("Ports") or []


def _port(port: Json) -> dict[str, t.Any]:
    return {
        "port": port.get("PublishedPort", 0),
        "target_port": port.get("TargetPort", 0),
        "protocol": port.get("Protocol", "tcp"),
        "mode": port.get("PublishMode", "ingress"),
    }
