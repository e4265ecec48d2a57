# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a VM extension IS, and the digest by which a later run knows its secrets. Private to this collection; pure.

Source: https://learn.microsoft.com/rest/api/compute/virtual-machine-extensions/create-or-update
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from dataclasses import dataclass, field
from typing import Any, Dict, Mapping, Optional, Tuple

from ansible_collections.dockhost.azure.plugins.module_utils._errors import InputError
from ansible_collections.dockhost.azure.plugins.module_utils._model.resource import TAG_DEPLOYMENT, Resource

EXTENSION = "Microsoft.Compute/virtualMachines/extensions"
CUSTOM_SCRIPT = ("Microsoft.Azure.Extensions", "CustomScript", "2.1")
DOCKER_EXTENSION = ("Microsoft.Azure.Extensions", "DockerExtension", "1.2")

# scrypt, so that guessing a short secret from the digest is slow: some 50 ms and 16 MiB a try.
_COST = {"n": 2**14, "r": 8, "p": 1, "maxmem": 64 * 1024 * 1024, "dklen": 16}
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,78}[A-Za-z0-9_])?")
_VERSION = re.compile(r"\d+\.\d+(\.\d+){0,2}")
# What forceUpdateTag looks like: our digest, and after a hyphen how often it was asked to run again.
_TAG = re.compile(r"dockhost-([0-9a-f]{32})(?:-(\d+))?")


@dataclass(frozen=True)
class ExtensionResource(Resource):
    """An extension of a machine: it is named with its machine, since all hosts of a group carry the same name."""

    @property
    def name(self) -> str:
        parts = self.id.split("/")
        return "{0}/{1}".format(parts[-3], parts[-1])

    @property
    def host(self) -> str:
        """The machine."""
        return self.id.split("/")[-3]


@dataclass(frozen=True)
class Extension:
    """A wanted extension.

    :param version: major and minor version, ``2.1``.
    :param protected: protected settings; ``None``: there are none.
    :param auto_upgrade: minor versions are taken as they come (``autoUpgradeMinorVersion``).
    :param automatic_upgrade: Azure upgrades it by itself (``enableAutomaticUpgrade``); ``None``: left as it is.
    :param update_tag: the user's own text: when it changes, the extension runs again.
    :param fingerprint: what stands for the protected settings in the digest, where their bytes differ from run to run
        although they mean the same (compressed scripts).
    """

    name: str
    publisher: str
    type: str
    version: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    protected: Optional[Mapping[str, Any]] = None
    auto_upgrade: bool = True
    automatic_upgrade: Optional[bool] = None
    update_tag: str = ""
    fingerprint: Optional[str] = None

    @property
    def handler(self) -> Tuple[str, str]:
        """Publisher and type as they are compared."""
        return (self.publisher.lower(), self.type.lower())

    @property
    def handler_text(self) -> str:
        """Publisher and type as people write them."""
        return "{0} {1}".format(self.publisher, self.type)

    def digest(self, scope: str, key: str) -> str:
        """Thirty-two hexadecimal digits that stand for the secrets and ``update_tag``; empty where there are neither.

        :param scope: the salt beside the key (the resource group's id and the name): equal secrets of two deployments
            do not show as equal.
        :param key: the user's ``digest_key``, or an empty text.
        """
        if self.protected is None and not self.update_tag:
            return ""
        secret = self.fingerprint if self.fingerprint is not None else canonical(self.protected)
        salt = hmac.new(key.encode() or b"dockhost.azure", scope.lower().encode(), hashlib.sha256).digest()
        return hashlib.scrypt(canonical([secret, self.update_tag]).encode(), salt=salt, **_COST).hex()

    def body(self, location: str, deployment: str, force_tag: Optional[str]) -> Dict[str, Any]:
        """The ARM body."""
        properties: Dict[str, Any] = {
            "publisher": self.publisher, "type": self.type, "typeHandlerVersion": self.version,
            "autoUpgradeMinorVersion": self.auto_upgrade, "settings": dict(self.settings),
        }
        if self.automatic_upgrade is not None:
            properties["enableAutomaticUpgrade"] = self.automatic_upgrade
        if self.protected is not None:
            properties["protectedSettings"] = dict(self.protected)
        if force_tag:
            properties["forceUpdateTag"] = force_tag
        return {"location": location, "tags": {TAG_DEPLOYMENT: deployment}, "properties": properties}


def canonical(value: Any) -> str:
    """One text for one meaning."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)


def force_tag(digest: str, turn: int) -> Optional[str]:
    """The forceUpdateTag for a digest; ``turn`` counts how often the same settings are asked to run again."""
    if not digest and not turn:
        return None
    return "dockhost-{0}{1}".format(digest or "0" * 32, "-{0}".format(turn) if turn else "")


def read_tag(text: Optional[str]) -> Tuple[str, int]:
    """(digest, turn) of a forceUpdateTag; one that is not ours has none."""
    match = _TAG.fullmatch(text or "")
    if not match:
        return "", 0
    digest = "" if match.group(1) == "0" * 32 else match.group(1)
    return digest, int(match.group(2) or 0)


def check(option: str, name: str, version: str) -> None:
    """Refuse a name or version that Azure would refuse.

    :raises InputError: one of them cannot work.
    """
    if not _NAME.fullmatch(name):
        raise InputError(option, "{0} is '{1}', which Azure refuses as the name of an extension: it takes 1 to 80 letters, digits, '.', "
                         "'_' and '-', beginning with a letter or digit.".format(option, name))
    if not _VERSION.fullmatch(version):
        raise InputError("version", "version is '{0}': give the major and minor version, as in 2.1 (in quotes, so that YAML does not "
                         "take it for a number).".format(version))
