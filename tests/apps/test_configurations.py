# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What roles edge and monitoring write is accepted by the programs that read it, in all variants."""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys

import pytest
import yaml
from playbook_run import environment

pytestmark = pytest.mark.machines

ROOT = pathlib.Path(__file__).resolve().parents[2]
ROUTES = [
    {"service": "api", "port": 8000, "replicas": 9}, {"service": "admin", "path": "/admin", "login": True},
    {"service": "deep", "path": "/admin/deep/", "check_status": 204},
]  # fmt: skip
EDGES = {
    "plain": {"edge_trusted_proxies": "10.0.0.1,10.1.0.0/16"},
    "login": {"edge_users": {"anna": 'a "quoted" \\ $word', "ben": "$6$salt$" + "x" * 86}},
    "certificate": {"edge_tls": "certificate", "edge_hsts_seconds": 300, "edge_https_port": 8443},
    "acme": {"edge_tls": "acme", "edge_acme_domains": "a.example.com", "edge_acme_email": "a@example.com", "edge_redirect": False},
}


def play(folder: pathlib.Path, tasks: list, **more) -> None:
    (folder / "play.yml").write_text(yaml.safe_dump([{"hosts": "localhost", "gather_facts": False, "tasks": tasks, **more}]))
    command = [str(pathlib.Path(sys.executable).parent / "ansible-playbook"), "play.yml"]
    done = subprocess.run(command, cwd=folder, env=environment(folder), capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr


def readable(folder: pathlib.Path) -> None:
    """For users inside of containers."""
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)


@pytest.fixture(scope="module")
def edges(tmp_path_factory) -> pathlib.Path:
    """A folder for each variant, with all configs and secrets of the edge by their names."""
    folder = tmp_path_factory.mktemp("edges")
    new = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "key.pem", "-out", "cert.pem", "-subj", "/CN=a"]
    subprocess.run(["openssl", "req", "-x509", *new], cwd=folder, check=True, capture_output=True)
    pem = {"edge_tls_certificate": (folder / "cert.pem").read_text(), "edge_tls_key": (folder / "key.pem").read_text()}
    tasks = []
    for name, variables in EDGES.items():
        (folder / name).mkdir()
        tasks.append({"ansible.builtin.include_role": {"name": "dockhost.azure.edge"}, "vars": {"edge_routes": ROUTES, **pem, **variables}})
        write = {"content": "{{ item.value }}", "dest": f"{folder}/{name}/{{{{ item.key }}}}"}
        tasks.append({"ansible.builtin.copy": write, "loop": "{{ (edge_configs | combine(edge_secrets)) | dict2items }}", "no_log": True})
    play(folder, tasks)
    readable(folder)
    return folder


@pytest.mark.parametrize("name", EDGES)
def test_haproxy_accepts_the_edge(containers, image, edges, name):
    places = {"edge": "/usr/local/etc/haproxy/haproxy.cfg", "edge_certificates": "/usr/local/etc/haproxy/certificates"}
    found = {path.name: path for path in (edges / name).iterdir()}
    volumes = {str(path): {"bind": places.get(key, f"/run/secrets/{key}"), "mode": "ro"} for key, path in found.items()}
    users = ["-f", "/run/secrets/edge_users"] if "edge_users" in found else []
    code, output = containers.end(image("haproxy"), "-c", "-f", "/usr/local/etc/haproxy/haproxy.cfg", *users, volumes=volumes)
    assert code == 0, output
    assert ("edge_users" in found) == (name == "login") and ("edge_certificate" in found) == (name == "certificate")


@pytest.fixture(scope="module")
def monitoring(tmp_path_factory) -> pathlib.Path:
    """The configs of role monitoring, by their names, for its default and for everything that can be added."""
    folder, role = tmp_path_factory.mktemp("monitoring"), ROOT / "roles" / "monitoring"
    for name in ("templates", "files"):
        (folder / name).symlink_to(role / name)
    added = {
        "monitoring_engine_port": 9323, "monitoring_container_exporter": "cadvisor", "monitoring_alerts": False,
        "monitoring_scrape_configs": [{"job_name": "mine", "static_configs": [{"targets": ["a:1"]}]}],
        "monitoring_rules": [{"name": "mine", "rules": [{"alert": "A", "expr": "up == 0"}]}],
    }  # fmt: skip
    tasks = []
    for name, variables in {"default": {}, "added": added, "silent": {"monitoring_alerts": False}}.items():
        copy = {"content": "{{ lookup('ansible.builtin.template', 'configs.json.j2') }}", "dest": f"{folder}/{name}.json"}
        tasks.append({"ansible.builtin.copy": copy, "vars": variables})
    play(folder, tasks, vars_files=[str(role / "defaults" / "main.yml"), str(role / "vars" / "main.yml")])
    for name in ("default", "added", "silent"):
        (folder / name).mkdir()
        for key, content in json.loads((folder / f"{name}.json").read_text()).items():
            (folder / name / {"prometheus": "prometheus.yml", "rules": "rules.yml"}.get(key, key)).write_text(content)
        readable(folder / name)
    return folder


@pytest.mark.parametrize("name", ["default", "added", "silent"])
def test_prometheus_accepts_configuration_and_rules(containers, image, monitoring, name):
    volumes = {str(monitoring / name): {"bind": "/etc/prometheus", "mode": "ro"}}
    code, output = containers.end(image("prometheus"), "check", "config", "/etc/prometheus/prometheus.yml", entrypoint="promtool", volumes=volumes)
    assert code == 0 and "SUCCESS" in output, output


def test_an_alert_fires_when_a_host_does_not_answer_and_when_tasks_are_missing(containers, image, monitoring):
    series = [
        {"series": 'up{job="hosts", instance="web-2"}', "values": "1 0x20"},
        {"series": 'swarm_service_tasks_running{service="shop_api", instance="web-1"}', "values": "1x20"},
        {"series": 'swarm_service_tasks_desired{service="shop_api", instance="web-1"}', "values": "2x20"},
    ]
    labels = {"severity": "critical", "job": "hosts", "instance": "web-2"}
    host = {"exp_labels": labels, "exp_annotations": {"summary": "web-2 has not answered for two minutes"}}
    tasks = {"severity": "critical", "service": "shop_api"}
    text = "service shop_api runs 1 tasks, which is fewer than wanted"
    cases = [
        {"eval_time": "2m", "alertname": "HostNotReached", "exp_alerts": []},
        {"eval_time": "5m", "alertname": "HostNotReached", "exp_alerts": [host]},
        {"eval_time": "5m", "alertname": "TasksMissing", "exp_alerts": [{"exp_labels": tasks, "exp_annotations": {"summary": text}}]},
    ]
    path = monitoring / "default" / "tests.yml"
    path.write_text(yaml.safe_dump({"rule_files": ["rules.yml"], "tests": [{"interval": "1m", "input_series": series, "alert_rule_test": cases}]}))
    readable(monitoring / "default")
    volumes = {str(monitoring / "default"): {"bind": "/etc/prometheus", "mode": "ro"}}
    code, output = containers.end(image("prometheus"), "test", "rules", "/etc/prometheus/tests.yml", entrypoint="promtool", volumes=volumes)
    assert code == 0, output


def test_grafana_gets_the_dashboards_that_the_consoles_show(monitoring):
    for name, title in {"hosts": "Hosts", "services": "Services"}.items():
        dashboard = json.loads((monitoring / "default" / f"dashboard_{name}").read_text())
        console = (monitoring / "default" / f"console_{name}").read_text()
        assert dashboard["title"] == title and len(dashboard["panels"]) >= 5
        for panel in dashboard["panels"]:
            assert panel["targets"][0]["expr"] and f"<h2>{panel['title']}</h2>" in console
