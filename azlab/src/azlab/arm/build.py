# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of resource types that the lab serves."""
from __future__ import annotations

from azlab.arm.network.addresses import NatGateways, PublicAddresses
from azlab.arm.network.base import Child
from azlab.arm.network.security import SecurityGroups
from azlab.arm.network.vnets import Subnets, VirtualNetworks
from azlab.arm.router import Router
from azlab.arm.types import Registry
from azlab.lab import Lab


def build(lab: Lab) -> Router:
    """All types, and the router that leads to them."""
    registry = Registry()
    networks, groups = VirtualNetworks(lab), SecurityGroups(lab)
    registry.add(networks)
    registry.add(Subnets(networks, "subnets"))
    registry.add(groups)
    registry.add(Child(groups, "securityRules", retry_after=1))
    registry.add(Child(groups, "defaultSecurityRules", writable=False))
    registry.add(PublicAddresses(lab))
    registry.add(NatGateways(lab))
    return Router(lab, registry, {})
