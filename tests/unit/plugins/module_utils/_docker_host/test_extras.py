# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Drop-in, proxies, TLS files, kernel parameters and prune timer: what is written, and what is refused."""

from __future__ import annotations

import pytest
from ansible_collections.dockhost.azure.plugins.module_utils._docker_host import daemon, extras
from ansible_collections.dockhost.azure.plugins.module_utils._docker_host.packages import HostError
from ansible_collections.dockhost.azure.plugins.module_utils._docker_host.plan import Observed, Plan, Wanted, diff, plan, steps

TIMER, SERVICE = f"{extras.UNITS}/{extras.PRUNE_TIMER}", f"{extras.UNITS}/{extras.PRUNE_SERVICE}"
RUNS = Observed(active=True, enabled=True)


def test_proxies():
    given = {"http": None, "https": "http://user:word@proxy:3128", "no_proxy": "10.0.0.0/8,.example.com"}
    assert extras.proxies(given) == {extras.PROXY_FILE: "HTTPS_PROXY=http://user:word@proxy:3128\nNO_PROXY=10.0.0.0/8,.example.com\n"}
    assert extras.proxies({"http": None}) == {extras.PROXY_FILE: None} and extras.proxies(None) == {}


@pytest.mark.parametrize(
    "given, words",
    [({"http": "proxy:3128"}, r"proxies\.http: it has to begin with http://"), ({"no_proxy": "a, b"}, r"proxies\.no_proxy: blanks")],
)
def test_proxies_that_are_none(given, words):
    with pytest.raises(HostError, match=words) as error:
        extras.proxies(given)
    assert "3128" not in str(error.value)  # it may have a password in it


def test_drop_in_has_the_daemon_s_part_the_proxies_and_the_user_s():
    own = daemon.drop_in({"data-root": "/data/docker", "hosts": ["tcp://x"]}, "/usr/sbin/dockerd")
    text = extras.drop_in(own, {"Service": {"LimitNOFILE": 1048576, "ExecStartPost": ["/a", "/b"]}, "Unit": {"RefuseManualStop": True}}, True)
    assert [line for line in text.splitlines() if not line.startswith("#")] == [
        "[Unit]", "RequiresMountsFor=/data/docker",
        "[Service]", "ExecStart=", "ExecStart=/usr/sbin/dockerd --containerd=/run/containerd/containerd.sock",
        "[Service]", f"EnvironmentFile=-{extras.PROXY_FILE}", "LimitNOFILE=1048576", "ExecStartPost=/a", "ExecStartPost=/b",
        "[Unit]", "RefuseManualStop=yes",
    ]  # fmt: skip
    assert extras.drop_in(None, {}, False) is None


@pytest.mark.parametrize(
    "settings, words",
    [
        ({"service": {"LimitNOFILE": 1}}, r"unit_settings\.service: a section"),
        ({"Service": "LimitNOFILE=1"}, r"unit_settings\.Service: a section"),
        ({"Service": {"Limit NOFILE": 1}}, r"unit_settings\.Service\.Limit NOFILE"),
        ({"Service": {"ExecStartPost": "/a\nUser=x"}}, r"unit_settings\.Service\.ExecStartPost"),
    ],
)
def test_settings_that_are_none(settings, words):
    with pytest.raises(HostError, match=words):
        extras.check_settings(settings)


def test_tls():
    assert set(extras.tls({"ca": "A", "certificate": "B\n", "key": "C"}).values()) == {"A\n", "B\n", "C\n"}
    assert set(extras.tls({"ca": None, "certificate": None, "key": None}).values()) == {None} and extras.tls(None) == {}
    with pytest.raises(HostError, match="tls: certificate, key is missing"):
        extras.tls({"ca": "A"})
    with pytest.raises(HostError, match=r"tls\.ca: this is no certificate"):
        daemon.check_certificate("A", "B", "C")


def test_kernel_parameters():
    assert extras.kernel({"net.core.somaxconn": 4096, "net.ipv4.tcp_rmem": "4096  87380\t6291456", "vm.x": True}) == {
        extras.KERNEL_FILE: "net.core.somaxconn = 4096\nnet.ipv4.tcp_rmem = 4096 87380 6291456\nvm.x = 1\n"
    }
    assert extras.kernel({}) == {extras.KERNEL_FILE: None}
    assert extras.proc_path("net.ipv4.conf.eth0/1.rp_filter") == "/proc/sys/net/ipv4/conf/eth0.1/rp_filter"
    for name in ("somaxconn", "../../etc/passwd", "net..core", ""):
        with pytest.raises(HostError, match="kernel_parameters"):
            extras.kernel_values({name: 1})


def test_prune():
    all_of_it = {"containers": True, "images": "unused", "build_cache": True, "volumes": True}
    files = extras.prune({"schedule": "Sun 03:00", "spread": 60, "older_than": "168h", **all_of_it})
    assert [line.partition("=")[2] for line in files[SERVICE].splitlines() if line.startswith("ExecStart=")] == [
        "/usr/bin/docker container prune --force --filter until=168h",
        "/usr/bin/docker image prune --force --all --filter until=168h",
        "/usr/bin/docker builder prune --force --filter until=168h",
        "/usr/bin/docker volume prune --force",
    ]
    assert "OnCalendar=Sun 03:00\nRandomizedDelaySec=60\n" in files[TIMER]
    assert extras.prune({"schedule": ""}) == {TIMER: None, SERVICE: None}
    with pytest.raises(HostError, match="names nothing to remove"):
        extras.prune({"schedule": "daily"})
    with pytest.raises(HostError, match=r"prune\.older_than: a week is no age"):
        extras.prune({"schedule": "daily", "containers": True, "older_than": "a week"})


@pytest.mark.parametrize(
    "wanted, observed, expected",
    [
        (Wanted(kernel={"a.b": "1"}), Observed(active=True, enabled=True, kernel={"a.b": "0"}), Plan(kernel={"a.b": "1"})),
        (Wanted(kernel={"a.b": "1"}), Observed(active=True, enabled=True, kernel={"a.b": "1"}), Plan()),
        (Wanted(timer=True, files={TIMER: "x"}), RUNS, Plan(files={TIMER: "x"}, timer="enable")),
        (Wanted(timer=True, files={TIMER: "x"}), Observed(active=True, enabled=True, timer=True, files={TIMER: "y"}), Plan(files={TIMER: "x"}, timer="enable")),
        (Wanted(timer=True), Observed(active=True, enabled=True, timer=True), Plan()),
        (
            Wanted(timer=False, files={TIMER: None}),
            Observed(active=True, enabled=True, timer=True, files={TIMER: "y"}),
            Plan(files={TIMER: None}, timer="disable"),
        ),
        (Wanted(timer=None), Observed(active=True, enabled=True, timer=True), Plan()),
        (Wanted(files={extras.PROXY_FILE: "x"}), RUNS, Plan(files={extras.PROXY_FILE: "x"}, service="restart")),
        (Wanted(files={extras.TLS_FILES["key"]: "x"}), RUNS, Plan(files={extras.TLS_FILES["key"]: "x"}, service="restart")),
        (Wanted(files={extras.KERNEL_FILE: "x"}), RUNS, Plan(files={extras.KERNEL_FILE: "x"})),
    ],
)
def test_plan(wanted, observed, expected):
    assert plan(wanted, observed) == expected


def test_secrets_are_in_no_diff():
    todo = plan(Wanted(files={extras.PROXY_FILE: "new-word", extras.TLS_FILES["key"]: "new-key"}), Observed(files={extras.PROXY_FILE: "old-word"}))
    shown = str(diff(todo, Observed(files={extras.PROXY_FILE: "old-word"}), {})) + str(steps(todo))
    assert "word" not in shown and "new-key" not in shown and "(not shown, other than before)" in shown
