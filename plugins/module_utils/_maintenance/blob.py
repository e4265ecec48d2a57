# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A container of Azure Blob Storage over HTTPS, with the standard library, signed in by a shared access signature or by the machine's identity.

https://learn.microsoft.com/rest/api/storageservices/blob-service-rest-api

This util is private to the collection: no release promises that it stays as it is.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import ssl
import time
import typing as t
import urllib.error
import urllib.parse
import urllib.request
from xml.etree import ElementTree

from ansible_collections.dockhost.azure.plugins.module_utils._maintenance.archive import ArchiveError

VERSION = "2021-12-02"
# Files up to this size go in one request, larger ones in blocks of it, in bytes.
BLOCK = 64 << 20
IDENTITY = "http://169.254.169.254/metadata/identity/oauth2/token"
PAUSES = (1.0, 3.0, 9.0)


class Container:
    """The container at ``url``, as https://ACCOUNT.blob.core.windows.net/CONTAINER. ``identity`` is the client id of a user assigned one."""

    def __init__(self, url: str, sas: str = "", identity: str = "", ca_file: str | None = None) -> None:
        parts = urllib.parse.urlsplit(url)
        if parts.scheme != "https" and parts.hostname not in ("localhost", "127.0.0.1"):
            raise ArchiveError(f"blob_url is '{url.split('?')[0]}': give an https:// address, such as https://ACCOUNT.blob.core.windows.net/CONTAINER.")
        if parts.query:
            raise ArchiveError("blob_url carries a query: give the shared access signature as blob_sas, which is shown nowhere.")
        self.url = url.rstrip("/")
        self.sas = sas.lstrip("?")
        self.identity = identity
        # Not open_url: bodies are streamed, and the address holds a secret that no message may carry.
        self._opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=ca_file)))
        self._token = ""

    def keys(self, prefix: str) -> list[str]:
        """See Backend."""
        found: list[str] = []
        marker = ""
        while True:
            query = {"restype": "container", "comp": "list", "prefix": prefix, **({"marker": marker} if marker else {})}
            with self._send("GET", "", query) as answer:
                root = ElementTree.fromstring(answer.read())
            found += [name.text or "" for name in root.iterfind("Blobs/Blob/Name")]
            marker = root.findtext("NextMarker") or ""
            if not marker:
                return sorted(found)

    def read(self, key: str) -> bytes:
        """See Backend."""
        with self._send("GET", key) as answer:
            return answer.read()

    def write(self, key: str, data: bytes) -> None:
        """See Backend."""
        self._send("PUT", key, headers={"x-ms-blob-type": "BlockBlob", "Content-Type": "application/json"}, data=data).close()

    def put(self, key: str, path: str) -> None:
        """See Backend. The blob is there as a whole once its list of blocks is."""
        blocks = []
        with open(path, "rb") as file:
            if os.path.getsize(path) <= BLOCK:
                headers = {"x-ms-blob-type": "BlockBlob", "Content-Type": "application/gzip"}
                self._send("PUT", key, headers=headers, data=file.read()).close()
                return
            while True:
                data = file.read(BLOCK)
                if not data:
                    break
                blocks.append(base64.b64encode(b"%08d" % len(blocks)).decode())
                self._send("PUT", key, {"comp": "block", "blockid": blocks[-1]}, data=data).close()
        listed = "".join(f"<Latest>{block}</Latest>" for block in blocks)
        body = f'<?xml version="1.0" encoding="utf-8"?><BlockList>{listed}</BlockList>'.encode()
        self._send("PUT", key, {"comp": "blocklist"}, {"x-ms-blob-content-type": "application/gzip"}, body).close()

    def get(self, key: str, path: str) -> None:
        """See Backend."""
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
        with self._send("GET", key) as answer, os.fdopen(descriptor, "wb") as file:
            shutil.copyfileobj(answer, file, 1 << 20)

    def remove(self, key: str) -> None:
        """See Backend."""
        self._send("DELETE", key, absent=True).close()

    # -- inside -----------------------------------------------------------------------------------------

    def _send(
        self,
        method: str,
        key: str,
        query: t.Mapping[str, str] | None = None,
        headers: t.Mapping[str, str] | None = None,
        data: bytes | None = None,
        absent: bool = False,
    ) -> t.Any:
        """One request, again after a pause where the service asks for it. ArchiveError with Azure's code; the signature is in no message."""
        address = self.url + ("/" + urllib.parse.quote(key) if key else "")
        shown = f"{method} {address}"
        signed = "&".join(part for part in (urllib.parse.urlencode(query or {}), self.sas) if part)
        problem = ""
        for pause in (*PAUSES, None):
            request = urllib.request.Request(address + ("?" + signed if signed else ""), data=data, method=method)
            for name, value in {"x-ms-version": VERSION, **self._sign_in(), **(headers or {})}.items():
                request.add_header(name, value)
            try:
                return self._opener.open(request, timeout=300)
            except urllib.error.HTTPError as error:
                if error.code == 404 and absent:
                    return error
                problem = f"{error.code} {error.headers.get('x-ms-error-code') or error.reason}"
                if error.code not in (408, 429, 500, 503):
                    break
            except OSError as error:
                problem = str(getattr(error, "reason", error))
            if pause is not None:
                time.sleep(pause)
        raise ArchiveError(f"{shown} failed: {problem}. {_remedy(problem)}")

    def _sign_in(self) -> dict[str, str]:
        if self.sas:
            return {}
        if not self._token:
            query = {"api-version": "2018-02-01", "resource": "https://storage.azure.com/", **({"client_id": self.identity} if self.identity else {})}
            request = urllib.request.Request(IDENTITY + "?" + urllib.parse.urlencode(query), headers={"Metadata": "true"})
            # The metadata service is asked directly, whatever proxy the machine has.
            opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
            try:
                with opener.open(request, timeout=10) as answer:
                    self._token = json.load(answer)["access_token"]
            except (OSError, ValueError, KeyError) as error:
                raise ArchiveError(
                    f"This machine has no identity to sign in to Blob Storage with ({error}): give it one, with the role Storage Blob Data Contributor, "
                    "or give blob_sas."
                ) from None
        return {"Authorization": f"Bearer {self._token}"}


def _remedy(problem: str) -> str:
    if problem.startswith(("401", "403")):
        return "The signature needs the permissions r, w, d and l and must not have ended; an identity needs the role Storage Blob Data Contributor."
    if problem.startswith("404"):
        return "Check the account's address and that the container exists."
    return "Check that the address can be reached from here."
