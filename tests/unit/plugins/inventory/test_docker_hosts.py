# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which files are for the inventory plugin."""

from __future__ import annotations

import pytest
from ansible_collections.dockhost.azure.plugins.inventory.docker_hosts import InventoryModule


@pytest.mark.parametrize(
    "name, ours",
    [
        ("docker_hosts.yml", True),
        ("docker_hosts.yaml", True),
        ("demo.docker_hosts.yml", True),
        ("demo.docker_hosts.yaml", True),
        ("hosts.yml", False),
        ("demo.docker_hosts.json", False),
        ("docker_hosts.yml.bak", False),
        ("docker_hosts", False),
        ("inventory.azure_rm.yml", False),
    ],
)
def test_file_names(tmp_path, name, ours):
    file = tmp_path / name
    file.write_text("plugin: dockhost.azure.docker_hosts\n")
    assert InventoryModule().verify_file(str(file)) is ours


def test_a_file_that_is_not_there(tmp_path):
    assert InventoryModule().verify_file(str(tmp_path / "docker_hosts.yml")) is False
