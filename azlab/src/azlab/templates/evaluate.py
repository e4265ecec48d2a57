# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Evaluates expressions, and documents that hold some."""
from __future__ import annotations

from dataclasses import replace
from typing import Any

from azlab.templates import (  # noqa: F401 - the table
    functions_dates,
    functions_deploy,
    functions_logic,
    functions_text,
    functions_values,
)
from azlab.templates.context import Scope
from azlab.templates.errors import ExpressionError
from azlab.templates.expressions import Invoke, Item, Literal, Member, Node, is_expression, literal, parse
from azlab.templates.registry import TABLE, boolean, check_count, integer, text, wrong
from azlab.templates.values import UNKNOWN, get, has_unknown, member

MOST_COPIES = 800       # Azure's limit for the turns of one loop
MOST_CHARACTERS = 1 << 20      # far above what Azure takes; keeps a template from filling the memory
_DEEPEST = 64


def evaluate(value: Any, scope: Scope) -> Any:
    """A document with its expressions replaced by their values. Raises ExpressionError."""
    if isinstance(value, str):
        return run(parse(value), scope) if is_expression(value) else literal(value)
    if isinstance(value, list):
        return [evaluate(item, scope) for item in value]
    if isinstance(value, dict):
        return _object(value, scope)
    return value


def show(value: Any, scope: Scope) -> Any:
    """As `evaluate`, but what is not known yet stays as it is written."""
    if isinstance(value, str):
        result = evaluate(value, scope)
        return value if has_unknown(result) else result
    if isinstance(value, list):
        return [show(item, scope) for item in value]
    if isinstance(value, dict):
        return _object(value, scope, show)
    return value


def _object(value: dict[str, Any], scope: Scope, each: Any = evaluate) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, item in value.items():
        if key.lower() == "copy" and is_property_copy(item):
            result.update(property_copies(item, scope, each))
            continue
        name = run(parse(key), scope) if is_expression(key) else literal(key)
        if name is UNKNOWN:
            name = key
        result[text("object", name)] = each(item, scope)
    return result


def is_property_copy(item: Any) -> bool:
    """Whether a value is a list of loops that make arrays."""
    return isinstance(item, list) and bool(item) and all(
        isinstance(c, dict) and {"name", "count", "input"} <= {k.lower() for k in c} for c in item)


def property_copies(loops: list[dict[str, Any]], scope: Scope, each: Any = evaluate) -> dict[str, list[Any]]:
    """The arrays that the loops of an object make."""
    result = {}
    for loop in loops:
        name = text("copy", evaluate(get(loop, "name"), scope))
        count = copy_count(get(loop, "count"), scope)
        result[name] = [each(get(loop, "input"), scope.with_copy(name, index, as_loop=False))
                        for index in range(count)]
    return result


def copy_count(given: Any, scope: Scope) -> int:
    """How many turns a loop has. Raises ExpressionError when it is no number or too many."""
    count = evaluate(given, scope)
    if isinstance(count, str) and count.isdigit():
        count = int(count)
    if isinstance(count, bool) or not isinstance(count, int):
        raise ExpressionError("The template copy definition has a 'count' that is not an integer. Please see "
                              "https://aka.ms/arm-resource-loops for usage details.")
    if not 0 <= count <= MOST_COPIES:
        raise ExpressionError(f"The value of the template copy property 'count' must be between '0' and "
                              f"'{MOST_COPIES}'. It is '{count}'. Please see https://aka.ms/arm-resource-loops for "
                              "usage details.")
    return count


def run(node: Node, scope: Scope) -> Any:
    """The value of a syntax tree."""
    if isinstance(node, Literal):
        return node.value
    if isinstance(node, Member):
        return member(run(node.target, scope), node.name)
    if isinstance(node, Item):
        return member(run(node.target, scope), run(node.index, scope))
    return _call(node, scope)


def _call(node: Invoke, scope: Scope) -> Any:
    name = node.name.lower()
    special = _SPECIAL.get(name)
    if special is not None:
        return special(node, scope)
    if "." in name:
        return _user_function(node, scope)
    arguments = [run(a, scope) for a in node.arguments]
    if name.startswith("list") and name not in TABLE:
        return functions_deploy.list_function(scope, node.name, *arguments)
    found = TABLE.get(name)
    if found is None:
        raise ExpressionError(f"The template function '{node.name}' is not valid. Please see "
                              "https://aka.ms/arm-functions for usage details.")
    check_count(found, len(arguments))
    if not found.keeps_unknown and has_unknown(arguments):
        return UNKNOWN
    result = found.work(scope, *arguments) if found.needs_scope else found.work(*arguments)
    if isinstance(result, (str, list)) and len(result) > MOST_CHARACTERS:
        raise wrong(found.name, f"made a value of more than '{MOST_CHARACTERS}' characters or items")
    return result


def _user_function(node: Invoke, scope: Scope) -> Any:
    definition = scope.functions.get(node.name.lower())
    if definition is None:
        raise ExpressionError(f"The template function '{node.name}' is not valid. Please see "
                              "https://aka.ms/arm-functions for usage details.")
    wanted = definition["parameters"]
    if len(wanted) != len(node.arguments):
        raise wrong(node.name, f"expects exactly '{len(wanted)}' parameter(s): it was invoked with "
                               f"'{len(node.arguments)}' parameter(s)")
    values = {p: run(a, scope) for p, a in zip(wanted, node.arguments)}
    inner = replace(scope, parameters=values, variables={}, functions={}, copies={}, loop=None, runtime=None,
                    only_parameters=True, cache={})
    return evaluate(definition["value"], inner)


def _if(node: Invoke, scope: Scope) -> Any:
    if len(node.arguments) != 3:
        raise wrong("if", f"expects exactly '3' parameter(s): it was invoked with '{len(node.arguments)}' parameter(s)")
    condition = run(node.arguments[0], scope)
    if condition is UNKNOWN:
        for branch in node.arguments[1:]:       # so that both say on which resources they depend
            try:
                run(branch, scope)
            except ExpressionError:
                pass
        return UNKNOWN
    return run(node.arguments[1 if boolean("if", condition) else 2], scope)


def _logic(name: str, decisive: bool) -> Any:
    def work(node: Invoke, scope: Scope) -> Any:
        if len(node.arguments) < 2:
            raise wrong(name, f"expects at least '2' parameter(s): it was invoked with '{len(node.arguments)}' "
                              "parameter(s)")
        unknown = False
        for argument in node.arguments:
            value = run(argument, scope)
            if value is UNKNOWN:
                unknown = True
            elif boolean(name, value) is decisive:
                return decisive
        return UNKNOWN if unknown else not decisive
    return work


def _variables(node: Invoke, scope: Scope) -> Any:
    name = _one_name(node, scope)
    found = None if scope.only_parameters else next((k for k in scope.variables if k.lower() == name.lower()), None)
    if found is None:
        raise ExpressionError(f"The template variable '{name}' is not found. Please see "
                              "https://aka.ms/arm-syntax-variables for usage details.")
    if found not in scope.cache:
        if len(scope.cache.setdefault("", [])) > _DEEPEST or found in scope.cache[""]:
            raise ExpressionError(f"The template variable '{name}' refers to itself. Please see "
                                  "https://aka.ms/arm-syntax-variables for usage details.")
        scope.cache[""].append(found)
        try:
            scope.cache[found] = evaluate(scope.variables[found], scope)
        finally:
            scope.cache[""].remove(found)
    return scope.cache[found]


def _parameters(node: Invoke, scope: Scope) -> Any:
    name = _one_name(node, scope)
    found = next((k for k in scope.parameters if k.lower() == name.lower()), None)
    if found is None:
        raise ExpressionError(f"The template parameter '{name}' is not found. Please see "
                              "https://aka.ms/arm-syntax-parameters for usage details.")
    return scope.parameters[found]


def _one_name(node: Invoke, scope: Scope) -> str:
    if len(node.arguments) != 1:
        raise wrong(node.name, f"expects exactly '1' parameter(s): it was invoked with '{len(node.arguments)}' "
                               "parameter(s)")
    return text(node.name, run(node.arguments[0], scope))


def _copy_index(node: Invoke, scope: Scope) -> Any:
    arguments = [run(a, scope) for a in node.arguments]
    name, offset = scope.loop, 0
    for argument in arguments:
        if isinstance(argument, str):
            name = argument.lower()
        else:
            offset = integer("copyIndex", argument)
    if name is None or name not in scope.copies:
        raise ExpressionError("The template function 'copyIndex' is not expected at this location. The function can "
                              "only be used in a resource with copy specified. Please see https://aka.ms/arm-copy for "
                              "usage details.")
    return scope.copies[name] + offset


_SPECIAL = {"if": _if, "and": _logic("and", False), "or": _logic("or", True), "variables": _variables,
            "parameters": _parameters, "copyindex": _copy_index}
