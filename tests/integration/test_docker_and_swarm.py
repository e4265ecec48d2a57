# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Roles docker and swarm on hosts of azlab: what happens to containers, packets and the majority, not what files say."""

from __future__ import annotations

import re

import pytest
import yaml
from deployment import Deployment, Run
from polling import eventually

pytestmark = pytest.mark.machines

HOSTS = ("roles-1", "roles-2", "roles-3")
IMAGE = "docker.io/library/redis:8.0"
HERE = ",".join(HOSTS)


class Fleet(Deployment):
    """Three hosts that are to be managers."""

    def role(self, name: str, *more: str, check: bool = True, tasks_from: str = "main", serial: int = 0) -> Run:
        """Apply one role to the hosts; ``serial``: so many at once."""
        include = {"ansible.builtin.include_role": {"name": f"dockhost.azure.{name}", "tasks_from": tasks_from}}
        play = self.folder / f"{name}-{tasks_from}.yml"
        book = {"hosts": "swarm_manager", "gather_facts": False, "become": True, "tasks": [include], **({"serial": serial} if serial else {})}
        play.write_text(yaml.safe_dump([book]))
        done = self.command("ansible-playbook", "-i", str(self.inventory), str(play), *more, check=check)
        return Run(done.returncode, done.stdout + done.stderr)

    def nodes(self, host: str) -> dict[str, tuple[str, str]]:
        """Hostname -> state and what it is among the managers, as this host sees it."""
        lines = self.on(host, "docker node ls --format '{% raw %}{{.Hostname}} {{.Status}} {{.ManagerStatus}}{% endraw %}'").split("\n")
        return {words[0]: (words[1], " ".join(words[2:])) for words in map(str.split, lines) if words}


@pytest.fixture(scope="module")
def fleet(tmp_path_factory):
    made = Fleet(tmp_path_factory.mktemp("roles"), "roles")
    made.variables.update(deployment_hosts=3, deployment_managers=3, docker_buildx=False)
    with made.running():
        made.play("provision")
        yield made


def unchanged(run: Run, hosts: tuple[str, ...] = HOSTS) -> bool:
    return {host: run.changed[host] for host in hosts} == dict.fromkeys(hosts, 0)


def test_check_mode_on_a_fresh_host_tells_and_does_nothing(fleet):
    told = fleet.role("docker", "--check", "--diff").output
    assert "+docker.io " in told and '+  "log-driver": "json-file",' in told and "+service docker running" in told
    assert fleet.on("roles-1", "test ! -e /usr/sbin/dockerd && echo none").strip() == "none"


def test_engine_runs_and_a_second_run_changes_nothing(fleet):
    first = fleet.role("docker")
    assert first.changed == dict.fromkeys(HOSTS, 1), first.output
    assert unchanged(fleet.role("docker"))
    # It started once, with its own configuration: docker0 comes from our pool and not from the engine's.
    assert fleet.on("roles-2", "journalctl -u docker -o cat | grep -c 'Starting up'").strip() == "1"
    assert "172.26.0.1/" in fleet.on("roles-2", "ip -brief address show docker0")


def test_host_group_sees_that_docker_answers_or_says_what_is_missing(fleet):
    wait = {"resource_group": "rg-roles", "deployment": "roles", "name": "roles", "state": "started", "wait_for": "docker", "wait_timeout": 3}
    play = fleet.folder / "wait.yml"
    play.write_text(yaml.safe_dump([{"hosts": "localhost", "gather_facts": False, "tasks": [{"dockhost.azure.host_group": wait}]}]))
    fleet.command("ansible-playbook", "-i", str(fleet.inventory), str(play))
    fleet.on("roles-3", "systemctl stop docker.socket docker")
    late = fleet.command("ansible-playbook", "-i", str(fleet.inventory), str(play), check=False)
    fleet.on("roles-3", "systemctl start docker")
    assert late.returncode != 0 and "Docker does not answer after 3 seconds on roles-3 (the engine does not answer: " in late.stdout + late.stderr


def test_containers_live_through_a_reload_and_through_a_restart(fleet):
    live = ("-e", "docker_live_restore=true", "--limit", "roles-1")
    fleet.role("docker", *live)
    fleet.on("roles-1", f"docker run -d --name lives {IMAGE}")
    look = "docker inspect -f '{% raw %}{{.State.Pid}}{% endraw %}' lives; systemctl show -P MainPID docker"
    container, daemon = fleet.on("roles-1", look).split()
    fleet.role("docker", *live, "-e", '{"docker_daemon_options": {"labels": ["a=b"]}}')
    assert fleet.on("roles-1", look).split() == [container, daemon]
    assert "a=b" in fleet.on("roles-1", "docker info")
    fleet.role("docker", *live, "-e", "docker_log_driver=local")
    still, restarted = fleet.on("roles-1", look).split()
    assert (still, restarted != daemon) == (container, True)


@pytest.mark.parametrize(
    "options, words",
    [
        ('{"no-such-option": 1}', "the engine refuses this configuration"),
        ('{"bip": "banana"}', "The old configuration is back and the engine runs again"),
        ('{"hosts": ["tcp://0.0.0.0:2375"]}', "without mutual TLS"),
    ],
)
def test_a_bad_option_harms_nothing(fleet, options, words):
    run = fleet.role("docker", "--limit", "roles-3", "-e", '{"docker_daemon_options": %s}' % options, check=False)
    assert run.status != 0 and words in run.output
    assert fleet.on("roles-3", "systemctl is-active docker").strip() == "active"
    assert unchanged(fleet.role("docker", "--limit", "roles-3"), ("roles-3",))


def test_certificates_of_the_remote_api_are_made_anew(fleet):
    folder = fleet.folder / "certificates"
    remote = ("-e", "docker_remote_api=true", "-e", f"docker_remote_certificates={folder}")
    look = "python3 -c 'import ssl; print(ssl.get_server_certificate((\"127.0.0.1\", 2376)))'"
    files = [folder / "client" / "key.pem", *(folder / "hosts" / host / "cert.pem" for host in HOSTS)]
    fleet.role("docker", *remote)
    first, authority = [file.read_text() for file in files], (folder / "ca.pem").read_text()
    assert fleet.on("roles-2", look).strip() == first[2].strip()
    fleet.play("rotate", "-e", "rotate_what=certificates", "-e", f"rotate_certificates_dir={folder}")
    assert not set(first) & {file.read_text() for file in files} and (folder / "ca.pem").read_text() == authority
    fleet.role("docker", *remote)
    assert fleet.on("roles-2", look).strip() == files[2].read_text().strip()
    assert unchanged(fleet.role("docker", *remote))
    fleet.role("docker")


def test_swarm_of_three_managers(fleet):
    fleet.on("roles-1", "docker rm -f lives")
    fleet.role("docker")
    run = fleet.role("swarm", "-vvv")
    assert "SWMTKN" not in run.output
    assert sorted(status for _state, status in fleet.nodes("roles-1").values()) == ["Leader", "Reachable", "Reachable"]
    assert unchanged(fleet.role("swarm"))


def test_packets_cross_the_overlay_between_all_hosts(fleet):
    fleet.on("roles-1", "docker network create -d overlay --attachable crossing")
    fleet.on("roles-1", f"docker service create -q --name cross --network crossing --mode global --endpoint-mode dnsrr {IMAGE}")
    for host in HOSTS:
        script = (
            "c=$(docker ps -qf name=cross); for a in $(docker exec $c getent ahostsv4 tasks.cross | awk '{print $1}' | sort -u); "
            "do docker exec $c timeout 5 redis-cli -h $a ping; done"
        )
        assert fleet.on(host, script).split() == ["PONG"] * 3
    fleet.on("roles-1", "docker service rm cross; sleep 2; docker network rm crossing")


def test_a_leader_that_was_re_created_joins_again(fleet):
    leader = next(name for name, (_state, status) in fleet.nodes("roles-1").items() if status == "Leader")
    fleet.on(leader, "docker swarm leave --force")  # what a new machine of that name would say: I am in no swarm
    run = fleet.role("swarm", "-vvv", "-e", "ansible_pipelining=false")  # by modules
    assert "SWMTKN" not in run.output and "AnsiballZ_swarm_node" in run.output
    assert sorted(fleet.nodes(leader)) == list(HOSTS)
    assert all(state == "Ready" and status for state, status in fleet.nodes(leader).values())
    assert unchanged(fleet.role("swarm"))


def test_the_majority_is_never_given_up(fleet):
    fleet.on("roles-3", "systemctl stop docker.socket docker")
    refused = fleet.role("swarm", "--limit", "roles-2", tasks_from="leave", check=False)
    assert re.search(r"removing roles-2 would leave 1 of 2 managers reachable; a majority needs 2", refused.output), refused.output
    fleet.on("roles-3", "systemctl start docker")
    fleet.role("swarm")
    assert all(state == "Ready" for state, _status in fleet.nodes("roles-1").values())


def test_a_host_leaves_and_comes_back(fleet):
    fleet.role("swarm", "--limit", "roles-2", tasks_from="leave")
    assert sorted(fleet.nodes("roles-1")) == ["roles-1", "roles-3"]
    assert unchanged(fleet.role("swarm", "--limit", "roles-2", tasks_from="leave"), ("roles-2",))
    fleet.role("swarm")
    assert sorted(fleet.nodes("roles-1")) == list(HOSTS)


def test_a_locked_manager_is_given_the_key(fleet):
    """After a restart, also where the key was rotated while it was away; with a host after the other, as `serial` has it."""
    lock = ("-e", "swarm_autolock=true", "-e", f"swarm_unlock_key_file={fleet.folder}/unlock-key")
    restart = "systemctl restart docker; docker node ls 2>&1 | grep -o 'Swarm is encrypted' || true"
    first = fleet.role("swarm", *lock)
    key = (fleet.folder / "unlock-key").read_text().strip()
    assert key.startswith("SWMKEY-1-") and unchanged(fleet.role("swarm", *lock))
    assert "Swarm is encrypted" in fleet.on("roles-3", restart)
    fleet.on("roles-2", "systemctl stop docker.socket docker")
    rotated = fleet.role("swarm", *lock, "-e", '{"swarm_rotate": ["unlock_key"]}', "--limit", "roles-1,roles-3", tasks_from="rotate")
    new = (fleet.folder / "unlock-key").read_text().strip()
    assert new != key and (fleet.folder / "unlock-key.previous").read_text().strip() == key
    fleet.on("roles-2", "systemctl start docker")
    unlocked = fleet.role("swarm", *lock, "-vvv", serial=1)
    assert all(state == "Ready" and status for state, status in fleet.nodes("roles-2").values()), fleet.nodes("roles-2")
    assert not any(secret in run.output for run in (first, rotated, unlocked) for secret in (key, new))
    # All at once, as after a power cut: nobody leads until two of them have the key. Each listens to the others afterwards.
    assert fleet.on(HERE, restart).count("Swarm is encrypted") == 3
    fleet.role("swarm", *lock)
    assert all(state == "Ready" and status for state, status in fleet.nodes("roles-1").values()), fleet.nodes("roles-1")
    # An agent that found no leader pauses before it asks again, and the engine listens for gossip once it was answered.
    fleet.on(HERE, "timeout 30 sh -c 'until ss -Hltn sport = :7946 | grep -q .; do sleep 0.2; done'")
    # The same with one host at a time, of which the first is no majority.
    assert fleet.on(HERE, restart).count("Swarm is encrypted") == 3
    fleet.role("swarm", *lock, serial=1)
    assert all(state == "Ready" and status for state, status in fleet.nodes("roles-1").values()), fleet.nodes("roles-1")
    fleet.on(HERE, "timeout 30 sh -c 'until ss -Hltn sport = :7946 | grep -q .; do sleep 0.2; done'")
    fleet.role("swarm", "-e", "swarm_autolock=false")
    assert "Swarm is encrypted" not in fleet.on("roles-3", restart)


def test_one_host_after_the_other(fleet):
    assert unchanged(fleet.role("swarm", serial=1))
    fleet.on("roles-3", "docker swarm leave --force")
    fleet.role("swarm", serial=1)
    assert sorted(fleet.nodes("roles-3")) == list(HOSTS) and all(state == "Ready" and status for state, status in fleet.nodes("roles-3").values())
    assert unchanged(fleet.role("swarm"))


def test_a_leader_that_is_lost_is_set_up_anew(fleet):
    """Its machine runs and is mute: heal gives it a new disk and its old place among the managers, one in a run."""
    lost = next(host for host, (_state, status) in fleet.nodes("roles-3").items() if status == "Leader")
    witness = next(host for host in HOSTS if host != lost)
    fleet.on(lost, "touch /root/old; systemctl stop docker.socket docker; (sleep 1; systemctl stop ssh.socket ssh) >/dev/null 2>&1 &")
    eventually(lambda: fleet.nodes(witness).get(lost) == ("Down", "Unreachable"), 60)
    fleet.forget_connections()
    run = fleet.play("heal", "-e", "heal_after=0")
    nodes = fleet.nodes(witness)
    assert sorted(nodes) == list(HOSTS) and sorted(status for _state, status in nodes.values()) == ["Leader", "Reachable", "Reachable"], nodes
    assert fleet.on(lost, "test -e /root/old || echo anew").strip() == "anew", run.output[-3000:]
    again = fleet.play("heal", "-e", "heal_after=0")
    assert set(again.changed.values()) == {0} and "All nodes of the swarm are ready." in again.output


@pytest.mark.long
def test_one_that_is_left_goes_on_alone_and_takes_the_others_in_again(fleet):
    fleet.on("roles-1", f"docker service create -q --name lasting --constraint node.hostname==roles-1 --endpoint-mode dnsrr {IMAGE}")
    healthy = fleet.play("swarm_recover")
    assert set(healthy.changed.values()) == {0}  # it has a leader: nothing to recover
    fleet.on("roles-2,roles-3", "systemctl stop docker.socket docker")
    # A leader takes itself for one until its followers have been silent for some seconds.
    fleet.on("roles-1", "timeout 60 sh -c 'while docker node ls; do sleep 0.2; done' >/dev/null 2>&1")
    no = fleet.play("swarm_recover", check=False)
    assert no.status and "swarm_recover_confirm=roles-1" in " ".join(no.output.split()) and set(no.changed.values()) == {0}
    fleet.on("roles-2,roles-3", "rm -rf /var/lib/docker/swarm; systemctl start docker")  # new machines of these names
    fleet.play("swarm_recover", "-e", "swarm_recover_confirm=roles-1")
    assert sorted(status for _state, status in fleet.nodes("roles-3").values()) == ["Leader", "Reachable", "Reachable"]
    answer = "timeout 60 sh -c 'until docker exec $(docker ps -qf name=lasting) redis-cli ping; do sleep 0.2; done' 2>/dev/null; ls /var/backups/dockhost"
    assert re.fullmatch(r"PONG\s+swarm-\S+\.tar\.gz", fleet.on("roles-1", answer).strip())
    assert unchanged(fleet.role("swarm"))
    fleet.on("roles-1", "docker service rm lasting")
