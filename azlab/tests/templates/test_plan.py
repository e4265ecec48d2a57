# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a template to resources and their order."""
from __future__ import annotations

import collections
import copy

import pytest
from azlab.templates.errors import TemplateError
from azlab.templates.plan import make, outputs

from .template_tools import GROUP, context, resource, template

VNET, NIC, VM = "Microsoft.Network/virtualNetworks", "Microsoft.Network/networkInterfaces", "Microsoft.Compute/virtualMachines"


class Answers:
    """A running deployment whose resources are already there."""

    def __init__(self, states):
        self.states = states

    def reference(self, target, api_version, full):
        return self.states[target]

    def listing(self, function, target, api_version, body):
        return {"function": function, "target": target}


def plan(resources, values=None, **sections):
    given = {k: {"value": v} for k, v in (values or {}).items()}
    return make(template(resources, **sections), given, context())


def short(text):
    return text.rpartition("/providers/")[2]


def order(found):
    """{name: names of what it waits for}"""
    names = {r.id: r.name for r in found.active}
    return {r.name: [names[d] for d in r.depends_on] for r in found.active}


def test_loops_dependencies_and_references():
    found = plan([
        resource(VNET, "net"),
        resource(NIC, "[concat('nic', copyIndex(1))]", copy={"name": "nics", "count": 2},
                 dependsOn=["[resourceId('Microsoft.Network/virtualNetworks', 'net')]"]),
        resource(VM, "[concat('vm', copyIndex(1))]", copy={"name": "vms", "count": "[variables('n')]"},
                 tags={"ip": "[reference(concat('nic', copyIndex(1))).ip]"}),
        resource("Microsoft.Compute/disks", "last", dependsOn=["vms", "Microsoft.Network/virtualNetworks/net"]),
    ], variables={"n": 2})
    assert order(found) == {"net": [], "nic1": ["net"], "nic2": ["net"], "vm1": ["nic1"], "vm2": ["nic2"],
                            "last": ["vm1", "vm2", "net"]}
    machine = next(r for r in found.active if r.name == "vm2")
    assert machine.id == f"{GROUP}/providers/{VM}/vm2"
    assert machine.body == {"tags": {"ip": "[reference(concat('nic', copyIndex(1))).ip]"}}      # not known yet
    assert machine.final_body(Answers({"nic2": {"ip": "10.0.0.5"}})) == {"tags": {"ip": "10.0.0.5"}}


def test_a_serial_loop_goes_by_batches():
    found = plan([resource(VNET, "[concat('n', copyIndex())]",
                           copy={"name": "c", "count": 5, "mode": "Serial", "batchSize": 2})])
    assert order(found) == {"n0": [], "n1": [], "n2": ["n0", "n1"], "n3": ["n0", "n1"], "n4": ["n2", "n3"]}


def test_a_loop_may_have_no_turns_and_a_resource_may_be_switched_off():
    found = plan([
        resource(VNET, "[concat('n', copyIndex())]", copy={"name": "nets", "count": 0}),
        resource(NIC, "off", condition="[equals(parameters('want'), 'yes')]", properties={"x": "[parameters('nope')]"}),
        resource(VM, "vm", dependsOn=["nets", "off"]),
    ], {"want": "no"}, parameters={"want": {"type": "string"}})
    assert order(found) == {"vm": []}


def test_children_get_the_whole_type_and_name():
    found = plan([resource(VNET, "net", resources=[
        {"type": "subnets", "name": "a", "apiVersion": "2023-11-01", "dependsOn": ["net"]}]),
        resource(f"{VNET}/subnets", "net/b", dependsOn=["[resourceId('Microsoft.Network/virtualNetworks/subnets', 'net', 'a')]"])])
    assert [(r.type, short(r.id)) for r in found.active] == [
        (VNET, f"{VNET}/net"), (f"{VNET}/subnets", f"{VNET}/net/subnets/a"), (f"{VNET}/subnets", f"{VNET}/net/subnets/b")]
    assert order(found) == {"net": [], "net/a": ["net"], "net/b": ["net/a"]}


def test_symbolic_names():
    found = plan({"net": resource(VNET, "v"), "old": resource(NIC, "o", existing=True),
                  "vm": resource(VM, "m", dependsOn=["net"], tags={"a": "[reference('old').a]"})}, languageVersion="2.0")
    assert order(found) == {"v": [], "m": ["v"]}


def test_variables_with_loops_and_brackets():
    found = plan([resource(VNET, "net", tags={"a": "[variables('names')[1]]", "b": "[variables('raw')]"})],
                 variables={"copy": [{"name": "names", "count": 2, "input": "[concat('x', copyIndex('names'))]"}],
                            "raw": "[[kept]"})
    assert found.active[0].body["tags"] == {"a": "x1", "b": "[kept]"}


def test_other_scopes():
    found = plan([resource("Microsoft.Resources/deployments", "d", resourceGroup="other",
                           properties={"mode": "Incremental", "template": {"resources": ["[not evaluated"]}}),
                  resource("Microsoft.Authorization/locks", "l", scope="Microsoft.Network/virtualNetworks/net")])
    assert found.active[0].id.split("/")[4] == "other"
    assert found.active[0].body["properties"]["template"] == {"resources": ["[not evaluated"]}
    assert found.active[1].id == f"{GROUP}/providers/{VNET}/net/providers/Microsoft.Authorization/locks/l"


def test_outputs():
    found = plan([resource(VNET, "net")], {"secret": "geheim"}, parameters={"secret": {"type": "securestring"}}, outputs={
        "id": {"type": "string", "value": "[resourceId('Microsoft.Network/virtualNetworks', 'net')]"},
        "state": {"type": "object", "value": "[reference('net')]"},
        "none": {"type": "string", "condition": False, "value": "[nosuch()]"},
        "many": {"type": "array", "copy": {"count": 2, "input": "[concat('o', copyIndex())]"}},
        "secret": {"type": "secureString", "value": "[parameters('secret')]"}})
    assert outputs(found, Answers({"net": {"a": 1}})) == {
        "id": {"type": "String", "value": f"{GROUP}/providers/{VNET}/net"}, "state": {"type": "Object", "value": {"a": 1}},
        "many": {"type": "Array", "value": ["o0", "o1"]}, "secret": {"type": "SecureString"}}
    wrong = plan([], outputs={"n": {"type": "int", "value": "x"}})
    with pytest.raises(TemplateError, match="Expected 'Int'"):
        outputs(wrong, Answers({}))


@pytest.mark.parametrize(("resources", "message"), [
    ([resource(VNET, "a", dependsOn=["nope"])], "The resource 'nope' is not defined in the template."),
    ([resource(VNET, "a", dependsOn=["[resourceId('Microsoft.Network/virtualNetworks','b')]"])],
     "The resource 'Microsoft.Network/virtualNetworks/b' is not defined in the template."),
    ([resource(VNET, "a"), resource(VNET, "A")], "The resource 'Microsoft.Network/virtualNetworks/A' at line '1' and column "
                                                 "'1' is defined multiple times in a template."),
    ([resource(VNET, "a", dependsOn=["b"]), resource(VNET, "b", dependsOn=["a"])],
     "Circular dependency detected on resource: '" + GROUP),
    ([resource(VNET, "a/b")], "The template resource 'a/b' for type 'Microsoft.Network/virtualNetworks' at line '1' and "
                              "column '1' has incorrect segment lengths."),
    ([{"type": VNET, "name": "a"}], "the 'apiVersion' property is required"),
    ([resource(VNET, "[reference('x').name]")], "The template function 'reference' is not expected at this location."),
    ([resource(VNET, "a", tags={"b": "[nosuch()]"})], "Unable to process template language expressions for resource '"
                                                      + GROUP),
    ([resource(VNET, "[copyIndex()]", copy={"name": "c", "count": 801})], "must be between '0' and '800'. It is '801'."),
    (["x"], "The entries of the template section 'resources' must be objects"),
])
def test_what_is_refused(resources, message):
    with pytest.raises(TemplateError) as caught:
        plan(resources)
    assert message in caught.value.message
    assert caught.value.code == "InvalidTemplate"


@pytest.mark.parametrize(("document", "message"), [
    ({}, "Required property '$schema' not found in JSON."),
    ({"$schema": "x", "contentVersion": "1"}, "Required property 'resources' not found in JSON."),
    ({**template(), "outputs": []}, "The template section 'outputs' must be an object"),
    ({**template(), "resource": []}, "Could not find member 'resource' on object of type 'Template'."),
    ([], "The template must be a JSON object."),
])
def test_the_shape_of_a_template(document, message):
    with pytest.raises(TemplateError) as caught:
        make(document, {}, context())
    assert message in caught.value.message


EVERYTHING = template([
    resource(VNET, "[parameters('name')]", copy={"name": "nets", "count": "[variables('n')]", "mode": "serial"},
             dependsOn=[], condition="[not(empty(variables('names')))]", tags={"a": "[my.both('x')]"}, resources=[
                 {"type": "subnets", "name": "s", "dependsOn": ["[parameters('name')]"], "properties": {"copy": [
                     {"name": "list", "count": 2, "input": "[copyIndex('list')]"}]}}]),
], parameters={"name": {"type": "string", "defaultValue": "[concat('net', '')]", "allowedValues": ["net"], "minLength": 1}},
    variables={"n": 1, "copy": [{"name": "names", "count": 2, "input": "[string(copyIndex('names'))]"}]},
    functions=[{"namespace": "my", "members": {"both": {
        "parameters": [{"name": "p", "type": "string"}],
        "output": {"type": "string", "value": "[concat(parameters('p'), 'y')]"}}}}],
    outputs={"id": {"type": "string", "value": "[reference(parameters('name')).id]"},
             "many": {"type": "array", "copy": {"count": 1, "input": "[copyIndex()]"}, "condition": True}})
JUNK = (None, 0, -1, 1.5, True, "", "x", "[", "[]", "[x]", "[reference('net')]", "[null()]", "[createArray(1)]", [], ["x"],
        [None], [[]], {}, {"a": 1}, {"count": 1}, 10**30)


def places(value, path=()):
    if isinstance(value, (dict, list)):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield (*path, key)
            yield from places(value[key], (*path, key))


def damaged():
    """The template with each of its parts in turn replaced by something else, or taken away."""
    for path in places(EVERYTHING):
        for junk in (*JUNK, EVERYTHING):
            document = copy.deepcopy(EVERYTHING)
            holder = document
            for key in path[:-1]:
                holder = holder[key]
            if junk is EVERYTHING:
                del holder[path[-1]]
            else:
                holder[path[-1]] = junk
            yield document


def test_everything_at_once():
    found = make(EVERYTHING, {}, context())
    assert [(r.name, r.body) for r in found.active] == [
        ("net", {"tags": {"a": "xy"}}), ("net/s", {"properties": {"list": [0, 1]}})]


def test_a_damaged_template_is_refused_or_means_something_else():
    """Whatever a client sends, the answer is a plan or Azure's error, never a failure of the lab."""
    refused = planned = 0
    for document in damaged():
        try:
            found = make(document, {}, context())
            outputs(found, Answers(collections.defaultdict(lambda: {"id": "x"})))
            planned += 1
        except TemplateError:
            refused += 1
    assert refused > 500 and planned > 100
