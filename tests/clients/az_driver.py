# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Azure CLI commands one after another in one process, since starting `az` costs more than most commands do.

Runs under the Python of the CLI's own environment. Each line of stdin is one command, a JSON list of arguments; each line of stdout
is its end: `{"status", "out", "err"}`. The commands go through the CLI's own entry point, unchanged.
"""
from __future__ import annotations

import gc
import json
import os
import sys
import tempfile
from typing import IO, List

from azure.cli.core import get_default_cli


def run(arguments: List[str]) -> int:
    """One command; its exit status as a process of its own would have it."""
    try:
        return int(get_default_cli().invoke(arguments) or 0)
    except SystemExit as end:  # arguments that the parser refuses
        return int(end.code or 0)


def captured(stream: IO[str]) -> str:
    """What was written since the last call."""
    stream.seek(0)
    text = stream.read()
    stream.seek(0)
    stream.truncate()
    return text


def main() -> None:
    """Serve until stdin ends. The CLI's loggers hold the streams of the first command, so the descriptors are led elsewhere."""
    answers = os.fdopen(os.dup(1), "w")
    out, err = tempfile.TemporaryFile("w+"), tempfile.TemporaryFile("w+")
    os.dup2(out.fileno(), 1)
    os.dup2(err.fileno(), 2)
    for line in sys.stdin:
        status = run(json.loads(line))
        sys.stdout.flush()
        sys.stderr.flush()
        answers.write(json.dumps({"status": status, "out": captured(out), "err": captured(err)}) + "\n")
        answers.flush()
        gc.collect()  # each command leaves its tables of arguments in cycles


if __name__ == "__main__":
    main()
