# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What no tool catches: role defaults that differ from the argument specs, variables without the role's name."""

from __future__ import annotations

import pathlib

import pytest
import yaml

ROLES = sorted((pathlib.Path(__file__).resolve().parents[2] / "roles").iterdir())


def load(path):
    return yaml.safe_load(path.read_text()) if path.exists() else {}


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_defaults_and_argument_specs_say_the_same(role):
    defaults = load(role / "defaults" / "main.yml") or {}
    options = load(role / "meta" / "argument_specs.yml")["argument_specs"]["main"]["options"]
    documented = {name: option["default"] for name, option in options.items() if "default" in option}
    assert documented == defaults


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_variables_begin_with_the_name_of_the_role(role):
    for name in load(role / "defaults" / "main.yml") or {}:
        assert name.startswith(role.name + "_")
    for name in load(role / "vars" / "main.yml") or {}:
        assert name.startswith("__" + role.name + "_")


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_each_option_says_what_it_is_for(role):
    for entry_point in load(role / "meta" / "argument_specs.yml")["argument_specs"].values():
        for name, option in entry_point["options"].items():
            assert option.get("description"), name
