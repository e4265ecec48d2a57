# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The body of a virtual machine by Azure's rules: what is checked before anything is made."""
from __future__ import annotations

import base64
import binascii
import re
import uuid
from collections.abc import Iterable
from typing import Any

from azlab.arm.compute import gallery_sources, windows
from azlab.arm.compute.base import NIC, VM, invalid, listed, section
from azlab.arm.compute.captured import managed
from azlab.arm.compute.disks import check_sku
from azlab.errors import arm_error
from azlab.lab import Lab

_NAME = re.compile(r"^[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?$")
_HOST = re.compile(r"^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$")
_FORBIDDEN_USERS = {"administrator", "admin", "user", "user1", "test", "user2", "test1", "user3", "admin1", "1", "123",
                    "a", "actuser", "adm", "admin2", "aspnet", "backup", "console", "david", "guest", "john", "owner",
                    "root", "server", "sql", "support", "support_388945a0", "sys", "test2", "test3", "user4", "user5"}
_KEY_TYPES = ("ssh-rsa", "ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521")
MAX_CUSTOM_DATA = 65535
_ENUMS = {"createOption": ("FromImage", "Attach", "Empty", "Copy", "Restore"), "caching": ("None", "ReadOnly", "ReadWrite"),
          "deleteOption": ("Delete", "Detach")}


def enums(entry: dict[str, Any]) -> dict[str, Any]:
    """An entry with its enum values in Azure's casing: clients may write them as they like, and az does."""
    found = {k: next((o for o in options if o.lower() == str(entry[k]).lower()), entry[k])
             for k, options in _ENUMS.items() if k in entry}
    return {**entry, **found}


def check_name(name: str) -> None:
    if len(name) > 64 or not _NAME.match(name):
        raise invalid("vmName", "Linux host name cannot exceed 64 characters in length or contain the following "
                                "characters: ` ~ ! @ # $ % ^ & * ( ) = + _ [ ] { } \\ | ; : ' \" , < > / ?. The name cannot "
                                "end with '-' or '.'.")


def check_size(lab: Lab, body: dict[str, Any], location: str, zones: Iterable[str] = ()) -> str:
    """The machine size with Azure's casing; it must be there in the region, and in the zones when some are asked for."""
    size = section(body, "hardwareProfile").get("vmSize")
    if not size:
        raise arm_error("required", target="hardwareProfile.vmSize")
    known = lab.catalogue.sizes.get(str(size).lower())
    if known is None:
        raise arm_error("vm_size", target="vmSize", size=size,
                        sizes=",".join(s.name for s in lab.catalogue.sizes.values()))
    lab.limits.check_size(known.name, location, zones)
    return known.name


def check_image(lab: Lab, storage: dict[str, Any], location: str) -> dict[str, Any]:
    """The image that a reference leads to."""
    image = section(storage, "imageReference")
    if "/providers/microsoft.compute/images/" in str(image.get("id", "")).lower():
        return managed(lab, image["id"], location)
    if image.get("id") or image.get("communityGalleryImageId") or image.get("sharedGalleryImageId"):
        return gallery_sources.for_machine(lab, image, location)
    for key in ("publisher", "offer", "sku", "version"):
        if not image.get(key):
            raise arm_error("required", target=f"imageReference.{key}" if image else "imageReference")
    found = lab.catalogue.image_version(*(str(image[k]) for k in ("publisher", "offer", "sku", "version")))
    if found is None:
        name = ":".join(str(image[k]) for k in ("publisher", "offer", "sku", "version"))
        raise arm_error("image", target="imageReference", image=name)
    if lab.has_machines and windows.is_windows(found):
        raise arm_error("lab_cannot", text="This lab has hosts behind its machines, and those are Linux only: Windows is in the model of a "
                                           "lab without machines.")
    return found


def os_profile(body: dict[str, Any], name: str, image: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """(what is shown, what is secret) of the OS profile of a new machine."""
    profile = section(body, "osProfile")
    if not profile:
        raise arm_error("required", target="osProfile")
    windows.check_kind(profile, image)
    user, host = profile.get("adminUsername"), profile.get("computerName", name)
    if not user:
        raise arm_error("required", target="adminUsername")
    if str(user).lower() in _FORBIDDEN_USERS or len(str(user)) > 64:
        raise invalid("adminUsername", "The Admin Username specified is not allowed.")
    if len(host) > 64 or not _HOST.match(host):
        raise invalid("computerName", f"The computer name '{host}' is not valid: 1 to 64 letters, digits, '-' and '.'.")
    linux = section(profile, "linuxConfiguration")
    keys = listed(section(linux, "ssh"), "publicKeys")
    no_password = bool(linux.get("disablePasswordAuthentication", False))
    password = profile.get("adminPassword")
    if not password and not keys:
        raise arm_error("required", target="linuxConfiguration.ssh.publicKeys" if no_password else "adminPassword")
    if password and not no_password:
        _check_password(str(password))
    for key in keys:
        _check_key(key, str(user))
    shown: dict[str, Any] = {"computerName": host, "adminUsername": user}
    if windows.is_windows(image):
        shown["windowsConfiguration"] = windows.configuration(profile, host)
    else:
        shown["linuxConfiguration"] = {
            "disablePasswordAuthentication": no_password, **({"ssh": {"publicKeys": keys}} if keys else {}),
            "provisionVMAgent": bool(linux.get("provisionVMAgent", True)),
            "patchSettings": {"patchMode": "ImageDefault", "assessmentMode": "ImageDefault",
                              **section(linux, "patchSettings")}}
    shown.update({"secrets": profile.get("secrets", []),
                  "allowExtensionOperations": bool(profile.get("allowExtensionOperations", True)),
                  "requireGuestProvisionSignal": True})
    secret: dict[str, Any] = {}
    if password and not no_password:
        secret["adminPassword"] = password
    if profile.get("customData"):
        check_custom_data(profile["customData"])
        secret["customData"] = profile["customData"]
    return shown, secret


def check_custom_data(text: Any) -> bytes:
    try:
        data = base64.b64decode(str(text), validate=True)
    except (binascii.Error, ValueError):
        data = None
    if data is None or len(data) > MAX_CUSTOM_DATA:
        raise invalid("customData", "Custom data in OSProfile must be in Base64 encoding and with a maximum length of 87380 "
                                    "characters.")
    return data


def _check_password(password: str) -> None:
    kinds = sum(bool(re.search(p, password)) for p in (r"[a-z]", r"[A-Z]", r"\d", r"[^A-Za-z0-9]"))
    if not 6 <= len(password) <= 72 or kinds < 3:
        raise invalid("adminPassword", "The supplied password must be between 6-72 characters long and must satisfy at least "
                                       "3 of password complexity requirements from the following: 1) Contains an uppercase "
                                       "character 2) Contains a lowercase character 3) Contains a numeric digit 4) Contains a "
                                       "special character 5) Control characters are not allowed")


def _check_key(key: dict[str, Any], user: str) -> None:
    path = key.get("path")
    if path != f"/home/{user}/.ssh/authorized_keys":
        raise invalid("linuxConfiguration.ssh.publicKeys.path",
                      f"Destination path for SSH public keys is currently limited to its default value "
                      f"/home/{user}/.ssh/authorized_keys due to a known issue in Linux provisioning agent.")
    words = str(key.get("keyData", "")).split()
    try:
        blob = base64.b64decode(words[1], validate=True) if len(words) > 1 and words[0] in _KEY_TYPES else b""
    except (binascii.Error, ValueError):
        blob = b""
    if not words or not blob.startswith(len(words[0]).to_bytes(4, "big") + words[0].encode()):
        raise invalid("linuxConfiguration.ssh.publicKeys.keyData",
                      "The value of parameter linuxConfiguration.ssh.publicKeys.keyData is invalid.")


def os_disk(lab: Lab, storage: dict[str, Any], name: str, image: dict[str, Any], size: str) -> dict[str, Any]:
    """The OS disk of a new machine, as it will be shown; its managed disk is made afterwards."""
    given = enums(section(storage, "osDisk"))
    if given.get("createOption", "FromImage") != "FromImage":
        raise arm_error("lab_cannot", text=f"This lab makes OS disks from images only, not with createOption "
                                           f"'{given['createOption']}'.")
    default = "Premium_LRS" if lab.catalogue.sizes[size.lower()].premium else "Standard_LRS"
    kind = check_sku(section(given, "managedDisk").get("storageAccountType", default),
                     "osDisk.managedDisk.storageAccountType")
    gigabytes = given.get("diskSizeGB", image["sizeGB"])
    if not isinstance(gigabytes, int) or gigabytes < image["sizeGB"] or gigabytes > 4095:
        raise invalid("osDisk.diskSizeGB", f"The specified disk size {gigabytes} GB is smaller than the size of the "
                                           f"corresponding disk in the VM image: {image['sizeGB']} GB."
                      if isinstance(gigabytes, int) and gigabytes < image["sizeGB"] else
                      "The value of parameter osDisk.diskSizeGB is invalid: at most 4095.")
    return {"osType": image.get("os", "Linux"), "name": given.get("name") or f"{name}_OsDisk_1_{uuid.uuid4().hex}",
            "createOption": "FromImage", "caching": given.get("caching", "ReadWrite"),
            "managedDisk": {"storageAccountType": kind}, "deleteOption": given.get("deleteOption", "Detach"),
            "diskSizeGB": gigabytes, **_ephemeral(given)}


def _ephemeral(given: dict[str, Any]) -> dict[str, Any]:
    """The settings of an ephemeral OS disk. https://learn.microsoft.com/azure/virtual-machines/ephemeral-os-disks"""
    settings = section(given, "diffDiskSettings")
    if not settings:
        return {}
    if settings.get("option") != "Local":
        raise invalid("osDisk.diffDiskSettings.option", "The value of parameter osDisk.diffDiskSettings.option is invalid.")
    if given.get("caching", "ReadOnly") != "ReadOnly":
        raise invalid("osDisk.caching", "An ephemeral OS disk takes the caching ReadOnly only.")
    if section(given, "managedDisk").get("storageAccountType", "Standard_LRS") != "Standard_LRS":
        raise invalid("osDisk.managedDisk.storageAccountType", "An ephemeral OS disk takes the type Standard_LRS only.")
    return {"diffDiskSettings": {"option": "Local", "placement": settings.get("placement", "CacheDisk")}, "caching": "ReadOnly",
            "managedDisk": {"storageAccountType": "Standard_LRS"}}


def data_disks(lab: Lab, storage: dict[str, Any], name: str, size: str, machine_id: str) -> list[dict[str, Any]]:
    """The data disks of a body, checked; those without a managed disk are to be made."""
    disks, luns = [], set()
    limit = lab.catalogue.sizes[size.lower()].max_data_disks
    given = [enums(d) for d in listed(storage, "dataDisks") if not d.get("toBeDetached")]
    if len(given) > limit:
        raise arm_error("parameter", target="dataDisks", text="The maximum number of data disks allowed to be attached to a VM "
                                                               f"of this size is {limit}.")
    for disk in given:
        lun = disk.get("lun")
        if not isinstance(lun, int) or not 0 <= lun < 64 or lun in luns:
            raise invalid("dataDisks.lun", f"The value '{lun}' of parameter 'dataDisks.lun' is not valid or used twice.")
        luns.add(lun)
        managed = dict(section(disk, "managedDisk"))
        option = disk.get("createOption", "Empty")
        if option == "Attach" or managed.get("id"):
            managed = _existing_disk(lab, managed, machine_id)
        elif option != "Empty":
            raise arm_error("lab_cannot", text=f"This lab makes empty data disks only, not with createOption '{option}'.")
        else:
            managed["storageAccountType"] = check_sku(managed.get("storageAccountType", "Standard_LRS"),
                                                      "dataDisks.managedDisk.storageAccountType")
            gigabytes = disk.get("diskSizeGB")
            if not isinstance(gigabytes, int) or not 1 <= gigabytes <= 65536:
                raise invalid("dataDisk.diskSizeGB", "The value of parameter dataDisk.diskSizeGB is invalid.")
        shown_name = disk.get("name") or (managed["id"].rsplit("/", 1)[1] if managed.get("id")
                                          else f"{name}_DataDisk_{lun}_{uuid.uuid4().hex}")
        entry = {"lun": lun, "name": shown_name, "createOption": option, "caching": disk.get("caching", "None"),
                 "managedDisk": managed, "deleteOption": disk.get("deleteOption", "Detach"), "toBeDetached": False}
        attached = lab.store.get(managed["id"]) if "id" in managed else None
        if attached is not None:
            entry["diskSizeGB"] = attached.properties["diskSizeGB"]
        elif "diskSizeGB" in disk:
            entry["diskSizeGB"] = disk["diskSizeGB"]
        disks.append(entry)
    return disks


def _existing_disk(lab: Lab, managed: dict[str, Any], machine_id: str) -> dict[str, Any]:
    disk = lab.store.get(str(managed.get("id", "")))
    if disk is None:
        raise arm_error("resource_missing", id=managed.get("id"))
    owner = disk.body.get("managedBy", "")
    if owner and owner.lower() != machine_id.lower():
        raise arm_error("disk_taken", id=disk.id, vm=owner)
    return {"storageAccountType": disk.body["sku"]["name"], "id": disk.id}


def configurations(body: dict[str, Any]) -> list[dict[str, Any]]:
    """The interfaces that the machine's own request makes; empty when it refers to existing ones."""
    profile = section(body, "networkProfile")
    found = listed(profile, "networkInterfaceConfigurations")
    if not found:
        return []
    if profile.get("networkInterfaces"):
        raise arm_error("parameter", target="networkProfile", text="Either networkInterfaces or networkInterfaceConfigurations "
                                                                    "can be specified, not both.")
    if not profile.get("networkApiVersion"):
        raise arm_error("required", target="networkProfile.networkApiVersion")
    names = [c.get("name") for c in found]
    if not all(names) or len(set(names)) != len(names):
        raise invalid("networkInterfaceConfigurations.name", "Each network interface configuration must have a name of its own.")
    for ip in (i for c in found for i in listed(section(c, "properties"), "ipConfigurations")):
        address = section(section(ip, "properties"), "publicIPAddressConfiguration")
        if address and not address.get("name"):
            raise arm_error("required", target="publicIPAddressConfiguration.name")
    if len(found) > 1 and sum(flag(section(c, "properties").get("primary")) for c in found) != 1:
        raise invalid("networkInterfaceConfigurations.primary", "Exactly one network interface configuration must be primary.")
    return found


def flag(value: Any) -> bool:
    """A boolean of a body; text that is one counts (the Azure CLI writes `"primary": "true"`)."""
    return value.lower() == "true" if isinstance(value, str) else bool(value)


def interfaces(lab: Lab, body: dict[str, Any], machine_id: str, location: str) -> list[dict[str, Any]]:
    """The interfaces of a body: they must exist, in the region, and belong to no other machine."""
    profile = section(body, "networkProfile")
    given = listed(profile, "networkInterfaces")
    if not given:
        raise arm_error("parameter", target="networkProfile", text="Virtual machine must have at least one network "
                                                                    "interface.")
    kept: list[dict[str, Any]] = []
    for entry in given:
        nic_id = str(entry.get("id", ""))
        nic = lab.store.get(nic_id)
        if nic is None or nic.type != NIC or nic.location != location:
            raise arm_error("resource_missing", details=[], id=nic_id)
        for user in lab.store.referrers(nic_id, VM):
            if user.lower() != machine_id.lower():
                raise arm_error("nic_in_use", id=nic.id, user=user, details=[])
        options = {k: v for k, v in section(entry, "properties").items() if k in ("primary", "deleteOption")}
        kept.append({"id": nic.id, **({"properties": options} if options else {})})
    if len(kept) > 1 and sum(bool(k.get("properties", {}).get("primary")) for k in kept) != 1:
        raise arm_error("parameter", target="networkInterfaces", text="Virtual machine with more than one network interface "
                                                                       "must have exactly one that is primary.")
    return kept
