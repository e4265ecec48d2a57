# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Published ports of a service, short and long form, as the Engine API's PortConfig.

This util is private to the collection: no release promises that it stays as it is.
"""

from __future__ import annotations

import re

from ansible_collections.dockhost.azure.plugins.module_utils._stack.values import Json, StackError, number, one_of, section, sequence, text

_SHORT = re.compile(
    r"(?:(?P<address>\d+\.\d+\.\d+\.\d+|\[[0-9a-fA-F:]+\]):)?"
    r"(?:(?P<published>\d+(?:-\d+)?):)?(?P<target>\d+(?:-\d+)?)(?:/(?P<protocol>tcp|udp|sctp))?"
)


def ports(path: str, value: Json) -> list[dict[str, Json]]:
    """PortConfigs of a ``ports`` list; several for a range."""
    found = []
    for index, item in enumerate(sequence(path, value)):
        where = f"{path}[{index}]"
        found += [_long(where, item)] if isinstance(item, dict) else _short(where, item)
    seen = set()
    for port in found:
        key = (port.get("PublishedPort"), port["Protocol"])
        if key[0] and key in seen:
            raise StackError(f"{path}: port {key[0]}/{key[1]} is published twice.")
        seen.add(key)
    return found


def _short(path: str, item: Json) -> list[dict[str, Json]]:
    entry = text(path, item)
    found = _SHORT.fullmatch(entry)
    if not found:
        raise StackError(f"{path} is {entry!r}; a port is written as 80, 8080:80 or 8080:80/udp.")
    if found.group("address"):
        raise StackError(f"{path} is {entry!r}; a swarm publishes on all addresses of a host: leave the address out.")
    targets, published = _range(path, found.group("target")), _range(path, found.group("published"))
    if published and len(published) != len(targets):
        raise StackError(f"{path} is {entry!r}; both ranges have to be of the same length.")
    protocol = found.group("protocol") or "tcp"
    return [_config(target, published[at] if published else 0, protocol, "ingress") for at, target in enumerate(targets)]


def _range(path: str, word: str | None) -> list[int]:
    if not word:
        return []
    first, dash, last = word.partition("-")
    start = _port(path, first)
    end = _port(path, last) if dash else start
    if end < start:
        raise StackError(f"{path}: the range {word} ends before it starts.")
    return list(range(start, end + 1))


def _port(path: str, value: Json) -> int:
    port = number(path, value)
    if not 1 <= port <= 65535:
        raise StackError(f"{path}: {value} is no port; ports go from 1 to 65535.")
    return port


def _long(path: str, item: Json) -> dict[str, Json]:
    port = section(
        path,
        item,
        ("target", "published", "protocol", "mode", "name", "app_protocol"),
        {"host_ip": "a swarm publishes on all addresses of a host"},
    )
    if "target" not in port:
        raise StackError(f"{path}.target is missing: the port inside the container.")
    published = port.get("published")
    return _config(
        _port(f"{path}.target", port["target"]),
        _port(f"{path}.published", published) if published not in (None, "", 0) else 0,
        one_of(f"{path}.protocol", port.get("protocol", "tcp"), ("tcp", "udp", "sctp")),
        one_of(f"{path}.mode", port.get("mode", "ingress"), ("ingress", "host")),
    )


def _config(target: int, published: int, protocol: str, mode: str) -> dict[str, Json]:
    port: dict[str, Json] = {"Protocol": protocol, "TargetPort": target, "PublishMode": mode}
    if published:
        port["PublishedPort"] = published
    return port
