# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Glue between Ansible and the engine: parameters in, plan, changed, diff and result out. Private to this collection.

A module describes its work as a Task and hands the class to ``run``::

    def main():
        run(Network, argument_spec=NETWORK_ARGS)
"""

from __future__ import annotations

import asyncio
import functools
import signal
from typing import Any, Dict, List, Mapping, Optional, Sequence

from ansible.module_utils.basic import AnsibleModule, env_fallback, missing_required_lib

from ansible_collections.dockhost.azure.plugins.module_utils import _apply
from ansible_collections.dockhost.azure.plugins.module_utils._azure import session
from ansible_collections.dockhost.azure.plugins.module_utils._azure.client import Client
from ansible_collections.dockhost.azure.plugins.module_utils._errors import ApplyError, AzureError, DockhostError, RefusedError
from ansible_collections.dockhost.azure.plugins.module_utils._model.resource import RESOURCES_API, group_id, type_word
from ansible_collections.dockhost.azure.plugins.module_utils._plan import core
from ansible_collections.dockhost.azure.plugins.module_utils._plan.core import Plan

# Documented by the fragment dockhost.azure.azure.
AZURE_ARGS: Dict[str, Any] = {
    "subscription_id": {"type": "str", "fallback": (env_fallback, ["AZURE_SUBSCRIPTION_ID"])},
    "client_id": {"type": "str", "fallback": (env_fallback, ["AZURE_CLIENT_ID"])},
    "secret": {"type": "str", "no_log": True, "fallback": (env_fallback, ["AZURE_SECRET", "AZURE_CLIENT_SECRET"])},
    "tenant": {"type": "str", "fallback": (env_fallback, ["AZURE_TENANT", "AZURE_TENANT_ID"])},
    "cloud_environment": {
        "type": "str", "default": "AzureCloud", "fallback": (env_fallback, ["AZURE_CLOUD_ENVIRONMENT"]),
    },
    "ca_file": {"type": "path", "fallback": (env_fallback, ["AZURE_CA_FILE", "REQUESTS_CA_BUNDLE"])},
    "auth_source": {
        "type": "str", "default": "auto", "choices": ["auto", "env", "credential_file", "cli", "msi"],
        "fallback": (env_fallback, ["ANSIBLE_AZURE_AUTH_SOURCE"]),
    },
    "profile": {"type": "str", "fallback": (env_fallback, ["AZURE_PROFILE"])},
}

# Documented by the fragment dockhost.azure.tags.deployment.
DEPLOYMENT_ARGS: Dict[str, Any] = {"deployment": {"type": "str"}}

# Documented by the fragment dockhost.azure.tags.
TAGS_ARGS: Dict[str, Any] = dict(DEPLOYMENT_ARGS, tags={"type": "dict"})


class Task:
    """The work of one module. Subclasses fill in the hooks; each is called once, in this order.

    ``__init__`` and ``check`` are pure: whatever can be known to be wrong is raised there, before anything is sent.
    """

    sdk = "network"  # whose SDK client carries the requests; "compute" for what makes machines
    guarded = False  # whether an update is refused when somebody has changed the resource since it was observed

    def __init__(self, params: Mapping[str, Any], subscription_id: str):
        self.params = params
        self.subscription_id = subscription_id
        self.warnings: List[str] = []
        self.check_mode = False

    @property
    def deployment(self) -> str:
        """The value of the ownership tag."""
        return self.params.get("deployment") or self.params.get("resource_group") or self.params["name"]

    def check(self) -> None:
        """Raise InputError for what cannot work."""

    async def observe(self, client: Client) -> Any:
        """Read what is there; the return value goes to ``plan`` and ``result``."""
        raise NotImplementedError

    def plan(self, actual: Any) -> Plan:
        """Compute the plan; pure. May raise RefusedError."""
        return Plan()

    async def finish(self, client: Client, actual: Any, results: List[_apply.StepResult]) -> None:
        """What is to be awaited after all steps are done (ports that answer, for instance); not in check mode."""

    async def failed(self, client: Client, actual: Any, results: List[_apply.StepResult]) -> None:
        """Some steps failed or were not started: take back what was made, or raise an error that says more."""

    def bodies(self, actual: Any) -> Mapping[str, Mapping[str, Any]]:
        """What was observed, by id in lower case."""
        return actual

    def result(self, actual: Any, plan: Plan, applied: bool) -> Dict[str, Any]:
        """The module's own return values; ``actual`` was observed again when steps were applied."""
        return {}

    async def begin(self, client: Client, actual: Any, plan: Plan) -> bool:
        """Before steps are sent, not in check mode: keep other runs out. True: what was observed may be out of date by now."""
        return False

    async def end(self, client: Client) -> None:
        """After all of it, however it ended: let other runs in again."""

    async def ready(self, client: Client, step: Any) -> None:
        """Awaited before a step is sent; raise DockhostError when it must not be."""

    def progress(self, event: str, step: Any) -> None:
        """Told of each change of state of a step."""


def azure_module(argument_spec: Mapping[str, Any], **options: Any) -> AnsibleModule:
    """An AnsibleModule with the sign-in options; ends with one sentence when the libraries are missing."""
    options.setdefault("supports_check_mode", True)
    module = AnsibleModule(argument_spec=dict(AZURE_ARGS, **argument_spec), **options)
    missing, trace = session.missing_library()
    if missing:
        module.fail_json(
            msg="{0} Install the collection's requirements.txt for that Python.".format(
                missing_required_lib(missing).rstrip(".") + "."
            ),
            exception=trace,
        )
    return module


def run(task_class: type, argument_spec: Mapping[str, Any], **options: Any) -> None:
    """Run a module: check, observe, plan, apply (not in check mode), observe again, exit.

    :param task_class: a Task.
    :param argument_spec: the module's own options; the sign-in options are added.
    :param options: for AnsibleModule (required_if, mutually_exclusive, …).
    """
    module = azure_module(argument_spec, **options)
    plans: List[Plan] = []
    try:
        result = asyncio.run(_work(module, task_class, plans))
    except DockhostError as error:
        extra = dict(error.result())
        if plans and module._diff:
            extra["diff"] = plans[-1].diff()
        module.fail_json(msg=str(error), **extra)
    module.exit_json(**result)


def run_info(task_class: type, argument_spec: Mapping[str, Any], **options: Any) -> None:
    """Run a module that only reads: observe, exit with the task's result and ``changed: false``."""
    module = azure_module(argument_spec, **options)

    async def read() -> Dict[str, Any]:
        params = module.params
        task_class(params, params.get("subscription_id") or "").check()
        async with session.open_client(params, task_class.sdk) as client:
            _stop_on_signals(client)
            task = task_class(params, client.subscription_id)
            result = task.result(await task.observe(client), Plan(), False)
            for warning in task.warnings:
                module.warn(warning)
            return result

    try:
        found = asyncio.run(read())
    except DockhostError as error:
        module.fail_json(msg=str(error), **error.result())
    module.exit_json(changed=False, **found)


async def _work(module: AnsibleModule, task_class: type, plans: List[Plan]) -> Dict[str, Any]:
    params = module.params
    task_class(params, params.get("subscription_id") or "").check()
    async with session.open_client(params, task_class.sdk) as client:
        _stop_on_signals(client)
        task = task_class(params, client.subscription_id)
        task.check_mode = module.check_mode
        actual = await task.observe(client)
        plan = _planned(task, actual, plans)
        results: List[_apply.StepResult] = []
        if not module.check_mode:
            try:
                if await task.begin(client, actual, plan):
                    actual = await task.observe(client)
                    plan = _planned(task, actual, plans)
                actual, plan, results = await _applied(task, client, actual, plan, plans)
            finally:
                await task.end(client)
        for warning in dict.fromkeys(task.warnings):
            module.warn(warning)
        result = {"changed": plan.changed, "plan": plan.summary(_apply.seconds(results))}
        result.update(task.result(actual, plan, not module.check_mode))
        if module._diff:
            result["diff"] = plan.diff()
        return result


def _planned(task: Task, actual: Any, plans: List[Plan]) -> Plan:
    """The plan, kept in C(plans) also where it is refused."""
    plan = task.plan(actual)
    plans.append(plan)
    if plan.refusals:
        raise RefusedError([step.reason for step in plan.refusals])
    return plan


async def _applied(task: Task, client: Client, actual: Any, plan: Plan, plans: List[Plan]) -> Any:
    """Do a plan, and look again where it changed something: what was observed, the plan as it was done, its results."""
    results = await _apply.apply(plan, client, task.progress, task.guarded, functools.partial(task.ready, client))
    if task.guarded and _apply.overtaken(results):
        actual, plan, results = await _once_more(task, client, results)
        plans.append(plan)
    if any(result.state != "done" for result in results):
        await task.failed(client, actual, results)
    _apply.check_results(results)
    await task.finish(client, actual, results)
    if plan.changed:
        actual = await task.observe(client)
        _check_states(task.bodies(actual), results)
    return actual, plan, results


async def _once_more(task: Task, client: Client, first: List[_apply.StepResult]) -> Any:
    """Somebody has changed a resource since it was observed: observe and plan anew, and go on from there, once.

    :return: what was observed, the plan of both rounds, the results of both rounds.
    :raises DockhostError: it happened again.
    """
    actual = await task.observe(client)
    plan = task.plan(actual)
    results = await _apply.apply(plan, client, task.progress, task.guarded)
    done = [result for result in first if result.state == "done" and result.step.action != "keep"]
    lost = _apply.overtaken(results)
    if lost:
        named = ", ".join(type_word(result.step.resource.type) + " " + result.step.resource.name for result in lost)
        raise DockhostError(
            "Somebody else keeps changing {0} while this run does, so that what it was to write is out of date: nothing of theirs was "
            "overwritten. Run again when the other change has ended.".format(named)
        )
    return actual, Plan(tuple(result.step for result in done)).with_steps(plan.steps), done + results


def _check_states(bodies: Mapping[str, Mapping[str, Any]], results: Sequence[_apply.StepResult]) -> None:
    """What was written must not have ended in C(Failed) when it is looked at again.

    Azure's first answer to a load balancer or an interface says Succeeded while its operation still runs.
    """
    failed = [
        result for result in results
        if result.step.action in ("create", "update") and result.state == "done" and core.failed(bodies.get(result.step.resource.key))
    ]
    if failed:
        error = AzureError("ProvisioningFailed", "Azure reported success first and the state Failed later, without a reason.", 200)
        work = [result for result in results if result.step.action != "keep"]
        raise ApplyError([(one.step.title, error.during(one.step.title)) for one in failed], len(work) - len(failed), len(work))


def _stop_on_signals(client: Client) -> None:
    """SIGINT and SIGTERM: start nothing more, report what was done, leave the rest to Azure."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, client.stop.set)


async def group_location(client: Client, resource_group: str) -> str:
    """The region of a resource group, for resources whose location is not given.

    :raises RefusedError: there is no such resource group.
    """
    group = await client.get(group_id(client.subscription_id, resource_group), RESOURCES_API)
    if group is None:
        raise RefusedError([
            "There is no resource group '{0}' whose location could be taken: make it with dockhost.azure.resource_group, or "
            "give location.".format(resource_group)
        ])
    return group["location"]


def text_or_none(value: Optional[str]) -> Optional[str]:
    """An option that templates left empty counts as not given."""
    return value if value not in (None, "") else None


def any_given(params: Mapping[str, Any], names: Sequence[str]) -> bool:
    """Whether one of several options was given."""
    return any(params.get(name) is not None for name in names)
