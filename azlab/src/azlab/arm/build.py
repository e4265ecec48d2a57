# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of resource types that the lab serves."""
from __future__ import annotations

from azlab.arm.compute.base import AvailabilitySets
from azlab.arm.compute.captured import Images
from azlab.arm.compute.disks import Disks
from azlab.arm.compute.extensions import Extensions
from azlab.arm.compute.galleries import Definitions, Galleries, Versions
from azlab.arm.compute.machines import VirtualMachines
from azlab.arm.compute.offers import Offers
from azlab.arm.compute.placements import PlacementGroups
from azlab.arm.compute.run_commands import RunCommands
from azlab.arm.compute.scale_parts import Instances, SetExtensions
from azlab.arm.compute.scale_sets import ScaleSets
from azlab.arm.compute.sshkeys import SshPublicKeys
from azlab.arm.identity.assigned import UserAssignedIdentities
from azlab.arm.network.addresses import NatGateways, PublicAddresses
from azlab.arm.network.allocation import availability
from azlab.arm.network.app_groups import ApplicationSecurityGroups
from azlab.arm.network.balancers import LoadBalancers, Pools
from azlab.arm.network.child import Child
from azlab.arm.network.interfaces import Interfaces
from azlab.arm.network.routes import RouteTables
from azlab.arm.network.security import SecurityGroups
from azlab.arm.network.vnets import Subnets, VirtualNetworks
from azlab.arm.resources.deploy_operations import DeploymentOperations, DeploymentStatuses
from azlab.arm.resources.deployments import Deployments
from azlab.arm.router import Router
from azlab.arm.storage.accounts import StorageAccounts
from azlab.arm.storage.services import Containers, Shares
from azlab.arm.types import Registry
from azlab.lab import Lab


def build(lab: Lab) -> Router:
    """All types, and the router that leads to them."""
    registry = Registry()
    networks, groups, addresses = VirtualNetworks(lab), SecurityGroups(lab), PublicAddresses(lab)
    networks.get_actions["checkipaddressavailability"] = lambda call: availability(call, networks.require(call))
    balancers, interfaces = LoadBalancers(lab, addresses), Interfaces(lab, addresses)
    tables = RouteTables(lab)
    deployments, sets = Deployments(lab), ScaleSets(lab, registry)
    accounts = StorageAccounts(lab)
    for kind in (networks, Subnets(networks, "subnets"), Child(networks, "virtualNetworkPeerings"), tables,
                 Child(tables, "routes"), groups, Child(groups, "securityRules", retry_after=1),
                 Child(groups, "defaultSecurityRules", writable=False), addresses, NatGateways(lab), interfaces,
                 Child(interfaces, "ipConfigurations", writable=False), balancers, Pools(balancers),
                 Child(balancers, "inboundNatRules"),
                 *(Child(balancers, key, writable=False) for key in (
                     "frontendIPConfigurations", "loadBalancingRules", "probes", "outboundRules")),
                 ApplicationSecurityGroups(lab), PlacementGroups(lab), sets, Instances(sets, registry), SetExtensions(sets),
                 AvailabilitySets(lab), Disks(lab), VirtualMachines(lab, registry), Extensions(lab), RunCommands(lab),
                 SshPublicKeys(lab), Images(lab), Galleries(lab), Definitions(lab), Versions(lab), UserAssignedIdentities(lab),
                 accounts, Shares(accounts), Containers(accounts), deployments, DeploymentOperations(deployments), DeploymentStatuses(deployments)):
        registry.add(kind)
    deployments.router = Router(lab, registry, Offers(lab).table())     # templates are deployed by the same way
    return deployments.router
