# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Several Compose documents as one, by the rules of Compose."""

from __future__ import annotations

import pytest
from ansible_collections.dockhost.azure.plugins.module_utils._stack.merge import merge
from ansible_collections.dockhost.azure.plugins.module_utils._stack.values import StackError


def web(*versions):
    return merge([{"services": {"web": version}} for version in versions])["services"]["web"]


@pytest.mark.parametrize(
    "before, after, merged",
    [
        ({"image": "a"}, {"image": "b"}, {"image": "b"}),
        ({"image": "a"}, None, {"image": "a"}),
        ({"image": "a", "deploy": {"replicas": 1}}, {"deploy": {"replicas": 3}}, {"image": "a", "deploy": {"replicas": 3}}),
        ({"command": ["a", "b"]}, {"command": ["c"]}, {"command": ["c"]}),
        ({"command": ["a", "b"]}, {"command": "c d"}, {"command": "c d"}),
        ({"healthcheck": {"test": ["CMD", "a"], "retries": 3}}, {"healthcheck": {"test": "b"}}, {"healthcheck": {"test": "b", "retries": 3}}),
        ({"ports": ["80:80"]}, {"ports": ["443:443", "80:80"]}, {"ports": ["80:80", "443:443"]}),
        ({"environment": {"A": 1, "B": 2}}, {"environment": ["B=3", "C"]}, {"environment": {"A": "1", "B": "3", "C": None}}),
        ({"volumes": ["one:/data", "x:/x"]}, {"volumes": ["two:/data:ro"]}, {"volumes": ["two:/data:ro", "x:/x"]}),
        (
            {"volumes": ["one:/data"]},
            {"volumes": [{"type": "volume", "source": "two", "target": "/data"}]},
            {"volumes": [{"type": "volume", "source": "two", "target": "/data"}]},
        ),
        ({"configs": ["page"]}, {"configs": [{"source": "page", "target": "/p"}]}, {"configs": ["page", {"source": "page", "target": "/p"}]}),
        ({"networks": ["front"]}, {"networks": {"back": {"aliases": ["db"]}}}, {"networks": {"front": None, "back": {"aliases": ["db"]}}}),
        ({"dns": "9.9.9.9"}, {"dns": ["1.1.1.1"]}, {"dns": ["9.9.9.9", "1.1.1.1"]}),
        ({"deploy": {"placement": {"constraints": ["a==b"]}}}, {"deploy": {"placement": {"constraints": ["c==d"]}}},
         {"deploy": {"placement": {"constraints": ["a==b", "c==d"]}}}),
    ],
)  # fmt: skip
def test_a_service_of_two_documents(before, after, merged):
    assert web(before, after) == merged


def test_documents_add_services_and_networks_and_stay_as_they_are():
    one, two = {"services": {"a": {"image": "x"}}}, {"services": {"b": {"image": "y"}}, "networks": {"back": {"internal": True}}}
    three = {"networks": {"back": {"attachable": True}}}
    assert merge([one, two, three]) == {
        "services": {"a": {"image": "x"}, "b": {"image": "y"}},
        "networks": {"back": {"internal": True, "attachable": True}},
    }
    assert one == {"services": {"a": {"image": "x"}}}


def test_values_of_another_kind_are_refused_with_their_place():
    with pytest.raises(StackError, match=r"services\.web\.ports: one document has another kind of value"):
        web({"ports": ["80:80"]}, {"ports": {"80": "80"}})
    with pytest.raises(StackError, match="has to be a mapping"):
        merge([{}, ["services"]])
