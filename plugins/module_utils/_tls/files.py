# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A folder with a deployment's certificates, and the files of C(docker context). Private to this collection.

The folder: ``ca.pem``, ``ca-key.pem``, ``client/cert.pem``, ``client/key.pem`` and ``hosts/NAME/cert.pem``, ``hosts/NAME/key.pem``.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from typing import Dict, Optional

from ansible_collections.dockhost.azure.plugins.module_utils._errors import DockhostError
from ansible_collections.dockhost.azure.plugins.module_utils._tls.authority import Pair

CLIENT = "client"


class FilesError(DockhostError):
    """A file cannot be read or written."""


def place(folder: str, whose: str) -> str:
    """Where a pair is: C(""): the CA, ``client``, else a host's name."""
    return folder if not whose else os.path.join(folder, CLIENT if whose == CLIENT else os.path.join("hosts", whose))


def names(folder: str, whose: str) -> "tuple[str, str]":
    """The files of a pair: (certificate, key)."""
    base = place(folder, whose)
    if not whose:
        return os.path.join(base, "ca.pem"), os.path.join(base, "ca-key.pem")
    return os.path.join(base, "cert.pem"), os.path.join(base, "key.pem")


def read(path: str) -> Optional[str]:
    """The text of a file; ``None`` where there is none.

    :raises FilesError: it is there and cannot be read.
    """
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise FilesError("{0} cannot be read: {1}.".format(path, getattr(error, "strerror", None) or "it is no text")) from error


def read_pair(folder: str, whose: str) -> Optional[Pair]:
    """A pair; ``None`` where one of its files is missing."""
    texts = [read(path) for path in names(folder, whose)]
    return Pair(texts[0], texts[1]) if texts[0] is not None and texts[1] is not None else None


def write(path: str, text: str, mode: int) -> None:
    """Put a file into its place in one step; folders on the way are the owner's alone.

    :raises FilesError: it cannot be written.
    """
    beside = "{0}.{1}".format(path, os.getpid())
    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(beside, path)
    except OSError as error:
        raise FilesError("{0} cannot be written: {1}.".format(path, error.strerror)) from error


def remove(path: str) -> None:
    """Remove a folder with what is in it.

    :raises FilesError: it cannot be removed.
    """
    try:
        shutil.rmtree(path)
    except FileNotFoundError:
        return
    except OSError as error:
        raise FilesError("{0} cannot be removed: {1}.".format(path, error.strerror)) from error


def context_folders(config: str, name: str) -> "tuple[str, str]":
    """Where the Docker CLI keeps a context: (what it is, its TLS files).

    Both are named after the SHA-256 of the context's name, see ``docker context inspect`` (Storage).
    """
    number = hashlib.sha256(name.encode()).hexdigest()
    return os.path.join(config, "contexts", "meta", number), os.path.join(config, "contexts", "tls", number)


def context_files(config: str, name: str, host: str, text: str, authority: str, client: Pair) -> Dict[str, str]:
    """The files of a context by path.

    :param host: ``tcp://ADDRESS:PORT``.
    :param text: its description.
    """
    meta, tls = context_folders(config, name)
    about = {"Name": name, "Metadata": {"Description": text}, "Endpoints": {"docker": {"Host": host, "SkipTLSVerify": False}}}
    return {
        os.path.join(meta, "meta.json"): json.dumps(about, separators=(",", ":")),
        os.path.join(tls, "docker", "ca.pem"): authority, os.path.join(tls, "docker", "cert.pem"): client.certificate,
        os.path.join(tls, "docker", "key.pem"): client.key,
    }  # fmt: skip
