# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Renders the shell script that brings a host into the state that the Docker extension documents. Private to this collection; pure."""

from __future__ import annotations

import base64
import gzip
import io
from dataclasses import dataclass
from typing import Dict, List

from ansible_collections.dockhost.azure.plugins.module_utils._errors import InputError
from ansible_collections.dockhost.azure.plugins.module_utils._extension import docker_files, script_compose, script_engine, script_packages
from ansible_collections.dockhost.azure.plugins.module_utils._extension.docker_settings import DockerSettings

MAX_SCRIPT = 256 * 1024  # https://learn.microsoft.com/azure/virtual-machines/extensions/custom-script-linux#property-script
LOG = "/var/log/azure/dockhost-docker.log"
COMPOSE_URL = "https://github.com/docker/compose/releases/latest/download"
REPOSITORY = "https://download.docker.com"


@dataclass(frozen=True)
class Choices:
    """What the module's own options add to the extension's settings; see its documentation."""

    source: str = "distribution"
    version: str = ""
    user: str = ""
    lock_seconds: int = 600
    health_seconds: int = 600
    insecure: bool = False
    keep_containers: bool = False
    keep_certificates: bool = False
    mode: str = "install"
    repository: str = REPOSITORY
    root: str = ""  # put before all absolute paths, for tests
    pause: int = 5


def render(settings: DockerSettings, choices: Choices) -> str:
    """The whole script.

    :raises InputError: settings that cannot work, or a script that CustomScript would not take.
    """
    options, addresses, dummy = docker_files.daemon(settings, choices.insecure, choices.keep_certificates)
    if choices.keep_containers:
        options.setdefault("live-restore", True)
    document, dummy = docker_files.compose(settings.compose)
    files = {
        "daemon.json": docker_files.daemon_text(options), "docker-compose.yml": docker_files.compose_text(document),
        "environment": "".join("{0}={1}\n".format(name, quote(value)) for name, value in sorted(settings.environment.items())),
    }
    if settings.certs:
        files.update({"{0}.pem".format(name): text for name, text in settings.certs.items()})
    if settings.login:
        files["password"] = settings.login.password
    text = "".join([
        "#!/bin/sh\n# Sets up Docker on this host. Written by dockhost.azure.docker_extension; it holds secrets.\n",
        _variables(settings, choices, bool(document), addresses), _payload(files), script_packages.BASICS, script_packages.PACKAGES,
        script_engine.ENGINE, script_compose.COMPOSE, script_compose.REMOVE, script_compose.MAIN,
    ])
    if len(text.encode()) > MAX_SCRIPT:
        raise InputError("settings", "The script for these settings has {0} bytes and CustomScript takes {1}: make the compose file "
                         "smaller.".format(len(text.encode()), MAX_SCRIPT))
    return text


def notes(settings: DockerSettings, choices: Choices) -> List[str]:
    """What of the settings was brought into another form or left out."""
    document, found = docker_files.compose(settings.compose)
    lacking = docker_files.unset(document, settings.environment)
    if lacking:
        found.append("compose: {0} stands in the compose file and has no value, so that Compose takes an empty text: give it in "
                     "settings.compose-environment or in protected_settings.environment.".format(", ".join(lacking)))
    return docker_files.daemon(settings, choices.insecure, choices.keep_certificates)[2] + found


def packed(text: str) -> str:
    """base64 of gzip, as CustomScript takes it."""
    buffer = io.BytesIO()
    with gzip.GzipFile(fileobj=buffer, mode="wb", mtime=0) as file:
        file.write(text.encode())
    return base64.b64encode(buffer.getvalue()).decode()


def cloud_config(text: str, turn: int = 0) -> str:
    """customData that runs the script once, at the first boot.

    :param turn: changes nothing but the bytes, see ``docker_task``.
    """
    content = packed(text + ("# {0}\n".format(turn) if turn else ""))
    return (
        "#cloud-config\nwrite_files:\n- path: /var/lib/dockhost-first-boot.sh\n  permissions: '0700'\n  encoding: gz+b64\n  content: {0}\n"
        "runcmd:\n- [sh, -c, '/bin/sh /var/lib/dockhost-first-boot.sh; result=$?; rm -f /var/lib/dockhost-first-boot.sh; exit $result']\n"
    ).format(content)


def quote(text: str) -> str:
    """One word of a shell."""
    return "'" + text.replace("'", "'\\''") + "'"


def _variables(settings: DockerSettings, choices: Choices, compose: bool, addresses: List[str]) -> str:
    login = settings.login
    values = {
        "ROOT": choices.root, "MODE": choices.mode, "SOURCE": choices.source, "VERSION": choices.version, "DOCKER_USER": choices.user,
        "REPOSITORY": choices.repository, "COMPOSE_URL": COMPOSE_URL, "COMPOSE": "1" if compose else "0",
        "CERTIFICATES": "1" if settings.certs else "keep" if choices.keep_certificates else "0",
        "KEEP_CONTAINERS": "1" if choices.keep_containers else "0", "ADDRESSES": " ".join(addresses),
        "LOGIN_USER": login.username if login else "", "LOGIN_SERVER": login.server if login else "",
        "SECRET_NAMES": " ".join(settings.secret_names), "LOCK_SECONDS": str(choices.lock_seconds),
        "HEALTH_SECONDS": str(choices.health_seconds), "PAUSE": str(choices.pause),
    }  # fmt: skip
    return "".join("{0}={1}\n".format(name, quote(value)) for name, value in values.items())


def _payload(files: Dict[str, str]) -> str:
    """A function that prints a file: base64 in here documents, so that nothing of it stands on a command line."""
    cases = []
    for name, text in sorted(files.items()):
        encoded = base64.encodebytes(text.encode()).decode()
        cases.append("    {0}) base64 -d <<'END_OF_FILE'\n{1}END_OF_FILE\n      ;;\n".format(name, encoded))
    return "\npayload() { # payload NAME: print one of the files\n  case $1 in\n" + "".join(cases) + "    *) return 1 ;;\n  esac\n}\n"
