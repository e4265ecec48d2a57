# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""host_group with wait_for=docker: the script runs in a real shell, in which each machine has commands of its own."""

from __future__ import annotations

import asyncio
import shutil

import pytest
from azlab.machines.driver import CommandResult
from azlab.machines.none import NoMachines
from azlab.testing import lab

from . import test_host_group
from .conftest import Azure
from .test_host_group import run, state

network = test_host_group.network  # the fixture
TOOLS = ("date", "sleep", "sed", "tail", "cat", "touch", "rm")


class ShellMachines(NoMachines):
    """Machines without a body, whose commands run here: each has a folder of the commands that it knows."""

    def __init__(self, folder):
        super().__init__()
        self.folder = folder

    def has(self, host, command, text):
        """Give a machine a command."""
        place = self.folder / host
        place.mkdir(exist_ok=True)
        (place / command).unlink(missing_ok=True)
        (place / command).write_text("#!/bin/sh\n" + text)
        (place / command).chmod(0o755)

    async def run_command(self, machine_id, script, timeout):
        place = self.folder / machine_id.rsplit("/", 1)[-1]
        place.mkdir(exist_ok=True)
        for tool in TOOLS:
            if not (place / tool).is_symlink():
                (place / tool).symlink_to(shutil.which(tool))
        process = await asyncio.create_subprocess_exec(
            "/bin/sh", "-c", script, env={"PATH": str(place), "HERE": str(place)}, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        out, err = await process.communicate()
        return CommandResult(process.returncode, out.decode(), err.decode())


@pytest.fixture(scope="module")
def machines(tmp_path_factory):
    return ShellMachines(tmp_path_factory.mktemp("machines"))


@pytest.fixture(scope="module")
def azure(machines):
    with lab("wait-for-docker", latency_scale=0, driver=machines) as running:
        yield Azure(running)


def test_what_is_missing_is_named_for_each_host(azure, machines, network):
    machines.has("web-1", "docker", "echo 26.1.5\n")
    machines.has("web-2", "docker", "echo Client: 26.1.5; echo Cannot connect to the Docker daemon. >&2; exit 1\n")
    machines.has("web-2", "cloud-init", "echo 'status: running'\n")
    machines.has("web-3", "cloud-init", "echo 'status: error'\n")
    late = run(azure, network, wait_for="docker", wait_timeout=1)
    assert late["msg"] == (
        "Docker does not answer after 1 seconds on web-2 (the engine does not answer: Cannot connect to the Docker daemon. (cloud-init is still "
        "running)), web-3 (Docker is not installed (cloud-init has failed: see /var/log/cloud-init-output.log)): let custom_data, an extension or the "
        "role dockhost.azure.docker install it (wait_for waits only), look at the log on the host, or give a longer wait_timeout."
    )
    # It comes up while it is waited for.
    machines.has("web-2", "docker", 'if [ -e "$HERE/up" ]; then echo 26.1.5; else touch "$HERE/up"; exit 1; fi\n')
    machines.has("web-3", "docker", "echo 26.1.5\n")
    assert not run(azure, network, wait_for="docker", wait_timeout=20)["failed"]
    assert (machines.folder / "web-2" / "up").exists()
    (machines.folder / "web-2" / "docker").unlink()
    assert not state(azure, network, "stopped", names=["web-2"])["failed"]
    assert not run(azure, network, wait_for="docker", wait_timeout=1)["failed"], "what is switched off is not asked"
    back = state(azure, network, "started", wait_for="docker", wait_timeout=1)
    assert "on web-2 (Docker is not installed" in back["msg"]
