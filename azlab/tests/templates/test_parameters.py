# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parameters: types, defaults, limits, and that secrets are not shown."""
from __future__ import annotations

import pytest
from azlab.templates.errors import TemplateError
from azlab.templates.parameters import resolve, shown

from .template_tools import context


def values(declared, **given):
    return resolve(declared, {k: {"value": v} for k, v in given.items()}, context(), {})


def test_defaults_may_use_other_parameters_and_functions():
    declared = {"nic": {"type": "string", "defaultValue": "[concat(parameters('name'), '-nic')]"},
                "name": {"type": "string", "defaultValue": "vm"},
                "where": {"type": "string", "defaultValue": "[resourceGroup().location]"},
                "now": {"type": "string", "defaultValue": "[utcNow('yyyy')]"},
                "id": {"type": "string", "defaultValue": "[newGuid()]"},
                "list": {"type": "array", "defaultValue": ["[parameters('name')]"]}}
    found = values(declared, NAME="web")
    assert (found["nic"], found["where"], found["list"]) == ("web-nic", "westeurope", ["web"])
    assert found["now"].startswith("2") and len(found["now"]) == 4 and len(found["id"]) == 36
    assert list(found) == list(declared)


def test_numbers_and_booleans_may_come_as_text():
    assert values({"n": {"type": "int"}, "b": {"type": "bool"}}, n="3", b="True") == {"n": 3, "b": True}


@pytest.mark.parametrize(("declaration", "value", "message"), [
    ({"type": "string"}, 5, "Template parameter JToken type is not valid. Expected 'String, Uri'. Actual 'Integer'."),
    ({"type": "int"}, "x", "Expected 'Integer'. Actual 'String'."),
    ({"type": "int"}, True, "Expected 'Integer'. Actual 'Boolean'."),
    ({"type": "array"}, {}, "Expected 'Array'. Actual 'Object'."),
    ({"type": "string", "allowedValues": ["a", "b"]}, "c",
     "The provided value 'c' for the template parameter 'p' is not valid. The value 'c' is not part of the allowed "
     "value(s): 'a,b'."),
    ({"type": "securestring", "allowedValues": ["a"]}, "geheim", "The provided value '***' for the template parameter"),
    ({"type": "string", "minLength": 3}, "ab", "Length of the value should be greater than or equal to '3'."),
    ({"type": "string", "maxLength": 1}, "ab", "Length of the value should be less than or equal to '1'."),
    ({"type": "int", "minValue": 2}, 1, "The value should be greater than or equal to '2'."),
    ({"type": "int", "maxValue": 2}, 3, "The value should be less than or equal to '2'."),
    ({"type": "number"}, 3, "Template parameter 'p' has an unknown type 'number'."),
])
def test_what_is_refused(declaration, value, message):
    with pytest.raises(TemplateError) as caught:
        values({"p": declaration}, p=value)
    assert message in caught.value.message
    assert caught.value.message.startswith("Deployment template validation failed: '")
    assert caught.value.code == "InvalidTemplate"
    assert "geheim" not in caught.value.message


def test_missing_and_surplus_parameters():
    declared = {"a": {"type": "string"}, "b": {"type": "string"}}
    with pytest.raises(TemplateError, match="The value for the template parameter 'b' .* is not provided"):
        values(declared, a="x")
    with pytest.raises(TemplateError, match="The template parameters 'c' in the parameters file are not valid; .* only "
                                            "supported parameters for this template are 'a, b'"):
        values(declared, a="x", b="y", c="z")
    with pytest.raises(TemplateError, match="This lab has no key vaults: give the value itself"):
        resolve({"a": {"type": "string"}}, {"a": {"reference": {"keyVault": {"id": "x"}, "secretName": "s"}}}, context(), {})
    with pytest.raises(TemplateError, match="for parameter 'a'"):
        values({"a": {"type": "string", "defaultValue": "[parameters('a')]"}})


def test_secure_parameters_are_shown_by_their_type_only():
    declared = {"p": {"type": "securestring"}, "o": {"type": "secureObject"}, "s": {"type": "string"}}
    assert shown(declared, {"p": "geheim", "o": {"a": 1}, "s": "x"}) == {
        "p": {"type": "SecureString"}, "o": {"type": "SecureObject"}, "s": {"type": "String", "value": "x"}}
