# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sign-in as Azure's clients do it, and what happens to those who cannot."""
from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

import pytest

from azlab.settings import Settings
from azlab.testing import RunningLab


def ask_token(azure: RunningLab, *, tenant: str | None = None, version: int = 2, **form: str) -> tuple[int, Any]:
    settings = azure.settings
    fields = {"grant_type": "client_credentials", "client_id": settings.client_id, "client_secret": settings.secret}
    fields.update({"resource": "https://management.azure.com/"} if version == 1
                  else {"scope": "https://management.azure.com/.default"})
    fields.update(form)
    path = "oauth2/token" if version == 1 else "oauth2/v2.0/token"
    request = urllib.request.Request(f"{azure.url}/{tenant or settings.tenant}/{path}",
                                     urllib.parse.urlencode(fields).encode())
    try:
        with azure._open(request) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as problem:
        return problem.status, json.load(problem)


def test_a_secret_is_never_taken_for_an_option(monkeypatch: pytest.MonkeyPatch) -> None:
    """`az login -p SECRET` ends with "expected one argument" when the secret begins with a dash, as one of 64 random ones does."""
    monkeypatch.setattr("secrets.token_urlsafe", lambda size: "-" * size)
    assert Settings().secret.startswith("azlab-")


@pytest.mark.parametrize("version", [1, 2])
def test_a_good_secret_gives_a_token_that_opens_arm(azure: RunningLab, version: int) -> None:
    status, body = ask_token(azure, version=version)
    assert status == 200 and body["token_type"] == "Bearer"
    assert int(body["expires_in"]) > 3000
    status, found, _ = azure.arm("GET", "/subscriptions", token=body["access_token"])
    assert status == 200
    assert [s["subscriptionId"] for s in found["value"]] == [azure.subscription]


@pytest.mark.parametrize(("change", "status", "number"), [
    ({"client_secret": "wrong"}, 401, 7000215),
    ({"client_id": "00000000-0000-0000-0000-000000000001"}, 400, 700016),
    ({"tenant": "00000000-0000-0000-0000-000000000002"}, 400, 90002),
    ({"grant_type": "password"}, 400, 70003),
    ({"scope": "https://example.com/.default"}, 400, 500011),
    ({"scope": "https://management.azure.com"}, 400, 1002012),
])
def test_wrong_credentials_get_entra_errors(azure: RunningLab, change: dict[str, str], status: int,
                                            number: int) -> None:
    got, body = ask_token(azure, **change)
    assert got == status
    assert body["error_codes"] == [number]
    assert body["error_description"].startswith(f"AADSTS{number}: ")
    assert azure.settings.secret not in json.dumps(body)


@pytest.mark.parametrize(("headers", "code"), [
    ({"Authorization": ""}, "AuthenticationFailed"),
    ({"Authorization": "Basic abc"}, "AuthenticationFailedInvalidHeader"),
    ({"Authorization": "Bearer nonsense"}, "InvalidAuthenticationToken"),
    ({"Authorization": "Bearer a.b.c"}, "InvalidAuthenticationToken"),
])
def test_arm_refuses_without_a_good_token(azure: RunningLab, headers: dict[str, str], code: str) -> None:
    status, body, answer_headers = azure.arm("GET", "/subscriptions", headers=headers)
    assert (status, body["error"]["code"]) == (401, code)
    assert answer_headers["www-authenticate"].startswith("Bearer authorization_uri=")


@pytest.mark.parametrize(("claims", "code"), [
    ({"lifetime": -10}, "ExpiredAuthenticationToken"),
    ({"audience": "https://graph.microsoft.com"}, "InvalidAuthenticationTokenAudience"),
    ({"tenant": "00000000-0000-0000-0000-000000000002"}, "InvalidAuthenticationTokenTenant"),
])
def test_tokens_of_the_wrong_kind(azure: RunningLab, claims: dict[str, Any], code: str) -> None:
    status, body, _ = azure.arm("GET", "/subscriptions", token=azure.admin.token(**claims))
    assert (status, body["error"]["code"]) == (401, code)


def test_a_token_with_a_changed_claim_is_refused(azure: RunningLab) -> None:
    head, claims, signature = azure.token().split(".")
    forged = ".".join((head, claims[:-4] + ("AAAA" if claims[-4:] != "AAAA" else "BBBB"), signature))
    assert azure.arm("GET", "/subscriptions", token=forged)[0] == 401


def test_discovery_documents(azure: RunningLab) -> None:
    def fetch(path: str) -> Any:
        with azure._open(urllib.request.Request(azure.url + path)) as answer:
            return json.load(answer)
    old, new = (fetch(f"/metadata/endpoints?api-version={v}") for v in ("2019-05-01", "2022-09-01"))
    assert isinstance(old, list) and isinstance(new, dict) and old[0] == new
    assert new["resourceManager"] == azure.url and new["authentication"]["loginEndpoint"] == azure.url
    openid = fetch(f"/{azure.settings.tenant}/v2.0/.well-known/openid-configuration")
    assert openid["token_endpoint"] == f"{azure.url}/{azure.settings.tenant}/oauth2/v2.0/token"


def test_a_secret_is_in_no_file_that_others_can_read(azure: RunningLab) -> None:
    for path in azure.settings.home.iterdir():
        if azure.settings.secret.encode() in path.read_bytes():
            assert path.stat().st_mode & 0o077 == 0, path
    assert azure.settings.home.stat().st_mode & 0o077 == 0
