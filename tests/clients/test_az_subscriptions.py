# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Azure CLI in a lab with two subscriptions, and what it makes of galleries."""

from __future__ import annotations

import pathlib
import subprocess
from collections.abc import Iterator

import pytest
from az_client import Az
from azlab import testing


@pytest.fixture(scope="module")
def azure() -> Iterator[testing.RunningLab]:
    with testing.lab(subscriptions=2) as running:
        yield running


def test_accounts(az: Az, azure: testing.RunningLab) -> None:
    first, second = azure.settings.subscription_ids
    accounts = {account["id"]: account for account in az.json("account", "list")}
    assert sorted(accounts) == sorted([first, second])
    assert {account["name"] for account in accounts.values()} == {"azlab test", "azlab test 2"}
    az.run("group", "create", "--subscription", second, "-n", "there", "-l", "westeurope")
    assert [g["name"] for g in az.json("group", "list", "--subscription", "azlab test 2")] == ["there"]
    assert az.json("group", "list", "--subscription", first) == []
    az.run("account", "set", "--subscription", second)
    assert az.json("account", "show")["id"] == second and az.json("group", "show", "-n", "there")["id"].startswith(f"/subscriptions/{second}/")
    az.run("account", "set", "--subscription", first)


def test_a_gallery_from_a_machine_to_a_machine(az: Az, tmp_path: pathlib.Path) -> None:
    key = tmp_path / "key.pub"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "key")], check=True)
    group = ("-g", "images")
    az.run("group", "create", "-n", "images", "-l", "westeurope")
    create = ("--image", "Debian:debian-12:12-gen2:latest", "--size", "Standard_B2s", "--admin-username", "azureuser", "--ssh-key-values", str(key))
    az.run("vm", "create", *group, "-n", "source", *create)
    az.run("vm", "deallocate", *group, "-n", "source")
    az.run("vm", "generalize", *group, "-n", "source")
    az.run("sig", "create", *group, "--gallery-name", "golden")
    definition = az.json("sig", "image-definition", "create", *group, "--gallery-name", "golden", "--gallery-image-definition", "host", "--os-type",
                         "Linux", "--publisher", "us", "--offer", "hosts", "--sku", "debian", "--hyper-v-generation", "V2")
    source = az.json("vm", "show", *group, "-n", "source")["id"]
    version = az.json("sig", "image-version", "create", *group, "--gallery-name", "golden", "--gallery-image-definition", "host",
                      "--gallery-image-version", "1.0.0", "--virtual-machine", source)
    assert version["provisioningState"] == "Succeeded" and version["storageProfile"]["source"]["virtualMachineId"] == source
    assert [i["name"] for i in az.json("sig", "image-definition", "list", *group, "--gallery-name", "golden")] == ["host"]
    az.run("vm", "create", *group, "-n", "copy", "--image", definition["id"], *create[2:])
    reference = az.json("vm", "show", *group, "-n", "copy")["storageProfile"]["imageReference"]
    assert (reference["id"], reference["exactVersion"]) == (definition["id"], "1.0.0")
    image = az.json("image", "create", *group, "-n", "one", "--source", "source", "--hyper-v-generation", "V2")
    assert image["provisioningState"] == "Succeeded"
    az.run("sig", "image-version", "delete", *group, "--gallery-name", "golden", "--gallery-image-definition", "host", "--gallery-image-version", "1.0.0")
    az.run("sig", "image-definition", "delete", *group, "--gallery-name", "golden", "--gallery-image-definition", "host")
    az.run("sig", "delete", *group, "--gallery-name", "golden")
    assert az.json("sig", "list", *group) == []
