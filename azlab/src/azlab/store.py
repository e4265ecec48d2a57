# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""State: SQLite written through, everything read from memory. Knows nothing of HTTP.

A resource's `body` is what Azure would keep: the client's properties with defaults laid in, without what Azure
computes (states, etags, back-references): that is laid over when it is rendered. `private` is never rendered:
passwords, customData, protected settings, power state.
"""
from __future__ import annotations

import json
import sqlite3
import uuid
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FILE = "state.sqlite"
_SCHEMA = """
PRAGMA journal_mode=WAL;
PRAGMA synchronous=NORMAL;
CREATE TABLE IF NOT EXISTS resources (lid TEXT PRIMARY KEY, seq INTEGER, data TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS operations (id TEXT PRIMARY KEY, data TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
"""


@dataclass
class Resource:
    """One resource of its own (children that live in their parent's document, such as subnets, are not)."""

    id: str
    type: str                       # with Azure's casing, as in Microsoft.Network/virtualNetworks
    name: str
    body: dict[str, Any]
    state: str = "Succeeded"
    private: dict[str, Any] = field(default_factory=dict)
    etag: str = field(default_factory=lambda: str(uuid.uuid4()))
    revision: int = 1
    seq: int = 0
    created: str = ""
    changed: str = ""

    @property
    def lid(self) -> str:
        return self.id.lower()

    @property
    def properties(self) -> dict[str, Any]:
        return self.body.setdefault("properties", {})

    @property
    def location(self) -> str:
        return self.body.get("location", "")

    @property
    def subscription(self) -> str:
        return self.id.split("/")[2].lower()

    @property
    def group(self) -> str:
        """The name of its resource group; empty for what belongs to the subscription."""
        parts = self.id.split("/")
        return parts[4] if parts[3].lower() == "resourcegroups" else ""


def references(body: Any, owner: str) -> Iterator[tuple[str, str]]:
    """(target id in lower case, id of the part that refers) for every reference in a document."""
    stack = [(body, owner)]
    while stack:
        value, source = stack.pop()
        if isinstance(value, list):
            stack.extend((item, source) for item in value)
        elif isinstance(value, dict):
            target = value.get("id")
            if isinstance(target, str) and target.startswith("/"):
                if "name" in value and "properties" in value:
                    source = target         # an embedded child: what it says, it says in its own name
                else:
                    yield target.lower(), source
            stack.extend((v, source) for v in value.values() if isinstance(v, (dict, list)))


def has_resources(path: Path) -> bool:
    """Whether the state of a lab that does not run holds anything."""
    if not path.exists():
        return False
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
        return bool(db.execute("SELECT EXISTS (SELECT 1 FROM resources)").fetchone()[0])


class Store:
    """All resources and operations of a lab."""

    def __init__(self, path: Path | None) -> None:
        self._db = sqlite3.connect(str(path) if path else ":memory:", isolation_level=None, check_same_thread=False)
        self._db.executescript(_SCHEMA)
        self.resources: dict[str, Resource] = {}
        self._by_type: dict[str, dict[str, None]] = {}
        self._by_group: dict[str, dict[str, None]] = {}
        self._targets: dict[str, list[tuple[str, str]]] = {}      # lid → (target, part that refers)
        self._referrers: dict[str, dict[str, str]] = {}           # target → {part that refers: lid of its resource}
        self._seq = 0
        self.changes = 0                # counts what was written, so that whoever shows the state sees that it is another
        for (data,) in self._db.execute("SELECT data FROM resources ORDER BY seq"):
            self._index(Resource(**json.loads(data)))
        self._seq = max((r.seq for r in self.resources.values()), default=0)

    def close(self) -> None:
        self._db.close()

    # -- resources
    def get(self, resource_id: str) -> Resource | None:
        return self.resources.get(resource_id.lower())

    def put(self, resource: Resource) -> None:
        """Write a resource, new or changed."""
        if not resource.seq:
            self._seq += 1
            resource.seq = self._seq
        self.changes += 1
        self._index(resource)
        data = json.dumps(resource.__dict__, separators=(",", ":"))
        self._db.execute("INSERT OR REPLACE INTO resources VALUES (?, ?, ?)", (resource.lid, resource.seq, data))

    def delete(self, resource_id: str) -> Resource | None:
        lid = resource_id.lower()
        resource = self.resources.pop(lid, None)
        if resource is None:
            return None
        self.changes += 1
        self._by_type[resource.type.lower()].pop(lid, None)
        self._by_group[self._group_key(lid)].pop(lid, None)
        self._unlink(lid)
        self._db.execute("DELETE FROM resources WHERE lid = ?", (lid,))
        return resource

    def of_type(self, type_name: str, subscription: str = "", group: str | None = None) -> list[Resource]:
        """All resources of a type in the order they were made: of the lab, of a subscription, or of a group in it."""
        lids = self._by_type.get(type_name.lower(), ())
        start = f"/subscriptions/{subscription}/".lower() if subscription else ""
        found = [self.resources[lid] for lid in lids if lid.startswith(start)]
        return found if group is None else [r for r in found if r.group.lower() == group.lower()]

    def in_group(self, subscription: str, group: str) -> list[Resource]:
        key = f"/subscriptions/{subscription}/resourcegroups/{group}".lower()
        return [self.resources[lid] for lid in self._by_group.get(key, ())]

    def referrers(self, target: str, type_name: str | None = None) -> list[str]:
        """Ids of the parts of resources that refer to `target`, with the casing of the referring resource."""
        found = self._referrers.get(target.lower(), {})
        if type_name is None:
            return list(found)
        wanted = type_name.lower()
        return [part for part, lid in found.items() if self.resources[lid].type.lower() == wanted]

    def referring(self, target: str) -> list[tuple[str, Resource]]:
        """(id of the part that refers, its resource) for every reference to `target`."""
        return [(part, self.resources[lid]) for part, lid in self._referrers.get(target.lower(), {}).items()]

    def clear(self) -> None:
        """Forget all resources."""
        self.changes += 1
        for table in (self.resources, self._by_type, self._by_group, self._targets, self._referrers):
            table.clear()
        self._db.execute("DELETE FROM resources")

    def _index(self, resource: Resource) -> None:
        lid = resource.lid
        self._unlink(lid)
        self.resources[lid] = resource
        self._by_type.setdefault(resource.type.lower(), {})[lid] = None
        self._by_group.setdefault(self._group_key(lid), {})[lid] = None
        targets = []
        for target, source in references(resource.body.get("properties"), resource.id):
            self._referrers.setdefault(target, {})[source] = lid
            targets.append((target, source))
        self._targets[lid] = targets

    def _unlink(self, lid: str) -> None:
        for target, source in self._targets.pop(lid, ()):
            found = self._referrers.get(target)
            if found:
                found.pop(source, None)
                if not found:
                    del self._referrers[target]

    @staticmethod
    def _group_key(lid: str) -> str:
        return "/".join(lid.split("/")[:5]) if "/providers/" in lid else "groups"

    # -- operations and settings
    def put_operation(self, op_id: str, data: dict[str, Any]) -> None:
        self.changes += 1
        self._db.execute("INSERT OR REPLACE INTO operations VALUES (?, ?)", (op_id, json.dumps(data)))

    def drop_operations(self, op_ids: Iterable[str]) -> None:
        self._db.executemany("DELETE FROM operations WHERE id = ?", [(i,) for i in op_ids])

    def operations(self) -> list[dict[str, Any]]:
        return [json.loads(data) for (data,) in self._db.execute("SELECT data FROM operations")]

    def get_meta(self, key: str, default: Any = None) -> Any:
        row = self._db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return json.loads(row[0]) if row else default

    def set_meta(self, key: str, value: Any) -> None:
        self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, json.dumps(value)))
