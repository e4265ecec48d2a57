# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Docker CLI's Compose plugin, which reads Compose files and makes containers of them.

This util is private to the collection: no release promises that it stays as it is.
"""

from __future__ import annotations

import json
import os
import subprocess
import typing as t

from ansible_collections.dockhost.azure.plugins.module_utils._compose.model import ENVIRONMENT, Request
from ansible_collections.dockhost.azure.plugins.module_utils._docker_host.command import Result
from ansible_collections.dockhost.azure.plugins.module_utils._docker_host.packages import HostError

Json = t.Any


class Compose:
    """``docker compose`` for one project. ``folder``: where its files are for this call."""

    def __init__(self, request: Request, folder: str) -> None:
        self.request = request
        self.folder = folder

    def available(self) -> bool:
        """Whether this host has the CLI and the plugin."""
        try:
            return self._run(("docker", "compose", "version")).code == 0
        except FileNotFoundError:
            return False

    def require(self) -> None:
        """HostError where this host cannot do it."""
        if not self.available():
            raise HostError(
                "This host has no 'docker compose': install the Docker CLI and its Compose plugin first (role dockhost.azure.docker, docker_compose: true)."
            )

    def config(self) -> dict[str, Json]:
        """The whole project as Compose understands it. HostError with Compose's own words where it does not."""
        result = self.files("config", "--format", "json")
        if result.code:
            raise HostError(f"The project {self.request.name} has an error: {self.words(result)}")
        return json.loads(result.output)

    def hashes(self) -> dict[str, str]:
        """Service → the hash that Compose writes on its containers."""
        result = self.files("config", "--hash", "*")
        pairs = (line.split() for line in result.output.splitlines())
        return {pair[0]: pair[1] for pair in pairs if len(pair) == 2}

    def every_service(self) -> set[str]:
        """Names of all services, those of profiles that are not on among them."""
        return set(self._run((*self._project(), "--profile", "*", "config", "--services")).output.split())

    def files(self, *arguments: str, timeout: float = 60) -> Result:
        """A command that needs the project's files."""
        profiles = [word for name in self.request.profiles for word in ("--profile", name)]
        return self._run((*self._project(), *profiles, *arguments), timeout)

    def project(self, *arguments: str, timeout: float = 300) -> Result:
        """A command that finds the project's containers by their labels, and needs no files."""
        return self._run(("docker", "compose", "--project-name", self.request.name, *arguments), timeout)

    def words(self, result: Result) -> str:
        """The last of what it said, in one line, on files where the user knows them."""
        said = [line.strip() for line in (result.errors.strip() or result.output.strip()).splitlines() if line.strip()]
        return " | ".join(said[-3:]).replace(self.folder, self.request.folder).rstrip(".") or "it said nothing"

    def _project(self) -> tuple[str, ...]:
        words = ["docker", "compose", "--project-name", self.request.name, "--project-directory", self.folder]
        if os.path.exists(os.path.join(self.folder, ENVIRONMENT)):
            words += ["--env-file", os.path.join(self.folder, ENVIRONMENT)]
        for name in self.request.compose_files:
            words += ["--file", os.path.join(self.folder, name)]
        return tuple(words)

    def _run(self, argv: t.Sequence[str], timeout: float = 60) -> Result:
        # Variables of Ansible's shell would win over those of the project.
        environment = {
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": os.path.expanduser("~"),
            "LC_ALL": "C",
            "DOCKER_HOST": f"unix://{self.request.docker_socket}",
            "COMPOSE_ANSI": "never",
            "COMPOSE_MENU": "false",
        }
        proxies = {name: value for name, value in os.environ.items() if name.lower() in ("http_proxy", "https_proxy", "no_proxy")}
        try:
            # Not run_command: this runs below the module, without an AnsibleModule at hand.
            done = subprocess.run(  # pylint: disable=ansible-bad-function
                argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**environment, **proxies}, timeout=timeout, check=False,
                cwd="/",
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise HostError(f"'{' '.join(argv[:2])} {argv[-1]}' of project {self.request.name} did not end within {timeout:g} s.") from None
        return Result(done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))
