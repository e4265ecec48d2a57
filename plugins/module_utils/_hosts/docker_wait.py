# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Wait until Docker Engine answers on hosts. Private to this collection.

Asked over Azure's agent and not over SSH, so that it works for hosts that no controller can reach yet. The waiting is done on the
host: one command for each, however long it takes.
"""

from __future__ import annotations

import asyncio
import re
from typing import Dict, Sequence, Tuple

from ansible_collections.dockhost.azure.plugins.module_utils._azure.client import Client
from ansible_collections.dockhost.azure.plugins.module_utils._errors import AzureError, DockhostError
from ansible_collections.dockhost.azure.plugins.module_utils._hosts import run_command
from ansible_collections.dockhost.azure.plugins.module_utils._model.host import Host

LONGEST = 4800  # seconds; Azure ends a command after 90 minutes
_ANSWER = re.compile(r"^dockhost-docker: (ready|missing) (.*)$", re.MULTILINE)

SCRIPT = """\
began=$(date +%s)
while :; do
  if ! command -v docker >/dev/null 2>&1; then
    missing='Docker is not installed'
  elif found=$(docker version --format '{{.Server.Version}}' 2>&1); then
    echo "dockhost-docker: ready $found"
    exit 0
  else
    missing="the engine does not answer: $(printf '%s' "$found" | tail -n 1)"
  fi
  if [ $(($(date +%s) - began)) -ge LIMIT ]; then break; fi
  sleep 2
done
if command -v cloud-init >/dev/null 2>&1; then
  state=$(cloud-init status 2>/dev/null | sed -n 's/^status: *//p')
  case "$state" in
    running | 'not run'*) missing="$missing (cloud-init is still running)" ;;
    error* | degraded*) missing="$missing (cloud-init has failed: see /var/log/cloud-init-output.log)" ;;
  esac
fi
echo "dockhost-docker: missing $missing"
"""


def parse(output: str) -> Tuple[bool, str]:
    """(whether the engine answers, its version or what is missing)."""
    found = _ANSWER.search(output)
    if found is None:
        return False, "the command that asks for Docker printed nothing"
    return found.group(1) == "ready", found.group(2).strip()


async def wait(client: Client, hosts: Sequence[Host], limit: int) -> None:
    """Wait until Docker Engine answers on all hosts.

    :param limit: how long, in seconds
    :raises DockhostError: time is up; names each host and what is missing there
    """
    script, slots = SCRIPT.replace("LIMIT", str(min(limit, LONGEST))), asyncio.Semaphore(run_command.AT_ONCE)
    missing: Dict[str, str] = {}

    async def one(host: Host) -> None:
        async with slots:
            try:
                ready, text = parse(await run_command.run(client, host, script, f"ask {host.name} for Docker"))
            except AzureError as error:
                ready, text = False, f"Azure could not run a command there: {error.code}: {error.message.rstrip('.')}"
        if not ready:
            missing[host.name] = text

    await asyncio.gather(*(one(host) for host in hosts))
    if not missing:
        return
    named = [f"{host.name} ({missing[host.name]})" for host in hosts if host.name in missing]
    more = f" and {len(named) - 5} more" if len(named) > 5 else ""
    raise DockhostError(
        f"Docker does not answer after {limit} seconds on {', '.join(named[:5])}{more}: let custom_data, an extension or the role "
        "dockhost.azure.docker install it (wait_for waits only), look at the log on the host, or give a longer wait_timeout."
    )
