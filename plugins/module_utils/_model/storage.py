# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a storage account with file shares and blob containers is. Private to this collection; pure.

Sizes: https://learn.microsoft.com/azure/storage/files/storage-files-scale-targets; NFS: https://learn.microsoft.com/azure/storage/files/files-nfs-protocol
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Dict, List, Mapping, Optional, Tuple

from ansible_collections.dockhost.azure.plugins.module_utils._errors import InputError
from ansible_collections.dockhost.azure.plugins.module_utils._model import names
from ansible_collections.dockhost.azure.plugins.module_utils._model.resource import Resource, resource_id

ACCOUNTS = "Microsoft.Storage/storageAccounts"
SHARES = ACCOUNTS + "/fileServices/shares"
CONTAINERS = ACCOUNTS + "/blobServices/containers"

_ACCOUNT = re.compile(r"[a-z0-9]{3,24}")
_PART = re.compile(r"(?=.{3,63}$)[a-z0-9]+(-[a-z0-9]+)*")
_SQUASH = {"none": "NoRootSquash", "root": "RootSquash", "all": "AllSquash"}
MOST_GIB = 102400
LEAST_PREMIUM_GIB = 100


@dataclass(frozen=True)
class Share:
    """A file share. ``quota_gb`` in GiB, None leaves it; ``root_squash``: as Azure names it, for NFS only."""

    name: str
    quota_gb: Optional[int]
    protocol: str
    root_squash: Optional[str]

    def body(self) -> Dict[str, Any]:
        """As ARM takes it."""
        properties: Dict[str, Any] = {"enabledProtocols": self.protocol}
        if self.quota_gb is not None:
            properties["shareQuota"] = self.quota_gb
        if self.root_squash is not None:
            properties["rootSquash"] = self.root_squash
        return {"properties": properties}


@dataclass(frozen=True)
class Storage:
    """All that module ``storage_account`` makes. ``subnets``: ids of subnets that alone are let in; None leaves the rules as they are."""

    name: str
    premium: bool
    sku: str
    shares: Tuple[Share, ...]
    containers: Tuple[str, ...]
    subnets: Optional[Tuple[str, ...]]
    secure_transfer: bool
    tags: Mapping[str, str]

    @classmethod
    def from_params(cls, params: Mapping[str, Any], subscription_id: str) -> "Storage":
        """Check the module's options and turn them into what is wanted. Raises InputError."""
        name, premium = params["name"], params["performance"] == "premium"
        if not _ACCOUNT.fullmatch(name):
            raise InputError("name", "name is '{0}': the name of a storage account has 3 to 24 lower-case letters and digits, and is not taken "
                             "by anybody else in Azure.".format(name))
        if premium and params["replication"] not in ("LRS", "ZRS"):
            raise InputError("replication", "replication is {0}: premium storage has LRS or ZRS.".format(params["replication"]))
        if premium and params["containers"]:
            raise InputError("containers", "containers needs performance standard: a premium account for shares has no blobs.")
        shares = tuple(share for item in params["shares"] for share in _shares(item, premium))
        names.check_unique("shares", [share.name for share in shares])
        names.check_unique("containers", params["containers"])
        for item in params["containers"]:
            _check_part("containers", item)
        subnets = None if params["subnets"] is None else tuple(_subnet(item, params["resource_group"], subscription_id) for item in params["subnets"])
        nfs = [share.name for share in shares if share.protocol == "NFS"]
        if nfs and params["secure_transfer"]:
            raise InputError("secure_transfer", "shares[{0}] is for NFS, which hosts mount without TLS, and secure_transfer is true, so that Azure would "
                             "refuse them: set secure_transfer to false, and let in nobody but your subnets (subnets).".format(nfs[0]))
        sku = "{0}_{1}".format("Premium" if premium else "Standard", params["replication"])
        return cls(name, premium, sku, shares, tuple(params["containers"]), subnets, params["secure_transfer"], names.check_tags("tags", params["tags"]))

    def resources(self, place: "Place") -> List[Resource]:
        """The account, then what is in it."""
        properties: Dict[str, Any] = {
            "minimumTlsVersion": "TLS1_2", "allowBlobPublicAccess": False, "supportsHttpsTrafficOnly": self.secure_transfer,
        }
        if self.subnets is not None:
            properties["networkAcls"] = {
                "defaultAction": "Deny" if self.subnets else "Allow", "bypass": "AzureServices", "virtualNetworkRules": [{"id": one} for one in self.subnets],
            }
        body = {
            "location": place.location, "tags": names.owned_tags(self.tags, place.deployment, place.account),
            "sku": {"name": self.sku}, "kind": "FileStorage" if self.premium else "StorageV2", "properties": properties,
        }
        account = Resource(place.id(), ACCOUNTS, body, immutable=("location", "kind"), remedies={
            "kind": "Choose another name for an account with this performance, and copy the data"})
        shares = [
            Resource(place.id("fileServices/default/shares/" + share.name), SHARES, share.body(), (account.id,), immutable=("properties.enabledProtocols",))
            for share in self.shares
        ]
        containers = [Resource(place.id("blobServices/default/containers/" + name), CONTAINERS, {}, (account.id,)) for name in self.containers]
        return [account] + shares + containers


@dataclass(frozen=True)
class Place:
    """Where the account is, whose it is, and what is there now."""

    subscription_id: str
    resource_group: str
    name: str
    location: str
    deployment: str
    account: Optional[Mapping[str, Any]]

    def id(self, *below: str) -> str:
        """Id of the account, or of what is below it."""
        return resource_id(self.subscription_id, self.resource_group, ACCOUNTS, self.name, *below)


def _shares(item: Mapping[str, Any], premium: bool) -> List[Share]:
    """The share of an entry, or one a slot, named as role volumes names them."""
    name, protocol, slots, quota = item["name"], item["protocol"].upper(), item["slots"], item["quota_gb"]
    if protocol == "NFS" and not premium:
        raise InputError("shares", "shares[{0}] is for NFS, which needs performance premium (an account of kind FileStorage): set it, or use smb.".format(name))
    if item["root_squash"] and protocol != "NFS":
        raise InputError("shares", "shares[{0}] has root_squash, which shares for NFS alone have: leave it out.".format(name))
    least = LEAST_PREMIUM_GIB if premium else 1
    if quota is not None and not least <= quota <= MOST_GIB:
        raise InputError("shares", "shares[{0}] has quota_gb {1}: {2} accounts take {3} to {4}.".format(
            name, quota, "premium" if premium else "standard", least, MOST_GIB))
    if slots < 0:
        raise InputError("shares", "shares[{0}] has slots {1}: give how many tasks have a share each, or 0 for one share.".format(name, slots))
    found = ["{0}-{1}".format(name, slot) for slot in range(1, slots + 1)] if slots else [name]
    for one in found:
        _check_part("shares", one)
    return [Share(one, quota, protocol, _SQUASH.get(item["root_squash"] or "")) for one in found]


def _check_part(option: str, name: str) -> None:
    if not _PART.fullmatch(name):
        raise InputError(option, "{0} has '{1}': a name has 3 to 63 lower-case letters, digits and single dashes between them.".format(option, name))


def _subnet(item: Any, resource_group: str, subscription_id: str) -> str:
    if item.startswith("/subscriptions/"):
        return item
    network, dummy, subnet = item.partition("/")
    if not network or not subnet or "/" in subnet:
        raise InputError("subnets", "subnets has '{0}': give the id of a subnet, or NETWORK/SUBNET in the resource group of the account.".format(item))
    return resource_id(subscription_id, resource_group, "Microsoft.Network/virtualNetworks", network, "subnets/" + subnet)
