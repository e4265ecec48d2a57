# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From an acs-engine description with Swarm, SwarmMode or DockerCE to a deployment. Private; pure.

The cluster definition, also as ``apimodel.json`` beside the generated templates. Source: https://github.com/Azure/acs-engine,
pkg/api/vlabs/types.go and docs/swarmmode.md.
"""

from __future__ import annotations

from typing import Any, List, Mapping, Sequence

from ansible_collections.dockhost.azure.plugins.module_utils._convert import made as to
from ansible_collections.dockhost.azure.plugins.module_utils._convert.made import Made
from ansible_collections.dockhost.azure.plugins.module_utils._errors import InputError

_SWARMS = ("swarm", "swarmmode", "dockerce")


def convert(document: Mapping[str, Any], name: str) -> Made:
    """The deployment.

    :param name: what it is called; after masterProfile.dnsPrefix when empty.
    :raises InputError: no description of that kind, or of another orchestrator.
    """
    properties = to.mapping("properties", document.get("properties"))
    orchestrator = str(to.mapping("orchestratorProfile", properties.get("orchestratorProfile")).get("orchestratorType") or "")
    if orchestrator.lower() not in _SWARMS:
        raise InputError("source", "orchestratorType is '{0}' in the source: what can be carried over is Swarm, SwarmMode and DockerCE.".format(
            orchestrator
        ))
    master = to.mapping("masterProfile", properties.get("masterProfile"))
    pools = [to.mapping("agentPoolProfiles", pool) for pool in to.entries("agentPoolProfiles", properties.get("agentPoolProfiles"))]
    linux = [pool for pool in pools if str(pool.get("osType") or "Linux").lower() == "linux"]
    made = Made(to.deployment_name(name or str(master.get("dnsPrefix") or document.get("name") or "swarm")))
    made.put("deployment_name", made.name, "masterProfile.dnsPrefix")
    if document.get("location"):
        made.put("deployment_location", str(document["location"]).replace(" ", "").lower(), "location")
    managers = to.whole("masterProfile.count", master.get("count", 1), "a number of masters")
    workers = sum(to.whole("agentPoolProfiles.count", pool.get("count", 1), "a number of agents") for pool in linux)
    made.put("deployment_hosts", managers + workers, "masterProfile.count + agentPoolProfiles[].count")
    to.put_managers(made, managers, managers + workers, "masterProfile.count")
    _sizes(made, master, linux)
    _network(made, master, linux)
    _linux(made, to.mapping("linuxProfile", properties.get("linuxProfile")))
    for pool in pools:
        _pool(made, pool)
    _rest(made, properties, orchestrator)
    return made


def _sizes(made: Made, master: Mapping[str, Any], pools: Sequence[Mapping[str, Any]]) -> None:
    sizes: List[str] = list(dict.fromkeys(str(pool["vmSize"]) for pool in pools if pool.get("vmSize")))
    taken = sizes[0] if sizes else str(master.get("vmSize") or "")
    to.put_size(made, taken, "agentPoolProfiles[0].vmSize" if sizes else "masterProfile.vmSize")
    reason = "All hosts of a deployment have one size, that of the first pool ({0}); make others with dockhost.azure.host_group.".format(taken)
    if master.get("vmSize") and str(master["vmSize"]).lower() != taken.lower():
        made.leave("masterProfile.vmSize = {0}".format(master["vmSize"]), reason)
    for size in sizes[1:]:
        made.leave("agentPoolProfiles[].vmSize = {0}".format(size), reason)


def _network(made: Made, master: Mapping[str, Any], pools: Sequence[Mapping[str, Any]]) -> None:
    zones = [str(zone) for profile in (master, *pools) for zone in to.entries("availabilityZones", profile.get("availabilityZones"))]
    if zones:
        made.put("deployment_zones", sorted(set(zones)), "availabilityZones")
    ports = [str(port) for pool in pools for port in to.entries("ports", pool.get("ports"))]
    if ports:
        made.put("deployment_application_ports", list(dict.fromkeys(ports)), "agentPoolProfiles[].ports")
    for key in ("vnetSubnetID", "firstConsecutiveStaticIP", "vnetCidr"):
        if master.get(key):
            made.leave("masterProfile.{0} = {1}".format(key, master[key]), "The deployment makes a network of its own (deployment_address_prefix), and "
                       "Azure chooses the addresses in it.")
    made.leave("SSH by ports 2200 and up of the masters' address, open to everybody", "SSH goes through the load balancer, from "
               "deployment_ssh_sources only.")


def _linux(made: Made, linux: Mapping[str, Any]) -> None:
    if linux.get("adminUsername"):
        made.put("deployment_admin_username", str(linux["adminUsername"]), "linuxProfile.adminUsername")
    keys = to.entries("linuxProfile.ssh.publicKeys", to.mapping("linuxProfile.ssh", linux.get("ssh")).get("publicKeys"))
    found = [str(to.mapping("publicKeys", key).get("keyData") or "").strip() for key in keys]
    if any(found):
        made.put("deployment_ssh_public_keys", [key for key in found if key], "linuxProfile.ssh.publicKeys")
    if linux.get("secrets"):
        made.leave("linuxProfile.secrets", "Certificates of a key vault are not put on hosts; read them in a playbook and give them to a stack as "
                   "secrets (stack_secrets).")


def _pool(made: Made, pool: Mapping[str, Any]) -> None:
    name = "agent pool {0}".format(pool.get("name"))
    if str(pool.get("osType") or "Linux").lower() != "linux":
        made.leave("{0}: {1} hosts with osType {2}".format(name, pool.get("count"), pool["osType"]), "Hosts are Linux machines.")
    for key, reason in (
        ("diskSizesGB", "A deployment's hosts have no data disks; dockhost.azure.host_group has data_disks."),
        ("OSDiskSizeGB", "The operating system's disk has the size of the image; dockhost.azure.host_group has os_disk_size_gb."),
        ("osDiskSizeGB", "The operating system's disk has the size of the image; dockhost.azure.host_group has os_disk_size_gb."),
        ("scaleSetPriority", "Spot hosts are an option of dockhost.azure.host_group (spot)."),
        ("dnsPrefix", "There is one load balancer for all hosts; give its address a name in your DNS."),
        ("preProvisionExtension", "Extensions are put on hosts with dockhost.azure.vm_extension."),
        ("extensions", "Extensions are put on hosts with dockhost.azure.vm_extension."),
    ):  # fmt: skip
        if pool.get(key):
            made.leave("{0}: {1}".format(name, key), reason)
    for label, value in to.mapping("customNodeLabels", pool.get("customNodeLabels")).items():
        made.leave("{0}: label {1}={2}".format(name, label, value), "Labels are of single hosts: swarm_node_labels in host_vars.")


def _rest(made: Made, properties: Mapping[str, Any], orchestrator: str) -> None:
    if orchestrator.lower() == "swarm":
        made.leave("orchestratorType Swarm", "The classic Swarm is archived; the hosts form a swarm of the engine's swarm mode.")
    made.leave("the engines' port 2375 without authentication inside the network", "Role docker refuses a TCP listener without mutual TLS.")
    principal = to.mapping("servicePrincipalProfile", properties.get("servicePrincipalProfile"))
    if principal.get("clientId"):
        made.put("azure_client_id", str(principal["clientId"]), "servicePrincipalProfile.clientId", "for the environment variable AZURE_CLIENT_ID")
    if principal.get("secret"):
        made.hide("vault_azure_secret", str(principal["secret"]), "servicePrincipalProfile.secret")
    if to.mapping("windowsProfile", properties.get("windowsProfile")).get("adminPassword"):
        made.leave("windowsProfile", "Hosts are Linux machines; its password was not written anywhere.")
    keys = to.mapping("certificateProfile", properties.get("certificateProfile"))
    if keys:
        made.leave("certificateProfile", "dockhost.azure.docker_certificates makes new certificates; the old keys were not written anywhere.")
    made.leave("the running cluster, its services and volumes", "A new swarm is made beside it; deploy the stacks again from their Compose files.")
