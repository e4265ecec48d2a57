# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The join token on its way from the manager to the hosts that join: in no variable and in no task's result, but in a file of this run.

The file is in the folder that Ansible itself keeps for a run and removes when it ends. A run that is killed leaves it there, so it is
encrypted, by a key that the processes of this run have in memory and nobody else: Ansible loads an action plugin before it forks the
process that runs it, and a task that finds no token it can read says so.
"""

from __future__ import annotations

import base64
import os
import tempfile
from typing import Optional

from ansible import constants as C

# As Fernet.generate_key() makes it. The library, which ansible-core needs as well, is imported where it is used: not every process does.
_KEY = base64.urlsafe_b64encode(os.urandom(32))


def keep(cluster_id: str, token: str) -> None:
    """Keep the token of a swarm until the run ends. Who reads at the same time finds all of it or nothing."""
    from cryptography.fernet import Fernet

    path = _path(cluster_id)
    descriptor, written = tempfile.mkstemp(dir=os.path.dirname(path))
    with os.fdopen(descriptor, "wb") as file:
        file.write(Fernet(_KEY).encrypt(token.encode()))
    os.replace(written, path)


def read(cluster_id: Optional[str]) -> Optional[str]:
    """The token of a swarm, None where this run has not read it."""
    from cryptography.fernet import Fernet, InvalidToken

    if not cluster_id:
        return None
    try:
        with open(_path(cluster_id), "rb") as file:
            return Fernet(_KEY).decrypt(file.read()).decode()
    except (FileNotFoundError, InvalidToken):
        return None


def _path(cluster_id: str) -> str:
    return os.path.join(C.DEFAULT_LOCAL_TMP, f"dockhost-swarm-{os.path.basename(cluster_id)}")
