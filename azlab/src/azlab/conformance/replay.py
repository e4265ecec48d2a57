# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Replays one recorded case against the lab."""
from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from azlab import api_versions
from azlab.catalogue import Catalogue
from azlab.conformance import deployed, errors_table, stock
from azlab.conformance.client import Client
from azlab.conformance.compare import Difference, answers
from azlab.conformance.recordings import Case, Exchange
from azlab.ids import ResourceId, parse

_PENDING = {"inprogress", "accepted", "running", "updating", "creating", "deleting"}
_OPERATIONS = ("/operations/", "/operationresults/", "/operationstatuses/", "/diskoperations/", "/asyncoperations/")
_UNIFORM = re.compile(r"/virtualMachineScaleSets/[^/]+/virtualMachines/[^/]+/networkInterfaces/", re.IGNORECASE)
VERSION = "2024-07-01"
_MISSING = ("InvalidResourceReference", "FailedIdentityOperation")
SCALE_SET = "microsoft.compute/virtualmachinescalesets"
DEPLOYMENT = "microsoft.resources/deployments"


def target(path: str) -> ResourceId | None:
    """The resource that a path is about, without the action or the collection at its end."""
    parts = [p for p in path.split("/") if p]
    return parse("/" + "/".join(parts)) or parse("/" + "/".join(parts[:-1]))


def type_of(path: str) -> str:
    """Microsoft.X/type/subtype[/action] of a path in lower case."""
    parts = [p for p in path.lower().split("/") if p]
    if "providers" in parts:
        rest = parts[len(parts) - parts[::-1].index("providers"):]
        return "/".join([rest[0], *rest[1::2]]) if rest else ""
    return parts[2] if len(parts) > 2 else (parts[0] if parts else "")


class Replay:
    """The state of one case: what was made for it, and what the report has to say openly."""

    def __init__(self, client: Client, catalogue: Catalogue, case: Case) -> None:
        self.client, self.catalogue, self.case = client, catalogue, case
        self.tags: set[str] = set()
        self.made: set[str] = set()
        self.hints = stock.addresses([case.first.request, case.first.body])
        self.space = stock.space([case.first.request, case.first.body])
        self.location = "westeurope"

        self.windows = any(w in str([case.first.request, case.first.body]) for w in ("RunPowerShellScript", "windowsConfiguration"))
        if _UNIFORM.search(str(case.first.body)):
            self.tags.add("uniform-instances")

    def run(self) -> list[tuple[Exchange, list[Difference]]]:
        """Each recorded exchange with its differences."""
        first = self.case.first
        self.client.reset()
        self._prepare()
        failure = next((e.body["error"] for e in self.case.then if isinstance(e.body, dict)
                        and str(e.body.get("status", "")).lower() == "failed" and isinstance(e.body.get("error"), dict)), None)
        if failure:
            self.client.admin("POST", "/faults", {"path": ".", "operation": {
                "code": str(failure.get("code", "Failed")), "message": str(failure.get("message", "") or "failed")}})
        held = bool(self.case.then) or first.status == 202 or first.code == "RetryableError"
        self.client.hold(held)
        request = self._request(first)
        if request is None and first.status >= 400 and "no-request" in self.tags and first.method != "POST":
            # what Azure refused cannot be sent again: its answer is compared with the lab's table of errors
            return [(first, errors_table.compare({"status": first.status, "code": first.code, "body": first.body,
                                                  "type": type_of(first.path)}))]
        body, done = stock.substitute(request, self.catalogue, scale_set=type_of(first.path) == SCALE_SET)
        self.tags |= {f"substituted-{d}" for d in done}
        status, headers, answer = self.client.send(first.method, first.path, first.query, body)
        found = [(first, answers(first, status, headers, answer))]
        if status != first.status:
            found += [(e, [Difference("replay", "", "", "the first request was answered otherwise")]) for e in self.case.then]
        else:
            found += [(e, self._poll(e, headers)) for e in self.case.then]
        self.client.hold(False)
        return found

    def _request(self, first: Exchange) -> Any:
        """The recorded body. Some recorders kept none: then what Azure answered, made into what a client can send."""
        written = isinstance(first.request, dict) or str(first.request or "").startswith("{")     # with comments it is no JSON
        if first.method not in ("PUT", "PATCH") or written:
            if first.method == "POST" and first.request is None:
                self.tags.add("no-request")
            return first.request
        self.tags.add("no-request")
        rid = target(first.path)
        if rid is None:
            return {k: first.body[k] for k in ("location", "tags") if k in first.body} if isinstance(first.body, dict) else None
        shown = next((b for b in (first.body, *(e.body for e in reversed(self.case.then)))
                      if isinstance(b, dict) and ("properties" in b or "location" in b) and "status" not in b), None)
        if first.status >= 300 or not shown:
            return None
        return self._deployment(rid, shown) if rid.type.lower() == DEPLOYMENT else stock.sendable(rid, shown)

    def _deployment(self, rid: ResourceId, shown: dict[str, Any]) -> dict[str, Any]:
        """A request that makes a deployment like the one that Azure showed, and what its template refers to."""
        body, whole = deployed.request(shown, rid, self.case.first.api_version or VERSION, self.location,
                                       self._group_path(str(rid)) or "", lambda kind: kind.lower() in self.client.types)
        if not whole:
            self.tags.add("template-in-part")
        own = {f"{r['type']} {r['name']}".lower() for r in body["properties"]["template"]["resources"]}
        for text in stock.refs(body["properties"]["template"]["resources"]):
            needed = parse(text)
            if needed and f"{needed.root.type} {needed.root.name}".lower() not in own:
                self._ensure(text, [], [])
        return body

    # -- polls
    def _poll(self, recorded: Exchange, headers: dict[str, str]) -> list[Difference]:
        body = recorded.body if isinstance(recorded.body, dict) else {}
        state = str(body.get("status") or (body.get("properties") or {}).get("provisioningState") or "").lower()
        if recorded.status != 202 and state not in _PENDING:
            self.client.hold(False)
            self.client.settle()
        if any(part in recorded.path.lower() for part in _OPERATIONS):
            location = self.case.first.headers.get("location", "")
            is_location = recorded.path.lower() in location.lower() and (
                "monitor" in recorded.query or "azure-asyncoperation" not in self.case.first.headers
                or recorded.path.lower() not in self.case.first.headers["azure-asyncoperation"].lower())
            url = headers.get("location" if is_location else "azure-asyncoperation")
            if not url:
                return [Difference("replay", "", recorded.path, "the lab named no such operation")]
            return answers(recorded, *self.client.follow(url))
        return answers(recorded, *self.client.send(recorded.method, recorded.path, recorded.query, None))

    # -- what must be there before
    def _prepare(self) -> None:
        first, rid = self.case.first, target(self.case.first.path)
        self.location = self._location()
        group = self._group_path(first.path)
        listed = first.body.get("value") if isinstance(first.body, dict) else None
        if group is None:
            if isinstance(listed, list):
                self._seed_list(listed)
            return
        if first.code in ("ResourceGroupNotFound", "ResourceGroupNotfound"):
            return
        is_group = len([p for p in first.path.split("/") if p]) == 4
        if is_group and (first.status in (201, 404)):
            return
        self._group(group)
        if rid is None or is_group:
            if isinstance(listed, list):
                self._seed_list(listed)
            return
        self._prepare_resource(first, rid)

    def _prepare_resource(self, first: Exchange, rid: ResourceId) -> None:
        message = str(first.body) if first.status >= 400 else ""
        missing = {i.lower() for i in stock.ids_in(message)} if first.status == 404 or first.code in _MISSING else set()
        if isinstance(first.body, dict) and isinstance(first.body.get("value"), list):
            self._ensure(str(rid), [], [])
            self._seed_list(first.body["value"])
            return
        gone = (first.status == 404 and first.method != "PUT") or (first.status == 204 and first.method != "HEAD")
        if len(rid.types) > 1 and not (gone and first.code in ("ResourceNotFound", "ParentResourceNotFound")):
            own = [parse(t) for t in stock.refs([first.request, first.body]) if t.lower().startswith(str(rid.root).lower() + "/")]
            parts = [p for p in own if p and len(p.types) > 1 and p.types[1].lower() != rid.types[1].lower()]
            self._ensure(str(rid.parent), [], [p for p in parts if p])
        if gone:
            return
        self._references(self._request(first), rid, missing)
        exists = first.method != "PUT" or first.status == 200 or (
            first.status >= 400 and "InUse" in first.code)
        if exists:
            self._seed(rid, first.body if first.status < 400 else None, first.request)
            self._users(rid, first, message)
            self._members(first.body)
        if first.code == "RetryableError":
            self._make_updating(first)

    def _users(self, rid: ResourceId, first: Exchange, message: str) -> None:
        """Who uses the resource, by Azure's answer or by its refusal."""
        used = str(rid)
        names = re.search(r"Subnet (\S+) is in use", message)
        if names and len(rid.types) == 1:
            used = f"{rid}/subnets/{names[1].rsplit('/', 1)[-1]}"
            self._ensure(used, [], [])
        users = stock.users(rid, first.body) if first.status < 400 else stock.ids_in(message)
        for subnet, inside in (stock.subnet_users(rid, first.body) if first.status < 400 else {}).items():
            for user in inside:
                self._use(user, subnet)
        if first.status == 409 and rid.types[0].lower() == "availabilitysets":
            users = [str(replace(rid, types=("virtualMachines",), names=("replayed",)))]
        for user in users:
            if not user.lower().startswith(str(rid).lower()):
                self._use(user, used)

    def _use(self, user: str, *used: str) -> None:
        """Let something use a resource: an interface, when the lab does not serve the type of what used it on Azure."""
        rid = parse(user)
        if rid and rid.root.type.lower() not in self.client.types:
            self.tags.add("stand-in")
            user = str(ResourceId(rid.subscription, rid.group, "Microsoft.Network", ("networkInterfaces",), (f"replay-{rid.names[0]}",)))
        self._ensure(user, list(used), [])

    def _make_updating(self, first: Exchange) -> None:
        """Azure refused since something that is referred to was changed at that moment: let it be changed."""
        self.client.hold(True)
        for text in stock.refs(first.request) or [str(target(first.path).root)]:  # type: ignore[union-attr]
            root = parse(text)
            if root and root.namespace.lower() == "microsoft.network":
                path = str(root.root)
                status, _headers, body = self.client.send("GET", path, {"api-version": VERSION}, None)
                if status == 200:
                    self.client.send("PUT", path, {"api-version": VERSION}, body)

    def _seed_list(self, items: list[Any]) -> None:
        users: dict[str, list[str]] = {}
        for item in items:
            rid = parse(str(item.get("id", ""))) if isinstance(item, dict) else None
            if rid is None and isinstance(item, dict) and self._group_path(str(item.get("id", ""))):
                self._group(str(item["id"]), item)
            if rid:
                self.location = self._place(item) or self.location
                self._group(self._group_path(str(rid)) or "")
                if len(rid.types) > 1:
                    self._ensure(str(rid.parent), [], [])
                self._seed(rid, item, None)
                for user in stock.users(rid, item):
                    users.setdefault(user, []).append(str(rid))
                for subnet, inside in stock.subnet_users(rid, item).items():
                    for user in inside:
                        users.setdefault(user, []).append(subnet)
                self._members(item)
        for user, used in users.items():
            self._use(user, *used)

    def _members(self, shown: Any) -> None:
        """The interfaces behind a load balancer that Azure showed."""
        for nic, body in stock.members(shown, self.location).items():
            rid = parse(nic)
            if rid and nic.lower() not in self.made:
                self._references(body, rid, set())
                self._put(rid, body)

    def _seed(self, rid: ResourceId, shown: Any, request: Any) -> None:
        """The resource as Azure showed it, else as it was asked for, else the least that makes one."""
        self.tags.add("seeded")
        bodies = []
        if isinstance(shown, dict) and rid.type.lower() == DEPLOYMENT and "properties" in shown:
            bodies.append(self._deployment(rid, shown))
        elif isinstance(shown, dict) and ("properties" in shown or "location" in shown):
            bodies.append(stock.sendable(rid, shown))
        if isinstance(request, dict) and self.case.first.method == "PUT":
            bodies.append(request)
        for body in bodies:
            body, done = stock.substitute(body, self.catalogue, scale_set=rid.type.lower() == SCALE_SET)
            self._references(body, rid, set())
            if self._put(rid, body):
                self.tags |= {f"substituted-{d}" for d in done}
                return
        if bodies:
            self.tags.add("seed-refused")
        self._ensure(str(rid), [], [])

    def _references(self, body: Any, rid: ResourceId, missing: set[str]) -> None:
        own = str(rid.root).lower()
        roots: dict[str, list[ResourceId]] = {}
        for text in stock.refs(body):
            found = parse(text)
            if found and str(found.root).lower() != own and text.lower() not in missing:
                roots.setdefault(str(found.root), []).append(found)
        for root, named in roots.items():
            self._ensure(root, [], [rid for rid in named if len(rid.types) > 1])

    def _ensure(self, text: str, uses: list[str], children: list[ResourceId]) -> None:
        """A resource with the least body that makes one, and whatever that needs."""
        rid = parse(text)
        if rid is None:
            return
        root = rid.root
        if len(rid.types) > 1:
            children = [*children, rid]
        self._group(self._group_path(text) or "")
        if str(root).lower() not in self.made:
            group = self._group_path(text) or ""
            body = stock.body_of(root, self.location, uses, children, group)
            if root.type.lower() == "microsoft.compute/virtualmachines" and self.windows:
                body["properties"]["storageProfile"]["imageReference"] = dict(stock.WINDOWS)
            if root.type.lower() == "microsoft.network/virtualnetworks":
                body["properties"]["addressSpace"]["addressPrefixes"] += self.space
            for needed in stock.refs(body):
                if needed not in uses and str(parse(needed).root).lower() != str(root).lower():  # type: ignore[union-attr]
                    self._ensure(needed, [], [])
            self._put(root, body)
        for child in children:
            self._child(child, uses)

    def _child(self, rid: ResourceId, uses: list[str]) -> None:
        kind = rid.types[1].lower()
        if str(rid).lower() in self.made or kind in ("ipconfigurations", "frontendipconfigurations", "probes"):
            return
        if kind == "subnets":
            index = len(self.made)
            p: dict[str, Any] = {"addressPrefix": stock.prefix(index, self.hints.get(str(rid).lower(), []))}
            for use in uses:
                key = {"networksecuritygroups": "networkSecurityGroup", "natgateways": "natGateway"}.get(
                    parse(use).types[-1].lower())  # type: ignore[union-attr]
                if key:
                    p[key] = {"id": use}
            self._put(rid, {"properties": p})
        elif kind == "extensions":
            self._put(rid, {"location": self.location, "properties": {
                "publisher": "Microsoft.Azure.Extensions", "type": "CustomScript", "typeHandlerVersion": "2.1",
                "settings": {"commandToExecute": "true"}}})
        elif kind == "runcommands":
            self._put(rid, {"location": self.location, "properties": {"source": {"script": "true"}}})
        elif kind in stock.CHILDREN:
            body = stock.CHILDREN[kind]
            if kind == "inboundnatrules":
                _s, _h, parent = self.client.send("GET", str(rid.root), {"api-version": VERSION}, None)
                frontends = ((parent or {}).get("properties") or {}).get("frontendIPConfigurations") or [{}]
                body = {"properties": {**body["properties"], "frontendPort": 51000 + len(self.made),
                                       "frontendIPConfiguration": {"id": frontends[0].get("id", "")}}}
            self._put(rid, body)

    def _put(self, rid: ResourceId, body: Any) -> bool:
        version = api_versions.at(rid.type, self.case.first.api_version or VERSION)
        status, _headers, _answer = self.client.send("PUT", str(rid), {"api-version": version}, body)
        self.client.settle()
        if status < 300:
            self.made.add(str(rid).lower())
        else:
            self.tags.add("unserved" if status == 404 and _answer and "Invalid" in str(_answer) else "prerequisite-refused")
        return status < 300

    # -- the group
    @staticmethod
    def _group_path(path: str) -> str | None:
        parts = [p for p in path.split("/") if p]
        if len(parts) >= 4 and parts[2].lower() == "resourcegroups":
            return f"/subscriptions/{parts[1]}/resourceGroups/{parts[3]}"
        return None

    def _group(self, path: str, shown: Any = None) -> None:
        if path and path.lower() not in self.made:
            shown = shown or self.case.first.body
            own = shown if isinstance(shown, dict) and str(shown.get("id", "")).lower() == path.lower() else {}
            body = {"location": self._place(own) or self.location, **{k: own[k] for k in ("tags", "managedBy") if k in own}}
            self.client.send("PUT", path, {"api-version": VERSION}, body)
            self.made.add(path.lower())

    def _location(self) -> str:
        return self._place(self.case.first.request) or self._place(self.case.first.body) or "westeurope"

    def _place(self, shown: Any) -> str:
        region = self.catalogue.region(shown["location"]) if isinstance(shown, dict) and isinstance(shown.get("location"), str) else None
        return str(region["name"]) if region else ""

