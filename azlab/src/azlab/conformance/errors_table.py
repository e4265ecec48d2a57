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

# what the lab never raises without details
_WITH_DETAILS = ("busy", "format", "reference")
# of an interface, said by whoever refers to it: then in network's frame
_OF_NETWORK = ("resource_missing", "nic_in_use")


def compare(entry: dict[str, Any]) -> list[Difference]:
    """The differences between a recorded error and the lab's error of that code."""
    status, code = entry.get("status"), str(entry.get("code") or "")
    keys: dict[str, list[tuple[int, str]]] = defaultdict(list)
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
    frames = [frame for key in fitting for frame in _answers(key, str(entry.get("type") or ""))]
    return min((bodies(body, frame, "") for frame in frames), key=len)


def _answers(key: str, type_name: str) -> list[dict[str, Any]]:
    """The frames in which the lab sends an error of the table."""
    fields: dict[str, Any] = {name: f"<{name}>" for _t, name, _f, _c in string.Formatter().parse(TABLE[key][2]) if name}
    target = fields.pop("target", None)
    if key in _WITH_DETAILS:
        return [network_error(key, target=target, details=[{"code": "<code>", "message": "<text>"}], **fields).body()]
    if TABLE[key][3] == "service" and type_name.lower().startswith("microsoft.network"):
        return [network_error(key, target=target, **fields).body()]
    plain = arm_error(key, target=target, **fields).body()
    return [plain, network_error(key, target=target, **fields).body()] if key in _OF_NETWORK else [plain]
