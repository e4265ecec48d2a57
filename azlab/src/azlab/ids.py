# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ARM resource ids: parsed, compared without case, kept as they were written."""
from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ResourceId:
    """The parts of `/subscriptions/…/resourceGroups/…/providers/<ns>/<type>/<name>[/<type>/<name>…]`; without a group it is
    a resource of the subscription."""

    subscription: str
    group: str
    namespace: str
    types: tuple[str, ...]
    names: tuple[str, ...]

    @property
    def type(self) -> str:
        return "/".join((self.namespace, *self.types))

    @property
    def name(self) -> str:
        return self.names[-1]

    def __str__(self) -> str:
        pairs = "".join(f"/{t}/{n}" for t, n in zip(self.types, self.names))
        scope = group_id(self.subscription, self.group) if self.group else f"/subscriptions/{self.subscription}"
        return f"{scope}/providers/{self.namespace}{pairs}"

    @property
    def parent(self) -> ResourceId:
        return ResourceId(self.subscription, self.group, self.namespace, self.types[:-1], self.names[:-1])

    @property
    def root(self) -> ResourceId:
        return ResourceId(self.subscription, self.group, self.namespace, self.types[:1], self.names[:1])


def parse(text: str) -> ResourceId | None:
    """The id, or None when it is not the id of a resource in a resource group."""
    parts = [p for p in text.split("/") if p]
    if len(parts) < 8 or len(parts) % 2:
        return None
    heads = [p.lower() for p in parts[:6:2]]
    if heads[:2] != ["subscriptions", "resourcegroups"] or parts[4].lower() != "providers":
        return None
    rest = parts[6:]
    return ResourceId(parts[1], parts[3], parts[5], tuple(rest[::2]), tuple(rest[1::2]))


def group_id(subscription: str, group: str) -> str:
    return f"/subscriptions/{subscription}/resourceGroups/{group}"
