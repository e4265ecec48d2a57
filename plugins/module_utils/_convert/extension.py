# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the Docker VM extension's JSON, or an ARM template with it in, to variables of roles docker and stack. Private; pure.

Source: the user guide, https://github.com/Azure/azure-docker-extension; see docs/docker_extension.md for the module that takes the
settings unchanged.
"""

from __future__ import annotations

import re
from typing import Any, Dict, List, Mapping, Optional, Tuple

from ansible_collections.dockhost.azure.plugins.module_utils._convert import compose
from ansible_collections.dockhost.azure.plugins.module_utils._convert import made as to
from ansible_collections.dockhost.azure.plugins.module_utils._convert.made import Made
from ansible_collections.dockhost.azure.plugins.module_utils._errors import InputError
from ansible_collections.dockhost.azure.plugins.module_utils._extension.docker_settings import DockerSettings

_PARAMETER = re.compile(r"\[parameters\('([^']+)'\)\]")


def found_in(document: Mapping[str, Any], protected: Mapping[str, Any], made: Made) -> Tuple[Dict[str, Any], Dict[str, Any]]:
    """(public, protected settings): of the JSON files as they are, or of the first Docker extension of a template.

    :raises InputError: a template without it.
    """
    if not isinstance(document.get("resources"), list):
        return dict(document), dict(protected)
    extension = _search(document["resources"])
    if extension is None:
        raise InputError("source", "source is a template without an extension of type DockerExtension.")
    properties = to.mapping("properties", extension.get("properties"))
    parameters = to.mapping("parameters", document.get("parameters"))
    made.leave("the other resources of the template", "Only the extension was read; variables deployment_* describe hosts and network.")
    public = _resolved(properties.get("settings"), parameters, made, "settings")
    secret = _resolved(properties.get("protectedSettings"), parameters, made, "protectedSettings")
    return public or {}, dict(secret or {}, **protected)


def _search(resources: List[Any]) -> Optional[Mapping[str, Any]]:
    for resource in resources:
        if not isinstance(resource, dict):
            continue
        if to.mapping("properties", resource.get("properties")).get("type") == "DockerExtension":
            return resource
        inner = _search(resource.get("resources") or [])
        if inner is not None:
            return inner
    return None


def _resolved(value: Any, parameters: Mapping[str, Any], made: Made, path: str) -> Any:
    """The value with parameters put in where the template has a default; what Azure would have to compute is left out."""
    if isinstance(value, dict):
        pairs = ((key, _resolved(item, parameters, made, path + "." + key)) for key, item in value.items())
        return {key: item for key, item in pairs if item is not None}
    if isinstance(value, list):
        return [item for item in (_resolved(item, parameters, made, path + "[]") for item in value) if item is not None]
    if isinstance(value, str) and value.startswith("[") and not value.startswith("[[") and value.endswith("]"):
        match = _PARAMETER.fullmatch(value)
        default = to.mapping("parameters", parameters.get(match[1])).get("defaultValue") if match else None
        if default is None:
            made.leave(path, "Its value comes from {0}, which the template alone does not tell.".format(
                "the parameter " + match[1] if match else "an expression"
            ))
        return default
    return value


def convert(document: Mapping[str, Any], protected: Mapping[str, Any], name: str, target: str) -> Made:
    """Variables for the roles.

    :raises InputError: settings that the extension itself would not have taken.
    """
    made = Made(to.deployment_name(name or "docker"))
    public, secret = found_in(document, protected, made)
    if isinstance(secret.get("certs"), dict) and not all(secret["certs"].get(key) for key in ("ca", "cert", "key")):
        secret.pop("certs")
        made.leave("protectedSettings.certs", "Not all of ca, cert and key are known.")
    if isinstance(secret.get("login"), dict) and not all(secret["login"].get(key) for key in ("username", "password")):
        secret.pop("login")
        made.leave("protectedSettings.login", "Not both of username and password are known.")
    settings = DockerSettings.read(public, secret)
    options = to.put_daemon(made, settings.options, "docker.options")
    if options:
        made.put("docker_daemon_options", options, "docker.options")
    if settings.port is not None:
        to.leave_port(made, "docker.port = {0}".format(settings.port))
    for key, text in settings.certs.items():
        made.hide("vault_docker_tls_{0}".format(key), text, "certs.{0}".format(key))
    if settings.certs:
        made.leave("certs", "They are kept in vault.yml. dockhost.azure.docker_extension brings them to hosts, dockhost.azure.docker_certificates makes "
                   "and renews others.")
    if settings.login:
        made.put("registry_server_hosts", [], "login", "the registry is run by somebody else")
        made.put("registry_address", settings.login.server or "docker.io", "login.server")
        made.put("registry_username", settings.login.username, "login.username")
        made.variables["registry"]["registry_password"] = made.hide("vault_registry_password", settings.login.password, "login.password")
    _compose(made, settings, target)
    return made


def _compose(made: Made, settings: DockerSettings, target: str) -> None:
    if not settings.compose:
        return
    if isinstance(settings.compose.get("services"), dict):
        document = {key: value for key, value in settings.compose.items() if key != "version"}
    else:
        document = compose.convert(made, settings.compose, target, "compose")
    made.documents["compose.yml"] = document
    made.carried.append(("compose", "compose.yml"))
    variables = made.variables.setdefault("stack", {}).setdefault("stack_variables", {})
    for key, value in settings.environment.items():
        if key in settings.secret_names or to.looks_secret(key):
            variables[key] = made.hide("vault_" + key.lower(), value, "environment." + key)
        else:
            variables[key] = value
            made.carried.append(("compose-environment." + key, "stack_variables." + key))
    if not variables:
        made.variables["stack"].pop("stack_variables")
