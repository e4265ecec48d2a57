# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""PURE: what the store says → the data path that is wanted. No I/O, no clock."""
from __future__ import annotations

from azlab.machines.driver import NetworkSpec, NetworkState
from azlab.store import Store


def compute(store: Store, public_range: str) -> NetworkState:
    """The whole wanted state of the data path."""
    networks = tuple(sorted((NetworkSpec(v.lid, tuple(v.properties["addressSpace"]["addressPrefixes"]))
                             for v in store.of_type("Microsoft.Network/virtualNetworks")), key=lambda n: n.id))
    return NetworkState(networks=networks)
