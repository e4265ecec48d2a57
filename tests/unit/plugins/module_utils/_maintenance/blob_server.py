# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stand-in for Blob Storage: Put Blob, Put Block, Put Block List, Get Blob, List Blobs, Delete Blob as documented, with their error codes.

It is not Azure: it knows one container and one way to sign in, and what it cannot do it answers with 400.
"""

from __future__ import annotations

import http.server
import re
import threading
import urllib.parse


class Handler(http.server.BaseHTTPRequestHandler):
    def answer(self):
        parts = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(parts.query))
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        store, key = self.server.store, urllib.parse.unquote(parts.path)[len("/account/backups/"):]
        self.server.seen.append((self.command, key, query))
        if self.server.busy:
            self.server.busy -= 1
            return self.reply(503, code="ServerBusy")
        if not self.headers.get("x-ms-version"):
            return self.reply(400, code="MissingRequiredHeader")
        if query.get("sig") != "right" and self.headers.get("Authorization") != "Bearer right":
            return self.reply(403, code="AuthenticationFailed")
        if query.get("comp") == "list":
            return self.list(query)
        if self.command == "PUT":
            return self.put(key, query, body)
        if key not in store:
            return self.reply(404, code="BlobNotFound")
        if self.command == "DELETE":
            del store[key]
            return self.reply(202)
        return self.reply(200, store[key])

    do_GET = do_PUT = do_DELETE = answer

    def put(self, key, query, body):
        if query.get("comp") == "block":
            self.server.blocks[query["blockid"]] = body
        elif query.get("comp") == "blocklist":
            self.server.store[key] = b"".join(self.server.blocks[name] for name in re.findall(r"<Latest>(.*?)</Latest>", body.decode()))
        elif self.headers.get("x-ms-blob-type") == "BlockBlob":
            self.server.store[key] = body
        else:
            return self.reply(400, code="MissingRequiredHeader")
        return self.reply(201)

    def list(self, query):
        """Two names a page."""
        names = sorted(key for key in self.server.store if key.startswith(query.get("prefix", "")))
        begin = int(query.get("marker") or 0)
        blobs = "".join(f"<Blob><Name>{name}</Name></Blob>" for name in names[begin : begin + 2])
        marker = str(begin + 2) if len(names) > begin + 2 else ""
        self.reply(200, f"<EnumerationResults><Blobs>{blobs}</Blobs><NextMarker>{marker}</NextMarker></EnumerationResults>".encode())

    def reply(self, status, body=b"", code=""):
        self.send_response(status)
        if code:
            self.send_header("x-ms-error-code", code)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


def serve():
    """A running server; its address is ``url``."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.store, server.blocks, server.seen, server.busy = {}, {}, [], 0
    server.url = f"http://127.0.0.1:{server.server_port}/account/backups"
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    return server
