# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rolling upgrade of a swarm's engines, with packages that really are newer, while a client asks a service all the time."""

from __future__ import annotations

import json
import re

import pytest
import yaml
from deployment import Deployment, Run

pytestmark = pytest.mark.machines

HOSTS = ("up-1", "up-2", "up-3")
IMAGE = "docker.io/library/haproxy:3.0"
ANSWER = "printf 'defaults\\n mode http\\nfrontend f\\n bind *:80\\n http-request return status 200\\n' >/tmp/c && exec haproxy -db -f /tmp/c"

# The distribution's own package of the engine once more, with a higher version, in a repository on the host.
REPACK = r"""
set -e
mkdir -p /srv/newer && cd /srv/newer && apt-get -q update >/dev/null && apt-get -q download docker.io >/dev/null
dpkg-deb -R docker.io_*.deb tree && rm docker.io_*.deb
sed -i 's/^Version: .*/&99/' tree/DEBIAN/control
printf '\n# repacked\n' >>tree/usr/share/doc/docker.io/copyright
cp --remove-destination tree/usr/sbin/dockerd tree/usr/sbin/dockerd.new && mv tree/usr/sbin/dockerd.new tree/usr/sbin/dockerd
dpkg-deb -Zgzip -z1 -b tree . >/dev/null && rm -r tree
printf 'Package: docker.io\nVersion: %s\nArchitecture: %s\nMaintainer: x\nDepends: %s\nFilename: ./%s\nSize: %s\nSHA256: %s\nDescription: x\n' \
  "$(dpkg-deb -f *.deb Version)" "$(dpkg-deb -f *.deb Architecture)" "$(dpkg-deb -f *.deb Depends)" "$(ls *.deb)" \
  "$(stat -c %s *.deb)" "$(sha256sum *.deb | cut -d' ' -f1)" >Packages
echo 'deb [trusted=yes] file:/srv/newer ./' >/etc/apt/sources.list.d/newer.list
"""

# Asks the service at one host after the other; only when none answers, a request has failed.
CLIENT = r"""
import sys, time, urllib.request
good = bad = 0
while True:
    for address in sys.argv[1:]:
        try:
            urllib.request.urlopen(f"http://{address}:8080/", timeout=1).read()
            good += 1
            break
        except OSError:
            continue
    else:
        bad += 1
    with open("/run/client.txt", "w") as file:
        file.write(f"{good} {bad}")
    time.sleep(0.1)
"""


class Fleet(Deployment):
    """Three managers."""

    def docker(self, entry: str, *more: str, hosts: str = "all", check: bool = True) -> Run:
        """One entry point of role docker (or role swarm), host by host for the upgrade."""
        role, _sep, tasks_from = entry.partition("/")
        include = {"ansible.builtin.include_role": {"name": f"dockhost.azure.{role}", "tasks_from": tasks_from or "main"}}
        play = {"hosts": hosts, "gather_facts": False, "become": True, "tasks": [include]}
        if tasks_from == "upgrade":
            play.update(serial=1, max_fail_percentage=0)
        path = self.folder / f"{role}-{tasks_from}.yml"
        path.write_text(yaml.safe_dump([play]))
        done = self.command("ansible-playbook", "-i", str(self.inventory), str(path), *more, check=check)
        return Run(done.returncode, done.stdout + done.stderr)

    def nodes(self) -> dict[str, str]:
        said = self.on("up-1", "docker node ls --format '{% raw %}{{.Hostname}} {{.Availability}}{% endraw %}'")
        return dict(line.split() for line in said.splitlines() if line)

    def engines(self) -> set[str]:
        """The versions of the package, and whether the running daemon is the one on the disk."""
        return {self.on(host, "dpkg-query -W -f '${Version}' docker.io; readlink /proc/$(systemctl show -P MainPID docker)/exe").strip() for host in HOSTS}


@pytest.fixture(scope="module")
def fleet(tmp_path_factory):
    made = Fleet(tmp_path_factory.mktemp("upgrade"), "up")
    made.variables.update(deployment_hosts=3, deployment_managers=3, docker_buildx=False, docker_compose=False)
    with made.running():
        made.play("provision")
        made.docker("docker")
        made.docker("swarm")
        yield made


def play_order(output: str) -> list[str]:
    return re.findall(r"TASK \[dockhost.azure.docker : Drain the host\] \*+\nchanged: \[(\S+?)[ \]]", output)


def test_nothing_newer_drains_nobody(fleet):
    run = fleet.docker("docker/upgrade")
    assert run.changed == dict.fromkeys(HOSTS, 0) and play_order(run.output) == [], run.output


def test_rolling_upgrade_while_a_client_asks(fleet):
    fleet.on("up-1", "docker service create -q --name web --replicas 2 --endpoint-mode dnsrr --publish mode=host,published=8080,target=80 "
             f"--update-order start-first {IMAGE} sh -c \"{ANSWER}\"")  # fmt: skip
    addresses = [fleet.facts(host)["dockhost_private_address"] for host in HOSTS]
    fleet.on("up-1", f"cat >/run/client.py <<'END'\n{CLIENT}\nEND\nsystemd-run -q --unit client python3 /run/client.py {' '.join(addresses)}")
    before = fleet.engines()
    for host in HOSTS:
        fleet.on(host, REPACK)
    told = fleet.docker("docker/upgrade", "--check", "--diff").output
    assert "+docker.io " in told and '99\n' in told and "+Availability: drain" in told.replace("    ", ""), told
    run = fleet.docker("docker/upgrade", "-e", '{"docker_daemon_options": {"labels": ["new=yes"]}}')
    assert play_order(run.output) == list(HOSTS), run.output
    after = fleet.engines()
    assert len(before) == len(after) == 1 and before != after and after.pop().split("/")[0].endswith("99")
    assert fleet.nodes() == dict.fromkeys(HOSTS, "Active")
    good, bad = map(int, fleet.on("up-1", "cat /run/client.txt").split())
    print(f"requests during the upgrade: {good} answered, {bad} failed")
    assert good > 50 and bad == 0
    assert fleet.on("up-1", "docker service ls --format '{% raw %}{{.Replicas}}{% endraw %}'").strip() == "2/2"
    again = fleet.docker("docker/upgrade", "-e", '{"docker_daemon_options": {"labels": ["new=yes"]}}')
    assert again.changed == dict.fromkeys(HOSTS, 0), again.output


def test_an_upgrade_that_would_cost_the_majority_is_refused(fleet):
    fleet.on("up-3", "systemctl stop docker.socket docker")
    run = fleet.docker("docker/upgrade", "--limit", "up-1", "-e", "docker_log_driver=local", check=False)
    assert run.status != 0 and "stopping up-1 would leave 1 of 3 managers reachable; a majority needs 2" in " ".join(run.output.split()), run.output
    fleet.on("up-3", "systemctl start docker")
    assert json.loads(fleet.on("up-1", "cat /etc/docker/daemon.json"))["log-driver"] == "json-file"


def test_back_to_the_older_version_only_when_asked(fleet):
    old = fleet.on("up-1", "apt-cache madison docker.io | awk -F'|' '{print $2}' | grep -v '99 *$' | head -1").strip()
    refused = fleet.docker("docker", "--limit", "up-3", "-e", f"docker_version={old}", check=False)
    assert refused.status != 0 and "docker_allow_downgrade: true" in " ".join(refused.output.split())
    fleet.docker("docker", "--limit", "up-3", "-e", f"docker_version={old}", "-e", "docker_allow_downgrade=true", "-e", "docker_hold=true")
    assert fleet.on("up-3", "dpkg-query -W -f '${Version} ${db:Status-Want}' docker.io").strip() == f"{old} hold"
    # A held version is left alone by apt, and taken by an upgrade that names it.
    assert fleet.on("up-3", "apt-get -s -q upgrade | grep '^Inst docker.io ' || true").strip() == ""
