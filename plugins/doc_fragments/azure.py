# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation that all modules and plugins that talk to Azure share."""

from __future__ import annotations


class ModuleDocFragment:
    """Sign-in options and attributes."""

    DOCUMENTATION = r"""
options:
  subscription_id:
    description:
      - The subscription to work in.
      - Taken from the environment variable E(AZURE_SUBSCRIPTION_ID) when not given.
      - With O(auth_source=cli) the subscription that the Azure CLI has chosen is the default.
    type: str
  client_id:
    description:
      - The application (client) id of the service principal to sign in as, or the client id of a user-assigned managed identity.
      - Taken from the environment variable E(AZURE_CLIENT_ID) when not given.
    type: str
  secret:
    description:
      - The secret of the service principal.
      - Taken from the environment variables E(AZURE_SECRET) or E(AZURE_CLIENT_SECRET) when not given.
    type: str
  tenant:
    description:
      - The tenant (directory) that the service principal belongs to.
      - Taken from the environment variables E(AZURE_TENANT) or E(AZURE_TENANT_ID) when not given.
    type: str
  cloud_environment:
    description:
      - The cloud to work on. One of V(AzureCloud), V(AzureChinaCloud) and V(AzureUSGovernment), or the C(https://) address
        of an Azure Resource Manager endpoint, which is asked for its login endpoint.
      - Taken from the environment variable E(AZURE_CLOUD_ENVIRONMENT) when not given.
    type: str
    default: AzureCloud
  ca_file:
    description:
      - A file with the certificate authorities to trust, in PEM form, instead of those of the system.
      - Taken from the environment variables E(AZURE_CA_FILE) or E(REQUESTS_CA_BUNDLE) when not given.
    type: path
  auth_source:
    description:
      - Where to take the sign-in from.
      - With V(auto) options and environment variables come first, then a profile, then a managed identity that the platform
        announces, then the Azure CLI.
      - V(env) reads environment variables only.
      - V(credential_file) reads O(profile) from C(~/.azure/credentials).
      - V(cli) asks the Azure CLI, on which C(az login) was done.
      - V(msi) uses the managed identity of the machine that the task runs on.
      - Taken from the environment variable E(ANSIBLE_AZURE_AUTH_SOURCE) when not given.
    type: str
    choices:
      - auto
      - env
      - credential_file
      - cli
      - msi
    default: auto
  profile:
    description:
      - The section of C(~/.azure/credentials) to sign in with. It holds C(subscription_id), C(client_id), C(secret), C(tenant) and
        optionally C(cloud_environment).
      - Taken from the environment variable E(AZURE_PROFILE) when not given; the section C(default) otherwise.
    type: str
requirements:
  - aiohttp >= 3.10
  - azure-identity >= 1.19
  - azure-mgmt-compute >= 37
  - azure-mgmt-network >= 30
"""

    ATTRIBUTES = r"""
options: {}
attributes:
  check_mode:
    description: Can run in C(check_mode) and return changed status prediction without modifying target.
  diff_mode:
    description: Will return details on what has changed (or possibly needs changing in C(check_mode)), when in diff mode.
"""
