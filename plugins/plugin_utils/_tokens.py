# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Join tokens on their way from the manager to the hosts that join: in no variable and in no task's result, but in a file of this run.

The file is in the folder that Ansible itself keeps for a run (files of a vault that it has decrypted are there too): readable for
its user alone, and removed when the run ends.
"""

from __future__ import annotations

import json
import os
from typing import Dict, Mapping, Optional

from ansible import constants as C


def keep(cluster_id: str, tokens: Mapping[str, str]) -> None:
    """Keep the tokens of a swarm, by role, until the run ends."""
    descriptor = os.open(_path(cluster_id), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(dict(tokens), file)


def read(cluster_id: Optional[str]) -> Optional[Dict[str, str]]:
    """The tokens of a swarm, None where this run has not read them."""
    if not cluster_id:
        return None
    try:
        with open(_path(cluster_id), encoding="utf-8") as file:
            return json.load(file)
    except FileNotFoundError:
        return None


def _path(cluster_id: str) -> str:
    return os.path.join(C.DEFAULT_LOCAL_TMP, f"dockhost-swarm-{os.path.basename(cluster_id)}")
