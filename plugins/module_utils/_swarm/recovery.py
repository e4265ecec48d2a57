# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A swarm whose majority is lost for good: one manager goes on alone, with all that the swarm knew.

Rules: https://docs.docker.com/engine/swarm/admin_guide/#recover-from-losing-the-quorum

This util is private to the collection: no release promises that it stays as it is.
"""

from __future__ import annotations

import os
import signal
import tarfile
import time
import typing as t

from ansible_collections.dockhost.azure.plugins.module_utils._engine.client import Engine
from ansible_collections.dockhost.azure.plugins.module_utils._engine.errors import EngineError, EngineUnreachable
from ansible_collections.dockhost.azure.plugins.module_utils._swarm import gossip, local, upkeep
from ansible_collections.dockhost.azure.plugins.module_utils._swarm.model import RECOVERED, Local, Node, Step, SwarmRefused

_INTERVAL = 0.2
PID_FILES = ("/run/docker.pid", "/var/run/docker.pid")


def refuse_needless(before: Local) -> None:
    """Recovery forgets all other managers: it is for a manager that has no majority any more, and for nothing else."""
    if not before.manager:
        raise SwarmRefused(f"This host is no manager of a swarm (state {before.state}), so nothing can be recovered from it: choose a manager.")
    if before.leads:
        raise SwarmRefused("The swarm has a leader and answers here, so there is nothing to recover. Replace lost managers with role swarm.")


def refuse_locked(root: str) -> None:
    """The engine cannot force a new cluster of a swarm with autolock: it asks for the key, takes none, and forgets its swarm.

    https://github.com/moby/moby/issues/36852
    """
    try:
        with open(os.path.join(root, "swarm", "certificates", "swarm-node.key"), encoding="ascii") as file:
            locked = "ENCRYPTED" in file.readline()
    except OSError as error:
        raise SwarmRefused(f"What the engine keeps of its swarm cannot be read ({error}), so nothing was changed.") from error
    if locked:
        raise SwarmRefused(
            "Refused: the swarm has autolock, and the Docker Engine cannot go on alone with such a swarm (moby issue 36852: it would forget "
            "it, and end the tasks on this host). Bring back one of the other managers, or restore a backup. Nothing was changed."
        )


def back_up(root: str, path: str, pid_files: t.Sequence[str] = PID_FILES) -> None:
    """Write folder ``root``/swarm into the archive ``path`` (mode 0600): raft's log, certificates, keys.

    Docker's documentation stops the engine for this, which would end the containers of the swarm's last manager. Here
    the engine is halted for the moment of copying, so that the copy is what a power failure would leave, which raft's log is made for.
    """
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    pid = _engine_pid(pid_files)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        if pid:
            os.kill(pid, signal.SIGSTOP)
        try:
            with tarfile.open(fileobj=file, mode="w:gz", compresslevel=1) as archive:
                archive.add(os.path.join(root, "swarm"), arcname="swarm", filter=_regular)
        finally:
            if pid:
                os.kill(pid, signal.SIGCONT)
        file.flush()
        os.fsync(file.fileno())


def _regular(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    """Folders, files and links; a control socket cannot be kept."""
    return member if member.isdir() or member.isfile() or member.issym() else None


def _engine_pid(pid_files: t.Sequence[str]) -> int:
    for path in pid_files:
        try:
            with open(path, encoding="ascii") as file:
                return int(file.read().strip())
        except (OSError, ValueError):
            continue
    raise SwarmRefused(f"The engine's process id is not in {pid_files[0]}, so the swarm's state could not be copied safely: nothing was changed.")


def recover(engine: Engine, request: t.Mapping[str, t.Any], timeout: float) -> Local:
    """Go on as the only manager. ``request``: body of POST /swarm/init. Marks the swarm as recovered."""
    engine.post("/swarm/init", body={**request, "ForceNewCluster": True})
    _wait_leading(engine, timeout)
    # Not only where gossip.is_deaf(): one that had gossip until now was seen to keep the old socket, and to have no overlay networks all the
    # same. The tasks of this host were ended with the node of before, and are started anew in any case.
    gossip.restart_engine()
    _wait_leading(engine, timeout)
    marker = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    upkeep.update(engine, lambda spec: {**spec, "Labels": {**(spec.get("Labels") or {}), RECOVERED: marker}})
    return local.observe(engine)


def _wait_leading(engine: Engine, timeout: float) -> None:
    deadline = time.monotonic() + timeout
    while True:
        try:
            if local.observe(engine).leads:
                return
        except EngineUnreachable:  # it is being started
            if time.monotonic() >= deadline:
                raise
        if time.monotonic() >= deadline:
            raise SwarmRefused(f"This manager does not lead the swarm {timeout:g} s after it was recovered: look at 'journalctl -u docker'.")
        time.sleep(_INTERVAL)


def forget_others(engine: Engine, own: Local, timeout: float) -> list[Step]:
    """Take the managers of before out of the list. They are no members of raft any more, and join anew as other nodes.

    Their tasks go to nodes that are there at once, instead of after the time in which a node may be silent.
    """
    steps = []
    for node in (Node.from_api(item) for item in engine.get("/nodes") or ()):
        if node.id != own.node_id and node.role == "manager":
            step = Step("remove", node.hostname, node.id, {"role": (node.role, None), "state": (node.state, None)}, "a manager of before")
            _forget(engine, step, timeout)
            steps.append(step)
    return steps


def _forget(engine: Engine, step: Step, timeout: float) -> None:
    # Not demoted before: the engine looks for it among the members of raft then, and it is none any more.
    deadline = time.monotonic() + timeout
    while True:
        try:
            engine.delete(f"/nodes/{step.node_id}", force=True)
            return
        except EngineError as error:
            if time.monotonic() >= deadline or "demoted" not in error.message:
                raise
            time.sleep(_INTERVAL)
