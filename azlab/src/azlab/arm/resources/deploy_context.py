# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a template sees of the lab: its scope, the cloud around it, and resources that exist."""
from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from azlab import api_versions
from azlab.arm.checks import GROUP_TYPE
from azlab.arm.resources.deploy_view import template_hash
from azlab.arm.wire import Answer, Call
from azlab.ids import group_id
from azlab.lab import Lab
from azlab.store import Resource
from azlab.templates.context import Context, Scope
from azlab.templates.errors import ExpressionError
from azlab.templates.expressions import is_expression
from azlab.templates.plan import Plan

if TYPE_CHECKING:
    from azlab.arm.router import Router


_RELATIVE = re.compile(r"[A-Za-z]+(\.[A-Za-z]+)+(/[^/]+/[^/]+)+/?$")          # Microsoft.Storage/storageAccounts/name


def dispatch(router: Router, method: str, resource_id: str, api_version: str, body: Any = None) -> Answer:
    """A request of Resource Manager itself to a provider, by the way that clients' requests take. Raises ArmError."""
    raw = b"" if body is None else json.dumps(body).encode()
    return router.dispatch(Call(lab=router.lab, method=method, path=quote(resource_id, safe="/"),
                                base=router.lab.settings.url, query={"api-version": api_version}, headers={},
                                raw_body=raw))


def make_context(router: Router, group: Resource | None, deployment: dict[str, Any], subscription_id: str = "") -> Context:
    """The context of a deployment to a group, or to a subscription (that of the group or place; `subscription_id` where there is none)."""
    lab = router.lab
    settings = lab.settings
    own = group.subscription if group is not None else subscription_id or settings.subscription_id
    subscription = {"id": f"/subscriptions/{own}", "subscriptionId": own, "tenantId": settings.tenant,
                    "displayName": settings.subscription_name(own)}
    is_group = group is not None and group.type == GROUP_TYPE
    shown = {**router.groups.render(group), "type": GROUP_TYPE} if group is not None and is_group else None

    def providers(namespace: str, kind: str) -> Any:
        regions = [r["displayName"] for r in lab.catalogue.regions.values()]
        types = [{"resourceType": t.name.split("/", 1)[1], "locations": regions, "apiVersions": list(reversed(api_versions.supported(t.name)))}
                 for t in router.registry.types.values() if t.name.split("/")[0].lower() == namespace.lower()]
        if not kind:
            return {"namespace": namespace, "resourceTypes": types}
        found = next((t for t in types if str(t["resourceType"]).lower() == kind.lower()), None)
        if found is None:
            raise ExpressionError(f"The resource type '{kind}' could not be found in the namespace '{namespace}'.")
        return found

    def zones(namespace: str, kind: str, location: str) -> list[str]:
        region = lab.catalogue.region(location)
        return list(region["zones"]) if region else []

    return Context(subscription, shown, deployment, _environment(lab), {"tenantId": settings.tenant}, providers, zones)


def _environment(lab: Lab) -> dict[str, Any]:
    """environment(): this lab for sign-in and management, and the suffixes of the public cloud."""
    url = lab.settings.url
    return {"name": "AzureCloud", "gallery": "https://gallery.azure.com/", "graph": "https://graph.windows.net/",
            "portal": "https://portal.azure.com", "graphAudience": "https://graph.windows.net/",
            "activeDirectoryDataLake": "https://datalake.azure.net/", "batch": "https://batch.core.windows.net/",
            "media": "https://rest.media.azure.net", "sqlManagement": "https://management.core.windows.net:8443/",
            "vmImageAliasDoc": "https://raw.githubusercontent.com/Azure/azure-rest-api-specs/master/arm-compute/"
                               "quickstart-templates/aliases.json",
            "resourceManager": f"{url}/",
            "authentication": {"loginEndpoint": f"{url}/", "audiences": [f"{url}/"], "tenant": lab.settings.tenant,
                               "identityProvider": "AAD"},
            "suffixes": {"acrLoginServer": ".azurecr.io", "azureDatalakeAnalyticsCatalogAndJob":
                         "azuredatalakeanalytics.net", "azureDatalakeStoreFileSystem": "azuredatalakestore.net",
                         "keyvaultDns": ".vault.azure.net", "sqlServerHostname": ".database.windows.net",
                         "storage": "core.windows.net"}}


def pack_scope(scope: Scope) -> dict[str, Any]:
    """The scope of a template around a nested one, in a form that can be stored."""
    return {"parameters": scope.parameters, "variables": scope.variables, "functions": scope.functions,
            "copies": scope.copies, "loop": scope.loop, "deployment": scope.context.deployment,
            "group": scope.context.group["name"] if scope.context.group else None,
            "subscription": scope.context.subscription["subscriptionId"]}


def unpack_scope(router: Router, packed: dict[str, Any]) -> Scope:
    group, subscription = None, packed.get("subscription", router.lab.settings.subscription_id)
    if packed["group"]:
        group = router.lab.store.get(group_id(subscription, packed["group"]))
    return Scope(make_context(router, group, packed["deployment"], subscription), packed["parameters"], packed["variables"],
                 packed["functions"], packed["copies"], packed["loop"])


class Lookup:
    """reference() and the list functions of a deployment that runs."""

    def __init__(self, router: Router, plan: Plan) -> None:
        self.router, self.plan = router, plan

    def _target(self, target: str, api_version: str | None) -> tuple[str, str]:
        planned = self.plan.find(target)
        if planned is None and _RELATIVE.match(target):
            target = f"{self.plan.scope.scope_id}/providers/{target.rstrip('/')}"       # of the same resource group
        if planned is None and not target.startswith("/"):
            raise ExpressionError(f"The template reference '{target}' is not valid: could not find template resource or "
                                  "resource copy with this name. Please see https://aka.ms/arm-function-reference for "
                                  "usage details.")
        version = api_version or (planned.api_version if planned else "")
        if not version:
            raise ExpressionError(f"The template reference '{target}' requires an API version. Please see "
                                  "https://aka.ms/arm-syntax-resources for usage details.")
        return (planned.id if planned else target), version

    def reference(self, target: str, api_version: str | None, full: bool) -> Any:
        resource_id, version = self._target(target, api_version)
        body = dispatch(self.router, "GET", resource_id, version).body
        if not full:
            return body.get("properties", {})
        parts = resource_id.split("/")
        extra = {"apiVersion": version, "subscriptionId": parts[2], "scope": "",
                 "resourceId": resource_id.rpartition("/providers/")[2], "referenceApiVersion": version, "condition": True, "isConditionTrue": True,
                 "isTemplateResource": self.plan.find(target) is not None, "isAction": False,
                 "provisioningOperation": "Read"}
        if len(parts) > 4 and parts[3].lower() == "resourcegroups":
            extra["resourceGroupName"] = parts[4]
        return {**{k: v for k, v in body.items() if k not in ("id", "name", "type")}, **extra}

    def listing(self, function: str, target: str, api_version: str, body: Any) -> Any:
        resource_id, version = self._target(target, api_version)
        return dispatch(self.router, "POST", f"{resource_id}/{function}", version, body).body


def as_function(name: str, template: dict[str, Any], parameters: dict[str, Any], mode: str,
                location: str | None = None) -> dict[str, Any]:
    """What deployment() returns; only deployments to a subscription have a location."""
    return {"name": name, **({"location": location} if location else {}), "properties": {"template": template, "templateHash": template_hash(template),
                                         "parameters": parameters, "mode": mode, "provisioningState": "Accepted"}}


def is_open(value: Any) -> bool:
    """Whether the parameters of a nested deployment are not all known before the deployment runs."""
    if isinstance(value, dict):
        return any(is_open(v) for k, v in value.items() if k.lower() != "template")
    if isinstance(value, list):
        return any(is_open(v) for v in value)
    return isinstance(value, str) and is_expression(value)
