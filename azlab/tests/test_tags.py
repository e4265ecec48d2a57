# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tags of any scope by Microsoft.Resources/tags, and the subscription's names and values of tags."""
from __future__ import annotations

import pytest

from azlab import testing
from labgroup import NET, Group

TAGS = "providers/Microsoft.Resources/tags/default"


def tags(answer: tuple[int, dict[str, object], dict[str, str]]) -> object:
    status, body, _ = answer
    assert status == 200, body
    return body["properties"]["tags"]  # type: ignore[index]


def test_tags_are_replaced_merged_and_taken_away(group: Group) -> None:
    assert tags(group.call("PUT", TAGS, {"properties": {"tags": {"team": "a", "cost": "1"}}})) == {"team": "a", "cost": "1"}

    def patch(operation: str, given: dict[str, str]) -> object:
        return tags(group.call("PATCH", TAGS, {"operation": operation, "properties": {"tags": given}}))
    assert patch("Merge", {"TEAM": "b", "more": "x"}) == {"cost": "1", "TEAM": "b", "more": "x"}
    assert patch("Delete", {"team": "other", "more": "x"}) == {"cost": "1", "TEAM": "b"}
    assert patch("Replace", {"only": "this"}) == {"only": "this"}
    assert group.call("GET", "")[1]["tags"] == {"only": "this"}
    assert group.call("DELETE", TAGS)[0] == 200 and tags(group.call("GET", TAGS)) == {}


def test_tags_of_a_resource_are_a_change_of_it(group: Group) -> None:
    path = f"{NET}/networkSecurityGroups/n"
    before = group.put(path, {})["etag"]
    group.call("PUT", f"{path}/{TAGS}", {"properties": {"tags": {"a": "b"}}})
    after = group.call("GET", path)[1]
    assert after["tags"] == {"a": "b"} and after["etag"] != before


@pytest.mark.parametrize("body, code", [
    ({}, "InvalidRequestContent"), ({"properties": {"tags": {"a/b": "c"}}}, "InvalidTagNameCharacters"),
    ({"operation": "Add", "properties": {"tags": {}}}, "InvalidRequestContent")])
def test_bad_tags_are_refused(group: Group, body: dict[str, object], code: str) -> None:
    group.call("PUT", TAGS, {"properties": {"tags": {"kept": "yes"}}})
    assert group.refused("PATCH", TAGS, body)[:2] == (400, code)
    assert tags(group.call("GET", TAGS)) == {"kept": "yes"}


def test_tags_of_what_is_not_there(group: Group) -> None:
    assert group.refused("PUT", f"{NET}/networkSecurityGroups/nope/{TAGS}", {"properties": {"tags": {}}})[:2] == (
        404, "ResourceNotFound")


def test_a_lock_guards_the_tags(group: Group) -> None:
    lock = "providers/Microsoft.Authorization/locks/ro"
    group.call("PUT", lock, {"properties": {"level": "ReadOnly"}})
    assert group.refused("PUT", TAGS, {"properties": {"tags": {}}})[:2] == (409, "ScopeLocked")
    group.call("DELETE", lock)


def test_names_that_the_subscription_knows() -> None:
    with testing.lab() as azure:
        azure.arm("PUT", "resourceGroups/g", {"location": "westeurope", "tags": {"team": "a"}})
        assert azure.arm("PUT", "tagNames/team/tagValues/z")[1]["error"]["code"] == "TagNotFound"
        assert azure.arm("PUT", "tagNames/team")[0] == 201 and azure.arm("PUT", "tagNames/team")[0] == 200
        assert azure.arm("PUT", "tagNames/team/tagValues/z")[0] == 201
        entry, = azure.arm("GET", "tagNames")[1]["value"]
        assert entry["count"]["value"] == 1
        assert {v["tagValue"]: v["count"]["value"] for v in entry["values"]} == {"a": 1, "z": 0}
        assert [azure.arm("DELETE", "tagNames/team/tagValues/z")[0] for _ in range(2)] == [200, 204]
        azure.arm("PUT", TAGS, {"properties": {"tags": {"org": "x"}}})
        assert azure.arm("GET", f"/subscriptions/{azure.subscription}")[1]["tags"] == {"org": "x"}
