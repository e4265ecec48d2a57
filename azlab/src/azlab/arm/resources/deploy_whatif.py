# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What-if: what a deployment would change, found by comparing its bodies with the resources that are there."""
from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from azlab.arm.resources.deploy_context import dispatch, is_open
from azlab.arm.resources.deploy_places import groups_of
from azlab.arm.resources.deploy_request import Request
from azlab.errors import ArmError
from azlab.store import Resource
from azlab.templates.expressions import is_expression
from azlab.templates.parameters import is_secure
from azlab.templates.plan import Plan
from azlab.templates.planned import Planned
from azlab.templates.values import find_key

if TYPE_CHECKING:
    from azlab.arm.resources.deployments import Deployments
    from azlab.arm.router import Router

_MASK = "*******"
_COMPUTED = ("etag", "provisioningState", "resourceGuid", "systemData", "vmId", "timeCreated")
# Azure never returns these, so they cannot be compared.
_WRITE_ONLY = ("adminpassword", "customdata", "protectedsettings", "secrets")


def what_if(owner: Deployments, plan: Plan, request: Request, group: Resource) -> list[dict[str, Any]]:
    """The changes, one per resource, in the order of their ids."""
    router = owner.router
    changes = _changes(owner, plan, request, {})
    parts, mine = group.id.split("/"), {str(c["resourceId"]).lower() for c in changes}
    for other in router.lab.store.in_group(parts[2], parts[4]) if len(parts) > 4 else ():
        if other.lid not in mine and other.type.count("/") == 1 and other.type != owner.name:
            kind = "Delete" if request.mode == "Complete" and not other.body.get("managedBy") else "Ignore"
            change = {"resourceId": other.id, "changeType": kind}
            if not request.ids_only:
                change["before"] = _clean(router.registry.render(other))
            changes.append(change)
    return sorted(changes, key=lambda c: str(c["resourceId"]).lower())


def _changes(owner: Deployments, plan: Plan, request: Request, groups: dict[str, Resource]) -> list[dict[str, Any]]:
    """Of a template and of those nested in it, as far as their parameters are known before they run."""
    secrets = [v for n, v in plan.values.items() if is_secure(plan.declared[n]) and isinstance(v, str) and v]
    changes = []
    groups = {**groups, **groups_of(owner.lab, plan.active)}
    for planned in plan.active:
        if planned.is_deployment and not is_open(planned.body):
            _, nested, _, inner = owner.plan_nested(planned, planned.body, groups)
            changes += _changes(owner, inner, replace(nested, ids_only=request.ids_only), groups)
        else:
            changes.append(_one(owner.router, planned, request, secrets))
    return changes


def _one(router: Router, planned: Planned, request: Request, secrets: list[str]) -> dict[str, Any]:
    change: dict[str, Any] = {"resourceId": planned.id}
    before = None
    if not planned.is_deployment:
        try:
            before = _clean(dispatch(router, "GET", planned.id, planned.api_version).body)
        except ArmError as problem:
            if problem.status != 404:
                raise
    if request.ids_only:
        return {**change, "changeType": "Deploy" if before is not None or planned.is_deployment else "Create"}
    body = _masked(planned.body, secrets)
    after = {"id": planned.id, "name": planned.name.split("/")[-1], "type": planned.type,
             "apiVersion": planned.api_version, **body}
    if "/resourceGroups/" in planned.id and "/providers/" in planned.id:
        after["resourceGroup"] = planned.id.split("/")[4]
    if planned.is_deployment:
        return {**change, "changeType": "Deploy"}
    if before is None:
        return {**change, "changeType": "Create", "after": after}
    delta = _delta(before, body, "")
    change.update(changeType="Modify" if delta else "NoChange", before=before, after={**before, **after})
    if delta:
        change["delta"] = delta
    return change


def _clean(body: Any) -> Any:
    """A resource without what its provider computes."""
    if isinstance(body, dict):
        return {k: _clean(v) for k, v in body.items() if k not in _COMPUTED}
    return [_clean(v) for v in body] if isinstance(body, list) else body


def _masked(value: Any, secrets: list[str]) -> Any:
    if isinstance(value, dict):
        return {k: _MASK if k.lower() in _WRITE_ONLY else _masked(v, secrets) for k, v in value.items()}
    if isinstance(value, list):
        return [_masked(v, secrets) for v in value]
    return _MASK if isinstance(value, str) and any(s in value for s in secrets) else value


def _delta(before: Any, after: Any, path: str) -> list[dict[str, Any]]:
    """What the template names and is different, or not there."""
    if isinstance(before, dict) and isinstance(after, dict):
        found = []
        for name, value in after.items():
            if name.lower() in _WRITE_ONLY or value is None:
                continue
            where = f"{path}.{name}" if path else name
            key = find_key(before, name)
            if key is None:
                found.append({"path": where, "propertyChangeType": "Create", "after": value, "children": None})
            else:
                found += _delta(before[key], value, where)
        return found
    if isinstance(before, list) and isinstance(after, list):
        children = []
        for index in range(max(len(before), len(after))):
            if index >= len(before):
                children.append({"path": str(index), "propertyChangeType": "Create", "after": after[index]})
            elif index >= len(after):
                children.append({"path": str(index), "propertyChangeType": "Delete", "before": before[index]})
            else:
                children += _delta(before[index], after[index], str(index))
        return [{"path": path, "propertyChangeType": "Array", "children": children}] if children else []
    if _alike(before, after):
        return []
    return [{"path": path, "propertyChangeType": "Modify", "before": before, "after": after, "children": None}]


def _alike(before: Any, after: Any) -> bool:
    """Ids, regions and enum values are compared without case; what is not known yet counts as the same."""
    if isinstance(after, str) and is_expression(after):
        return True
    if isinstance(before, str) and isinstance(after, str):
        return before.lower() == after.lower() or before.lower() == after.replace(" ", "").lower()
    return bool(before == after) or str(before) == str(after)
