# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Inventory docker_hosts, as Ansible runs it."""

from __future__ import annotations

import importlib
import json
import pathlib
import subprocess
import sys

import pytest
import yaml
from playbook_run import environment

from . import test_host_group
from .test_bad_values import WRONG
from .test_host_group import requests, run, state

network = test_host_group.network  # the fixture

ANSIBLE_INVENTORY = pathlib.Path(sys.executable).parent / "ansible-inventory"


def plain(found):
    """ansible-inventory marks text that Ansible must not template, which all that comes from Azure is."""
    return found["__ansible_unsafe"] if set(found) == {"__ansible_unsafe"} else found


@pytest.fixture
def inventory(azure, network, tmp_path):
    """Write an inventory file and list it with ansible-inventory."""

    def listed(name="demo.docker_hosts.yml", env=None, **options):
        file = tmp_path / name
        file.write_text(json.dumps({"plugin": "dockhost.azure.docker_hosts", "resource_groups": [network], **options}))
        settings = {
            **environment(tmp_path, azure.lab.env, DOCKHOST_STATE_DIR="/state"),
            "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "true", "ANSIBLE_INVENTORY_CACHE_CONNECTION": str(tmp_path / "cache"), **(env or {}),
        }  # fmt: skip
        command = [str(ANSIBLE_INVENTORY), "-i", str(file), "--list"]
        done = subprocess.run(command, capture_output=True, text=True, env=settings, check=False, timeout=120)
        return json.loads(done.stdout, object_hook=plain) if done.returncode == 0 else done.stderr + done.stdout

    return listed


def balancer(azure, group):
    made = azure.run("load_balancer", {
        "resource_group": group, "location": "westeurope", "name": "lb", "public_ip": "lb-ip", "backend_pools": ["hosts"],
        "ssh_nat": {"pool": "hosts"}, "outbound": True,
    })  # fmt: skip
    assert not made["failed"], made
    return made["load_balancer"]


def test_hosts_behind_a_load_balancer(azure, network, inventory):
    lb = balancer(azure, network)
    assert not run(azure, network, load_balancer_pools=[lb["pools"]["hosts"]])["failed"]
    found, sent = requests(azure, lambda: inventory(vars={"deployment_name": "demo"}))
    hosts = found["_meta"]["hostvars"]
    assert sorted(hosts) == ["web-1", "web-2", "web-3"]
    one = hosts["web-1"]
    assert one["ansible_host"] == lb["frontend_address"] and one["dockhost_connect_via"] == "load_balancer"
    assert len({host["ansible_port"] for host in hosts.values()}) == 3 and all(50000 <= host["ansible_port"] <= 50999 for host in hosts.values())
    assert one["ansible_user"] == "azureuser" and one["deployment_name"] == "demo"
    assert one["ansible_ssh_common_args"] == (
        f"-o HostKeyAlias=web-1.{network} -o UserKnownHostsFile=/state/{network}/known_hosts -o GlobalKnownHostsFile=/dev/null "
        "-o StrictHostKeyChecking=yes"
    )
    assert (one["dockhost_zone"], one["dockhost_swarm_role"], one["dockhost_power_state"], one["dockhost_size"], one["dockhost_location"]) == (
        "1", "manager", "running", "Standard_D2s_v5", "westeurope",
    )  # fmt: skip
    assert {name: sorted(group["hosts"]) for name, group in found.items() if "hosts" in group and name != "ungrouped"} == {
        "dockhost": ["web-1", "web-2", "web-3"], "web": ["web-1", "web-2", "web-3"], "swarm_manager": ["web-1"], "swarm_worker": ["web-2", "web-3"],
        "zone_1": ["web-1"], "zone_2": ["web-2"], "zone_3": ["web-3"], "size_Standard_D2s_v5": ["web-1", "web-2", "web-3"],
        "power_running": ["web-1", "web-2", "web-3"],
    }  # fmt: skip
    assert len(sent) <= 10
    assert azure.lab.env["AZURE_SECRET"] not in json.dumps(found)


def test_options(azure, network, inventory):
    run(azure, network, public_ip=True, tags={"purpose": "db"})
    public = inventory()["_meta"]["hostvars"]["web-1"]
    assert public["ansible_host"] == public["dockhost_public_address"] and public["ansible_port"] == 22
    found = inventory(
        connect_via=["private"], proxy_jump="ops@bastion", admin_username="me", known_hosts="/x/known hosts",
        keyed_groups=[{"prefix": "size", "key": "dockhost_size"}], groups={"database": "dockhost_tags.purpose == 'db'"},
        compose={"advertise": "dockhost_private_address"},
    )  # fmt: skip
    one = found["_meta"]["hostvars"]["web-1"]
    assert one["ansible_host"] == one["advertise"] == one["dockhost_private_address"] and one["ansible_user"] == "me"
    assert 'UserKnownHostsFile=\'"/x/known hosts"\'' in one["ansible_ssh_common_args"]
    assert "ProxyJump=ops@bastion" in one["ansible_ssh_common_args"]
    assert sorted(found["size_Standard_D2s_v5"]["hosts"]) == sorted(found["database"]["hosts"]) == ["web-1", "web-2", "web-3"]
    run(azure, network, name="db", count=1, swarm_managers=0, deployment="other")
    many = {"resource_groups": [network, "nowhere", "nowhere2"], "connect_via": ["private"]}
    assert sorted(inventory(deployment="other", **many)["_meta"]["hostvars"]) == ["db-1"]


def test_powered_off_hosts(azure, network, inventory):
    run(azure, network, public_ip=True)
    state(azure, network, "stopped", names=["web-2"])
    assert sorted(inventory(group="web")["_meta"]["hostvars"]) == ["web-1", "web-3"]
    found = inventory(include_powered_off=True)
    assert found["dockhost_powered_off"]["hosts"] == ["web-2"] and found["_meta"]["hostvars"]["web-2"]["dockhost_power_state"] == "stopped"


def test_cache(azure, network, inventory):
    run(azure, network, public_ip=True)
    options = {"cache": True, "cache_plugin": "ansible.builtin.jsonfile"}
    first = inventory(**options)
    again, sent = requests(azure, lambda: inventory(**options))
    assert again == first and sent == []


def test_a_list_that_is_only_partly_read_is_an_error(azure, network, inventory):
    run(azure, network, public_ip=True)
    azure.admin.fault(method="GET", path="networkInterfaces", status=403, code="AuthorizationFailed", message="No.", times=0)
    try:
        failed = inventory()
    finally:
        azure.admin.clear_faults()
    assert "docker_hosts: Failed to list networkInterfaces" in failed and "AuthorizationFailed: No." in failed


def test_subscriptions(azure, network, inventory):
    run(azure, network, public_ip=True, count=1)
    mine, other = azure.lab.env["AZURE_SUBSCRIPTION_ID"], "11111111-1111-1111-1111-111111111111"
    found = inventory(subscription_ids=[mine, mine.upper()])["_meta"]["hostvars"]
    assert found["web-1"]["dockhost_subscription_id"] == mine and len(found) == 1
    assert f"There is no subscription '{other}' that client" in inventory(subscription_ids=[mine, other]), "never a shorter inventory"
    assert "docker_hosts: subscription_ids: the list is empty: name a subscription, or leave the option out." in inventory(subscription_ids=[])


def test_bad_options_are_refused_before_anything_is_asked(azure, inventory):
    refused, sent = requests(azure, lambda: inventory(connect_via=[]))
    assert "docker_hosts: connect_via: the list is empty, so that no host could be reached: name public, load_balancer or private" in refused
    assert sent == []
    for jump in ("ops@bastion -o ProxyCommand=x", "ops@", "a,,b", "bastion:port"):
        assert f"docker_hosts: proxy_jump: '{jump}' is no host to jump over: give host, user@host or user@host:port" in inventory(proxy_jump=jump)
    assert "proxy_jump" not in str(inventory(connect_via=["private"], proxy_jump="ops@10.0.0.4:2222,ssh://gate.example.com"))


def wrong_kinds():
    """(option, value of the wrong kind) for each option of the plugin's own that has one."""
    options = yaml.safe_load(importlib.import_module("ansible_collections.dockhost.azure.plugins.inventory.docker_hosts").DOCUMENTATION)["options"]
    found = {name: ["nonsense"] if option["type"] == "list" else "nonsense" for name, option in options.items() if "choices" in option and name != "plugin"}
    found.update({name: WRONG[option["type"]] for name, option in options.items() if option.get("type") in WRONG and name not in found})
    return sorted(found.items())


@pytest.mark.parametrize(("option", "value"), wrong_kinds())
def test_a_value_of_the_wrong_kind(azure, inventory, option, value):
    refused, sent = requests(azure, lambda: inventory(**{option: value}))
    said = " ".join(str(refused).split())
    assert isinstance(refused, str) and option in said and (str(value[0]) if isinstance(value, list) else str(value)) in said, said
    assert sent == [], "something was asked of Azure"


def test_wrong_sign_in(inventory):
    wrong = inventory(env={"AZURE_SECRET": "wrong", "AZURE_CLIENT_SECRET": "wrong"})
    assert "docker_hosts: " in wrong and "AZURE_SECRET" in wrong
