# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One host and its swarm: what it says, joining, leaving.

This util is private to the collection: no release promises that it stays as it is.
"""

from __future__ import annotations

import errno
import os
import socket
import time
import typing as t

from ansible_collections.dockhost.azure.plugins.module_utils._engine.client import Engine
from ansible_collections.dockhost.azure.plugins.module_utils._engine.errors import EngineError, EngineUnreachable
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
# What a host is asked about its swarm. Only managers answer the second one.
QUESTIONS = (("GET", "/info", None), ("GET", "/swarm", None))
# Seconds for which a port may be refused: an engine listens for gossip once the first message of its agent's session with a manager brings the
# networks' keys. Where attempts failed, as while a restored swarm elects its leader, the agent pauses before the next for a random time below
# 0.1, 0.3, 0.7 … and at most 8 s (maxSessionFailureBackoff), and an attempt itself may last for 5 s (dispatcherRPCTimeout): two of the longest
# and something more. https://github.com/moby/swarmkit/blob/master/agent/agent.go (run, handleSessionMessage), agent/session.go (start)
OPENING = 30
# Seconds for one attempt at a port.
CONNECT_TIMEOUT = 5
REFUSED = os.strerror(errno.ECONNREFUSED)
PORTS_HINT = (
    "Nodes need TCP 2377 to managers, and TCP 7946, UDP 7946 and UDP 4789 among each other: look at security groups and firewalls."
)
# Seen with 26.1 after a manager with autolock was unlocked while the swarm had no leader.
DEAF_HINT = " A port that is refused and not filtered may be an engine that does not listen (moby issue 36860): restart it there, and run again."


def observe(engine: Engine, routing_mesh: bool | None = None) -> Local:
    """Ask the engine what it knows of its swarm."""
    info, swarm = engine.batch(QUESTIONS)
    return from_answers(info, swarm, has_ipvs() if routing_mesh is None else routing_mesh)


def from_answers(info: t.Any, found: t.Any, routing_mesh: bool) -> Local:
    """From the answers to QUESTIONS. Pure."""
    if isinstance(info, EngineError):
        raise info
    swarm = info.get("Swarm") or {}
    manager = bool(swarm.get("ControlAvailable"))
    cluster_id, error = (swarm.get("Cluster") or {}).get("ID", ""), swarm.get("Error", "")
    leads, recovered = False, ""
    if manager and isinstance(found, EngineError):  # no leader: 503, or a timeout of the engine's own
        error = found.message
    elif manager:
        cluster_id, leads = found["ID"], True
        recovered = (found["Spec"].get("Labels") or {}).get(RECOVERED, "")
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
        routing_mesh=routing_mesh,
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


def check_ports(
    engine: Engine, addresses: t.Sequence[str], ports: t.Sequence[int] = (NODE_PORT, GOSSIP_PORT), opening: float = OPENING
) -> list[str | None]:
    """Try from the engine's host to reach nodes on these TCP ports; for each None where that works, else what does not.

    A manager answers for its swarm before it listens for gossip: a port that is refused, not filtered, is tried again for ``opening`` seconds.
    """
    said: dict[tuple[str, int], str] = {}
    left = [(address, port) for address in addresses for port in ports]
    deadline = time.monotonic() + opening
    while True:
        said.update(zip(left, engine.reach(left, CONNECT_TIMEOUT)))
        left = [place for place in left if said[place] == REFUSED]
        if not left or time.monotonic() >= deadline:
            break
        time.sleep(_INTERVAL)
    troubles: list[str | None] = []
    for address in addresses:
        closed = [(port, said[address, port]) for port in ports if said[address, port]]
        troubles.append(f"{address} does not answer on TCP port {closed[0][0]} ({closed[0][1]})" if closed else None)
    return troubles


def join(engine: Engine, request: t.Mapping[str, t.Any], managers: t.Sequence[str], timeout: float) -> Local:
    """Join the swarm of ``managers`` (addresses), after trying their ports. ``request``: body of POST /swarm/join.

    What the host says of itself after it. A join that fails is taken back: it would leave a node that is neither in nor out.
    """
    places = [(address, port) for address in managers for port in (NODE_PORT, GOSSIP_PORT)]
    answers = engine.batch_where_reached(places, CONNECT_TIMEOUT, _joining(request, managers))
    if answers is None:
        troubles = check_ports(engine, managers)
        usable = [address for address, trouble in zip(managers, troubles) if trouble is None]
        if not usable:
            raise SwarmRefused(f"No manager of the swarm can be reached from this host: {'; '.join(filter(None, troubles))}. {PORTS_HINT}")
        answers = engine.batch(_joining(request, usable))
    said, *seen = answers
    # The engine waits 20 s and goes on in the background after that.
    if isinstance(said, EngineError) and "Timeout was reached" not in said.message:
        if "already part of a swarm" not in said.message:
            _give_up(engine)
        raise said
    state = from_answers(*seen, routing_mesh=False)
    if not _is_node(state):
        state = _wait_active(engine, timeout)
    if state.state != "active":
        _give_up(engine)
        raise SwarmRefused(
            f"This host did not become a node within {timeout:g} s (state {state.state}{', ' + state.error if state.error else ''}); "
            "the attempt was taken back."
        )
    return state


def _joining(request: t.Mapping[str, t.Any], managers: t.Sequence[str]) -> list[tuple[str, str, t.Any]]:
    return [("POST", "/swarm/join", {**request, "RemoteAddrs": [f"{address}:{NODE_PORT}" for address in managers]}), *QUESTIONS]


def _is_node(state: Local) -> bool:
    return state.state == "active" and bool(state.node_id)


def _wait_active(engine: Engine, timeout: float) -> Local:
    deadline = time.monotonic() + timeout
    while True:
        state = observe(engine, routing_mesh=False)
        if _is_node(state) or time.monotonic() >= deadline:
            return state
        time.sleep(_INTERVAL)


def wait_manager(ask: t.Callable[[], Local], timeout: float) -> Local:
    """What the host says (``ask``) once it answers for its swarm: others see a new manager before it knows itself that it is one.

    An engine that is told of its promotion restarts its part of the swarm, and refuses questions for a moment.
    """
    deadline = time.monotonic() + timeout
    while True:
        state = ask()
        if state.leads:
            return state
        if time.monotonic() >= deadline:
            raise SwarmRefused(
                f"This host does not answer for its swarm after {timeout:g} s (state {state.state}{', ' + state.error if state.error else ''}): "
                "look at 'docker node ls' on another manager and 'journalctl -u docker' here."
            )
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
    locked too, no majority is there until they are unlocked; that is not waited for beyond ``timeout``. The engine refuses a key that does
    not fit at once, and otherwise answers when it takes part in its swarm (moby's C(Cluster.UnlockSwarm)): silence is no refusal.
    """
    if not keys:
        raise SwarmRefused("This host is locked (autolock), and there is no key: give swarm_unlock_key_file or swarm_unlock_key.")
    trouble, deadline = "", time.monotonic() + timeout
    patient = Engine(engine.socket_path, max(1.0, min(timeout, engine.timeout)))
    for key in keys:
        try:
            patient.post("/swarm/unlock", body={"UnlockKey": key})
            break
        except EngineUnreachable as error:
            if not error.silent:
                raise
            break
        except EngineError as error:
            trouble = error.message
    else:
        raise SwarmRefused(f"This host is locked (autolock), and the key that is kept does not unlock it: {trouble}.")
    while True:
        state = observe(engine)
        if (state.state == "active" and (state.leads or not state.manager)) or time.monotonic() >= deadline:
            return state
        time.sleep(_INTERVAL)
