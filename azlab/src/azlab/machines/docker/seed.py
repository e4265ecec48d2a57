# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pure: what a new machine finds on its disk before its first boot, as a tar archive.

cloud-init reads it as its NoCloud data source (https://docs.cloud-init.io/en/latest/reference/datasources/nocloud.html).
"""
from __future__ import annotations

import io
import json
import tarfile
import uuid

from azlab.machines.driver import MachineSpec

SEED = "var/lib/cloud/seed/nocloud-net"
# sudo without a password, as waagent gives it to the admin user; no password login unless asked for.
SUDO = "ALL=(ALL) NOPASSWD:ALL"


def archive(spec: MachineSpec, ca: bytes | None) -> bytes:
    """Files of a new machine; those that may hold secrets are readable by root only."""
    files: dict[str, tuple[bytes, int]] = {
        f"{SEED}/meta-data": (_json(meta_data(spec)), 0o600),
        f"{SEED}/user-data": (spec.custom_data or b"#cloud-config\n", 0o600),
        f"{SEED}/vendor-data": (b"#cloud-config\n", 0o600),
        # Written as system configuration, so that user data adds to it and does not replace it (as on Azure).
        "etc/cloud/cloud.cfg.d/91_azlab_machine.cfg": (_json(system_config(spec)), 0o600),
        "etc/hostname": (spec.computer_name.encode() + b"\n", 0o644),
    }
    if ca:
        files["usr/local/share/ca-certificates/azlab.crt"] = (ca, 0o644)
    return tar(files)


def meta_data(spec: MachineSpec) -> dict[str, object]:
    return {
        # Another machine under the same name is another instance; the same one stays the same across starts.
        "instance-id": spec.vm_id or str(uuid.uuid5(uuid.NAMESPACE_URL, spec.id)),
        "local-hostname": spec.computer_name,
        "public-keys": list(spec.ssh_public_keys),
    }


def system_config(spec: MachineSpec) -> dict[str, object]:
    user: dict[str, object] = {
        "name": spec.admin_username, "gecos": spec.admin_username, "groups": ["adm", "sudo"], "shell": "/bin/bash",
        "sudo": [SUDO], "lock_passwd": not spec.admin_password,
    }
    if spec.admin_password:
        user["plain_text_passwd"] = spec.admin_password
    return {"system_info": {"default_user": user}, "users": ["default"], "ssh_pwauth": spec.password_auth}


def tar(files: dict[str, tuple[bytes, int]]) -> bytes:
    """An archive of files with modes, owned by root."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as target:
        for name, (content, mode) in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), mode
            target.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def _json(value: object) -> bytes:
    """JSON is YAML; the first line says to cloud-init what it is."""
    return b"#cloud-config\n" + json.dumps(value, indent=1).encode() + b"\n"
