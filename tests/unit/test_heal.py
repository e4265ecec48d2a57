# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What playbook heal tells the module that decides: the inventory's hosts, and those that Azure alone knows since their machine is off."""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys

import pytest
import yaml
from playbook_run import environment

TEMPLATE = pathlib.Path(__file__).resolve().parents[2] / "playbooks" / "templates" / "heal_hosts.json.j2"
PLAYBOOK = pathlib.Path(sys.executable).parent / "ansible-playbook"
INVENTORY = """[swarm_manager]
a dockhost_private_address=10.0.0.4
[swarm_worker]
b dockhost_private_address=10.0.0.5
"""
MACHINES = [
    {"name": "a", "power_state": "running", "private_address": "10.0.0.4", "swarm_role": "manager"},
    {"name": "b", "power_state": "stopped", "private_address": "10.0.0.5", "swarm_role": "worker"},
    {"name": "c", "power_state": "deallocated", "private_address": "10.0.0.6", "swarm_role": "worker"},
    {"name": "runs", "power_state": "running", "private_address": "10.0.0.7", "swarm_role": "worker"},
]


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    folder = tmp_path_factory.mktemp("heal")
    facts = {"ansible.builtin.set_fact": {"heal_ping": "{{ {'ping': 'pong'} if inventory_hostname == 'a' else {'msg': 'timed out'} }}"}}
    machines = {"ansible.builtin.set_fact": {"deployment_machines": MACHINES}, "delegate_to": "localhost", "delegate_facts": True, "run_once": True}
    write = {"ansible.builtin.template": {"src": str(TEMPLATE), "dest": f"{folder}/told.json"}, "delegate_to": "localhost", "run_once": True}
    play = {"hosts": "all", "gather_facts": False, "vars": {"ansible_python_interpreter": sys.executable}, "tasks": [facts, machines, write]}
    (folder / "play.yml").write_text(yaml.safe_dump([play]))
    (folder / "hosts").write_text(INVENTORY)
    words = [str(PLAYBOOK), "-i", "hosts", "play.yml"]
    done = subprocess.run(words, env=environment(folder), cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return {one.pop("name"): one for one in json.loads((folder / "told.json").read_text())}


def test_a_host_that_the_inventory_lists_is_told_once(told):
    assert told["a"] == {"address": "10.0.0.4", "answers": True, "power_state": "running"}
    assert told["b"] == {"address": "10.0.0.5", "answers": False, "power_state": "stopped"}


def test_a_machine_that_is_off_is_told_though_the_inventory_lists_running_hosts_only(told):
    assert told["c"] == {"address": "10.0.0.6", "answers": False, "power_state": "deallocated"}


def test_no_other_machine_is_told(told):
    # One that runs and is not in the inventory was left out of it by the user.
    assert set(told) == {"a", "b", "c"}
