# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The web application on one host with Compose, without a swarm, asked from outside through the load balancer over HTTPS."""

from __future__ import annotations

import pathlib
import ssl
import sys

import pytest
import yaml
from deployment import ROOT

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from test_applications import NAME, TEXT, Applications, Authority  # noqa: E402

pytestmark = pytest.mark.machines


class Single(Applications):
    """One host."""

    lab_options = ("--apps", "webapp")


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority") / "ca")


@pytest.fixture(scope="module")
def single(tmp_path_factory, authority):
    made = Single(tmp_path_factory.mktemp("single"), "single")
    certificate, key = authority.certificate("site", f"DNS:{NAME}")
    # The words of the role's documentation, so that they are known to work in this form too.
    document = (ROOT / "roles" / "webapp" / "README.md").read_text()
    backups = yaml.safe_load(document[document.index("maintenance_backups:") :].partition("```")[0])
    made.variables.update(
        backups, deployment_hosts=1, deployment_managers=1, docker_buildx=False, site_orchestrator="compose", site_application="webapp",
        webapp_source=str(ROOT / "examples" / "webapp"), webapp_migrate_command=["python3", "migrate.py"],
        edge_tls="certificate", edge_tls_certificate=certificate, edge_tls_key=key,
    )  # fmt: skip
    made.trust = ssl.create_default_context(cafile=str(authority.folder / "ca.pem"))
    try:
        made.start()
        yield made
    finally:
        made.stop()


def test_two_hosts_are_refused_before_anything_is_made(single):
    run = single.play("site", "-e", "deployment_hosts=2", check=False)
    assert run.status and "site_orchestrator is compose, which is for one host, and there are 2" in " ".join(run.output.split()), run.output[-3000:]
    assert not any(run.changed.values()) and "Provision the hosts" not in run.output


def test_one_host_serves_over_https(single):
    run = single.play("site", "--diff", "-vv")
    secrets = {path.read_text().strip() for path in (single.folder / "state" / "single" / "webapp").glob("*_password")}
    assert len(secrets) == 2 and not any(secret in run.output for secret in secrets) and "PRIVATE KEY" not in run.output
    assert "webapp_api" in run.output and "2/2 running" in run.output and "webapp_migrate" in run.output and "1/1 done" in run.output
    assert "Health: All is well." in run.output, run.output[-3000:]
    assert single.on("single-1", "docker info --format '{% raw %}{{.Swarm.LocalNodeState}}{% endraw %}'").strip() == "inactive"
    assert single.on("single-1", "stat -c %a /opt/compose/webapp /opt/compose/webapp/secrets").split() == ["700", "700"]
    single.eventually(lambda: single.ask("GET", "/healthz")[0] == 200)
    status, job = single.ask("POST", "/jobs", {"text": TEXT})
    assert (status, job["state"]) == (202, "queued")
    done = single.eventually(lambda: single.ask("GET", f"/jobs/{job['id']}")[1].get("result"))
    assert done.startswith("3 words, sha256 ")


def test_a_second_run_changes_nothing(single):
    run = single.play("app")
    assert run.changed and set(run.changed.values()) == {0}, run.output[-4000:]


def test_a_backup_brings_back_what_was_destroyed_and_a_new_certificate_is_served(single, authority):
    single.play("backup")
    single.on("single-1", "docker exec webapp-database-1 psql -U webapp -c 'drop table jobs cascade'")
    assert single.ask("GET", "/jobs/1")[0] in (500, 503)
    single.play("restore", "-e", "maintenance_restore_names=webapp-sql,webapp-queue", "-e", "maintenance_restore_overwrite=true")
    assert single.eventually(lambda: single.ask("GET", "/jobs/1")[1].get("text")) == TEXT
    before = single.serial()
    certificate, key = authority.certificate("renewed", f"DNS:{NAME}")
    single.variables.update(edge_tls_certificate=certificate, edge_tls_key=key)
    single.write_inventory()
    single.play("app")
    assert single.eventually(lambda: single.serial() != before)
    assert single.eventually(lambda: single.ask("GET", "/jobs/1")[1].get("text")) == TEXT
