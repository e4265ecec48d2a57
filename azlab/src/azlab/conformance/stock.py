# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""PURE: bodies for what a recording refers to but does not create, and what a recorded body needs to be sent again.

Recordings tell of a machine's interface by its id only, and their authors removed passwords and keys. What stands in for
them is written here, and nowhere else; each substitution is named so that a report can say it.
"""
from __future__ import annotations

import base64
import ipaddress
import json
import re
from typing import Any

from azlab.catalogue import Catalogue
from azlab.ids import ResourceId, parse

PASSWORD = "Replayed-Passw0rd"
KEY = "ssh-ed25519 " + base64.b64encode(b"\0\0\0\x0bssh-ed25519\0\0\0 " + b"k" * 32).decode()
IMAGE = {"publisher": "Canonical", "offer": "0001-com-ubuntu-server-jammy", "sku": "22_04-lts-gen2", "version": "latest"}
IMAGE_ID = ("/Subscriptions/00000000-0000-0000-0000-000000000000/Providers/Microsoft.Compute/Locations/westeurope/Publishers/Canonical"
            "/ArtifactTypes/VMImage/Offers/0001-com-ubuntu-server-jammy/Skus/22_04-lts-gen2/Versions/latest")
WINDOWS = {"publisher": "MicrosoftWindowsServer", "offer": "WindowsServer", "sku": "2022-datacenter-g2", "version": "latest"}
SIZE = "Standard_B2s"
_ID = re.compile(r"/subscriptions/[^/\s,;'\"]+/resourceGroups/[^/\s,;'\"]+/providers/[^\s,;'\"]+", re.IGNORECASE)
# what only Azure writes, by the key under which it stands: sent along it would be refused or taken for a reference
READ_ONLY = frozenset(["id", "etag", "type", "provisioningState", "resourceGuid", "vmId", "timeCreated", "instanceView", "resources", "uniqueId", "ipConfigurationProfiles", "defaultSecurityRules", "macAddress", "systemData", "diskState", "exactVersion", "primaryEndpoints", "secondaryEndpoints", "creationTime", "keyCreationTime", "statusOfPrimary", "statusOfSecondary", "primaryLocation", "secondaryLocation", "lastEnabledTime", "privateEndpointConnections", "loadBalancerBackendAddresses", "backendIPConfigurations", "backendIPConfiguration", "principalId", "tenantId", "virtualMachines", "managedBy", "purpose", "clientId", "fqdn", "internalDomainNameSuffix", "allowInternetOutbound", "privateEndpoints", "virtualMachine", "outboundRule", "resourceNavigationLinks", "serviceAssociationLinks"])
_BACK = {"networksecuritygroups": ("networkInterfaces", "subnets"), "natgateways": ("subnets",),
         "publicipaddresses": ("ipConfiguration", "ipAddress", "natGateway"), "virtualnetworks": (),
         "networkinterfaces": ("virtualMachine",), "availabilitysets": ("virtualMachines",)}


def refs(value: Any) -> list[str]:
    """All ids of resources in a document, in the order they stand there."""
    found: dict[str, None] = {}
    stack = [value]
    while stack:
        item = stack.pop(0)
        if isinstance(item, dict):
            keys = [k for k in item if k.lower().startswith("/subscriptions/")]         # of userAssignedIdentities
            stack = [*keys, *(v for v in item.values() if isinstance(v, (dict, list, str))), *stack]
        elif isinstance(item, list):
            stack = [*(v for v in item if isinstance(v, (dict, list, str))), *stack]
        elif isinstance(item, str) and item.lower().startswith("/subscriptions/") and parse(item):
            found[item] = None
    return list(found)


def ids_in(text: str) -> list[str]:
    """Ids that an error message names."""
    found = [m.rstrip(".\\") for m in _ID.findall(text)]
    return [m for m in found if parse(m)]


def addresses(value: Any) -> dict[str, list[str]]:
    """Subnet id (lower case) → the private addresses that a document places in it."""
    found: dict[str, list[str]] = {}
    stack = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, dict):
            subnet, address = item.get("subnet"), item.get("privateIPAddress")
            if isinstance(subnet, dict) and isinstance(address, str) and subnet.get("id"):
                found.setdefault(str(subnet["id"]).lower(), []).append(address)
            stack.extend(item.values())
        elif isinstance(item, list):
            stack.extend(item)
    return found


def space(value: Any) -> list[str]:
    """The address ranges that a document names and that the usual private ones do not hold: one network for each."""
    usual = [ipaddress.ip_network(n) for n in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")]
    found: dict[str, None] = {}
    for text in re.findall(r'"addressPrefix(?:es)?": (\[[^\]]*\]|"[^"]*")', json.dumps(value)):
        for prefix_text in re.findall(r'"([^"]+/\d+)"', text):
            try:
                network = ipaddress.ip_network(prefix_text, strict=False)
            except ValueError:
                continue
            wide = network.supernet(new_prefix=min(network.prefixlen, 16 if network.version == 4 else 48))
            if not any(n.version == wide.version and wide.overlaps(n) for n in usual):
                found[str(wide)] = None
    return list(found)


def members(shown: Any, location: str) -> dict[str, dict[str, Any]]:
    """Interface id → body, for the interfaces that Azure showed behind a load balancer."""
    if not isinstance(shown, dict) or str(shown.get("type", "")).lower() != "microsoft.network/loadbalancers":
        return {}
    parts = shown.get("properties") or {}
    places: dict[str, list[tuple[str, str]]] = {}
    for key, inside in (("backendAddressPools", "loadBalancerBackendAddressPools"), ("inboundNatRules", "loadBalancerInboundNatRules")):
        for part in parts.get(key) or []:
            p = part.get("properties") or {}
            entries = [e.get("properties", {}).get("networkInterfaceIPConfiguration") for e in p.get("loadBalancerBackendAddresses") or []]
            for entry in [*entries, *(p.get("backendIPConfigurations") or []), p.get("backendIPConfiguration")]:
                rid = parse(entry["id"]) if entry and "id" in entry else None
                if rid and rid.types[0].lower() == "networkinterfaces" and (inside, part["id"]) not in places.get(str(rid), ()):
                    places.setdefault(str(rid), []).append((inside, part["id"]))
    found: dict[str, dict[str, Any]] = {}
    for text, behind in places.items():
        rid = parse(text)
        assert rid is not None
        subnet = f"{str(rid.root).split('/providers/')[0]}/providers/Microsoft.Network/virtualNetworks/replay-net/subnets/hosts"
        properties: dict[str, Any] = {"subnet": {"id": subnet}}
        for inside, place in behind:
            properties.setdefault(inside, []).append({"id": place})
        body = found.setdefault(str(rid.root), {"location": location, "properties": {"ipConfigurations": []}})
        body["properties"]["ipConfigurations"].append({"name": rid.name, "properties": properties})
    return found


def users(rid: ResourceId, body: Any) -> list[str]:
    """Who uses a resource, by what Azure says of it: those have to be made as well, so that the lab can say it too."""
    if not isinstance(body, dict) or not isinstance(body.get("properties"), dict):
        return []
    properties = body["properties"]
    keys = _BACK.get(rid.types[0].lower(), ())
    found = refs({k: properties.get(k) for k in keys})
    if rid.types[0].lower() == "disks" and body.get("managedBy"):
        found.append(body["managedBy"])
    return [u for u in found if str(parse(u).root).lower() != str(rid.root).lower()]  # type: ignore[union-attr]


def subnet_users(rid: ResourceId, body: Any) -> dict[str, list[str]]:
    """Subnet id → some of the configurations that Azure showed in it."""
    if rid.types[0].lower() != "virtualnetworks" or not isinstance(body, dict) or not isinstance(body.get("properties"), dict):
        return {}
    parts = body["properties"].get("subnets") or [] if len(rid.types) == 1 else [body]
    return {str(s["id"]): refs((s.get("properties") or {}).get("ipConfigurations"))[:3]
            for s in parts if isinstance(s, dict) and "id" in s}


def sendable(rid: ResourceId, body: Any) -> Any:
    """A body as Azure answered it, made into one that a client can send."""
    back = set(_BACK.get(rid.types[0].lower(), ()))

    def clean(value: Any, depth: int, inside: str) -> Any:
        if isinstance(value, list):
            return [clean(v, depth, inside) for v in value]
        if not isinstance(value, dict):
            return value
        kept = {}
        for key, item in value.items():
            if key == "id" and set(value) <= {"id", "resourceGroup", "properties", "storageAccountType", "primary",
                                                  "action", "state"}:
                kept[key] = item            # a reference
            elif key == "type" and depth and not (isinstance(item, str) and item.lower().startswith("microsoft.") and "/" in item):
                kept[key] = item            # of an extension, an identity, an encryption
            elif key in READ_ONLY or (depth == 1 and key in back):
                continue
            elif key == "state" and item == "Locked" and inside.endswith(".immutabilityPolicy"):
                kept[key] = "Unlocked"      # locked is what becomes of it later
            elif key == "ipConfigurations" and rid.types[0].lower() == "virtualnetworks":
                continue
            elif key in ("loadBalancingRules", "inboundNatRules", "outboundRules", "inboundNatPools") and depth > 1:
                continue                    # who uses a frontend, pool or probe
            else:
                kept[key] = clean(item, depth + 1, f"{inside}.{key}")
        return kept

    cleaned = clean(body, 0, "")
    if rid.types[-1].lower() == "disks" and isinstance(cleaned.get("properties"), dict):
        begun = cleaned["properties"].get("creationData") or {}
        image = begun.get("createOption") == "FromImage" and "id" in (begun.get("imageReference") or {})
        if not image and not (begun.get("createOption") == "Copy" and "/disks/" in str(begun.get("sourceResourceId")).lower()):
            cleaned["properties"]["creationData"] = {"createOption": "Empty"}
    return cleaned


def substitute(body: Any, catalogue: Catalogue, *, scale_set: bool = False) -> tuple[Any, set[str]]:
    """(body, what was replaced): secrets that were removed, and what the lab's catalogue does not offer."""
    done: set[str] = set()
    identity = body.get("identity") if isinstance(body, dict) else None
    if scale_set and isinstance(identity, dict) and "SystemAssigned" in str(identity.get("type")):
        done.add("mode")                # of scale sets, only those of the mode Uniform have it
        body = {k: v for k, v in body.items() if k != "identity"}
    windows = any(w in json.dumps(body) for w in ('"windowsConfiguration"', '"Windows"'))
    default = WINDOWS if windows else IMAGE

    def walk(value: Any) -> Any:
        if isinstance(value, list):
            return [walk(v) for v in value]
        if not isinstance(value, dict):
            return value
        kept = {k: walk(v) for k, v in value.items()}
        if isinstance(kept.get("adminUsername"), str) and not re.match(r"^[a-z_][\w-]*$", kept["adminUsername"]):
            done.add("name")
            kept["adminUsername"] = "replayed"
        linux = kept.get("linuxConfiguration") or {}
        has_keys = isinstance(linux, dict) and (linux.get("ssh") or {}).get("publicKeys")
        if isinstance(kept.get("adminUsername"), str) and not has_keys:
            done.add("secret")
            kept["adminPassword"] = PASSWORD
        if isinstance(kept.get("keyData"), str) and "adminUsername" not in kept:
            done.add("secret")
            kept["keyData"] = KEY
        if isinstance(kept.get("customData"), str):
            kept["customData"] = base64.b64encode(b"#!/bin/sh\n").decode()
        if "virtualMachineProfile" in kept or "orchestrationMode" in kept:
            _flexible(kept, done)
        if "capacity" in kept and isinstance(kept.get("name"), str) and kept["name"].lower() not in catalogue.sizes:
            done.add("size")
            kept["name"] = SIZE
        if windows and len(str(kept.get("computerName", ""))) > 15:       # recorders give long names to what was short
            done.add("name")
            kept["computerName"] = "replayed"
        size = kept.get("vmSize")
        if isinstance(size, str) and size.lower() not in catalogue.sizes:
            done.add("size")
            kept["vmSize"] = SIZE
        image = kept.get("imageReference")
        if kept.get("createOption") == "FromImage" and isinstance(image, dict) and "/versions/" in str(image.get("id")).lower():
            done.add("image")
            kept["imageReference"] = {"id": IMAGE_ID}
        elif isinstance(image, dict) and "publisher" in image and catalogue.image_version(
                *(str(image.get(k, "")) for k in ("publisher", "offer", "sku", "version"))) is None:
            done.add("image")
            kept["imageReference"] = dict(default)
            if isinstance(kept.get("osDisk"), dict):
                kept["osDisk"] = {k: v for k, v in kept["osDisk"].items() if k != "diskSizeGB"}
        return kept

    return walk(body), done


def _flexible(properties: dict[str, Any], done: set[str]) -> None:
    """The properties of a scale set without what only the mode Uniform has: the lab makes the other mode."""
    if str(properties.get("orchestrationMode", "")).lower() == "flexible":
        return
    done.add("mode")
    properties["orchestrationMode"] = "Flexible"
    for key in ("overprovision", "doNotRunExtensionsOnOverprovisionedVMs", "platformFaultDomainCount"):
        properties.pop(key, None)
    network = (properties.get("virtualMachineProfile") or {}).get("networkProfile")
    if isinstance(network, dict):
        network.setdefault("networkApiVersion", "2020-11-01")
        for configuration in network.get("networkInterfaceConfigurations") or []:
            for ip in (configuration.get("properties") or {}).get("ipConfigurations") or []:
                ip.get("properties", {}).pop("loadBalancerInboundNatPools", None)


def prefix(index: int, hints: list[str]) -> str:
    """A range for a subnet that holds the given addresses, or one of its own."""
    for hint in hints:
        try:
            return str(ipaddress.ip_network(f"{hint}/24", strict=False))
        except ValueError:
            continue
    return f"10.{200 + index % 50}.0.0/24"


def body_of(rid: ResourceId, location: str, uses: list[str], children: list[ResourceId], group: str) -> dict[str, Any]:
    """The least body that makes a resource of this type; `uses` are ids that it has to refer to."""
    kind, base = rid.types[0].lower(), f"{group}/providers"
    by_kind = {str(parse(u).types[-1]).lower(): u for u in uses if parse(u)}  # type: ignore[union-attr]
    if kind == "virtualnetworks":
        return {"location": location, "properties": {"addressSpace": {"addressPrefixes": [
            "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"]}}}
    if kind == "publicipaddresses":
        return {"location": location, "sku": {"name": "Standard"}, "properties": {"publicIPAllocationMethod": "Static"}}
    if kind == "natgateways":
        return {"location": location, "sku": {"name": "Standard"}, "properties": {
            "publicIpAddresses": [{"id": u} for k, u in by_kind.items() if k == "publicipaddresses"]}}
    if kind == "availabilitysets":
        return {"location": location, "sku": {"name": "Aligned"}, "properties": {}}
    if kind == "disks":
        return {"location": location, "properties": {"creationData": {"createOption": "Empty"}, "diskSizeGB": 4}}
    if kind == "networkinterfaces":
        return _interface(location, by_kind, children, base)
    if kind == "loadbalancers":
        return _balancer(rid, location, by_kind, children, base)
    if kind == "virtualmachines":
        return _machine(rid, location, by_kind, base, [u for u in uses if "/networkinterfaces/" in u.lower()])
    if kind == "virtualmachinescalesets":
        return _scale_set(location, base)
    if kind == "storageaccounts":
        return {"location": location, "sku": {"name": "Standard_LRS"}, "kind": "StorageV2", "properties": {}}
    if kind == "deployments":
        return {"properties": {"mode": "Incremental", "template": {
            "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
            "contentVersion": "1.0.0.0", "resources": []}}}
    if kind == "sshpublickeys":
        return {"location": location, "properties": {"publicKey": KEY}}
    return {"location": location, "properties": {}}


def _interface(location: str, uses: dict[str, str], children: list[ResourceId], base: str) -> dict[str, Any]:
    names = [c.name for c in children] or ["ipconfig1"]
    configurations = []
    for index, name in enumerate(names):
        p: dict[str, Any] = {"subnet": {"id": uses.get("subnets", f"{base}/Microsoft.Network/virtualNetworks/replay-net/subnets/hosts")},
                             "primary": index == 0}
        if "publicipaddresses" in uses and index == 0:
            p["publicIPAddress"] = {"id": uses["publicipaddresses"]}
        configurations.append({"name": name, "properties": p})
    properties: dict[str, Any] = {"ipConfigurations": configurations}
    if "networksecuritygroups" in uses:
        properties["networkSecurityGroup"] = {"id": uses["networksecuritygroups"]}
    return {"location": location, "properties": properties}


def _balancer(rid: ResourceId, location: str, uses: dict[str, str], children: list[ResourceId], base: str) -> dict[str, Any]:
    names: dict[str, list[str]] = {}
    for child in children:
        names.setdefault(child.types[1].lower(), []).append(child.names[1])
    frontend = (names.get("frontendipconfigurations") or ["frontend"])[0]
    address = uses.get("publicipaddresses", f"{base}/Microsoft.Network/publicIPAddresses/replay-{rid.names[0]}")
    place = {"subnet": {"id": uses["subnets"]}} if "subnets" in uses else {"publicIPAddress": {"id": address}}
    properties: dict[str, Any] = {"frontendIPConfigurations": [{"name": frontend, "properties": place}]}
    properties["backendAddressPools"] = [{"name": n} for n in names.get("backendaddresspools", [])]
    properties["probes"] = [{"name": n, "properties": {"protocol": "Tcp", "port": 80, "intervalInSeconds": 15}}
                            for n in names.get("probes", [])]
    properties["inboundNatRules"] = [{"name": n, "properties": {
        "frontendIPConfiguration": {"id": f"{rid}/frontendIPConfigurations/{frontend}"}, "protocol": "Tcp",
        "frontendPort": 50000 + i, "backendPort": 22}} for i, n in enumerate(names.get("inboundnatrules", []))]
    return {"location": location, "sku": {"name": "Standard"}, "properties": properties}


def _machine(rid: ResourceId, location: str, uses: dict[str, str], base: str, nics: list[str]) -> dict[str, Any]:
    nics = nics or [f"{base}/Microsoft.Network/networkInterfaces/replay-{rid.names[0]}"]
    properties: dict[str, Any] = {
        "hardwareProfile": {"vmSize": SIZE},
        "storageProfile": {"imageReference": dict(IMAGE), "osDisk": {"createOption": "FromImage"}},
        "osProfile": {"computerName": "replayed", "adminUsername": "replayed", "adminPassword": PASSWORD},
        "networkProfile": {"networkInterfaces": [{"id": nic, "properties": {"primary": index == 0}} for index, nic in enumerate(nics)]}}
    if "disks" in uses:
        properties["storageProfile"]["dataDisks"] = [{"lun": 0, "createOption": "Attach", "managedDisk": {"id": uses["disks"]}}]
    if "availabilitysets" in uses:
        properties["availabilitySet"] = {"id": uses["availabilitysets"]}
    return {"location": location, "properties": properties}


def _scale_set(location: str, base: str) -> dict[str, Any]:
    subnet = f"{base}/Microsoft.Network/virtualNetworks/replay-net/subnets/hosts"
    return {"location": location, "sku": {"name": SIZE, "capacity": 0}, "properties": {
        "orchestrationMode": "Flexible", "virtualMachineProfile": {
            "storageProfile": {"imageReference": dict(IMAGE), "osDisk": {"createOption": "FromImage"}},
            "osProfile": {"computerNamePrefix": "replayed", "adminUsername": "replayed", "adminPassword": PASSWORD},
            "networkProfile": {"networkApiVersion": "2020-11-01", "networkInterfaceConfigurations": [
                {"name": "nic", "properties": {"primary": True, "ipConfigurations": [{"name": "ip", "properties": {
                    "subnet": {"id": subnet}}}]}}]}}}}


CHILDREN: dict[str, dict[str, Any]] = {
    "securityrules": {"properties": {"priority": 4000, "direction": "Inbound", "access": "Allow", "protocol": "Tcp",
                                     "sourceAddressPrefix": "*", "sourcePortRange": "*", "destinationAddressPrefix": "*",
                                     "destinationPortRange": "22"}},
    "backendaddresspools": {"properties": {}},
    "inboundnatrules": {"properties": {"protocol": "Tcp", "frontendPort": 50999, "backendPort": 22}},
}


def child_of(rid: ResourceId, location: str) -> dict[str, Any] | None:
    """The least body that makes a child of this type by itself; None where there is none."""
    kind = rid.types[1].lower()
    if kind == "subnets":
        return {"properties": {"addressPrefix": prefix(sum(map(ord, rid.name)), [])}}
    if kind == "extensions":
        return {"location": location, "properties": {"publisher": "Microsoft.Azure.Extensions", "type": "CustomScript",
                                                     "typeHandlerVersion": "2.1", "settings": {"commandToExecute": "true"}}}
    if kind == "runcommands":
        return {"location": location, "properties": {"source": {"script": "true"}}}
    return CHILDREN.get(kind)
