# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The work of C(docker_extension): which handler a host gets, and the extension that this comes to. Private to this collection."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, replace
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from ansible_collections.dockhost.azure.plugins.module_utils._azure.client import Client
from ansible_collections.dockhost.azure.plugins.module_utils._errors import InputError, RefusedError
from ansible_collections.dockhost.azure.plugins.module_utils._extension import docker_files, observe, script, spec
from ansible_collections.dockhost.azure.plugins.module_utils._extension import plan as planning
from ansible_collections.dockhost.azure.plugins.module_utils._extension.docker_input import (
    check_certificates,
    choices,
    contradictions,
    read_settings,
)
from ansible_collections.dockhost.azure.plugins.module_utils._extension.docker_settings import CERTS, INSECURE, DockerSettings
from ansible_collections.dockhost.azure.plugins.module_utils._extension.task import HOST_ARGS, Seen, VmExtensionTask
from ansible_collections.dockhost.azure.plugins.module_utils._model.host import Host
from ansible_collections.dockhost.azure.plugins.module_utils._plan import core
from ansible_collections.dockhost.azure.plugins.module_utils._tls import check, files

ARGUMENTS: Dict[str, Any] = dict(
    HOST_ARGS,
    resource_group={"type": "str"},
    name={"type": "str", "default": "docker"},
    handler={"type": "str", "choices": ["auto", "docker_extension", "custom_script", "cloud_init"], "default": "auto"},
    settings={"type": "dict"},
    settings_file={"type": "path"},
    protected_settings={"type": "dict", "no_log": True},
    protected_settings_file={"type": "path"},
    certificates={"type": "path"},
    docker_source={"type": "str", "choices": ["distribution", "docker"], "default": "distribution"},
    docker_version={"type": "str"},
    docker_repository={"type": "str", "default": script.REPOSITORY},
    docker_user={"type": "str"},
    lock_timeout={"type": "int", "default": 600},
    health_timeout={"type": "int", "default": 600},
    keep_containers={"type": "bool", "default": False},
    keep_certificates={"type": "bool", "default": False},
    remove_docker={"type": "bool", "default": False},
)
ARGUMENTS[INSECURE] = {"type": "bool", "default": False}

CONSTRAINTS: Dict[str, Any] = {
    "mutually_exclusive": [("hosts", "group", "scale_set"), ("settings", "settings_file"), ("protected_settings", "protected_settings_file")],
    "required_if": [(name, value, ("resource_group",)) for name, value in (
        ("handler", "auto"), ("handler", "docker_extension"), ("handler", "custom_script"), ("state", "absent"),
    )],
}  # fmt: skip

NONCES = 64
MAX_CUSTOM_DATA = 65535  # https://learn.microsoft.com/azure/virtual-machines/custom-data
# What the extension's user guide names, of the images that Azure still tells apart by their version: Ubuntu from 13,
# CentOS and RHEL from 7.1, CoreOS from 899. It installs the engine by a script and Compose 1.6.2 for the systems of its days.
_OLD_IMAGES = re.compile(
    r"canonical:ubuntuserver:1[3-8][._]|openlogic:centos:7[._][1-9]|redhat:rhel:7[._][1-9]|coreos:coreos:", re.IGNORECASE
)


@dataclass(frozen=True)
class Choice:
    """The handler of one host and why it was taken."""

    handler: str
    reason: str


class DockerExtensionTask(VmExtensionTask):
    """The Docker extension's settings on one or many machines."""

    def __init__(self, params: Mapping[str, Any], subscription_id: str):
        super().__init__(params, subscription_id)
        self.public = read_settings(params, "settings")
        self.protected = read_settings(params, "protected_settings")
        self.settings = DockerSettings.read(self.public, self.protected)
        self.choices = choices(params)
        self.handlers: Dict[str, Choice] = {}
        self.folder = params.get("certificates")

    def check(self) -> None:
        super().check()
        contradictions(self.params)
        if all(self.params.get(name) is None for name in ("hosts", "group", "scale_set")):
            raise InputError("hosts", "one of hosts, group and scale_set is needed: name the virtual machines, the group of hosts or the scale set.")
        if self.folder and self.settings.certs:
            raise InputError("certificates", "certificates and protected_settings.certs are both given: give one of them.")
        if self.choices.keep_certificates and (self.folder or self.settings.certs):
            raise InputError("keep_certificates", "keep_certificates leaves those on the hosts as they are, and others are given: choose one of the two.")
        lacking = docker_files.unset(self.settings.compose, self.settings.environment)
        if lacking and self.choices.keep_containers:
            raise InputError("protected_settings.environment", "{0} stands in the compose file and has no value, and Azure does not tell what the old "
                             "extension was given: give it in protected_settings.environment.".format(", ".join(lacking)))
        check_certificates(self.settings, "protected_settings.certs")
        # Each host's own certificates are not read yet: any will do to see whether the rest can work.
        script.render(replace(self.settings, certs=dict.fromkeys(CERTS, "")) if self.folder else self.settings, self.choices)

    async def wanted(self, client: Client, found: List[planning.Target]) -> Dict[str, spec.Extension]:
        published: Dict[str, Optional[List[str]]] = {}
        if self.params["handler"] == "auto":
            for location in {target.host.location for target in found}:
                published[location] = await observe.versions(client, location, *spec.DOCKER_EXTENSION[:2])
        made: Dict[Tuple[str, str, str], spec.Extension] = {}
        extensions = {}
        for target in found:
            choice = choose(self.params["handler"], target.host, published.get(target.host.location))
            self.handlers[target.host.name] = choice
            user = self.params.get("docker_user") or target.host.admin_username or ""
            key = (choice.handler, user, target.host.name if self.folder else "")
            if key not in made:
                made[key] = self._extension(choice.handler, user, self._certificates(target.host.name))
            extensions[target.host.id] = made[key]
        if "custom_script" in {choice.handler for choice in self.handlers.values()}:
            settings = replace(self.settings, certs=dict.fromkeys(CERTS, "")) if self.folder else self.settings
            self.warnings += [note for note in script.notes(settings, self.choices) if note not in self.warnings]
        return extensions

    def plan(self, actual: Seen) -> core.Plan:
        found = super().plan(actual)
        if self.params["state"] == "present" or not self.params["remove_docker"]:
            return found
        return self._with_removal(found, actual)

    def log_place(self, publisher: str, type_: str) -> str:
        return script.LOG if type_.lower() == "customscript" else super().log_place(publisher, type_)

    def result(self, actual: Seen, plan: core.Plan, applied: bool) -> Dict[str, Any]:
        found = super().result(actual, plan, applied)
        found["handlers"] = [
            {"host": host, "handler": choice.handler, "reason": choice.reason} for host, choice in sorted(self.handlers.items())
        ]
        return found

    # -- small parts
    def _extension(self, handler: str, user: str, certs: Mapping[str, str]) -> spec.Extension:
        tag = self.params.get("force_update_tag") or ""
        if handler == "docker_extension":
            publisher, type_, version = spec.DOCKER_EXTENSION
            encoded = {name: base64.b64encode(text.encode()).decode() for name, text in certs.items()}
            protected = dict(self.protected, certs=encoded) if encoded else self.protected
            return spec.Extension(self.name, publisher, type_, version, self.public, protected or None, update_tag=tag)
        settings = replace(self.settings, certs=certs) if certs else self.settings
        return self._custom_script(script.render(settings, replace(self.choices, user=user)), tag)

    def _certificates(self, host: str) -> Dict[str, str]:
        """The host's own certificates from the folder; empty where no folder is given.

        :raises RefusedError: they are missing (a warning in check mode, since an earlier task would make them) or do not work.
        """
        if not self.folder:
            return {}
        authority, pair = files.read(files.names(self.folder, "")[0]), files.read_pair(self.folder, host)
        if authority is None or pair is None:
            text = "certificates: {0} has no certificates for host {1}: make them with dockhost.azure.docker_certificates.".format(self.folder, host)
            if not self.check_mode:
                raise RefusedError([text])
            self.warnings.append(text)
            return dict.fromkeys(CERTS, "")
        wrong = check.problem(authority, pair.certificate, pair.key)
        if wrong:
            raise RefusedError(["certificates: those of host {0} in {1} cannot work: {2}.".format(host, self.folder, wrong)])
        return {"ca": authority, "cert": pair.certificate, "key": pair.key}

    def _custom_script(self, text: str, tag: str) -> spec.Extension:
        publisher, type_, version = spec.CUSTOM_SCRIPT
        # The text and not its compressed form, whose bytes differ between versions of zlib.
        return spec.Extension(self.name, publisher, type_, version, {}, {"script": script.packed(text)}, update_tag=tag, fingerprint=text)

    def _with_removal(self, found: core.Plan, actual: Seen) -> core.Plan:
        """Before an extension goes, the same CustomScript takes Docker off the host."""
        removal = self._custom_script(script.render(DockerSettings(), replace(self.choices, mode="remove")), "remove")
        targets = {target.host.name: target for target in actual.targets}
        steps = []
        for step in found.steps:
            if step.action != "delete":
                steps.append(step)
                continue
            target = targets[step.resource.host]
            before = self._removing(target, removal, step.actual or {})
            steps += [before, replace(step, depends_on=(before.id,))]
        return core.Plan(tuple(steps))

    def _removing(self, target: planning.Target, removal: spec.Extension, have: Mapping[str, Any]) -> Any:
        if str((have.get("properties") or {}).get("type")).lower() != "customscript":
            raise RefusedError([
                "remove_docker works with handler custom_script only, and host {0} has another one: leave remove_docker out, and remove the "
                "packages on the host.".format(target.host.name)
            ])
        wish = planning.Wish(removal, removal.digest(self._scope(), self.params.get("digest_key") or ""), self.deployment, True)
        step = planning.present([(target, wish)]).steps[0]
        return replace(step, reason="takes Docker off the host", changes=())


def choose(handler: str, host: Host, published: Optional[Sequence[str]]) -> Choice:
    """The handler of a host.

    :param published: versions of the old extension in the host's region; empty: none; ``None``: not known.
    """
    if handler != "auto":
        return Choice(handler, "handler is {0}".format(handler))
    if published is None:
        return Choice("custom_script", "Azure does not say whether {0} publishes the Docker extension".format(host.location))
    if not published:
        return Choice("custom_script", "the Docker extension, retired in November 2018, is not published in {0}".format(host.location))
    if not _OLD_IMAGES.match(host.image or ""):
        return Choice("custom_script", "the Docker extension {0} is still published in {1}, but it cannot be installed on {2}, only on images of "
                      "its days (Ubuntu to 18.04, CentOS and RHEL 7, CoreOS)".format(published[-1], host.location, host.image or "this image"))
    return Choice("docker_extension", "the Docker extension {0} is published in {1} and its user guide names {2}".format(
        published[-1], host.location, host.image
    ))


def custom_data(params: Mapping[str, Any], hidden: Sequence[str]) -> str:
    """The customData for handler cloud_init.

    :param hidden: texts that Ansible replaces in results: where the compressed script has one of them by chance, other bytes that mean
        the same are taken.
    :raises InputError: a secret is so short that it cannot be avoided.
    """
    contradictions(params)
    settings = DockerSettings.read(read_settings(params, "settings"), read_settings(params, "protected_settings"))
    if params.get("certificates"):
        raise InputError("certificates", "certificates works with handlers that know the host: give protected_settings.certs with cloud_init.")
    check_certificates(settings, "protected_settings.certs")
    text = script.render(settings, choices(params))
    for turn in range(NONCES):
        made = script.cloud_config(text, turn)
        if len(made) > MAX_CUSTOM_DATA:
            raise InputError("settings", "The custom data for these settings have {0} bytes and Azure takes {1}: make the compose file smaller, or take "
                             "handler custom_script.".format(len(made), MAX_CUSTOM_DATA))
        if not any(word and word in made for word in hidden):
            return made
    raise InputError("protected_settings", "protected_settings has a value of very few characters, which Ansible would replace everywhere in the "
                     "custom data: give such values in settings.compose-environment, or longer ones.")
