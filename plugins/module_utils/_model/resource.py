# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the engine works on: resources that are wanted, and ids. Private to this collection; pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Dict, List, Mapping, Optional, Tuple

# One api-version per type, fixed here so that a newer SDK does not change what we send.
# Source: the defaults of azure-mgmt-compute 39.0.0 and azure-mgmt-network 33.1.0;
# resource groups: https://learn.microsoft.com/rest/api/resources/resource-groups
COMPUTE_API = "2026-04-01"
DISKS_API = "2026-03-02"
GALLERY_API = "2024-03-03"
NETWORK_API = "2026-03-01"
RESOURCES_API = "2021-04-01"
SKUS_API = "2021-07-01"
SUBSCRIPTIONS_API = "2022-12-01"
LOCKS_API = "2020-05-01"
IDENTITIES_API = "2023-01-31"
STORAGE_API = "2024-01-01"

TAG_DEPLOYMENT = "dockhost-deployment"
TAG_GROUP = "dockhost-group"
TAG_INDEX = "dockhost-index"
TAG_SWARM_ROLE = "dockhost-swarm-role"

# Words that people use for the types that we make.
TYPE_WORDS = {
    "microsoft.resources/resourcegroups": "resource group",
    "microsoft.network/virtualnetworks": "virtual network",
    "microsoft.network/virtualnetworks/subnets": "subnet",
    "microsoft.network/networksecuritygroups": "network security group",
    "microsoft.network/publicipaddresses": "public IP address",
    "microsoft.network/natgateways": "NAT gateway",
    "microsoft.network/loadbalancers": "load balancer",
    "microsoft.network/networkinterfaces": "network interface",
    "microsoft.compute/virtualmachines": "virtual machine",
    "microsoft.compute/virtualmachinescalesets": "scale set",
    "microsoft.compute/disks": "disk",
    "microsoft.compute/availabilitysets": "availability set",
    "microsoft.compute/virtualmachines/extensions": "extension",
    "microsoft.compute/proximityplacementgroups": "proximity placement group",
    "microsoft.network/applicationsecuritygroups": "application security group",
    "microsoft.managedidentity/userassignedidentities": "user-assigned identity",
    "microsoft.authorization/locks": "lock",
    "microsoft.storage/storageaccounts": "storage account",
    "microsoft.storage/storageaccounts/fileservices/shares": "file share",
    "microsoft.storage/storageaccounts/blobservices/containers": "blob container",
}


@dataclass(frozen=True)
class Resource:
    """One resource that is wanted (or, for a delete, one that is to go).

    Paths are dotted and leave list positions out: ``properties.subnets.properties.addressPrefix``.

    :param id: full ARM id, in the casing that we want.
    :param type: ARM type, for instance ``Microsoft.Network/virtualNetworks``.
    :param body: ARM JSON. What it names is ours; ``None`` as a value means that the property must not be set.
    :param depends_on: ids of resources that must be there first (ids outside of the plan are no obstacle).
    :param immutable: paths that Azure does not let change: a difference there is a refusal.
    :param remedies: path in ``immutable`` -> what the user can do, as a sentence; a general one is used otherwise.
    :param delete_with: id of the resource whose deletion makes Azure delete this one too.
    :param shared_lists: path of a list that others write to as well -> prefix of the names that are ours although the
        body does not have them (those are removed); with an empty prefix only the entries that the body has are ours.
    :param ordered: paths of lists of plain values whose order means something (DNS servers).
    :param create_only: paths sent when the resource is made, never compared and never sent again (customData).
    :param hidden: paths whose values are never shown.
    :param wait: how the end of an operation is awaited: ``operation`` (its own URL) or ``list`` (one shared loop that
        reads the list of the resource group: for many resources of a type).
    """

    id: str
    type: str
    body: Mapping[str, Any] = field(default_factory=dict)
    depends_on: Tuple[str, ...] = ()
    immutable: Tuple[str, ...] = ("location",)
    remedies: Mapping[str, str] = field(default_factory=dict)
    delete_with: Optional[str] = None
    shared_lists: Mapping[str, str] = field(default_factory=dict)
    ordered: Tuple[str, ...] = ()
    create_only: Tuple[str, ...] = ()
    hidden: Tuple[str, ...] = ()
    wait: str = "operation"

    @property
    def name(self) -> str:
        """The last part of the id."""
        return self.id.rsplit("/", 1)[-1]

    @property
    def key(self) -> str:
        """The id as ids are compared: without case."""
        return self.id.lower()

    @property
    def api_version(self) -> str:
        """The api-version for this type."""
        return api_version(self.type)

    @property
    def title(self) -> str:
        """How messages name it: ``virtual network demo``."""
        return "{0} {1}".format(type_word(self.type), self.name)


def type_word(type_: str) -> str:
    """The words that people use for an ARM type."""
    return TYPE_WORDS.get(type_.lower(), type_)


def api_version(type_: str) -> str:
    """The api-version that this collection uses for an ARM type."""
    low = type_.lower()
    if low == "microsoft.compute/disks":
        return DISKS_API
    if low == "microsoft.compute/skus":
        return SKUS_API
    if low == "microsoft.authorization/locks":
        return LOCKS_API
    if low.startswith("microsoft.managedidentity/"):
        return IDENTITIES_API
    if low.startswith("microsoft.storage/"):
        return STORAGE_API
    if low.startswith("microsoft.network/"):
        return NETWORK_API
    if low.startswith("microsoft.compute/"):
        return COMPUTE_API
    return RESOURCES_API


def group_id(subscription_id: str, resource_group: str) -> str:
    """Id of a resource group."""
    return "/subscriptions/{0}/resourceGroups/{1}".format(subscription_id, resource_group)


def list_path(subscription_id: str, resource_group: str, type_: str) -> str:
    """Path that lists all resources of one type in one resource group."""
    return "{0}/providers/{1}".format(group_id(subscription_id, resource_group), type_)


def resource_id(subscription_id: str, resource_group: str, type_: str, name: str, *children: str) -> str:
    """Id of a resource; each of ``children`` is a ``type/name`` below it (``subnets/default``)."""
    base = "{0}/{1}".format(list_path(subscription_id, resource_group, type_), name)
    return "/".join((base,) + children)


def same_id(one: Optional[str], other: Optional[str]) -> bool:
    """Whether two ids mean the same resource (Azure compares ids without case)."""
    return (one or "").lower() == (other or "").lower()


def by_id(resources: List[Mapping[str, Any]]) -> Dict[str, Mapping[str, Any]]:
    """What a list call returned, keyed by the id in lower case: the form that plan() takes."""
    return {str(item["id"]).lower(): item for item in resources}


def tag(resource: Optional[Mapping[str, Any]], name: str) -> Optional[str]:
    """The value of a tag (tag names are compared without case), or None."""
    for key, value in ((resource or {}).get("tags") or {}).items():
        if key.lower() == name.lower():
            return value
    return None


def is_ours(resource: Optional[Mapping[str, Any]], deployment: str) -> bool:
    """Whether a resource carries the tag of this deployment."""
    return tag(resource, TAG_DEPLOYMENT) == deployment


@dataclass(frozen=True)
class Change:
    """One property that differs: ``path`` for reading (``subnets[default].addressPrefix``), before and after."""

    path: str
    before: Any
    after: Any


@dataclass(frozen=True)
class Step:
    """One node of a plan.

    :param id: unique in the plan; ``depends_on`` names steps by it.
    :param action: ``create``, ``update``, ``delete``, ``keep`` or ``refuse``.
    :param method: HTTP method; empty when nothing is sent (keep, refuse, or Azure does it together with another step).
    :param operation: for POST: the last part of the path (``start``, ``deallocate``).
    :param query: further query parameters (``forceDeletion``).
    :param body: what is sent.
    :param actual: what Azure had when the plan was made.
    """

    id: str
    action: str
    resource: Resource
    changes: Tuple[Change, ...] = ()
    reason: str = ""
    depends_on: Tuple[str, ...] = ()
    method: str = ""
    operation: str = ""
    query: Mapping[str, str] = field(default_factory=dict)
    body: Optional[Mapping[str, Any]] = None
    actual: Optional[Mapping[str, Any]] = None

    @property
    def path(self) -> str:
        """The path that the request goes to."""
        return self.resource.id + ("/" + self.operation if self.operation else "")

    @property
    def title(self) -> str:
        """How messages name it: ``create virtual network demo``."""
        return "{0} {1}".format(self.operation or self.action, self.resource.title)
