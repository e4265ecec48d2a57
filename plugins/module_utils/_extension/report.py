# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an extension reported: exit status, output, and where its logs are. Private to this collection; pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Dict, Mapping, Optional

from ansible_collections.dockhost.azure.plugins.module_utils._errors import AzureError, DockhostError

_EXIT = re.compile(r"exit status[= ](\d+)")
_STREAMS = re.compile(r"\[stdout\]\n?(.*?)\n?\[stderr\]\n?(.*)", re.DOTALL)

_CUSTOM_SCRIPT_LOG = "/var/log/azure/custom-script/handler.log and /var/lib/waagent/custom-script/download/*/stderr"
_DOCKER_LOG = "/var/log/azure-docker-extension-enable.log and /var/log/azure/Microsoft.Azure.Extensions.DockerExtension"

# Azure's code -> what to do.
_NEXT = {
    "VMAgentStatusCommunicationError": "check that the machine has booted and that its agent (walinuxagent) runs, and run again",
    "VMExtensionProvisioningTimeout": "look at the log on the host: something there waits for more than 90 minutes",
    "ArtifactNotFound": "check publisher and type (az vm extension image list --location REGION)",
    "ArtifactVersionNotFound": "check version (az vm extension image list-versions)",
}


@dataclass(frozen=True)
class Report:
    """What the instance view says of one extension."""

    state: str = ""
    message: str = ""
    exit_code: Optional[int] = None
    stdout: str = ""
    stderr: str = ""

    @classmethod
    def from_api(cls, body: Optional[Mapping[str, Any]]) -> "Report":
        """Read a body with ``$expand=instanceView``."""
        properties = (body or {}).get("properties") or {}
        statuses = (properties.get("instanceView") or {}).get("statuses") or []
        message = str(statuses[-1].get("message") or "") if statuses else ""
        return cls.from_message(message, str(properties.get("provisioningState") or ""))

    @classmethod
    def from_message(cls, message: str, state: str = "") -> "Report":
        """Read what CustomScript says: exit status and the last 4 KiB of both streams."""
        found, streams = _EXIT.search(message), _STREAMS.search(message)
        return cls(
            state=state, message=message, exit_code=int(found.group(1)) if found else None,
            stdout=streams.group(1).strip() if streams else "", stderr=streams.group(2).strip() if streams else "",
        )

    @property
    def reason(self) -> str:
        """The last line that says why: what our own script marks as the reason, else the end of stderr, else the message."""
        lines = [line.strip() for line in self.stderr.splitlines() if line.strip()]
        marked = [line[len("reason: "):] for line in lines if line.startswith("reason: ")]
        if marked:
            return marked[-1]
        return lines[-1] if lines else self.message.strip().splitlines()[0] if self.message.strip() else ""


def log_place(publisher: str, type_: str) -> str:
    """Where an extension writes its log on the host."""
    low = type_.lower()
    if low == "customscript":
        return _CUSTOM_SCRIPT_LOG
    if low == "dockerextension":
        return _DOCKER_LOG
    return "/var/log/azure/{0}.{1}".format(publisher, type_)


def failure(host: str, step: str, error: DockhostError, report: Report, place: str) -> Dict[str, Any]:
    """One host's failure for the return value."""
    code = error.code if isinstance(error, AzureError) else type(error).__name__
    text = error.message if isinstance(error, AzureError) else str(error)
    ran = report if report.message else Report.from_message(text)
    return {
        "host": host, "step": step, "code": code, "message": text, "exit_code": ran.exit_code, "stdout": ran.stdout,
        "stderr": ran.stderr, "reason": ran.reason if report.message or ran.exit_code is not None else text, "log": place,
        "next_step": _NEXT.get(code, "look at the log on the host, correct what it names, and run again"),
    }


def sentences(failures: Any) -> list:
    """One sentence for each cause, naming the hosts."""
    causes: Dict[Any, list] = {}
    for item in failures:
        causes.setdefault((item["code"], item["reason"], item["exit_code"], item["next_step"], item["log"]), []).append(item["host"])
    texts = []
    for (code, reason, exit_code, next_step, place), hosts in causes.items():
        named = ", ".join(hosts[:5]) + (" and {0} more".format(len(hosts) - 5) if len(hosts) > 5 else "")
        ended = " (exit status {0})".format(exit_code) if exit_code is not None else ""
        texts.append("The extension failed on {0}: {1}{2}: {3}. Its log there: {4}. To go on: {5}.".format(
            named, code, ended, reason.rstrip(". ") or "no reason was given", place, next_step
        ))
    return texts
