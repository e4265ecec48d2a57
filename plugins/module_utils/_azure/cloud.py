# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which Azure: the public clouds by name, any other by what its ARM endpoint says of itself. Private; pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from ansible_collections.dockhost.azure.plugins.module_utils._errors import InputError, SignInError

# Source: https://learn.microsoft.com/azure/azure-resource-manager/management/authenticate-multi-tenant and the
# metadata of each cloud (https://management.azure.com/metadata/endpoints?api-version=2022-09-01).
METADATA_PATH = "/metadata/endpoints?api-version=2022-09-01"


@dataclass(frozen=True)
class Cloud:
    """One Azure: where ARM is, who signs in, and for whom a token is asked."""

    name: str
    resource_manager: str
    login: str
    audience: str

    @property
    def scope(self) -> str:
        """The scope of a token. An audience with a slash at its end keeps it (the scope has two then)."""
        return self.audience + "/.default"


CLOUDS = {
    cloud.name.lower(): cloud for cloud in (
        Cloud(
            "AzureCloud", "https://management.azure.com", "https://login.microsoftonline.com",
            "https://management.azure.com",
        ),
        Cloud(
            "AzureChinaCloud", "https://management.chinacloudapi.cn", "https://login.chinacloudapi.cn",
            "https://management.chinacloudapi.cn",
        ),
        Cloud(
            "AzureUSGovernment", "https://management.usgovcloudapi.net", "https://login.microsoftonline.us",
            "https://management.usgovcloudapi.net",
        ),
    )
}


def is_endpoint(text: str) -> bool:
    """Whether cloud_environment is an address (then its metadata is read) and not a name."""
    return "://" in text


def named(text: str) -> Cloud:
    """The cloud of that name."""
    cloud = CLOUDS.get(text.lower())
    if cloud is None:
        raise InputError("cloud_environment", (
            "cloud_environment (AZURE_CLOUD_ENVIRONMENT) is '{0}', which is neither one of {1} nor the "
            "https:// address of an ARM endpoint."
        ).format(text, ", ".join(known.name for known in CLOUDS.values())))
    return cloud


def endpoint(text: str) -> str:
    """The address of an ARM endpoint without a slash at its end."""
    parts = urlsplit(text)
    if parts.scheme != "https" or not parts.hostname:
        raise InputError("cloud_environment", (
            "cloud_environment (AZURE_CLOUD_ENVIRONMENT) is '{0}': the address of an ARM endpoint starts with https:// "
            "and names a host, since access tokens are sent to it."
        ).format(text))
    return text.rstrip("/")


def from_metadata(address: str, body: Any) -> Cloud:
    """The cloud that an ARM endpoint describes (a list of clouds, or one as Azure Stack Hub answers)."""
    found = body
    if isinstance(body, list):
        same = [item for item in body if str(item.get("resourceManager", "")).rstrip("/").lower() == address.lower()]
        found = (same or body or [None])[0]
    try:
        authentication = found["authentication"]
        login = str(authentication["loginEndpoint"]).rstrip("/")
        audience = str(authentication["audiences"][0])
    except (KeyError, IndexError, TypeError) as error:
        raise SignInError((
            "cloud_environment (AZURE_CLOUD_ENVIRONMENT) is {0}, whose /metadata/endpoints does not describe an Azure "
            "Resource Manager: check the address."
        ).format(address)) from error
    return Cloud(str(found.get("name") or address), address, login, audience.rstrip("/"))
