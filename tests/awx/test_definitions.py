# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is written for AWX fits together: templates, surveys, playbooks, roles, the file for import, the execution environment."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import pathlib
import re
import subprocess
import sys

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from job import AWX, definitions, injected, survey_defaults

ROOT = AWX.parent
BIN = pathlib.Path(sys.executable).parent
TEMPLATES = {t["name"]: t for t in definitions()["job_templates"]}
TYPES = {"text": str, "textarea": str, "password": str, "integer": int, "float": float, "multiplechoice": str}


def role_options(role: str, entry: str = "main") -> dict:
    specs = yaml.safe_load((ROOT / "roles" / role / "meta" / "argument_specs.yml").read_text())["argument_specs"]
    return specs[entry]["options"]


def known_variables() -> dict:
    """Variable -> its argument spec, of all roles; what a playbook documents at its beginning takes anything."""
    found = {name: {"type": "raw"} for path in (ROOT / "playbooks").glob("*.yml") for name in re.findall(r"^#   ([a-z]+_\w+)", path.read_text(), re.M)}
    for path in (ROOT / "roles").glob("*/meta/argument_specs.yml"):
        for entry in yaml.safe_load(path.read_text())["argument_specs"].values():
            found.update(entry.get("options", {}))
    return found


def test_the_file_for_import_is_made_from_the_definitions():
    loader = importlib.machinery.SourceFileLoader("awx_json", str(ROOT / "scripts" / "awx_json.py"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("awx_json", loader))
    loader.exec_module(module)
    assert (AWX / "awx.json").read_text() == module.render(), "run scripts/awx_json.py"


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_leads_to_a_playbook_of_the_collection(name):
    plays = yaml.safe_load((AWX / "project" / TEMPLATES[name]["playbook"]).read_text())
    for play in plays:
        namespace, collection, playbook = play["ansible.builtin.import_playbook"].split(".")
        assert (namespace, collection) == ("dockhost", "azure")
        assert (ROOT / "playbooks" / f"{playbook}.yml").is_file()
    assert set(TEMPLATES[name]["credentials"]) <= set(definitions()["credentials"])


@pytest.mark.parametrize("name", [*TEMPLATES, "workflow"])
def test_every_answer_of_a_survey_is_a_flat_scalar_that_the_role_takes_as_text(name):
    template = TEMPLATES.get(name) or definitions()["workflow"]
    known = known_variables()
    for question in template["survey"]:
        variable, default = question["variable"], question["default"]
        assert variable in known, f"no role or playbook has a variable {variable}"
        assert isinstance(default, TYPES[question["type"]]) and not isinstance(default, bool), variable
        assert len(str(default)) <= question.get("max", 1000) or question["type"] == "integer", variable
        if question["type"] == "multiplechoice":
            assert default in question["choices"]
        spec = {k: v for k, v in known[variable].items() if k in ("type", "choices", "elements")}
        for answer in question.get("choices", [default]):
            checked = ArgumentSpecValidator({variable: spec}).validate({variable: str(answer)})
            assert not checked.error_messages, checked.error_messages


def test_the_workflow_asks_what_its_templates_ask():
    workflow = definitions()["workflow"]
    asked = {q["variable"]: q for s in workflow["steps"] if s != "inventory" for q in TEMPLATES[s]["survey"]}
    assert {q["variable"]: q for q in workflow["survey"]} == asked


def test_the_credential_gives_each_application_a_seed_of_its_own_that_its_role_keeps_out_of_sight():
    given = injected("x" * 32)
    assert len(set(given.values())) == len(given) == 4
    for name in given:
        assert role_options(name.partition("_")[0])[name]["no_log"] is True
    # The playbook that configures AWX has them once more, in words that Ansible leaves alone.
    written = re.findall(r'^ +(\w+_secret_seed): !unsafe "(.+)"$', (AWX / "configure.yml").read_text(), re.M)
    assert dict(written) == definitions()["credential_type"]["injectors"]["extra_vars"]


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_is_in_the_guide(name):
    words = name.partition(", ")[2]
    table = (ROOT / "docs" / "awx.md").read_text().partition("## Job templates")[2].partition("Each can be launched")[0]
    assert re.search(rf"\b{words}\b", table), f"docs/awx.md does not tell of {name}"


def test_no_survey_asks_for_a_secret():
    variables = {q["variable"] for t in TEMPLATES.values() for q in t["survey"]}
    assert not [v for v in variables if any(w in v for w in ("password", "secret", "seed", "token"))]


def test_ansible_builder_takes_the_execution_environment(tmp_path):
    made = subprocess.run([str(BIN / "ansible-builder"), "create", "-f", str(AWX / "execution-environment.yml"), "-c", str(tmp_path / "context"),
                           "--output-filename", "Containerfile"],
                          capture_output=True, text=True, check=False, cwd=tmp_path)
    assert made.returncode == 0, made.stdout + made.stderr
    assert "ansible-doc -t module dockhost.azure.host_group" in (tmp_path / "context" / "Containerfile").read_text()
    assert "dockhost.azure" in (tmp_path / "context" / "_build" / "requirements.yml").read_text()


def test_ansible_builder_finds_what_the_collection_needs(tmp_path):
    folder = tmp_path / "ansible_collections" / "dockhost" / "azure"
    folder.parent.mkdir(parents=True)
    folder.symlink_to(ROOT)
    found = subprocess.run([str(BIN / "ansible-builder"), "introspect", str(tmp_path)], capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout + found.stderr
    said = yaml.safe_load(found.stdout)
    for wanted in ("aiohttp", "azure-identity", "azure-mgmt-compute", "azure-mgmt-network"):
        assert [line for line in said["python"] if line.startswith(wanted) and "dockhost.azure" in line]
    assert [line for line in said["system"] if line.startswith("openssh-client ")]


def test_defaults_of_a_survey_are_answers():
    assert survey_defaults(TEMPLATES["Docker hosts, provision"])["deployment_hosts"] == 3
