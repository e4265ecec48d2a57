# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The status of a deployment as text for a terminal. Pure.

This util is private to the collection: no release promises that it stays as it is.
"""

from __future__ import annotations

import typing as t

from ansible_collections.dockhost.azure.plugins.plugin_utils._status.model import HostView, Status


def render(status: Status) -> str:
    """Hosts with their tasks, nodes, services, address, times, and what is not as it should be."""
    parts = [
        [f"Deployment {status.name} in {status.resource_group} ({status.location})"],
        ["Hosts", *_or_none(_host(host) for host in status.hosts)],
        ["Single host" if any(host.role == "single" for host in status.hosts) else "Swarm nodes", *_or_none(_node(host) for host in status.hosts if host.node)],
        ["Services", *_or_none(_services(status))],
        _reached(status),
        ["Needs attention", *(f"  {trouble.text}" for trouble in status.troubles)] if status.troubles else [],
        ["Time", *(f"  {name:18} {seconds:6.1f} s" for name, seconds in status.phases)] if status.phases else [],
        [f"Health: {status.verdict}"],
    ]
    return "\n\n".join("\n".join(line.rstrip() for line in part) for part in parts if part) + "\n"


def _or_none(lines: t.Iterable[str]) -> list[str]:
    return list(lines) or ["  none"]


def _host(host: HostView) -> str:
    line = f"  {host.name:18} {host.power:12} zone {host.zone or '-':3} {host.address:15} {host.role}"
    tasks = [task.name if task.state == "running" else f"{task.name} ({task.state})" for task in host.tasks if task.state != "complete"]
    return line + (f"\n    {', '.join(tasks)}" if tasks else "")


def _node(host: HostView) -> str:
    role = f"{host.role} (leader)" if host.leader else host.role
    return f"  {host.name:18} {host.node:12} {host.availability:9} {role}, Docker Engine {host.engine}"


def _services(status: Status) -> t.Iterator[str]:
    for service in status.services:
        ports = f"  port {', '.join(port.partition('/')[0] for port in service.ports)}" if service.ports else ""
        yield f"  {service.name:18} {service.running}/{service.wanted} {'done' if service.job else 'running'}  {service.image}{ports}"


def _reached(status: Status) -> list[str]:
    if not status.address or not status.rules:
        return []
    lines = ["Reached at"]
    for rule in status.rules:
        lines.append("  " + url(status.address, rule.port, rule.protocol))
    if status.host_mode_ports:
        ports = ", ".join(str(port) for port in status.host_mode_ports)
        mesh = "." if status.routing_mesh else ",\n  since the kernel of these hosts has no IPVS and the swarm therefore no routing mesh."
        lines.append(f"  Port {ports}: published by each host itself, with DNS round robin between the services{mesh}")
    return lines


def url(address: str, port: int, protocol: str) -> str:
    """What a person types to get there."""
    return {(80, "tcp"): f"http://{address}/", (443, "tcp"): f"https://{address}/"}.get((port, protocol), f"{protocol}://{address}:{port}")
