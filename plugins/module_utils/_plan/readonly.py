# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Azure returns and does not take back. Private to this collection; pure.

Source: the models of azure-mgmt-network 33.1.0 and azure-mgmt-compute 39.0.0, fields with ``visibility=["read"]``
(a unit test compares). The paths leave list positions out.
"""

from __future__ import annotations

from typing import Dict, Tuple

# Of every resource and of every named child (children of resources are one level of ``properties`` below).
_OWN = ("etag", "systemData", "properties.provisioningState", "properties.resourceGuid")
_CHILD = ("etag", "type", "properties.provisioningState")

# type -> (lists of children, further paths)
_TABLE: Dict[str, Tuple[Tuple[str, ...], Tuple[str, ...]]] = {
    "microsoft.network/virtualnetworks": (
        ("subnets", "virtualNetworkPeerings"),
        (
            "properties.flowLogs", "properties.defaultPublicNatGateway",
            "properties.subnets.properties.ipConfigurations",
            "properties.subnets.properties.ipConfigurationProfiles", "properties.subnets.properties.privateEndpoints",
            "properties.subnets.properties.purpose", "properties.subnets.properties.resourceNavigationLinks",
            "properties.subnets.properties.serviceAssociationLinks",
            "properties.subnets.properties.serviceEndpoints.provisioningState",
        ),
    ),
    "microsoft.network/networksecuritygroups": (
        ("securityRules",),
        (
            "properties.defaultSecurityRules", "properties.flowLogs", "properties.networkInterfaces",
            "properties.subnets",
        ),
    ),
    "microsoft.network/publicipaddresses": ((), ("properties.ipConfiguration", "properties.upgradedToV2")),
    "microsoft.network/natgateways": ((), ("properties.subnets",)),
    "microsoft.network/loadbalancers": (
        (
            "backendAddressPools", "frontendIPConfigurations", "inboundNatRules", "loadBalancingRules", "outboundRules",
            "probes",
        ),
        (
            "properties.backendAddressPools.properties.backendIPConfigurations",
            "properties.backendAddressPools.properties.inboundNatRules",
            "properties.backendAddressPools.properties.loadBalancingRules",
            "properties.backendAddressPools.properties.outboundRule",
            "properties.backendAddressPools.properties.outboundRules",
            "properties.frontendIPConfigurations.properties.inboundNatPools",
            "properties.frontendIPConfigurations.properties.inboundNatRules",
            "properties.frontendIPConfigurations.properties.loadBalancingRules",
            "properties.frontendIPConfigurations.properties.outboundRules",
            "properties.inboundNatRules.properties.backendIPConfiguration",
            "properties.probes.properties.loadBalancingRules",
        ),
    ),
    "microsoft.network/networkinterfaces": (
        ("ipConfigurations",),
        (
            "properties.defaultOutboundConnectivityEnabled", "properties.dnsSettings.appliedDnsServers",
            "properties.dnsSettings.internalDomainNameSuffix", "properties.dnsSettings.internalFqdn",
            "properties.dscpConfiguration", "properties.hostedWorkloads", "properties.macAddress",
            "properties.primary", "properties.privateEndpoint", "properties.tapConfigurations",
            "properties.virtualMachine", "properties.vnetEncryptionSupported",
            "properties.ipConfigurations.properties.privateLinkConnectionProperties",
        ),
    ),
    "microsoft.compute/virtualmachinescalesets": (
        (),
        (
            "identity.principalId", "identity.tenantId", "properties.uniqueId", "properties.timeCreated",
            "properties.virtualMachineProfile.timeCreated",
        ),
    ),
    "microsoft.compute/virtualmachines": (
        (),
        (
            "resources", "identity.principalId", "identity.tenantId", "managedBy", "properties.instanceView",
            "properties.vmId", "properties.timeCreated", "properties.storageProfile.imageReference.exactVersion",
        ),
    ),
}


def read_only_paths(type_: str) -> Tuple[str, ...]:
    """The paths to leave out of a PUT of this type."""
    children, further = _TABLE.get(type_.lower(), ((), ()))
    below = tuple("properties.{0}.{1}".format(child, path) for child in children for path in _CHILD)
    return _OWN + below + further
