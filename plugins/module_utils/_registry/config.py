# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a registry is to be: its configuration, units and script, from the module's options. Pure.

The configuration: https://distribution.github.io/distribution/about/configuration/

This util is private to the collection: no release promises that it stays as it is.
"""

from __future__ import annotations

import json
import re
import typing as t
from dataclasses import dataclass, field

from ansible_collections.dockhost.azure.plugins.module_utils._docker_host.packages import HostError

Json = t.Any
ROOT = "/etc/dockhost/registry"
# What a file of ours on the host is called; the keys are how code names them.
CONFIG, READ_ONLY, HTPASSWD, TLS_CERTIFICATE, TLS_KEY, TOKEN_CERTIFICATES, COLLECT = (
    "config.yml", "read-only.yml", "htpasswd", "tls.crt", "tls.key", "token.crt", "collect-garbage",
)  # fmt: skip


@dataclass(frozen=True)
class Request:
    """The options of module registry, see there."""

    name: str = "registry"
    state: str = "present"
    source: str = "distribution"
    image: str = "docker.io/library/registry:3"
    listen_address: str = ""
    port: int = 5000
    tls_certificate: str = ""
    tls_key: str = ""
    auth: str = "htpasswd"
    users: t.Mapping[str, str] = field(default_factory=dict)
    token: t.Mapping[str, str] | None = None
    storage: str = "disk"
    storage_path: str = ""
    azure: t.Mapping[str, str] | None = None
    mirror_of: str = ""
    mirror_username: str = ""
    mirror_password: str = ""
    deletion: bool = True
    garbage_schedule: str = "Sun *-*-* 03:30:00"
    garbage_untagged: bool = False
    settings: t.Mapping[str, Json] = field(default_factory=dict)
    timeout: int = 60
    lock_timeout: int = 300
    docker_socket: str = "/var/run/docker.sock"

    @property
    def unit(self) -> str:
        """The systemd unit, without its suffix."""
        return f"dockhost-registry-{self.name}"

    @property
    def folder(self) -> str:
        """Where its files are."""
        return f"{ROOT}/{self.name}"

    @property
    def data(self) -> str:
        """Where images are stored, with storage on disk."""
        return self.storage_path or f"/var/lib/dockhost-registry/{self.name}"

    @property
    def collects(self) -> bool:
        """Whether a timer collects garbage. A mirror forgets by itself what nobody asked for in a week."""
        return bool(self.garbage_schedule) and not self.mirror_of

    def path(self, file: str) -> str:
        """Path of one of its files."""
        return f"{self.folder}/{file}"


def check(request: Request, check_mode: bool) -> None:
    """Refuse what cannot work, before anything is touched. Names and users are checked where they are used."""
    if not re.match(r"[a-z0-9][a-z0-9-]{0,30}\Z", request.name):
        raise HostError(f"name: {request.name!r} cannot name a registry; use up to 31 lower case letters, digits and hyphens.")
    if not 0 < request.port < 65536:
        raise HostError(f"port: {request.port} is no TCP port; give one from 1 to 65535.")
    if request.source == "distribution" and request.port < 1024:
        raise HostError(f"port: {request.port} needs root, which the distribution's registry does not run as; give one from 1024, or source: image.")
    _check_tls(request, check_mode)
    _check_auth(request)
    _check_storage(request)


def _check_tls(request: Request, check_mode: bool) -> None:
    for name in ("tls_certificate", "tls_key"):
        text = getattr(request, name)
        # In check mode the controller has not made them yet.
        if not (text or check_mode):
            raise HostError(f"{name}: it is missing, and a registry is served over TLS only; give it as PEM text (module docker_certificates makes one).")
        if text and "-----BEGIN " not in text:
            raise HostError(f"{name}: this is no PEM text, which begins with -----BEGIN; give the file's content and not its path.")


def _check_auth(request: Request) -> None:
    if request.auth == "htpasswd" and not request.users:
        raise HostError("users: nobody could log in; name at least one user with a password, or say auth: none to let in everybody who reaches the port.")
    if request.auth == "token" and not request.token:
        raise HostError("token: it is missing, and auth is token; give realm, service, issuer and certificates.")
    if request.mirror_of and not request.mirror_of.startswith("https://"):
        raise HostError(f"mirror_of: {request.mirror_of} is no https address; Docker Hub's is https://registry-1.docker.io.")
    if request.mirror_of and request.auth != "none":
        raise HostError(
            "mirror_of: the Docker Engine sends no login to a mirror, so this one would be of no use; "
            "say auth: none and let only the hosts reach the port."
        )


def _check_storage(request: Request) -> None:
    if not request.data.startswith("/"):
        raise HostError(f"storage_path: {request.storage_path} is no absolute path; give one that begins with /.")
    if request.storage == "disk":
        return
    azure = request.azure or {}
    missing = [name for name in ("account", "container") if not azure.get(name)]
    if missing or bool(azure.get("key")) == bool(azure.get("identity")):
        raise HostError("azure: give account, container, and either key (an account key) or identity (system, or a client id).")
    if request.source == "distribution":
        raise HostError("storage: the distribution's package is built without the driver for Azure Blob; say source: image.")
    tag = request.image.rpartition("/")[2].partition("@")[0].partition(":")[2]
    if azure.get("identity") and re.match(r"(2(\.|\Z)|3\.0(\.0)?\Z)", tag):
        raise HostError(
            f"azure.identity: image {request.image} cannot use a managed identity (version 2 knows account keys only, 3.0.0 has "
            "the fault distribution/distribution#4618); name a newer image, or give azure.key."
        )


def config(request: Request, read_only: bool = False) -> dict[str, Json]:
    """The registry's configuration as a mapping."""
    storage: dict[str, Json] = {
        "cache": {"blobdescriptor": "inmemory"},
        "delete": {"enabled": request.deletion},
        "maintenance": {"readonly": {"enabled": read_only}},
        **_driver(request),
    }
    made: dict[str, Json] = {
        "version": "0.1",
        "log": {"level": "info", "fields": {"service": request.name}},
        "storage": storage,
        "http": {
            # In a container the engine's own publishing binds the host's address.
            "addr": f"{request.listen_address if request.source == 'distribution' else ''}:{request.port}",
            "headers": {"X-Content-Type-Options": ["nosniff"]},
            "tls": {"certificate": request.path(TLS_CERTIFICATE), "key": request.path(TLS_KEY), "minimumtls": "tls1.2"},
        },
        "health": {"storagedriver": {"enabled": True, "interval": "10s", "threshold": 3}},
    }
    if request.auth == "htpasswd":
        made["auth"] = {"htpasswd": {"realm": request.name, "path": request.path(HTPASSWD)}}
    elif request.auth == "token":
        token = request.token or {}
        made["auth"] = {"token": {**{k: token[k] for k in ("realm", "service", "issuer")}, "rootcertbundle": request.path(TOKEN_CERTIFICATES)}}
    if request.mirror_of:
        login = {"username": request.mirror_username, "password": request.mirror_password}
        made["proxy"] = {"remoteurl": request.mirror_of, **{k: v for k, v in login.items() if v}}
    return merged(made, request.settings)


def _driver(request: Request) -> dict[str, Json]:
    """The storage driver: https://distribution.github.io/distribution/storage-drivers/azure/"""
    if request.storage == "disk":
        return {"filesystem": {"rootdirectory": request.data}}
    azure = request.azure or {}
    driver: dict[str, Json] = {"accountname": azure["account"], "container": azure["container"]}
    if azure.get("realm"):
        driver["realm"] = azure["realm"]
    if azure.get("key"):
        driver.update(accountkey=azure["key"], credentials={"type": "shared_key"})
    else:
        driver.update(credentials={"type": "default_credentials"})
    return {"azure": driver}


def merged(below: t.Mapping[str, Json], above: t.Mapping[str, Json]) -> dict[str, Json]:
    """``above`` laid over ``below``, mapping by mapping."""
    result = dict(below)
    for key, value in above.items():
        old = result.get(key)
        result[key] = merged(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return result


def text(value: t.Mapping[str, Json]) -> str:
    """As a file. JSON is YAML, and hosts have a library for one of them only."""
    return json.dumps(value, indent=2, sort_keys=True) + "\n"


def without_secrets(content: str) -> str:
    """A configuration as it may be shown."""
    return re.sub(r'("(?:accountkey|password|secret)": )"[^"]*"', r'\1"(hidden)"', content)
