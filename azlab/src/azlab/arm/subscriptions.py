# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tenants, the subscription, its locations, providers and the list of all resources."""
from __future__ import annotations

from typing import Any

from azlab import api_versions
from azlab.arm import checks
from azlab.arm.groups import tag_filter
from azlab.arm.types import Registry
from azlab.arm.wire import Answer, Call
from azlab.errors import arm_error
from azlab.lab import Lab
from azlab.store import Resource

_SERVED = ("Microsoft.Compute", "Microsoft.ManagedIdentity", "Microsoft.Network", "Microsoft.Resources", "Microsoft.Storage")


class Subscriptions:
    """What is above resource groups."""

    def __init__(self, lab: Lab, registry: Registry) -> None:
        self.lab, self.registry = lab, registry

    def tenants(self, call: Call) -> Answer:
        tenant = self.lab.settings.tenant
        return Answer(200, {"value": [{
            "id": f"/tenants/{tenant}", "tenantId": tenant, "countryCode": "DE", "displayName": "azlab",
            "domains": ["azlab.onmicrosoft.com"], "tenantCategory": "Home", "defaultDomain": "azlab.onmicrosoft.com",
            "tenantType": "AAD"}]})

    def _subscription(self, subscription: str) -> dict[str, Any]:
        settings = self.lab.settings
        tags = self.lab.store.get_meta(f"tags of {subscription}", {})
        return {"id": f"/subscriptions/{subscription}", "authorizationSource": "RoleBased",
                **({"tags": tags} if tags else {}),
                "managedByTenants": [], "subscriptionId": subscription, "tenantId": settings.tenant,
                "displayName": settings.subscription_name(subscription), "state": "Enabled",
                "subscriptionPolicies": {"locationPlacementId": "Public_2014-09-01",
                                         "quotaId": "PayAsYouGo_2014-09-01", "spendingLimit": "Off"}}

    def subscriptions(self, call: Call) -> Answer:
        found = [self._subscription(one) for one in self.lab.settings.subscription_ids]
        return Answer(200, {"value": found, "count": {"type": "Total", "value": len(found)}})

    def subscription(self, call: Call) -> Answer:
        return Answer(200, self._subscription(call.subscription))

    def locations(self, call: Call) -> Answer:
        value = []
        for region in self.lab.catalogue.regions.values():
            base = f"/subscriptions/{call.subscription}/locations/"
            entry = {"id": base + region["name"], "name": region["name"], "type": "Region",
                     "displayName": region["displayName"],
                     "regionalDisplayName": f"({region['geographyGroup']}) {region['displayName']}",
                     "metadata": {"regionType": "Physical", "regionCategory": "Recommended",
                                  "geography": region["geography"], "geographyGroup": region["geographyGroup"]}}
            if region["zones"]:
                entry["availabilityZoneMappings"] = [
                    {"logicalZone": z, "physicalZone": f"{region['name']}-az{z}"} for z in region["zones"]]
            value.append(entry)
        return Answer(200, {"value": value})

    # -- providers
    def _registered(self, subscription: str) -> list[str]:
        return list(self.lab.store.get_meta(f"providers of {subscription}", list(_SERVED)))

    def _provider(self, call: Call, namespace: str) -> dict[str, Any]:
        regions = [r["displayName"] for r in self.lab.catalogue.regions.values()]
        types = [{"resourceType": t.name.split("/", 1)[1], "locations": regions, "apiVersions": list(reversed(api_versions.supported(t.name))),
                  "capabilities": "CrossResourceGroupResourceMove, SupportsTags, SupportsLocation" if t.tracked
                  else "None"}
                 for t in self.registry.types.values() if t.name.split("/")[0] == namespace]
        if namespace == "Microsoft.Resources":
            types = [{"resourceType": n, "locations": regions, "apiVersions": list(reversed(api_versions.supported(""))),
                      "capabilities": "None"} for n in ("resourceGroups", "subscriptions", "tenants", "providers")]
        state = "Registered" if namespace in self._registered(call.subscription) else "NotRegistered"
        return {"id": f"/subscriptions/{call.subscription}/providers/{namespace}", "namespace": namespace,
                "resourceTypes": types, "registrationState": state, "registrationPolicy": "RegistrationRequired"}

    def providers(self, call: Call) -> Answer:
        return Answer(200, {"value": [self._provider(call, n) for n in _SERVED]})

    def _namespace(self, text: str) -> str:
        found = next((n for n in _SERVED if n.lower() == text.lower()), None)
        if found is None:
            raise arm_error("invalid_namespace", namespace=text)
        return found

    def provider(self, call: Call) -> Answer:
        return Answer(200, self._provider(call, self._namespace(call.tail[0])))

    def register(self, call: Call) -> Answer:
        namespace, action = self._namespace(call.tail[0]), call.tail[1].lower()
        registered = set(self._registered(call.subscription))
        (registered.add if action == "register" else registered.discard)(namespace)
        self.lab.store.set_meta(f"providers of {call.subscription}", sorted(registered))
        return Answer(200, self._provider(call, namespace))

    def require_registered(self, namespace: str, subscription: str) -> None:
        if namespace in _SERVED and namespace not in self._registered(subscription):
            raise arm_error("not_registered", namespace=namespace)

    # -- all resources
    def resources(self, call: Call) -> Answer:
        """Resources of the group, or of the subscription, in the short form of this list."""
        if call.group:
            checks.require_group(call)
            found = self.lab.store.in_group(call.subscription, call.group)
        else:
            found = [r for r in self.lab.store.resources.values() if r.subscription == call.subscription]
        found = [r for r in found if not r.type.startswith("Microsoft.Resources/")]     # no groups, no deployments
        wanted = call.query.get("$filter")
        if wanted:
            found = [r for r in found if _resource_filter(wanted, r)]
        top = call.query.get("$top")
        if top and top.isdigit():
            found = found[:int(top)]
        expand = call.query.get("$expand", "").lower()
        return Answer(200, {"value": [_short(r, expand) for r in found]})


def _short(resource: Resource, expand: str) -> dict[str, Any]:
    wire: dict[str, Any] = {"id": resource.id, "name": _path_name(resource), "type": resource.type}
    for key in ("sku", "kind", "managedBy"):
        if key in resource.body and not (key == "sku" and "/virtualMachines" in resource.type):
            wire[key] = resource.body[key]
    wire["location"] = resource.location
    for key in ("tags", "zones", "identity"):
        if key in resource.body:
            wire[key] = resource.body[key]
    if "provisioningstate" in expand:
        wire["provisioningState"] = resource.state
    if "createdtime" in expand:
        wire["createdTime"] = resource.created
    if "changedtime" in expand:
        wire["changedTime"] = resource.changed or resource.created
    return wire


def _path_name(resource: Resource) -> str:
    """Children are listed as parent/child."""
    return "/".join(resource.id.split("/")[8::2])


def _resource_filter(text: str, resource: Resource) -> bool:
    if text.lower().startswith("tagname"):
        return tag_filter(text, resource.body.get("tags", {}))
    for clause in text.split(" and "):
        words = clause.strip().split(" ", 2)
        if len(words) != 3 or words[1].lower() != "eq":
            raise arm_error("filter", filter=text)
        key, value = words[0].lower(), words[2].strip().strip("'").lower()
        actual = {"resourcetype": resource.type, "name": resource.name, "location": resource.location,
                  "resourcegroup": resource.group}.get(key)
        if actual is None:
            raise arm_error("filter", filter=text)
        if actual.lower() != value:
            return False
    return True
