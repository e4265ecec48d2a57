# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine of a host, for action plugins: the client thinks on the controller, and only its requests go to the host.

What runs on the host is ``_engine/relay.py``, which goes by the connection and become method of the task, with its environment, as any module.
Where that does not work (no Python under that name, no engine, a connection that takes no input), RelayUnusable is raised and the
action plugin runs its module in the usual way, which then finds an interpreter or tells what is wrong.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
import shlex
import zlib
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple, Union

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.plugins.action import ActionBase
from ansible_collections.dockhost.azure.plugins.module_utils._engine import client, relay
from ansible_collections.dockhost.azure.plugins.module_utils._engine.errors import EngineError
from ansible_collections.dockhost.azure.plugins.module_utils._swarm import mesh

Operation = List[Any]


class RelayUnusable(Exception):
    """The relay did not run on the host, or found no engine there."""


class RelayEngine(client.Engine):
    """The engine of the host that the action plugin ``action`` is connected to."""

    def __init__(self, action: ActionBase, task_vars: Mapping[str, Any], socket_path: str = client.DEFAULT_SOCKET, timeout: float = 60) -> None:
        super().__init__(socket_path, timeout)
        self._action = action
        delegated = (task_vars.get("ansible_delegated_vars") or {}).get(action._task.delegate_to)
        self._python = _interpreter(action, delegated or task_vars)

    def request(
        self, method: str, path: str, query: Optional[Mapping[str, Any]] = None, body: Any = None, headers: Optional[Mapping[str, str]] = None
    ) -> Any:
        """As the client does it, in a round trip of its own."""
        return _raised(self.batch([(method, path + client.query_text(query), body)])[0])

    def get_secret(self, path: str) -> Any:
        """See the client. The secret comes back sealed, since a verbose connection prints what it gets, and in no other answer."""
        question, key = ("GET", path, None), secrets.token_hex(32)
        return _raised(answer_of(opened(self._operate([["request", *question]], key)[0], key), question))

    def batch(self, requests: Sequence[Tuple[str, str, Any]]) -> List[Union[Any, EngineError]]:
        """See the client; one round trip for all of them."""
        return _answers(self.operate(_operations(requests)), requests)

    def batch_where_reached(
        self, places: Sequence[Tuple[str, int]], timeout: float, requests: Sequence[Tuple[str, str, Any]]
    ) -> Optional[List[Union[Any, EngineError]]]:
        """See the client; one round trip for all of it."""
        trouble, *answers = self.operate([["only where reached", list(places), timeout], *_operations(requests)])
        return None if trouble else _answers(answers, requests)

    def reach(self, places: Sequence[Tuple[str, int]], timeout: float) -> List[str]:
        """See the client; one round trip for all of them."""
        return self.operate([["connect", address, port, timeout] for address, port in places]) if places else []

    def operate(self, operations: Sequence[Operation]) -> List[Any]:
        """Let the relay do this; its answers."""
        return self._operate(operations, "")

    def _operate(self, operations: Sequence[Operation], key: str) -> List[Any]:
        order = {"socket": self.socket_path, "timeout": self.timeout, "key": key, "operations": list(operations)}
        # As in Ansible's own commands, an interpreter may be several words ("/usr/bin/env python3").
        command = f"{self._action._compute_environment_string()} {self._python} -I -S -c {_PROGRAM}".strip()
        done = self._action._low_level_execute_command(command, in_data=json.dumps(order).encode())
        return answers_of(done["stdout"], done["stderr"].strip()[-300:] or f"it ended with {done['rc']}")


def _operations(requests: Sequence[Tuple[str, str, Any]]) -> List[Operation]:
    return [["until", *request[1:]] if request[0] == client.UNTIL else ["request", *request] for request in requests]


def _answers(answers: Sequence[Any], requests: Sequence[Tuple[str, str, Any]]) -> List[Union[Any, EngineError]]:
    return [answer_of(answer, request) for answer, request in zip(answers, requests)]


def answers_of(printed: str, otherwise: str) -> List[Any]:
    """The answers in what the relay printed; RelayUnusable where it tells of trouble, or (``otherwise``) tells nothing, or not all of it."""
    marked = [line for line in printed.splitlines() if line.startswith(relay.MARK)]
    try:
        answer = json.loads(marked[-1][len(relay.MARK) :]) if marked else {"trouble": otherwise}
    except ValueError:
        answer = {"trouble": "its answer was cut off"}
    if "trouble" in answer:
        raise RelayUnusable(answer["trouble"])
    return answer["answers"]


def opened(answer: Sequence[Any], key: str) -> Sequence[Any]:
    """An answer of the relay with the secrets that it sealed."""
    if '"sealed"' not in answer[1]:
        return answer
    found = json.loads(answer[1])
    kept = json.loads(relay.seal(bytes.fromhex(found.pop("sealed")), key))
    return [answer[0], json.dumps({**found, **kept})]


def _raised(answer: Union[Any, EngineError]) -> Any:
    if isinstance(answer, EngineError):
        raise answer
    return answer


def answer_of(answer: Sequence[Any], request: Sequence[Any]) -> Union[Any, EngineError]:
    """What the client would have returned, or raised."""
    status, text = answer
    try:
        parsed = json.loads(text) if text.strip() else None
    except ValueError:
        parsed = text
    if status < 400:
        return parsed
    message = parsed.get("message") if isinstance(parsed, dict) else parsed
    return EngineError(status, str(message or "").strip(), f"{request[0]} {request[1]}")


def usable(action: ActionBase) -> bool:
    """Whether the task's connection takes input, as it does where pipelining is on, and the task runs here and now."""
    return bool(action._connection.is_pipelining_enabled(bool(action._task.async_val))) and not action._task.async_val


def validated(action: ActionBase, arguments: Mapping[str, Any], **rules: Any) -> Optional[Dict[str, Any]]:
    """The task's options as the module would see them; None where they are wrong, which the module says in its own words."""
    checked = ArgumentSpecValidator(dict(arguments), **rules).validate(dict(action._task.args))
    return None if checked.error_messages else checked.validated_parameters


def _interpreter(action: ActionBase, variables: Mapping[str, Any]) -> str:
    """The Python that is named for the host or was found there before; else what the host calls python3."""
    named = str(action._templar.template(variables["ansible_python_interpreter"])) if "ansible_python_interpreter" in variables else "auto"
    if named and not named.startswith("auto"):
        return named
    return str((variables.get("ansible_facts") or {}).get("discovered_interpreter_python") or "python3")


def _program() -> str:
    """What runs on the host: the sources of relay and mesh, packed; the order comes on standard input."""
    sources = []
    for module in (mesh, relay):
        with open(os.path.splitext(module.__file__)[0] + ".py", encoding="utf-8") as file:
            sources.append(file.read())
    packed = base64.b85encode(zlib.compress(json.dumps(sources).encode(), 9)).decode()
    return (
        "import sys,zlib,json,base64;s=dict(__name__='relay');"
        f"[exec(p,s) for p in json.loads(zlib.decompress(base64.b85decode('{packed}')))];"
        "s['serve'](json.load(sys.stdin),s['has_ipvs'])"
    )


# Made once: Ansible loads an action plugin before it forks a process for each host of its task.
_PROGRAM = shlex.quote(_program())
