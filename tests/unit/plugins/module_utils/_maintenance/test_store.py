# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Archives in a directory and in a stand-in of Blob Storage: kept, chosen, aged out, and refused where something is wrong."""

from __future__ import annotations

import hashlib
import json
import os
import pathlib
import sys

import pytest
from ansible_collections.dockhost.azure.plugins.module_utils._maintenance import blob, store
from ansible_collections.dockhost.azure.plugins.module_utils._maintenance.archive import ArchiveError

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import blob_server  # noqa: E402


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setattr(blob, "PAUSES", (0.01, 0.01))
    running = blob_server.serve()
    yield running
    running.shutdown()
    running.server_close()


@pytest.fixture(params=["directory", "blob"])
def backend(request, tmp_path, server):
    if request.param == "directory":
        return store.Directory(str(tmp_path / "kept"))
    return blob.Container(server.url, "?sv=1&sig=right")


def keep(backend, tmp_path, stamp, name="files", host="web-1", content=b"data", amount=0):
    file = tmp_path / "archive"
    file.write_bytes(content)
    manifest = {"name": name, "host": host, "sha256": hashlib.sha256(content).hexdigest(), "kind": "volume"}
    return store.add(backend, str(file), manifest, stamp, amount, False)


def test_kept_chosen_and_aged_out(backend, tmp_path):
    for day in (1, 2, 3):
        assert keep(backend, tmp_path, f"2026010{day}T020000Z", content=b"%d" % day) == []
    keep(backend, tmp_path, "20260101T030000Z", host="web-2")
    assert [one["stamp"] for one in store.archives(backend, "files", "web-1")] == ["20260101T020000Z", "20260102T020000Z", "20260103T020000Z"]
    assert store.choose(backend, "files", "20260102", "web-1")["key"] == "files/web-1/20260102T020000Z.gz"
    newest = store.choose(backend, "files", "latest", "web-1")
    backend.get(newest["key"], str(tmp_path / "back"))
    assert (tmp_path / "back").read_bytes() == b"3" and os.stat(tmp_path / "back").st_mode & 0o007 in (0, 4)
    removed = keep(backend, tmp_path, "20260104T020000Z", amount=2)
    assert removed == ["files/web-1/20260101T020000Z.gz", "files/web-1/20260102T020000Z.gz"]
    assert len(store.archives(backend, "files", "web-1")) == 2 and len(store.archives(backend, "files", "web-2")) == 1


def test_what_is_not_there_is_told_with_what_is(backend, tmp_path):
    with pytest.raises(ArchiveError, match="There is no archive of 'files'; there are archives of: nothing"):
        store.choose(backend, "files", "latest", "")
    keep(backend, tmp_path, "20260101T020000Z")
    keep(backend, tmp_path, "20260101T020000Z", host="web-2")
    with pytest.raises(ArchiveError, match="There is no archive of 'flies'; there are archives of: files"):
        store.choose(backend, "flies", "latest", "")
    with pytest.raises(ArchiveError, match="There is no archive '2027' of 'files' of host web-1; the newest are: 20260101T020000Z"):
        store.choose(backend, "files", "2027", "web-1")
    with pytest.raises(ArchiveError, match=r"come from several hosts \(web-1, web-2\): say which"):
        store.choose(backend, "files", "latest", "")


def test_an_archive_that_is_not_what_its_manifest_says_is_not_kept(backend, tmp_path):
    (tmp_path / "archive").write_bytes(b"data")
    manifest = {"name": "files", "host": "web-1", "sha256": "0" * 64}
    with pytest.raises(ArchiveError, match="is damaged"):
        store.add(backend, str(tmp_path / "archive"), manifest, "20260101T020000Z", 0, False)
    assert backend.keys("") == []


def test_check_mode_keeps_and_removes_nothing(backend, tmp_path):
    for day in (1, 2):
        keep(backend, tmp_path, f"2026010{day}T020000Z")
    before = backend.keys("")
    manifest = {"name": "files", "host": "web-1", "sha256": "x"}
    assert store.add(backend, "none", manifest, "20260103T020000Z", 1, True) == ["files/web-1/20260101T020000Z.gz"]
    assert backend.keys("") == before


def test_files_of_a_directory_are_the_owners_alone(tmp_path):
    backend = store.Directory(str(tmp_path / "kept"))
    keep(backend, tmp_path, "20260101T020000Z")
    for path in (tmp_path / "kept").rglob("*"):
        assert os.stat(path).st_mode & 0o077 == 0, path


def test_a_large_file_goes_in_blocks(server, tmp_path, monkeypatch):
    monkeypatch.setattr(blob, "BLOCK", 10)
    keep(blob.Container(server.url, "sig=right"), tmp_path, "20260101T020000Z", content=b"0123456789" * 3 + b"x")
    assert server.store["files/web-1/20260101T020000Z.gz"] == b"0123456789" * 3 + b"x"
    assert [query.get("comp") for _method, key, query in server.seen if key.endswith(".gz")] == ["block"] * 4 + ["blocklist"]


def test_a_busy_service_is_asked_again(server, tmp_path):
    server.busy = 2
    assert blob.Container(server.url, "sig=right").keys("") == []
    server.busy = 9
    with pytest.raises(ArchiveError, match="failed: 503 ServerBusy"):
        blob.Container(server.url, "sig=right").keys("")


def test_no_message_holds_the_signature(server):
    with pytest.raises(ArchiveError) as caught:
        blob.Container(server.url, "sv=1&sig=secretsignature").keys("")
    assert "403 AuthenticationFailed" in str(caught.value) and "secretsignature" not in str(caught.value)
    with pytest.raises(ArchiveError) as caught:
        blob.Container("https://a.blob.core.windows.net/c?sig=secretsignature")
    assert "secretsignature" not in str(caught.value) and "as blob_sas" in str(caught.value)
    with pytest.raises(ArchiveError, match="give an https:// address"):
        blob.Container("http://a.blob.core.windows.net/c")


def test_the_machines_identity_signs_in(server, monkeypatch, tmp_path):
    class Metadata(blob_server.http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            assert self.headers["Metadata"] == "true" and "resource=https%3A%2F%2Fstorage.azure.com%2F" in self.path and "client_id=me" in self.path
            body = json.dumps({"access_token": "right"}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments):
            pass

    metadata = blob_server.http.server.HTTPServer(("127.0.0.1", 0), Metadata)
    blob_server.threading.Thread(target=metadata.serve_forever, args=(0.02,), daemon=True).start()
    monkeypatch.setattr(blob, "IDENTITY", f"http://127.0.0.1:{metadata.server_port}/metadata/identity/oauth2/token")
    keep(blob.Container(server.url, identity="me"), tmp_path, "20260101T020000Z")
    metadata.shutdown()
    metadata.server_close()
    assert len(server.store) == 2
    with pytest.raises(ArchiveError, match="This machine has no identity"):
        blob.Container(server.url).keys("")
