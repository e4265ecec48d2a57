# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A lab whose CustomScript really runs, in a shell of this machine and below a directory of the test."""

from __future__ import annotations

import asyncio
import subprocess

from azlab.machines.driver import CommandResult
from azlab.machines.none import NoMachines

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFSSdwXM3ItvMNHN3qPpwS4nNT8sZNtNnHn9yLzHYzXt demo"
CUSTOM_SCRIPT = {"publisher": "Microsoft.Azure.Extensions", "type": "CustomScript", "version": "2.1"}


class LocalShell(NoMachines):
    """Commands of CustomScript, with their absolute paths below a directory."""

    def __init__(self, root):
        super().__init__()
        self.root = root
        self.ran = []

    async def run_command(self, machine_id, script, timeout):
        self.ran.append(machine_id.rsplit("/", 1)[-1])
        for directory in ("/var/lib/waagent", "/var/log/azure"):
            script = script.replace(directory, "{0}/{1}{2}".format(self.root, self.ran[-1], directory))
        done = await asyncio.to_thread(subprocess.run, ["/bin/sh", "-c", script], capture_output=True, text=True, timeout=30)
        return CommandResult(done.returncode, done.stdout, done.stderr)


def make_hosts(azure, group, image="Debian:debian-13:13-gen2:latest", count=2, name="web", **more):
    """A network and some hosts in it."""
    made = azure.run("network", {
        "resource_group": group, "location": "westeurope", "name": "net", "address_prefixes": ["10.60.0.0/16"],
        "subnets": [{"name": "hosts", "address_prefix": "10.60.1.0/24"}],
    })  # fmt: skip
    assert not made["failed"], made
    made = azure.run("host_group", {
        "resource_group": group, "name": name, "count": count, "size": "Standard_D2s_v5", "image": image, "ssh_public_keys": [KEY],
        "subnet": {"network": "net", "name": "hosts"}, **more,
    })  # fmt: skip
    assert not made["failed"], made
    return [host["name"] for host in made["hosts"]]


class Recorder(NoMachines):
    """Keeps the scripts and runs none of them: what sets up Docker must not run on the machine of the tests."""

    def __init__(self):
        super().__init__()
        self.scripts = []
        self.answer = CommandResult(0, "done", "")

    async def run_command(self, machine_id, script, timeout):
        self.scripts.append(script)
        return self.answer
