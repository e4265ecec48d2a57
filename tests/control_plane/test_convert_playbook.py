# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Playbook convert, and what it makes of a docker-machine store provisioned on azlab without machines, as far as that goes."""

from __future__ import annotations

import importlib.util
import pathlib
import subprocess
import sys

import pytest
from playbook_run import environment

ROOT = pathlib.Path(__file__).resolve().parents[2]
PLAYBOOK = pathlib.Path(sys.executable).parent / "ansible-playbook"
SPEC = importlib.util.spec_from_file_location("old_tools", ROOT / "tests" / "support" / "old_tools.py")
old = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(old)


@pytest.fixture
def play(azure, tmp_path):
    """Run a playbook of the collection; (status, what it said on one line)."""
    env = environment(tmp_path, azure.lab.env, DOCKHOST_SSH_SOURCES="198.51.100.7/32", ANSIBLE_TIMEOUT="1")

    def run(name, *words):
        done = subprocess.run([str(PLAYBOOK), f"dockhost.azure.{name}", *words], env=env, capture_output=True, text=True, timeout=240,
                              cwd=tmp_path, check=False)  # fmt: skip
        return done.returncode, " ".join((done.stdout + done.stderr).split())

    return run


def test_a_store_of_docker_machine_is_converted_and_provisioned(azure, play, tmp_path):
    old.store(tmp_path / "store", old.machine("web-1", "198.51.100.11", OpenPorts=["80"]), old.machine("web-2", "198.51.100.12"),
              key=subprocess.run(["ssh-keygen", "-q", "-t", "rsa", "-b", "2048", "-N", "", "-f", str(tmp_path / "key")], check=True)
              and (tmp_path / "key.pub").read_text().strip())  # fmt: skip
    words = ["-e", "convert_kind=docker_machine", "-e", "convert_source=store", "-e", "convert_destination=made", "-e", "convert_name=shop"]
    status, said = play("convert", *words, "-vv", "--diff")
    assert status == 0 and "changed=1" in said and old.CLIENT_SECRET not in said, said
    assert "1 secrets in group_vars/all/vault.yml" in said and "Driver.DockerPort = 2376" in said
    assert old.CLIENT_SECRET in (tmp_path / "made" / "group_vars" / "all" / "vault.yml").read_text()

    status, said = play("provision", "-i", "made/shop.docker_hosts.yml")
    assert "The SSH keys of host shop-1" in said, said  # there are no machines: so far every run gets, and no further
    hosts = azure.run("host_group_info", {"resource_group": "rg-shop", "deployment": "shop"})["hosts"]
    assert [(host["name"], host["size"], host["location"], host["admin_username"]) for host in hosts] == [
        (name, "Standard_DS2_v2", "northeurope", "docker-user") for name in ("shop-1", "shop-2")
    ]


def test_what_is_missing_is_named(play):
    status, said = play("convert", "-e", "convert_kind=compose_v1")
    assert status != 0 and "Not given: convert_source, convert_destination. Say for example" in said
