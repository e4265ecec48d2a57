# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Azure's rules for names, ranges, ports and tags."""

from __future__ import annotations

import pytest
from ansible_collections.dockhost.azure.plugins.module_utils._errors import InputError
from ansible_collections.dockhost.azure.plugins.module_utils._model import names


@pytest.mark.parametrize("kind, good, bad", [
    ("resource group", ["a", "a_b-c.(d)", "x" * 90, "grüppe"], ["", "a.", "x" * 91, "a/b", "a b"]),
    ("virtual network", ["ab", "a_b.c-d_", "x" * 64], ["a", "_a", "a-", "a.", "x" * 65]),
    ("virtual machine", ["a", "web-1", "x" * 64], ["", "-a", "a-", "a_b", "a.b", "x" * 65]),
    ("subnet", ["a", "a_b.c-d_", "x" * 80], ["", "_a", "a-", "x" * 81]),
])
def test_names(kind, good, bad):
    for name in good:
        assert names.check_name("name", name, kind) == name
    for name in bad:
        with pytest.raises(InputError, match="name is '.*', which Azure refuses as the name of a {0}: ".format(kind)):
            names.check_name("name", name, kind)


def test_tags():
    assert names.check_tags("tags", {"a": 1, "b": True, "c": None, "d": "x"}) == {"a": "1", "b": "true", "c": "", "d": "x"}
    assert names.check_tags("tags", None) == {}
    for tags in ({"a<b": "x"}, {"a": "x" * 257}, {"x" * 513: "a"}, {"Dockhost-x": "a"}, {str(i): "" for i in range(46)}, {"a": {}}):
        with pytest.raises(InputError):
            names.check_tags("tags", tags)


@pytest.mark.parametrize("text, good", [
    ("10.60.0.0/16", True), ("fd00:1::/48", True), ("fd00:1::/64", True), ("fd00::/47", False), ("10.0.0.0/30", False),
    ("10.0.0.1/24", False), ("168.63.129.0/24", False), ("224.0.0.0/8", False), ("", False), ("10.0.0.0", False),
])
def test_ranges(text, good):
    if good:
        assert str(names.check_network_range("x", text)) == text
    else:
        with pytest.raises(InputError):
            names.check_network_range("x", text)


def test_ranges_of_both_families_do_not_meet():
    ranges = [(text, names.check_range("x", text)) for text in ("10.0.0.0/8", "fd00::/48", "11.0.0.0/8")]
    names.check_disjoint(ranges)
    assert names.inside(names.check_range("x", "10.9.0.0/16"), [found for dummy, found in ranges])
    assert not names.inside(names.check_range("x", "fd01::/64"), [found for dummy, found in ranges])


@pytest.mark.parametrize("text, good", [
    ("*", True), ("80", True), (80, True), ("8000-8099", True), ("65535", True), ("65536", False), ("90-80", False), ("a", False),
    ("80,81", False), ("-1", False),
])
def test_port_ranges(text, good):
    if good:
        assert names.check_port_range("x", text) == str(text)
    else:
        with pytest.raises(InputError):
            names.check_port_range("x", text)


@pytest.mark.parametrize("text, good", [
    ("*", True), ("Internet", True), ("Storage.WestEurope", True), ("203.0.113.1", True), ("203.0.113.0/24", True),
    ("203.0.113.1/24", False), ("300.1.1.1", False), ("", False), ("fd00::1", True),
])
def test_sources(text, good):
    if good:
        assert names.check_source("x", text) == text
    else:
        with pytest.raises(InputError):
            names.check_source("x", text)


def test_ownership_is_never_taken():
    assert names.owned_tags({"a": "b"}, "demo", None) == {"a": "b", "dockhost-deployment": "demo"}
    assert names.owned_tags({}, "demo", {"tags": {"Dockhost-Deployment": "demo"}}) == {"dockhost-deployment": "demo"}
    assert names.owned_tags({"a": "b"}, "demo", {"tags": None}) == {"a": "b"}
    assert names.foreign_owner({"tags": {"dockhost-deployment": "other"}}, "demo") == "other"
    assert names.foreign_owner({"tags": {}}, "demo") is None
