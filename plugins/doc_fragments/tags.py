# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of ownership and tags."""

from __future__ import annotations


class ModuleDocFragment:
    """Options that say to which deployment a resource belongs."""

    DOCUMENTATION = r"""
options:
  deployment:
    description:
      - The name of the deployment that the resources belong to. It is written on them as the tag C(dockhost-deployment).
      - Only what carries this tag is ever deleted.
      - The name of the resource group when not given.
    type: str
  tags:
    description:
      - Tags for the resources. Tags that others have set are left alone.
    type: dict
"""

    DEPLOYMENT = r"""
options:
  deployment:
    description:
      - The name of the deployment that the resources belong to, as it stands in their tag C(dockhost-deployment).
      - The name of the resource group when not given.
    type: str
"""
