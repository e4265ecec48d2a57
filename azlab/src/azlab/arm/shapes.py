# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""PURE: what must be an object, a list or text in the bodies that the lab reads, whatever the type.

So that handlers can rely on it, and a client that sends `"subnets": 5` gets Azure's 400 and not a 500.
"""
from __future__ import annotations

from typing import Any

from azlab.errors import arm_error

OBJECTS = frozenset(["properties", "addressSpace", "dhcpOptions", "sku", "dnsSettings", "hardwareProfile", "storageProfile", "osProfile", "networkProfile", "linuxConfiguration", "ssh", "imageReference", "osDisk", "managedDisk", "subnet", "publicIPAddress", "networkSecurityGroup", "natGateway", "routeTable", "frontendIPConfiguration", "backendAddressPool", "probe", "virtualNetwork", "identity", "creationData", "availabilitySet", "networkInterfaceIPConfiguration", "patchSettings", "ipConfiguration", "securityProfile", "diagnosticsProfile", "protectedSettings", "settings", "plan", "ddosSettings", "proximityPlacementGroup", "virtualMachineProfile", "virtualMachineScaleSet", "extensionProfile", "upgradePolicy", "scaleInPolicy", "publicIPAddressConfiguration", "protectionPolicy", "priorityMixPolicy", "intent"])
OBJECT_LISTS = frozenset(["subnets", "ipConfigurations", "securityRules", "publicKeys", "dataDisks", "networkInterfaces", "frontendIPConfigurations", "backendAddressPools", "loadBalancingRules", "probes", "inboundNatRules", "outboundRules", "inboundNatPools", "publicIpAddresses", "loadBalancerBackendAddressPools", "loadBalancerInboundNatRules", "loadBalancerBackendAddresses", "applicationSecurityGroups", "sourceApplicationSecurityGroups", "destinationApplicationSecurityGroups", "networkInterfaceConfigurations", "extensions", "applicationGatewayBackendAddressPools", "routes", "virtualNetworkPeerings"])
TEXT_LISTS = frozenset(["addressPrefixes", "dnsServers", "zones", "sourcePortRanges", "destinationPortRanges", "sourceAddressPrefixes", "destinationAddressPrefixes"])
TEXTS = frozenset(["location", "name", "vmSize", "publisher", "offer", "sku", "version", "adminUsername", "computerName", "adminPassword", "customData", "keyData", "path", "addressPrefix", "privateIPAddress", "privateIPAllocationMethod", "publicIPAllocationMethod", "protocol", "access", "direction", "caching", "createOption", "deleteOption", "storageAccountType", "domainNameLabel", "loadDistribution", "requestPath", "description", "typeHandlerVersion", "type", "ipAddress"])
_OPAQUE = frozenset(("tags", "settings", "protectedSettings", "userAssignedIdentities"))


def check(value: dict[str, Any], path: str = "") -> None:
    """Raise InvalidRequestContent for the first member of a wrong kind."""
    for key, item in value.items():
        where = f"{path}.{key}" if path else key
        if key in OBJECTS and not isinstance(item, dict) and not where.endswith(("imageReference.sku", "identifier.sku")):
            raise _wrong(where, "an object")
        if where == "sku" and not isinstance(item.get("name", ""), str):
            raise _wrong("sku.name", "text")
        if key in OBJECT_LISTS and not (isinstance(item, list) and all(isinstance(i, dict) for i in item)):
            raise _wrong(where, "a list of objects")
        if key in TEXT_LISTS and not (isinstance(item, list) and all(isinstance(i, (str, int)) for i in item)):
            raise _wrong(where, "a list of text")
        if key in TEXTS and isinstance(item, (dict, list)) and key not in OBJECTS:
            raise _wrong(where, "text")
        if key in _OPAQUE:
            continue
        if isinstance(item, dict):
            check(item, where)
        elif isinstance(item, list):
            for index, entry in enumerate(item):
                if isinstance(entry, dict):
                    check(entry, f"{where}[{index}]")


def _wrong(where: str, wanted: str) -> Exception:
    return arm_error("bad_content", why=f"Error converting a value: it must be {wanted}. Path '{where}'.")
