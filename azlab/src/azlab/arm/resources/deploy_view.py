# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How deployments and their operations look on the wire."""
from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from azlab.store import Resource
from azlab.templates.hashes import murmur64
from azlab.templates.plan import Plan
from azlab.templates.planned import Planned

FAILED_TEXT = ("At least one resource deployment operation failed. Please list deployment operations for details. "
               "Please see https://aka.ms/arm-deployment-operations for usage details.")


def clock() -> str:
    """Now, as Resource Manager writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f1Z")


def duration(seconds: float) -> str:
    """An ISO 8601 duration as Resource Manager writes it: PT4M54.3679629S."""
    minutes, rest = divmod(max(0.0, seconds), 60)
    hours, minutes = divmod(int(minutes), 60)
    text = "PT" + (f"{hours}H" if hours else "") + (f"{minutes}M" if minutes else "")
    return text + f"{rest:.7f}".rstrip("0").rstrip(".") + "S"


def template_hash(template: dict[str, Any]) -> str:
    """The hash that Azure shows: of the template's text without spaces, in upper case."""
    text = json.dumps(template, separators=(",", ":"), ensure_ascii=False)
    return str(murmur64(text.upper().encode()))


def providers(resources: Iterable[Planned]) -> list[dict[str, Any]]:
    """The resource types of a template with their locations, in the order of the template."""
    found: dict[str, dict[str, list[str | None]]] = {}
    for resource in resources:
        namespace, _, kind = resource.type.partition("/")
        locations = found.setdefault(namespace, {}).setdefault(kind, [])
        location = resource.body.get("location")
        place = location.replace(" ", "").lower() if isinstance(location, str) else None
        if place not in locations:
            locations.append(place)
    return [{"namespace": namespace, "resourceTypes": [{"resourceType": k, "locations": v} for k, v in kinds.items()]}
            for namespace, kinds in found.items()]


def _named(resource: Planned) -> dict[str, str]:
    return {"id": resource.id, "resourceType": resource.type, "resourceName": resource.name}


def graph(plan: Plan) -> dict[str, Any]:
    """Who waits for whom, by number: written out it can be a hundred times as large."""
    numbers = {r.key: index for index, r in enumerate(plan.active)}
    return {"nodes": [[r.id, r.type, r.name] for r in plan.active],
            "waits": [[numbers[r.key], [numbers[d.lower()] for d in r.depends_on]]
                      for r in plan.active if r.depends_on]}


def dependencies(kept: dict[str, Any]) -> list[dict[str, Any]]:
    """The graph as deployments show it."""
    nodes = [dict(zip(("id", "resourceType", "resourceName"), n)) for n in kept["nodes"]]
    return [{"dependsOn": [nodes[i] for i in needed], **nodes[number]} for number, needed in kept["waits"]]


def deployment(resource: Resource) -> dict[str, Any]:
    """One deployment."""
    wire: dict[str, Any] = {"id": resource.id, "name": resource.name, "type": resource.type}
    for key in ("location", "tags"):
        if resource.body.get(key):
            wire[key] = resource.body[key]
    wire["properties"] = {**resource.body["deployment"], "provisioningState": resource.state,
                          "dependencies": dependencies(resource.body["graph"])}
    order = ("templateHash", "parameters", "mode", "debugSetting", "provisioningState", "timestamp", "duration",
             "correlationId", "providers", "dependencies", "outputs", "error", "outputResources")
    wire["properties"] = {k: wire["properties"][k] for k in order if k in wire["properties"]}
    return wire


def status_name(status: int) -> str:
    """200 → OK, 400 → BadRequest, as deployment operations name them."""
    phrase = HTTPStatus(status).phrase if status in HTTPStatus._value2member_map_ else str(status)
    return "OK" if status == 200 else phrase.replace(" ", "").replace("-", "")


def new_operation(deployment_id: str, op_id: str, resource: Planned | None) -> dict[str, Any]:
    """A deployment operation that starts now; without a resource it is the one that evaluates the outputs."""
    properties: dict[str, Any] = {
        "provisioningOperation": "Create" if resource else "EvaluateDeploymentOutput", "provisioningState": "Running",
        "timestamp": clock(), "duration": "PT0S", "trackingId": op_id}
    if resource is not None:
        properties["targetResource"] = _named(resource)
    name = op_id.replace("-", "")[:16].upper()
    return {"id": f"{deployment_id}/operations/{name}", "operationId": name, "properties": properties}


def failure(deployment_id: str, details: list[dict[str, Any]]) -> dict[str, Any]:
    """The error of a deployment of which a resource failed."""
    return {"code": "DeploymentFailed", "target": deployment_id, "message": FAILED_TEXT, "details": details}
