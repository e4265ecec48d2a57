# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that labs made in the engine, found by label: for `azlab down` and `azlab doctor`. Blocking."""
from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import docker
import docker.errors

from azlab.machines.docker import disks
from azlab.machines.docker.names import LABEL_HOME, LABEL_KIND, LABEL_LAB


@dataclass(frozen=True)
class Leftover:
    """One thing in the engine that belongs to a lab."""

    lab: str
    kind: str               # container | network | volume | loop
    name: str
    use: str                # machine, gateway, …
    home: str = ""          # the state directory of the lab that made it


def find(client: docker.DockerClient, lab: str | None = None) -> list[Leftover]:
    """What there is of one lab, or of all."""
    wanted = {"label": LABEL_LAB if lab is None else f"{LABEL_LAB}={lab}"}
    found = [_describe("container", c["Names"][0].lstrip("/"), c["Labels"]) for c in client.api.containers(all=True, filters=wanted)]
    found += [_describe("network", n["Name"], n["Labels"]) for n in client.api.networks(filters=wanted)]
    found += [_describe("volume", v["Name"], v["Labels"]) for v in client.api.volumes(filters=wanted)["Volumes"] or []]
    found += [Leftover(owner, "loop", device, "data-disk") for device, (owner, _file) in disks.in_kernel().items() if lab in (None, owner)]
    return sorted(found, key=lambda item: (item.lab, item.kind, item.name))


def remove(client: docker.DockerClient, lab: str) -> list[Leftover]:
    """Remove all of one lab: containers first, then what they used. Returns what was removed."""
    found = find(client, lab)
    with ThreadPoolExecutor(max_workers=8) as threads:
        def clear(*kinds: str, but: str = "") -> None:
            chosen = [item for item in find(client, lab) if item.kind in kinds and item.use != but]
            list(threads.map(lambda item: _remove(client, item), chosen))
        clear("container", but="disks")
        disks.release(client, lab)          # once no machine has a disk open, and before their files go
        clear("container")
        clear("network")
        clear("volume")
    return found


def _describe(kind: str, name: str, labels: dict[str, str]) -> Leftover:
    return Leftover(labels.get(LABEL_LAB, ""), kind, name, labels.get(LABEL_KIND, ""), labels.get(LABEL_HOME, ""))


def _remove(client: docker.DockerClient, item: Leftover) -> None:
    try:
        if item.kind == "container":
            client.api.remove_container(item.name, force=True, v=True)
        elif item.kind == "network":
            client.api.remove_network(item.name)
        else:
            client.api.remove_volume(item.name, force=True)
    except docker.errors.NotFound:
        pass
    except docker.errors.APIError as error:
        if "already in progress" not in str(error):
            raise
