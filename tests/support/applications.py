# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An application in a lab as a browser sees it: a CA of the test, and requests over TLS through the load balancer."""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import pathlib
import socket
import ssl
import subprocess
from typing import Any
from urllib.parse import urlsplit

from deployment import Deployment
from polling import eventually, polled

NAME = "www.example.test"
TEXT = "three little words"


def ask_over_http(url: str, path: str, login: str = "", body: Any = None) -> tuple[int, str]:
    """One request to an address without TLS, as ``user:password`` where that is given: status and text. A body is sent as JSON."""
    client = http.client.HTTPConnection(urlsplit(url).netloc, timeout=20)
    headers = {"Content-Type": "application/json"}
    if login:
        headers["Authorization"] = "Basic " + base64.b64encode(login.encode()).decode()
    client.request("GET" if body is None else "POST", path, None if body is None else json.dumps(body), headers)
    answer = client.getresponse()
    return answer.status, answer.read().decode()


class Authority:
    """A CA of the test, and certificates of it, made by openssl."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder
        folder.mkdir()
        self.openssl("req", "-x509", *self.new_key("ca"), "-out", "ca.pem", "-days", "2", "-subj", "/CN=test", "-addext", "basicConstraints=critical,CA:TRUE")

    @staticmethod
    def new_key(name: str) -> list[str]:
        return ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{name}.key"]

    def openssl(self, *words: str) -> None:
        subprocess.run(["openssl", *words], cwd=self.folder, check=True, capture_output=True)

    def certificate(self, name: str, alternative: str) -> tuple[str, str]:
        """Certificate and key as PEM."""
        (self.folder / f"{name}.ext").write_text(f"subjectAltName={alternative}\n")
        self.openssl("req", *self.new_key(name), "-out", f"{name}.req", "-subj", f"/CN={name}")
        signing = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", f"{name}.ext"]
        self.openssl("x509", "-req", "-in", f"{name}.req", "-out", f"{name}.pem", *signing)
        return (self.folder / f"{name}.pem").read_text(), (self.folder / f"{name}.key").read_text()


class Applications(Deployment):
    """Requests over TLS as a browser makes them."""

    trust: ssl.SSLContext  # the authorities that this browser believes
    eventually = staticmethod(eventually)

    def administrator(self, application: str) -> str:
        """The password that an application's role has generated."""
        return pathlib.Path(self.env["DOCKHOST_STATE_DIR"], self.name, application, "admin_password").read_text().strip()

    @contextlib.contextmanager
    def connection(self):
        address = self.url.split("/")[2]
        with socket.create_connection((address, 443), timeout=10) as plain, self.trust.wrap_socket(plain, server_hostname=NAME) as secure:
            client = http.client.HTTPConnection(NAME)
            client.sock = secure
            yield client, secure

    def ask(self, method: str, path: str, body=None) -> tuple[int, dict]:
        """One request over TLS: status and JSON, or nothing where the answer is a page for people, as with an error."""
        with self.connection() as (client, _secure):
            client.request(method, path, json.dumps(body) if body else None, {"Content-Type": "application/json"} if body else {})
            answer = client.getresponse()
            content = answer.read()
            return answer.status, json.loads(content) if answer.getheader("Content-Type", "").startswith("application/json") else {}

    def serial(self) -> str:
        """The serial number of the certificate that is served."""
        with self.connection() as (_client, secure):
            return secure.getpeercert()["serialNumber"]

    def polled(self):
        """Somebody who asks for the first job all the time; the numbers of answered and of failed requests."""
        return polled(lambda: self.ask("GET", "/jobs/1")[0] == 200)
