# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The main job, end to end, on real machines: the tests stand in the order in which an operator would do these things."""

from __future__ import annotations

import json
import pathlib
import re
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
import xmlrpc.client

import pytest

pytestmark = pytest.mark.machines

POST = "Written through the load balancer, kept in MariaDB"


def test_bad_input_is_refused_before_anything_is_made(deployment):
    run = deployment.play("site", "-e", "deployment_managers=2", check=False)
    assert run.status != 0
    assert "deployment_managers is '2'" in run.output
    assert arm(deployment, "GET", "", expect=404) is None


def test_check_mode_shows_the_plan_and_makes_nothing(deployment):
    run = deployment.play("provision", "--check", "--diff")
    assert "e2e-3" in run.output
    assert arm(deployment, "GET", "", expect=404) is None


def test_site_playbook_runs(deployment):
    run = deployment.play("site")
    assert sum(run.changed.values()) > 0
    assert "3/3" in run.output


def test_hosts_are_grouped_by_swarm_role(deployment):
    groups = deployment.groups()
    assert groups["swarm_manager"]["hosts"] == ["e2e-1"]
    assert sorted(groups["swarm_worker"]["hosts"]) == ["e2e-2", "e2e-3"]


def test_host_keys_are_known_and_checked(deployment):
    known = pathlib.Path(deployment.env["DOCKHOST_STATE_DIR"], "e2e", "known_hosts")
    assert known.stat().st_mode & 0o077 == 0
    for host in ("e2e-1", "e2e-2", "e2e-3"):
        assert f"{host}.rg-e2e" in known.read_text()
        assert "StrictHostKeyChecking=yes" in deployment.facts(host)["ansible_ssh_common_args"]


def test_the_front_page_is_a_blog(deployment):
    page = deployment.get()
    assert "The end-to-end blog" in page
    assert "wp-admin/install.php" not in page


def test_a_post_written_to_the_database_shows_on_the_blog(deployment):
    password = pathlib.Path(deployment.env["DOCKHOST_STATE_DIR"], "e2e", "wordpress", "admin_password").read_text().strip()
    server = xmlrpc.client.ServerProxy(deployment.url + "xmlrpc.php")
    server.wp.newPost(1, "admin", password, {"post_title": POST, "post_content": "A post.", "post_status": "publish"})
    assert POST in deployment.get()
    stored = deployment.on("e2e-1", "docker exec $(docker ps -qf name=_database) sh -c "
                           "'mariadb -N -uroot -p$(cat $MARIADB_ROOT_PASSWORD_FILE) -e \"select post_title from wordpress.wp_posts\"'")
    assert POST in stored


def test_every_host_answers_through_the_load_balancer_only(deployment):
    for host in ("e2e-1", "e2e-2", "e2e-3"):
        assert deployment.facts(host)["ansible_host"] in deployment.url
    # No other way in: every public address of the deployment belongs to the load balancer, none to a host.
    version = "2024-05-01"
    listed = json.loads(arm(deployment, "GET", "/providers/Microsoft.Network/publicIPAddresses", api=version))["value"]
    users = [a["properties"]["ipConfiguration"]["id"] for a in listed if "ipConfiguration" in a["properties"]]
    assert users and all("/loadBalancers/" in user for user in users), users
    interfaces = json.loads(arm(deployment, "GET", "/providers/Microsoft.Network/networkInterfaces", api=version))["value"]
    configurations = [c["properties"] for i in interfaces for c in i["properties"]["ipConfigurations"]]
    assert len(configurations) == 3 and not [c for c in configurations if "publicIPAddress" in c]


def test_second_run_changes_nothing(deployment):
    run = deployment.play("site")
    assert run.changed and set(run.changed.values()) == {0}, run.changed


def test_new_passwords_of_the_database_leave_the_post_where_it_is(deployment):
    folder = pathlib.Path(deployment.env["DOCKHOST_STATE_DIR"], "e2e", "wordpress")
    users = {"root": folder / "database_root_password", "wordpress": folder / "database_password"}
    before = {user: file.read_text().strip() for user, file in users.items()}
    run = deployment.play(
        "rotate", "-e", "rotate_what=secrets", "-e", "rotate_secrets=database_root_password,database_password", "--diff", "-vv",
        "-e", "rotate_application=dockhost.azure.wordpress", "-e", f"rotate_secrets_dir={folder}",
    )  # fmt: skip
    after = {user: file.read_text().strip() for user, file in users.items()}
    assert not [word for word in (*before.values(), *after.values()) if word in run.output]
    query = "docker exec -e MYSQL_PWD=%s $(docker ps -qf name=_database) mariadb -h127.0.0.1 -u%s -Ne 'select post_title from wordpress.wp_posts' 2>&1 || true"
    for user in users:
        assert "Access denied" in deployment.on("e2e-1", query % (before[user], user)), user
        assert POST in deployment.on("e2e-1", query % (after[user], user)), user
    assert POST in deployment.get()


def test_no_secret_is_printed_or_lies_open(deployment):
    state = pathlib.Path(deployment.env["DOCKHOST_STATE_DIR"], "e2e")
    secrets = [f.read_text().strip() for f in state.rglob("*") if f.is_file() and "password" in f.name]
    assert secrets
    for file in state.rglob("*"):
        assert file.stat().st_mode & 0o077 == 0, file
    run = deployment.play("site", "-vvv", "--diff")
    assert not [s for s in secrets if s in run.output]
    assert set(run.changed.values()) == {0}, run.changed
    processes = deployment.on("all", "ps -eo args; docker service ls -q | xargs -r docker service inspect || true")
    assert not [s for s in secrets if s in processes]


def test_wrong_ssh_key_gives_one_sentence(deployment, tmp_path):
    deployment.command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "other"))
    deployment.forget_connections()
    run = deployment.play("swarm", "--private-key", str(tmp_path / "other"), check=False)
    assert run.status != 0
    assert re.search(r"e2e-1.*refused the SSH key", run.output)


def test_the_blog_answers_after_a_worker_was_powered_off(deployment):
    arm(deployment, "POST", "/providers/Microsoft.Compute/virtualMachines/e2e-3/powerOff", api="2024-07-01", expect=202)
    time.sleep(20)  # two failed probes of the load balancer, and HAProxy's own checks
    good, bad = deployment.answers(20)
    print(f"after the worker was powered off: {good} requests answered, {bad} failed")
    assert good > 5 and bad == 0
    assert POST in deployment.get()


def test_site_starts_the_worker_again(deployment):
    run = deployment.play("site")
    assert "e2e-3" in run.output
    nodes = deployment.on("e2e-1", "docker node ls --format '{{ '{{' }}.Hostname{{ '}}' }} {{ '{{' }}.Status{{ '}}' }}'")
    assert "e2e-3 Ready" in nodes


def test_unreachable_host_gives_one_sentence(deployment):
    deployment.on("e2e-2", "systemctl stop ssh.service ssh.socket || true")
    deployment.forget_connections()
    run = deployment.play("swarm", check=False)
    assert run.status != 0
    assert re.search(r"e2e-2 .*cannot be reached by SSH", run.output)


def test_teardown_leaves_nothing(deployment):
    run = deployment.play("teardown")
    assert "Nothing of deployment e2e is left" in run.output
    assert arm(deployment, "GET", "", expect=404) is None
    # What is left is the lab's own: its registry, the network that stands for the Internet, and where it keeps data disks, empty.
    own = f"azlab-{deployment.lab}"
    assert {json.loads(line)["Names"] for line in deployment.left_in_engine("containers")} == {f"{own}-registry", f"{own}-disks"}
    assert [json.loads(line)["Name"] for line in deployment.left_in_engine("networks")] == [f"{own}-internet"]
    assert [json.loads(line)["Name"] for line in deployment.left_in_engine("volumes")] == [f"{own}-disk-store"]
    assert deployment.command("docker", "exec", f"{own}-disks", "ls", "/disks").stdout == ""


def test_teardown_again_changes_nothing(deployment):
    assert set(deployment.play("teardown").changed.values()) == {0}


def arm(deployment, method: str, path: str, api: str = "2021-04-01", expect: int = 200):
    """One request to ARM about the deployment's resource group, signed in as the deployment is."""
    env = deployment.env
    context = ssl.create_default_context(cafile=env["AZURE_CA_FILE"])
    base = env["AZURE_CLOUD_ENVIRONMENT"].rstrip("/")
    form = urllib.parse.urlencode({
        "grant_type": "client_credentials", "client_id": env["AZURE_CLIENT_ID"], "client_secret": env["AZURE_SECRET"],
        "scope": f"{base}/.default",
    }).encode()
    with urllib.request.urlopen(f"{base}/{env['AZURE_TENANT']}/oauth2/v2.0/token", form, context=context) as answer:
        token = json.load(answer)["access_token"]
    request = urllib.request.Request(
        f"{base}/subscriptions/{env['AZURE_SUBSCRIPTION_ID']}/resourceGroups/rg-{deployment.name}{path}?api-version={api}",
        method=method, headers={"Authorization": f"Bearer {token}", "Content-Length": "0"},
    )
    try:
        with urllib.request.urlopen(request, context=context) as answer:
            assert answer.status == expect
            return answer.read()
    except urllib.error.HTTPError as error:
        assert error.code == expect, error.read()
        return None
