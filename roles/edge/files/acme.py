# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A certificate from an ACME server for the edge proxies of a stack: python3 acme.py issue | hand-over.

``issue`` runs once in the stack. It lets certbot get the certificate and renew it in time, and tells it to its callers on port
8080 of a network that only this stack's edge is on. ``hand-over`` runs on every host. It puts the certificate into
HAProxy's memory by its command socket, without a reload, so that no connection breaks: after a renewal, and when HAProxy has started anew.

HAProxy's commands: https://docs.haproxy.org/3.0/management.html#9.3
"""

from __future__ import annotations

import hashlib
import http.server
import os
import pathlib
import socket
import ssl
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

NAME = "dockhost"
LIVE = pathlib.Path("/etc/letsencrypt/live", NAME)
SOCKET_FOLDER = pathlib.Path("/var/lib/haproxy")
CRT_LIST = "/usr/local/etc/haproxy/certificates"
SOURCE = "http://acme:8080/"
PAUSE = 2.0  # seconds between two looks at the proxy
FIRST_RETRY = 5.0  # seconds after a first refusal, doubled up to the interval: the way to this host may just be opening


def say(text: str) -> None:
    """One line for the log."""
    print(text, flush=True)


# -- issue


def certbot() -> bool:
    """Get the certificate, or renew it when it is due (certbot decides); False when the server refused."""
    domains = os.environ["ACME_DOMAINS"].split(",")
    words = ["certbot", "certonly", "--non-interactive", "--agree-tos", "--keep-until-expiring", "--expand", "--standalone"]
    words += ["--cert-name", NAME, "--server", os.environ["ACME_SERVER"], "--email", os.environ["ACME_EMAIL"], "--no-eff-email"]
    for domain in domains:
        words += ["-d", domain]
    return subprocess.run(words, check=False).returncode == 0


def keep_renewing() -> None:
    """Ask at once, and then in each interval; after a refusal sooner, but ever less often."""
    interval, retry = float(os.environ["ACME_INTERVAL"]), FIRST_RETRY
    while True:
        if certbot():
            retry = FIRST_RETRY
            time.sleep(interval)
        else:
            say(f"no certificate yet; the next attempt is in {retry:.0f} s")
            time.sleep(retry)
            retry = min(retry * 2, interval)


class Bundle(http.server.BaseHTTPRequestHandler):
    """The key and the chain, as HAProxy takes them; 404 until there are some."""

    def do_GET(self) -> None:  # pylint: disable=invalid-name
        try:
            content = (LIVE / "fullchain.pem").read_bytes() + (LIVE / "privkey.pem").read_bytes()
        except OSError:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # pylint: disable=redefined-builtin
        """Not each look of each host."""


def issue() -> None:
    """Serve what there is, and keep it fresh."""
    threading.Thread(target=keep_renewing, daemon=True).start()
    http.server.ThreadingHTTPServer(("", 8080), Bundle).serve_forever()


# -- hand over


def command(text: str) -> str:
    """One command to HAProxy, and what it says."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(5)
        connection.connect(str(SOCKET_FOLDER / "commands.sock"))
        connection.sendall(text.encode() + b"\n")
        answer = b""
        while chunk := connection.recv(65536):
            answer += chunk
    return answer.decode(errors="replace")


def fingerprint(pem: str) -> str:
    """SHA-1 of the first certificate, as HAProxy shows it."""
    end = "-----END CERTIFICATE-----"
    return hashlib.sha1(ssl.PEM_cert_to_DER_cert(pem.partition(end)[0] + end + "\n")).hexdigest().upper()


def put(name: str, pem: str) -> bool:
    """Let HAProxy use the certificate; False when it has it already. Raises RuntimeError with what HAProxy says."""
    if fingerprint(pem) in command(f"show ssl cert {name}"):
        return False
    content = "\n".join(line for line in pem.splitlines() if line.strip())  # an empty line would end it
    command(f"new ssl cert {name}")  # refused when it knows the name, which is fine
    command(f"set ssl cert {name} <<\n{content}\n")
    said = command(f"commit ssl cert {name}")
    if "Success" not in said:
        command(f"abort ssl cert {name}")
        raise RuntimeError(said.strip())
    if name not in command(f"show ssl crt-list {CRT_LIST}"):
        said = command(f"add ssl crt-list {CRT_LIST} {name}")
        if "Success" not in said:
            raise RuntimeError(said.strip())
    return True


def hand_over() -> None:
    """Look again and again whether the proxy of this host has the newest certificate."""
    SOCKET_FOLDER.chmod(0o777)  # where this container came first, the folder is root's and HAProxy is not root
    name, complaint = os.environ["EDGE_CERTIFICATE"], ""
    while True:
        try:
            with urllib.request.urlopen(SOURCE, timeout=5) as answer:
                if put(name, answer.read().decode()):
                    say("HAProxy has the certificate")
            complaint = ""
        except (OSError, RuntimeError, urllib.error.URLError) as error:
            if str(error) != complaint:
                complaint = str(error)
                say(f"not handed over yet: {complaint}")
        time.sleep(PAUSE)


if __name__ == "__main__":
    {"issue": issue, "hand-over": hand_over}[sys.argv[1]]()
