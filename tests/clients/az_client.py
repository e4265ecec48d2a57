# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Azure CLI as tests call it: `az.json("group", "show", "-n", "x")`."""

from __future__ import annotations

import json
import os
import pathlib
import shlex
import subprocess
from typing import Any

DRIVER = pathlib.Path(__file__).with_name("az_driver.py")


class Failed(AssertionError):
    """A command that should have worked did not."""


class Az:
    """The CLI of one environment, signed in to one lab, with a configuration folder of its own."""

    def __init__(self, environment: pathlib.Path, config: pathlib.Path, lab_env: dict[str, str]) -> None:
        self.python = environment / "bin" / "python"
        self.program = environment / "bin" / "az"
        self.lab_env = lab_env
        self.env = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("AZURE_", "REQUESTS_CA", "HTTP", "http"))},
            "AZURE_CONFIG_DIR": str(config),
            "AZURE_CORE_INSTANCE_DISCOVERY": "false",
            "AZURE_CORE_COLLECT_TELEMETRY": "false",
            "AZURE_CORE_SURVEY_MESSAGE": "false",
            "AZURE_CORE_NO_COLOR": "true",
            "AZURE_CORE_DISABLE_PROGRESS_BAR": "true",
            "AZURE_AUTO_UPGRADE_ENABLE": "false",
            "AZURE_EXTENSION_USE_DYNAMIC_INSTALL": "no",
            "REQUESTS_CA_BUNDLE": lab_env["REQUESTS_CA_BUNDLE"],
            # Whatever is not for the lab meets a closed port: nothing leaves this machine.
            "HTTPS_PROXY": "http://127.0.0.1:9",
            "HTTP_PROXY": "http://127.0.0.1:9",
            "NO_PROXY": "localhost,127.0.0.1",
        }
        self.driver: subprocess.Popen[str] | None = None

    def sign_in(self) -> None:
        """Register the lab as a cloud and sign in as its service principal."""
        url = self.lab_env["AZURE_CLOUD_ENVIRONMENT"]
        self.run("cloud", "register", "-n", "Lab", "--endpoint-resource-manager", url)
        self.run("cloud", "set", "-n", "Lab")
        self.run("login", "--service-principal", "-u", self.lab_env["AZURE_CLIENT_ID"], "-p", self.lab_env["AZURE_SECRET"],
                 "--tenant", self.lab_env["AZURE_TENANT"])

    def call(self, *arguments: str) -> tuple[int, str, str]:
        """One command in the driver's process: (exit status, stdout, stderr)."""
        if self.driver is None:
            self.driver = subprocess.Popen([str(self.python), str(DRIVER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                           env=self.env)
        assert self.driver.stdin is not None and self.driver.stdout is not None
        self.driver.stdin.write(json.dumps(arguments) + "\n")
        self.driver.stdin.flush()
        line = self.driver.stdout.readline()
        assert line, f"the process of the Azure CLI ended in: az {shlex.join(arguments)}"
        answer = json.loads(line)
        return answer["status"], answer["out"], answer["err"]

    def run(self, *arguments: str) -> str:
        """One command that must work; its stdout."""
        status, out, err = self.call(*arguments)
        if status:
            raise Failed(f"az {shlex.join(arguments)}: exit status {status}\n{err}")
        return out

    def json(self, *arguments: str) -> Any:
        """One command that must work; what it printed as JSON, None when it printed nothing."""
        out = self.run(*arguments, "--output", "json")
        return json.loads(out) if out.strip() else None

    def error(self, *arguments: str) -> str:
        """One command that must fail; what it says on stderr, without a traceback."""
        status, out, err = self.call(*arguments)
        assert status, f"az {shlex.join(arguments)} worked, but must not:\n{out}"
        assert "Traceback" not in err, err
        return err

    def process(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """One command as people start it: the program `az` in a process of its own."""
        return subprocess.run([str(self.program), *arguments], env=self.env, capture_output=True, text=True, timeout=300, check=False)

    def close(self) -> None:
        """End the driver."""
        if self.driver is not None:
            assert self.driver.stdin is not None
            self.driver.stdin.close()
            self.driver.wait(30)
