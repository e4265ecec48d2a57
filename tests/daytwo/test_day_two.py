# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbooks for the days after the first, in turn on one deployment of three hosts; what counts is seen from outside."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
import urllib.request

import pytest
from deployment import Deployment
from polling import eventually, polled

pytestmark = pytest.mark.machines

HOSTS = ("day-1", "day-2", "day-3")
# A proxy that answers by itself, on every host, and a service with replicas that can move.
SERVICES = r"""
(echo defaults; echo ' mode http'; echo ' timeout client 5s'; echo ' timeout server 5s'; echo ' timeout connect 2s'
  echo frontend f; echo ' bind :8080'; echo ' http-request return status 200 content-type text/plain string up') | docker config create haproxy - >/dev/null
options="--mode global --publish mode=host,published=80,target=8080 --config source=haproxy,target=/usr/local/etc/haproxy/haproxy.cfg"
docker service create -q -d --name shop_edge --label dockhost.probe=http:/ $options docker.io/library/haproxy:3.0
docker service create -q -d --name shop_cache --replicas 2 docker.io/library/redis:8.0
"""
# A package repository on the host itself, with a newer version of a package that is installed; BROKEN makes its installation fail.
CANARY = r"""
set -e; mkdir -p /srv/canary; cd /srv/canary
make() { mkdir -p c$1/DEBIAN
  printf "Package: dockhost-canary\nVersion: $1\nArchitecture: all\nMaintainer: t <t@example.com>\nDescription: to be upgraded\n" > c$1/DEBIAN/control
  printf '#!/bin/sh\ntest ! -e /srv/canary/broken\n' > c$1/DEBIAN/preinst; chmod 755 c$1/DEBIAN/preinst; dpkg-deb -b c$1 c$1.deb >/dev/null; }
make 1.0; make 2.0; dpkg -i c1.0.deb >/dev/null
(cat c2.0/DEBIAN/control; echo "Filename: ./c2.0.deb"; echo "Size: $(stat -c %s c2.0.deb)"; echo "SHA256: $(sha256sum c2.0.deb | cut -d' ' -f1)") > Packages
echo "deb [trusted=yes] file:/srv/canary ./" > /etc/apt/sources.list.d/canary.list
"""


class Days(Deployment):
    """A deployment that lives on."""

    def nodes(self) -> dict[str, str]:
        """Hostname to state and availability, as the swarm says."""
        lines = self.on("day-1", "docker node ls --format '{% raw %}{{.Hostname}} {{.Status}} {{.Availability}}{% endraw %}'").split("\n")
        return {words[0]: " ".join(words[1:]) for words in map(str.split, lines) if words}

    def canaries(self) -> dict[str, str]:
        """Host to the version of the package that is there."""
        found = {}
        for host in HOSTS:
            found[host] = self.on(host, "dpkg-query -W -f '${Version}' dockhost-canary").strip()
        return found

    def page(self) -> str:
        return (self.folder / "status.html").read_text()

    def front(self, timeout: float = 3) -> str:
        with urllib.request.urlopen("http://" + self.address + "/", timeout=timeout) as answer:
            return answer.read().decode()

    def polled(self):
        """Somebody who asks the load balancer all the time; how many requests were answered, and how many failed."""
        return polled(lambda: self.front() == "up")

    def switch_off(self, host: str) -> None:
        """Power a machine off, as somebody does in the portal."""
        off = {"resource_group": "rg-day", "deployment": "day", "name": "day", "state": "stopped", "names": [host]}
        play = self.folder / "off.yml"
        play.write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": [{"dockhost.azure.host_group": off}]}]))
        self.command("ansible-playbook", "-i", str(self.inventory), str(play))

    def container(self, host: str) -> str:
        """The machine as the lab has it, for what cannot be done over SSH."""
        return self.command("docker", "ps", "-q", "--filter", f"label=azlab.lab={self.lab}", "--filter", f"label=azlab.name={host}").stdout.strip()

    def drift(self, *more: str) -> tuple[int, dict]:
        file = self.folder / "drift.json"
        run = self.play("drift", "-e", f"drift_file={file}", *more, check=False)
        return run.status, json.loads(file.read_text())


@pytest.fixture(scope="module")
def days(tmp_path_factory):
    made = Days(tmp_path_factory.mktemp("day"), "day")
    made.variables.update(deployment_hosts=2, docker_buildx=False, docker_compose=False)
    with made.running():
        made.play("provision")
        made.play("swarm")
        made.on("day-1", SERVICES)
        yield made


def test_scaling_up_that_was_killed_is_run_again(days):
    words = ("-e", "scale_workers=2", "-e", f"status_page={days.folder}/status.html")
    command = ["ansible-playbook", "-i", str(days.inventory), "dockhost.azure.scale", *words]
    process = subprocess.Popen(command, env=days.env, stdout=subprocess.PIPE, text=True, cwd=days.folder, start_new_session=True)
    for line in process.stdout:
        if "Provide the resource group" in line:  # the check before is over: now it is done
            break
    time.sleep(8)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    run = days.play("scale", *words)
    assert days.nodes() == dict.fromkeys(HOSTS, "Ready Active")
    assert "write deployment_hosts 3 and deployment_managers 1 there" in " ".join(run.output.split())
    days.variables["deployment_hosts"] = 3
    days.write_inventory()


def test_the_load_balancer_follows_and_the_page_shows_it(days):
    report = (days.folder / "state" / "day" / "report.txt").read_text()
    days.address = re.search(r"http://([0-9.]+)/", report)[1]
    assert days.front() == "up" and "Health: All is well." in report
    page = days.page()
    assert all(f">{host}<" in page for host in HOSTS) and "shop_edge on 3 of 3 hosts" in page and "All is well." in page


def test_nothing_differs_and_then_something_does(days):
    status, told = days.drift()
    assert (status, told["state"], told["differences"]) == (0, "none", [])
    days.on("day-1", "docker node update --label-rm dockhost.zone day-2")
    days.on("day-3", "sed -i s/json-file/local/ /etc/docker/daemon.json")
    status, told = days.drift()
    assert status == 2 and told["state"] == "drift"
    assert {(one["where"], one["host"]) for one in told["differences"]} == {("swarm", ""), ("engine", "day-3")}, told
    days.on("day-1", "docker node update --label-add dockhost.zone=2 day-2")
    days.on("day-3", "sed -i s/local/json-file/ /etc/docker/daemon.json")


def test_the_first_host_that_fails_ends_the_upgrade(days):
    days.on("all", CANARY)
    days.on("day-3", "touch /srv/canary/broken")
    # day-2 is upgraded before day-3, and day-1, the manager, is never reached.
    run = days.play("upgrade", "-e", "upgrade_pause=0", "-e", "upgrade_timeout=120", check=False)
    assert run.status != 0 and re.search(r"day-3\s+was\s+not\s+upgraded,\s+and\s+the\s+hosts\s+after\s+it\s+\(day-1\)", run.output)
    assert days.canaries() == {"day-1": "1.0", "day-2": "2.0", "day-3": "1.0"}
    assert days.nodes() == {"day-1": "Ready Active", "day-2": "Ready Active", "day-3": "Ready Drain"}


def test_the_upgrade_goes_on_where_it_ended_and_restarts_hosts(days):
    days.on("day-3", "rm /srv/canary/broken; touch /run/reboot-required")
    before = days.on("day-3", "cut -d' ' -f22 /proc/1/stat")
    run = days.play("upgrade", "-e", "upgrade_pause=12", "-e", "upgrade_timeout=120")
    told = re.search(r"(\d+) requests to the application during the upgrade, (\d+) of them", " ".join(run.output.split()))
    print("requests and failures:", told.groups())
    assert int(told[1]) > 20 and int(told[2]) == 0
    assert set(days.canaries().values()) == {"2.0"}
    assert days.on("day-3", "cut -d' ' -f22 /proc/1/stat") != before
    assert days.nodes() == dict.fromkeys(HOSTS, "Ready Active")


def test_an_upgrade_with_nothing_to_do_changes_nothing(days):
    run = days.play("upgrade")
    assert set(run.changed.values()) == {0}, run.changed


def test_a_new_ssh_key_opens_all_hosts_and_the_old_one_none(days):
    new = days.folder / "new_ed25519"
    days.command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(new))
    token = days.on("day-1", "docker swarm join-token -q worker")
    rotate = ("-e", "rotate_what=ssh_keys,swarm_tokens", "-e", f"rotate_ssh_public_key_file={new}.pub")
    run = days.play("rotate", *rotate)
    assert "SWMTKN" not in run.output
    days.forget_connections()
    refused = days.command("ansible", "-i", str(days.inventory), "all", "-m", "ansible.builtin.ping", check=False)
    assert refused.stdout.count("UNREACHABLE") == 3 and "Permission denied" in refused.stdout
    # Again with the old key at hand, as after a run that was cut off: nothing to do any more.
    run = days.play("rotate", "-e", "rotate_what=ssh_keys", "-e", f"rotate_ssh_public_key_file={new}.pub")
    assert set(run.changed.values()) == {0}, run.changed
    days.env["ANSIBLE_PRIVATE_KEY_FILE"] = str(new)
    assert days.on("day-1", "docker swarm join-token -q worker") != token


def test_a_key_that_opens_nothing_leaves_the_old_one(days):
    bad = days.folder / "bad_ed25519"
    days.command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(bad))
    # The server refuses it although it is in the list of keys.
    days.on("all", f"echo '{bad.with_suffix('.pub').read_text().strip()}' > /etc/ssh/revoked; "
                   "echo 'RevokedKeys /etc/ssh/revoked' > /etc/ssh/sshd_config.d/revoked.conf; systemctl reload ssh")
    run = days.play("rotate", "-e", "rotate_what=ssh_keys", "-e", f"rotate_ssh_public_key_file={bad}.pub", check=False)
    assert run.status != 0 and re.search(r"The new key does not open day-\d, day-\d, day-\d, so the old one stays", " ".join(run.output.split()))
    days.forget_connections()
    assert days.on("day-2", "echo here").strip() == "here"


def test_lost_workers_are_nodes_again_and_the_service_answers_meanwhile(days):
    """One machine is off, the other one runs and is mute: it is set up anew, with today's SSH key and not with the one it was made with."""
    days.on("day-3", "touch /root/old; systemctl stop docker.socket docker; (sleep 1; systemctl stop ssh.socket ssh) >/dev/null 2>&1 &")
    days.switch_off("day-2")
    lost = {"day-1": "Ready Active", "day-2": "Down Active", "day-3": "Down Active"}
    eventually(lambda: days.nodes() == lost, 60)
    days.forget_connections()
    told = days.play("heal", "-e", "heal_after=3600")
    assert set(told.changed.values()) == {0} and days.front() == "up"
    with days.polled() as count:
        days.play("heal", "-e", "heal_after=0")
    assert count["good"] > 20 and count["bad"] == 0, count
    assert days.nodes() == dict.fromkeys(HOSTS, "Ready Active")
    assert days.on("day-3", "test -e /root/old || echo anew").strip() == "anew"
    keys = [{line.split()[1] for line in days.on(host, "cat ~azureuser/.ssh/authorized_keys").splitlines() if line} for host in ("day-1", "day-3")]
    assert keys[0] == keys[1] and (days.folder / "new_ed25519.pub").read_text().split()[1] in keys[1], keys
    again = days.play("heal", "-e", "heal_after=0")
    assert set(again.changed.values()) == {0} and "All nodes of the swarm are ready." in again.output


@pytest.mark.long
def test_heal_names_a_host_that_it_cannot_sign_in_to(days):
    days.on("day-2", "mv ~azureuser/.ssh/authorized_keys ~azureuser/.ssh/kept")
    days.switch_off("day-2")
    eventually(lambda: days.nodes()["day-2"] == "Down Active", 60)
    days.forget_connections()
    run = days.play("heal", "-e", "heal_after=0", check=False)
    said = " ".join(run.output.split())
    assert run.status and "day-2 was started or set up anew and cannot be signed in to, so it is no part of the swarm again. SSH says:" in said
    assert "Permission denied" in said.partition("SSH says:")[2] and days.front() == "up"
    days.command("docker", "exec", days.container("day-2"), "mv", "/home/azureuser/.ssh/kept", "/home/azureuser/.ssh/authorized_keys")
    days.play("heal", "-e", "heal_after=0")
    assert days.nodes() == dict.fromkeys(HOSTS, "Ready Active")


def test_stopped_hosts_are_not_paid_for_and_answer_again_after_the_start(days):
    days.play("stop")
    with pytest.raises(OSError):
        days.front()
    again = days.play("stop")
    assert set(again.changed.values()) == {0} and again.output.count("deallocated") >= 3
    # From a controller that has nothing of the deployment yet, while no host answers.
    elsewhere = days.folder / "elsewhere"
    days.play("drift", "-e", f"deployment_state_dir={elsewhere}", check=False)
    told = json.loads((elsewhere / "drift.json").read_text())
    assert told["state"] != "none" and all(host in json.dumps(told) for host in HOSTS), told
    days.play("start", "-e", "start_timeout=120")
    assert days.front() == "up"
    assert days.nodes() == dict.fromkeys(HOSTS, "Ready Active")


def test_fewer_workers_leave_the_swarm_before_their_machines_go(days):
    days.play("scale", "-e", "scale_workers=1", "-e", f"status_page={days.folder}/status.html")
    assert days.nodes() == {"day-1": "Ready Active", "day-2": "Ready Active"}
    assert "day-3" not in days.groups()["_meta"]["hostvars"]
    assert days.front() == "up" and "shop_edge on 2 of 2 hosts" in days.page()


def test_a_host_that_is_away_means_that_drift_cannot_be_told(days):
    days.on("day-2", "systemctl stop ssh.service ssh.socket || true")
    days.forget_connections()
    status, told = days.drift("-e", "deployment_hosts=2")
    assert status == 4 and told["state"] == "error" and "day-2 cannot be reached" in " ".join(told["errors"])
