# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the page of a lab is made of, and what its port refuses: over HTTP, without a browser."""
from __future__ import annotations

import http.client
import json
import time
from typing import Any
from urllib.parse import quote

import pytest

from azlab import requestlog, testing
from azlab.page import views
from labgroup import COMPUTE, NET, Group


def ask(azure: testing.RunningLab, path: str, method: str = "GET", body: Any = None,
        **headers: str) -> tuple[int, str, dict[str, str]]:
    """One request with exactly these headers: (status, text, headers in lower case)."""
    connection = http.client.HTTPConnection("127.0.0.1", azure.settings.admin_port, timeout=20)
    connection.request(method, path, json.dumps(body) if body is not None else None,
                       {k.replace("_", "-"): v for k, v in headers.items()})
    answer = connection.getresponse()
    found = answer.status, answer.read().decode(), {k.lower(): v for k, v in answer.getheaders()}
    connection.close()
    return found


def data(azure: testing.RunningLab, path: str) -> Any:
    status, text, _ = ask(azure, f"/page/data/{path}")
    assert status == 200, text
    return json.loads(text)


def page_key(azure: testing.RunningLab) -> str:
    return ask(azure, "/page/")[1].split('name="azlab-key" content="')[1].split('"')[0]


def test_the_page_and_its_files_are_served_by_the_lab_alone(azure: testing.RunningLab) -> None:
    status, text, headers = ask(azure, "/page/")
    assert status == 200 and headers["content-type"].startswith("text/html")
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy and "frame-ancestors 'none'" in policy
    assert "http" not in text.split("</head>")[0].split("-->")[1]
    for name in ("app.js", "dom.js", "lists.js", "drawing.js", "doing.js", "requests.js", "style.css", "icon.svg"):
        status, text, headers = ask(azure, f"/page/{name}")
        assert status == 200 and headers["x-content-type-options"] == "nosniff" and len(text) < 40_000
        assert "innerHTML" not in text and "insertAdjacentHTML" not in text
    assert ask(azure, "/page/../admin.py")[0] == 404 and ask(azure, "/page/%2e%2e%2fadmin.py")[0] == 404
    assert ask(azure, "/", Accept="text/html,*/*")[2]["location"] == "/page/"
    assert json.loads(ask(azure, "/")[1])["name"] == "test"


@pytest.mark.parametrize("headers", [
    {"Host": "evil.example"}, {"Host": "evil.example:1"}, {"Host": "127.0.0.1.evil.example"},
    {"Origin": "http://evil.example"}, {"Origin": "null"}, {"Origin": "http://127.0.0.1:1"},
    {"Sec_Fetch_Site": "cross-site"}, {"Sec_Fetch_Site": "same-site"},
])
@pytest.mark.parametrize("path", ["/page/", "/page/data/summary", "/page/events", "/requests"])
def test_other_pages_get_nothing(azure: testing.RunningLab, headers: dict[str, str], path: str) -> None:
    status, _, answer = ask(azure, path, **headers)
    assert status == 403 and not any(name.startswith("access-control") for name in answer)


def test_a_link_from_elsewhere_opens_the_page_but_no_data(azure: testing.RunningLab) -> None:
    opened = {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate"}
    assert ask(azure, "/page/", **opened)[0] == 200
    assert ask(azure, "/page/data/summary", **opened)[0] == 403
    assert ask(azure, "/reset", "POST", **opened)[0] == 403


def test_changes_from_a_browser_need_the_key_of_the_page(azure: testing.RunningLab) -> None:
    browser = {"Origin": f"http://127.0.0.1:{azure.settings.admin_port}", "Sec_Fetch_Site": "same-origin"}
    fault = {"method": "PUT", "path": "nothing", "status": 500}
    assert ask(azure, "/faults", "POST", fault, **browser)[0] == 403
    assert ask(azure, "/faults", "POST", fault, **browser, X_Azlab_Page="wrong")[0] == 403
    browser["X_Azlab_Page"] = page_key(azure)
    status, text, _ = ask(azure, "/faults", "POST", fault, **browser)
    assert status == 201
    assert [f["path"] for f in data(azure, "summary")["conditions"]["faults"]] == ["nothing"]
    assert ask(azure, f"/faults/{json.loads(text)['id']}", "DELETE", **browser)[0] == 200
    for path in ("/tokens", "/reset", "/shutdown"):
        assert ask(azure, path, "POST", {}, **browser)[0] == 403


def test_lists_are_filtered_counted_and_cut_by_the_lab(azure: testing.RunningLab, group: Group) -> None:
    for number in range(7):
        group.put(f"{NET}/publicIPAddresses/ip{number}", {"publicIPAllocationMethod": "Static"},
                  sku={"name": "Standard"}, tags={"wave": str(number % 2), "odd": "<script>"})
    found = data(azure, f"resources?group={group.name}&words=WAVE%3d1&limit=2&offset=1")
    assert found["total"] == 3 and [r["name"] for r in found["rows"]] == ["ip3", "ip5"]
    assert found["types"] == {"Microsoft.Network/publicIPAddresses": 3}
    assert found["rows"][0]["tags"] == {"wave": "1", "odd": "<script>"} and found["rows"][0]["state"] == "Succeeded"
    assert data(azure, f"resources?group={group.name}&words=nowhere")["rows"] == []
    assert len(data(azure, "resources?limit=99999999")["rows"]) <= views.LIMIT
    assert data(azure, "resources?limit=x&offset=-3")["offset"] == 0


def test_a_machine_is_drawn_where_it_is(azure: testing.RunningLab, group: Group) -> None:
    subnet = group.vnet()
    balancer = group.id(f"{NET}/loadBalancers/lb")
    group.put(f"{NET}/loadBalancers/lb", {
        "frontendIPConfigurations": [{"name": "front", "properties": {"publicIPAddress": {"id": group.address()["id"]}}}],
        "backendAddressPools": [{"name": "web"}], "probes": [{"name": "p", "properties": {
            "protocol": "Tcp", "port": 80, "intervalInSeconds": 5, "numberOfProbes": 1}}],
        "loadBalancingRules": [{"name": "http", "properties": {
            "protocol": "Tcp", "frontendPort": 80, "backendPort": 8080, "probe": {"id": f"{balancer}/probes/p"},
            "frontendIPConfiguration": {"id": f"{balancer}/frontendIPConfigurations/front"},
            "backendAddressPool": {"id": f"{balancer}/backendAddressPools/web"}}}]}, sku={"name": "Standard"})
    nic = group.nic("nic", subnet, loadBalancerBackendAddressPools=[{"id": f"{balancer}/backendAddressPools/web"}])
    group.vm("m1", nic["id"])
    drawn = data(azure, f"drawing?group={group.name}")
    host = drawn["networks"][0]["subnets"][0]["hosts"][0]
    assert (host["name"], host["power"], host["address"]) == ("m1", "running", "10.20.0.4")
    rule = drawn["balancers"][0]["rules"][0]
    assert (rule["from"], rule["to"], rule["pools"], rule["probe"]) == (80, 8080, ["web"], "p")
    assert drawn["balancers"][0]["pools"][0]["members"][0]["name"] == "m1"
    group.call("POST", f"{COMPUTE}/virtualMachines/m1/deallocate")
    deadline = time.monotonic() + 10
    while (row := data(azure, f"machines?group={group.name}")["rows"][0])["power"] != "deallocated":
        assert time.monotonic() < deadline, row
    assert row["private"] == ["10.20.0.4"] and row["size"] == "Standard_B2s"


def test_every_kind_of_resource_can_be_shown(azure: testing.RunningLab, group: Group) -> None:
    """What GET shows, by type; secrets of members that clients name themselves are not shown."""
    nic = group.nic("nic", group.vnet())
    group.vm("m1", nic["id"], osProfile={"computerName": "m1", "adminUsername": "azureuser", "adminPassword": "Very-secret-1",
                                         "customData": "c2VjcmV0"})
    for resource in data(azure, f"resources?group={group.name}&limit=200")["rows"]:
        shown = data(azure, f"resource?id={quote(resource['id'])}")
        assert shown["id"].lower() == resource["id"].lower()
        assert "Very-secret-1" not in json.dumps(shown) and "c2VjcmV0" not in json.dumps(shown)
    assert ask(azure, "/page/data/resource?id=/nothing")[0] == 404
    assert views.without_secrets({"settings": [{"dbPassword": "x", "keyData": "ssh-ed25519 A", "api_token": "y"}]}) == {
        "settings": [{"dbPassword": "(not shown)", "keyData": "ssh-ed25519 A", "api_token": "(not shown)"}]}


def test_details_of_a_request_show_no_token(azure: testing.RunningLab) -> None:
    azure.arm("GET", "resourceGroups/not-there", headers={"Cookie": "a=b", "x-ms-authorization-auxiliary": "Bearer other"})
    row = next(r for r in reversed(data(azure, "requests")["rows"]) if r["path"].endswith("/not-there"))
    assert (row["method"], row["status"], row["client"]) == ("GET", 404, "Python") and row["milliseconds"] >= 0
    found = data(azure, f"requests/{row['seq']}")
    assert found["request_headers"]["Authorization"] == "Bearer (not shown)"
    assert found["request_headers"]["Cookie"] == "(not shown)"
    assert azure.token()[:20] not in json.dumps(found) and "other" not in json.dumps(found["request_headers"])
    assert found["error"]["code"] == "ResourceGroupNotFound"
    assert ask(azure, "/page/data/requests/999999999")[0] == 404


def test_details_are_bounded(azure: testing.RunningLab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requestlog, "DETAILS", 3)
    for _ in range(5):
        azure.arm("GET", "resourceGroups")
    rows = data(azure, "requests")["rows"]
    assert "request_headers" in data(azure, f"requests/{rows[-1]['seq']}")
    assert "request_headers" not in data(azure, f"requests/{rows[-4]['seq']}")


def test_requests_are_sent_as_they_come(azure: testing.RunningLab) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", azure.settings.admin_port, timeout=10)
    connection.request("GET", "/page/events")
    stream = connection.getresponse()
    assert stream.getheader("Content-Type") == "text/event-stream"
    assert next_event(stream)[0] == "changed"       # the first says what the lab is now
    azure.arm("PUT", "resourceGroups/rg-events", {"location": "westeurope"})
    found = [next_event(stream) for _ in range(2)]
    requests = next(d for name, d in found if name == "requests")["rows"]
    assert ("PUT", 201) in {(r["method"], r["status"]) for r in requests}
    connection.close()


def next_event(stream: Any) -> tuple[str, Any]:
    name, text = "", ""
    while line := stream.readline().decode():
        if line.startswith("event: "):
            name = line[7:].strip()
        elif line.startswith("data: "):
            text = line[6:]
        elif line == "\n" and name:
            return name, json.loads(text)
    raise AssertionError("the stream ended")


def test_a_lab_stops_at_once_while_a_browser_looks_on() -> None:
    with testing.lab() as azure:
        connection = http.client.HTTPConnection("127.0.0.1", azure.settings.admin_port, timeout=10)
        connection.request("GET", "/page/events")
        stream = connection.getresponse()
        next_event(stream)
        began = time.monotonic()
    assert time.monotonic() - began < 3 and stream.read() == b""
