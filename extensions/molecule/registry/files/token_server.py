# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A token server as https://distribution.github.io/distribution/spec/auth/token/ has it, for one user who may pull one repository.

token_server.py PORT TLS_CERTIFICATE TLS_KEY: signs with token.key, whose certificate token.crt the registry trusts; openssl does the arithmetic.
"""

from __future__ import annotations

import base64
import http.server
import json
import ssl
import subprocess
import sys
import time
import urllib.parse

USER, PASSWORD, READABLE = "tina", "t password of tina's", "team/redis"


def text(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def token(service: str, access: list) -> str:
    der = subprocess.run(["openssl", "x509", "-in", "token.crt", "-outform", "DER"], check=True, capture_output=True).stdout
    now = int(time.time())
    head = {"typ": "JWT", "alg": "RS256", "x5c": [base64.b64encode(der).decode()]}
    claims = {
        "iss": "tokens.example.com", "sub": USER, "aud": service, "exp": now + 300, "nbf": now - 10, "iat": now, "jti": str(time.time_ns()), "access": access,
    }  # fmt: skip
    said = ".".join(text(json.dumps(part).encode()) for part in (head, claims))
    signed = subprocess.run(["openssl", "dgst", "-sha256", "-sign", "token.key"], input=said.encode(), check=True, capture_output=True).stdout
    return f"{said}.{text(signed)}"


class Server(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:  # noqa: N802
        kind, word = self.headers.get("Authorization", " ").split(" ", 1)
        known = kind == "Basic" and base64.b64decode(word).decode() == f"{USER}:{PASSWORD}"
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
        access = []
        for scope in query.get("scope", []):
            type_, name, actions = scope.split(":")
            granted = [action for action in actions.split(",") if action == "pull" and name == READABLE]
            access.append({"type": type_, "name": name, "actions": granted})
        content = json.dumps({"token": token(query["service"][0], access), "expires_in": 300} if known else {"details": "no"}).encode()
        self.send_response(200 if known else 401)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[2], sys.argv[3])
server = http.server.ThreadingHTTPServer(("", int(sys.argv[1])), Server)
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
