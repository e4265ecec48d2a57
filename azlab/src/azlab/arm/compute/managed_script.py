# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""PURE: what the handler of managed run commands does in a machine, as a shell script, and what it makes of the result.

Named parameters are environment variables, unnamed ones arguments that the shell splits, empty ones are left out; with a
user the script is copied to that user's home and run by sudo, which drops the variables. As the handler of Azure does it:
https://github.com/Azure/run-command-handler-linux
"""
from __future__ import annotations

import base64
import re
import shlex
from dataclasses import dataclass
from typing import Any

from azlab.machines.driver import CommandResult

TIMED_OUT = 124             # exit status of a command that the driver stopped
NO_SUCH_USER = 203          # of our wrapper; the script did not run


@dataclass(frozen=True)
class ManagedScript:
    """One run of a managed run command."""

    name: str
    sequence: int
    text: str
    parameters: list[dict[str, Any]]
    user: str = ""


def _directory(script: ManagedScript) -> str:
    """Where the script lies in the machine, as a word of the shell."""
    place = f"waagent/run-command-handler{'-runas' if script.user else ''}/download/{shlex.quote(script.name)}/{script.sequence}"
    return f"/home/{shlex.quote(script.user)}/{place}" if script.user else f"/var/lib/{place}"


def stopper(script: ManagedScript) -> str:
    """A shell script that ends it and all that it started, when it runs."""
    return (f"read -r pid < {_directory(script)}/pid || exit 0\n"
            "group=$(ps -o pgid= -p $pid | tr -d ' ')\n[ -z \"$group\" ] || kill -TERM -$group\n")


def wrapper(script: ManagedScript) -> str:
    """A shell script that runs it as the handler does."""
    arguments, lines, user = "", ["umask 022"], shlex.quote(script.user)
    for parameter in script.parameters:
        name, value = str(parameter.get("name") or ""), str(parameter.get("value") or "")
        if value and re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
            lines.append(f"export {name}={shlex.quote(value)}")
        elif value and not name:
            arguments += f" {value}"
    if script.user:
        lines += [f"id -u {user} >/dev/null 2>&1 || exit {NO_SUCH_USER}"]
    directory = _directory(script)
    encoded = base64.b64encode(script.text.encode()).decode()
    lines += [f"mkdir -p {directory} && cd {directory} || exit 1", f"printf %s {encoded} | base64 -d > script.sh", "chmod 550 script.sh",
              "echo $$ > pid"]
    command = f"{directory}/script.sh{arguments}"
    if script.user:
        lines.append(f"chown {user} script.sh")
        command = f"sudo -n -u {user} {command}"
    return "\n".join([*lines, f"exec /bin/bash -c {shlex.quote(command)}"]) + "\n"


def outcome(result: CommandResult) -> tuple[str, str, int]:
    """(executionState, executionMessage, exitCode)"""
    if result.exit_code == 0:
        return "Succeeded", "Execution completed", 0
    if result.exit_code == TIMED_OUT:
        return "TimedOut", "Execution failed: command terminated with exit status=-1", -1
    if result.exit_code == NO_SUCH_USER:
        return "Failed", "Execution failed: failed to look up the RunAs user: there is no such user in the virtual machine", NO_SUCH_USER
    return "Failed", f"Execution failed: command terminated with exit status={result.exit_code}", result.exit_code
