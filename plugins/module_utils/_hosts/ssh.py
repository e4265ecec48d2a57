# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Wait until SSH answers on hosts. Private to this collection."""

from __future__ import annotations

import asyncio
import time
from typing import Dict, Mapping, Optional

from ansible_collections.dockhost.azure.plugins.module_utils._azure.client import Client
from ansible_collections.dockhost.azure.plugins.module_utils._errors import DockhostError
from ansible_collections.dockhost.azure.plugins.module_utils._model.ways import Way

CONNECT_SECONDS = 5.0
BANNER_SECONDS = 10.0
PAUSE_SECONDS = 2.0


async def banner(way: Way) -> Optional[str]:
    """What is wrong, as a part of a sentence; None when an SSH server greets (RFC 4253, section 4.2)."""
    writer = None
    try:
        reader, writer = await asyncio.wait_for(asyncio.open_connection(way.address, way.port), CONNECT_SECONDS)
        line = await asyncio.wait_for(reader.readline(), BANNER_SECONDS)
    except asyncio.TimeoutError:
        return "no answer"
    except OSError as error:
        return (error.strerror or str(error)).lower()
    finally:
        if writer is not None:
            writer.close()
    return None if line.startswith(b"SSH-") else "the port answers, but not as SSH"


async def wait(client: Client, ways: Mapping[str, Way], limit: float) -> None:
    """Wait until SSH answers on all hosts.

    :param ways: the way to each host, by name
    :raises DockhostError: time is up; names each host and what is missing
    """
    deadline = time.monotonic() + limit
    last: Dict[str, str] = {}

    async def one(name: str, way: Way) -> None:
        while True:
            problem = await banner(way)
            if problem is None:
                last.pop(name, None)
                return
            last[name] = f"{name} ({way.address}:{way.port}: {problem})"
            if time.monotonic() + PAUSE_SECONDS > deadline:
                return
            await client.pause(PAUSE_SECONDS)

    await asyncio.gather(*(one(name, way) for name, way in ways.items()))
    if last:
        raise DockhostError(
            f"SSH does not answer after {int(limit)} seconds on {', '.join(sorted(last.values())[:5])}: check that the security group "
            "lets this controller in (DOCKHOST_SSH_SOURCES) and that the host has booted (serial log), or give a longer wait_timeout."
        )
