# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run modules of the collection in forked processes: as separate as Ansible's own, without the price of the imports."""

from __future__ import annotations

import importlib
import json
import os
import select
import signal
import sys
import tempfile
import time
from typing import Any, Callable, Dict, Mapping, Optional

SPACE = "ansible_collections.dockhost.azure.plugins."
# What a run imports, and what it would import once it runs: each fork would pay for it again.
SDKS = (
    "aiohttp", "azure.identity.aio", "azure.mgmt.compute.aio", "azure.mgmt.network.aio", "azure.core.pipeline.transport", "ansible.module_utils.testing",
    "ansible.module_utils._internal._json._profiles._module_legacy_c2m", "ansible.module_utils._internal._json._profiles._module_legacy_m2c",
    "azure.core.pipeline.transport._aiohttp", "azure.core.rest._aiohttp", "concurrent.futures.thread", "encodings.utf_8_sig",
)  # fmt: skip


def load(*modules: str) -> None:
    """Import once what every run needs."""
    for name in SDKS:
        importlib.import_module(name)
    for name in modules:
        importlib.import_module(SPACE + "modules." + name)


def quicken() -> None:
    """The same policies at a pace for tests: pauses that the engine chooses are short, those that Azure asks for stay."""
    retry = importlib.import_module(SPACE + "module_utils._azure.retry")
    operations = importlib.import_module(SPACE + "module_utils._azure.operations")
    after = importlib.import_module(SPACE + "module_utils._hosts.after")
    read = importlib.import_module(SPACE + "module_utils._hosts.read")
    retry.BROKEN_STEPS, retry.BUSY_STEPS = (0.02,) * len(retry.BROKEN_STEPS), (0.05,)
    operations.LIST_FIRST = operations.LIST_FASTEST = 0.05
    operations.PACE = after.PACE = read.PACE = (0.05, 0.1)


def without_turns() -> None:
    """Runs that neither look whose turn it is nor take it: what the suite must not be content with."""
    turn = importlib.import_module(SPACE + "module_utils._hosts.turn").Turn

    async def nothing(*dummy: Any) -> None:
        """No look, no lock."""

    turn.read = turn.free = turn.begin = nothing


def brisk(name: str = "") -> None:
    """In the process of a module: signs of life come quickly, so that a run of a second gives some; its requests carry its name."""
    if name:
        importlib.import_module(SPACE + "module_utils._azure.transport").USER_AGENT = name
    turn = importlib.import_module(SPACE + "module_utils._hosts.turn")
    turn.RENEW_SECONDS, turn.PACE = 0.2, (0.1,)


def silent(lease: float) -> None:
    """In the process of a module: it takes its turn for a few seconds and gives no sign of life, as one whose machine sleeps."""
    turn = importlib.import_module(SPACE + "module_utils._hosts.turn")
    turn.LEASE_SECONDS, turn.RENEW_SECONDS = lease, 1000.0
    _elsewhere(turn)


def kill_after(seconds: float, lease: float = 0.0) -> None:
    """In the process of a module: it is killed after so long; with C(lease) it seems to have run on another controller."""
    turn = importlib.import_module(SPACE + "module_utils._hosts.turn")
    if lease:
        turn.LEASE_SECONDS = lease
        _elsewhere(turn)
    signal.signal(signal.SIGALRM, lambda *dummy: os.kill(os.getpid(), signal.SIGKILL))
    signal.setitimer(signal.ITIMER_REAL, seconds)


def _elsewhere(turn: Any) -> None:
    turn.here = lambda: turn.Place("another machine", "1/1")


class Run:
    """A module that is running in a child process."""

    def __init__(self, name: str, arguments: Mapping[str, Any], env: Mapping[str, str], check: bool = False, before: Optional[Callable[[], None]] = None):
        self.out = tempfile.TemporaryFile("w+")
        sys.stdout.flush()
        self.pid = os.fork()
        if not self.pid:
            self._child(name, dict(arguments, _ansible_check_mode=check, _ansible_diff=False), env, before)
        self.watch = os.pidfd_open(self.pid)
        self.result: Dict[str, Any] = {}

    def _child(self, name: str, arguments: Dict[str, Any], env: Mapping[str, str], before: Optional[Callable[[], None]]) -> None:
        """Never returns."""
        code = 70
        try:
            os.dup2(self.out.fileno(), 1)
            os.dup2(self.out.fileno(), 2)
            for proxy in ("HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy"):
                os.environ.pop(proxy, None)
            os.environ.update(env)
            if before:
                before()
            from ansible.module_utils.testing import patch_module_args

            with patch_module_args(arguments):
                importlib.import_module(SPACE + "modules." + name).main()
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else 0
        except BaseException:
            import traceback

            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)

    def wait(self, limit: float = 120.0) -> Dict[str, Any]:
        """The module's result; ``killed``, ``hung`` or ``crashed`` (with its text) when it ended otherwise."""
        began = time.monotonic()
        hung = not select.select([self.watch], [], [], limit)[0]
        if hung:
            os.kill(self.pid, signal.SIGKILL)
        dummy, status = os.waitpid(self.pid, 0)
        os.close(self.watch)
        self.out.seek(0)
        text = self.out.read()
        self.out.close()
        self.result = _result(text, status)
        if hung:
            self.result = {"failed": True, "hung": True, "msg": "did not end within {0:.0f} s".format(time.monotonic() - began)}
        return self.result


def _result(text: str, status: int) -> Dict[str, Any]:
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        return {"failed": True, "killed": number == signal.SIGKILL, "crashed": number != signal.SIGKILL, "msg": "signal {0}".format(number)}
    lines = text.strip().splitlines()
    try:
        result = json.loads(lines[-1])
    except (ValueError, IndexError):
        return {"failed": True, "crashed": True, "msg": text[-2000:]}
    if len(lines) > 1:
        result["noise"] = "\n".join(lines[:-1])[-2000:]
    result.setdefault("failed", False)
    return result


def run(
    name: str,
    arguments: Mapping[str, Any],
    env: Mapping[str, str],
    check: bool = False,
    before: Optional[Callable[[], None]] = None,
    limit: float = 120.0,
) -> Dict[str, Any]:
    """Run a module to its end."""
    return Run(name, arguments, env, check, before).wait(limit)
