# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What helps to find a fault on a host, as one tar.gz without secrets.

This util is private to the collection: no release promises that it stays as it is.
"""

from __future__ import annotations

import io
import json
import os
import tarfile
import time
import typing as t

from ansible_collections.dockhost.azure.plugins.module_utils._docker_host import command
from ansible_collections.dockhost.azure.plugins.module_utils._docker_host.packages import HostError
from ansible_collections.dockhost.azure.plugins.module_utils._engine.client import Engine
from ansible_collections.dockhost.azure.plugins.module_utils._engine.errors import EngineError
from ansible_collections.dockhost.azure.plugins.module_utils._maintenance import scrub

# What is asked of the host; a program that is not there is noted in its place.
COMMANDS: dict[str, tuple[str, ...]] = {
    "host/uname.txt": ("uname", "-a"),
    "host/os-release.txt": ("cat", "/etc/os-release"),
    "host/uptime.txt": ("uptime",),
    "host/memory.txt": ("free", "-m"),
    "host/processes.txt": ("ps", "-eo", "pid,ppid,stat,etime,rss,comm"),
    "host/disk.txt": ("df", "-hT"),
    "host/inodes.txt": ("df", "-i"),
    "host/mounts.txt": ("findmnt", "--noheadings", "--output", "TARGET,SOURCE,FSTYPE"),
    "host/addresses.txt": ("ip", "-brief", "address"),
    "host/routes.txt": ("ip", "route"),
    "host/sockets.txt": ("ss", "-lntu"),
    "host/failed-units.txt": ("systemctl", "--failed", "--no-pager"),
    "host/time.txt": ("timedatectl",),
    "engine/service.txt": ("systemctl", "status", "docker.service", "containerd.service", "--no-pager", "--lines=0"),
    "engine/daemon.json": ("cat", "/etc/docker/daemon.json"),
}
REQUESTS: dict[str, tuple[str, dict[str, t.Any]]] = {
    "engine/version.json": ("/version", {}),
    "engine/info.json": ("/info", {}),
    "engine/containers.json": ("/containers/json", {"all": True}),
    "engine/images.json": ("/images/json", {}),
    "engine/networks.json": ("/networks", {}),
    "engine/volumes.json": ("/volumes", {}),
    "engine/disk.json": ("/system/df", {}),
}
# These only a manager answers.
SWARM: dict[str, tuple[str, dict[str, t.Any]]] = {
    "swarm/nodes.json": ("/nodes", {}),
    "swarm/services.json": ("/services", {"status": True}),
    "swarm/tasks.json": ("/tasks", {}),
}


def collect(engine: Engine, hours: int, lines: int) -> dict[str, str]:
    """Name of each file and its text, without secrets."""
    journal = ("journalctl", "--no-pager", f"--since=-{hours}h", f"--lines={lines}", "--output=short-iso")
    commands = {
        **COMMANDS,
        "journal/docker.txt": (*journal, "--unit=docker.service", "--unit=containerd.service"),
        "journal/kernel.txt": (*journal, "--dmesg"),
        "journal/warnings.txt": (*journal, "--priority=warning"),
    }
    files = {name: scrub.text(_said(words)) for name, words in commands.items()}
    manager = False
    for name, (path, query) in REQUESTS.items():
        files[name], answer = _asked(engine, path, query)
        if name == "engine/info.json" and answer:
            manager = bool((answer.get("Swarm") or {}).get("ControlAvailable"))
    for name, (path, query) in SWARM.items() if manager else ():
        files[name] = _asked(engine, path, query)[0]
    return files


def write(path: str, folder: str, files: t.Mapping[str, str]) -> int:
    """Write the bundle (mode 0600, owned like its directory); its size in bytes."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as file, tarfile.open(fileobj=file, mode="w:gz") as bundle:
        for name, said in sorted(files.items()):
            content = said.encode()
            member = tarfile.TarInfo(f"{folder}/{name}")
            member.size, member.mode, member.mtime = len(content), 0o600, int(time.time())
            bundle.addfile(member, io.BytesIO(content))
    owner = os.stat(os.path.dirname(path))
    os.chown(path, owner.st_uid, owner.st_gid)
    return os.path.getsize(path)


def _said(words: t.Sequence[str]) -> str:
    try:
        result = command.run(*words, timeout=60)
    except HostError as error:
        return f"{error}\n"
    return result.output + (f"\n(ended with {result.code}) {result.errors}" if result.code else "")


def _asked(engine: Engine, path: str, query: dict[str, t.Any]) -> tuple[str, t.Any]:
    try:
        answer = engine.get(path, **query)
    except EngineError as error:
        return f"{error}\n", None
    return json.dumps(scrub.data(answer), indent=1, sort_keys=True) + "\n", answer
