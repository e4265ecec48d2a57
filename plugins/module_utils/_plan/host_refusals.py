# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host group cannot have of Azure, in the words of its options (private to dockhost.azure, pure)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Dict, Iterable, List, Mapping, Optional, Sequence, Tuple

from ansible_collections.dockhost.azure.plugins.module_utils._model.host import (
    TAG_CUSTOM_DATA,
    Status,
    image_text,
    key,
)
from ansible_collections.dockhost.azure.plugins.module_utils._model.host_group import HostGroup, Slot
from ansible_collections.dockhost.azure.plugins.module_utils._model.resource import Change, Resource
from ansible_collections.dockhost.azure.plugins.module_utils._plan import render
from ansible_collections.dockhost.azure.plugins.module_utils._plan.compare import Comparer, without

# Start of the path -> the option that says it. The first that fits counts.
OPTIONS = (
    ("location", "location"),
    ("zones", "zones"),
    ("plan", "image_plan"),
    ("tags." + TAG_CUSTOM_DATA, "custom_data"),
    ("properties.hardwareProfile", "size"),
    ("properties.storageProfile.imageReference", "image"),
    ("properties.storageProfile.osDisk.diskSizeGB", "os_disk_size_gb"),
    ("properties.storageProfile.osDisk.managedDisk", "os_disk_type"),
    ("properties.storageProfile.osDisk.caching", "os_disk_caching"),
    ("properties.storageProfile.osDisk.diffDiskSettings", "os_disk_ephemeral"),
    ("properties.networkProfile.networkInterfaces", "further_interfaces"),
    ("properties.storageProfile.dataDisks", "data_disks"),
    ("properties.osProfile.adminUsername", "admin_username"),
    ("properties.osProfile.linuxConfiguration.ssh", "ssh_public_keys"),
    ("properties.osProfile", "name"),
    ("properties.availabilitySet", "availability_set"),
    ("properties.proximityPlacementGroup", "proximity_placement_group"),
    ("properties.securityProfile", "security_profile"),
    ("properties.priority", "spot"),
    ("properties.evictionPolicy", "spot"),
    ("properties.billingProfile", "spot"),
    ("properties.ipConfigurations.properties.subnet", "subnet"),
    ("properties.publicIPAddressVersion", "public_ip"),
    ("sku", "public_ip"),
)

IMAGE = "properties.storageProfile.imageReference"

# Values of these say nothing to a reader, or are long.
WORDLESS = frozenset({"custom_data", "ssh_public_keys"})

REMEDY = (
    "Set {option} back, or remove these hosts (state=absent with names) and run again to have them made anew, or set "
    "immutable_changes=keep to leave them as they are and use the new value for new hosts only, or =replace to have new hosts take their place."
)
RESTART_REMEDY = (
    "Set allow_restart=true to let Azure restart them with the new {word}, or set {option} back, or set immutable_changes=keep to "
    "leave them as they are and use the new {word} for new hosts only."
)
REMEDIES = {
    "size": RESTART_REMEDY.format(word="size", option="size"),
    "os_disk_caching": RESTART_REMEDY.format(word="cache", option="os_disk_caching"),
    "further_interfaces": (
        "Deallocate these hosts first (state=deallocated), since interfaces come and go only then, or set further_interfaces back, or "
        "set immutable_changes=keep to leave them as they are and use the new interfaces for new hosts only."
    ),
}


@dataclass(frozen=True)
class Difference:
    """One property of one host that Azure does not let change."""

    host: str
    option: str
    path: str
    change: Change


def differences(resource: Resource, actual: Optional[Mapping[str, Any]], host: str) -> List[Difference]:
    """All that differs and cannot be changed in place."""
    if actual is None:
        return []
    comparer = Comparer(resource)
    found = []
    for change, path in zip(comparer.changed(actual), comparer.paths):
        if any(path == fixed or path.startswith(fixed + ".") for fixed in resource.immutable):
            found.append(Difference(host, _option(path), path, change))
    return _whole_images(found, resource, actual)


def _whole_images(found: List[Difference], resource: Resource, actual: Mapping[str, Any]) -> List[Difference]:
    """An image is named by its parts together: one difference instead of one for each part."""
    rest = [difference for difference in found if difference.option != "image"]
    if len(rest) == len(found):
        return found
    before, after = (
        image_text((body["properties"].get("storageProfile") or {}).get("imageReference") or {}) for body in (actual, resource.body)
    )
    first = next(difference for difference in found if difference.option == "image")
    return rest + [Difference(first.host, "image", IMAGE, Change("image", before, after))]


def _option(path: str) -> str:
    return next((option for start, option in OPTIONS if path == start or path.startswith(start + ".")), path)


def left_alone(resource: Resource, found: Iterable[Difference]) -> Resource:
    """The resource without what cannot be changed: an existing host keeps that."""
    return replace(resource, body=_filled(without(resource.body, [difference.path for difference in found])))


def _filled(body: Mapping[str, Any]) -> Dict[str, Any]:
    """A body without the mappings that became empty: an empty one would mean that nothing may be there."""
    copy = {name: _filled(value) if isinstance(value, Mapping) else value for name, value in body.items()}
    return {name: value for name, value in copy.items() if value != {}}


def sentences(found: Iterable[Difference]) -> List[str]:
    """One sentence for each option and value, naming the hosts that it concerns."""
    groups: Dict[Tuple[str, str, str], List[str]] = {}
    for difference in found:
        before, after = render.value(difference.change.before), render.value(difference.change.after)
        if difference.option in WORDLESS:
            before, after = "other " + _words(difference.option), "these"
        hosts = groups.setdefault((difference.option, before, after), [])
        if difference.host not in hosts:
            hosts.append(difference.host)
    return [
        f"{option}: {_hosts(hosts)} made with {before}, which Azure cannot change to {after} on an existing machine. "
        + REMEDIES.get(option, REMEDY).format(option=option)
        for (option, before, after), hosts in groups.items()
    ]


def _words(option: str) -> str:
    return {"custom_data": "custom data", "ssh_public_keys": "public keys"}[option]


def _hosts(names: Sequence[str]) -> str:
    shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    return f"host {shown} was" if len(names) == 1 else f"hosts {shown} were"


def unfinished(slots: Iterable[Slot], group: HostGroup, statuses: Mapping[str, Status]) -> List[str]:
    """Hosts whose operating system never reported in: asking again changes nothing, so the user has to choose."""
    found = []
    for slot in slots:
        status = statuses.get(key(group.naming.machine(slot.name)))
        if status is not None and (status.failure_code or "").lower().startswith("osprovisioning"):
            found.append(
                f"Host {slot.name} exists but its operating system did not finish provisioning ({status.failure_code}: "
                f"{(status.failure_message or 'no further reason').rstrip('.')}). Read its serial log (az vm boot-diagnostics "
                f"get-boot-log -g {group.naming.resource_group} -n {slot.name}), check image and custom_data, then remove it "
                f"(state=absent, names=[{slot.name}]) and run again."
            )
    return found


# Azure's code -> what a person does next. https://learn.microsoft.com/azure/virtual-machines/error-codes-spot and
# https://learn.microsoft.com/troubleshoot/azure/virtual-machines/allocation-failure
NEXT_STEPS = (
    ("ZonalAllocationFailed", "choose other zones or another size, or run again later"),
    ("AllocationFailed", "choose another size or region, spread over zones, or run again later"),
    ("OverconstrainedAllocationRequest", "give fewer constraints (size, zones, proximity_placement_group) or run again later"),
    ("SkuNotAvailable", "choose another size, or other zones or another region where this size is offered"),
    ("QuotaExceeded", "ask for more cores at https://portal.azure.com/#view/Microsoft_Azure_Capacity/QuotaMenuBlade, or lower count"),
    ("OSProvisioning", "read the host's serial log (az vm boot-diagnostics get-boot-log) and check image and custom_data"),
    ("VMAgentStatusCommunicationError", "check the host's outbound network and its agent (waagent), then run again"),
    ("VMExtensionProvisioning", "read the extension's message and log on the host, then run again"),
    ("MarketplacePurchaseEligibilityFailed", "accept the image's terms (az vm image terms accept) and give image_plan"),
    ("VMMarketplaceInvalidInput", "give image_plan with the plan of the image, or leave it out for an image without one"),
    ("ReferencedResourceNotProvisioned", "run again once the network is ready"),
    ("AuthorizationFailed", "give this client the role Contributor on the resource group (and on that of the network)"),
    ("LinkedAuthorizationFailed", "give this client the role Contributor on the resource groups that the hosts refer to"),
    ("RequestDisallowedByPolicy", "ask who sets the policy, or give the options that it asks for"),
    ("ScopeLocked", "remove the lock of the resource group"),
    ("ConnectionFailed", "check the connection to Azure and run again"),
)


def next_step(code: str, message: str = "") -> str:
    """What to do about an error of Azure, as a part of a sentence; an empty text where running again is all there is."""
    if code == "OperationNotAllowed" and "quota" in message.lower():
        code = "QuotaExceeded"
    return next((step for start, step in NEXT_STEPS if code.lower().startswith(start.lower())), "")
