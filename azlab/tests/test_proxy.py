# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The proxy that leads the names of Azure to the lab, and nothing anywhere else."""
from __future__ import annotations

import json
import os
import socket
import subprocess
from typing import Any

import pytest

from azlab import testing


def curl(azure: testing.RunningLab, *arguments: str) -> subprocess.CompletedProcess[str]:
    env = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
    return subprocess.run(["curl", "-sS", "--max-time", "20", *arguments], env={**env, **azure.proxy_env},
                          capture_output=True, text=True)


def asked(azure: testing.RunningLab, data: bytes) -> bytes:
    """All that the proxy answers to these bytes."""
    with socket.create_connection(("127.0.0.1", azure.settings.proxy_port), 20) as sock:
        sock.sendall(data)
        sock.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: sock.recv(65536), b""))


def test_curl_signs_in_and_asks_under_the_names_of_azure(azure: testing.RunningLab) -> None:
    """With nothing but the variables: the certificate is good for these names, and links lead back through the proxy."""
    settings = azure.settings
    signed_in = curl(azure, f"https://login.microsoftonline.com/{settings.tenant}/oauth2/v2.0/token",
                     "-d", "grant_type=client_credentials", "-d", f"client_id={settings.client_id}",
                     "-d", f"client_secret={settings.secret}", "-d", "scope=https://management.azure.com/.default")
    assert signed_in.returncode == 0, signed_in.stderr
    token = json.loads(signed_in.stdout)["access_token"]
    base = f"https://management.azure.com/subscriptions/{azure.subscription}/resourceGroups/proxied"
    made = curl(azure, "-X", "PUT", f"{base}?api-version=2022-09-01", "-H", f"Authorization: Bearer {token}",
                "-H", "Content-Type: application/json", "-d", '{"location": "westeurope"}')
    assert json.loads(made.stdout)["properties"]["provisioningState"] == "Succeeded"
    network = curl(azure, "-i", "-X", "PUT", f"{base}/providers/Microsoft.Network/virtualNetworks/v?api-version=2024-05-01",
                   "-H", f"Authorization: Bearer {token}", "-H", "Content-Type: application/json",
                   "-d", '{"location": "westeurope", "properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}}}')
    headers = {k.lower(): v for k, _, v in (line.partition(": ") for line in network.stdout.splitlines())}
    assert headers["azure-asyncoperation"].startswith("https://management.azure.com/subscriptions/")
    assert azure.arm("GET", "resourceGroups/proxied")[0] == 200


@pytest.mark.parametrize("url", ["https://example.com/", "https://graph.microsoft.com/v1.0/me", "https://127.0.0.1:1/",
                                 "https://management.azure.com:8443/", "https://login.microsoftonline.com.example.com/"])
def test_other_places_are_refused_with_a_sentence(azure: testing.RunningLab, url: str) -> None:
    done = curl(azure, "-v", "--noproxy", "", url)
    assert done.returncode == 56 and "403 Forbidden: azlab's proxy leads to the lab alone" in done.stderr
    assert "is not served, and nothing leaves this machine" in done.stderr


def test_the_refused_name_is_never_looked_up(azure: testing.RunningLab, monkeypatch: pytest.MonkeyPatch) -> None:
    looked_up: list[Any] = []
    original = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", lambda *a, **k: looked_up.append(a[0]) or original(*a, **k))
    assert b" 403 " in asked(azure, b"CONNECT elsewhere.example:443 HTTP/1.1\r\n\r\n")
    assert "elsewhere.example" not in looked_up
    assert b" 200 " in asked(azure, b"CONNECT Management.Azure.Com.:443 HTTP/1.1\r\n\r\n")


@pytest.mark.parametrize(("data", "words"), [
    (b"GET http://example.com/ HTTP/1.1\r\nHost: example.com\r\n\r\n", b"405 Method Not Allowed: azlab's proxy tunnels HTTPS"),
    (b"\x16\x03\x01 nonsense\r\n\r\n", b"400 Bad Request"),
    (b"CONNECT HTTP/1.1\r\n\r\n", b"400 Bad Request"),
    (b"CONNECT management.azure.com HTTP/1.1\r\n\r\n", b"403 Forbidden"),
    (b"CONNECT management.azure.com:443 HTTP/1.1\r\nX: " + b"x" * 40000 + b"\r\n\r\n", b"431 Request Header Fields Too Large"),
])
def test_what_is_no_tunnel_is_refused(azure: testing.RunningLab, data: bytes, words: bytes) -> None:
    assert asked(azure, data).startswith(b"HTTP/1.1 " + words)


def test_a_client_that_says_nothing_harms_nobody(azure: testing.RunningLab) -> None:
    assert asked(azure, b"CONNECT manage") == b""
    assert azure.arm("GET", "resourceGroups")[0] == 200


def test_a_lab_ends_although_a_tunnel_is_open() -> None:
    with testing.lab() as azure:
        sock = socket.create_connection(("127.0.0.1", azure.settings.proxy_port), 20)
        sock.sendall(b"CONNECT management.azure.com:443 HTTP/1.1\r\n\r\n")
        assert b" 200 " in sock.recv(1000)
    assert sock.recv(1000) == b""
    sock.close()
