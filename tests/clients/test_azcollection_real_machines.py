# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real machine of a lab by azure.azcollection alone: its extensions run there, and its inventory leads Ansible there."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from azcollection_client import Collection, Task, task

pytestmark = pytest.mark.machines

AZLAB = pathlib.Path(sys.executable).parent / "azlab"
GROUP = {"resource_group": "real"}


class RealLab:
    """A lab with machines, started by its command, and the collection that is led to it."""

    collection: Collection

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder, self.name, self.key = folder, f"azcol-{os.getpid()}", folder / "id"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self.key)], check=True)

    def start(self, environment: pathlib.Path) -> None:
        self.azlab("up", "--machines", "docker", "--port", "0", "--latency-scale", "0")
        self.collection = Collection(environment, self.folder, json.loads(self.azlab("env", "--proxy", "--json")))

    def azlab(self, *words: str) -> str:
        done = subprocess.run([str(AZLAB), *words, "--name", self.name], env={**os.environ, "AZLAB_HOME": str(self.folder / "azlab")},
                              capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def on_hosts(self, command: str) -> str:
        """What a command prints on the one host that the inventory of azure.azcollection shows."""
        variables = {"ansible_user": "azureuser", "ansible_ssh_private_key_file": str(self.key), "ansible_become": True,
                     "ansible_ssh_common_args": "-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null"}
        self.collection.inventory(plain_host_names=True)
        result = self.collection.on("lab.azure_rm.yml", "one", [{"name": "command", "ansible.builtin.command": command}], variables)
        return str(result["command"]["stdout"])


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory, azcollection_environment: pathlib.Path) -> Iterator[RealLab]:
    """A lab whose one machine azure.azcollection made."""
    made = RealLab(tmp_path_factory.mktemp("azcollection-real"))
    try:
        made.start(azcollection_environment)
        made.collection.play([
            task("group", "resourcegroup", name="real", location="westeurope"),
            task("network", "virtualnetwork", **GROUP, name="v", address_prefixes_cidr=["10.0.0.0/16"]),
            task("subnet", "subnet", **GROUP, name="hosts", virtual_network_name="v", address_prefix_cidr="10.0.1.0/24"),
            task("machine", "virtualmachine", **GROUP, name="one", vm_size="Standard_B2s", admin_username="azureuser",
                 ssh_password_enabled=False, virtual_network_name="v", subnet_name="hosts", open_ports=["22"],
                 managed_disk_type="Standard_LRS",
                 ssh_public_keys=[{"path": "/home/azureuser/.ssh/authorized_keys",
                                   "key_data": made.key.with_suffix(".pub").read_text().strip()}],
                 image={"publisher": "Debian", "offer": "debian-13", "sku": "13-gen2", "version": "latest"}),
        ])
        yield made
    finally:
        made.azlab("down")


def extension(command: str) -> Task:
    return task("extension", "virtualmachineextension", **GROUP, virtual_machine_name="one", name="setup", type_handler_version="2.1",
                publisher="Microsoft.Azure.Extensions", virtual_machine_extension_type="CustomScript",
                settings={"commandToExecute": command})


def test_an_extension_runs_on_the_host_that_the_inventory_shows(lab: RealLab) -> None:
    first = extension("hostname > /etc/extended")
    assert lab.collection.changed([first]) == ["extension"]
    assert lab.on_hosts("cat /etc/extended") == "one"
    assert lab.collection.changed([first]) == []
    assert lab.collection.changed([extension("echo second > /etc/extended")]) == ["extension"]
    assert lab.on_hosts("cat /etc/extended") == "second"


def test_a_failing_script_is_said_and_the_extension_deleted(lab: RealLab) -> None:
    failed: Any = lab.collection.results([extension("echo wrong >&2; exit 7")])["extension"]
    assert failed["failed"] and "VMExtensionProvisioningError" in failed["msg"] and "wrong" in failed["msg"]
    gone = task("gone", "virtualmachineextension", **GROUP, virtual_machine_name="one", name="setup", state="absent")
    assert lab.collection.changed([gone]) == ["gone"]


def test_a_machine_that_is_stopped_is_off_and_starts_again(lab: RealLab) -> None:
    assert lab.collection.changed([task("stop", "virtualmachine", **GROUP, name="one", started=False)]) == ["stop"]
    shown = lab.collection.inventory(plain_host_names=True)        # which leaves out what is not running
    assert "one" not in shown["_meta"]["hostvars"]
    assert lab.collection.changed([task("start", "virtualmachine", **GROUP, name="one", started=True)]) == ["start"]
    assert lab.on_hosts("cat /etc/extended") == "second"
