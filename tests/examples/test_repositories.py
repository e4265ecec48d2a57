# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""examples/existing-repo and examples/own-hosts, each a copy away from this repository, on real hosts of one lab."""

from __future__ import annotations

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

import pytest

pytestmark = pytest.mark.examples

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(sys.executable).parent
TOKEN = "t0ken-0f-the-c0mpany"
# A host that the second example knows nothing of but its address: made like this, and then used as if it stood in an office.
OFFICE = """
- hosts: localhost
  gather_facts: false
  tasks:
    - dockhost.azure.resource_group: {name: rg-office, location: westeurope}
    - dockhost.azure.network:
        resource_group: rg-office
        name: office
        address_prefixes: [10.60.0.0/16]
        subnets: [{name: hosts, address_prefix: 10.60.1.0/24, security_group: office-nsg}]
        security_groups:
          - name: office-nsg
            rules: [{name: ssh, priority: 100, source_address_prefixes: ["{{ lookup('env', 'DOCKHOST_SSH_SOURCES') }}"],
                     destination_port_ranges: ["22"], protocol: Tcp}]
    - dockhost.azure.host_group:
        resource_group: rg-office
        name: office
        count: 1
        size: Standard_D2s_v5
        admin_username: ops
        ssh_public_keys: ["{{ lookup('file', lookup('env', 'DOCKHOST_SSH_PUBLIC_KEY_FILE')) }}"]
        subnet: {network: office, name: hosts}
        public_ip: true
        wait_for: ssh
      register: made
    - ansible.builtin.copy: {content: "{{ made.hosts[0].public_address }}", dest: "{{ playbook_dir }}/address"}
"""


class Lab:
    """One lab, and the programs of a user in a folder of their own."""

    def __init__(self, folder: pathlib.Path):
        self.folder, self.name = folder, "repositories-{0}".format(os.getpid())
        self.key = folder / "id_ed25519"
        self.plain = {name: value for name, value in os.environ.items() if not name.startswith(("AZ", "ANSIBLE", "DOCKHOST", "PYTEST"))}
        self.plain.update(
            PATH="{0}:{1}".format(BIN, os.environ["PATH"]), ANSIBLE_COLLECTIONS_PATH=str(ROOT / ".work" / "dev"), ANSIBLE_NOCOLOR="1",
            ANSIBLE_PRIVATE_KEY_FILE=str(self.key), ANSIBLE_HOME=str(folder / "ansible"), ANSIBLE_SSH_CONTROL_PATH_DIR=str(folder / "cp"),
            ANSIBLE_HOST_PATTERN_MISMATCH="error",
        )  # fmt: skip
        self.azlab_env = dict(self.plain, AZLAB_HOME=str(folder / "azlab"))
        self.env = dict(self.plain)

    def up(self) -> None:
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self.key)], check=True)
        self.azlab("up", "--machines", "docker", "--port", "0", "--latency-scale", "0", "--quiet")
        self.env.update(re.findall(r"^export (\w+)=['\"]?([^'\"\n]*)", self.azlab("env"), re.M), DOCKHOST_STATE_DIR=str(self.folder / "state"),
                        DOCKHOST_SSH_PUBLIC_KEY_FILE="{0}.pub".format(self.key))  # fmt: skip

    def azlab(self, command: str, *words: str) -> str:
        done = subprocess.run([str(BIN / "azlab"), command, "--name", self.name, *words], env=self.azlab_env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def run(self, folder: pathlib.Path, *words: str, azure: bool = True) -> str:
        """A program of the user in a folder; what it said."""
        done = subprocess.run([str(BIN / words[0]), *words[1:]], cwd=folder, env=self.env if azure else self.plain, capture_output=True, text=True,
                              timeout=500, check=False)  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def copy(self, example: str) -> pathlib.Path:
        return pathlib.Path(shutil.copytree(ROOT / "examples" / example, self.folder / example))


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    made = Lab(tmp_path_factory.mktemp("repositories"))
    try:
        made.up()
        yield made
    finally:
        made.azlab("down")


def test_a_repository_that_adds_the_collection(lab):
    place = lab.copy("existing-repo")
    password = lab.folder / "vault-password"
    password.write_text("example\n")
    lab.env["ANSIBLE_VAULT_PASSWORD_FILE"] = str(password)
    said = lab.run(place, "ansible-playbook", "site.yml", "-v", "--diff")
    assert "msg: shop-1" in said.replace('"', "") and TOKEN not in said
    found = lab.run(place, "ansible", "servers", "--become", "-m", "ansible.builtin.shell",
                    "-a", "cat /etc/motd /etc/company-token /etc/docker/daemon.json; stat -c %a /etc/company-token; docker info | grep Swarm")  # fmt: skip
    for text in ("Example Ltd: shop-1", TOKEN, '"max-concurrent-downloads": 6', '"max-size": "20m"', "\n600\n", "Swarm: active"):
        assert text in found, found
    assert set(re.findall(r"changed=(\d+)", lab.run(place, "ansible-playbook", "site.yml"))) == {"0"}


def test_role_docker_on_hosts_that_are_not_on_azure(lab):
    (lab.folder / "office.yml").write_text(OFFICE)
    lab.run(lab.folder, "ansible-playbook", "office.yml")
    address = (lab.folder / "address").read_text()
    place = lab.copy("own-hosts")
    hosts = place / "hosts.yml"
    hosts.write_text(hosts.read_text().replace("192.0.2.11", address).replace("ansible_user: admin", "ansible_user: ops"))
    (place / "known_hosts").write_text(subprocess.run(["ssh-keyscan", address], capture_output=True, text=True, check=True).stdout)
    assert not [name for name in lab.plain if name.startswith("AZURE")]
    for words in (["--check", "--diff"], []):
        assert "changed=0" not in lab.run(place, "ansible-playbook", "docker.yml", *words, azure=False)
    for socket in (lab.folder / "cp").glob("*"):  # the user's groups are those of a new connection
        socket.unlink()
    found = lab.run(place, "ansible", "docker", "-m", "ansible.builtin.command", "-a",
                    "docker info", azure=False)  # fmt: skip
    assert "Logging Driver: local" in found, found
    bridge = lab.run(place, "ansible", "docker", "--become", "-m", "ansible.builtin.command", "-a", "docker network inspect bridge", azure=False)
    assert json.loads(bridge.partition("\n")[2])[0]["IPAM"]["Config"][0]["Subnet"].startswith("10.201.")
    assert re.search(r"changed=0 .*failed=0", lab.run(place, "ansible-playbook", "docker.yml", azure=False))
