# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The CustomScript 2.1 extension: its settings by Microsoft's rules, and the shell script that runs it in a machine."""
from __future__ import annotations

import base64
import binascii
import gzip
import shlex
import zlib
from typing import Any

MAX_SCRIPT = 256 * 1024
TIMEOUT = 90 * 60.0
_PUBLIC_ONLY = ("skipDos2Unix", "timestamp")
_PROTECTED_ONLY = ("storageAccountName", "storageAccountKey", "managedIdentity")
_EITHER = ("commandToExecute", "script", "fileUris")


class SettingsRefused(ValueError):
    """The handler refuses its settings; the text is what it says."""


def validate(public: dict[str, Any], protected: dict[str, Any]) -> tuple[str, bytes | None]:
    """(command, script) of the settings: one of them is empty."""
    for key in public:
        if key not in _PUBLIC_ONLY + _EITHER:
            raise SettingsRefused(f"invalid configuration: 'publicSettings': Additional property {key} is not allowed")
    for key in protected:
        if key not in _PROTECTED_ONLY + _EITHER:
            raise SettingsRefused(f"invalid configuration: 'protectedSettings': Additional property {key} is not allowed")
    for key in _EITHER:
        if key in public and key in protected:
            raise SettingsRefused(f"invalid configuration: '{key}' was specified both in public and protected settings; "
                                  "it must be specified only once")
    merged = {**public, **protected}
    if merged.get("fileUris"):
        raise SettingsRefused("this lab does not download fileUris: put the script into 'script' instead")
    command, script = merged.get("commandToExecute", ""), merged.get("script", "")
    if bool(command) == bool(script):
        raise SettingsRefused("invalid configuration: either 'commandToExecute' or 'script' must be specified"
                              if not command else
                              "invalid configuration: 'commandToExecute' and 'script' were both specified, but only one "
                              "is validate at a time")
    return str(command), _decode(str(script)) if script else None


def _decode(text: str) -> bytes:
    """base64, optionally of gzip."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise SettingsRefused("failed to decode script: it must be base64") from None
    if data[:2] == b"\x1f\x8b":
        try:
            data = gzip.decompress(data)
        except (OSError, EOFError, zlib.error):
            raise SettingsRefused("failed to decompress script") from None
    if len(data) > MAX_SCRIPT:
        raise SettingsRefused(f"script is too large: {len(data)} bytes, at most {MAX_SCRIPT}")
    return data


def wrapper(sequence: int, command: str, script: bytes | None, root: str = "") -> str:
    """A shell script that does in the machine what the handler does: directories, logs, output, exit status.

    `root` is put before the absolute paths.
    """
    directory = f"{root}/var/lib/waagent/custom-script/download/{sequence}"
    logs = f"{root}/var/log/azure/custom-script"
    lines = ["umask 077", f"mkdir -p {directory} {logs}", f"cd {directory} || exit 1",
             f"log() {{ echo \"time=$(date -u +%FT%TZ) $*\" >> {logs}/handler.log; }}",
             f"log 'event=\"executing command\" output={directory}'"]
    if script is not None:
        encoded = base64.b64encode(script).decode()
        lines.append(f"printf %s {encoded} | base64 -d > script.sh && chmod 700 script.sh")
        command = "./script.sh" if script.startswith(b"#!") else "/bin/sh ./script.sh"
    # What the handler keeps is root's alone; what the command makes is not: the agent's children have the usual umask.
    lines += [f"(umask 022; exec /bin/sh -c {shlex.quote(command)}) > stdout 2> stderr", "status=$?",
              "log \"event=\\\"executed command\\\" status=$status\"", "tail -c 4096 stdout", "tail -c 4096 stderr >&2",
              "exit $status"]
    return "\n".join(lines) + "\n"
