# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The containers of a project as the engine tells of them, and what is wrong with them.

This util is private to the collection: no release promises that it stays as it is.
"""

from __future__ import annotations

import struct
import time
import typing as t
from dataclasses import dataclass

from ansible_collections.dockhost.azure.plugins.module_utils._docker_host.packages import HostError
from ansible_collections.dockhost.azure.plugins.module_utils._engine.client import Engine
from ansible_collections.dockhost.azure.plugins.module_utils._engine.errors import EngineError
from ansible_collections.dockhost.azure.plugins.module_utils._engine.labels import PROJECT, SERVICE

HASH = "com.docker.compose.config-hash"
ONE_OFF = "com.docker.compose.oneoff"
LOG_LINES = 10
RESTARTS = 3
PAUSE = 0.25


@dataclass(frozen=True)
class Container:
    """One container. ``health``: none, starting, healthy or unhealthy. ``ends``: whether it may end by itself."""

    id: str
    name: str
    service: str
    hash: str
    image: str
    image_name: str
    status: str
    health: str = "none"
    exit_code: int = 0
    restarts: int = 0
    ends: bool = False
    error: str = ""
    probe: str = ""

    @property
    def wrong(self) -> str:
        """What is wrong with it for good, or nothing."""
        if self.status == "running" and self.health == "unhealthy":
            return "is unhealthy" + (f" (its check says: {self.probe})" if self.probe else "")
        if self.restarts >= RESTARTS:
            return f"ends again and again, last with exit code {self.exit_code}"
        if self.status == "created" and self.error:
            return f"cannot be started: {self.error}"
        if self.status == "exited" and (self.exit_code or not self.ends):
            return f"has ended with exit code {self.exit_code}" + (f" ({self.error})" if self.error else "")
        return "is dead" if self.status == "dead" else ""

    @property
    def fine(self) -> bool:
        """Whether it is as it should be."""
        if self.status == "exited":
            return self.ends and not self.exit_code
        return self.status == "running" and self.health in ("none", "healthy") and not self.wrong

    @property
    def awaited(self) -> str:
        """What it is doing meanwhile."""
        return f"is {self.health}" if self.status == "running" else f"is {self.status}"


def read(engine: Engine, project: str) -> list[Container]:
    """All containers of the project, by name; not those of ``docker compose run``."""
    found = engine.get("/containers/json", all=True, filters={"label": [f"{PROJECT}={project}"]}) or ()
    inspected = [engine.find(f"/containers/{item['Id']}/json") for item in found]
    made = [container(item) for item in inspected if item and item["Config"]["Labels"].get(ONE_OFF, "False") != "True"]
    return sorted(made, key=lambda item: item.name)


def container(item: t.Mapping[str, t.Any]) -> Container:
    """From the engine's inspection."""
    state, labels = item["State"], item["Config"]["Labels"]
    health = state.get("Health") or {}
    probes = health.get("Log") or [{}]
    policy = (item["HostConfig"].get("RestartPolicy") or {}).get("Name", "")
    return Container(
        id=item["Id"],
        name=item["Name"].lstrip("/"),
        service=labels.get(SERVICE, ""),
        hash=labels.get(HASH, ""),
        image=item["Image"],
        image_name=item["Config"]["Image"],
        status=state["Status"],
        health=health.get("Status") or "none",
        exit_code=state["ExitCode"],
        restarts=item.get("RestartCount", 0),
        ends=policy in ("", "no", "on-failure"),
        error=(state.get("Error") or "").strip(),
        probe=" ".join((probes[-1].get("Output") or "").split())[:200],
    )


def wait(engine: Engine, project: str, timeout: float, settle: float) -> list[Container]:
    """Until all containers are fine, those without a healthcheck for ``settle`` seconds. HostError with the reason and their words."""
    deadline = time.monotonic() + timeout
    fine_since: float | None = None
    while True:
        found = read(engine, project)
        bad = [item for item in found if item.wrong]
        if bad:
            raise HostError(failure(engine, bad))
        now = time.monotonic()
        if not all(item.fine for item in found):
            fine_since = None
        else:
            fine_since = fine_since or now
            if now - fine_since >= (settle if any(item.health == "none" and item.status == "running" for item in found) else 0):
                return found
        if now > deadline:
            late = [item for item in found if not item.fine] or found
            raise HostError(f"after {timeout:g} s " + failure(engine, late))
        time.sleep(PAUSE)


def failure(engine: Engine, bad: t.Sequence[Container]) -> str:
    """What is wrong, and the containers' own last lines."""
    said = []
    for item in bad[:3]:
        lines = last_lines(engine, item.id)
        words = "; its last lines: " + " | ".join(lines) if lines else "; it wrote nothing"
        said.append(f"container {item.name} {item.wrong or item.awaited}{words}")
    more = f" (and {len(bad) - 3} more)" if len(bad) > 3 else ""
    return "; ".join(said) + more


def last_lines(engine: Engine, container_id: str) -> list[str]:
    """The last lines that a container wrote; none where its log driver does not give them back."""
    try:
        raw = engine.get(f"/containers/{container_id}/logs", stdout=True, stderr=True, tail=LOG_LINES)
    except EngineError:
        return []
    return [line.strip() for line in plain(raw or b"").decode(errors="replace").splitlines() if line.strip()]


def plain(raw: bytes) -> bytes:
    """A log without the engine's frames: https://docs.docker.com/reference/api/engine/ (Attach, stream format)."""
    if not isinstance(raw, bytes) or raw[:1] not in (b"\x00", b"\x01", b"\x02") or raw[1:4] != b"\0\0\0":
        return raw if isinstance(raw, bytes) else b""  # a container with a terminal has no frames
    parts, place = [], 0
    while place + 8 <= len(raw):
        (size,) = struct.unpack(">I", raw[place + 4 : place + 8])
        parts.append(raw[place + 8 : place + 8 + size])
        place += 8 + size
    return b"".join(parts)
