# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The work of C(vm_extension), and what C(docker_extension) shares with it. Private to this collection."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field
from typing import Any, Dict, List, Mapping, Optional, Tuple

from ansible.module_utils.basic import env_fallback

from ansible_collections.dockhost.azure.plugins.module_utils import _apply
from ansible_collections.dockhost.azure.plugins.module_utils._azure.client import Client
from ansible_collections.dockhost.azure.plugins.module_utils._errors import AzureError, DockhostError, InputError, RefusedError
from ansible_collections.dockhost.azure.plugins.module_utils._extension import observe, spec
from ansible_collections.dockhost.azure.plugins.module_utils._extension import plan as planning
from ansible_collections.dockhost.azure.plugins.module_utils._extension.report import Report, failure, log_place, sentences
from ansible_collections.dockhost.azure.plugins.module_utils._model.resource import group_id
from ansible_collections.dockhost.azure.plugins.module_utils._module import DEPLOYMENT_ARGS, Task
from ansible_collections.dockhost.azure.plugins.module_utils._plan import core

# Options that both modules have.
HOST_ARGS: Dict[str, Any] = dict(
    DEPLOYMENT_ARGS,
    resource_group={"type": "str", "required": True},
    hosts={"type": "list", "elements": "str"},
    group={"type": "str"},
    scale_set={"type": "str"},
    state={"type": "str", "choices": ["present", "absent"], "default": "present"},
    force_update_tag={"type": "str"},
    rerun={"type": "bool", "default": False},
    reinstall={"type": "str", "choices": ["never", "failed", "always"], "default": "never"},
    digest_key={"type": "str", "no_log": True, "fallback": (env_fallback, ["DOCKHOST_DIGEST_KEY"])},
)

ARGUMENTS: Dict[str, Any] = dict(
    HOST_ARGS,
    name={"type": "str", "required": True},
    publisher={"type": "str"},
    type={"type": "str"},
    version={"type": "str"},
    settings={"type": "dict"},
    protected_settings={"type": "dict", "no_log": True},
    auto_upgrade={"type": "bool", "default": True},
    automatic_upgrade={"type": "bool"},
)

# https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules#microsoftresources
_GROUP = re.compile(r"[\w().-]{0,89}[\w()-]")

CONSTRAINTS: Dict[str, Any] = {
    "mutually_exclusive": [("hosts", "group", "scale_set")],
    "required_one_of": [("hosts", "group", "scale_set")],
    "required_if": [("state", "present", ("publisher", "type", "version"))],
}


class ExtensionsError(DockhostError):
    """Extensions failed on some hosts."""

    def __init__(self, failures: List[Dict[str, Any]], closing: str):
        super().__init__(" ".join(sentences(failures) + [closing]))
        self.failures = failures

    def result(self) -> Dict[str, Any]:
        return {"failures": self.failures}


@dataclass(frozen=True)
class Seen:
    """What was observed; ``wishes`` are made of it."""

    targets: Tuple[planning.Target, ...]
    extensions: Mapping[str, spec.Extension] = field(default_factory=dict)  # by host id
    reports: Mapping[str, Report] = field(default_factory=dict)  # by extension id in lower case


class VmExtensionTask(Task):
    """One extension on one or many machines."""

    sdk = "compute"
    ran: Tuple[str, ...] = ()  # ids of the extensions that this run made or changed

    @property
    def name(self) -> str:
        """The name of the extension."""
        return self.params["name"]

    def check(self) -> None:
        spec.check("name", self.name, self.params.get("version") or "0.0")
        group = self.params.get("resource_group") or ""
        if not _GROUP.fullmatch(group):
            raise InputError("resource_group", "resource_group is '{0}', which Azure refuses as the name of a resource group: it takes 1 to 90 letters, "
                             "digits, '_', '-', '.', '(' and ')', not ending with '.'.".format(group))
        for name in ("group", "scale_set", "publisher", "type"):
            if self.params.get(name) is not None and not self.params[name].strip():
                raise InputError(name, "{0} is empty: give a name.".format(name))
        if self.params.get("hosts") is not None and not self.params["hosts"]:
            raise InputError("hosts", "hosts is empty: name at least one virtual machine, or give group.")

    async def observe(self, client: Client) -> Seen:
        found, missing = await observe.targets(
            client, self.params["resource_group"], self.params.get("hosts"), self.params.get("group"), self.deployment,
            self.params.get("scale_set"),
        )
        self._missing(missing, found)
        extensions = await self.wanted(client, found) if self.params["state"] == "present" else {}
        return Seen(tuple(found), extensions, await self._reports(client))

    async def wanted(self, client: Client, found: List[planning.Target]) -> Dict[str, spec.Extension]:
        """The extension for each host, by its id."""
        params = self.params
        extension = spec.Extension(
            name=self.name, publisher=params["publisher"], type=params["type"], version=params["version"],
            settings=params.get("settings") or {}, protected=params.get("protected_settings"),
            auto_upgrade=params["auto_upgrade"], automatic_upgrade=params.get("automatic_upgrade"),
            update_tag=params.get("force_update_tag") or "",
        )  # fmt: skip
        return {target.host.id: extension for target in found}

    def plan(self, actual: Seen) -> core.Plan:
        if self.params["state"] == "absent":
            return planning.absent(actual.targets, self.name)
        digests: Dict[int, str] = {}
        wishes = []
        for target in actual.targets:
            extension = actual.extensions[target.host.id]
            if id(extension) not in digests:  # one costly digest for all hosts that get the same
                digests[id(extension)] = extension.digest(self._scope(), self.params.get("digest_key") or "")
            wishes.append((target, planning.Wish(
                extension, digests[id(extension)], self.deployment, self.params["rerun"], self.params["reinstall"]
            )))
        return planning.present(wishes)

    async def finish(self, client: Client, actual: Seen, results: List[_apply.StepResult]) -> None:
        self.ran = tuple(result.step.resource.id for result in results if result.step.action in ("create", "update"))

    async def failed(self, client: Client, actual: Seen, results: List[_apply.StepResult]) -> None:
        broken = [result for result in results if result.state == "failed" and result.error is not None]
        if not broken:
            return  # interrupted: the framework says what was done
        bodies = await asyncio.gather(*(observe.view(client, result.step.resource.id) for result in broken))
        found = []
        for result, body in zip(broken, bodies):
            report = Report.from_api(body)
            # What was refused before it began left an earlier run's report there.
            refused = isinstance(result.error, AzureError) and result.error.status >= 400
            report = Report() if refused or report.state.lower() != "failed" else report
            have = (body or {}).get("properties") or (result.step.body or {}).get("properties") or {}
            place = self.log_place(str(have.get("publisher")), str(have.get("type")))
            found.append(failure(result.step.resource.host, result.step.title, result.error, report, place))
        done = len([result for result in results if result.state == "done" and result.step.action != "keep"])
        others = "The other steps were done ({0}): r".format(done) if done else "R"
        raise ExtensionsError(found, others + "unning again continues from here.")

    def log_place(self, publisher: str, type_: str) -> str:
        """Where the log is on the host."""
        return log_place(publisher, type_)

    def bodies(self, actual: Seen) -> Mapping[str, Mapping[str, Any]]:
        """All extensions of the machines, by id."""
        return {str(body["id"]).lower(): body for target in actual.targets for body in target.extensions.values()}

    def result(self, actual: Seen, plan: core.Plan, applied: bool) -> Dict[str, Any]:
        return {"extensions": [
            self._shown(target, body, actual.reports)
            for target in actual.targets for name, body in target.extensions.items() if name == self.name.lower()
        ]}

    # -- small parts
    def _scope(self) -> str:
        return "{0}/{1}".format(group_id(self.subscription_id, self.params["resource_group"]), self.name)

    async def _reports(self, client: Client) -> Dict[str, Report]:
        bodies = await asyncio.gather(*(observe.view(client, name) for name in self.ran))
        return {name.lower(): Report.from_api(body) for name, body in zip(self.ran, bodies)}

    def _missing(self, missing: List[str], found: List[planning.Target]) -> None:
        """What was named and is not there: an error, but a warning in check mode, where an earlier task would make it; for absent it is as wanted.

        :raises RefusedError: a machine is missing, or the group or the set has none at all.
        """
        group, scale_set = self.params["resource_group"], self.params.get("scale_set")
        text = ""
        if missing:
            text = "hosts: there is no virtual machine '{0}' in resource group {1}: correct the name, or make it first.".format(
                "', '".join(missing), group
            )
        elif not found and scale_set:
            text = ("scale_set: there is no machine of a flexible scale set '{0}' in resource group {1}: correct the name, or give it instances first. "
                    "Instances of uniform sets take extensions from the set's own extension profile.").format(scale_set, group)
        elif not found and self.params.get("group"):
            text = "group: group '{0}' of deployment {1} has no hosts in resource group {2}: correct the name, or make them first.".format(
                self.params["group"], self.deployment, group
            )
        if text and self.params["state"] == "present":
            if not self.check_mode:
                raise RefusedError([text])
            self.warnings.append(text)

    @staticmethod
    def _shown(target: planning.Target, body: Mapping[str, Any], reports: Mapping[str, Report]) -> Dict[str, Any]:
        have = body.get("properties") or {}
        report: Optional[Report] = reports.get(str(body["id"]).lower())
        return {
            "host": target.host.name, "id": body["id"], "name": str(body["id"]).rsplit("/", 1)[-1],
            "publisher": have.get("publisher"), "type": have.get("type"), "version": have.get("typeHandlerVersion"),
            "provisioning_state": have.get("provisioningState"), "settings": have.get("settings") or {},
            "message": report.message if report else "", "stdout": report.stdout if report else "",
            "stderr": report.stderr if report else "",
        }
