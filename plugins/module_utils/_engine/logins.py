# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The logins at registries that a user of this host has (docker login), for requests that make the engine ask a registry.

The engine keeps no logins: whoever asks it for an image sends one along, as Docker's command does.
Format: https://docs.docker.com/reference/cli/docker/login/#configure-the-credential-store

This util is private to the collection: no release promises that it stays as it is.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import typing as t

from ansible_collections.dockhost.azure.plugins.module_utils._engine.client import registry_auth

HUB = "https://index.docker.io/v1/"


def registry_of(image: str) -> str:
    """The registry in the name of an image, as ``HOST[:PORT]``; empty for Docker Hub."""
    first, slash, dummy = image.partition("/")
    named = bool(slash) and ("." in first or ":" in first or first == "localhost")
    return first if named and first not in ("docker.io", "index.docker.io") else ""


def auth_header(image: str, folder: str | None = None) -> dict[str, str]:
    """The header X-Registry-Auth for an image; empty where the user has no login at its registry.

    ``folder``: that of Docker's config.json, by default what DOCKER_CONFIG says, else ``~/.docker``. Logins in a credential helper are not found.
    """
    path = os.path.join(folder or os.environ.get("DOCKER_CONFIG") or os.path.expanduser("~/.docker"), "config.json")
    try:
        with open(path, encoding="utf-8") as file:
            logins = json.load(file).get("auths") or {}
    except (OSError, ValueError, AttributeError):
        return {}
    registry = registry_of(image)
    entry = logins.get(registry or HUB) or logins.get(f"https://{registry}") or {}
    return _header(entry, registry or HUB)


def _header(entry: t.Mapping[str, t.Any], server: str) -> dict[str, str]:
    try:
        username, colon, password = base64.b64decode(entry["auth"]).decode().partition(":")
    except (KeyError, TypeError, binascii.Error, UnicodeDecodeError):
        return {}
    return registry_auth(username, password, server) if colon else {}
