# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One service of a Compose document as the Engine API's ServiceSpec.

API: https://docs.docker.com/reference/api/engine/version/v1.41/#tag/Service/operation/ServiceCreate

This util is private to the collection: no release promises that it stays as it is.
"""

from __future__ import annotations

import shlex
import typing as t
from dataclasses import dataclass

from ansible_collections.dockhost.azure.plugins.module_utils._stack.deploy import deploy, healthcheck, ulimits
from ansible_collections.dockhost.azure.plugins.module_utils._stack.mounts import mounts
from ansible_collections.dockhost.azure.plugins.module_utils._stack.ports import ports
from ansible_collections.dockhost.azure.plugins.module_utils._stack.resources import (
    NAMESPACE,
    Blob,
    Network,
    Volume,
)
from ansible_collections.dockhost.azure.plugins.module_utils._stack.values import (
    Json,
    StackError,
    boolean,
    duration,
    file_mode,
    labels,
    mapping,
    number,
    pairs,
    section,
    sequence,
    text,
    texts,
)

IMAGE = "com.docker.stack.image"

KEYS = (
    "image command entrypoint environment ports networks volumes tmpfs configs secrets deploy healthcheck stop_grace_period "
    "stop_signal user group_add working_dir hostname init extra_hosts cap_add cap_drop sysctls ulimits logging labels "
    "read_only dns dns_search dns_opt tty stdin_open"
).split()

HINTS = {
    "build": "build and push the image first, then name it in image",
    "container_name": "swarm names the tasks; other services reach this one by its name",
    "depends_on": "swarm starts services in any order; let the program wait for what it needs, or restart",
    "restart": "write deploy.restart_policy",
    "privileged": "swarm has no privileged tasks; name what is needed in cap_add",
    "devices": "swarm passes no devices to tasks",
    "env_file": "read the file on the controller and give its values in environment",
    "network_mode": "use networks; the host's network is an external network named host",
    "scale": "write deploy.replicas",
    "mem_limit": "write deploy.resources.limits.memory",
    "cpus": "write deploy.resources.limits.cpus",
    "expose": "services of one network reach every port of each other",
    "links": "services of one network reach each other by name",
    "profiles": "leave services out in the template instead",
    "extends": "use YAML anchors",
    "pull_policy": "swarm's hosts pull what they do not have",
    "platform": "use deploy.placement.constraints with node.platform.arch",
    "security_opt": "swarm takes no security options from a stack",
    "pid": "swarm shares no process namespaces",
    "ipc": "swarm shares no memory segments; use a tmpfs on /dev/shm",
    "shm_size": "mount a tmpfs of that size on /dev/shm",
}


@dataclass(frozen=True)
class Surroundings:
    """What a service may refer to, by the names of the document."""

    stack: str
    networks: t.Mapping[str, Network]
    volumes: t.Mapping[str, Volume]
    configs: t.Mapping[str, Blob]
    secrets: t.Mapping[str, Blob]


def service(name: str, value: Json, around: Surroundings) -> dict[str, Json]:
    """The ServiceSpec. Networks, configs and secrets stand in it by name; their ids are put in when it is sent."""
    path = f"services.{name}"
    entry = section(path, value, KEYS, HINTS)
    if not entry.get("image"):
        raise StackError(f"{path}.image is missing: the image that its tasks run.")
    image = text(f"{path}.image", entry["image"])
    parts = deploy(f"{path}.deploy", entry.get("deploy"))
    task: dict[str, Json] = {
        "ContainerSpec": _container(path, entry, image, around),
        "Networks": _networks(path, name, entry.get("networks"), around),
        **{key: parts[key] for key in ("Placement", "Resources", "RestartPolicy") if parts[key]},
    }
    log = section(f"{path}.logging", entry.get("logging"), ("driver", "options"))
    if log:
        options = {key: item or "" for key, item in pairs(f"{path}.logging.options", log.get("options")).items()}
        task["LogDriver"] = {"Name": text(f"{path}.logging.driver", log.get("driver") or "json-file"), "Options": options}
    endpoint: dict[str, Json] = {"Ports": ports(f"{path}.ports", entry.get("ports"))}
    if "EndpointMode" in parts:
        endpoint["Mode"] = parts["EndpointMode"]
    spec: dict[str, Json] = {
        "Name": f"{around.stack}_{name}",
        "Labels": {**parts["Labels"], NAMESPACE: around.stack, IMAGE: image},
        "TaskTemplate": task,
        "Mode": parts["Mode"],
        "EndpointSpec": endpoint,
    }
    spec.update({key: parts[key] for key in ("UpdateConfig", "RollbackConfig") if key in parts})
    return spec


def _container(path: str, entry: dict[str, Json], image: str, around: Surroundings) -> dict[str, Json]:
    container: dict[str, Json] = {
        "Image": image,
        "Labels": {**labels(f"{path}.labels", entry.get("labels")), NAMESPACE: around.stack},
        "Env": _environment(f"{path}.environment", entry.get("environment")),
        "Mounts": mounts(path, entry.get("volumes"), entry.get("tmpfs"), _lookup(around)),
        "Configs": _references(f"{path}.configs", entry.get("configs"), "config", around.configs),
        "Secrets": _references(f"{path}.secrets", entry.get("secrets"), "secret", around.secrets),
    }
    for key, name in (("entrypoint", "Command"), ("command", "Args")):
        if entry.get(key) is not None:
            container[name] = _words(f"{path}.{key}", entry[key])
    for key, name in (("hostname", "Hostname"), ("user", "User"), ("working_dir", "Dir"), ("stop_signal", "StopSignal")):
        if entry.get(key) is not None:
            container[name] = text(f"{path}.{key}", entry[key])
    for key, name in (("init", "Init"), ("read_only", "ReadOnly"), ("tty", "TTY"), ("stdin_open", "OpenStdin")):
        if entry.get(key) is not None:
            container[name] = boolean(f"{path}.{key}", entry[key])
    for key, name in (("cap_add", "CapabilityAdd"), ("cap_drop", "CapabilityDrop")):
        if entry.get(key):
            container[name] = [_capability(word) for word in texts(f"{path}.{key}", entry[key])]
    _rest(path, entry, container)
    return container


def _rest(path: str, entry: dict[str, Json], container: dict[str, Json]) -> None:
    if entry.get("stop_grace_period") is not None:
        container["StopGracePeriod"] = duration(f"{path}.stop_grace_period", entry["stop_grace_period"])
    if entry.get("healthcheck") is not None:
        container["Healthcheck"] = healthcheck(f"{path}.healthcheck", entry["healthcheck"])
    if entry.get("group_add"):
        container["Groups"] = texts(f"{path}.group_add", entry["group_add"])
    if entry.get("sysctls"):
        container["Sysctls"] = {key: item or "" for key, item in pairs(f"{path}.sysctls", entry["sysctls"]).items()}
    if entry.get("ulimits"):
        container["Ulimits"] = ulimits(f"{path}.ulimits", entry["ulimits"])
    if entry.get("extra_hosts"):
        hosts = pairs(f"{path}.extra_hosts", entry["extra_hosts"], "=:")
        for name, address in hosts.items():
            if not address:
                raise StackError(f"{path}.extra_hosts: {name} has no address; write name:address.")
        # The API wants them as in /etc/hosts: address first.
        container["Hosts"] = [f"{address} {name}" for name, address in hosts.items()]
    keys = (("dns", "Nameservers"), ("dns_search", "Search"), ("dns_opt", "Options"))
    dns = {name: texts(f"{path}.{key}", entry[key]) for key, name in keys if entry.get(key)}
    if dns:
        container["DNSConfig"] = dns


def _words(path: str, value: Json) -> list[str]:
    if not isinstance(value, str):
        return texts(path, value)
    try:
        return shlex.split(value)
    except ValueError as error:
        raise StackError(f"{path}: {error}; check the quotes.") from None


def _capability(word: str) -> str:
    word = word.upper()
    return word if word == "ALL" or word.startswith("CAP_") else f"CAP_{word}"


def _environment(path: str, value: Json) -> list[str]:
    result = []
    for name, content in sorted(pairs(path, value).items()):
        if content is None:
            raise StackError(f"{path}.{name} has no value; Compose would take it from the shell, a playbook has to say it.")
        result.append(f"{name}={content}")
    return result


def _lookup(around: Surroundings) -> t.Callable[[str, str], tuple[str, dict[str, Json]]]:
    def named(path: str, name: str) -> tuple[str, dict[str, Json]]:
        found = around.volumes.get(name)
        if found is None:
            raise StackError(f"{path}: volume {name} is not declared under volumes.")
        return found.name, found.options

    return named


def _networks(path: str, name: str, value: Json, around: Surroundings) -> list[dict[str, Json]]:
    wanted = {item: None for item in texts(f"{path}.networks", value)} if isinstance(value, list) else mapping(f"{path}.networks", value)
    result = []
    for network, options in sorted((wanted or {"default": None}).items()):
        where = f"{path}.networks.{network}"
        found = around.networks.get(network)
        if found is None:
            raise StackError(f"{where}: the network is not declared under networks.")
        hints = {"ipv4_address": "a task gets its address from swarm"}
        entry = section(where, options, ("aliases", "driver_opts"), hints)
        attachment: dict[str, Json] = {"Target": found.name}
        # Containers reach each other by the short name; on the host's own network there are no names.
        if found.spec is not None or found.name not in ("host", "none"):
            attachment["Aliases"] = [name, *(alias for alias in texts(f"{where}.aliases", entry.get("aliases")) if alias != name)]
        if entry.get("driver_opts"):
            attachment["DriverOpts"] = {key: item or "" for key, item in pairs(f"{where}.driver_opts", entry["driver_opts"]).items()}
        result.append(attachment)
    return result


def _references(path: str, value: Json, kind: str, known: t.Mapping[str, Blob]) -> list[dict[str, Json]]:
    result = []
    for index, item in enumerate(sequence(path, value)):
        where = f"{path}[{index}]"
        entry = section(where, item, ("source", "target", "uid", "gid", "mode")) if isinstance(item, dict) else {"source": item}
        source = text(f"{where}.source", entry.get("source"))
        if source not in known:
            raise StackError(f"{where}: {kind} {source} is not declared under {kind}s.")
        target = text(f"{where}.target", entry.get("target") or (source if kind == "secret" else f"/{source}"))
        owner = {key: text(f"{where}.{key.lower()}", entry.get(key.lower(), "0")) for key in ("UID", "GID")}
        for key, identity in owner.items():
            number(f"{where}.{key.lower()}", identity)
        mode = file_mode(f"{where}.mode", entry.get("mode", 0o444))
        result.append({"File": {"Name": target, **owner, "Mode": mode}, f"{kind.capitalize()}Name": known[source].name})
    targets = [reference["File"]["Name"] for reference in result]
    for target in targets:
        if targets.count(target) > 1:
            raise StackError(f"{path}: two of them have the target {target}.")
    return sorted(result, key=lambda reference: reference["File"]["Name"])
