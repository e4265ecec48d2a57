# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Module host_keys: keys over RunCommand, run as a real shell script over a folder of real keys for each machine."""

from __future__ import annotations

import asyncio
import os
import stat
import subprocess

import pytest
from azlab.machines.driver import CommandResult
from azlab.machines.none import NoMachines
from azlab.testing import lab

from .conftest import Azure
from .test_host_group import run, state

OTHERS = "# mine\ngithub.com ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFSSdwXM3ItvMNHN3qPpwS4nNT8sZNtNnHn9yLzHYzXt\n"


class ShellMachines(NoMachines):
    """Machines without a body, whose commands run here: each has a folder in the place of /etc/ssh."""

    def __init__(self, folder):
        super().__init__()
        self.folder = folder
        self.commands = 0

    def ssh_folder(self, machine_id):
        return self.folder / machine_id.rsplit("/", 1)[-1]

    async def create_machine(self, spec):
        await super().create_machine(spec)
        place = self.ssh_folder(spec.id)
        place.mkdir(parents=True, exist_ok=True)
        for kind in ("ed25519", "ecdsa"):
            file = place / f"ssh_host_{kind}_key"
            file.unlink(missing_ok=True)
            subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", "", "-C", "root@host", "-f", str(file)], check=True, input=b"y\n")

    async def run_command(self, machine_id, script, timeout):
        self.commands += 1
        text = script.replace("/etc/ssh", str(self.ssh_folder(machine_id))).replace('"$waited" -lt 60', '"$waited" -lt 0')
        process = await asyncio.create_subprocess_exec("/bin/sh", "-c", text, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        out, err = await process.communicate()
        return CommandResult(process.returncode, out.decode(), err.decode())


@pytest.fixture(scope="module")
def machines(tmp_path_factory):
    return ShellMachines(tmp_path_factory.mktemp("machines"))


@pytest.fixture(scope="module")
def shell_azure(machines):
    with lab("host-keys", latency_scale=0, driver=machines) as running:
        yield Azure(running)


@pytest.fixture
def hosts(shell_azure, machines):
    """A resource group with three hosts."""
    group = shell_azure.new_group("demo")
    shell_azure.run("network", {
        "resource_group": group, "location": "westeurope", "name": "net", "address_prefixes": ["10.60.0.0/16"], "deployment": "demo",
        "subnets": [{"name": "hosts", "address_prefix": "10.60.1.0/24"}],
    })  # fmt: skip
    made = run(shell_azure, group, deployment="demo")
    assert not made["failed"], made
    machines.commands = 0
    return group


def keys(azure, group, path, check=False, **more):
    return azure.run("host_keys", {"resource_group": group, "deployment": "demo", "known_hosts": str(path), **more}, check=check)


def searched(path, alias):
    """What OpenSSH itself finds for a name."""
    done = subprocess.run(["ssh-keygen", "-F", alias, "-f", str(path)], capture_output=True, text=True, check=False)
    return [line for line in done.stdout.splitlines() if not line.startswith("#")]


def test_life_of_a_known_hosts_file(shell_azure, machines, hosts, tmp_path):
    azure, path = shell_azure, tmp_path / "state" / "known_hosts"
    missing = azure.run("host_keys", {"resource_group": hosts})
    assert missing["msg"] == "missing required arguments: known_hosts"

    checked = keys(azure, hosts, path, check=True)
    assert checked["changed"] and machines.commands == 0 and not path.exists()
    assert checked["diff"]["after"].count("its keys are read in the real run") == 3
    assert [host["lines"] for host in checked["hosts"]] == [[], [], []]

    made = keys(azure, hosts, path)
    assert made["changed"] and machines.commands == 3, made
    assert stat.S_IMODE(path.stat().st_mode) == 0o600 and stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [(host["name"], host["alias"]) for host in made["hosts"]] == [(f"web-{n}", f"web-{n}.{hosts}") for n in (1, 2, 3)]
    for number in (1, 2, 3):
        public = [file.read_text().split()[:2] for file in sorted(machines.ssh_folder(f"/web-{number}").glob("*.pub"))]
        assert sorted(line.split()[1:3] for line in searched(path, f"web-{number}.{hosts}")) == sorted(public)

    again = keys(azure, hosts, path)
    assert not again["changed"] and machines.commands == 3 and again["hosts"] == made["hosts"]

    path.write_text(OTHERS + path.read_text())
    state(azure, hosts, "absent", names=["web-2"], deployment="demo")
    gone = keys(azure, hosts, path)
    assert gone["changed"] and searched(path, f"web-2.{hosts}") == [] and path.read_text().startswith(OTHERS)
    run(azure, hosts, deployment="demo")
    remade = keys(azure, hosts, path)
    assert remade["changed"] and machines.commands == 4
    assert remade["hosts"][0] == made["hosts"][0] and remade["hosts"][1]["lines"] != made["hosts"][1]["lines"]

    state(azure, hosts, "absent", deployment="demo")
    assert keys(azure, hosts, path)["changed"] and path.read_text() == OTHERS
    assert os.listdir(path.parent) == ["known_hosts"]


def test_hosts_that_cannot_be_asked_are_named_and_the_others_written(shell_azure, machines, hosts, tmp_path):
    path = tmp_path / "known_hosts"
    state(shell_azure, hosts, "deallocated", names=["web-2"], deployment="demo")
    for file in machines.ssh_folder("/web-3").glob("*.pub"):
        file.unlink()
    failed = keys(shell_azure, hosts, path)
    assert failed["msg"] == (
        "Host web-2 is not running (deallocated), so its SSH keys cannot be read: start it (dockhost.azure.host_group with state=started) and "
        "run again. The SSH keys of host web-3 could not be read: it has no SSH host keys yet (/etc/ssh/ssh_host_*_key.pub). Check that "
        "its agent (walinuxagent) runs and that it has booted, and run again."
    )
    assert len(searched(path, f"web-1.{hosts}")) == 2 and searched(path, f"web-2.{hosts}") == []


def test_a_host_that_is_switched_off_can_be_left_out(shell_azure, machines, hosts, tmp_path):
    path = tmp_path / "known_hosts"
    state(shell_azure, hosts, "deallocated", names=["web-2"], deployment="demo")
    done = keys(shell_azure, hosts, path, not_running="warn")
    assert done["changed"] and ["Host web-2 is not running (deallocated)" in str(warning) for warning in done["warnings"]] == [True]
    assert len(searched(path, f"web-1.{hosts}")) == 2 and searched(path, f"web-2.{hosts}") == []


def test_a_host_without_an_agent(azure, group, tmp_path):
    azure.run("network", {
        "resource_group": group, "location": "westeurope", "name": "net", "address_prefixes": ["10.60.0.0/16"],
        "subnets": [{"name": "hosts", "address_prefix": "10.60.1.0/24"}],
    })  # fmt: skip
    run(azure, group, count=1)
    failed = azure.run("host_keys", {"resource_group": group, "known_hosts": str(tmp_path / "known_hosts")})
    assert failed["msg"].startswith(
        "The SSH keys of host web-1 could not be read: Azure could not run a command there: VMAgentStatusCommunicationError: "
    )
    assert failed["msg"].endswith("Check that its agent (walinuxagent) runs and that it has booted, and run again.")


def test_a_folder_is_no_file(azure, group, tmp_path):
    refused = azure.run("host_keys", {"resource_group": group, "known_hosts": str(tmp_path)})
    assert refused["msg"] == f"known_hosts: '{tmp_path}' is a directory: give the path of a file."
