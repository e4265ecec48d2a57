# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`azlab doctor`: is everything there that a lab needs, and is anything left over?"""
from __future__ import annotations

import argparse
import socket
import sys

from azlab.machines.docker import leftovers
from azlab.machines.docker.engine import connect
from azlab.machines.docker.leftovers import Leftover
from azlab.machines.driver import MachineError
from azlab.settings import Settings, base_directory, load


def _check_port(settings: Settings) -> str | None:
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", settings.port)) == 0:
            return f"port {settings.port} is taken by another program: start the lab with --port 0"
    return None


def _check_docker() -> tuple[str | None, list[Leftover]]:
    """(what is wrong with the engine, what labs made in it)."""
    try:
        client = connect()
    except MachineError as problem:
        return problem.message, []
    try:
        return None, leftovers.find(client)
    finally:
        client.close()


def orphans(found: list[Leftover]) -> dict[str, int]:
    """{lab: how many things it left} of labs that have no state here."""
    counts: dict[str, int] = {}
    for item in found:
        if not (base_directory() / item.lab / "lab.json").exists():
            counts[item.lab] = counts.get(item.lab, 0) + 1
    return counts


def run(args: argparse.Namespace) -> int:
    """Print one line per check; exit status 1 when a check fails."""
    from azlab.cli import is_running
    settings = load(args.name)
    problems = []
    if sys.version_info < (3, 11):
        problems.append("Python 3.11 or newer is needed")
    if settings is None:
        print(f"no lab '{args.name}' in {base_directory()}")
    else:
        running = is_running(settings)
        print(f"lab '{args.name}': {'running' if running else 'not running'}, state in {settings.home}")
        if settings.pid and not running:
            print("  the server ended without being asked to: 'azlab up' takes up its state")
        if not running and (problem := _check_port(settings)):
            problems.append(problem)
        if (settings.home.stat().st_mode & 0o077) != 0:
            problems.append(f"{settings.home} can be read by others: chmod 700 {settings.home}")
    docker_problem, found = _check_docker()
    if docker_problem and settings and settings.machines == "docker":
        problems.append(docker_problem)
    print(f"docker: {docker_problem or 'answers'}")
    for lab, count in orphans(found).items():
        print(f"note: {count} containers, networks or volumes of a lab '{lab}' whose state is not in {base_directory()}; if "
              f"nobody uses it any more: azlab down --name {lab} --orphans")
    for problem in problems:
        print(f"PROBLEM: {problem}")
    return 1 if problems else 0
