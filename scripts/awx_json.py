# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes awx/awx.json, the form that `awx import` takes, from awx/definitions.yml. Secrets are not in it: they are entered in AWX."""

from __future__ import annotations

import json
import pathlib
import sys
from typing import Any

import yaml

AWX = pathlib.Path(__file__).resolve().parents[1] / "awx"
KINDS = {"Microsoft Azure Resource Manager": "cloud", "Machine": "ssh"}


def key(of: str, name: str, **more: Any) -> dict[str, Any]:
    """The natural key by which `awx import` finds an object."""
    return {**more, "name": name, "type": of}


class Assets:
    """The objects of a definition, each with its natural key."""

    def __init__(self, said: dict[str, Any]) -> None:
        self.said = said
        self.org = key("organization", said["organization"])
        self.project = key("project", said["project"]["name"], organization=self.org)
        self.inventory = key("inventory", said["inventory"]["name"], organization=self.org)
        self.environment = key("execution_environment", said["execution_environment"]["name"])

    def credential_type(self, name: str) -> dict[str, Any]:
        return key("credential_type", name, kind=KINDS.get(name, "cloud"))

    def credential(self, short: str) -> dict[str, Any]:
        found = self.said["credentials"][short]
        return key("credential", found["name"], organization=self.org, credential_type=self.credential_type(found["type"]))

    @staticmethod
    def survey(questions: list[dict[str, Any]]) -> dict[str, Any]:
        return {"name": "", "description": "", "spec": questions}

    def source(self) -> dict[str, Any]:
        return key("inventory_source", self.said["inventory"]["source"], organization=self.org, inventory=self.inventory)

    def job_template(self, said: dict[str, Any]) -> dict[str, Any]:
        return {"name": said["name"], "job_type": "run", "playbook": said["playbook"], "project": self.project, "inventory": self.inventory,
                "execution_environment": self.environment, "organization": self.org, "ask_job_type_on_launch": True, "ask_diff_mode_on_launch": True,
                "ask_variables_on_launch": True, "survey_enabled": True, "natural_key": key("job_template", said["name"], organization=self.org),
                "related": {"credentials": [self.credential(c) for c in said["credentials"]], "survey_spec": self.survey(said["survey"])}}

    def workflow(self) -> dict[str, Any]:
        said = self.said["workflow"]
        own = key("workflow_job_template", said["name"], organization=self.org)

        def node(number: int) -> dict[str, Any]:
            return {"workflow_job_template": own, "identifier": str(number), "type": "workflow_job_template_node"}
        nodes = []
        for number, step in enumerate(said["steps"], 1):
            target = self.source() if step == "inventory" else key("job_template", step, organization=self.org)
            following = [node(number + 1)] if number < len(said["steps"]) else []
            nodes.append({"identifier": str(number), "unified_job_template": target, "workflow_job_template": own, "natural_key": node(number),
                          "related": {"success_nodes": following, "failure_nodes": [], "always_nodes": [], "credentials": []}})
        return {"name": said["name"], "organization": self.org, "inventory": self.inventory, "ask_variables_on_launch": True, "survey_enabled": True,
                "natural_key": own, "related": {"survey_spec": self.survey(said["survey"]), "workflow_nodes": nodes}}

    def all(self) -> dict[str, list[dict[str, Any]]]:
        said, org = self.said, self.org
        own = said["credential_type"]
        return {
            "organizations": [{"name": said["organization"], "natural_key": org}],
            "credential_types": [{**{k: own[k] for k in ("name", "description", "inputs", "injectors")}, "kind": "cloud",
                                  "natural_key": self.credential_type(own["name"])}],
            "credentials": [{"name": c["name"], "organization": org, "credential_type": self.credential_type(c["type"]),
                             "inputs": {"username": c["username"], "become_method": "sudo"} if "username" in c else {},
                             "natural_key": self.credential(short)} for short, c in said["credentials"].items()],
            "execution_environments": [{**said["execution_environment"], "organization": org, "pull": "missing", "natural_key": self.environment}],
            "projects": [{**said["project"], "scm_type": "git", "organization": org, "default_environment": self.environment, "natural_key": self.project}],
            "inventory": [{"name": said["inventory"]["name"], "organization": org, "natural_key": self.inventory}],
            "inventory_sources": [{"name": said["inventory"]["source"], "inventory": self.inventory, "source": "scm", "source_project": self.project,
                                   "source_path": said["inventory"]["source_path"], "credential": self.credential("azure"),
                                   "execution_environment": self.environment, "overwrite": True, "overwrite_vars": True, "update_on_launch": True,
                                   "update_cache_timeout": 0, "natural_key": self.source()}],
            "job_templates": [self.job_template(t) for t in said["job_templates"]],
            "workflow_job_templates": [self.workflow()]}


def render() -> str:
    """The text of awx.json."""
    return json.dumps(Assets(yaml.safe_load((AWX / "definitions.yml").read_text())).all(), indent=1) + "\n"


if __name__ == "__main__":
    if sys.argv[1:]:
        sys.exit("usage: awx_json.py (writes awx/awx.json)")
    (AWX / "awx.json").write_text(render())
