# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The known_hosts file of a deployment: which lines are ours, which are missing, which have to go (private, pure).

A line of ours reads ``<alias> <key type> <key> dockhost deployment=<d> group=<g> vm=<vm id>``: OpenSSH takes what
follows the key as a comment (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT). Every other line is kept as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, Iterable, List, Mapping, Optional, Sequence, Tuple

from ansible_collections.dockhost.azure.plugins.module_utils._model.ssh_keys import key_problem

BEGIN = "-----BEGIN DOCKHOST HOST KEYS-----"
END = "-----END DOCKHOST HOST KEYS-----"


def alias(name: str, resource_group: str) -> str:
    """The name under which a host's keys stand. Lower case: OpenSSH compares host names so."""
    return f"{name}.{resource_group}".lower()


@dataclass(frozen=True)
class Owner:
    """Whose line it is."""

    deployment: str
    group: str
    vm_id: str

    def comment(self) -> str:
        """The comment at the end of a line."""
        return f"dockhost deployment={self.deployment} group={self.group} vm={self.vm_id}"


@dataclass(frozen=True)
class Entry:
    """One line of ours."""

    alias: str
    kind: str
    data: str
    owner: Owner

    def line(self) -> str:
        """The line as it is written."""
        return f"{self.alias} {self.kind} {self.data} {self.owner.comment()}"


@dataclass(frozen=True)
class Scope:
    """The hosts that a run is about; C(None) stands for all."""

    resource_group: str
    deployment: Optional[str] = None
    group: Optional[str] = None

    def holds(self, entry: Entry) -> bool:
        """Whether an entry is about such a host."""
        owner = entry.owner
        return (
            entry.alias.endswith("." + self.resource_group.lower())
            and self.deployment in (None, owner.deployment)
            and (self.group or owner.group).lower() == owner.group.lower()
        )


def parse_line(line: str) -> Optional[Entry]:
    """Read a line of ours; None for every other line."""
    fields = line.split()
    if len(fields) < 5 or fields[3] != "dockhost":
        return None
    marks = dict(field.partition("=")[::2] for field in fields[4:])
    if "vm" not in marks or "deployment" not in marks:
        return None
    return Entry(fields[0], fields[1], fields[2], Owner(marks["deployment"], marks.get("group", ""), marks["vm"]))


def parse_answer(output: str) -> Tuple[List[Tuple[str, str]], Optional[str]]:
    """Read the keys of what RunCommand printed: (keys, problem)."""
    start, end = output.find(BEGIN), output.find(END)
    if start < 0 or end < start:
        return [], "its answer holds no host keys"
    keys = []
    for line in output[start + len(BEGIN) : end].splitlines():
        fields = line.split()
        if not fields:
            continue
        if len(fields) < 2:
            return [], f"its answer has the line '{line.strip()[:40]}', which is no key"
        problem = key_problem(fields[0], fields[1])
        if problem:
            return [], f"its answer has a key that cannot be used: {problem}"
        keys.append((fields[0], fields[1]))
    if not keys:
        return [], "it has no SSH host keys yet (/etc/ssh/ssh_host_*_key.pub)"
    return sorted(set(keys)), None


def known(text: str) -> Dict[str, List[Entry]]:
    """Our entries of a file by alias."""
    found: Dict[str, List[Entry]] = {}
    for line in text.splitlines():
        entry = parse_line(line)
        if entry is not None:
            found.setdefault(entry.alias, []).append(entry)
    return found


def missing(text: str, wanted: Mapping[str, Owner]) -> List[str]:
    """The aliases whose keys have to be read: none are known, or those of an earlier machine of that name."""
    entries = known(text)
    return [
        name
        for name, owner in wanted.items()
        if not any(entry.owner.vm_id.lower() == owner.vm_id.lower() for entry in entries.get(name, ()))
    ]


def merge(
    text: str,
    wanted: Mapping[str, Owner],
    keys: Mapping[str, Sequence[Tuple[str, str]]],
    scope: Scope,
) -> str:
    """The file's new text.

    :param wanted: the hosts that exist, by alias
    :param keys: the keys that were read now, by alias
    :param scope: whose gone hosts lose their lines
    """
    lines = []
    for line in text.splitlines():
        entry = parse_line(line)
        if entry is not None and entry.alias not in wanted and scope.holds(entry):
            continue
        if _names_alias(line, keys):
            # A re-created machine: whatever stood under this alias would only make OpenSSH refuse the new one.
            continue
        lines.append(line)
    for name in sorted(keys):
        lines.extend(Entry(name, kind, data, wanted[name]).line() for kind, data in keys[name])
    return "".join(line + "\n" for line in lines)


def _names_alias(line: str, names: Iterable[str]) -> bool:
    fields = line.split()
    if not fields or fields[0].startswith(("#", "@", "|")):
        return False
    return fields[0].lower() in names
