# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Benchmarks of the fleet engine on an azlab without machines, with latencies as they were measured on Azure.

    run.py --case create|nochange|tags|scale|delete|scale_set|docker_extension|docker_ready|inventory|azlab|role_docker --hosts N
           [--engine virtual_machines|scale_set] [--scale S] [--seed N] [--public-ip] [--peers none|az|azcollection|all]

``scale_set`` is the whole life of one scale set: created, nothing to change, a tag on all, N to 1.2 N, to 0.8 N, deleted.

Each measured task is a process of its own, as Ansible starts it: Python's start and imports count. Prints, last, one
line of JSON. ``ratio`` is the wall time over the critical path: the slowest chain, among the latencies that were
drawn in this very run, that nothing can avoid (network, then interface, then machine; machines side by side).
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
from collections import Counter
from typing import Any, Dict, Iterator, List, Mapping, Sequence

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path[:0] = [str(HERE.parent / "support"), str(HERE)]

import docker_extension  # noqa: E402
import inventory  # noqa: E402
import lab  # noqa: E402
import path  # noqa: E402
import peers  # noqa: E402
import role_swarm  # noqa: E402
import work_tree  # noqa: E402
from lab_client import LabProcess  # noqa: E402

GROUP = "rg-bench"
CASES = ["create", "nochange", "tags", "scale", "delete", "scale_set", "docker_extension", "docker_ready", "inventory", "azlab",
         "role_docker", "role_swarm", "role_stack"]
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFSSdwXM3ItvMNHN3qPpwS4nNT8sZNtNnHn9yLzHYzXt demo"
SPREAD = 0.2
# Seconds on Azure; what is not named here is as azlab.latency has it.
LATENCIES = {
    "Microsoft.Compute/virtualMachines PUT": 37.0, "Microsoft.Compute/virtualMachines/extensions PUT": 20.0,
    "Microsoft.Network/networkInterfaces PUT": 2.0, "Microsoft.Network/publicIPAddresses PUT": 3.0,
    "Microsoft.Network/virtualNetworks PUT": 4.0,
}  # fmt: skip
NETWORK = {
    "resource_group": GROUP, "location": "westeurope", "name": "net", "address_prefixes": ["10.60.0.0/16"],
    "security_groups": [{"name": "nsg", "rules": [{"name": "ssh", "priority": 100}]}],
    "subnets": [{"name": "hosts", "address_prefix": "10.60.0.0/20", "security_group": "nsg"}],
}  # fmt: skip


def group(count: int, **more: Any) -> Dict[str, Any]:
    """Arguments of host_group."""
    return {
        "resource_group": GROUP, "name": "web", "count": count, "size": "Standard_D2s_v5", "zones": ["1", "2", "3"],
        "ssh_public_keys": [KEY], "subnet": {"network": "net", "name": "hosts"}, "swarm_managers": min(3, count), "wait_timeout": 3600, **more,
    }  # fmt: skip


def task(module: str, arguments: Mapping[str, Any], env: Mapping[str, str]) -> Dict[str, Any]:
    """Run a module as a process of its own: its result and what it cost."""
    environment = dict(os.environ, **env)
    environment["PYTHONPATH"] = os.pathsep.join([str(ROOT / ".work" / "dev"), environment.get("PYTHONPATH", "")]).rstrip(os.pathsep)
    with tempfile.NamedTemporaryFile("w+", suffix=".json") as given, tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as errors:
        json.dump({"ANSIBLE_MODULE_ARGS": dict(arguments)}, given)
        given.flush()
        began = time.time()
        command = [sys.executable, "-m", "ansible_collections.dockhost.azure.plugins.modules." + module, given.name]
        process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=errors)
        dummy, status, usage = os.wait4(process.pid, 0)
        ended = time.time()
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        errors.seek(0)
        text = out.read().strip()
        if not text:
            raise SystemExit(f"{module} ended without a result: {errors.read()[-2000:]}")
    result = json.loads(text.splitlines()[-1])
    if result.get("failed"):
        raise SystemExit(f"{module} failed: {result['msg']}")
    return {
        "result": result, "began": began, "wall": ended - began, "cpu": usage.ru_utime + usage.ru_stime, "rss": usage.ru_maxrss / 1024,
    }  # fmt: skip


class Bench:
    """A lab and the tasks that are measured on it."""

    def __init__(self, given: argparse.Namespace):
        self.given, self.lab = given, LabProcess()
        self.scale = given.scale
        self.more: Dict[str, Any] = {"public_ip": True} if given.public_ip else {}
        if given.engine == "scale_set" or given.case == "scale_set":
            self.more.update(engine="scale_set", swarm_managers=None)

    def setting(self) -> Dict[str, Any]:
        """Latencies as on Azure, scaled, from the first one of the seed."""
        return {"scale": self.scale, "seed": self.given.seed, "spread": SPREAD, "overrides": LATENCIES}

    def prepare(self, hosts: int) -> None:
        """What is there before: made at once, without latencies."""
        self.lab.call("latencies", scale=0.0)
        for module, arguments in (("resource_group", {"name": GROUP, "location": "westeurope"}), *self._making(hosts)):
            task(module, arguments, self.lab.env)
        self.lab.call("idle")
        self.lab.call("keep", name="start")

    def _making(self, hosts: int) -> List[Any]:
        return [("network", NETWORK), ("host_group", group(hosts, **self.more))] if hosts else []

    def tasks(self) -> List[Any]:
        """(module, arguments) of what is measured, one after the other."""
        hosts = self.given.hosts
        if self.given.case == "create":
            return self._making(hosts)
        if self.given.case == "nochange":
            return [("host_group", group(hosts, **self.more))]
        if self.given.case == "tags":
            return [("host_group", group(hosts, tags={"release": "2"}, **self.more))]
        if self.given.case == "scale":
            return [("host_group", group(hosts * 6 // 5, **self.more)), ("host_group", group(hosts * 4 // 5, **self.more))]
        gone = ("host_group", {"resource_group": GROUP, "name": "web", "state": "absent", "wait_timeout": 3600})
        if self.given.case == "scale_set":
            tagged = dict(self.more, tags={"release": "2"})
            counts = (hosts, hosts * 6 // 5, hosts * 4 // 5)
            return [*self._making(hosts), ("host_group", group(hosts, **self.more)), *(("host_group", group(count, **tagged)) for count in counts), gone]
        return [gone]

    def measure(self) -> Dict[str, Any]:
        """Run the tasks with latencies."""
        self.prepare(0 if self.given.case in ("create", "scale_set") else self.given.hosts)
        self.lab.call("restore", name="start")
        self.lab.call("latencies", **self.setting())
        self.lab.call("throttle", on=self.given.throttle)
        parts = []
        for module, arguments in self.tasks():
            before = {one["id"] + one["effect"] + str(one["delay"]) for one in self.lab.call("operations")}
            done = task(module, arguments, self.lab.env)
            drawn = [one for one in self.lab.call("operations") if one["id"] + one["effect"] + str(one["delay"]) not in before]
            log = self.lab.call("requests", clear=True)
            parts.append(part(module, done, log, path.critical(drawn)))
            if self.given.throttle:
                parts[-1].update(path.throttled(drawn, parts[-1]["methods"], done["wall"], parts[-1]["refused"].get("429", 0)))
        beside: List[Dict[str, Any]] = []           # counted apart: the sums are those of our own tasks
        if self.given.case == "create" and self.given.peers != "none":
            beside.extend(self.creating_peers())
        return {**whole(self.given, parts), "peers": beside}

    def creating_peers(self) -> Iterator[Dict[str, Any]]:
        """Other people's tools that make as many hosts, on a network that is there."""
        self._ready_for_peers()
        if self.given.peers in ("az", "all"):
            yield self._peer_part("az vm create", peers.az_vm_create(GROUP, self.given.hosts, KEY, self.lab.env))
        if self.given.peers in ("azcollection", "all"):
            for name, cost in peers.azcollection(GROUP, self.given.hosts, KEY, self.lab.call("proxy_environment"), self._ready_for_peers):
                yield self._peer_part(name, cost)

    def _ready_for_peers(self) -> None:
        self.lab.call("restore", name="start")
        self.lab.call("latencies", scale=0.0)
        task("network", NETWORK, self.lab.env)
        self.lab.call("latencies", **self.setting())
        self.lab.call("requests", clear=True)

    def _peer_part(self, name: str, cost: Dict[str, Any]) -> Dict[str, Any]:
        return part(name, cost, self.lab.call("requests", clear=True), 0.0)

    def docker_extension(self) -> Dict[str, Any]:
        """Docker on the hosts through each handler."""
        return docker_extension.Case(self, task, part, path.critical, group(self.given.hosts), NETWORK, self.setting()).measure()

    def inventory(self) -> Dict[str, Any]:
        """List so many hosts as an inventory."""
        self.prepare(self.given.hosts)
        figures = inventory.measure(GROUP, self.lab.env, lambda: self.lab.call("requests", clear=True))
        return {"case": "inventory", "hosts": self.given.hosts, **figures, "load_before": round(self.given.load, 2)}


def part(module: str, done: Dict[str, Any], log: Sequence[Mapping[str, Any]], critical: float) -> Dict[str, Any]:
    """One measured task."""
    arm = [entry for entry in log if entry["path"].startswith("/subscriptions/")]
    methods = Counter(entry["method"] for entry in arm)
    polls = sum(1 for entry in arm if "/operations/" in entry["path"].lower() or "operationresults" in entry["path"].lower())
    writes = [entry["time"] for entry in arm if entry["method"] != "GET"]
    waiting = [entry for entry in arm if writes and entry["time"] > max(writes) and entry["method"] == "GET"]
    refused = Counter(str(entry["status"]) for entry in arm if entry["status"] >= 400)
    return {
        "task": module, "wall_s": round(done["wall"], 2), "cpu_s": round(done["cpu"], 2), "rss_mb": round(done["rss"]), "arm_requests": len(arm),
        "methods": dict(methods), "operation_polls": polls, "after_the_last_write": len(waiting), "refused": dict(refused),
        "other_requests": len(log) - len(arm), "first_write_s": round(min(writes) - done["began"], 2) if writes else None,
        "last_write_s": round(max(writes) - done["began"], 2) if writes else None, "critical_path_s": round(critical, 2),
        "ratio": round(done["wall"] / critical, 3) if critical else None,
    }  # fmt: skip


def whole(given: argparse.Namespace, parts: Sequence[Mapping[str, Any]]) -> Dict[str, Any]:
    """The last line."""
    wall, critical = sum(one["wall_s"] for one in parts), sum(one["critical_path_s"] for one in parts)
    return {
        "case": given.case, "hosts": given.hosts, "engine": "scale_set" if given.case == "scale_set" else given.engine,
        "scale": given.scale, "seed": given.seed, "wall_s": round(wall, 2),
        "cpu_s": round(sum(one["cpu_s"] for one in parts), 2), "rss_mb": max(one["rss_mb"] for one in parts),
        "arm_requests": sum(one["arm_requests"] for one in parts), "critical_path_s": round(critical, 2),
        "ratio": round(wall / critical, 3) if critical else None, "load_before": round(given.load, 2), "tasks": list(parts),
    }  # fmt: skip


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--case", required=True, choices=CASES)
    parser.add_argument("--hosts", type=int, default=100)
    parser.add_argument("--engine", default="virtual_machines", choices=["virtual_machines", "scale_set"])
    parser.add_argument("--scale", type=float, default=1.0, help="1: as on Azure; 0.1: ten times as fast, for a quick look")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--public-ip", action="store_true", help="an address for each host")
    parser.add_argument("--throttle", action="store_true", help="Azure's token buckets refuse what is too much")
    parser.add_argument("--peers", default="none", choices=["none", "az", "azcollection", "all"],
                        help="cases create, docker_extension and docker_ready: az: the Azure CLI beside it; all: azure.azcollection too")  # fmt: skip
    given = parser.parse_args()
    work_tree.link()
    if given.case in ("role_swarm", "role_stack"):
        print(json.dumps(role_swarm.measure(given.case, min(given.hosts, 20), task)))
        return 0
    if given.case == "azlab":
        print(json.dumps(lab.figures(given.hosts)))
        return 0
    if given.case == "role_docker":
        import role_docker  # pylint: disable=import-outside-toplevel

        print(json.dumps(role_docker.figures(given.hosts)))
        return 0
    if given.case == "docker_ready":
        import docker_ready  # pylint: disable=import-outside-toplevel

        print(json.dumps(docker_ready.measure(given.hosts, given.scale, given.peers)))
        return 0
    given.load = os.getloadavg()[0]
    bench = Bench(given)
    try:
        result = getattr(bench, given.case if given.case in ("inventory", "docker_extension") else "measure")()
    finally:
        bench.lab.close()
    for one in (*result.get("tasks", ()), *result.get("peers", ())):
        print(json.dumps(one))
    print(json.dumps(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
