# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The state of a swarm as a manager keeps it on its disk: saved from a manager, and put back on one.

Follows https://docs.docker.com/engine/swarm/admin_guide/#back-up-the-swarm and, there, "Restore from a backup".

This util is private to the collection: no release promises that it stays as it is.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import time
import typing as t

from ansible_collections.dockhost.azure.plugins.module_utils._docker_host import command
from ansible_collections.dockhost.azure.plugins.module_utils._engine.client import Engine
from ansible_collections.dockhost.azure.plugins.module_utils._engine.errors import EngineError, EngineUnreachable
from ansible_collections.dockhost.azure.plugins.module_utils._maintenance import archive
from ansible_collections.dockhost.azure.plugins.module_utils._maintenance.archive import ArchiveError, Written
from ansible_collections.dockhost.azure.plugins.module_utils._swarm import gossip

_UNITS = ("docker.socket", "docker.service")


def describe(engine: Engine) -> dict[str, t.Any] | None:
    """What a manifest says of the swarm; None on a host that is no manager."""
    info = engine.info()
    swarm = info.get("Swarm") or {}
    if not swarm.get("ControlAvailable"):
        return None
    spec = engine.get("/swarm")["Spec"]
    return {
        "cluster_id": swarm["Cluster"]["ID"],
        "engine": info["ServerVersion"],
        "managers": swarm.get("Managers", 0),
        "autolock": bool(spec.get("EncryptionConfig", {}).get("AutoLockManagers")),
        "directory": os.path.join(info["DockerRootDir"], "swarm"),
    }


def save(engine: Engine, directory: str, path: str, consistency: str) -> Written:
    """Archive the state while the engine rests.

    ``stop`` stops it, as Docker documents; ``pause`` halts the process for the time of the copy, so that containers of a swarm's only manager
    go on: what is copied is then what a power cut would leave, which raft's log is made for.
    """
    if consistency == "none":
        return archive.pack(directory, path)
    if consistency == "pause":
        process = int(command.check("systemctl", "show", "--property=MainPID", "--value", "docker.service").strip() or 0)
        if not process:
            raise ArchiveError("systemd knows no process of docker.service, so that it cannot be halted: use consistency stop.")
        os.kill(process, signal.SIGSTOP)
        try:
            _wait_halted(process)
            return archive.pack(directory, path)
        finally:
            os.kill(process, signal.SIGCONT)
    managers = engine.get("/nodes", filters={"role": ["manager"]})
    reachable = [node for node in managers if (node.get("ManagerStatus") or {}).get("Reachability") == "reachable"]
    if len(managers) > 1 and len(reachable) - 1 < len(managers) // 2 + 1:
        raise ArchiveError(
            f"Stopping the engine here would leave {len(reachable) - 1} of {len(managers)} managers reachable; a majority needs {len(managers) // 2 + 1}. "
            "Bring the other managers back, or use consistency pause."
        )
    command.check("systemctl", "stop", *_UNITS, timeout=180)
    try:
        return archive.pack(directory, path)
    finally:
        _start()
        _wait(engine)


def _start() -> None:
    """Start the engine, however often that was done in the last minute: its unit allows three starts, and then leaves it stopped."""
    command.run("systemctl", "reset-failed", *_UNITS)
    command.check("systemctl", "start", *_UNITS, timeout=180)


def _wait_halted(process: int, seconds: float = 30) -> None:
    """A signal is only asked for: each thread stops when it gets to it, one that writes to the disk after that."""
    end = time.monotonic() + seconds
    while True:
        states = set()
        for thread in os.listdir(f"/proc/{process}/task"):
            with contextlib.suppress(OSError), open(f"/proc/{process}/task/{thread}/stat", encoding="utf-8", errors="replace") as file:
                # The name in parentheses may hold anything; the state comes after it. See proc_pid_stat(5).
                states.add(file.read().rpartition(")")[2].split()[0])
        if states <= {"T", "t"}:
            return
        if time.monotonic() > end:
            raise ArchiveError(f"The engine (process {process}) did not halt within {seconds:g} s: use consistency stop, or look at its disk.")
        time.sleep(0.01)


def restore(engine: Engine, path: str, manifest: dict[str, t.Any], params: dict[str, t.Any]) -> None:
    """Put the state back and make this host the only manager of the swarm as it was. The state that was there comes back when that fails."""
    directory = os.path.join(engine.info()["DockerRootDir"], "swarm")
    fresh, before = f"{directory}.dockhost-restore", f"{directory}.dockhost-before"
    for leftover in (fresh, before):
        shutil.rmtree(leftover, ignore_errors=True)
    os.mkdir(fresh, 0o700)
    archive.unpack(path, fresh)
    command.check("systemctl", "stop", *_UNITS, timeout=180)
    try:
        if os.path.isdir(directory):
            os.rename(directory, before)
        os.rename(fresh, directory)
        _start()
        _wait(engine)
        _take_over(engine, manifest, params)
    except Exception:
        command.run("systemctl", "stop", *_UNITS, timeout=180)
        shutil.rmtree(directory, ignore_errors=True)
        if os.path.isdir(before):
            os.rename(before, directory)
        _start()
        raise
    shutil.rmtree(before, ignore_errors=True)


def _take_over(engine: Engine, manifest: dict[str, t.Any], params: dict[str, t.Any]) -> None:
    _open(engine, manifest, params)
    body = {"ForceNewCluster": True, "ListenAddr": "0.0.0.0:2377", "AdvertiseAddr": params["advertise_address"] or ""}
    engine.post("/swarm/init", body)
    _wait(engine, manager=True)
    if gossip.is_deaf():
        gossip.restart_engine()
        _wait(engine)
        _open(engine, manifest, params)
        _wait(engine, manager=True)


def _open(engine: Engine, manifest: dict[str, t.Any], params: dict[str, t.Any]) -> None:
    """Wait until the engine knows itself as a manager, with the key where it is locked."""
    state = _wait_started(engine)
    if state == "locked":
        if not params["unlock_key"]:
            raise ArchiveError(f"The state of swarm {manifest['cluster_id']} is locked: give its key as unlock_key. The state that was there is back.")
        try:
            engine.post("/swarm/unlock", {"UnlockKey": params["unlock_key"]})
        except EngineError as error:
            raise ArchiveError(
                f"The unlock key does not open the state of swarm {manifest['cluster_id']} ({error.message}). The state that was there is back."
            ) from error
        _wait_started(engine)


def _wait_started(engine: Engine, seconds: float = 90) -> str:
    """Wait until the engine knows itself as a manager, or that it is locked; its state. Before that it refuses to go on alone.

    One whose peers are gone stays ``pending`` for good: it is a manager all the same.
    """
    end = time.monotonic() + seconds
    while True:
        swarm = engine.info().get("Swarm") or {}
        state = swarm.get("LocalNodeState") or "inactive"
        if state == "locked" or swarm.get("ControlAvailable"):
            return state
        if time.monotonic() > end:
            said = f", {swarm['Error']}" if swarm.get("Error") else ""
            raise ArchiveError(
                f"The engine did not take up the restored state within {seconds:g} s (it says {state}{said}): see 'journalctl -u docker'. "
                "The state that was there is back."
            )
        time.sleep(0.5)


def _wait(engine: Engine, manager: bool = False, seconds: float = 90) -> None:
    """Wait until the engine answers, and until it is a manager that has a leader."""
    end = time.monotonic() + seconds
    while True:
        try:
            if engine.info() and (not manager or engine.get("/nodes")):
                return
        except EngineUnreachable:
            if time.monotonic() > end:
                raise
        except EngineError:
            if time.monotonic() > end:
                raise
        time.sleep(0.5)
