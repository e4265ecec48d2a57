# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module resource_group: missing argument, check mode, create, idempotence, update, delete."""

from __future__ import annotations

import itertools

import pytest

_NUMBERS = itertools.count(1)


@pytest.fixture
def name():
    return "group{0}".format(next(_NUMBERS))


def actions(result):
    assert not result["failed"], result
    return [(step["action"], step["name"]) for step in result["plan"]]


def test_life_of_a_group(azure, name):
    missing = azure.run("resource_group", {"name": name})
    assert missing["failed"]
    assert missing["msg"] == "state is present but all of the following are missing: location"

    wanted = {"name": name, "location": "westeurope", "tags": {"owner": "me"}, "deployment": "demo"}
    checked = azure.run("resource_group", wanted, check=True)
    assert checked["changed"] and actions(checked) == [("create", name)]
    assert checked["resource_group"] is None
    assert checked["diff"]["after"] == (
        "resource group {0}\n  location: westeurope\n  tags.owner: me\n  tags.dockhost-deployment: demo\n".format(name)
    )
    assert azure.arm("GET", "resourceGroups/" + name)[0] == 404

    created = azure.run("resource_group", wanted)
    assert created["changed"]
    assert created["resource_group"]["owned"] and created["resource_group"]["provisioning_state"] == "Succeeded"
    assert created["resource_group"]["tags"] == {"owner": "me", "dockhost-deployment": "demo"}

    again = azure.run("resource_group", dict(wanted, location="West Europe"))
    assert not again["changed"] and again["plan"] == []

    updated = azure.run("resource_group", dict(wanted, tags={"owner": "you"}))
    assert updated["plan"][0]["changes"] == [{"path": "tags.owner", "before": "me", "after": "you"}]
    assert updated["diff"] == {
        "before": "resource group {0}\n  tags.owner: me\n".format(name),
        "after": "resource group {0}\n  tags.owner: you\n".format(name),
    }

    moved = azure.run("resource_group", dict(wanted, location="northeurope"))
    assert moved["failed"] and moved["msg"] == (
        "The location of resource group {0} cannot be changed from westeurope to northeurope once it exists. Set it back, "
        "or choose another name for a group in that region.".format(name)
    )

    gone = {"name": name, "state": "absent", "deployment": "demo"}
    checked = azure.run("resource_group", gone, check=True)
    assert actions(checked) == [("delete", name)] and checked["diff"]["before"] == "resource group {0}\n".format(name)
    assert azure.arm("GET", "resourceGroups/" + name)[0] == 200
    deleted = azure.run("resource_group", gone)
    assert deleted["changed"] and deleted["resource_group"] is None
    assert azure.arm("GET", "resourceGroups/" + name)[0] == 404
    assert not azure.run("resource_group", gone)["changed"]


def test_a_group_of_somebody_else_is_used_but_neither_owned_nor_deleted(azure, name):
    azure.arm("PUT", "resourceGroups/" + name, {"location": "westeurope", "tags": {"team": "web"}})
    used = azure.run("resource_group", {"name": name, "location": "westeurope"})
    assert not used["changed"] and not used["resource_group"]["owned"]
    refused = azure.run("resource_group", {"name": name, "state": "absent"})
    assert refused["failed"] and refused["msg"] == (
        "Resource group {0} is not deleted, because it does not carry the tag dockhost-deployment={0}: delete what is in it "
        "with the modules that made it, or set force_delete_nonempty to delete it with all that it holds.".format(name)
    )
    assert azure.run("resource_group", {"name": name, "state": "absent", "force_delete_nonempty": True})["changed"]


def test_resources_of_others_keep_a_group_alive(azure, group):
    azure.arm("PUT", "resourceGroups/{0}/providers/Microsoft.Network/networkSecurityGroups/theirs".format(group),
              {"location": "westeurope"})
    refused = azure.run("resource_group", {"name": group, "state": "absent"})
    assert refused["failed"] and refused["msg"] == (
        "Resource group {0} is not deleted, because it holds resources that are not of deployment {0}: network security group "
        "theirs. Move or delete them, or set force_delete_nonempty to delete them too.".format(group)
    )
    info = azure.run("resource_group_info", {"name": group})
    assert info["exists"] and info["group_is_ours"] and info["owned"] == []
    assert info["lines"] == ["network security group theirs (not of this deployment)"]
    assert azure.run("resource_group", {"name": group, "state": "absent", "force_delete_nonempty": True})["changed"]
    assert not azure.run("resource_group_info", {"name": group})["exists"]


def test_a_group_of_another_deployment_is_not_taken(azure, name):
    azure.run("resource_group", {"name": name, "location": "westeurope", "deployment": "one"})
    refused = azure.run("resource_group", {"name": name, "location": "westeurope", "deployment": "two"})
    assert refused["failed"] and refused["msg"] == (
        "Resource group {0} belongs to the deployment 'one', not to 'two': choose another name, or set deployment to "
        "'one'.".format(name)
    )


@pytest.mark.parametrize("arguments, message", [
    ({"name": "ends.", "location": "westeurope"},
     "name is 'ends.', which Azure refuses as the name of a resource group: it takes 1 to 90 characters, letters, digits, '.', "
     "'_', '-' and parentheses, not ending in '.'."),
    ({"name": "good", "location": "westeurope", "tags": {"a/b": "x"}},
     "tags has the name 'a/b': a tag's name has 1 to 512 characters and none of < > % & \\ ? /."),
    ({"name": "good", "location": "westeurope", "tags": {"list": [1]}},
     "tags[list] is a list or a dictionary: the value of a tag is text."),
])
def test_bad_input(azure, arguments, message):
    before = len(azure.admin.requests(limit=100000))
    result = azure.run("resource_group", arguments)
    assert result["failed"] and result["msg"] == message
    assert len(azure.admin.requests(limit=100000)) == before, "something was sent"


def test_unknown_region(azure, name):
    result = azure.run("resource_group", {"name": name, "location": "atlantis"})
    assert result["failed"] and result["msg"].startswith("Failed to create resource group {0}: ".format(name))
    assert result["error"]["code"] in ("LocationNotAvailableForResourceGroup", "InvalidLocation")
