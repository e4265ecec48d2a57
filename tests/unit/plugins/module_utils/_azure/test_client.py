# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests, pages and operations on a scripted transport."""

from __future__ import annotations

import asyncio

import pytest
from ansible_collections.dockhost.azure.plugins.module_utils._azure.client import Client, Response
from ansible_collections.dockhost.azure.plugins.module_utils._azure.operations import ListWaiter
from ansible_collections.dockhost.azure.plugins.module_utils._errors import AzureError, InterruptedRun, TransportError

THING = "/subscriptions/sub/resourceGroups/rg/providers/Microsoft.X/things/one"
OPERATION = "https://arm.example/operations/1?t=a%2Fb&c=d"


def refusal(code, message="x"):
    return {"error": {"code": code, "message": message}}


async def test_request(script):
    script.add(200, {"a": 1})
    response = await script.client.request("PUT", THING, "2026-01-01", json={}, query={"x": "y"})
    assert script.sent == [("PUT", THING + "?x=y&api-version=2026-01-01")]
    assert response.body == {"a": 1} and response.path == THING


async def test_expired_token_is_renewed_once(script):
    script.add(401, refusal("ExpiredAuthenticationToken")).add(200).add(401, refusal("A")).add(401, refusal("AuthenticationFailed"))
    await script.client.request("GET", THING, "1")
    assert script.renewed == 1
    with pytest.raises(AzureError, match="AuthenticationFailed"):
        await script.client.request("GET", THING, "1")


async def test_cut_connection(script):
    script.answers = [TransportError("cut", sent=True)]
    script.add(200, {"id": THING})
    assert (await script.client.request("PUT", THING, "1", json={}, creates=True)).body == {"id": THING}
    assert [method for method, dummy in script.sent] == ["PUT", "GET"], "what is there already was sent again"


async def test_cut_connection_before_the_effect(script):
    script.answers = [TransportError("cut", sent=True)]
    script.add(404, refusal("ResourceNotFound")).add(201, {"id": THING})
    await script.client.request("PUT", THING, "1", json={}, creates=True)
    assert [method for method, dummy in script.sent] == ["PUT", "GET", "PUT"]


async def test_post_is_not_sent_twice(script):
    script.answers = [TransportError("cut", sent=True)]
    with pytest.raises(TransportError):
        await script.client.request("POST", THING + "/runCommand", "1", json={})
    script.answers = [TransportError("no connection", sent=False)]
    script.add(202)
    assert (await script.client.request("POST", THING + "/start", "1")).status == 202


async def test_throttling_holds_for_all_requests_of_the_kind():
    now, sent = asyncio.get_running_loop().time(), []

    async def send(method, url, json):
        sent.append((method, asyncio.get_running_loop().time() - now))
        if len(sent) == 1:
            return Response(429, {"retry-after": "0.3"}, refusal("SubscriptionRequestsThrottled"))
        return Response(200, {}, {})

    client = Client(send, "https://arm.example", "sub")

    async def later(method):
        await asyncio.sleep(0.05)
        await client.request(method, THING, "1")

    await asyncio.gather(client.request("PUT", THING, "1"), later("PUT"), later("GET"))
    times = sorted((method, moment) for method, moment in sent[1:])
    assert [method for method, dummy in times] == ["GET", "PUT", "PUT"]
    assert times[0][1] < 0.25, "reads have a bucket of their own"
    assert all(moment >= 0.29 for dummy, moment in times[1:])


async def test_after_a_refusal_a_bucket_is_drawn_from_no_faster_than_it_is_filled():
    """All twelve at once find four tokens; without a pace each new token would be asked for by all that wait."""
    clock = asyncio.get_running_loop().time
    level, seen, refused = 4.0, clock(), 0

    async def send(method, url, json):
        nonlocal level, seen, refused
        await asyncio.sleep(0.01)
        level, seen = level + (clock() - seen) * 10, clock()
        if level < 1:
            refused += 1
            return Response(429, {"retry-after": "0.2"}, refusal("SubscriptionRequestsThrottled"))
        level -= 1
        return Response(200, {}, {})

    client = Client(send, "https://arm.example", "sub")
    await asyncio.gather(*(client.request("PUT", THING, "1") for dummy in range(12)))
    assert 8 <= refused <= 10, refused


async def test_list_reads_all_pages_or_fails(script):
    script.add(200, {"value": [{"id": "/1"}], "nextLink": "https://arm.example/next?$skip=1"}).add(200, {"value": [{"id": "/2"}]})
    assert await script.client.list("/list", "1") == [{"id": "/1"}, {"id": "/2"}]
    assert script.sent[1] == ("GET", "/next?$skip=1")
    script.add(200, {"value": [{"id": "/1"}], "nextLink": "https://arm.example/next"}).add(403, refusal("AuthorizationFailed"))
    with pytest.raises(AzureError, match="Failed to list things in rg: AuthorizationFailed"):
        await script.client.list("/subscriptions/sub/resourceGroups/rg/providers/Microsoft.X/things", "1")


async def test_a_missing_group_is_an_empty_list_and_a_missing_subscription_is_not(script):
    script.add(404, refusal("ResourceGroupNotFound")).add(404, refusal("SubscriptionNotFound"))
    assert await script.client.list("/list", "1") == []
    with pytest.raises(AzureError):
        await script.client.list("/list", "1")


async def test_get(script):
    script.add(404, refusal("ResourceNotFound")).add(404, refusal("InvalidResourceType"))
    assert await script.client.get(THING, "1") is None
    with pytest.raises(AzureError):
        await script.client.get(THING, "1")


def put(status, body, **headers):
    return Response(status, {key.replace("_", "-"): str(value) for key, value in headers.items()}, body, "PUT", THING, "1")


def state(name):
    return {"id": THING, "properties": {"provisioningState": name}}


async def test_operation_url_is_used_verbatim_and_retry_after_honoured(script):
    script.add(200, {"status": "InProgress"}, retry_after=7).add(200, {"status": "InProgress"}).add(200, {"status": "Succeeded"})
    script.add(200, state("Succeeded"))
    response = put(201, state("Creating"), azure_asyncoperation=OPERATION, retry_after=3)
    assert await script.client.wait(response) == state("Succeeded")
    assert [url for dummy, url in script.sent] == [OPERATION.replace("https://arm.example", "")] * 3 + [THING + "?api-version=1"]
    assert script.pauses == [7.0, 3.0]


async def test_what_is_done_at_once_is_not_polled(script):
    assert await script.client.wait(put(201, state("Succeeded"), azure_asyncoperation=OPERATION)) == state("Succeeded")
    assert await script.client.wait(Response(204, {}, None, "DELETE", THING, "1")) is None
    assert script.sent == []


async def test_failed_operation(script):
    script.add(200, {"status": "Failed", "error": {"code": "AllocationFailed", "message": "No room.", "target": "t", "details": [
        {"code": "Inner", "message": "Why."}]}})
    with pytest.raises(AzureError) as caught:
        await script.client.wait(put(201, state("Creating"), azure_asyncoperation=OPERATION), "create thing one")
    assert str(caught.value) == "Failed to create thing one: AllocationFailed: No room. Inner: Why."
    assert caught.value.result()["error"]["details"] == [{"code": "Inner", "message": "Why."}]
    script.add(200, {"status": "Canceled"})
    with pytest.raises(AzureError, match="OperationCanceled"):
        await script.client.wait(put(201, state("Creating"), azure_asyncoperation=OPERATION))


async def test_reading_the_status_may_fail_without_the_operation_failing(script):
    script.add(503).add(200, {"status": "Succeeded"})
    await script.client.wait(put(201, state("Creating"), azure_asyncoperation=OPERATION), final=False)
    assert len(script.sent) == 2


async def test_location(script):
    first = Response(202, {"location": "https://arm.example/results/1", "retry-after": "15"}, None, "DELETE", THING, "1")
    script.add(202, None).add(204)
    assert await script.client.wait(first) is None
    assert script.pauses == [15.0]


async def test_location_of_a_put_ends_with_the_resource(script):
    first = Response(202, {"location": "https://arm.example/results/1"}, None, "PUT", THING, "1")
    script.add(202).add(200, state("Succeeded"))
    assert await script.client.wait(first) == state("Succeeded")


async def test_without_headers_the_resource_is_read(script):
    script.add(200, state("Updating")).add(200, state("Succeeded"))
    assert await script.client.wait(put(200, state("Updating"))) == state("Succeeded")
    script.add(200, state("Failed"))
    with pytest.raises(AzureError, match="ProvisioningFailed"):
        await script.client.wait(put(200, state("Updating")))


async def test_stop_ends_every_wait():
    async def send(method, url, json):
        return Response(200, {}, {"status": "InProgress"})

    client = Client(send, "https://arm.example", "sub")
    asyncio.get_running_loop().call_later(0.05, client.stop.set)
    with pytest.raises(InterruptedRun):
        await client.wait(put(201, state("Creating"), azure_asyncoperation=OPERATION, retry_after=60))


def listed(**states):
    return {"value": [{"id": "/things/" + name, "properties": {"provisioningState": value}} for name, value in states.items()]}


def made(name, method="PUT", status=201, body=None, **headers):
    body = {"id": "/things/" + name, "properties": {"provisioningState": "Creating"}} if method == "PUT" else body
    return Response(status, {key.replace("_", "-"): value for key, value in headers.items()}, body, method, "/things/" + name, "1")


async def test_one_loop_settles_many(script):
    waiter = ListWaiter(script.client)
    script.add(200, listed(a="Creating", b="Creating")).add(200, listed(a="Succeeded", b="Creating")).add(200, listed(a="Succeeded", b="Succeeded"))
    bodies = await asyncio.gather(waiter.settle(made("a"), "create a"), waiter.settle(made("B"), "create b"))
    assert [body["id"] for body in bodies] == ["/things/a", "/things/b"]
    assert len(script.sent) == 3, "requests grew with the number of resources"


async def test_the_list_says_that_and_the_operation_says_why(script):
    waiter = ListWaiter(script.client)
    script.add(200, listed(a="Failed", b="Succeeded"))
    script.add(200, {"status": "Failed", "error": {"code": "OSProvisioningTimedOut", "message": "Slow."}})
    results = await asyncio.gather(
        waiter.settle(made("a", azure_asyncoperation=OPERATION), "create virtual machine a"), waiter.settle(made("b"), "create b"),
        return_exceptions=True)
    assert str(results[0]) == "Failed to create virtual machine a: OSProvisioningTimedOut: Slow."
    assert results[1]["id"] == "/things/b"


async def test_deleted_means_no_longer_listed(script):
    waiter = ListWaiter(script.client)
    script.add(200, listed(a="Deleting", b="Succeeded")).add(200, listed(b="Succeeded"))
    assert await waiter.settle(made("a", "DELETE", 202), "delete a") is None


async def test_a_list_that_fails_ends_the_wait_of_all(script):
    waiter = ListWaiter(script.client)
    script.add(403, refusal("AuthorizationFailed"))
    results = await asyncio.gather(waiter.settle(made("a"), "a"), waiter.settle(made("b"), "b"), return_exceptions=True)
    assert [result.code for result in results] == ["AuthorizationFailed"] * 2


async def test_who_comes_later_starts_a_new_loop(script):
    waiter = ListWaiter(script.client)
    script.add(200, listed(a="Succeeded")).add(200, listed(b="Succeeded"))
    await waiter.settle(made("a"), "a")
    await waiter.settle(made("b"), "b")
    assert len(script.sent) == 2
