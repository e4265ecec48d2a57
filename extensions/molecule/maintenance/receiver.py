# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Receives syslog over TLS (RFC 5425: length, space, message) and appends what came to a file. PORT CERTIFICATE KEY FILE"""

import os
import socket
import socketserver
import ssl
import sys

PORT, CERTIFICATE, KEY, FILE = sys.argv[1:]


class Handler(socketserver.StreamRequestHandler):
    """One connection; each message on a line of its own."""

    def handle(self):
        length = b""
        while byte := self.rfile.read(1):
            if byte != b" ":
                length += byte
                continue
            message = self.rfile.read(int(length))
            with open(FILE, "ab") as file:
                file.write(message.replace(b"\n", b" ") + b"\n")
            length = b""


class Server(socketserver.ThreadingTCPServer):
    """The server, with TLS."""

    allow_reuse_address = True

    def get_request(self):
        connection, address = super().get_request()
        return context.wrap_socket(connection, server_side=True), address


context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(CERTIFICATE, KEY)
server = Server(("0.0.0.0", int(PORT)), Handler)
with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
    manager.sendto(b"READY=1", os.environ["NOTIFY_SOCKET"])
server.serve_forever()
