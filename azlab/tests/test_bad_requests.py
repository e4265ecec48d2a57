# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests that no client should send, thousands of kinds of them: Azure's error in Azure's frame, no trace in the state,
no traceback to the client nor in the log, and the lab goes on.

`--hypothesis-profile` is not needed: `AZLAB_EXAMPLES=2000` tries more of them (make test-all does).
"""
from __future__ import annotations

import copy
import http.client
import json
import logging
import os
import socket
import sqlite3
import ssl
import string
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from azlab import testing
from labgroup import COMPUTE, NET, PUBLIC_KEY, Group, profile, vm_body

EXAMPLES = int(os.environ.get("AZLAB_EXAMPLES", "150"))
BOUNDED = settings(max_examples=EXAMPLES, deadline=None, derandomize=EXAMPLES == 150, database=None,
                   suppress_health_check=list(HealthCheck))
GROUP = "rg-bad"


class _Errors(logging.Handler):
    """What the lab logs as an error: each is a traceback that a client caused."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(logging.Formatter().format(record))

    def take(self) -> list[str]:
        """What was logged since the last call."""
        texts, self.texts = self.texts, []
        return texts


class Rude:
    """Sends bytes, and looks at what the lab did."""

    def __init__(self, azure: testing.RunningLab) -> None:
        self.azure, self.token = azure, azure.token()
        self.group = Group(azure, GROUP)
        self.subnet = self.group.vnet("base")
        self.nics = [self.group.nic(f"nic{i}", self.subnet)["id"] for i in range(2)]
        self.address = self.group.address("base-ip")["id"]
        self.group.vm("base-vm", self.nics[0])
        self.errors = _Errors()
        for name in ("azlab", "aiohttp", "asyncio"):
            logging.getLogger(name).addHandler(self.errors)
        self.context = ssl.create_default_context(cafile=str(azure.ca_file))
        self.db = sqlite3.connect(azure.settings.home / "state.sqlite")

    def state(self) -> list[Any]:
        """All resources as they are kept on disk."""
        return self.db.execute("SELECT lid, data FROM resources ORDER BY lid").fetchall()

    def raw(self, data: bytes, method: str = "GET") -> tuple[int, dict[str, str], bytes]:
        """One exchange on a connection of its own; (0, {}, b"") when the lab closed it without an answer."""
        with socket.create_connection(("127.0.0.1", self.azure.settings.port), 20) as plain, \
                self.context.wrap_socket(plain, server_hostname="localhost") as sock:
            try:
                sock.sendall(data)
            except OSError:         # closed by the lab before it had all of it
                pass
            answer = http.client.HTTPResponse(sock, method=method)
            try:
                answer.begin()
                return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
            except (http.client.BadStatusLine, ConnectionError, ssl.SSLError):
                return 0, {}, b""

    def send(self, method: str, path: str, body: bytes | None, headers: dict[str, str] | None = None) -> tuple[int, dict[str, str], bytes]:
        """A well-formed HTTP request with whatever in it."""
        every = {"Host": "localhost", "Authorization": f"Bearer {self.token}", "Content-Type": "application/json",
                 "Connection": "close", **(headers or {})}
        if body is not None:
            every["Content-Length"] = str(len(body))
        head = f"{method} {path} HTTP/1.1\r\n" + "".join(f"{k}: {v}\r\n" for k, v in every.items()) + "\r\n"
        return self.raw(head.encode("utf-8", "surrogatepass") + (body or b""), method)

    def check(self, method: str, path: str, body: bytes | None, headers: dict[str, str] | None = None) -> int:
        """Send it; what must hold whatever it was. Returns the status."""
        before = self.state()
        status, answered, text = self.send(method, path, body, headers)
        said = f"{method} {path} {(body or b'')[:2000]!r}: {status} {text[:500]!r}"
        errors = self.errors.take()
        assert not errors, "\n".join([said, *errors])
        assert status and (status < 500 or b"NotImplementedByLab" in text), said
        assert b"Traceback" not in text and b'File "' not in text, said
        if status >= 400:
            assert self.state() == before, f"{said}: refused, but the state is another"
            if method != "HEAD" and answered.get("content-type", "").startswith("application/json"):
                error = json.loads(text)["error"]
                assert isinstance(error["code"], str) and error["code"] and isinstance(error["message"], str), said
        return status


@pytest.fixture(scope="module")
def rude() -> Iterator[Rude]:
    with testing.lab(core_quota=8) as azure:       # no scale set that is still at work when its request is answered
        found = Rude(azure)
        yield found
        for name in ("azlab", "aiohttp", "asyncio"):
            logging.getLogger(name).removeHandler(found.errors)
        found.db.close()


def bodies(rude: Rude) -> dict[str, dict[str, Any]]:
    """Path below the resource group → a body that is right."""
    base = rude.group.id(f"{NET}/virtualNetworks/base")
    frontend = {"name": "f", "properties": {"publicIPAddress": {"id": rude.address}}}
    balancer = rude.group.id(f"{NET}/loadBalancers/x")
    rule = {"protocol": "Tcp", "access": "Allow", "direction": "Inbound", "priority": 100, "sourceAddressPrefix": "*",
            "sourcePortRange": "*", "destinationAddressPrefix": "*", "destinationPortRange": "22"}
    where = {"location": "westeurope", "tags": {"a": "b"}}
    return {
        f"{NET}/virtualNetworks/x": {**where, "properties": {"addressSpace": {"addressPrefixes": ["10.9.0.0/16"]}, "subnets": [
            {"name": "s", "properties": {"addressPrefix": "10.9.0.0/24"}}]}},
        f"{NET}/virtualNetworks/base/subnets/x": {"properties": {"addressPrefix": "10.20.9.0/24"}},
        f"{NET}/networkSecurityGroups/x": {**where, "properties": {"securityRules": [{"name": "r", "properties": rule}]}},
        f"{NET}/publicIPAddresses/x": {**where, "sku": {"name": "Standard"}, "zones": ["1"], "properties": {
            "publicIPAllocationMethod": "Static", "dnsSettings": {"domainNameLabel": "x1"}}},
        f"{NET}/natGateways/x": {**where, "sku": {"name": "Standard"}, "properties": {"idleTimeoutInMinutes": 4}},
        f"{NET}/networkInterfaces/x": {**where, "properties": {"ipConfigurations": [
            {"name": "ip", "properties": {"subnet": {"id": f"{base}/subnets/hosts"}, "privateIPAddress": "10.20.0.40",
                                          "privateIPAllocationMethod": "Static"}}]}},
        f"{NET}/loadBalancers/x": {**where, "sku": {"name": "Standard"}, "properties": {
            "frontendIPConfigurations": [frontend], "backendAddressPools": [{"name": "p"}],
            "probes": [{"name": "h", "properties": {"protocol": "Tcp", "port": 80, "intervalInSeconds": 5, "numberOfProbes": 2}}],
            "loadBalancingRules": [{"name": "r", "properties": {
                "protocol": "Tcp", "frontendPort": 80, "backendPort": 80,
                "frontendIPConfiguration": {"id": f"{balancer}/frontendIPConfigurations/f"},
                "backendAddressPool": {"id": f"{balancer}/backendAddressPools/p"}, "probe": {"id": f"{balancer}/probes/h"}}}]}},
        f"{COMPUTE}/virtualMachines/x": vm_body("x", rude.nics[1], top={"zones": ["1"], "tags": {"a": "b"}}),
        f"{COMPUTE}/virtualMachines/base-vm/extensions/x": {"location": "westeurope", "properties": {
            "publisher": "Microsoft.Azure.Extensions", "type": "CustomScript", "typeHandlerVersion": "2.1",
            "settings": {"commandToExecute": "true"}, "protectedSettings": {}}},
        f"{COMPUTE}/virtualMachineScaleSets/x": {**where, "zones": ["1"], "sku": {"name": "Standard_B2s", "capacity": 1}, "properties": {
            "orchestrationMode": "Flexible", "platformFaultDomainCount": 1, "upgradePolicy": {"mode": "Manual"},
            "scaleInPolicy": {"rules": ["Default"]}, "virtualMachineProfile": profile(
                f"{base}/subnets/hosts", publicIPAddressConfiguration={"name": "a", "properties": {"idleTimeoutInMinutes": 4}})}},
        f"{COMPUTE}/proximityPlacementGroups/x": {**where, "properties": {"proximityPlacementGroupType": "Standard"}},
        f"{NET}/applicationSecurityGroups/x": {**where, "properties": {}},
        f"{COMPUTE}/disks/x": {**where, "sku": {"name": "Premium_LRS"}, "properties": {
            "diskSizeGB": 8, "creationData": {"createOption": "Empty"}}},
        f"{COMPUTE}/availabilitySets/x": {**where, "sku": {"name": "Aligned"}, "properties": {"platformFaultDomainCount": 2}},
        f"{COMPUTE}/sshPublicKeys/x": {**where, "properties": {"publicKey": PUBLIC_KEY}},
        "providers/Microsoft.Storage/storageAccounts/badrequests": {
            **where, "sku": {"name": "Standard_LRS"}, "kind": "StorageV2", "properties": {"minimumTlsVersion": "TLS1_2"}},
        "providers/Microsoft.Authorization/locks/x": {"properties": {"level": "CanNotDelete", "notes": "n"}},
        "providers/Microsoft.Resources/deployments/x": {"properties": {"mode": "Incremental", "parameters": {"n": {"value": "w"}}, "template": {
            "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#", "contentVersion": "1.0.0.0",
            "parameters": {"n": {"type": "string"}}, "variables": {"v": "[concat(parameters('n'), 'x')]"},
            "resources": [{"type": "Microsoft.Network/publicIPAddresses", "apiVersion": "2023-04-01", "name": "[variables('v')]",
                           "location": "[resourceGroup().location]", "copy": {"name": "c", "count": 1},
                           "sku": {"name": "Standard"}, "properties": {"publicIPAllocationMethod": "Static"}}],
            "outputs": {"o": {"type": "string", "value": "[variables('v')]"}}}}},
        "": {"location": "westeurope", "tags": {"a": "b"}},
    }


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every value inside a document."""
    yield path
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from places(inner, (*path, key))


def changed(document: Any, path: tuple[Any, ...], how: str, value: Any) -> Any:
    """A copy in which the value at `path` is another one, is gone, or has a misspelt name."""
    if not path:
        return value
    document = copy.deepcopy(document)
    holder = document
    for step in path[:-1]:
        holder = holder[step]
    if how == "replace":
        holder[path[-1]] = value
    else:
        old = holder.pop(path[-1])
        if how == "rename" and isinstance(holder, dict):
            holder[f"{path[-1]}x"] = old
    return document


ODD = st.one_of(
    st.none(), st.booleans(), st.integers(), st.sampled_from([0, -1, 65536, 2**31, 2**63, 10**400, 1e308, "", " ", "[", "[x(]", "[[y]",
        "*", "/", "//", "/subscriptions", "/subscriptions/x/resourceGroups/y/providers/Microsoft.Network/virtualNetworks/z", "0.0.0.0/0",
        "10.20.0.0/33", "::/0", "999.1.1.1", "10.20.0.4", "a" * 5000, "\u0000", "ä€😀", "\ud800", "<b>", "1-", "-1", "65535-1", "1.5", "null"]),
    st.floats(), st.text(max_size=20), st.lists(st.integers(), max_size=3), st.just({}), st.just([]), st.just([None]), st.just([[]]),
    st.just([{}]), st.just({"id": 5}), st.just({"id": "x"}), st.just([{"name": 1}]), st.just([{"name": "a"}, {"name": "A"}]),
    st.dictionaries(st.text(string.ascii_letters, max_size=8), st.integers(), max_size=3))


@BOUNDED
@given(data=st.data())
def test_a_body_with_something_wrong_in_it(rude: Rude, data: st.DataObject) -> None:
    known = bodies(rude)
    path = data.draw(st.sampled_from(sorted(known)))
    body = known[path]
    for _ in range(data.draw(st.integers(1, 2))):
        spot = data.draw(st.sampled_from(list(places(body))))
        body = changed(body, spot, data.draw(st.sampled_from(["replace", "replace", "remove", "rename"])), data.draw(ODD))
        if not isinstance(body, (dict, list)):
            break
    method = data.draw(st.sampled_from(["PUT", "PUT", "PUT", "PATCH"]))
    url = rude.group.id(path).rstrip("/") + "?api-version=2024-07-01"
    if method == "PATCH":       # of something that is there
        rude.check("PUT", url, json.dumps(known[path]).encode())
    rude.check(method, url, json.dumps(body).encode())
    # What was accepted must not break what is read afterwards.
    for seen in (url, url.rpartition("/")[0] + "?api-version=2024-07-01") if path else (url,):
        rude.check("GET", seen, None)
    if path and rude.check("DELETE", url, None) < 300:
        rude.azure.admin.call("GET", "/operations")


SEGMENT = st.one_of(
    st.sampled_from(["subscriptions", "SUBSCRIPTIONS", "resourceGroups", "resourcegroups", GROUP, "providers", "Microsoft.Compute",
                     "Microsoft.Network", "microsoft.storage", "Microsoft.Nothing", "Microsoft.Resources", "Microsoft.Authorization", "locks",
                     "virtualMachines", "virtualMachineScaleSets", "base-vm", "networkInterfaces", "nic0", "virtualNetworks", "base", "subnets", "hosts", "deployments",
                     "extensions", "instanceView", "start", "runCommand", "locations", "westeurope", "usages", "skus", "vmSizes", "operations",
                     "publishers", "artifacttypes", "vmimage", "offers", "versions", "validate", "whatIf", "register", "tenants", "resources",
                     "listKeys", "checkNameAvailability", "metadata", "endpoints", "oauth2", "token", "v2.0", "common", "..", ".", "", "%2e%2e",
                     "%00", "%zz", "%ff", "a" * 300, "..%2f..", "*", "'", "\\", "$batch", "batch"]),
    st.text(string.ascii_letters + string.digits + "-_.~!$&'()*+,;=:@%", max_size=12))
METHODS = st.sampled_from(["GET", "PUT", "POST", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE", "FOO", "get"])
BYTES = st.one_of(st.none(), st.binary(max_size=64), st.sampled_from([
    b"", b"{", b"[]", b"null", b"1", b'"x"', b'{"a":1,"a":2}', b'{"location":NaN}', b'{"a":1e999}', b"\xef\xbb\xbf{}", b"\xff\xfe{\x00}\x00",
    b'{"location":"\\ud800"}', b"{" * 20000, b'{"a":' * 5000 + b"1" + b"}" * 5000, b"[" * 100000, b'{"properties":[]}', b'{"properties":5}',
    b'{"location":"westeurope","properties":{}}', b'{"a":' + b"9" * 6000 + b"}"]))


@BOUNDED
@given(data=st.data())
def test_a_request_to_anywhere(rude: Rude, data: st.DataObject) -> None:
    start = data.draw(st.sampled_from(["", f"/subscriptions/{rude.azure.subscription}", rude.group.id("").rstrip("/"),
                                       rude.group.id(COMPUTE), rude.group.id(NET), f"/subscriptions/{rude.azure.subscription}/providers"]))
    path = start + "".join("/" + s for s in data.draw(st.lists(SEGMENT, max_size=6)))
    query = data.draw(st.sampled_from(["?api-version=2024-07-01", "?api-version=2021-04-01&$expand=instanceView", "", "?", "?api-version=",
                                       "?api-version=2024-13-99", "?api-version=x&api-version=y", "?api-version=2024-07-01&$skiptoken=%00",
                                       "?api-version=2024-07-01&$top=-1", "?api-version=2024-07-01&$top=x&$filter=((", "?%"]))
    method = data.draw(METHODS)
    # An empty group must survive: what is deleted for good reason is no finding of this test.
    if method == "DELETE" and path.rstrip("/").lower() == rude.group.id("").rstrip("/").lower():
        method = "HEAD"
    headers = data.draw(st.dictionaries(
        st.sampled_from(["Content-Type", "Accept", "If-Match", "If-None-Match", "x-ms-client-request-id", "Accept-Encoding", "Expect",
                         "Content-Encoding", "x-ms-correlation-request-id", "Range", "Cookie"]),
        st.sampled_from(["", "*", "text/plain", "gzip", '"0"', 'W/"x"', "100-continue", "identity", "x" * 200, "application/xml"]), max_size=3))
    rude.check(method, (path or "/") + query, data.draw(BYTES), headers)


@pytest.mark.parametrize("token", ["", "Bearer", "Bearer ", "Bearer a.b.c", "Bearer " + "x" * 4000, "Basic eDp5", "Bearer e30.e30.",
                                   "Bearer eyJhbGciOiJub25lIn0.eyJhdWQiOiIqIn0.", "bearer é"])
def test_a_wrong_token_writes_nothing(rude: Rude, token: str) -> None:
    status = rude.check("PUT", rude.group.id(f"{NET}/virtualNetworks/never") + "?api-version=2024-07-01",
                        json.dumps(bodies(rude)[f"{NET}/virtualNetworks/x"]).encode(), {"Authorization": token})
    assert status == 401


@pytest.mark.parametrize("data", [
    b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\x00" * 100, b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 5000 + b"\r\n", b"GET /" + b"a" * 100000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    b"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", b"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    b"PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\n", b"GET / HTTP/1.0\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n", b"CONNECT example.com:443 HTTP/1.1\r\nHost: x\r\n\r\n",
], ids=lambda d: repr(d[:30]))
def test_what_is_no_http(rude: Rude, data: bytes) -> None:
    before = rude.state()
    status, _headers, text = rude.raw(data)
    assert status in range(400, 500) or status == 0, (status, text[:300])
    assert b"Traceback" not in text and not rude.errors.take()
    assert rude.state() == before
    assert rude.send("GET", rude.group.id("").rstrip("/") + "?api-version=2021-04-01", None)[0] == 200


def test_a_request_that_is_never_finished_holds_nobody_up(rude: Rude) -> None:
    with socket.create_connection(("127.0.0.1", rude.azure.settings.port), 20) as plain, \
            rude.context.wrap_socket(plain, server_hostname="localhost") as slow:
        slow.sendall(b"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{")
        assert rude.send("GET", rude.group.id("").rstrip("/") + "?api-version=2021-04-01", None)[0] == 200
    assert not rude.errors.take()


def test_a_body_of_ten_megabytes(rude: Rude) -> None:
    body = b'{"location":"westeurope","tags":{"a":"' + b"x" * 10_000_000 + b'"}}'
    status, _headers, text = rude.send("PUT", rude.group.id(f"{NET}/publicIPAddresses/big") + "?api-version=2024-07-01", body)
    assert (status, json.loads(text)["error"]["code"]) == (413, "RequestContentTooLarge")
    assert not [lid for lid, _ in rude.state() if lid.endswith("/big")]


def test_a_body_that_is_not_what_its_headers_say(rude: Rude) -> None:
    status, _headers, text = rude.send("PUT", rude.group.id(f"{NET}/publicIPAddresses/zipped") + "?api-version=2024-07-01", b"~no gzip",
                                       {"Content-Encoding": "gzip"})
    assert (status, json.loads(text)["error"]["code"]) == (400, "InvalidRequestContent")
    assert not rude.errors.take()
    assert not [lid for lid, _ in rude.state() if lid.endswith("/zipped")]
