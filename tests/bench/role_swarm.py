# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Role swarm and role stack on real hosts of azlab, beside community.docker and beside bare commands over SSH, on the same hosts.

Each row is measured on hosts that are in no swarm (first) or in the one that the row itself has made (again). The bare commands are what a
careful shell script does: init, token, all joins in parallel, with connections that are open already, as Ansible's are. The three take turns,
``ROUNDS`` times, each time when both cores have nothing else to do; a figure is the middle one.

The bare commands do not start ansible-playbook; an empty play on the same hosts is timed in the same run (``floor_s``, the middle of three) and
taken off what the role took before that is divided by the bare commands (``ratio_first``, ``ratio_again``). The whole times are in the line too.
"""

from __future__ import annotations

import json
import os
import pathlib
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Callable, Dict, List

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
BIN = pathlib.Path(sys.executable).parent
IMAGE = "docker.io/library/redis:8.0"
ROUNDS = 3
STACK = {name: {"image": IMAGE, "deploy": {"endpoint_mode": "dnsrr"}} for name in ("one", "two", "three")}
LABEL, FIRST = "label=com.docker.stack.namespace=bench", "swarm_manager[0]"
COMMUNITY_SWARM = [
    {"name": "Init", "community.docker.docker_swarm": {"state": "present", "advertise_addr": "{{ private }}"}, "register": "made",
     "when": "inventory_hostname == groups['swarm_manager'][0]"},
    {"name": "Managers join", "community.docker.docker_swarm": {"state": "join", "advertise_addr": "{{ private }}", "remote_addrs": ["{{ first }}:2377"],
     "join_token": "{{ tokens.Manager }}"}, "when": "inventory_hostname in groups['swarm_manager'][1:]"},
    {"name": "Workers join", "community.docker.docker_swarm": {"state": "join", "advertise_addr": "{{ private }}", "remote_addrs": ["{{ first }}:2377"],
     "join_token": "{{ tokens.Worker }}"}, "when": "inventory_hostname in groups['swarm_worker']"},
]  # fmt: skip


class Hosts:
    """A lab with so many hosts that have an engine, three of them to be managers."""

    def __init__(self, folder: pathlib.Path, count: int) -> None:
        self.folder, self.count = folder, count
        self.env = {name: value for name, value in os.environ.items() if not name.startswith(("AZURE_", "ANSIBLE_", "DOCKHOST_"))}
        self.env.update(
            PATH=f"{BIN}:{os.environ['PATH']}", AZLAB_HOME=str(folder / "azlab"), ANSIBLE_COLLECTIONS_PATH=str(ROOT / ".work" / "dev"),
            ANSIBLE_PIPELINING="1", ANSIBLE_FORKS="20", ANSIBLE_NOCOLOR="1", ANSIBLE_SSH_CONTROL_PATH_DIR=str(folder / "cp"),
        )  # fmt: skip
        self.key, self.inventory = folder / "key", folder / "hosts.json"
        (folder / "cp").mkdir()

    def run(self, *words: str, env: Any = None) -> str:
        """A command of the controller; what it printed."""
        done = subprocess.run(words, env=env or self.env, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"{' '.join(words)} ended with {done.returncode}:\n{done.stdout[-3000:]}\n{done.stderr[-2000:]}")
        return done.stdout

    def start(self, task: Callable[..., Dict[str, Any]]) -> None:
        """Make lab, hosts and inventory, and the engine on each host."""
        self.run("azlab", "up", "--name", "bench", "--machines", "docker", "--port", "0", "--latency-scale", "0", "--quiet")
        lab = json.loads(self.run("azlab", "env", "--json", "--name", "bench"))
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self.key)], check=True)
        rule = {"name": "controller", "priority": 100, "protocol": "*", "source_address_prefixes": [lab["DOCKHOST_SSH_SOURCES"]],
                "destination_port_ranges": ["*"]}  # fmt: skip
        group = "rg-bench"
        task("resource_group", {"name": group, "location": "westeurope"}, lab)
        task("network", {"resource_group": group, "name": "net", "address_prefixes": ["10.40.0.0/16"],
                         "subnets": [{"name": "hosts", "address_prefix": "10.40.1.0/24", "security_group": "nsg"}],
                         "security_groups": [{"name": "nsg", "rules": [rule]}]}, lab)  # fmt: skip
        made = task("host_group", {"resource_group": group, "name": "node", "count": self.count, "size": "Standard_D2s_v5", "public_ip": True,
                                   "image": "Debian:debian-13:13-gen2:latest", "ssh_public_keys": [self.key.with_suffix(".pub").read_text()],
                                   "subnet": {"network": "net", "name": "hosts"}, "wait_for": "ssh"}, lab)["result"]["hosts"]  # fmt: skip
        self.hosts = {host["name"]: host for host in made}
        self._write_inventory()
        self.play([{"name": "Engine", "ansible.builtin.include_role": {"name": "dockhost.azure.docker"}}])

    def _write_inventory(self) -> None:
        names = sorted(self.hosts, key=lambda name: int(name.rpartition("-")[2]))
        managers = names[: 3 if self.count >= 3 else 1]
        self.managers, self.workers = managers, names[len(managers) :]
        options = "-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR"
        variables = {"ansible_user": "azureuser", "ansible_ssh_private_key_file": str(self.key), "ansible_ssh_common_args": options,
                     "ansible_python_interpreter": "/usr/bin/python3"}  # fmt: skip

        def group(members: List[str]) -> Dict[str, Any]:
            return {"hosts": {name: {"ansible_host": self.hosts[name]["public_address"], "private": self.hosts[name]["private_address"]}
                              for name in members}}  # fmt: skip

        groups = {"swarm_manager": group(managers), "swarm_worker": group(self.workers)}
        self.inventory.write_text(json.dumps({"all": {"vars": variables, "children": groups}}))

    def play(self, tasks: List[Dict[str, Any]], hosts: str = "all", command: str = "ansible-playbook", env: Any = None, **variables: Any) -> float:
        """One play of these tasks, in a process of its own; its wall time."""
        book = self.folder / "play.json"
        book.write_text(json.dumps([{"hosts": hosts, "gather_facts": False, "become": True, "vars": variables, "tasks": tasks}]))
        began = time.perf_counter()
        self.run(command, "-i", str(self.inventory), str(book), env=env)
        return time.perf_counter() - began

    def on(self, name: str, command: str) -> str:
        """A command on a host as root, by SSH alone."""
        options = ["-i", str(self.key), "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR",
                   "-o", "ControlMaster=auto", "-o", "ControlPersist=300", "-o", f"ControlPath={self.folder}/cp/bare-%C"]  # fmt: skip
        return self.run("ssh", *options, f"azureuser@{self.hosts[name]['public_address']}", f"sudo sh -c {shlex.quote(command)}").strip()

    def everywhere(self, command: Callable[[str], str], names: List[str]) -> List[str]:
        """A command on several hosts at the same time."""
        with ThreadPoolExecutor(max(1, len(names))) as pool:
            return list(pool.map(lambda name: self.on(name, command(name)), names))

    def leave(self) -> None:
        """All hosts are in no swarm."""
        self.everywhere(lambda name: "docker swarm leave --force || true", [*self.managers, *self.workers])

    def close(self) -> None:
        """Nothing of it is left."""
        self.run("azlab", "down", "--name", "bench")


def rest() -> None:
    """Wait until the machine has nothing to do, as its load average says only long after: less than a tenth of its cores is busy for a second."""

    def busy() -> float:
        with open("/proc/stat", encoding="ascii") as file:
            ticks = [int(word) for word in file.readline().split()[1:9]]
        return (sum(ticks) - ticks[3] - ticks[4]) / os.sysconf("SC_CLK_TCK")

    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        before = busy()
        time.sleep(1)
        if busy() - before < 0.1 * (os.cpu_count() or 1):
            return


def bare_swarm(hosts: Hosts) -> float:
    """What a script does: init, tokens, joins in parallel. Managers join as managers at once."""
    began = time.perf_counter()
    private = {name: host["private_address"] for name, host in hosts.hosts.items()}
    first = hosts.managers[0]
    init = f"docker swarm init --advertise-addr {private[first]} >/dev/null"
    tokens = hosts.on(first, f"{init} && docker swarm join-token -q manager && docker swarm join-token -q worker").split()
    token = {**dict.fromkeys(hosts.managers, tokens[0]), **dict.fromkeys(hosts.workers, tokens[1])}
    rest = [*hosts.managers[1:], *hosts.workers]
    hosts.everywhere(lambda name: f"docker swarm join --advertise-addr {private[name]} --token {token[name]} {private[first]}:2377", rest)
    return time.perf_counter() - began


def bare_again(hosts: Hosts) -> float:
    """What a script does that looks first: each host is asked, at the same time."""
    began = time.perf_counter()
    hosts.everywhere(lambda name: "docker info -f {{.Swarm.LocalNodeState}}", [*hosts.managers, *hosts.workers])
    return time.perf_counter() - began


def community(hosts: Hosts) -> Dict[str, Any]:
    """ansible-playbook of the PyPI package ansible, with community.docker, and the Docker SDK that it needs on the hosts."""
    place = hosts.run(str(ROOT / "scripts" / "client-environment"), "ansible").strip().splitlines()[-1]
    hosts.play([{"name": "SDK", "ansible.builtin.apt": {"name": "python3-docker", "update_cache": True}}])
    env = {**hosts.env, "PATH": f"{place}/bin:{hosts.env['PATH']}", "ANSIBLE_COLLECTIONS_PATH": "/nonexistent"}
    return {"command": f"{place}/bin/ansible-playbook", "env": env}


def swarm(hosts: Hosts) -> Dict[str, float]:
    """Role swarm, community.docker and the bare commands: first and again."""
    role = [{"name": "Swarm", "ansible.builtin.include_role": {"name": "dockhost.azure.swarm"}}]
    peer = community(hosts)
    first = hosts.hosts[hosts.managers[0]]["private_address"]
    peer |= {"first": first, "tokens": "{{ hostvars[groups['swarm_manager'][0]].made.swarm_facts.JoinTokens }}"}
    advertise = {"swarm_advertise_address": "{{ private }}"}
    ways: Dict[str, Callable[[], float]] = {
        "bare_first_s": lambda: bare_swarm(hosts), "bare_again_s": lambda: bare_again(hosts),
        "role_first_s": lambda: hosts.play(role, **advertise), "role_again_s": lambda: hosts.play(role, **advertise),
        "community_first_s": lambda: hosts.play(COMMUNITY_SWARM, **peer), "community_again_s": lambda: hosts.play(COMMUNITY_SWARM, **peer),
    }  # fmt: skip
    taken: Dict[str, List[float]] = {name: [] for name in (*ways, "floor_s")}
    for dummy in range(ROUNDS):
        for name, way in ways.items():
            if "first" in name:
                hosts.leave()
            rest()
            taken[name].append(way())
        taken["floor_s"].append(hosts.play([]))
    return {name: statistics.median(times) for name, times in taken.items()}


def stack(hosts: Hosts) -> Dict[str, float]:
    """Role stack and docker_stack: three services, first and again."""
    hosts.play([{"name": "Swarm", "ansible.builtin.include_role": {"name": "dockhost.azure.swarm"}}], swarm_advertise_address="{{ private }}")
    hosts.everywhere(lambda name: f"docker pull -q {IMAGE}", [*hosts.managers, *hosts.workers])
    document = {"services": STACK}
    role = [{"name": "Stack", "ansible.builtin.include_role": {"name": "dockhost.azure.stack"}}]
    rest()
    figures = {"floor_s": statistics.median(hosts.play([], hosts=FIRST) for dummy in range(3))}
    for time_of in ("first", "again"):
        rest()
        figures.update(_stacked(hosts, f"role_{time_of}", role, stack_name="bench", stack_compose=document, stack_settle=0))
    hosts.on(hosts.managers[0], f"docker stack rm bench; until [ -z \"$(docker network ls -q --filter {LABEL})\" ]; do sleep 0.1; done")
    peer = community(hosts)
    hosts.play([{"name": "What it needs", "ansible.builtin.apt": {"name": ["python3-jsondiff", "python3-yaml"]}}])
    task = [{"name": "Stack", "community.docker.docker_stack": {"name": "bench", "state": "present", "compose": [{"version": "3.8", **document}]}}]
    for time_of in ("first", "again"):
        rest()
        figures.update(_stacked(hosts, f"community_{time_of}", task, **peer))
    return figures


def _stacked(hosts: Hosts, name: str, tasks: List[Dict[str, Any]], **options: Any) -> Dict[str, float]:
    """The time of one play, and the time until all replicas run: docker_stack does not wait for them, role stack does."""
    began = time.perf_counter()
    played = hosts.play(tasks, hosts=FIRST, **options)
    command = f"docker service ls --format '{{{{.Replicas}}}}' --filter {LABEL}"
    hosts.on(hosts.managers[0], f"until [ \"$({command} | grep -c 1/1)\" = {len(STACK)} ]; do sleep 0.05; done")
    return {f"{name}_s": played, f"{name}_running_s": time.perf_counter() - began}


def measure(case: str, count: int, task: Callable[..., Dict[str, Any]]) -> Dict[str, Any]:
    """One of the cases role_swarm and role_stack."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        hosts = Hosts(pathlib.Path(folder), count)
        try:
            hosts.start(task)
            load = os.getloadavg()[0]
            figures = {"role_swarm": swarm, "role_stack": stack}[case](hosts)
        finally:
            hosts.close()
    result: Dict[str, Any] = {"case": case, "hosts": count, **{name: round(value, 2) for name, value in figures.items()}, "load_before": round(load, 2)}
    if "bare_first_s" in figures:
        for time_of in ("first", "again"):
            result[f"ratio_{time_of}"] = round((figures[f"role_{time_of}_s"] - figures["floor_s"]) / figures[f"bare_{time_of}_s"], 2)
    return result
