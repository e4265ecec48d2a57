# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What RunCommand takes and what it answers (private to dockhost.azure, pure).

https://learn.microsoft.com/rest/api/compute/virtual-machines/run-command
"""

from __future__ import annotations

from typing import Any, Dict, Mapping

OPERATION = "runCommand"


def body(script: str) -> Dict[str, Any]:
    """The request that has a shell run a script as root."""
    return {"commandId": "RunShellScript", "script": script.splitlines()}


def output(ended: Any) -> str:
    """What the script printed, of the body with which its operation ended. Its exit status is not told."""
    answer = ended if isinstance(ended, Mapping) else {}
    parts = ((answer.get("properties") or {}).get("output") or answer).get("value") or []
    return "\n".join(str(part.get("message") or "") for part in parts)
