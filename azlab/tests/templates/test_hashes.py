# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""uniqueString, guid and templateHash give what Azure gives."""
from __future__ import annotations

import pytest
from azlab.arm.resources.deploy_view import template_hash
from azlab.templates.hashes import guid, unique_string


@pytest.mark.parametrize(("arguments", "expected"), [
    # published values of Azure and of its own libraries
    (["tyeth"], "zcztcwvu6iyg6"),
    (["test"], "rbgf3xv4ufgzg"),
    (["hello", "world"], "a7wkljktk6wne"),
    (["foo", "bar", "baz"], "xzi4ioaxtmth4"),
    (["/subscriptions/3c7f956b-55ee-4686-9d30-da1eb631dc59/resourceGroups/rg-devopsshieldek010dev"], "fd63l2gacbtca"),
    ([""], "aaaaaaaaaaaaa"),
])
def test_unique_string(arguments, expected):
    assert unique_string(arguments) == expected


def test_guid_is_a_version_5_uuid_of_the_arguments():
    # namespace and separator as published by Microsoft for Bicep's guid()
    assert guid(["a", "b"]) == guid(["a-b"]) == "2d796349-8c7e-55ec-9624-54ece82ed031"
    assert guid(["a", "b"]) != guid(["b", "a"])


def test_template_hash_is_that_of_azure():
    # a deployment of this very template was recorded on Azure
    empty = {"$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
             "contentVersion": "1.0.0.0", "resources": []}
    assert template_hash(empty) == "11481920352792298114"
