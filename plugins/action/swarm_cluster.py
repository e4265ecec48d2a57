# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes a swarm and looks after its nodes by requests to the engine of one manager; what is to be done is found out on the controller.

Hosts that are to join find the token by the id of the swarm (plugin_utils/_token.py); it is in no result.
"""

from __future__ import annotations

from typing import Any, Dict, Mapping, Optional, Tuple

from ansible.plugins.action import ActionBase
from ansible_collections.dockhost.azure.plugins.module_utils._engine.errors import EngineError
from ansible_collections.dockhost.azure.plugins.module_utils._swarm import cluster, cluster_task
from ansible_collections.dockhost.azure.plugins.module_utils._swarm.converge import Outcome
from ansible_collections.dockhost.azure.plugins.module_utils._swarm.model import WORKER, Cluster, Local, SwarmRefused
from ansible_collections.dockhost.azure.plugins.modules.swarm_cluster import ARGUMENTS
from ansible_collections.dockhost.azure.plugins.plugin_utils import _token
from ansible_collections.dockhost.azure.plugins.plugin_utils._relay import RelayEngine, RelayUnusable, usable, validated


class ActionModule(ActionBase):
    """The module's work over the engine's socket."""

    _supports_async = True
    _supports_check_mode = True

    def run(self, tmp: Optional[str] = None, task_vars: Optional[Dict[str, Any]] = None) -> Dict[str, Any]:
        """Run the task."""
        result = super().run(tmp, task_vars)
        task_vars = task_vars or {}
        self._complete(task_vars)
        done = self._light(task_vars)
        if done is None:
            done = self._execute_module(task_vars=task_vars, wrap_async=self._task.async_val)
            if done.get("joins") and not self._task.check_mode:
                self._keep_token(done["cluster_id"], task_vars)
        result.update(done)
        return result

    def _complete(self, task_vars: Mapping[str, Any]) -> None:
        """Options that are known here: which member the host is, and the address that it named. As templates of the role each of them would
        put together once more what all hosts said, which takes longer than the rest of this task."""
        arguments, name = self._task.args, self._task.delegate_to or task_vars.get("inventory_hostname")
        members = [member for member in arguments.get("members") or () if isinstance(member, dict)]
        if not arguments.get("host") and any(member.get("name") == name for member in members):
            arguments["host"] = name
        for member in members:
            said = (member.get("swarm") or {}).get("address")
            if said and member.get("name") == arguments.get("host") and not arguments.get("advertise_address"):
                arguments["advertise_address"] = said

    def _light(self, task_vars: Mapping[str, Any]) -> Optional[Dict[str, Any]]:
        """The result, or None where the module is needed."""
        params = validated(self, ARGUMENTS, required_together=[("ca_certificate", "ca_key")])
        if params is None or not usable(self) or params["secrets"] or params["rotate"]:
            return None
        engine = RelayEngine(self, task_vars, params["docker_socket"])
        outcome = Outcome()
        try:
            own, outcome.cluster = _own(engine, params)
            if not own.engine:  # in check mode, a host that has no engine yet
                return None
            if not own.leads and not params["advertise_address"]:  # the default address is one that only the host knows
                params["advertise_address"] = own.address
                if not params["advertise_address"]:
                    return None
            kept = cluster_task.run(params, self._task.check_mode, engine, own, outcome)
            if outcome.named("join") and not self._task.check_mode:
                _token.keep(outcome.cluster.id, cluster.tokens(engine)[WORKER])
        except RelayUnusable as error:
            if not outcome.steps:
                return None
            return {"failed": True, "msg": f"The engine could not be asked any more: {error}", "plan": [step.summary() for step in outcome.steps]}
        except (SwarmRefused, EngineError) as error:
            return {"failed": True, "msg": str(error), "plan": [step.summary() for step in outcome.steps]}
        done = cluster_task.result(outcome, kept, self._task.diff)
        if outcome.warnings:
            done["warnings"] = outcome.warnings
        return done

    def _keep_token(self, cluster_id: str, task_vars: Mapping[str, Any]) -> None:
        """After the module, in a second run of it whose result is shown nowhere."""
        socket = {name: value for name, value in self._task.args.items() if name == "docker_socket"}
        # The connection has a context of its own, and prints what the module said where that does not keep it back.
        quiet = (self._task, self._play_context, self._connection._play_context)
        before = [one.no_log for one in quiet]
        for one in quiet:
            one.no_log = True
        try:
            found = self._execute_module(module_args={"secrets": True, **socket}, task_vars=dict(task_vars))
        finally:
            for one, no_log in zip(quiet, before):
                one.no_log = no_log
        if found.get("join_tokens"):
            _token.keep(cluster_id, found["join_tokens"][WORKER])


def _own(engine: RelayEngine, params: Mapping[str, Any]) -> Tuple[Local, Optional[Cluster]]:
    """What the host says of itself, and its swarm where it was asked for that too. Where it led the swarm a moment ago it is not asked again for
    the first: it refuses what comes next if it does not any more."""
    for member in params["members"]:
        found = Local.from_dict(member["swarm"])
        if member["name"] == params["host"] and (found.leads or not found.engine):
            return found, None
    return cluster.observe(engine)
