# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab as its users have it, beside another one: ARM requests reach real machines, it is killed, its leftovers are found.

The tests build on each other, in their order: one lab for all of them.
"""
from __future__ import annotations

import base64
import ipaddress
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docker
import pytest
from machine_lab import Lab, machine_id, until

from azlab import testing
from azlab.machines.docker import disks, leftovers, names
from azlab.settings import load
from labgroup import COMPUTE, NET, Group, vm_body

pytestmark = pytest.mark.machines
NAME = f"proc{os.getpid()}"
VM = f"{COMPUTE}/virtualMachines/m"
COMMAND = f"{VM}/runCommands/c"
LUN = "/dev/disk/azure/scsi1/lun0"

NSG = {"location": "westeurope", "properties": {"securityRules": [{"name": "ssh", "properties": {
    "priority": 100, "direction": "Inbound", "access": "Allow", "protocol": "Tcp", "sourceAddressPrefix": "*", "sourcePortRange": "*",
    "destinationAddressPrefix": "*", "destinationPortRange": "22"}}]}}


class Process:
    """`azlab` in processes of its own, and requests to its lab."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self.env = {**{k: v for k, v in os.environ.items() if not k.startswith("AZ")}, "AZLAB_HOME": str(base), "AZLAB_NAME": NAME}

    def cli(self, *arguments: str) -> str:
        done = subprocess.run([sys.executable, "-m", "azlab.cli", *arguments], env=self.env, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done
        return done.stdout

    def up(self, *arguments: str) -> None:
        self.cli("up", "--machines", "docker", "--quiet", *arguments)
        settings = load(NAME, self.base)
        assert settings is not None
        self.settings = settings
        admin = testing.AdminClient(settings.admin_port)
        self.azure = testing.RunningLab(settings, {}, settings.home / "ca.pem", settings.url, admin)

    def kill(self) -> None:
        os.kill(self.settings.pid, signal.SIGKILL)
        until(5, lambda: not Path(f"/proc/{self.settings.pid}/exe").exists(), "the server is gone")

    def left(self) -> list[leftovers.Leftover]:
        client = docker.from_env()
        try:
            return leftovers.find(client, NAME)
        finally:
            client.close()

    def in_machine(self, group: Group, script: str) -> int:
        """The exit code of a command in machine `m`, past azlab."""
        client = docker.from_env()
        try:
            container = client.containers.get(names.machine(NAME, group.id(VM)))
            return int(container.exec_run(["/bin/sh", "-c", script]).exit_code or 0)
        finally:
            client.close()


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory, lab: Lab) -> Iterator[Process]:
    """A running lab, beside the one of the other tests."""
    made = Process(tmp_path_factory.mktemp("process"))
    try:
        made.up()
        yield made
    finally:
        subprocess.run([sys.executable, "-m", "azlab.cli", "down"], env=made.env, capture_output=True, timeout=300)
        subprocess.run([sys.executable, "-m", "azlab.cli", "down", "--orphans"], env=made.env, capture_output=True, timeout=300)


@pytest.fixture(scope="module")
def group(process: Process) -> Group:
    """A machine `m` with a public address that lets SSH in, and a data disk."""
    made = Group(process.azure, "g")
    made.put(f"{NET}/networkSecurityGroups/nsg", NSG["properties"])
    subnet = made.vnet(prefix="10.61.0.0/16", networkSecurityGroup={"id": made.id(f"{NET}/networkSecurityGroups/nsg")})
    nic = made.nic("n", subnet, publicIPAddress={"id": made.address()["id"]})
    storage = vm_body("m", nic["id"])["properties"]["storageProfile"]
    storage["dataDisks"] = [{"lun": 0, "createOption": "Empty", "diskSizeGB": 1, "name": "d"}]
    finished(made, "PUT", VM, vm_body("m", nic["id"], storageProfile=storage))
    return made


def ended(group: Group, headers: dict[str, str]) -> dict[str, Any]:
    """An operation when it has ended; also after a new start of the lab, which has another port."""
    path = "/subscriptions/" + headers["azure-asyncoperation"].split("/subscriptions/", 1)[1]
    until(120, lambda: group.azure.arm("GET", path)[1]["status"] != "InProgress", "the operation has ended")
    return dict(group.azure.arm("GET", path)[1])


def finished(group: Group, method: str, path: str, body: Any = None) -> dict[str, Any]:
    status, answer, headers = group.call(method, path, body)
    assert status < 300, answer
    return ended(group, headers) if "azure-asyncoperation" in headers else {}


def view(group: Group, path: str) -> dict[str, Any]:
    return dict(group.call("GET", f"{path}?$expand=instanceView")[1]["properties"]["instanceView"])


def run(group: Group, script: str, name: str = "m") -> str:
    """The output of a script in a machine, by the action runCommand."""
    done = finished(group, "POST", f"{COMPUTE}/virtualMachines/{name}/runCommand", {"commandId": "RunShellScript", "script": [script]})
    return str(done["properties"]["output"]["value"][0]["message"]).split("[stdout]\n")[1].split("\n[stderr]")[0]


def command(script: str, **more: Any) -> dict[str, Any]:
    return {"location": "westeurope", "properties": {"source": {"script": script}, **more}}


def test_two_labs_side_by_side_do_not_meet(process: Process, group: Group, lab: Lab) -> None:
    mine = ipaddress.IPv4Network(process.settings.public_range)
    assert not mine.overlaps(ipaddress.IPv4Network(lab.config.public_range))
    lab.run(1, "ip addr show eth0 | grep -q 10.61.0.4 && echo here > /root/which")     # both labs have a machine 10.61.0.4
    assert "10.61.0.4" in run(group, "hostname -I; ls /root")
    assert "which" not in run(group, "ls /root") and lab.run(1, "cat /root/which").stdout == "here\n"
    address = group.call("GET", f"{NET}/publicIPAddresses/ip")[1]["properties"]["ipAddress"]
    with socket.create_connection((address, 22), 5) as connection:
        assert connection.recv(20).startswith(b"SSH-2.0")


def test_labs_that_start_together_choose_ranges_of_their_own(tmp_path: Path) -> None:
    labs = [f"{NAME}-{number}" for number in (1, 2)]
    both = [Process(tmp_path / name) for name in labs]
    for process, name in zip(both, labs, strict=True):
        process.env["AZLAB_NAME"] = name
    try:
        started = [subprocess.Popen([sys.executable, "-m", "azlab.cli", "up", "--machines", "docker", "--quiet"], env=process.env,
                                    stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) for process in both]
        said = [process.communicate(timeout=300)[0] for process in started]
        assert [process.returncode for process in started] == [0, 0], said
        ranges = [load(name, process.base) for name, process in zip(labs, both, strict=True)]
        assert len({settings.public_range for settings in ranges if settings}) == 2
    finally:
        for process in both:
            process.cli("down")


def test_scripts_run_in_the_machine_and_their_end_is_in_the_instance_view(group: Group) -> None:
    finished(group, "PUT", COMMAND, command("id -un; hostname; echo $who >&2; exit 4", parameters=[{"name": "who", "value": "me"}]))
    seen = view(group, COMMAND)
    assert (seen["executionState"], seen["exitCode"], seen["output"], seen["error"]) == ("Failed", 4, "root\nm\n", "me\n")
    finished(group, "PUT", COMMAND, command("id -un; echo $1", runAsUser="azureuser", parameters=[{"value": "word"}]))
    assert view(group, COMMAND)["output"] == "azureuser\nword\n"
    finished(group, "PUT", COMMAND, command("true", runAsUser="nobody-here"))
    assert view(group, COMMAND)["executionState"] == "Failed"
    script = base64.b64encode(b"#!/bin/sh\nhostname; echo why >&2; exit 5\n").decode()
    done = finished(group, "PUT", f"{VM}/extensions/e", {"location": "westeurope", "properties": {
        "publisher": "Microsoft.Azure.Extensions", "type": "CustomScript", "typeHandlerVersion": "2.1", "settings": {"script": script}}})
    assert done["error"]["code"] == "VMExtensionProvisioningError"
    assert "exit status=5\n[stdout]\nm\n\n[stderr]\nwhy\n" in view(group, f"{VM}/extensions/e")["statuses"][0]["message"]


def test_a_data_disk_moves_to_another_machine_by_requests(group: Group) -> None:
    run(group, f"mkfs.ext4 -q {LUN} && mount {LUN} /mnt && echo kept > /mnt/file && umount /mnt")
    finished(group, "PATCH", VM, {"properties": {"storageProfile": {"dataDisks": []}}})
    assert run(group, f"ls {LUN} 2>&1").endswith("No such file or directory\n")
    finished(group, "POST", f"{VM}/deallocate")
    disk = group.id(f"{COMPUTE}/disks/d")
    attach = {"properties": {"storageProfile": {"dataDisks": [{"lun": 0, "createOption": "Attach", "managedDisk": {"id": disk}}]}}}
    finished(group, "PATCH", VM, attach)
    finished(group, "POST", f"{VM}/start")
    assert run(group, f"mount {LUN} /mnt && cat /mnt/file; umount /mnt") == "kept\n"


def test_the_controller_talks_to_nobody_outside(process: Process, group: Group) -> None:
    allowed = (ipaddress.IPv4Network("127.0.0.0/8"), ipaddress.IPv4Network(process.settings.public_range))
    peers = set()
    with socket.create_connection(("127.0.0.1", process.settings.port)):       # one that is there whenever it is looked at
        for number in range(20):
            _, _, headers = group.call("PUT", f"{NET}/networkSecurityGroups/nsg", NSG | {"tags": {"n": str(number)}})
            shown = subprocess.run(["ss", "-Htnp"], capture_output=True, text=True, check=True).stdout.splitlines()
            mine = [line.split()[4] for line in shown if f"pid={process.settings.pid}," in line]
            peers |= {ipaddress.ip_address(peer.rpartition(":")[0].strip("[]")) for peer in mine}
            ended(group, headers)
    assert peers and all(any(peer in network for network in allowed) for peer in peers), peers
    unused = str(ipaddress.IPv4Network(process.settings.public_range)[40])
    with pytest.raises(OSError, match="No route to host|timed out"):        # no machine has it: the packet stays on the lab's bridge
        socket.create_connection((unused, 80), 5)
    route = json.loads(subprocess.run(["ip", "-json", "route", "get", unused], capture_output=True, text=True, check=True).stdout)
    assert route[0]["dev"].startswith("br-") and "gateway" not in route[0]


def test_a_machine_that_does_not_come_up(process: Process, group: Group) -> None:
    subnet = group.id(f"{NET}/virtualNetworks/vnet/subnets/hosts")
    process.cli("conditions", "provisioning_timeout=3")
    profile = vm_body("late", "")["properties"]["osProfile"]
    profile["customData"] = base64.b64encode(b"#cloud-config\nbootcmd: [sleep 300]\n").decode()
    done = finished(group, "PUT", f"{COMPUTE}/virtualMachines/late", vm_body("late", group.nic("l", subnet)["id"], osProfile=profile))
    process.cli("conditions", "provisioning_timeout=1200")
    assert done["error"]["code"] == "OSProvisioningTimedOut"
    seen = group.call("GET", f"{COMPUTE}/virtualMachines/late/instanceView")[1]
    assert [s["code"] for s in seen["statuses"]] == ["ProvisioningState/failed/OSProvisioningTimedOut", "PowerState/running"]
    assert seen["vmAgent"]["statuses"][0]["displayStatus"] == "Not Ready"
    finished(group, "DELETE", f"{COMPUTE}/virtualMachines/late")


def test_operations_in_flight_go_on_or_fail_when_the_lab_was_killed(process: Process, group: Group) -> None:
    subnet, count = group.id(f"{NET}/virtualNetworks/vnet/subnets/hosts"), len(process.left())
    _, _, running = group.call("PUT", COMMAND, command("echo run >> /root/runs; until [ -e /root/go ]; do sleep 0.1; done"))
    _, _, made = group.call("PUT", f"{COMPUTE}/virtualMachines/o", vm_body("o", group.nic("no", subnet)["id"]))
    until(60, lambda: len(process.left()) > count, "the container of the new machine is there")
    until(60, lambda: process.in_machine(group, "test -e /root/runs") == 0, "the script has begun")
    process.kill()
    before = [item.name for item in process.left() if item.use == "machine"]
    assert len(before) == 2
    process.up()
    group.azure = process.azure
    assert ended(group, made)["status"] == "Succeeded"
    assert ended(group, running)["error"]["code"] == "OperationInterrupted"
    assert view(group, COMMAND)["executionState"] == "Unknown"
    assert run(group, "hostname", "o") == "o\n"
    assert run(group, "touch /root/go; cat /root/runs") == "run\n"
    assert [item.name for item in process.left() if item.use == "machine"] == before


def test_what_no_resource_knows_is_removed_at_the_next_start(process: Process, group: Group) -> None:
    process.kill()
    with sqlite3.connect(process.settings.home / "state.sqlite") as state:
        gone = state.execute("DELETE FROM resources WHERE lid LIKE '%/virtualmachines/o' OR lid LIKE '%/disks/o-osdisk'")
    assert gone.rowcount == 2
    process.up()
    group.azure = process.azure
    assert [item.use for item in process.left()].count("machine") == 1
    assert run(group, "hostname") == "m\n"


def test_what_a_lab_left_whose_state_is_gone_is_found_and_removed(process: Process, group: Group, lab: Lab) -> None:
    assert any(owner == NAME for owner, _file in disks.in_kernel().values())
    process.kill()
    shutil.rmtree(process.settings.home)
    assert f"lab '{NAME}' whose state is gone: azlab doctor --fix" in process.cli("doctor")
    assert f"of the lab '{NAME}', whose state is gone" in process.cli("doctor", "--fix")
    assert process.left() == []
    notes = [line for line in process.cli("doctor").splitlines() if line.startswith("note:")]
    assert not any(f"'{name}'" in note for note in notes for name in (NAME, lab.config.name))
    assert lab.run(1, "true").exit_code == 0 and lab.do(lab.driver.machine_state(machine_id(1))) == "running"
