# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks a host for its place in a swarm, or lets it join, by requests to its engine alone, which is ten times less work for the host
than a module. All else is done by the module."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Dict, Mapping, Optional

from ansible.plugins.action import ActionBase
from ansible_collections.dockhost.azure.plugins.module_utils._engine.errors import EngineError
from ansible_collections.dockhost.azure.plugins.module_utils._swarm import local
from ansible_collections.dockhost.azure.plugins.module_utils._swarm.model import Local, SwarmRefused
from ansible_collections.dockhost.azure.plugins.modules.swarm_node import ARGUMENTS, join_request
from ansible_collections.dockhost.azure.plugins.plugin_utils import _token
from ansible_collections.dockhost.azure.plugins.plugin_utils._relay import RelayEngine, RelayUnusable, answer_of, usable, validated

Params = Mapping[str, Any]


def asked(engine: RelayEngine, params: Params) -> Local:
    """What the host says of itself, in one round trip."""
    answers = engine.operate([*(["request", *question] for question in local.QUESTIONS), ["mesh"], ["address"]])
    info, swarm = (answer_of(answer, question) for answer, question in zip(answers, local.QUESTIONS))
    found = local.from_answers(info, swarm, routing_mesh=answers[2])
    return found if found.address else replace(found, address=params["advertise_address"] or answers[3])


class ActionModule(ActionBase):
    """The module's work over the engine's socket, where that is enough."""

    _supports_async = True
    _supports_check_mode = True

    def run(self, tmp: Optional[str] = None, task_vars: Optional[Dict[str, Any]] = None) -> Dict[str, Any]:
        """Run the task."""
        result = super().run(tmp, task_vars)
        task_vars = task_vars or {}
        refused = self._refused()
        if refused:
            return {**result, "failed": True, "msg": refused}
        done = self._light(task_vars)
        if done is None:
            arguments = dict(self._task.args)
            if arguments.get("state") == "joined" and not arguments.get("join_token"):
                arguments["join_token"] = _token.read(arguments.get("cluster_id"))
            done = self._execute_module(module_args=arguments, task_vars=task_vars, wrap_async=self._task.async_val)
        result.update(done)
        return result

    def _refused(self) -> str:
        """Why the answers of the hosts could not be put together afterwards; empty where they can."""
        strategy = self._task.get_play().strategy
        if not self._task.args.get("member") or not strategy.endswith(("free", "host_pinned")):
            return ""
        return (
            f"The play has strategy {strategy}, with which no host waits for what the others say, and a swarm is made of what all of them say: "
            "leave it out of the play, or set strategy: linear."
        )

    def _light(self, task_vars: Mapping[str, Any]) -> Optional[Dict[str, Any]]:
        """The result, or None where the module is needed."""
        params = validated(self, ARGUMENTS)
        if params is None or not usable(self) or params["state"] not in ("observed", "joined") or params["rejoin"]:
            return None
        engine = RelayEngine(self, task_vars, params["docker_socket"], max(60, params["timeout"]))
        try:
            if params["state"] == "observed":
                waits = params["wait_manager"] and not self._task.check_mode
                found = local.wait_manager(lambda: asked(engine, params), params["timeout"]) if waits else asked(engine, params)
                return None if found.state == "locked" and params["unlock_keys"] else _result(params, found)
            token = params["join_token"] or _token.read(params["cluster_id"])
            if self._task.check_mode or not (token and params["advertise_address"] and params["managers"]):
                return None
            found = local.join(engine, {**join_request(params), "JoinToken": token}, params["managers"], params["timeout"])
            return {**_result(params, found), "changed": True, **self._diff()}
        except RelayUnusable:
            return None
        except (SwarmRefused, EngineError) as error:
            if "already part of a swarm" in str(error):
                return None
            return {"failed": True, "msg": str(error)}

    def _diff(self) -> Dict[str, Any]:
        return {"diff": {"before": "swarm: inactive\n", "after": "swarm: active\n"}} if self._task.diff else {}


def _result(params: Params, found: Local) -> Dict[str, Any]:
    result: Dict[str, Any] = {"changed": False, "swarm": found.to_dict()}
    if params["member"]:
        wanted = {name: value for name, value in params["member"].items() if value is not None}
        result["member"] = {**wanted, "swarm": result["swarm"]}
    return result
