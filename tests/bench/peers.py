# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What other people's tools take to make the same hosts in the same lab: an interface and a machine each, on a network that is there.

azure.azcollection goes through a loop of its modules, as its users' playbooks do, and once more with all of them started at once (`async`); the
Azure CLI sends one template (`az vm create --count`). Both are unchanged, from the environments of tests/clients; their start counts, as it
does for our modules.
"""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
import tempfile
import time
from typing import Any, Callable, Dict, Iterator, List, Mapping, Sequence, Tuple

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
ASYNC_LIMIT, ASYNC_PAUSE = 3600, 2  # seconds
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


def side_by_side(task: Mapping[str, Any], items: Sequence[str]) -> List[Dict[str, Any]]:
    """A task started for all items at once (C(async), C(poll: 0)), and then waited for."""
    started = {**task, "loop": list(items), "register": "started", "async": ASYNC_LIMIT, "poll": 0}
    ended = {
        "name": f"{task['name']} ended", "register": "job", "loop": "{{ started.results }}",
        "ansible.builtin.async_status": {"jid": "{{ item.ansible_job_id }}"},
        "until": "job is finished", "retries": ASYNC_LIMIT // ASYNC_PAUSE, "delay": ASYNC_PAUSE,
    }  # fmt: skip
    return [started, ended]


def azcollection(group: str, hosts: int, key: str, proxy_env: Mapping[str, str], fresh: Callable[[], Any]) -> Iterator[Tuple[str, Dict[str, Any]]]:
    """A loop of azure.azcollection that makes the hosts, and the same again; then its asynchronous form.

    :param fresh: a function that brings back the network without hosts
    """
    sys.path.insert(0, str(HERE.parent / "clients"))
    from azcollection_client import Collection, task  # pylint: disable=import-outside-toplevel

    names = [f"peer-{number}" for number in range(1, hosts + 1)]
    common = {"resource_group": group, "name": "{{ item }}"}
    tasks = [
        task("interfaces", "networkinterface", **common, virtual_network="net", subnet_name="hosts", create_with_security_group=False,
             ip_configurations=[{"name": "main", "primary": True}]),
        task("machines", "virtualmachine", **common, vm_size=SIZE, admin_username="azureuser", ssh_password_enabled=False, image=IMAGE,
             managed_disk_type="Standard_LRS", network_interfaces=["{{ item }}"],
             ssh_public_keys=[{"path": "/home/azureuser/.ssh/authorized_keys", "key_data": key}]),
    ]  # fmt: skip
    loop = [dict(one, loop=names) for one in tasks]
    started = [step for one in tasks for step in side_by_side(one, names)]
    with tempfile.TemporaryDirectory() as folder:
        collection = Collection(environment("azcollection"), pathlib.Path(folder), dict(proxy_env))
        collection.limit = ASYNC_LIMIT
        fresh()
        yield "azure.azcollection, loop: create", timed(lambda: collection.play(loop))
        yield "azure.azcollection, loop: nothing to change", timed(lambda: collection.play(loop))
        fresh()
        # Its workers are nobody's children, so that their CPU time is not known.
        yield "azure.azcollection, async: create", dict(timed(lambda: collection.play(started)), cpu=0.0)


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
