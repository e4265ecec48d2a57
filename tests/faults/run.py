# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fault suite: every request of a run is disturbed in turn, and the next run has to put everything right.

    run.py [--case create|scale_in|update|delete|reimage|set_create|…|kill|concurrent|capacity|environment] [--sample N] [--jobs N]

``--write`` puts the table into docs/reliability.md. Prints a line for each problem, the table of cases, and last one line
of JSON. Ends with 1 when anything did not end right or with a clear error, did not converge, or left something behind.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import multiprocessing
import os
import pathlib
import platform
import random
import sys
import time
from collections import defaultdict
from typing import Any, Dict, List, Mapping, Optional, Sequence

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT / "tests" / "support"), str(pathlib.Path(__file__).resolve().parent)]

import cases  # noqa: E402
import module_run  # noqa: E402
import work_tree  # noqa: E402
from worker import Outcome, Worker, prepare  # noqa: E402

DOCUMENT, MARKS = ROOT / "docs" / "reliability.md", ("<!-- make faults WRITE=1 writes from here -->\n", "\n<!-- to here -->")
WORKER: Optional[Worker] = None
OTHERS = {"concurrent": cases.CONCURRENT, "capacity": cases.CAPACITY_POINTS, "environment": cases.ENVIRONMENT}
COLUMNS = ("points", "ended right", "clear error", "killed", "converged", "orphans", "duplicates", "neighbours touched")


def _begin() -> None:
    global WORKER
    WORKER = Worker()


def _attempt(point: cases.Point) -> Outcome:
    return WORKER.attempt(point)


def _reference(name: str) -> Any:
    return name, WORKER.reference(name)


def collect(pool: Any, wanted: str) -> List[cases.Point]:
    """The points of a case, or of all."""
    names = [name for name in cases.CASES if wanted in ("all", "kill", name)]
    found: List[cases.Point] = []
    for name, counts in pool.imap(_reference, names):
        print(f"{name}: {counts.requests} requests, {counts.writes} writes, {counts.operations} operations when nothing goes wrong", flush=True)
        found += cases.points(name, counts)
    if wanted == "kill":
        return [point for point in found if point.fault in cases.KILLS]
    for name, points in OTHERS.items():
        if wanted in ("all", name):
            found += points
    return found


def sample(points: Sequence[cases.Point], count: int, seed: int) -> List[cases.Point]:
    """So many points, spread over all faults of all cases."""
    chosen: List[cases.Point] = []
    pools: Dict[Any, List[cases.Point]] = defaultdict(list)
    for point in points:
        pools[point.case, point.fault].append(point)
    source = random.Random(seed)
    for pool in pools.values():
        source.shuffle(pool)
    queues = list(pools.values())
    source.shuffle(queues)
    while len(chosen) < min(count, len(points)):
        chosen += [pool.pop() for pool in queues if pool][: count - len(chosen)]
    return chosen


def table(outcomes: Sequence[Outcome]) -> List[str]:
    """Rows for people: one for each fault of each case."""
    rows: Dict[Any, List[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        rows[outcome.point.case, outcome.point.title].append(outcome)
    lines = ["| case | what was done | " + " | ".join(COLUMNS) + " |", "|---|---|" + "---|" * len(COLUMNS)]
    for (case, fault), found in sorted(rows.items()):
        lines.append(f"| {case} | {fault} | " + " | ".join(str(number) for number in numbers(found)) + " |")
    return [*lines, "| **all** | | " + " | ".join(f"**{number}**" for number in numbers(outcomes)) + " |"]


def numbers(found: Sequence[Outcome]) -> List[int]:
    """In the order of COLUMNS."""
    ended = [outcome.ended for outcome in found]
    return [
        len(found), ended.count("right"), ended.count("error"), ended.count("killed"), sum(outcome.converged for outcome in found),
        sum(outcome.orphans for outcome in found), sum(outcome.duplicates for outcome in found), sum(outcome.neighbours for outcome in found),
    ]  # fmt: skip


def write(lines: Sequence[str], result: Mapping[str, Any], jobs: int, load: float) -> None:
    """Put the table between its marks in the documentation, with what it was measured on."""
    text = DOCUMENT.read_text(encoding="utf-8")
    before, dummy, rest = text.partition(MARKS[0])
    dummy, dummy, after = rest.partition(MARKS[1])
    python, core = platform.python_version(), importlib.metadata.version("ansible-core")
    said = (
        f"{time.strftime('%Y-%m-%d')}, {os.cpu_count()} cores (load average {load:.1f} when it began, {os.getloadavg()[0]:.1f} when it ended), "
        f"{jobs} labs side by side, {result['seconds']:.0f} s. Python {python}, ansible-core {core}. The last line:"
    )
    DOCUMENT.write_text("\n".join([before + MARKS[0], said, "", "    " + json.dumps(result), "", *lines, MARKS[1] + after]), encoding="utf-8")


def run(case: str = "all", count: int = 0, jobs: int = 4, seed: int = 1, show: bool = False, document: bool = False, turns: bool = True) -> Dict[str, Any]:
    """Run the suite; returns what the last line says."""
    load = os.getloadavg()[0]
    began, outcomes = time.monotonic(), []
    work_tree.link()
    prepare()
    if not turns:
        module_run.without_turns()
    with multiprocessing.get_context("fork").Pool(jobs, _begin) as pool:
        points = collect(pool, case)
        points = sample(points, count, seed) if count else points
        for number, outcome in enumerate(pool.imap_unordered(_attempt, points, chunksize=4), 1):
            if number % 200 == 0:
                print(f"{number} of {len(points)} points, {time.monotonic() - began:.0f} s", flush=True)
            if outcome.problem or show:
                text = outcome.problem or outcome.message or outcome.ended
                print(f"{'PROBLEM' if outcome.problem else outcome.ended} {outcome.point.case} / {outcome.point.fault} / {outcome.point.index} "
                      f"{outcome.point.extra or ''}: {text}", flush=True)  # fmt: skip
            if outcome.reached or outcome.problem:
                outcomes.append(outcome)
    lines, result = table(outcomes), summary(outcomes, time.monotonic() - began)
    print("\n".join(lines))
    if document:
        write(lines, result, jobs, load)
    return result


def summary(outcomes: Sequence[Outcome], seconds: float) -> Dict[str, Any]:
    """The last line."""
    found = numbers(outcomes)
    return {
        "points": found[0], "ended_right": found[1], "ended_with_clear_error": found[2], "killed": found[3], "converged_on_rerun": found[4],
        "orphans": found[5], "duplicates": found[6], "neighbours_touched": found[7],
        "problems": sum(1 for outcome in outcomes if outcome.problem), "seconds": round(seconds, 1),
    }  # fmt: skip


def passed(result: Dict[str, Any]) -> bool:
    """Whether a summary is that of a suite that passed."""
    return bool(result["points"]) and not result["problems"] and result["converged_on_rerun"] == result["points"] and not (
        result["orphans"] or result["duplicates"] or result["neighbours_touched"]
    )


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--case", default="all", choices=["all", *cases.CASES, "kill", *OTHERS])
    parser.add_argument("--sample", type=int, default=0, help="so many points instead of all of them")
    parser.add_argument("--seed", type=int, default=1, help="which points a sample takes")
    parser.add_argument("--jobs", type=int, default=4, help="labs side by side")
    parser.add_argument("--write", action="store_true", help="put the table into docs/reliability.md")
    parser.add_argument("--verbose", action="store_true", help="a line for each point")
    parser.add_argument("--no-turns", action="store_true", help="without the lock of host_group, to see that --case concurrent finds what it is for")
    given = parser.parse_args()
    result = run(given.case, given.sample, given.jobs, given.seed, given.verbose, given.write and not given.no_turns, not given.no_turns)
    print(json.dumps(result))
    return 0 if passed(result) else 1


if __name__ == "__main__":
    sys.exit(main())
