# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A scripted transport: what is sent is recorded, answers come from a list."""

from __future__ import annotations

import asyncio

import pytest
from ansible_collections.dockhost.azure.plugins.module_utils._azure.client import Client, Response


class Script:
    """Answers in order; an exception in the list is raised. ``pauses`` are the seconds that were slept."""

    def __init__(self):
        self.answers, self.sent, self.pauses, self.renewed = [], [], [], 0
        self.client = Client(self.send, "https://arm.example", "sub", self.renew)
        self.client.pause = self.pause

    def add(self, status=200, body=None, **headers):
        self.answers.append(Response(status, {key.lower().replace("_", "-"): str(value) for key, value in headers.items()}, body))
        return self

    async def send(self, method, url, json):
        await asyncio.sleep(0)
        self.sent.append((method, url.replace("https://arm.example", "")))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def renew(self):
        self.renewed += 1

    async def pause(self, seconds):
        self.pauses.append(seconds)
        await asyncio.sleep(0)


@pytest.fixture
def script():
    """A Client on a script."""
    return Script()
