# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which machines are in a flexible scale set, and which may come in or go out.

Rules and texts: https://learn.microsoft.com/azure/virtual-machine-scale-sets/virtual-machine-scale-sets-attach-detach-vm
"""
from __future__ import annotations

from collections import Counter
from typing import Any

from azlab.arm.compute.base import VM, invalid, section
from azlab.errors import arm_error
from azlab.ids import parse
from azlab.lab import Lab
from azlab.store import Resource

SCALE_SET = "Microsoft.Compute/virtualMachineScaleSets"
LIMIT = 1000                # instances of a flexible scale set


def instances(lab: Lab, group: Resource) -> list[Resource]:
    """The machines of a scale set, those being deleted left out, in the order they were made."""
    found = (lab.store.get(m) for m in lab.store.referrers(group.id, VM))
    return sorted((m for m in found if m and m.state != "Deleting"), key=lambda m: m.seq)


def of_new(lab: Lab, p: dict[str, Any], kept: dict[str, Any], group_name: str) -> Resource | None:
    """The scale set that a new machine's body names, checked; None when it names none."""
    wanted = section(p, "virtualMachineScaleSet").get("id")
    if not wanted:
        return None
    group = _find(lab, wanted, group_name)
    if "availabilitySet" in p:
        raise invalid("virtualMachineScaleSet", "A virtual machine cannot be in an availability set and in a virtual machine "
                                                "scale set.")
    _check_zones(group, kept.get("zones"))
    if group.properties.get("singlePlacementGroup"):
        raise arm_error("set_spg", set=group.name)
    _check_room(lab, group)
    return group


def change(lab: Lab, machine: Resource, wanted: dict[str, Any]) -> dict[str, Any] | None:
    """What `virtualMachineScaleSet` becomes of an existing machine; None: it is taken out. `{}` (an id of null) asks for that."""
    current = machine.properties.get("virtualMachineScaleSet")
    target = wanted.get("id")
    if current and target:
        if str(target).lower() != current["id"].lower():
            raise arm_error("changed", target="virtualMachineScaleSet.id")
        return dict(current)
    if current:
        group = lab.store.get(current["id"])
        if group is not None and group.properties["platformFaultDomainCount"] > 1:
            raise arm_error("set_detach_domains", set=group.name)
        return None
    if not target:
        return None
    return {"id": _attach(lab, machine, target).id}


def _attach(lab: Lab, machine: Resource, target: str) -> Resource:
    group = _find(lab, target, machine.group)
    if "availabilitySet" in machine.properties:
        raise arm_error("set_attach_availability", vm=machine.name)
    if "proximityPlacementGroup" in machine.properties:
        raise arm_error("set_attach_ppg", vm=machine.name)
    if group.properties["platformFaultDomainCount"] > 1:
        raise arm_error("set_attach_domains", set=group.name)
    if group.properties.get("singlePlacementGroup") is not False:
        raise arm_error("set_spg", set=group.name)
    _check_zones(group, machine.body.get("zones"))
    _check_room(lab, group)
    return group


def fault_domain(lab: Lab, group: Resource, p: dict[str, Any]) -> dict[str, int]:
    """The fault domain of a new machine: the one that it asks for, else the one with the fewest machines."""
    count = group.properties["platformFaultDomainCount"]
    wanted = p.get("platformFaultDomain")
    if wanted is not None and not (isinstance(wanted, int) and 0 <= wanted < count):
        raise invalid("platformFaultDomain", f"The specified fault domain {wanted} must fall in the range 0 to {count - 1}.")
    if wanted is None and count == 1:
        wanted = 0
    if wanted is None:
        used = Counter(m.private.get("faultDomain") for m in instances(lab, group))
        wanted = min(range(count), key=lambda d: used[d])
    return {"faultDomain": wanted}


def _find(lab: Lab, text: Any, group_name: str) -> Resource:
    rid = parse(str(text))
    found = lab.store.get(str(text))
    if rid is None or found is None or found.type != SCALE_SET or found.state == "Deleting":
        raise arm_error("set_missing", id=text)
    if found.group.lower() != group_name.lower():
        raise invalid("virtualMachineScaleSet", "The virtual machine and the virtual machine scale set must be in the same "
                                                "resource group.")
    return found


def _check_zones(group: Resource, zones: Any) -> None:
    own, offered = set(zones or ()), set(group.body.get("zones", ()))
    if bool(own) != bool(offered) or not own <= offered:
        raise invalid("zones", f"The zones of a virtual machine must be among those of its virtual machine scale set "
                               f"'{group.name}': {', '.join(sorted(offered)) or 'none'}.")


def _check_room(lab: Lab, group: Resource) -> None:
    if len(lab.store.referrers(group.id, VM)) >= LIMIT:
        raise arm_error("set_full", set=group.name, limit=LIMIT)
