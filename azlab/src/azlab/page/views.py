# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""PURE: what the page shows of resources, machines, operations and conditions, a page of rows at a time."""
from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from typing import Any

from azlab.lab import Lab
from azlab.operations import Operation
from azlab.page.drawing import MACHINE, address_of, power
from azlab.store import Resource, Store

LIMIT = 200             # rows of one answer
PAST = 30               # operations that have ended
_SECRET = ("password", "secret", "token", "protectedsettings", "customdata", "userdata", "connectionstring", "privatekey",
           "accountkey", "accesskey", "sharedkey", "sas")


def group_of(resource: Resource) -> str:
    """The resource group of a resource; its own name for a group."""
    parts = resource.id.split("/")
    return parts[4] if len(parts) > 4 else ""


def row(resource: Resource) -> dict[str, Any]:
    """One line of the list of resources."""
    found = {"id": resource.id, "name": resource.name, "type": resource.type, "group": group_of(resource),
             "location": resource.location, "state": resource.state, "tags": resource.body.get("tags") or {}}
    if resource.type == MACHINE:
        found["power"] = power(resource)
    return found


def natural(name: str) -> list[tuple[int, str]]:
    """A key that sorts names as people do: web-2 before web-10."""
    return [(int(part), "") if part.isdecimal() else (0, part) for part in re.split(r"(\d+)", name.lower())]


def _text(resource: Resource) -> str:
    tags = " ".join(f"{k}={v}" for k, v in (resource.body.get("tags") or {}).items())
    return f"{resource.id} {resource.type} {resource.state} {resource.private.get('power', '')} {tags}".lower()


def _has(resource: Resource, words: list[str]) -> bool:
    if not words:
        return True
    text = _text(resource)
    return all(word in text for word in words)


def select(resources: Iterable[Resource], *, words: str = "", type_name: str = "", group: str = "") -> list[Resource]:
    """Resources that contain all words (in id, type, state, power state or `tag=value`), of a type and a group."""
    wanted, type_name, group = words.lower().split(), type_name.lower(), group.lower()
    return [r for r in resources
            if (not type_name or r.type.lower() == type_name) and (not group or group_of(r).lower() == group)
            and _has(r, wanted)]


def listing(store: Store, *, words: str, type_name: str, group: str, offset: int, limit: int) -> dict[str, Any]:
    """A page of rows in the order of group, type and name; and how many there are of each type and group."""
    matching = select(store.resources.values(), words=words)
    in_group = select(matching, group=group)
    found = select(in_group, type_name=type_name)
    found.sort(key=lambda r: (group_of(r).lower(), r.type.lower(), natural(r.name)))
    return {"total": len(found), "offset": offset, "rows": [row(r) for r in found[offset:offset + min(limit, LIMIT)]],
            "types": dict(sorted(Counter(r.type for r in in_group).items())),
            "groups": dict(sorted(Counter(group_of(r) for r in matching).items()))}


def _image_text(image: dict[str, Any]) -> str:
    """Offer and SKU, or the last names of an image by id."""
    if image.get("id"):
        return ":".join(str(image["id"]).split("/")[10::2] or [str(image["id"]).rsplit("/", 1)[-1]])
    return ":".join(image[k] for k in ("offer", "sku") if image.get(k))


def machine_row(store: Store, machine: Resource) -> dict[str, Any]:
    """A machine with what people look for: size, image, zone, addresses."""
    private, public = [], []
    p = machine.properties
    for entry in p.get("networkProfile", {}).get("networkInterfaces", []):
        nic = store.get(entry["id"]) if "id" in entry else None
        for configuration in nic.properties.get("ipConfigurations", []) if nic else ():
            private.append(configuration["properties"].get("privateIPAddress", ""))
            public.append(address_of(store, configuration["properties"].get("publicIPAddress")))
    image = p.get("storageProfile", {}).get("imageReference", {})
    error = machine.private.get("error") if machine.state == "Failed" else None
    return {**row(machine), "size": p.get("hardwareProfile", {}).get("vmSize", ""),
            "image": _image_text(image), "zones": machine.body.get("zones", []),
            "private": [a for a in private if a], "public": [a for a in public if a],
            "error": f"{error['code']}: {error['message']}" if error else ""}


def machines(store: Store, *, words: str, group: str, state: str, offset: int, limit: int) -> dict[str, Any]:
    """A page of machines by name, and how many there are in each power state."""
    found = select(store.of_type(MACHINE), words=words, group=group)
    counts = Counter(power(m) or "none" for m in found)
    if state:
        found = [m for m in found if (power(m) or "none") == state]
    found.sort(key=lambda m: (group_of(m).lower(), natural(m.name)))
    return {"total": len(found), "offset": offset, "power": dict(sorted(counts.items())),
            "rows": [machine_row(store, m) for m in found[offset:offset + min(limit, LIMIT)]]}


def operation_row(operation: Operation, now: float) -> dict[str, Any]:
    """An operation with its progress: 0 to 1 of the time that Azure takes for it; what takes longer stays below 1."""
    started = datetime.fromisoformat(operation.start[:26] + "+00:00").timestamp()
    ended = datetime.fromisoformat(operation.end[:26] + "+00:00").timestamp() if operation.end else now
    span = operation.due - started
    progress = 1.0 if operation.done else min(0.98, (now - started) / span) if span > 0.05 else None
    return {"id": operation.id, "effect": operation.effect, "resource": operation.resource_id, "status": operation.status,
            "seconds": round(max(0.0, ended - started), 1), "expected": round(max(0.0, span), 1), "progress": progress,
            "error": f"{operation.error['code']}: {operation.error['message']}" if operation.error else ""}


def operations(lab: Lab, now: float) -> dict[str, Any]:
    """Operations in flight, the oldest first, and the last that ended, the latest first."""
    flying = [o for o in lab.operations.all.values() if not o.done]
    past = [o for o in lab.operations.all.values() if o.done]
    past.sort(key=lambda o: o.end or "", reverse=True)
    return {"in_flight": [operation_row(o, now) for o in flying[:LIMIT]], "count": len(flying),
            "past": [operation_row(o, now) for o in past[:PAST]]}


def conditions(lab: Lab) -> dict[str, Any]:
    """What was set for this lab."""
    latency = lab.latency
    return {"latency_scale": latency.scale, "jitter": latency.jitter, "hold": not lab.operations.gate.is_set(),
            "overrides": [{"type": t, "method": m, "seconds": s} for (t, m), s in latency.overrides.items()],
            "faults": [asdict(r) for r in lab.faults.rules], "throttling": {"on": lab.throttle.on, "scale": lab.throttle.scale},
            "page_size": lab.page_size, "core_quota": lab.settings.core_quota}


def summary(lab: Lab) -> dict[str, Any]:
    """What the head of the page shows."""
    found = lab.store.of_type(MACHINE)
    return {"name": lab.settings.name, "url": lab.settings.url, "machines": lab.settings.machines,
            "subscription": lab.settings.subscription_id, "public_range": lab.settings.public_range,
            "resources": len(lab.store.resources), "virtual_machines": len(found),
            "running": sum(power(m) == "running" for m in found), "operations": len(lab.operations.busy),
            "conditions": conditions(lab)}


def without_secrets(value: Any) -> Any:
    """A document with the values of members that are called like secrets replaced. Resources never render their secrets;
    this keeps it so on the page when a client put one into a member of its own choice (settings, tags)."""
    if isinstance(value, dict):
        return {k: "(not shown)" if v and _is_secret(k) else without_secrets(v) for k, v in value.items()}
    return [without_secrets(v) for v in value] if isinstance(value, list) else value


def _is_secret(name: str) -> bool:
    plain = name.lower().replace("_", "").replace("-", "")
    return plain.endswith(_SECRET)
