# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A deployment on a lab of its own, driven as an operator drives it: azlab's command, ansible-playbook, HTTP, SSH."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import pathlib
import re
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator

import yaml
from playbook_run import environment

ROOT = pathlib.Path(__file__).resolve().parents[2]
RECAP = re.compile(r"^(?P<host>\S+)\s+: ok=\d+\s+changed=(?P<changed>\d+)\s+unreachable=(?P<unreachable>\d+)\s+failed=(?P<failed>\d+)", re.M)


@dataclasses.dataclass
class Run:
    """What one ansible-playbook printed, and how it ended."""

    status: int
    output: str

    @property
    def changed(self) -> dict[str, int]:
        """Host -> number of tasks that changed something."""
        return {m["host"]: int(m["changed"]) for m in RECAP.finditer(self.output)}


class Deployment:
    """One lab, one inventory file, one state folder; nothing of it is shared with another deployment."""

    lab_options: tuple[str, ...] = ()  # further options of azlab up

    def __init__(self, folder: pathlib.Path, name: str) -> None:
        self.folder = folder
        self.name = name
        self.lab = f"{name}-{os.getpid()}"
        self.inventory = folder / "hosts.docker_hosts.yml"
        self.key = folder / "id_ed25519"
        self.env = environment(
            folder, AZLAB_HOME=str(folder / "azlab"), DOCKHOST_SSH_PUBLIC_KEY_FILE=f"{self.key}.pub", ANSIBLE_PRIVATE_KEY_FILE=str(self.key),
            ANSIBLE_CONFIG=str(ROOT / "examples" / "ansible.cfg"), ANSIBLE_COLLECTIONS_PATH=str(folder / "collections"),
            ANSIBLE_SSH_CONTROL_PATH_DIR=str(folder / "cp"),
        )  # fmt: skip
        self.variables = {
            "deployment_name": name,
            "docker_source": "distribution",
            "wordpress_title": "The end-to-end blog",
            "wordpress_block_external": True,
        }

    # -- setting up and taking down ----------------------------------------------------------------

    def start(self) -> None:
        """Start the lab, make a key, install the built archive, write the inventory file."""
        self.command("azlab", "up", "--name", self.lab, "--machines", "docker", *self.lab_options)
        self.env.update(self.lab_environment())
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self.key)], check=True)
        self.command("ansible-galaxy", "collection", "build", str(ROOT), "--output-path", str(self.folder / "built"))
        archive = next((self.folder / "built").glob("dockhost-azure-*.tar.gz"))
        self.command("ansible-galaxy", "collection", "install", str(archive), "--offline", "--no-deps", "-p", str(self.folder / "collections"))
        self.write_inventory()

    def stop(self) -> None:
        """Remove the lab with all of its containers, networks and volumes."""
        self.command("azlab", "down", "--name", self.lab)
        shutil.rmtree(self.folder / "collections", ignore_errors=True)

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """From `start` to `stop`, whatever happens in between."""
        try:
            self.start()
            yield
        finally:
            self.stop()

    def lab_environment(self) -> dict[str, str]:
        """What `azlab env` prints, as a dictionary."""
        printed = self.command("azlab", "env", "--name", self.lab).stdout
        return dict(re.findall(r"^export (\w+)=['\"]?([^'\"\n]*)", printed, re.M))

    def write_inventory(self) -> None:
        """The one file that an operator edits."""
        self.inventory.write_text(yaml.safe_dump({
            "plugin": "dockhost.azure.docker_hosts",
            "deployment": self.name,
            "resource_groups": [f"rg-{self.name}"],
            "admin_username": "azureuser",
            "vars": self.variables,
        }))

    # -- driving it ---------------------------------------------------------------------------------

    def command(self, *words: str, check: bool = True) -> subprocess.CompletedProcess:
        """Run a command in the deployment's environment."""
        done = subprocess.run(words, env=self.env, capture_output=True, text=True, cwd=self.folder, check=False)
        if check and done.returncode:
            raise AssertionError(f"{' '.join(words)} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
        return done

    def play(self, name: str, *more: str, check: bool = True) -> Run:
        """Run one of the collection's playbooks by its full name; what it prints goes on to the terminal's log too."""
        words = ["ansible-playbook", "-i", str(self.inventory), f"dockhost.azure.{name}", *more]
        done = subprocess.run(words, env=self.env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=self.folder, check=False)
        print(done.stdout)
        if check:
            assert done.returncode == 0, f"{' '.join(words)} ended with {done.returncode}:\n{done.stdout[-6000:]}"
        return Run(done.returncode, done.stdout)

    def facts(self, host: str) -> dict:
        """The inventory's variables of a host."""
        return json.loads(self.command("ansible-inventory", "-i", str(self.inventory), "--host", host).stdout)

    def groups(self) -> dict:
        """The inventory's groups."""
        return json.loads(self.command("ansible-inventory", "-i", str(self.inventory), "--list").stdout)

    def on(self, host: str, command: str) -> str:
        """Run a shell command on a host as root, over Ansible's own SSH connection."""
        printed = self.command(
            "ansible", "-i", str(self.inventory), host, "--become", "-m", "ansible.builtin.shell", "-a", command
        ).stdout
        return printed.partition("\n")[2]

    def forget_connections(self) -> None:
        """Let Ansible sign in anew: the connections that it keeps open would work with any key and without a daemon."""
        for socket in pathlib.Path(self.env["ANSIBLE_SSH_CONTROL_PATH_DIR"]).glob("*"):
            socket.unlink()

    # -- looking at it from outside -----------------------------------------------------------------

    @property
    def url(self) -> str:
        """Where the report says that the application answers."""
        report = (self.folder / "state" / self.name / "report.txt").read_text()
        return re.search(r"http://[0-9.]+/", report)[0]

    def get(self, path: str = "", timeout: float = 10) -> str:
        """One GET through the load balancer; raises what urllib raises."""
        with urllib.request.urlopen(self.url + path, timeout=timeout) as answer:
            return answer.read().decode()

    def answers(self, seconds: float, pause: float = 0.5) -> tuple[int, int]:
        """Poll the front page for some seconds: how many requests were answered, how many failed."""
        good = bad = 0
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                self.get(timeout=5)
                good += 1
            except (urllib.error.URLError, OSError):
                bad += 1
            time.sleep(pause)
        return good, bad

    def left_in_engine(self, kind: str) -> list[str]:
        """Containers, networks or volumes of this lab that the outer engine still has."""
        words = {"containers": ["ps", "-a"], "networks": ["network", "ls"], "volumes": ["volume", "ls"]}[kind]
        listed = self.command("docker", *words, "--filter", f"label=azlab.lab={self.lab}", "--format", "{{json .}}")
        return listed.stdout.splitlines()
