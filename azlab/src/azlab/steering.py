# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`azlab conditions` and `azlab faults`: change a running lab from the command line, through its admin API."""
from __future__ import annotations

import argparse
import json
import sys
import urllib.error
from pathlib import Path
from typing import Any

from azlab.settings import SettingsError


def assignments(words: list[str]) -> dict[str, Any]:
    """{"core_quota": 10} of ["core_quota=10"]: values are JSON, or text where they are none. Raises SettingsError."""
    found: dict[str, Any] = {}
    for word in words:
        key, equals, text = word.partition("=")
        if not equals or not key:
            raise SettingsError(f"'{word}' is no KEY=VALUE, as in core_quota=10.")
        try:
            found[key] = json.loads(text)
        except ValueError:
            found[key] = text
    return found


def read(source: str, what: str) -> Any:
    """JSON from a file, from standard input ('-') or written out. Raises SettingsError."""
    try:
        if source == "-":
            return json.load(sys.stdin)
        return json.loads(source if source.lstrip()[:1] in ("{", "[") else Path(source).read_text())
    except (OSError, ValueError) as problem:
        raise SettingsError(f"{what} '{source}' cannot be read as JSON: {problem}") from None


def conditions(args: argparse.Namespace) -> int:
    """Show the conditions of a running lab, or change them."""
    if not args.change:
        _print(_admin(args, "/conditions"))
        return 0
    if len(args.change) == 1 and "=" not in args.change[0].partition("{")[0]:
        data = read(args.change[0], "the conditions")
    else:
        data = assignments(args.change)
    _print(_admin(args, "/conditions", "POST", data))
    return 0


def faults(args: argparse.Namespace) -> int:
    """Show, add or remove the faults of a running lab."""
    if args.action in ("list", "add") and len(args.argument) != (args.action == "add"):
        raise SettingsError("give one rule to 'azlab faults add': JSON, a file that holds it, or '-'."
                            if args.action == "add" else "'azlab faults list' takes nothing else.")
    if args.action == "list":
        _print(_admin(args, "/faults")["faults"])
    elif args.action == "add":
        rules = read(args.argument[0], "the fault")
        for rule in rules if isinstance(rules, list) else [rules]:
            print(_admin(args, "/faults", "POST", rule)["id"])
    else:
        _remove(args)
    return 0


def _remove(args: argparse.Namespace) -> None:
    if not args.argument:
        raise SettingsError("name the faults to remove by their numbers ('azlab faults list' shows them), or all of them with 'all'.")
    for number in args.argument:
        path = "/faults" if number == "all" else f"/faults/{number}"
        _admin(args, path, "DELETE", missing=f"there is no fault {number}: 'azlab faults list' shows those that there are.")


def _admin(args: argparse.Namespace, path: str, method: str = "GET", data: Any = None, missing: str = "") -> Any:
    from azlab.process import admin, is_running, require
    settings = require(args.name)
    if not is_running(settings):
        raise SettingsError(f"lab '{args.name}' is not running: start it with 'azlab up --name {args.name}'.")
    try:
        return admin(settings, path, method=method, data=data)
    except urllib.error.HTTPError as problem:
        raise SettingsError(missing if problem.code == 404 and missing else problem.read().decode(errors="replace")) from None


def _print(data: Any) -> None:
    print(json.dumps(data, indent=2))


def add_commands(command: Any) -> None:
    """The two commands, with the function that makes one."""
    shown = command("conditions", conditions, "Show the conditions of a running lab (latencies, quota, throttling, pages, faults), or change them.")
    shown.add_argument("change", nargs="*", metavar="KEY=VALUE | FILE | -",
                       help="what to change, as in latency_scale=0.1 core_quota=100 throttling=true, or a file of JSON (docs/azlab.md)")
    rules = command("faults", faults, "Let requests and operations of a running lab fail.")
    rules.add_argument("action", nargs="?", choices=("list", "add", "remove"), default="list", help="default: list")
    rules.add_argument("argument", nargs="*", metavar="RULE | FILE | - | NUMBER | all",
                       help="add: the rule as JSON (docs/azlab.md), a file or '-'; remove: numbers, or 'all'")
