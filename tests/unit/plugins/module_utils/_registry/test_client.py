# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Logins on a host, and Azure Container Registry's by a stand-in that speaks /oauth2/exchange as documented."""

from __future__ import annotations

import base64
import datetime
import http.server
import json
import os
import ssl
import threading
import urllib.parse

import pytest
from ansible_collections.dockhost.azure.plugins.module_utils._docker_host.packages import HostError
from ansible_collections.dockhost.azure.plugins.module_utils._registry import acr_login, answer, client
from ansible_collections.dockhost.azure.plugins.module_utils._registry.client import Request
from ansible_collections.dockhost.azure.plugins.module_utils._tls import authority

TENANT = "409520d4-8100-4d1d-ad47-72432ddcc120"


def token(claims):
    return ".".join(("e30", base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("="), "c2ln"))


class Azure(http.server.BaseHTTPRequestHandler):
    """The metadata service and the registry in one. ``refusals``: statuses to answer with first."""

    refusals: list = []
    seen: list = []
    realm: str = ""

    def log_message(self, *_words):
        """Silent."""

    def reply(self, status, body):
        content = json.dumps(body).encode()
        self.send_response(status)
        if self.realm and self.path == "/v2/":
            self.send_header("WWW-Authenticate", f'Bearer realm="{self.realm}",service="images"')
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def knows(self):
        return self.headers.get("Authorization") == "Basic " + base64.b64encode(b"ci:right").decode()

    def do_GET(self):
        address = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(address.query))
        self.seen.append((address.path, query))
        if self.refusals:
            return self.reply(self.refusals.pop(0), {"error": "invalid_request", "error_description": "Identity not found"})
        if address.path == "/v2/":
            return self.reply(200 if self.knows() and not self.realm else 401, {})
        if address.path == "/token":
            if query != {"tenant": "x", "account": "ci", "service": "images"}:
                return self.reply(404, {})
            return self.reply(200 if self.knows() else 401, {"token": "x"})
        if self.headers.get("Metadata") != "true" or query.get("api-version") != "2018-02-01":
            return self.reply(400, {"error_description": "Required metadata header not specified"})
        return self.reply(200, {"access_token": token({"tid": TENANT, "as": query.get("client_id", "system")}), "expires_in": "86399"})

    def do_POST(self):
        form = dict(urllib.parse.parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
        self.seen.append((self.path, form))
        who = acr_login.claims(form.get("access_token", "")).get("as")
        if (self.path, form.get("grant_type"), form.get("tenant")) != ("/oauth2/exchange", "access_token", TENANT) or who == "stranger":
            return self.reply(401, {"errors": [{"code": "UNAUTHORIZED", "message": "authentication required"}]})
        return self.reply(200, {"refresh_token": f"refresh-{who}"})


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    now = datetime.datetime.now(datetime.timezone.utc)
    ca = authority.make_authority("test", now, 30)
    pair = authority.make(ca, "localhost", ["localhost"], now, 30)
    for name, text in (("ca.pem", ca.certificate), ("cert.pem", pair.certificate), ("key.pem", pair.key)):
        (folder / name).write_text(text)
    return folder


@pytest.fixture
def azure(certificates, monkeypatch):
    Azure.refusals, Azure.seen, Azure.realm = [], [], ""
    plain, secure = (http.server.ThreadingHTTPServer(("127.0.0.1", 0), Azure) for dummy in range(2))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates / "cert.pem", certificates / "key.pem")
    secure.socket = context.wrap_socket(secure.socket, server_side=True)
    for server in (plain, secure):
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    monkeypatch.setenv("DOCKHOST_METADATA", f"http://127.0.0.1:{plain.server_port}")
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates / "ca.pem"))
    for name in ("HTTPS_PROXY", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(acr_login, "PAUSES", (0.01, 0.01))
    yield f"localhost:{secure.server_port}"
    for server in (plain, secure):
        server.shutdown()
        server.server_close()


def login_of(path, address):
    return base64.b64decode(json.loads(path.read_text())["auths"][address]["auth"]).decode()


@pytest.mark.parametrize("identity", ["system", "11111111-2222"])
def test_the_machines_identity_becomes_a_login(azure, tmp_path, identity, capsys):
    path = tmp_path / ".docker" / "config.json"
    path.parent.mkdir()
    path.write_text(json.dumps({"auths": {"other:5000": {"auth": "eA=="}}, "detachKeys": "x"}))
    acr_login.main([azure, identity, str(path)])
    assert login_of(path, azure) == f"{acr_login.NOBODY}:refresh-{identity}"
    kept = json.loads(path.read_text())
    assert kept["auths"]["other:5000"] == {"auth": "eA=="} and kept["detachKeys"] == "x"
    assert path.stat().st_mode & 0o777 == 0o600 and [p.name for p in path.parent.iterdir()] == ["config.json"]
    assert "refresh" not in capsys.readouterr().out
    path, form = Azure.seen[-1]
    assert path == "/oauth2/exchange" and form.pop("access_token")
    assert form == {"grant_type": "access_token", "service": azure, "tenant": TENANT}


def test_a_metadata_service_that_is_busy_is_asked_again(azure, tmp_path):
    Azure.refusals = [429, 500]
    acr_login.main([azure, "system", str(tmp_path / ".docker" / "config.json")])
    assert len(Azure.seen) == 4


@pytest.mark.parametrize(
    "refusals, identity, words",
    [
        ([400], "system", "the host's metadata service (managed identity) gives no token: HTTP 400: Identity not found"),
        ([500] * 3, "system", "HTTP 500: Identity not found"),
        ([], "stranger", "gives no token: HTTP 401: authentication required"),
    ],
)
def test_no_login_is_told_in_the_services_own_words(azure, tmp_path, refusals, identity, words):
    Azure.refusals = list(refusals)
    with pytest.raises(acr_login.LoginError) as caught:
        acr_login.main([azure, identity, str(tmp_path / ".docker" / "config.json")])
    assert words in str(caught.value) and not (tmp_path / ".docker").exists()


def test_a_login_that_the_command_line_would_not_look_at_is_refused():
    for hidden in ({"credsStore": "pass"}, {"credHelpers": {"a.azurecr.io": "acr-env"}}):
        with pytest.raises(acr_login.LoginError, match="told to ask the helper"):
            acr_login.with_login(hidden, "a.azurecr.io", "u", "p")


def test_a_file_that_is_no_json_is_not_overwritten(tmp_path):
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(acr_login.LoginError, match="no JSON object"):
        acr_login.read_config(str(tmp_path / "config.json"))


@pytest.mark.parametrize(
    "options, words",
    [
        ({"address": "https://a"}, "address: 'https://a' is no HOST"),
        ({"address": "a:5000", "username": "x"}, "belong together"),
        ({"address": "a", "username": "x", "password": "y", "azure_identity": "system"}, "give one of them"),
        ({"address": "a", "ca": "/etc/ca.pem"}, "ca: this is no PEM text"),
        ({"address": "a:5000", "azure_identity": "system"}, "has none; give NAME.azurecr.io"),
    ],
)
def test_what_cannot_work_is_refused(options, words):
    with pytest.raises(HostError, match=words.replace("(", r"\(")):
        client.check(Request(**options))


def test_the_login_is_tried_before_it_is_written(azure, certificates):
    ca = (certificates / "ca.pem").read_text()
    client._verify(Request(azure, ca=ca, username="ci", password="right"))
    for change, words in (
        ({"password": "wrong"}, "refuses the login of ci"),
        ({"address": azure.replace("localhost", "127.0.0.1")}, "certificate that this host does not trust"),
        ({"address": "localhost:1"}, "does not answer"),
        ({"ca": "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n"}, "ca: this is no certificate"),
    ):
        with pytest.raises(HostError) as caught:
            client._verify(Request(**{"address": azure, "ca": ca, "username": "ci", "password": "right", **change}))
        assert words in str(caught.value) and "right" not in str(caught.value)


def test_a_registry_that_takes_tokens_has_its_token_server_asked(azure, certificates):
    ca = (certificates / "ca.pem").read_text()
    Azure.realm = f"https://{azure}/token?tenant=x"
    client._verify(Request(azure, ca=ca, username="ci", password="right"))
    for realm, password, words in (
        (Azure.realm, "wrong", f"the token server {azure} of the registry {azure} refuses the login of ci"),
        (f"https://{azure}/token", "right", "gives no token (HTTP 404)"),
        ("https://localhost:1/token", "right", "does not answer or is not trusted"),
        (Azure.realm.replace("https", "http"), "right", "which is no https address to send a password to"),
    ):
        Azure.realm = realm
        with pytest.raises(HostError) as caught:
            client._verify(Request(azure, ca=ca, username="ci", password=password))
        assert words in str(caught.value)


def test_whoever_is_not_trusted_is_not_told_the_password(azure, certificates, monkeypatch):
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(HostError, match="does not trust"):
        client._verify(Request(azure, username="ci", password="right"))
    assert Azure.seen == []
    assert answer.ask(azure, answer.untrusting()).status == 401


def test_units_of_the_renewal():
    request = Request("contoso.azurecr.io", azure_identity="system")
    written = client.service(request, ["/root/.docker/config.json"])
    assert f"{client.PROGRAM} contoso.azurecr.io system /root/.docker/config.json" in written and request.unit == "dockhost-acr-login-contoso-azurecr-io"
    assert "OnUnitActiveSec=1h" in client.timer(request)


def test_the_program_needs_nothing_of_the_collection(tmp_path):
    with open(acr_login.__file__, encoding="utf-8") as file:
        assert "ansible_collections" not in file.read()
    assert os.path.basename(client.PROGRAM) == os.path.basename(acr_login.__file__)
