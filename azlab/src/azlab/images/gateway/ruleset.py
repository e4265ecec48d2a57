# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pure: the wanted state of one virtual network → the nftables ruleset of its gateway.

Every packet of the virtual network is routed through the gateway, so one place sees all of them:
  prerouting, before translation   outbound security groups (destinations as the machine wrote them)
  prerouting, dstnat               public and internal frontends: load balancer, NAT rules, instance addresses
  forward                          who may leave (where to: egress.py), and inbound security groups (destination translated, source as it came)
  output                           health probes of the gateway itself pass the inbound security groups too
  postrouting, srcnat              explicit outbound
Ports of machines are named m-<address>; eth0 is the leg on the lab's internet.
"""
from __future__ import annotations

import ipaddress
from typing import Any

PROBE_SOURCE = "168.63.129.16"      # https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16
ALL_PORTS = [[0, 65535]]
PROTOCOLS = {"tcp": "tcp", "udp": "udp", "icmp": "icmp", "esp": "esp", "ah": "ah"}

State = dict[str, Any]
Healthy = dict[str, list[str]]


def render(state: State, healthy: Healthy) -> str:
    """The whole table, replaced in one transaction. `healthy` holds the backends that get new flows, by rule id."""
    groups = _Groups(state["firewalls"])
    leaving = {o["address"]: o["public_ip"] for o in [*state["instances"], *state["outbound"]]}
    frontends, targets = _frontends(state, healthy)
    lines = [
        "table ip azlab",
        "delete table ip azlab",
        "table ip azlab {",
        _set("leaving", "ipv4_addr", sorted(leaving)),
        _set("public", "ipv4_addr", state["public_ips"]),
        _set("resolvers", "ipv4_addr", state["resolvers"]),
        _set("vnet", "ipv4_addr", _collapse(state["prefixes"]), interval=True),
        *groups.chains,
        *targets,
        *frontends,
        *_hooks(state, groups, leaving),
        "}",
    ]
    return "\n".join(lines) + "\n"


def _hooks(state: State, groups: _Groups, leaving: dict[str, str]) -> list[str]:
    frontend_map = ", ".join(f"{ip} : goto {_frontend_chain(ip)}" for ip in _frontend_ips(state))
    source_map = ", ".join(f"{inner} : {outer}" for inner, outer in sorted(leaving.items()))
    return [
        *_chain("outbound", "type filter hook prerouting priority mangle; policy accept;", [
            'iifname "eth0" accept',
            "ct state established,related accept",
            # A public frontend is on the internet: without outbound access a machine does not reach it.
            "ip daddr @public ip saddr != @leaving drop",
            groups.dispatch("saddr", "out"),
        ]),
        *_chain("frontends", "type nat hook prerouting priority dstnat; policy accept;", [
            # Machines ask the resolvers of the controller; the gateway's name server answers in their place (egress.py).
            f'iifname "m-*" ip daddr @resolvers meta l4proto {{ tcp, udp }} th dport 53 dnat to {PROBE_SOURCE}',
            f"ip daddr vmap {{ {frontend_map} }}" if frontend_map else "",
        ]),
        *_chain("inbound", "type filter hook forward priority filter; policy drop;", [
            # Addresses of the virtual network that no running machine has: silence, as on Azure.
            'oifname "eth0" ip daddr @vnet drop',
            "ct state established,related accept",
            'oifname "eth0" ip saddr @leaving accept',
            'oifname "eth0" drop',
            'iifname "eth0" ct status & dnat == 0 drop',
            groups.dispatch("daddr", "in"),
            "accept",
        ]),
        *_chain("probes", "type filter hook output priority filter; policy accept;", [
            f"ip saddr != {PROBE_SOURCE} accept",
            "ct state established,related accept",
            groups.dispatch("daddr", "in"),
        ]),
        *_chain("gateway", "type filter hook input priority filter; policy drop;", [
            'iif "lo" accept',
            "ct state established,related accept",
            f'iifname "eth0" ip saddr {state["controller"]} tcp dport {state["control_port"]} accept',
            f'iifname "m-*" ip daddr {PROBE_SOURCE} meta l4proto {{ tcp, udp }} th dport 53 accept',
            'iifname "eth0" icmp type echo-request accept',
        ]),
        *_chain("sources", "type nat hook postrouting priority srcnat; policy accept;", [
            f'oifname "eth0" snat to ip saddr map {{ {source_map} }}' if source_map else "",
            # A machine that calls a public frontend of its own network is seen under its public address.
            f"ct original ip daddr @public snat to ip saddr map {{ {source_map} }}" if source_map else "",
            'oifname "eth0" ip saddr @vnet masquerade',
        ]),
    ]


class _Groups:
    """Security groups as chains: each returns what it allows and drops the rest; equal ones are written once."""

    def __init__(self, firewalls: list[dict[str, Any]]) -> None:
        self.chains: list[str] = []
        self._names: dict[str, str] = {}
        self._machines: list[str] = []
        for firewall in sorted(firewalls, key=lambda f: f["address"]):
            if not firewall["groups"]:
                continue
            self._machines.append(firewall["address"])
            for direction in ("in", "out"):
                jumps = [f"jump {self._group(group, direction)}" for group in firewall["groups"]]
                self.chains += _chain(f"{_machine_chain(firewall['address'])}-{direction}", "", jumps)

    def dispatch(self, field: str, direction: str) -> str:
        entries = ", ".join(f"{a} : jump {_machine_chain(a)}-{direction}" for a in self._machines)
        return f"ip {field} vmap {{ {entries} }}" if entries else ""

    def _group(self, group: list[dict[str, Any]], direction: str) -> str:
        body = [line for rule in group if rule["direction"] == direction for line in _rule(rule)] + ["drop"]
        key = direction + "\n".join(body)
        if key not in self._names:
            self._names[key] = f"group-{len(self._names)}-{direction}"
            self.chains += _chain(self._names[key], "", body)
        return self._names[key]


def _rule(rule: dict[str, Any]) -> list[str]:
    sources, destinations = _collapse(rule["sources"]), _collapse(rule["destinations"])
    if not sources or not destinations:
        return []                   # IPv6 ranges only: nothing of it can match here
    match = _addresses("saddr", sources) + _addresses("daddr", destinations)
    match += _ports(rule["protocol"], rule["source_ports"], rule["destination_ports"])
    return [" ".join([*match, "return" if rule["allow"] else "drop"])]


def _addresses(field: str, ranges: list[str]) -> list[str]:
    return [] if ranges == ["0.0.0.0/0"] else [f"ip {field} {{ {', '.join(ranges)} }}"]


def _ports(protocol: str, sources: list[list[int]], destinations: list[list[int]]) -> list[str]:
    wanted = [(field, _merge(ranges)) for field, ranges in (("sport", sources), ("dport", destinations)) if _merge(ranges) != ALL_PORTS]
    if protocol == "any":
        match = ["meta l4proto { tcp, udp }"] if wanted else []
    else:
        match = [f"meta l4proto {PROTOCOLS[protocol]}"]
    if protocol in ("tcp", "udp", "any"):
        match += [f"th {field} {{ {', '.join(f'{a}-{b}' if a != b else str(a) for a, b in ranges)} }}" for field, ranges in wanted]
    return match


def _frontends(state: State, healthy: Healthy) -> tuple[list[str], list[str]]:
    """(a chain for each frontend address, a chain for each backend that balancing rules choose from)"""
    bodies: dict[str, list[str]] = {ip: [] for ip in _frontend_ips(state)}
    targets: dict[str, list[str]] = {}
    for rule in state["nat_rules"]:
        bodies[rule["frontend_ip"]].append(
            f"{rule['protocol']} dport {rule['frontend_port']} dnat to {rule['address']}:{rule['backend_port']}")
    for rule in state["balancer_rules"]:
        bodies[rule["frontend_ip"]] += _balance(rule, healthy.get(rule["id"], []), targets)
    for one in state["instances"]:
        bodies[one["public_ip"]].append(f"dnat to {one['address']}")
    chains = [line for ip, body in bodies.items() for line in _chain(_frontend_chain(ip), "", body)]
    return chains, [line for name, body in targets.items() for line in _chain(name, "", body)]


def _balance(rule: dict[str, Any], backends: list[str], targets: dict[str, list[str]]) -> list[str]:
    """No healthy backend: no translation, so that the packet ends in the gateway's input chain, unanswered."""
    protocol, port = rule["protocol"], rule["backend_port"]
    match = f"{protocol} dport {rule['frontend_port']} " if protocol != "any" else ""
    names = []
    for address in sorted(backends, key=ipaddress.ip_address):
        name = f"to-{address.replace('.', '-')}-{protocol}-{port}"
        targets[name] = [f"meta l4proto {protocol} dnat to {address}:{port}" if protocol != "any" else f"dnat to {address}"]
        names.append(name)
    if not names:
        return []
    if len(names) == 1:
        return [f"{match}goto {names[0]}"]
    key = "ip saddr . ip daddr"
    if rule["distribution"] == "5-tuple" and protocol != "any":
        key += f" . {protocol} sport . {protocol} dport"
    chosen = ", ".join(f"{index} : goto {name}" for index, name in enumerate(names))
    return [f"{match}jhash {key} mod {len(names)} vmap {{ {chosen} }}"]


def _frontend_ips(state: State) -> list[str]:
    rules = [*state["nat_rules"], *state["balancer_rules"]]
    return sorted({r["frontend_ip"] for r in rules} | {i["public_ip"] for i in state["instances"]}, key=ipaddress.ip_address)


def _frontend_chain(ip: str) -> str:
    return "frontend-" + ip.replace(".", "-")


def _machine_chain(address: str) -> str:
    return "machine-" + address.replace(".", "-")


def _chain(name: str, hook: str, body: list[str]) -> list[str]:
    return [f"  chain {name} {{", *([f"    {hook}"] if hook else []), *(f"    {line}" for line in body if line), "  }"]


def _set(name: str, kind: str, elements: list[str], interval: bool = False) -> str:
    flags = " flags interval;" if interval else ""
    content = f" elements = {{ {', '.join(elements)} }};" if elements else ""
    return f"  set {name} {{ type {kind};{flags}{content} }}"


def _collapse(ranges: list[str]) -> list[str]:
    """IPv4 ranges without overlaps, which nftables refuses in one set."""
    networks = [ipaddress.ip_network(r, strict=False) for r in ranges]
    return [str(n) for n in ipaddress.collapse_addresses(n for n in networks if n.version == 4)]


def _merge(ranges: list[list[int]]) -> list[list[int]]:
    merged: list[list[int]] = []
    for first, last in sorted(ranges):
        if merged and first <= merged[-1][1] + 1:
            merged[-1][1] = max(last, merged[-1][1])
        else:
            merged.append([first, last])
    return merged
