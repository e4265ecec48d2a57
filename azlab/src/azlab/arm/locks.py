# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Management locks (Microsoft.Authorization/locks) on the subscription, groups and resources.

https://learn.microsoft.com/azure/azure-resource-manager/management/lock-resources
"""
from __future__ import annotations

from typing import Any

from azlab.arm import members
from azlab.arm.wire import Answer, Call
from azlab.errors import ArmError, arm_error
from azlab.lab import Lab

_MARK = "/providers/microsoft.authorization/locks"
LEVELS = ("CanNotDelete", "ReadOnly")


class Locks:
    """The locks of a lab: they are no resources of a group, so they live beside them."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab

    def _all(self) -> dict[str, dict[str, Any]]:
        return dict(self.lab.store.get_meta("locks", {}))

    @staticmethod
    def mine(path: str) -> bool:
        return _MARK in path.lower()

    def check(self, method: str, path: str) -> None:
        """Raise ScopeLocked when a lock at, above or (for deletes) below the path forbids the request."""
        found = self.lab.locks
        if method in ("GET", "HEAD") or not found:
            return
        target = path.lower().rstrip("/") + "/"
        holding = [lock for lock in found if self._holds(lock, method, target)]
        if holding:
            raise arm_error("locked", id=path, verb="delete" if method == "DELETE" else "write",
                            scopes=",".join(sorted({self._scope(lock["id"]) for lock in holding})))

    def _holds(self, lock: dict[str, Any], method: str, target: str) -> bool:
        scope = self._scope(lock["id"]).lower() + "/"
        if lock["properties"]["level"] == "ReadOnly" and target.startswith(scope):
            return True
        return method == "DELETE" and (target.startswith(scope) or scope.startswith(target))

    @staticmethod
    def _scope(lock_id: str) -> str:
        return lock_id[:lock_id.lower().index(_MARK)]

    def answer(self, call: Call, path: str) -> Answer:
        """A request about locks; `path` is the whole decoded path."""
        at = path.lower().index(_MARK)
        scope, name = path[:at], path[at + len(_MARK):].strip("/")
        if "/resourcegroups/" in scope.lower():
            self._scope_exists(scope)
        if not name:
            if call.method != "GET":
                raise arm_error("method", method=call.method)
            return Answer(200, {"value": [v for k, v in self._all().items() if k.startswith(scope.lower() + "/")]})
        key = f"{scope}{_MARK}/{name}".lower()
        handler = {"GET": self._get, "PUT": self._put, "DELETE": self._delete}.get(call.method)
        if handler is None:
            raise arm_error("method", method=call.method)
        return handler(call, key, scope, name)

    def _scope_exists(self, scope: str) -> None:
        parts = scope.split("/")
        if self.lab.store.get("/".join(parts[:5])) is None:
            raise arm_error("group_not_found", name=parts[4])
        if len(parts) > 5 and self.lab.store.get("/".join(parts[:9])) is None:
            raise arm_error("not_found", type="/".join(parts[6:]), group=parts[4])

    def _get(self, call: Call, key: str, scope: str, name: str) -> Answer:
        found = self._all().get(key)
        if found is None:
            raise ArmError(404, "LockNotFound", f"The lock '{name}' could not be found.", source="gateway")
        return Answer(200, found)

    def _put(self, call: Call, key: str, scope: str, name: str) -> Answer:
        body = call.body()
        members.check("Microsoft.Authorization/locks", body)
        given = body.get("properties", {})
        level = next((v for v in LEVELS if isinstance(given, dict) and v.lower() == str(given.get("level", "")).lower()), None)
        if level is None:
            raise arm_error("bad_content", why=f"The lock level must be one of {', '.join(LEVELS)}. Path 'properties.level'.")
        locks = self._all()
        lock = {"properties": {"level": level, **({"notes": given["notes"]} if "notes" in given else {})},
                "id": f"{scope}/providers/Microsoft.Authorization/locks/{name}", "type": "Microsoft.Authorization/locks", "name": name}
        new = key not in locks
        locks[key] = lock
        self._save(locks)
        return Answer(201 if new else 200, lock)

    def _delete(self, call: Call, key: str, scope: str, name: str) -> Answer:
        locks = self._all()
        if locks.pop(key, None) is None:
            return Answer(204)
        self._save(locks)
        return Answer(200)

    def _save(self, locks: dict[str, Any]) -> None:
        self.lab.store.set_meta("locks", locks)
        self.lab.locks = list(locks.values())
