# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many requests in one: POST /batch."""
from __future__ import annotations

from typing import Any

import pytest

from azlab import testing

VERSION = "?api-version=2022-09-01"


def batch(azure: testing.RunningLab, *requests: Any) -> tuple[int, Any, dict[str, str]]:
    return azure.arm("POST", "/batch?api-version=2015-11-01", {"requests": list(requests)})


def group(azure: testing.RunningLab, name: str = "") -> str:
    return f"/subscriptions/{azure.subscription}/resourceGroups/{name}{VERSION}".replace("/?", "?")


def test_each_request_has_its_own_answer(azure: testing.RunningLab) -> None:
    status, body, headers = batch(
        azure, {"httpMethod": "PUT", "name": "a", "url": group(azure, "batched"), "content": {"location": "westeurope"}},
        {"httpMethod": "GET", "name": "b", "relativeUrl": group(azure, "nowhere")},
        {"httpMethod": "get", "url": "/" + group(azure, "batched")},                        # a doubled first slash
        {"httpMethod": "GET", "url": azure.url + group(azure, "batched")})
    assert status == 200 and headers["x-ms-ratelimit-remaining-subscription-writes"]
    made, missing, doubled, whole = body["responses"]
    assert (made["name"], made["httpStatusCode"]) == ("a", 201) and azure.arm("GET", "resourceGroups/batched")[0] == 200
    assert (missing["name"], missing["httpStatusCode"], missing["content"]["error"]["code"]) == ("b", 404, "ResourceGroupNotFound")
    assert doubled["content"] == whole["content"] == made["content"] and "name" not in doubled
    assert whole["headers"]["x-ms-ratelimit-remaining-subscription-reads"]


def test_headers_of_a_request_count(azure: testing.RunningLab) -> None:
    azure.arm("PUT", "resourceGroups/etags", {"location": "westeurope"})
    url = f"/subscriptions/{azure.subscription}/resourceGroups/etags/providers/Microsoft.Network/networkSecurityGroups/n?api-version=2024-05-01"
    put = {"httpMethod": "PUT", "url": url, "content": {"location": "westeurope"}}
    assert batch(azure, put)[1]["responses"][0]["httpStatusCode"] == 201
    refused = batch(azure, {**put, "requestHeaderDetails": {"if-match": 'W/"other"'}})[1]["responses"][0]
    assert refused["httpStatusCode"] == 412


def test_large_batches_are_fetched_later(azure: testing.RunningLab) -> None:
    requests = [{"httpMethod": "GET", "name": str(n), "url": group(azure)} for n in range(21)]
    status, body, headers = batch(azure, *requests)
    assert status == 202 and body is None and headers["retry-after"] and headers["location"].startswith(azure.url)
    for _time in range(2):
        status, body, _headers = azure.arm("GET", headers["location"])
        assert status == 200 and [r["name"] for r in body["value"]] == [str(n) for n in range(21)]
    assert azure.arm("GET", "/batch/unknown?api-version=2015-11-01")[0] == 404
    assert azure.arm("GET", "/batch?api-version=2015-11-01")[0] == 405


@pytest.mark.parametrize("requests", [
    [], ["text"], [{"httpMethod": "GET", "url": "/tenants"}] * 501, [{"httpMethod": "GET", "url": "/tenants"}] * 21,
    [{"httpMethod": "PUT", "name": "n", "url": "/tenants", "content": {"a": 1}}] * 21,
])
def test_wrong_batches(azure: testing.RunningLab, requests: list[Any]) -> None:
    status, body, _headers = batch(azure, *requests)
    assert (status, body["error"]["code"]) == (400, "InvalidRequestContent")


@pytest.mark.parametrize("request_", [
    {"httpMethod": "GET"}, {"url": "/tenants"}, {"httpMethod": "GET", "url": "https://elsewhere.example/tenants"},
    {"httpMethod": "POST", "url": "/batch?api-version=2015-11-01", "content": {"requests": []}},
])
def test_wrong_requests_fail_alone(azure: testing.RunningLab, request_: dict[str, Any]) -> None:
    wrong, right = batch(azure, request_, {"httpMethod": "GET", "url": group(azure)})[1]["responses"]
    assert (wrong["httpStatusCode"], right["httpStatusCode"]) == (400, 200)


def test_a_batch_needs_a_token(azure: testing.RunningLab) -> None:
    status, _body, _headers = azure.arm("POST", "/batch?api-version=2015-11-01", {"requests": []}, token="wrong")
    assert status == 401
