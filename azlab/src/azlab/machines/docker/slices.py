# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pure: the lab's whole network state → what the gateway of one virtual network has to know (JSON)."""
from __future__ import annotations

from dataclasses import asdict
from typing import Any

from azlab.machines.docker.gateway import PORT
from azlab.machines.driver import Backend, BalancerRule, NetworkSpec, NetworkState


def slice_for(state: NetworkState, network: NetworkSpec, controller: str, resolvers: list[str],
              egress: dict[str, Any]) -> dict[str, Any]:
    """The part of `state` that concerns `network`; equal states give equal slices."""
    def here(backend: Backend) -> bool:
        return backend.vnet_id == network.id

    nat_rules = [
        {"frontend_ip": r.frontend_ip, "protocol": r.protocol, "frontend_port": r.frontend_port,
         "address": r.backend.address, "backend_port": r.backend_port}
        for r in state.nat_rules if here(r.backend)]
    balancer_rules = [_balancer(rule, network.id) for rule in state.balancer_rules if any(map(here, rule.backends))]
    instances = [{"public_ip": i.public_ip, "address": i.backend.address} for i in state.instance_addresses if here(i.backend)]
    outbound = [{"public_ip": o.public_ip, "address": o.backend.address} for o in state.outbound if here(o.backend)]
    internal = {r.frontend_ip for r in state.balancer_rules if not r.public}
    public = {r["frontend_ip"] for r in [*nat_rules, *balancer_rules]} - internal | {o["public_ip"] for o in [*instances, *outbound]}
    return {
        "prefixes": [p for p in network.prefixes if ":" not in p],
        "controller": controller, "control_port": PORT, "resolvers": resolvers, "egress": egress,
        "public_ips": sorted(public),
        "firewalls": [
            {"address": f.address, "groups": [[asdict(rule) for rule in group] for group in f.groups]}
            for f in state.firewalls if f.vnet_id == network.id],
        "balancer_rules": balancer_rules, "nat_rules": nat_rules, "instances": instances, "outbound": outbound,
    }


def _balancer(rule: BalancerRule, network_id: str) -> dict[str, Any]:
    return {
        "id": rule.id, "frontend_ip": rule.frontend_ip, "protocol": rule.protocol, "frontend_port": rule.frontend_port,
        "backend_port": rule.backend_port, "distribution": rule.distribution,
        "backends": sorted({b.address for b in rule.backends if b.vnet_id == network_id}),
        "probe": asdict(rule.probe) if rule.probe else None,
    }
