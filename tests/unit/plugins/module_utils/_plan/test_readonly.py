# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of read-only properties against the models of the SDKs."""

from __future__ import annotations

import importlib
import re

import pytest
from ansible_collections.dockhost.azure.plugins.module_utils._plan.readonly import _TABLE, read_only_paths

MODELS = {
    "Microsoft.Network/virtualNetworks": ("network", "VirtualNetwork"),
    "Microsoft.Network/networkSecurityGroups": ("network", "NetworkSecurityGroup"),
    "Microsoft.Network/publicIPAddresses": ("network", "PublicIPAddress"),
    "Microsoft.Network/natGateways": ("network", "NatGateway"),
    "Microsoft.Network/loadBalancers": ("network", "LoadBalancer"),
    "Microsoft.Network/networkInterfaces": ("network", "NetworkInterface"),
    "Microsoft.Compute/virtualMachines": ("compute", "VirtualMachine"),
    "Microsoft.Compute/virtualMachineScaleSets": ("compute", "VirtualMachineScaleSet"),
}


def fields(models, name, path=""):
    """(path, read only) of the fields of a model, for paths that do not lead into another resource."""
    model = getattr(models, name, None)
    if model is None:
        return
    model()  # the SDK fills in its tables when a model is made
    for attribute, field in model._attr_to_rest_field.items():
        below = "{0}.{1}".format(path, field._rest_name) if path else field._rest_name
        yield below, field._visibility == ["read"]
        if below.count(".") < 4 and field._visibility != ["read"]:
            for base in model.__mro__:
                for inner in re.findall(r"_models\.(\w+)", str(getattr(base, "__annotations__", {}).get(attribute, ""))):
                    yield from fields(models, inner, below)


@pytest.mark.parametrize("type_", MODELS)
def test_what_we_leave_out_is_read_only(type_):
    package, name = MODELS[type_]
    models = importlib.import_module("azure.mgmt.{0}.models._models".format(package))
    known = dict(fields(models, name))
    further = _TABLE[type_.lower()][1]
    assert further and all(known.get(path) for path in further), [path for path in further if not known.get(path)]


def test_children_lose_state_and_etag():
    paths = read_only_paths("microsoft.network/VIRTUALNETWORKS")
    assert "properties.subnets.etag" in paths and "properties.subnets.properties.provisioningState" in paths
    assert "etag" in read_only_paths("Microsoft.Unknown/things")
