# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tags of any scope (Microsoft.Resources/tags/default), and the names and values of tags that the subscription knows.

https://learn.microsoft.com/rest/api/resources/tags
"""
from __future__ import annotations

from collections import Counter
from typing import Any

from azlab.arm import checks
from azlab.arm.types import Registry
from azlab.arm.wire import Answer, Call
from azlab.errors import arm_error
from azlab.lab import Lab

_MARK = "/providers/microsoft.resources/tags/default"
_OPERATIONS = ("Replace", "Merge", "Delete")


class Tags:
    """Tags live on what carries them; only the subscription's own and predefined names are kept here."""

    def __init__(self, lab: Lab, registry: Registry) -> None:
        self.lab, self.registry = lab, registry

    @staticmethod
    def mine(path: str) -> bool:
        return path.lower().endswith(_MARK)

    def answer(self, call: Call, path: str) -> Answer:
        """A request about the tags of one scope; `path` is the whole decoded path."""
        scope = path[:-len(_MARK)]
        tags = self._of(scope)
        if call.method in ("PUT", "PATCH"):
            tags = self._wanted(call, tags)
            self._write(scope, tags)
        elif call.method == "DELETE":
            self._write(scope, {})
            return Answer(200)
        elif call.method != "GET":
            raise arm_error("method", method=call.method)
        return Answer(200, {"id": f"{scope}/providers/Microsoft.Resources/tags/default", "name": "default",
                            "type": "Microsoft.Resources/tags", "properties": {"tags": tags}})

    @staticmethod
    def _wanted(call: Call, tags: dict[str, str]) -> dict[str, str]:
        body = call.body()
        properties = body.get("properties")
        if not isinstance(properties, dict):
            raise arm_error("bad_content", why="Required property 'properties' not found in JSON. Path ''.")
        given = checks.tags_of(properties) or {}
        operation = next((o for o in _OPERATIONS if o.lower() == str(body.get("operation", "Replace")).lower()), None)
        if operation is None:
            raise arm_error("bad_content", why=f"Error converting value \"{body['operation']}\" to type "
                                               "'TagsPatchOperation'. Path 'operation'.")
        if call.method == "PUT" or operation == "Replace":
            return given
        lower = {n.lower(): v for n, v in given.items()}
        if operation == "Merge":
            return checks.tags_of({"tags": {**{n: v for n, v in tags.items() if n.lower() not in lower}, **given}}) or {}
        return {n: v for n, v in tags.items() if lower.get(n.lower()) != v}

    def _of(self, scope: str) -> dict[str, str]:
        parts = scope.strip("/").split("/")
        if len(parts) == 2:
            return dict(self.lab.store.get_meta(f"tags of {parts[1].lower()}", {}))
        group = self.lab.store.get("/" + "/".join(parts[:4]))
        if group is None:
            raise arm_error("group_not_found", name=parts[3])
        found = self.lab.store.get(scope)
        if found is None:
            raise arm_error("not_found", type="/".join(parts[5:]), group=group.name)
        return dict(found.body.get("tags", {}))

    def _write(self, scope: str, tags: dict[str, str]) -> None:
        resource = self.lab.store.get(scope)
        if resource is None:
            self.lab.store.set_meta(f"tags of {scope.strip('/').split('/')[1].lower()}", tags)
            return
        resource.body["tags"] = tags
        kind = self.registry.find(resource.type)
        if kind is None:
            self.lab.store.put(resource)        # a resource group
        else:
            kind.touch(resource)

    # -- names and values
    def names(self, call: Call, rest: tuple[str, ...]) -> Answer:
        """/subscriptions/{id}/tagNames[/{name}[/tagValues/{value}]]"""
        kept = f"tag names of {call.subscription}"
        predefined = {n: list(v) for n, v in self.lab.store.get_meta(kept, {}).items()}
        base = f"/subscriptions/{call.subscription}/tagNames"
        if not rest and call.method == "GET":
            return Answer(200, {"value": self._known(base, predefined)})
        if call.method not in ("PUT", "DELETE") or len(rest) not in (1, 3):
            raise arm_error("method", method=call.method)
        name, value = rest[0], rest[2] if len(rest) == 3 else None
        if value is not None and name not in predefined:
            raise arm_error("tag_name_unknown", name=name)
        checks.tags_of({"tags": {name: value or ""}})
        values = predefined.setdefault(name, [])
        known = value in values if value is not None else name in self.lab.store.get_meta(kept, {})
        if call.method == "DELETE" and value is None:
            del predefined[name]
        elif value is not None and known is (call.method == "DELETE"):
            (values.remove if call.method == "DELETE" else values.append)(value)
        self.lab.store.set_meta(kept, predefined)
        if call.method == "DELETE":
            return Answer(200 if known else 204)
        shown = next(entry for entry in self._known(base, predefined) if entry["tagName"] == name)
        if value is not None:
            shown = next(entry for entry in shown["values"] if entry["tagValue"] == value)
        return Answer(200 if known else 201, shown)

    def _known(self, base: str, predefined: dict[str, list[str]]) -> list[dict[str, Any]]:
        """Every name and value that is used or predefined, with how often it is used."""
        used: dict[str, Counter[str]] = {n: Counter(dict.fromkeys(values, 0)) for n, values in predefined.items()}
        for resource in self.lab.store.resources.values():
            if not resource.lid.startswith(base.lower().removesuffix("tagnames")):
                continue
            for name, value in resource.body.get("tags", {}).items():
                used.setdefault(name, Counter())[value] += 1

        def count(number: int) -> dict[str, Any]:
            return {"type": "Total", "value": number}
        return [{"id": f"{base}/{name}", "tagName": name, "count": count(sum(values.values())), "values": [
            {"id": f"{base}/{name}/tagValues/{value}", "tagValue": value, "count": count(number)}
            for value, number in values.items()]} for name, values in used.items()]
