# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What went wrong with which hosts, in sentences. Private to this collection; pure."""

from __future__ import annotations

from typing import Any, Dict, List, Sequence, Tuple

from ansible_collections.dockhost.azure.plugins.module_utils._apply import StepResult
from ansible_collections.dockhost.azure.plugins.module_utils._errors import AzureError, DockhostError, TransportError
from ansible_collections.dockhost.azure.plugins.module_utils._model import authorized_keys, shell_script
from ansible_collections.dockhost.azure.plugins.module_utils._plan.host_refusals import next_step

VERBS = {"create": "made", "update": "changed", "delete": "removed", "reimage": "reimaged", "runCommand": "given its SSH keys"}


class HostsError(DockhostError):
    """Some hosts could not be brought to where they should be.

    :param failures: a dictionary for each host: host, code, message, next_step.
    :param closing: a sentence on what became of the others.
    """

    def __init__(self, sentences: Sequence[str], failures: Sequence[Dict[str, Any]], closing: str):
        super().__init__(" ".join([*sentences, closing]))
        self.failures = list(failures)

    def result(self) -> Dict[str, Any]:
        return {"failures": self.failures}


def host_of(result: StepResult) -> str:
    """The host that a step belongs to."""
    name = result.step.resource.name
    if result.step.resource.delete_with:
        return result.step.resource.delete_with.rsplit("/", 1)[-1]
    if result.step.resource.type.lower() == "microsoft.authorization/locks":
        return result.step.resource.id.split("/")[8]
    for ending in ("-nic", "-ip", "-osdisk"):
        if name.endswith(ending) and "virtualmachines" not in result.step.resource.type.lower():
            return name[: -len(ending)]
    return name


def failures(results: Sequence[StepResult]) -> List[Dict[str, Any]]:
    """What failed, by host."""
    found = []
    for result in results:
        if result.state != "failed" or result.error is None:
            continue
        code, message = _said(result.error)
        action = result.step.operation or result.step.action
        found.append({
            "host": host_of(result), "step": result.step.title, "action": action, "code": code, "message": message,
            "next_step": next_step(code, message) or "run again",
        })  # fmt: skip
    return found


def without_keys(results: Sequence[StepResult]) -> List[Dict[str, Any]]:
    """The hosts on which the script ran that gives them their keys, and did not come to its end: Azure calls that done."""
    found = []
    for result in results:
        if result.step.operation != shell_script.OPERATION or result.state != "done":
            continue
        told = shell_script.output(result.body)
        if authorized_keys.DONE not in told:
            found.append({
                "host": host_of(result), "step": result.step.title, "action": result.step.operation, "code": "ScriptFailed",
                "message": " ".join(told.split())[-300:] or "the script printed nothing", "next_step": "run again",
            })  # fmt: skip
    return found


def _said(error: DockhostError) -> Tuple[str, str]:
    if isinstance(error, AzureError):
        inner = next((item for item in error.details if item.get("code") and item.get("message")), None)
        if inner is not None and inner["message"] not in error.message:
            return error.code, f"{error.message} {inner['code']}: {inner['message']}"
        return error.code, error.message
    return ("ConnectionFailed" if isinstance(error, TransportError) else type(error).__name__), str(error)


def sentences(found: Sequence[Dict[str, Any]]) -> List[str]:
    """One sentence for each cause, naming the hosts, Azure's code and words, and what to do."""
    causes: Dict[Tuple[str, str, str], List[Dict[str, Any]]] = {}
    for failure in found:
        advice = "" if failure["next_step"] == "run again" else failure["next_step"]
        causes.setdefault((failure["action"], failure["code"], advice), []).append(failure)
    texts = []
    for (action, code, advice), members in causes.items():
        hosts = list(dict.fromkeys(member["host"] for member in members))
        named = ", ".join(hosts[:5]) + (f" and {len(hosts) - 5} more" if len(hosts) > 5 else "")
        verb = VERBS.get(action)
        did = f"could not be {verb}" if verb else f"did not {action}"
        plural = "Hosts" if len(hosts) > 1 else "Host"
        texts.append(f"{plural} {named} {did}: {code}: {members[0]['message'].rstrip('. ')}." + (f" To go on: {advice}." if advice else ""))
    return texts
