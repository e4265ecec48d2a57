# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Token buckets with Azure's sizes, headers and errors; pages; locks; settings from a file."""
from __future__ import annotations

import json
from pathlib import Path

import pytest

from azlab import testing
from azlab.errors import ArmError
from azlab.throttle import Throttle, policy
from labgroup import COMPUTE, NET, Group

VM = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines"


@pytest.mark.parametrize(("method", "path", "found"), [
    ("PUT", f"{VM}/a", "PutVM"), ("PATCH", f"{VM}/a", "PutVM"), ("DELETE", f"{VM}/a", "DeleteVM"),
    ("POST", f"{VM}/a/deallocate", "DeleteVM"), ("POST", f"{VM}/a/start", "UpdateVM"), ("PUT", f"{VM}/a/extensions/e", "UpdateVM"),
    ("GET", VM, "HighCostGet"), ("GET", f"{VM}/a", "LowCostGet"),
    ("GET", "/subscriptions/s/providers/Microsoft.Compute/locations/x/operations/1", "GetOperation"),
    ("GET", "/subscriptions/s/resourceGroups/g", "")])
def test_the_policy_that_a_request_counts_for(method: str, path: str, found: str) -> None:
    assert policy(method, path)[0] == found


def test_a_bucket_empties_refuses_and_refills() -> None:
    now = [100.0]
    throttle = Throttle(lambda: now[0])
    throttle.set(on=True)
    first = throttle.check("PUT", f"{VM}/a")
    assert first["x-ms-ratelimit-remaining-resource"] == \
        "Microsoft.Compute/PutVMSubscriptionMaximum;1499,Microsoft.Compute/PutVMResource;11"
    assert first["x-ms-ratelimit-remaining-subscription-writes"] == "199"
    for _ in range(11):
        throttle.check("PUT", f"{VM}/a")
    with pytest.raises(ArmError) as caught:
        throttle.check("PUT", f"{VM}/a")
    assert caught.value.status == 429 and caught.value.headers == {"Retry-After": "15"}
    body = caught.value.body()
    assert body["code"] == "OperationNotAllowed" and body["details"][0]["code"] == "TooManyRequests"
    throttle.check("PUT", f"{VM}/b")                # another machine has a bucket of its own
    now[0] += 15
    throttle.check("PUT", f"{VM}/a")


def test_arm_counts_each_principal_and_all_of_them() -> None:
    throttle = Throttle(lambda: 0.0)
    throttle.set(on=True)
    for _ in range(200):
        throttle.check("DELETE", "/subscriptions/s/resourceGroups/g", "me")
    with pytest.raises(ArmError) as caught:
        throttle.check("DELETE", "/subscriptions/s/resourceGroups/g", "me")
    assert caught.value.body()["error"]["code"] == "SubscriptionRequestsThrottled"
    assert throttle.check("DELETE", "/subscriptions/s/resourceGroups/g", "you")[
        "x-ms-ratelimit-remaining-subscription-global-deletes"] == "2799"


def test_off_it_refuses_nothing_but_sends_the_headers() -> None:
    throttle = Throttle(lambda: 0.0)
    for _ in range(500):
        headers = throttle.check("DELETE", "/subscriptions/s/resourceGroups/g")
    assert headers["x-ms-ratelimit-remaining-subscription-deletes"] == "199"
    with pytest.raises(ValueError, match="more than 0"):
        throttle.set(on=True, scale=0)


def test_throttling_is_switched_at_run_time(group: Group) -> None:
    admin = group.azure.admin
    assert admin.call("POST", "/throttling", {"on": True, "scale": 0.02})["on"] is True
    try:
        answers = [group.call("GET", "") for _ in range(8)]
        refused = next(a for a in answers if a[0] == 429)
        assert refused[1]["error"]["code"] == "SubscriptionRequestsThrottled" and int(refused[2]["retry-after"]) >= 1
    finally:
        admin.call("POST", "/throttling", {"on": False})
    status, _, headers = group.call("GET", f"{COMPUTE}/virtualMachines")
    assert status == 200 and headers["x-ms-ratelimit-remaining-resource"].startswith("Microsoft.Compute/HighCostGet")


def test_long_lists_come_in_pages(group: Group) -> None:
    group.azure.admin.call("POST", "/paging", {"size": 2})
    try:
        for name in "abcde":
            group.put(f"{NET}/networkSecurityGroups/{name}", {})
        url, names, pages = f"resourceGroups/{group.name}/{NET}/networkSecurityGroups", [], 0
        while url:
            body = group.azure.arm("GET", url)[1]
            names += [i["name"] for i in body["value"]]
            url, pages = body.get("nextLink"), pages + 1
        assert names == list("abcde") and pages == 3
        first = group.call("GET", f"{NET}/networkSecurityGroups")[1]["nextLink"]
        assert group.azure.arm("GET", first.replace("skiptoken=", "skiptoken=x"))[1]["error"]["code"] == "InvalidSkipToken"
    finally:
        group.azure.admin.call("POST", "/paging", {"size": 0})


def test_locks_hold_deletes_and_writes(group: Group) -> None:
    lock = "providers/Microsoft.Authorization/locks/keep"
    path = f"{NET}/networkSecurityGroups/n"
    group.put(path, {})
    status, body, _ = group.call("PUT", f"{path}/{lock}", {"properties": {"level": "CanNotDelete", "notes": "mine"}})
    assert status == 201 and body["properties"] == {"level": "CanNotDelete", "notes": "mine"}
    assert group.refused("DELETE", path)[:2] == (409, "ScopeLocked")
    assert group.refused("DELETE", "")[:2] == (409, "ScopeLocked"), "a group is held by what it holds"
    assert group.call("PUT", path, {"location": "westeurope"})[0] == 200
    assert group.call("DELETE", f"{path}/{lock}")[0] == 200
    assert group.call("PUT", lock, {"properties": {"level": "ReadOnly"}})[0] == 201
    assert group.refused("PUT", path, {"location": "westeurope"})[1] == "ScopeLocked"
    assert group.refused("POST", f"{COMPUTE}/virtualMachines/x/start")[1] == "ScopeLocked"
    assert [v["name"] for v in group.call("GET", "providers/Microsoft.Authorization/locks")[1]["value"]] == ["keep"]
    assert group.call("DELETE", lock)[0] == 200 and group.call("DELETE", lock)[0] == 204
    assert group.call("DELETE", path)[0] == 202


def test_a_lab_takes_its_conditions_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "conditions.json"
    file.write_text(json.dumps({"latency_scale": 0, "throttling": {"on": True}, "page_size": 7, "overrides": [
        {"type": "Microsoft.Network/virtualNetworks", "method": "PUT", "seconds": 1.5}],
        "faults": [{"method": "GET", "path": "nothing", "status": 503}]}))
    with testing.lab(conditions=file) as lab:
        state = lab.admin.call("GET", "/")
        assert (state["throttling"], state["page_size"], state["faults"]) == (True, 7, 1)
        assert lab.admin.call("GET", "/latencies")["overrides"][0]["seconds"] == 1.5
    file.write_text('{"colour": 1}')
    with pytest.raises(Exception, match="colour"), testing.lab(conditions=file):
        pass
