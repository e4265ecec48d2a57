# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the commands of `azlab` do; each returns the exit status."""
from __future__ import annotations

import argparse
import asyncio
import contextlib
import fcntl
import ipaddress
import json
import os
import shlex
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from azlab import process, steering, store
from azlab.machines import egress
from azlab.process import is_running, require
from azlab.settings import Settings, SettingsError, base_directory, load

NOT_RUNNING = 3         # exit status of `status`: as that of a service that is stopped (LSB)
_CHANGEABLE = ("latency_scale", "core_quota")       # of the options of `up`: conditions, which a running lab takes too


def up(args: argparse.Namespace) -> int:
    """Start a lab, or say that it runs already."""
    settings = load(args.name)
    if settings and is_running(settings):
        _refuse_changes(settings, args)
        print(f"azlab '{args.name}' is already running: {settings.url}")
        return 0
    new = settings is None
    if settings:
        _refuse_another_place(settings, args)
    else:
        settings = Settings(name=args.name)
        if args.name != "default":
            settings.port = 0               # only the lab `default` has a port of its own; others take a free one
    chooses = new and args.machines == "docker" and args.public_range is None
    with _alone() if chooses else contextlib.nullcontext():
        if chooses:
            settings.public_range = _free_range()
        _choose(settings, args)
        settings.pid = 0
        settings.save()
        running = process.start(settings, quiet=args.quiet)
    if running is None:
        return 1
    print(f"azlab '{running.name}' is up: {running.url} (machines: {running.machines}). To use it: "
          f"eval \"$(azlab env --name {running.name})\"")
    if not args.quiet:
        print(f"  what happens in it, in a browser: {page(running)}")
    return 0


def page(settings: Settings) -> str:
    """The address of a running lab's page."""
    return f"http://127.0.0.1:{settings.admin_port}/page/"


def _refuse_changes(settings: Settings, args: argparse.Namespace) -> None:
    """Options that differ from what a lab runs with would be silently without effect."""
    wanted = {option: getattr(args, option) for option in ("machines", "port", "latency_scale", "public_range", "core_quota",
                                                         "subscriptions", "egress", "apps", "admin_port", "proxy_port")}
    if args.port == 0:
        del wanted["port"]                  # any port will do: it has one
    if args.admin_port == 0:
        del wanted["admin_port"]
    if args.proxy_port == 0:
        del wanted["proxy_port"]
    names = [option for option, value in wanted.items() if value is not None and value != getattr(settings, option)]
    if args.conditions is not None and settings.conditions != (str(Path(args.conditions).absolute()) if args.conditions else ""):
        names.append("conditions")
    if any(settings.given.get(key) != value for key, value in steering.assignments(args.set).items()):
        names.append("set")
    if not names:
        return
    options = ", ".join("--" + name.replace("_", "-") for name in names)
    change = "" if set(names) - {*_CHANGEABLE, "set", "conditions"} else f" To change conditions while it runs: azlab conditions --name {args.name}."
    raise SettingsError(f"lab '{args.name}' is already running, and without {options} as given here. They are taken at the start: "
                        f"azlab down --keep --name {args.name}, then again.{change}")


def _refuse_another_place(settings: Settings, args: argparse.Namespace) -> None:
    """What a lab gave out already (machines, addresses) has to be where it was: an address that no bridge of the lab holds any more
    would be looked for outside of this machine."""
    if not store.has_resources(settings.home / store.FILE):
        return
    for option in ("machines", "public_range"):
        given = getattr(args, option)
        if given is not None and given != getattr(settings, option):
            name = "--" + option.replace("_", "-")
            raise SettingsError(f"lab '{args.name}' was made with {name} {getattr(settings, option)}, which stays for as long as it is there, "
                                f"so {name} {given} is not possible: remove it first (azlab down --name {args.name}), or name another lab.")
    if args.subscriptions is not None and args.subscriptions < settings.subscriptions:
        raise SettingsError(f"lab '{args.name}' holds resources in up to {settings.subscriptions} subscriptions, so --subscriptions "
                            f"{args.subscriptions} is not possible: remove it first (azlab down --name {args.name}), or name another lab.")


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """One after the other: a range is free until the lab that chose it runs, and two that start together would choose the same
    (and build the same images twice). Held for a user of this machine, whatever their AZLAB_HOME is."""
    path = Path(tempfile.gettempdir()) / f"azlab-{os.getuid()}.lock"
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _free_range() -> str:
    """Public addresses that nothing on this machine uses, so that labs run side by side without being told."""
    # Imported here: a lab without machines needs no Docker SDK.
    from azlab.machines.docker import engine, internet
    from azlab.machines.driver import MachineError

    try:
        return internet.free_range(engine.connect())
    except MachineError as problem:
        raise SettingsError(str(problem)) from problem


def _choose(settings: Settings, args: argparse.Namespace) -> None:
    for option in ("machines", "port", "latency_scale", "public_range", "core_quota", "subscriptions", "egress", "apps", "admin_port",
                   "proxy_port"):
        value = getattr(args, option)
        if value is not None:
            setattr(settings, option, value)
    if args.conditions is not None:
        settings.conditions = str(Path(args.conditions).absolute()) if args.conditions else ""
        if settings.conditions and not Path(settings.conditions).is_file():
            raise SettingsError(f"--conditions '{args.conditions}' is no file.")
    settings.given = {key: value for key, value in {**settings.given, **steering.assignments(args.set)}.items() if value != ""}
    for option in ("port", "admin_port", "proxy_port"):
        if not 0 <= getattr(settings, option) <= 65535:
            raise SettingsError(f"--{option.replace('_', '-')} is {getattr(settings, option)}, but must be 0 to 65535.")
    if not 1 <= settings.subscriptions <= 100:
        raise SettingsError(f"--subscriptions is {settings.subscriptions}, but must be 1 to 100.")
    try:
        egress.parse(settings.egress, (), settings.public_range)
    except ValueError as problem:
        raise SettingsError(f"--egress: {problem}.") from None
    _check_apps(settings)
    if settings.latency_scale < 0:
        raise SettingsError(f"--latency-scale is {settings.latency_scale}, but must be 0 or more.")
    try:
        public = ipaddress.IPv4Network(settings.public_range)
    except ValueError as problem:
        raise SettingsError(f"--public-range '{settings.public_range}' is no IPv4 range: {problem}.") from None
    if public.prefixlen > 27:
        raise SettingsError(f"--public-range '{settings.public_range}' is too small: /27 or larger is needed.")


def _check_apps(settings: Settings) -> None:
    if settings.machines != "docker":
        return
    # Imported here: a lab without machines needs no Docker SDK.
    from azlab.images import images_for

    try:
        images_for(settings.apps)
    except ValueError as problem:
        raise SettingsError(f"--apps: {problem}.") from None


def down(args: argparse.Namespace) -> int:
    """Stop a lab and remove all that it made; with --keep only stop it."""
    settings = load(args.name)
    if settings is None and args.orphans:
        asyncio.run(_destroy(Settings(name=args.name, machines="docker")))
        print(f"what a lab '{args.name}' had left in the Docker engine is gone")
        return 0
    if settings is None:
        print(f"there is no lab '{args.name}': nothing to do")
        return 0
    process.stop_server(settings)
    if args.keep:
        print(f"azlab '{args.name}' is stopped; its state is kept in {settings.home}")
        return 0
    if settings.machines == "docker":
        asyncio.run(_destroy(settings))
    shutil.rmtree(settings.home)
    print(f"azlab '{args.name}' is gone")
    return 0


async def _destroy(settings: Settings) -> None:
    from azlab.server import make_driver
    driver = make_driver(settings)
    try:
        await driver.destroy()
    finally:
        await driver.close()


def _state(settings: Settings) -> dict[str, Any]:
    """What `status --json` says of a lab that exists."""
    if not is_running(settings):
        return {"name": settings.name, "running": False, "home": str(settings.home), "machines": settings.machines}
    return {**process.admin(settings, "/"), "running": True, "pid": settings.pid, "home": str(settings.home),
            "admin": f"http://127.0.0.1:{settings.admin_port}", "page": page(settings),
            "proxy": f"http://127.0.0.1:{settings.proxy_port}"}


def status(args: argparse.Namespace) -> int:
    """Is the lab running, and what is in it? Exit status 3 when it is not running."""
    if args.all:
        return _all(args)
    settings = load(args.name)
    state = _state(settings) if settings else {"name": args.name, "running": False, "home": None}
    if args.json:
        print(json.dumps(state))
    elif settings is None:
        print(f"azlab '{args.name}' is not running: there is no lab of this name in {base_directory()}. To make it: azlab up --name {args.name}")
    elif not state["running"]:
        print(f"azlab '{args.name}' is not running; its state is kept in {settings.home}. To go on: azlab up --name {args.name}")
    else:
        _print_state(settings, state)
    return 0 if state["running"] else NOT_RUNNING


def _print_state(settings: Settings, state: dict[str, Any]) -> None:
    print(f"azlab '{settings.name}' is running (pid {settings.pid})\n  API       {settings.url}\n"
          f"  page      {page(settings)}\n  admin     {state['admin']}\n"
          f"  proxy     {state['proxy']}\n  subscriptions  {', '.join(state['subscriptions'])}\n  machines  {settings.machines}\n"
          f"  latency   {state['latency_scale']} x Azure's\n  state     {settings.home}\n"
          f"  operations in flight: {state['operations_in_flight']}, requests so far: {state['requests']}")
    for type_name, count in sorted(state["resources"].items()):
        print(f"  {count:5d}  {type_name}")


def _all(args: argparse.Namespace) -> int:
    """All labs of this user, a line each."""
    names = sorted(file.parent.name for file in base_directory().glob("*/lab.json"))
    states = [_state(settings) for name in names if (settings := load(name))]
    if args.json:
        print(json.dumps(states))
    elif not states:
        print(f"there is no lab in {base_directory()}")
    for state in states if not args.json else ():
        print(f"{state['name']:22}{'running  ' + state['url'] if state['running'] else 'stopped'}")
    return 0


def logs(args: argparse.Namespace) -> int:
    """Print the server's log (or with --requests the log of requests)."""
    settings = require(args.name)
    path = settings.home / ("requests.jsonl" if args.requests else "azlab.log")
    if not path.exists():
        print(f"there is no log yet: {path}", file=sys.stderr)
        return 1
    if args.follow:
        os.execvp("tail", ["tail", "-n", str(args.lines), "-F", str(path)])
    if text := process.tail(path, args.lines):
        print(text)
    elif args.lines:
        print(f"nothing is logged yet: {path}", file=sys.stderr)
    return 0


def env(args: argparse.Namespace) -> int:
    """Print what a shell needs. It holds the lab's client secret."""
    settings = require(args.name)
    variables = settings.proxy_environment() if args.proxy else settings.environment()
    shell = "json" if args.json else args.shell
    if args.unset:
        names = " ".join(variables)
        print({"bash": f"unset {names}", "fish": f"set -e {names};", "json": json.dumps(list(variables))}[shell])
        return 0
    if not is_running(settings):
        print(f"azlab: note: lab '{args.name}' is not running: start it with 'azlab up --name {args.name}'.", file=sys.stderr)
    if shell == "json":
        print(json.dumps(variables))
        return 0
    for name, value in variables.items():
        print(f"set -gx {name} {_fish_quote(value)};" if shell == "fish" else f"export {name}={shlex.quote(value)}")
    return 0


def _fish_quote(value: str) -> str:
    """A word for fish: inside single quotes only the backslash and the quote itself are special.
    https://fishshell.com/docs/current/language.html#quotes"""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def run_doctor(args: argparse.Namespace) -> int:
    """Check what the lab needs; loaded here, since it needs Docker's SDK and the other commands must be quick."""
    from azlab import doctor
    return doctor.run(args)


def reset(args: argparse.Namespace) -> int:
    """Empty a running lab: resources, machines, operations, locks and faults go, addresses and identities stay."""
    settings = require(args.name)
    if not is_running(settings):
        raise SettingsError(f"lab '{args.name}' is not running: start it with 'azlab up', or remove it with 'azlab down'.")
    print(f"azlab '{args.name}': {process.admin(settings, '/reset', method='POST', seconds=600)['removed']} resources removed")
    return 0


def conformance(args: argparse.Namespace) -> int:
    """Replay recorded exchanges with Azure against a fresh lab."""
    from azlab.conformance.__main__ import main as replay
    return replay([args.folder, *(["--known", args.known] if args.known else []), *(["--verbose"] if args.verbose else [])])
