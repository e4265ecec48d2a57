# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Variables of the applications: bad ones are named with the remedy before any host is asked anything, good ones give a document that a stack takes."""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys

import pytest
import yaml
from playbook_run import environment

ROUTES = [{"service": "api"}]
PEM = "-----BEGIN CERTIFICATE-----\n"
ACME = {"edge_routes": ROUTES, "edge_tls": "acme", "edge_acme_domains": "a.example.com", "edge_acme_email": "a@example.com"}
BUILT = {"webapp_source": "/", "webapp_registry": "localhost:5000"}

CASES = [
    ("edge", {}, "edge_routes is empty: name the services"),
    ("edge", {"edge_routes": [{"port": 80}]}, "edge_routes: each of them needs service"),
    ("edge", {"edge_routes": ROUTES, "edge_tls": "certificate"}, "give edge_tls_certificate (PEM"),
    ("edge", {"edge_routes": ROUTES, "edge_tls": "certificate", "edge_tls_certificate": PEM, "edge_tls_key": "x"}, "and edge_tls_key (PEM)"),
    ("edge", {"edge_routes": ROUTES, "edge_tls": "yes please"}, "value of edge_tls must be one of: none, certificate, acme"),
    ("edge", {**ACME, "edge_acme_domains": ""}, "name the domains in edge_acme_domains"),
    ("edge", {**ACME, "edge_acme_email": "nobody"}, "in edge_acme_email an address"),
    ("edge", {**ACME, "edge_http_port": 8080}, "edge_http_port is 8080: an ACME server asks on port 80"),
    ("edge", {**ACME, "edge_https_port": 80}, "edge_http_port and edge_https_port are both 80"),
    ("webapp", {}, "webapp_source is empty: name the folder"),
    ("webapp", {"webapp_source": "/nowhere", "webapp_registry": "r:5000"}, "webapp_source '/nowhere' is no folder"),
    ("webapp", {"webapp_source": "/"}, "webapp_registry is '': name the registry"),
    ("webapp", {"webapp_source": "/", "webapp_registry": "https://r:5000/"}, "webapp_registry is 'https://r:5000/': name the registry"),
    ("webapp", {**BUILT, "webapp_api_replicas": "0"}, "webapp_api_replicas is '0'"),
    ("webapp", {**BUILT, "webapp_worker_replicas": "many"}, "webapp_worker_replicas 'many'"),
    ("webapp", {**BUILT, "webapp_api_port": "70000"}, "webapp_api_port '70000'"),
    ("webapp", {**BUILT, "webapp_secret_seed": "short"}, "webapp_secret_seed has 5 characters"),
    ("monitoring", {"monitoring_retention": "forever"}, "monitoring_retention is 'forever': give a time"),
    ("monitoring", {"monitoring_scrape_interval": "0"}, "monitoring_scrape_interval is '0'"),
    ("monitoring", {"monitoring_secret_seed": "short"}, "monitoring_secret_seed has 5 characters"),
    ("monitoring", {"monitoring_container_exporter": "other"}, "value of monitoring_container_exporter must be one of: builtin, cadvisor"),
]

CI = {"ci_server": "buildbot"}
JOB = {"name": "a", "commands": ["true"]}
CASES += [
    ("ci", {}, "ci_registry is '': name the registry"),
    ("ci", {"ci_server": "hudson"}, "value of ci_server must be one of: jenkins, buildbot"),
    ("ci", {**CI, "ci_agent_hosts": "elsewhere"}, "ci_agent_hosts is 'elsewhere': name hosts of the swarm, which are localhost"),
    ("ci", {**CI, "ci_agent_slots": "0"}, "ci_agent_slots is '0'"),
    ("ci", {**CI, "ci_agent_memory": "1g"}, "ci_agent_memory '1g'"),
    ("ci", {**CI, "ci_keep_days": "never"}, "ci_keep_days 'never'"),
    ("ci", {**CI, "ci_jobs": [JOB, JOB]}, "ci_jobs has the jobs 'a, a': each needs a name of its own"),
    ("ci", {**CI, "ci_jobs": [{"name": "a"}]}, "and commands, a list"),
    ("ci", {**CI, "ci_jobs": [{**JOB, "commands": "true"}]}, "and commands, a list"),
    ("ci", {**CI, "ci_jobs": [{**JOB, "schedule": "daily"}]}, "schedule is five fields as of cron"),
    ("ci", {**CI, "ci_jobs": [{**JOB, "poll_minutes": 5}]}, "of a job that has a repository"),
    ("ci", {**CI, "ci_jobs": [{**JOB, "secrets": ["token"]}]}, "ci_jobs ask for token, which ci_secrets does not have"),
    ("ci", {**CI, "ci_secrets": {"a-b": "x"}}, "and not a-b"),
    ("ci", {**CI, "ci_secret_seed": "short"}, "ci_secret_seed has 5 characters"),
]

# What is told of in one go is tried in one go: several words of one run.
SPECIFIED = ("encrypt_networks", "allow_file_changes", "block_external", "database_volume", "uploads_volume", "http_port", "timeout", "replicas")
BAD_IMAGES = ("wordpress_image", "wordpress_image_edge", "wordpress_image_database", "wordpress_image_cache")
CASES += [
    ("wordpress", {**{f"wordpress_{name}": "perhaps" for name in SPECIFIED}, "wordpress_publish_mode": "mesh", "wordpress_state": "gone"},
     [*(f"wordpress_{name}" for name in SPECIFIED), "value of wordpress_publish_mode must be one of: ingress, host",
      "value of wordpress_state must be one of: present, absent"]),
    ("wordpress", {"wordpress_replicas": "0", "wordpress_http_port": 70000, "wordpress_timeout": -1},
     ["wordpress_replicas is '0'", "wordpress_http_port '70000'", "wordpress_timeout '-1'"]),
    ("wordpress", {"wordpress_title": " "}, "wordpress_title is empty: give the blog a title"),
    ("wordpress", {"wordpress_admin_user": "a<b"}, "wordpress_admin_user is 'a<b': give up to 60"),
    ("wordpress", {"wordpress_admin_email": "nobody"}, "wordpress_admin_email is 'nobody': give an address"),
    ("wordpress", {"wordpress_site_url": "blog.example.com"}, "wordpress_site_url is 'blog.example.com': give an address that begins with http://"),
    ("wordpress", dict.fromkeys(BAD_IMAGES, ""), f"{', '.join(BAD_IMAGES)} names no image: give one as REGISTRY/NAME:TAG"),
    ("wordpress", {"wordpress_cache_memory": "much"}, "wordpress_cache_memory is 'much': give a size"),
    ("wordpress", {"wordpress_data_constraint": "demo-1"}, "wordpress_data_constraint is 'demo-1': give a constraint that means one node"),
    ("wordpress", {"wordpress_secret_seed": "short"}, "wordpress_secret_seed has 5 characters"),
]

IMAGES = {"webapp_image_api": "a:1", "webapp_image_worker": "b:1"}
# The document was taken: the module reads all of it before it asks the engine, and this machine is no manager of a swarm.
TAKEN = ("This host is no manager of a swarm", "The Docker Engine", "There is no Docker Engine")
CERTIFICATE = {"edge_tls": "certificate", "edge_tls_certificate": PEM, "edge_tls_key": "-----BEGIN PRIVATE KEY-----"}
GOOD = [
    ("wordpress", {}),
    ("wordpress", {"wordpress_trusted_proxies": ["10.0.0.1"], "wordpress_uploads_volume": {"driver": "nfs"}, "wordpress_http_port": 8080, **CERTIFICATE}),
    ("wordpress", {key: value for key, value in ACME.items() if key != "edge_routes"}),
    ("webapp", IMAGES),
    ("webapp", {**IMAGES, "webapp_migrate_command": ["m"], "webapp_environment": {"A": "$b: c"}, "webapp_secrets": {"s": "x"}, **CERTIFICATE}),
    ("monitoring", {}),
    ("monitoring", {"monitoring_container_exporter": "cadvisor", "monitoring_users": {"anna": "x"}, "monitoring_grafana": False, **CERTIFICATE}),
]
WHOLE_JOB = {
    **JOB, "repository": "https://git.example.com/a.git", "poll_minutes": 5, "schedule": "0 4 * * 1", "secrets": ["t"], "image": "x:1",
    "environment": {"A": "it's ${b}"},
}  # fmt: skip
GOOD += [
    ("ci", {**CI, "ci_jobs": [WHOLE_JOB], "ci_secrets": {"t": "x"}, "ci_agent_memory": "512"}),
    ("ci", {"ci_image": "jenkins:1", "ci_jobs": [WHOLE_JOB], "ci_secrets": {"t": "$x"}}),
]
ALL = [(role, variables) for role, variables, _words in CASES] + GOOD


def attempt(number: int, role: str, variables: dict) -> dict:
    """A block that keeps why the role failed."""
    include = {"ansible.builtin.include_role": {"name": f"dockhost.azure.{role}"}, "vars": variables}
    keep = {"ansible.builtin.set_fact": {f"said_{number}": "{{ ansible_failed_result.msg ~ (ansible_failed_result.argument_errors | default('')) }}"}}
    return {"block": [include], "rescue": [keep]}


def ask(folder: pathlib.Path, role: str) -> dict[int, str]:
    """What a role said of each of its cases, all of them in one run."""
    numbers = [number for number, (name, _variables) in enumerate(ALL) if name == role]
    said_all = "{{ query('ansible.builtin.vars', *names, default='nothing was refused') | to_json }}"
    keep = {"ansible.builtin.copy": {"content": said_all, "dest": f"{folder}/said.json"}, "vars": {"names": [f"said_{number}" for number in numbers]}}
    tasks = [attempt(number, *ALL[number]) for number in numbers] + [keep]
    (folder / "play.yml").write_text(yaml.safe_dump([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]))
    (folder / "hosts").write_text(
        "[swarm_manager]\nlocalhost ansible_connection=local ansible_become=false ansible_python_interpreter=" + sys.executable + "\n")
    command = [str(pathlib.Path(sys.executable).parent / "ansible-playbook"), "-i", "hosts", "play.yml"]
    done = subprocess.run(command, cwd=folder, env=environment(folder), capture_output=True, text=True, timeout=240, check=False)
    assert (folder / "said.json").exists(), done.stdout[-3000:] + done.stderr
    return dict(zip(numbers, json.loads((folder / "said.json").read_text())))


@pytest.fixture(scope="module")
def said(tmp_path_factory) -> dict[int, str]:
    """What each role said: a run for each role."""
    roles = dict.fromkeys(role for role, _variables in ALL)
    return {number: words for role in roles for number, words in ask(tmp_path_factory.mktemp("input"), role).items()}


@pytest.mark.parametrize("number", range(len(CASES)), ids=[f"{role}-{words[:40] if isinstance(words, str) else words[0]}" for role, _variables, words in CASES])
def test_the_variable_and_the_remedy_are_named(said, number):
    words = CASES[number][2]
    for each in [words] if isinstance(words, str) else words:
        assert each in said[number].replace("\n", " ")


@pytest.mark.parametrize("number", range(len(CASES), len(ALL)), ids=[f"{role}-{number}" for number, (role, _variables) in enumerate(GOOD)])
def test_the_document_is_one_that_a_stack_takes(said, number):
    assert said[number].startswith(TAKEN), said[number]
