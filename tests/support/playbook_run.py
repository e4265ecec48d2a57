# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Playbooks of the work tree as processes of their own."""

from __future__ import annotations

import os
import pathlib
import sys
from typing import Dict, Mapping, Optional

import work_tree

BIN = pathlib.Path(sys.executable).parent
OURS = ("AZURE_", "ANSIBLE_", "DOCKHOST_")


def environment(folder: pathlib.Path, lab: Optional[Mapping[str, str]] = None, **more: str) -> Dict[str, str]:
    """The environment of ansible-playbook: nothing of this shell's Azure and Ansible, all that is written goes into a folder.

    :param lab: what clients of a lab need; without it nobody is signed in anywhere
    """
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith(OURS)}, **(lab or {}),
        "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", "ANSIBLE_COLLECTIONS_PATH": str(work_tree.COLLECTIONS), "ANSIBLE_HOME": str(folder / "ansible"),
        "ANSIBLE_NOCOLOR": "1", "DOCKHOST_STATE_DIR": str(folder / "state"), **more,
    }  # fmt: skip
