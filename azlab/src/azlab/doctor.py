# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`azlab doctor`: is everything there that a lab needs, and is anything left over?"""
from __future__ import annotations

import argparse
import os
import shutil
import socket
import sys
from dataclasses import dataclass

from azlab.machines.docker import leftovers
from azlab.machines.docker.engine import connect
from azlab.machines.docker.kernel import enough_for
from azlab.machines.docker.leftovers import Leftover
from azlab.machines.driver import MachineError
from azlab.settings import Settings, base_directory, load


def _check_port(settings: Settings) -> str | None:
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", settings.port)) == 0:
            return f"port {settings.port} is taken by another program: start the lab with --port 0"
    return None


def _check_hosts(docker_problem: str | None) -> list[str]:
    """What hosts need beside an engine: a kernel, and the tool that their base image is built with."""
    problems = [docker_problem] if docker_problem else []
    if not sys.platform.startswith("linux"):
        problems.append("hosts need Linux: their images are Debian systems that run systemd")
    if not shutil.which("mmdebstrap"):
        problems.append("mmdebstrap is not installed, with which the base image of hosts is built: apt-get install mmdebstrap")
    return problems


@dataclass(frozen=True)
class Orphan:
    """What a lab left whose state is gone."""

    lab: str
    count: int
    certain: bool           # it says itself where its state was, and that is not there any more


def orphans(found: list[Leftover]) -> list[Orphan]:
    """Labs that made something in the engine and have no state: neither where they say that it is, nor here."""
    labs: dict[str, list[Leftover]] = {}
    for item in found:
        labs.setdefault(item.lab, []).append(item)
    lost = []
    for lab, items in labs.items():
        homes = {item.home for item in items if item.home} or {str(base_directory() / lab)}
        if not any(_exists(home) for home in homes):
            lost.append(Orphan(lab, len(items), any(item.home for item in items)))
    return lost


def _exists(path: str) -> bool:
    """Also true for what this user may not look at."""
    try:
        os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    return True


def _look_at_docker(fix: bool) -> str | None:
    """Names what labs without state left in the engine, and removes it with `fix`; what is wrong with the engine, if anything is."""
    try:
        client = connect()
    except MachineError as problem:
        return problem.message
    try:
        for orphan in orphans(leftovers.find(client)):
            if fix and orphan.certain:
                removed = leftovers.remove(client, orphan.lab)
                print(f"removed: {len(removed)} containers, networks, volumes and loop devices of the lab '{orphan.lab}', whose state is gone")
                continue
            print(f"note: {orphan.count} containers, networks, volumes or loop devices of a lab '{orphan.lab}' whose state is gone: "
                  + ("azlab doctor --fix" if orphan.certain else f"if nobody uses it any more: azlab down --name {orphan.lab} --orphans"))
    finally:
        client.close()
    return None


def run(args: argparse.Namespace) -> int:
    """Print one line per check; exit status 1 when a check fails."""
    from azlab.process import is_running
    settings = load(args.name)
    problems: list[str] = []
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
    docker_problem = _look_at_docker(args.fix)
    if (args.machines or (settings.machines if settings else "none")) == "docker":
        problems += _check_hosts(docker_problem)
        if enough := enough_for():
            print(f"hosts: the kernel's inotify instances last for about {enough} at once (more: sysctl -w fs.inotify.max_user_instances=1024)")
    print(f"docker: {docker_problem or 'answers'}")
    for problem in problems:
        print(f"PROBLEM: {problem}")
    if not problems:
        print("nothing is in the way of a lab")
    return 1 if problems else 0
