# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A build context on the controller: which files belong to it, their digest, and the archive that goes to the host.

The same files give the same digest, whoever owns them and whenever they were written.
Rules of .dockerignore: https://docs.docker.com/build/concepts/context/#dockerignore-files

This util is private to the collection: no release promises that it stays as it is.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import tarfile
import typing as t


class ContextError(Exception):
    """A context that cannot be used; the text is one sentence for people."""


def _pattern(words: str) -> re.Pattern[str]:
    """A pattern of .dockerignore as a regular expression for a path or anything below it."""
    out, index = "", 0
    while index < len(words):
        char = words[index]
        if words.startswith("**/", index):
            out, index = out + "(?:.*/)?", index + 3
            continue
        if words.startswith("**", index):
            out, index = out + ".*", index + 2
            continue
        if char == "[" and "]" in words[index:]:
            end = words.index("]", index)
            out, index = out + words[index : end + 1], end + 1
            continue
        out += {"*": "[^/]*", "?": "[^/]"}.get(char, re.escape(char))
        index += 1
    return re.compile(out + r"(?:/.*)?\Z")


class Ignored:
    """What .dockerignore leaves out. The last rule that fits decides; ``!`` takes a path back in."""

    def __init__(self, text: str) -> None:
        self._rules: list[tuple[re.Pattern[str], bool]] = []
        for line in text.splitlines():
            line = line.strip()
            if not line or line.startswith("#"):
                continue
            back = line.startswith("!")
            words = os.path.normpath(line[1:].strip() if back else line).lstrip("/")
            self._rules.append((_pattern(words), not back))

    def __call__(self, path: str) -> bool:
        out = False
        for pattern, verdict in self._rules:
            if pattern.match(path):
                out = verdict
        return out


def files(folder: str, dockerfile: str) -> list[str]:
    """Relative paths of all files and links of the context, in order. Raises ContextError."""
    if not os.path.isdir(folder):
        raise ContextError(f"context '{folder}' is no folder on the controller.")
    if not os.path.isfile(os.path.join(folder, dockerfile)):
        raise ContextError(f"dockerfile '{dockerfile}' does not exist in context '{folder}'.")
    ignore = os.path.join(folder, ".dockerignore")
    text = ""
    if os.path.isfile(ignore):
        with open(ignore, encoding="utf-8") as file:
            text = file.read()
    ignored = Ignored(text)
    found = []
    for root, folders, names in os.walk(folder):
        links = [name for name in folders if os.path.islink(os.path.join(root, name))]
        for name in [*names, *links]:
            path = os.path.relpath(os.path.join(root, name), folder)
            if path == dockerfile or not ignored(path):
                found.append(path)
        # The history of a checkout is never part of an image, and differs from clone to clone.
        folders[:] = sorted(name for name in folders if name != ".git")
    return sorted(found)


def digest(folder: str, paths: t.Iterable[str], settings: t.Mapping[str, t.Any]) -> str:
    """SHA-256 over names, executable bits and contents, and over whatever else makes the image."""
    total = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
    for path in paths:
        full = os.path.join(folder, path)
        kind = b"l" if os.path.islink(full) else b"x" if os.access(full, os.X_OK) else b"f"
        total.update(path.encode() + b"\0" + kind)
        total.update(hashlib.sha256(_content(full)).digest())
    return total.hexdigest()


def _content(full: str) -> bytes:
    if os.path.islink(full):
        return os.readlink(full).encode()
    with open(full, "rb") as file:
        return file.read()


def archive(folder: str, paths: t.Iterable[str], target: t.IO[bytes]) -> None:
    """Write the context as a tar archive: root's files, without times, so that layers of equal files are equal too."""
    with tarfile.open(fileobj=target, mode="w:gz") as tar:
        for path in paths:
            full = os.path.join(folder, path)
            entry = tarfile.TarInfo(path)
            if os.path.islink(full):
                entry.type, entry.linkname = tarfile.SYMTYPE, os.readlink(full)
                tar.addfile(entry)
                continue
            content = _content(full)
            entry.size, entry.mode = len(content), 0o755 if os.access(full, os.X_OK) else 0o644
            tar.addfile(entry, io.BytesIO(content))
