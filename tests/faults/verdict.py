# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the lab holds against what was asked for. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Dict, List, Mapping, Optional, Sequence

Resource = Mapping[str, Any]
PARTS = {"": "virtualmachines", "-nic": "networkinterfaces", "-osdisk": "disks", "-ip": "publicipaddresses"}


@dataclass
class Holding:
    """How the lab differs from what was asked for; all empty: not at all."""

    missing: List[str] = field(default_factory=list)
    orphans: List[str] = field(default_factory=list)
    duplicates: List[str] = field(default_factory=list)
    wrong: List[str] = field(default_factory=list)
    neighbours: List[str] = field(default_factory=list)

    @property
    def exact(self) -> bool:
        return not (self.missing or self.orphans or self.duplicates or self.wrong or self.neighbours)

    def text(self) -> str:
        """What differs, for people."""
        return "; ".join(f"{name}: {', '.join(found)}" for name, found in vars(self).items() if found)


def no_lost_turn(found: Sequence[Resource]) -> List[Resource]:
    """Without the lock that Azure failed to delete when its run ended: the run does not wait for that, and the next one removes it."""
    return [one for one in found if not (_short(one) == "virtualmachinescalesets/web_lock" and one["state"] == "Failed")]


def _short(resource: Resource) -> str:
    return resource["type"].rsplit("/", 1)[-1].lower() + "/" + resource["name"].lower()


def ours(resource: Resource) -> bool:
    """Whether it belongs to the group that is tested: by its name, which nobody else's begins with."""
    name = resource["name"].lower()
    return name == "web" or name.startswith(("web-", "web_"))


def holding(found: Sequence[Resource], wanted: Optional[Sequence[Resource]], neighbours: Sequence[Resource], count: Optional[int]) -> Holding:
    """Compare.

    :param found: all resources of the resource group.
    :param wanted: those of an undisturbed run, whose tags, zones and states are the measure; None: names only.
    :param neighbours: those of others, as they were before.
    :param count: the number of hosts that were asked for; None: what is wanted is no group of hosts.
    """
    result = Holding()
    mine = {_short(one): one for one in found if ours(one)}
    expected = {f"{kind}/web-{index}{ending}" for index in range(1, (count or 0) + 1) for ending, kind in PARTS.items()}
    if count is None:
        expected = {_short(one) for one in wanted or () if ours(one)}
    result.missing = sorted(expected - set(mine))
    result.orphans = sorted(set(mine) - expected)
    indexes = Counter((one["body"].get("tags") or {}).get("dockhost-index") for one in mine.values() if one["type"].lower().endswith("/virtualmachines"))
    result.duplicates = sorted(f"index {index}" for index, times in indexes.items() if times > 1)
    result.wrong = sorted(_wrong(mine, expected, {_short(one): one for one in wanted or ()}))
    result.neighbours = sorted(_touched(found, neighbours))
    return result


def _wrong(mine: Dict[str, Resource], expected: Any, wanted: Dict[str, Resource]) -> List[str]:
    found = []
    for name in expected & set(mine):
        one = mine[name]
        if one["state"] != "Succeeded":
            found.append(f"{name} is {one['state']}")
        if name in wanted:
            found += [f"{name} differs in {part}" for part in ("tags", "zones") if _part(one, part) != _part(wanted[name], part)]
        if name.startswith("disks/") and not str(one["body"].get("managedBy")).lower().endswith("/" + name[6:].replace("-osdisk", "")):
            found.append(f"{name} is managed by {one['body'].get('managedBy')}")
        if name.startswith("virtualmachines/"):
            nics = [nic["id"].rsplit("/", 1)[-1].lower() for nic in one["body"]["properties"]["networkProfile"]["networkInterfaces"]]
            if nics != [name[16:] + "-nic"]:
                found.append(f"{name} has interfaces {nics}")
    return found


def _part(one: Resource, part: str) -> Any:
    """Tags or zones; the tag that counts how often a host was reimaged differs with every run."""
    found = one["body"].get(part)
    return {key: value for key, value in found.items() if key != "dockhost-reimaged"} if part == "tags" and found else found


def by_parts(found: Sequence[Resource], wanted: Optional[Sequence[Resource]], neighbours: Sequence[Resource], count: int, zones: bool) -> Holding:
    """Compare hosts whose names are not known before (a scale set's, replacements): each with its own interface, disk and address.

    Parameters as for ``holding``; ``zones``: whether they have to be spread as in the undisturbed run.
    """
    result = Holding(neighbours=sorted(_touched(found, neighbours)))
    mine = {_short(one): one for one in found if ours(one)}
    hosts = [one for name, one in mine.items() if name.startswith("virtualmachines/")]
    expected = {"virtualmachinescalesets/web"} if any(_short(one) == "virtualmachinescalesets/web" for one in wanted or ()) else set()
    for host in hosts:
        parts = {"virtualmachines/" + host["name"].lower()} | _parts(host, mine)
        result.duplicates += [f"{part} is of two hosts" for part in parts & expected]
        if len(parts) != len(PARTS):
            result.missing.append(f"{len(PARTS) - len(parts)} parts of {host['name']}")
        expected |= parts
    result.missing += sorted(expected - set(mine)) + [f"{count - len(hosts)} hosts"] * (len(hosts) < count)
    result.duplicates += [f"{len(hosts) - count} hosts"] * (len(hosts) > count)
    result.orphans = sorted(set(mine) - expected)
    result.wrong = [f"{name} is {one['state']}" for name, one in mine.items() if one["state"] != "Succeeded"]
    for kind in ("virtualmachinescalesets", *PARTS.values()):
        looks = [_looks(kind, resources, zones) for resources in (mine.values(), [one for one in wanted or () if ours(one)])]
        if wanted and looks[0] != looks[1]:
            result.wrong.append(f"{kind} differ in tags, zones or image: {looks[0]}")
    return result


def _parts(host: Resource, mine: Mapping[str, Resource]) -> Any:
    """Interface, disk and address of a host, by what refers to what."""
    properties = host["body"]["properties"]
    ids = [nic["id"] for nic in properties["networkProfile"]["networkInterfaces"]] + [properties["storageProfile"]["osDisk"]["managedDisk"]["id"]]
    found = {"/".join(one.lower().rsplit("/", 2)[1:]) for one in ids}
    for name in list(found):
        for configuration in mine[name]["body"]["properties"].get("ipConfigurations", ()) if name in mine else ():
            address = configuration["properties"].get("publicIPAddress")
            found |= {"/".join(address["id"].lower().rsplit("/", 2)[1:])} if address else set()
    return found


def _looks(kind: str, resources: Any, zones: bool) -> List[str]:
    """Tags, zones and images of all resources of a kind, whatever their names and numbers."""
    # A disk has the tags that its machine had when it was made: a role that moved on stays there.
    unlike = ("dockhost-index",) + (("dockhost-swarm-role",) if kind == "disks" else ())
    found = []
    for one in resources:
        if _short(one).startswith(kind + "/"):
            tags = {key: value for key, value in (_part(one, "tags") or {}).items() if key not in unlike}
            image = (one["body"]["properties"].get("storageProfile") or {}).get("imageReference")
            found.append(str([sorted(tags.items()), one["body"].get("zones") if zones else None, image]))
    return sorted(found)


def _touched(found: Sequence[Resource], neighbours: Sequence[Resource]) -> List[str]:
    there = {one["id"].lower(): one for one in found}
    texts = []
    for before in neighbours:
        after = there.get(before["id"].lower())
        if after is None:
            texts.append(f"{_short(before)} is gone")
        elif (after["body"], after["state"], after["vm_id"]) != (before["body"], before["state"], before["vm_id"]):
            texts.append(f"{_short(before)} was changed")
    return texts + [f"{_short(one)} is new" for one in found if not ours(one) and one["id"].lower() not in {n["id"].lower() for n in neighbours}]


def replaced(found: Sequence[Resource], before: Sequence[Resource], count: int) -> List[str]:
    """Hosts that were to stay and are not the same machines any more."""
    if any(_short(one) == "virtualmachinescalesets/web" for one in before):
        there = {one["vm_id"] for one in found if one["vm_id"]}
        stayed = [one for one in before if one["vm_id"] and ours(one) and one["vm_id"] in there]
        return [f"{count - len(stayed)} of {count} hosts"] if len(stayed) < count else []
    ids = {one["name"].lower(): one["vm_id"] for one in found if one["vm_id"]}
    names = {f"web-{index}" for index in range(1, count + 1)}
    return [one["name"] for one in before if one["vm_id"] and one["name"].lower() in names and ids.get(one["name"].lower()) != one["vm_id"]]


def unclear(result: Mapping[str, Any]) -> Optional[str]:
    """Why an ending is no clear error; None when it is one."""
    text = str(result.get("msg") or "")
    for key in ("hung", "crashed", "noise"):
        if result.get(key):
            return f"{key}: {result['noise'] if key == 'noise' else text}"
    if "exception" in result or "Traceback" in text:
        return f"a traceback: {text}"
    if not 20 <= len(text) <= 1500 or "None" in text or "<" in text:
        return f"not a sentence for people: {text}"
    return None
