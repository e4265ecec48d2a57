# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Docker engine that carries the lab: connection, privileges, and running its blocking calls in threads."""
from __future__ import annotations

import asyncio
import functools
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import docker
import docker.errors
import requests

from azlab.machines.driver import MachineError

Result = TypeVar("Result")
LONG = 1800                 # seconds that one call may take, e.g. a command in a machine
# Capabilities by their bit. The last ones are newer than Docker 20.10 knows and nothing here needs them.
CAPABILITIES = ["CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID", "SETPCAP", "LINUX_IMMUTABLE", "NET_BIND_SERVICE", "NET_BROADCAST", "NET_ADMIN", "NET_RAW", "IPC_LOCK", "IPC_OWNER", "SYS_MODULE", "SYS_RAWIO", "SYS_CHROOT", "SYS_PTRACE", "SYS_PACCT", "SYS_ADMIN", "SYS_BOOT", "SYS_NICE", "SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "MKNOD", "LEASE", "AUDIT_WRITE", "AUDIT_CONTROL", "SETFCAP", "MAC_OVERRIDE", "MAC_ADMIN", "SYSLOG", "WAKE_ALARM", "BLOCK_SUSPEND", "AUDIT_READ"]


def connect() -> docker.DockerClient:
    """A client of the engine, or one sentence that says that none answers."""
    try:
        client = docker.from_env(timeout=15, max_pool_size=40)
        client.ping()
        client.api.timeout = LONG
        return client
    except (docker.errors.DockerException, requests.RequestException) as error:
        where = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
        raise MachineError("EngineUnreachable", (
            f"no Docker engine answers at {where} ({_root(error)}): start it (for example 'systemctl start docker'), "
            "set DOCKER_HOST, or use 'azlab up --machines none'."
        )) from error


def _root(error: BaseException) -> str:
    while error.__cause__ or error.__context__:
        error = error.__cause__ or error.__context__ or error
    return str(error).strip() or type(error).__name__


class Engine:
    """Blocking calls in threads, and the options under which a container may run systemd and an engine of its own."""

    def __init__(self, client: docker.DockerClient) -> None:
        self.client = client
        self._threads = ThreadPoolExecutor(max_workers=32, thread_name_prefix="azlab-docker")
        self.info: dict[str, Any] = {}
        self._privileged = False

    async def call(self, function: Callable[..., Result], *args: Any, **kwargs: Any) -> Result:
        """Run a blocking call of the SDK; its errors become MachineError."""
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._threads, functools.partial(function, *args, **kwargs))
        except docker.errors.NotFound:
            raise
        except docker.errors.DockerException as error:
            explanation = getattr(error, "explanation", None) or str(error)
            raise MachineError("InternalExecutionError", f"the Docker engine refused: {explanation}") from error
        except requests.RequestException as error:
            raise MachineError("InternalExecutionError", f"the Docker engine did not answer: {_root(error)}") from error

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
        self.client.close()

    def learn(self, image: str, labels: dict[str, str]) -> None:
        """Ask the engine what it is, and try whether privileged containers start there (blocking)."""
        self.info = self.client.info()
        for left in self.client.containers.list(all=True, filters={"label": [f"{name}={value}" for name, value in labels.items()]}):
            left.remove(force=True)     # of a process that was killed just here
        trial = self.client.containers.create(image, ["true"], privileged=True, network_mode="none", labels=labels)
        try:
            trial.start()
            self._privileged = True
        except docker.errors.APIError:
            # A capability is missing from the engine's own bounding set, as on machines inside a sandbox.
            self._privileged = False
        finally:
            trial.remove(force=True)

    def privileges(self) -> dict[str, Any]:
        """Options of a container that is a whole host: privileged where that works, else all that the engine itself has."""
        if self._privileged:
            return {"privileged": True}
        return {
            "cap_drop": ["ALL"],
            "cap_add": bounding_set(),
            "security_opt": ["seccomp=unconfined", "apparmor=unconfined"],
            "devices": [f"{device}:{device}:rwm" for device in ("/dev/fuse", "/dev/net/tun") if os.path.exists(device)],
        }

    @property
    def cpus(self) -> int:
        return int(self.info.get("NCPU") or 1)

    @property
    def memory(self) -> int:
        return int(self.info.get("MemTotal") or 0)


def bounding_set() -> list[str]:
    """The capabilities that this process, and so an engine beside it, can hand on."""
    with open("/proc/self/status", encoding="ascii") as status:
        bits = next(int(line.split()[1], 16) for line in status if line.startswith("CapBnd"))
    return [name for bit, name in enumerate(CAPABILITIES) if bits >> bit & 1]


def name_servers() -> list[str]:
    """The name servers of this machine as another host can use them: not the loopback ones of a local resolver."""
    for path in ("/etc/resolv.conf", "/run/systemd/resolve/resolv.conf"):
        try:
            with open(path, encoding="utf-8") as lines:
                words = [line.split() for line in lines]
        except FileNotFoundError:
            continue
        found = [w[1] for w in words if len(w) > 1 and w[0] == "nameserver" and ":" not in w[1] and not w[1].startswith("127.")]
        if found:
            return found
    return []
