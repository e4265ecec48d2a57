# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Functions on the deployment and on resources.

https://learn.microsoft.com/azure/azure-resource-manager/templates/template-functions-resource
"""
from __future__ import annotations

import re
import uuid
from typing import Any

from azlab.templates.context import GROUP_TYPE, Scope
from azlab.templates.errors import ExpressionError
from azlab.templates.registry import function, integer, misplaced, text, wrong
from azlab.templates.values import UNKNOWN

_GUID = re.compile(r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$")


@function("resourceGroup", 0, needs_scope=True)
def resource_group(scope: Scope) -> Any:
    if scope.context.group is None:
        raise misplaced("RESOURCEGROUP")
    return scope.context.group


@function("subscription", 0, needs_scope=True)
def subscription(scope: Scope) -> Any:
    return scope.context.subscription


@function("tenant", 0, needs_scope=True)
def tenant(scope: Scope) -> Any:
    return scope.context.tenant


@function("deployment", 0, needs_scope=True)
def deployment(scope: Scope) -> Any:
    return scope.context.deployment


@function("environment", 0, needs_scope=True)
def environment(scope: Scope) -> Any:
    return scope.context.environment


@function("providers", 1, 2, needs_scope=True)
def providers(scope: Scope, namespace: Any, kind: Any = "") -> Any:
    return scope.context.providers(text("providers", namespace), text("providers", kind))


@function("pickZones", 3, 5, needs_scope=True)
def pick_zones(scope: Scope, namespace: Any, kind: Any, location: Any, count: Any = 1, offset: Any = 0) -> list[str]:
    zones = scope.context.zones(text("pickZones", namespace), text("pickZones", kind), text("pickZones", location))
    many, begin = integer("pickZones", count), integer("pickZones", offset)
    if not zones:
        return []
    if begin + many > len(zones):
        raise wrong("pickZones", f"cannot pick '{many}' zones from offset '{begin}': location '{location}' has "
                                 f"'{len(zones)}'")
    return zones[begin:begin + many]


@function("newGuid", 0, needs_scope=True)
def new_guid(scope: Scope) -> str:
    if not scope.fresh_values:
        raise misplaced("newGuid")
    return str(uuid.uuid4())


# -- ids
def type_path(name: str, kind: str, names: tuple[str, ...]) -> str:
    """`<namespace>/<type>/<name>[/<type>/<name>…]` from a whole type, which may end in a slash, and its names."""
    namespace, *types = kind.rstrip("/").split("/")
    if len(types) != len(names):
        raise ExpressionError(f"Unable to evaluate template language function '{name}': the type '{kind}' requires "
                              f"'{len(types)}' resource name argument(s). Please see "
                              "https://aka.ms/arm-resource-functions/#resourceid for usage details.")
    return namespace + "".join(f"/{t}/{n}" for t, n in zip(types, names))


def _split(name: str, arguments: tuple[Any, ...], most_before: int) -> tuple[list[str], str, tuple[str, ...]]:
    """What stands before the type, the type, and the names."""
    given = [text(name, a) for a in arguments]
    at = next((i for i, a in enumerate(given[:most_before + 1]) if "/" in a and not a.startswith("/")), None)
    if at is None:
        raise ExpressionError(f"Unable to evaluate template language function '{name}': function requires exactly one "
                              "multi-segmented argument which must be resource type including resource provider "
                              "namespace. Current function arguments '" + ",".join(given) + "'. Please see "
                              "https://aka.ms/arm-resource-functions/#resourceid for usage details.")
    return given[:at], given[at], tuple(given[at + 1:])


def _below(base: str, name: str, kind: str, names: tuple[str, ...]) -> str:
    """The id of a resource of a group or of the subscription, of which groups are the only ones that no provider has."""
    path = type_path(name, kind, names)
    if kind.rstrip("/").lower() == GROUP_TYPE and "/resourceGroups/" not in base:
        return f"{base}/resourceGroups/{names[0]}"
    return f"{base}/providers/{path}"


@function("resourceId", 1, None, needs_scope=True)
def resource_id(scope: Scope, *arguments: Any) -> str:
    before, kind, names = _split("resourceId", arguments, 2)
    base = str(scope.context.subscription["id"])
    if before and (len(before) == 2 or (scope.context.group is None and _GUID.match(before[0]))):
        base = f"/subscriptions/{before.pop(0)}"
    if before:
        base += f"/resourceGroups/{before[0]}"
    elif scope.context.group is not None and base == scope.context.subscription["id"]:
        base = scope.context.scope_id
    return _below(base, "resourceId", kind, names)


@function("subscriptionResourceId", 1, None, needs_scope=True)
def subscription_resource_id(scope: Scope, *arguments: Any) -> str:
    before, kind, names = _split("subscriptionResourceId", arguments, 1)
    base = f"/subscriptions/{before[0]}" if before else str(scope.context.subscription["id"])
    return _below(base, "subscriptionResourceId", kind, names)


@function("tenantResourceId", 1, None)
def tenant_resource_id(*arguments: Any) -> str:
    _, kind, names = _split("tenantResourceId", arguments, 0)
    return f"/providers/{type_path('tenantResourceId', kind, names)}"


@function("extensionResourceId", 3, None)
def extension_resource_id(scope_id: Any, kind: Any, *names: Any) -> str:
    path = type_path("extensionResourceId", text("extensionResourceId", kind),
                     tuple(text("extensionResourceId", n) for n in names))
    return f"{text('extensionResourceId', scope_id)}/providers/{path}"


# -- what only a running deployment knows
@function("reference", 1, 3, needs_scope=True)
def reference(scope: Scope, target: Any, api_version: Any = None, full: Any = None) -> Any:
    if scope.runtime is None:
        raise misplaced("reference")
    if full is not None and text("reference", full).lower() not in ("full", "properties"):
        raise wrong("reference", f"expects 'Full' as its third parameter: '{full}' is not valid")
    version = text("reference", api_version) if api_version is not None else None
    return scope.runtime.reference(text("reference", target), version, bool(full) and full.lower() == "full")


def list_function(scope: Scope, name: str, *arguments: Any) -> Any:
    """listKeys, listSecrets and whatever else begins so: a POST to the resource."""
    if scope.runtime is None:
        raise misplaced(name)
    if not 2 <= len(arguments) <= 3:
        raise wrong(name, f"expects between '2' and '3' parameter(s): it was invoked with '{len(arguments)}' "
                          "parameter(s)")
    if UNKNOWN in arguments[:2]:
        return UNKNOWN
    return scope.runtime.listing(name, text(name, arguments[0]), text(name, arguments[1]),
                                 arguments[2] if len(arguments) == 3 else None)
