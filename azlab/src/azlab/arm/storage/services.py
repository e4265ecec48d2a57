# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""File shares and blob containers of storage accounts, as resources; there is no storage behind them.

https://learn.microsoft.com/rest/api/storagerp/file-shares, https://learn.microsoft.com/rest/api/storagerp/blob-containers
"""
from __future__ import annotations

import re
import uuid
from datetime import UTC, datetime
from typing import Any

from azlab.arm import checks, members, shapes
from azlab.arm.storage.accounts import StorageAccounts
from azlab.arm.types import ResourceType
from azlab.arm.wire import Answer, Call
from azlab.errors import ArmError, arm_error
from azlab.store import Resource

# Lower-case letters, digits and single dashes between them.
_NAME = re.compile(r"^(?=.{3,63}$)[a-z0-9]+(-[a-z0-9]+)*$")
_GIB = {"standard": (1, 102_400), "premium": (100, 102_400)}


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.0000000Z")


class Parts(ResourceType):
    """What lies below a service of an account; its answers to PUT and PATCH hold what was written, GET the whole."""

    provider = "storage"
    tracked = False
    missing = ""                            # key of the error for one that is not there
    service = ""                            # endpoint that the kind of account must have

    def __init__(self, accounts: StorageAccounts) -> None:
        super().__init__(accounts.lab)
        self.accounts = accounts
        accounts.parts.append(self)

    def account(self, call: Call) -> Resource:
        """The account of a share or container; Azure's error when it is missing or not ready."""
        checks.require_group(call, writing=call.method in ("PUT", "PATCH"))
        rid = call.id
        if rid.names[1].lower() != "default":
            raise arm_error("not_found", type="/".join((rid.namespace, *(f"{t}/{n}" for t, n in zip(rid.types, rid.names)))), group=rid.group)
        root = rid.parent.parent if len(rid.types) == len(rid.names) else rid.parent
        account = self.lab.store.get(str(root))
        if account is None and call.method == "PUT":
            raise arm_error("parent_not_found", verb="write", type=self.name.split("/", 1)[1], parent=str(root))
        if account is None:
            raise arm_error("not_found", type=f"{self.accounts.name}/{root.name}", group=rid.group)
        if account.state != "Succeeded":
            raise arm_error("storage_state", name=account.name)
        if self.service not in self.accounts.services(account):
            raise arm_error("storage_feature", feature=f"{self.service.capitalize()} service")
        return account

    def found(self, call: Call) -> Resource:
        self.account(call)
        resource = self.lab.store.get(str(call.id))
        if resource is None:
            raise self._gone()
        return resource

    def _gone(self) -> ArmError:
        """The service's own words, which end with its request id and time."""
        return arm_error(self.missing, id=uuid.uuid4(), time=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f0Z"))

    def get(self, call: Call) -> Answer:
        return self._answer(200, self.render(self.found(call), call))

    def put(self, call: Call) -> Answer:
        account = self.account(call)
        body = call.body()
        members.check(self.name, body)
        shapes.check(body)
        if not _NAME.match(call.id.name):
            raise arm_error("storage_part_name", id=uuid.uuid4(), time=_now())
        existing = self.lab.store.get(str(call.id))
        given = dict(body.get("properties", {}))
        old = existing.properties if existing else {}
        properties = {**self.fresh(account), **old, **given}
        self.check(account, existing, given, properties)
        made = self.save(call, {"properties": properties}, existing, "Succeeded")
        return self._echo(201 if existing is None else 200, made, given)

    def patch(self, call: Call) -> Answer:
        resource, account = self.found(call), self.account(call)
        body = call.body()
        members.check(self.name, body)
        shapes.check(body)
        given = dict(body.get("properties", {}))
        properties = {**resource.properties, **given}
        self.check(account, resource, given, properties)
        resource.body = {"properties": properties}
        self.touch(resource)
        return self._echo(200, resource, given)

    def delete(self, call: Call) -> Answer:
        self.account(call)
        return Answer(200 if self.lab.store.delete(str(call.id)) else 204)

    def listing(self, call: Call) -> Answer:
        account = self.account(call)
        return Answer(200, {"value": [self.listed(self.render(one, call)) for one in self.of_account(account)]})

    def of_account(self, account: Resource) -> list[Resource]:
        """All of an account, by name as Azure sorts them."""
        mine = (one for one in self.lab.store.of_type(self.name, account.subscription, account.group) if one.lid.startswith(account.lid + "/"))
        return sorted(mine, key=lambda one: one.name)

    # -- to be said by each
    def fresh(self, account: Resource) -> dict[str, Any]:
        """What one that is made has when its body does not say it."""
        raise NotImplementedError

    def check(self, account: Resource, existing: Resource | None, given: dict[str, Any], properties: dict[str, Any]) -> None:
        """Raise Azure's error for what the account does not have."""

    def listed(self, wire: dict[str, Any]) -> dict[str, Any]:
        """What a list shows of one."""
        return wire

    # -- on the wire
    def _head(self, resource: Resource) -> dict[str, Any]:
        return {"id": resource.id, "name": resource.name, "type": self.name}

    def render(self, resource: Resource, call: Call | None = None) -> dict[str, Any]:
        shown = {"leaseStatus": "unlocked", "leaseState": "available", **resource.properties,
                 "lastModifiedTime": str(resource.changed)[:19].rstrip("Z") + ".0000000Z"}
        return {**self._head(resource), "etag": self._etag(resource), "properties": shown}

    @staticmethod
    def _etag(resource: Resource) -> str:
        return f'"0x{uuid.UUID(resource.etag).hex[:15].upper()}"'

    def _echo(self, status: int, resource: Resource, given: dict[str, Any]) -> Answer:
        return Answer(status, {**self._head(resource), "properties": given}, {"ETag": self._etag(resource)})

    @staticmethod
    def _answer(status: int, wire: dict[str, Any]) -> Answer:
        return Answer(status, wire, {"ETag": wire["etag"]})


class Shares(Parts):
    """File shares, by SMB or NFS. NFS has accounts of kind FileStorage on SSD only."""

    name = "Microsoft.Storage/storageAccounts/fileServices/shares"
    missing = "share_missing"
    service = "file"

    @staticmethod
    def _premium(account: Resource) -> bool:
        return bool(account.body["kind"] == "FileStorage" and account.body["sku"]["name"].startswith("Premium"))

    def fresh(self, account: Resource) -> dict[str, Any]:
        premium = self._premium(account)
        return {"accessTier": "Premium" if premium else "TransactionOptimized", "shareQuota": 102_400 if premium else 5120,
                "enabledProtocols": "SMB"}

    def check(self, account: Resource, existing: Resource | None, given: dict[str, Any], properties: dict[str, Any]) -> None:
        premium = self._premium(account)
        low, high = _GIB["premium" if premium else "standard"]
        quota = properties["shareQuota"]
        if not isinstance(quota, int) or isinstance(quota, bool) or not low <= quota <= high:
            raise arm_error("storage_values", names="shareQuota")
        if properties["enabledProtocols"] not in ("SMB", "NFS"):
            raise arm_error("storage_values", names="enabledProtocols")
        if existing and given.get("enabledProtocols", existing.properties["enabledProtocols"]) != existing.properties["enabledProtocols"]:
            raise arm_error("storage_values", names="enabledProtocols")
        if properties["enabledProtocols"] == "NFS" and not premium:
            raise arm_error("storage_feature", feature="NfsFileShares")
        if given.get("rootSquash") and properties["enabledProtocols"] != "NFS":
            raise arm_error("storage_values", names="rootSquash")
        tiers = ("Premium",) if premium else ("TransactionOptimized", "Hot", "Cool")
        if properties["accessTier"] not in tiers:
            raise arm_error("storage_values", names="accessTier")

    def render(self, resource: Resource, call: Call | None = None) -> dict[str, Any]:
        wire = super().render(resource, call)
        wire["properties"].setdefault("metadata", {})
        return wire

    def listed(self, wire: dict[str, Any]) -> dict[str, Any]:
        """Metadata only with $expand, which clients that this lab is for do not ask for."""
        return {**wire, "properties": {key: value for key, value in wire["properties"].items() if key != "metadata"}}


class Containers(Parts):
    """Blob containers."""

    name = "Microsoft.Storage/storageAccounts/blobServices/containers"
    missing = "container_missing"
    service = "blob"

    def fresh(self, account: Resource) -> dict[str, Any]:
        return {"publicAccess": "None", "defaultEncryptionScope": "$account-encryption-key", "denyEncryptionScopeOverride": False,
                "hasImmutabilityPolicy": False, "hasLegalHold": False}

    def check(self, account: Resource, existing: Resource | None, given: dict[str, Any], properties: dict[str, Any]) -> None:
        if properties["publicAccess"] not in ("None", "Blob", "Container"):
            raise arm_error("storage_values", names="publicAccess")
        if properties["publicAccess"] != "None" and not account.properties.get("allowBlobPublicAccess"):
            raise arm_error("public_access")
