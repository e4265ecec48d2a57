# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Turn (wanted, actual) into a Plan. Private to this collection; pure: no I/O, no Ansible, no clock."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Dict, Iterable, List, Mapping, Optional, Sequence, Set, Tuple

from ansible_collections.dockhost.azure.plugins.module_utils._model.resource import Change, Resource, Step, same_id
from ansible_collections.dockhost.azure.plugins.module_utils._plan import render
from ansible_collections.dockhost.azure.plugins.module_utils._plan.compare import Comparer, without
from ansible_collections.dockhost.azure.plugins.module_utils._plan.readonly import read_only_paths

CHANGING = ("create", "update", "delete")
FAILED_AGAIN = "is in the state Failed, asked for again"


@dataclass(frozen=True)
class Plan:
    """What is to be done. ``steps`` is in the order of the desired list, deletes last."""

    steps: Tuple[Step, ...] = ()

    @property
    def changed(self) -> bool:
        """Whether anything is to be done."""
        return any(step.action in CHANGING for step in self.steps)

    @property
    def refusals(self) -> Tuple[Step, ...]:
        """The steps that cannot be done; their ``reason`` is a whole sentence."""
        return tuple(step for step in self.steps if step.action == "refuse")

    def diff(self) -> Dict[str, str]:
        """The plan as text for Ansible's ``--diff``."""
        return render.diff(self.steps)

    def summary(self, seconds: Optional[Mapping[str, float]] = None) -> List[Dict[str, Any]]:
        """The plan for return values: what is (or was) done; ``seconds`` by step id. Kept resources are left out."""
        return render.summary(self.steps, seconds or {})

    def with_steps(self, steps: Iterable[Step]) -> "Plan":
        """This plan and more steps."""
        return Plan(self.steps + tuple(steps))


def failed(body: Optional[Mapping[str, Any]]) -> bool:
    """Whether Azure gave up on a resource: it is there, but what was last asked for was not done."""
    properties = (body or {}).get("properties")
    return isinstance(properties, Mapping) and str(properties.get("provisioningState")).lower() == "failed"


def step_id(action: str, resource_id: str) -> str:
    """The id of the step that does ``action`` to a resource."""
    return "{0} {1}".format(action, resource_id.lower())


def plan(
    desired: Sequence[Resource],
    actual: Mapping[str, Mapping[str, Any]],
    delete: Sequence[Resource] = (),
) -> Plan:
    """Compute the steps from what is there to what is wanted.

    :param desired: resources that must be there as their bodies say.
    :param actual: id in lower case -> body as Azure returns it (see ``_model.resource.by_id``).
    :param delete: resources that must go; those that are not there get no step. Deletes run against ``depends_on``.
    :return: the plan; an immutable property that differs gives a ``refuse`` step and no request.
    """
    steps = [_step(resource, actual.get(resource.key)) for resource in desired]
    going = [resource for resource in delete if resource.key in actual]
    steps += _deletes(going, actual)
    return Plan(tuple(_connect(steps)))


def post(resource: Resource, operation: str, change: Change, reason: str = "", depends_on: Tuple[str, ...] = ()) -> Step:
    """A step that calls an action of a resource (``start``, ``deallocate``, ``restart``)."""
    return Step(
        id=step_id(operation, resource.id), action="update", resource=resource, changes=(change,), reason=reason,
        depends_on=depends_on, method="POST", operation=operation,
    )


def _step(resource: Resource, actual: Optional[Mapping[str, Any]]) -> Step:
    """The step for one wanted resource; its dependencies are still resource ids."""
    if actual is None:
        return Step(
            id=step_id("create", resource.id), action="create", resource=resource, reason="is missing",
            depends_on=resource.depends_on, method="PUT", body=_without_none(resource.body),
        )
    comparer = Comparer(resource)
    changes = comparer.changed(actual)
    if not changes and not failed(actual):
        return Step(id=step_id("keep", resource.id), action="keep", resource=resource, actual=actual)
    for change, path in zip(changes, comparer.paths):
        if any(path == fixed or path.startswith(fixed + ".") for fixed in resource.immutable):
            return Step(
                id=step_id("refuse", resource.id), action="refuse", resource=resource, changes=(change,),
                reason=_refusal(resource, change, path), actual=actual,
            )
    body = without(comparer.merged(actual), read_only_paths(resource.type))
    return Step(
        id=step_id("update", resource.id), action="update", resource=resource, changes=tuple(changes),
        reason="differs in {0}".format(", ".join(change.path for change in changes)) if changes else FAILED_AGAIN,
        depends_on=resource.depends_on, method="PUT", body=body, actual=actual,
    )


def _refusal(resource: Resource, change: Change, path: str) -> str:
    remedy = resource.remedies.get(path) or "Set it back to {0}, or delete the {1} and run again".format(
        render.value(change.before), resource.title
    )
    return "The {0} of {1} cannot be changed from {2} to {3} once it exists. {4}.".format(
        change.path, resource.title, render.value(change.before), render.value(change.after), remedy.rstrip(".")
    )


def _deletes(going: List[Resource], actual: Mapping[str, Mapping[str, Any]]) -> List[Step]:
    """Delete steps: what depends on a resource goes before it, and what Azure deletes along gets no request."""
    keys = {resource.key for resource in going}
    steps = []
    for resource in going:
        along = resource.delete_with if (resource.delete_with or "").lower() in keys else None
        users = [other.id for other in going if any(same_id(resource.id, needed) for needed in other.depends_on)]
        if along:
            users = [along]
        steps.append(Step(
            id=step_id("delete", resource.id), action="delete", resource=resource,
            reason="goes with {0}".format(along.rsplit("/", 1)[-1]) if along else "is no longer wanted",
            depends_on=tuple(users), method="" if along else "DELETE", actual=actual[resource.key],
        ))
    return steps


def _connect(steps: List[Step]) -> List[Step]:
    """Turn the dependencies between resources into dependencies between steps that do something."""
    working = {step.resource.key: step.id for step in steps if step.action in ("create", "update")}
    labels = {step.id for step in steps if _only_tags(step)}
    going = {step.resource.key: step.id for step in steps if step.action == "delete"}
    holders = _holders(steps) if going else {}
    connected = []
    for step in steps:
        table = going if step.action == "delete" else working
        needs = [table[needed.lower()] for needed in step.depends_on if needed.lower() in table]
        if step.id in labels:
            needs = [needed for needed in needs if needed not in labels]
        if step.action == "delete":
            needs += holders.get(step.resource.key, []) if step.method else []
        connected.append(replace(step, depends_on=tuple(dict.fromkeys(needs))))
    return connected


def _only_tags(step: Step) -> bool:
    """Whether an update touches nothing that another resource refers to: it needs no turn among others of its kind.

    Only among those: who is created, or gets another reference, is refused by Azure while what it refers to is C(Updating).
    """
    return step.action == "update" and bool(step.changes) and all(change.path.split(".")[0] == "tags" for change in step.changes)


def _holders(steps: List[Step]) -> Dict[str, List[str]]:
    """Resource -> ids of the updates that may drop a reference to it: they have to come before its delete."""
    holders: Dict[str, List[str]] = {}
    for step in steps:
        if step.action == "update" and step.actual is not None:
            for held in references(step.actual):
                holders.setdefault(held, []).append(step.id)
    return holders


def references(body: Any, found: Optional[Set[str]] = None) -> Set[str]:
    """All ids (in lower case) that a body mentions."""
    found = set() if found is None else found
    if isinstance(body, Mapping):
        for value in body.values():
            references(value, found)
    elif isinstance(body, (list, tuple)):
        for value in body:
            references(value, found)
    elif isinstance(body, str) and body.startswith("/subscriptions/"):
        found.add(body.lower())
    return found


def _without_none(value: Any) -> Any:
    """A body as it is sent: what must not be set is left out."""
    if isinstance(value, Mapping):
        return {key: _without_none(item) for key, item in value.items() if item is not None}
    if isinstance(value, (list, tuple)):
        return [_without_none(item) for item in value]
    return value
