# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Metrics of the containers of one host, and on a manager of the swarm's services and nodes, for Prometheus.

Asks the Docker Engine over its socket when it is asked itself. Metrics of containers have the names and labels that cAdvisor gives them
(https://github.com/google/cadvisor/blob/master/docs/storage/prometheus.md), so that dashboards work with either.
"""

from __future__ import annotations

import concurrent.futures
import http.client
import http.server
import json
import os
import socket
import urllib.parse

SOCKET = os.environ.get("DOCKER_SOCKET", "/var/run/docker.sock")
PORT = int(os.environ.get("PORT", "9101"))
COUNTERS = ("container_cpu_usage_seconds_total", "container_network_receive_bytes_total", "container_network_transmit_bytes_total")
LABELS = {name: "container_label_" + name.replace(".", "_") for name in ("com.docker.swarm.service.name", "com.docker.stack.namespace")}


class Refused(Exception):
    """The engine said no."""


class Connection(http.client.HTTPConnection):
    """HTTP over the engine's socket."""

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(10)
        self.sock.connect(SOCKET)


def ask(path: str, **query: str) -> object:
    """GET of the engine's API."""
    connection = Connection("docker")
    try:
        connection.request("GET", path + ("?" + urllib.parse.urlencode(query) if query else ""))
        answer = connection.getresponse()
        content = answer.read()
        if answer.status >= 400:
            raise Refused(f"{path}: {answer.status} {content[:200].decode(errors='replace')}")
        return json.loads(content)
    finally:
        connection.close()


def line(name: str, labels: dict[str, str], value: float) -> str:
    """One sample in Prometheus's text format."""
    quoted = ",".join(
        '%s="%s"' % (key, text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")) for key, text in sorted(labels.items())
    )
    return f"{name}{{{quoted}}} {value}"


def of_container(container: dict) -> list[str]:
    """The samples of one container; none where it ended just now."""
    try:
        stats = ask(f"/containers/{container['Id']}/stats", stream="false", **{"one-shot": "true"})
    except Refused:
        return []
    labels = {"name": container["Names"][0].lstrip("/"), "id": container["Id"][:12], "image": container["Image"]}
    labels.update({LABELS[key]: value for key, value in container["Labels"].items() if key in LABELS})
    memory = stats.get("memory_stats", {})
    cached = memory.get("stats", {}).get("inactive_file", memory.get("stats", {}).get("total_inactive_file", 0))
    networks = (stats.get("networks") or {}).values()
    found = {
        "container_cpu_usage_seconds_total": stats["cpu_stats"]["cpu_usage"]["total_usage"] / 1e9,
        "container_memory_usage_bytes": memory.get("usage", 0),
        "container_memory_working_set_bytes": max(0, memory.get("usage", 0) - cached),
        "container_spec_memory_limit_bytes": memory.get("limit", 0),
        "container_network_receive_bytes_total": sum(item["rx_bytes"] for item in networks),
        "container_network_transmit_bytes_total": sum(item["tx_bytes"] for item in networks),
    }
    return [line(name, labels, value) for name, value in found.items()]


def of_swarm() -> list[str]:
    """Services and nodes, where this host is a manager."""
    if not ask("/info")["Swarm"].get("ControlAvailable"):
        return []
    found = []
    for service in ask("/services", status="true"):
        if "ReplicatedJob" in service["Spec"]["Mode"] or "GlobalJob" in service["Spec"]["Mode"]:
            continue  # a job that is done runs no task
        labels = {"service": service["Spec"]["Name"]}
        found.append(line("swarm_service_tasks_running", labels, service["ServiceStatus"]["RunningTasks"]))
        found.append(line("swarm_service_tasks_desired", labels, service["ServiceStatus"]["DesiredTasks"]))
    for node in ask("/nodes"):
        labels = {"node": node["Description"]["Hostname"], "role": node["Spec"]["Role"], "availability": node["Spec"]["Availability"]}
        found.append(line("swarm_node_ready", labels, int(node["Status"]["State"] == "ready")))
    return found


def metrics() -> str:
    """All of it, samples of one name together as the format wants."""
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        samples = [sample for found in pool.map(of_container, ask("/containers/json")) for sample in found] + of_swarm()
    text, before = [], ""
    for sample in sorted(samples):
        name = sample.partition("{")[0]
        if name != before:
            text.append(f"# TYPE {name} {'counter' if name in COUNTERS else 'gauge'}")
            before = name
        text.append(sample)
    return "\n".join(text) + "\n"


class Handler(http.server.BaseHTTPRequestHandler):
    """GET /metrics."""

    def do_GET(self) -> None:  # pylint: disable=invalid-name
        try:
            status, content = (200, metrics()) if self.path == "/metrics" else (404, "ask for /metrics\n")
        except (OSError, Refused, http.client.HTTPException) as error:
            status, content = 503, f"the Docker Engine does not answer: {error}\n"
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.end_headers()
        self.wfile.write(content.encode())

    def log_message(self, format: str, *args: object) -> None:  # pylint: disable=redefined-builtin
        """Not each scrape."""


if __name__ == "__main__":
    http.server.ThreadingHTTPServer(("", PORT), Handler).serve_forever()
