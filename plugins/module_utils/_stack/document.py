# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A whole Compose document as what the swarm should hold, and its adaptation to swarms without routing mesh.

This util is private to the collection: no release promises that it stays as it is.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from ansible_collections.dockhost.azure.plugins.module_utils._stack.interpolate import interpolate
from ansible_collections.dockhost.azure.plugins.module_utils._stack.resources import (
    Blob,
    Network,
    blob,
    network,
    volume,
)
from ansible_collections.dockhost.azure.plugins.module_utils._stack.service import Surroundings, service
from ansible_collections.dockhost.azure.plugins.module_utils._stack.values import Json, StackError, mapping, section, text

_STACK = re.compile(r"[a-zA-Z0-9](?:[a-zA-Z0-9_-]*[a-zA-Z0-9])?")
_SERVICE = re.compile(r"[a-zA-Z0-9](?:[a-zA-Z0-9_-]*[a-zA-Z0-9])?")


@dataclass(frozen=True)
class Wanted:
    """What the swarm should hold for one stack; mappings go by the name in the swarm."""

    stack: str
    services: dict[str, dict[str, Json]]
    networks: dict[str, Network]
    configs: dict[str, Blob]
    secrets: dict[str, Blob]
    notes: tuple[str, ...] = ()


def stack_name(name: str) -> str:
    """The stack's name, if it is one."""
    if not _STACK.fullmatch(name) or len(name) > 40:
        raise StackError(f"name is {name!r}; a stack's name has up to 40 letters, digits, '-' and '_', and begins and ends with a letter or digit.")
    return name


def build(
    name: str,
    document: Json,
    configs: t.Mapping[str, str],
    secrets: t.Mapping[str, str],
    key: bytes,
    variables: t.Mapping[str, str] | None = None,
    routing_mesh: bool = True,
    encrypt: bool = False,
) -> Wanted:
    """Check the document and translate it. Raises StackError with the path of the first wrong key.

    ``encrypt``: its own overlay networks are encrypted between hosts.
    """
    stack_name(name)
    parts = section("compose", interpolate(document, variables or {}), ("version", "name", "services", "networks", "volumes", "configs", "secrets"))
    if parts.get("name") not in (None, name):
        raise StackError(f"compose.name is {parts['name']!r} and the stack's name is {name!r}: leave the first out.")
    services = mapping("services", parts.get("services"))
    if not services:
        raise StackError("services: the document has none; use state: absent to remove a stack.")
    networks = {item: network(name, item, value) for item, value in mapping("networks", parts.get("networks")).items()}
    networks.setdefault("default", network(name, "default", None))
    for item in networks.values() if encrypt else ():
        if item.spec is not None and item.spec["Driver"] == "overlay":
            item.spec["Options"].setdefault("encrypted", "")
    around = Surroundings(
        name,
        networks,
        {item: volume(name, item, value) for item, value in mapping("volumes", parts.get("volumes")).items()},
        _blobs("config", name, parts.get("configs"), configs, key),
        _blobs("secret", name, parts.get("secrets"), secrets, key),
    )
    specs = {}
    for item, value in services.items():
        if not _SERVICE.fullmatch(item) or len(f"{name}_{item}") > 63:
            raise StackError(f"services.{item}: {name}_{item} is no service name; it has at most 63 letters, digits, '-' and '_'.")
        specs[f"{name}_{item}"] = service(item, value, around)
    notes: list[str] = []
    for spec in specs.values():
        notes += [] if routing_mesh else _without_mesh(spec, name)
        _check_ports(spec, name)
    _check_clashes(specs, name)
    return Wanted(name, specs, _used(networks, specs), _by_name(around.configs), _by_name(around.secrets), tuple(notes))


def _blobs(kind: str, stack: str, declared: Json, given: t.Mapping[str, str], key: bytes) -> dict[str, Blob]:
    entries = mapping(f"{kind}s", declared)
    for item in given:
        text(f"{kind}s", item)
        entries.setdefault(item, None)
    return {item: blob(kind, stack, item, value, given.get(item), key) for item, value in entries.items()}


def _by_name(blobs: t.Mapping[str, Blob]) -> dict[str, Blob]:
    return {item.name: item for item in blobs.values()}


def _used(networks: t.Mapping[str, Network], specs: t.Mapping[str, dict[str, Json]]) -> dict[str, Network]:
    """As docker stack does: a network that no service is on is not made."""
    targets = {item["Target"] for spec in specs.values() for item in spec["TaskTemplate"]["Networks"]}
    return {item.name: item for item in networks.values() if item.name in targets}


def _without_mesh(spec: dict[str, Json], stack: str) -> list[str]:
    """Change a spec so that it works where the kernel has no IPVS: no routing mesh and no virtual addresses."""
    notes, short = [], spec["Name"][len(stack) + 1 :]
    endpoint = spec["EndpointSpec"]
    if "Mode" not in endpoint:
        endpoint["Mode"] = "dnsrr"
        notes.append(f"{short}: its name answers with the addresses of its tasks (dnsrr), since there are no virtual addresses")
    moved = [port for port in endpoint["Ports"] if port["PublishMode"] == "ingress"]
    for port in moved:
        port["PublishMode"] = "host"
        shown = f"{port.get('PublishedPort', 'a free port')}/{port['Protocol']}"
        notes.append(f"{short}: port {shown} is published by each host that runs a task (mode host), since there is no routing mesh")
    if moved and "Replicated" in spec["Mode"]:
        _one_per_host(spec, short, notes)
    return notes


def _one_per_host(spec: dict[str, Json], short: str, notes: list[str]) -> None:
    placement = spec["TaskTemplate"].setdefault("Placement", {})
    if placement.get("MaxReplicas", 1) != 1:
        raise StackError(
            f"services.{short}.deploy.placement.max_replicas_per_node is {placement['MaxReplicas']}, but without a routing mesh a host "
            "can publish a port for one task only: set it to 1 or leave it out."
        )
    if "MaxReplicas" not in placement:
        placement["MaxReplicas"] = 1
        notes.append(f"{short}: at most one task on a host, since a host's port serves one task")
    update = spec.get("UpdateConfig", {})
    if update.get("Order") == "start-first":
        update["Order"] = "stop-first"
        notes.append(f"{short}: an update stops a task before it starts the next one, since both need the host's port")


def _check_ports(spec: dict[str, Json], stack: str) -> None:
    endpoint, short = spec["EndpointSpec"], spec["Name"][len(stack) + 1 :]
    if endpoint.get("Mode") == "dnsrr" and any(port["PublishMode"] == "ingress" for port in endpoint["Ports"]):
        raise StackError(f"services.{short}: endpoint_mode dnsrr does not go with ports in mode ingress; publish them in mode host.")


def _check_clashes(specs: t.Mapping[str, dict[str, Json]], stack: str) -> None:
    owners: dict[tuple[int, str], str] = {}
    for name, spec in specs.items():
        for port in spec["EndpointSpec"]["Ports"]:
            key = (port.get("PublishedPort", 0), port["Protocol"])
            if not key[0] or port["PublishMode"] != "ingress":
                continue
            if key in owners:
                raise StackError(f"services.{name[len(stack) + 1:]}.ports: port {key[0]}/{key[1]} is published by {owners[key]} already.")
            owners[key] = name[len(stack) + 1 :]
