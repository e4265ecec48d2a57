# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the inventory of a fleet costs: ansible-inventory with the plugin, beside the same hosts in a file.

The file is what the plugin found, so that the difference is what the plugin and Azure's lists cost, and the rest Ansible's own.
"""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
from typing import Any, Dict, List, Mapping, Tuple

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
COMMAND = str(pathlib.Path(sys.executable).parent / "ansible-inventory")


def listed(source: pathlib.Path, env: Mapping[str, str]) -> Tuple[Dict[str, Any], Dict[str, float]]:
    """(what ansible-inventory lists, what it cost)."""
    environment = dict(os.environ, ANSIBLE_COLLECTIONS_PATH=str(ROOT / ".work" / "dev"), ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED="true", **env)
    with tempfile.TemporaryFile("w+") as out:
        began = time.monotonic()
        process = subprocess.Popen([COMMAND, "-i", str(source), "--list"], env=environment, stdin=subprocess.DEVNULL, stdout=out)
        dummy, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        text = out.read()
    if process.returncode:
        raise SystemExit(f"ansible-inventory failed with {process.returncode}")
    cost = {"wall_s": round(wall, 2), "cpu_s": round(usage.ru_utime + usage.ru_stime, 2), "rss_mb": round(usage.ru_maxrss / 1024)}
    return json.loads(text), cost


def measure(group: str, env: Mapping[str, str], requests: Any) -> Dict[str, Any]:
    """The figures of a fleet that is there.

    :param requests: gives the log of requests since it was last asked
    """
    with tempfile.TemporaryDirectory() as folder:
        plugin, static = pathlib.Path(folder) / "fleet.docker_hosts.yml", pathlib.Path(folder) / "fleet.json"
        plugin.write_text(json.dumps({"plugin": "dockhost.azure.docker_hosts", "resource_groups": [group]}), encoding="utf-8")
        requests()
        found, cost = listed(plugin, env)
        log: List[Mapping[str, Any]] = requests()
        hosts = found["_meta"]["hostvars"]
        static.write_text(json.dumps({"all": {"hosts": hosts}}), encoding="utf-8")
        same, floor = listed(static, env)
        if len(same["_meta"]["hostvars"]) != len(hosts):
            raise SystemExit("the file does not hold the same hosts")
    arm = [entry for entry in log if entry["path"].startswith("/subscriptions/")]
    return {
        "found": len(hosts), **cost, "arm_requests": len(arm), "file_wall_s": floor["wall_s"], "file_cpu_s": floor["cpu_s"],
        "plugin_wall_s": round(cost["wall_s"] - floor["wall_s"], 2), "plugin_cpu_s": round(cost["cpu_s"] - floor["cpu_s"], 2),
    }  # fmt: skip
