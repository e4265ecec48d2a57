# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""python -m azlab.conformance FOLDER [--known FILE] [--show N] [--verbose]"""
from __future__ import annotations

import argparse
import contextlib
import json
import logging
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from azlab import testing
from azlab.catalogue import Catalogue
from azlab.conformance import errors_table, known
from azlab.conformance.client import Client
from azlab.conformance.compare import Difference
from azlab.conformance.recordings import Case, Exchange, load
from azlab.conformance.replay import Replay, type_of


class Report:
    """Counts exchanges; an exchange is matched, explained by rules, or unexplained."""

    def __init__(self, rules: list[known.Rule], verbose: bool) -> None:
        self.rules, self.verbose = rules, verbose
        self.counts = Counter(exchanges=0, matched=0, explained=0, unexplained=0)
        self.substituted: Counter[str] = Counter()
        self.unexplained: list[str] = []

    def add(self, name: str, differences: list[Difference], context: known.Context) -> None:
        self.counts["exchanges"] += 1
        if not differences:
            self.counts["matched"] += 1
            return
        left = []
        for difference in differences:
            rule = known.explain(self.rules, difference, context)
            if rule is None:
                left.append(difference)
            elif self.verbose:
                print(f"explained {name} {context.method} {context.type}: {difference} [{rule.name}]")
        self.counts["unexplained" if left else "explained"] += 1
        self.unexplained += [f"{name} {context.method} {context.type} {context.api_version} "
                             f"{','.join(sorted(context.tags))}: {d}" for d in left]


def replay_all(folder: Path, rules: list[known.Rule], verbose: bool) -> Report:
    """Replay a folder against a lab of its own; raises RuntimeError when the folder holds nothing to replay."""
    report, catalogue = Report(rules, verbose), Catalogue()
    with testing.lab("conformance") as lab:
        client = Client(lab)
        try:
            for kind, item in load(folder, lab.subscription, print):
                if kind == "error":
                    _error(report, item, client.types)        # type: ignore[arg-type]
                else:
                    _case(report, client, catalogue, item)      # type: ignore[arg-type]
        finally:
            client.close()
    return report


def _case(report: Report, client: Client, catalogue: Catalogue, case: Case) -> None:
    replay = Replay(client, catalogue, case)
    first = case.first
    results: list[tuple[Exchange, list[Difference]]]
    try:
        results = replay.run()
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as problem:
        # a body of an unforeseen form must not hide the other cases; it is never explained by a rule
        results = [(first, [Difference("unreadable", "", case.name, repr(problem))])]
    report.substituted.update(t for t in replay.tags if t.startswith("substituted-"))
    for index, (exchange, differences) in enumerate(results):
        context = known.Context(
            type=type_of(first.path), method=first.method if index == 0 else f"{first.method} then {exchange.method}",
            api_version=first.api_version, tags=frozenset(replay.tags),
            request=json.dumps(first.request) + json.dumps(exchange.body))
        report.add(f"{case.name}#{index}", differences, context)


def _error(report: Report, entry: dict[str, Any], served: set[str]) -> None:
    differences = errors_table.compare(entry)
    kind = str(entry.get("type") or "").lower()
    if entry.get("status") == 200 or "/locations/" in kind:
        tags = {"of-an-operation"}
    else:
        tags = set() if not kind or kind in served else {"type-not-served"}
    report.add(entry["name"], differences, known.Context(
        type=kind, method="error", api_version="", tags=frozenset(tags), request=""))


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """No message of any logger up to errors, and afterwards as before: whoever calls this may want its own."""
    before = logging.root.manager.disable
    logging.disable(logging.ERROR)
    try:
        yield
    finally:
        logging.disable(before)


def main(arguments: list[str] | None = None) -> int:
    """0 when nothing is left unexplained, 1 when something is, 2 when nothing could be replayed."""
    parser = argparse.ArgumentParser(prog="azlab conformance", description="Replay recorded exchanges with Azure against a fresh lab "
                                     "and compare status, headers and the shape of bodies.")
    parser.add_argument("folder", type=Path, help="folder of recordings (*.json)")
    parser.add_argument("--known", type=Path, help="list of known differences (default: the one that comes with the lab)")
    parser.add_argument("--show", type=int, default=50, help="how many unexplained differences are shown (default 50)")
    parser.add_argument("--verbose", action="store_true", help="show the explained differences too")
    options = parser.parse_args(arguments)
    if not options.folder.is_dir():
        print(f"There is no folder '{options.folder}': give one that holds recordings.", file=sys.stderr)
        return 2
    try:
        with _quiet():                          # operations are let fail on purpose
            report = replay_all(options.folder, known.load(options.known), options.verbose)
    except known.KnownError as problem:
        print(problem, file=sys.stderr)
        return 2
    _print(report, options.show)
    if not report.counts["exchanges"]:
        print(f"'{options.folder}' holds no recorded exchange.", file=sys.stderr)
        return 2
    return 1 if report.counts["unexplained"] else 0


def _print(report: Report, show: int) -> None:
    if report.substituted:
        print("replaced in requests (removed by the recordings' authors, or not in the lab's catalogue): "
              + ", ".join(f"{k.removeprefix('substituted-')} in {n}" for k, n in sorted(report.substituted.items())))
    for rule in sorted((r for r in report.rules if r.used), key=lambda r: -r.used):
        print(f"known {rule.name}: {rule.used} differences: {rule.reason}")
    for rule in (r for r in report.rules if not r.used):
        print(f"unused {rule.name}: it explains nothing in this folder")
    for line in report.unexplained[:show]:
        print("UNEXPLAINED", line)
    if len(report.unexplained) > show:
        print(f"… and {len(report.unexplained) - show} more (--show)")
    print(json.dumps(dict(report.counts)))


if __name__ == "__main__":
    sys.exit(main())
