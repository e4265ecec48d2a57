# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A command in a machine, with all that it said.

The engine loses the output of an exec now and then, when the machine is busy (moby/moby#27289; 2 of 734 calls of `echo` came back
empty). So the command writes to files, and the files are read. Blocking; run in threads.
"""
from __future__ import annotations

import io
import tarfile
import time
import uuid

from docker.models.containers import Container

from azlab.machines.docker import seed
from azlab.machines.driver import CommandResult

FOLDER = "/var/lib/azlab"
TAIL = 4096                     # bytes of output that Azure keeps of a command, each of stdout and stderr
_ENVIRONMENT = {"HOME": "/root", "USER": "root"}
_PAUSE = 0.05
# What a command leaves is root's alone; what it makes has the usual mode.
_RUN = """cd {folder} && chmod 700 . || exit 1
(cd / && exec timeout -k 5 {seconds} {folder}/script) >stdout 2>stderr
echo $? >code
for each in stdout stderr; do tail -c {tail} $each >$each.end; rm $each; done
"""


def run(container: Container, script: str, seconds: float) -> CommandResult:
    """Run a shell script as root; exit code 124 when it took too long."""
    name = f"run-{uuid.uuid4().hex}"
    folder = f"{FOLDER}/{name}"
    text = script if script.startswith("#!") else "#!/bin/sh\n" + script
    container.put_archive("/", seed.tar({f"{folder.lstrip('/')}/script": (text.encode(), 0o700)}))
    api = container.client.api
    around = _RUN.format(folder=folder, seconds=max(1, int(seconds)), tail=TAIL)
    execution = api.exec_create(container.id, ["/bin/sh", "-c", around], workdir="/", environment=_ENVIRONMENT)["Id"]
    api.exec_start(execution)
    while api.exec_inspect(execution)["Running"]:       # the stream can end before the command does
        time.sleep(_PAUSE)
    said = _files(container, folder)
    container.exec_run(["rm", "-rf", folder])
    code = said.get("code", b"").strip()
    # Without a code the machine went down under the command, as it does when the command restarts it.
    exit_code = int(code) if code.isdigit() else 0
    return CommandResult(exit_code, _text(said.get("stdout.end")), _text(said.get("stderr.end")), interrupted=not code.isdigit())


def _files(container: Container, folder: str) -> dict[str, bytes]:
    """What the files of a folder hold, by their names."""
    stream, _ = container.get_archive(folder)
    found = {}
    with tarfile.open(fileobj=io.BytesIO(b"".join(stream))) as archive:
        for entry in archive:
            content = archive.extractfile(entry)
            if content is not None:
                found[entry.name.rpartition("/")[2]] = content.read()
    return found


def _text(output: bytes | None) -> str:
    return (output or b"").decode(errors="replace")
