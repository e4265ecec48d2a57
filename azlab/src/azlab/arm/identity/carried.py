# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The `identity` of a machine, a scale set or a storage account.

https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-configure-managed-identities
"""
from __future__ import annotations

import json
import uuid
from typing import Any

from azlab.arm.wire import Call
from azlab.errors import ArmError, arm_error
from azlab.lab import Lab
from azlab.store import Resource

_SYSTEM, _USER = "SystemAssigned", "UserAssigned"


def carry(lab: Lab, call: Call, kept: dict[str, Any], existing: Resource | None) -> None:
    """Put the identity that a request leads to in `kept`; one that it does not name stays as it is. Raises ArmError as `identity`."""
    old = existing.body.get("identity") if existing else None
    wanted = kept.get("identity")
    if existing is not None:
        wanted = json.loads(call.raw_body).get("identity")      # with its nulls, which take identities away
    found = identity(lab, str(call.id), wanted, old) if wanted is not None else old
    kept.pop("identity", None)
    if found:
        kept["identity"] = found


def identity(lab: Lab, owner: str, wanted: Any, old: dict[str, Any] | None) -> dict[str, Any] | None:
    """The identity as it is kept and shown, None for none. `old` is the one before: a member that is null takes an identity away,
    one that is not named stays (as PATCH has it), and the system's identity keeps its principal.

    Raises:
        ArmError: for a type that there is not, for identities of users that are missing or do not exist.
    """
    if not isinstance(wanted, dict):
        raise arm_error("bad_content", why="Error converting the value of 'identity'. Path 'identity'.")
    kinds = _kinds(wanted.get("type"))
    found: dict[str, Any] = {}
    if _SYSTEM in kinds:
        before = old or {}
        found = {"principalId": before.get("principalId") or str(uuid.uuid4()), "tenantId": lab.settings.tenant}
    if _USER in kinds:
        found["userAssignedIdentities"] = _users(lab, owner, wanted.get("userAssignedIdentities"), old)
    return {"type": ", ".join(kinds), **found} if kinds else None


def _kinds(text: Any) -> list[str]:
    """The kinds that a `type` names, in Azure's casing and order; none for None."""
    words = [w.strip().lower() for w in str(text).split(",")]
    kinds = [k for k in (_SYSTEM, _USER) if k.lower() in words]
    if words != ["none"] and len(kinds) != len(words):
        raise ArmError(400, "InvalidIdentityValues", f"The identity type '{text}' is invalid. Supported values are 'None', '{_SYSTEM}', "
                                                     f"'{_USER}' and '{_SYSTEM}, {_USER}'.", source="gateway")
    return kinds


def _users(lab: Lab, owner: str, wanted: Any, old: dict[str, Any] | None) -> dict[str, Any]:
    ids = wanted if isinstance(wanted, dict) else {}
    gone = {k.lower() for k, v in ids.items() if v is None}
    kept = {k for k in (old or {}).get("userAssignedIdentities", {}) if k.lower() not in gone}
    asked = [k for k, v in ids.items() if v is not None and k.lower() not in {k.lower() for k in kept}]
    shown = {}
    for text in (*sorted(kept), *asked):
        resource = lab.store.get(text)
        if resource is None and text in asked:
            raise arm_error("identity_operation", owner=owner, id=text)
        shown[text] = {k: resource.properties[k] for k in ("principalId", "clientId")} if resource else {}
    if not shown:
        raise ArmError(400, "MissingIdentityIds", f"The identity ids must not be null or empty for '{_USER}' identity type.", source="gateway")
    return shown
