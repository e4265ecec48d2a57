# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Compose project on this host: what each state of module compose starts from.

This util is private to the collection: no release promises that it stays as it is.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.dockhost.azure.plugins.module_utils._compose import files, live
from ansible_collections.dockhost.azure.plugins.module_utils._compose.cli import Compose
from ansible_collections.dockhost.azure.plugins.module_utils._compose.model import File, Request
from ansible_collections.dockhost.azure.plugins.module_utils._engine.client import Engine

Json = t.Any


@dataclass
class Outcome:
    """What came of it; filled as it goes, so that a failure can still tell what was planned."""

    changed: bool = False
    plan: list[dict[str, str]] = field(default_factory=list)
    diff: list[dict[str, str]] = field(default_factory=list)
    containers: list[dict[str, Json]] = field(default_factory=list)
    rolled_back: bool = False


class Project:
    """A project on this host."""

    def __init__(self, request: Request, check_mode: bool, outcome: Outcome) -> None:
        self.request, self.check_mode, self.outcome = request, check_mode, outcome
        self.engine = Engine(request.docker_socket)
        self.compose = Compose(request, request.folder)
        self.wanted: dict[str, File] = {}
        self.state = files.read_state(request.folder)
        self.actual = files.read(request.folder, self.state)
        self.hidden = request.hidden_values()

    def told(self, found: t.Sequence[live.Container]) -> None:
        """Put the containers into the result."""
        self.outcome.containers = [
            {"name": item.name, "service": item.service, "image": item.image_name, "status": item.status, "health": item.health} for item in found
        ]
