# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a deployment goes: to a resource group, or to the subscription.

https://learn.microsoft.com/azure/azure-resource-manager/templates/deploy-to-subscription
"""
from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from azlab.arm import checks
from azlab.arm.wire import Call
from azlab.errors import ArmError, arm_error
from azlab.ids import group_id, parse
from azlab.store import Resource
from azlab.templates.planned import Planned

if TYPE_CHECKING:
    from azlab.lab import Lab

_TYPE = "Microsoft.Resources/subscriptions"


def of_subscription(subscription: str, location: str = "") -> Resource:
    """The subscription as a place; `location` is where the deployment is kept."""
    return Resource(id=f"/subscriptions/{subscription}", type=_TYPE, name=subscription, body={"location": location})


def of_call(call: Call, *, writing: bool = False) -> Resource:
    """The place that a request names. Raises ArmError."""
    return checks.require_group(call, writing=writing) if call.group else of_subscription(call.subscription)


def of_deployment(lab: Lab, resource: Resource) -> Resource | None:
    """The place of a stored deployment; None when its group is gone."""
    parts = resource.id.split("/")
    if resource.group:
        return lab.store.get(group_id(parts[2], resource.group))
    return of_subscription(parts[2], resource.location)


def of_nested(lab: Lab, nested: Planned, planned: dict[str, Resource]) -> Resource:
    """The place of a nested deployment; `planned` are groups that the template around it makes. Raises ArmError."""
    rid = parse(nested.id)
    subscription = rid.subscription if rid else nested.id.split("/")[2]
    if subscription.lower() not in lab.settings.subscription_ids:
        raise arm_error("subscription_not_found", id=subscription)
    if rid is None:
        return of_subscription(subscription, located(lab, nested.name, nested.body.get("location"), None))
    found = group_id(rid.subscription, rid.group)
    group = lab.store.get(found) or planned.get(found.lower())
    if group is None:
        raise arm_error("group_not_found", name=rid.group)
    return group


def is_group(place: Resource) -> bool:
    return place.type == checks.GROUP_TYPE


def groups_of(lab: Lab, planned: Iterable[Planned]) -> dict[str, Resource]:
    """The resource groups that a template makes, as they will be, by their ids in lower case."""
    found = {}
    for resource in planned:
        region = lab.catalogue.region(str(resource.body.get("location", "")))
        if makes_group(resource) and region is not None:
            body: dict[str, Any] = {"location": region["name"], **({"tags": resource.body["tags"]} if resource.body.get("tags") else {})}
            found[resource.key] = Resource(id=resource.id, type=checks.GROUP_TYPE, name=resource.name, body=body)
    return found


def makes_group(resource: Planned) -> bool:
    return resource.type.lower() == checks.GROUP_TYPE.lower() and resource.id.count("/") == 4


def located(lab: Lab, name: str, given: Any, existing: Resource | None) -> str:
    """Where the deployment `name` to the subscription is kept; it stays there. Raises ArmError."""
    if not isinstance(given, str) or not given:
        raise ArmError(400, "LocationRequired", "The 'location' property is required for this deployment. Please see "
                       "https://aka.ms/deploy-to-subscription for usage details.", source="gateway")
    region = lab.catalogue.region(given)
    if region is None:
        raise ArmError(400, "LocationNotAvailableForDeployment", f"The provided location '{given}' is not available for "
                       "deployment. List of available regions is "
                       f"'{','.join(lab.catalogue.regions)}'.", source="gateway")
    if existing is not None and existing.location != region["name"]:
        raise ArmError(409, "InvalidDeploymentLocation", f"Invalid deployment location '{region['name']}'. The deployment "
                       f"'{name}' already exists in location '{existing.location}'.", source="gateway")
    return str(region["name"])


def check_mode(mode: str) -> None:
    """Only groups can be deployed as a whole. Raises ArmError."""
    if mode == "Complete":
        raise ArmError(400, "InvalidDeploymentMode", "The deployment mode 'Complete' is not supported for deployments to a "
                       "subscription. Please use the mode 'Incremental'.", source="gateway")
