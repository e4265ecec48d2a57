# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The systemd units of a registry, and the script that collects its garbage. Pure.

The registry must not be written to while its garbage is collected, or a layer of an image that is just being pushed is taken for garbage:
https://distribution.github.io/distribution/about/garbage-collection/
So the script starts it anew with a read-only configuration, by a drop-in in /run that no reboot outlives, and as it was at the end.
Images can be pulled all the while.

This util is private to the collection: no release promises that it stays as it is.
"""

from __future__ import annotations

from ansible_collections.dockhost.azure.plugins.module_utils._registry.config import COLLECT, CONFIG, READ_ONLY, Request

PROGRAM = "/usr/bin/docker-registry"
USER = "docker-registry"
UNITS = "/etc/systemd/system"


def files(request: Request) -> dict[str, str]:
    """Path → text of everything that systemd runs."""
    made = {f"{UNITS}/{request.unit}.service": service(request)}
    if request.collects:
        made[f"{UNITS}/{request.unit}-garbage.service"] = garbage_service(request)
        made[f"{UNITS}/{request.unit}-garbage.timer"] = garbage_timer(request)
        made[request.path(COLLECT)] = collect_script(request)
    return made


def service(request: Request) -> str:
    """The registry itself."""
    head = [
        "[Unit]",
        f"Description=Container registry {request.name}",
        "After=network-online.target" + (" docker.service" if request.source == "image" else ""),
        "Wants=network-online.target",
    ]
    if request.source == "image":
        head += ["Requires=docker.service"]
    body = ["", "[Service]", "Restart=always", "RestartSec=2"]
    if request.source == "image":
        body += [f"ExecStartPre=-/usr/bin/docker rm --force {request.unit}"]
        body += [f"ExecStop=/usr/bin/docker stop --time 10 {request.unit}"]
    else:
        body += [
            f"User={USER}", "NoNewPrivileges=yes", "PrivateTmp=yes", "ProtectSystem=strict", "ProtectHome=yes", f"ReadWritePaths={request.data}"
        ]  # fmt: skip
    body += [f"ExecStart={command(request, 'serve', CONFIG, name=request.unit)}"]
    return "\n".join([*head, *body, "", "[Install]", "WantedBy=multi-user.target", ""])


def command(request: Request, verb: str, config: str, *options: str, name: str = "") -> str:
    """A command line of the registry's program, on the host or in a container."""
    arguments = " ".join((verb, request.path(config), *options))
    if request.source == "distribution":
        return f"{PROGRAM} {arguments}"
    run = ["/usr/bin/docker run --rm --pull never --log-driver none --read-only --cap-drop ALL --security-opt no-new-privileges"]
    run += [f"--volume {request.folder}:{request.folder}:ro"]
    if request.storage == "disk":
        run += [f"--volume {request.data}:{request.data}"]
    elif (request.azure or {}).get("identity", "system") != "system":
        run += [f"--env AZURE_CLIENT_ID={(request.azure or {})['identity']}"]
    if request.port < 1024:
        run += ["--cap-add NET_BIND_SERVICE"]
    if name:
        address = f"{request.listen_address}:" if request.listen_address else ""
        run += [f"--name {name} --publish {address}{request.port}:{request.port}"]
    return " ".join([*run, request.image, arguments])


def garbage_service(request: Request) -> str:
    """What the timer starts."""
    return "\n".join(
        (
            "[Unit]",
            f"Description=Collect the garbage of container registry {request.name}",
            f"After={request.unit}.service",
            "",
            "[Service]",
            "Type=oneshot",
            f"ExecStart={request.path(COLLECT)}",
            # Also after a failure and after somebody stopped it: the registry takes pushes again.
            f"ExecStopPost={request.path(COLLECT)} writable",
            "",
        )
    )


def garbage_timer(request: Request) -> str:
    """When it is started."""
    return "\n".join(
        (
            "[Unit]",
            f"Description=Collect the garbage of container registry {request.name} by the clock",
            "",
            "[Timer]",
            f"OnCalendar={request.garbage_schedule}",
            "Persistent=true",
            "RandomizedDelaySec=5min",
            "",
            "[Install]",
            "WantedBy=timers.target",
            "",
        )
    )


def collect_script(request: Request) -> str:
    """Read-only, collect, writable again."""
    options = ("--delete-untagged",) if request.garbage_untagged else ()
    collect = command(request, "garbage-collect", CONFIG, *options)
    if request.source == "distribution":
        collect = f"setpriv --reuid={USER} --regid={USER} --init-groups {collect}"
    return f"""#!/bin/sh
# Collects the garbage of container registry {request.name}; see https://distribution.github.io/distribution/about/garbage-collection/
set -eu
unit={request.unit}.service
dropin=/run/systemd/system/$unit.d

restart() {{
  systemctl daemon-reload
  systemctl restart "$unit"
}}

writable() {{
  if [ -e "$dropin/read-only.conf" ]; then
    rm -f "$dropin/read-only.conf"
    restart
  fi
}}

if [ "${{1:-}}" = writable ]; then writable; exit 0; fi
mkdir -p "$dropin"
cat >"$dropin/read-only.conf" <<'END'
[Service]
ExecStart=
ExecStart={command(request, 'serve', READ_ONLY, name=request.unit)}
END
restart
{collect}
writable
"""
