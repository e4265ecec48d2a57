# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The applications on a lab of two hosts, one after the other, asked from outside through the load balancer.

The order is that in which an operator would do these things: deploy, use, deploy again, let an ACME server give the certificate, replace it by another
application.
"""

from __future__ import annotations

import http.client
import json
import pathlib
import socket
import ssl
import subprocess
import time

import docker
import pytest
import yaml
from applications import NAME, TEXT, Applications, Authority, ask_over_http
from azlab.images import Builder
from deployment import ROOT

pytestmark = pytest.mark.machines


class TwoHosts(Applications):
    """Each of the applications in turn."""

    lab_options = ("--apps", "webapp,acme,monitoring")

    def measured(self, path: str, login: str = "") -> tuple[int, str]:
        """One request to monitoring's pages, by its administrator."""
        return ask_over_http(self.url, path, f"admin:{login or self.administrator('monitoring')}")


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority") / "ca")


@pytest.fixture(scope="module")
def apps(tmp_path_factory, authority):
    made = TwoHosts(tmp_path_factory.mktemp("apps"), "apps")
    certificate, key = authority.certificate("site", f"DNS:{NAME}")
    made.variables.update(
        deployment_hosts=2, deployment_managers=1, docker_buildx=False, docker_daemon_options={"metrics-addr": "0.0.0.0:9323"},
        site_application="webapp", webapp_source=str(ROOT / "examples" / "webapp"), webapp_migrate_command=["python3", "migrate.py"],
        edge_tls="certificate", edge_tls_certificate=certificate, edge_tls_key=key,
        monitoring_grafana=False, monitoring_engine_port=9323, monitoring_scrape_interval=2,
    )  # fmt: skip
    made.trust = ssl.create_default_context(cafile=str(authority.folder / "ca.pem"))
    with made.running():
        yield made


def test_images_are_built_and_the_application_is_deployed(apps):
    run = apps.play("site", "-vv")
    assert sum(run.changed.values()) > 0
    assert "webapp_api" in run.output and "2/2 running" in run.output
    images = apps.on("apps-1", "docker service ls --format '{% raw %}{{.Name}} {{.Image}}{% endraw %}'")
    assert images.count("/webapp/api:") == 2 and "PRIVATE KEY" not in run.output
    running = apps.on("apps-2", "docker ps --no-trunc --format '{% raw %}{{.Image}}{% endraw %}'")
    assert ":5000/webapp/" in running and "@sha256:" in running, running  # the other host pulled it from the registry, by its digest


def test_a_job_is_done_by_the_worker(apps):
    apps.eventually(lambda: apps.ask("GET", "/healthz")[0] == 200)
    status, job = apps.ask("POST", "/jobs", {"text": TEXT})
    assert (status, job["state"]) == (202, "queued")
    done = apps.eventually(lambda: apps.ask("GET", f"/jobs/{job['id']}")[1].get("result"))
    assert done.startswith("3 words, sha256 ")
    assert apps.ask("POST", "/jobs", {"text": 7})[0] == 400


def test_plain_http_is_sent_to_https(apps):
    client = http.client.HTTPConnection(apps.url.split("/")[2], timeout=10)
    client.request("GET", "/jobs?x=1", headers={"Host": NAME})
    answer = client.getresponse()
    assert (answer.status, answer.getheader("Location")) == (301, f"https://{NAME}/jobs?x=1")


def test_a_second_run_changes_nothing(apps):
    run = apps.play("webapp")
    assert run.changed and set(run.changed.values()) == {0}, run.output[-4000:]


def test_a_row_survives_a_new_version_and_a_new_certificate(apps, authority):
    before = apps.serial()
    source = apps.folder / "source"
    subprocess.run(["cp", "-r", str(ROOT / "examples" / "webapp"), str(source)], check=True)
    api = source / "api" / "api.py"
    api.write_text(api.read_text().replace('{"status": "ok"}', '{"status": "ok", "version": 2}'))
    certificate, key = authority.certificate("renewed", f"DNS:{NAME}")
    apps.variables.update(webapp_source=str(source), edge_tls_certificate=certificate, edge_tls_key=key)
    apps.write_inventory()
    with apps.polled() as count:
        apps.play("app")
    assert apps.ask("GET", "/healthz") == (200, {"status": "ok", "version": 2})
    assert apps.ask("GET", "/jobs/1")[1]["text"] == TEXT
    assert apps.serial() != before
    # One host's proxy is replaced after the other; the load balancer needs two probes to see that one is away.
    assert count["good"] > count["bad"], count


def test_a_backup_brings_back_what_was_destroyed(apps):
    # The words of the role's documentation, so that they are known to work.
    document = (ROOT / "roles" / "webapp" / "README.md").read_text()
    words = document[document.index("maintenance_backups:") :].partition("```")[0]
    apps.variables.update(yaml.safe_load(words))
    apps.write_inventory()
    apps.play("backup")
    sql = "docker exec $(docker ps -qf name=webapp_database) psql -U webapp -c 'drop table jobs cascade'"
    apps.on("apps-1", sql)
    assert apps.ask("GET", "/jobs/1")[0] in (500, 503)  # by the API, or by the edge once it has seen that no API is healthy
    apps.play("restore", "-e", "maintenance_restore_names=webapp-sql", "-e", "maintenance_restore_overwrite=true")
    assert apps.eventually(lambda: apps.ask("GET", "/jobs/1")[1].get("text")) == TEXT


def test_new_passwords_of_database_and_queue(apps):
    folder = pathlib.Path(apps.env["DOCKHOST_STATE_DIR"], "apps", "webapp")
    kinds = ("-e", "rotate_what=secrets", "-e", "rotate_secrets=database_password,queue_password", "-e", f"rotate_secrets_dir={folder}")
    words = (*kinds, "-e", "rotate_application=dockhost.azure.webapp", "--diff", "-vv")
    login = "docker exec -e PGPASSWORD=%s $(docker ps -qf name=webapp_database) psql -h 127.0.0.1 -U webapp -Atc 'select 6 * 7' 2>&1 || true"
    names = "docker service inspect %s --format '{%% raw %%}{{range .Spec.TaskTemplate.ContainerSpec.Secrets}}{{.SecretName}} {{end}}{%% endraw %%}'"

    def password() -> str:
        return (folder / "database_password").read_text().strip()

    def secret_of(service: str) -> list[str]:
        return [name for name in apps.on("apps-1", names % service).split() if "database_password" in name]

    def works(before: list[str]) -> bool:
        """The password of now opens the database, none of before does, and the application uses it; the row of the first test is there."""
        assert all("password authentication failed" in apps.on("apps-1", login % word) for word in before)
        assert apps.on("apps-1", login % password()).strip() == "42"
        job = apps.eventually(lambda: apps.ask("POST", "/jobs", {"text": TEXT})[1].get("id"))
        return bool(apps.eventually(lambda: apps.ask("GET", f"/jobs/{job}")[1].get("result"))) and apps.ask("GET", "/jobs/1")[1]["text"] == TEXT

    known = [password()]
    said = [apps.play("rotate", *words, "--check").output]
    assert password() == known[0]
    assert all(f"service webapp_{name}" in said[0] for name in ("database", "queue", "api", "worker")), said[0][-4000:]
    assert "the services that use them would be updated" in " ".join(said[0].split())
    with apps.polled() as count:
        said.append(apps.play("rotate", *words).output)
    assert password() not in known and works(known) and count["good"] > 0, count
    # Cut off while the database starts with its new password: the API has the old one. The next run finds the database as it is wanted, and waits for it.
    known.append(password())
    cut = apps.play("rotate", *words, "-e", "webapp_timeout=1", check=False)
    assert cut.status and "Not converged within 1 s. Service webapp_database" in " ".join(cut.output.split()), cut.output[-3000:]
    assert password() not in known and secret_of("webapp_database") != secret_of("webapp_api")
    said += [cut.output, apps.play("app", "--diff", "-vv").output]
    assert secret_of("webapp_database") == secret_of("webapp_api") and works(known)
    assert not any(word in output for word in (*known, password()) for output in said)
    again = apps.play("app")
    assert set(again.changed.values()) == {0}, again.output[-4000:]


@pytest.fixture
def acme_server(apps, authority):
    """Pebble on the controller, which the hosts reach; its certificates live for a minute, so no test of these pages comes after this one."""
    controller = apps.env["DOCKHOST_SSH_SOURCES"].split("/")[0]
    certificate, key = authority.certificate("pebble", f"IP:{controller}")
    folder = apps.folder / "pebble"
    folder.mkdir()
    (folder / "cert.pem").write_text(certificate)
    (folder / "key.pem").write_text(key)
    settings = {
        "listenAddress": f"{controller}:14000", "managementListenAddress": f"{controller}:15000", "certificate": "/pebble/cert.pem",
        "privateKey": "/pebble/key.pem", "httpPort": 80, "tlsPort": 443, "certificateValidityPeriod": 60,
    }  # fmt: skip
    (folder / "pebble.json").write_text(json.dumps({"pebble": settings}))
    engine = docker.from_env()
    container = engine.containers.run(
        Builder(engine, print).app("pebble").tag, ["-config", "/pebble/pebble.json"], detach=True, network_mode="host",
        environment={"PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "0"}, labels={"azlab.lab": apps.lab},
        extra_hosts={NAME: apps.url.split("/")[2]}, volumes={str(folder): {"bind": "/pebble", "mode": "ro"}},
    )  # fmt: skip
    try:
        apps.eventually(lambda: socket.create_connection((controller, 15000), timeout=1).close() is None, 20)
        yield controller
    finally:
        print(container.logs(tail=20).decode())
        container.remove(force=True)


def test_an_acme_server_gives_the_certificate_and_renews_it(apps, authority, acme_server):
    apps.variables.update(
        edge_tls="acme", edge_acme_domains=NAME, edge_acme_email="web@example.test", edge_acme_server=f"https://{acme_server}:14000/dir",
        edge_acme_ca=(authority.folder / "ca.pem").read_text(), edge_acme_interval=5,
    )  # fmt: skip
    for name in ("edge_tls_certificate", "edge_tls_key"):
        del apps.variables[name]
    apps.write_inventory()
    apps.play("app")
    management = ssl.create_default_context(cafile=str(authority.folder / "ca.pem"))
    client = http.client.HTTPSConnection(acme_server, 15000, context=management, timeout=10)
    client.request("GET", "/roots/0")
    apps.trust = ssl.create_default_context(cadata=client.getresponse().read().decode())
    first = apps.eventually(apps.serial)
    assert apps.ask("GET", "/jobs/1")[1]["text"] == TEXT
    with apps.polled() as count:
        apps.eventually(lambda: apps.serial() != first)
        time.sleep(3)  # the other host's proxy gets it within this time
        assert apps.serial() != first
    assert count["good"] > 0 and count["bad"] == 0, count


def test_monitoring_takes_its_place(apps):
    apps.variables["edge_tls"] = "none"
    apps.write_inventory()
    apps.play("app", "-e", "webapp_state=absent")
    apps.play("monitoring")
    ask = apps.measured
    assert ask("/", "wrong")[0] == 401
    both = {"apps-1", "apps-2"}
    wanted = {"prometheus": None, "alertmanager": None, "hosts": both, "engines": both, "containers": both}

    def all_up() -> bool:
        targets = json.loads(ask("/api/v1/targets?state=active")[1])["data"]["activeTargets"]
        up = {(target["labels"]["job"], target["labels"]["instance"]) for target in targets if target["health"] == "up"}
        return len(targets) == len(up) and all(
            {instance for job, instance in up if job == name} == hosts if hosts else any(job == name for job, instance in up) for name, hosts in wanted.items()
        )

    apps.eventually(all_up)
    rules = json.loads(ask("/api/v1/rules")[1])["data"]["groups"]
    assert {rule["name"] for group in rules for rule in group["rules"]} >= {"HostNotReached", "TasksMissing", "DiskFull"}
    assert apps.eventually(lambda: "apps-2" in ask("/consoles/hosts.html")[1])
    page = apps.eventually(lambda: (text := ask("/consoles/services.html")[1]).count("MiB") >= 4 and text)
    assert "monitoring_prometheus" in page and "no data yet" not in page.split("<h2>CPU</h2>")[0]
    assert ask("/alertmanager/api/v2/status")[0] == 200


def test_monitoring_again_changes_nothing(apps):
    run = apps.play("monitoring")
    assert run.changed and set(run.changed.values()) == {0}, run.output[-4000:]


@pytest.mark.long
def test_measurements_that_were_destroyed_come_back(apps):
    # The words of the role's documentation, so that they are known to work.
    words = (ROOT / "roles" / "monitoring" / "README.md").read_text().partition("`maintenance_backups: ")[2].partition("`")[0]
    apps.variables["maintenance_backups"] = yaml.safe_load(words)
    apps.write_inventory()

    def first() -> int:
        """When the first measurement was made, in milliseconds."""
        status, told = apps.measured("/api/v1/status/tsdb")
        return json.loads(told)["data"]["headStats"]["minTime"] if status == 200 else 0

    before = first()
    apps.play("backup")
    volume = "$(docker volume inspect -f '{% raw %}{{.Mountpoint}}{% endraw %}' monitoring_prometheus)"
    apps.on("apps-1", f"rm -rf {volume}/*; docker kill $(docker ps -qf name=monitoring_prometheus)")
    assert before and apps.eventually(lambda: first() > before)
    apps.play("restore", "-e", "maintenance_restore_names=metrics", "-e", "maintenance_restore_overwrite=true")
    assert apps.eventually(lambda: first() == before)
