# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The old extension's settings, and what becomes of them: daemon.json, addresses, compose file."""

from __future__ import annotations

import base64

import pytest
from ansible_collections.dockhost.azure.plugins.module_utils._errors import InputError
from ansible_collections.dockhost.azure.plugins.module_utils._extension import docker_files
from ansible_collections.dockhost.azure.plugins.module_utils._extension.docker_settings import DockerSettings

CERT = "-----BEGIN CERTIFICATE-----\nYWJj\n-----END CERTIFICATE-----\n"
KEY = "-----BEGIN RSA PRIVATE KEY-----\nYWJj\n-----END RSA PRIVATE KEY-----\n"
CERTS = {"ca": CERT, "cert": base64.b64encode(CERT.encode()).decode(), "key": KEY}


def read(public=None, protected=None):
    return DockerSettings.read(public or {}, protected or {})


def test_certificates_as_pem_and_as_base64_of_it_are_the_same():
    assert read(protected={"certs": CERTS}).certs == {"ca": CERT, "cert": CERT, "key": KEY}


@pytest.mark.parametrize("public, protected, words", [
    ({"dcoker": {}}, {}, "settings has 'dcoker', which the Docker extension does not know"),
    ({"docker": {"ports": 1}}, {}, "settings.docker has 'ports'"),
    ({"docker": {"port": "99999"}}, {}, "settings.docker.port is '99999'"),
    ({"docker": {"port": "²"}}, {}, "settings.docker.port is '²'"),
    ({"docker": {"options": "-D"}}, {}, "settings.docker.options has to be a list of texts"),
    ({"compose": "web:"}, {}, "settings.compose has to be a mapping"),
    ({"azure-environment": "AzureGermanCloud"}, {}, "settings.azure-environment is 'AzureGermanCloud'"),
    ({"compose-environment": {"A B": "1"}}, {}, "has the name 'A B'"),
    ({}, {"environment": {"PATH": "/x"}}, "has the name 'PATH'"),
    ({}, {"certs": {"ca": CERT}}, "protected_settings.certs lacks cert and key"),
    ({}, {"certs": dict(CERTS, key="bm8=")}, "protected_settings.certs.key is neither PEM nor base64 of PEM with a private key"),
    ({}, {"login": {"username": "u"}}, "protected_settings.login lacks password"),
    ({}, {"login": {"username": "u", "password": ["p"]}}, "protected_settings.login.password has to be a text of one line"),
    ({}, {"login": {"username": "u\n", "password": "p"}}, "protected_settings.login.username has to be a text of one line"),
    ({}, {"login": {"username": "u", "password": "p", "server": "a b"}}, "is no name of a registry"),
])  # fmt: skip
def test_settings_that_cannot_work(public, protected, words):
    with pytest.raises(InputError) as refused:
        read(public, protected)
    assert words in str(refused.value)


@pytest.mark.parametrize("options, daemon, addresses", [
    ([], {}, []),
    (["-D", "--dns=8.8.8.8", "--dns 1.1.1.1"], {"debug": True, "dns": ["8.8.8.8", "1.1.1.1"]}, []),
    (["--insecure-registry", "a:5000", "--label=x=y"], {"insecure-registries": ["a:5000"], "labels": ["x=y"]}, []),
    (["--log-driver=json-file --log-opt max-size=5m", "--log-opt=max-file=3"],
     {"log-driver": "json-file", "log-opts": {"max-size": "5m", "max-file": "3"}}, []),
    (["--label='a=b c'"], {"labels": ["a=b c"]}, []),
    (["--icc=false", "--mtu=1400", "-g /data"], {"icc": False, "mtu": 1400, "data-root": "/data"}, []),
    (["-H=unix:///run/other.sock"], {}, ["unix:///run/other.sock"]),
    (["--default-address-pool base=10.9.0.0/16,size=24"], {"default-address-pools": [{"base": "10.9.0.0/16", "size": 24}]}, []),
    (["--tlsverify", "--disable-legacy-registry"], {}, []),
])  # fmt: skip
def test_engine_options_become_daemon_json(options, daemon, addresses):
    found = docker_files.daemon(read({"docker": {"options": options}}), insecure=False)
    assert found[:2] == (daemon, addresses)


@pytest.mark.parametrize("options, words", [
    (["--dns="], "'--dns=' without a value"), (["--"], "'--', which cannot be given here"), (["--config-file=/x"], "'--config-file', which cannot"),
    (["-H foo"], "'--host=foo': give an address as in tcp://"), (["--log-opt max"], "'--log-opt max': give NAME=VALUE"),
    (["--mtu=many"], "'--mtu=many': give a whole number"), (["--label='a"], "in which a quotation mark is not closed"),
    (["--dns"], "'--dns' without a value"), (["debug"], "has 'debug', which is no option of the engine"), (["--dns", "--icc"], "'--dns' without"),
])  # fmt: skip
def test_engine_options_that_nobody_understands(options, words):
    with pytest.raises(InputError) as refused:
        docker_files.daemon(read({"docker": {"options": options}}), insecure=False)
    assert words in str(refused.value)


@pytest.mark.parametrize("docker", [{"port": 2375}, {"options": ["-H tcp://127.0.0.1:2375"]}])
def test_no_tcp_port_without_tls_unless_somebody_insists(docker):
    with pytest.raises(InputError, match="allow_unauthenticated_tcp_which_gives_root_to_everybody"):
        docker_files.daemon(read({"docker": docker}), insecure=False)
    daemon, addresses, dummy = docker_files.daemon(read({"docker": docker}), insecure=True)
    assert daemon == {"tls": False} and addresses[0].startswith("tcp://")
    daemon, addresses, dummy = docker_files.daemon(read({"docker": docker}, {"certs": CERTS}), insecure=False)
    assert daemon["tlsverify"] is True and daemon["tlskey"] == "/etc/docker/key.pem"


def test_the_first_compose_format_is_brought_into_todays():
    made, notes = docker_files.compose({
        "db": {"image": "db", "volumes": ["data:/var/lib", "/host:/x", "./rel:/y", "/anonymous"], "log_driver": "syslog", "log_opt": {"tag": "x"}},
        "web": {"image": "web", "links": ["db"], "net": "container:db"}, "jobs": {"build": ".", "dockerfile": "D"},
    })
    assert made["services"]["db"]["logging"] == {"driver": "syslog", "options": {"tag": "x"}} and made["volumes"] == {"data": {"name": "data"}}
    assert made["services"]["web"] == {"image": "web", "links": ["db"], "network_mode": "service:db"}
    assert made["services"]["jobs"]["build"] == {"context": ".", "dockerfile": "D"}
    assert any("service jobs is built on the host" in note for note in notes)


def test_a_compose_file_of_today_stays():
    document = {"services": {"web": {"image": "x"}}, "volumes": {"v": {}}}
    assert docker_files.compose(dict(document, version="2")) == (document, [])
    with pytest.raises(InputError, match="settings.compose.version is not a mapping"):
        docker_files.compose({"version": "2", "web": {}})


@pytest.mark.parametrize("document, words", [
    ({"services": {}}, "settings.compose.services is empty"), ({"services": {"web": None}}, "settings.compose.services.web has neither image nor build"),
    ({"web": {}}, "settings.compose.web has neither image nor build"), ({"web": {"image": "x", "volumes": 5}}, "settings.compose.web.volumes has to be a list"),
])  # fmt: skip
def test_compose_files_that_no_compose_takes(document, words):
    with pytest.raises(InputError) as refused:
        docker_files.compose(document)
    assert words in str(refused.value)


def test_variables_that_nobody_gives_are_found():
    document = {"services": {"web": {"image": "x:${TAG}", "command": "$WORD $${NOT} ${DEFAULT:-y} $$NO", "environment": {"A": "${TAG}"}}}}
    assert docker_files.unset(document, []) == ["TAG", "WORD"] and docker_files.unset(document, ["TAG", "WORD"]) == []


def test_certificates_that_are_on_the_host_already():
    daemon, addresses, dummy = docker_files.daemon(read({"docker": {"port": "2376"}}), insecure=False, tls=True)
    assert daemon["tlsverify"] is True and addresses == ["tcp://0.0.0.0:2376"]
