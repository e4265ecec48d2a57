# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What C(docker_extension) is given: its own options, files, and what contradicts itself in them. Private to this collection."""

from __future__ import annotations

import json
import re
from typing import Any, Dict, Mapping

from ansible_collections.dockhost.azure.plugins.module_utils._errors import InputError
from ansible_collections.dockhost.azure.plugins.module_utils._extension import script
from ansible_collections.dockhost.azure.plugins.module_utils._extension.docker_settings import CERTS, INSECURE, DockerSettings
from ansible_collections.dockhost.azure.plugins.module_utils._tls import check

# Options that say something to the script alone, with what they are when nobody gives them.
_OF_THE_SCRIPT = {"docker_source": "distribution", "docker_version": None, "docker_user": None, "keep_containers": False, "keep_certificates": False}
# Options that mean something only where there is a machine already.
_OF_A_MACHINE = {
    "hosts": None, "group": None, "scale_set": None, "keep_containers": False, "keep_certificates": False, "force_update_tag": None, "rerun": False,
    "reinstall": "never",
}  # fmt: skip


def contradictions(params: Mapping[str, Any]) -> None:
    """Refuse options that would be passed over in silence.

    :raises InputError: names both, and what to do.
    """
    handler = params["handler"]
    if params["remove_docker"] and params["state"] == "present":
        raise InputError("remove_docker", "remove_docker is true and state is present: set state to absent to take Docker off the host, or leave "
                         "remove_docker out.")
    if handler == "cloud_init" and params["state"] == "absent":
        raise InputError("handler", "handler is cloud_init and state is absent: custom data cannot be taken back; leave handler out to remove an extension.")
    without = {"docker_extension": _OF_THE_SCRIPT, "cloud_init": _OF_A_MACHINE}.get(handler, {}) if params["state"] == "present" else {}
    for name, default in without.items():
        if params.get(name) not in (default, None):
            shown = ", ".join(params[name]) if isinstance(params[name], list) else params[name]
            raise InputError(name, "{0} is '{1}' and handler is {2}, {3}: leave {0} out, or take handler custom_script.".format(
                name, shown, handler, "which makes custom data and asks nothing of machines" if handler == "cloud_init" else
                "which gets its own settings and nothing else",
            ))  # fmt: skip


def check_certificates(settings: DockerSettings, option: str) -> None:
    """Refuse certificates that no client would accept, before an engine is restarted with them.

    :raises InputError: says what is wrong.
    """
    wrong = check.problem(*(settings.certs[name] for name in CERTS)) if settings.certs else None
    if wrong:
        raise InputError(option, "{0} cannot work: {1}.".format(option, wrong))


def choices(params: Mapping[str, Any]) -> script.Choices:
    """The module's own options.

    :raises InputError: options that contradict each other.
    """
    version = params.get("docker_version") or ""
    if version and params["docker_source"] != "docker":
        raise InputError("docker_version", "docker_version is '{0}' and docker_source is distribution, which has one version only: set "
                         "docker_source to docker, or leave docker_version out.".format(version))
    if version and not re.fullmatch(r"[0-9][A-Za-z0-9.~+-]*", version):
        raise InputError("docker_version", "docker_version is '{0}': give a version as in 27.5 or 27.5.1.".format(version))
    for name in ("lock_timeout", "health_timeout"):
        if not 1 <= params[name] <= 3600:
            raise InputError(name, "{0} is {1}: give 1 to 3600 seconds, since Azure ends the script after 90 minutes.".format(name, params[name]))
    repository = params["docker_repository"]
    if not re.fullmatch(r"https?://[A-Za-z0-9][A-Za-z0-9.:-]*(/[A-Za-z0-9._~/-]*)?", repository):
        raise InputError("docker_repository", "docker_repository is '{0}': give the address of a mirror, as in "
                         "https://mirror.example.com/docker.".format(repository))
    user = params.get("docker_user") or ""
    if user and not re.fullmatch(r"[a-z_][a-z0-9_-]{0,31}", user):
        raise InputError("docker_user", "docker_user is '{0}', which is no name of a Linux user.".format(user))
    return script.Choices(
        source=params["docker_source"], version=version, user=user, repository=repository.rstrip("/"),
        lock_seconds=params["lock_timeout"], health_seconds=params["health_timeout"], insecure=params[INSECURE],
        keep_containers=params["keep_containers"], keep_certificates=params["keep_certificates"],
    )  # fmt: skip


def read_settings(params: Mapping[str, Any], option: str) -> Dict[str, Any]:
    """The settings from the option, or from the JSON file that people have from their templates.

    :raises InputError: the file cannot be read, or holds no JSON object; its content is not repeated.
    """
    path = params.get(option + "_file")
    if not path:
        return dict(params.get(option) or {})
    try:
        with open(path, encoding="utf-8-sig") as file:
            found = json.load(file)
    except OSError as error:
        raise InputError(option + "_file", "{0}_file: {1} cannot be read: {2}.".format(option, path, error.strerror)) from error
    except ValueError as error:
        where = " (line {0}, column {1})".format(error.lineno, error.colno) if isinstance(error, json.JSONDecodeError) else ""
        raise InputError(option + "_file", "{0}_file: {1} is not JSON{2}.".format(option, path, where)) from None
    if not isinstance(found, dict):
        raise InputError(option + "_file", "{0}_file: {1} has to hold a JSON object.".format(option, path))
    return found
