# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What /etc/docker/daemon.json should say, and what a change of it costs. Pure.

This util is private to the collection: no release promises that it stays as it is.
"""

from __future__ import annotations

import json
import os
import typing as t

from ansible_collections.dockhost.azure.plugins.module_utils._docker_host.packages import HostError

Options = t.Mapping[str, t.Any]

NOTHING = "nothing"
RELOAD = "reload"
RESTART = "restart"

# What SIGHUP makes the daemon read again: https://docs.docker.com/reference/cli/dockerd/#configuration-reload-behavior
# "features" stands there too, but turning the containerd image store on or off does need a restart.
_RELOADED = frozenset(
    (
        "debug",
        "labels",
        "live-restore",
        "max-concurrent-downloads",
        "max-concurrent-uploads",
        "max-download-attempts",
        "default-runtime",
        "runtimes",
        "authorization-plugins",
        "insecure-registries",
        "registry-mirrors",
        "shutdown-timeout",
    )
)
# Of these a reload also undoes a value that the file no longer has; for the others the daemon keeps the old value
# until it is restarted (moby, daemon/reload.go: "if conf.IsValueSet").
_RESET_BY_RELOAD = frozenset(
    ("max-concurrent-downloads", "max-concurrent-uploads", "max-download-attempts", "shutdown-timeout")
)
TLS_OPTIONS = ("tlscacert", "tlscert", "tlskey")


def text(options: Options) -> str:
    """The file's text: sorted, so that the same options always give the same file."""
    return json.dumps(options, indent=2, sort_keys=True) + "\n"


def parse(content: str | None) -> dict[str, t.Any] | None:
    """The options of an existing file; None where there is no file or it is not a JSON object."""
    if content is None:
        return None
    try:
        options = json.loads(content or "{}")
    except ValueError:
        return None
    return options if isinstance(options, dict) else None


def effect(before: Options | None, after: Options) -> str:
    """What the daemon needs to take ``after`` over: nothing, reload or restart."""
    if before is None:
        return RESTART if after else NOTHING
    changed = {name for name in {*before, *after} if before.get(name) != after.get(name)}
    if not changed:
        return NOTHING
    if not changed <= _RELOADED:
        return RESTART
    removed = {name for name in changed if name not in after}
    return RELOAD if removed <= _RESET_BY_RELOAD else RESTART


def with_live_restore(options: Options, choice: str, in_swarm: bool) -> dict[str, t.Any]:
    """Lay the choice (auto, yes, no) under the options; auto is yes where the host is in no swarm.

    A swarm node's daemon does not start with live-restore on, so asking for both is refused before anything is changed:
    https://docs.docker.com/engine/daemon/live-restore/#live-restore-and-swarm-mode
    """
    result = dict(options)
    if "live-restore" not in result:
        result["live-restore"] = choice == "yes" or (choice == "auto" and not in_swarm)
    if result["live-restore"] and in_swarm:
        raise HostError(
            "live_restore: this host is in a swarm, where the daemon does not start with live-restore; "
            "set docker_live_restore to no or auto, or let the host leave the swarm."
        )
    return result


def check(options: Options) -> None:
    """Refuse what would open the engine to others, or shut this collection out."""
    hosts = options.get("hosts", [])
    if not isinstance(hosts, list):
        raise HostError(f"daemon_options.hosts: a list of addresses is wanted, not {hosts!r}.")
    tcp = [host for host in hosts if str(host).startswith("tcp:")]
    lacking = [name for name in TLS_OPTIONS if not options.get(name)]
    if tcp and (not options.get("tlsverify") or lacking):
        raise HostError(
            f"daemon_options.hosts: {tcp[0]} without mutual TLS would give root on this host to everybody who reaches it; "
            "set tlsverify: true, tlscacert, tlscert and tlskey as well, or use 'docker context' over SSH."
        )
    if hosts and not any(str(host).startswith(("fd:", "unix:///var/run/docker.sock")) for host in hosts):
        raise HostError(
            "daemon_options.hosts: unix:///var/run/docker.sock must be among them, since modules and people on the host use it."
        )


def check_certificate(ca: str, certificate: str, key: str) -> None:
    """Refuse what the daemon could not start with: no certificates, or a key of another one. Nothing of them is shown."""
    import ssl
    import tempfile

    with tempfile.TemporaryDirectory(prefix="dockhost-") as folder:
        paths = {}
        for name, text in (("certificate", certificate), ("key", key)):
            paths[name] = os.path.join(folder, name)
            with open(os.open(paths[name], os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="utf-8") as file:
                file.write(text)
        try:
            ssl.create_default_context(cadata=ca)
        except (ssl.SSLError, ValueError):
            raise HostError("tls.ca: this is no certificate in PEM form.") from None
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(paths["certificate"], paths["key"])
        except (ssl.SSLError, ValueError):
            raise HostError("tls: the certificate and its key do not belong together, or are not in PEM form.") from None


def drop_in(options: Options, dockerd: str) -> str | None:
    """A systemd drop-in for what daemon.json makes necessary; None where the unit is right as it is.

    The packages' units say ``-H fd://``, and dockerd refuses to start when hosts are both in a flag and in the file.
    """
    text = ""
    if options.get("data-root"):
        text += (
            "# Without its disk the engine would begin anew in the empty folder below it.\n"
            f"[Unit]\nRequiresMountsFor={options['data-root']}\n"
        )
    if options.get("hosts"):
        text += (
            "# daemon.json names the daemon's hosts; the unit's own -H fd:// would contradict it.\n"
            f"[Service]\nExecStart=\nExecStart={dockerd} --containerd=/run/containerd/containerd.sock\n"
        )
    return text or None
