# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""PURE: long lists in pages with nextLink."""
from __future__ import annotations

import base64
import binascii
from urllib.parse import urlencode

from azlab.arm.wire import Answer, Call
from azlab.errors import arm_error

DEFAULT = 1000


def page(call: Call, answer: Answer, size: int) -> Answer:
    """The page of a list that the call's `$skiptoken` leads to. Lists of things without an id (sizes, SKUs) are never cut."""
    body = answer.body
    token = call.query.get("$skiptoken")
    items = body.get("value") if call.method == "GET" and isinstance(body, dict) else None
    if not isinstance(items, list) or not size or "nextLink" in body:
        return answer
    start = _offset(token) if token is not None else 0
    if start >= len(items) and token is not None:
        body = {**body, "value": []}
    elif len(items) > size and isinstance(items[0], dict) and "id" in items[0]:
        body = {**body, "value": items[start:start + size]}
        if start + size < len(items):
            query = {**call.query, "$skiptoken": base64.urlsafe_b64encode(f"azlab {start + size}".encode()).decode()}
            body["nextLink"] = f"{call.base}{call.path}?{urlencode(query, safe='$')}"
    return Answer(answer.status, body, answer.headers, answer.operation)


def _offset(token: str) -> int:
    try:
        word, number = base64.urlsafe_b64decode(token.encode()).decode().split(" ")
        if word == "azlab" and number.isdigit():
            return int(number)
    except (binascii.Error, ValueError):
        pass
    raise arm_error("skip_token", token=token)
