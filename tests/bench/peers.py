# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What other people's tools take to make the same hosts in the same lab: an interface and a machine each, on a network that is there.

azure.azcollection goes through a loop of its modules, as its users' playbooks do; the Azure CLI sends one template (`az vm create
--count`). Both are unchanged, from the environments of tests/clients; their start counts, as it does for our modules.
"""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
import tempfile
import time
from typing import Any, Callable, Dict, Iterator, Mapping, Tuple

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
SIZE, IMAGE = "Standard_D2s_v5", {"publisher": "Debian", "offer": "debian-13", "sku": "13-gen2", "version": "latest"}


def environment(name: str) -> pathlib.Path:
    """The folder of a client's Python environment."""
    made = subprocess.run([str(ROOT / "scripts" / "client-environment"), name], check=True, capture_output=True, text=True)
    return pathlib.Path(made.stdout.strip().splitlines()[-1])


def timed(act: Callable[[], Any]) -> Dict[str, Any]:
    """What it cost, with all processes that it started and waited for."""
    before, began = os.times(), time.time()
    act()
    after = os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return {"began": began, "wall": time.time() - began, "cpu": cpu, "rss": 0}


def azcollection(group: str, hosts: int, key: str, proxy_env: Mapping[str, str]) -> Iterator[Tuple[str, Dict[str, Any]]]:
    """A loop of azure.azcollection that makes the hosts, and the same again."""
    sys.path.insert(0, str(HERE.parent / "clients"))
    from azcollection_client import Collection, task  # pylint: disable=import-outside-toplevel

    names = [f"peer-{number}" for number in range(1, hosts + 1)]
    common = {"resource_group": group, "name": "{{ item }}"}
    tasks = [
        dict(task("interfaces", "networkinterface", **common, virtual_network="net", subnet_name="hosts", create_with_security_group=False,
                  ip_configurations=[{"name": "main", "primary": True}]), loop=names),
        dict(task("machines", "virtualmachine", **common, vm_size=SIZE, admin_username="azureuser", ssh_password_enabled=False, image=IMAGE,
                  managed_disk_type="Standard_LRS", network_interfaces=["{{ item }}"],
                  ssh_public_keys=[{"path": "/home/azureuser/.ssh/authorized_keys", "key_data": key}]), loop=names),
    ]  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        collection = Collection(environment("azcollection"), pathlib.Path(folder), dict(proxy_env))
        yield "azure.azcollection, loop: create", timed(lambda: collection.play(tasks))
        yield "azure.azcollection, loop: nothing to change", timed(lambda: collection.play(tasks))


def az_vm_create(group: str, hosts: int, key: str, env: Mapping[str, str]) -> Dict[str, Any]:
    """`az vm create --count`, or without it for one host."""
    sys.path.insert(0, str(HERE.parent / "clients"))
    from az_client import Az  # pylint: disable=import-outside-toplevel

    with tempfile.TemporaryDirectory() as folder:
        public = pathlib.Path(folder) / "id.pub"
        public.write_text(key, encoding="ascii")
        az = Az(environment("azure-cli"), pathlib.Path(folder), dict(env))
        az.sign_in()
        az.close()
        count = ("--count", str(hosts)) if hosts > 1 else ()

        def create() -> None:
            done = az.process("vm", "create", "-g", group, "-n", "peer", *count, "--image", ":".join(IMAGE.values()), "--size", SIZE, "--vnet-name", "net",
                              "--subnet", "hosts", "--nsg", "", "--public-ip-address", "", "--admin-username", "azureuser",
                              "--ssh-key-values", str(public))  # fmt: skip
            if done.returncode:
                raise SystemExit(f"az vm create failed: {done.stderr[-500:]}")

        return timed(create)
