# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be known to be wrong about a host group before anything is asked of Azure (private, pure)."""

from __future__ import annotations

import re
from typing import Any, Callable, Iterable, List, Mapping, Optional

from ansible_collections.dockhost.azure.plugins.module_utils._errors import InputError
from ansible_collections.dockhost.azure.plugins.module_utils._model import custom_data, host_group_places, names
from ansible_collections.dockhost.azure.plugins.module_utils._model.host_group import custom_data as custom_data_of
from ansible_collections.dockhost.azure.plugins.module_utils._model.images import EXAMPLE, Image
from ansible_collections.dockhost.azure.plugins.module_utils._model.ssh_keys import line_problem, login_key_problem

MAX_COUNT = 1000

# A host's name is its machine's, its computer's and a label of DNS: what all three allow.
# https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules#microsoftcompute
_HOST = re.compile(r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", re.IGNORECASE)
# A host of a scale set has a name that Azure chose: https://learn.microsoft.com/azure/virtual-machine-scale-sets/virtual-machine-scale-sets-instance-ids
_HOST_OF_SET = re.compile(_HOST.pattern.rstrip("$") + "_[0-9a-f]{8}$", re.IGNORECASE)
_USER = re.compile(r"^[a-z_][a-z0-9_-]{0,31}$", re.IGNORECASE)
_POOL = re.compile(
    r"^/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft\.Network/loadBalancers/[^/]+/backendAddressPools/[^/]+$",
    re.IGNORECASE,
)

# https://learn.microsoft.com/azure/virtual-machines/linux/faq#what-are-the-username-requirements-when-creating-a-vm-
RESERVED_USERS = frozenset(
    "administrator admin user user1 test user2 test1 user3 admin1 1 123 a actuser adm admin2 aspnet backup console david "
    "guest john owner root server sql support support_388945a0 sys test2 test3 user4 user5".split()
)


def check(params: Mapping[str, Any]) -> None:
    """Raise InputError for the first option that cannot work."""
    _scope(params)
    _hosts(params)
    if params.get("engine") == "scale_set" and params["state"] == "present":
        _scale_set(params)
    if params.get("immutable_changes") == "replace" and params["state"] == "present":
        _replace(params)
    if params["state"] in ("present", "reimaged"):
        _custom_data(params)
    if params["state"] == "reimaged":
        _keys(params, line_problem)
    if params["state"] == "present":
        _login(params)
        _image(params)
        _places(params)
        _network(params)
        _disks(params)
        host_group_places.check(params)
        names.check_tags("tags", params.get("tags"))
    notice = params.get("termination_notice")
    if notice is not None and notice != 0 and not 5 <= notice <= 15:
        raise InputError(
            "termination_notice", f"termination_notice: {notice} minutes are not possible: give a number from 5 to 15, or 0 for no notice."
        )
    empty = next((part for part, text in (params.get("image_plan") or {}).items() if not str(text or "").strip()), None)
    if empty:
        raise InputError("image_plan", f"image_plan: {empty} is empty: az vm image show --urn {params.get('image')} shows the plan of an image.")
    for option in ("serial", "wait_timeout"):
        if params.get(option) is not None and params[option] < 1:
            raise InputError(option, f"{option}: {params[option]} is too small: give a number from 1.")


def _scope(params: Mapping[str, Any]) -> None:
    name, group = params["name"], params["resource_group"]
    if not _HOST.match(name) or len(name) > 58:
        raise InputError(
            "name",
            f"name: '{name}' cannot be the name of a host group: use letters, digits and hyphens, at most 58, with a letter or "
            "digit at both ends (host names are made of it).",
        )
    names.check_name("resource_group", group, "resource group")
    deployment = params.get("deployment")
    if deployment is not None and (not deployment or len(deployment) > 256 or re.search(r"\s", deployment)):
        raise InputError("deployment", f"deployment: '{deployment}' cannot be used: give 1 to 256 characters without spaces.")


def _hosts(params: Mapping[str, Any]) -> None:
    count, wanted = params.get("count"), params.get("names")
    if count is not None and not 0 <= count <= MAX_COUNT:
        raise InputError("count", f"count: {count} is not possible: give a number from 0 to {MAX_COUNT}.")
    for name in wanted or ():
        if not _HOST.match(name) and (params["state"] == "present" or not _HOST_OF_SET.match(name)):
            raise InputError(
                "names",
                f"names: '{name}' cannot be the name of a host: use letters, digits and hyphens, at most 63, with a letter or "
                "digit at both ends.",
            )
    double = _double(name.lower() for name in wanted or ())
    if double:
        raise InputError("names", f"names: '{double}' is listed twice: name each host once.")
    managers = params.get("swarm_managers")
    if managers is None or params["state"] != "present":
        return
    size = count if count is not None else len(wanted or ())
    if managers < 0 or (managers > size and size):
        raise InputError("swarm_managers", f"swarm_managers: {managers} is not possible with {size} hosts: give a number from 0 to {size}.")


def _scale_set(params: Mapping[str, Any]) -> None:
    """What a scale set cannot do. https://learn.microsoft.com/azure/virtual-machine-scale-sets/virtual-machine-scale-sets-orchestration-modes"""
    refusals = (
        ("names", params.get("names") is not None, "Azure chooses the names of a scale set's hosts: give count"),
        ("availability_set", params.get("availability_set"), "a scale set spreads its hosts itself: leave it out, or give zones"),
        ("swarm_managers", params.get("swarm_managers"), "which hosts of a scale set are managers cannot be said before they are there: make "
         "the managers a group of their own with engine=virtual_machines, and give 0 here, so that all hosts of the set are workers"),
        ("identities", (params.get("identities") or {}).get("system_assigned"), "a flexible scale set takes user-assigned identities only: "
         "give user_assigned"),
        ("private_addresses", params.get("private_addresses"), "the names of its hosts cannot be known before they are there: leave it out"),
        ("further_interfaces", params.get("further_interfaces"), "hosts of a set have one interface here: leave it out, or use virtual_machines"),
    )  # fmt: skip
    for option, given, text in refusals:
        if given:
            raise InputError(option, f"{option}: not with engine=scale_set: {text}.")
    if len(params["name"]) > 35:
        raise InputError("name", f"name: '{params['name']}' is too long for engine=scale_set: at most 35 characters, since Azure adds to it.")


def _replace(params: Mapping[str, Any]) -> None:
    """What does not go together with replacing hosts before the old ones go."""
    refusals = (
        ("names", params.get("names") is not None, "a host can only be replaced under its own name once it is gone, so that there would be fewer for a "
         "while: give count, or remove these hosts first (state=absent with names)"),
        ("engine", params.get("engine") == "scale_set", "hosts of a scale set are renewed with immutable_changes=keep, a higher count, and then the old "
         "count with scale_in_first: give engine=virtual_machines, or keep"),
        ("scale_in_first", params.get("scale_in_first"), "outdated hosts are the first to go: leave it out"),
        ("on_failure", params.get("on_failure") == "rollback", "hosts that were removed cannot be brought back: give keep, which leaves each old host "
         "whose replacement could not be made"),
    )  # fmt: skip
    for option, given, text in refusals:
        if given:
            raise InputError(option, f"{option}: not with immutable_changes=replace: {text}.")


def _double(values: Iterable[str]) -> Optional[str]:
    seen: List[str] = []
    for value in values:
        if value in seen:
            return value
        seen.append(value)
    return None


def _login(params: Mapping[str, Any]) -> None:
    user = params["admin_username"]
    if user.lower() in RESERVED_USERS or not _USER.match(user):
        raise InputError(
            "admin_username",
            f"admin_username: '{user}' is a name that Azure refuses: use another one, such as azureuser (letters, digits, '_' and "
            "'-', a letter first, none of Azure's reserved names).",
        )
    if not params.get("ssh_public_keys"):
        raise InputError("ssh_public_keys", "ssh_public_keys: give at least one public key: nobody could sign in to the hosts otherwise.")
    _keys(params, login_key_problem)


def _keys(params: Mapping[str, Any], problem_of: Callable[[str], Optional[str]]) -> None:
    for position, text in enumerate(params.get("ssh_public_keys") or ()):
        problem = problem_of(text)
        if problem:
            raise InputError(
                "ssh_public_keys",
                f"ssh_public_keys[{position}] is not a usable public key: {problem}. Give the content of a file like "
                "~/.ssh/id_ed25519.pub.",
            )


def _custom_data(params: Mapping[str, Any]) -> None:
    data = custom_data_of(params)
    problem = custom_data.problem(data) if data else None
    if problem:
        raise InputError("custom_data", f"custom_data cannot be used: {problem}.")


def _image(params: Mapping[str, Any]) -> None:
    if not params.get("size"):
        raise InputError("size", "size: name the size of the hosts, for instance Standard_D2s_v5.")
    if Image.parse(params["image"]) is None:
        raise InputError(
            "image",
            f"image: '{params['image']}' is neither publisher:offer:sku:version (for instance {EXAMPLE}) nor the id of an image.",
        )


def _places(params: Mapping[str, Any]) -> None:
    zones = [str(zone) for zone in params.get("zones") or ()]
    for zone in zones:
        if zone not in ("1", "2", "3"):
            raise InputError("zones", f"zones: '{zone}' is not a zone: Azure numbers the zones of a region 1, 2 and 3.")
    double = _double(zones)
    if double:
        raise InputError("zones", f"zones: '{double}' is listed twice: name each zone once.")
    if zones and params.get("availability_set"):
        raise InputError("availability_set", "availability_set and zones exclude each other in Azure: give one of them.")


def _network(params: Mapping[str, Any]) -> None:
    host_group_places.check_subnet("subnet", params.get("subnet"))
    for pool in params.get("load_balancer_pools") or ():
        if not _POOL.match(pool):
            raise InputError(
                "load_balancer_pools",
                f"load_balancer_pools: '{pool}' is not the id of a backend pool: take it from the result of "
                "dockhost.azure.load_balancer (load_balancer.pools).",
            )


def _disks(params: Mapping[str, Any]) -> None:
    size = params.get("os_disk_size_gb")
    if size is not None and not 1 <= size <= 4095:
        raise InputError("os_disk_size_gb", f"os_disk_size_gb: {size} is not possible: give a number from 1 to 4095.")
    disks = params.get("data_disks") or ()
    for disk in disks:
        if not 0 <= disk["lun"] <= 63:
            raise InputError("data_disks", f"data_disks: lun {disk['lun']} is not possible: give a number from 0 to 63.")
        if not 1 <= disk["size_gb"] <= 32767:
            raise InputError("data_disks", f"data_disks: size_gb {disk['size_gb']} is not possible: give a number from 1 to 32767.")
    double = _double(str(disk["lun"]) for disk in disks)
    if double:
        raise InputError("data_disks", f"data_disks: lun {double} is used twice: give each disk a lun of its own.")
