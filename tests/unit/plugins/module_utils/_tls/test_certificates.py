# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Certificates: what is made, when it is renewed, whether it works together, and the files of docker contexts."""

from __future__ import annotations

import datetime
import json
import os
import stat

import pytest
from ansible_collections.dockhost.azure.plugins.module_utils._errors import InputError
from ansible_collections.dockhost.azure.plugins.module_utils._tls import authority, check
from ansible_collections.dockhost.azure.plugins.module_utils._tls.task import Certificates

NOW = datetime.datetime.now(datetime.timezone.utc)
HOSTS = [{"name": "web-1", "public_address": "203.0.113.10", "private_address": "10.0.0.4", "fqdn": "web-1.example.com", "size": "x"},
         {"name": "web-2", "public_address": None, "private_address": "10.0.0.5", "names": ["two.example.com"]}]  # fmt: skip


def params(tmp_path, **more):
    return dict({
        "directory": str(tmp_path / "tls"), "hosts": HOSTS, "state": "present", "valid_days": 365, "ca_valid_days": 3650, "renew_days": 30,
        "ca_name": "lab", "contexts": False, "context_prefix": "", "docker_config": str(tmp_path / "docker"), "port": 2376, "reach": "public",
    }, **more)  # fmt: skip


def run(tmp_path, now=NOW, **more):
    made = Certificates(params(tmp_path, **more), now)
    (made.present if made.params["state"] == "present" else made.absent)()
    result = made.result()
    made.work.apply()
    return result


def changes(result):
    return {change["what"]: change["reason"] for change in result["changes"]}


def pair(tmp_path, whose):
    folder = tmp_path / "tls" / whose
    return (folder / "cert.pem").read_text(), (folder / "key.pem").read_text()


def test_a_ca_a_client_and_each_host_are_made_once(tmp_path):
    made = run(tmp_path)
    assert changes(made) == dict.fromkeys(["CA", "client", "host web-1", "host web-2"], "is missing")
    assert made["certificates"][0]["names"] == ["web-1", "localhost", "127.0.0.1", "203.0.113.10", "10.0.0.4", "web-1.example.com"]
    assert run(tmp_path)["changes"] == []
    for path in (tmp_path / "tls").rglob("*key.pem"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "tls").stat().st_mode) == 0o700
    ca = (tmp_path / "tls/ca.pem").read_text()
    assert authority.Pair(pair(tmp_path, "hosts/web-2")[0], "").names == {"web-2", "localhost", "127.0.0.1", "10.0.0.5", "two.example.com"}
    assert check.problem(ca, *pair(tmp_path, "hosts/web-1")) is None
    assert not any("PRIVATE" in text for text in json.dumps(made).split())


@pytest.mark.parametrize("days, renewed", [
    (334, {}),
    (336, ["client", "host web-1", "host web-2"]),
    (3621, ["CA", "client", "host web-1", "host web-2"]),
])  # fmt: skip
def test_certificates_are_renewed_before_their_end(tmp_path, days, renewed):
    run(tmp_path)
    again = run(tmp_path, NOW + datetime.timedelta(days=days))
    assert sorted(changes(again)) == sorted(renewed)
    assert run(tmp_path, NOW + datetime.timedelta(days=days))["changes"] == []


def test_no_certificate_outlives_its_ca(tmp_path):
    run(tmp_path, ca_valid_days=40, valid_days=365)
    assert authority.Pair(pair(tmp_path, "client")[0], "").end <= authority.Pair((tmp_path / "tls/ca.pem").read_text(), "").end


def test_another_address_needs_another_certificate_and_a_broken_file_is_replaced(tmp_path):
    run(tmp_path)
    moved = run(tmp_path, hosts=[dict(HOSTS[0], public_address="203.0.113.99"), HOSTS[1]])
    assert changes(moved) == {"host web-1": "lacks 203.0.113.99"}
    (tmp_path / "tls/client/key.pem").write_text((tmp_path / "tls/hosts/web-1/key.pem").read_text())
    assert changes(run(tmp_path)) == {"client": "cannot be read, or its key is another's", "host web-1": "lacks 203.0.113.10"}


def test_contexts_as_the_docker_cli_keeps_them(tmp_path):
    made = run(tmp_path, contexts=True, context_prefix="lab-")
    assert changes(made)["context lab-web-1"] == "is missing" and made["certificates"][0]["context"] == "lab-web-1"
    meta = {json.loads(path.read_text())["Name"]: json.loads(path.read_text()) for path in (tmp_path / "docker/contexts/meta").rglob("meta.json")}
    assert meta["lab-web-1"]["Endpoints"]["docker"]["Host"] == "tcp://web-1.example.com:2376"
    assert meta["lab-web-2"]["Endpoints"]["docker"]["Host"] == "tcp://10.0.0.5:2376"
    assert {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "docker").rglob("*.pem")} == {0o600}
    assert run(tmp_path, contexts=True, context_prefix="lab-")["changes"] == []
    assert changes(run(tmp_path, contexts=True, context_prefix="lab-", reach="private")) == {"context lab-web-1": "differs"}
    gone = run(tmp_path, state="absent", context_prefix="lab-", hosts=HOSTS[:1])
    assert changes(gone) == {"host web-1": "is no longer wanted"} and gone["certificates"] == []
    assert os.listdir(tmp_path / "tls/hosts") == ["web-2"] and len(os.listdir(tmp_path / "docker/contexts/tls")) == 1


@pytest.mark.parametrize("more, words", [
    ({"hosts": [{"size": "x"}]}, "hosts has an item whose name is 'None'"),
    ({"hosts": [{"name": "../x"}]}, "hosts has an item whose name is '../x'"),
    ({"hosts": [{"name": "client"}]}, "whose name is 'client'"),
    ({"hosts": [{"name": "a", "names": "b"}]}, "names of a has to be a list"),
    ({"hosts": [{"name": "a", "names": ["b c"]}]}, "hosts: a has 'b c', which is neither an address nor a DNS name"),
    ({"hosts": [{"name": "a"}, {"name": "A"}]}, "hosts has A, a more than once"),
    ({"valid_days": 0}, "valid_days is 0: give 1 to 3650"),
    ({"port": 70000}, "port is 70000"),
    ({"renew_days": 365}, "renew_days is 365 and certificates are valid for 365 days"),
    ({"context_prefix": "a b/"}, "'a b/web-1' is no name of a docker context"),
])  # fmt: skip
def test_options_that_cannot_work(tmp_path, more, words):
    with pytest.raises(InputError) as refused:
        run(tmp_path, **more)
    assert words in str(refused.value) and not (tmp_path / "tls").exists()


def test_half_a_ca_is_not_replaced(tmp_path):
    run(tmp_path)
    (tmp_path / "tls/ca-key.pem").unlink()
    with pytest.raises(InputError, match="has only one of ca.pem and ca-key.pem"):
        run(tmp_path)


def test_what_does_not_belong_together_is_found(tmp_path):
    ca, other = (authority.make_authority("ca", NOW, 10) for dummy in range(2))
    server = authority.make(ca, "s", ["s"], NOW, 5)
    past = authority.make(ca, "s", ["s"], NOW - datetime.timedelta(days=9), 5)
    client = authority.make(ca, "c", (), NOW, 5)
    assert check.problem(ca.certificate, server.certificate, server.key) is None
    assert check.problem(ca.certificate, server.certificate, client.key) == "key is not the key of cert"
    assert "unable to get local issuer certificate" in check.problem(other.certificate, server.certificate, server.key) or \
        "signature failure" in check.problem(other.certificate, server.certificate, server.key)
    assert check.problem(ca.certificate, past.certificate, past.key).endswith("certificate has expired")
    assert "purpose" in check.problem(ca.certificate, client.certificate, client.key)
    assert check.problem("no", server.certificate, server.key) == "ca is no certificate"
    assert check.problem(ca.certificate, server.certificate, "no").startswith("cert or key cannot be read")
