# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Docker ready on real machines of azlab through each handler of docker_extension, beside the Azure CLI and azure.azcollection.

Latencies are those of Azure times ``--scale``; packages are really installed, from Debian. Each way gets hosts of its own, made before and not
counted, but for ``cloud_init``, where making them is the way: its figure is to be held against that of another way and ``hosts_s`` together.
They go when the way was measured: three groups of twenty would be more than the kernel's inotify instances and the lab's addresses last for.
A way is done when ``docker version`` answers on all of its hosts. The peers get a command that installs the same packages and nothing else: no
options, no certificates, no compose file, no wait for locks.
"""

from __future__ import annotations

import os
import pathlib
import sys
import tempfile
import time
from typing import Any, Callable, Dict, List

import docker_extension

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "integration"))

from extension_host import Host  # noqa: E402

INSTALL = "apt-get -q update && DEBIAN_FRONTEND=noninteractive apt-get -q -y install --no-install-recommends docker.io docker-cli docker-compose"


class Ready:
    """The lab and its hosts, a group for each way."""

    def __init__(self, host: Host, count: int):
        self.host, self.count, self.hosts_s, self.groups = host, count, 0.0, 0

    def make(self, group: str, **more: Any) -> List[str]:
        """Hosts that have never seen Docker; their names."""
        began = time.time()
        self.host.machines(group, count=self.count, **more)
        self.hosts_s = self.hosts_s or time.time() - began
        return [f"{group}-{number}" for number in range(1, self.count + 1)]

    def done(self, names: List[str]) -> None:
        """Wait until the engine answers on all of them."""
        for name in names:
            self.host.until("docker version -f '{{.Server.Version}}' 2>/dev/null && echo ready", "ready", name, seconds=900)

    def way(self, name: str, act: Callable[[List[str]], Any], **more: Any) -> Dict[str, Any]:
        """One way on hosts of its own."""
        self.groups += 1
        group = f"way{self.groups}"
        names = self.make(group, **more)
        began, load = time.time(), os.getloadavg()[0]
        act(names)
        self.done(names)
        ready = time.time() - began
        self.host.good("host_group", resource_group="rg", name=group, state="absent")
        return {"way": name, "ready_s": round(ready, 1), "load": round(load, 1)}

    def cloud_init(self) -> Dict[str, Any]:
        """Custom data: from the request for the hosts on."""
        began, load = time.time(), os.getloadavg()[0]
        made = self.host.good("docker_extension", handler="cloud_init", docker_user="azureuser")
        self.done(self.make("first", custom_data=made["custom_data"]))
        return {"way": "cloud_init, with the hosts", "ready_s": round(time.time() - began, 1), "load": round(load, 1)}

    def handler(self, name: str) -> Callable[[List[str]], Any]:
        return lambda hosts: self.host.good("docker_extension", resource_group="rg", hosts=hosts, handler=name)


def measure(count: int, scale: float, peers: str) -> Dict[str, Any]:
    """The case."""
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="dockhost-bench-") as place:
        folder = pathlib.Path(place)
        host = Host(folder)
        try:
            host.start(scale=str(scale), machines=False, docker_extension="working")
            ready = Ready(host, count)
            rows = [ready.way(name, ready.handler(name)) for name in ("custom_script", "docker_extension")] + [ready.cloud_init()]
            if peers in ("az", "all"):
                az = docker_extension.azure_cli(folder, host.env)
                for name, run in (("one by one", docker_extension.az_one_by_one), ("side by side", docker_extension.az_side_by_side)):
                    rows.append(ready.way("az vm extension set, " + name, lambda hosts, act=run: act(az, "rg", hosts, INSTALL)))
            if peers in ("azcollection", "all"):
                collection = docker_extension.azcollection(folder, host.proxy_env())
                rows.append(ready.way("azure_rm_virtualmachineextension, loop",
                                      lambda hosts: collection.play(docker_extension.azcollection_loop("rg", hosts, INSTALL))))  # fmt: skip
        finally:
            host.azlab("down")
    ours = rows[0]["ready_s"]
    return {"case": "docker_ready", "hosts": count, "scale": scale, "hosts_s": round(ready.hosts_s, 1), "load_before": round(load, 2), "ways": rows,
            "times_as_long": {row["way"]: round(row["ready_s"] / ours, 2) for row in rows}}  # fmt: skip
