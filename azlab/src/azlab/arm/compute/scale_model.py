# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The model of a flexible scale set: the profile of its machines as Azure shows it, and the body of one machine made from it.

The profile is checked as a machine's body is (`vm_body`), so that what a set takes its machines take as well.
"""
from __future__ import annotations

import secrets
import string
import uuid
from typing import Any

from azlab.arm.compute import vm_body, windows
from azlab.arm.compute.base import invalid, listed, section
from azlab.errors import arm_error
from azlab.lab import Lab

SECRETS = ("adminPassword", "customData")
# members of the profile that machines take over as they are
TAKEN = ("priority", "evictionPolicy", "billingProfile", "licenseType", "securityProfile", "diagnosticsProfile", "applicationProfile",
         "scheduledEventsProfile")
_COMPUTER = string.ascii_uppercase + string.digits


def merged(old: Any, new: Any) -> Any:
    """`new` laid over `old`: what an update does not say stays; lists are replaced."""
    if isinstance(old, dict) and isinstance(new, dict):
        return {**old, **{k: merged(old.get(k), v) for k, v in new.items()}}
    return new


def profile(lab: Lab, given: dict[str, Any], size: str, location: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """(the profile as it is shown, its secrets). `size` is `sku.name`. Raises Azure's errors."""
    os_given, storage = section(given, "osProfile"), section(given, "storageProfile")
    size = vm_body.check_size(lab, {"hardwareProfile": {"vmSize": size}}, location)
    image = vm_body.check_image(lab, storage, location)
    os_shown, hidden = _os(os_given, image)
    shown = {"osProfile": os_shown, "storageProfile": _storage(lab, storage, image, size),
             "networkProfile": _network(section(given, "networkProfile"))}
    extensions = listed(section(given, "extensionProfile"), "extensions")
    if extensions:
        kept = [extension(e) for e in extensions]
        shown["extensionProfile"] = {"extensions": [e for e, _ in kept],
                                     **{k: v for k, v in given["extensionProfile"].items() if k == "extensionsTimeBudget"}}
        hidden["protected"] = {e["name"]: p for e, p in kept if p}
    shown.update({k: given[k] for k in (*TAKEN, "hardwareProfile") if k in given})
    if given.get("userData"):
        hidden["userData"] = given["userData"]
    return shown, hidden


def with_secrets(shown: dict[str, Any], hidden: dict[str, Any]) -> dict[str, Any]:
    """A shown profile with its secrets in their places again."""
    full = merged(shown, {"osProfile": {k: hidden[k] for k in SECRETS if k in hidden}})
    if "userData" in hidden:
        full["userData"] = hidden["userData"]
    return dict(full)


def _os(given: dict[str, Any], image: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    prefix = given.get("computerNamePrefix")
    if not prefix:
        raise arm_error("required", target="virtualMachineProfile.osProfile.computerNamePrefix")
    system, limit = ("Windows", windows.NAME_LIMIT - 6) if windows.is_windows(image) else ("Linux", 58)
    if len(str(prefix)) > limit:
        raise invalid("computerNamePrefix", f"The computer name prefix of {system} machines cannot exceed {limit} characters.")
    shown, hidden = vm_body.os_profile({"osProfile": {**given, "computerName": f"{prefix}00000a"}}, "", image)
    shown.pop("computerName")
    return {"computerNamePrefix": prefix, **shown}, hidden


def _storage(lab: Lab, given: dict[str, Any], image: dict[str, Any], size: str) -> dict[str, Any]:
    disk = vm_body.os_disk(lab, {"osDisk": {"deleteOption": "Delete", **section(given, "osDisk")}}, "", image, size)
    disk.pop("name")
    disks = vm_body.data_disks(lab, given, "", size, "")
    if any(d["createOption"] == "Attach" for d in disks):
        raise invalid("dataDisks.createOption", "The data disks of a virtual machine scale set cannot be existing disks.")
    named = {d.get("lun"): d["name"] for d in listed(given, "dataDisks") if d.get("name")}
    for entry in disks:
        entry.pop("toBeDetached")
        entry["deleteOption"] = next((d["deleteOption"] for d in listed(given, "dataDisks")
                                      if d.get("lun") == entry["lun"] and "deleteOption" in d), "Delete")
        entry["name"] = named.get(entry["lun"])
    shown = {"osDisk": disk, "imageReference": {k: v for k, v in given["imageReference"].items() if k != "exactVersion"},
             "diskControllerType": given.get("diskControllerType", "SCSI")}
    if disks:
        shown["dataDisks"] = [{k: v for k, v in d.items() if v is not None} for d in disks]
    return shown


def _network(given: dict[str, Any]) -> dict[str, Any]:
    """The network profile with Azure's defaults; what it refers to is checked by `references`."""
    if not listed(given, "networkInterfaceConfigurations"):
        raise arm_error("required", target="virtualMachineProfile.networkProfile.networkInterfaceConfigurations")
    return {"networkApiVersion": given.get("networkApiVersion"), "networkInterfaceConfigurations": [
        _interface(c) for c in vm_body.configurations({"networkProfile": given})]}


def _interface(given: dict[str, Any]) -> dict[str, Any]:
    p = section(given, "properties")
    configurations = [_ip(c) for c in listed(p, "ipConfigurations")]
    if not configurations:
        raise arm_error("required", target="networkInterfaceConfigurations.ipConfigurations")
    shown: dict[str, Any] = {"primary": vm_body.flag(p.get("primary", True)), "disableTcpStateTracking": False,
                             "enableIPForwarding": False, "auxiliaryMode": "None", "auxiliarySku": "None", "deleteOption": "Delete"}
    shown.update({k: vm_body.flag(p[k]) for k in ("disableTcpStateTracking", "enableIPForwarding", "enableAcceleratedNetworking") if k in p})
    shown.update({k: p[k] for k in ("auxiliaryMode", "auxiliarySku", "deleteOption") if k in p})
    shown["ipConfigurations"] = configurations
    if "networkSecurityGroup" in p:
        shown["networkSecurityGroup"] = {"id": p["networkSecurityGroup"].get("id")}
    shown["dnsSettings"] = {"dnsServers": section(p, "dnsSettings").get("dnsServers", [])}
    return {"name": given["name"], "properties": shown, **({"tags": given["tags"]} if "tags" in given else {})}


def _ip(given: dict[str, Any]) -> dict[str, Any]:
    p = section(given, "properties")
    if not given.get("name"):
        raise arm_error("required", target="ipConfigurations.name")
    if p.get("loadBalancerInboundNatPools"):
        raise invalid("loadBalancerInboundNatPools", "Inbound NAT pools are not supported for Virtual Machine Scale Sets with "
                                                     "orchestration mode Flexible: use an inbound NAT rule of the backend pool.")
    if not p.get("subnet"):
        raise arm_error("required", target="ipConfigurations.subnet")
    shown: dict[str, Any] = {"privateIPAddressVersion": p.get("privateIPAddressVersion", "IPv4")}
    for key in ("primary", "subnet", "publicIPAddressConfiguration"):
        if key in p:
            shown[key] = vm_body.flag(p[key]) if key == "primary" else p[key]
    address = section(shown, "publicIPAddressConfiguration")
    if address:
        shown["publicIPAddressConfiguration"] = {**address, "properties": {"ipTags": [], **section(address, "properties")}}
    for key in ("applicationSecurityGroups", "loadBalancerBackendAddressPools", "applicationGatewayBackendAddressPools"):
        shown[key] = [{"id": r.get("id")} for r in listed(p, key)]
    return {"name": given["name"], "properties": shown}


def references(shown: dict[str, Any]) -> list[dict[str, Any]]:
    """All that the machines' interfaces will refer to: subnets, security groups, pools."""
    found = []
    for configuration in shown["networkProfile"]["networkInterfaceConfigurations"]:
        p = configuration["properties"]
        found += [p["networkSecurityGroup"]] if "networkSecurityGroup" in p else []
        for ip in p["ipConfigurations"]:
            found.append(ip["properties"]["subnet"])
            found += ip["properties"]["loadBalancerBackendAddressPools"] + ip["properties"]["applicationSecurityGroups"]
    return found


def extension(given: dict[str, Any]) -> tuple[dict[str, Any], Any]:
    """(an extension of the profile as it is shown, its protected settings)."""
    p = dict(section(given, "properties"))
    if not given.get("name"):
        raise arm_error("required", target="extensionProfile.extensions.name")
    for key in ("publisher", "type", "typeHandlerVersion"):
        if not p.get(key):
            raise arm_error("required", target=f"VMSSExtension.{key}")
    protected = p.pop("protectedSettings", None)
    p.pop("provisioningState", None)
    return {"name": given["name"], "properties": {"autoUpgradeMinorVersion": False, **p, "settings": p.get("settings", {})}}, protected


def machine(shown: dict[str, Any], hidden: dict[str, Any], name: str, size: str, set_id: str) -> dict[str, Any]:
    """The properties of a new machine of the set."""
    full = with_secrets(shown, hidden)
    os_profile = {k: v for k, v in full["osProfile"].items() if k != "computerNamePrefix"}
    os_profile["computerName"] = full["osProfile"]["computerNamePrefix"] + "".join(secrets.choice(_COMPUTER) for _ in range(6))
    storage = dict(full["storageProfile"])
    storage["osDisk"] = {**storage["osDisk"], "name": f"{name}_disk1_{uuid.uuid4().hex}"}
    storage["dataDisks"] = [{**d, "name": f"{d.get('name') or name}_disk{i + 2}_{uuid.uuid4().hex}"}
                            for i, d in enumerate(storage.get("dataDisks", []))]
    return {"hardwareProfile": {**full.get("hardwareProfile", {}), "vmSize": size}, "storageProfile": storage, "osProfile": os_profile,
            "networkProfile": full["networkProfile"], "virtualMachineScaleSet": {"id": set_id},
            **{k: full[k] for k in (*TAKEN, "userData") if k in full}}
