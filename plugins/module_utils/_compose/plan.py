# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""PURE: (the project as wanted, its files and containers as they are) → what to do, and how to show it without secrets.

This util is private to the collection: no release promises that it stays as it is.
"""

from __future__ import annotations

import json
import re
import typing as t

from ansible_collections.dockhost.azure.plugins.module_utils._compose.live import Container
from ansible_collections.dockhost.azure.plugins.module_utils._compose.model import ENVIRONMENT, File, sensitive

Json = t.Any
Steps = t.List[t.Dict[str, str]]
HIDDEN = "(hidden)"
OTHER = "(hidden, another value)"
_KINDS = {"services": "service", "networks": "network", "volumes": "volume", "configs": "config", "secrets": "secret"}
_LINE = re.compile(r"""^([A-Za-z_]\w*)=(?:'([^']*)'|"((?:[^"\\]|\\.)*)")$""", re.MULTILINE)
_SHORT = 4


def step(action: str, kind: str, name: str, detail: str = "") -> dict[str, str]:
    """One thing to do."""
    return {"action": action, "type": kind, "name": name, "detail": detail}


def services(
    wanted: t.Mapping[str, Json], before: t.Mapping[str, Json], hashes: t.Mapping[str, str] | None, found: t.Sequence[Container],
    images: t.Mapping[str, str], recreate: t.Mapping[str, str],
) -> Steps:  # fmt: skip
    """What happens to the containers of each service. ``hashes``: None where the files are not in place yet, so that configurations are compared.

    ``images``: image name → the id that it has on this host now. ``recreate``: service → the mounted file that differs.
    """
    steps = []
    for name, service in sorted((wanted.get("services") or {}).items()):
        mine = [item for item in found if item.service == name]
        copies = _copies(service)
        old = (before.get("services") or {}).get(name)
        if not mine:
            if copies:
                steps.append(step("create", "service", name))
        elif (hashes is None and old != service) or (hashes is not None and any(item.hash != hashes.get(name) for item in mine)):
            steps.append(step("update", "service", name, "its configuration differs"))
        elif name in recreate:
            steps.append(step("update", "service", name, f"its file {recreate[name]} differs"))
        elif any(images.get(item.image_name, item.image) != item.image for item in mine):
            steps.append(step("update", "service", name, f"{mine[0].image_name} is another image now"))
        elif len(mine) != copies:
            steps.append(step("scale", "service", name, f"from {len(mine)} to {copies}"))
        elif any(not item.fine and item.status not in ("running", "restarting") for item in mine):
            steps.append(step("start", "service", name))
    return steps


def _copies(service: t.Mapping[str, Json]) -> int:
    replicas = (service.get("deploy") or {}).get("replicas")
    return int(service.get("scale", 1 if replicas is None else replicas))


def lasting(project: t.Mapping[str, Json]) -> dict[str, dict[str, Json]]:
    """Services whose containers are always to be there → how many, and their image. One that may end is not missed when somebody has tidied it away."""
    chosen = {name: service for name, service in (project.get("services") or {}).items() if service.get("restart") in ("always", "unless-stopped")}
    return {name: {"replicas": _copies(service), "image": service.get("image", "")} for name, service in chosen.items()}


def touched(project: t.Mapping[str, Json], folder: str, names: t.Iterable[str]) -> dict[str, str]:
    """Services that have one of these files mounted → the file.

    Compose does not look into files that it mounts, and a container keeps the one that was there when it was made.
    """
    paths = {f"{folder}/{name}": name for name in names}
    sources = {kind: {key: (item or {}).get("file") for key, item in (project.get(kind) or {}).items()} for kind in ("secrets", "configs")}
    found = {}
    for service, told in (project.get("services") or {}).items():
        mounted = [sources[kind].get(item.get("source")) for kind in ("secrets", "configs") for item in told.get(kind) or ()]
        mounted += [item.get("source") for item in told.get("volumes") or () if item.get("type") == "bind"]
        hits = [name for path, name in paths.items() if any(mount and (path == mount or path.startswith(mount.rstrip("/") + "/")) for mount in mounted)]
        if hits:
            found[service] = sorted(hits)[0]
    return found


def orphans(known: t.Container[str], found: t.Sequence[Container]) -> list[str]:
    """Services that have containers but are not in the project any more."""
    return sorted({item.service for item in found if item.service not in known})


def parts(wanted: t.Mapping[str, Json], before: t.Mapping[str, Json]) -> Steps:
    """Networks, volumes, configs and secrets that come, go or change."""
    steps = []
    for key, kind in _KINDS.items():
        if key == "services":
            continue
        new, old = wanted.get(key) or {}, before.get(key) or {}
        for name in sorted({*new, *old}):
            if new.get(name) != old.get(name):
                steps.append(step("create" if name not in old else "drop" if name not in new else "update", kind, name))
    return steps


def hidden_of(variables: str, names: t.Container[str], files: t.Mapping[str, File]) -> list[str]:
    """The values that a version of the files hides: of variables with these names or that look like it, and of secret files."""
    values = {value for name, value in parse_environment(variables).items() if name in names or sensitive(name)}
    values |= {file.content.decode(errors="replace") for name, file in files.items() if file.secret and name != ENVIRONMENT}
    return sorted(filter(None, values), key=len, reverse=True)


def parse_environment(text: str) -> dict[str, str]:
    """An .env file of ours back as variables."""
    found = {}
    for name, plain, escaped in _LINE.findall(text):
        found[name] = plain or re.sub(r"\\(.)", lambda match: {"n": "\n", "r": "\r"}.get(match[1], match[1]), escaped)
    return found


def mask(text: str, values: t.Iterable[str]) -> str:
    """A text without these values. Short ones are hidden only where they stand alone: a secret '1' would hide every 1."""
    for value in values:
        for form in (value, json.dumps(value)[1:-1], value.strip()):
            if len(form) >= _SHORT:
                text = text.replace(form, "********")
            elif form:
                text = text.replace(f'"{form}"', '"********"')
    return text


def show(
    wanted: t.Mapping[str, Json], before: t.Mapping[str, Json], hidden: t.Sequence[str]
) -> list[dict[str, str]]:  # fmt: skip
    """The diff of the project as Compose understands it, service by service, network by network."""
    shown = []
    for key, kind in _KINDS.items():
        new, old = wanted.get(key) or {}, before.get(key) or {}
        for name in sorted({*new, *old}):
            if new.get(name) != old.get(name):
                texts = [mask(text, hidden) for text in _texts(old.get(name), new.get(name))]
                shown.append(_piece(f"{kind} {name}", *texts))
    return shown


def _texts(old: Json, new: Json) -> tuple[str, str]:
    """Both as text; variables that look like passwords are hidden, and still differ where they do."""
    had = dict((old or {}).get("environment") or {})
    has = dict((new or {}).get("environment") or {})
    for name in {*had, *has}:
        if sensitive(name):
            same = had.get(name) == has.get(name)
            if name in had:
                had[name] = HIDDEN
            if name in has:
                has[name] = HIDDEN if same or name not in (old or {}).get("environment", {}) else OTHER
    made = []
    for item, variables in ((old, had), (new, has)):
        if item is None:
            made.append("")
            continue
        made.append(json.dumps({**item, "environment": variables} if variables else item, indent=2, sort_keys=True) + "\n")
    return made[0], made[1]


def show_files(
    wanted: t.Mapping[str, File], actual: t.Mapping[str, File], names: t.Iterable[str], compose_files: t.Container[str], secret_names: t.Container[str],
    hidden: t.Sequence[str],
) -> list[dict[str, str]]:  # fmt: skip
    """The diff of the other files. Of secrets it tells that they differ, of variables which."""
    shown = []
    for name in names:
        if name in compose_files:
            continue  # what it means is shown already
        old, new = actual.get(name), wanted.get(name)
        if name == ENVIRONMENT:
            texts = _variables(old, new, secret_names)
        elif (old and old.secret) or (new and new.secret):
            texts = (HIDDEN + "\n" if old else "", (OTHER if old else HIDDEN) + "\n" if new else "")
        else:
            texts = tuple(_text(file) for file in (old, new))
        shown.append(_piece(name, *(mask(text, hidden) for text in texts)))
    return shown


def _variables(old: File | None, new: File | None, secret_names: t.Container[str]) -> tuple[str, str]:
    had, has = (parse_environment(file.content.decode(errors="replace")) if file else {} for file in (old, new))
    before, after = [], []
    for name in sorted({*had, *has}):
        secret = name in secret_names or sensitive(name)
        if name in had:
            before.append(f"{name}={HIDDEN if secret else had[name]}\n")
        if name in has:
            another = OTHER if name in had and had[name] != has[name] else HIDDEN
            after.append(f"{name}={another if secret else has[name]}\n")
    return "".join(before), "".join(after)


def _text(file: File | None) -> str:
    if file is None:
        return ""
    try:
        return file.content.decode()
    except UnicodeDecodeError:
        return f"({len(file.content)} bytes that are no text)\n"


def _piece(what: str, before: str, after: str) -> dict[str, str]:
    return {"before_header": what, "after_header": what, "before": before, "after": after}
