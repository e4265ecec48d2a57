# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What runs on a host by Compose, in the form in which a swarm is told of.

Pure: inspections of containers in, plain dictionaries out. This util is private to the collection: no release promises that it stays as it is.
"""

from __future__ import annotations

import typing as t

from ansible_collections.dockhost.azure.plugins.module_utils._compose.live import ONE_OFF, container
from ansible_collections.dockhost.azure.plugins.module_utils._engine.labels import PROJECT, SERVICE
from ansible_collections.dockhost.azure.plugins.module_utils._swarm.report import load_balancer_ports, published_ports

Json = t.Mapping[str, t.Any]
# UDP cannot be probed: a host that takes SSH connections is there, which is the best that can be asked.
_SSH = 22
_LOOPBACK = ("127.", "::1")
_FOLDER = "com.docker.compose.project.working_dir"


def folders(inspected: t.Iterable[Json]) -> set[str]:
    """Where the projects' files are on the host, as Compose noted it on the containers."""
    return {labels[_FOLDER] for labels in map(_labels, inspected) if labels.get(_FOLDER)}


def report(info: Json, inspected: t.Iterable[Json], lasting: t.Mapping[str, t.Mapping[str, Json]] | None = None) -> dict[str, t.Any]:
    """What module swarm_info tells of a swarm, of one host and its projects instead. ``lasting``: project → service → how many replicas of which image."""
    wanted = {f"{project}_{service}": {"stack": project, **told} for project, services in (lasting or {}).items() for service, told in services.items()}
    mine = [item for item in inspected if _labels(item).get(PROJECT) and _labels(item).get(ONE_OFF, "False") != "True"]
    by_service: dict[str, list[Json]] = {}
    for item in sorted(mine, key=lambda item: item["Name"]):
        by_service.setdefault(f"{_labels(item)[PROJECT]}_{_labels(item).get(SERVICE, '')}", []).append(item)
    for name, told in wanted.items():
        if told["replicas"]:
            by_service.setdefault(name, [])
    services = sorted(by_service.items())
    published = [_published(name, items) for name, items in services]
    return {
        "cluster_id": "",
        "nodes": [
            {"id": "", "name": info.get("Name", ""), "role": "single", "leader": False, "reachability": None, "state": "ready", "availability": "active",
             "address": "", "labels": {}, "engine": info.get("ServerVersion", "")}
        ],
        "services": [_service(name, items, spec, wanted.get(name)) for (name, items), spec in zip(services, published)],
        "tasks": [_task(name, number, item, info) for name, items in services for number, item in enumerate(items, 1)],
        "published_ports": published_ports(published),
        "routing_mesh": True,
        "load_balancer_ports": [_probed(port) for port in load_balancer_ports(published)],
    }  # fmt: skip


def _labels(item: Json) -> dict[str, str]:
    return item["Config"].get("Labels") or {}


def _service(name: str, items: t.Sequence[Json], published: Json, wanted: Json | None) -> dict[str, t.Any]:
    found = [container(item) for item in items]
    running, count = sum(item.fine for item in found), max(len(found), wanted["replicas"] if wanted else 0)
    job, image = (found[0].ends, found[0].image_name) if found else (False, wanted["image"])
    return {
        "id": "", "name": name, "stack": _labels(items[0])[PROJECT] if items else wanted["stack"], "image": image.partition("@")[0],
        "mode": "replicated-job" if job else "replicated", "job": job, "running": running, "wanted": count, "healthy": running == count,
        "ports": [{key: value for key, value in port.items() if key != "service"} for port in published_ports([published])],
    }  # fmt: skip


def _task(name: str, number: int, item: Json, info: Json) -> dict[str, t.Any]:
    found = container(item)
    state = "complete" if found.status == "exited" and found.fine else "running" if found.fine else "starting" if not found.wrong else "failed"
    return {
        "service": name, "node": info.get("Name", ""), "slot": number, "state": state, "desired": "running", "since": item["State"].get("StartedAt", ""),
        "error": found.wrong,
    }  # fmt: skip


def _published(name: str, items: t.Sequence[Json]) -> dict[str, t.Any]:
    """In the form of a service, so that ports are told by the same rules; what is published for the host alone is left out."""
    ports = []
    for item in items:
        for target, bindings in ((item.get("HostConfig") or {}).get("PortBindings") or {}).items():
            number, _slash, protocol = target.partition("/")
            for binding in bindings or ():
                if str(binding.get("HostPort") or "").isdigit() and not str(binding.get("HostIp") or "").startswith(_LOOPBACK):
                    ports.append({"PublishedPort": int(binding["HostPort"]), "TargetPort": int(number), "Protocol": protocol or "tcp", "PublishMode": "single"})
    return {"Spec": {"Name": name, "Labels": _labels(items[0]) if items else {}}, "Endpoint": {"Ports": ports}}


def _probed(port: dict[str, t.Any]) -> dict[str, t.Any]:
    return {**port, "probe": {"protocol": "tcp", "port": _SSH}} if port["protocol"] == "udp" else port
