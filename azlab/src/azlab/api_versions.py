# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which api-versions each type has, and the refusal of others.

The lists are those of the management SDKs, which have a module for each version, and of Azure's own messages that name them. A version
newer than the newest that is known here is let through: Azure publishes several a year, and a lab that refuses them ages badly.
"""
from __future__ import annotations

import functools
import json
from collections.abc import Iterable
from importlib import resources

from azlab.errors import ArmError, arm_error

# Each namespace decides about its types; what is Resource Manager's own (groups, deployments, tags, locks) takes any date.
_STRICT = ("microsoft.compute", "microsoft.managedidentity", "microsoft.network", "microsoft.storage")


@functools.cache
def _data() -> dict[str, dict[str, str]]:
    text = (resources.files("azlab") / "data" / "api_versions.json").read_text(encoding="utf-8")
    return dict(json.loads(text))


@functools.cache
def supported(type_name: str) -> tuple[str, ...]:
    """Versions of a type (`Microsoft.Compute/disks`), oldest first; those of its parent or namespace where it has no own list;
    those of Microsoft.Resources where nothing is known."""
    types, name = _data()["types"], type_name.lower()
    while name not in types and "/" in name:
        name = name.rpartition("/")[0]
    return tuple(_data()["lists"][types.get(name, "resources")].split())


def newest(type_name: str) -> str:
    """The newest version of a type that is no preview."""
    return next(v for v in reversed(supported(type_name)) if not v.endswith("-preview"))


def at(type_name: str, date: str) -> str:
    """The version of a type that was the newest at the date of another type's version."""
    known = supported(type_name)
    return next((v for v in reversed(known) if v[:10] <= date[:10]), known[0])


def check(type_name: str, version: str, location: str, locations: Iterable[str]) -> None:
    """Refuse a version that the type never had.

    Raises:
        ArmError: NoRegisteredProviderFound, with the lists of versions and regions, as Resource Manager words it.
    """
    if type_name.partition("/")[0].lower() not in _STRICT:
        return
    known = supported(type_name)
    if version not in known and version[:10] <= known[-1]:
        raise refusal(type_name, version, location, locations)


def refusal(type_name: str, version: str, location: str, locations: Iterable[str]) -> ArmError:
    """The error for a version of a type that does not have it."""
    return arm_error("no_provider", location=location, version=version, type=type_name.partition("/")[2],
                     supported=", ".join(supported(type_name)), locations=", ".join(locations))
