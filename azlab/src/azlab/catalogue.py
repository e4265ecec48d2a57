# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the lab offers: regions, machine sizes, images and extension types. Data only, from `data/*.json`."""
from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from importlib import resources
from typing import Any


@dataclass(frozen=True)
class Size:
    """A machine size as Azure lists it."""

    name: str
    family: str
    cores: int
    memory_mb: int
    max_data_disks: int
    resource_disk_mb: int
    premium: bool
    generations: str

    @property
    def ephemeral(self) -> bool:
        """Whether the lab lets machines of this size have an ephemeral OS disk: those whose resource disk holds one."""
        return self.resource_disk_mb >= 30 * 1024


def _load(name: str) -> Any:
    return json.loads(resources.files("azlab.data").joinpath(name).read_text())


class Catalogue:
    """Lookup tables, loaded when first used."""

    @cached_property
    def regions(self) -> dict[str, dict[str, Any]]:
        return {r["name"]: r for r in _load("regions.json")}

    @cached_property
    def sizes(self) -> dict[str, Size]:
        return {row[0].lower(): Size(*row) for row in _load("sizes.json")}

    @cached_property
    def images(self) -> dict[str, Any]:
        return dict(_load("images.json"))

    @cached_property
    def extensions(self) -> list[dict[str, Any]]:
        return list(_load("extensions.json"))

    def region(self, text: str) -> dict[str, Any] | None:
        """A region by its name or display name, as Azure accepts both."""
        return self.regions.get(text.replace(" ", "").lower())

    def image_version(self, publisher: str, offer: str, sku: str, version: str) -> dict[str, Any] | None:
        """{"version": exact, "generation", "computer"…} of an image, or None when it is not offered."""
        for entry in self.images["images"]:
            if (entry["publisher"].lower(), entry["offer"].lower(), entry["sku"].lower()) == (
                    publisher.lower(), offer.lower(), sku.lower()):
                versions = entry["versions"]
                if version.lower() == "latest":
                    return {**entry, "version": versions[-1]}
                if version in versions:
                    return {**entry, "version": version}
        return None
