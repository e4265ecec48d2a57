# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`azlab`: start, stop and look at labs. Here is the command line; what the commands do is in `commands`."""
from __future__ import annotations

import argparse
import os
import re
import signal
import sys
import urllib.error
from typing import Any

from azlab import __version__, commands, steering
from azlab.machines.driver import MachineError
from azlab.settings import SettingsError, base_directory

EPILOG = """\
A first lab:
  azlab up                      control plane only; with real hosts: azlab up --machines docker
  eval "$(azlab env)"           this shell's az, Ansible and SDKs use the lab
  azlab status                  what is in it, and the address of its page
  azlab down                    all of it is gone

Exit status: 0 done, 1 could not be done, 2 wrong usage, 3 (status) the lab does not run.
Labs live in $AZLAB_HOME, or ~/.local/state/azlab. More: docs/azlab.md of the project."""
EXAMPLES = {
    "up": """\
Options that are given once stay with the lab, for the next 'azlab up' as well.

examples:
  azlab up --machines docker                      hosts that one can SSH into (needs a Docker engine)
  azlab up --name ci --port 0 --quiet             a second lab, on a free port
  azlab up --latency-scale 1                      as slow as Azure
  azlab up --set throttling=true --set page_size=50""",
    "down": """\
examples:
  azlab down            resources, machines, networks, volumes and state are removed
  azlab down --keep     stopped; 'azlab up' goes on with the same resources, addresses and identities""",
    "status": """\
Exit status: 0 when the lab runs, 3 when it does not.

examples:
  azlab status --json | jq -r .page
  azlab status --all""",
    "logs": """\
examples:
  azlab logs -f
  azlab logs --requests -n 1000 | jq -r 'select(.status >= 400) | [.method, .path, .status] | @tsv'""",
    "env": """\
examples:
  eval "$(azlab env)"                   bash, zsh, dash, ksh
  azlab env --shell fish | source       fish
  azlab env --shell json                programs
  eval "$(azlab env --proxy)"           for clients that know no other address than management.azure.com
  eval "$(azlab env --unset)"           this shell is as before

The output holds the lab's client secret. REQUESTS_CA_BUNDLE is set to the lab's own CA, so that Python programs in this
shell trust nothing else meanwhile: use a shell of its own, or --unset, for pip and the like.""",
    "reset": """\
example:
  azlab reset && pytest       each run begins with an empty lab, without waiting for a start""",
    "doctor": """\
Exit status: 0 when a lab can run here, 1 when something is in the way.
With --machines docker what hosts need is checked as well.""",
}


def count(text: str) -> int:
    """A number of lines."""
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError(f"{text} is less than 0")
    return number


def parser() -> argparse.ArgumentParser:
    """The command line."""
    form = argparse.RawDescriptionHelpFormatter
    root = argparse.ArgumentParser(prog="azlab", description="A lab Azure on this machine.", epilog=EPILOG, formatter_class=form)
    root.add_argument("--version", action="version", version=f"azlab {__version__}")
    subparsers = root.add_subparsers(dest="command", metavar="COMMAND", title="commands")

    def command(name: str, function: Any, text: str) -> argparse.ArgumentParser:
        sub = subparsers.add_parser(name, help=re.split(r" \(|: ", text)[0].rstrip("."), description=text, epilog=EXAMPLES.get(name), formatter_class=form)
        if name != "conformance":
            sub.add_argument("--name", default=os.environ.get("AZLAB_NAME") or "default",
                             help="name of the lab (default: $AZLAB_NAME, or 'default')")
        sub.set_defaults(function=function)
        return sub

    _add_up(command("up", commands.up, "Start a lab and wait until it serves."))
    stop = command("down", commands.down, "Stop a lab and remove all that it made.")
    stop.add_argument("--keep", action="store_true", help="only stop it: 'azlab up' goes on where it was")
    stop.add_argument("--orphans", action="store_true",
                      help="remove containers, networks, volumes and loop devices of a lab whose state is lost (see azlab doctor)")
    shown = command("status", commands.status, "Say whether a lab runs and what is in it.")
    shown.add_argument("--json", action="store_true", help="one object of JSON, also when it does not run: 'running' says so")
    shown.add_argument("--all", action="store_true", help="all labs of this user, a line each")
    _add_logs(command("logs", commands.logs, "Print the log of a lab, or its requests."))
    _add_env(command("env", commands.env, "Print what a shell needs so that its clients use the lab."))
    steering.add_commands(command)
    command("reset", commands.reset, "Empty a running lab and leave it running: resources, machines, operations, locks and faults go, "
            "addresses and identities stay.")
    checked = command("doctor", commands.run_doctor, "Check what a lab needs on this machine, and what is left over.")
    checked.add_argument("--machines", choices=("none", "docker"), help="what kind of lab is meant (default: that of the lab, or none)")
    checked.add_argument("--fix", action="store_true", help="remove what labs whose state is gone left in the Docker engine and in the kernel")
    replayed = command("conformance", commands.conformance, "Compare a fresh lab with recorded exchanges with Azure.")
    replayed.add_argument("folder", help="folder of recordings")
    replayed.add_argument("--known", help="list of known differences (default: the one that comes with the lab)")
    replayed.add_argument("--verbose", action="store_true", help="show the explained differences too")
    return root


def _add_logs(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--requests", action="store_true", help="the requests, as lines of JSON")
    sub.add_argument("--follow", "-f", action="store_true", help="go on printing, until Ctrl-C")
    sub.add_argument("--lines", "-n", type=count, metavar="N", default=50, help="the last N lines (default 50)")


def _add_env(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--shell", choices=("bash", "fish", "json"), default="bash",
                     help="bash (default; zsh, dash and ksh read it too), fish, or json for programs")
    sub.add_argument("--json", action="store_true", help="the same as --shell json")
    sub.add_argument("--proxy", action="store_true",
                     help="for clients that insist on management.azure.com: a proxy leads them to the lab")
    sub.add_argument("--unset", action="store_true", help="print what takes the variables back (with --proxy: those of --proxy)")


def _add_up(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--machines", choices=("none", "docker"),
                       help="none: control plane only; docker: virtual machines are containers that run systemd")
    sub.add_argument("--port", type=int, metavar="N", help="port of the API (default 8443 for the lab 'default', a free one for others; 0 takes a free one)")
    sub.add_argument("--admin-port", type=int, metavar="N", help="port of the admin API and the page (default: a free one)")
    sub.add_argument("--proxy-port", type=int, metavar="N",
                       help="port of the proxy for clients that insist on the names of Azure (default: a free one)")
    sub.add_argument("--latency-scale", type=float, metavar="X",
                       help="0: as fast as possible (default); 1: as slow as Azure was measured to be")
    sub.add_argument("--public-range", metavar="CIDR", help="range of public addresses (default: with machines a free part of "
                       "203.0.113.0/24 or 198.51.100.0/24, without them 203.0.113.0/24)")
    sub.add_argument("--egress", metavar="packages|none|open|NAME,RANGE,…", help="where machines with a way out get to beyond the lab: "
                     "the package mirrors (default), nowhere, anywhere, or named hosts and ranges besides the mirrors")
    sub.add_argument("--apps", metavar="NAME,…", help="applications whose images the lab builds and its registry serves: wordpress (default), webapp, "
                     "monitoring, ci, acme, all or none")
    sub.add_argument("--subscriptions", type=int, metavar="N", help="how many subscriptions the client has (default 1); azlab status names them")
    sub.add_argument("--core-quota", type=int, metavar="N", help="cores per region before Azure's quota error (default 4000)")
    sub.add_argument("--conditions", "--config", metavar="FILE", help="file with latencies, faults, quota, throttling and page size "
                       "(docs/azlab.md); an empty text takes it back")
    sub.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="one of the conditions, over those of the "
                       "file, as in throttling=true or 'faults=[{\"path\": \"virtualMachines\", \"status\": 503}]'; an empty value takes it back")
    sub.add_argument("--quiet", action="store_true", help="no progress, only the result")


def main(argv: list[str] | None = None) -> int:
    """Entry point of the command."""
    root = parser()
    args = root.parse_args(argv)
    if args.command is None:
        root.print_help(sys.stderr)
        return 2
    try:
        status = int(args.function(args))
        sys.stdout.flush()
        return status
    except (SettingsError, MachineError) as problem:
        print(f"azlab: {problem}", file=sys.stderr)
    except KeyboardInterrupt:
        print("azlab: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:                 # whoever read the output has enough of it, as `head` has
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except PermissionError as problem:
        print(f"azlab: {problem.filename} cannot be read or written: is it another user's lab? "
              f"Labs of this user are in {base_directory()}.", file=sys.stderr)
    except urllib.error.URLError as problem:
        print(f"azlab: the lab's server does not answer ({problem.reason}): see 'azlab logs' and 'azlab doctor'.", file=sys.stderr)
    except TimeoutError:
        print("azlab: the lab's server does not answer in time: see 'azlab logs' and 'azlab doctor'.", file=sys.stderr)
    except OSError as problem:
        print(f"azlab: {problem.filename or base_directory()}: {problem.strerror}.", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
