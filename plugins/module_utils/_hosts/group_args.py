# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of C(host_group), documented in the module. Private to this collection."""

from __future__ import annotations

from typing import Any, Dict

from ansible_collections.dockhost.azure.plugins.module_utils._module import TAGS_ARGS

OS_DISK_TYPES = ["Standard_LRS", "StandardSSD_LRS", "StandardSSD_ZRS", "Premium_LRS", "Premium_ZRS"]

DATA_DISK: Dict[str, Any] = {
    "lun": {"type": "int", "required": True},
    "size_gb": {"type": "int", "required": True},
    "type": {"type": "str", "choices": [*OS_DISK_TYPES, "UltraSSD_LRS", "PremiumV2_LRS"]},
    "caching": {"type": "str", "choices": ["None", "ReadOnly", "ReadWrite"], "default": "None"},
}

SPOT: Dict[str, Any] = {
    "eviction_policy": {"type": "str", "choices": ["Deallocate", "Delete"], "default": "Deallocate"},
    "max_price": {"type": "float", "default": -1},
}

IDENTITIES: Dict[str, Any] = {
    "system_assigned": {"type": "bool", "default": False},
    "user_assigned": {"type": "list", "elements": "str", "default": []},
}

SECURITY: Dict[str, Any] = {
    "security_type": {"type": "str", "choices": ["Standard", "TrustedLaunch"], "default": "TrustedLaunch"},
    "secure_boot": {"type": "bool", "default": True},
    "vtpm": {"type": "bool", "default": True},
    "encryption_at_host": {"type": "bool"},
}

INTERFACE: Dict[str, Any] = {
    "name": {"type": "str", "required": True},
    "subnet": {"type": "raw", "required": True},
    "security_group": {"type": "str"},
    "application_security_groups": {"type": "list", "elements": "str"},
    "accelerated_networking": {"type": "bool"},
    "private_addresses": {"type": "dict"},
}

PLAN: Dict[str, Any] = {name: {"type": "str", "required": True} for name in ("name", "product", "publisher")}

ARGUMENTS: Dict[str, Any] = dict(
    TAGS_ARGS,
    resource_group={"type": "str", "required": True},
    name={"type": "str", "required": True},
    state={
        "type": "str",
        "choices": ["present", "absent", "started", "stopped", "deallocated", "restarted", "reimaged"],
        "default": "present",
    },
    engine={"type": "str", "choices": ["virtual_machines", "scale_set"], "default": "virtual_machines"},
    count={"type": "int"},
    names={"type": "list", "elements": "str"},
    scale_in={"type": "str", "choices": ["newest", "oldest", "balance_zones"], "default": "newest"},
    scale_in_first={"type": "list", "elements": "str"},
    location={"type": "str"},
    size={"type": "str"},
    allow_restart={"type": "bool", "default": False},
    image={"type": "str", "default": "Debian:debian-13:13-gen2:latest"},
    image_plan={"type": "dict", "options": PLAN},
    admin_username={"type": "str", "default": "azureuser"},
    ssh_public_keys={"type": "list", "elements": "str", "no_log": False},
    custom_data={"type": "str", "no_log": True},
    immutable_changes={"type": "str", "choices": ["refuse", "keep", "replace"], "default": "refuse"},
    zones={"type": "list", "elements": "str"},
    availability_set={"type": "str"},
    proximity_placement_group={"type": "str"},
    subnet={"type": "raw"},
    security_group={"type": "str"},
    load_balancer_pools={"type": "list", "elements": "str"},
    application_security_groups={"type": "list", "elements": "str"},
    public_ip={"type": "bool", "default": False},
    accelerated_networking={"type": "bool"},
    private_addresses={"type": "dict"},
    further_interfaces={"type": "list", "elements": "dict", "options": INTERFACE},
    os_disk_size_gb={"type": "int"},
    os_disk_caching={"type": "str", "choices": ["None", "ReadOnly", "ReadWrite"]},
    os_disk_ephemeral={"type": "str", "choices": ["CacheDisk", "ResourceDisk", "NvmeDisk"]},
    os_disk_type={"type": "str", "choices": OS_DISK_TYPES},
    data_disks={"type": "list", "elements": "dict", "options": DATA_DISK},
    spot={"type": "dict", "options": SPOT},
    identities={"type": "dict", "options": IDENTITIES},
    boot_diagnostics={"type": "bool", "default": True},
    security_profile={"type": "dict", "options": SECURITY},
    license_type={
        "type": "str",
        "choices": ["RHEL_BYOS", "RHEL_BASE", "RHEL_EUS", "SLES_BYOS", "SLES_STANDARD", "UBUNTU_PRO"],
    },
    termination_notice={"type": "int"},
    delete_protection={"type": "bool"},
    append_tags={"type": "bool", "default": True},
    swarm_managers={"type": "int"},
    serial={"type": "int"},
    wait_for={"type": "str", "choices": ["provisioned", "ssh", "docker"], "default": "provisioned"},
    wait_timeout={"type": "int", "default": 900},
    on_failure={"type": "str", "choices": ["keep", "rollback"], "default": "keep"},
)

CONSTRAINTS: Dict[str, Any] = {
    "mutually_exclusive": [("count", "names"), ("names", "scale_in_first")],
    "required_if": [
        ("state", "present", ("size", "subnet", "ssh_public_keys")),
        ("state", "present", ("count", "names"), True),
    ],
}
