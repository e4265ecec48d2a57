# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of templates share: a scope without a lab."""
from __future__ import annotations

from azlab import api_versions
from azlab.templates.context import Context, Recorder, Scope

SUBSCRIPTION = "/subscriptions/11111111-2222-3333-4444-555555555555"
GROUP = f"{SUBSCRIPTION}/resourceGroups/rg"


def context(**changes):
    values = {
        "subscription": {"id": SUBSCRIPTION, "subscriptionId": SUBSCRIPTION[15:], "tenantId": "t", "displayName": "d"},
        "group": {"id": GROUP, "name": "rg", "location": "westeurope", "tags": {"env": "test"}},
        "deployment": {"name": "main", "properties": {"mode": "Incremental"}},
        "environment": {"name": "AzureCloud", "suffixes": {"storage": "core.windows.net"}},
        "tenant": {"tenantId": "t"},
        "zones": lambda namespace, kind, location: ["1", "2", "3"] if location == "westeurope" else [],
    }
    return Context(**{**values, **changes})


def scope(parameters=None, variables=None, *, runtime=None, **more):
    return Scope(context(), parameters or {}, variables or {}, runtime=runtime or Recorder(), **more)


def template(resources=(), **sections):
    return {"$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
            "contentVersion": "1.0.0.0", "resources": list(resources) if isinstance(resources, (list, tuple)) else resources,
            **sections}


def resource(kind, name, **more):
    return {"type": kind, "apiVersion": api_versions.newest(kind), "name": name, **more}
