# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Docker on N hosts through each handler of docker_extension, beside the Azure CLI and azure.azcollection, on a lab without machines.

What is measured is the control plane: requests, waiting for Azure, the tools' own work. Extensions take as long as they do on Azure, and scripts
in machines no time at all; what the script itself takes is the case ``docker_ready``, on real machines. Tools and handlers get the
same hosts in the same lab in one run, each with latencies drawn from the same seed.

The ways of the peers are those of their users: one command or one loop item after the other, and all of them side by side.
"""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
from typing import Any, Dict, Iterator, List, Mapping, Sequence, Tuple

import peers

HERE = pathlib.Path(__file__).resolve().parent
SETTINGS = {"compose": {"web": {"image": "docker.io/library/haproxy:3.0", "ports": ["80:80"]}}}
NAME, HANDLER = "CustomScript", ("Microsoft.Azure.Extensions", "CustomScript", "2.1")

Cost = Dict[str, Any]


def sequence(resource_group: str, group: Mapping[str, Any]) -> List[Tuple[str, List[Tuple[str, Dict[str, Any]]]]]:
    """(what stands in the table, modules with arguments) in their order: the hosts, then the handlers on them."""
    wanted = {"resource_group": resource_group, "group": "web", "settings": SETTINGS}
    script, old = dict(wanted, handler="custom_script"), dict(wanted, handler="docker_extension", name="old")
    return [
        ("host_group alone", [("host_group", dict(group))]),
        ("docker_extension, custom_script", [("docker_extension", script)]),
        ("docker_extension, custom_script, nothing to change", [("docker_extension", script)]),
        ("docker_extension, docker_extension", [("docker_extension", old)]),
        ("docker_extension, docker_extension, nothing to change", [("docker_extension", old)]),
    ]  # fmt: skip


def az_one_by_one(az: Any, resource_group: str, hosts: Sequence[str], command: str) -> Cost:
    """`az vm extension set`, host after host, as scripts do."""

    def act() -> None:
        for host in hosts:
            _well(az.process(*_az_words(resource_group, host, command)))

    return peers.timed(act)


def az_side_by_side(az: Any, resource_group: str, hosts: Sequence[str], command: str) -> Cost:
    """A process of `az vm extension set` for each host, all at once (`xargs -P`)."""

    def act() -> None:
        words = [[str(az.program), *_az_words(resource_group, host, command)] for host in hosts]
        running = [subprocess.Popen(one, env=az.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for one in words]
        for process in running:
            out, errors = process.communicate()
            _well(subprocess.CompletedProcess(process.args, process.returncode, out, errors))

    return peers.timed(act)


def _az_words(resource_group: str, host: str, command: str) -> Tuple[str, ...]:
    publisher, type_, version = HANDLER
    return ("vm", "extension", "set", "-g", resource_group, "--vm-name", host, "-n", type_, "--publisher", publisher, "--version", version,
            "--protected-settings", json.dumps({"commandToExecute": command}))  # fmt: skip


def _well(done: "subprocess.CompletedProcess[str]") -> None:
    if done.returncode:
        raise SystemExit(f"az vm extension set failed: {done.stderr[-500:]}")


def azure_cli(folder: pathlib.Path, env: Mapping[str, str]) -> Any:
    """The Azure CLI, signed in."""
    sys.path.insert(0, str(HERE.parent / "clients"))
    from az_client import Az  # pylint: disable=import-outside-toplevel

    az = Az(peers.environment("azure-cli"), folder, dict(env))
    az.sign_in()
    az.close()
    return az


def azcollection(folder: pathlib.Path, proxy_env: Mapping[str, str]) -> Any:
    """azure.azcollection, as the package ansible brings it."""
    sys.path.insert(0, str(HERE.parent / "clients"))
    from azcollection_client import Collection  # pylint: disable=import-outside-toplevel

    collection = Collection(peers.environment("azcollection"), folder, dict(proxy_env))
    collection.limit = peers.ASYNC_LIMIT
    return collection


def azcollection_loop(resource_group: str, hosts: Sequence[str], command: str) -> List[Dict[str, Any]]:
    """azure_rm_virtualmachineextension in a loop."""
    return [dict(_azcollection_task(resource_group, command), loop=list(hosts))]


def azcollection_async(resource_group: str, hosts: Sequence[str], command: str) -> List[Dict[str, Any]]:
    """The same, started for all hosts at once, and then waited for."""
    return peers.side_by_side(_azcollection_task(resource_group, command), hosts)


def _azcollection_task(resource_group: str, command: str) -> Dict[str, Any]:
    publisher, type_, version = HANDLER
    arguments = {
        "resource_group": resource_group, "virtual_machine_name": "{{ item }}", "name": NAME, "publisher": publisher,
        "virtual_machine_extension_type": type_, "type_handler_version": version, "protected_settings": {"commandToExecute": command},
    }  # fmt: skip
    return {"name": "extension", "azure.azcollection.azure_rm_virtualmachineextension": arguments}


def peer_runs(which: str, resource_group: str, hosts: Sequence[str], command: str, env: Any, fresh: Any) -> Iterator[Tuple[str, Cost]]:
    """(name, what it cost) of each peer.

    :param which: ``az``, ``azcollection``, or ``all`` for both.
    :param env: a function that gives the lab's environment, for a client that insists on Azure's names where it is called with True.
    :param fresh: a function that brings back hosts without the extension.
    """
    if which in ("az", "all"):
        with tempfile.TemporaryDirectory() as place:
            az = azure_cli(pathlib.Path(place), env(False))
            for name, run in (("az vm extension set, one by one", az_one_by_one), ("az vm extension set, side by side", az_side_by_side)):
                fresh()
                yield name, run(az, resource_group, hosts, command)
    if which == "az":
        return
    with tempfile.TemporaryDirectory() as place:
        collection = azcollection(pathlib.Path(place), env(True))
        loop, started = azcollection_loop(resource_group, hosts, command), azcollection_async(resource_group, hosts, command)
        fresh()
        yield "azure_rm_virtualmachineextension, loop", _played(collection, loop)
        yield "azure_rm_virtualmachineextension, loop, nothing to change", _played(collection, loop)
        fresh()
        # Its workers are nobody's children, so that their CPU time is not known.
        yield "azure_rm_virtualmachineextension, async", dict(_played(collection, started), cpu=0.0)


def _played(collection: Any, tasks: List[Dict[str, Any]]) -> Cost:
    return peers.timed(lambda: collection.play(tasks))


class Case:
    """The case on the lab of a benchmark (``run.Bench``)."""

    def __init__(self, bench: Any, task: Any, part: Any, critical: Any, group: Dict[str, Any], network: Dict[str, Any], setting: Dict[str, Any]):
        self.bench, self.task, self.part, self.critical = bench, task, part, critical
        self.group, self.network, self.setting = group, network, setting
        self.lab, self.resource_group = bench.lab, group["resource_group"]

    def measure(self) -> Dict[str, Any]:
        """All rows, and how far the peers are from ``custom_script``."""
        self.lab.call("scripts")
        self.bench.prepare(0)
        self.task("network", self.network, self.lab.env)
        self.lab.call("keep", name="network")
        rows = []
        self._from("network")
        for name, modules in sequence(self.resource_group, self.group):
            rows.append(self._row(name, modules))
            if name == "host_group alone":
                self.lab.call("keep", name="hosts")
        self._from("network")
        rows.append(self._cloud_init())
        for row in rows:
            print(json.dumps(row), flush=True)
        beside = []
        given = self.bench.given
        if given.peers != "none":
            hosts = [f"web-{number}" for number in range(1, given.hosts + 1)]
            for name, cost in peer_runs(given.peers, self.resource_group, hosts, "true", self._environment, lambda: self._from("hosts")):
                beside.append(self.part(name, cost, self.lab.call("requests", clear=True), 0.0))
                print(json.dumps(beside[-1]), flush=True)
        return self._whole(rows, beside)

    def _environment(self, names_of_azure: bool) -> Dict[str, str]:
        return dict(self.lab.call("proxy_environment") if names_of_azure else self.lab.env)

    def _from(self, kept: str) -> None:
        """Back to a state that was kept, and to the first latency of the seed."""
        self.lab.call("restore", name=kept)
        self.lab.call("latencies", **self.setting)

    def _row(self, name: str, modules: Sequence[Tuple[str, Mapping[str, Any]]]) -> Dict[str, Any]:
        before = {one["id"] + one["effect"] + str(one["delay"]) for one in self.lab.call("operations")}
        costs = [self.task(module, arguments, self.lab.env) for module, arguments in modules]
        drawn = [one for one in self.lab.call("operations") if one["id"] + one["effect"] + str(one["delay"]) not in before]
        cost = {"began": costs[0]["began"], "wall": sum(one["wall"] for one in costs), "cpu": sum(one["cpu"] for one in costs),
                "rss": max(one["rss"] for one in costs)}  # fmt: skip
        return self.part(name, cost, self.lab.call("requests", clear=True), self.critical(drawn))

    def _cloud_init(self) -> Dict[str, Any]:
        """Custom data and the hosts with them: all that it takes from nothing."""
        began = time.time()
        made = self.task("docker_extension", {"handler": "cloud_init", "docker_user": "azureuser", "settings": SETTINGS}, {})
        row = self._row("docker_extension, cloud_init, and host_group with it", [("host_group", dict(self.group, custom_data=made["result"]["custom_data"]))])
        row["wall_s"] = round(time.time() - began, 2)
        row["cpu_s"] = round(row["cpu_s"] + made["cpu"], 2)
        row["ratio"] = round(row["wall_s"] / row["critical_path_s"], 3) if row["critical_path_s"] else None
        return row

    def _whole(self, rows: List[Dict[str, Any]], beside: List[Dict[str, Any]]) -> Dict[str, Any]:
        given, named = self.bench.given, {row["task"]: row for row in rows}
        ours = named["docker_extension, custom_script"]
        hosts = named["host_group alone"]["wall_s"]
        nothing = {handler: round(hosts + named["docker_extension, " + handler]["wall_s"], 2) for handler in ("custom_script", "docker_extension")}
        nothing["cloud_init"] = rows[-1]["wall_s"]
        return {
            "case": given.case, "hosts": given.hosts, "scale": given.scale, "seed": given.seed, "load_before": round(given.load, 2),
            "load_after": round(os.getloadavg()[0], 2), "from_nothing_s": nothing,
            "times_as_long": {row["task"]: round(row["wall_s"] / ours["wall_s"], 1) for row in beside},
            "times_the_cpu": {row["task"]: round(row["cpu_s"] / ours["cpu_s"], 1) for row in beside if row["cpu_s"]},
        }  # fmt: skip
