# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real machine of a lab, by the Azure CLI alone: what its commands say is what happens in the machine."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from az_client import Az

pytestmark = pytest.mark.machines

AZLAB = pathlib.Path(sys.executable).parent / "azlab"
OF_VM = ("-g", "real", "--vm-name", "host")
VM = ("-g", "real", "-n", "host")


class Host:
    """A lab with one machine that the CLI made."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder, self.lab = folder, f"azcli-{os.getpid()}"
        self.key = folder / "id"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self.key)], check=True)
        self.address = ""

    def azlab(self, *words: str) -> str:
        done = subprocess.run([str(AZLAB), *words, "--name", self.lab], env={**os.environ, "AZLAB_HOME": str(self.folder / "azlab")},
                              capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def make(self, az: Az) -> None:
        data = self.folder / "cloud-init.yml"
        data.write_text("#cloud-config\nruncmd: ['echo from-custom-data > /etc/made-by']\n")
        az.run("group", "create", "-n", "real", "-l", "westeurope")
        made = az.json("vm", "create", *VM, "--image", "Debian:debian-13:13-gen2:latest", "--size", "Standard_B2s", "--admin-username",
                       "azureuser", "--ssh-key-values", f"{self.key}.pub", "--custom-data", str(data), "--public-ip-sku", "Standard")
        self.address = made["publicIpAddress"]

    def ssh(self, command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(["ssh", "-q", "-i", str(self.key), "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
                               "-o", "ConnectTimeout=5", f"azureuser@{self.address}", command], capture_output=True, text=True,
                              timeout=60, check=False)


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    made = Host(tmp_path_factory.mktemp("real"))
    try:
        made.azlab("up", "--machines", "docker", "--port", "0", "--latency-scale", "0")
        yield made
    finally:
        made.azlab("down")


@pytest.fixture(scope="module")
def az(host: Host, az_environment: pathlib.Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Az]:
    """The Azure CLI, signed in to the lab with machines."""
    client = Az(az_environment, tmp_path_factory.mktemp("az"), json.loads(host.azlab("env", "--json")))
    try:
        client.sign_in()
        host.make(client)
        yield client
    finally:
        client.close()


def invoke(az: Az, *script: str) -> str:
    """What a script says that runs by `az vm run-command invoke`."""
    answer = az.json("vm", "run-command", "invoke", *VM, "--command-id", "RunShellScript", "--scripts", *script)
    return str(answer["value"][0]["message"])


def test_the_machine_is_what_was_asked_for(az: Az, host: Host) -> None:
    assert host.ssh("cloud-init status --wait >/dev/null; cat /etc/made-by; hostname").stdout.split() == ["from-custom-data", "host"]


def test_run_command_runs(az: Az, host: Host) -> None:
    assert invoke(az, "echo one-$(hostname)", "echo two >&2; exit 3") == "Enable succeeded: \n[stdout]\none-host\n\n[stderr]\ntwo\n"
    with_parameter = az.json("vm", "run-command", "invoke", *VM, "--command-id", "RunShellScript", "--scripts", "echo $1-$word",
                             "--parameters", "word=hello")
    assert "hello-hello" in with_parameter["value"][0]["message"]


def test_an_extension_runs_and_its_output_is_in_the_instance_view(az: Az, host: Host) -> None:
    def extension(command: str) -> tuple[str, ...]:
        return ("vm", "extension", "set", *OF_VM, "-n", "CustomScript", "--publisher", "Microsoft.Azure.Extensions", "--version", "2.1",
                "--protected-settings", json.dumps({"commandToExecute": command}))
    made = az.json(*extension("echo s3cret-word | wc -c; hostname > /etc/extended"))
    assert made["provisioningState"] == "Succeeded" and host.ssh("cat /etc/extended").stdout == "host\n"
    shown: Any = az.json("vm", "extension", "show", *OF_VM, "-n", "CustomScript", "--instance-view")
    assert "[stdout]\n12\n" in json.dumps(shown["instanceView"]).replace("\\n", "\n") and "s3cret" not in json.dumps(shown)
    failed = az.error(*extension("echo wrong >&2; exit 7"))
    assert "VMExtensionProvisioningError" in failed and "exit status=7" in failed and "wrong" in failed
    az.run("vm", "extension", "delete", *OF_VM, "-n", "CustomScript")
    assert az.json("vm", "extension", "list", *OF_VM) == [] and host.ssh("cat /etc/extended").stdout == "host\n"


def test_a_disk_keeps_what_is_on_it(az: Az, host: Host) -> None:
    device = "/dev/disk/azure/scsi1/lun2"
    az.run("vm", "disk", "attach", *OF_VM, "-n", "data", "--new", "--size-gb", "1", "--lun", "2")
    assert host.ssh(f"sudo mkfs.ext4 -q {device} && sudo mount {device} /mnt && echo kept | sudo tee /mnt/file").stdout == "kept\n"
    az.run("vm", "disk", "detach", *OF_VM, "-n", "data")
    assert az.json("disk", "show", "-g", "real", "-n", "data", "--query", "diskState") == "Unattached"
    assert host.ssh(f"test -e {device}").returncode == 1
    az.run("vm", "disk", "attach", *OF_VM, "-n", "data", "--lun", "2")
    assert host.ssh(f"sudo mount {device} /mnt && cat /mnt/file").stdout == "kept\n"


def test_power(az: Az, host: Host) -> None:
    def boot() -> str:
        return host.ssh("systemctl show -P UserspaceTimestampMonotonic").stdout

    def state() -> str:
        return str(az.json("vm", "show", "-d", *VM, "--query", "powerState"))
    before = boot()
    az.run("vm", "restart", *VM)
    assert state() == "VM running" and boot() not in ("", before)
    for verb, said in (("stop", "VM stopped"), ("deallocate", "VM deallocated")):
        az.run("vm", verb, *VM)
        assert state() == said and host.ssh("true").returncode == 255
        az.run("vm", "start", *VM)
        assert state() == "VM running" and host.ssh("cat /etc/extended").stdout == "host\n"


def test_a_rule_of_the_security_group_counts_at_once(az: Az, host: Host) -> None:
    rule = ("network", "nsg", "rule", "update", "-g", "real", "--nsg-name", "hostNSG", "-n", "default-allow-ssh", "--access")
    az.run(*rule, "Deny")
    assert host.ssh("true").returncode == 255
    az.run(*rule, "Allow")
    assert host.ssh("true").returncode == 0


def test_a_deleted_machine_is_gone_and_what_it_used_can_go(az: Az, host: Host) -> None:
    assert "/virtualMachines/host" in az.error("network", "nic", "delete", "-g", "real", "-n", "hostVMNic")
    az.run("vm", "delete", *VM, "--yes")
    assert host.ssh("true").returncode == 255
    az.run("group", "delete", "-n", "real", "--yes")
    assert az.json("group", "exists", "-n", "real") is False
