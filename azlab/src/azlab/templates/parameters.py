# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parameters of a template: what is given, defaults, types and limits, and how they are shown.

https://learn.microsoft.com/azure/azure-resource-manager/templates/parameters
"""
from __future__ import annotations

from dataclasses import replace
from typing import Any

from azlab.templates.context import Context, Scope
from azlab.templates.errors import ExpressionError, TemplateError, invalid
from azlab.templates.evaluate import evaluate
from azlab.templates.values import find_key, get, same, text_of, type_name

TYPES = {"string": ("String", str), "securestring": ("SecureString", str), "int": ("Int", int),
         "bool": ("Bool", bool), "object": ("Object", dict), "secureobject": ("SecureObject", dict),
         "array": ("Array", list)}
_EXPECTED = {str: "String, Uri", int: "Integer", bool: "Boolean", dict: "Object", list: "Array"}


def type_of(declaration: dict[str, Any]) -> str:
    """The type's name as Azure writes it back."""
    return TYPES[str(get(declaration, "type")).lower()][0]


def is_secure(declaration: dict[str, Any]) -> bool:
    return str(get(declaration, "type", "")).lower().startswith("secure")


def resolve(declared: dict[str, Any], given: dict[str, Any], context: Context,
            functions: dict[str, Any]) -> dict[str, Any]:
    """The value of every parameter. `given` is {name: {"value": …}}. Raises TemplateError."""
    _check_names(declared, given)
    values: dict[str, Any] = {}
    missing = []
    for name, declaration in declared.items():
        if str(get(declaration, "type")).lower() not in TYPES:
            raise invalid(f"Template parameter '{name}' has an unknown type '{get(declaration, 'type')}'. Please see "
                          "https://aka.ms/arm-syntax-parameters for usage details.")
        supplied = get(given, name)
        if isinstance(supplied, dict) and find_key(supplied, "reference"):
            raise TemplateError(f"The parameter '{name}' refers to a key vault. This lab has no key vaults: give the "
                                "value itself.")
        if isinstance(supplied, dict) and get(supplied, "value") is not None:
            values[name] = _checked(name, declaration, get(supplied, "value"))
        elif find_key(declaration, "defaultValue") is None and not get(declaration, "nullable"):
            missing.append(name)
    if missing:
        raise invalid(f"The value for the template parameter '{missing[0]}' at line '1' and column '1' is not "
                      "provided. Please see https://aka.ms/arm-create-parameter-file for usage details.")
    _defaults(declared, values, Scope(context, values, functions=functions, fresh_values=True))
    return {name: values[name] for name in declared}


def _check_names(declared: dict[str, Any], given: dict[str, Any]) -> None:
    unknown = [name for name in given if find_key(declared, name) is None]
    if unknown:
        raise invalid(f"The template parameters '{', '.join(unknown)}' in the parameters file are not valid; they are "
                      "not present in the original template and can therefore not be provided at deployment time. The "
                      f"only supported parameters for this template are '{', '.join(declared)}'. Please see "
                      "https://aka.ms/arm-pass-parameter-values for usage details.")


def _defaults(declared: dict[str, Any], values: dict[str, Any], scope: Scope) -> None:
    """Default values may use other parameters, in whatever order they stand."""
    waiting = [name for name in declared if name not in values]
    while waiting:
        later, problem = [], None
        for name in waiting:
            default = get(declared[name], "defaultValue")
            try:
                value = evaluate(default, replace(scope, cache={}))
            except ExpressionError as error:
                later.append(name)
                problem = (name, error)
                continue
            values[name] = _checked(name, declared[name], value) if value is not None else None
        if len(later) == len(waiting) and problem is not None:
            raise TemplateError("Unable to process template language expressions for parameter "
                                f"'{problem[0]}': '{problem[1]}'")
        waiting = later


def _checked(name: str, declaration: dict[str, Any], value: Any) -> Any:
    label, kind = TYPES[str(get(declaration, "type")).lower()]
    if kind is int and isinstance(value, str) and value.lstrip("-").isdigit():
        value = int(value)          # the portal and older clients send numbers as text
    if kind is bool and isinstance(value, str) and value.lower() in ("true", "false"):
        value = value.lower() == "true"
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise invalid(f"Template parameter JToken type is not valid. Expected '{_EXPECTED[kind]}'. Actual "
                      f"'{type_name(value)}'. Please see https://aka.ms/arm-deploy/#parameter-file for usage details.")
    allowed = get(declaration, "allowedValues")
    shown = "***" if label.startswith("Secure") else text_of(value)
    if isinstance(allowed, list) and not _allowed(value, allowed):
        raise invalid(f"The provided value '{shown}' for the template parameter '{name}' is not valid. The value "
                      f"'{shown}' is not part of the allowed value(s): '{','.join(text_of(a) for a in allowed)}'.")
    for key, smaller in (("minLength", True), ("minValue", True), ("maxLength", False), ("maxValue", False)):
        limit = get(declaration, key)
        if isinstance(limit, int):
            _limited(name, value, key, limit, smaller)
    return value


def _allowed(value: Any, allowed: Any) -> bool:
    if isinstance(value, list):
        return all(any(same(item, a) for a in allowed) for item in value) or any(same(value, a) for a in allowed)
    if isinstance(value, str):
        return any(isinstance(a, str) and a.lower() == value.lower() for a in allowed)
    return any(same(value, a) for a in allowed)


def _limited(name: str, value: Any, key: str, limit: int, smaller: bool) -> None:
    is_length = key.endswith("Length")
    if is_length is isinstance(value, int):
        return
    measure = len(value) if is_length else value
    if (measure < limit) if smaller else (measure > limit):
        relation = "greater than or equal to" if smaller else "less than or equal to"
        what = "Length of the value" if is_length else "The value"
        raise invalid(f"The provided value for the template parameter '{name}' is not valid. {what} should be "
                      f"{relation} '{limit}'. Please see https://aka.ms/arm-create-parameter-file for usage details.")


def shown(declared: dict[str, Any], values: dict[str, Any]) -> dict[str, Any]:
    """Parameters as a deployment shows them: secure ones without their value."""
    result: dict[str, Any] = {}
    for name, declaration in declared.items():
        result[name] = {"type": type_of(declaration)}
        if not is_secure(declaration):
            result[name]["value"] = values[name]
    return result
