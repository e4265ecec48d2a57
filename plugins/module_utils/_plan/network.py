# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What must not be done to a network that is in use. Private to this collection; pure."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from ansible_collections.dockhost.azure.plugins.module_utils._model import names
from ansible_collections.dockhost.azure.plugins.module_utils._model.network import Network
from ansible_collections.dockhost.azure.plugins.module_utils._model.resource import Resource


def normalized(network: Mapping[str, Any]) -> Dict[str, Any]:
    """A network whose subnets say ``addressPrefix``: Azure answers with a list of one for subnets of other tools."""
    properties = dict(network.get("properties") or {})
    properties["subnets"] = [_subnet(subnet) for subnet in properties.get("subnets") or []]
    return dict(network, properties=properties)


def _subnet(subnet: Mapping[str, Any]) -> Dict[str, Any]:
    properties = dict(subnet.get("properties") or {})
    prefixes = properties.get("addressPrefixes") or []
    if len(prefixes) == 1:
        properties["addressPrefix"] = properties.pop("addressPrefixes")[0]
    elif not prefixes:
        properties.pop("addressPrefixes", None)
    return dict(subnet, properties=properties)


def users(subnet: Mapping[str, Any]) -> List[str]:
    """The names of what has an address in a subnet."""
    found = []
    for item in (subnet.get("properties") or {}).get("ipConfigurations") or []:
        parts = str(item.get("id", "")).split("/")
        found.append(parts[8] if len(parts) > 8 else parts[-1])
    return sorted(set(found))


def prefixes(subnet: Mapping[str, Any]) -> List[str]:
    """The ranges of a subnet as Azure returned it."""
    properties = subnet.get("properties") or {}
    return list(properties.get("addressPrefixes") or []) or [properties["addressPrefix"]]


def refusals(wanted: Network, actual: Optional[Mapping[str, Any]]) -> List[str]:
    """Sentences for what a change would take away from subnets that are in use, or from those of others."""
    if actual is None:
        return []
    found = []
    mine = {subnet.name.lower(): subnet for subnet in wanted.subnets}
    space = [names.check_range("address_prefixes", text) for text in wanted.address_prefixes]
    ranges: List[Tuple[str, Any]] = [
        ("subnets[{0}].address_prefix".format(subnet.name), names.check_range("subnets", subnet.address_prefix))
        for subnet in wanted.subnets
    ]
    for subnet in actual["properties"]["subnets"]:
        own = mine.get(subnet["name"].lower())
        if own is not None:
            found += _moved(own.name, own.address_prefix, subnet)
            continue
        for text in prefixes(subnet):
            theirs = names.check_range("subnets", text)
            if not names.inside(theirs, space):
                found.append((
                    "address_prefixes ({0}) would leave out {1} of subnet {2}, which is in virtual network {3}: keep a "
                    "range that covers it, or delete that subnet first."
                ).format(", ".join(wanted.address_prefixes), text, subnet["name"], wanted.name))
            found += [
                "{0} ({1}) overlaps {2} of subnet {3}, which is in virtual network {4} already: choose a free range.".format(
                    option, item, text, subnet["name"], wanted.name)
                for option, item in ranges if item.version == theirs.version and item.overlaps(theirs)
            ]
    return found


def _moved(name: str, prefix: str, subnet: Mapping[str, Any]) -> List[str]:
    """A subnet keeps its range while anything has an address in it."""
    current, busy = prefixes(subnet), users(subnet)
    if not busy or [str(names.check_range("subnets", prefix))] == current:
        return []
    return [(
        "subnets[{0}].address_prefix cannot be changed from {1} to {2}, because {3} {4} an address in it: set it back, "
        "or make another subnet and move them."
    ).format(name, ", ".join(current), prefix, _some(busy), "has" if len(busy) == 1 else "have")]


def delete_refusals(
    going: Sequence[Resource], actual: Mapping[str, Mapping[str, Any]], deployment: str,
) -> List[str]:
    """Sentences for what must not be deleted: what is not ours, and networks in which something has an address."""
    found = []
    for resource in going:
        there = actual.get(resource.key)
        if there is None:
            continue
        if names.owned_tags({}, deployment, there) == {}:
            found.append((
                "{0} is not deleted, because it does not carry the tag dockhost-deployment={1}: this collection deletes "
                "only what it made."
            ).format(_capital(resource.title), deployment))
            continue
        for subnet in (there.get("properties") or {}).get("subnets") or []:
            busy = users(subnet)
            if busy and resource.type.endswith("/virtualNetworks"):
                found.append("{0} is not deleted, because {1} {2} an address in its subnet {3}: delete what uses it first.".format(
                    _capital(resource.title), _some(busy), "has" if len(busy) == 1 else "have", subnet["name"]))
    return found


def owner_refusals(
    desired: Sequence[Resource], actual: Mapping[str, Mapping[str, Any]], deployment: str,
) -> List[str]:
    """Sentences for resources that belong to another deployment."""
    found = []
    for resource in desired:
        owner = names.foreign_owner(actual.get(resource.key), deployment)
        if owner is not None:
            found.append((
                "{0} belongs to the deployment '{1}', not to '{2}': choose another name, or set deployment to '{1}'."
            ).format(_capital(resource.title), owner, deployment))
    return found


def _some(items: List[str]) -> str:
    if len(items) <= 3:
        return ", ".join(items)
    return "{0} and {1} more".format(", ".join(items[:3]), len(items) - 3)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
