# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make the collection importable from the work tree as ansible_collections.dockhost.azure."""

from __future__ import annotations

import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
COLLECTIONS = ROOT / ".work" / "dev"


def link() -> None:
    """Link the work tree where Python and Ansible look for collections (git ignores .work)."""
    parent = COLLECTIONS / "ansible_collections" / "dockhost"
    parent.mkdir(parents=True, exist_ok=True)
    if not (parent / "azure").is_symlink():
        (parent / "azure").symlink_to("../../../..")
    if str(COLLECTIONS) not in sys.path:
        sys.path.insert(0, str(COLLECTIONS))
