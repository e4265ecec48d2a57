# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What has to be read to know what a group that is wanted shall be like. Private to this collection."""

from __future__ import annotations

from typing import Any, List, Mapping, Sequence

from ansible_collections.dockhost.azure.plugins.module_utils._azure.client import Client
from ansible_collections.dockhost.azure.plugins.module_utils._errors import InputError
from ansible_collections.dockhost.azure.plugins.module_utils._hosts import preflight, read
from ansible_collections.dockhost.azure.plugins.module_utils._model.host_group import HostGroup


async def located(client: Client, params: Mapping[str, Any], group: HostGroup, mine: Sequence[Mapping[str, Any]]) -> HostGroup:
    """The group with its region: the option, else where its hosts are, else where the resource group is.

    :param mine: the group's machines
    :raises InputError: none of the three is there
    """
    location = params.get("location")
    if not location:
        found = mine[0] if mine else await read.resource_group(client, params["resource_group"])
        if found is None:
            name = params["resource_group"]
            raise InputError(
                "resource_group",
                f"resource_group: '{name}' does not exist: make it with dockhost.azure.resource_group first (and give location "
                "to plan without it).",
            )
        location = found["location"]
    return group.at(location)


async def with_hint(client: Client, group: HostGroup, problems: Sequence[preflight.Problem]) -> List[preflight.Problem]:
    """The same problems; the one about the image names what is offered instead."""
    similar = await read.similar_images(client, group.location, group.image)
    hint = preflight.near(group.image.text.rsplit(":", 1)[0], similar)
    return [
        (option, text.replace("is not offered", f"is not offered{hint}", 1) if option == "image" else text)
        for option, text in problems
    ]
