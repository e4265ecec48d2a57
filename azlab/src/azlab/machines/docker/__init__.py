# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Machines as containers of a Docker engine."""
from __future__ import annotations

from azlab.machines.docker.driver import DockerMachines
from azlab.machines.driver import LabConfig


def create_driver(config: LabConfig) -> DockerMachines:
    """The driver of `azlab up --machines docker`; nothing is made before `start`."""
    return DockerMachines(config)
