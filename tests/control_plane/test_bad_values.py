# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values of the wrong kind for each option that has one, also in lists and dictionaries: the message names option and value, and nothing is sent.

What is wrong about a value of the right kind is tested beside each module, word for word.
"""

from __future__ import annotations

import importlib

import pytest
import yaml

MODULES = ("host_group", "host_group_info", "network", "load_balancer", "resource_group")
WRONG = {"bool": "perhaps", "int": "many", "float": "much", "list": {"a": "b"}, "dict": "word"}
SAID = {"list": "cannot be converted to a list", "dict": "dictionary requested", "bool": "perhaps", "int": "many", "float": "cannot be converted to a float"}
RIGHT = {"str": "x", "raw": "x", "path": "x", "bool": True, "int": 1, "float": 1.0, "list": [], "dict": {}}


def options_of(module):
    found = importlib.import_module("ansible_collections.dockhost.azure.plugins.modules." + module)
    return yaml.safe_load(found.DOCUMENTATION)["options"]


def right(options):
    """Values of the right kind for what must be given."""
    return {name: _right(option) for name, option in options.items() if option.get("required")}


def _right(option):
    return option["choices"][0] if "choices" in option else RIGHT[option["type"]]


def bad(options):
    """(arguments, name of the option, what the message must have besides) for each option of a kind that can be missed."""
    for name, option in options.items():
        given = right(options)
        if "choices" in option:
            value = "wrong-choice" if option["type"] == "str" else option["choices"]
            yield {**given, name: value}, name, (value, ", ".join(str(choice) for choice in option["choices"]))
        elif option["type"] in WRONG and not (option["type"] == "dict" and "suboptions" in option):  # of those Ansible does not name the option
            yield {**given, name: WRONG[option["type"]]}, name, (SAID[option["type"]],)
        for inner, inner_name, said in bad(option.get("suboptions") or {}):
            yield {**given, name: [inner] if option["type"] == "list" else inner}, inner_name, said


# what the module asks for besides, before Ansible looks into lists and dictionaries
BESIDE = {"host_group": {"size": "x", "subnet": {"network": "x", "name": "x"}, "ssh_public_keys": ["x"], "count": 1}}
CASES = [
    (module, {**({} if name == "names" else BESIDE.get(module, {})), **arguments}, name, said)
    for module in MODULES for arguments, name, said in bad(options_of(module))
]


@pytest.mark.parametrize("module, arguments, name, said", CASES, ids=[f"{case[0]}-{number}-{case[2]}" for number, case in enumerate(CASES)])
def test_a_value_of_the_wrong_kind(azure, module, arguments, name, said):
    before = len(azure.admin.requests(limit=100000))
    result = azure.run(module, arguments)
    assert result["failed"] and name in result["msg"], result
    assert all(text in result["msg"] for text in said), result["msg"]
    assert len(azure.admin.requests(limit=100000)) == before, "something was sent"


def test_every_kind_is_there():
    """Whoever adds an option finds it here without doing anything; what is left out is text, which is checked by its meaning."""
    names = {(case[0], case[2]) for case in CASES}
    assert {("host_group", "scale_in"), ("host_group", "caching"), ("host_group", "vtpm"), ("network", "direction"), ("load_balancer", "protocol")} <= names
    assert len(CASES) > 70
