# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Storage accounts: 202 without a body, Location only; the account itself comes when it is made."""
from __future__ import annotations

import base64
import json
import re
import secrets
from datetime import UTC, datetime
from typing import Any

from azlab.arm import checks, members
from azlab.arm.compute.base import section
from azlab.arm.identity.carried import carry
from azlab.arm.types import ResourceType
from azlab.arm.wire import Answer, Call, operation_headers
from azlab.errors import arm_error
from azlab.lab import Lab
from azlab.store import Resource

_NAME = re.compile(r"^[a-z0-9]{3,24}$")
_SKUS = ("Standard_LRS", "Standard_GRS", "Standard_RAGRS", "Standard_ZRS", "Premium_LRS", "Premium_ZRS", "Standard_GZRS",
         "Standard_RAGZRS", "StandardV2_LRS", "StandardV2_GRS", "StandardV2_ZRS", "StandardV2_GZRS", "PremiumV2_LRS",
         "PremiumV2_ZRS")
_KINDS = ("Storage", "StorageV2", "BlobStorage", "FileStorage", "BlockBlobStorage")
_ENDPOINTS = {"Storage": "blob queue table file", "StorageV2": "dfs web blob queue table file", "BlobStorage": "dfs blob table",
              "FileStorage": "file", "BlockBlobStorage": "dfs web blob"}
_PAIRS = {"westus": "eastus", "eastus": "westus", "eastus2": "centralus", "centralus": "eastus2", "westeurope": "northeurope",
          "northeurope": "westeurope", "westus2": "westcentralus", "southeastasia": "eastasia", "eastasia": "southeastasia"}
_DEFAULTS = {"allowCrossTenantReplication": False, "minimumTlsVersion": "TLS1_0", "allowBlobPublicAccess": False,
             "supportsHttpsTrafficOnly": True}


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f0Z")


def _pick(text: Any, allowed: tuple[str, ...], what: str) -> str:
    found = next((a for a in allowed if a.lower() == str(text).lower()), None)
    if found is None:
        raise arm_error("storage_values", names=what)
    return found


def check_immutability(given: Any, existing: Resource | None) -> None:
    """An account's immutability policy is whole or absent, and a locked one stays as it is."""
    if given is not None and not isinstance(given, dict):
        raise arm_error("storage_values", names="immutableStorageWithVersioning")
    policy = given.get("immutabilityPolicy") if given else None
    if policy is not None and not isinstance(policy, dict):
        raise arm_error("storage_values", names="immutabilityPolicy")
    if policy is None:
        return
    before = (existing.properties.get("immutableStorageWithVersioning") if existing else None) or {}
    if existing and not before.get("enabled"):
        raise arm_error("storage_worm")
    if existing and before.get("immutabilityPolicy", {}).get("state") == "Locked" and policy.get("state", "Locked") != "Locked":
        raise arm_error("storage_locked")
    if existing is None and policy.get("state") == "Locked":
        raise arm_error("storage_lock_at_once")
    if not {"state", "immutabilityPeriodSinceCreationInDays"} <= set(policy):
        raise arm_error("storage_immutability")


class StorageAccounts(ResourceType):
    name = "Microsoft.Storage/storageAccounts"
    provider = "storage"
    name_limit = 80

    def __init__(self, lab: Lab) -> None:
        super().__init__(lab)
        lab.operations.register("put storage account", self.put_done)
        self.parts: list[Any] = []          # shares and containers, which go with their account
        self.actions["listkeys"] = self.list_keys
        self.actions["regeneratekey"] = self.list_keys

    def put(self, call: Call) -> Answer:
        checks.require_group(call, writing=True)
        body = call.body()
        existing = self.lab.store.get(str(call.id))
        if not _NAME.match(call.id.name):
            raise arm_error("storage_name", name=call.id.name)
        kept = self.new_body(call, body, existing)
        checks.tags_of(body, name_limit=128)
        if not existing and "sku" not in body:
            raise arm_error("storage_values", names="sku")
        kept["sku"] = {"name": _pick(kept["sku"].get("name"), _SKUS, "sku.name")}
        kept["kind"] = _pick(kept.get("kind", "Storage"), _KINDS, "kind")
        if existing and kept["kind"] != existing.body["kind"]:
            raise arm_error("storage_values", names="kind")
        self._name_is_free(call, existing)
        carry(self.lab, call, kept, existing)
        check_immutability(body.get("properties", {}).get("immutableStorageWithVersioning"), existing)
        kept["properties"] = self._properties(body.get("properties", {}), existing, kept)
        if existing:
            return Answer(200, self.render(self.save(call, kept, existing, "Succeeded")))
        resource = self.save(call, kept, None, "Creating")
        resource.private = {"keys": [self._key(), self._key()]}
        self.lab.store.put(resource)
        operation = self.lab.start("put storage account", resource, "storage", what=self.name, method="PUT")
        return Answer(202, None, operation_headers(call, operation, location=True, retry_after=17, async_header=False),
                      operation)

    def _name_is_free(self, call: Call, existing: Resource | None) -> None:
        if existing is None and any(r.name == call.id.name for r in self.lab.store.of_type(self.name)):
            raise arm_error("storage_taken", name=call.id.name)

    @staticmethod
    def _key() -> str:
        return base64.b64encode(secrets.token_bytes(64)).decode()

    @staticmethod
    def _properties(given: dict[str, Any], existing: Resource | None, kept: dict[str, Any]) -> dict[str, Any]:
        now = _now()
        p: dict[str, Any] = dict(existing.properties) if existing else {"keyCreationTime": {"key1": now, "key2": now},
                                                                        **_DEFAULTS, "creationTime": now}
        days = given.get("keyPolicy", {}).get("keyExpirationPeriodInDays", 0)
        if not isinstance(days, int) or days < 0:
            raise arm_error("storage_values", names="keyPolicy.keyExpirationPeriodInDays")
        rules = {"bypass": "AzureServices", "virtualNetworkRules": [], "ipRules": [], "defaultAction": "Allow", "ipv6Rules": []}
        p["networkAcls"] = {**rules, **p.get("networkAcls", {}), **given.get("networkAcls", {})}
        p["networkAcls"]["virtualNetworkRules"] = [{"action": "Allow", "state": "Succeeded", **r} if isinstance(r, dict) else r
                                                   for r in p["networkAcls"]["virtualNetworkRules"] or []]
        services = {name: {"keyType": "Account", "enabled": True, "lastEnabledTime": p["creationTime"]} for name in ("file", "blob")}
        for name, service in given.get("encryption", {}).get("services", {}).items():
            if name not in services:
                services[name] = {"keyType": "Service", "enabled": True, "lastEnabledTime": p["creationTime"]}
            services[name].update({k: v for k, v in service.items() if k == "keyType"})
        p["encryption"] = {**p.get("encryption", {}), **given.get("encryption", {}), "services": services}
        p["encryption"].setdefault("keySource", "Microsoft.Storage")
        for key, value in given.items():
            if key not in ("networkAcls", "encryption", "provisioningState"):
                p[key] = value
        directory = section(section(p, "azureFilesIdentityBasedAuthentication"), "activeDirectoryProperties")
        if directory:
            p["azureFilesIdentityBasedAuthentication"]["activeDirectoryProperties"] = {
                **dict.fromkeys(("netBiosDomainName", "forestName", "domainSid", "azureStorageSid"), " "), **directory}
        if kept["kind"] in ("StorageV2", "BlobStorage"):
            p.setdefault("accessTier", "Hot")
        return p

    def patch(self, call: Call) -> Answer:
        """Everything but kind and location can be patched."""
        resource = self.require(call, writing=True)
        body = call.body()
        members.check(self.name, body)
        merged: dict[str, Any] = {"location": resource.location, "kind": body.get("kind", resource.body["kind"]),
                                  "sku": body.get("sku", resource.body["sku"]), "properties": body.get("properties", {})}
        tags = body.get("tags", resource.body.get("tags"))
        if tags is not None:
            merged["tags"] = tags
        call.raw_body = json.dumps(merged).encode()
        return self.put(call)

    def delete(self, call: Call) -> Answer:
        checks.require_group(call)
        account = self.lab.store.get(str(call.id))
        for one in [one for kind in self.parts for one in kind.of_account(account)] if account else ():
            self.lab.store.delete(one.id)
        return Answer(200 if self.lab.store.delete(str(call.id)) else 204)

    @staticmethod
    def services(account: Resource) -> list[str]:
        """The services that an account of its kind has."""
        return _ENDPOINTS[account.body["kind"]].split()

    def list_keys(self, call: Call) -> Answer:
        resource = self.require(call)
        if resource.state != "Succeeded":
            raise arm_error("storage_state", name=resource.name)
        if call.path.lower().endswith("regeneratekey"):
            name = call.body().get("keyName")
            if name not in ("key1", "key2"):
                raise arm_error("storage_values", names="keyName")
            resource.private["keys"][int(name[-1]) - 1] = self._key()
            self.lab.store.put(resource)
        times = resource.properties["keyCreationTime"]
        return Answer(200, {"keys": [{"creationTime": times[f"key{i}"], "keyName": f"key{i}", "value": value,
                                      "permissions": "FULL"} for i, value in enumerate(resource.private["keys"], 1)]})

    def check_name(self, call: Call) -> Answer:
        """POST …/providers/Microsoft.Storage/checkNameAvailability"""
        name = str(call.body().get("name", ""))
        if not _NAME.match(name):
            return Answer(200, {"nameAvailable": False, "reason": "AccountNameInvalid",
                                "message": arm_error("storage_name", name=name).message})
        if any(r.name == name for r in self.lab.store.of_type(self.name)):
            return Answer(200, {"nameAvailable": False, "reason": "AlreadyExists",
                                "message": arm_error("storage_taken", name=name).message})
        return Answer(200, {"nameAvailable": True})

    def render(self, resource: Resource, call: Call | None = None) -> dict[str, Any]:
        sku = resource.body["sku"]["name"]
        wire: dict[str, Any] = {"sku": {"name": sku, "tier": "Premium" if sku.startswith("Premium") else "Standard"},
                                "kind": resource.body["kind"], "id": resource.id, "name": resource.name,
                                "type": resource.type, "location": resource.location, "tags": resource.body.get("tags", {})}
        if "identity" in resource.body:
            wire["identity"] = resource.body["identity"]
        names = self.services(resource)
        p = {**resource.properties, "privateEndpointConnections": [], "provisioningState": resource.state,
             "primaryEndpoints": {n: self._endpoint(resource.name, n) for n in names},
             "primaryLocation": resource.location, "statusOfPrimary": "available"}
        if "GRS" in sku or "GZRS" in sku:
            p["secondaryLocation"] = _PAIRS.get(resource.location, "westus")
            p["statusOfSecondary"] = "available"
            if "RA" in sku:
                p["secondaryEndpoints"] = {n: self._endpoint(f"{resource.name}-secondary", n) for n in names if n != "file"}
        wire["properties"] = p
        return wire

    @staticmethod
    def _endpoint(name: str, service: str) -> str:
        return f"https://{name}.{'z6.' if service == 'web' else ''}{service}.core.windows.net/"
