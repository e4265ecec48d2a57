# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a virtual machine looks on the wire, its instance view included."""
from __future__ import annotations

from typing import Any

from azlab.lab import Lab
from azlab.store import Resource

EXTENSION = "Microsoft.Compute/virtualMachines/extensions"
RUN_COMMAND = "Microsoft.Compute/virtualMachines/runCommands"
_POWER_TEXT = {"running": "VM running", "stopped": "VM stopped", "deallocated": "VM deallocated",
               "starting": "VM starting", "stopping": "VM stopping", "deallocating": "VM deallocating"}


def children_of(lab: Lab, machine: Resource, kind: str) -> list[Resource]:
    """The machine's children of a kind (extensions, runCommands), in the order in which they came."""
    prefix = f"{machine.lid}/{kind.lower()}/"
    return [r for r in (lab.store.get(prefix + name) for name in machine.private.get(kind, [])) if r]


def adopt(lab: Lab, machine: Resource, kind: str, child: Resource) -> None:
    """Remember a child with its machine."""
    names = machine.private.setdefault(kind, [])
    if child.name.lower() not in names:
        names.append(child.name.lower())
        lab.store.put(machine)


def disown(lab: Lab, machine: Resource, kind: str, child: Resource) -> None:
    machine.private[kind] = [n for n in machine.private.get(kind, []) if n != child.name.lower()]
    lab.store.put(machine)


def extensions_of(lab: Lab, machine: Resource) -> list[Resource]:
    return children_of(lab, machine, "extensions")


def statuses(resource: Resource) -> list[dict[str, Any]]:
    """Provisioning and power state, as instance views and status lists show them."""
    state = resource.state
    first: dict[str, Any] = {"code": f"ProvisioningState/{state.lower()}",
                             "level": "Error" if state == "Failed" else "Info",
                             "displayStatus": {"Succeeded": "Provisioning succeeded",
                                               "Failed": "Provisioning failed"}.get(state, state)}
    error = resource.private.get("error")
    if state == "Failed" and error:
        first["code"] = f"ProvisioningState/failed/{error['code']}"
        first["message"] = error["message"]
    if resource.private.get("changed"):
        first["time"] = resource.private["changed"]
    found = [first]
    if resource.private.get("generalized"):
        found.append({"code": "OSState/generalized", "level": "Info", "displayStatus": "VM generalized"})
    power = resource.private.get("power")
    if power:
        found.append({"code": f"PowerState/{power}", "level": "Info", "displayStatus": _POWER_TEXT[power]})
    return found


def instance_view(lab: Lab, resource: Resource) -> dict[str, Any]:
    """What `instanceView` says; the agent reports only while the machine runs."""
    p, view = resource.properties, {}
    for key in ("updateDomain", "faultDomain"):        # a scale set has no update domains
        if key in resource.private:
            view["platform" + key[0].upper() + key[1:]] = resource.private[key]
    running = resource.private.get("power") == "running" and resource.state != "Creating"
    image = resource.private.get("image", {})
    changed = resource.private.get("changed", resource.created)
    if running:
        view.update(computerName=p["osProfile"]["computerName"], osName=image.get("osName", ""),
                    osVersion=image.get("osVersion", ""))
        view["vmAgent"] = _agent(lab, resource, changed)
    disks = [p["storageProfile"]["osDisk"], *p["storageProfile"]["dataDisks"]]
    view["disks"] = [{"name": d["name"], "statuses": [
        {"code": "ProvisioningState/succeeded", "level": "Info", "displayStatus": "Provisioning succeeded",
         "time": resource.created}]} for d in disks]
    if extensions_of(lab, resource):
        view["extensions"] = [extension_view(e) for e in extensions_of(lab, resource)]
    view["hyperVGeneration"] = image.get("generation", "V2")
    view["statuses"] = statuses(resource)
    return view


def _agent(lab: Lab, resource: Resource, changed: str) -> dict[str, Any]:
    if resource.private.get("silent"):
        return {"vmAgentVersion": "Unknown", "statuses": [
            {"code": "ProvisioningState/Unavailable", "level": "Warning", "displayStatus": "Not Ready",
             "message": "VM status blob is found but not yet populated.", "time": changed}]}
    return {"vmAgentVersion": "2.15.0.1", "statuses": [
        {"code": "ProvisioningState/succeeded", "level": "Info", "displayStatus": "Ready",
         "message": "Guest Agent is running", "time": changed}], "extensionHandlers": [
        _handler(e) for e in extensions_of(lab, resource)]}


def _handler(extension: Resource) -> dict[str, Any]:
    p = extension.properties
    return {"type": f"{p['publisher']}.{p['type']}", "typeHandlerVersion": p["typeHandlerVersion"], "status": {
        "code": "ProvisioningState/succeeded", "level": "Info", "displayStatus": "Ready"}}


def extension_view(extension: Resource) -> dict[str, Any]:
    p = extension.properties
    found = extension.private.get("statuses") or [{
        "code": f"ProvisioningState/{extension.state.lower()}", "level": "Info", "displayStatus": extension.state}]
    return {"name": extension.name, "type": f"{p['publisher']}.{p['type']}",
            "typeHandlerVersion": p["typeHandlerVersion"], "statuses": found}


def machine(lab: Lab, resource: Resource, *, expand: str = "", first: bool = False) -> dict[str, Any]:
    """The whole machine. `first`: the answer to the PUT that makes it does not name its disk yet."""
    p = resource.properties
    wire: dict[str, Any] = {"name": resource.name, "id": resource.id, "type": resource.type,
                            "location": resource.location}
    for key in ("tags", "zones", "identity", "plan", "placement"):
        if key in resource.body:
            wire[key] = resource.body[key]
    shown: dict[str, Any] = {"hardwareProfile": p["hardwareProfile"], "provisioningState": resource.state,
                             "vmId": resource.private["vmId"]}
    for key, value in p.items():
        if key not in ("hardwareProfile", "timeCreated"):
            shown[key] = value
    if first:
        disk = {k: v for k, v in p["storageProfile"]["osDisk"].items() if k != "name"}
        disk["managedDisk"] = {k: v for k, v in disk["managedDisk"].items() if k != "id"}
        shown["storageProfile"] = {**p["storageProfile"], "osDisk": disk}
    if "instanceview" in expand.lower():
        shown["instanceView"] = instance_view(lab, resource)
    if "userdata" in expand.lower() and resource.private.get("userData"):
        shown["userData"] = resource.private["userData"]
    shown["timeCreated"] = resource.created
    wire["properties"] = shown
    found = [] if first else extensions_of(lab, resource)
    if found:
        wire["resources"] = [extension(e) for e in found]
    wire["etag"] = f'"{resource.revision}"'
    return wire


def extension(resource: Resource, *, view: bool = False) -> dict[str, Any]:
    """An extension: public settings only."""
    p = resource.properties
    wire: dict[str, Any] = {"name": resource.name, "id": resource.id, "type": EXTENSION,
                            "location": resource.location}
    if "tags" in resource.body:
        wire["tags"] = resource.body["tags"]
    shown = {"autoUpgradeMinorVersion": p.get("autoUpgradeMinorVersion", False), "provisioningState": resource.state}
    shown.update({k: v for k, v in p.items() if k != "autoUpgradeMinorVersion"})
    shown.setdefault("settings", {})
    if view:
        shown["instanceView"] = extension_view(resource)
    wire["properties"] = shown
    return wire


def status_only(resource: Resource) -> dict[str, Any]:
    """An entry of a list with statusOnly=true."""
    return {"name": resource.name, "id": resource.id, "type": resource.type, "location": resource.location,
            "properties": {"vmId": resource.private["vmId"], "provisioningState": resource.state,
                           "instanceView": {"statuses": statuses(resource)}}}
