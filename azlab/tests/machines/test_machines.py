# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Machines: boot, identity, commands, power, disks."""
from __future__ import annotations

import time
from dataclasses import replace

import pytest
from machine_lab import CONTROLLER, Lab, machine_id, until

from azlab.machines.docker import create_driver
from azlab.machines.driver import MachineError

pytestmark = pytest.mark.machines


def test_boots_with_what_cloud_init_was_told(lab: Lab) -> None:
    result = lab.run(1, "cat /etc/marker; echo; ls /etc/ran; hostname; systemctl is-system-running; cloud-init status")
    assert result.stdout.splitlines() == ["from custom data", "/etc/ran", "h-1", "running", "status: done"], result
    assert lab.driver.boot_errors[machine_id(1)] == ""


def test_admin_comes_in_with_the_key_only_and_may_use_sudo(lab: Lab) -> None:
    lab.apply(lab.state())
    inside = lab.ssh(1, "id -un; sudo -n id -u; echo $SSH_CONNECTION")
    assert inside.stdout.split()[:2] == ["azureuser", "0"], inside
    assert inside.stdout.split()[2] == CONTROLLER         # the controller's address is kept
    assert lab.run(1, "sshd -T | grep -i ^passwordauthentication").stdout == "passwordauthentication no\n"
    assert lab.run(1, "passwd -S azureuser").stdout.split()[1] == "L"       # locked


def test_each_machine_has_its_own_host_keys_and_machine_id(lab: Lab) -> None:
    seen = [lab.run(i, "cat /etc/ssh/ssh_host_ed25519_key.pub /etc/machine-id").stdout for i in (1, 2, 3)]
    assert all(seen) and len(set(seen)) == 3


def test_run_command_says_how_it_ended(lab: Lab) -> None:
    result = lab.run(1, "echo out; echo err >&2; id -un; exit 3")
    assert (result.exit_code, result.stdout, result.stderr) == (3, "out\nroot\n", "err\n")
    assert lab.run(1, "#!/usr/bin/env python3\nprint(6 * 7)").stdout == "42\n"
    long = lab.run(1, "seq 1 5000").stdout
    assert len(long) == 4096 and long.endswith("5000\n")
    began = time.monotonic()
    assert lab.run(1, "sleep 60", timeout=1).exit_code == 124
    assert time.monotonic() - began < 15
    assert lab.run(1, "ls /var/lib/azlab | grep -v $(basename ${0%/*})").stdout == ""     # scripts may hold secrets: nothing of them stays


def test_the_labs_ca_is_trusted_and_the_hub_is_the_labs_registry(lab: Lab) -> None:
    lab.apply(lab.state())
    assert lab.run(1, "curl -sf https://registry-1.docker.io/v2/_catalog").stdout.startswith('{"repositories"')


def test_power_off_start_restart_keep_the_disk(lab: Lab) -> None:
    lab.run(2, "echo kept > /root/kept; echo gone > /run/gone")
    began = time.monotonic()
    lab.do(lab.driver.power_off(machine_id(2)))
    assert time.monotonic() - began < 10
    assert lab.do(lab.driver.machine_state(machine_id(2))) == "stopped"
    with pytest.raises(MachineError) as caught:
        lab.run(2, "true")
    assert caught.value.code == "VMAgentStatusCommunicationError"
    lab.do(lab.driver.start_machine(machine_id(2)))
    assert lab.run(2, "cat /root/kept; ls /run/gone").stdout == "kept\n"
    before = lab.run(2, "cat /etc/ssh/ssh_host_ed25519_key.pub").stdout
    lab.do(lab.driver.restart(machine_id(2)))
    lab.do(lab.driver.redeploy(machine_id(2)))
    assert lab.run(2, "cat /root/kept /etc/ssh/ssh_host_ed25519_key.pub").stdout == "kept\n" + before
    assert lab.ssh(2, "hostname").stdout.strip() == "h-2"


@pytest.mark.parametrize(("cut", "shut_down"), [(False, True), (True, False)])
def test_services_are_stopped_unless_the_power_is_cut(lab: Lab, cut: bool, shut_down: bool) -> None:
    unit = "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=true\nExecStop=/usr/bin/touch /root/stopped"
    lab.run(2, f"rm -f /root/stopped; printf '{unit}' > /run/systemd/system/witness.service; systemctl daemon-reload; systemctl start witness")
    lab.do(lab.driver.power_off(machine_id(2), cut=cut))
    lab.do(lab.driver.start_machine(machine_id(2)))
    assert (lab.run(2, "test -e /root/stopped").exit_code == 0) is shut_down


def test_a_reboot_from_inside_comes_back(lab: Lab) -> None:
    lab.run(3, "touch /run/before")
    lab.ssh(3, "sudo systemctl reboot")

    def rebooted() -> bool:
        try:
            return lab.run(3, "test ! -e /run/before").exit_code == 0
        except MachineError:
            return False
    until(60, rebooted, "the machine is up again")
    until(60, lambda: lab.ssh(3, "hostname").stdout.strip() == "h-3", "it answers to SSH again")


def test_another_process_takes_up_what_runs(lab: Lab) -> None:
    async def second() -> tuple[str, str]:
        other = create_driver(lab.config)
        try:
            await other.start(lambda line: None)
            await other.apply_network(lab.state())
            return (await other.run_command(machine_id(1), "hostname", 10)).stdout, await other.machine_state(machine_id(1))
        finally:
            await other.close()
    assert lab.do(second()) == ("h-1\n", "running")


def test_a_gateway_that_was_killed_is_made_good_again(lab: Lab) -> None:
    async def second() -> None:
        gateway = next(iter(lab.driver.gateways.known().values()))
        assert lab.driver._engine is not None
        container = lab.driver._engine.client.containers.get(gateway.container_name)
        await lab.driver._engine.call(container.kill)
        other = create_driver(lab.config)
        try:
            await other.start(lambda line: None)
            await other.apply_network(lab.state())
        finally:
            await other.close()
    lab.do(second())
    assert lab.ssh(1, "hostname").stdout.strip() == "h-1"
    lab.apply(lab.state(count=2))
    lab.apply(lab.state())


def test_a_machine_that_does_not_come_up_says_so(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lab.driver, "boot_seconds", 4.0)
    spec = replace(lab.spec(5), custom_data=b"#cloud-config\nbootcmd: [sleep 300]\n")
    try:
        with pytest.raises(MachineError) as caught:
            lab.do(lab.driver.create_machine(spec))
        assert caught.value.code == "OSProvisioningTimedOut"
        assert "'h-5'" in caught.value.message
    finally:
        lab.do(lab.driver.delete_machine(spec.id))


def test_a_machine_that_ends_while_it_boots_says_so(lab: Lab) -> None:
    spec = replace(lab.spec(5), custom_data=b"#cloud-config\nbootcmd: [[systemctl, poweroff, --force, --force]]\n")
    try:
        with pytest.raises(MachineError, match="its system ended while it booted") as caught:
            lab.do(lab.driver.create_machine(spec))
        assert caught.value.code == "OSProvisioningTimedOut" and "allotted time" not in caught.value.message
    finally:
        lab.do(lab.driver.delete_machine(spec.id))


def test_errors_of_cloud_init_are_kept(lab: Lab) -> None:
    spec = replace(lab.spec(5), custom_data=b"#cloud-config\nruncmd: [[/does/not/exist]]\n")
    try:
        lab.do(lab.driver.create_machine(spec))
        assert lab.driver.boot_errors[spec.id]
        assert lab.driver.boot_errors[spec.id] in lab.do(lab.driver.boot_log(spec.id))
    finally:
        lab.do(lab.driver.delete_machine(spec.id))


def test_a_second_lab_on_the_same_range_is_refused_in_one_sentence(lab: Lab) -> None:
    second = create_driver(replace(lab.config, name=lab.config.name + "b"))
    try:
        with pytest.raises(MachineError, match="--public-range"):
            lab.do(second.start(lambda line: None))
    finally:
        lab.do(second.destroy())
        lab.do(second.close())
