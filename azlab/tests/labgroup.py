# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A resource group of a lab and short ways to fill it, for tests."""
from __future__ import annotations

import base64
from typing import Any

from azlab import testing

NET, COMPUTE = "providers/Microsoft.Network", "providers/Microsoft.Compute"
_BLOB = b"\x00\x00\x00\x0bssh-ed25519\x00\x00\x00\x20" + bytes(range(32))
PUBLIC_KEY = f"ssh-ed25519 {base64.b64encode(_BLOB).decode()} test"


class Group:
    """A resource group of its own, and short ways to fill it."""

    def __init__(self, azure: testing.RunningLab, name: str) -> None:
        self.azure, self.name = azure, name
        status, _, _ = azure.arm("PUT", f"resourceGroups/{name}", {"location": "westeurope"})
        assert status == 201

    def call(self, method: str, path: str, body: Any = None, **options: Any) -> tuple[int, Any, dict[str, str]]:
        return self.azure.arm(method, f"resourceGroups/{self.name}/{path}".rstrip("/"), body, **options)

    def id(self, path: str) -> str:
        return f"/subscriptions/{self.azure.subscription}/resourceGroups/{self.name}/{path}"

    def put(self, path: str, properties: dict[str, Any], **more: Any) -> dict[str, Any]:
        """PUT that must succeed; returns the resource as it is afterwards."""
        status, body, _ = self.call("PUT", path, {"location": "westeurope", "properties": properties, **more})
        assert status in (200, 201, 202), body
        status, body, _ = self.call("GET", path)
        assert status == 200, body
        return dict(body)

    def refused(self, method: str, path: str, body: Any = None, **options: Any) -> tuple[int, str, str]:
        """(status, code, message) of a call that must be refused."""
        status, answer, _ = self.call(method, path, body, **options)
        assert status >= 400, answer
        return status, answer["error"]["code"], answer["error"]["message"]

    def vnet(self, name: str = "vnet", prefix: str = "10.20.0.0/16", **subnet: Any) -> str:
        """A network with one subnet `hosts` (the first /24); returns the subnet's id."""
        first = prefix.split("/")[0] + "/24"
        made = self.put(f"{NET}/virtualNetworks/{name}", {
            "addressSpace": {"addressPrefixes": [prefix]},
            "subnets": [{"name": "hosts", "properties": {"addressPrefix": first, **subnet}}]})
        return str(made["properties"]["subnets"][0]["id"])

    def address(self, name: str = "ip") -> dict[str, Any]:
        return self.put(f"{NET}/publicIPAddresses/{name}", {"publicIPAllocationMethod": "Static"},
                        sku={"name": "Standard"})

    def nic(self, name: str, subnet: str, **configuration: Any) -> dict[str, Any]:
        return self.put(f"{NET}/networkInterfaces/{name}", {"ipConfigurations": [
            {"name": "ip", "properties": {"subnet": {"id": subnet}, **configuration}}]})

    def vm(self, name: str, nic: str, **changes: Any) -> dict[str, Any]:
        body = vm_body(name, nic, **changes)
        status, answer, _ = self.call("PUT", f"{COMPUTE}/virtualMachines/{name}", body)
        assert status in (200, 201), answer
        return dict(self.call("GET", f"{COMPUTE}/virtualMachines/{name}")[1])


def vm_body(name: str, nic: str, *, top: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    """The body of a machine; `changes` replace whole sections of its properties, `top` what is outside them."""
    properties: dict[str, Any] = {
        "hardwareProfile": {"vmSize": "Standard_B2s"},
        "storageProfile": {
            "imageReference": {"publisher": "Debian", "offer": "debian-12", "sku": "12-gen2", "version": "latest"},
            "osDisk": {"name": f"{name}-osdisk", "createOption": "FromImage", "deleteOption": "Delete"}},
        "osProfile": {"computerName": name, "adminUsername": "azureuser", "linuxConfiguration": {
            "disablePasswordAuthentication": True,
            "ssh": {"publicKeys": [{"path": "/home/azureuser/.ssh/authorized_keys", "keyData": PUBLIC_KEY}]}}},
        "networkProfile": {"networkInterfaces": [{"id": nic, "properties": {"primary": True,
                                                                            "deleteOption": "Delete"}}]}}
    properties.update(changes)
    return {"location": "westeurope", "properties": properties, **(top or {})}


def profile(subnet: str, **ip: Any) -> dict[str, Any]:
    """The profile of a set's machines; `ip` is laid into the IP configuration."""
    return {
        "storageProfile": {"imageReference": {"publisher": "Debian", "offer": "debian-12", "sku": "12-gen2", "version": "latest"},
                           "osDisk": {"createOption": "FromImage"}},
        "osProfile": {"computerNamePrefix": "web", "adminUsername": "azureuser", "linuxConfiguration": {
            "disablePasswordAuthentication": True,
            "ssh": {"publicKeys": [{"path": "/home/azureuser/.ssh/authorized_keys", "keyData": PUBLIC_KEY}]}}},
        "networkProfile": {"networkApiVersion": "2020-11-01", "networkInterfaceConfigurations": [{"name": "nic", "properties": {
            "primary": True, "ipConfigurations": [{"name": "ip", "properties": {"subnet": {"id": subnet}, **ip}}]}}]}}
