# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From (wanted extensions, what the machines have) to a Plan. Private to this collection; pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, List, Mapping, Optional, Sequence, Tuple

from ansible_collections.dockhost.azure.plugins.module_utils._extension.spec import (
    EXTENSION,
    Extension,
    ExtensionResource,
    force_tag,
    read_tag,
)
from ansible_collections.dockhost.azure.plugins.module_utils._model.host import Host
from ansible_collections.dockhost.azure.plugins.module_utils._model.resource import Change, Step
from ansible_collections.dockhost.azure.plugins.module_utils._plan.compare import HIDDEN
from ansible_collections.dockhost.azure.plugins.module_utils._plan.core import Plan, step_id

_ABSENT = object()
SECRETS = "properties.protectedSettings"


@dataclass(frozen=True)
class Target:
    """One machine and the extensions that it has (bodies by name in lower case)."""

    host: Host
    extensions: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    extension_operations: bool = True  # osProfile.allowExtensionOperations


@dataclass(frozen=True)
class Wish:
    """What one machine is to have.

    :param digest: see ``Extension.digest``.
    :param again: ask Azure to run it although nothing has changed.
    :param reinstall: ``never``, ``failed`` or ``always``: remove it first, then make it anew.
    """

    extension: Extension
    digest: str
    deployment: str
    again: bool = False
    reinstall: str = "never"


def resource(target: Target, name: str, body: Optional[Mapping[str, Any]] = None) -> ExtensionResource:
    """The extension ``name`` of a machine."""
    return ExtensionResource(
        id="{0}/extensions/{1}".format(target.host.id, name), type=EXTENSION, body=body or {}, hidden=(SECRETS,),
    )


def present(wishes: Sequence[Tuple[Target, Wish]]) -> Plan:
    """One plan for all machines: their extensions do not wait for each other."""
    steps: List[Step] = []
    for target, wish in wishes:
        steps += _wanted(target, wish)
    return Plan(tuple(steps))


def absent(targets: Sequence[Target], name: str) -> Plan:
    """The extension ``name`` goes from all machines that have it."""
    steps = []
    for target in targets:
        actual = target.extensions.get(name.lower())
        if actual is None:
            continue
        going = resource(target, name)
        step = Step(id=step_id("delete", going.id), action="delete", resource=going, reason="is no longer wanted",
                    method="DELETE", actual=actual)
        steps.append(_refuse(going, idle(target)) if idle(target) else step)
    return Plan(tuple(steps))


def changes(wish: Wish, actual: Mapping[str, Any]) -> List[Change]:
    """What differs between what is wanted and what Azure shows; secrets are never shown."""
    extension, have = wish.extension, actual.get("properties") or {}
    found: List[Change] = []
    old = str(have.get("typeHandlerVersion") or "")
    if old != extension.version and not (extension.auto_upgrade and old.startswith(extension.version + ".")):
        found.append(Change("typeHandlerVersion", old, extension.version))
    for name, wanted in (("autoUpgradeMinorVersion", extension.auto_upgrade), ("enableAutomaticUpgrade", extension.automatic_upgrade)):
        if wanted is not None and bool(have.get(name)) != wanted:
            found.append(Change(name, bool(have.get(name)), wanted))
    found += differences(have.get("settings") or {}, dict(extension.settings), "settings")
    if read_tag(have.get("forceUpdateTag"))[0] != wish.digest and (wish.digest or extension.protected is not None):
        found.append(Change("protectedSettings" if extension.protected is not None else "force_update_tag", HIDDEN, HIDDEN))
    return found


def differences(before: Any, after: Any, path: str) -> List[Change]:
    """Every plain value that comes, goes or changes; types count, unlike with properties that Azure returns as text."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        found: List[Change] = []
        for key in list(before) + [key for key in after if key not in before]:
            found += differences(before.get(key, _ABSENT), after.get(key, _ABSENT), "{0}.{1}".format(path, key))
        return found
    if before == after and isinstance(before, bool) == isinstance(after, bool):
        return []
    return [Change(path, None if before is _ABSENT else before, None if after is _ABSENT else after)]


def idle(target: Target) -> str:
    """Why Azure would not touch the extensions of this machine, as a sentence; empty when it would."""
    host = target.host
    if host.power_state is not None and not host.running:
        return (
            "Host {0} is not running ({1}), and Azure changes extensions of running machines only: start it "
            "(dockhost.azure.host_group with state=started) and run again.".format(host.name, host.power_state)
        )
    if not target.extension_operations:
        return (
            "Host {0} does not allow extensions (osProfile.allowExtensionOperations is false): allow them on the machine, or "
            "leave it out.".format(host.name)
        )
    return ""


def _wanted(target: Target, wish: Wish) -> List[Step]:
    extension = wish.extension
    actual = target.extensions.get(extension.name.lower())
    wanted = resource(target, extension.name)
    failed = actual is not None and _state(actual) == "failed"
    afresh = actual is not None and (wish.reinstall == "always" or (wish.reinstall == "failed" and failed))
    problem = _other_handler(target, extension) or ("" if afresh else _other_type(target, extension, actual))
    if problem:
        return [_refuse(wanted, problem)]
    if actual is None or afresh:
        steps = _create(target, wish, actual, failed)
    else:
        steps = [_update(target, wish, actual)]
    if idle(target) and any(step.action != "keep" for step in steps):
        return [_refuse(wanted, idle(target))]
    return steps


def _create(target: Target, wish: Wish, actual: Optional[Mapping[str, Any]], failed: bool) -> List[Step]:
    body = wish.extension.body(target.host.location, wish.deployment, force_tag(wish.digest, 0))
    made = resource(target, wish.extension.name, body)
    create = Step(id=step_id("create", made.id), action="create", resource=made, reason="is missing", method="PUT", body=body)
    if actual is None:
        return [create]
    why = "has failed and is installed anew" if failed else "is installed anew"
    remove = Step(id=step_id("delete", made.id), action="delete", resource=made, reason=why, method="DELETE", actual=actual)
    again = Step(id=create.id, action="create", resource=made, reason=why, depends_on=(remove.id,), method="PUT", body=body)
    return [remove, again]


def _update(target: Target, wish: Wish, actual: Mapping[str, Any]) -> Step:
    found = changes(wish, actual)
    state = _state(actual)
    reason = "differs in {0}".format(", ".join(change.path for change in found)) if found else ""
    turn = 0
    if not found and (wish.again or state not in ("succeeded", "")):
        # The handler runs once per configuration: the same one runs again only under another forceUpdateTag.
        turn = read_tag((actual.get("properties") or {}).get("forceUpdateTag"))[1] + 1
        reason = "is asked to run again" if wish.again else "is {0}".format(state)
        found = [Change("provisioningState", (actual.get("properties") or {}).get("provisioningState"), "Succeeded")]
    body = wish.extension.body(target.host.location, wish.deployment, force_tag(wish.digest, turn))
    wanted = resource(target, wish.extension.name, body)
    if not found:
        return Step(id=step_id("keep", wanted.id), action="keep", resource=wanted, actual=actual)
    return Step(id=step_id("update", wanted.id), action="update", resource=wanted, changes=tuple(found), reason=reason,
                method="PUT", body=body, actual=actual)


def _other_handler(target: Target, extension: Extension) -> str:
    """Azure: Multiple VMExtensions per handler not supported for OS type 'Linux'."""
    for body in target.extensions.values():
        have = body.get("properties") or {}
        name = str(body.get("name") or "").rsplit("/", 1)[-1]
        same = (str(have.get("publisher")).lower(), str(have.get("type")).lower()) == extension.handler
        if same and name.lower() != extension.name.lower():
            return (
                "Host {0} has the extension '{1}' of {2} already, and Azure takes one extension of a type on a machine: give its name "
                "(name: {1}), or remove it first (state: absent).".format(target.host.name, name, extension.handler_text)
            )
    return ""


def _other_type(target: Target, extension: Extension, actual: Optional[Mapping[str, Any]]) -> str:
    have = (actual or {}).get("properties") or {}
    if actual is None or (str(have.get("publisher")).lower(), str(have.get("type")).lower()) == extension.handler:
        return ""
    return (
        "The extension '{0}' of host {1} is {2} {3}, and Azure does not turn it into {4}: give another name, or reinstall=always to "
        "remove the old one first.".format(extension.name, target.host.name, have.get("publisher"), have.get("type"), extension.handler_text)
    )


def _refuse(wanted: ExtensionResource, sentence: str) -> Step:
    return Step(id=step_id("refuse", wanted.id), action="refuse", resource=wanted, reason=sentence)


def _state(actual: Mapping[str, Any]) -> str:
    return str((actual.get("properties") or {}).get("provisioningState") or "").lower()
