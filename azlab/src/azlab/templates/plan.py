# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a template and its parameters to the resources that are to be deployed, and their order."""
from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Any

from azlab import api_versions
from azlab.templates import graph, parameters
from azlab.templates.context import GROUP_TYPE, Context, Recorder, Runtime, Scope
from azlab.templates.errors import ExpressionError, TemplateError, invalid
from azlab.templates.evaluate import copy_count, evaluate, is_property_copy, property_copies
from azlab.templates.planned import Planned
from azlab.templates.registry import boolean
from azlab.templates.values import find_key, get

_SECTIONS = ("$schema", "contentversion", "apiprofile", "parameters", "variables", "functions", "resources", "outputs",
             "metadata", "languageversion", "definitions", "imports", "extensions", "asserts")


@dataclass
class Plan:
    """A template that was found to be good."""

    scope: Scope
    declared: dict[str, Any]                    # declarations of the parameters
    values: dict[str, Any]                      # and their values
    resources: list[Planned] = field(default_factory=list)
    outputs: dict[str, Any] = field(default_factory=dict)       # as written
    index: graph.Index | None = None            # of the finished plan

    @property
    def active(self) -> list[Planned]:
        """What is really deployed: conditions hold, and it is not only looked up."""
        return [r for r in self.resources if r.active and not r.existing]

    def find(self, target: str) -> Planned | None:
        """The resource that reference() or dependsOn means: by id, symbolic name, type/name or name."""
        self.index = self.index or graph.Index(self.resources)
        return self.index.one(target)


def make(template: dict[str, Any], given: dict[str, Any], context: Context,
         outer: Scope | None = None) -> Plan:
    """Check a template and expand its resources. With `outer`, the expressions are those of the template around it.

    Raises TemplateError."""
    _check_shape(template)
    functions = _functions(template)
    declared = get(template, "parameters", {}) or {}
    values = parameters.resolve(declared, given, context, functions)
    if outer is None:
        scope = Scope(context, values, _variables(template, context, values, functions), functions)
    else:
        scope = replace(outer, home=context.scope_id, cache={})
    scope = replace(scope, profile=_profile(template))
    plan = Plan(scope, declared, values, outputs=get(template, "outputs", {}) or {})
    resources = get(template, "resources", []) or []
    pairs = resources.items() if isinstance(resources, dict) else ((None, r) for r in resources)
    empty: set[str] = set()
    for symbol, source in pairs:
        plan.resources += _expand(source, symbol, scope, None, empty)
    _check_unique(plan.resources)
    for resource in plan.active:
        recorder = Recorder()
        resource.scope = resource.scope.with_runtime(recorder)
        resource.plan_body()
        resource.referred = recorder.targets
    graph.connect(plan.resources, empty)
    return plan


def _check_shape(template: Any) -> None:
    if not isinstance(template, dict):
        raise TemplateError("The template must be a JSON object.")
    for key in template:
        if key.lower() not in _SECTIONS:
            raise TemplateError(f"Could not find member '{key}' on object of type 'Template'. Path '{key}', line 1, "
                                "position 1.", "InvalidRequestContent")
    for key in ("$schema", "contentVersion", "resources"):
        if find_key(template, key) is None:
            raise invalid(f"Required property '{key}' not found in JSON. Path '', line 1, position 1")
    for key, kind in (("parameters", dict), ("variables", dict), ("outputs", dict), ("functions", list)):
        value = get(template, key)
        if value is not None and not isinstance(value, kind):
            raise invalid(f"The template section '{key}' must be {'an object' if kind is dict else 'an array'}")
        for entry in value.values() if isinstance(value, dict) and key != "variables" else ():
            if not isinstance(entry, dict):
                raise invalid(f"The entries of the template section '{key}' must be objects")
    if not isinstance(get(template, "resources") or [], (list, dict)):
        raise invalid("The template section 'resources' must be an array or an object")


def _profile(template: dict[str, Any]) -> str:
    """The date of an apiProfile such as 2020-09-01-hybrid: the versions that were the newest at that date."""
    named = get(template, "apiProfile")
    if named is None:
        return ""
    match = re.match(r"\d{4}-\d{2}-\d{2}", str(named))
    if match is None:
        raise invalid(f"The template property 'apiProfile' has the value '{named}', which is not a supported profile")
    return match.group(0)


def _functions(template: dict[str, Any]) -> dict[str, Any]:
    """The user-defined functions by their names in lower case."""
    result = {}
    for space in get(template, "functions", []) or []:
        members = get(space, "members") if isinstance(space, dict) else None
        if not isinstance(members, dict):
            raise invalid("The entries of the template section 'functions' must be objects with 'namespace' and 'members'")
        for name, definition in members.items():
            wanted = get(definition, "parameters", []) if isinstance(definition, dict) else None
            if not isinstance(wanted, list) or not isinstance(get(definition, "output"), dict) or not all(
                    isinstance(w, dict) and isinstance(get(w, "name"), str) for w in wanted):
                raise invalid(f"The template function '{name}' must have an 'output', and 'parameters' with names")
            result[f"{get(space, 'namespace')}.{name}".lower()] = {
                "parameters": [get(w, "name") for w in wanted], "value": get(get(definition, "output"), "value")}
    return result


def _variables(template: dict[str, Any], context: Context, values: dict[str, Any],
               functions: dict[str, Any]) -> dict[str, Any]:
    """The variables as written, but loops of variables, which are arrays from now on."""
    written = dict(get(template, "variables", {}) or {})
    key = find_key(written, "copy")
    if key is None or not isinstance(written[key], list):
        return written
    loops = written.pop(key)
    if not is_property_copy(loops) and loops:
        raise invalid("The loops of the template section 'variables' must have 'name', 'count' and 'input'")
    scope = Scope(context, values, written, functions)
    try:
        for loop in loops:
            written.update({name: _quoted(value) for name, value in property_copies([loop], scope).items()})
    except ExpressionError as problem:
        raise TemplateError(f"Unable to process template language expressions in the section 'variables': '{problem}'"
                            ) from None
    return written


def _quoted(value: Any) -> Any:
    """A value that evaluates to itself."""
    if isinstance(value, str):
        return f"[{value}" if value.startswith("[") else value
    if isinstance(value, list):
        return [_quoted(v) for v in value]
    if isinstance(value, dict):
        return {k: _quoted(v) for k, v in value.items()}
    return value


def _expand(source: Any, symbol: str | None, scope: Scope, parent: Planned | None,
            empty: set[str]) -> list[Planned]:
    """The resource, once per turn of its loop, and its children. Names of loops without turns go to `empty`."""
    if not isinstance(source, dict):
        raise invalid("The entries of the template section 'resources' must be objects")
    loop = get(source, "copy")
    if not isinstance(loop, dict):
        return _single(source, symbol, scope, parent, None, empty)
    try:
        name = str(evaluate(get(loop, "name", ""), scope))
        count = copy_count(get(loop, "count"), scope)
        serial = str(get(loop, "mode", "")).lower() == "serial"
        batch = int(evaluate(get(loop, "batchSize", 1), scope)) if serial else 0
    except (ExpressionError, ValueError) as problem:
        raise invalid(f"The template resource '{get(source, 'name')}' is not valid: {problem}") from None
    if not count:
        empty.update({name.lower(), (symbol or name).lower()})
    turns = [_single(source, symbol, scope.with_copy(name, index, as_loop=True), parent, name, empty)
             for index in range(count)]
    for index in range(batch, count) if serial else ():
        start = index - index % batch - batch
        turns[index][0].given_dependencies += [turns[i][0].id for i in range(start, start + batch)]
    return [resource for turn in turns for resource in turn]


def _single(source: dict[str, Any], symbol: str | None, scope: Scope, parent: Planned | None,
            loop: str | None, empty: set[str]) -> list[Planned]:
    written = str(get(source, "name"))
    try:
        resource = _identified(source, scope, parent)
        condition = get(source, "condition", True)
        active = boolean("condition", evaluate(condition, scope))
        existing = bool(evaluate(get(source, "existing", False), scope))
        dependencies = evaluate(get(source, "dependsOn", []) or [], scope)
        if not isinstance(dependencies, list):
            raise ExpressionError("the property 'dependsOn' must be an array")
    except ExpressionError as problem:
        raise invalid(f"The template resource '{written}' at line '1' and column '1' is not valid: {problem}. Please "
                      "see https://aka.ms/arm-functions for usage details.") from None
    resource.symbol, resource.loop, resource.existing = symbol, loop, existing
    resource.active = active and (parent is None or parent.active)
    resource.given_dependencies = [str(d) for d in dependencies]
    children = get(source, "resources", []) or []
    if not isinstance(children, (list, dict)):
        raise invalid(f"The property 'resources' of the template resource '{written}' must be an array or an object")
    pairs = children.items() if isinstance(children, dict) else ((None, c) for c in children)
    found = [resource]
    if not resource.is_deployment:
        for child_symbol, child in pairs:
            found += _expand(child, child_symbol, scope, resource, empty)
    return found


def _identified(source: dict[str, Any], scope: Scope, parent: Planned | None) -> Planned:
    """Type, name and id. Raises ExpressionError and TemplateError."""
    for key in ("type", "name", "apiVersion"):
        if get(source, key) is None and not (key == "apiVersion" and (parent is not None or scope.profile)):
            raise invalid(f"The template resource '{get(source, 'name', '')}' at line '1' and column '1' is not valid: "
                          f"the '{key}' property is required. Please see https://aka.ms/arm-syntax-resources for usage "
                          "details.")
    kind, name = str(evaluate(get(source, "type"), scope)), evaluate(get(source, "name"), scope)
    version = evaluate(get(source, "apiVersion", parent.api_version if parent else scope.profile), scope)
    if not isinstance(name, str) or not name:     # UNKNOWN is no text either
        raise ExpressionError("the resource name must be a string that is not empty")
    if parent is not None and not kind.lower().startswith(parent.type.split("/")[0].lower() + "/"):
        kind, name = f"{parent.type}/{kind}", f"{parent.name}/{name}"
    base = _base(source, scope, kind)
    types, names = kind.split("/")[1:], name.split("/")
    if not types or len(types) != len(names):
        raise invalid(f"The template resource '{name}' for type '{kind}' at line '1' and column '1' has incorrect "
                      "segment lengths. A nested resource type must have identical number of segments as its resource "
                      "name. A root resource type must have segment length one greater than its resource name. Please "
                      "see https://aka.ms/arm-syntax-resources for usage details.")
    path = kind.split("/")[0] + "".join(f"/{t}/{n}" for t, n in zip(types, names))
    if get(source, "apiVersion") is None and parent is None:
        version = api_versions.at(kind, scope.profile)
    where = f"{base}/providers/{path}"
    if kind.lower() == GROUP_TYPE and "/resourceGroups/" not in base:
        where = f"{base}/resourceGroups/{name}"
    return Planned(where, kind, name, str(version), source, scope)


def _base(source: dict[str, Any], scope: Scope, kind: str) -> str:
    """The scope that the resource is deployed to: that of its template, or what it names."""
    given = get(source, "scope")
    if given is not None:
        where = str(evaluate(given, scope))
        return where if where.startswith("/") else f"{scope.scope_id}/providers/{where}"
    base = scope.scope_id
    subscription, group = get(source, "subscriptionId"), get(source, "resourceGroup")
    if subscription is not None:
        base = f"/subscriptions/{evaluate(subscription, scope)}"
        group = group if group is not None else (scope.context.group or {}).get("name")
    if group is not None:
        root = base if subscription is not None else str(scope.context.subscription["id"])
        base = f"{root}/resourceGroups/{evaluate(group, scope)}"
    return base


def _check_unique(resources: list[Planned]) -> None:
    seen = set()
    for resource in resources:
        if not resource.active:
            continue
        if resource.key in seen:
            raise invalid(f"The resource '{resource.type}/{resource.name}' at line '1' and column '1' is defined "
                          "multiple times in a template. Please see https://aka.ms/arm-syntax-resources for usage "
                          "details.")
        seen.add(resource.key)


def outputs(plan: Plan, runtime: Runtime) -> dict[str, Any]:
    """The outputs with their types; secure ones without their value. Raises TemplateError."""
    scope = plan.scope.with_runtime(runtime)
    result: dict[str, Any] = {}
    for name, declaration in plan.outputs.items():
        try:
            if not boolean("condition", evaluate(get(declaration, "condition", True), scope)):
                continue
            loop = get(declaration, "copy")
            if isinstance(loop, dict):
                value: Any = [evaluate(get(loop, "input"), scope.with_copy(name, index, as_loop=True))
                              for index in range(copy_count(get(loop, "count"), scope))]
            else:
                value = evaluate(get(declaration, "value"), scope)
        except ExpressionError as problem:
            raise TemplateError(f"Unable to evaluate template outputs: '{name}'. Please see error details and "
                                f"deployment operations. Please see https://aka.ms/arm-common-errors for usage "
                                f"details. '{problem}'", "DeploymentOutputEvaluationFailed") from None
        result[name] = _output(name, declaration, value)
    return result


def _output(name: str, declaration: dict[str, Any], value: Any) -> dict[str, Any]:
    label, kind = parameters.TYPES.get(str(get(declaration, "type")).lower(), ("", object))
    if not isinstance(value, kind) and value is not None:
        raise TemplateError(f"The template output '{name}' is not valid: Template output JToken type is not valid. "
                            f"Expected '{label}'. Please see https://aka.ms/arm-syntax-outputs for usage details.",
                            "DeploymentOutputEvaluationFailed")
    return {"type": label} if label.startswith("Secure") else {"type": label, "value": value}
