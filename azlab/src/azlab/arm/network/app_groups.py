# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Application security groups: names that interfaces carry and that security rules are written with."""
from __future__ import annotations

from typing import Any

from azlab.arm.network.base import NetworkType
from azlab.arm.wire import Call
from azlab.errors import network_error
from azlab.store import Resource


class ApplicationSecurityGroups(NetworkType):
    name = "Microsoft.Network/applicationSecurityGroups"

    def prepare(self, call: Call, body: dict[str, Any], existing: Resource | None, kept: dict[str, Any]) -> dict[str, Any]:
        return {}

    def check_delete(self, resource: Resource) -> None:
        users = self.lab.store.referrers(resource.id)
        if users:
            raise network_error("asg_in_use", id=resource.id, users=", ".join(users))
