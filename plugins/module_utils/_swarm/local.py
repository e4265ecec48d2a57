# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One host and its swarm: what it says, joining, leaving.

This util is private to the collection: no release promises that it stays as it is.
"""

from __future__ import annotations

import socket
import time
import typing as t

from ansible_collections.dockhost.azure.plugins.module_utils._engine.client import Engine
from ansible_collections.dockhost.azure.plugins.module_utils._engine.errors import EngineError
from ansible_collections.dockhost.azure.plugins.module_utils._swarm.mesh import has_ipvs
from ansible_collections.dockhost.azure.plugins.module_utils._swarm.model import (
    GOSSIP_PORT,
    MANAGER,
    NODE_PORT,
    RECOVERED,
    Local,
    SwarmRefused,
)

_INTERVAL = 0.2
PORTS_HINT = (
    "Nodes need TCP 2377 to managers, and TCP 7946, UDP 7946 and UDP 4789 among each other: look at security groups and firewalls."
)


def observe(engine: Engine, routing_mesh: bool | None = None) -> Local:
    """Ask the engine what it knows of its swarm."""
    info = engine.info()
    swarm = info.get("Swarm") or {}
    manager = bool(swarm.get("ControlAvailable"))
    cluster_id, error = (swarm.get("Cluster") or {}).get("ID", ""), swarm.get("Error", "")
    leads, recovered = False, ""
    if manager:
        try:
            found = engine.get("/swarm")
            cluster_id, leads = found["ID"], True
            recovered = (found["Spec"].get("Labels") or {}).get(RECOVERED, "")
        except EngineError as refused:  # no leader: 503, or a timeout of the engine's own
            error = refused.message
    return Local(
        state=swarm.get("LocalNodeState") or "inactive",
        node_id=swarm.get("NodeID", ""),
        cluster_id=cluster_id,
        manager=manager,
        leads=leads,
        address=swarm.get("NodeAddr", ""),
        hostname=info.get("Name", ""),
        managers=tuple(sorted(peer["Addr"] for peer in swarm.get("RemoteManagers") or ())),
        error=error,
        engine=info.get("ServerVersion", ""),
        routing_mesh=has_ipvs() if routing_mesh is None else routing_mesh,
        recovered=recovered,
    )


def default_address() -> str:
    """The source address of the default route. No packet is sent: connecting UDP only asks the routing table."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("198.18.0.1", 9))
        except OSError:
            raise SwarmRefused(
                "This host has no default route, so its address for the swarm is not clear; set swarm_advertise_address."
            ) from None
        return probe.getsockname()[0]


def check_ports(address: str, ports: t.Sequence[int] = (NODE_PORT, GOSSIP_PORT), timeout: float = 5, opening: float = 10) -> str | None:
    """Try to reach a node on these TCP ports; None where that works, else what does not.

    A manager answers for its swarm a moment before it listens for gossip, and longer before that where its host is busy: a port that
    is refused, not filtered, is tried again for ``opening`` seconds.
    """
    deadline = time.monotonic() + opening
    for port in ports:
        while True:
            try:
                socket.create_connection((address, port), timeout).close()
                break
            except OSError as error:
                if not isinstance(error, ConnectionRefusedError) or time.monotonic() >= deadline:
                    return f"{address} does not answer on TCP port {port} ({error.strerror or error})"
            time.sleep(_INTERVAL)
    return None


def join(engine: Engine, request: t.Mapping[str, t.Any], managers: t.Sequence[str], timeout: float) -> None:
    """Join the swarm of ``managers`` (addresses), after trying their ports. ``request``: body of POST /swarm/join.

    A join that fails is taken back: it would leave a node that is neither in nor out.
    """
    troubles = [check_ports(address) for address in managers]
    usable = [address for address, trouble in zip(managers, troubles) if trouble is None]
    if not usable:
        raise SwarmRefused(f"No manager of the swarm can be reached from this host: {'; '.join(filter(None, troubles))}. {PORTS_HINT}")
    body = {**request, "RemoteAddrs": [f"{address}:{NODE_PORT}" for address in usable]}
    try:
        engine.post("/swarm/join", body=body)
    except EngineError as error:
        # The engine waits 20 s and goes on in the background after that.
        if "Timeout was reached" not in error.message:
            _give_up(engine)
            raise
    state = _wait_active(engine, timeout)
    if state.state != "active":
        _give_up(engine)
        raise SwarmRefused(
            f"This host did not become a node within {timeout:g} s (state {state.state}{', ' + state.error if state.error else ''}); "
            "the attempt was taken back."
        )


def _wait_active(engine: Engine, timeout: float) -> Local:
    deadline = time.monotonic() + timeout
    while True:
        state = observe(engine, routing_mesh=False)
        if state.state == "active" and state.node_id or time.monotonic() >= deadline:
            return state
        time.sleep(_INTERVAL)


def wait_demoted(engine: Engine, timeout: float = 15) -> bool:
    """True once this host is no manager: word of its demotion reaches it a moment after the other managers know."""
    deadline = time.monotonic() + timeout
    while observe(engine, routing_mesh=False).manager:
        # Only with a demotion under way does the swarm list the host as a worker; otherwise waiting is in vain.
        if time.monotonic() >= deadline or _is_wanted_manager(engine):
            return False
        time.sleep(_INTERVAL)
    return True


def _is_wanted_manager(engine: Engine) -> bool:
    try:
        return engine.get("/nodes/self")["Spec"]["Role"] == MANAGER
    except EngineError:  # no leader at this moment, or no manager any more
        return False


def _give_up(engine: Engine) -> None:
    try:
        leave(engine)
    except EngineError:  # then there was nothing to leave; the join's own error is what matters
        return


def leave(engine: Engine) -> None:
    """Leave the swarm, whatever state the membership is in."""
    engine.post("/swarm/leave", force=True)


def unlock(engine: Engine, keys: t.Sequence[str], timeout: float) -> Local:
    """Unlock a manager with the first key that fits, and wait until it takes part in its swarm again.

    After a rotation a manager may want the key of before, until it has heard of the new one. Where the other managers are
    locked too, no majority is there until they are unlocked; that is not waited for beyond ``timeout``.
    """
    if not keys:
        raise SwarmRefused("This host is locked (autolock), and there is no key: give swarm_unlock_key_file or swarm_unlock_key.")
    trouble = ""
    for key in keys:
        try:
            engine.post("/swarm/unlock", body={"UnlockKey": key})
            break
        except EngineError as error:
            trouble = error.message
    else:
        raise SwarmRefused(f"This host is locked (autolock), and the key that is kept does not unlock it: {trouble}.")
    deadline = time.monotonic() + timeout
    while True:
        state = observe(engine)
        if (state.state == "active" and (state.leads or not state.manager)) or time.monotonic() >= deadline:
            return state
        time.sleep(_INTERVAL)
