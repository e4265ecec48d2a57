# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The body of a deployment: PUT, validate and what-if take the same."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from azlab.arm import checks
from azlab.errors import ArmError, arm_error
from azlab.templates import lenient
from azlab.templates.values import get

NAME_LIMIT = 64
_MODES = {"incremental": "Incremental", "complete": "Complete"}


@dataclass
class Request:
    template: dict[str, Any]
    parameters: dict[str, Any]
    mode: str
    inner_scope: bool
    envelope: dict[str, Any]            # tags and location
    ids_only: bool = False              # what-if
    validation_level: str | None = None
    location: Any = None                # of a deployment to the subscription


def read_request(given: bytes | dict[str, Any]) -> Request:
    """The request, checked for its form. Raises ArmError."""
    body = _parsed(given) if isinstance(given, bytes) else given
    properties = get(body, "properties")
    if not isinstance(properties, dict):
        raise _bad("Required property 'properties' not found in JSON. Path '', line 1, position 1.")
    if get(properties, "onErrorDeployment"):
        raise arm_error("lab_cannot", text="This lab does not roll back to another deployment when one fails.")
    mode = _MODES.get(str(get(properties, "mode")).lower())
    if mode is None:
        if get(properties, "mode") is None:
            raise _bad("Required property 'mode' not found in JSON. Path 'properties', line 1, position 1.")
        raise _bad(f"Error converting value \"{get(properties, 'mode')}\" to type 'DeploymentMode'. Path "
                   "'properties.mode', line 1, position 1.")
    for key in ("templateLink", "parametersLink"):
        link = get(properties, key)
        if isinstance(link, dict):
            raise ArmError(400, "InvalidContentLink", f"Unable to download deployment content from '{get(link, 'uri')}': "
                           f"this lab opens no connections. Give the content itself instead of '{key}'.",
                           source="gateway")
    template = get(properties, "template")
    if not isinstance(template, dict):
        raise ArmError(400, "InvalidRequestContent", "The request content is not valid: the deployment has neither a "
                       "'template' nor a 'templateLink'.", source="gateway")
    envelope = {"tags": tags} if (tags := checks.tags_of(body)) else {}
    options = get(properties, "expressionEvaluationOptions") or {}
    settings = get(properties, "whatIfSettings") or {}
    return Request(template, _parameters(get(properties, "parameters")), mode,
                   str(get(options, "scope", "")).lower() == "inner", envelope,
                   str(get(settings, "resultFormat", "")).lower() == "resourceidonly",
                   get(properties, "validationLevel"), get(body, "location"))


def _parsed(raw: bytes) -> dict[str, Any]:
    if not raw.strip():
        raise arm_error("no_content")
    try:
        body = lenient.loads(raw)
    except ValueError as problem:
        raise _bad(str(problem)) from None
    if not isinstance(body, dict):
        raise _bad("Error converting value to a JSON object. Path '', line 1, position 1.")
    return body


def _parameters(given: Any) -> dict[str, Any]:
    """{name: {"value": …}}; a whole parameters file is taken for its parameters."""
    if given is None:
        return {}
    if not isinstance(given, dict):
        raise _bad("Error converting value to type 'DeploymentParameters'. Path 'properties.parameters', line 1, "
                   "position 1.")
    if isinstance(get(given, "parameters"), dict) and get(given, "$schema") is not None:
        given = get(given, "parameters")
    for name, value in given.items():
        if not isinstance(value, dict):
            raise _bad(f"Error converting value to type 'DeploymentParameterDefinition'. Path "
                       f"'properties.parameters.{name}', line 1, position 1.")
    return dict(given)


def _bad(why: str) -> ArmError:
    return arm_error("bad_content", why=why)


def check_name(name: str) -> None:
    """Refuse what cannot be the name of a deployment. Raises ArmError."""
    if len(name) > NAME_LIMIT:
        raise ArmError(400, "InvalidDeploymentName", f"The specified value '{name}' is longer than 64 characters.",
                       source="gateway")
    wrong = "".join(sorted({c for c in name if not checks.GROUP_NAME.match(c)}))
    if wrong:
        raise ArmError(400, "InvalidDeploymentName", f"The provided deployment name '{name}' has these invalid "
                       f"characters: '{wrong}'. The name can only be a letter, digit, '-', '.' or '_'.",
                       source="gateway")
