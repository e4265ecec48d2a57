# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Template deployments: the verbs. What a deployment does is in `deploy_runner`, what a template means in `templates`."""
from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from azlab import api_versions
from azlab.arm.resources import deploy_places as places
from azlab.arm.resources import deploy_runner
from azlab.arm.resources import deploy_view as view
from azlab.arm.resources.deploy_context import as_function, is_open, make_context, pack_scope, unpack_scope
from azlab.arm.resources.deploy_request import NAME_LIMIT, Request, check_name, read_request
from azlab.arm.resources.deploy_whatif import what_if
from azlab.arm.types import ResourceType
from azlab.arm.wire import Answer, Call, operation_headers
from azlab.errors import ArmError, arm_error
from azlab.lab import Lab
from azlab.operations import Operation, now_text
from azlab.store import Resource
from azlab.templates import plan as plans
from azlab.templates.errors import TemplateError
from azlab.templates.expressions import is_expression
from azlab.templates.plan import Plan
from azlab.templates.planned import Planned

if TYPE_CHECKING:
    from azlab.arm.router import Router

ACTIVE = ("Accepted", "Running")
_ASYNC_VALIDATION = "2025-01-01"        # from the api-version 2025-04-01 on, validate answers 202


class Deployments(ResourceType):
    name = "Microsoft.Resources/deployments"
    provider = "group"
    name_limit = NAME_LIMIT
    tracked = False

    def __init__(self, lab: Lab) -> None:
        super().__init__(lab)
        self.router: Router           # given by the table of types, once there is one
        self.actions = {"validate": self.validate, "whatif": self.what_if, "cancel": self.cancel,
                        "exporttemplate": self.export}
        lab.operations.register("deploy", self._run, self._failed)
        lab.operations.register("deployment answer", self._reply)
        lab.operations.register("delete deployment", self._delete_done)

    # -- reading
    def render(self, resource: Resource, call: Call | None = None) -> dict[str, Any]:
        return view.deployment(resource)

    def require(self, call: Call, *, writing: bool = False) -> Resource:
        places.of_call(call, writing=writing)
        resource = self.lab.store.get(str(call.id.root))
        if resource is None:
            raise arm_error("deployment_not_found", name=call.id.names[0])
        return resource

    def listing(self, call: Call) -> Answer:
        places.of_call(call)
        found = self.lab.store.of_type(self.name, call.subscription, call.group)
        wanted = call.query.get("$filter", "")
        if wanted:
            key, _, value = wanted.partition(" eq ")
            if key.strip().lower() != "provisioningstate":
                raise ArmError(400, "InvalidFilterInQueryString", f"Invalid $filter '{wanted}' specified in the query "
                               "string.", source="gateway")
            found = [r for r in found if r.state.lower() == value.strip(" '").lower()]
        found.sort(key=lambda r: str(r.body["deployment"]["timestamp"]), reverse=True)
        top = call.query.get("$top", "")
        return Answer(200, {"value": [view.deployment(r) for r in (found[:int(top)] if top.isdigit() else found)]})

    def export(self, call: Call) -> Answer:
        return Answer(200, {"template": self.require(call).private.get("template", {})})

    # -- planning
    def plan_of(self, resource: Resource) -> Plan:
        """The plan of a stored deployment. Raises TemplateError."""
        kept, place = resource.private, places.of_deployment(self.lab, resource)
        outer = unpack_scope(self.router, kept["outer"]) if kept.get("outer") else None
        given = {name: {"value": value} for name, value in kept["values"].items()}
        context = make_context(self.router, place, as_function(resource.name, kept["template"], given, kept["mode"],
                                                               resource.body.get("location")))
        return plans.make(kept["template"], given, context, outer)

    def make_plan(self, place: Resource, name: str, request: Request, outer: Any = None,
                  groups: dict[str, Resource] | None = None) -> Plan:
        """The plan of a request, checked as far as it can be before it runs; `groups` will be there by then. Raises ArmError."""
        location = None if places.is_group(place) else place.location
        context = make_context(self.router, place, as_function(name, request.template, request.parameters, request.mode, location))
        try:
            plan = plans.make(request.template, request.parameters, context, outer)
        except TemplateError as problem:
            raise template_problem(problem) from None
        problems = [p for p in (self._preflight(r) for r in plan.active) if p]
        if problems:
            raise ArmError(400, "InvalidTemplateDeployment",
                           f"The template deployment '{name}' is not valid according to the validation procedure. The "
                           f"tracking id is '{uuid.uuid4()}'. See inner errors for details.", details=problems,
                           source="gateway")
        groups = {**(groups or {}), **places.groups_of(self.lab, plan.active)}
        for nested in plan.active:
            if nested.is_deployment and not is_open(nested.body):
                self.plan_nested(nested, nested.body, groups)
        return plan

    def _preflight(self, planned: Planned) -> dict[str, Any] | None:
        """What Resource Manager itself refuses before any provider is asked."""
        if self.router.locks.mine(planned.id) or self.router.tags.mine(planned.id) or places.makes_group(planned):
            return None
        namespace, _, kind = planned.type.partition("/")
        served = self.router.registry.namespaces.get(namespace.lower())
        if served is None:
            return {"code": "InvalidResourceNamespace", "target": planned.id,
                    "message": f"The resource namespace '{namespace}' is invalid."}
        if self.router.registry.find(planned.type) is None:
            return {"code": "InvalidResourceType", "target": planned.id,
                    "message": f"The resource type '{kind}' could not be found in the namespace '{served}' for api "
                               f"version '{planned.api_version}'."}
        if "/resourceGroups/" not in planned.id and not planned.is_deployment:
            return {"code": "InvalidResourceType", "target": planned.id,
                    "message": f"The resource type '{planned.type}' cannot be deployed to the scope of a subscription: give it to a "
                               "nested deployment to a resource group."}
        location = planned.body.get("location")
        if isinstance(location, str) and not is_expression(location) and self.lab.catalogue.region(location) is None:
            return {"code": "LocationNotAvailableForResourceType", "target": planned.id,
                    "message": f"The provided location '{location}' is not available for resource type "
                               f"'{planned.type}'. List of available regions for the resource type is "
                               f"'{','.join(self.lab.catalogue.regions)}'."}
        try:
            api_versions.check(planned.type, planned.api_version, str(location or ""), self.lab.catalogue.regions)
        except ArmError as problem:
            return {"code": problem.code, "target": planned.id, "message": problem.message}
        return None

    def plan_nested(self, nested: Planned, body: dict[str, Any],
                    groups: dict[str, Resource] | None = None) -> tuple[Resource, Request, Any, Plan]:
        """Where a nested deployment goes, what it asks for, the scope of its expressions, its plan; `groups` are made by
        the template around it. Raises ArmError."""
        place = places.of_nested(self.lab, nested, groups or {})
        request = read_request(body)
        if not places.is_group(place):
            places.check_mode(request.mode)
        outer = None if request.inner_scope else nested.scope.with_runtime(None)
        return place, request, outer, self.make_plan(place, nested.name, request, outer, groups)

    # -- writing
    def put(self, call: Call) -> Answer:
        place, request = self._asked(call, writing=True)
        existed = self.lab.store.get(str(call.id)) is not None
        plan = self.make_plan(place, call.id.name, request)
        resource, operation = self._begin(place, call.id.name, request, plan, None)
        status_url = f"{call.base}{resource.id}/operationStatuses/{operation.id}?api-version={call.api_version}"
        return Answer(200 if existed else 201, view.deployment(resource),
                      {"Azure-AsyncOperation": status_url, **self.hurry()}, operation)

    def _asked(self, call: Call, *, writing: bool = False) -> tuple[Resource, Request]:
        """Where a request wants a deployment to go, and what it asks for. Raises ArmError."""
        place = places.of_call(call, writing=writing)
        check_name(call.id.name)
        request = read_request(call.raw_body)
        if not places.is_group(place):
            places.check_mode(request.mode)
            place.body["location"] = places.located(self.lab, call.id.name, request.location, self.lab.store.get(str(call.id)))
        return place, request

    def hurry(self) -> dict[str, str]:
        """Azure gives no Retry-After here, so that clients ask every 30 s; a lab with a faster clock says so."""
        scale = self.lab.latency.scale
        return {"Retry-After": self.lab.latency.retry_after(30)} if scale < 1 else {}

    def begin_nested(self, planned: Planned, body: dict[str, Any]) -> Answer:
        """Start a deployment that is a resource of another one. Raises ArmError."""
        place, request, outer, plan = self.plan_nested(planned, body)
        existed = self.lab.store.get(planned.id) is not None
        _, operation = self._begin(place, planned.name, request, plan, outer)
        return Answer(200 if existed else 201, None, {}, operation)

    def _begin(self, place: Resource, name: str, request: Request, plan: Plan,
               outer: Any) -> tuple[Resource, Operation]:
        resource_id = f"{place.id}/providers/{self.name}/{name}"
        resource = self.lab.store.get(resource_id)
        if resource is not None and resource.state in ACTIVE:
            raise ArmError(409, "DeploymentActive", f"Unable to edit or replace deployment '{name}': previous deployment "
                           f"from '{resource.body['deployment']['timestamp']}' is still active. Please see "
                           "https://aka.ms/arm-deploy for usage details.", source="gateway")
        if resource is None:
            resource = Resource(id=resource_id, type=self.name, name=name, body={}, created=now_text())
        resource.id, resource.name, resource.state = resource_id, name, "Accepted"
        where = {} if places.is_group(place) else {"location": place.location}
        resource.body = {**request.envelope, **where, "deployment": {
            "templateHash": view.template_hash(request.template),
            "parameters": plans.parameters.shown(plan.declared, plan.values), "mode": request.mode,
            "timestamp": view.clock(), "duration": "PT0S", "correlationId": str(uuid.uuid4()),
            "providers": view.providers(plan.active)}, "graph": view.graph(plan)}
        resource.private = {"template": request.template, "values": plan.values, "mode": request.mode,
                            "outer": pack_scope(outer) if outer is not None else None, "operations": []}
        self.lab.store.put(resource)
        return resource, self.lab.start("deploy", resource, self.provider, what=self.name, method="PUT",
                                        location=place.location)

    async def _run(self, operation: Operation) -> None:
        await deploy_runner.run(self, operation)

    def finish(self, resource: Resource, state: str) -> None:
        """The end of a deployment: secure values are not kept longer than it runs."""
        resource.state = state
        resource.private["values"], resource.private["outer"] = {}, None
        self.lab.store.put(resource)

    def _failed(self, operation: Operation) -> None:
        resource = self.lab.store.get(operation.resource_id)
        if resource is not None and resource.state in ACTIVE:
            resource.body["deployment"]["error"] = {"code": "InternalServerError", "message": "An error occurred."}
            self.finish(resource, "Failed")

    def cancel(self, call: Call) -> Answer:
        resource = self.require(call, writing=True)
        if resource.state not in ACTIVE:
            raise ArmError(409, "DeploymentCannotBeCancelled", f"The deployment '{resource.name}' cannot be cancelled "
                           f"because it is in the state '{resource.state}'.", source="gateway")
        self._stop(resource)
        return Answer(204)

    def _stop(self, resource: Resource) -> None:
        self.lab.operations.cancel_for(resource.id)
        resource.body["deployment"]["error"] = {
            "code": "DeploymentCanceled", "message": f"The deployment '{resource.name}' was canceled."}
        self.finish(resource, "Canceled")

    def delete(self, call: Call) -> Answer:
        """The deployment only: what it deployed stays."""
        place = places.of_call(call)
        resource = self.lab.store.get(str(call.id))
        if resource is None:
            return Answer(204)
        if resource.state in ACTIVE:
            if place.state != "Deleting":
                raise ArmError(409, "DeploymentActive", f"The deployment '{resource.name}' cannot be deleted: it is still "
                               "active.", source="gateway")
            self._stop(resource)
        operation = self.lab.start("delete deployment", resource, self.provider, what=self.name, method="DELETE",
                                   location=place.location or resource.location, final_status=204)
        return self._located(call, operation)

    async def _delete_done(self, operation: Operation) -> None:
        self.lab.store.delete(operation.resource_id)

    # -- validate and what-if
    def validate(self, call: Call) -> Answer:
        place, request = self._asked(call)
        plan = self.make_plan(place, call.id.name, request)
        body: dict[str, Any] = {
                "id": f"{place.id}/providers/{self.name}/{call.id.name}", "name": call.id.name, "type": self.name,
                "properties": {
                    "templateHash": view.template_hash(request.template),
                    "parameters": plans.parameters.shown(plan.declared, plan.values), "mode": request.mode,
                    "provisioningState": "Succeeded", "timestamp": view.clock(), "duration": "PT0S",
                    "correlationId": str(uuid.uuid4()), "providers": view.providers(plan.active),
                    "dependencies": view.dependencies(view.graph(plan)),
                    "validatedResources": [{"id": r.id} for r in plan.active]}}
        if call.api_version < _ASYNC_VALIDATION:
            return Answer(200, body)
        if request.validation_level:
            body["properties"]["validationLevel"] = request.validation_level
        if not plan.declared:
            del body["properties"]["parameters"]
        if not places.is_group(place):
            body["location"] = place.location
        return self._located(call, self._answer(place, body))

    def what_if(self, call: Call) -> Answer:
        place, request = self._asked(call)
        plan = self.make_plan(place, call.id.name, request)
        changes = what_if(self, plan, request, place)
        return self._located(call, self._answer(place, {"status": "Succeeded", "properties": {
            "correlationId": str(uuid.uuid4()), "changes": changes, "diagnostics": []}}))

    def _answer(self, place: Resource, body: dict[str, Any]) -> Operation:
        """An operation whose result is already known."""
        return self.lab.start("deployment answer", f"{place.id}/providers/{self.name}/{uuid.uuid4()}", self.provider,
                              what=f"{self.name}/validate", method="POST", location=place.location, args={"body": body})

    async def _reply(self, operation: Operation) -> Any:
        return operation.args["body"]

    def _located(self, call: Call, operation: Operation) -> Answer:
        return Answer(202, None, operation_headers(call, operation, location=True, retry_after=15), operation)


def template_problem(problem: TemplateError) -> ArmError:
    """The answer to a template that cannot be deployed."""
    return ArmError(400, problem.code, problem.message, source="gateway")
