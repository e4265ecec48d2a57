# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of modules that speak with the Docker Engine of a host."""

from __future__ import annotations


class ModuleDocFragment:
    """The engine that a module speaks with."""

    DOCUMENTATION = r"""
options:
  docker_socket:
    description: Path of the Docker Engine's socket on the host.
    type: str
    default: /var/run/docker.sock
"""
