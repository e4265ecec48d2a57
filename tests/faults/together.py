# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two runs at the same time against one group, each a process of its own."""

from __future__ import annotations

import functools
import time
from typing import Any, Callable, Dict, List, Mapping, Sequence, Tuple

import cases
import module_run
import verdict

SHORT_LEASE = 1.5
RUNS = ("first-run/1", "second-run/1")      # how the two name themselves in their requests


def run(worker: Any, point: cases.Point) -> Tuple[List[Dict[str, Any]], str, bool]:
    """Start the first run, a little later the second, and wait for both.

    :return: their results; what is wrong with what they left; whether what was to happen to the first did happen.
    """
    first, second = (cases.CASES[name] for name in point.fault.split("+"))
    orders = [serial(worker, first.state, first, second), serial(worker, first.state, second, first)]
    worker.lab.call("restore", name=first.state)
    if point.extra == "loses its turn":
        worker.lab.call("latencies", scale=1.0, overrides=dict(cases.TIMES, **{"Microsoft.Network/publicIPAddresses PUT": 2 * SHORT_LEASE}))
    one = module_run.Run(first.module, first.arguments, worker.env, before=_before(point))
    time.sleep(point.index / 1000)
    two = module_run.Run(second.module, second.arguments, worker.env, before=functools.partial(module_run.brisk, RUNS[1]))
    results = [one.wait(), two.wait()]
    mixed = side_by_side(worker.lab.call("requests"))
    worker.lab.call("latencies", scale=1.0, overrides=cases.TIMES)
    if point.extra:
        return results, _succeeded(worker, second, results, point.extra), bool(results[0]["failed"])
    found = _found(worker)
    left = [_differs(worker, found, order, last) for order, last in zip(orders, (second, first))]
    wrong = "" if any(one.exact for one in left) else "as if neither had run after the other: " + " | ".join(one.text() for one in left)
    return results, wrong or mixed or _refused(results), True


def side_by_side(log: Sequence[Mapping[str, Any]]) -> str:
    """Whether both runs changed something while the other was at it, which may end well by chance. The lock itself is no change."""
    spans: Dict[str, Tuple[float, float]] = {}
    for one in log:
        who = next((name for name in RUNS if name in one["user_agent"]), None)
        if who and one["method"] in cases.WRITES.split(",") and one["path"].startswith("/subscriptions/") and not one["path"].endswith("_lock"):
            began = one["time"] - one["milliseconds"] / 1000
            first, last = spans.get(who, (began, one["time"]))
            spans[who] = (min(first, began), max(last, one["time"]))
    if len(spans) < 2 or spans[RUNS[0]][1] <= spans[RUNS[1]][0] or spans[RUNS[1]][1] <= spans[RUNS[0]][0]:
        return ""
    return "both changed the group at the same time: " + ", ".join(f"{name} for {last - first:.2f} s" for name, (first, last) in sorted(spans.items()))


def _refused(results: Sequence[Mapping[str, Any]]) -> str:
    """Of two runs that take turns neither is in the way of the other."""
    texts = [str(one.get("msg")) for one in results if one["failed"]]
    return f"a run failed, although nothing was done to it: {texts[0]}" if texts else ""


def serial(worker: Any, state: str, *runs: cases.Case) -> List[Any]:
    """What these runs lead to one after the other: the measure for what they lead to side by side."""
    name = serial_name(state, *runs)
    if name not in worker.goals:
        worker.lab.call("restore", name=state)
        for case in runs:
            worker.must(case.module, case.arguments)
        worker.goals[name] = _found(worker)
    return worker.goals[name]


def serial_name(state: str, *runs: cases.Case) -> str:
    """What the outcome of these runs is called; it begins with the last of them, which says what there is in the end."""
    return " after ".join([case.name for case in reversed(runs)] + [state])


def _before(point: cases.Point) -> Callable[[], None]:
    """What is done to the first of the two, in its process."""
    if point.extra == "killed":
        return functools.partial(module_run.kill_after, point.index / 1000 + 0.15)
    if point.extra == "killed elsewhere":
        return functools.partial(module_run.kill_after, point.index / 1000 + 0.15, lease=SHORT_LEASE)
    if point.extra == "loses its turn":
        return functools.partial(module_run.silent, SHORT_LEASE)
    return functools.partial(module_run.brisk, RUNS[0])


def _succeeded(worker: Any, second: cases.Case, results: Sequence[Dict[str, Any]], extra: str) -> str:
    """The first is out of it: the second takes its place, and the group is as that wanted it.

    Where the second had nothing to do it may have been over before the first began, and what a silent run sent may arrive late: then only
    the next run can tell.
    """
    if results[1]["failed"]:
        return "the second did not take the place of the first: " + str(results[1].get("msg"))
    if extra == "loses its turn" or not results[1]["changed"]:
        return ""
    left = verdict.holding(_found(worker), None, worker.neighbours, second.hosts)
    return "" if left.exact else "after the second run " + left.text()


def _found(worker: Any) -> List[Any]:
    worker.lab.call("idle")
    return worker.lab.call("resources", group=cases.GROUP)


def _differs(worker: Any, found: Sequence[Any], wanted: Sequence[Any], last: cases.Case) -> verdict.Holding:
    """How the group differs from what the two lead to in one order."""
    if last.in_a_set:
        return verdict.by_parts(found, wanted, worker.neighbours, last.hosts or 0, zones=True)
    return verdict.holding(found, wanted, worker.neighbours, last.hosts)
