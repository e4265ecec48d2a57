# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Archives of directories and of streams: gzip'd, with the digests of the file and of what is in it.

Directories are packed and unpacked by the host's tar, which knows sparse files, extended attributes and access control lists.

This util is private to the collection: no release promises that it stays as it is.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import os
import shutil
import subprocess
import tarfile
import tempfile
import typing as t

# As fast as disks and networks of small machines; more costs processor time that applications on the host need.
LEVEL = 3
_CHUNK = 1 << 20
# The same data make the same bytes: without times other than that of the last change, and without tar's process id, which it puts into the
# names of extended headers and, in its newer format, of sparse files.
PACK = (
    "tar", "--create", "--format=pax", "--pax-option=delete=atime,delete=ctime,exthdr.name=%d/PaxHeaders/%f", "--sort=name", "--numeric-owner",
    "--xattrs", "--xattrs-include=*", "--acls", "--sparse", "--sparse-version=0.0", "--one-file-system", "--file=-",
)  # fmt: skip
UNPACK = ("tar", "--extract", "--same-owner", "--same-permissions", "--numeric-owner", "--xattrs", "--xattrs-include=*", "--acls", "--file=-")


class ArchiveError(Exception):
    """What was asked for cannot be done; one sentence."""


class Digest:
    """A file-like sink that counts and hashes what passes on to ``sink``."""

    def __init__(self, sink: t.BinaryIO | None = None) -> None:
        self.sink = sink
        self.size = 0
        self._hash = hashlib.sha256()

    def write(self, data: bytes) -> int:
        """Take ``data`` and pass it on."""
        self.size += len(data)
        self._hash.update(data)
        if self.sink is not None:
            self.sink.write(data)
        return len(data)

    def flush(self) -> None:
        """What gzip asks of a file."""

    @property
    def sha256(self) -> str:
        """Hexadecimal digest of all that passed."""
        return self._hash.hexdigest()


class Written(t.NamedTuple):
    """An archive: size and digest of the file, of its content, and whether something changed while it was read."""

    bytes: int
    sha256: str
    content_bytes: int
    content_sha256: str
    unsteady: bool = False


@contextlib.contextmanager
def writing(path: str) -> t.Iterator[tuple[Digest, t.Callable[[], Written]]]:
    """A sink for the content of the archive ``path`` (mode 0600, whoever looks), and what was written once the block has ended."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        outer = Digest(file)
        with gzip.GzipFile(filename="", mode="wb", compresslevel=LEVEL, fileobj=outer, mtime=0) as packed:  # type: ignore[call-overload]
            inner = Digest(packed)
            yield inner, lambda: Written(outer.size, outer.sha256, inner.size, inner.sha256)
        file.flush()
        os.fsync(file.fileno())


def pack(directory: str, path: str) -> Written:
    """Archive all of ``directory`` as ``path``. ArchiveError where tar cannot."""
    with writing(path) as (sink, written):
        code, said = _tar((*PACK, f"--directory={directory}", "."), output=sink)
    # 1: a file changed while it was read, which is told and not refused. https://www.gnu.org/software/tar/manual/html_node/Synopsis.html
    if code > 1:
        os.unlink(path)
        raise ArchiveError(f"{directory} could not be archived: {said}")
    return written()._replace(unsteady=code == 1)


def unpack(path: str, directory: str) -> None:
    """Unpack ``path`` into the empty ``directory``. ArchiveError where tar cannot."""
    with open_content(path) as content:
        code, said = _tar((*UNPACK, f"--directory={directory}"), source=content)
    if code:
        raise ArchiveError(f"{path} could not be unpacked: {said}")


def open_content(path: str) -> t.BinaryIO:
    """The content of an archive, to be read."""
    return gzip.open(path, "rb")  # type: ignore[return-value]


def sha256_of(path: str) -> str:
    """Digest of a file."""
    digest = Digest()
    with open(path, "rb") as file:
        shutil.copyfileobj(file, digest, _CHUNK)  # type: ignore[misc]
    return digest.sha256


def check(path: str, sha256: str) -> None:
    """ArchiveError unless ``path`` is the file with this digest."""
    if not os.path.isfile(path):
        raise ArchiveError(f"The archive {path} does not exist: choose another one.")
    found = sha256_of(path)
    if found != sha256:
        raise ArchiveError(
            f"The archive {path} is damaged: its SHA-256 is {found[:16]}… and its manifest says {sha256[:16]}…. Choose another archive; nothing was changed."
        )


def look_through(path: str) -> tuple[int, int]:
    """Read a tar archive to its end: (members, bytes of their content). ArchiveError for a member that would land elsewhere, or a torn file."""
    members = size = 0
    try:
        with tarfile.open(path, "r|gz") as archive:
            for member in archive:
                names = [member.name] + ([member.linkname] if member.islnk() else [])
                for name in names:
                    if name.startswith("/") or ".." in name.split("/"):
                        raise ArchiveError(f"The archive {path} has a member outside of its own directory ({name}): it is not one of these backups.")
                members += 1
                size += member.size
    except (tarfile.TarError, OSError, EOFError) as error:
        raise ArchiveError(f"The archive {path} cannot be read to its end: {error}. Choose another one; nothing was changed.") from error
    return members, size


def usage(directory: str) -> int:
    """Bytes that the files below ``directory`` occupy."""
    total = 0
    for folder, _folders, files in os.walk(directory):
        for name in files:
            with contextlib.suppress(OSError):
                total += os.lstat(os.path.join(folder, name)).st_blocks * 512
    return total


def need_space(directory: str, needed: int, what: str) -> None:
    """ArchiveError unless the file system of ``directory`` has ``needed`` bytes left, and some more that the host needs itself."""
    free = shutil.disk_usage(directory).free
    wanted = needed + (64 << 20)
    if free < wanted:
        raise ArchiveError(
            f"{directory} has {free >> 20} MiB free, and {what} needs {wanted >> 20} MiB: make room there, or name another directory; nothing was changed."
        )


def _tar(command: t.Sequence[str], output: Digest | None = None, source: t.BinaryIO | None = None) -> tuple[int, str]:
    """Run tar with what it reads or writes in between: its exit status, and the end of what it said."""
    with tempfile.TemporaryFile() as errors:
        try:
            # Not run_command: it would keep the whole archive in memory.
            process = subprocess.Popen(  # pylint: disable=ansible-bad-function
                command,
                stdin=subprocess.PIPE if source else subprocess.DEVNULL,
                stdout=subprocess.PIPE if output else subprocess.DEVNULL,
                stderr=errors,
                env={**os.environ, "LC_ALL": "C"},
            )
        except FileNotFoundError:
            raise ArchiveError("The command tar is not on this host; it packs and unpacks volumes: install it.") from None
        with process, contextlib.suppress(BrokenPipeError):
            if source and process.stdin:
                shutil.copyfileobj(source, process.stdin, _CHUNK)
                process.stdin.close()
            elif output and process.stdout:
                shutil.copyfileobj(process.stdout, output, _CHUNK)  # type: ignore[misc]
        errors.seek(0)
        lines = errors.read().decode(errors="replace").strip().splitlines()
    return process.returncode, " | ".join(lines[-4:]) or f"tar ended with {process.returncode}"
