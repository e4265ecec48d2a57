# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Services whose update is waited for before others are touched."""

from __future__ import annotations

import pytest
from ansible_collections.dockhost.azure.plugins.module_utils._stack import wait as waiting
from ansible_collections.dockhost.azure.plugins.module_utils._stack.document import Wanted
from ansible_collections.dockhost.azure.plugins.module_utils._stack.plan import Actual, Step
from ansible_collections.dockhost.azure.plugins.module_utils._stack.run import _apply, awaited, turns

SECRET = Step("create", "secret", "shop_password-2", "new content")
API = Step("update", "service", "shop_api", "differs in secrets")
DATABASE = Step("update", "service", "shop_database", "differs in secrets")
GONE = Step("remove", "service", "shop_old", "not in the document")
OUTDATED = Step("remove", "secret", "shop_password-1", "outdated")


def test_a_database_gets_its_new_secret_before_who_uses_it():
    assert turns([SECRET, API, DATABASE, GONE, OUTDATED], "shop", ["database"]) == ([SECRET, DATABASE], [API, GONE, OUTDATED])


@pytest.mark.parametrize("steps, first", [
    ([SECRET, API, DATABASE, OUTDATED], []),
    ([SECRET, API, OUTDATED], ["database"]),
    ([Step("create", "service", "shop_database", "does not exist"), API], ["database"]),
    ([Step("update", "service", "other_database", "x"), API], ["database"]),
], ids=["nobody", "unchanged", "new", "another stack's"])  # fmt: skip
def test_nobody_waits_where_there_is_nothing_to_wait_for(steps, first):
    assert turns(steps, "shop", first) == ([], steps)


def had(state):
    """A stack whose database had an update in that state when the run began."""
    update = {"UpdateStatus": {"State": state}} if state else {}
    return Actual(services={"shop_database": {"ID": "d", **update}, "shop_api": {"ID": "a", "UpdateStatus": {"State": "updating"}}})


@pytest.mark.parametrize("early, rest, state, names", [
    ([SECRET, DATABASE], [API], None, {"shop_database"}),
    ([SECRET, DATABASE], [OUTDATED], None, set()),
    ([], [API], "updating", {"shop_database"}),
    ([], [API], "completed", set()),
    ([], [API], "paused", set()),
    ([], [API], None, set()),
    ([], [], "updating", set()),
], ids=["changes", "nobody else", "a run was cut off", "long ago", "waits for a person", "never", "nothing to do"])  # fmt: skip
def test_who_has_to_run_before_the_others_are_touched(early, rest, state, names):
    assert awaited((early, rest), "shop", ["database"], had(state)) == names


def test_nobody_is_named_where_the_service_is_new():
    assert awaited(([], [API]), "shop", ["database"], Actual()) == set()


class Told:
    """A swarm's manager and who waits for it: what is asked of them, in order."""

    def __init__(self):
        self.calls = []

    def apply(self, step):
        self.calls.append(step.name)

    def wait(self, names, timeout, watched=True):
        self.calls.append((sorted(names), timeout, watched))
        return {}


@pytest.mark.parametrize("wait, calls", [
    (True, ["shop_password-2", "shop_database", (["shop_database"], 9, False), "shop_api", (["shop_api", "shop_database"], 9, True)]),
    (False, ["shop_password-2", "shop_database", "shop_api"]),
], ids=["waits", "does not"])  # fmt: skip
def test_the_others_are_touched_once_the_first_run_and_all_are_watched_to_the_end(wait, calls):
    told, wanted = Told(), Wanted("shop", {"shop_api": {}, "shop_database": {}}, {}, {}, {})
    params = {"name": "shop", "first": ["database"], "wait": wait, "timeout": 9, "on_failure": "keep"}
    _apply(None, params, Actual(), wanted, ([SECRET, DATABASE], [API]), told, told)
    assert told.calls == calls


class Watched:
    """A swarm that still watches the update of a service whose task runs."""

    def __init__(self):
        spec = {"Name": "shop_database", "Mode": {"Replicated": {"Replicas": 1}}, "TaskTemplate": {"ContainerSpec": {"Healthcheck": {"Test": ["CMD", "true"]}}}}
        task = {"ID": "t", "ServiceID": "d", "NodeID": "n", "Slot": 1, "Spec": spec["TaskTemplate"], "DesiredState": "running", "Status": {"State": "running"}}
        node = {"ID": "n", "Status": {"State": "ready"}, "Spec": {"Availability": "active"}}
        self.lists = {"/services": [{"ID": "d", "Spec": spec, "UpdateStatus": {"State": "updating"}}], "/tasks": [task], "/nodes": [node]}

    def get(self, path, **dummy):
        return self.lists[path]


def test_the_others_do_not_wait_for_as_long_as_the_swarm_watches_the_update(monkeypatch):
    monkeypatch.setattr(waiting.time, "sleep", lambda dummy: None)
    waiter = waiting.Waiter(Watched(), "any")
    assert waiter.wait({"shop_database"}, 1, watched=False)["shop_database"].up
    with pytest.raises(waiting.StackError, match="Not converged within 0 s. Service shop_database: 1 of 1 tasks run"):
        waiter.wait({"shop_database"}, 0)
