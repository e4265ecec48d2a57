# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Applications on one host with Compose, without a swarm, asked from outside through the load balancer over HTTPS: the first day, the days after, the move to
a swarm of one host and back."""

from __future__ import annotations

import json
import ssl
import urllib.parse
import xmlrpc.client

import pytest
import yaml
from applications import NAME, TEXT, Applications, Authority
from deployment import ROOT

pytestmark = pytest.mark.machines

POST = "Written over TLS, kept in MariaDB"


class Single(Applications):
    """One host."""

    lab_options = ("--apps", "webapp,wordpress")

    def drift(self, *more: str) -> tuple[int, dict]:
        """Exit code and what was found, the application's project with it."""
        file = self.folder / "drift.json"
        words = ("--check", "-e", f"drift_file={file}", "-e", "drift_application=dockhost.azure.webapp")
        return self.play("drift", *words, *more, check=False).status, json.loads(file.read_text())

    def page(self, path: str) -> str:
        """A page for people."""
        with self.connection() as (client, _secure):
            client.request("GET", path)
            return client.getresponse().read().decode()

    def write_post(self) -> None:
        """A post on the blog's front page, by its administrator."""
        password = (self.folder / "state" / self.name / "wordpress" / "admin_password").read_text().strip()
        call = (1, "admin", password, {"post_title": POST, "post_content": "A post.", "post_status": "publish"})
        with self.connection() as (client, _secure):
            client.request("POST", "/xmlrpc.php", xmlrpc.client.dumps(call, "wp.newPost"), {"Content-Type": "text/xml"})
            xmlrpc.client.loads(client.getresponse().read())

    def signs_in(self, password: str) -> bool:
        """Whether the blog's administrator gets into the dashboard with a password."""
        form = urllib.parse.urlencode({"log": "admin", "pwd": password, "wp-submit": "Log In", "testcookie": "1"})
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Cookie": "wordpress_test_cookie=WP%20Cookie%20check"}
        with self.connection() as (client, _secure):
            client.request("POST", "/wp-login.php", form, headers)
            answer = client.getresponse()
            return answer.status == 302 and "wordpress_logged_in" in str(answer.headers)

    def text_of_job(self) -> str:
        """The row that the first test has written."""
        return self.eventually(lambda: self.ask("GET", "/jobs/1")[1].get("text"))


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
    with made.running():
        yield made


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


def test_what_was_changed_by_hand_is_told_and_mended(single):
    page = single.folder / "status.html"
    run = single.play("status", "-e", f"status_page={page}")
    assert "Health: All is well." in run.output and ">single-1<" in page.read_text() and "webapp_api" in page.read_text()
    status, told = single.drift()
    assert (status, told["state"], told["differences"]) == (0, "none", [])
    single.on("single-1", "docker rm -f webapp-worker-1; sed -i s/json-file/local/ /etc/docker/daemon.json")
    status, told = single.drift()
    assert status == 2, told
    assert {(one["where"], one["host"]) for one in told["differences"]} == {("engine", "single-1"), ("application", "")}, told
    single.on("single-1", "docker stop webapp-queue-1")
    worse = single.play("status").output.partition("Needs attention")[2]
    assert "webapp_queue" in worse and "webapp_worker" in worse, worse
    single.on("single-1", "sed -i s/local/json-file/ /etc/docker/daemon.json")
    single.play("app")
    assert single.drift()[0] == 0


def test_the_host_is_away_for_a_night(single):
    single.play("stop")
    with pytest.raises(OSError):
        single.ask("GET", "/healthz")
    again = single.play("stop")
    assert set(again.changed.values()) == {0} and "deallocated" in again.output
    assert "Health: All is well." in single.play("start", "-e", "start_timeout=120").output
    assert single.text_of_job() == TEXT


@pytest.mark.long
def test_new_passwords_of_database_and_queue(single):
    folder = single.folder / "state" / "single" / "webapp"
    old = (folder / "database_password").read_text().strip()
    words = ("-e", "rotate_what=secrets", "-e", "rotate_secrets=database_password,queue_password", "-e", f"rotate_secrets_dir={folder}")
    run = single.play("rotate", *words, "-e", "rotate_application=dockhost.azure.webapp", "-vv")
    new = (folder / "database_password").read_text().strip()
    assert new != old and new not in run.output and old not in run.output
    login = "docker exec -e PGPASSWORD=%s webapp-database-1 psql -h 127.0.0.1 -U webapp -Atc 'select 6 * 7' 2>&1 || true"
    assert "password authentication failed" in single.on("single-1", login % old) and single.on("single-1", login % new).strip() == "42"
    assert single.text_of_job() == TEXT
    job = single.ask("POST", "/jobs", {"text": TEXT})[1]
    assert single.eventually(lambda: single.ask("GET", f"/jobs/{job['id']}")[1].get("result"))
    again = single.play("app")
    assert set(again.changed.values()) == {0}, again.output[-4000:]


@pytest.mark.long
def test_a_new_ssh_key_opens_the_host(single):
    new = single.folder / "new_ed25519"
    single.command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(new))
    single.play("rotate", "-e", "rotate_what=ssh_keys", "-e", f"rotate_ssh_public_key_file={new}.pub")
    single.forget_connections()
    refused = single.command("ansible", "-i", str(single.inventory), "all", "-m", "ansible.builtin.ping", check=False)
    assert "Permission denied" in refused.stdout
    single.env["ANSIBLE_PRIVATE_KEY_FILE"] = str(new)
    assert single.on("single-1", "echo here").strip() == "here"


@pytest.mark.long
def test_the_application_moves_to_a_swarm_with_its_data_and_back(single):
    swarm, gone = ("-e", "site_orchestrator=swarm"), ("-e", "webapp_state=absent")
    single.play("swarm", *swarm)
    refused = single.play("app", *swarm, check=False)
    assert refused.status and "webapp" in refused.output and single.text_of_job() == TEXT
    single.play("app", *gone)
    single.play("app", *swarm)
    assert single.text_of_job() == TEXT
    refused = single.play("app", check=False)
    assert refused.status and "Stack webapp runs on the swarm of single-1" in " ".join(refused.output.split()) and single.text_of_job() == TEXT
    single.play("app", *swarm, *gone)
    single.on("single-1", "docker swarm leave --force")
    single.play("app")
    assert single.text_of_job() == TEXT


@pytest.mark.long
def test_a_blog_takes_its_place(single):
    """WordPress with MariaDB and Redis, whose database is dropped and restored."""
    document = (ROOT / "roles" / "maintenance" / "README.md").read_text().partition("## Full example")[2]
    dump = yaml.safe_load("maintenance_backups:" + document.partition("maintenance_backups:")[2].partition("```")[0])["maintenance_backups"][0]
    single.play("app", "-e", "webapp_state=absent")
    single.variables.update(site_application="wordpress", maintenance_backups=[dump])
    single.write_inventory()
    run = single.play("wordpress", "-vv")
    secrets = {path.read_text().strip() for path in (single.folder / "state" / "single").glob("*/*password")}
    assert len(secrets) >= 5 and not any(secret in run.output for secret in secrets)
    assert "Health: All is well." in run.output, run.output[-3000:]
    assert "<title>The end-to-end blog" in single.eventually(lambda: single.page("/"))
    single.write_post()
    assert POST in single.page("/")
    folder = single.folder / "state" / "single" / "wordpress"
    kinds = ("database_root_password", "admin_password")
    before = {kind: (folder / kind).read_text().strip() for kind in kinds}
    words = ("-e", "rotate_what=secrets", "-e", "rotate_application=dockhost.azure.wordpress", "-e", f"rotate_secrets_dir={folder}")
    assert single.signs_in(before["admin_password"]) and not single.signs_in("another")
    words = (*words, "-e", "rotate_secrets=database_root_password,database_password,cache_password,admin_password")
    check = single.play("rotate", *words, "--check", "--diff")
    assert all((folder / kind).read_text().strip() == before[kind] for kind in kinds) and "would be updated" in " ".join(check.output.split())
    single.play("rotate", *words)
    now = {kind: (folder / kind).read_text().strip() for kind in kinds}
    assert not set(now.values()) & set(before.values()) and single.eventually(lambda: POST in single.page("/"))
    assert single.signs_in(now["admin_password"]) and not single.signs_in(before["admin_password"])
    # Chosen by the administrator: another secret would replace it, and a run that has the same one leaves it.
    chosen = "wp_set_password('chosen in the dashboard', 1);"
    single.on("single-1", f"docker exec blog-wordpress-1 php -r \"define('WP_USE_THEMES', false); require '/var/www/html/wp-load.php'; {chosen}\"")
    single.play("wordpress", "-e", "wordpress_title=Another")
    assert single.signs_in("chosen in the dashboard") and "<title>Another" in single.page("/")
    single.play("wordpress")
    run = single.play("wordpress")
    assert run.changed and set(run.changed.values()) == {0}, run.output[-4000:]
    single.play("backup")
    client = 'mariadb -uroot -p"$(cat /run/secrets/database_root_password)" -e "drop database wordpress"'
    single.on("single-1", f"docker exec blog-database-1 sh -c '{client}'")
    assert POST not in single.page("/")
    single.play("restore", "-e", f"maintenance_restore_names={dump['name']}", "-e", "maintenance_restore_overwrite=true")
    assert single.eventually(lambda: POST in single.page("/"))
