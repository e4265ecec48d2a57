# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Top-level networks, volumes, configs and secrets of a Compose document.

Configs and secrets cannot be changed in a swarm. So each content gets an object of its own, named after its digest, and a service
that uses it is updated to the new name. The digest of a secret is keyed (HMAC-SHA256): its name and its label can be read
by whoever may read the swarm's API, and must not let anybody try out values.

This util is private to the collection: no release promises that it stays as it is.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass, field

from ansible_collections.dockhost.azure.plugins.module_utils._stack.values import (
    Json,
    StackError,
    boolean,
    labels,
    pairs,
    section,
    sequence,
    text,
)

NAMESPACE = "com.docker.stack.namespace"
DIGEST = "dockhost.content-digest"
PURPOSE = "dockhost.purpose"
LARGEST = {"config": 1000 * 1024, "secret": 500 * 1024}

_NAME = re.compile(r"[a-zA-Z0-9](?:[a-zA-Z0-9_.-]*[a-zA-Z0-9])?")


@dataclass(frozen=True)
class Blob:
    """A config or a secret: ``name`` in the swarm; ``spec`` is None for an external one, which is never written."""

    kind: str
    name: str
    spec: dict[str, Json] | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Network:
    """A network: ``name`` in the swarm; ``spec`` (body of /networks/create) is None for an external one."""

    name: str
    spec: dict[str, Json] | None = None


@dataclass(frozen=True)
class Volume:
    """A named volume: ``options`` is what a mount's VolumeOptions say of it."""

    name: str
    options: dict[str, Json]


def external(path: str, name: str, entry: dict[str, Json]) -> str | None:
    """The name of an external object, None where the stack makes it itself."""
    value = entry.get("external", False)
    if isinstance(value, dict):
        return text(f"{path}.external.name", section(f"{path}.external", value, ("name",)).get("name", name))
    if not boolean(f"{path}.external", value):
        return None
    for key in entry:
        if key not in ("external", "name"):
            raise StackError(f"{path}.{key} does not go with external: true, since the stack does not make it.")
    return text(f"{path}.name", entry.get("name", name))


def network(stack: str, name: str, value: Json) -> Network:
    """One top-level network. Swarm services need the driver overlay."""
    path = f"networks.{name}"
    hints = {"enable_ipv6": "swarm's overlay networks carry IPv4"}
    entry = section(path, value, ("name", "driver", "driver_opts", "attachable", "internal", "labels", "ipam", "external"), hints)
    foreign = external(path, name, entry)
    if foreign:
        return Network(foreign)
    driver = text(f"{path}.driver", entry.get("driver") or "overlay")
    if driver in ("bridge", "host", "none", "macvlan", "ipvlan"):
        raise StackError(f"{path}.driver is {driver}, which does not span hosts: use overlay, or an external network.")
    spec: dict[str, Json] = {
        "Driver": driver,
        "Labels": {**labels(f"{path}.labels", entry.get("labels")), NAMESPACE: stack},
        "Attachable": boolean(f"{path}.attachable", entry.get("attachable", False)),
        "Internal": boolean(f"{path}.internal", entry.get("internal", False)),
        "Options": {key: item or "" for key, item in pairs(f"{path}.driver_opts", entry.get("driver_opts")).items()},
    }
    ipam = _ipam(f"{path}.ipam", entry.get("ipam"))
    if ipam:
        spec["IPAM"] = ipam
    return Network(text(f"{path}.name", entry.get("name") or f"{stack}_{name}"), spec)


def _ipam(path: str, value: Json) -> dict[str, Json]:
    entry = section(path, value, ("driver", "config", "options"))
    result: dict[str, Json] = {}
    if entry.get("driver"):
        result["Driver"] = text(f"{path}.driver", entry["driver"])
    if entry.get("options"):
        result["Options"] = {key: item or "" for key, item in pairs(f"{path}.options", entry["options"]).items()}
    for index, item in enumerate(sequence(f"{path}.config", entry.get("config"))):
        where = f"{path}.config[{index}]"
        pool = section(where, item, ("subnet", "gateway", "ip_range"))
        names = (("subnet", "Subnet"), ("gateway", "Gateway"), ("ip_range", "IPRange"))
        result.setdefault("Config", []).append({name: text(f"{where}.{key}", pool[key]) for key, name in names if key in pool})
    return result


def volume(stack: str, name: str, value: Json) -> Volume:
    """One top-level volume; hosts make it when the first task that mounts it starts there."""
    path = f"volumes.{name}"
    entry = section(path, value, ("name", "driver", "driver_opts", "labels", "external"))
    foreign = external(path, name, entry)
    if foreign:
        return Volume(foreign, {})
    options: dict[str, Json] = {"Labels": {**labels(f"{path}.labels", entry.get("labels")), NAMESPACE: stack}}
    if entry.get("driver") or entry.get("driver_opts"):
        driver = {"Name": text(f"{path}.driver", entry.get("driver") or "local")}
        chosen = pairs(f"{path}.driver_opts", entry.get("driver_opts"))
        options["DriverConfig"] = {**driver, "Options": {key: item or "" for key, item in chosen.items()}}
    return Volume(text(f"{path}.name", entry.get("name") or f"{stack}_{name}"), options)


def blob(kind: str, stack: str, name: str, value: Json, content: str | None, key: bytes) -> Blob:
    """One top-level config or secret; ``content`` is what the module's option gives for it, ``key`` the stack's digest key."""
    path = f"{kind}s.{name}"
    hints = {
        "file": f"the file lies on the controller; give its content in option {kind}s of the module (lookup 'file')",
        "environment": f"give the value in option {kind}s of the module",
        "driver": "secret drivers are plugins of Docker Enterprise",
    }
    entry = section(path, value, ("name", "content", "labels", "external", "template_driver"), hints)
    foreign = external(path, name, entry)
    if foreign:
        if content is not None:
            raise StackError(f"{path} is external and has a value in option {kind}s as well: leave one of them out.")
        return Blob(kind, foreign)
    if content is not None and "content" in entry:
        raise StackError(f"{path} has a content in the document and a value in option {kind}s: leave one of them out.")
    data = content if content is not None else entry.get("content")
    if data is None:
        raise StackError(f"{path} has no value: give it in option {kind}s of the module under the name {name}, or mark it external.")
    if not isinstance(data, str):
        raise StackError(f"{path}: the value has to be a text, not {type(data).__name__}.")
    return _own_blob(kind, stack, name, entry, data.encode(), key)


def _own_blob(kind: str, stack: str, name: str, entry: dict[str, Json], data: bytes, key: bytes) -> Blob:
    path = f"{kind}s.{name}"
    if len(data) > LARGEST[kind]:
        raise StackError(f"{path} has {len(data)} bytes; a swarm takes at most {LARGEST[kind]} in a {kind}.")
    if kind == "secret" and not data:
        raise StackError(f"{path} is empty; a swarm takes no empty secret.")
    # Name, driver and labels belong to what cannot be changed in place.
    said = labels(f"{path}.labels", entry.get("labels"))
    driver = entry.get("template_driver")
    sealed = b"\0".join((kind.encode(), name.encode(), repr(sorted(said.items())).encode(), str(driver or "").encode(), data))
    digest = hmac.new(key, sealed, hashlib.sha256).hexdigest() if kind == "secret" else hashlib.sha256(sealed).hexdigest()
    full = f"{entry.get('name') or f'{stack}_{name}'}-{digest[:10]}"
    if len(full) > 64 or not _NAME.fullmatch(full):
        raise StackError(f"{path}: the name {full} is not one that a swarm takes: at most 64 letters, digits, '-', '_' and '.'.")
    spec: dict[str, Json] = {
        "Name": full,
        "Labels": {**said, NAMESPACE: stack, DIGEST: digest},
        "Data": base64.b64encode(data).decode(),
    }
    if driver:
        spec["Templating"] = {"Name": text(f"{path}.template_driver", driver)}
    return Blob(kind, full, spec)
