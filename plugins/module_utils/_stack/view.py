# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A ServiceSpec as flat lines "path: value", the same for a wanted spec and for one that the engine gives back.

The engine fills in defaults and replaces names by ids; here both become one form, so that comparing and showing are one thing.
Texts of environment variables that look like passwords are hidden.

This util is private to the collection: no release promises that it stays as it is.
"""

from __future__ import annotations

import json
import re
import typing as t

from ansible_collections.dockhost.azure.plugins.module_utils._stack.service import IMAGE
from ansible_collections.dockhost.azure.plugins.module_utils._stack.values import Json

HIDDEN = "(hidden)"

_SENSITIVE = re.compile(r"(PASS(WORD|WD|PHRASE)?|SECRET|TOKEN|CREDENTIALS?|API_?KEY|PRIVATE_?KEY|_KEY|SALT)$", re.IGNORECASE)
_UPDATE = {"Parallelism": 1, "FailureAction": "pause", "Monitor": 5 * 10**9, "Order": "stop-first"}
_RESTART = {"Condition": "any", "Delay": 5 * 10**9}
_REFERENCE = {"UID": "0", "GID": "0", "Mode": 0o444}
_DURATIONS = ("Interval", "Timeout", "StartPeriod", "StartInterval", "StopGracePeriod", "Delay", "Monitor", "Window")
_RENAMED = (
    ("Mode.Replicated.Replicas", "deploy.replicas"),
    ("Mode.", "deploy.mode."),
    ("TaskTemplate.ContainerSpec.", ""),
    ("TaskTemplate.Placement.", "deploy.placement."),
    ("TaskTemplate.Resources.", "deploy.resources."),
    ("TaskTemplate.RestartPolicy.", "deploy.restart_policy."),
    ("TaskTemplate.LogDriver.", "logging."),
    ("TaskTemplate.", ""),
    ("EndpointSpec.Mode", "deploy.endpoint_mode"),
    ("EndpointSpec.", ""),
    ("UpdateConfig.", "deploy.update_config."),
    ("RollbackConfig.", "deploy.rollback_config."),
    ("Labels.", "deploy.labels."),
)


def lines(spec: t.Mapping[str, Json], network_names: t.Mapping[str, str] | None = None) -> dict[str, Json]:
    """The spec as {path: value}. ``network_names`` turns ids of networks into names."""
    job = any(mode in spec["Mode"] for mode in ("ReplicatedJob", "GlobalJob"))
    flat: dict[str, Json] = {}
    _flatten("", _canonical(spec, network_names or {}, job), flat)
    return {_renamed(path): value for path, value in flat.items()}


def shown(flat: t.Mapping[str, Json]) -> dict[str, Json]:
    """The lines as people read them, without the texts that nobody should read."""
    return {path: _shown(path, value) for path, value in flat.items()}


def _shown(path: str, value: Json) -> Json:
    if path.startswith("Env."):
        return HIDDEN if _SENSITIVE.search(path) else value
    if path.rpartition(".")[2] in _DURATIONS and isinstance(value, int):
        return f"{value / 10**9:g}s"
    return oct(value) if path.endswith(".Mode") and isinstance(value, int) else value


def _canonical(spec: t.Mapping[str, Json], network_names: t.Mapping[str, str], job: bool) -> dict[str, Json]:
    task = dict(spec["TaskTemplate"])
    container = dict(task.get("ContainerSpec") or {})
    labels = dict(spec.get("Labels") or {})
    image = labels.pop(IMAGE, container.get("Image"))
    container["Image"] = image
    container["Env"] = dict(item.partition("=")[::2] for item in container.get("Env") or ())
    container["Mounts"] = {item["Target"]: item for item in container.get("Mounts") or ()}
    container["Ulimits"] = {item["Name"]: item for item in container.get("Ulimits") or ()}
    for kind in ("Config", "Secret"):
        references = container.get(f"{kind}s") or ()
        container[f"{kind}s"] = {item["File"]["Name"]: _reference(item, kind) for item in references if item.get("File")}
    if container.get("Isolation") == "default":
        del container["Isolation"]
    task["ContainerSpec"] = container
    # The spec of an old service holds its networks beside the task template.
    attachments = task.get("Networks") or spec.get("Networks") or ()
    task["Networks"] = {network_names.get(item["Target"], item["Target"]): _attachment(item) for item in attachments}
    task["Placement"] = {key: value for key, value in (task.get("Placement") or {}).items() if key != "Platforms"}
    defaults = {**_RESTART, "Condition": "on-failure"} if job else _RESTART
    task["RestartPolicy"] = _beside(defaults, task.get("RestartPolicy"))
    for key in ("ForceUpdate", "Runtime"):
        task.pop(key, None)
    endpoint = spec.get("EndpointSpec") or {}
    result: dict[str, Json] = {
        "Labels": labels,
        "TaskTemplate": task,
        "Mode": spec["Mode"],
        "EndpointSpec": {**_beside({"Mode": "vip"}, {"Mode": endpoint.get("Mode")}), "Ports": _ports(endpoint.get("Ports") or ())},
    }
    if not job:
        result["UpdateConfig"] = _beside(_UPDATE, spec.get("UpdateConfig"))
        result["RollbackConfig"] = _beside(_UPDATE, spec.get("RollbackConfig"))
    return result


def _beside(defaults: t.Mapping[str, Json], value: Json) -> dict[str, Json]:
    """What a section says beside the defaults; a zero that is not the default has to be said."""
    said = {key: item for key, item in (value or {}).items() if item not in (None, "")}
    return {key: str(item) if item == 0 and key in defaults else item for key, item in said.items() if defaults.get(key) != item}


def _reference(item: Json, kind: str) -> dict[str, Json]:
    file = {key: value for key, value in _beside(_REFERENCE, item["File"]).items() if key != "Name"}
    return {**file, "From": item[f"{kind}Name"]}


def _attachment(item: Json) -> dict[str, Json]:
    return {"Attached": True, "Aliases": item.get("Aliases"), "DriverOpts": item.get("DriverOpts")}


def _ports(ports: t.Iterable[Json]) -> dict[str, Json]:
    result = {}
    for port in ports:
        name = f"{port.get('PublishedPort') or 'free'}/{port.get('Protocol') or 'tcp'}"
        while name in result:
            name += "+"
        result[name] = {"TargetPort": port["TargetPort"], "PublishMode": port.get("PublishMode") or "ingress"}
    return result


def _flatten(path: str, value: Json, into: dict[str, Json]) -> None:
    """Leaves of nested mappings; what is empty, zero or false is as if it were not said."""
    if isinstance(value, dict):
        for key, item in value.items():
            _flatten(f"{path}.{key}" if path else str(key), item, into)
        if path in ("Mode.Global", "Mode.GlobalJob"):
            into[path] = True
    elif isinstance(value, list):
        if value:
            into[path] = [json.dumps(item, sort_keys=True) if isinstance(item, dict) else item for item in value]
    elif value not in (None, "", 0, False) or path == "Mode.Replicated.Replicas" or ".Env." in path:
        into[path] = value


def _renamed(path: str) -> str:
    for start, word in _RENAMED:
        if path.startswith(start):
            return word + path[len(start) :]
    return path
