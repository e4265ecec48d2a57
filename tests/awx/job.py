# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A job of AWX without AWX: the folder that AWX hands to ansible-runner in an execution environment, and what comes of it."""

from __future__ import annotations

import dataclasses
import json
import pathlib
import shutil

import ansible_runner
import yaml
from deployment import Deployment

AWX = pathlib.Path(__file__).resolve().parents[2] / "awx"


def definitions() -> dict:
    """What AWX is to hold."""
    return yaml.safe_load((AWX / "definitions.yml").read_text())


def survey_defaults(template: dict) -> dict:
    """Answers of somebody who clicks through the survey. AWX hands numbers on as numbers and everything else as text."""
    return {q["variable"]: q["default"] for q in template["survey"]}


def injected(seed: str) -> dict:
    """What the credential for applications adds to a job's variables."""
    return {name: text.replace("{{ seed }}", seed) for name, text in definitions()["credential_type"]["injectors"]["extra_vars"].items()}


@dataclasses.dataclass
class Job:
    """How a job ended; `changed` are the tasks that changed something."""

    status: str
    output: str
    changed: set[str]
    failed: list[str]


def run(folder: pathlib.Path, template: dict, answers: dict, environment: dict[str, str], key: pathlib.Path, *, check: bool = False) -> Job:
    """Run a job template in a folder of its own, as in a container that was never there before."""
    for part in ("env", "inventory", "home"):
        (folder / part).mkdir(parents=True)
    shutil.copytree(AWX / "project", folder / "project")
    source = folder / "project" / definitions()["inventory"]["source_path"]
    shutil.copy(source, folder / "inventory" / source.name)
    home = str(folder / "home")
    (folder / "env" / "envvars").write_text(json.dumps({
        **environment, "HOME": home, "ANSIBLE_HOME": home + "/.ansible", "ANSIBLE_SSH_CONTROL_PATH_DIR": str(folder / "cp"),
        "ANSIBLE_INVENTORY_UNPARSED_FAILED": "true"}))
    (folder / "env" / "extravars").write_text(json.dumps(answers))
    (folder / "env" / "ssh_key").write_text(key.read_text())
    (folder / "env" / "settings").write_text(json.dumps({"job_timeout": 900, "suppress_ansible_output": True}))
    done = ansible_runner.run(private_data_dir=str(folder), playbook=template["playbook"], cmdline="--check --diff" if check else None, quiet=True)
    changed = {e["event_data"]["task"] for e in done.events if e["event"] == "runner_on_ok" and e["event_data"]["res"].get("changed")}
    failed = [e["event_data"]["res"].get("msg", str(e["event_data"]["res"])) for e in done.events
              if e["event"] in ("runner_on_failed", "runner_on_unreachable") and not e["event_data"].get("ignore_errors")]
    return Job(done.status, done.stdout.read(), changed, failed)


TEMPLATES = {t["name"].partition(", ")[2]: t for t in definitions()["job_templates"]}
SEED = "4f1c2e9d7b6a50384f1c2e9d7b6a5038"


class Controller:
    """Jobs against one lab; what AWX keeps between them is the credentials, and nothing else."""

    def __init__(self, deployment: Deployment, folder) -> None:
        self.deployment, self.folder, self.count, self.outputs = deployment, folder, 0, []
        lab = deployment.env
        # What AWX's credential of the type Microsoft Azure Resource Manager sets, and the lab's certificate.
        self.environment = {k: lab[k] for k in ("AZURE_SUBSCRIPTION_ID", "AZURE_CLIENT_ID", "AZURE_SECRET", "AZURE_TENANT",
                                                "AZURE_CLOUD_ENVIRONMENT", "REQUESTS_CA_BUNDLE")}
        self.environment |= {k: lab[k] for k in ("PATH", "ANSIBLE_COLLECTIONS_PATH")}
        self.answers = {"deployment_name": deployment.name, "deployment_hosts": 2, "docker_source": "distribution", "wordpress_replicas": 1,
                        "deployment_ssh_sources": "0.0.0.0/0", "deployment_ssh_public_keys": deployment.key.with_suffix(".pub").read_text()}

    def launch(self, short: str, *, check: bool = False, extra: dict | None = None, **answers) -> Job:
        """Answer the survey with its defaults, but for what this lab needs otherwise.

        :param extra: what stands in the variables of the template
        """
        template = TEMPLATES[short]
        given = survey_defaults(template)
        given |= {k: v for k, v in {**self.answers, **answers}.items() if k in given}
        if "secrets" in template["credentials"]:
            given |= injected(SEED)
        given |= {"wordpress_block_external": "true"} if short in ("deploy", "wordpress") else {}        # the lab's hosts reach nobody outside
        given |= extra or {}
        self.count += 1
        job = run(self.folder / f"{self.count}-{short}", template, given, self.environment, self.deployment.key, check=check)
        self.outputs.append(job.output)
        print(job.output[-3000:])
        return job
