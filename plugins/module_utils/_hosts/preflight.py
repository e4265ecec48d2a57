# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether Azure can make the hosts that are asked for, known before the first is made (private, pure).

https://learn.microsoft.com/rest/api/compute/resource-skus/list says which sizes a region has, in which zones, and what
keeps a subscription from them.
"""

from __future__ import annotations

import difflib
import ipaddress
from dataclasses import dataclass, field
from typing import Any, Iterable, List, Mapping, Optional, Sequence, Tuple

from ansible_collections.dockhost.azure.plugins.module_utils._hosts import places
from ansible_collections.dockhost.azure.plugins.module_utils._model.host import key
from ansible_collections.dockhost.azure.plugins.module_utils._model.host_group import HostGroup, Slot

RESERVED_ADDRESSES = 5  # https://learn.microsoft.com/azure/virtual-network/virtual-networks-faq

Body = Mapping[str, Any]
Problem = Tuple[str, str]


@dataclass(frozen=True)
class Facts:
    """What was asked of Azure. C(versions) is None for an image that is not from the marketplace.

    :ivar image: an image given by id; None where there is none, which only C(image_known) makes a fact
    :ivar balancers: the load balancers of the backend pools by id in lower case; None for one that is not there
    :ivar references: what else the hosts refer to, in the same way; what this client may not know is not in it
    """

    resource_group: Optional[Body] = None
    regions: Tuple[Body, ...] = ()
    sizes: Tuple[Body, ...] = ()
    usages: Tuple[Body, ...] = ()
    versions: Optional[Tuple[str, ...]] = None
    network: Optional[Body] = None
    image: Optional[Body] = None
    image_known: bool = False
    balancers: Mapping[str, Optional[Body]] = field(default_factory=dict)
    references: Mapping[str, Optional[Body]] = field(default_factory=dict)


def problems(
    group: HostGroup, creating: Sequence[Slot], facts: Facts, interfaces: Iterable[Body] = (), addresses: Iterable[Body] = ()
) -> List[Problem]:
    """(option, sentence) for everything that would fail; one sentence each."""
    found = _region(group, facts)
    if found:
        return found  # nothing else can be said of a region that does not exist
    size = _size_entry(group.size, facts.sizes)
    found += _size(group, facts, size)
    if size is not None:
        found += places.size_problems(group, size)
        found += _zones(group, size, creating) + _quota(group, size, facts.usages, len(creating))
    if group.public_ip:
        there = {key(address.get("id")) for address in addresses}
        missing = sum(1 for slot in creating if key(group.naming.address(slot.name)) not in there)
        found += places.address_quota(facts.usages, missing, group.location)
    found += _image(group, facts) + network_problems(group, creating, facts, interfaces) + pool_problems(group, facts)
    return found + places.reference_problems(group, facts.references)


def network_problems(group: HostGroup, creating: Sequence[Slot], facts: Facts, interfaces: Iterable[Body]) -> List[Problem]:
    """What keeps the hosts out of their subnet."""
    if facts.resource_group is None:
        name = group.naming.resource_group
        return [("resource_group", f"resource_group: '{name}' does not exist: make it with dockhost.azure.resource_group first.")]
    if facts.network is None:
        name = group.subnet.rsplit("/subnets/", 1)[0].rsplit("/", 1)[-1]
        return [("subnet", f"subnet: the virtual network '{name}' does not exist: make it with dockhost.azure.network first.")]
    return _subnet(group, creating, facts.network, interfaces)


def pool_problems(group: HostGroup, facts: Facts) -> List[Problem]:
    """Backend pools that are not there: each host's interface would be refused."""
    found = []
    for pool in group.load_balancer_pools or ():
        path, dummy, name = pool.rsplit("/", 2)
        balancer = path.rsplit("/", 1)[-1]
        if key(path) not in facts.balancers:
            continue
        body = facts.balancers[key(path)]
        has = [str(entry.get("name")) for entry in ((body or {}).get("properties") or {}).get("backendAddressPools") or ()]
        if body is None:
            text = f"the load balancer '{balancer}' does not exist: make it with dockhost.azure.load_balancer first"
        elif name.lower() not in (entry.lower() for entry in has):
            text = f"the load balancer {balancer} has no backend pool '{name}' (it has: {', '.join(has) or 'none'}): correct the id"
        else:
            continue
        found.append(("load_balancer_pools", f"load_balancer_pools: {text}."))
    return found


def near(word: str, words: Iterable[str], count: int = 3) -> str:
    """C(; near it are a, b) or nothing."""
    spelled = {candidate.lower(): candidate for candidate in words}
    found = difflib.get_close_matches(word.lower(), spelled, count, 0.6)
    return f" (near it: {', '.join(spelled[name] for name in found)})" if found else ""


def _region(group: HostGroup, facts: Facts) -> List[Problem]:
    names = [str(region.get("name")) for region in facts.regions]
    if not names or group.location.replace(" ", "").lower() in (name.lower() for name in names):
        return []
    text = (
        f"location: '{group.location}' is not a region of this subscription{near(group.location, names)}: az account list-locations "
        "shows them."
    )
    return [("location", text)]


def _size_entry(name: str, sizes: Iterable[Body]) -> Optional[Body]:
    return next((size for size in sizes if str(size.get("name")).lower() == name.lower()), None)


def _size(group: HostGroup, facts: Facts, size: Optional[Body]) -> List[Problem]:
    if not facts.sizes:
        return []
    if size is None:
        names = [str(entry.get("name")) for entry in facts.sizes]
        text = (
            f"size: '{group.size}' is not offered in {group.location}{near(group.size, names)}: az vm list-skus -l {group.location} "
            "shows the sizes."
        )
        return [("size", text)]
    for limit in size.get("restrictions") or ():
        if str(limit.get("type")).lower() == "location":
            reason = limit.get("reasonCode") or "restricted"
            text = (
                f"size: '{group.size}' cannot be used in {group.location} by this subscription ({reason}): choose another size or "
                "region, or ask Azure's support for access."
            )
            return [("size", text)]
    return []


def _zones(group: HostGroup, size: Body, creating: Sequence[Slot]) -> List[Problem]:
    offered = {str(zone) for place in size.get("locationInfo") or () for zone in place.get("zones") or ()}
    for limit in size.get("restrictions") or ():
        if str(limit.get("type")).lower() == "zone":
            offered -= {str(zone) for zone in (limit.get("restrictionInfo") or {}).get("zones") or ()}
    missing = sorted({group.zone(slot.index) or "" for slot in creating} - offered - {""})
    if not missing:
        return []
    has = f"it has {', '.join(sorted(offered))}" if offered else "it has none: leave zones out"
    text = f"zones: size {group.size} is not offered in zone {', '.join(missing)} of {group.location}; {has}."
    return [("zones", text)]


def _quota(group: HostGroup, size: Body, usages: Iterable[Body], count: int) -> List[Problem]:
    cores = next((cap.get("value") for cap in size.get("capabilities") or () if cap.get("name") == "vCPUs"), None)
    if not str(cores).isdigit():
        return []
    needed = int(str(cores)) * count
    families = ("lowprioritycores",) if group.spot else ("cores", str(size.get("family")).lower())
    wanted = {family: needed for family in families}
    wanted["virtualmachines"] = count
    for usage in usages:
        name = usage.get("name") or {}
        more = wanted.get(str(name.get("value")).lower())
        left = int(usage.get("limit") or 0) - int(usage.get("currentValue") or 0)
        if more is not None and more > left:
            what = name.get("localizedValue") or name.get("value")
            text = (
                f"count: {count} more hosts of size {group.size} need {more} of the quota '{what}' in {group.location} and {max(left, 0)} "
                "are left: lower count, choose another size, or ask for more at "
                "https://portal.azure.com/#view/Microsoft_Azure_Capacity/QuotaMenuBlade."
            )
            return [("count", text)]
    return []


def _image(group: HostGroup, facts: Facts) -> List[Problem]:
    image = group.image
    if image is not None and image.id and facts.image_known:
        return _own_image(group, image.id, facts.image)
    if image is None or facts.versions is None:
        return []
    if not facts.versions:
        text = (
            f"image: '{image.text}' is not offered in {group.location}: az vm image list --all -p {image.publisher} -l {group.location} "
            "shows the images."
        )
        return [("image", text)]
    if not image.newest and image.version not in facts.versions:
        newest = max(facts.versions, key=_version)
        text = (
            f"image: '{image.text}' has no version {image.version} in {group.location}; the newest is {newest}: give that one, or "
            "'latest'."
        )
        return [("image", text)]
    return []


def _own_image(group: HostGroup, image: str, body: Optional[Body]) -> List[Problem]:
    """An image of one's own has to be there, and in the region; one of a gallery is copied to regions by its owner."""
    if body is None:
        text = f"image: there is no image '{image}' that this client can see: correct the id, or give the client the role Reader on it."
        return [("image", text)]
    where = str(body.get("location") or "").replace(" ", "").lower()
    if "/galleries/" not in image.lower() and where != group.location.replace(" ", "").lower():
        text = f"image: {body.get('name')} is in {body.get('location')}, and the hosts are to be in {group.location}: copy it there, or use a gallery."
        return [("image", text)]
    if "versions" in body:
        return _gallery_image(group, body)
    regions = _replicated(body)
    if regions and group.location.replace(" ", "").lower() not in (name.replace(" ", "").lower() for name in regions):
        text = f"image: version {body.get('name')} is not replicated to {group.location} (it is in: {', '.join(regions)}): add this region to it."
        return [("image", text)]
    return []


def _gallery_image(group: HostGroup, body: Body) -> List[Problem]:
    """Of a gallery's image Azure takes the newest version that is in the region and is not excluded from being that."""
    latest = [version for version in body["versions"] if not _publishing(version).get("excludeFromLatest")]
    if not latest:
        text = f"image: {body.get('name')} has no version that may be the latest: publish one, or give the id of a version that is excluded from that."
        return [("image", text)]
    regions = sorted({region for version in latest for region in _replicated(version)})
    if regions and group.location.replace(" ", "").lower() not in (name.replace(" ", "").lower() for name in regions):
        text = (
            f"image: no version of {body.get('name')} that may be the latest is replicated to {group.location} (they are in: {', '.join(regions)}): "
            "add this region to one."
        )
        return [("image", text)]
    return []


def _publishing(version: Body) -> Body:
    return (version.get("properties") or {}).get("publishingProfile") or {}


def _replicated(version: Body) -> List[str]:
    return [str(region.get("name")) for region in _publishing(version).get("targetRegions") or ()]


def _version(text: str) -> Tuple[int, ...]:
    return tuple(int(part) if part.isdigit() else 0 for part in text.split("."))


def _subnet(group: HostGroup, creating: Sequence[Slot], network: Body, interfaces: Iterable[Body]) -> List[Problem]:
    properties = network.get("properties") or {}
    subnets = {str(subnet.get("name")).lower(): subnet for subnet in properties.get("subnets") or ()}
    name = group.subnet.rsplit("/", 1)[-1]
    subnet = subnets.get(name.lower())
    if subnet is None:
        has = ", ".join(str(entry.get("name")) for entry in subnets.values()) or "none"
        text = (
            f"subnet: the virtual network {network.get('name')} has no subnet '{name}' (it has: {has}): correct the name, or add it "
            "with dockhost.azure.network."
        )
        return [("subnet", text)]
    if str(network.get("location")).replace(" ", "").lower() != group.location.replace(" ", "").lower():
        text = (
            f"location: '{group.location}' is not where the virtual network {network.get('name')} is ({network.get('location')}): "
            "hosts have to be in the region of their network."
        )
        return [("location", text)]
    wrong = places.address_problems(group, creating, subnet, interfaces)
    if wrong:
        return wrong
    free = free_addresses(subnet, interfaces)
    missing = _without_interface(group, creating, interfaces)
    if missing > free:
        details = subnet.get("properties") or {}
        prefix = details.get("addressPrefix") or ", ".join(details.get("addressPrefixes") or ())
        text = (
            f"subnet: {name} ({prefix}) has {free} free addresses and {missing} more hosts need one each: give a larger subnet, or "
            "lower count."
        )
        return [("subnet", text)]
    return []


def free_addresses(subnet: Body, interfaces: Iterable[Body]) -> int:
    """How many addresses a subnet has left: Azure keeps five, and each IP configuration takes one."""
    properties = subnet.get("properties") or {}
    prefixes = properties.get("addressPrefixes") or [properties.get("addressPrefix")]
    size = sum(ipaddress.ip_network(prefix, strict=False).num_addresses for prefix in prefixes if prefix and ":" not in prefix)
    listed = {key(entry.get("id")) for entry in properties.get("ipConfigurations") or ()}
    for interface in interfaces:
        for entry in (interface.get("properties") or {}).get("ipConfigurations") or ():
            if key(((entry.get("properties") or {}).get("subnet") or {}).get("id")) == key(subnet.get("id")):
                listed.add(key(entry.get("id")))
    return max(size - RESERVED_ADDRESSES - len(listed), 0)


def _without_interface(group: HostGroup, creating: Sequence[Slot], interfaces: Iterable[Body]) -> int:
    """How many new hosts need an address: an interrupted run may have made their interfaces already."""
    have = {key(interface.get("id")) for interface in interfaces}
    return sum(1 for slot in creating if key(group.naming.interface(slot.name)) not in have)
