# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Groups, resources of any kind, tags, locks, providers, storage accounts and sign-in by the Azure CLI."""

from __future__ import annotations

import json
import pathlib
from typing import Any

import pytest
from az_client import Az, Failed
from azlab.testing import RunningLab

GROUP = "things"


@pytest.fixture(scope="module", autouse=True)
def group(az: Az) -> None:
    """A group with a security group in it."""
    az.run("group", "create", "-n", GROUP, "-l", "westeurope", "--tags", "env=test")
    az.run("network", "nsg", "create", "-g", GROUP, "-n", "nsg")


def nsg_id(azure: RunningLab) -> str:
    return f"/subscriptions/{azure.subscription}/resourceGroups/{GROUP}/providers/Microsoft.Network/networkSecurityGroups/nsg"


def test_the_program_itself(az: Az, azure: RunningLab) -> None:
    """Two commands as people start them: processes of their own."""
    shown = az.process("account", "show")
    assert shown.returncode == 0, shown.stderr
    assert json.loads(shown.stdout)["id"] == azure.subscription
    missing = az.process("group", "show", "-n", "nope")
    assert missing.returncode == 3
    assert missing.stderr.startswith("ERROR: (ResourceGroupNotFound) Resource group 'nope' could not be found.")


def test_the_account(az: Az, azure: RunningLab) -> None:
    account = az.json("account", "show")
    assert (account["environmentName"], account["tenantId"], account["state"]) == ("Lab", azure.env["AZURE_TENANT"], "Enabled")
    assert account["user"] == {"name": azure.env["AZURE_CLIENT_ID"], "type": "servicePrincipal"}
    regions = {r["name"]: r for r in az.json("account", "list-locations")}
    assert [z["logicalZone"] for z in regions["westeurope"]["availabilityZoneMappings"]] == ["1", "2", "3"]
    assert az.json("account", "get-access-token")["subscription"] == azure.subscription


def test_sign_in_with_a_wrong_secret(azure: RunningLab, az_environment: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """With a configuration of its own, since the CLI takes a token that it has for the asked one, whatever the secret."""
    stranger = Az(az_environment, tmp_path, {**azure.env, "AZURE_SECRET": "wrong"})
    try:
        with pytest.raises(Failed, match="AADSTS7000215"):
            stranger.sign_in()
    finally:
        stranger.close()


def test_life_of_a_group(az: Az, azure: RunningLab) -> None:
    made = az.json("group", "create", "-n", "life", "-l", "westeurope", "--tags", "a=b")
    assert made["properties"]["provisioningState"] == "Succeeded" and made["tags"] == {"a": "b"}
    assert az.json("group", "exists", "-n", "life") is True and az.json("group", "exists", "-n", "nope") is False
    az.run("group", "update", "-n", "life", "--set", "tags.more=yes")
    assert azure.arm("GET", "resourceGroups/life")[1]["tags"] == {"a": "b", "more": "yes"}
    assert [g["name"] for g in az.json("group", "list", "--tag", "more=yes")] == ["life"]
    az.run("network", "vnet", "create", "-g", "life", "-n", "v")
    az.run("group", "delete", "-n", "life", "--yes", "--no-wait")
    az.run("group", "wait", "-n", "life", "--deleted", "--interval", "1")
    assert "(ResourceGroupNotFound)" in az.error("group", "show", "-n", "life")
    assert az.json("group", "exists", "-n", "life") is False


@pytest.mark.parametrize("command, code", [
    (("group", "create", "-n", "bad*name", "-l", "westeurope"), "InvalidResourceGroup"),
    (("group", "create", "-n", "x", "-l", "nowhere"), "LocationNotAvailableForResourceGroup"),
    (("group", "create", "-n", GROUP, "-l", "eastus"), "InvalidResourceGroupLocation"),
    (("group", "create", "-n", "x", "-l", "westeurope", "--tags", "a/b=c"), "InvalidTagNameCharacters"),
    (("resource", "show", "-g", GROUP, "-n", "nope", "--resource-type", "Microsoft.Network/virtualNetworks"), "ResourceNotFound"),
    (("provider", "show", "-n", "Microsoft.Nope"), "InvalidResourceNamespace"),
    (("snapshot", "list", "-g", GROUP), "InvalidResourceType"),
    (("storage", "account", "create", "-g", GROUP, "-n", "Bad_Name"), "AccountNameInvalid"),
])
def test_what_azure_refuses(az: Az, command: tuple[str, ...], code: str) -> None:
    assert code in az.error(*command)


def test_resources_of_any_kind(az: Az, azure: RunningLab) -> None:
    kind = ("-g", GROUP, "--resource-type", "Microsoft.Network/networkSecurityGroups")
    made = az.json("resource", "create", *kind, "-n", "made", "--properties", "{}", "--location", "westeurope")
    assert made["properties"]["provisioningState"] in ("Succeeded", "Updating")
    az.run("resource", "wait", *kind, "-n", "made", "--exists")
    az.run("resource", "tag", *kind, "-n", "made", "--tags", "x=y")
    assert [r["name"] for r in az.json("resource", "list", "--tag", "x=y")] == ["made"]
    assert sorted(r["name"] for r in az.json("resource", "list", *kind)) == ["made", "nsg"]
    az.run("resource", "update", *kind, "-n", "made", "--set", "tags.z=1")
    assert az.json("resource", "show", *kind, "-n", "made")["tags"] == {"x": "y", "z": "1"}
    az.run("resource", "delete", *kind, "-n", "made")
    assert [r["name"] for r in az.json("resource", "list", "-g", GROUP)] == ["nsg"]


def test_tags(az: Az, azure: RunningLab) -> None:
    scope = nsg_id(azure)

    def tags(verb: str, *more: str) -> Any:
        return az.json("tag", verb, "--resource-id", scope, *more)["properties"]["tags"]
    assert tags("create", "--tags", "team=a", "cost=1") == {"team": "a", "cost": "1"}
    assert tags("update", "--operation", "Merge", "--tags", "team=b") == {"team": "b", "cost": "1"}
    assert tags("update", "--operation", "Delete", "--tags", "cost=1") == {"team": "b"}
    assert tags("list") == {"team": "b"} == azure.arm("GET", scope)[1]["tags"]
    known = {t["tagName"]: t for t in az.json("tag", "list")}
    assert known["team"]["values"][0]["tagValue"] == "b" and known["env"]["count"]["value"] >= 1
    az.run("tag", "create", "-n", "planned")
    az.run("tag", "add-value", "-n", "planned", "--value", "later")
    assert {t["tagName"]: len(t["values"]) for t in az.json("tag", "list")}["planned"] == 1
    az.run("tag", "remove-value", "-n", "planned", "--value", "later")
    az.run("tag", "delete", "-n", "planned", "--yes")
    az.run("tag", "delete", "--resource-id", scope, "--yes")
    assert "planned" not in [t["tagName"] for t in az.json("tag", "list")] and azure.arm("GET", scope)[1]["tags"] == {}


def test_locks(az: Az, azure: RunningLab) -> None:
    made = az.json("lock", "create", "-n", "keep", "-g", GROUP, "--lock-type", "CanNotDelete", "--notes", "do not")
    assert (made["level"], made["notes"]) == ("CanNotDelete", "do not")
    of_nsg = ("-g", GROUP, "--resource-type", "Microsoft.Network/networkSecurityGroups", "--resource", "nsg")
    az.run("lock", "create", "-n", "frozen", "--lock-type", "ReadOnly", *of_nsg)
    assert sorted(lock["name"] for lock in az.json("lock", "list", "-g", GROUP)) == ["frozen", "keep"]
    az.run("lock", "update", "-n", "keep", "-g", GROUP, "--notes", "changed")
    assert az.json("lock", "show", "-n", "keep", "-g", GROUP)["notes"] == "changed"
    for refused in (az.error("group", "delete", "-n", GROUP, "--yes"), az.error("network", "nsg", "delete", "-g", GROUP, "-n", "nsg"),
                    az.error("tag", "create", "--resource-id", nsg_id(azure), "--tags", "a=b")):
        assert "(ScopeLocked)" in refused and "Please remove the lock and try again." in refused
    az.run("lock", "delete", "-n", "frozen", *of_nsg)
    az.run("lock", "delete", "-n", "keep", "-g", GROUP)
    assert az.json("lock", "list") == [] and azure.arm("GET", nsg_id(azure))[0] == 200


def test_providers(az: Az) -> None:
    assert {"Microsoft.Compute", "Microsoft.Network", "Microsoft.Storage"} <= {p["namespace"] for p in az.json("provider", "list")}
    az.run("provider", "unregister", "-n", "Microsoft.Storage")
    assert az.json("provider", "show", "-n", "Microsoft.Storage")["registrationState"] == "NotRegistered"
    az.run("provider", "register", "-n", "Microsoft.Storage", "--wait")
    shown = az.json("provider", "show", "-n", "Microsoft.Storage")
    assert shown["registrationState"] == "Registered" and "storageAccounts" in [t["resourceType"] for t in shown["resourceTypes"]]


def test_storage_accounts(az: Az, azure: RunningLab) -> None:
    of_account = ("-g", GROUP, "-n", "labaccount1")
    assert az.json("storage", "account", "check-name", "-n", "labaccount1")["nameAvailable"] is True
    made = az.json("storage", "account", "create", *of_account, "--sku", "Standard_LRS")
    assert made["provisioningState"] == "Succeeded" and made["primaryEndpoints"]["blob"] == "https://labaccount1.blob.core.windows.net/"
    taken = az.json("storage", "account", "check-name", "-n", "labaccount1")
    assert taken["nameAvailable"] is False and taken["reason"] == "AlreadyExists"
    az.run("storage", "account", "update", *of_account, "--tags", "a=b")
    assert az.json("storage", "account", "show", *of_account)["tags"] == {"a": "b"}
    keys = {k["keyName"]: k["value"] for k in az.json("storage", "account", "keys", "list", *of_account)}
    text = az.json("storage", "account", "show-connection-string", *of_account)["connectionString"]
    assert f"AccountName=labaccount1;AccountKey={keys['key1']}" in text
    renewed = {k["keyName"]: k["value"] for k in az.json("storage", "account", "keys", "renew", *of_account, "--key", "key1")}
    assert renewed["key1"] != keys["key1"] and renewed["key2"] == keys["key2"]
    assert int(az.json("storage", "account", "show-usage", "-l", "westeurope")["currentValue"]) == 1
    az.run("storage", "account", "delete", *of_account, "--yes")
    assert az.json("storage", "account", "list", "-g", GROUP) == []


def test_rest(az: Az, azure: RunningLab) -> None:
    url = f"/subscriptions/{azure.subscription}/resourceGroups/rest?api-version=2022-09-01"
    made = az.json("rest", "--method", "put", "--url", url, "--body", '{"location": "westeurope"}')
    assert made["name"] == "rest" and az.json("rest", "--method", "get", "--url", url)["id"] == made["id"]
    az.run("rest", "--method", "delete", "--url", url)
    az.run("group", "wait", "-n", "rest", "--deleted", "--interval", "1")
    assert "Not Found" in az.error("rest", "--method", "get", "--url", url)
