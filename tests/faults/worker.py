# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One lab, and the points that are tried on it one after the other."""

from __future__ import annotations

import dataclasses
import functools
import gc
import os
import pathlib
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import Any, Dict, List, Optional

SUPPORT = pathlib.Path(__file__).resolve().parent.parent / "support"
sys.path[:0] = [str(SUPPORT), str(pathlib.Path(__file__).resolve().parent)]

import cases  # noqa: E402
import module_run  # noqa: E402
import together  # noqa: E402
import verdict  # noqa: E402
from lab_client import LabProcess  # noqa: E402


@dataclass
class Outcome:
    """What became of a point. ``reached`` is False when the run was over before its turn came: then it is no point."""

    point: cases.Point
    reached: bool = True
    ended: str = ""  # right, error, killed, or bad
    message: str = ""
    problem: str = ""
    converged: bool = False
    orphans: int = 0
    duplicates: int = 0
    neighbours: int = 0
    seconds: float = 0.0


def prepare() -> None:
    """Import what all runs need; before workers are forked, so that none has to do it again."""
    module_run.load("resource_group", "network", "load_balancer", "host_group")
    module_run.quicken()
    gc.freeze()  # what is there now is not looked at again, so that it stays shared by all processes


class Worker:
    """A lab with the states that cases begin with, and the states that undisturbed runs lead to."""

    def __init__(self) -> None:
        self.lab = LabProcess()
        self.env: Dict[str, str] = self.lab.env
        self.lab.call("latencies", scale=1.0, overrides=cases.TIMES)
        self.neighbours: List[Any] = []
        self.goals: Dict[str, List[Any]] = {}
        self.starts: Dict[str, List[Any]] = {}
        self._prepare()

    def _prepare(self) -> None:
        self.must("resource_group", {"name": cases.GROUP, "location": "westeurope"})
        self.must("network", cases.NETWORK)
        self.must("host_group", cases.NEIGHBOUR)
        self.lab.call("keep", name="network")
        self.neighbours = self.lab.call("resources", group=cases.GROUP)
        self.must("host_group", cases.hosts(5))
        self.lab.call("keep", name="five")
        self.starts = {"network": self.neighbours, "five": self.lab.call("resources", group=cases.GROUP)}
        self.lab.call("restore", name="network")
        self.must("host_group", cases.set_hosts(5))
        self.lab.call("keep", name="set")
        self.starts["set"] = self.lab.call("resources", group=cases.GROUP)

    def must(self, module: str, arguments: Dict[str, Any]) -> None:
        """Run a module that has no reason to fail."""
        result = module_run.run(module, arguments, self.env)
        if result["failed"]:
            raise RuntimeError(f"{module} does not work undisturbed: {result['msg']}")

    def close(self) -> None:
        self.lab.close()

    def reference(self, name: str) -> cases.Counts:
        """Run a case undisturbed; what it leads to is the measure for its points."""
        case = cases.CASES[name]
        self.lab.call("restore", name=case.state)
        self.must(case.module, case.arguments)
        self.lab.call("idle")
        self.goals[name] = self.lab.call("resources", group=cases.GROUP)
        sent = self.lab.call("requests")
        writes = [one for one in sent if one["method"] in cases.WRITES.split(",") and one["path"].startswith("/subscriptions/")]
        return cases.Counts(len(sent), len(writes), len(self.lab.call("operations")))

    def goal(self, name: str) -> List[Any]:
        if name not in self.goals:
            self.reference(name)
        return self.goals[name]

    def holding(self, case: cases.Case, first: bool = False) -> verdict.Holding:
        """What the lab holds once it works on nothing any more; after the first run or after the next one."""
        self.lab.call("idle")
        found = self.lab.call("resources", group=cases.GROUP)
        found = verdict.no_lost_turn(found) if first else found
        if case.in_a_set or case.never_fewer:
            result = verdict.by_parts(found, self.goal(case.name), self.neighbours, case.hosts or 0, zones=case.in_a_set)
        else:
            result = verdict.holding(found, self.goal(case.name), self.neighbours, case.hosts)
        if case.before and not case.never_fewer:
            result.wrong += [f"{name} was replaced" for name in verdict.replaced(found, self.starts[case.state], min(case.hosts or 0, case.before))]
        return result

    def attempt(self, point: cases.Point) -> Outcome:
        """Try one point."""
        began = time.monotonic()
        trial = {"concurrent": self._concurrent, "capacity": self._capacity, "environment": self._environment}.get(point.case, self._disturbed)
        outcome = trial(point)
        outcome.seconds = time.monotonic() - began
        return outcome

    def _start(self, name: str) -> cases.Case:
        case = cases.CASES[name]
        self.goal(name)
        self.lab.call("restore", name=case.state)
        return case

    def _disturbed(self, point: cases.Point) -> Outcome:
        case, before, rules = self._start(point.case), None, []
        if point.fault in cases.REQUEST_FAULTS:
            rules = [{"nth": point.index, **cases.strikes(point.case), **cases.REQUEST_FAULTS[point.fault]}]
        elif point.fault in cases.OPERATION_FAULTS:
            rules = [{"path": "", "nth": point.index, "operation": cases.OPERATION_FAULTS[point.fault]}]
        else:
            before = functools.partial(kill_at, point.index, point.fault == "killed after", point.case not in cases.WHOLE)
        self.lab.call("faults", rules=rules)
        result = module_run.run(case.module, case.arguments, self.env, before=before)
        if point.fault in cases.OPERATION_FAULTS:
            self.lab.call("idle")  # the end of the run's turn is an operation too, which the run does not wait for
        reached = bool(self.lab.call("struck")) if rules else bool(result.get("killed"))
        self.lab.call("faults", rules=[])
        outcome = Outcome(point, reached)
        if case.never_fewer:
            outcome.problem = self._fewer(case.never_fewer)
        return self._judged(outcome, case, result)

    def _fewer(self, wanted: int) -> str:
        """Whether there are fewer hosts than there must be at any time, once Azure works on nothing any more."""
        self.lab.call("idle")
        there = [one for one in self.lab.call("resources", group=cases.GROUP) if one["vm_id"] and verdict.ours(one) and one["state"] == "Succeeded"]
        return f"only {len(there)} hosts are left" if len(there) < wanted else ""

    def _judged(self, outcome: Outcome, case: cases.Case, *results: Dict[str, Any]) -> Outcome:
        """How the run or runs ended, and whether the next one converges."""
        outcome.ended = "right"
        for result in results:
            if result.get("killed"):
                outcome.ended = "killed"
            elif result["failed"]:
                outcome.ended, outcome.message = "error", str(result["msg"])
                why = verdict.unclear(result)
                if why:
                    outcome.ended, outcome.problem = "bad", why
                    break
        if outcome.ended == "right" and len(results) == 1:
            left = self.holding(case, first=True)
            if not left.exact:
                outcome.ended, outcome.problem = "bad", "it said that all is well, but " + left.text()
        return self._rerun(outcome, case)

    def _rerun(self, outcome: Outcome, case: cases.Case) -> Outcome:
        """The next run must converge: then it has nothing to do, or the one after it has not."""
        again = module_run.run(case.module, case.arguments, self.env)
        left = self.holding(case)
        outcome.orphans, outcome.duplicates, outcome.neighbours = len(left.orphans), len(left.duplicates), len(left.neighbours)
        if again["failed"]:
            outcome.problem = outcome.problem or "the next run failed: " + str(again["msg"])
        elif not left.exact:
            outcome.problem = outcome.problem or "after the next run " + left.text()
        elif case.again or not again["changed"]:
            outcome.converged = True
        else:
            third = module_run.run(case.module, case.arguments, self.env, check=True)
            outcome.converged = not third["failed"] and not third["changed"]
            if not outcome.converged:
                outcome.problem = outcome.problem or "a third run has something to do: " + str(third.get("plan") or third.get("msg"))
        return outcome

    def _concurrent(self, point: cases.Point) -> Outcome:
        results, wrong, reached = together.run(self, point)
        first, second = (cases.CASES[name] for name in point.fault.split("+"))
        # Which of the hosts are those from before depends on the order; and tags that the first wrote stay.
        name = second.name if point.extra else together.serial_name(first.state, first, second)
        return self._judged(Outcome(point, reached, problem=wrong), dataclasses.replace(second, name=name, before=0), *results)

    def _capacity(self, point: cases.Point) -> Outcome:
        rules, fail, code = cases.CAPACITY[point.fault]
        case, outcome = self._start("create"), Outcome(point)
        self.lab.call("faults", rules=rules)
        result = module_run.run(case.module, dict(case.arguments, on_failure=point.extra), self.env)
        self.lab.call("faults", rules=[])
        outcome.ended, outcome.message = "error", str(result.get("msg"))
        why = verdict.unclear(result) if result["failed"] else "it said that all is well"
        named = {entry["host"] for entry in result.get("failures") or ()}
        if not why and (code not in outcome.message or named != {f"web-{index}" for index in fail}):
            why = f"the error does not name {code} and the hosts {fail}: {outcome.message}"
        why = why or self._kept(point.extra, case, fail)
        if why:
            outcome.ended, outcome.problem = "bad", why
        return self._rerun(outcome, case)

    def _kept(self, policy: Optional[str], case: cases.Case, fail: Any) -> Optional[str]:
        """Whether what could be made was kept or removed, as it was asked for."""
        self.lab.call("idle")
        found = self.lab.call("resources", group=cases.GROUP)
        if policy == "rollback":
            left = verdict.holding(found, None, self.neighbours, 0)
            return None if left.exact else "after the rollback " + left.text()
        made = {one["name"].lower() for one in found if one["vm_id"] and one["state"] == "Succeeded"}
        lost = [index for index in range(1, case.hosts + 1) if index not in fail and f"web-{index}" not in made]
        return f"hosts {lost} could have been made" if lost else None

    def _environment(self, point: cases.Point) -> Outcome:
        case, env, outcome = self._start("create"), dict(self.env), Outcome(point)
        proxy: Optional[subprocess.Popen] = None
        before = None
        if point.fault in cases.CLOCKS:
            before = functools.partial(wrong_clock, *cases.CLOCKS[point.fault])
        elif point.fault in ("token ends early", "short tokens"):
            self.lab.call("latencies", scale=1.0, overrides=dict(cases.TIMES, **{"Microsoft.Compute/virtualMachines PUT": 4.0}))
            self.lab.call("tokens", seconds=2, honest=point.fault == "short tokens")
        elif point.fault == "no such name":
            env["AZURE_CLOUD_ENVIRONMENT"] = "https://azlab.invalid:8443"
        else:
            mode = {"proxy": "work", "proxy refuses": "refuse", "proxy breaks down": "break:4"}[point.fault]
            proxy = subprocess.Popen([sys.executable, str(SUPPORT / "proxy.py"), mode], stdout=subprocess.PIPE, text=True)
            env["HTTPS_PROXY"] = "http://127.0.0.1:" + proxy.stdout.readline().strip()
        result = module_run.run(case.module, case.arguments, env, before=before)
        self.lab.call("tokens", seconds=3599)
        self.lab.call("latencies", scale=1.0, overrides=cases.TIMES)
        if proxy:
            proxy.kill()
            if "CONNECT" not in proxy.stdout.read() and point.fault == "proxy":
                outcome.problem = "nothing went through the proxy"
            proxy.wait()
        expected = point.fault in ("no such name", "proxy refuses", "proxy breaks down")
        outcome = self._judged(outcome, case, result)
        if result["failed"] != expected and not outcome.problem:
            outcome.ended, outcome.problem = "bad", f"it {'failed' if result['failed'] else 'ended well'}: {result.get('msg')}"
        return outcome


def wrong_clock(seconds: int, request: int) -> None:
    """In the process of a module: the clock is wrong by so many seconds, from the start or from a request on.

    What the module and Azure's SDKs read (`time.time`); OpenSSL, which compares the lab's certificate with it, reads the kernel's own.
    """
    import aiohttp

    now, send, sent = time.time, aiohttp.ClientSession._request, [0]

    async def _request(self: Any, *args: Any, **options: Any) -> Any:
        sent[0] += 1
        return await send(self, *args, **options)

    aiohttp.ClientSession._request = _request
    time.time = lambda: now() + (seconds if sent[0] >= request else 0)


def kill_at(index: int, after: bool, writes: bool) -> None:
    """In the process of a module: end it by SIGKILL at its n-th request (or write), before it is sent or once it was answered."""
    import aiohttp

    send, sent = aiohttp.ClientSession._request, [0]

    async def _request(self: Any, method: str, url: Any, **options: Any) -> Any:
        counts = not writes or (method in cases.WRITES.split(",") and "/subscriptions/" in str(url))
        sent[0] += counts
        mine = counts and sent[0] == index
        if mine and not after:
            os.kill(os.getpid(), signal.SIGKILL)
        answer = await send(self, method, url, **options)
        if mine:
            os.kill(os.getpid(), signal.SIGKILL)
        return answer

    aiohttp.ClientSession._request = _request
