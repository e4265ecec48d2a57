# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a path to a handler. Segments are compared without case; doubled slashes count as one."""
from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote

from azlab import api_versions
from azlab.arm import results
from azlab.arm.groups import Groups
from azlab.arm.locks import Locks
from azlab.arm.network.expand import expanded
from azlab.arm.subscriptions import Subscriptions
from azlab.arm.tags import Tags
from azlab.arm.types import Registry, ResourceType
from azlab.arm.wire import Answer, Call
from azlab.errors import ArmError, arm_error
from azlab.ids import ResourceId
from azlab.lab import Lab
from azlab.store import Resource

_VERSION = re.compile(r"^(20\d\d)-(\d\d)-(\d\d)(-preview|-privatepreview|-alpha|-beta)?$")
_GUID = re.compile(r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", re.IGNORECASE)


class Router:
    """Dispatches a Call."""

    def __init__(self, lab: Lab, registry: Registry, locations: dict[str, object]) -> None:
        self.lab, self.registry, self.locations = lab, registry, locations
        self.groups = Groups(lab, registry)
        self.locks = Locks(lab)
        self.tags = Tags(lab, registry)
        self.subscriptions = Subscriptions(lab, registry)

    def dispatch(self, call: Call) -> Answer:
        """The answer to a call whose token is good; raises ArmError."""
        parts = tuple(unquote(p) for p in call.path.split("/") if p)
        lower = tuple(p.lower() for p in parts)
        self._check_version(call)
        if lower == ("tenants",):
            return self._only_get(call, self.subscriptions.tenants)
        if lower == ("subscriptions",):
            return self._only_get(call, self.subscriptions.subscriptions)
        if len(parts) >= 2 and lower[0] == "subscriptions":
            return self._subscription(call, parts, lower)
        if lower[:1] == ("providers",) and len(parts) >= 2:
            raise arm_error("invalid_namespace", namespace=parts[1])
        raise ArmError(404, "NotFound", f"The resource '{call.path}' could not be found.", source="gateway")

    def render(self, resource: Resource) -> dict[str, Any]:
        """A resource as its GET shows it."""
        kind = self.registry.find(resource.type)
        return kind.render(resource) if kind else self.groups.render(resource)

    @staticmethod
    def _only_get(call: Call, handler: object) -> Answer:
        if call.method != "GET":
            raise arm_error("method", method=call.method)
        return handler(call)  # type: ignore[operator]

    @staticmethod
    def _check_version(call: Call) -> None:
        version = call.api_version
        if not version:
            raise arm_error("missing_api_version")
        match = _VERSION.match(version)
        if not match or not 1 <= int(match[2]) <= 12 or not 1 <= int(match[3]) <= 31:
            raise arm_error("invalid_api_version", version=version, supported=",".join(reversed(api_versions.supported(""))))

    def _subscription(self, call: Call, parts: tuple[str, ...], lower: tuple[str, ...]) -> Answer:
        if not _GUID.match(parts[1]):
            raise arm_error("invalid_subscription", id=parts[1])
        if lower[1] not in self.lab.settings.subscription_ids:
            raise arm_error("subscription_not_found", id=parts[1])
        call.subscription = lower[1]
        rest, names = parts[2:], lower[2:]
        path = "/" + "/".join(parts)
        if self.locks.mine(path):
            return self.locks.answer(call, path)
        self.locks.check(call.method, path)
        if self.tags.mine(path):
            return self.tags.answer(call, path)
        if not rest:
            return self._only_get(call, self.subscriptions.subscription)
        if names == ("locations",):
            return self._only_get(call, self.subscriptions.locations)
        if names == ("resources",):
            return self._only_get(call, self.subscriptions.resources)
        if names[0] == "tagnames":
            return self.tags.names(call, rest[1:])
        if names[0] == "operationresults" and len(rest) == 2:
            call.tail = rest[1:]
            return self._only_get(call, results.group_result)
        if names[0] == "resourcegroups":
            return self._group(call, rest[1:], names[1:])
        if names[0] == "providers":
            return self._providers(call, rest[1:], names[1:])
        raise ArmError(404, "NotFound", f"The resource '{call.path}' could not be found.", source="gateway")

    def _group(self, call: Call, rest: tuple[str, ...], names: tuple[str, ...]) -> Answer:
        if not rest:
            return self._only_get(call, self.groups.listing)
        call.group = rest[0]
        if len(rest) == 1:
            handler = {"GET": self.groups.get, "HEAD": self.groups.head, "PUT": self.groups.put,
                       "PATCH": self.groups.patch, "DELETE": self.groups.delete}.get(call.method)
            if handler is None:
                raise arm_error("method", method=call.method)
            return handler(call)
        if names[1:] == ("resources",):
            return self._only_get(call, self.subscriptions.resources)
        if names[1] == "providers" and len(rest) >= 4:
            return self._resource(call, rest[2], rest[3:])
        if names[1:] in (("exporttemplate",), ("moveresources",), ("validatemoveresources",)) and call.method == "POST":
            raise arm_error("lab_cannot", text="This lab neither exports templates nor moves resources between groups.")
        if names[1] == "deployments":           # the operations of a deployment are asked for without a provider
            return self._resource(call, "Microsoft.Resources", rest[1:])
        raise ArmError(404, "NotFound", f"The resource '{call.path}' could not be found.", source="gateway")

    def _providers(self, call: Call, rest: tuple[str, ...], names: tuple[str, ...]) -> Answer:
        if not rest:
            return self._only_get(call, self.subscriptions.providers)
        if len(rest) == 1:
            call.tail = rest
            return self._only_get(call, self.subscriptions.provider)
        if len(rest) == 2 and names[1] in ("register", "unregister") and call.method == "POST":
            call.tail = rest
            return self.subscriptions.register(call)
        namespace = self._namespace(rest[0], call.subscription)
        if names == ("microsoft.storage", "checknameavailability") and call.method == "POST":
            return self.registry.find("Microsoft.Storage/storageAccounts").check_name(call)  # type: ignore[union-attr]
        if names[:2] == ("microsoft.resources", "deployments"):
            return self._resource(call, rest[0], rest[1:])
        if len(rest) >= 4 and names[1] == "locations":
            return self._location(call, namespace, rest[2:], names[2:])
        handler = self.locations.get(f"{namespace}/{rest[1]}".lower()) if len(rest) == 2 else None
        if handler is not None:
            return self._only_get(call, handler)
        found = self.registry.find(f"{namespace}/{rest[1]}")
        if found and len(rest) == 2 and found.tracked:
            self._check_type_version(call, found)
            return self._only_get(call, found.listing)
        raise self._no_type(call, namespace, rest[1])

    def _location(self, call: Call, namespace: str, rest: tuple[str, ...], names: tuple[str, ...]) -> Answer:
        """/providers/{namespace}/locations/{region}/…"""
        known = {("microsoft.network", "operations"): results.network_status,
                 ("microsoft.network", "operationresults"): results.network_result,
                 ("microsoft.storage", "asyncoperations"): results.storage_result,
                 ("microsoft.compute", "operations"): results.compute_status,
                 ("microsoft.compute", "diskoperations"): results.compute_status}
        handler = known.get((namespace.lower(), names[1])) if len(rest) == 3 else None
        handler = handler or self.locations.get(f"{namespace}/locations/{rest[1]}".lower())  # type: ignore[assignment]
        if handler is None:
            raise self._no_type(call, namespace, f"locations/{rest[1]}")
        call.tail = rest
        return self._only_get(call, handler)

    def _namespace(self, text: str, subscription: str) -> str:
        namespace = self.registry.namespaces.get(text.lower())
        if namespace is None:
            raise arm_error("invalid_namespace", namespace=text)
        self.subscriptions.require_registered(namespace, subscription)
        return namespace

    def _no_type(self, call: Call, namespace: str, type_name: str) -> ArmError:
        return arm_error("invalid_type", type=type_name, namespace=namespace, version=call.api_version,
                         supported=",".join(reversed(api_versions.supported(f"{namespace}/{type_name}"))))

    def _check_type_version(self, call: Call, found: ResourceType) -> None:
        """The message names where the resource is: its own region, or that of its group."""
        existing = self.lab.store.get(str(call.rid)) if call.rid else None
        group = self.lab.store.get(f"/subscriptions/{call.subscription}/resourceGroups/{call.group}") if call.group else None
        location = existing.location if existing else group.location if group else ""
        api_versions.check(found.name, call.api_version, location, self.lab.catalogue.regions)

    def _resource(self, call: Call, namespace_text: str, rest: tuple[str, ...]) -> Answer:
        """…/resourceGroups/{group}/providers/{namespace}/{type}/{name}[/{type}/{name}…][/{action}]"""
        namespace = self._namespace(namespace_text, call.subscription)
        types, names = rest[::2], rest[1::2]
        found = self.registry.find("/".join((namespace, *types)))
        if len(types) == len(names):
            if found is None:
                raise self._no_type(call, namespace, "/".join(types))
            call.rid = ResourceId(call.subscription, call.group, namespace, types, names)
            self._check_type_version(call, found)
            return self._instance(call, found)
        if found is not None and (call.method == "GET" or len(types) == 1):
            self._check_type_version(call, found)
            call.rid = ResourceId(call.subscription, call.group, namespace, types, names)
            return self._only_get(call, found.listing)
        parent = self.registry.find("/".join((namespace, *types[:-1]))) if len(types) > 1 else None
        if parent is None:
            raise self._no_type(call, namespace, "/".join(types))
        call.rid = ResourceId(call.subscription, call.group, namespace, types[:-1], names)
        table = parent.actions if call.method == "POST" else parent.get_actions if call.method == "GET" else {}
        action = table.get(types[-1].lower())
        if action is None:
            raise self._no_type(call, namespace, "/".join(types))
        self._check_type_version(call, parent)
        return action(call)

    def _shown(self, call: Call, resource_id: str) -> dict[str, Any] | None:
        resource = self.lab.store.get(resource_id)
        found = self.registry.find(resource.type) if resource else None
        return found.render(resource, call) if resource and found else None

    def _instance(self, call: Call, found: ResourceType) -> Answer:
        if call.method == "HEAD":
            return Answer(204 if call.lab.store.get(str(call.id)) else 404)
        handler = {"GET": found.get, "PUT": found.put, "PATCH": found.patch, "DELETE": found.delete}.get(call.method)
        if handler is None:
            raise arm_error("method", method=call.method)
        answer = handler(call)
        wanted = call.query.get("$expand") if call.method == "GET" else None
        if wanted and found.provider == "network" and answer.body:
            answer.body = expanded(answer.body, wanted, lambda target: self._shown(call, target))
        return answer
