# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a docker-machine store to deployments, with its machines as a static inventory. Private; pure but for ``read``.

A store has machines/NAME/config.json (libmachine/host.Host: Driver, DriverName, HostOptions.EngineOptions, .SwarmOptions), and beside it
the machine's SSH key. Source: https://github.com/docker/machine, drivers/azure/azure.go and libmachine.
"""

from __future__ import annotations

import json
import os
from typing import Any, Dict, List, Mapping, Tuple

from ansible_collections.dockhost.azure.plugins.module_utils._convert import made as to
from ansible_collections.dockhost.azure.plugins.module_utils._convert.made import Made, Template
from ansible_collections.dockhost.azure.plugins.module_utils._errors import InputError
from ansible_collections.dockhost.azure.plugins.module_utils._tls import files

_PROXIES = {"http_proxy": "http", "https_proxy": "https", "no_proxy": "no_proxy"}
_PROXY = "(proxies)"
_LISTS = {"Dns": "dns", "InsecureRegistry": "insecure-registries", "RegistryMirror": "registry-mirrors"}
# The address that docker-machine gives when none is chosen; it installs the engine that the roles install otherwise.
_INSTALLER = "https://get.docker.com"


def read(folder: str) -> Dict[str, Dict[str, Any]]:
    """The machines of a store by name, each its config.json and under C(public_key) its SSH key.

    :raises InputError: no store, or a file in it that is none.
    """
    base = os.path.join(folder, "machines") if os.path.isdir(os.path.join(folder, "machines")) else folder
    found = {}
    for name in sorted(os.listdir(base)) if os.path.isdir(base) else []:
        text = files.read(os.path.join(base, name, "config.json")) if os.path.isdir(os.path.join(base, name)) else None
        if text is None:
            continue
        try:
            found[name] = dict(to.mapping(name, json.loads(text)))
        except ValueError as error:
            raise InputError("source", "{0} is no JSON: {1}.".format(os.path.join(base, name, "config.json"), error)) from error
        found[name]["public_key"] = (files.read(os.path.join(base, name, "id_rsa.pub")) or "").strip()
        found[name]["folder"] = os.path.join(base, name)
    if not found:
        raise InputError("source", "source is '{0}', where there is no machines/NAME/config.json: give the store of docker-machine, mostly "
                         "~/.docker/machine.".format(folder))
    return found


def convert(machines: Mapping[str, Mapping[str, Any]], name: str) -> List[Made]:
    """One deployment for all machines that are of one kind: same resource group, region, size, image and user.

    :param name: what the deployments are called; after their resource groups when empty.
    """
    kinds: Dict[Tuple[str, ...], Dict[str, Mapping[str, Any]]] = {}
    others = []
    for machine, config in machines.items():
        if config.get("DriverName") != "azure":
            others.append((machine, config.get("DriverName")))
            continue
        driver = to.mapping(machine + ".Driver", config.get("Driver"))
        kind = tuple(str(driver.get(key) or "") for key in ("SubscriptionID", "ResourceGroup", "Location", "Size", "Image", "SSHUser"))
        kinds.setdefault(kind, {})[machine] = config
    if not kinds:
        raise InputError("source", "source has no machine of the azure driver, only {0}.".format(
            ", ".join("{0} ({1})".format(*other) for other in others)
        ))
    result = [_deployment(members, name) for members in kinds.values()]
    _tell_apart(result)
    for machine, driver in others:
        result[0].leave("machine {0}".format(machine), "Its driver is {0}; this collection makes hosts on Azure.".format(driver))
    return result


def _tell_apart(deployments: List[Made]) -> None:
    """Names of their own: -2, -3 for those of one resource group."""
    taken: Dict[str, int] = {}
    for made in deployments:
        taken[made.name] = taken.get(made.name, 0) + 1
        if taken[made.name] > 1:
            made.name = "{0}-{1}".format(made.name, taken[made.name])
        old = made.variables["deployment"].pop("deployment_resource_group")
        group = "rg-" + made.name
        made.variables["deployment"]["deployment_name"] = made.name
        made.variables["deployment"]["deployment_resource_group"] = group if group.lower() != old.lower() else group + "-new"
        made.notes["deployment_name"] = "new, so that nothing touches the old machines"
        made.notes["deployment_resource_group"] = "new beside {0}, which holds the old machines".format(old)


def _deployment(machines: Mapping[str, Mapping[str, Any]], name: str) -> Made:
    first = to.mapping("Driver", next(iter(machines.values())).get("Driver"))
    group = str(first.get("ResourceGroup") or "docker-machine")
    made = Made(to.deployment_name(name or group))
    made.variables["deployment"] = {"deployment_name": "", "deployment_resource_group": group}
    made.put("deployment_location", str(first.get("Location") or "westus"), "Driver.Location")
    made.put("deployment_hosts", len(machines), "the number of machines")
    masters = sum(1 for config in machines.values() if to.mapping("Driver", config.get("Driver")).get("SwarmMaster"))
    to.put_managers(made, masters or 1, len(machines), "Driver.SwarmMaster")
    to.put_size(made, str(first.get("Size") or ""), "Driver.Size")
    to.put_image(made, str(first.get("Image") or ""), "Driver.Image")
    if first.get("SSHUser"):
        made.put("deployment_admin_username", str(first["SSHUser"]), "Driver.SSHUser")
    keys = list(dict.fromkeys(str(config["public_key"]) for config in machines.values() if config.get("public_key")))
    if keys:
        made.put("deployment_ssh_public_keys", keys, "the machines' id_rsa.pub")
    ports: List[str] = []
    for machine, config in machines.items():
        _machine(made, machine, config, ports)
    if ports:
        made.put("deployment_application_ports", list(dict.fromkeys(ports)), "Driver.OpenPorts")
    _sign_in(made, machines)
    _engine(made, machines)
    return made


def _machine(made: Made, machine: str, config: Mapping[str, Any], ports: List[str]) -> None:
    """What is of one machine: its place in the static inventory, its ports, and what has no place here."""
    driver = to.mapping(machine + ".Driver", config.get("Driver"))
    made.machines[machine] = {
        "ansible_host": str(driver.get("IPAddress") or ""), "ansible_user": str(driver.get("SSHUser") or "docker-user"),
        "ansible_port": int(driver.get("SSHPort") or 22),
        "ansible_ssh_private_key_file": str(driver.get("SSHKeyPath") or os.path.join(str(config.get("folder") or ""), "id_rsa")),
    }  # fmt: skip
    for port in to.entries(machine + ".Driver.OpenPorts", driver.get("OpenPorts")):
        ports.append(str(port).partition("/")[0])
    to.leave_port(made, "Driver.DockerPort = {0}, open to everybody".format(driver.get("DockerPort") or 2376))
    if driver.get("CustomDataFile"):
        made.put("deployment_custom_data", Template("{{ lookup('ansible.builtin.file', " + json.dumps(str(driver["CustomDataFile"])) + ") }}"),
                 "Driver.CustomDataFile", "an absolute path on this controller")
    if not driver.get("NoPublicIP"):
        made.leave("public address of each machine", "Hosts have none here; SSH and applications go through the load balancer.")
    for key, reason in _NO_PLACE.items():
        if driver.get(key):
            made.leave("{0}: Driver.{1} = {2}".format(machine, key, driver[key]), reason)
    swarm = to.mapping(machine + ".HostOptions", config.get("HostOptions")).get("SwarmOptions") or {}
    if swarm.get("IsSwarm"):
        made.leave("{0}: Docker Swarm (classic), discovery and strategy {1}".format(machine, swarm.get("Strategy") or "spread"),
                   "The classic Swarm is archived; role swarm forms a swarm of the engine's own swarm mode.")
    made.leave("{0}: containers, images and volumes".format(machine), "They stay on the old machine: inventory existing.yml reaches it.")


_NO_PLACE = {
    "DNSLabel": "Names of addresses are not managed here; give the load balancer's address a name in your DNS.",
    "PrivateIPAddr": "Azure chooses private addresses; dockhost.azure.host_group has private_addresses for those who need one.",
    "StaticPublicIP": "The load balancer's address is static, and hosts have none.",
    "AvailabilitySet": "Hosts are spread over zones (deployment_zones) and not over an availability set.",
    "VirtualNetwork": "The deployment makes a network of its own, see deployment_address_prefix.",
    "StorageType": "Disks are managed disks, of Azure's type for the size; there is no storage account.",
}


def _sign_in(made: Made, machines: Mapping[str, Mapping[str, Any]]) -> None:
    """The service principal. Its secret is never told, and the roles take the sign-in from the environment."""
    driver = to.mapping("Driver", next(iter(machines.values())).get("Driver"))
    for key, variable in (("SubscriptionID", "azure_subscription_id"), ("ClientID", "azure_client_id")):
        if driver.get(key):
            made.put(variable, str(driver[key]), "Driver." + key, "for the environment variable {0}".format(variable.upper()))
    if driver.get("ClientSecret"):
        made.hide("vault_azure_secret", str(driver["ClientSecret"]), "Driver.ClientSecret")
        made.leave("tenant of the service principal", "docker-machine does not keep it; set AZURE_TENANT.")


def _engine(made: Made, machines: Mapping[str, Mapping[str, Any]]) -> None:
    """Options of the engines; they are of the deployment, so those of the first machine, and differences are told."""
    found: Dict[str, Dict[str, Any]] = {}
    for machine, config in machines.items():
        host = to.mapping(machine + ".HostOptions", config.get("HostOptions"))
        found[machine] = _daemon(made, machine, to.mapping(machine + ".EngineOptions", host.get("EngineOptions")))
    first, *rest = found
    for machine in rest:
        if found[machine] != found[first]:
            made.leave("{0}: HostOptions.EngineOptions".format(machine), "They differ from those of {0}, which were taken: put what only this "
                       "host needs into host_vars.".format(first))
    proxies = found[first].pop(_PROXY, None)
    if proxies:
        made.put("docker_proxy", proxies, "HostOptions.EngineOptions.Env")
    root = found[first].pop("data-root", None)
    if root:
        made.put("docker_data_root", root, "HostOptions.EngineOptions.GraphDir")
    if found[first]:
        made.put("docker_daemon_options", found[first], "HostOptions.EngineOptions")


def _daemon(made: Made, machine: str, engine: Mapping[str, Any]) -> Dict[str, Any]:
    source = machine + ": HostOptions.EngineOptions"
    options = ["--" + str(flag).lstrip("-") for flag in to.entries(source, engine.get("ArbitraryFlags"))]
    found = to.put_daemon(made, options, source + ".ArbitraryFlags")
    for key, name in _LISTS.items():
        if engine.get(key):
            found[name] = [str(item) for item in to.entries(source, engine[key])]
    labels = [str(label) for label in to.entries(source, engine.get("Labels")) if not str(label).startswith("provider=")]
    for key, name, value in (
        ("Labels", "labels", labels), ("GraphDir", "data-root", engine.get("GraphDir")), ("LogLevel", "log-level", engine.get("LogLevel")),
        ("SelinuxEnabled", "selinux-enabled", engine.get("SelinuxEnabled")), ("Ipv6", "ipv6", engine.get("Ipv6")),
    ):  # fmt: skip
        if value:
            found[name] = value
    if engine.get("StorageDriver") and engine["StorageDriver"] != "overlay2":
        made.leave("{0}.StorageDriver = {1}".format(source, engine["StorageDriver"]), "The engine chooses overlay2, or what its kernel has.")
    proxies: Dict[str, str] = {}
    for item in to.entries(source, engine.get("Env")):
        name, dummy, value = str(item).partition("=")
        if name.lower() not in _PROXIES:
            made.leave("{0}.Env {1}".format(source, name), "Variables of the engine's environment are settings of its unit: docker_unit_settings.")
        elif "@" in value:  # its user and password stand in it
            proxies[_PROXIES[name.lower()]] = made.hide("vault_docker_proxy_" + _PROXIES[name.lower()], value, "{0}.Env {1}".format(source, name))
        else:
            proxies[_PROXIES[name.lower()]] = value
    if engine.get("InstallURL") and str(engine["InstallURL"]).rstrip("/") != _INSTALLER:
        made.leave("{0}.InstallURL = {1}".format(source, engine["InstallURL"]), "Role docker installs packages, of the distribution or of Docker's "
                   "repository (docker_source).")
    return dict(found, **({_PROXY: proxies} if proxies else {}))
