# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Inventory docker_hosts over several subscriptions of a lab."""

from __future__ import annotations

import pytest
from azlab.testing import lab

from . import test_inventory
from .conftest import Azure
from .test_host_group import KEY, requests

inventory = test_inventory.inventory  # the fixture
GROUP = "rg-web"


@pytest.fixture(scope="module")
def azure():
    """A lab with three subscriptions, and two hosts of the same names in the first and the second of them."""
    with lab("subscriptions", public_range="192.0.2.0/24", subscriptions=3) as running:
        found = Azure(running)
        for subscription in running.settings.subscription_ids[:2]:
            make(found, subscription)
        yield found


@pytest.fixture
def network(azure):
    """What the inventory of this module is asked for, without faults and pages of another test."""
    azure.admin.clear_faults()
    azure.admin.call("POST", "/paging", {"size": 1000})
    return GROUP


def make(azure, subscription):
    env = {"AZURE_SUBSCRIPTION_ID": subscription}
    for module, arguments in (
        ("resource_group", {"name": GROUP, "location": "westeurope", "deployment": "demo"}),
        ("network", {
            "resource_group": GROUP, "location": "westeurope", "name": "net", "address_prefixes": ["10.60.0.0/16"],
            "subnets": [{"name": "hosts", "address_prefix": "10.60.1.0/24"}],
        }),
        ("host_group", {
            "resource_group": GROUP, "name": "web", "count": 2, "size": "Standard_D2s_v5", "ssh_public_keys": [KEY],
            "subnet": {"network": "net", "name": "hosts"},
        }),
    ):  # fmt: skip
        result = azure.run(module, arguments, env=env)
        assert not result["failed"], result


def ids(found):
    return sorted((host["dockhost_name"], host["dockhost_subscription_id"]) for host in found["_meta"]["hostvars"].values())


def everything(subscriptions):
    return sorted((name, one) for name in ("web-1", "web-2") for one in subscriptions)


def test_hosts_of_all_subscriptions_in_many_pages(azure, inventory):
    first, second, third = azure.lab.settings.subscription_ids
    options = {"connect_via": ["private"], "subscription_ids": [first, second, third]}
    whole = inventory(**options)
    assert ids(whole) == everything([first, second]) and len(whole["_meta"]["hostvars"]) == 4
    assert sorted(whole["web"]["hosts"]) == sorted(whole["_meta"]["hostvars"]), "hosts of the same name are two hosts"
    azure.admin.call("POST", "/paging", {"size": 1})
    paged, sent = requests(azure, lambda: inventory(**options))
    assert paged == whole
    assert any(second in entry["path"] and "virtualMachines" in entry["path"] for entry in sent)
    assert ids(inventory(connect_via=["private"], subscription_ids=[second])) == everything([second])
    assert ids(inventory(connect_via=["private"], subscription_ids=[second], resource_groups=None)) == everything([second])
    assert ids(inventory(connect_via=["private"])) == everything([first]), "the environment names one"


@pytest.mark.parametrize("which", [0, 1])
def test_a_forbidden_subscription_is_an_error(azure, inventory, which):
    first, second, _third = azure.lab.settings.subscription_ids
    azure.admin.fault(path=f"^/subscriptions/{(first, second)[which]}/", status=403, code="AuthorizationFailed", message="No.", times=0)
    failed = inventory(connect_via=["private"], subscription_ids=[first, second])
    assert isinstance(failed, str) and "docker_hosts: " in failed and "AuthorizationFailed: No." in failed
    assert ids(inventory(connect_via=["private"], subscription_ids=[(second, first)[which]])) == everything([(second, first)[which]])


def test_a_page_that_is_missing_is_an_error(azure, inventory):
    first, second, _third = azure.lab.settings.subscription_ids
    azure.admin.call("POST", "/paging", {"size": 1})
    dummy, sent = requests(azure, lambda: inventory(connect_via=["private"], subscription_ids=[first, second]))
    # The list of the hosts themselves: without that of their states, which is the subscription's, each host is asked for its own.
    begin = f"/subscriptions/{second}/resourceGroups/"
    pages = [entry for entry in sent if entry["path"].startswith(begin) and entry["path"].endswith("/virtualMachines")]
    assert len(pages) == 2
    forbidden = {"status": 403, "code": "AuthorizationFailed", "message": "No more."}
    azure.admin.fault(method="GET", path=f"{second}/resourceGroups/.*virtualMachines$", nth=len(pages), **forbidden)
    failed = inventory(connect_via=["private"], subscription_ids=[first, second])
    assert isinstance(failed, str) and "docker_hosts: Failed to list virtualMachines" in failed and "AuthorizationFailed: No more." in failed


def test_a_subscription_that_is_not_there_is_an_error(azure, inventory):
    other = "11111111-1111-1111-1111-111111111111"
    failed = inventory(connect_via=["private"], subscription_ids=[*azure.lab.settings.subscription_ids, other])
    assert f"There is no subscription '{other}' that client" in failed
