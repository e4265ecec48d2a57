# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a command on the host.

This util is private to the collection: no release promises that it stays as it is.
"""

from __future__ import annotations

import os
import subprocess
import typing as t

from ansible_collections.dockhost.azure.plugins.module_utils._docker_host.packages import HostError

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class Result(t.NamedTuple):
    """How a command ended; ``output`` is standard output and ``errors`` standard error."""

    code: int
    output: str
    errors: str


def run(*argv: str, timeout: float = 60, environment: t.Mapping[str, str] | None = None) -> Result:
    """Run a command, in the C locale and without a terminal. HostError where it is missing or does not end."""
    env = {**os.environ, "LC_ALL": "C", "PATH": _PATH, **(environment or {})}
    try:
        # Not run_command: this runs below the module, without an AnsibleModule at hand.
        done = subprocess.run(  # pylint: disable=ansible-bad-function
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            timeout=timeout,
            env=env,
            check=False,
        )
    except FileNotFoundError:
        raise HostError(f"The command {argv[0]} is not on this host; it is needed for what the task does.") from None
    except subprocess.TimeoutExpired:
        raise HostError(f"'{' '.join(argv)}' did not end within {timeout:g} s.") from None
    return Result(done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))


def check(*argv: str, timeout: float = 60, environment: t.Mapping[str, str] | None = None) -> str:
    """Like run, but a failure is a HostError that carries the command's last words; returns standard output."""
    result = run(*argv, timeout=timeout, environment=environment)
    if result.code:
        raise HostError(f"'{' '.join(argv)}' failed ({result.code}): {last_lines(result)}")
    return result.output


def last_lines(result: Result, count: int = 6) -> str:
    """The end of what a command said, in one line."""
    said = (result.errors.strip() or result.output.strip()).splitlines()
    return " | ".join(line.strip() for line in said[-count:] if line.strip()) or "it said nothing"
