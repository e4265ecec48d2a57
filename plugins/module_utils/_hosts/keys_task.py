# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The work of C(host_keys): public host keys over RunCommand into a known_hosts file. Private to this collection."""

from __future__ import annotations

import asyncio
import fcntl
import os
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple

from ansible_collections.dockhost.azure.plugins.module_utils._azure.client import Client
from ansible_collections.dockhost.azure.plugins.module_utils._errors import AzureError, DockhostError, InputError, RefusedError
from ansible_collections.dockhost.azure.plugins.module_utils._hosts import known_hosts, read, run_command
from ansible_collections.dockhost.azure.plugins.module_utils._hosts.known_hosts import Owner, Scope
from ansible_collections.dockhost.azure.plugins.module_utils._model.host import Host, hosts_from_lists, select
from ansible_collections.dockhost.azure.plugins.module_utils._module import Task
from ansible_collections.dockhost.azure.plugins.module_utils._plan import core

KEYS_SECONDS = 600  # first boot included: cloud-init makes the keys

# Waits by cause: cloud-init makes the keys of this very machine at the first boot, and only then are they the right ones
# (an image may carry keys that are deleted then). Where there is no cloud-init the keys themselves are waited for.
SCRIPT = f"""\
if command -v cloud-init >/dev/null 2>&1; then timeout {KEYS_SECONDS} cloud-init status --wait >/dev/null 2>&1; fi
waited=0
while ! ls /etc/ssh/ssh_host_*_key.pub >/dev/null 2>&1 && [ "$waited" -lt 60 ]; do sleep 1; waited=$((waited + 1)); done
echo '{known_hosts.BEGIN}'
for file in /etc/ssh/ssh_host_*_key.pub; do
  if [ -r "$file" ]; then awk 'NF >= 2 {{ print $1, $2 }}' "$file"; fi
done
echo '{known_hosts.END}'
"""

Keys = Sequence[Tuple[str, str]]


@dataclass(frozen=True)
class KeysPlan(core.Plan):
    """The change of one file."""

    path: str = ""
    before: str = ""
    after: str = ""

    @property
    def changed(self) -> bool:
        return self.before != self.after

    def diff(self) -> Dict[str, str]:
        return {
            "before": self.before,
            "after": self.after,
            "before_header": self.path,
            "after_header": self.path,
        }


@dataclass(frozen=True)
class Found:
    """The hosts, what the file says, and what was read now."""

    hosts: Mapping[str, Host]
    text: str
    keys: Mapping[str, Keys] = field(default_factory=dict)
    problems: Tuple[str, ...] = ()


class HostKeysTask(Task):
    """Brings the file up to the hosts that exist."""

    def check(self) -> None:
        path = self.params["known_hosts"]
        if os.path.isdir(path):
            raise InputError("known_hosts", f"known_hosts: '{path}' is a directory: give the path of a file.")

    @property
    def scope(self) -> Scope:
        """The hosts that this run is about."""
        return Scope(self.params["resource_group"], self.params.get("deployment"), self.params.get("name"))

    async def observe(self, client: Client) -> Found:
        observed = await read.observe(client, self.params["resource_group"], public=False)
        chosen = select(observed.machines, self.params.get("deployment"), self.params.get("name"))
        hosts = {
            known_hosts.alias(host.name, self.params["resource_group"]): host
            for host in hosts_from_lists(chosen, observed.interfaces, (), observed.statuses)
        }
        text = read_text(self.params["known_hosts"])
        missing = known_hosts.missing(text, owners(hosts))
        idle = [name for name in missing if not hosts[name].running]
        problems = [_not_running(hosts[name]) for name in idle]
        wanted = [name for name in missing if name not in idle]
        if self.check_mode or self.params["not_running"] == "warn":
            self.warnings += problems
        if self.params["not_running"] == "warn":
            problems = []
        if self.check_mode:
            return Found(hosts, text, {name: [("(its keys are read", "in the real run)")] for name in wanted}, tuple(problems))
        keys, failed = await fetch(client, {name: hosts[name] for name in wanted})
        return Found(hosts, text, keys, tuple(problems + failed))

    def plan(self, actual: Found) -> KeysPlan:
        after = known_hosts.merge(actual.text, owners(actual.hosts), actual.keys, self.scope)
        return KeysPlan(path=self.params["known_hosts"], before=actual.text, after=after)

    async def finish(self, client: Client, actual: Found, results: List[Any]) -> None:
        path = self.params["known_hosts"]
        with locked(path):
            # Read again: another run may have written since, about other hosts.
            text = read_text(path)
            after = known_hosts.merge(text, owners(actual.hosts), actual.keys, self.scope)
            if after != text:
                write_text(path, after)
        if actual.problems:
            raise RefusedError(actual.problems)

    def result(self, actual: Found, plan: core.Plan, applied: bool) -> Dict[str, Any]:
        entries = known_hosts.known(actual.text)
        return {
            "hosts": [
                {
                    "name": host.name,
                    "alias": alias,
                    "lines": [f"{entry.kind} {entry.data}" for entry in entries.get(alias, ()) if entry.owner.vm_id == host.system],
                }
                for alias, host in actual.hosts.items()
            ]
        }


def owners(hosts: Mapping[str, Host]) -> Dict[str, Owner]:
    """Who the lines of each alias belong to."""
    return {alias: Owner(host.deployment or "", host.group or "", host.system) for alias, host in hosts.items()}


def _not_running(host: Host) -> str:
    return (
        f"Host {host.name} is not running ({host.power_state or 'its power state is unknown'}), so its SSH keys cannot be read: start "
        "it (dockhost.azure.host_group with state=started) and run again."
    )


async def fetch(client: Client, hosts: Mapping[str, Host]) -> Tuple[Dict[str, Keys], List[str]]:
    """Read the keys of hosts side by side: (keys by alias, sentences about those that could not be read)."""
    slots = asyncio.Semaphore(run_command.AT_ONCE)

    async def one(host: Host) -> Any:
        async with slots:
            try:
                return known_hosts.parse_answer(await run_command.run(client, host, SCRIPT, f"read the host keys of {host.name}"))
            except AzureError as error:
                return [], f"Azure could not run a command there: {error.code}: {error.message.rstrip('.')}"

    answers = await asyncio.gather(*(one(host) for host in hosts.values()))
    keys: Dict[str, Keys] = {}
    problems = []
    for (alias, host), (found, problem) in zip(hosts.items(), answers):
        if problem:
            problems.append(
                f"The SSH keys of host {host.name} could not be read: {problem}. Check that its agent (walinuxagent) runs and "
                "that it has booted, and run again."
            )
        else:
            keys[alias] = found
    return keys, problems


def read_text(path: str) -> str:
    """The file's content; nothing where there is no file."""
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise DockhostError(f"known_hosts: {path} cannot be read: {error}.") from error


@contextmanager
def locked(path: str) -> Iterator[None]:
    """One writer at a time: a lock on the folder, so that no lock file is left."""
    folder = os.path.dirname(os.path.realpath(path))
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        handle = os.open(folder, os.O_RDONLY)
    except OSError as error:
        raise DockhostError(f"known_hosts: the folder {folder} cannot be used: {error.strerror}.") from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def write_text(path: str, text: str) -> None:
    """Replace the file in one step, readable by its owner only: who is half-way reading it sees the old or the new one."""
    target = os.path.realpath(path)
    name: Optional[str] = None
    try:
        with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=os.path.dirname(target), prefix=".known_hosts.", delete=False) as file:
            name = file.name
            os.fchmod(file.fileno(), 0o600)
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, target)
    except OSError as error:
        if name and os.path.exists(name):
            os.unlink(name)
        raise DockhostError(f"known_hosts: {path} cannot be written: {error.strerror}.") from error
