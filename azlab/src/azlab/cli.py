# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`azlab`: start, stop and look at labs."""
from __future__ import annotations

import argparse
import asyncio
import ipaddress
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from azlab import __version__, steering
from azlab.machines import egress
from azlab.machines.driver import MachineError
from azlab.settings import Settings, SettingsError, base_directory, load

UP_TIMEOUT = {"none": 30, "docker": 1800}


def server_pid(settings: Settings) -> int:
    """The process of this lab's server, ready or still starting; 0 when there is none."""
    try:
        pid = settings.pid or int((settings.home / "lock").read_text() or 0)
        command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except (OSError, ValueError):
        return 0
    return pid if b"azlab.server" in command and settings.name.encode() in command else 0


def is_running(settings: Settings) -> bool:
    """Does this lab's server serve?"""
    return bool(settings.pid) and server_pid(settings) == settings.pid


def admin(settings: Settings, path: str, *, method: str = "GET", data: Any = None, seconds: float = 10) -> Any:
    """One request to the admin API of a running lab."""
    body = None if data is None else json.dumps(data).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{settings.admin_port}{path}", body, {"Content-Type": "application/json"},
                                     method=method)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=seconds) as answer:
        return json.load(answer)


def require(name: str) -> Settings:
    settings = load(name)
    if settings is None:
        raise SettingsError(f"there is no lab '{name}': make it with 'azlab up --name {name}'.")
    return settings


def up(args: argparse.Namespace) -> int:
    """Start a lab, or say that it runs already."""
    settings = load(args.name)
    if settings and is_running(settings):
        print(f"azlab '{args.name}' is already running: {settings.url}")
        return 0
    if settings is None:
        settings = Settings(name=args.name)
        if args.name != "default":
            settings.port = 0               # only the lab `default` has a port of its own; others take a free one
        if args.machines == "docker" and args.public_range is None:
            settings.public_range = _free_range()
    _choose(settings, args)
    settings.pid = 0
    settings.save()
    log_path = settings.home / "azlab.log"
    with log_path.open("ab") as log:
        offset = log.tell()
        process = subprocess.Popen([sys.executable, "-m", "azlab.server", settings.name], stdin=subprocess.DEVNULL,
                                   stdout=log, stderr=log, start_new_session=True, cwd="/")
    try:
        return _wait_ready(settings, process, log_path, offset, quiet=args.quiet)
    except KeyboardInterrupt:
        process.terminate()
        raise


def _wait_ready(settings: Settings, process: subprocess.Popen[bytes], log_path: Path, offset: int, *,
                quiet: bool) -> int:
    """Follow the server's log until it serves or ends; the exit status of `up`."""
    deadline = time.monotonic() + UP_TIMEOUT[settings.machines]
    shown, name = offset, settings.name
    while time.monotonic() < deadline:
        shown = _show_progress(log_path, shown, quiet=quiet)
        fresh = load(name)
        if fresh and fresh.pid == process.pid:
            _show_progress(log_path, shown, quiet=quiet)
            print(f"azlab '{name}' is up: {fresh.url} (machines: {fresh.machines}). To use it: "
                  f"eval \"$(azlab env --name {name})\"")
            return 0
        if process.poll() is not None:
            break
        time.sleep(0.05)
    else:
        process.terminate()
        print(f"azlab '{name}' did not get ready in time; its log: {log_path}", file=sys.stderr)
        return 1
    print(f"azlab '{name}' did not start; the end of its log ({log_path}):", file=sys.stderr)
    print(_tail(log_path, 8, offset), file=sys.stderr)
    return 1


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
    for option in ("machines", "port", "latency_scale", "public_range", "core_quota", "egress", "admin_port"):
        value = getattr(args, option)
        if value is not None:
            setattr(settings, option, value)
    if args.conditions is not None:
        settings.conditions = str(Path(args.conditions).absolute()) if args.conditions else ""
        if settings.conditions and not Path(settings.conditions).is_file():
            raise SettingsError(f"--conditions '{args.conditions}' is no file.")
    settings.given = {key: value for key, value in {**settings.given, **steering.assignments(args.set)}.items() if value != ""}
    for option in ("port", "admin_port"):
        if not 0 <= getattr(settings, option) <= 65535:
            raise SettingsError(f"--{option.replace('_', '-')} is {getattr(settings, option)}, but must be 0 to 65535.")
    try:
        egress.parse(settings.egress, (), settings.public_range)
    except ValueError as problem:
        raise SettingsError(f"--egress: {problem}.") from None
    if settings.latency_scale < 0:
        raise SettingsError(f"--latency-scale is {settings.latency_scale}, but must be 0 or more.")
    try:
        public = ipaddress.IPv4Network(settings.public_range)
    except ValueError as problem:
        raise SettingsError(f"--public-range '{settings.public_range}' is no IPv4 range: {problem}.") from None
    if public.prefixlen > 27:
        raise SettingsError(f"--public-range '{settings.public_range}' is too small: /27 or larger is needed.")


def _show_progress(path: Path, offset: int, *, quiet: bool) -> int:
    """Print what the server logged since `offset`; returns how far it was read."""
    with path.open("rb") as log:
        log.seek(offset)
        data = log.read()
    if b"\n" not in data:
        return offset
    data = data[:data.rindex(b"\n") + 1]
    if not quiet:
        for line in data.decode(errors="replace").splitlines():
            if " azlab.server: " in line and " INFO " in line:
                print("  " + line.split(" azlab.server: ", 1)[1], flush=True)
    return offset + len(data)


def _tail(path: Path, count: int, offset: int = 0) -> str:
    with path.open("rb") as log:
        log.seek(offset)
        return "\n".join(log.read().decode(errors="replace").splitlines()[-count:])


def stop_server(settings: Settings, seconds: float = 20) -> None:
    """Ask the server to stop and wait for it; kill it when it does not listen."""
    pid = server_pid(settings)
    if not pid:
        return
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and server_pid(settings) == pid:
        time.sleep(0.05)
    if server_pid(settings) == pid:
        os.kill(pid, signal.SIGKILL)


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
    stop_server(settings)
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


def status(args: argparse.Namespace) -> int:
    """Is the lab running, and what is in it? Exit status 3 when it is not running."""
    settings = load(args.name)
    if settings is None or not is_running(settings):
        print(f"azlab '{args.name}' is not running")
        return 3
    state = admin(settings, "/")
    if args.json:
        print(json.dumps({**state, "pid": settings.pid, "admin": f"http://127.0.0.1:{settings.admin_port}"}))
        return 0
    print(f"azlab '{args.name}' is running (pid {settings.pid})\n  API       {settings.url}\n"
          f"  page      http://127.0.0.1:{settings.admin_port}/page/\n  admin     http://127.0.0.1:{settings.admin_port}\n  machines  {settings.machines}\n"
          f"  latency   {state['latency_scale']} x Azure's\n  state     {settings.home}\n"
          f"  operations in flight: {state['operations_in_flight']}, requests so far: {state['requests']}")
    for type_name, count in sorted(state["resources"].items()):
        print(f"  {count:5d}  {type_name}")
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
    print(_tail(path, args.lines))
    return 0


def env(args: argparse.Namespace) -> int:
    """Print what a shell needs. It holds the lab's client secret."""
    settings = require(args.name)
    variables = settings.environment()
    shell = "json" if args.json else args.shell
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
    print(f"azlab '{args.name}': {admin(settings, '/reset', method='POST', seconds=600)['removed']} resources removed")
    return 0


def conformance(args: argparse.Namespace) -> int:
    """Replay recorded exchanges with Azure against a fresh lab."""
    from azlab.conformance.__main__ import main as replay
    return replay([args.folder, *(["--known", args.known] if args.known else []), *(["--verbose"] if args.verbose else [])])


def parser() -> argparse.ArgumentParser:
    """The command line."""
    root = argparse.ArgumentParser(prog="azlab", description="A lab Azure on this machine.")
    root.add_argument("--version", action="version", version=f"azlab {__version__}")
    commands = root.add_subparsers(dest="command", required=True)

    def command(name: str, function: Any, text: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text, description=text)
        sub.add_argument("--name", default=os.environ.get("AZLAB_NAME", "default"),
                         help="name of the lab (default: $AZLAB_NAME, or 'default')")
        sub.set_defaults(function=function)
        return sub

    start = command("up", up, "Start a lab and wait until it serves.")
    start.add_argument("--machines", choices=("none", "docker"),
                       help="none: control plane only; docker: virtual machines are containers that run systemd")
    start.add_argument("--port", type=int, help="port of the API (default 8443 for the lab 'default', a free one for others; 0 takes a free one)")
    start.add_argument("--admin-port", type=int, help="port of the admin API (default: a free one)")
    start.add_argument("--latency-scale", type=float,
                       help="0: as fast as possible (default); 1: as slow as Azure was measured to be")
    start.add_argument("--public-range", help="range of public addresses (default: with machines a free part of "
                       "203.0.113.0/24 or 198.51.100.0/24, without them 203.0.113.0/24)")
    start.add_argument("--egress", metavar="packages|none|open|NAME,RANGE,…", help="where machines with a way out get to beyond the lab: "
                       "the package mirrors (default), nowhere, anywhere, or named hosts and ranges besides the mirrors")
    start.add_argument("--core-quota", type=int, help="cores per region before Azure's quota error (default 4000)")
    start.add_argument("--conditions", "--config", metavar="FILE", help="file with latencies, faults, quota, throttling and page size "
                       "(docs/azlab.md); an empty text takes it back")
    start.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="one of the conditions, over those of the "
                       "file, as in throttling=true or 'faults=[{\"path\": \"virtualMachines\", \"status\": 503}]'; an empty value takes it back")
    start.add_argument("--quiet", action="store_true", help="no progress, only the result")
    stop = command("down", down, "Stop a lab and remove all that it made.")
    stop.add_argument("--keep", action="store_true", help="only stop it: 'azlab up' goes on where it was")
    stop.add_argument("--orphans", action="store_true",
                      help="remove containers, networks, volumes and loop devices of a lab whose state is lost (see azlab doctor)")
    command("status", status, "Say whether a lab runs and what is in it.").add_argument(
        "--json", action="store_true", help="for programs")
    show = command("logs", logs, "Print the log of a lab.")
    show.add_argument("--requests", action="store_true", help="the requests, as lines of JSON")
    show.add_argument("--follow", "-f", action="store_true", help="go on printing")
    show.add_argument("--lines", "-n", type=int, default=50, help="how many lines (default 50)")
    exports = command("env", env, "Print what a shell needs to use the lab: eval \"$(azlab env)\", or in fish: azlab env --shell fish | source.")
    exports.add_argument("--shell", choices=("bash", "fish", "json"), default="bash",
                         help="bash (default; for zsh, dash and ksh too), fish, or json for programs")
    exports.add_argument("--json", action="store_true", help="the same as --shell json")
    steering.add_commands(command)
    command("reset", reset, "Empty a running lab and leave it running.")
    replayed = command("conformance", conformance, "Compare a fresh lab with recorded exchanges with Azure.")
    replayed.add_argument("folder", help="folder of recordings")
    replayed.add_argument("--known", help="list of known differences (default: the one that comes with the lab)")
    replayed.add_argument("--verbose", action="store_true", help="show the explained differences too")
    command("doctor", run_doctor, "Check what the lab needs on this machine, and what is left over.").add_argument(
        "--fix", action="store_true", help="remove what labs whose state is gone left in the Docker engine and in the kernel")
    return root


def main(argv: list[str] | None = None) -> int:
    """Entry point of the command."""
    args = parser().parse_args(argv)
    try:
        return int(args.function(args))
    except (SettingsError, MachineError, urllib.error.URLError) as problem:
        print(f"azlab: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("azlab: interrupted", file=sys.stderr)
        return 130
    except PermissionError as problem:
        print(f"azlab: {problem.filename} cannot be read or written: is it another user's lab? "
              f"Labs of this user are in {base_directory()}.", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
