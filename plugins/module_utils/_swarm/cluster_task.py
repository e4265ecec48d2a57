# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the options of module swarm_cluster to its result, on the manager itself (the module) or on the controller (its action plugin).

This util is private to the collection: no release promises that it stays as it is.
"""

from __future__ import annotations

import typing as t
from dataclasses import asdict, replace

from ansible_collections.dockhost.azure.plugins.module_utils._engine.client import Engine
from ansible_collections.dockhost.azure.plugins.module_utils._swarm import cluster, local, settings, upkeep
from ansible_collections.dockhost.azure.plugins.module_utils._swarm.converge import Order, Outcome, converge, diff
from ansible_collections.dockhost.azure.plugins.module_utils._swarm.model import Local, Member, SwarmRefused
from ansible_collections.dockhost.azure.plugins.module_utils._swarm.planner import Rules

Params = t.Mapping[str, t.Any]


def members_of(params: Params, own: Local) -> list[Member]:
    """The members, the one that this host is with fresh knowledge of itself."""
    found = {}
    for values in params["members"]:
        said = Local.from_dict(values["swarm"])
        if values["name"] == params["host"]:
            said = replace(own, address=own.address or said.address, routing_mesh=said.routing_mesh)
        found[values["name"]] = Member(
            name=values["name"],
            role=values["role"],
            address=said.address,
            local=said,
            labels={str(name): str(value) for name, value in values["labels"].items()},
            availability=values["availability"] or "",
        )
    return list(found.values())


def rules_of(params: Params) -> Rules:
    """What may be done to nodes."""
    names = ("remove", "remove_gone", "drain_first", "rejoin", "purge_labels", "silent")
    return Rules(**{name: params[name] for name in names})


def init_request(params: Params) -> dict[str, t.Any]:
    """Body of POST /swarm/init."""
    return {
        "ListenAddr": f"{params['listen_address']}:2377",
        "AdvertiseAddr": params["advertise_address"] or local.default_address(),
        "DataPathAddr": params["data_path_address"] or "",
        "DataPathPort": params["data_path_port"],
        "DefaultAddrPool": params["default_address_pools"],
        "SubnetSize": params["subnet_size"],
    }


def order_of(params: Params, own: Local) -> Order:
    """What the swarm should be, of the module's options."""
    return Order(
        members=members_of(params, own),
        host=params["host"] or "",
        rules=rules_of(params),
        managers_total=params["managers_total"],
        manager_count=params["manager_count"],
        zones=params["zone_check"],
        settings=settings.wanted(params),
        networks=params["networks"],
        init=lambda: init_request(params),
        verify=params["verify"],
        timeout=params["timeout"],
    )


def run(params: Params, check_mode: bool, engine: Engine, own: Local, outcome: Outcome) -> bool:
    """Rotate, or make the swarm what it should be. True where the key that is kept is the swarm's."""
    if params["autolock"] and not params["keep_key"]:
        raise SwarmRefused(
            "swarm_autolock is true and nothing says where the key is kept, without which no manager comes back after a restart: set "
            "swarm_unlock_key_file to a path on this controller, or swarm_unlock_key_tasks and swarm_unlock_key."
        )
    if params["manager_count"] > params["managers_total"] > 0:
        raise SwarmRefused(
            f"swarm_manager_count is {params['manager_count']}, and the group of managers (swarm_managers_group) has {params['managers_total']} "
            "hosts: put more hosts into the group, or ask for fewer managers."
        )
    if params["rotate"]:
        outcome.cluster = cluster.read(engine, own)
        if outcome.cluster is None:
            raise SwarmRefused(f"This host answers for no swarm (state {own.state}), so nothing can be rotated here: run this on a manager.")
        certificates = params["ca_certificate"], params["ca_key"]
        outcome.steps = upkeep.rotate(engine, outcome.cluster, params["rotate"], *certificates, params["timeout"], check_mode)
    else:
        converge(engine, own, order_of(params, own), check_mode, outcome)
    return upkeep.knows_key(engine, outcome.cluster, params["unlock_keys"] or ())


def result(outcome: Outcome, kept: bool, with_diff: bool) -> dict[str, t.Any]:
    """What the module returns."""
    members = outcome.members
    found: dict[str, t.Any] = dict(
        changed=outcome.changed,
        plan=[step.summary() for step in outcome.steps],
        cluster_id=outcome.cluster.id if outcome.cluster else "",
        joins=outcome.named("join"),
        rejoins=outcome.named("leave"),
        managers=outcome.managers(),
        nodes=[asdict(node) for node in (outcome.cluster.nodes if outcome.cluster else ())],
        routing_mesh=bool(members) and all(member.local.routing_mesh for member in members),
        unlock_key_kept=kept,
    )
    if with_diff:
        found["diff"] = diff(outcome.steps)
    return found
