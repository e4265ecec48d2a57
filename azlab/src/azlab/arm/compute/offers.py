# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be had in a region: sizes, SKUs, images, extension types, usages. Image answers are bare arrays."""
from __future__ import annotations

import re
from typing import Any

from azlab.arm.compute.base import VM
from azlab.arm.wire import Answer, Call
from azlab.catalogue import Size
from azlab.errors import arm_error
from azlab.lab import Lab
from azlab.limits import COMPUTE, NETWORK, SPOT

RUN_SHELL_SCRIPT: dict[str, Any] = {
    "$schema": "http://schema.management.azure.com/schemas/2016-11-17/runcommands.json", "id": "RunShellScript",
    "osType": "Linux", "label": "Executes a Linux shell script",
    "description": "Custom multiline shell script should be defined in script property. Optional parameters can be set in "
                   "parameters property.",
    "script": ["echo $arg1 $arg2"],
    "parameters": [{"name": "arg1", "type": "string", "defaultValue": "hello"},
                   {"name": "arg2", "type": "string", "defaultValue": "world"}]}


RUN_POWER_SHELL_SCRIPT: dict[str, Any] = {
    "$schema": "http://schema.management.azure.com/schemas/2016-11-17/runcommands.json", "id": "RunPowerShellScript",
    "osType": "Windows", "label": "Executes a PowerShell script",
    "description": "Custom multiline PowerShell script should be defined in script property. Optional parameters can be set in "
                   "parameters property.",
    "script": ["param(", "    [string]$arg1,", "    [string]$arg2", ")", "Write-Host This is a sample script with parameters $arg1 $arg2"],
    "parameters": [{"name": "arg1", "type": "string", "defaultValue": "hello"},
                   {"name": "arg2", "type": "string", "defaultValue": "world"}]}
RUN_COMMANDS = {d["id"].lower(): d for d in (RUN_POWER_SHELL_SCRIPT, RUN_SHELL_SCRIPT)}


def size_entry(size: Size) -> dict[str, Any]:
    return {"name": size.name, "numberOfCores": size.cores, "osDiskSizeInMB": 1047552,
            "resourceDiskSizeInMB": size.resource_disk_mb, "memoryInMB": size.memory_mb,
            "maxDataDiskCount": size.max_data_disks}


class Offers:
    """Handlers below /providers/Microsoft.Compute/{skus,locations/…}."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab

    def table(self) -> dict[str, Any]:
        """Path (in lower case) → handler, for the router."""
        prefix = "microsoft.compute"
        return {f"{prefix}/skus": self.skus, f"{prefix}/locations/vmsizes": self.sizes,
                f"{prefix}/locations/usages": self.usages, f"{prefix}/locations/publishers": self.publishers,
                f"{prefix}/locations/runcommands": self.run_commands,
                "microsoft.network/locations/usages": self.network_usages,
                "microsoft.storage/locations/usages": self.storage_usages}

    def _region(self, call: Call) -> dict[str, Any]:
        region = self.lab.catalogue.region(call.tail[0])
        if region is None:
            raise arm_error("no_provider", location=call.tail[0], version=call.api_version,
                            type=f"locations/{call.tail[1]}", supported=call.api_version,
                            locations=", ".join(self.lab.catalogue.regions))
        return region

    def sizes(self, call: Call) -> Answer:
        self._region(call)
        return Answer(200, {"value": [size_entry(s) for s in self.lab.catalogue.sizes.values()]})

    def skus(self, call: Call) -> Answer:
        """All sizes, in one region with `$filter=location eq '…'`."""
        text = call.query.get("$filter", "")
        match = re.fullmatch(r"\s*location\s+eq\s+'([^']*)'\s*", text, re.IGNORECASE)
        if text and not match:
            raise arm_error("filter", filter=text)
        regions = list(self.lab.catalogue.regions.values())
        if match:
            found = self.lab.catalogue.region(match[1])
            regions = [found] if found else []
        else:
            regions = regions[:]
        return Answer(200, {"value": [self._sku(s, r) for r in regions for s in self.lab.catalogue.sizes.values()]})

    def _sku(self, size: Size, region: dict[str, Any]) -> dict[str, Any]:
        capabilities = {"vCPUs": size.cores, "vCPUsAvailable": size.cores, "MemoryGB": f"{size.memory_mb / 1024:g}",
                        "MaxDataDiskCount": size.max_data_disks, "PremiumIO": size.premium,
                        "HyperVGenerations": size.generations, "CpuArchitectureType": "x64",
                        "MaxResourceVolumeMB": size.resource_disk_mb, "OSVhdSizeMB": 1047552,
                        "AcceleratedNetworkingEnabled": size.cores > 1, "EphemeralOSDiskSupported": size.ephemeral,
                        "LowPriorityCapable": True, "EncryptionAtHostSupported": True, "MaxNetworkInterfaces": 2}
        return {"resourceType": "virtualMachines", "name": size.name, "tier": "Standard",
                "size": size.name.split("_", 1)[1], "family": size.family, "locations": [region["name"]],
                "locationInfo": [{"location": region["name"], "zones": region["zones"], "zoneDetails": []}],
                "capabilities": [{"name": k, "value": str(v)} for k, v in capabilities.items()],
                "restrictions": self.lab.limits.restrictions(size.name, region)}

    def usages(self, call: Call) -> Answer:
        region = self._region(call)["name"]
        limits, cores = self.lab.limits, self.lab.limits.used_cores(region, call.subscription)
        machines = len([m for m in self.lab.store.of_type(VM, call.subscription) if m.location == region])
        sets = len([s for s in self.lab.store.of_type("Microsoft.Compute/availabilitySets", call.subscription) if s.location == region])
        rows = [("availabilitySets", "Availability Sets", sets, COMPUTE["availabilitySets"]),
                ("cores", "Total Regional vCPUs", cores["cores"], None),
                ("virtualMachines", "Virtual Machines", machines, COMPUTE["virtualMachines"]),
                (SPOT, "Total Regional Low-priority vCPUs", cores[SPOT], None)]
        rows += [(f, f.replace("standard", "Standard ").replace("Family", " Family vCPUs"), cores.get(f, 0), None)
                 for f in dict.fromkeys(s.family for s in self.lab.catalogue.sizes.values())]
        return Answer(200, {"value": [_usage(n, t, used, limits.limit(n, region, default)) for n, t, used, default in rows]})

    def network_usages(self, call: Call) -> Answer:
        region = self._region(call)["name"]

        def count(kind: str) -> int:
            return len([r for r in self.lab.store.of_type(f"Microsoft.Network/{kind}", call.subscription) if r.location == region])
        base = f"/subscriptions/{call.subscription}/providers/Microsoft.Network/locations/{region}/usages"
        return Answer(200, {"value": [{**_usage(n, " ".join(w[0].upper() + w[1:] for w in words.split()), count(kind),
                                                self.lab.limits.limit(n, region, limit)), "id": f"{base}/{n}"}
                                      for n, (kind, words, _code, limit) in NETWORK.items()]})

    def storage_usages(self, call: Call) -> Answer:
        region = self._region(call)["name"]
        accounts = [a for a in self.lab.store.of_type("Microsoft.Storage/storageAccounts", call.subscription) if a.location == region]
        return Answer(200, {"value": [_usage("StorageAccounts", "Storage Accounts", len(accounts), 250)]})

    def run_commands(self, call: Call) -> Answer:
        """…/locations/{region}/runCommands[/{command}]: the documents of what `runCommand` takes."""
        self._region(call)
        if len(call.tail) == 2:
            return Answer(200, {"value": [{k: v for k, v in document.items() if k not in ("script", "parameters")}
                                          for document in RUN_COMMANDS.values()]})
        if call.tail[2].lower() not in RUN_COMMANDS:
            raise arm_error("run_command", command=call.tail[2])
        return Answer(200, RUN_COMMANDS[call.tail[2].lower()])

    # -- images and extensions
    def publishers(self, call: Call) -> Answer:
        """…/locations/{region}/publishers[/{publisher}/artifacttypes/{vmimage|vmextension}/…]"""
        region = self._region(call)["name"]
        rest = call.tail[2:]
        base = f"/Subscriptions/{call.subscription}/Providers/Microsoft.Compute/Locations/{region}/Publishers"
        if not rest:
            names = sorted({i["publisher"] for i in self.lab.catalogue.images["images"]}
                           | {e["publisher"] for e in self.lab.catalogue.extensions})
            return Answer(200, [{"location": region, "name": n, "id": f"{base}/{n}"} for n in names])
        lower = [r.lower() for r in rest]
        if lower[1:3] == ["artifacttypes", "vmimage"]:
            return self._images(call, region, base, rest)
        if lower[1:3] == ["artifacttypes", "vmextension"]:
            return self._extensions(region, base, rest)
        raise arm_error("catalogue", what="/".join(rest))

    def _images(self, call: Call, region: str, base: str, rest: tuple[str, ...]) -> Answer:
        """offers[/{offer}/skus[/{sku}/versions[/{version}]]]"""
        levels = {"offers": "offer", "skus": "sku", "versions": "versions"}
        found = [i for i in self.lab.catalogue.images["images"] if i["publisher"].lower() == rest[0].lower()]
        names, kinds = list(rest[4::2]), [k.lower() for k in rest[3::2]]
        if kinds != ["offers", "skus", "versions"][:len(kinds)] or not kinds:
            raise arm_error("catalogue", what="/".join(rest))
        for kind, name in zip(kinds, names):
            if kind != "versions":
                found = [i for i in found if i[levels[kind]].lower() == name.lower()]
        if not found:
            raise arm_error("catalogue", what="VMImage")
        prefix = f"{base}/{found[0]['publisher']}/ArtifactTypes/VMImage"
        if len(kinds) > 1:
            prefix += f"/Offers/{found[0]['offer']}"
        if len(kinds) > 2:
            prefix += f"/Skus/{found[0]['sku']}"
        if kinds[-1] == "versions" and len(names) == 3:
            return self._image_version(region, prefix, found[0], names[2])
        values = (list(found[0]["versions"]) if kinds[-1] == "versions"
                  else list(dict.fromkeys(i[levels[kinds[-1]]] for i in found)))
        return Answer(200, [{"location": region, "name": v, "id": f"{prefix}/{kinds[-1].capitalize()}/{v}"}
                            for v in self._paged(call, values)])

    @staticmethod
    def _paged(call: Call, values: list[str]) -> list[str]:
        order, top = call.query.get("$orderby", "").lower(), call.query.get("$top", "")
        if order.endswith(" desc"):
            values = values[::-1]
        return values[:int(top)] if top.isdigit() else values

    @staticmethod
    def _image_version(region: str, prefix: str, image: dict[str, Any], version: str) -> Answer:
        if version.lower() == "latest":
            version = image["versions"][-1]
        if version not in image["versions"]:
            raise arm_error("catalogue", what="VMImage")
        return Answer(200, {"location": region, "name": version, "id": f"{prefix}/Versions/{version}", "properties": {
            "hyperVGeneration": image["generation"], "architecture": "x64", "replicaType": "Managed",
            "disallowed": {"vmDiskType": "Unmanaged"}, "imageDeprecationStatus": {"imageState": "Active"},
            "automaticOSUpgradeProperties": {"automaticOSUpgradeSupported": False},
            "osDiskImage": {"operatingSystem": image.get("os", "Linux"), "sizeInGb": image["sizeGB"]}, "dataDiskImages": []}})

    def _extensions(self, region: str, base: str, rest: tuple[str, ...]) -> Answer:
        """types[/{type}/versions[/{version}]]"""
        found = [e for e in self.lab.extension_types() if e["publisher"].lower() == rest[0].lower()]
        if not found or len(rest) < 4 or rest[3].lower() != "types":
            raise arm_error("catalogue", what="/".join(rest))
        prefix = f"{base}/{found[0]['publisher']}/ArtifactTypes/VMExtension/Types"
        if len(rest) == 4:
            return Answer(200, [{"location": region, "name": e["type"], "id": f"{prefix}/{e['type']}"} for e in found])
        kind = next((e for e in found if e["type"].lower() == rest[4].lower()), None)
        if kind is None:
            raise arm_error("artifact", publisher=rest[0], type=rest[4], location=region)
        versions = [{"location": region, "name": v, "id": f"{prefix}/{kind['type']}/Versions/{v}"}
                    for v in kind["versions"]]
        if len(rest) == 6:
            return Answer(200, versions)
        one = next((v for v in versions if len(rest) == 7 and v["name"] == rest[6]), None)
        if one is None:
            raise arm_error("artifact_version", publisher=rest[0], type=rest[4], version=rest[-1], location=region)
        return Answer(200, {**one, "properties": {"operatingSystem": "Linux", "computeRole": "IaaS",
                                                  "vmScaleSetEnabled": False, "supportsMultipleExtensions": False}})


def _usage(name: str, text: str, value: int, limit: int) -> dict[str, Any]:
    return {"unit": "Count", "currentValue": value, "limit": limit, "name": {"value": name, "localizedValue": text}}
