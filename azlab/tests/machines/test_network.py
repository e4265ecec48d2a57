# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The data path with real packets: security groups, load balancer, outbound, swarm overlay."""
from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from machine_lab import CONTROLLER, PUBLIC, SSH, WEB, Lab, backend, machine_id, rule, tcp, udp, until

from azlab.machines.driver import InstanceAddress

pytestmark = pytest.mark.machines
MIRROR = "curl -s --max-time 4 -o /dev/null http://deb.debian.org/debian/dists/trixie/InRelease"
INSTALL = """export DEBIAN_FRONTEND=noninteractive
apt-get update -qq && apt-get install -y -qq --no-install-recommends docker.io docker-cli >/dev/null && docker pull -q redis:8.0"""
# From each node to the task on every node: name lookup, a small and a large transfer over the overlay network.
OVERLAY = """docker run --rm --network o redis:8.0 sh -c '
for address in $(getent ahostsv4 tasks.r | cut -d" " -f1 | sort -u); do
    head -c 2000000 /dev/zero | tr "\\0" x | redis-cli -h $address -x set big >/dev/null && redis-cli -h $address strlen big
done'"""


def blocked(port: int) -> bool:
    try:
        tcp(PUBLIC, port)
    except TimeoutError:
        return True             # silence, not a refusal
    return False


def test_balancer_spreads_tcp_and_udp_and_keeps_the_clients_address(answering: Lab) -> None:
    for ask in (tcp, udp):
        answers = {ask(PUBLIC, 80) for _ in range(30)}
        assert {answer.split()[1] for answer in answers} == {CONTROLLER}
        assert len({answer.split()[0] for answer in answers}) == 3, f"{ask.__name__}: {answers}"


def test_client_address_distribution_stays_at_one_backend(answering: Lab) -> None:
    state = answering.state()
    answering.apply(replace(state, balancer_rules=tuple(replace(r, distribution="client-ip") for r in state.balancer_rules)))
    assert len({tcp(PUBLIC, 80) for _ in range(15)}) == 1


def test_security_group_drops_new_flows(answering: Lab) -> None:
    answering.apply(answering.state(rules=(SSH,)))
    assert blocked(80)
    answering.apply(answering.state(rules=(rule("in", False, "tcp", ports=((22, 22),)), WEB)))
    assert answering.ssh(1, "true").returncode == 255
    assert tcp(PUBLIC, 80).startswith("h-")


def test_security_group_between_machines_and_outbound(answering: Lab) -> None:
    ask = f"curl -s --http0.9 --max-time 3 telnet://{backend(2).address}:80 </dev/null"
    assert answering.run(1, ask).stdout.startswith("h-2 " + backend(1).address)
    answering.apply(answering.state(rules=(SSH, WEB, rule("out", False, "tcp", ports=((80, 80),)))))
    assert answering.run(1, ask).exit_code == 28                # timed out
    answering.apply(answering.state(rules=(SSH, rule("in", False, ports=((80, 80),), sources=(backend(1).address + "/32",)), WEB)))
    assert answering.run(1, ask).exit_code == 28
    assert answering.run(3, ask).stdout.startswith("h-2 ")


def test_no_way_out_without_an_outbound_rule_but_names_resolve(answering: Lab) -> None:
    answering.apply(answering.state(outbound=()))
    assert answering.run(1, "getent hosts deb.debian.org").exit_code == 0
    assert answering.run(1, MIRROR).exit_code == 28
    answering.apply(answering.state())
    assert answering.run(1, MIRROR).exit_code == 0


@pytest.fixture
def foreign(answering: Lab) -> Iterator[str]:
    """ADDRESS:PORT of a server outside of the lab that answers whoever gets there; the lab's own egress afterwards."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))         # sends nothing: asks for this machine's own address
        address = probe.getsockname()[0]
    server = socket.create_server((address, 0))
    server.settimeout(60)

    def answer() -> None:
        try:
            while True:
                connection, _peer = server.accept()
                connection.sendall(b"outside\n")
                connection.close()
        except OSError:
            return
    threading.Thread(target=answer, daemon=True).start()
    before = answering.driver._egress
    yield f"{address}:{server.getsockname()[1]}"
    server.close()
    answering.driver._egress = before
    answering.apply(answering.state())


def test_a_way_out_leads_to_the_package_mirrors_and_no_further(answering: Lab, foreign: str) -> None:
    address, _colon, port = foreign.partition(":")

    def outside(egress: dict[str, Any]) -> tuple[int, str]:
        answering.driver._egress = egress
        answering.apply(answering.state())
        result = answering.run(1, f"curl -s --http0.9 --max-time 10 telnet://{address}:{port} </dev/null")
        return result.exit_code, result.stdout
    assert outside(answering.driver._egress)[0] == 7        # refused, and not lost in silence (28)
    assert answering.run(1, MIRROR).exit_code == 0
    assert outside({"open": True, "hosts": [], "networks": ["198.51.100.64/26"]}) == (0, "outside\n")
    assert outside({"open": False, "hosts": [], "networks": ["198.51.100.64/26", f"{address}/32"]}) == (0, "outside\n")
    assert outside({"open": False, "hosts": [], "networks": ["198.51.100.64/26"]})[0] == 7
    assert answering.run(1, "getent hosts deb.debian.org").exit_code == 0
    assert answering.run(1, MIRROR).exit_code == 7


def test_a_machine_reaches_its_own_balancer_under_its_public_address(answering: Lab) -> None:
    answer = answering.run(1, f"curl -s --http0.9 --max-time 3 telnet://{PUBLIC}:80 </dev/null").stdout
    assert answer.split()[1] == PUBLIC
    answering.apply(answering.state(outbound=()))
    assert answering.run(1, f"curl -s --max-time 3 telnet://{PUBLIC}:80 </dev/null").exit_code == 28


def test_instance_address_leads_in_and_out(answering: Lab) -> None:
    own = "198.51.100.75"
    answering.apply(answering.state(outbound=(), instance_addresses=(InstanceAddress(own, backend(2)),)))
    assert tcp(own, 80) == f"h-2 {CONTROLLER}"
    assert answering.run(2, MIRROR).exit_code == 0
    assert answering.run(1, MIRROR).exit_code == 28
    answering.apply(answering.state())
    with pytest.raises(OSError):
        tcp(own, 80)


def test_flows_avoid_a_machine_that_was_powered_off(answering: Lab) -> None:
    answering.do(answering.driver.power_off(machine_id(2)))
    until(15, lambda: backend(2).address not in answering.do(answering.driver.health("lb/tcp")), "the probe fails")
    for ask in (tcp, udp):
        names = [ask(PUBLIC, 80).split()[0] for _ in range(20)]
        assert set(names) == {"h-1", "h-3"}, names
    answering.do(answering.driver.start_machine(machine_id(2)))


def test_a_backend_whose_service_stops_is_left_out_and_comes_back(answering: Lab) -> None:
    answering.run(3, "systemctl stop answer")
    until(10, lambda: backend(3).address not in answering.do(answering.driver.health("lb/tcp")), "the probe fails")
    assert {tcp(PUBLIC, 80).split()[0] for _ in range(20)} == {"h-1", "h-2"}


def test_a_machine_cannot_take_another_ones_address(answering: Lab) -> None:
    answering.run(1, "ip addr add 10.61.0.77/32 dev eth0")
    taken = answering.run(1, f"curl -s --interface 10.61.0.77 --max-time 2 telnet://{backend(2).address}:80 </dev/null")
    answering.run(1, "ip addr del 10.61.0.77/32 dev eth0")
    assert taken.exit_code == 28


def test_nested_engines_form_a_swarm_that_carries_packets(answering: Lab) -> None:
    began = time.monotonic()
    installed = answering.all(*(answering.driver.run_command(machine_id(i), INSTALL, 300) for i in (1, 2, 3)))
    assert [r.exit_code for r in installed] == [0, 0, 0], installed
    print(f"docker.io in three machines: {time.monotonic() - began:.0f} s")
    address = backend(1).address
    token = answering.run(1, f"docker swarm init --advertise-addr {address} --default-addr-pool 172.27.0.0/16 >/dev/null; docker swarm join-token -q worker").stdout.strip()
    for index in (2, 3):
        assert answering.run(index, f"docker swarm join --token {token} {address}:2377").exit_code == 0
    made = answering.run(1, "docker network create -d overlay --attachable o >/dev/null && docker service create -q --name r --mode global "
                            "--network o --endpoint-mode dnsrr redis:8.0 redis-server --protected-mode no", 120)
    assert made.exit_code == 0, made
    for index in (1, 2, 3):
        result = answering.run(index, OVERLAY, 120)
        assert result.stdout.split() == ["2000000"] * 3, (index, result)
