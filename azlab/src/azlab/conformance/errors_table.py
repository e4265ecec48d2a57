# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Error answers without their requests: the lab's table must word a code with the same status and the same shape."""
from __future__ import annotations

import json
import string
from collections import defaultdict
from typing import Any

from azlab.conformance.compare import Difference, bodies
from azlab.errors import TABLE, arm_error, network_error




def compare(entry: dict[str, Any]) -> list[Difference]:
    """The differences between a recorded error and the lab's error of that code."""
    status, code = entry.get("status"), str(entry.get("code") or "")
    keys = defaultdict(list)
    for key, (number, name, _text, _source) in TABLE.items():
        keys[name].append((number, key))
    if code not in keys:
        return [Difference("code", "error.code", code, "not in the lab's table")]
    fitting = [key for number, key in keys[code] if number == status]
    if not fitting:
        return [Difference("status", "", f"{status} {code}", ",".join(str(n) for n, _k in keys[code]))]
    try:
        body = json.loads(entry["body"]) if isinstance(entry["body"], str) else entry["body"]
    except ValueError:
        return [Difference("type", "", "text", "object")]
    return min((bodies(body, _answer(key, str(entry.get("type") or "")), "") for key in fitting), key=len)


def _answer(key: str, type_name: str) -> dict[str, Any]:
    fields = {name: f"<{name}>" for _t, name, _f, _c in string.Formatter().parse(TABLE[key][2]) if name}
    target = fields.pop("target", None)
    network = TABLE[key][3] == "service" and type_name.lower().startswith("microsoft.network")
    return (network_error if network else arm_error)(key, target=target, **fields).body()
