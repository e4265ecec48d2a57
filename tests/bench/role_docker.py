# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Role docker on real hosts of azlab: the first run and a run with nothing to change, beside geerlingguy.docker.

Each role gets hosts that have never seen Docker, made for it in a lab of its own, and the same outcome is asked of it: packages of Debian,
the same daemon.json, one user. Package lists are read on the hosts before the first run. The peer is read from the folder or the Git
repository that the environment variable GEERLINGGUY_DOCKER names; where it is not set its figures are absent.

Wall time is that of ansible-playbook as a whole, with the hosts in a file: what is measured is the role and not the inventory plugin, which takes
as long as either role's tasks. CPU is that of the controller's processes and of the hosts' control groups together.
The fixed cost of Ansible is measured by a play with no tasks (``floor``).
"""

from __future__ import annotations

import os
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from typing import Any, Dict, List, Mapping

import docker
import yaml

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "e2e"))

from deployment import Deployment  # noqa: E402

REPEATS = 3
OPTIONS = {
    "log-driver": "json-file", "log-opts": {"max-size": "10m", "max-file": "3"}, "live-restore": True,
    "default-address-pools": [{"base": "172.26.0.0/16", "size": 24}],
}  # fmt: skip
OURS = {"hosts": "dockhost", "become": True, "gather_facts": False, "roles": [{"role": "dockhost.azure.docker", "docker_users": ["azureuser"]}]}
PEER = {
    "hosts": "dockhost", "become": True, "gather_facts": True, "gather_subset": ["!all"],
    "roles": [{
        "role": "geerlingguy.docker", "docker_add_repo": False, "docker_obsolete_packages": [], "docker_compose_package": "docker-compose",
        "docker_packages": ["docker.io", "docker-cli", "containerd", "docker-buildx"], "docker_daemon_options": OPTIONS, "docker_users": ["azureuser"],
    }],
}  # fmt: skip
FLOOR = {"hosts": "dockhost", "gather_facts": False, "tasks": []}


class Hosts(Deployment):
    """Hosts that have never seen Docker, and what a play on them costs."""

    def __init__(self, folder: pathlib.Path, name: str, count: int) -> None:
        super().__init__(folder, name)
        self.variables.update(deployment_hosts=count, deployment_managers=1)
        # Neither role is to be for a swarm: live-restore stays on in both.
        self.variables.update(swarm_managers_group="none", swarm_workers_group="none")
        self.env["ANSIBLE_ROLES_PATH"] = str(folder / "roles")
        self.containers: List[str] = []
        self.engine = docker.from_env().api

    def start(self) -> None:
        super().start()
        self.play_quietly("dockhost.azure.provision")
        listed = self.command("docker", "ps", "-q", "--filter", f"label=azlab.lab={self.lab}", "--filter", "name=-vm-").stdout
        self.containers = listed.split()
        listed = self.folder / "hosts.yml"
        self.command("ansible-inventory", "-i", str(self.inventory), "--list", "--yaml", "--export", "--output", str(listed))
        self.inventory = listed
        self.command("ansible", "-i", str(self.inventory), "dockhost", "--become", "-m", "ansible.builtin.command", "-a", "apt-get -q update")

    def play_quietly(self, name: str) -> str:
        return self.command("ansible-playbook", "-i", str(self.inventory), name).stdout

    def host_cpu(self) -> float:
        """CPU seconds that the hosts have used."""
        shown = (self.engine.stats(container, stream=False, one_shot=True) for container in self.containers)
        return sum(one["cpu_stats"]["cpu_usage"]["total_usage"] for one in shown) / 1e9

    def cost(self, play: Mapping[str, Any]) -> Dict[str, Any]:
        """Run one play: seconds, CPU seconds, and how many tasks changed something."""
        path = self.folder / "play.yml"
        path.write_text(yaml.safe_dump([dict(play)]))
        hosts, before, began = self.host_cpu(), resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        said = self.play_quietly(str(path))
        wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
        controller = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        changed = sum(int(line.split("changed=")[1].split()[0]) for line in said.splitlines() if "changed=" in line)
        return {"wall_s": round(wall, 2), "controller_cpu_s": round(controller, 2), "host_cpu_s": round(self.host_cpu() - hosts, 2), "changed": changed}

    def measure(self, play: Mapping[str, Any], name: str) -> Dict[str, Any]:
        """First run, and the median of some with nothing to change."""
        first = self.cost(play)
        again = [self.cost(play) for dummy in range(REPEATS)]
        if any(run["changed"] for run in again):
            raise SystemExit(f"{name} changes something in every run, so that there is no run with nothing to change to measure")
        said = self.on("dockhost", "docker info --format '{% raw %}{{.LoggingDriver}} {{.LiveRestoreEnabled}}{% endraw %}'")
        if said.count("json-file true") != len(self.containers):
            raise SystemExit(f"{name} did not bring all hosts to what was asked for")
        middle = {key: statistics.median(run[key] for run in again) for key in ("wall_s", "controller_cpu_s", "host_cpu_s")}
        return {"role": name, "first": first, "nothing_to_change": {**middle, "walls_s": [run["wall_s"] for run in again]}}


def peer_role(folder: pathlib.Path) -> bool:
    """Lay the peer's role where Ansible finds it; False where it is not at hand."""
    given = os.environ.get("GEERLINGGUY_DOCKER", "")
    if not given:
        return False
    target = folder / "roles" / "geerlingguy.docker"
    target.mkdir(parents=True)
    source = pathlib.Path(given).expanduser().resolve()
    if (source / "tasks" / "main.yml").exists():
        packed = subprocess.run(["tar", "-C", str(source), "--exclude=.git", "-c", "."], check=True, capture_output=True).stdout
    else:  # a repository without a work tree
        packed = subprocess.run(["git", "--git-dir", str(source), "archive", "HEAD"], check=True, capture_output=True).stdout
    subprocess.run(["tar", "-C", str(target), "-x"], input=packed, check=True)
    return True


def figures(count: int) -> Dict[str, Any]:
    """The case: our role, the floor, and the peer."""
    load = os.getloadavg()[0]
    parts: List[Dict[str, Any]] = []
    floor: Dict[str, Any] = {}
    for name, play in (("dockhost.azure.docker", OURS), ("geerlingguy.docker", PEER)):
        with tempfile.TemporaryDirectory(prefix="dockhost-bench-") as place:
            folder = pathlib.Path(place)
            if name != "dockhost.azure.docker" and not peer_role(folder):
                continue
            hosts = Hosts(folder, "bench", count)
            try:
                hosts.start()
                parts.append(hosts.measure(play, name))
                floor = floor or hosts.cost(FLOOR)
            finally:
                hosts.stop()
    result: Dict[str, Any] = {"case": "role_docker", "hosts": count, "floor_s": floor["wall_s"], "roles": parts, "load_before": round(load, 2)}
    if len(parts) == 2:
        for key, label in (("first", "first_times_faster"), ("nothing_to_change", "nothing_to_change_times_faster")):
            result[label] = round(parts[1][key]["wall_s"] / parts[0][key]["wall_s"], 2)
    return result
