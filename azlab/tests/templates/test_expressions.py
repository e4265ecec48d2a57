# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Expressions: what they mean, and what is wrong with them, in Azure's words."""
from __future__ import annotations

import itertools

import pytest
from azlab.templates.context import Recorder
from azlab.templates.errors import ExpressionError
from azlab.templates.evaluate import evaluate, show
from azlab.templates.registry import TABLE
from azlab.templates.values import UNKNOWN

from .template_tools import GROUP, SUBSCRIPTION, scope

NAMES = {"text": "Hello", "list": [1, 2, 3], "object": {"a": {"b": [10, 20]}, "Key": "v"}, "count": 3, "yes": True,
         "nothing": None}


@pytest.mark.parametrize(("written", "expected"), [
    ("plain", "plain"),
    ("[[literal]", "[literal]"),
    ("[not closed", "[not closed"),
    ("['it''s']", "it's"),
    ("[parameters('TEXT')]", "Hello"),
    ("[parameters('object').a.b[1]]", 20),
    ("[parameters('object')['KEY']]", "v"),
    ("[concat('a', 1, true())]", "a1True"),
    ("[concat(parameters('list'), createArray(4))]", [1, 2, 3, 4]),
    ("[CONCAT('a','b')]", "ab"),
    ("[variables('derived')]", "Hello-3"),
    ("[format('{0}-{1:D3}-{2}', 'vm', 7, parameters('list'))]", "vm-007-[1,2,3]"),
    ("[format('{{{0}}}', 'x')]", "{x}"),
    ("[format('{0:N0}', 1234567)]", "1,234,567"),
    ("[toLower('ABC')]", "abc"), ("[toUpper('abc')]", "ABC"), ("[trim('  a ')]", "a"),
    ("[substring('abcdef', 2, 3)]", "cde"), ("[substring('abcdef', 4)]", "ef"),
    ("[replace('a-b-c', '-', '')]", "abc"),
    ("[split('a,b;c', createArray(',', ';'))]", ["a", "b", "c"]), ("[split('a,b', ',')]", ["a", "b"]),
    ("[join(createArray('a', 'b'), '-')]", "a-b"),
    ("[startsWith('Abc', 'aB')]", True), ("[endsWith('abC', 'BC')]", True),
    ("[indexOf('abcabc', 'C')]", 2), ("[lastIndexOf('abcabc', 'c')]", 5), ("[indexOf(createArray('a','b'),'b')]", 1),
    ("[padLeft('7', 3, '0')]", "007"), ("[padLeft(7, 3)]", "  7"),
    ("[length('abc')]", 3), ("[length(parameters('object'))]", 2),
    ("[empty('')]", True), ("[empty(parameters('nothing'))]", True), ("[empty(parameters('list'))]", False),
    ("[contains('abc', 'B')]", False), ("[contains(parameters('list'), 2)]", True),
    ("[contains(parameters('object'), 'KEY')]", True),
    ("[first('abc')]", "a"), ("[last(parameters('list'))]", 3), ("[take('abc', 2)]", "ab"),
    ("[skip(parameters('list'), 1)]", [2, 3]), ("[take(parameters('list'), 9)]", [1, 2, 3]),
    ("[range(5, 3)]", [5, 6, 7]), ("[min(3, 1, 2)]", 1), ("[max(parameters('list'))]", 3),
    ("[add(1, 2)]", 3), ("[sub(1, 2)]", -1), ("[mul(3, 4)]", 12), ("[div(7, 2)]", 3), ("[div(-7, 2)]", -3),
    ("[mod(7, 3)]", 1), ("[mod(-7, 3)]", -1),
    ("[int('42')]", 42), ("[string(parameters('yes'))]", "True"), ("[string(createObject('a', 1))]", '{"a":1}'),
    ("[bool('true')]", True), ("[bool(0)]", False), ("[json('{\"a\": [1]}').a[0]]", 1), ("[json('null')]", None),
    ("[array('a')]", ["a"]), ("[createObject('a', 1, 'b', createArray())]", {"a": 1, "b": []}),
    ("[union(createArray(1, 2), createArray(2, 3))]", [1, 2, 3]),
    ("[union(createObject('a', createObject('x', 1)), createObject('a', createObject('y', 2)))]",
     {"a": {"x": 1, "y": 2}}),
    ("[intersection(createArray(1, 2), createArray(2, 3))]", [2]),
    ("[coalesce(null(), parameters('nothing'), 'x')]", "x"),
    ("[equals('a', 'A')]", False), ("[equals(1, true())]", False), ("[equals(createObject('A',1),createObject('a',1))]", True),
    ("[and(true(), not(false()))]", True), ("[or(false(), false(), true())]", True),
    ("[greater(2, 1)]", True), ("[lessOrEquals('a', 'b')]", True), ("[less(2, 2)]", False),
    ("[greaterOrEquals(2, 2)]", True),
    ("[if(parameters('yes'), 'a', parameters('missing'))]", "a"),       # the other branch is not evaluated
    ("[base64('one')]", "b25l"), ("[base64ToString('b25l')]", "one"), ("[base64ToJson(base64('{\"a\":1}')).a]", 1),
    ("[base64ToJson(base64('{''a'': ''x''}')).a]", "x"), ("[json('{a: 1, /* no */ b: [2,]}').b]", [2]),
    ("[uri('http://contoso.org/firstpath', 'myscript.sh')]", "http://contoso.org/myscript.sh"),
    ("[uri('http://contoso.org/firstpath/', 'myscript.sh')]", "http://contoso.org/firstpath/myscript.sh"),
    ("[uriComponent('a b/c')]", "a%20b%2Fc"), ("[uriComponentToString('a%20b')]", "a b"),
    ("[dataUri('Hello')]", "data:text/plain;charset=utf8;base64,SGVsbG8="),
    ("[dataUriToString('data:;base64,SGVsbG8=')]", "Hello"),
    ("[resourceGroup().location]", "westeurope"), ("[resourceGroup().tags.env]", "test"),
    ("[subscription().subscriptionId]", SUBSCRIPTION[15:]), ("[deployment().name]", "main"),
    ("[environment().suffixes.storage]", "core.windows.net"), ("[tenant().tenantId]", "t"),
    ("[pickZones('Microsoft.Compute', 'virtualMachines', 'westeurope', 2)]", ["1", "2"]),
    ("[pickZones('Microsoft.Compute', 'virtualMachines', 'northpole')]", []),
    ("[resourceId('Microsoft.Network/virtualNetworks/', 'v')]", f"{GROUP}/providers/Microsoft.Network/virtualNetworks/v"),
    ("[resourceId('Microsoft.Network/virtualNetworks/subnets', 'v', 's')]",
     f"{GROUP}/providers/Microsoft.Network/virtualNetworks/v/subnets/s"),
    ("[resourceId('other', 'Microsoft.Compute/disks', 'd')]",
     f"{SUBSCRIPTION}/resourceGroups/other/providers/Microsoft.Compute/disks/d"),
    ("[resourceId('00000000-0000-0000-0000-000000000000', 'other', 'Microsoft.Compute/disks', 'd')]",
     "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/other/providers/Microsoft.Compute/disks/d"),
    ("[subscriptionResourceId('Microsoft.Authorization/roleDefinitions', 'r')]",
     f"{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/r"),
    ("[extensionResourceId('/x', 'Microsoft.Authorization/locks', 'l')]", "/x/providers/Microsoft.Authorization/locks/l"),
    ("[dateTimeAdd('2020-01-31T00:00:00Z', 'P1DT2H', 'yyyy-MM-dd HH')]", "2020-02-01 02"),
    ("[dateTimeAdd('2020-05-21T13:05:09.5Z', 'PT0S', 'M d')]", "5 21"),
    ("[dateTimeAdd('2020-05-21T13:05:09.5Z', 'PT0S', 'd')]", "05/21/2020"),
    ("[dateTimeAdd('2020-05-21T13:05:09.5Z', 'PT0S', 'o')]", "2020-05-21T13:05:09.5000000Z"),
    ("[dateTimeAdd('2020-05-21T13:05:09.5Z', 'PT0S', 'R')]", "Thu, 21 May 2020 13:05:09 GMT"),
    ("[dateTimeAdd('2020-05-21T13:05:09.5Z', 'PT0S', 'ddd d MMM yy, h:mm:ss.ff tt zzz ''d''')]", "Thu 21 May 20, 1:05:09.50 PM +00:00 d"),
    ("[items(createObject('b', 1, 'a', 2))[0].key]", "a"), ("[tryGet(parameters('object'), 'a', 'nope')]", None),
    ("[my.twice('x')]", "xx"),
])
def test_values(written, expected):
    functions = {"my.twice": {"parameters": ["p"], "value": "[concat(parameters('p'), parameters('p'))]"}}
    found = evaluate(written, scope(NAMES, {"derived": "[concat(parameters('text'), '-', parameters('count'))]"},
                                    functions=functions))
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(("written", "message"), [
    ("[concat('a', uniqueString(resourceGroup().id)]", "expected token 'RightParenthesis' and actual 'EndOfData'"),
    ("[concat(nicName)]", "expected token 'LeftParenthesis' and actual 'RightParenthesis'"),
    ("[ ]", "expected token 'Identifier' and actual 'EndOfData'"),
    ("[{}]", "the string character '{' at position '0' is not expected"),
    ("[nosuch('a')]", "The template function 'nosuch' is not valid."),
    ("[variables('x')]", "The template variable 'x' is not found."),
    ("[parameters('x')]", "The template parameter 'x' is not found."),
    ("[variables('round')]", "The template variable 'round' refers to itself."),
    ("[parameters('object').nope]", "The language expression property 'nope' doesn't exist, available properties are "
                                    "'a, Key'."),
    ("[parameters('list')[3]]", "The language expression property array index '3' is out of bounds."),
    ("[parameters('list').a]", "The language expression property 'a' can't be evaluated, property name must be an "
                               "integer."),
    ("[copyIndex()]", "The template function 'copyIndex' is not expected at this location."),
    ("[dateTimeAdd('2020-01-31T00:00:00Z', 'P1D', 'q')]", "cannot use the format 'q'"),
    ("[utcNow()]", "The template function 'utcNow' is not expected at this location."),
    ("[toLower('a', 'b')]", "expects exactly '1' parameter(s): it was invoked with '2' parameter(s)"),
    ("[substring('abc', 2, 5)]", "must refer to a location within the string"),
    ("[resourceId('Microsoft.Network/virtualNetworks', 'a', 'b')]",
     "the type 'Microsoft.Network/virtualNetworks' requires '1' resource name argument(s)"),
    ("[resourceId('a')]", "function requires exactly one multi-segmented argument"),
    ("[div(1, 0)]", "cannot divide by zero"), ("[int('x')]", "cannot be converted to an integer"),
    ("[json('{')]", "cannot be converted to JSON"), ("[not('x')]", "expects its parameter to be a boolean"),
    ("[padLeft('a', 99999999)]", "expects a length of at most"), ("[range(0, 99999)]", "between '0' and '10000'"),
    ("[variables('huge')]", "made a value of more than"),
    ("[" + "string(" * 150 + "'a'" + ")" * 150 + "]", "is nested too deep"),
])
def test_errors(written, message):
    doubling = {f"d{i}": f"[concat(variables('d{i - 1}'), variables('d{i - 1}'))]" for i in range(1, 40)}
    names = {"round": "[variables('trip')]", "trip": "[variables('round')]", "d0": "0123456789", **doubling,
             "huge": "[variables('d39')]"}
    with pytest.raises(ExpressionError) as caught:
        evaluate(written, scope(NAMES, names))
    assert message in str(caught.value)


def test_what_only_a_running_deployment_knows_stays_unknown():
    recorder = Recorder()
    where = scope(NAMES, runtime=recorder)
    assert evaluate("[reference('nic').ipConfigurations[0].properties.privateIPAddress]", where) is UNKNOWN
    assert evaluate("[concat('a', reference('pip').ipAddress)]", where) is UNKNOWN
    assert evaluate("[if(equals(reference('x').a, 1), listKeys('s', '2023-01-01').keys, 'b')]", where) is UNKNOWN
    assert evaluate("[and(false(), reference('y').a)]", where) is False
    assert recorder.targets == ["nic", "pip", "x", "s"]
    written = {"a": "[reference('nic').id]", "b": "[parameters('text')]"}
    assert show(written, where) == {"a": "[reference('nic').id]", "b": "Hello"}


def test_reference_has_no_place_where_nothing_is_deployed():
    with pytest.raises(ExpressionError, match="The template function 'reference' is not expected at this location"):
        evaluate("[reference('x')]", scope().with_runtime(None))


def test_names_of_properties_are_expressions_too_and_loops_make_arrays():
    written = {"[concat('hidden-', parameters('text'))]": 1,
               "copy": [{"name": "disks", "count": "[parameters('count')]",
                         "input": {"lun": "[copyIndex('disks')]", "name": "[concat('d', copyIndex('disks', 1))]"}}]}
    assert evaluate(written, scope(NAMES)) == {
        "hidden-Hello": 1, "disks": [{"lun": 0, "name": "d1"}, {"lun": 1, "name": "d2"}, {"lun": 2, "name": "d3"}]}


SAMPLES = ["", "a", "7", "2020-01-01", "Microsoft.Compute/disks", "P99999999Y", 0, -1, 2**62, True, None, [1], ["a"], [[1]],
           {"a": 1}, 1.5]


@pytest.mark.parametrize("function", sorted(TABLE.values(), key=lambda f: f.name), ids=lambda f: f.name)
def test_no_function_breaks_on_any_kind_of_value(function):
    """Whatever is given, the answer is a value or Azure's error, never a failure of the lab."""
    where = scope({f"p{i}": value for i, value in enumerate(SAMPLES)})
    most = min(function.most if function.most is not None else max(2, function.least), 3)
    for count in range(function.least, most + 1):
        for picked in itertools.product(range(len(SAMPLES)), repeat=count):
            call = ", ".join(f"parameters('p{i}')" for i in picked)
            try:
                evaluate(f"[{function.name}({call})]", where)
            except ExpressionError:
                continue


@pytest.mark.parametrize("written", ["[list()]", "[listKeys(1, 2)]", "[listKeys('a', 'b', parameters('p0'), 1)]", "[if('a')]",
                                     "[if('a', 1, 2)]", "[and(true())]", "[or('a', 1)]", "[variables(1)]", "[parameters()]",
                                     "[copyIndex('x', 'y', true())]", "[parameters('p0')[1]]", "[parameters('p0').a]"])
def test_nor_do_those_with_rules_of_their_own(written):
    with pytest.raises(ExpressionError):
        evaluate(written, scope({"p0": None}))
