# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The walk over a plan: order, failures, interruption."""

from __future__ import annotations

import asyncio

import pytest
from ansible_collections.dockhost.azure.plugins.module_utils import _apply
from ansible_collections.dockhost.azure.plugins.module_utils._azure.client import Client, Response
from ansible_collections.dockhost.azure.plugins.module_utils._errors import ApplyError, InterruptedRun, RefusedError
from ansible_collections.dockhost.azure.plugins.module_utils._model.resource import Resource, Step
from ansible_collections.dockhost.azure.plugins.module_utils._plan.core import Plan, plan


def make(name, *needs, **more):
    return Resource("/things/" + name, "Microsoft.X/things", {}, depends_on=tuple("/things/" + need for need in needs), **more)


class Fake:
    """Azure in which each request takes some time; ``bad`` names fail."""

    def __init__(self, bad=(), slow=()):
        self.bad, self.slow, self.events = set(bad), set(slow), []
        self.client = Client(self.send, "https://arm.example", "sub")

    async def send(self, method, url, json):
        name = url.split("?")[0].rsplit("/", 1)[-1]
        self.events.append(("begin", name))
        await asyncio.sleep(0.1 if name in self.slow else 0.01)
        self.events.append(("end", name))
        if name in self.bad:
            return Response(400, {}, {"error": {"code": "Bad", "message": "It is bad."}})
        return Response(200, {}, {"id": "/things/" + name})


async def test_no_waves():
    """c needs only a, and starts while b is still under way."""
    fake = Fake(slow={"b"})
    await _apply.apply(plan([make("a"), make("b"), make("c", "a"), make("d", "b", "c")], {}), fake.client)
    assert fake.events.index(("begin", "c")) < fake.events.index(("end", "b")) < fake.events.index(("begin", "d"))


async def test_a_failure_stops_only_what_needs_it():
    fake, seen = Fake(bad={"a"}), []
    results = await _apply.apply(
        plan([make("a"), make("b", "a"), make("c", "b"), make("d")], {}), fake.client, lambda event, step: seen.append((event, step.resource.name)))
    assert [result.state for result in results] == ["failed", "skipped", "skipped", "done"]
    assert ("failed", "a") in seen and ("skipped", "c") in seen and ("done", "d") in seen
    with pytest.raises(ApplyError) as caught:
        _apply.check_results(results)
    assert str(caught.value) == (
        "Failed to create Microsoft.X/things a: Bad: It is bad. (1 of 4 steps done; running again continues from here)"
    )
    assert caught.value.result()["error"]["code"] == "Bad"
    assert caught.value.result()["errors"][0]["step"] == "create Microsoft.X/things a"


async def test_many_failures_are_one_sentence():
    names = ["a", "b", "c", "d", "e", "f"]
    results = await _apply.apply(plan([make(name) for name in names], {}), Fake(bad=names).client)
    with pytest.raises(ApplyError, match=r"also failed: create Microsoft.X/things b, .* and 2 more"):
        _apply.check_results(results)


async def test_stop_starts_nothing_more():
    fake = Fake(slow={"a"})
    asyncio.get_running_loop().call_later(0.03, fake.client.stop.set)
    results = await _apply.apply(plan([make("a"), make("b", "a")], {}), fake.client)
    assert [result.state for result in results] == ["done", "skipped"]
    with pytest.raises(InterruptedRun) as caught:
        _apply.check_results(results)
    assert str(caught.value) == "The run was interrupted after 1 of 2 steps; running again continues from here."


async def test_stop_leaves_to_azure_what_it_accepted():
    async def send(method, url, json):
        return Response(201, {"azure-asyncoperation": "https://arm.example/o", "retry-after": "60"},
                        {"status": "InProgress", "properties": {"provisioningState": "Creating"}})

    client = Client(send, "https://arm.example", "sub")
    asyncio.get_running_loop().call_later(0.03, client.stop.set)
    results = await _apply.apply(plan([make("a")], {}), client)
    assert [result.state for result in results] == ["left"]
    with pytest.raises(InterruptedRun, match="while Azure was still busy with: create Microsoft.X/things a"):
        _apply.check_results(results)


async def test_refusals_send_nothing():
    fake = Fake()
    made = plan([make("a"), Resource("/things/b", "Microsoft.X/things", {"location": "x"})], {"/things/b": {"location": "y"}})
    with pytest.raises(RefusedError, match="cannot be changed from y to x"):
        await _apply.apply(made, fake.client)
    assert fake.events == []


async def test_what_is_missing_is_deleted():
    async def send(method, url, json):
        return Response(404, {}, {"error": {"code": "ResourceNotFound", "message": "x"}})

    results = await _apply.apply(plan([], {"/things/a": {}}, delete=[make("a")]), Client(send, "https://arm.example", "sub"))
    assert [result.state for result in results] == ["done"]


def step(name, *needs):
    return Step(name, "create", make(name), depends_on=needs, method="PUT")


@pytest.mark.parametrize("steps, message", [
    ([step("a", "b"), step("b", "a")], "in a circle"), ([step("a", "z")], "lacks steps"), ([step("a"), step("a")], "same id"),
])
async def test_plans_that_cannot_be_walked(steps, message):
    with pytest.raises(ValueError, match=message):
        await _apply.apply(Plan(tuple(steps)), Fake().client)
