# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Comparing and merging bodies."""

from __future__ import annotations

import pytest
from ansible_collections.dockhost.azure.plugins.module_utils._model.resource import Resource
from ansible_collections.dockhost.azure.plugins.module_utils._plan.compare import Comparer, same_value, without

ID = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network/loadBalancers/lb"


def resource(body, **more):
    return Resource(ID, "Microsoft.Network/loadBalancers", body, **more)


def changes(body, actual, **more):
    return [(change.path, change.before, change.after) for change in Comparer(resource(body, **more)).changed(actual)]


@pytest.mark.parametrize("wanted, actual, same", [
    ("Standard", "standard", True), ("a", "b", False), (80, "80", True), ("80", 80, True), (80, 81, False),
    (True, "true", True), (True, False, False), (False, None, False), (None, None, True), (None, [], True), (None, "x", False),
    ([], None, True), ({}, None, True), ([], ["x"], False), (0, None, False), (4, 4.0, True), (1, True, False),
])
def test_same_value(wanted, actual, same):
    assert same_value(wanted, actual) is same


def test_texts_that_azure_compares_with_case():
    assert same_value("a", "A") and not same_value("a", "A", cased=True)
    assert changes({"tags": {"Owner": "me"}}, {"tags": {"owner": "Me"}}) == [("tags.Owner", "Me", "me")]
    assert changes({"tags": {"Owner": "me"}}, {"tags": {"owner": "me"}}) == []
    assert changes({"properties": {"requestPath": "/a"}}, {"properties": {"requestPath": "/A"}})


@pytest.mark.parametrize("body, actual, expected", [
    ({}, {"location": "x"}, []),
    ({"tags": {}}, {"tags": {"a": "b"}}, []),
    ({"tags": {"a": "c"}}, {"tags": {"a": "b", "z": "y"}}, [("tags.a", "b", "c")]),
    ({"tags": {"a": "c"}}, {}, [("tags.a", None, "c")]),
    ({"location": "West Europe"}, {"location": "westeurope"}, []),
    ({"location": "West Europe"}, {"location": "northeurope"}, [("location", "northeurope", "West Europe")]),
    ({"properties": {"x": None}}, {"properties": {}}, []),
    ({"properties": {"x": None}}, {"properties": {"x": {"id": "/a"}}}, [("x", {"id": "/a"}, None)]),
    ({"properties": {"a": {"id": "/Subscriptions/X"}}}, {"properties": {"a": {"id": "/subscriptions/x"}}}, []),
    # Named lists: matched by name in any order, entries that are not wanted go.
    ({"rules": [{"name": "a", "p": 1}]}, {"rules": [{"name": "b", "p": 2}, {"name": "A", "p": 1}]},
     [("rules[b]", {"name": "b", "p": 2}, None)]),
    ({"rules": [{"name": "a", "properties": {"p": 1}}]}, {"rules": [{"name": "a", "properties": {"p": 2}}]}, [("rules[a].p", 2, 1)]),
    ({"rules": []}, {"rules": [{"name": "a"}]}, [("rules", [{"name": "a"}], [])]),
    ({"rules": [{"name": "a"}]}, {}, [("rules[a]", None, {"name": "a"})]),
    # References: matched by id.
    ({"pools": [{"id": "/x/a"}]}, {"pools": [{"id": "/X/A"}, {"id": "/x/b"}]}, [("pools[b]", {"id": "/x/b"}, None)]),
    # Plain values: their order means nothing, unless it does.
    ({"zones": ["1", "2"]}, {"zones": ["2", "1"]}, []),
    ({"zones": ["1"]}, {"zones": ["1", "2"]}, [("zones", ["1", "2"], ["1"])]),
])
def test_changes(body, actual, expected):
    assert changes(body, actual) == expected


def test_ordered_lists():
    body, actual = {"dns": ["1", "2"]}, {"dns": ["2", "1"]}
    assert changes(body, actual) == []
    assert changes(body, actual, ordered=("dns",)) == [("dns", ["2", "1"], ["1", "2"])]
    assert Comparer(resource(body, ordered=("dns",))).merged(actual) == body


def test_shared_lists():
    body = {"rules": [{"name": "dockhost-a", "p": 1}]}
    actual = {"rules": [{"name": "theirs", "p": 9}, {"name": "Dockhost-b", "p": 2}, {"name": "dockhost-a", "p": 1, "etag": "1"}]}
    assert changes(body, actual, shared_lists={"rules": ""}) == []
    prefixed = resource(body, shared_lists={"rules": "dockhost-"})
    assert [change.path for change in Comparer(prefixed).changed(actual)] == ["rules[Dockhost-b]"]
    assert Comparer(prefixed).merged(actual) == {"rules": [{"name": "theirs", "p": 9}, {"name": "dockhost-a", "p": 1, "etag": "1"}]}
    nothing = resource({"rules": []}, shared_lists={"rules": "dockhost-"})
    assert [change.path for change in Comparer(nothing).changed(actual)] == ["rules[Dockhost-b]", "rules[dockhost-a]"]
    assert Comparer(nothing).merged(actual) == {"rules": [{"name": "theirs", "p": 9}]}


def test_create_only_and_hidden():
    body = {"properties": {"osProfile": {"customData": "new", "name": "a"}, "key": "secret"}}
    more = {"create_only": ("properties.osProfile.customData",), "hidden": ("properties.key",)}
    actual = {"properties": {"osProfile": {"name": "a"}, "key": "old"}}
    assert changes(body, actual, **more) == [("key", "********", "********")]
    assert Comparer(resource(body, **more)).merged(actual) == {"properties": {"osProfile": {"name": "a"}, "key": "secret"}}


def test_merge_keeps_what_the_body_does_not_name():
    body = {"tags": {"a": "new"}, "properties": {"x": None, "list": [{"name": "one", "v": 2}, {"name": "two"}]}}
    actual = {"tags": {"A": "old", "b": "keep"}, "properties": {"x": 1, "y": 2, "list": [{"name": "ONE", "v": 1, "w": 3}]}}
    assert Comparer(resource(body)).merged(actual) == {
        "tags": {"A": "new", "b": "keep"}, "properties": {"y": 2, "list": [{"name": "ONE", "v": 2, "w": 3}, {"name": "two"}]},
    }
    assert actual["tags"]["A"] == "old", "the actual body was changed in place"


def test_without():
    body = {"etag": "1", "properties": {"list": [{"name": "a", "etag": "2", "properties": {"state": "x", "v": 1}}], "state": "y"}}
    assert without(body, ("etag", "properties.list.etag", "properties.list.properties.state")) == {
        "properties": {"list": [{"name": "a", "properties": {"v": 1}}], "state": "y"},
    }
