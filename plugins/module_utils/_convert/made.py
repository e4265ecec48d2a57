# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a conversion makes, and what several conversions decide alike: sizes, images, managers, daemon options. Private; pure.

What a source says is text of others: it never becomes a template (see ``Template``), and what looks secret goes to ``secrets``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Dict, List, Mapping, Sequence, Tuple

from ansible_collections.dockhost.azure.plugins.module_utils._errors import InputError
from ansible_collections.dockhost.azure.plugins.module_utils._extension.docker_files import daemon
from ansible_collections.dockhost.azure.plugins.module_utils._extension.docker_settings import DockerSettings

GEN1_IMAGE = "Debian:debian-13:13:latest"
# Basic and Standard A sizes without a version were retired on 31 August 2024:
# https://learn.microsoft.com/azure/virtual-machines/sizes/retirement/av1-series-retirement
_RETIRED = re.compile(r"(?i)(basic|standard)_a\d+")
# Sizes of the second version without premium storage start images of generation 1 only:
# https://learn.microsoft.com/azure/virtual-machines/generation-2
_GEN1_ONLY = re.compile(r"(?i)standard_[adg]\d+m?(_v2)?")
# The images that the roles support, by publisher and offer (role docker runs on Debian 12 and 13, Ubuntu 22.04 and 24.04).
_IMAGES = re.compile(r"(?i)(debian:debian-1[23]:|canonical:(0001-com-ubuntu-server-jammy|ubuntu-24_04-lts|ubuntu-22_04-lts)[^:]*:)")
_SECRET_NAME = re.compile(r"(?i)(^|[_-])(password|passwd|pwd|pass|secret|token|credentials?|private_?key|api_?key|access_?key|key)($|[_-])")
# Storage drivers that engines of today have no more: https://docs.docker.com/engine/deprecated/
_GONE_DRIVERS = ("aufs", "devicemapper", "overlay")


class Template(str):
    """Text that is a Jinja expression of ours. Any other text with braces is marked ``!unsafe`` in the files."""


@dataclass
class Made:
    """The variables of one deployment, and the account of what became of each setting.

    :param variables: by file below group_vars/all (without its ending), then by name.
    :param notes: a line above a variable in its file, by name.
    :param secrets: variables for vault.yml.
    :param machines: existing hosts for a static inventory, by name.
    :param documents: Compose documents by the file that they go to.
    :param left: (setting, reason) of what cannot be carried over.
    """

    name: str
    variables: Dict[str, Dict[str, Any]] = field(default_factory=dict)
    notes: Dict[str, str] = field(default_factory=dict)
    secrets: Dict[str, str] = field(default_factory=dict)
    machines: Dict[str, Dict[str, Any]] = field(default_factory=dict)
    documents: Dict[str, Any] = field(default_factory=dict)
    carried: List[Tuple[str, str]] = field(default_factory=list)
    left: List[Tuple[str, str]] = field(default_factory=list)

    def put(self, variable: str, value: Any, source: str, note: str = "") -> None:
        """A variable and the setting that it comes from."""
        self.variables.setdefault(variable.partition("_")[0], {})[variable] = value
        self.notes[variable] = "from {0}{1}".format(source, "; " + note if note else "")
        self.carried.append((source, variable))

    def hide(self, variable: str, value: str, source: str) -> Template:
        """A secret, for vault.yml. Returns what stands in its place elsewhere."""
        if self.secrets.setdefault(variable, value) != value:
            self.leave(source, "It differs from the one that is in vault.yml as {0}, which was kept.".format(variable))
        self.carried.append((source, variable + " (in vault.yml)"))
        return Template("{{ " + variable + " }}")

    def leave(self, source: str, reason: str) -> None:
        """A setting that cannot be carried over."""
        if (source, reason) not in self.left:
            self.left.append((source, reason))


def looks_secret(name: str) -> bool:
    """Whether a variable of this name holds a secret, as far as a name can tell."""
    return bool(_SECRET_NAME.search(re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name)))


def deployment_name(text: str) -> str:
    """A name that host_group takes, made from another one.

    :raises InputError: nothing is left of it.
    """
    name = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:40].rstrip("-")
    if not name:
        raise InputError("name", "No name for the deployment can be made of '{0}': give one with the option name.".format(text))
    return name


def put_size(made: Made, size: str, source: str) -> None:
    """The size, where Azure still has it, and an image that starts on it."""
    if not size:
        return
    if _RETIRED.fullmatch(size):
        made.leave("{0} = {1}".format(source, size), "Azure has retired this size; deployment_size keeps its default, choose one that suits.")
        return
    made.put("deployment_size", size, source)
    if _GEN1_ONLY.fullmatch(size):
        made.put("deployment_image", GEN1_IMAGE, source, "this size starts images of generation 1 only")


def put_image(made: Made, image: str, source: str) -> None:
    """The image as URN, where the roles support what is in it."""
    if not image:
        return
    if _IMAGES.match(image):
        made.put("deployment_image", image, source)
    else:
        made.leave("{0} = {1}".format(source, image), "The roles run on Debian 12 and 13 and on Ubuntu 22.04 and 24.04; new hosts get Debian 13.")


def put_managers(made: Made, managers: int, hosts: int, source: str) -> None:
    """Managers as a swarm takes them: 1, 3, 5 or 7, and no more than there are hosts."""
    fitting = max(number for number in (1, 3, 5, 7) if number <= max(1, min(managers, hosts)))
    made.put("deployment_managers", fitting, source)
    if fitting != managers:
        made.leave("{0} = {1}".format(source, managers), "A swarm has 1, 3, 5 or 7 managers: {0}.".format(fitting))


def put_daemon(made: Made, options: Sequence[str], source: str) -> Dict[str, Any]:
    """Command line options of an old engine as keys of daemon.json; returns them, not yet put.

    :raises InputError: an option that cannot be understood.
    """
    found, addresses, notes = daemon(DockerSettings(options=tuple(options)), insecure=True)
    found.pop("tls", None)
    for address in addresses:
        made.leave("{0}: {1}".format(source, address), _CLOSED)
    for note in notes:
        what, dummy, why = note.partition(" is left out: ")
        made.leave("{0}: {1}".format(source, what.rpartition(": ")[2]), why[:1].upper() + why[1:])
    if found.get("storage-driver") in _GONE_DRIVERS:
        made.leave("{0}: storage-driver={1}".format(source, found.pop("storage-driver")), "Engines of today do not have it; they choose overlay2.")
    return found


_CLOSED = (
    "The engine listens on no port by default. Reach it over SSH (docker -H ssh://…), or let role docker make certificates and open a port to their "
    "holders (docker_remote_api, and the port in deployment_application_ports)."
)


def leave_port(made: Made, source: str) -> None:
    """An engine that listened on a TCP port."""
    made.leave(source, _CLOSED)


def whole(option: str, given: Any, what: str) -> int:
    """A number that may come as text.

    :raises InputError: it is none.
    """
    if isinstance(given, bool) or not str(given).isdigit():
        raise InputError(option, "{0} is '{1}' in the source: {2} is a whole number.".format(option, given, what))
    return int(given)


def mapping(option: str, given: Any) -> Mapping[str, Any]:
    """A mapping, or an empty one for nothing.

    :raises InputError: it is something else.
    """
    if given is None:
        return {}
    if not isinstance(given, dict):
        raise InputError(option, "{0} is not a mapping in the source, as it is in files of this kind.".format(option))
    return given


def entries(option: str, given: Any) -> Sequence[Any]:
    """A list, or an empty one for nothing.

    :raises InputError: it is something else.
    """
    if given is None:
        return []
    if not isinstance(given, list):
        raise InputError(option, "{0} is not a list in the source, as it is in files of this kind.".format(option))
    return given
