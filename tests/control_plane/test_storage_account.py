# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module storage_account: refusals, check mode, create, idempotence, update, delete, and where the key goes."""

from __future__ import annotations

import json
import os

import pytest


def actions(result):
    assert not result["failed"], result
    return [(step["action"], step["name"]) for step in result["plan"]]


def test_life_of_an_account(azure, tmp_path):
    group, key_file = azure.new_group(), tmp_path / "account.key"
    wanted = {
        "resource_group": group, "name": "files" + group, "shares": [{"name": "uploads", "quota_gb": 50}, {"name": "queue", "slots": 2}],
        "containers": ["backups"], "key_file": str(key_file),
    }
    made = [("create", one) for one in ("files" + group, "uploads", "queue-1", "queue-2", "backups")]
    checked = azure.run("storage_account", wanted, check=True)
    assert checked["changed"] and actions(checked) == made and checked["storage_account"] == {"id": None} and not key_file.exists()

    created = azure.run("storage_account", wanted)
    assert created["changed"] and actions(created) == made
    assert created["storage_account"]["shares"] == ["queue-1", "queue-2", "uploads"] and created["storage_account"]["containers"] == ["backups"]
    key = key_file.read_text().strip()
    keys = azure.arm("POST", "resourceGroups/{0}/providers/Microsoft.Storage/storageAccounts/files{0}/listKeys".format(group))[1]["keys"]
    assert key == keys[0]["value"] and os.stat(key_file).st_mode & 0o777 == 0o600
    assert key not in json.dumps(created)

    again = azure.run("storage_account", wanted)
    assert not again["changed"] and actions(again) == []

    key_file.write_text("of yesterday")
    assert azure.run("storage_account", wanted, check=True)["changed"] and key_file.read_text() == "of yesterday"
    renewed = azure.run("storage_account", wanted)
    assert renewed["changed"] and actions(renewed) == [] and key_file.read_text().strip() == key

    larger = dict(wanted, replication="GRS", shares=[{"name": "uploads", "quota_gb": 60}], tags={"owner": "me"})
    assert actions(azure.run("storage_account", larger, check=True)) == [("update", "files" + group), ("update", "uploads")]
    updated = azure.run("storage_account", larger)
    assert actions(updated) == [("update", "files" + group), ("update", "uploads")] and not azure.run("storage_account", larger)["changed"]
    assert updated["storage_account"]["shares"] == ["queue-1", "queue-2", "uploads"]  # those that are not named stay

    gone = dict(wanted, state="absent")
    refused = azure.run("storage_account", gone)
    assert refused["failed"] and "holds backups, queue-1, queue-2, uploads: set force_delete_nonempty" in refused["msg"]
    gone["force_delete_nonempty"] = True
    assert actions(azure.run("storage_account", gone)) == [("delete", "files" + group)]
    assert not azure.run("storage_account", gone)["changed"]


def test_nfs_for_the_hosts_subnet_alone(azure):
    group = azure.new_group()
    assert not azure.run("network", {
        "resource_group": group, "name": "net", "address_prefixes": ["10.60.0.0/16"], "subnets": [{"name": "hosts", "address_prefix": "10.60.1.0/24"}],
    })["failed"]
    wanted = {
        "resource_group": group, "name": "nfs" + group, "performance": "premium", "secure_transfer": False, "subnets": ["net/hosts"],
        "shares": [{"name": "media", "protocol": "nfs", "quota_gb": 100, "root_squash": "root"}],
    }
    assert azure.run("storage_account", wanted)["changed"] and not azure.run("storage_account", wanted)["changed"]
    account = azure.arm("GET", "resourceGroups/{0}/providers/Microsoft.Storage/storageAccounts/nfs{0}".format(group))[1]
    rules = account["properties"]["networkAcls"]
    assert account["kind"] == "FileStorage" and rules["defaultAction"] == "Deny"
    assert rules["virtualNetworkRules"][0]["id"].endswith("/virtualNetworks/net/subnets/hosts")
    other = azure.run("storage_account", dict(wanted, shares=[{"name": "media", "quota_gb": 100}]))
    assert other["failed"] and "The enabledProtocols of file share media cannot be changed from NFS to SMB once it exists" in other["msg"]
    assert actions(azure.run("storage_account", dict(wanted, subnets=[]))) == [("update", "nfs" + group)]


@pytest.mark.parametrize(
    "options, words",
    [
        ({"name": "Not-Valid"}, "name is 'Not-Valid': the name of a storage account has 3 to 24 lower-case letters and digits"),
        ({"performance": "premium", "replication": "GRS"}, "replication is GRS: premium storage has LRS or ZRS"),
        ({"performance": "premium", "containers": ["abc"]}, "containers needs performance standard"),
        ({"shares": [{"name": "media", "protocol": "nfs"}]}, "which needs performance premium"),
        ({"shares": [{"name": "media", "protocol": "nfs"}], "performance": "premium"}, "set secure_transfer to false"),
        ({"shares": [{"name": "abc", "quota_gb": 50}], "performance": "premium"}, "shares[abc] has quota_gb 50: premium accounts take 100 to 102400"),
        ({"shares": [{"name": "abc", "root_squash": "all"}]}, "shares[abc] has root_squash"),
        ({"shares": [{"name": "a_b"}]}, "shares has 'a_b': a name has 3 to 63"),
        ({"shares": [{"name": "abc"}, {"name": "abc"}]}, "shares has 'abc' twice"),
        ({"containers": ["a--b"]}, "containers has 'a--b': a name has 3 to 63"),
        ({"subnets": ["hosts"]}, "subnets has 'hosts': give the id of a subnet, or NETWORK/SUBNET"),
        ({"key_file": "/none/such/key"}, "key_file is '/none/such/key', whose folder does not exist"),
    ],
)
def test_bad_values_are_named_before_anything_is_sent(azure, options, words):
    result = azure.run("storage_account", {"resource_group": "none", "name": "abc", **options})
    assert result["failed"] and words in result["msg"]


def test_an_account_of_others_is_left_alone(azure):
    group = azure.new_group()
    wanted = {"resource_group": group, "name": "own" + group, "deployment": "one"}
    assert azure.run("storage_account", wanted)["changed"]
    other = azure.run("storage_account", dict(wanted, deployment="two"))
    assert other["failed"] and "belongs to the deployment 'one', not to 'two'" in other["msg"]
    assert "does not carry the tag dockhost-deployment=two" in azure.run("storage_account", dict(wanted, deployment="two", state="absent"))["msg"]
