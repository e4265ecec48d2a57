# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who signs in, and how: from options, environment, a profile file, the Azure CLI or a managed identity. Private."""

from __future__ import annotations

import asyncio
import configparser
import json
import os
import shutil
from dataclasses import dataclass
from typing import Any, List, Mapping, Optional

from ansible_collections.dockhost.azure.plugins.module_utils._errors import InputError, SignInError

CREDENTIALS_FILE = "~/.azure/credentials"
AZ_SECONDS = 60.0

# Options and the environment variables that people know them by.
VARIABLES = {
    "subscription_id": ("AZURE_SUBSCRIPTION_ID",),
    "client_id": ("AZURE_CLIENT_ID",),
    "secret": ("AZURE_SECRET", "AZURE_CLIENT_SECRET"),
    "tenant": ("AZURE_TENANT", "AZURE_TENANT_ID"),
}
_SERVICE_PRINCIPAL = ("client_id", "secret", "tenant")


@dataclass(frozen=True)
class SignIn:
    """A way in. ``kind`` is ``service_principal``, ``cli`` or ``msi``; ``origin`` is for messages."""

    kind: str
    subscription_id: str
    cloud_environment: str
    origin: str
    client_id: Optional[str] = None
    tenant: Optional[str] = None
    secret: Optional[str] = None

    def __repr__(self) -> str:
        return "SignIn({0!r}, {1!r})".format(self.kind, self.origin)  # never the secret


async def resolve(params: Mapping[str, Any], environ: Mapping[str, str]) -> SignIn:
    """Choose the way in that the options ask for.

    :raises InputError: options contradict each other or are incomplete.
    :raises SignInError: the profile file or the Azure CLI does not give what is needed.
    """
    source = params.get("auth_source") or "auto"
    if source == "env":
        given = {name: _first(environ, VARIABLES[name]) for name in VARIABLES}
        return _service_principal(params, given, "the environment")
    if source == "credential_file":
        return _profile(params)
    if source == "cli":
        return await _cli(params)
    if source == "msi":
        return _managed_identity(params)
    return await _auto(params, environ)


async def _auto(params: Mapping[str, Any], environ: Mapping[str, str]) -> SignIn:
    """Options and environment first, then a profile, a managed identity that the platform announces, the Azure CLI."""
    if params.get("secret") or (params.get("client_id") and params.get("tenant")):
        return _service_principal(params, params, "options and environment")
    if params.get("profile") or os.path.exists(os.path.expanduser(CREDENTIALS_FILE)):
        return _profile(params)
    if environ.get("IDENTITY_ENDPOINT") or environ.get("MSI_ENDPOINT"):
        return _managed_identity(params)
    if shutil.which("az"):
        return await _cli(params)
    raise SignInError(
        "Nothing to sign in to Azure with: set {0} in the environment, write a profile to {1}, or log in with "
        "'az login' (auth_source chooses one of them).".format(
            ", ".join(VARIABLES[name][0] for name in VARIABLES), CREDENTIALS_FILE)
    )


def _service_principal(params: Mapping[str, Any], given: Mapping[str, Any], origin: str) -> SignIn:
    wanted = ("subscription_id",) + _SERVICE_PRINCIPAL
    missing = [name for name in wanted if not given.get(name)]
    if missing:
        raise InputError(missing[0], "Sign-in with a service principal lacks {0}: set {1}.".format(
            _listed(missing), _listed([" or ".join(VARIABLES[name]) for name in missing])
        ))
    return SignIn(
        "service_principal", given["subscription_id"], params.get("cloud_environment") or "AzureCloud", origin,
        given["client_id"], given["tenant"], given["secret"],
    )


def _profile(params: Mapping[str, Any]) -> SignIn:
    path = os.path.expanduser(CREDENTIALS_FILE)
    name = params.get("profile") or "default"
    parser = configparser.ConfigParser(interpolation=None)
    try:
        read = parser.read(path, encoding="utf-8")
    except (configparser.Error, UnicodeDecodeError) as error:
        raise SignInError("{0} cannot be read: {1}.".format(path, str(error).splitlines()[0].rstrip("."))) from error
    if not read:
        raise SignInError("There is no file {0} with profiles to sign in with (auth_source, AZURE_PROFILE).".format(path))
    if not parser.has_section(name):
        raise SignInError("{0} has no profile '{1}' (option profile, AZURE_PROFILE); it has: {2}.".format(
            path, name, ", ".join(parser.sections()) or "none"
        ))
    section = dict(parser.items(name))
    missing = [key for key in ("subscription_id",) + _SERVICE_PRINCIPAL if not section.get(key)]
    if missing:
        raise SignInError("Profile '{0}' in {1} lacks {2}.".format(name, path, _listed(missing)))
    return SignIn(
        "service_principal", section["subscription_id"],
        section.get("cloud_environment") or params.get("cloud_environment") or "AzureCloud",
        "profile '{0}' of {1}".format(name, path), section["client_id"], section["tenant"], section["secret"],
    )


def _managed_identity(params: Mapping[str, Any]) -> SignIn:
    if not params.get("subscription_id"):
        raise InputError("subscription_id", (
            "Sign-in with a managed identity lacks subscription_id: set AZURE_SUBSCRIPTION_ID."
        ))
    return SignIn(
        "msi", params["subscription_id"], params.get("cloud_environment") or "AzureCloud", "managed identity",
        params.get("client_id"),
    )


async def _cli(params: Mapping[str, Any]) -> SignIn:
    """The subscription that the Azure CLI has chosen, unless one is given."""
    program = shutil.which("az")
    if program is None:
        raise SignInError(
            "auth_source is cli, but there is no program az on this machine: install the Azure CLI, or choose another "
            "auth_source."
        )
    environment = params.get("cloud_environment") or "AzureCloud"
    if params.get("subscription_id"):
        return SignIn("cli", params["subscription_id"], environment, "the Azure CLI", tenant=params.get("tenant"))
    process = await asyncio.create_subprocess_exec(
        program, "account", "show", "--output", "json", stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )
    try:
        out, errors = await asyncio.wait_for(process.communicate(), AZ_SECONDS)
    except asyncio.TimeoutError as error:
        process.kill()
        raise SignInError("'az account show' did not answer within {0:.0f} seconds.".format(AZ_SECONDS)) from error
    if process.returncode:
        said = (errors.decode("utf-8", "replace").strip().splitlines() or ["it gave no reason"])[-1]
        raise SignInError(not_logged_in(said))
    return SignIn("cli", json.loads(out)["id"], environment, "the Azure CLI", tenant=params.get("tenant"))


def not_logged_in(said: str) -> str:
    """The sentence for an Azure CLI that gives no token."""
    return "The Azure CLI is not signed in ({0}): run 'az login', or choose another auth_source.".format(said.rstrip("."))


def _first(environ: Mapping[str, str], names: Any) -> Optional[str]:
    for name in names:
        if environ.get(name):
            return environ[name]
    return None


def _listed(words: List[str]) -> str:
    if len(words) < 2:
        return "".join(words)
    return "{0} and {1}".format(", ".join(words[:-1]), words[-1])
