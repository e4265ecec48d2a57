# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pure parts: ruleset of a gateway, what each gateway is told, seed of a machine, names, hashes of images."""
from __future__ import annotations

import io
import json
import sys
import tarfile
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from azlab import images
from azlab.machines import egress
from azlab.machines.docker import internet, kernel, names, seed
from azlab.machines.docker.slices import slice_for
from azlab.machines.driver import (
    Backend, BalancerRule, Firewall, FirewallRule, LabConfig, MachineError, MachineSpec, NatRule, NetworkSpec, NetworkState, Outbound,
    Probe)

sys.path.insert(0, str(images.IMAGES / "gateway"))
import ruleset

ALL = ((0, 65535),)
ANY = ("0.0.0.0/0",)
EGRESS = {"open": False, "hosts": ["deb.debian.org"], "networks": ["203.0.113.0/26"]}
ONE, OTHER = NetworkSpec("/v/one", ("10.0.0.0/16",)), NetworkSpec("/v/other", ("10.0.0.0/16",))
SSH = FirewallRule("ssh", "in", True, "tcp", ("203.0.113.1/32",), ALL, ANY, ((22, 22),))


def backend(host: int, network: NetworkSpec = ONE) -> Backend:
    return Backend(network.id, f"/m/{host}", f"10.0.0.{host}")


def state(**changes: object) -> NetworkState:
    backends = (backend(4), backend(5))
    made = NetworkState(
        networks=(ONE, OTHER),
        firewalls=(Firewall("/m/4", ONE.id, "10.0.0.4", ((SSH,),)),),
        balancer_rules=(BalancerRule("r1", "203.0.113.10", True, "tcp", 80, 8080, backends, Probe("tcp", 8080)),),
        nat_rules=(NatRule("n1", "203.0.113.10", "tcp", 50001, backend(4), 22),
                   NatRule("n2", "203.0.113.11", "tcp", 50001, backend(4, OTHER), 22)),
        outbound=(Outbound(backend(4), "203.0.113.10"),))
    return replace(made, **changes)     # type: ignore[arg-type]


def told(network: NetworkSpec = ONE, **changes: object) -> dict[str, object]:
    return slice_for(state(**changes), network, "203.0.113.1", ["9.9.9.9"], EGRESS)


def body(text: str, chain: str) -> list[str]:
    """The lines of one chain."""
    lines = text.split("\n")
    begin = lines.index(f"  chain {chain} {{")
    return [line.strip() for line in lines[begin + 1:lines.index("  }", begin)]]


def test_a_gateway_hears_of_its_own_network_only() -> None:
    assert told(OTHER)["public_ips"] == ["203.0.113.11"]
    assert told(OTHER)["balancer_rules"] == told(OTHER)["firewalls"] == []
    assert told()["public_ips"] == ["203.0.113.10"]
    json.dumps(told())              # what travels is plain


def test_an_internal_frontend_is_no_public_address() -> None:
    inner = BalancerRule("r2", "10.0.0.100", False, "tcp", 80, 80, (backend(4),), None)
    assert told(balancer_rules=(inner,), nat_rules=(), outbound=())["public_ips"] == []


@pytest.mark.parametrize(("healthy", "expected"), [
    ([], None),
    (["10.0.0.5"], "tcp dport 80 goto to-10-0-0-5-tcp-8080"),
    (["10.0.0.5", "10.0.0.4"], "tcp dport 80 jhash ip saddr . ip daddr . tcp sport . tcp dport mod 2 "
                               "vmap { 0 : goto to-10-0-0-4-tcp-8080, 1 : goto to-10-0-0-5-tcp-8080 }"),
])
def test_only_healthy_backends_get_flows(healthy: list[str], expected: str | None) -> None:
    lines = body(ruleset.render(told(), {"r1": healthy}), "frontend-203-0-113-10")
    assert lines == ["tcp dport 50001 dnat to 10.0.0.4:22", *([expected] if expected else [])]


def test_client_address_distribution_leaves_the_ports_out() -> None:
    rule = replace(state().balancer_rules[0], distribution="client-ip")
    text = ruleset.render(told(balancer_rules=(rule,)), {"r1": ["10.0.0.4", "10.0.0.5"]})
    assert "jhash ip saddr . ip daddr mod 2" in text


@pytest.mark.parametrize(("changes", "expected"), [
    ({}, "ip saddr { 203.0.113.1/32 } meta l4proto tcp th dport { 22 } return"),
    ({"allow": False}, "ip saddr { 203.0.113.1/32 } meta l4proto tcp th dport { 22 } drop"),
    ({"sources": ANY, "protocol": "any", "destination_ports": ALL}, "return"),
    ({"sources": ANY, "protocol": "any"}, "meta l4proto { tcp, udp } th dport { 22 } return"),
    ({"sources": ANY, "protocol": "icmp"}, "meta l4proto icmp return"),
    ({"sources": ("10.0.0.0/9", "10.0.0.0/8", "11.0.0.0/8"), "destination_ports": ((80, 90), (85, 100), (101, 101))},
     "ip saddr { 10.0.0.0/7 } meta l4proto tcp th dport { 80-101 } return"),
    ({"sources": ("fd00::/8",)}, None),
])
def test_security_rule(changes: dict[str, object], expected: str | None) -> None:
    rule = replace(SSH, **changes)      # type: ignore[arg-type]
    text = ruleset.render(told(firewalls=(Firewall("/m/4", ONE.id, "10.0.0.4", ((rule,),)),)), {})
    assert body(text, "group-0-in") == [*([expected] if expected else []), "drop"]


def test_equal_groups_are_written_once_and_no_group_filters_nothing() -> None:
    both = tuple(Firewall(f"/m/{h}", ONE.id, f"10.0.0.{h}", ((SSH,), (SSH,))) for h in (4, 5))
    text = ruleset.render(told(firewalls=(*both, Firewall("/m/6", ONE.id, "10.0.0.6", ()))), {})
    assert text.count("chain group-") == 2              # one for each direction
    assert body(text, "machine-10-0-0-4-in") == ["jump group-0-in", "jump group-0-in"]
    assert "machine-10-0-0-6" not in text


def test_who_may_leave_and_as_whom() -> None:
    text = ruleset.render(told(), {})
    assert 'oifname "eth0" snat to ip saddr map { 10.0.0.4 : 203.0.113.10 }' in body(text, "sources")
    assert "elements = { 10.0.0.4 }" in text
    nobody = ruleset.render(told(outbound=()), {})
    assert "snat" not in nobody and "set leaving { type ipv4_addr; }" in nobody.replace(";  }", "; }")


def machine(**changes: object) -> MachineSpec:
    spec = MachineSpec("/m/4", "h", "host-a", "/v/one", "10.0.0.4", "Debian:debian-13:13:latest", "ann", ("ssh-ed25519 AAAA x",),
                       custom_data=b"\x1f\x8b binary", vm_id="id-1")
    return replace(spec, **changes)     # type: ignore[arg-type]


def test_seed_holds_what_cloud_init_needs_and_keeps_secrets_from_others() -> None:
    with tarfile.open(fileobj=io.BytesIO(seed.archive(machine(admin_password="s3cret"), b"CA"))) as archive:
        entries = {member.name: member for member in archive}
        assert archive.extractfile(f"{seed.SEED}/user-data").read() == b"\x1f\x8b binary"      # type: ignore[union-attr]
    readable = {name for name, member in entries.items() if member.mode & 0o044}
    assert readable == {"etc/hostname", "usr/local/share/ca-certificates/azlab.crt"}


def test_no_password_unless_asked_for() -> None:
    plain = seed.system_config(machine())
    assert plain["ssh_pwauth"] is False
    assert plain["system_info"]["default_user"]["lock_passwd"] is True      # type: ignore[index]
    assert "plain_text_passwd" not in json.dumps(plain)


@pytest.mark.parametrize(("public", "bridge", "gateways"), [
    ("203.0.113.0/24", "203.0.113.0/26", "203.0.113.48/28"),
    ("198.51.100.64/26", "198.51.100.64/26", "198.51.100.112/28"),
    ("198.51.100.0/27", "198.51.100.0/27", "198.51.100.16/28"),
])
def test_the_bridge_takes_a_small_part_of_the_public_range(public: str, bridge: str, gateways: str) -> None:
    assert (str(names.bridge_range(public)), str(names.gateway_range(public))) == (bridge, gateways)


class Engine:
    """What free_range asks of the Docker SDK."""

    def __init__(self, *subnets: str) -> None:
        self.networks = self
        self._subnets = subnets

    def list(self, names: list[str] | None = None) -> list[SimpleNamespace]:
        if names:
            return [SimpleNamespace(attrs={"IPAM": {"Config": [{"Subnet": s} for s in self._subnets]}})]
        none = SimpleNamespace(attrs={"IPAM": {"Config": None}})
        six = SimpleNamespace(attrs={"IPAM": {"Config": [{"Subnet": "fd00::/64"}]}})
        return [none, six, *(SimpleNamespace(attrs={"IPAM": {"Config": [{"Subnet": s}]}}) for s in self._subnets)]


@pytest.mark.parametrize(("taken", "needed", "chosen"), [
    ((), {}, "203.0.113.0/26"),
    (("172.17.0.0/16",), {}, "203.0.113.0/26"),
    (("203.0.113.0/26",), {}, "203.0.113.64/26"),
    (("203.0.113.0/25",), {"203.0.113.130": "a name server"}, "203.0.113.192/26"),
    (("203.0.113.0/24",), {}, "198.51.100.0/26"),
])
def test_a_lab_takes_a_range_that_nothing_uses(monkeypatch: pytest.MonkeyPatch, taken: tuple[str, ...],
                                               needed: dict[str, str], chosen: str) -> None:
    monkeypatch.setattr(internet, "_needed", lambda: needed)
    monkeypatch.setattr(internet, "routed", list)
    assert internet.free_range(Engine(*taken)) == chosen


ROUTES = """Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT
eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0
tun0\t00000080\t00000000\t0001\t0\t0\t0\t00000080\t0\t0\t0
tun0\t007100CB\t00000000\t0001\t0\t0\t0\t80FFFFFF\t0\t0\t0
"""


def test_a_lab_stays_away_from_the_networks_of_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "route").write_text(ROUTES)
    found = internet.routed(tmp_path / "route")
    assert [str(network) for network in found] == ["203.0.113.0/25"]      # the default route and a VPN's half of the Internet are none
    assert internet.routed(tmp_path / "none") == []
    monkeypatch.setattr(internet, "_needed", dict)
    monkeypatch.setattr(internet, "routed", lambda: found)
    assert internet.free_range(Engine()) == "203.0.113.128/26"
    with pytest.raises(MachineError, match=r"this machine has a route to 203\.0\.113\.0/25.*--public-range"):
        internet._check_free(found[0])


def test_no_range_left_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(internet, "_needed", dict)
    with pytest.raises(MachineError, match=r"are taken by networks of the Docker engine .*--public-range\.$"):
        internet.free_range(Engine("203.0.113.0/24", "198.51.100.0/24"))


def test_a_network_that_holds_other_addresses_is_refused(tmp_path: Path) -> None:
    there = LabConfig("lab", tmp_path, public_range="203.0.113.64/26")
    with pytest.raises(MachineError, match=r"a network 203\.0\.113\.0/26 in the Docker engine, and its public range would take "
                                           r"203\.0\.113\.64/26.*azlab down --name lab"):
        internet.ensure(there, Engine("203.0.113.0/26"))
    internet.ensure(replace(there, public_range="203.0.113.0/24"), Engine("203.0.113.0/26"))     # the part that the bridge takes


MIRRORS = ("http://deb.debian.org/debian", "http://security.debian.org/debian-security")
PACKAGES = ["deb.debian.org", "download.docker.com", "security.debian.org"]


@pytest.mark.parametrize(("text", "is_open", "hosts", "networks"), [
    ("packages", False, PACKAGES, ["203.0.113.0/26"]), ("none", False, [], ["203.0.113.0/26"]), ("open", True, [], ["203.0.113.0/26"]),
    ("pypi.org, 10.0.0.0/8", False, [*PACKAGES[:2], "pypi.org", PACKAGES[2]], ["10.0.0.0/8", "203.0.113.0/26"]),
])
def test_where_machines_get_to(text: str, is_open: bool, hosts: list[str], networks: list[str]) -> None:
    assert egress.parse(text, MIRRORS, "203.0.113.0/26") == {"open": is_open, "hosts": hosts, "networks": networks}


@pytest.mark.parametrize("text", ["", "a b", "10.0.0.0/33", "localhost;", "x.y#inet#filter"])
def test_what_names_no_place(text: str) -> None:
    with pytest.raises(ValueError, match="neither packages, none, open"):
        egress.parse(text, MIRRORS, "203.0.113.0/26")


def test_an_image_is_out_of_date_when_a_file_or_its_parent_changed(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM azlab/base:trixie\n")
    (tmp_path / "entry").write_text("#!/bin/sh\n")
    first = images.folder_hash(tmp_path, "parent")
    assert images.folder_hash(tmp_path, "parent") == first != images.folder_hash(tmp_path, "other")
    (tmp_path / "entry").chmod(0o755)
    second = images.folder_hash(tmp_path, "parent")
    (tmp_path / "entry").write_text("#!/bin/bash\n")
    assert len({first, second, images.folder_hash(tmp_path, "parent")}) == 3
    assert images.parent_of(tmp_path / "Dockerfile") == "azlab/base:trixie"


def test_more_machines_than_the_kernel_has_inotify_instances_for(tmp_path: Path) -> None:
    limits = tmp_path / "max_user_instances"
    limits.write_text("128\n")
    assert kernel.shortage(20, limits) == ""
    assert kernel.shortage(24, limits) == (
        "The kernel's inotify instances last for about 21 machines, and 24 run: allow more with sysctl -w fs.inotify.max_user_instances=1024.")
    assert kernel.shortage(24, tmp_path / "none") == "" and kernel.enough_for(tmp_path / "none") is None
