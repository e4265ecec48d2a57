# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""PURE: a template that makes a deployment of the kind that Azure showed: a recorded GET does not hold the template itself.

Parameters, outputs, resource types, ids and who waits for whom are what Azure showed; the bodies of the resources are the least
that makes one of their type.
"""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from azlab import api_versions
from azlab.conformance import stock
from azlab.ids import ResourceId, parse

SCHEMA = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"
_SECRET = {"securestring": "Replayed-Passw0rd", "secureobject": {}}


def request(shown: dict[str, Any], own: ResourceId, version: str, location: str, group: str,
            is_served: Callable[[str], bool]) -> tuple[dict[str, Any], bool]:
    """(the body of a PUT, does it hold every resource type of the deployment)."""
    properties = shown.get("properties") or {}
    parameters = {n: p for n, p in (properties.get("parameters") or {}).items() if isinstance(p, dict)}
    places = {f"{p['namespace']}/{t['resourceType']}": (t.get("locations") or [None])[0] for p in properties.get("providers") or []
              for t in p.get("resourceTypes") or []}
    waits = {str(d.get("id", "")).lower(): [str(x.get("id", "")) for x in d.get("dependsOn") or []]
             for d in properties.get("dependencies") or []}
    lower = {kind.lower(): place for kind, place in places.items()}
    resources = [_resource(rid, lower, waits, version, location, group)
                 for rid in _ids(properties, own, places) if is_served(rid.type) and rid.type.lower() in lower]
    made = {r["type"].lower() for r in resources if r}
    template = {
        "$schema": SCHEMA, "contentVersion": "1.0.0.0",
        "parameters": {n: {"type": str(p.get("type", "String"))} for n, p in parameters.items()},
        "resources": [r for r in resources if r],
        "outputs": {n: {"type": str(o.get("type", "String")), "value": o.get("value")}
                    for n, o in (properties.get("outputs") or {}).items() if isinstance(o, dict)}}
    given = {n: {"value": p["value"] if "value" in p else _SECRET.get(str(p.get("type", "")).lower(), "x")}
             for n, p in parameters.items()}
    body = {k: shown[k] for k in ("tags",) if k in shown}
    body["properties"] = {"mode": properties.get("mode", "Incremental"), "template": template, "parameters": given}
    return body, made >= set(lower)


def _ids(properties: dict[str, Any], own: ResourceId, places: dict[str, Any]) -> list[ResourceId]:
    """The resources of the deployment that Azure named, and one of each type of which it named none."""
    texts = stock.refs([properties.get("dependencies"), properties.get("outputResources")])
    found = {str(rid).lower(): rid for rid in map(parse, texts)
             if rid and rid.group.lower() == own.group.lower() and rid.type.lower() != "microsoft.resources/deployments"}
    named = {rid.type.lower() for rid in found.values()}
    for kind in places:
        parts = kind.split("/")
        if kind.lower() not in named and len(parts) == 2:
            rid = ResourceId(own.subscription, own.group, parts[0], (parts[1],), ("replayed",))
            found[str(rid).lower()] = rid
    return list(found.values())


def _resource(rid: ResourceId, places: dict[str, Any], waits: dict[str, list[str]], version: str, location: str,
              group: str) -> dict[str, Any] | None:
    place = places.get(rid.type.lower()) or location
    body = stock.body_of(rid, place, [], [], group) if len(rid.types) == 1 else stock.child_of(rid, place)
    if body is None:
        return None
    name = rid.name if "storageaccounts" not in rid.type.lower() else rid.name.lower()
    entry = {"type": rid.type, "apiVersion": api_versions.at(rid.type, version), "name": "/".join((*rid.names[:-1], name)), **body}
    needed = [w for w in waits.get(str(rid).lower(), []) if parse(w) and parse(w).type.lower() in places]   # type: ignore[union-attr]
    if needed:
        entry["dependsOn"] = needed
    return entry
