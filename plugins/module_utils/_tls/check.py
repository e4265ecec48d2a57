# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a CA, a server's certificate and its key belong together. Private to this collection.

A TLS handshake in memory finds what clients of the engine would find: a key of another certificate, a certificate of another CA,
one that has expired, one that is not for servers. Python's standard library does it, so that nothing has to be installed for it.
"""

from __future__ import annotations

import os
import ssl
import tempfile
from typing import Optional


def problem(authority: str, certificate: str, key: str) -> Optional[str]:
    """What is wrong, as the end of a sentence; ``None`` where they work.

    :param authority: PEM of the CA that clients trust.
    :param certificate: PEM of the server's certificate.
    :param key: PEM of its private key.
    """
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False  # the names are the caller's business
    try:
        client.load_verify_locations(cadata=authority)
    except ssl.SSLError:
        return "ca is no certificate"
    try:
        _load(server, certificate, key)
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            return "key is not the key of cert"
        return "cert or key cannot be read (a key with a passphrase is of no use to the engine)"
    try:
        _handshake(server, client)
    except ssl.SSLCertVerificationError as error:
        return "clients that trust ca will not accept cert: {0}".format(error.verify_message)
    except ssl.SSLError as error:
        return "a TLS connection with them fails: {0}".format(error.reason)
    return None


def _load(context: ssl.SSLContext, certificate: str, key: str) -> None:
    """The library reads files only; these are gone when it has."""
    with tempfile.TemporaryDirectory(prefix="dockhost-") as folder:  # 0700
        names = []
        for name, text in (("cert.pem", certificate), ("key.pem", key)):
            names.append(os.path.join(folder, name))
            with open(os.open(names[-1], os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
                file.write(text)
        context.load_cert_chain(names[0], names[1], password="")


def _handshake(server: ssl.SSLContext, client: ssl.SSLContext) -> None:
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    sides = [client.wrap_bio(to_client, to_server), server.wrap_bio(to_server, to_client, server_side=True)]
    waiting = list(sides)
    for dummy in range(10):
        for side in list(waiting):
            try:
                side.do_handshake()
                waiting.remove(side)
            except ssl.SSLWantReadError:
                pass
        if not waiting:
            return
