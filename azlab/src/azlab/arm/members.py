# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""PURE: a member that a type does not know is refused, as Azure refuses it; members are known without case, as on Azure.

The names come from the machine-readable types of azure-mgmt-compute, -network and -storage (`types.py`; of storage also what its
models can only read) and the models of azure-mgmt-resource-locks, read once by `python -m azlab.arm.members SITE_PACKAGES FILE` into
`data/members.json`, so that the lab needs none of them to run. They are those of the newest api-version, which knows nearly
everything that older ones know; names are compared without case.
"""
from __future__ import annotations

import ast
import json
import sys
from collections.abc import Iterator
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from azlab.errors import ArmError, arm_error, network_error

ROOTS = {"compute": {"virtualMachines": "VirtualMachine", "virtualMachines/extensions": "VirtualMachineExtension",
                     "virtualMachines/runCommands": "VirtualMachineRunCommand", "disks": "Disk",
                     "availabilitySets": "AvailabilitySet", "sshPublicKeys": "SshPublicKeyResource",
                     "virtualMachineScaleSets": "VirtualMachineScaleSet", "proximityPlacementGroups": "ProximityPlacementGroup",
                     "images": "Image", "galleries": "Gallery", "galleries/images": "GalleryImage",
                     "galleries/images/versions": "GalleryImageVersion",
                     "virtualMachineScaleSets/extensions": "VirtualMachineScaleSetExtension"},
         "network": {"virtualNetworks": "VirtualNetwork", "virtualNetworks/subnets": "Subnet",
                     "networkSecurityGroups": "NetworkSecurityGroup", "networkSecurityGroups/securityRules": "SecurityRule",
                     "publicIPAddresses": "PublicIPAddress", "natGateways": "NatGateway", "networkInterfaces": "NetworkInterface",
                     "loadBalancers": "LoadBalancer", "loadBalancers/backendAddressPools": "BackendAddressPool",
                     "loadBalancers/inboundNatRules": "InboundNatRule", "applicationSecurityGroups": "ApplicationSecurityGroup",
                     "virtualNetworks/virtualNetworkPeerings": "VirtualNetworkPeering", "routeTables": "RouteTable",
                     "routeTables/routes": "Route"},
         "storage": {"storageAccounts": "StorageAccountCreateParameters", "storageAccounts/fileServices/shares": "FileShare",
                     "storageAccounts/blobServices/containers": "BlobContainer"}}
# what is written by one class and read by another: the read-only members of the second count as well, since clients send them back
_READ_BY = {"StorageAccountCreateParameters": "StorageAccount", "StorageAccountPropertiesCreateParameters": "StorageAccountProperties"}
# packages whose models say what belongs where by attribute maps
_MAPPED = {"microsoft.authorization/locks": ("resource/locks", "locks", "ManagementLockObject")}
# what ARM takes at the top of every resource, and what templates and older versions add
_TOP = frozenset(("id", "name", "type", "etag", "location", "tags", "sku", "kind", "zones", "identity", "plan", "properties", "apiversion",
                  "resources", "systemdata", "managedby", "extendedlocation", "resourcegroup", "dependson", "comments", "scale",
                  "condition", "scope"))
# what Azure shows although the packages' types do not name it: clients send back what they read, and that is never wrong
_SHOWN = frozenset(("provisioningstate", "resourceguid", "id", "name", "type", "etag", "resourcegroup",
                    "enabledestinationserviceendpoint", "allowport25out", "allowbackendportconflict", "subnetid", "tier",
                    "outboundnatrules", "linkedresourcetype", "linkedresourceid", "sourceimage", "destinationvhdscontainer",
                    "defaultoutboundconnectivityenabled", "auxiliarymode", "auxiliarysku", "nictype", "isarmresource", "exactversion",
                    "requireguestprovisionsignal", "vnetencryptionsupported", "enablevmprotection", "macaddress", "hostedworkloads",
                    "dscpconfiguration", "ipconfigurationprofiles", "purpose", "ipv6rules", "scope", "privateipaddresses",
                    "privateipaddressesv6", "diskcontrollertype", "timecreated",
                    "inboundnatrulesportmapping", "zones", "userdata", "allocationpolicy", "baremetalserver",
                    "trusteddirectories", "hnsonmigrationinprogress", "primaryextendedlocation", "azurefilesaadintegration",
                    "enableazurefilesaadintegration", "routeservicevips"))
_COMPUTED = frozenset(("inboundnatrulesportmapping", "instanceview", "backendipconfigurations", "privateendpoints"))  # only Azure writes them
_OPAQUE = "*"


@cache
def _data() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(resources.files("azlab.data").joinpath("members.json").read_text())
    found["lower"] = {name: {k.lower(): (k, v) for k, v in members.items()} for name, members in found["classes"].items()}
    return found


def check(type_name: str, body: dict[str, Any]) -> None:
    """Give the members of a body their documented casing, in place (the Azure CLI writes `diskSizeGb`).

    Raises Azure's error for the members that the type does not know; types without names are not checked.
    """
    root = _data()["roots"].get(type_name.lower())
    if root is None:
        return
    unknown = list(_unknown(body, root, ""))
    if not unknown:
        return
    unknown = [(path, owner.split(".")[1]) for path, owner in unknown]
    text = [(path, f"Could not find member '{path.rsplit('.', 1)[-1]}' on object of type '{owner}'. Path '{path}', line 1, position 1.")
            for path, owner in unknown]
    if type_name.lower().startswith("microsoft.network/"):
        raise network_error("format", details=[{"code": "InvalidJson", "message": t} for _p, t in text])
    if not type_name.lower().startswith("microsoft.compute/"):
        raise arm_error("bad_content", why=text[0][1])
    raise ArmError(400, "BadRequest", text[0][1], target=text[0][0])


def _unknown(value: dict[str, Any], owner: str, path: str) -> Iterator[tuple[str, str]]:
    members = _data()["lower"][owner]
    for key, item in list(value.items()):
        where, lower = f"{path}.{key}" if path else key, key.lower()
        if lower not in members:
            if not (lower in _SHOWN or (not path and lower in _TOP)):
                yield where, owner
            continue
        name, inner = members[lower]
        if name != key:
            value[name] = value.pop(key)
        if inner in ("", _OPAQUE) or lower in _COMPUTED:
            continue
        for index, entry in enumerate(item if isinstance(item, list) else [item]):
            if isinstance(entry, dict):
                yield from _unknown(entry, inner, f"{where}[{index}]" if isinstance(item, list) else where)


# -- made when the lab is built, not when it runs
def read_types(site_packages: Path) -> dict[str, Any]:
    """{"roots": {type: class}, "classes": {class: {member: class, "" for plain values or "*" for free ones}}}"""
    roots: dict[str, str] = {}
    classes: dict[str, dict[str, str]] = {}
    for package, types in ROOTS.items():
        home = site_packages / "azure" / "mgmt" / package
        known = _classes((home / "types.py").read_text())
        models = _classes((home / "models" / "_models.py").read_text()) if package == "storage" else {}
        for name, cls in types.items():
            roots[f"microsoft.{package}/{name}".lower()] = f"{package}.{cls}"
        todo = list(types.values())
        while todo:
            cls = todo.pop()
            full = f"{package}.{cls}"
            if full in classes:
                continue
            classes[full] = {}
            for member, inner in _members(known, cls).items():
                classes[full][member] = f"{package}.{inner}" if inner in known else inner if inner == _OPAQUE else ""
                if inner in known:
                    todo.append(inner)
            for member in _read_only(models, _READ_BY.get(cls, cls)):
                classes[full].setdefault(member, "")
    for type_name, (folder, package, cls) in _MAPPED.items():
        roots[type_name] = f"{package}.{cls}"
        classes.update(_mapped(_classes((site_packages / "azure" / "mgmt" / folder / "models" / "_models_py3.py").read_text()), package, cls))
    return {"roots": roots, "classes": dict(sorted(classes.items()))}


def _classes(source: str) -> dict[str, ast.ClassDef]:
    return {node.name: node for node in ast.parse(source).body if isinstance(node, ast.ClassDef)}


def _members(known: dict[str, ast.ClassDef], name: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for base in known[name].bases:
        if isinstance(base, ast.Name) and base.id in known:
            found.update(_members(known, base.id))
    for node in known[name].body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            found[node.target.id] = _inner(ast.unparse(node.annotation), known)
    return found


def _read_only(models: dict[str, ast.ClassDef], name: str) -> Iterator[str]:
    """The wire names of a model's fields that only the server writes (`rest_field(name=…, visibility=["read"])`)."""
    for node in models[name].body if name in models else ():
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and isinstance(node.value, ast.Call):
            options = {k.arg: ast.literal_eval(k.value) for k in node.value.keywords if k.arg in ("name", "visibility")}
            if options.get("visibility") == ["read"]:
                yield options.get("name", node.target.id)


def _mapped(known: dict[str, ast.ClassDef], package: str, name: str) -> dict[str, dict[str, str]]:
    """The classes of an older package: an attribute map says `properties.level`, the part before the dot is a class of its own here."""
    found: dict[str, dict[str, str]] = {f"{package}.{name}": {}}
    maps = [n.value for n in known[name].body if isinstance(n, ast.Assign) and ast.unparse(n.targets[0]) == "_attribute_map"]
    for entry in ast.literal_eval(maps[0]).values():
        where = f"{package}.{name}"
        *parents, member = entry["key"].split(".")
        for parent in parents:
            found[where][parent] = inner = f"{where}{parent.capitalize()}"
            found.setdefault(inner, {})
            where = inner
        inner = entry["type"].strip("[]")
        found[where][member] = f"{package}.{inner}" if inner in known else ""
        if inner in known and found[where][member] not in found:
            found.update(_mapped(known, package, inner))
    return found


def _inner(annotation: str, known: dict[str, ast.ClassDef]) -> str:
    if annotation.startswith(("dict[", "Required[dict[")) or "Any" in annotation:
        return _OPAQUE
    for word in annotation.replace("'", '"').split('"'):
        if word in known:
            return word
    return ""


if __name__ == "__main__":
    Path(sys.argv[2]).write_text(json.dumps(read_types(Path(sys.argv[1])), separators=(",", ":"), indent=0) + "\n")
