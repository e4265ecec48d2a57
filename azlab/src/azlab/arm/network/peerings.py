# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Peerings of virtual networks: each side has its own, and both together are connected.

https://learn.microsoft.com/azure/virtual-network/virtual-network-peering-overview
"""
from __future__ import annotations

import ipaddress
from typing import Any

from azlab.arm.network.base import embed, reference
from azlab.errors import arm_error, network_error
from azlab.ids import parse
from azlab.lab import Lab
from azlab.store import Resource

KEY = "virtualNetworkPeerings"
_FLAGS = {"allowVirtualNetworkAccess": True, "allowForwardedTraffic": False, "allowGatewayTransit": False, "useRemoteGateways": False,
          "doNotVerifyRemoteGateways": False, "peerCompleteVnets": True}
# only Azure writes these
_COMPUTED = ("provisioningState", "peeringState", "peeringSyncLevel", "remoteAddressSpace", "remoteVirtualNetworkAddressSpace",
             "remoteBgpCommunities", "remoteVirtualNetworkEncryption", "resourceGuid", "localAddressSpace", "localVirtualNetworkAddressSpace")


def prepare(lab: Lab, owner: str, space: list[Any], items: Any) -> list[dict[str, Any]]:
    """The peerings of a network, checked against the networks on the other side.

    Raises Azure's errors: one that is not there, address spaces that overlap, two peerings to one network.
    """
    found = embed(owner, KEY, items)
    seen: set[str] = set()
    for peering in found:
        p = peering["properties"]
        for key in _COMPUTED:
            p.pop(key, None)
        p["remoteVirtualNetwork"] = reference(p.get("remoteVirtualNetwork"))
        for flag, default in _FLAGS.items():
            p.setdefault(flag, default)
        remote = p["remoteVirtualNetwork"]["id"]
        if remote.lower() in seen:
            raise network_error("peering_twice", id=peering["id"], remote=remote)
        seen.add(remote.lower())
        _check_remote(lab, owner, space, peering, remote)
    if found and lab.has_machines:
        raise arm_error("lab_cannot", text="This lab's networks of real machines are not connected by peerings: use it without machines for them.")
    return found


def _check_remote(lab: Lab, owner: str, space: list[Any], peering: dict[str, Any], remote: str) -> None:
    rid, own = parse(remote), parse(owner)
    if rid is None or own is None or rid.subscription.lower() != own.subscription.lower():
        return                  # another subscription, which the lab does not have
    other = lab.store.get(remote)
    if other is None:
        raise network_error("reference", target=remote, source=peering["id"], details=[
            {"code": "NotFound", "message": f"Resource {remote} not found."}])
    for prefix in other.properties["addressSpace"]["addressPrefixes"]:
        theirs = ipaddress.ip_network(prefix)
        if any(mine.version == theirs.version and mine.overlaps(theirs) for mine in space):
            raise network_error("peering_overlap", id=peering["id"], a=owner, b=remote)


def shown(lab: Lab, network: Resource, peering: dict[str, Any]) -> dict[str, Any]:
    """What Azure computes: whether the other side has a peering as well, and its address space."""
    other = lab.store.get(peering["properties"]["remoteVirtualNetwork"]["id"])
    if other is None:
        return {"peeringState": "Disconnected", "peeringSyncLevel": "RemoteNotInSync"}
    back = any(str((p["properties"].get("remoteVirtualNetwork") or {}).get("id", "")).lower() == network.lid
               for p in other.properties.get(KEY, ()))
    space = {"addressPrefixes": list(other.properties["addressSpace"]["addressPrefixes"])}
    return {"peeringState": "Connected" if back else "Initiated", "peeringSyncLevel": "FullyInSync" if back else "RemoteNotInSync",
            "remoteAddressSpace": space, "remoteVirtualNetworkAddressSpace": space, "routeServiceVips": {},
            "resourceGuid": network.properties.get("resourceGuid")}
