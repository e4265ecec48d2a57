# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An application in both forms, and what is refused where it runs with Compose, before any host or Azure is asked anything."""

from __future__ import annotations

import http.server
import json
import pathlib
import socketserver
import subprocess
import sys
import threading

import pytest
import yaml
from playbook_run import environment

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(sys.executable).parent
LOCAL = f"localhost ansible_connection=local ansible_become=false ansible_python_interpreter={sys.executable}"
GIVEN = {
    "webapp": {
        "webapp_image_api": "a:1", "webapp_image_worker": "b:1", "webapp_migrate_command": ["m"], "webapp_secrets": {"mail": "a-word-of-mine"},
        "webapp_encrypt_networks": True, "edge_tls": "certificate", "edge_tls_certificate": "-----BEGIN CERTIFICATE-----",
        "edge_tls_key": "-----BEGIN PRIVATE KEY-----",
    },
    "wordpress": {"edge_tls": "acme", "edge_acme_domains": "a.example.com", "edge_acme_email": "a@example.com", "wordpress_encrypt_networks": True},
}  # fmt: skip


def run(folder, play, hosts, *more):
    (folder / "hosts").write_text(hosts)
    words = [str(BIN / "ansible-playbook"), "-i", "hosts", play, *more]
    return subprocess.run(words, env=environment(folder), cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module", params=[(role, form) for role in GIVEN for form in ("swarm", "compose")], ids="-".join)
def rendered(request, tmp_path_factory):
    """Role, form, and what it would deploy, from a run in check mode with --diff."""
    role, form = request.param
    folder = tmp_path_factory.mktemp("rendered")
    configs = "__webapp_configs" if role == "webapp" else "__wordpress_all_configs"
    project = f"(__{role}_document | dockhost.azure.compose_project({configs}, __{role}_all_secrets))"
    kept = f"{{{{ {{'document': __{role}_document, 'project': {project}, 'edge': edge_configs.edge, 'secrets': __{role}_all_secrets}} | to_json }}}}"
    tasks = [
        {"ansible.builtin.include_role": {"name": f"dockhost.azure.{role}", "public": True}},
        {"ansible.builtin.copy": {"content": kept, "dest": f"{folder}/kept.json"}, "check_mode": False, "no_log": True},
    ]
    # For the lookups of the role's variables, which are looked at outside of it.
    for name in ("templates", "files"):
        (folder / name).symlink_to(ROOT / "roles" / role / name)
    (folder / "play.yml").write_text(yaml.safe_dump([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]))
    (folder / "given.json").write_text(json.dumps({**GIVEN[role], f"{role}_orchestrator": form}))
    done = run(folder, "play.yml", f"[swarm_manager]\n{LOCAL}\n", "--check", "--diff", "-vv", "-e", "@given.json")
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    return role, form, json.loads((folder / "kept.json").read_text()), done.stdout


def test_each_form_says_it_in_its_own_words(rendered):
    role, form, kept, _said = rendered
    web, port = ("api", 8000) if role == "webapp" else ("wordpress", 80)
    assert f" {'tasks.' if form == 'swarm' else ''}{web}:{port}\n" in kept["edge"]
    if form == "swarm":
        services = kept["document"]["services"]
        assert services["database"]["deploy"]["placement"]["constraints"] and services["edge"]["deploy"]["mode"] == "global"
        assert not any("depends_on" in service for service in services.values())
        assert kept["document"]["networks"]["back"]["driver_opts"] == {"encrypted": ""}
        return
    services = kept["project"]["services"]
    assert "tasks." not in kept["edge"]
    assert all(set(service.get("deploy", {})) <= {"replicas", "resources"} for service in services.values())
    job = "migrate" if role == "webapp" else "install"
    assert {name for name, service in services.items() if service["restart"].startswith("on-failure:")} == {job}
    assert all(service["restart"] == "unless-stopped" for name, service in services.items() if name != job)
    assert services[job]["depends_on"]["database"] == services[web]["depends_on"]["database"] == {"condition": "service_healthy"}
    if role == "webapp":
        assert services["api"]["depends_on"]["migrate"] == services["worker"]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}
    assert services["edge"]["ports"] == [{"target": 80, "published": "80"}, {"target": 443, "published": "443"}]
    assert services["edge"]["labels"]["dockhost.probe"] == "http:/.edge-health"
    assert kept["project"]["networks"]["back"] == {"internal": True} and "encrypted" not in json.dumps(kept["project"])
    assert kept["project"]["secrets"] == {name: {"file": f"./secrets/{name}"} for name in kept["secrets"]}
    assert kept["project"]["configs"]["edge"] == {"file": "./configs/edge"}


def test_no_secret_is_shown(rendered):
    _role, _form, kept, said = rendered
    values = [value.strip() for value in kept["secrets"].values()]
    assert len(values) >= 4 and not any(value in said for value in values)


@pytest.mark.parametrize("form, last", [("swarm", "Deploy stack webapp"), ("compose", "dockhost.azure.compose : Compose project")])
def test_the_application_s_tag_is_enough(tmp_path, form, last):
    play = {"hosts": "localhost", "gather_facts": False, "tasks": [{"ansible.builtin.include_role": {"name": "dockhost.azure.webapp"}, "tags": ["webapp"]}]}
    (tmp_path / "play.yml").write_text(yaml.safe_dump([play]))
    (tmp_path / "given.json").write_text(json.dumps({**GIVEN["webapp"], "webapp_orchestrator": form}))
    done = run(tmp_path, "play.yml", f"[swarm_manager]\n{LOCAL}\n", "--check", "--tags", "webapp", "-e", "@given.json")
    assert done.returncode == 0 and last in done.stdout, done.stdout[-3000:]


MANY = "[swarm_manager]\nm-1\n[swarm_worker]\nw-1\n[all:vars]\nansible_host=192.0.2.1\n"
ONE = "[swarm_manager]\nm-1\n[all:vars]\nansible_host=192.0.2.1\n"
ALONE = {"site_orchestrator": "compose", "deployment_hosts": "1"}
REFUSED = [
    ("site", ONE, {"site_orchestrator": "podman"}, "site_orchestrator is 'podman': give swarm, or compose for a single host."),
    ("site", "", {"site_orchestrator": "compose"}, "which is for one host, and there are 3: set deployment_hosts to 1"),
    ("site", MANY, ALONE, "which is for one host, and there are 2: set deployment_hosts to 1"),
    *((playbook, MANY, ALONE, "which is for one host, and there are 2: set deployment_hosts to 1") for playbook in ("app", "swarm", "start", "status")),
    *((playbook, ONE, {"site_orchestrator": "podman"}, "site_orchestrator is 'podman': give swarm") for playbook in ("swarm", "start", "status")),
    ("site", ONE, {**ALONE, "site_application": "ci"}, "site_orchestrator is compose, and ci runs on a swarm only"),
    ("monitoring", ONE, ALONE, "site_orchestrator is compose, and monitoring runs on a swarm only"),
    ("app", ONE, {"webapp_orchestrator": "compose"}, "for the playbooks give site_orchestrator alone"),
    ("scale", ONE, {**ALONE, "scale_workers": "2"}, "dockhost.azure.scale adds hosts to a swarm"),
    ("upgrade", ONE, ALONE, "upgrade it with module dockhost.azure.host_upgrade"),
    ("heal", ONE, ALONE, "dockhost.azure.heal looks for nodes of a swarm"),
    ("swarm_recover", ONE, ALONE, "dockhost.azure.swarm_recover mends a swarm, and there is none."),
    ("rotate", ONE, {**ALONE, "rotate_what": "swarm_ca,swarm_tokens"}, "rotate_what has swarm_ca, swarm_tokens of a swarm, and there is none"),
    ("backup", ONE, {**ALONE, "maintenance_backup_swarm": "true"}, "maintenance_backup_swarm asks for the state of a swarm, and there is none"),
    ("restore", ONE, {**ALONE, "maintenance_restore_names": "a,swarm"}, "maintenance_restore_names has swarm, the state of a swarm"),
]


@pytest.mark.parametrize("playbook, hosts, given, words", REFUSED, ids=[f"{case[0]}-{case[3][:30]}" for case in REFUSED])
def test_one_sentence_before_anything_is_touched(tmp_path, playbook, hosts, given, words):
    done = run(tmp_path, f"dockhost.azure.{playbook}", hosts, "-e", json.dumps(given))
    said = " ".join((done.stdout + done.stderr).split())
    assert done.returncode == 2 and words in said, said[-3000:]
    assert "az login" not in said and "UNREACHABLE" not in said and "changed=0" in said


def test_a_nightly_job_tells_a_wrong_form_from_a_difference(tmp_path):
    done = run(tmp_path, "dockhost.azure.drift", "", "-e", json.dumps({"site_orchestrator": "compose", "drift_file": f"{tmp_path}/drift.json"}))
    assert done.returncode == 4, done.stdout[-3000:]
    told = json.loads((tmp_path / "drift.json").read_text())
    assert told["state"] == "error" and "which is for one host, and there are 3: set deployment_hosts to 1" in " ".join(told["errors"])


class Answers(http.server.BaseHTTPRequestHandler):
    """A manager of a swarm, or the words of an engine that is none."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):  # noqa: N802
        refusal, services = self.server.says
        found = {"/version": {"ApiVersion": "1.44"}, "/services": services, "/nodes": [], "/swarm": {"ID": "c"}}
        name = next((name for name in found if self.path.partition("?")[0].endswith(name)), "")
        refused = refusal and name != "/version"
        content = json.dumps({"message": refusal} if refused else found.get(name, {})).encode()
        self.send_response(503 if refused else 200)
        self.send_header("Api-Version", "1.44")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def address_string(self):
        return "socket"

    def log_message(self, *dummy):
        pass


def stack_service(stack):
    return {"ID": "s", "Spec": {"Name": f"{stack}_api", "Labels": {"com.docker.stack.namespace": stack}, "Mode": {"Replicated": {"Replicas": 1}},
                                "TaskTemplate": {"ContainerSpec": {"Image": "a:1"}}}}  # fmt: skip


@pytest.mark.parametrize("refusal, services, words", [
    ("", [stack_service("webapp")], "Stack webapp runs on the swarm of localhost, and Compose would run it a second time on the same volumes"),
    ("The swarm does not have a leader. It's possible that too few managers are online.", [], "cannot be told (Failed to read the swarm: "),
    ("", [stack_service("blog")], ""),
    ('This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.', [], ""),
], ids=["same", "lost", "another", "none"])  # fmt: skip
def test_a_stack_is_not_taken_over(tmp_path, refusal, services, words):
    with socketserver.ThreadingUnixStreamServer(str(tmp_path / "s"), Answers) as server:
        server.says = (refusal, services)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        include = {"ansible.builtin.include_role": {"name": "dockhost.azure.compose", "tasks_from": "alone"}, "vars": {"compose_name": "webapp"}}
        play = {"hosts": "localhost", "gather_facts": False, "tasks": [include],
                "module_defaults": {"dockhost.azure.swarm_info": {"docker_socket": str(tmp_path / "s")}}}  # fmt: skip
        (tmp_path / "play.yml").write_text(yaml.safe_dump([play]))
        done = run(tmp_path, "play.yml", f"[swarm_manager]\n{LOCAL}\n")
        server.shutdown()
    said = " ".join(done.stdout.split())
    assert (done.returncode == 2) == bool(words) and words in said, said[-3000:]
    assert "Refuse to run it twice" in said
