# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the extension's settings to today's files: daemon.json, and a compose file of the Compose specification. Private; pure.

Sources: https://docs.docker.com/reference/cli/dockerd/, https://github.com/compose-spec/compose-spec,
https://docs.docker.com/reference/compose-file/legacy-versions/
"""

from __future__ import annotations

import json
import re
import shlex
from typing import Any, Dict, Iterable, List, Mapping, Sequence, Tuple

from ansible_collections.dockhost.azure.plugins.module_utils._errors import InputError
from ansible_collections.dockhost.azure.plugins.module_utils._extension.docker_settings import INSECURE, DockerSettings

# Short options, and options whose key in daemon.json is another word.
_SHORT = {
    "-D": "--debug", "-H": "--host", "-l": "--log-level", "-g": "--data-root", "-G": "--group", "-s": "--storage-driver", "-b": "--bridge",
    "-p": "--pidfile",
}  # fmt: skip
_RENAMED = {"graph": "data-root"}
_LISTS = {
    "label": "labels", "insecure-registry": "insecure-registries", "registry-mirror": "registry-mirrors", "dns": "dns", "dns-opt": "dns-opts",
    "dns-search": "dns-search", "host": "hosts", "storage-opt": "storage-opts", "exec-opt": "exec-opts",
    "authorization-plugin": "authorization-plugins", "default-address-pool": "default-address-pools",
}  # fmt: skip
_MAPS = {"log-opt": "log-opts"}
_FLAGS = frozenset({
    "debug", "experimental", "icc", "ip-forward", "ip-masq", "iptables", "ip6tables", "ipv6", "live-restore", "raw-logs", "selinux-enabled",
    "userland-proxy", "init", "no-new-privileges", "tls", "tlsverify", "disable-legacy-registry",
})  # fmt: skip
_NUMBERS = frozenset({"mtu", "max-concurrent-downloads", "max-concurrent-uploads", "max-download-attempts", "shutdown-timeout"})
# The certificates' places are the extension's own, and options of an engine that is long gone are left out.
_OWN = frozenset({"tlscacert", "tlscert", "tlskey", "tlsverify"})
_GONE = frozenset({"disable-legacy-registry"})

_REFERENCE = re.compile(r"\$(?:\{([A-Za-z_][A-Za-z0-9_]*)\}|([A-Za-z_][A-Za-z0-9_]*))")
_ADDRESS = re.compile(r"(tcp|unix|fd|npipe)://\S*|[A-Za-z0-9.\[\]-]*:[0-9]+")
_NAMED_VOLUME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


def daemon(settings: DockerSettings, insecure: bool, tls: bool = False) -> Tuple[Dict[str, Any], List[str], List[str]]:
    """(daemon.json, addresses beside the socket, what was left out and why).

    :param tls: certificates are on the host already.
    :raises InputError: an option that cannot be understood, or a TCP port without TLS.
    """
    found: Dict[str, Any] = {}
    notes: List[str] = []
    for name, value in _pairs(settings.options):
        _take(found, notes, name, value)
    addresses = [address for address in found.pop("hosts", []) if address not in ("fd://", "unix:///var/run/docker.sock")]
    if settings.port is not None:
        addresses.append("tcp://0.0.0.0:{0}".format(settings.port))
    if settings.certs or tls:
        base = "/etc/docker/"
        found.update(tls=True, tlsverify=True, tlscacert=base + "ca.pem", tlscert=base + "cert.pem", tlskey=base + "key.pem")
    else:
        _refuse_open(addresses, found, insecure)
    return found, list(dict.fromkeys(addresses)), notes


def _refuse_open(addresses: Sequence[str], found: Dict[str, Any], insecure: bool) -> None:
    """No TCP port without TLS, unless somebody insists."""
    tcp = [address for address in addresses if address.startswith("tcp:")]
    if not tcp:
        found.pop("tls", None)
        return
    if not insecure:
        raise InputError("settings.docker", "The engine would listen on {0} without TLS, which gives root on the host to everybody who reaches "
                         "that port: give protected_settings.certs (ca, cert, key), leave the port out, or say {1}.".format(tcp[0], INSECURE))
    found["tls"] = False  # engines from 27 on want this said: https://docs.docker.com/engine/deprecated/


def _pairs(options: Sequence[str]) -> List[Tuple[str, str]]:
    """(long name, value) of each option; a value can follow as the next word."""
    words = [word for option in options for word in _words(option)]
    found: List[Tuple[str, str]] = []
    position = 0
    while position < len(words):
        name, dummy, value = words[position].partition("=")
        position += 1
        name = _SHORT.get(name, name)
        if not name.startswith("--"):
            raise InputError("settings.docker.options", "settings.docker.options has '{0}', which is no option of the engine: options begin with "
                             "-- (or are -D, -H, -l, -g, -G, -s, -b).".format(words[position - 1]))
        name = name[2:]
        if not name or name == "config-file":
            raise InputError("settings.docker.options", "settings.docker.options has '--{0}', which cannot be given here: name each option of the "
                             "engine, as in --dns=8.8.8.8.".format(name))
        if not dummy and name not in _FLAGS:
            if position >= len(words) or words[position].startswith("-"):
                raise InputError("settings.docker.options", "settings.docker.options has '--{0}' without a value.".format(name))
            value = words[position]
            position += 1
        if dummy and not value:
            raise InputError("settings.docker.options", "settings.docker.options has '--{0}=' without a value.".format(name))
        found.append((_RENAMED.get(name, name), value or "true"))
    return found


def _words(option: str) -> List[str]:
    """The words of an option, quoted as systemd took them from the unit of the old extension."""
    try:
        return shlex.split(option)
    except ValueError:
        raise InputError("settings.docker.options", "settings.docker.options has '{0}', in which a quotation mark is not closed.".format(option)) from None


def _take(found: Dict[str, Any], notes: List[str], name: str, value: str) -> None:
    if name in _OWN:
        notes.append("docker.options: --{0} is left out: certificates are given as protected_settings.certs.".format(name))
    elif name in _GONE:
        notes.append("docker.options: --{0} is left out: engines of today do not know it.".format(name))
    elif name == "host" and not _ADDRESS.fullmatch(value):
        raise InputError("settings.docker.options", "settings.docker.options has '--host={0}': give an address as in tcp://127.0.0.1:2376, "
                         "unix:///run/other.sock or fd://.".format(value))
    elif name in _MAPS and "=" not in value:
        raise InputError("settings.docker.options", "settings.docker.options has '--{0} {1}': give NAME=VALUE, as in --log-opt max-size=10m.".format(
            name, value
        ))
    elif name in _NUMBERS and not re.fullmatch("[0-9]+", value):
        raise InputError("settings.docker.options", "settings.docker.options has '--{0}={1}': give a whole number.".format(name, value))
    elif name in _LISTS:
        found.setdefault(_LISTS[name], []).append(_pool(value) if name == "default-address-pool" else value)
    elif name in _MAPS:
        key, dummy, text = value.partition("=")
        found.setdefault(_MAPS[name], {})[key] = text
    else:
        found[name] = _typed(name, value)


def _typed(name: str, value: str) -> Any:
    if name in _FLAGS or value.lower() in ("true", "false"):
        return value.lower() != "false"
    return int(value) if name in _NUMBERS and value.isdigit() else value


def _pool(value: str) -> Dict[str, Any]:
    parts = dict(part.partition("=")[::2] for part in value.split(","))
    return {"base": parts.get("base", ""), "size": int(parts["size"]) if parts.get("size", "").isdigit() else parts.get("size", "")}


def daemon_text(options: Mapping[str, Any]) -> str:
    """The file; empty where there are no options."""
    return json.dumps(options, indent=2, sort_keys=True) + "\n" if options else ""


def compose(document: Mapping[str, Any]) -> Tuple[Dict[str, Any], List[str]]:
    """(the document for Compose of today, what was changed in it).

    The extension came with Compose 1.6, whose first format has the services at the top; Compose of today wants C(services).
    """
    if not document:
        return {}, []
    if isinstance(document.get("services"), Mapping):
        _check("settings.compose.services", document["services"])
        return {key: value for key, value in document.items() if key != "version"}, []
    for name, service in document.items():
        if not isinstance(service, Mapping):
            raise InputError("settings.compose", "settings.compose.{0} is not a mapping: give services below 'services', or each service at the "
                             "top as in the first format of compose files.".format(name))
    _check("settings.compose", document)
    services, volumes, notes = {}, {}, ["compose: the first format (services at the top) was brought into the one of today."]
    for name, service in document.items():
        services[name] = _service(name, service, notes)
        volumes.update(dict.fromkeys(_named(service), None))
    made: Dict[str, Any] = {"services": services}
    if volumes:
        made["volumes"] = {name: {"name": name} for name in sorted(volumes)}  # without the project's name before it, as it was
    return made, notes


def _check(option: str, services: Mapping[str, Any]) -> None:
    """Refuse what no Compose would take, before a host is touched.

    :raises InputError: names the service.
    """
    if not services:
        raise InputError(option, "{0} is empty: name at least one service, or leave compose out.".format(option))
    for name, service in services.items():
        if not isinstance(service, Mapping) or not any(service.get(key) for key in ("image", "build", "extends")):
            raise InputError(option, "{0}.{1} has neither image nor build: give the service an image, as in image: docker.io/library/nginx:1.29.".format(
                option, name
            ))
        for key in ("volumes", "ports", "links"):
            if service.get(key) is not None and not isinstance(service[key], (list, tuple)):
                raise InputError(option, "{0}.{1}.{2} has to be a list.".format(option, name, key))


def _service(name: str, service: Mapping[str, Any], notes: List[str]) -> Dict[str, Any]:
    """One service of the first format."""
    made = {key: value for key, value in service.items() if key not in ("net", "log_driver", "log_opt", "volume_driver", "dockerfile", "cpuset")}
    if "net" in service:
        net = str(service["net"])
        made["network_mode"] = "service:" + net.partition(":")[2] if net.startswith("container:") else net
    if "log_driver" in service or "log_opt" in service:
        made["logging"] = {"driver": service.get("log_driver", "json-file"), "options": service.get("log_opt") or {}}
    if "build" in service:
        notes.append("compose: service {0} is built on the host; the extension has no place for its files.".format(name))
        if "dockerfile" in service and isinstance(service["build"], str):
            made["build"] = {"context": service["build"], "dockerfile": service["dockerfile"]}
    if "cpuset" in service:
        made["cpuset"] = str(service["cpuset"])
    if "volume_driver" in service:
        notes.append("compose: volume_driver of service {0} is left out: name the driver below 'volumes'.".format(name))
    return made


def _named(service: Mapping[str, Any]) -> List[str]:
    """The named volumes of a service, which the first format made by itself."""
    found = []
    for item in service.get("volumes") or []:
        source, colon, dummy = str(item).partition(":")
        if colon and _NAMED_VOLUME.fullmatch(source):
            found.append(source)
    return found


def unset(document: Mapping[str, Any], known: Iterable[str]) -> List[str]:
    """Variables that the compose file takes from its environment, and that neither have a default nor are among ``known``."""
    texts = json.dumps(document).replace("$$", "")
    found = {match[1] or match[2] for match in _REFERENCE.finditer(texts)}
    return sorted(found - set(known))


def compose_text(document: Mapping[str, Any]) -> str:
    """The file: JSON, which is YAML."""
    return json.dumps(document, indent=2, sort_keys=True) + "\n" if document else ""
