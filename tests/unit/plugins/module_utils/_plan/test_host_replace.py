# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Replacing hosts: whatever order the steps are done in, and wherever a run ends, there are never fewer hosts than asked for."""

from __future__ import annotations

import random

import pytest
from ansible_collections.dockhost.azure.plugins.module_utils._plan import host_group, host_replace, host_slots
from ansible_collections.dockhost.azure.plugins.module_utils._plan.host_group import Observed

from .test_host_group import Cloud, group

NEW = "Debian:debian-12:12-gen2:latest"


def cloud_of(count, **options):
    """A model with so many hosts."""
    found = Cloud()
    found.apply(host_group.present(group(**options), host_slots.by_count("web", count), Observed()).plan)
    return found


def planned(cloud, wanted, count, serial=None, rule="newest"):
    """(plan, what was chosen)"""
    chosen = host_replace.choose(wanted, count, cloud.observed(), rule)
    found = host_group.present(wanted, chosen.slots, cloud.observed(), keep_existing=True)
    assert not found.refusals and not found.outdated
    return host_replace.in_order(found.plan, chosen, serial), chosen


def machines(cloud):
    """Names of the hosts, and which of them are of the new image."""
    bodies = [body for name, body in cloud.bodies.items() if "/virtualmachines/" in name]
    return sorted(body["name"] for body in bodies), {
        body["name"] for body in bodies if body["properties"]["storageProfile"]["imageReference"]["offer"] == "debian-12"
    }


@pytest.mark.parametrize("serial", [None, 1, 2])
@pytest.mark.parametrize("seed", range(12))
def test_never_fewer_wherever_it_ends_and_the_next_run_goes_on(serial, seed):
    cloud, wanted, order = cloud_of(5), group(image=NEW), random.Random(seed)
    for dummy in range(60):
        plan, dummy_chosen = planned(cloud, wanted, 5, serial)
        if not plan.changed:
            break
        steps, done, end = list(plan.steps), set(), order.randint(1, len(plan.steps))
        for dummy_step in range(end):  # … and then it is killed
            ready = [step for step in steps if set(step.depends_on) <= done]
            step = order.choice(ready)
            steps.remove(step)
            done.add(step.id)
            cloud.do(step)
            assert len(machines(cloud)[0]) >= 5
            assert serial is None or len(machines(cloud)[0]) <= 5 + serial
    names, new = machines(cloud)
    assert len(names) == 5 and set(names) == new
    assert not [name for name in cloud.bodies if "/networkinterfaces/" in name and name.rsplit("/", 1)[-1][:-4] not in names], "nothing is left over"


def test_what_an_earlier_run_left_goes_before_the_next_replacement_comes():
    """Killed between a replacement's creation and its old host's end: the next one would be one more than C(serial) allows."""
    cloud, wanted = cloud_of(3), group(image=NEW)
    for step in planned(cloud, wanted, 3, serial=1)[0].steps:
        if step.action == "create" and step.resource.name.startswith("web-4"):
            cloud.do(step)
    assert machines(cloud)[0] == ["web-1", "web-2", "web-3", "web-4"]
    plan, chosen = planned(cloud, wanted, 3, serial=1)
    following = next(iter(chosen.pairs.values()))
    made = next(step for step in plan.steps if step.action == "create" and step.resource.name == following)
    gone = [step.id for step in plan.steps if step.action == "delete" and step.resource.name in chosen.surplus]
    assert len(gone) == 1 and gone[0] in made.depends_on


def test_the_plan_says_who_takes_whose_place():
    cloud = cloud_of(3)
    plan, chosen = planned(cloud, group(image=NEW), 3)
    assert dict(chosen.pairs) == {"web-1": "web-4", "web-2": "web-5", "web-3": "web-6"}
    reasons = {(step.action, step.resource.name): step.reason for step in plan.steps if step.resource.type.endswith("virtualMachines")}
    assert reasons["create", "web-4"] == "replaces web-1" and reasons["delete", "web-1"] == "is replaced by web-4"
    assert host_replace.gates(plan, chosen)["delete " + "/subscriptions/sub/resourcegroups/rg/providers/microsoft.compute/virtualmachines/web-1"] == ("web-4",)


def test_only_outdated_hosts_go_and_numbers_of_those_are_free_again():
    cloud = cloud_of(3)
    host = next(body for name, body in cloud.bodies.items() if name.endswith("virtualmachines/web-2"))
    host["properties"]["storageProfile"]["imageReference"]["offer"] = "debian-11"
    plan, chosen = planned(cloud, group(), 3)
    assert dict(chosen.pairs) == {"web-2": "web-4"} and [slot.name for slot in chosen.slots] == ["web-1", "web-3", "web-4"]
    cloud.apply(plan)
    assert machines(cloud)[0] == ["web-1", "web-3", "web-4"] and not planned(cloud, group(), 3)[0].changed


@pytest.mark.parametrize(("count", "left"), [(1, ["web-3"]), (2, ["web-1", "web-3"])])
def test_fewer_hosts_are_wanted_outdated_ones_go_first(count, left):
    cloud = cloud_of(3)
    for name in ("web-2",) if count == 2 else ("web-1", "web-2"):
        cloud.bodies["/subscriptions/sub/resourcegroups/rg/providers/microsoft.compute/virtualmachines/" + name]["properties"]["storageProfile"][
            "imageReference"
        ]["offer"] = "debian-11"
    plan, chosen = planned(cloud, group(), count)
    assert not chosen.pairs and not [step for step in plan.steps if step.action == "create"]
    cloud.apply(plan)
    assert machines(cloud)[0] == left


def test_what_an_earlier_run_left_waits_for_what_is_not_right_yet():
    """The replacement is there and in C(Failed): its old host stays until it has been asked for again."""
    cloud, wanted = cloud_of(2), group(image=NEW)
    plan, dummy = planned(cloud, wanted, 2)
    for step in plan.steps:
        if step.action == "create":
            cloud.do(step)
    cloud.bodies["/subscriptions/sub/resourcegroups/rg/providers/microsoft.compute/virtualmachines/web-3"]["properties"]["provisioningState"] = "Failed"
    again, chosen = planned(cloud, wanted, 2)
    assert sorted(chosen.surplus) == ["web-1", "web-2"]
    update = next(step for step in again.steps if step.action == "update")
    deletes = [step for step in again.steps if step.action == "delete" and step.resource.type.endswith("virtualMachines")]
    assert update.resource.name == "web-3" and len(deletes) == 2
    assert all(update.id in step.depends_on and step.reason == "was replaced by an earlier run" for step in deletes)
    assert set(host_replace.gates(again, chosen).values()) == {("web-3", "web-4")}
