# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One run at a time: against a lock that behaves as Azure documents it, by a clock of its own."""

from __future__ import annotations

import asyncio
import email.utils

import pytest
from ansible_collections.dockhost.azure.plugins.module_utils._azure.client import Client, Response
from ansible_collections.dockhost.azure.plugins.module_utils._errors import AzureError, DockhostError, InterruptedRun
from ansible_collections.dockhost.azure.plugins.module_utils._hosts import turn as module
from ansible_collections.dockhost.azure.plugins.module_utils._hosts.turn import Place, Turn
from ansible_collections.dockhost.azure.plugins.module_utils._model.turn import LEASE_SECONDS, Holder, holder, lock_name

MISSING = {"error": {"code": "ResourceNotFound", "message": "not there"}}


class Lock:
    """The scale set, and Azure's clock, which is years ahead of ours."""

    def __init__(self):
        self.body, self.version, self.now, self.log, self.refuse = None, 0, 4_000_000_000.0, [], None

    def client(self):
        client = Client(self.send, "https://arm.example", "sub")

        async def pause(seconds):
            await asyncio.sleep(0)

        client.pause = pause
        return client

    async def send(self, method, url, json=None, headers=None):
        await asyncio.sleep(0)
        headers = headers or {}
        self.log.append(method)
        if self.refuse and method in self.refuse:
            return Response(self.refuse[method], {}, {"error": {"code": "Refused", "message": "No."}})
        if method == "GET":
            return self.answer(200, self.body) if self.body else self.answer(404, MISSING)
        if method == "DELETE":
            self.body = None
            return self.answer(202, None)
        etag = self.body["etag"] if self.body else None
        if (headers.get("If-None-Match") == "*" and etag) or ("If-Match" in headers and headers["If-Match"] != etag):
            return self.answer(412, {"error": {"code": "PreconditionFailed", "message": "other ETag"}})
        self.version += 1
        self.body = dict(json, etag='"{0}"'.format(self.version))
        return self.answer(201, self.body)

    def answer(self, status, body):
        return Response(status, {"date": email.utils.formatdate(self.now, usegmt=True)}, body)


@pytest.fixture
def lock(monkeypatch):
    made = Lock()
    monkeypatch.setattr(module, "elapsed", lambda: made.now - 3_999_000_000.0)
    return made


def a_turn(place=None, limit=60):
    made = Turn("rg", "web", "demo", {"cost": "42"}, limit)
    if place:
        made.me = Holder(made.me.run, made.me.by, place)
    return made


async def begun(lock, **options):
    made = a_turn(**options)
    await made.read(lock.client())
    await made.begin(lock.client(), "westeurope")
    return made


def test_a_turn_is_one_write_and_one_delete_after_a_look(lock):
    async def main():
        one = await begun(lock)
        assert one.held and holder(lock.body).run == one.me.run and lock.body["tags"]["cost"] == "42"
        assert lock.body["properties"] == {"orchestrationMode": "Flexible", "platformFaultDomainCount": 1}
        await one.end(lock.client())

    asyncio.run(main())
    assert lock.log == ["GET", "PUT", "DELETE"] and lock.body is None


def test_the_second_waits_for_the_first(lock):
    async def main():
        one, two = await begun(lock), a_turn(limit=10**9)
        assert (await two.read(lock.client())).run == one.me.run and not two.left_over
        waiting = asyncio.ensure_future(two.begin(lock.client(), "westeurope"))
        for dummy in range(20):
            await asyncio.sleep(0)
        assert not two.held and holder(lock.body).run == one.me.run
        await one.end(lock.client())
        await waiting
        assert two.held and two.waited and holder(lock.body).run == two.me.run
        await two.end(lock.client())

    asyncio.run(main())


def test_of_many_that_come_at_once_one_begins_at_a_time(lock):
    inside, most = [], []

    async def change():
        one = await begun(lock, limit=10**9)
        inside.append(one)
        most.append(len(inside))
        for dummy in range(5):
            await asyncio.sleep(0)
        inside.remove(one)
        await one.end(lock.client())

    async def main():
        await asyncio.gather(*(change() for dummy in range(8)))

    asyncio.run(main())
    assert most == [1] * 8


def test_who_waits_too_long_is_told_for_whom(lock, monkeypatch):
    async def main():
        one = await begun(lock)
        ticks = iter(range(0, 10_000, 20))
        monkeypatch.setattr(module.time, "monotonic", lambda: next(ticks))
        two = a_turn()
        await two.read(lock.client())
        with pytest.raises(DockhostError) as caught:
            await two.free(lock.client())
        assert str(caught.value).startswith("Another run ({0}, since ".format(one.me.by)) and "wait_timeout" in str(caught.value)
        one._renewing.cancel()

    asyncio.run(main())


@pytest.mark.parametrize("place, seconds, taken", [
    (Place("another boot", "1/1"), 0, False), (Place("another boot", "1/1"), LEASE_SECONDS + 2, True),
    (Place(module.here().world, "4194305/1"), 0, True),   # no process has this number
    (Place(), 0, False),
])
def test_what_a_killed_run_left_is_taken_over(lock, place, seconds, taken):
    async def main():
        dead = await begun(lock, place=place)
        dead._renewing.cancel()
        lock.now += seconds
        next_one = a_turn()
        other = await next_one.read(lock.client())
        assert (other is None) == taken == next_one.left_over
        if taken:
            await next_one.begin(lock.client(), "westeurope")
            assert holder(lock.body).run == next_one.me.run
            await next_one.end(lock.client())

    asyncio.run(main())


def test_signs_of_life_keep_the_turn(lock, monkeypatch):
    monkeypatch.setattr(module, "RENEW_SECONDS", 0.001)

    async def main():
        one = await begun(lock, place=Place("another boot", "1/1"))
        lock.now += LEASE_SECONDS - 1
        before = lock.version
        while lock.version == before:
            await asyncio.sleep(0.001)
        lock.now += 10
        one.check()
        assert await a_turn().read(lock.client()) is not None
        await one.end(lock.client())

    asyncio.run(main())


def test_who_was_silent_too_long_writes_nothing_any_more(lock):
    async def main():
        one = await begun(lock, place=Place("another boot", "1/1"))
        lock.now += LEASE_SECONDS + 2
        with pytest.raises(InterruptedRun, match="has lost its turn at host group web"):
            one.check()
        two = await begun(lock)
        await one.end(lock.client())
        assert holder(lock.body).run == two.me.run, "the turn of another was ended"
        await two.end(lock.client())

    asyncio.run(main())


def test_a_run_that_was_overtaken_stops(lock, monkeypatch):
    monkeypatch.setattr(module, "RENEW_SECONDS", 0.001)

    async def main():
        client, one = lock.client(), a_turn()
        await one.read(client)
        await one.begin(client, "westeurope")
        lock.body = dict(lock.body, etag='"taken"', tags=dict(lock.body["tags"], **{"dockhost-run": "another"}))
        await asyncio.wait_for(client.stop.wait(), 5)
        assert one.lost
        await one.end(client)
        assert lock.body is not None

    asyncio.run(main())


def test_an_answer_that_was_lost_does_not_lock_out_its_own_run(lock):
    """The first PUT had its effect and its answer was cut: what is sent again is refused, and the lock is ours."""
    async def main():
        one, client = a_turn(), lock.client()
        real = client.request

        async def request(method, *args, **options):
            if method == "PUT":
                await real(method, *args, **options)
            return await real(method, *args, **options)

        client.request = request
        await one.read(client)
        await one.begin(client, "westeurope")
        assert one.held and holder(lock.body).run == one.me.run
        client.request = real
        await one.end(client)

    asyncio.run(main())


@pytest.mark.parametrize("status", [400, 403])
def test_who_may_not_make_scale_sets_goes_on_with_a_warning(lock, status):
    async def main():
        lock.refuse = {"PUT": status, "GET": 403}
        one = await begun(lock)
        assert not one.held and len(one.warnings) == 1 and "let no other run change it now" in one.warnings[0]
        one.check()
        await one.end(lock.client())

    asyncio.run(main())
    assert "DELETE" not in lock.log


def test_a_broken_azure_is_an_error(lock):
    async def main():
        lock.refuse = {"PUT": 501}
        with pytest.raises(AzureError):
            await begun(lock)

    asyncio.run(main())


def test_a_lock_without_its_tags_is_nobodys():
    assert holder(None) is None
    found = holder({"tags": {"dockhost-run-until": "soon"}})
    assert found.until == 0 and found.over(1.0, Place("here"), lambda process: True)


def test_names_of_locks_are_no_names_of_groups_and_differ():
    assert lock_name("web") == "web_lock"
    long = ["a" * 62 + "1", "a" * 62 + "2"]
    names = [lock_name(name) for name in long]
    assert len(set(names)) == 2 and all(len(name) <= 64 and name.endswith("_lock") for name in names)


def test_processes_are_told_apart_by_when_they_began():
    process = module.here().process
    assert module.alive(process)
    assert not module.alive(process + "0") and not module.alive("") and not module.alive("x/y")
