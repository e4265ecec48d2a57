# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The job templates that are in no workflow: each application by itself, and what an operator launches now and then."""

from __future__ import annotations

import hashlib
import re

import pytest
from applications import ask_over_http
from deployment import ROOT, Deployment
from job import SEED, TEMPLATES, Controller
from polling import eventually

pytestmark = [pytest.mark.machines, pytest.mark.long]

# In a container that is new the file with the hosts' keys is, and the folder beside it; nothing of the deployment changes.
OWN = {"Make the folder for what the controller keeps of the deployment", "Fetch the hosts' SSH keys over Azure Resource Manager"}
WEBAPP = {"docker_buildx": False, "webapp_migrate_command": ["python3", "migrate.py"]}
MONITORING = {"docker_daemon_options": {"metrics-addr": "0.0.0.0:9323"}, "monitoring_engine_port": 9323}
CI = {"ci_jobs": [{"name": "hello", "commands": ["echo hello"]}]}


class Lab(Deployment):
    lab_options = ("--apps", "wordpress,webapp,monitoring,ci")


@pytest.fixture(scope="module")
def controller(tmp_path_factory):
    deployment = Lab(tmp_path_factory.mktemp("awx"), "jobs")
    with deployment.running():
        yield Controller(deployment, tmp_path_factory.mktemp("jobs"))


def done(controller, short: str, **more) -> str:
    """What a job printed that ended well."""
    job = controller.launch(short, **more)
    assert job.status == "successful", (short, job.failed)
    return job.output


def ask(output: str, path: str, login: str = "") -> int:
    """The status of one request to the address that a report names."""
    return ask_over_http(re.findall(r"http://[0-9.]+/", output)[-1], path, login)[0]


def of_seed(application: str) -> str:
    """The administrator's password, which follows from what AWX holds."""
    return "admin:" + hashlib.sha512(f"admin_password:{application} {SEED}".encode()).hexdigest()[:40]


def unchanged(controller, short: str, **more) -> None:
    job = controller.launch(short, **more)
    assert job.status == "successful" and job.changed <= OWN, (short, job.changed, job.failed)


def test_webapp_is_built_and_pushed_once(controller):
    """Another job has nothing of this one: it finds the registry's certificates on its host, and makes the same password from the seed."""
    for short in ("provision", "configure"):
        done(controller, short, extra=WEBAPP)
    told = done(controller, "webapp", webapp_source=str(ROOT / "examples" / "webapp"), extra=WEBAPP)
    eventually(lambda: ask(told, "/healthz") == 200)
    unchanged(controller, "webapp", webapp_source=str(ROOT / "examples" / "webapp"), extra=WEBAPP)
    done(controller, "webapp", webapp_source=str(ROOT / "examples" / "webapp"), extra={**WEBAPP, "webapp_state": "absent"})


def test_monitoring_opens_with_the_password_of_the_seed(controller):
    answers = {"monitoring_grafana": "false", "extra": MONITORING}
    done(controller, "configure", extra=MONITORING)
    told = done(controller, "monitoring", **answers)
    eventually(lambda: ask(told, "/api/v1/rules", of_seed("monitoring")) == 200)
    assert ask(told, "/api/v1/rules", "admin:wrong") == 401
    unchanged(controller, "monitoring", **answers)
    done(controller, "monitoring", monitoring_grafana="false", extra={**MONITORING, "monitoring_state": "absent"})


def test_ci_finds_its_certificates_again(controller):
    told = done(controller, "ci", ci_server="buildbot", extra=CI)
    eventually(lambda: ask(told, "/api/v2/builders", of_seed("ci")) == 200)
    assert ask(told, "/api/v2/builders", of_seed("monitoring")) == 401
    unchanged(controller, "ci", ci_server="buildbot", extra=CI)
    done(controller, "ci", ci_server="buildbot", extra={**CI, "ci_state": "absent"})


def test_a_blog_of_its_own(controller):
    told = done(controller, "wordpress", wordpress_title="By a job")
    eventually(lambda: ask(told, "/") == 200)
    unchanged(controller, "wordpress", wordpress_title="By a job")


def test_what_is_launched_now_and_then(controller):
    told = done(controller, "scale", scale_workers=2)
    assert "jobs-3" in told
    assert "All nodes of the swarm are ready." in done(controller, "heal")
    done(controller, "upgrade", upgrade_packages="none")
    assert "Health: All is well." in done(controller, "status")
    unchanged(controller, "status")


def test_teardown_and_no_secret_was_printed(controller):
    done(controller, "teardown")
    printed = "\n".join(controller.outputs)
    assert not any(word in printed for word in (SEED, controller.environment["AZURE_SECRET"], of_seed("ci")[6:], of_seed("monitoring")[6:]))


def test_no_template_is_left_out():
    """Those of the workflow and of the days after are in test_jobs."""
    here = {"provision", "configure", "webapp", "monitoring", "ci", "wordpress", "scale", "heal", "upgrade", "status", "teardown"}
    assert here | {"deploy", "verify", "drift", "rotate", "stop", "start"} == set(TEMPLATES)
