# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""PURE: what differs between Azure's recorded answer and the lab's."""
from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

OPAQUE = ("tags", "hidden-", "userAssignedIdentities", "outputs", "settings", "output")
_TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")
_IDS = ("location", "azure-asyncoperation")


@dataclass(frozen=True)
class Difference:
    """`kind` is status, code, header, field, type, casing or replay; `path` says where."""

    kind: str
    path: str
    azure: str
    lab: str

    def __str__(self) -> str:
        return f"{self.kind} {self.path}: Azure {self.azure}, lab {self.lab}"


def kind_of(value: Any) -> str:
    """The JSON type."""
    if value is None:
        return "null"
    for kind, name in ((bool, "boolean"), (int, "number"), (float, "number"), (str, "text"), (list, "list")):
        if isinstance(value, kind):
            return name
    return "object"


def answers(azure: Any, lab_status: int, lab_headers: dict[str, str], lab_body: Any) -> list[Difference]:
    """The differences between a recorded `Exchange` and an answer of the lab."""
    if azure.status != lab_status:
        return [Difference("status", "", f"{azure.status} {azure.code}".strip(),
                           f"{lab_status} {error_code(lab_body)} {error_text(lab_body)}".strip())]
    found = headers(azure.headers, lab_headers)
    if azure.status >= 400 and isinstance(azure.body, str):
        return found                # a page of the front door, not an answer of Resource Manager
    if azure.code and azure.code != error_code(lab_body):
        return [Difference("code", "error.code", azure.code, f"{error_code(lab_body)} {error_text(lab_body)}")]
    return found + list(bodies(azure.body, lab_body, ""))


def error_code(body: Any) -> str:
    error = body.get("error", body) if isinstance(body, dict) else {}
    return str(error.get("code", "")) if isinstance(error, dict) else ""


def error_text(body: Any) -> str:
    error = body.get("error", body) if isinstance(body, dict) else {}
    return str(error.get("message", ""))[:160] if isinstance(error, dict) else ""


def headers(azure: dict[str, str], lab: dict[str, str]) -> list[Difference]:
    """Azure-AsyncOperation and Location must be there or not, as on Azure, and lead to the same kind of place;
    Retry-After and ETag must be there when Azure sends them (several recorders drop them)."""
    found = []
    for name in _IDS:
        if (name in azure) != (name in lab):
            found.append(Difference("header", name, "sent" if name in azure else "absent",
                                    "sent" if name in lab else "absent"))
        elif name in azure and _place(azure[name]) != _place(lab[name]):
            found.append(Difference("header", name, _place(azure[name]), _place(lab[name])))
    for name in ("retry-after", "etag"):
        if azure.get(name) == "0" and name == "retry-after":
            continue                # written by a recorder, so that its replay does not wait
        if name in azure and name not in lab:
            found.append(Difference("header", name, "sent", "absent"))
    return found


def _place(url: str) -> str:
    """Where a URL leads, without its own names: provider and kind of collection."""
    path = re.sub(r"^https?://[^/]+", "", url).split("?")[0].lower()
    path = re.sub(r"/subscriptions/[^/]+", "", path)
    path = re.sub(r"(/deployments)/[^/]+", r"\1/*", path)
    path = re.sub(r"/locations/[^/]+", "/locations/*", path)
    path = re.sub(r"(/(?:operations|operationresults|diskoperations|asyncoperations|operationstatuses))/.*", r"\1", path)
    return path + (" monitor" if "monitor=true" in url else "")


def bodies(azure: Any, lab: Any, path: str) -> list[Difference]:
    """Each field that Azure sends must be there, of the same JSON type, in the same casing. A null of Azure may be missing."""
    if azure is None:
        return []
    want, have = kind_of(azure), kind_of(lab)
    if want != have:
        return [Difference("field", path, want, "absent")] if lab is None else [Difference("type", path, want, have)]
    if want == "object":
        return _objects(azure, lab, path)
    if want == "list":
        return _lists(azure, lab, path)
    if want == "text" and azure != lab and azure.lower() == lab.lower() and not _TIME.match(azure):
        return [Difference("casing", path, azure, lab)]
    return []


def _objects(azure: dict[str, Any], lab: dict[str, Any], path: str) -> list[Difference]:
    found: list[Difference] = []
    by_lower = {k.lower(): k for k in lab}
    for key, value in azure.items():
        where = f"{path}.{key}" if path else key
        if value is None:
            continue
        if key not in lab:
            other = by_lower.get(key.lower())
            found.append(Difference("casing", where, key, other) if other else
                         Difference("field", where, kind_of(value), "absent"))
        elif key in OPAQUE:
            if kind_of(value) != kind_of(lab[key]):
                found.append(Difference("type", where, kind_of(value), kind_of(lab[key])))
        else:
            found += bodies(value, lab[key], where)
    return found


def _lists(azure: list[Any], lab: list[Any], path: str) -> list[Difference]:
    found: dict[Difference, None] = {}
    known = {key: item for item in lab if isinstance(item, dict) for key in _keys(item)}
    for index, item in enumerate(azure):
        if not lab:
            return [Difference("field", path + "[]", kind_of(item), "absent")]
        partner = next((known[k] for k in _keys(item) if k in known), None) if isinstance(item, dict) else None
        if partner is None:
            partner = lab[min(index, len(lab) - 1)]
        found.update(dict.fromkeys(bodies(item, partner, path + "[]")))
    return list(found)


def _keys(item: dict[str, Any]) -> list[str]:
    """What an entry of a list is known by: its id, else its name."""
    return [f"{key} {item[key]}".lower() for key in ("id", "name") if item.get(key) and isinstance(item[key], str)]
