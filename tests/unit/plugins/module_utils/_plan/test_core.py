# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plans: what is done, in which order; and the property that a plan that was applied leaves nothing to do."""

from __future__ import annotations

import copy
import random

import pytest
from ansible_collections.dockhost.azure.plugins.module_utils._model.resource import Change, Resource
from ansible_collections.dockhost.azure.plugins.module_utils._plan.core import plan, post, references

BASE = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network/"


def make(name, body=None, kind="things", **more):
    return Resource(BASE + kind + "/" + name, "Microsoft.Network/" + kind, body or {}, **more)


def ident(name, kind="things"):
    return BASE + kind + "/" + name


def actual(*resources):
    return {item.key: dict(item.body, id=item.id) for item in resources}


def brief(made):
    return [(step.action, step.resource.name) for step in made.steps]


def needs(made):
    names = {step.id: step.resource.name for step in made.steps}
    return {step.resource.name: [names[needed] for needed in step.depends_on] for step in made.steps if step.depends_on}


def test_create_update_keep():
    one, two, three = make("one", {"tags": {"a": "b"}}), make("two", {"tags": {"a": "b"}}), make("three", {"tags": {}})
    made = plan([one, two, three], actual(one, make("two", {"tags": {"a": "c"}, "etag": "x"})))
    assert brief(made) == [("keep", "one"), ("update", "two"), ("create", "three")]
    assert made.changed and not made.refusals
    assert made.steps[1].body == {"tags": {"a": "b"}, "id": two.id}
    assert [step.method for step in made.steps] == ["", "PUT", "PUT"]


def test_dependencies_are_those_that_do_something():
    vnet = make("vnet", {"location": "a"})
    nic = make("nic", depends_on=(ident("VNET"), ident("elsewhere")))
    vm = make("vm", depends_on=(nic.id, vnet.id))
    assert needs(plan([vnet, nic, vm], {})) == {"nic": ["vnet"], "vm": ["nic", "vnet"]}
    assert needs(plan([vnet, nic, vm], actual(vnet))) == {"vm": ["nic"]}


def test_tags_of_what_is_there_are_written_in_no_order():
    def pair(tags, size="small"):
        nic = make("nic", {"tags": tags})
        return nic, make("vm", {"tags": tags, "properties": {"size": size}}, depends_on=(nic.id,))

    there = actual(*pair({"a": "b"}))
    assert needs(plan(pair({"a": "c"}), there)) == {}
    assert needs(plan(pair({"a": "c"}, "large"), there)) == {"vm": ["nic"]}  # Azure looks at what a machine refers to when it changes
    assert needs(plan(pair({"a": "c"}), actual(pair({"a": "b"})[0]))) == {"vm": ["nic"]}  # and when it is made
    failed = {id_: dict(body, properties={"provisioningState": "Failed", **body.get("properties", {})}) for id_, body in there.items()}
    assert needs(plan(pair({"a": "b"}), failed)) == {"vm": ["nic"]}  # nothing differs: asked for again as a whole


def test_deletes_run_against_the_arrows():
    nsg, vnet = make("nsg"), make("vnet", depends_on=(ident("nsg"),))
    made = plan([], actual(nsg, vnet), delete=[nsg, vnet, make("missing")])
    assert brief(made) == [("delete", "nsg"), ("delete", "vnet")]
    assert needs(made) == {"nsg": ["vnet"]}


def test_what_azure_deletes_along_gets_no_request():
    vm, nic = make("vm"), make("nic", delete_with=ident("vm"))
    made = plan([], actual(vm, nic), delete=[vm, nic])
    assert [(step.resource.name, step.method, step.reason) for step in made.steps] == [
        ("vm", "DELETE", "is no longer wanted"), ("nic", "", "goes with vm"),
    ]
    assert needs(made) == {"nic": ["vm"]}
    alone = plan([], actual(nic), delete=[nic])
    assert [step.method for step in alone.steps] == ["DELETE"]


def test_a_delete_waits_for_the_update_that_drops_the_reference():
    vnet = make("vnet", {"properties": {"nsg": None}})
    before = dict(actual(make("vnet", {"properties": {"nsg": {"id": ident("NSG")}}})), **actual(make("nsg")))
    made = plan([vnet], before, delete=[make("nsg")])
    assert needs(made) == {"nsg": ["vnet"]}


def test_refusal_names_property_values_and_remedy():
    wanted = make("one", {"location": "b", "properties": {"zones": ["1"]}}, immutable=("location", "properties.zones"),
                  remedies={"properties.zones": "Give it another name"})
    there = make("one", {"location": "a", "properties": {"zones": ["1"]}})
    made = plan([wanted], actual(there))
    assert not made.changed
    assert [step.reason for step in made.refusals] == [
        "The location of Microsoft.Network/things one cannot be changed from a to b once it exists. Set it back to a, or delete the "
        "Microsoft.Network/things one and run again."
    ]
    moved = make("one", {"location": "b", "properties": {"zones": ["1", "2"]}})
    assert plan([wanted], actual(moved)).refusals[0].reason == (
        "The zones of Microsoft.Network/things one cannot be changed from 1, 2 to 1 once it exists. Give it another name."
    )


def test_create_sends_no_empty_properties():
    made = plan([make("one", {"a": None, "list": [{"b": None, "c": 1}]})], {})
    assert made.steps[0].body == {"list": [{"c": 1}]}


def test_post_steps_and_summary():
    vm = make("vm")
    step = post(vm, "start", Change("powerState", "stopped", "running"), "is stopped")
    made = plan([], {}).with_steps([step])
    assert made.steps[0].path == vm.id + "/start" and made.changed
    assert made.summary({step.id: 1.26}) == [{
        "action": "update", "type": "Microsoft.Network/things", "name": "vm",
        "changes": [{"path": "powerState", "before": "stopped", "after": "running"}], "reason": "is stopped", "seconds": 1.3,
    }]


def test_diff_is_text_for_people():
    new = make("ip", {"location": "westeurope", "sku": {"name": "Standard"}, "properties": {
        "a": {"id": "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network/publicIPAddresses/x"}, "secret": "s",
        "rules": [{"name": "r", "properties": {"port": 80}}, {"name": "bare"}], "none": None,
    }}, kind="publicIPAddresses", hidden=("properties.secret",))
    assert plan([new], {}).diff() == {"before": "", "after": (
        "public IP address ip\n  location: westeurope\n  sku.name: Standard\n  a: x\n  secret: ********\n  rules[r].port: 80\n"
        "  rules[bare]: present\n"
    )}


def test_references():
    assert references({"a": [{"id": "/subscriptions/S/x"}], "b": {"c": "/subscriptions/s/Y"}, "d": "text"}) == {
        "/subscriptions/s/x", "/subscriptions/s/y",
    }


# The property: apply a plan to a model of Azure, plan again, and nothing is left to do.

def server(body, resource):
    """What Azure makes of a PUT: it adds what is its own, changes the casing of ids and fills in defaults."""
    stored = copy.deepcopy(dict(body))
    stored["id"] = resource.id.replace("resourceGroups", "RESOURCEGROUPS")
    stored["etag"] = "W/x"
    properties = stored.setdefault("properties", {})
    properties["provisioningState"] = "Succeeded"
    properties.setdefault("idleTimeoutInMinutes", 4)
    for rule in properties.get("rules", []):
        rule["etag"] = "W/y"
        rule.setdefault("properties", {})["provisioningState"] = "Succeeded"
    random.Random(1).shuffle(properties.get("zones", []))
    return stored


def apply_to(model, made):
    for step in made.steps:
        if step.action == "delete":
            model.pop(step.resource.key, None)
        elif step.method == "PUT":
            model[step.resource.key] = server(step.body, step.resource)


def draw(rng):
    """A random body."""
    body = {"location": "westeurope", "tags": {key: rng.choice("xy") for key in rng.sample("abc", rng.randint(0, 3))}}
    properties = {}
    if rng.random() < 0.7:
        properties["rules"] = [
            {"name": name, "properties": {"port": rng.choice([80, "443", None]), "on": rng.choice([True, False, None])}}
            for name in rng.sample(["a", "B", "dockhost-c"], rng.randint(0, 3))
        ]
    if rng.random() < 0.5:
        properties["zones"] = rng.sample(["1", "2", "3"], rng.randint(0, 3))
    if rng.random() < 0.5:
        properties["link"] = rng.choice([None, {"id": ident("Other")}])
    body["properties"] = properties
    return body


@pytest.mark.parametrize("seed", range(300))
def test_an_applied_plan_leaves_nothing_to_do(seed):
    rng = random.Random(seed)
    shared = {"properties.rules": rng.choice(["", "dockhost-"])} if rng.random() < 0.5 else {}
    model = {}
    foreign = {"name": "theirs", "properties": {"port": 1}}
    for dummy in range(4):
        names = rng.sample(["one", "two", "three"], rng.randint(1, 3))
        desired = [make(name, draw(rng), shared_lists=shared) for name in names]
        gone = [make(name) for name in ("one", "two", "three") if name not in names]
        if shared:
            for item in model.values():
                item["properties"].setdefault("rules", []).append(copy.deepcopy(foreign))
        before = {key: [r for r in item["properties"].get("rules", []) if r["name"] == "theirs"] for key, item in model.items()}
        apply_to(model, plan(desired, model, delete=gone))
        again = plan(desired, model, delete=gone)
        assert {step.action for step in again.steps} <= {"keep"}, again.summary()
        if shared:
            for key, rules in before.items():
                if key in model:
                    assert len([r for r in model[key]["properties"]["rules"] if r["name"] == "theirs"]) == len(rules)


def test_what_azure_gave_up_on_is_asked_for_again():
    one = make("one", {"tags": {"a": "b"}})
    there = dict(one.body, id=one.id, properties={"provisioningState": "Failed"})
    made = plan([one], {one.key: there})
    assert brief(made) == [("update", "one")] and made.steps[0].reason == "is in the state Failed, asked for again"
    assert made.steps[0].method == "PUT" and made.steps[0].body["tags"] == {"a": "b"}
