# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The document of a stack as that of a Compose project: what a swarm does is left out, or said in Compose's words. Pure.

This util is private to the collection: no release promises that it stays as it is.
"""

from __future__ import annotations

import typing as t

Json = t.Any
# How often a job may fail where its document does not say.
_ATTEMPTS = 3
# What Compose heeds on a single host: https://docs.docker.com/reference/compose-file/deploy/
_KEPT = ("replicas", "resources")


def project(document: t.Mapping[str, Json], configs: t.Iterable[str], secrets: t.Iterable[str]) -> dict[str, Json]:
    """The document for module compose, which writes configs to ``configs/NAME`` and secrets to ``secrets/NAME``."""
    made = {key: value for key, value in document.items() if key not in ("configs", "secrets")}
    made["services"] = {name: _service(service) for name, service in document["services"].items()}
    if document.get("networks"):
        made["networks"] = {name: _network(network or {}) for name, network in document["networks"].items()}
    for kind, names in (("configs", configs), ("secrets", secrets)):
        if names:
            made[kind] = {name: {"file": f"./{kind}/{name}"} for name in sorted(names)}
    return made


def _service(service: t.Mapping[str, Json]) -> dict[str, Json]:
    deploy = service.get("deploy") or {}
    job = str(deploy.get("mode", "")).endswith("-job")
    made = {key: value for key, value in service.items() if key != "deploy"}
    made["restart"] = f"on-failure:{(deploy.get('restart_policy') or {}).get('max_attempts', _ATTEMPTS)}" if job else "unless-stopped"
    kept = {key: deploy[key] for key in _KEPT if key in deploy}
    if kept:
        made["deploy"] = kept
    if deploy.get("labels"):
        made["labels"] = {**(service.get("labels") or {}), **deploy["labels"]}
    if service.get("ports"):
        made["ports"] = [_port(port) for port in service["ports"]]
    return made


def _port(port: Json) -> Json:
    """Compose publishes on the host, and wants the published port as text."""
    if not isinstance(port, dict):
        return port
    made = {key: value for key, value in port.items() if key != "mode"}
    return {**made, "published": str(port["published"])} if "published" in port else made


def _network(network: t.Mapping[str, Json]) -> dict[str, Json]:
    """What goes from container to container does not leave the host: there is nothing to encrypt."""
    options = {key: value for key, value in (network.get("driver_opts") or {}).items() if key != "encrypted"}
    made = {key: value for key, value in network.items() if key not in ("driver", "driver_opts", "attachable")}
    return {**made, "driver_opts": options} if options else made
