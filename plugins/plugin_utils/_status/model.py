# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a deployment is and how it is: Azure's hosts, the load balancer's rules and what the swarm says, brought together.

Pure: plain dictionaries as the modules return them in, frozen dataclasses out. Runs on the controller only.

This util is private to the collection: no release promises that it stays as it is.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

Json = t.Mapping[str, t.Any]

GOOD, NOTE, BAD = "good", "note", "bad"
_RANK = {GOOD: 0, NOTE: 1, BAD: 2}
# What a task can be in while all is well; `complete` is the end of a job.
# https://docs.docker.com/engine/swarm/how-swarm-mode-works/swarm-task-states/
_WELL = ("running", "complete")
_ON_THE_WAY = ("new", "allocated", "pending", "assigned", "accepted", "preparing", "ready", "starting")


@dataclass(frozen=True)
class Trouble:
    """One thing that is not as it should be, as a sentence; ``level`` is note or bad."""

    level: str
    text: str


@dataclass(frozen=True)
class TaskView:
    """One task of a service on a host."""

    service: str
    slot: str
    state: str
    level: str
    error: str = ""

    @property
    def name(self) -> str:
        """The service, with the number of the replica where there is one."""
        return f"{self.service}.{self.slot}" if self.slot else self.service


@dataclass(frozen=True)
class HostView:
    """One host: what Azure says of the machine, what the swarm says of the node, and the tasks that run there."""

    name: str
    zone: str
    power: str
    address: str
    size: str
    role: str
    leader: bool
    node: str
    availability: str
    engine: str
    level: str
    tasks: tuple[TaskView, ...] = ()


@dataclass(frozen=True)
class RuleView:
    """One port of the load balancer, and the hosts that can serve it. ``hosts`` is None where the swarm does not tell."""

    port: int
    protocol: str
    target_port: int
    service: str
    hosts: tuple[str, ...] | None
    level: str


@dataclass(frozen=True)
class ServiceView:
    """One service of the swarm."""

    name: str
    image: str
    mode: str
    job: bool
    running: int
    wanted: int
    ports: tuple[str, ...]
    hosts: tuple[str, ...]
    level: str


@dataclass(frozen=True)
class Status:
    """A deployment as it is at one moment."""

    name: str
    resource_group: str
    location: str
    time: str
    address: str
    hosts: tuple[HostView, ...]
    rules: tuple[RuleView, ...]
    services: tuple[ServiceView, ...]
    elsewhere: tuple[TaskView, ...]
    troubles: tuple[Trouble, ...]
    phases: tuple[tuple[str, float], ...]
    host_mode_ports: tuple[int, ...]
    routing_mesh: bool

    @property
    def level(self) -> str:
        """The worst of its troubles."""
        return worst(trouble.level for trouble in self.troubles)

    @property
    def verdict(self) -> str:
        """One sentence for all of it."""
        bad = sum(trouble.level == BAD for trouble in self.troubles)
        if not self.hosts:
            return "There are no hosts."
        if bad:
            return f"{bad} thing{'s' if bad > 1 else ''} not as {'they' if bad > 1 else 'it'} should be."
        return "All is well, with something to know." if self.troubles else "All is well."

    def zones(self) -> list[tuple[str, list[HostView]]]:
        """The hosts by zone, those without one last."""
        names = sorted({host.zone for host in self.hosts}, key=lambda zone: (not zone, zone))
        return [(name, [host for host in self.hosts if host.zone == name]) for name in names]


def worst(levels: t.Iterable[str]) -> str:
    """The worst of several levels."""
    return max(levels, key=_RANK.__getitem__, default=GOOD)


def status(said: Json) -> Status:
    """Bring together what was read.

    ``said``: deployment, resource_group, location, time; hosts (host_group_info), load_balancer (load_balancer), swarm
    (swarm_info with tasks, or nothing where no manager answered), phases (name and time of begin). All but the first may be missing.
    """
    swarm = said.get("swarm") or {}
    nodes = {node["name"]: node for node in swarm.get("nodes") or ()}
    tasks = swarm.get("tasks") or ()
    asked = "nodes" in swarm
    machines = said.get("hosts") or ()
    hosts = tuple(_host(machine, _node_of(machine, nodes), tasks, asked) for machine in machines)
    balancer = said.get("load_balancer") or {}
    services = tuple(_service(service, tasks) for service in swarm.get("services") or ())
    rules = tuple(_rule(rule, swarm, hosts, asked) for rule in balancer.get("rules") or () if rule.get("owned", True))
    ours = {node["name"] for machine in machines if (node := _node_of(machine, nodes))}
    elsewhere = tuple(_task(task) for task in tasks if task.get("node", "") not in ours and _alive(task))
    troubles = [
        *_host_troubles(hosts, asked),
        *_swarm_troubles(swarm, ours),
        *_service_troubles(services, tasks),
        *(Trouble(BAD, f"No host serves port {rule.port}/{rule.protocol} of the load balancer.") for rule in rules if rule.level == BAD),
    ]
    return Status(
        name=str(said.get("deployment", "")),
        resource_group=str(said.get("resource_group", "")),
        location=str(said.get("location", "")),
        time=str(said.get("time", "")),
        address=balancer.get("frontend_address") or "",
        hosts=hosts,
        rules=rules,
        services=services,
        elsewhere=elsewhere,
        troubles=tuple(sorted(troubles, key=lambda trouble: -_RANK[trouble.level])),
        phases=_phases(said.get("phases") or ()),
        host_mode_ports=tuple(port["port"] for port in swarm.get("published_ports") or () if port.get("mode") == "host"),
        routing_mesh=bool(swarm.get("routing_mesh", True)),
    )


def _node_of(machine: Json, nodes: t.Mapping[str, Json]) -> Json | None:
    """The node of a machine: by its name, or by its address where the host calls itself something else."""
    address = machine.get("private_address")
    same = (node for node in nodes.values() if address and node.get("address") == address)
    return nodes.get(machine["name"]) or next(same, None)


def _alive(task: Json) -> bool:
    return task.get("desired") not in ("shutdown", "remove")


def _host(machine: Json, node: Json | None, tasks: t.Iterable[Json], asked: bool) -> HostView:
    power = machine.get("power_state") or "unknown"
    own = tuple(_task(task) for task in tasks if node and task.get("node") == node["name"] and _alive(task))
    level = worst([
        GOOD if power == "running" else BAD,
        BAD if machine.get("provisioning_state") == "Failed" else GOOD,
        BAD if asked and power == "running" and (node is None or node["state"] != "ready") else GOOD,
        NOTE if node and node["availability"] != "active" else GOOD,
        BAD if node and node.get("reachability") == "unreachable" else GOOD,
    ])  # fmt: skip
    return HostView(
        name=machine["name"],
        zone=str(machine.get("zone") or ""),
        power=power,
        address=machine.get("private_address") or "",
        size=machine.get("size") or "",
        role=(node or {}).get("role") or machine.get("swarm_role") or "",
        leader=bool(node and node.get("leader")),
        node=node["state"] if node else "",
        availability=node["availability"] if node else "",
        engine=node.get("engine", "") if node else "",
        level=level,
        tasks=tuple(sorted(own, key=lambda task: task.name)),
    )


def _task(task: Json) -> TaskView:
    state = task["state"]
    level = GOOD if state in _WELL else NOTE if state in _ON_THE_WAY and not task.get("error") else BAD
    return TaskView(task["service"], str(task.get("slot") or ""), state, level, task.get("error") or "")


def _service(service: Json, tasks: t.Iterable[Json]) -> ServiceView:
    where = {task["node"] for task in tasks if task["service"] == service["name"] and task["state"] in _WELL and task.get("node")}
    return ServiceView(
        name=service["name"],
        image=service.get("image", ""),
        mode=service.get("mode", ""),
        job=bool(service.get("job")),
        running=service["running"],
        wanted=service["wanted"],
        ports=tuple(f"{port['port']}/{port['protocol']}" for port in service.get("ports") or ()),
        hosts=tuple(sorted(where)),
        level=GOOD if service.get("healthy", True) else BAD,
    )


def _rule(rule: Json, swarm: Json, hosts: t.Sequence[HostView], asked: bool) -> RuleView:
    """A port in host mode is served where its service has a task, one of the routing mesh by every node that is ready."""
    target = rule.get("target_port") or rule["port"]
    protocol = str(rule.get("protocol", "tcp")).lower()
    found = [port for port in swarm.get("published_ports") or () if port["port"] == target and port["protocol"] == protocol]
    serving: tuple[str, ...] | None = None
    if found and found[0].get("mode") == "host":
        serving = tuple(h.name for h in hosts if any(x.service == found[0]["service"] and x.state == "running" for x in h.tasks))
    elif found:
        serving = tuple(host.name for host in hosts if host.node == "ready" and host.power == "running")
    elif asked:
        serving = ()
    level = NOTE if serving is None else GOOD if serving else BAD
    return RuleView(rule["port"], protocol, target, found[0]["service"] if found else "", serving, level)


def _host_troubles(hosts: t.Sequence[HostView], asked: bool) -> t.Iterator[Trouble]:
    for host in hosts:
        if host.power != "running":
            yield Trouble(BAD, f"Host {host.name} is {host.power}.")
        elif asked and not host.node:
            yield Trouble(BAD, f"Host {host.name} runs, and is not in the swarm.")
        elif host.node and host.node != "ready":
            yield Trouble(BAD, f"Node {host.name} is {host.node}.")
        elif host.level == BAD:
            yield Trouble(BAD, f"Host {host.name}: its last change failed, or other managers do not reach it.")
        if host.availability not in ("", "active"):
            yield Trouble(NOTE, f"Node {host.name} takes no tasks (availability {host.availability}).")
    if hosts and not asked:
        yield Trouble(NOTE, "The swarm was not asked: no manager answered.")


def _swarm_troubles(swarm: Json, ours: t.Collection[str]) -> t.Iterator[Trouble]:
    nodes = swarm.get("nodes") or ()
    for node in nodes:
        if node["name"] not in ours:
            yield Trouble(NOTE, f"Node {node['name']} ({node['state']}) belongs to no host of the deployment.")
    managers = [node for node in nodes if node["role"] == "manager"]
    reachable = sum(node.get("reachability") == "reachable" for node in managers)
    majority = len(managers) // 2 + 1
    if len(managers) >= 2 and reachable <= majority and (reachable < len(managers) or len(managers) == 2):
        yield Trouble(
            BAD if reachable < len(managers) else NOTE,
            f"{reachable} of {len(managers)} managers are reachable and {majority} are needed: the swarm must not lose another one.",
        )


def _service_troubles(services: t.Iterable[ServiceView], tasks: t.Iterable[Json]) -> t.Iterator[Trouble]:
    for service in services:
        if service.level == BAD:
            errors = [task["error"] for task in tasks if task["service"] == service.name and task.get("error")]
            why = f" The last error: {errors[-1].rstrip('.')}." if errors else ""
            done = "done" if service.job else "running"
            yield Trouble(BAD, f"Service {service.name}: {service.running} of {service.wanted} tasks {done}.{why}")


def _phases(phases: t.Sequence[Json]) -> tuple[tuple[str, float], ...]:
    """How long each phase took, and all of them: the last one ends now and is not known yet."""
    if len(phases) < 2:
        return ()
    found = [(one["name"], after["at"] - one["at"]) for one, after in zip(phases, phases[1:])]
    return (*found, ("all", phases[-1]["at"] - phases[0]["at"]))
