# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Playbook provision, on azlab without machines: as far as Azure's control plane goes, which is all but the hosts themselves."""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys

import pytest
from playbook_run import environment

PLAYBOOK = pathlib.Path(sys.executable).parent / "ansible-playbook"
# The host keys come from hosts, and there are none: so far every run of the playbook gets here, and no further.
NO_HOSTS = "The SSH keys of host"


@pytest.fixture
def provision(azure, tmp_path):
    """Run the playbook with variables as text, as surveys and C(-e) give them; its output."""
    key, inventory = tmp_path / "key", tmp_path / "demo.docker_hosts.yml"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    group = "rg-" + tmp_path.name.replace("_", "-")
    inventory.write_text(json.dumps({
        "plugin": "dockhost.azure.docker_hosts", "resource_groups": [group],
        "vars": {"deployment_name": "demo", "deployment_resource_group": group},
    }))  # fmt: skip
    env = environment(tmp_path, azure.lab.env, DOCKHOST_SSH_PUBLIC_KEY_FILE=f"{key}.pub", DOCKHOST_SSH_SOURCES="198.51.100.7/32", ANSIBLE_TIMEOUT="1")

    def run(**variables):
        words = [word for name, value in variables.items() for word in ("-e", f"{name}={value}")]
        done = subprocess.run([str(PLAYBOOK), "-i", str(inventory), "dockhost.azure.provision", *words],
                              env=env, capture_output=True, text=True, timeout=240, cwd=tmp_path, check=False)  # fmt: skip
        return " ".join((done.stdout + done.stderr).split())

    run.group = group
    return run


def test_hosts_that_do_not_fit_are_refused_before_anything_is_made(azure, provision):
    said = provision(deployment_hosts="300")
    assert "deployment_subnet_prefix is '172.28.0.0/24', which has room for 251 hosts" in said
    assert not azure.run("resource_group_info", {"name": provision.group, "deployment": "demo"})["exists"]


def test_hosts_that_go_are_asked_to_leave_the_swarm_before(provision):
    assert NO_HOSTS in provision(deployment_hosts="3")
    said = provision(deployment_hosts="1")
    leaving = said[said.index("PLAY [Take the hosts that go out of the swarm]") : said.index("PLAY [Provide the hosts]")]
    # They do not answer, which must not keep them: what is asked for is done.
    assert "demo-2" in leaving and "demo-3" in leaving and "demo-1" not in leaving
    assert "TASK [Provision]" in said and NO_HOSTS + " demo-1" in said and NO_HOSTS + " demo-2" not in said
