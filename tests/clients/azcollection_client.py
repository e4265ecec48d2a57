# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""azure.azcollection as tests call it: tasks go in, the result of each comes out."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
from typing import Any

Task = dict[str, Any]


class Failed(AssertionError):
    """A task that should have worked did not."""


def task(label: str, module: str, /, **arguments: Any) -> Task:
    """A task of azure.azcollection: C(task("group", "resourcegroup", name="g"))."""
    return {"name": label, f"azure.azcollection.azure_rm_{module}": arguments}


class Collection:
    """The ansible-playbook of one environment, led to one lab by the lab's proxy."""

    def __init__(self, environment: pathlib.Path, folder: pathlib.Path, lab_env: dict[str, str]) -> None:
        self.programs, self.folder = environment / "bin", folder
        self.limit = 540                                        # seconds for one run of a program
        (folder / "ansible.cfg").touch()
        inherited = {k: v for k, v in os.environ.items()
                     if not k.startswith(("ANSIBLE_", "AZURE_")) and not k.lower().endswith(("_proxy", "_ca_bundle"))}
        self.env = {
            **inherited,
            **lab_env,
            "ANSIBLE_HOME": str(folder),                        # no configuration, collections or cache of the user
            "ANSIBLE_CONFIG": str(folder / "ansible.cfg"),
            "ANSIBLE_COLLECTIONS_PATH": str(folder),            # the one that the package "ansible" brings, and no other
            "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json",
            "ANSIBLE_DEPRECATION_WARNINGS": "false",
            "ANSIBLE_LOCALHOST_WARNING": "false",
            "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
            # Whatever goes around the proxy by plain HTTP meets a closed port: nothing leaves this machine.
            "HTTP_PROXY": "http://127.0.0.1:9",
        }

    def _run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([str(self.programs / program), *arguments], env=self.env, cwd=self.folder, capture_output=True,
                              text=True, timeout=self.limit, check=False)

    def results(self, tasks: list[Task], *options: str) -> dict[str, Any]:
        """Run the tasks as a playbook, up to the first that fails; what each returned, by its name."""
        local = {"ansible_connection": "local", "ansible_python_interpreter": str(self.programs / "python")}
        return self.on("localhost,", "localhost", tasks, local, *options)

    def on(self, inventory: str, host: str, tasks: list[Task], variables: dict[str, Any], *options: str) -> dict[str, Any]:
        """As C(results), on one host of any inventory."""
        (self.folder / "play.json").write_text(json.dumps([{"hosts": host, "gather_facts": False, "tasks": tasks, "vars": variables}]))
        done = self._run("ansible-playbook", "-i", inventory, "play.json", *options)
        try:
            ran = json.loads(done.stdout)["plays"][0]["tasks"]
        except (ValueError, LookupError):
            raise Failed(f"ansible-playbook: exit status {done.returncode}\n{done.stdout}\n{done.stderr}") from None
        return {one["task"]["name"]: one["hosts"][host] for one in ran}

    def play(self, tasks: list[Task], *options: str) -> dict[str, Any]:
        """As C(results), for tasks that must work."""
        results = self.results(tasks, *options)
        for name, result in results.items():
            if result.get("failed"):
                raise Failed(f"{name}: {result.get('msg')}\n{result.get('exception', '')}\n{result.get('module_stderr', '')}")
        assert list(results) == [one["name"] for one in tasks]
        return results

    def changed(self, tasks: list[Task], *options: str) -> list[str]:
        """The names of the tasks that say that they changed something; all must work."""
        return [name for name, result in self.play(tasks, *options).items() if result["changed"]]

    def inventory(self, **options: Any) -> dict[str, Any]:
        """What `ansible-inventory --list` makes of an azure_rm inventory with these options."""
        file = self.folder / "lab.azure_rm.yml"
        file.write_text(json.dumps({"plugin": "azure.azcollection.azure_rm", **options}))
        done = self._run("ansible-inventory", "-i", file.name, "--list")
        if done.returncode:
            raise Failed(f"ansible-inventory: exit status {done.returncode}\n{done.stderr}")
        # Text from outside is wrapped, so that nothing takes it for a template.
        return dict(json.loads(done.stdout, object_hook=lambda one: one.get("__ansible_unsafe", one)))
