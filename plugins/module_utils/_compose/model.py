# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a Compose project is to be: its files, from the module's options. Pure.

This util is private to the collection: no release promises that it stays as it is.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import re
import typing as t
from dataclasses import dataclass, field

from ansible_collections.dockhost.azure.plugins.module_utils._docker_host.packages import HostError

Json = t.Any
ENVIRONMENT = ".env"
SECRETS = "secrets"
# Our own folder beside the project's files: what we wrote, and the last version that became healthy.
OURS = ".dockhost"
# Where projects are that were given no folder.
FOLDERS = "/opt/compose"
_SENSITIVE = re.compile(r"(PASS(WORD|WD|PHRASE)?|SECRET|TOKEN|CREDENTIALS?|API_?KEY|PRIVATE_?KEY|_KEY|SALT)$", re.IGNORECASE)


@dataclass(frozen=True)
class File:
    """One file of the project. ``secret``: its text is never shown."""

    content: bytes
    mode: int = 0o600
    secret: bool = False


@dataclass(frozen=True)
class Request:
    """The options of module compose, see there."""

    name: str
    state: str = "present"
    directory: str = ""
    definition: t.Mapping[str, Json] | None = None
    files: t.Mapping[str, str] = field(default_factory=dict)
    files_mode: str = "0600"
    source_files: t.Mapping[str, t.Mapping[str, Json]] = field(default_factory=dict)
    compose_files: t.Sequence[str] = ("compose.yaml",)
    environment: t.Mapping[str, Json] = field(default_factory=dict)
    environment_secrets: t.Mapping[str, Json] = field(default_factory=dict)
    secrets: t.Mapping[str, str] = field(default_factory=dict)
    secrets_mode: str = "0600"
    profiles: t.Sequence[str] = ()
    pull: str = "missing"
    remove_orphans: bool = True
    remove_volumes: bool = False
    wait: bool = True
    timeout: int = 300
    settle: int = 3
    rollback: bool = True
    docker_socket: str = "/var/run/docker.sock"

    @property
    def folder(self) -> str:
        """Where the project's files are on the host."""
        return self.directory or f"{FOLDERS}/{self.name}"

    def hidden_values(self) -> list[str]:
        """What must never be shown, longest first, so that a value within another does not uncover it."""
        named = [str(v) for k, v in self.environment.items() if sensitive(k)]
        values = {*named, *map(str, self.environment_secrets.values()), *map(str, self.secrets.values())}
        return sorted(filter(None, values), key=len, reverse=True)


def sensitive(name: str) -> bool:
    """Whether a variable of this name is a password by the look of it."""
    return bool(_SENSITIVE.search(name))


def check(request: Request) -> None:
    """Refuse what cannot work, before anything is touched."""
    if not re.match(r"[a-z0-9][a-z0-9_-]*\Z", request.name):
        raise HostError(f"name: {request.name!r} cannot name a project; use lower case letters, digits, hyphens and underscores.")
    if not os.path.isabs(request.folder) or os.path.normpath(request.folder) in ("/", "/opt", "/etc", "/root", "/home", "/usr", "/var"):
        raise HostError(f"directory: {request.folder} cannot be a project's folder; give an absolute path that is the project's alone.")
    for option in ("secrets_mode", "files_mode"):
        if not re.match(r"0?[0-7]{3}\Z", getattr(request, option)):
            raise HostError(f"{option}: {getattr(request, option)!r} is no mode; give three octal digits as text, such as '0444'.")
    both = sorted(set(request.environment) & set(request.environment_secrets))
    if both:
        raise HostError(f"environment: {', '.join(both)} is in environment_secrets too; give it in one of them.")
    for name, value in {**request.environment, **request.environment_secrets}.items():
        if not re.match(r"[A-Za-z_][A-Za-z0-9_]*\Z", str(name)):
            raise HostError(f"environment: {name!r} cannot name a variable; use letters, digits and underscores.")
        if isinstance(value, (dict, list)):
            raise HostError(f"environment: {name} is a {type(value).__name__}, and a variable is one text; write it as such.")
    for name in request.secrets:
        if not re.match(r"[A-Za-z0-9][A-Za-z0-9._-]*\Z", str(name)):
            raise HostError(f"secrets: {name!r} cannot name a file; use letters, digits, dots, hyphens and underscores.")
    if request.state == "present":
        _check_files(request)


def _check_files(request: Request) -> None:
    found = wanted_files(request)
    for name in found:
        if os.path.isabs(name) or ".." in name.split("/") or name.split("/")[0] == OURS:
            raise HostError(f"files: {name!r} is outside of the project's folder; give a path within it.")
    missing = [name for name in request.compose_files if name not in found]
    if missing:
        raise HostError(
            f"compose_files: {', '.join(missing)} is not among the project's files ({', '.join(sorted(found)) or 'there are none'}); "
            "give it in definition, files or source."
        )


def wanted_files(request: Request) -> dict[str, File]:
    """Path within the folder → file. What is given closer to the task wins: definition over files over source."""
    found: dict[str, File] = {}
    for name, item in request.source_files.items():
        try:
            content = base64.b64decode(item["content"], validate=True)
        except (KeyError, ValueError, binascii.Error):
            raise HostError(f"source_files: {name} is not as source makes it; give source, the folder on the controller.") from None
        found[name] = File(content, 0o700 if item.get("executable") else 0o600)
    found.update((os.path.normpath(name), File(str(text).encode(), int(request.files_mode, 8))) for name, text in request.files.items())
    if request.definition is not None:
        # JSON is YAML, and hosts have a library for one of them only.
        found[request.compose_files[0]] = File((json.dumps(request.definition, indent=2) + "\n").encode())
    variables = {**request.environment, **request.environment_secrets}
    if variables:
        found[ENVIRONMENT] = File(environment_text(variables).encode(), secret=True)
    mode = int(request.secrets_mode, 8)
    found.update((f"{SECRETS}/{name}", File(str(text).encode(), mode, secret=True)) for name, text in request.secrets.items())
    return found


def environment_text(variables: t.Mapping[str, Json]) -> str:
    """An .env file that means these values, whatever is in them.

    In double quotes \\n, \\", \\$ and \\\\ are escapes: https://docs.docker.com/compose/how-tos/environment-variables/variable-interpolation/
    In single quotes nothing is, and a single quote cannot be written.
    """
    lines = []
    for name in sorted(variables):
        value = variables[name]
        text = ("true" if value else "false") if isinstance(value, bool) else "" if value is None else str(value)
        if "'" not in text and "\\" not in text:
            lines.append(f"{name}='{text}'\n")
            continue
        for sign, escape in (("\\", "\\\\"), ('"', '\\"'), ("$", "\\$"), ("\n", "\\n"), ("\r", "\\r")):
            text = text.replace(sign, escape)
        lines.append(f'{name}="{text}"\n')
    return "".join(lines)
