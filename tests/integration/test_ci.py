# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Playbook ci on two hosts: builds are done in agents that come with the queue and go with it, on both hosts, asked for over the edge's login.

Buildbot, from Debian's packages; Jenkins is in none of them.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import http.server
import json
import pathlib
import subprocess
import threading

import pytest
import yaml
from applications import Applications, ask_over_http
from deployment import ROOT

pytestmark = pytest.mark.machines

TOKEN = "a-token-that-nobody-else-sees"
RUNNING = "docker ps --format '{% raw %}{{.Image}}{% endraw %}' | grep -c buildbot-worker || true"
SERVICE = "docker ps -qf name=ci_controller"
# Whether there is something at an address, as an agent asks it.
LOOK = "python3 -c 'import urllib.request; urllib.request.urlopen(\"{url}\", timeout=5)' 2>/dev/null"

# What somebody does who is on the network of the engines: without a certificate, and with the controller's.
KNOCK = """
import http.client, json, ssl
def ask(path, *pair):
    trust = ssl.create_default_context(cafile="/run/secrets/engines_authority")
    if pair:
        trust.load_cert_chain(*pair)
    client = http.client.HTTPSConnection("engine-ci-2", 2376, timeout=10, context=trust)
    try:
        client.request("GET", path)
        return client.getresponse().status
    except (ssl.SSLError, ConnectionError) as error:
        return type(error).__name__
own = ("/run/secrets/engines_certificate", "/run/secrets/engines_key")
print(json.dumps([ask("/version"), ask("/version", *own), ask("/secrets", *own), ask("/v1.41/services", *own), ask("/swarm", *own)]))
"""


class Ci(Applications):
    """A CI server, and what its users ask it."""

    lab_options = ("--apps", "ci")

    @property
    def login(self) -> str:
        return self.administrator("ci")

    def api(self, path: str, body=None, login: str | None = None) -> tuple[int, dict]:
        """One request to Buildbot's API: status and answer."""
        status, content = ask_over_http(self.url, path, f"admin:{self.login if login is None else login}", body)
        return status, json.loads(content) if status == 200 and content.startswith("{") else {}

    def force(self, job: str) -> int:
        """Ask for a build; the number of the request."""
        status, told = self.api(f"/api/v2/forceschedulers/force-{job}", {"jsonrpc": "2.0", "method": "force", "id": 1, "params": {}})
        assert status == 200, status
        return told["result"][0]

    def builds_of(self, request: int) -> list[dict]:
        """The build that a request led to; none while it waits for a place."""
        return self.api(f"/api/v2/builds?buildrequestid__eq={request}&property=workername")[1]["builds"]

    def build_of(self, request: int, seconds: float = 120) -> dict:
        """The build that a request led to, when it has ended."""
        return self.eventually(lambda: next((build for build in self.builds_of(request) if build["complete"]), None), seconds)

    def log(self, build: dict) -> str:
        """What a build printed."""
        told = ""
        for step in self.api(f"/api/v2/builds/{build['buildid']}/steps")[1]["steps"]:
            for log in self.api(f"/api/v2/steps/{step['stepid']}/logs")[1]["logs"]:
                told += "".join(chunk["content"] for chunk in self.api(f"/api/v2/logs/{log['logid']}/contents")[1]["logchunks"])
        return told

    def agents(self) -> list[int]:
        """How many agents there are on each host."""
        return [int(self.on(host, RUNNING).strip() or 0) for host in ("ci-1", "ci-2")]


class Repository:
    """A Git repository on the controller, served over HTTP as files."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.work, self.served = folder / "work", folder / "served"
        self.served.mkdir(parents=True)
        self.git("init", "-q", "-b", "main", str(self.work))
        self.commit("one")

    @staticmethod
    def git(*words: str) -> None:
        subprocess.run(["git", "-c", "user.name=test", "-c", "user.email=test@example.com", *words], check=True, capture_output=True)

    def commit(self, word: str) -> None:
        (self.work / "word").write_text(word + "\n")
        self.git("-C", str(self.work), "add", "word")
        self.git("-C", str(self.work), "commit", "-q", "-m", word)
        bare = self.served / "shop.git"
        if bare.exists():
            self.git("-C", str(self.work), "push", "-q", str(bare), "main")
        else:
            self.git("clone", "-q", "--bare", str(self.work), str(bare))
        self.git("-C", str(bare), "update-server-info")


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_words) -> None:
        """Nothing: each request would be a line in the test's output."""


@pytest.fixture(scope="module")
def ci(tmp_path_factory):
    made = Ci(tmp_path_factory.mktemp("ci"), "ci")
    with made.running():
        yield made


@pytest.fixture(scope="module")
def repository(ci, tmp_path_factory):
    made = Repository(tmp_path_factory.mktemp("repository"))
    address = ci.env["DOCKHOST_SSH_SOURCES"].split("/")[0]
    server = http.server.ThreadingHTTPServer((address, 0), functools.partial(Quiet, directory=str(made.served)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://{address}:{server.server_port}"
    ci.variables.update(
        deployment_hosts=2, deployment_managers=1, site_application="ci", ci_server="buildbot", ci_agent_hosts="ci-1,ci-2", ci_agent_slots="1",
        ci_secrets={"TOKEN": TOKEN}, ci_jobs=[
            {"name": "hello", "commands": ["printf %s \"$TOKEN\" | sha256sum", "echo $WORD; hostname"], "secrets": ["TOKEN"], "environment": {"WORD": "hello"}},
            {"name": "wait", "commands": [f"until {LOOK.format(url=url + '/release')}; do sleep 0.5; done"]},
            {"name": "bad", "commands": ["echo before", "exit 3", "echo never"]},
            {"name": "shop", "repository": f"{url}/shop.git", "poll_minutes": 60, "commands": ["cat word"]},
        ],
    )  # fmt: skip
    ci.write_inventory()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()


def test_the_server_is_deployed_and_asks_for_a_login(ci, repository):
    run = ci.play("site", "-vv", "--diff")
    assert "ci_controller" in run.output and "PRIVATE KEY" not in run.output
    assert TOKEN not in run.output and ci.login not in run.output
    ci.eventually(lambda: ci.api("/api/v2/builders")[0] == 200)
    assert {found["name"] for found in ci.api("/api/v2/builders")[1]["builders"]} >= {"hello", "wait", "bad", "shop"}
    assert ci.api("/api/v2/builders", login="wrong")[0] == 401 and ci.agents() == [0, 0]


def test_a_build_has_its_secret_and_shows_it_nowhere(ci):
    build = ci.build_of(ci.force("hello"))
    told = ci.log(build)
    assert build["results"] == 0 and hashlib.sha256(TOKEN.encode()).hexdigest() in told and "hello" in told
    assert TOKEN not in told and TOKEN not in json.dumps(ci.api(f"/api/v2/builds/{build['buildid']}/properties")[1])


def test_a_command_that_fails_ends_the_build(ci):
    build = ci.build_of(ci.force("bad"))
    told = ci.log(build)
    assert build["results"] == 2 and "before" in told and "never" not in told.replace("echo never", "")


def test_agents_come_with_the_queue_and_go_with_it(ci, repository):
    """Three builds that last until the controller lets them go, and one place on each host: two at the same time, on both hosts, and the third after them."""
    requests = [ci.force("wait") for dummy in range(3)]
    ci.eventually(lambda: ci.agents() == [1, 1])
    seen = [ci.agents() for dummy in range(3)]
    assert seen == [[1, 1]] * 3 and len([request for request in requests if ci.builds_of(request)]) == 2, seen
    (repository.served / "release").touch()
    builds = [ci.build_of(request) for request in requests]
    assert [build["results"] for build in builds] == [0] * 3
    assert len({build["properties"]["workername"][0] for build in builds}) == 2
    ci.eventually(lambda: ci.agents() == [0, 0])


def test_a_commit_is_built(ci, repository):
    def builds() -> list[dict]:
        builder = next(found["builderid"] for found in ci.api("/api/v2/builders")[1]["builders"] if found["name"] == "shop")
        return ci.api(f"/api/v2/builders/{builder}/builds")[1]["builds"]

    assert "one" in ci.log(ci.build_of(ci.force("shop")))
    before = len(builds())
    repository.commit("two")
    # What a repository's host does after a push, so that nobody waits for the next look.
    assert ci.api("/change_hook/poller?poller=shop", {})[0] == 200
    found = ci.eventually(lambda: [build for build in builds()[before:] if build["complete"]])
    assert found[0]["results"] == 0 and "two" in ci.log(found[0])


def test_engines_let_in_the_controller_only_and_tell_it_nothing_of_the_swarm(ci):
    script = base64.b64encode(KNOCK.encode()).decode()
    told = json.loads(ci.on("ci-1", f"docker exec $({SERVICE}) python3 -c \"$(echo {script} | base64 -d)\""))
    assert isinstance(told[0], str) and told[1:] == [200, 403, 403, 403], told


def test_a_second_run_changes_nothing(ci):
    run = ci.play("ci")
    assert run.changed and set(run.changed.values()) == {0}, run.output[-4000:]


@pytest.mark.long
def test_a_backup_brings_back_builds_that_were_destroyed(ci):
    # The words of the role's documentation, so that they are known to work.
    document = (ROOT / "roles" / "ci" / "README.md").read_text()
    ci.variables.update(yaml.safe_load(document[document.index("maintenance_backups:") :].partition("```")[0]))
    ci.write_inventory()

    def builds() -> set[int] | None:
        """Those that the server knows; nothing while it does not answer."""
        status, told = ci.api("/api/v2/builds")
        return {build["buildid"] for build in told["builds"]} if status == 200 else None

    before = builds()
    ci.play("backup")
    volume = "$(docker volume inspect -f '{% raw %}{{.Mountpoint}}{% endraw %}' ci_home)"
    ci.on("ci-1", f"rm -f {volume}/state.sqlite; docker kill $({SERVICE})")
    ci.eventually(lambda: builds() == set())
    ci.play("restore", "-e", "maintenance_restore_names=ci", "-e", "maintenance_restore_overwrite=true")
    assert before and ci.eventually(lambda: builds() == before)
    assert ci.build_of(ci.force("hello"))["results"] == 0


@pytest.mark.long
def test_a_new_password_opens_it_and_the_old_one_does_not(ci):
    folder, old = pathlib.Path(ci.env["DOCKHOST_STATE_DIR"], "ci", "ci"), ci.login
    words = ("-e", "rotate_what=secrets", "-e", "rotate_secrets=admin_password", "-e", "rotate_application=dockhost.azure.ci")
    ci.play("rotate", *words, "-e", f"rotate_secrets_dir={folder}")
    assert ci.login != old
    assert ci.eventually(lambda: ci.api("/api/v2/builders")[0] == 200) and ci.api("/api/v2/builders", login=old)[0] == 401
