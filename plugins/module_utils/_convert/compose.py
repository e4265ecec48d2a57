# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a Compose file of the first format (services at the top, no C(services)) to one of today. Private; pure.

Two targets: C(compose), one host with Docker Compose, and C(swarm), a stack. Sources: the first format is
https://docs.docker.com/reference/compose-file/legacy-versions/ and the reference of Compose 1.6; what a stack leaves out is
https://docs.docker.com/engine/swarm/stack-deploy/ and module dockhost.azure.stack.
"""

from __future__ import annotations

import re
from typing import Any, Dict, List, Mapping, Tuple

from ansible_collections.dockhost.azure.plugins.module_utils._convert.made import Made, entries, looks_secret, mapping
from ansible_collections.dockhost.azure.plugins.module_utils._errors import InputError

# What the first format calls otherwise, or has in another form; all other keys go over as they are.
_HANDLED = ("links", "external_links", "net", "volumes", "volumes_from", "volume_driver", "log_driver", "log_opt", "build", "dockerfile",
            "cpuset", "environment", "mem_limit", "memswap_limit", "cpu_shares", "cpu_quota", "restart", "image")  # fmt: skip
_SAME = ("command", "entrypoint", "hostname", "domainname", "user", "working_dir", "labels", "expose", "ports", "cap_add", "cap_drop", "dns",
         "dns_search", "extra_hosts", "env_file", "stdin_open", "tty", "read_only", "ulimits", "stop_signal")  # fmt: skip
_ONE_HOST = ("container_name", "privileged", "devices", "security_opt", "pid", "ipc", "cgroup_parent", "extends", "mac_address", "shm_size")
_NAMED = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_RESTART = {"always": "any", "unless-stopped": "any", "on-failure": "on-failure", "no": "none"}


class Converter:
    """One file."""

    def __init__(self, made: Made, document: Mapping[str, Any], target: str, source: str):
        self.made, self.target, self.source = made, target, source
        self.old = {str(name): mapping("{0}.{1}".format(source, name), service) for name, service in document.items()}
        self.volumes: Dict[str, Any] = {}
        self.aliases: Dict[str, List[str]] = {}

    def convert(self) -> Dict[str, Any]:
        """The document of today; secrets and what is left out are in ``made``.

        :raises InputError: something in it is not what the first format has.
        """
        for name, service in self.old.items():
            self._links(name, service)
        services = {name: self._service(name, service) for name, service in self.old.items()}
        for name, names in self.aliases.items():
            services[name]["networks"] = {"default": {"aliases": sorted(set(names))}}
        found: Dict[str, Any] = {"services": services}
        if self.volumes:
            found["volumes"] = {name: self.volumes[name] for name in sorted(self.volumes)}
        return found

    def _leave(self, name: str, key: str, reason: str) -> None:
        self.made.leave("{0}: {1}.{2}".format(self.source, name, key), reason)

    def _links(self, name: str, service: Mapping[str, Any]) -> None:
        """Services of one file reach each other by name today; only another name than the service's needs an alias."""
        for link in entries(name + ".links", service.get("links")):
            other, dummy, alias = str(link).partition(":")
            if other not in self.old:
                raise InputError("source", "{0}: {1}.links has '{2}', and there is no such service in the file.".format(self.source, name, other))
            if alias and alias != other:
                self.aliases.setdefault(other, []).append(alias)
        if service.get("links"):
            self._leave(name, "links, its variables (…_PORT_…_TCP_ADDR)", "Services find each other by name; use the name and the port.")
        for link in entries(name + ".external_links", service.get("external_links")):
            self._leave(name, "external_links: {0}".format(link), "Containers of others are reached over a network that both name.")

    def _service(self, name: str, service: Mapping[str, Any]) -> Dict[str, Any]:
        made: Dict[str, Any] = {}
        for key in _SAME:
            if key in service:
                made[key] = service[key]
        for key in service:
            if key in _ONE_HOST and self.target == "compose":
                made[key] = service[key]
            elif key in _ONE_HOST:
                self._leave(name, key, "A service of a swarm has no such setting.")
            elif key not in _SAME and key not in _HANDLED:
                self._leave(name, key, "The first format does not know it.")
        self._image(name, service, made)
        self._environment(name, service, made)
        self._network(name, service, made)
        self._volumes(name, service, made)
        if "log_driver" in service or "log_opt" in service:
            made["logging"] = {"driver": str(service.get("log_driver") or "json-file"), "options": dict(mapping(name, service.get("log_opt")))}
        self._limits(name, service, made)
        if self.target == "swarm":
            for key in ("expose", "env_file"):
                if made.pop(key, None) is not None:
                    self._leave(name, key, {"expose": "All ports are open between services of a network.",
                                            "env_file": "A stack is deployed from the controller; name the variables in environment."}[key])
        return made

    def _image(self, name: str, service: Mapping[str, Any], made: Dict[str, Any]) -> None:
        if "image" in service:
            made["image"] = service["image"]
        if "build" not in service:
            return
        if self.target == "swarm":
            made.setdefault("image", name + ":latest")
            self._leave(name, "build", "The nodes of a swarm pull images: build it, push it to a registry, and name it in image "
                        "({0} stands there now).".format(made["image"]))
        elif "dockerfile" in service and isinstance(service["build"], str):
            made["build"] = {"context": service["build"], "dockerfile": service["dockerfile"]}
        else:
            made["build"] = service["build"]

    def _environment(self, name: str, service: Mapping[str, Any], made: Dict[str, Any]) -> None:
        given = service.get("environment")
        if given is None:
            return
        if isinstance(given, list):
            pairs = [tuple(str(item).partition("=")[::2]) if "=" in str(item) else (str(item), None) for item in given]
        else:
            pairs = [(str(key), value) for key, value in mapping(name + ".environment", given).items()]
        found: Dict[str, Any] = {}
        for key, value in pairs:
            if value not in (None, "") and looks_secret(key) and "$" not in str(value):
                variable = re.sub(r"[^A-Za-z0-9]", "_", "{0}_{1}".format(name, key)).upper()
                self.hide(variable, str(value), "{0}: {1}.environment.{2}".format(self.source, name, key))
                found[key] = "${" + variable + "}"
                if self.target == "swarm":
                    self._leave(name, "environment.{0} as a secret of the swarm".format(key), "It still reaches the container as a variable, which docker "
                                "service inspect shows. Where the image reads a file (…_FILE), make it one of stack_secrets.")
            elif value is None and self.target == "swarm":
                self._leave(name, "environment.{0}".format(key), "Compose took its value from the shell; give it one in the file.")
            else:
                found[key] = value
        made["environment"] = found

    def hide(self, variable: str, value: str, source: str) -> None:
        """A value for vault.yml, and the variable of the Compose file that it comes back by."""
        place = self.made.hide("vault_" + variable.lower(), value, source)
        self.made.variables.setdefault("stack", {}).setdefault("stack_variables", {})[variable] = place

    def _network(self, name: str, service: Mapping[str, Any], made: Dict[str, Any]) -> None:
        net = str(service.get("net") or "bridge")
        if net == "bridge":
            return
        if self.target == "swarm":
            self._leave(name, "net: {0}".format(net), "Services of a swarm are on overlay networks.")
            return
        kind, dummy, other = net.partition(":")
        if kind == "container":
            made["network_mode"] = ("service:" if other in self.old else "container:") + other
        else:
            made["network_mode"] = net

    def _volumes(self, name: str, service: Mapping[str, Any], made: Dict[str, Any]) -> None:
        found = [self._volume(name, str(item), service.get("volume_driver")) for item in entries(name + ".volumes", service.get("volumes"))]
        for item in entries(name + ".volumes_from", service.get("volumes_from")):
            found += self._from(name, str(item), (name,))
        kept = [volume for volume in dict.fromkeys(found) if volume]
        if kept:
            made["volumes"] = kept

    def _volume(self, name: str, item: str, driver: Any) -> str:
        """One entry, or "" where it cannot be. Anonymous volumes that others take with volumes_from get a name, so that they can be shared."""
        source, colon, dummy = item.partition(":")
        if not colon:
            if not self._is_taken(name):
                return item
            source = "{0}_{1}".format(name, re.sub(r"[^A-Za-z0-9]+", "_", item).strip("_"))
            item = "{0}:{1}".format(source, item)
        if _NAMED.fullmatch(source):
            self.volumes[source] = {"driver": str(driver)} if driver and driver != "local" else None
        elif self.target == "swarm" and not source.startswith("/"):
            self._leave(name, "volumes: {0}".format(item), "A node has no folder of the file: make it a config, a secret or a named volume.")
            return ""
        elif self.target == "swarm":
            self._leave(name, "volumes: {0}".format(item), "It is kept as it is: the folder has to be there on each node that may run a task.")
        elif source.startswith((".", "~")):
            self._leave(name, "volumes: {0}".format(item), "It is kept as it is, relative to where the file lies on the host.")
        return item

    def _is_taken(self, name: str) -> bool:
        return any(str(item).partition(":")[0] == name for service in self.old.values() for item in service.get("volumes_from") or [])

    def _from(self, name: str, item: str, seen: Tuple[str, ...]) -> List[str]:
        """The volumes of another service, read only where it says so."""
        other, dummy, mode = item.partition(":")
        if other not in self.old:
            self._leave(name, "volumes_from: {0}".format(other), "It is no service of this file.")
            return []
        if other in seen:
            raise InputError("source", "{0}: volumes_from of {1} leads back to itself.".format(self.source, name))
        service = self.old[other]
        found = [self._volume(other, str(volume), service.get("volume_driver")) for volume in entries(other + ".volumes", service.get("volumes"))]
        for further in entries(other + ".volumes_from", service.get("volumes_from")):
            found += self._from(other, str(further), seen + (other,))
        if self.target == "swarm":
            self._leave(name, "volumes_from: {0}".format(other), "The volumes are named now, and local to a node: place both services on one "
                        "(deploy.placement.constraints).")
        return [volume if mode != "ro" or not volume or volume.endswith(":ro") else volume + ":ro" for volume in found]

    def _limits(self, name: str, service: Mapping[str, Any], made: Dict[str, Any]) -> None:
        if self.target == "compose":
            made.update({key: service[key] for key in ("mem_limit", "memswap_limit", "cpu_shares", "cpu_quota", "restart") if key in service})
            if "cpuset" in service:
                made["cpuset"] = str(service["cpuset"])
            return
        deploy: Dict[str, Any] = {}
        if "mem_limit" in service:
            deploy["resources"] = {"limits": {"memory": str(service["mem_limit"])}}
        condition, dummy, attempts = str(service.get("restart", "no") if service.get("restart") is not False else "no").partition(":")
        if condition not in _RESTART:
            self._leave(name, "restart: {0}".format(condition), "No condition of Docker.")
        else:
            deploy["restart_policy"] = dict({"condition": _RESTART[condition]}, **({"max_attempts": int(attempts)} if attempts.isdigit() else {}))
        for key in ("memswap_limit", "cpu_shares", "cpu_quota", "cpuset"):
            if key in service:
                self._leave(name, key, "A service of a swarm has deploy.resources instead.")
        made["deploy"] = deploy


def convert(made: Made, document: Any, target: str, source: str) -> Dict[str, Any]:
    """A Compose file of the first format as one of today.

    :param target: C(compose) or C(swarm).
    :param source: what the file is called in messages.
    :raises InputError: it is no file of the first format.
    """
    services = mapping(source, document)
    if not services:
        raise InputError("source", "{0} has no services.".format(source))
    if "services" in services or "version" in services:
        raise InputError("source", "{0} is not of the first format: it has 'services' or 'version' at the top, and Docker Compose and role stack "
                         "take it as it is.".format(source))
    return Converter(made, services, target, source).convert()
