# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the parameters of Docker for Azure's template (Docker CE and EE editions) to a deployment. Private; pure.

A parameters file of Azure, ``{"parameters": {"managerCount": {"value": 3}, …}}``, or the parameters alone, or a deployment as
``az deployment group show`` prints it. Source: https://github.com/docker/docs (docker-for-azure), and how the template was called.
"""

from __future__ import annotations

from typing import Any, Dict, Mapping

from ansible_collections.dockhost.azure.plugins.module_utils._convert import made as to
from ansible_collections.dockhost.azure.plugins.module_utils._convert.made import Made
from ansible_collections.dockhost.azure.plugins.module_utils._errors import InputError

_KNOWN = ("managerCount", "workerCount", "linuxWorkerCount", "managerVMSize", "workerVMSize", "linuxWorkerVMSize", "sshPublicKey",
          "linuxSSHPublicKey", "swarmName", "adServicePrincipalAppID", "adServicePrincipalAppSecret", "enableSystemPrune",
          "enableExtLogs")  # fmt: skip
_SECRET = {
    "adServicePrincipalAppSecret": "vault_azure_secret", "ddcPassword": "vault_ucp_password", "ddcLicense": "vault_ucp_license",
    "windowsAdminPassword": "vault_windows_admin_password",
}  # fmt: skip


def values(document: Mapping[str, Any]) -> Dict[str, Any]:
    """The parameters, whatever wrapped them.

    :raises InputError: none of them is known.
    """
    inner = to.mapping("properties", document.get("properties"))
    given = to.mapping("parameters", inner.get("parameters", document.get("parameters", document)))
    found = {name: entry["value"] if isinstance(entry, dict) and "value" in entry else entry for name, entry in given.items()}
    found = {name: value for name, value in found.items() if not isinstance(value, dict)}
    if not set(found) & set(_KNOWN):
        raise InputError("source", "source has none of the parameters of Docker for Azure ({0}): give the parameters file that the template was "
                         "deployed with.".format(", ".join(_KNOWN[:4])))
    return found


def convert(document: Mapping[str, Any], name: str) -> Made:
    """The deployment.

    :param name: what it is called; after swarmName when empty.
    """
    given = values(document)
    made = Made(to.deployment_name(name or str(given.get("swarmName") or "dockerswarm")))
    made.put("deployment_name", made.name, "swarmName")
    managers = to.whole("managerCount", given.get("managerCount", 1), "a number of managers")
    worker_key = "linuxWorkerCount" if "linuxWorkerCount" in given else "workerCount"
    workers = to.whole(worker_key, given.get(worker_key, 1), "a number of workers")
    made.put("deployment_hosts", managers + workers, "managerCount + " + worker_key)
    to.put_managers(made, managers, managers + workers, "managerCount")
    _sizes(made, given)
    for key in ("sshPublicKey", "linuxSSHPublicKey"):
        if given.get(key):
            made.put("deployment_ssh_public_keys", [str(given[key]).strip()], key)
    if given.get("adServicePrincipalAppID"):
        made.put("azure_client_id", str(given["adServicePrincipalAppID"]), "adServicePrincipalAppID", "for the environment variable AZURE_CLIENT_ID")
    for key, variable in _SECRET.items():
        if given.get(key):
            made.hide(variable, str(given[key]), key)
    _rest(made, given)
    return made


def _sizes(made: Made, given: Mapping[str, Any]) -> None:
    worker = str(given.get("linuxWorkerVMSize") or given.get("workerVMSize") or "")
    manager = str(given.get("managerVMSize") or "")
    to.put_size(made, worker or manager, "workerVMSize" if worker else "managerVMSize")
    if worker and manager and worker.lower() != manager.lower():
        made.leave("managerVMSize = {0}".format(manager), "All hosts of a deployment have one size, that of the workers ({0}). Managers of another "
                   "size: a host group of their own with dockhost.azure.host_group.".format(worker))


def _rest(made: Made, given: Mapping[str, Any]) -> None:
    """What has no place here, each with the reason."""
    if str(given.get("enableSystemPrune", "no")).lower() in ("yes", "true"):
        made.leave("enableSystemPrune", "Unused volumes went too, which may be data. What is removed, and when, is said with docker_prune.")
    if str(given.get("enableExtLogs", "no")).lower() in ("yes", "true"):
        made.leave("enableExtLogs", "Logs stay on the hosts, rotated (docker_log_max_size); another log driver is docker_log_driver.")
    made.leave("Cloudstor volumes", "The plugin is no longer made. Volumes are local; copy the data of the share before it is removed.")
    made.leave("the load balancer that followed published ports", "Playbook app does that in its run (dockhost.azure.load_balancer).")
    made.leave("the running swarm, its services and volumes", "A new swarm is made beside it; deploy the stacks again from their Compose files.")
    for key in sorted(given):
        if key not in _KNOWN and key not in _SECRET:
            made.leave(key, "Not a parameter that this collection has something for.")
