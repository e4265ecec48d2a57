# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each job template, run by ansible-runner in the layout of AWX on real hosts of a lab: each job in a home that was never there before."""

from __future__ import annotations

import json
import re
import urllib.request

import pytest
from deployment import Deployment
from job import SEED, Controller

pytestmark = pytest.mark.machines

NAME = "awx"


@pytest.fixture(scope="module")
def controller(tmp_path_factory):
    deployment = Deployment(tmp_path_factory.mktemp("awx"), NAME)
    with deployment.running():
        yield Controller(deployment, tmp_path_factory.mktemp("jobs"))


def test_the_workflow_from_nothing_to_a_blog(controller):
    for short in ("provision", "configure", "deploy", "verify"):
        job = controller.launch(short)
        assert job.status == "successful", job.failed
    address = re.search(r"http://[0-9.]+/", job.output)[0]
    with urllib.request.urlopen(address, timeout=10) as answer:
        assert "<title>Dockhost</title>" in answer.read().decode()


def test_the_same_jobs_again_change_nothing(controller):
    for short in ("provision", "configure", "deploy"):
        job = controller.launch(short)
        assert job.status == "successful", job.failed
        # The container is new, so that the file with the hosts' keys is written anew; nothing of the deployment changes.
        assert job.changed <= {"Make the folder for what the controller keeps of the deployment",
                               "Fetch the hosts' SSH keys over Azure Resource Manager"}, job.output


def test_jobs_for_the_days_after(controller):
    """In turn: nothing differs, new tokens, all hosts away for the night and back again."""
    for short in ("drift", "rotate", "stop", "start"):
        job = controller.launch(short)
        assert job.status == "successful", (short, job.failed)
    assert "All is well" in job.output


def test_a_check_tells_what_would_be_done_and_does_nothing(controller):
    def writes() -> int:
        return controller.deployment.command("azlab", "logs", "--name", controller.deployment.lab).stdout.count(" PUT ")
    before = writes()
    job = controller.launch("provision", check=True, deployment_hosts=3)
    assert job.status == "successful", job.failed
    assert "awx-3" in job.output and writes() == before


def test_a_wrong_answer_is_named_before_anything_is_done(controller):
    job = controller.launch("provision", deployment_managers="2")
    assert job.status == "failed"
    assert "deployment_managers" in " ".join(job.failed)


def test_teardown_leaves_nothing_and_secrets_were_nowhere(controller):
    assert controller.launch("teardown").status == "successful"
    lab = controller.deployment
    groups = lab.command("azlab", "status", "--name", lab.lab, "--json").stdout
    assert "rg-awx" not in json.dumps(groups)
    printed = "\n".join(controller.outputs)
    assert SEED not in printed and controller.environment["AZURE_SECRET"] not in printed
    for events in controller.folder.glob("*/artifacts/*/job_events/*.json"):
        text = events.read_text()
        assert SEED not in text and controller.environment["AZURE_SECRET"] not in text, events
