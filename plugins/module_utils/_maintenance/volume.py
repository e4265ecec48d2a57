# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where the data of a volume lie on this host, and which containers use it.

This util is private to the collection: no release promises that it stays as it is.
"""

from __future__ import annotations

import contextlib
import os
import time
import typing as t
from urllib.parse import quote

from ansible_collections.dockhost.azure.plugins.module_utils._engine.client import Engine
from ansible_collections.dockhost.azure.plugins.module_utils._engine.labels import PROJECT, SERVICE
from ansible_collections.dockhost.azure.plugins.module_utils._maintenance.archive import ArchiveError

SERVICE_LABEL = "com.docker.swarm.service.name"
_STARTING = "health: starting"
_INTERVAL = 0.5  # seconds


def find(engine: Engine, name: str) -> dict[str, t.Any] | None:
    """The volume as the engine tells it, or None."""
    return engine.find("/volumes/" + quote(name, safe=""))


def directory_of(volume: dict[str, t.Any]) -> str:
    """The directory that holds a volume's data, whether a container uses it now or not.

    ArchiveError for volumes that other drivers keep, and for those that the engine mounts only while a container runs.
    """
    name, options = volume["Name"], volume.get("Options") or {}
    if volume.get("Driver", "local") != "local":
        raise ArchiveError(f"Volume {name} is kept by the driver {volume['Driver']}: back it up with that driver's own means.")
    device = options.get("device", "")
    if "bind" in options.get("o", "").split(",") and device.startswith("/"):
        directory = device
    elif not options.get("type") or os.path.ismount(volume["Mountpoint"]):
        directory = volume["Mountpoint"]
    else:
        raise ArchiveError(
            f"Volume {name} ({options['type']}) is mounted only while a container uses it, and none does: start one, or use consistency pause."
        )
    if not os.path.isdir(directory):
        raise ArchiveError(f"The directory {directory} of volume {name} does not exist on this host.")
    return directory


def containers(engine: Engine, name: str) -> list[dict[str, t.Any]]:
    """The containers that run with the volume."""
    return engine.get("/containers/json", filters={"volume": [name]})


def users(engine: Engine, name: str) -> list[dict[str, t.Any]]:
    """Those of :func:`containers` that run by their own word: the list shows one that was stopped this moment as running for a moment more."""
    inspected = [(item, engine.find(f"/containers/{item['Id']}/json")) for item in containers(engine, name)]
    return [item for item, now in inspected if now and now["State"]["Running"]]


def container_of(engine: Engine, service: str, patience: float = 60) -> dict[str, t.Any] | None:
    """A running container of a swarm service, of a Compose service (its name alone or after PROJECT_), or of that name, on this host.

    One whose healthcheck has not passed yet (a database that starts) is waited for, ``patience`` seconds long.
    """
    end = time.monotonic() + patience
    while True:
        found = _running(engine, service)
        ready = [container for container in found if _STARTING not in container.get("Status", "")]
        if ready or not found or time.monotonic() > end:
            return (ready or found or [None])[0]
        time.sleep(_INTERVAL)


def _running(engine: Engine, service: str) -> list[dict[str, t.Any]]:
    """The newest first, as the engine lists them."""
    ends = [place for place, sign in enumerate(service) if sign == "_"]
    in_projects = [[f"{PROJECT}={service[:end]}", f"{SERVICE}={service[end + 1 :]}"] for end in ends]
    for labels in ([f"{SERVICE_LABEL}={service}"], *in_projects, [f"{SERVICE}={service}"]):
        found = engine.get("/containers/json", filters={"label": labels, "status": ["running"]})
        if found:
            return found
    return engine.get("/containers/json", filters={"name": [f"^/{service}$"], "status": ["running"]})


@contextlib.contextmanager
def quiet(engine: Engine, name: str, consistency: str) -> t.Iterator[list[str]]:
    """Let the containers of a volume rest while its data are read: paused, or stopped. They go on, whatever happens.

    Tasks of the swarm are not stopped here: the swarm would start others at once. They are held by service_hold on a manager before.
    """
    resting: list[str] = []
    verb, back = {"pause": ("pause", "unpause"), "stop": ("stop", "start"), "none": ("", "")}[consistency]
    try:
        for container in containers(engine, name) if verb else []:
            if container["State"] != "running":
                continue
            service = (container.get("Labels") or {}).get(SERVICE_LABEL)
            if consistency == "stop" and service:
                task = (container.get("Names") or [container["Id"]])[0].lstrip("/")
                raise ArchiveError(
                    f"Container {task} of service {service} still uses volume {name} on this host: hold the service first (module service_hold), or, "
                    f"where it is held, remove what the swarm does not know any more ('docker rm -f {task}', as after 'docker restart' of a task)."
                )
            engine.post(f"/containers/{container['Id']}/{verb}")
            resting.append(container["Id"])
        yield resting
    finally:
        for identity in reversed(resting):
            engine.post(f"/containers/{identity}/{back}")
