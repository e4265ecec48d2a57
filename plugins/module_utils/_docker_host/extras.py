# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a Docker host has beside packages and daemon.json: drop-in of the unit, proxies, TLS files, kernel parameters, prune timer. Pure.

Each function gives path → text, with None for a file that must not be there.

This util is private to the collection: no release promises that it stays as it is.
"""

from __future__ import annotations

import re
import typing as t
from urllib.parse import urlsplit

from ansible_collections.dockhost.azure.plugins.module_utils._docker_host.packages import HostError

Files = t.Dict[str, t.Optional[str]]

DROP_IN = "/etc/systemd/system/docker.service.d/dockhost.conf"
PROXY_FILE = "/etc/docker/dockhost-proxy.env"
TLS_FOLDER = "/etc/docker/tls"
TLS_FILES = {"ca": f"{TLS_FOLDER}/ca.pem", "certificate": f"{TLS_FOLDER}/cert.pem", "key": f"{TLS_FOLDER}/key.pem"}
KERNEL_FILE = "/etc/sysctl.d/60-dockhost-docker.conf"
PRUNE_TIMER = "dockhost-docker-prune.timer"
PRUNE_SERVICE = "dockhost-docker-prune.service"
UNITS = "/etc/systemd/system"
ALL = (DROP_IN, PROXY_FILE, *TLS_FILES.values(), KERNEL_FILE, f"{UNITS}/{PRUNE_TIMER}", f"{UNITS}/{PRUNE_SERVICE}")
# Readable by root alone and shown in no diff: proxies may carry a password.
SECRET = frozenset((PROXY_FILE, TLS_FILES["key"]))
# What the daemon reads when it starts, and only then.
READ_AT_START = frozenset((DROP_IN, PROXY_FILE, *TLS_FILES.values()))

_PROXIES = {"http": "HTTP_PROXY", "https": "HTTPS_PROXY", "no_proxy": "NO_PROXY"}
_SECTION = re.compile(r"[A-Z][A-Za-z]*")
_KEY = re.compile(r"[A-Z][A-Za-z0-9]*")
_PARAMETER = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_/-]+)+")
_AGE = re.compile(r"(\d+(h|m|s))+")


def proxies(wanted: t.Mapping[str, str] | None) -> Files:
    """The environment of the daemon. A file of its own, since the environment in a unit is shown to every user of the host."""
    if wanted is None:
        return {}
    lines = []
    for name, variable in _PROXIES.items():
        value = str(wanted.get(name) or "")
        if not value:
            continue
        if re.search(r"[\s\"'\\]", value):
            raise HostError(f"proxies.{name}: blanks, quotes and backslashes are not possible in it; encode them (%20), and separate hosts by commas.")
        if name != "no_proxy" and urlsplit(value).scheme not in ("http", "https", "socks5"):
            raise HostError(f"proxies.{name}: it has to begin with http://, https:// or socks5://, and has to name the proxy's host and port.")
        lines.append(f"{variable}={value}\n")
    return {PROXY_FILE: "".join(lines) or None}


def check_settings(settings: t.Mapping[str, t.Any]) -> None:
    """Refuse what would be no valid unit file."""
    for section, values in settings.items():
        if not _SECTION.fullmatch(str(section)) or not isinstance(values, t.Mapping):
            raise HostError(f"unit_settings.{section}: a section of a unit such as Service, with a mapping of settings, is wanted.")
        for name, value in values.items():
            texts = value if isinstance(value, list) else [value]
            if not _KEY.fullmatch(str(name)) or any("\n" in str(text) or isinstance(text, (dict, list)) for text in texts):
                raise HostError(f"unit_settings.{section}.{name}: a setting such as LimitNOFILE, with a value of one line or a list of these, is wanted.")


def drop_in(own: str | None, settings: t.Mapping[str, t.Any], with_proxies: bool) -> str | None:
    """The drop-in of docker.service: what daemon.json makes necessary (``own``), proxies, and what the user adds."""
    sections: dict[str, list[str]] = {}
    if with_proxies:
        sections.setdefault("Service", []).append(f"EnvironmentFile=-{PROXY_FILE}")
    for section, values in settings.items():
        for name, value in values.items():
            texts = value if isinstance(value, list) else [value]
            sections.setdefault(section, []).extend(f"{name}={_text(text)}" for text in texts)
    more = "".join("[{0}]\n{1}\n".format(section, "\n".join(lines)) for section, lines in sections.items())
    return (own or "") + more or None


def _text(value: t.Any) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def tls(wanted: t.Mapping[str, str] | None) -> Files:
    """CA, certificate and key of the daemon."""
    if wanted is None:
        return {}
    given = {name: value for name, value in wanted.items() if value}
    lacking = [name for name in TLS_FILES if name not in given]
    if given and lacking:
        raise HostError(f"tls: {', '.join(lacking)} is missing; ca, certificate and key are needed, as module docker_certificates makes them.")
    return {path: given[name].rstrip("\n") + "\n" if given else None for name, path in TLS_FILES.items()}


def kernel_values(wanted: t.Mapping[str, t.Any] | None) -> dict[str, str]:
    """Kernel parameters as text, refused where a name is none."""
    values = {}
    for name, value in (wanted or {}).items():
        text = {True: "1", False: "0"}[value] if isinstance(value, bool) else " ".join(str(value).split())
        if not _PARAMETER.fullmatch(str(name)) or ".." in name or not text:
            raise HostError(f"kernel_parameters.{name}: a name such as net.core.somaxconn with a value is wanted, not {value!r}.")
        values[str(name)] = text
    return values


def kernel(wanted: t.Mapping[str, t.Any] | None) -> Files:
    """The file that sets kernel parameters at boot."""
    if wanted is None:
        return {}
    return {KERNEL_FILE: "".join(f"{name} = {value}\n" for name, value in kernel_values(wanted).items()) or None}


def proc_path(parameter: str) -> str:
    """Where the kernel shows it: dots are folders, and a slash is a dot in a name, as sysctl.d(5) has it."""
    return "/proc/sys/" + parameter.translate(str.maketrans("./", "/."))


def prune(wanted: t.Mapping[str, t.Any] | None) -> Files:
    """Timer and service that remove what is no longer used."""
    if wanted is None:
        return {}
    timer, service = f"{UNITS}/{PRUNE_TIMER}", f"{UNITS}/{PRUNE_SERVICE}"
    if not wanted.get("schedule"):
        return {timer: None, service: None}
    commands = _prune_commands(wanted)
    if not commands:
        raise HostError("prune: it names nothing to remove; let it have containers, images, build_cache or volumes, or an empty schedule.")
    return {
        service: "[Unit]\nDescription=Remove what Docker no longer uses\nRequires=docker.service\nAfter=docker.service\n"
        "[Service]\nType=oneshot\nNice=10\nIOSchedulingClass=idle\n" + "".join(f"ExecStart=/usr/bin/docker {words}\n" for words in commands),
        timer: "[Unit]\nDescription=Remove what Docker no longer uses, regularly\n"
        f"[Timer]\nOnCalendar={wanted['schedule']}\nRandomizedDelaySec={int(wanted.get('spread') or 0)}\nPersistent=true\n"
        "[Install]\nWantedBy=timers.target\n",
    }


def _prune_commands(wanted: t.Mapping[str, t.Any]) -> list[str]:
    age = str(wanted.get("older_than") or "")
    if age and not _AGE.fullmatch(age):
        raise HostError(f"prune.older_than: {age} is no age; write hours, minutes and seconds, such as 168h for a week.")
    images = wanted.get("images") or "none"
    old = f" --filter until={age}" if age else ""
    commands = []
    if wanted.get("containers"):
        commands.append("container prune --force" + old)
    if images != "none":
        commands.append("image prune --force" + (" --all" if images == "unused" else "") + old)
    if wanted.get("build_cache"):
        commands.append("builder prune --force" + old)
    if wanted.get("volumes"):  # the engine knows no age of volumes
        commands.append("volume prune --force")
    return commands
