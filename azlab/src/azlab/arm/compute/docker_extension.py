# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Docker extension 1.2, which Azure retired in November 2018: its settings, and shell scripts that do in a machine what it did.

Its behaviour is that of its user guide and source, https://github.com/Azure/azure-docker-extension: what it leaves on a host, its
careless habits included, is what migrations of today meet. Where the lab cannot follow (the installer of get.docker.com, Compose
1.6.2), Debian's packages stand in; docs/azlab.md lists that.
"""
from __future__ import annotations

import base64
import binascii
import json
import shlex
from typing import Any

# How the lab treats the extension: Azure knows no such type; it is there and fails as in 2019; it works as it did in 2016.
MODES = ("retired", "broken", "working")
PUBLISHER, TYPE = "microsoft.azure.extensions", "dockerextension"
BROKEN = ("Enable Docker failed: ERROR: executing /bin/sh [-c curl -sSL https://get.docker.com/ | sh] failed: the extension is "
          "retired and its installer does not work on current images")
_PACKAGES = "docker.io docker-cli docker-compose"
_TRIES, _PAUSE = 6, 60


class SettingsRefused(ValueError):
    """The handler refuses its settings; the text is what it says."""


def enable_script(public: dict[str, Any], protected: dict[str, Any], user: str) -> str:
    """What `enable` does. Raises SettingsRefused. `user` is the machine's administrator."""
    _check(public, protected)
    return "\n".join([_HEAD, _INSTALL.format(packages=_PACKAGES, tries=_TRIES, pause=_PAUSE),
                      f"usermod -aG docker {shlex.quote(user)} || fail 'failed to add the user to group docker'",
                      *_certificates(protected.get("certs") or {}), _OPTIONS.format(arguments=shlex.quote(_arguments(public, protected))),
                      *_login(protected.get("login") or {}), *_compose(public, protected),
                      "say \"- completed: 'enable'\""]) + "\n"


def removal_script() -> str:
    """What `disable` and `uninstall` do: the engine stops, and the package of its days is purged, where there is one."""
    return _HEAD + ("\nsystemctl stop docker >>\"$LOG\" 2>&1\n"
                    "apt-get -qqy purge docker-engine >>\"$LOG\" 2>&1 || exit 1\n"
                    "apt-get -qqy autoremove >>\"$LOG\" 2>&1\nrm -f /usr/local/bin/docker-compose\n")


def _check(public: dict[str, Any], protected: dict[str, Any]) -> None:
    if public.get("azure-environment") not in (None, "", "AzureCloud", "AzureChinaCloud"):
        raise SettingsRefused(f"invalid environment name: {public['azure-environment']}")
    # The handler reads its settings into typed structures; what it does not know it passes over.
    for where, value, kind in (("docker", public.get("docker"), dict), ("compose", public.get("compose"), dict),
                               ("compose-environment", public.get("compose-environment"), dict),
                               ("environment", protected.get("environment"), dict), ("certs", protected.get("certs"), dict),
                               ("login", protected.get("login"), dict)):
        if value is not None and not isinstance(value, kind):
            raise SettingsRefused(f"error parsing settings file: json: cannot unmarshal {where} into an object")
    docker = public.get("docker") or {}
    if not isinstance(docker.get("port", ""), str):
        raise SettingsRefused("error parsing settings file: json: cannot unmarshal number into Go value of type string")
    options = docker.get("options") or []
    if not isinstance(options, list) or not all(isinstance(o, str) for o in options):
        raise SettingsRefused("error parsing settings file: json: cannot unmarshal docker.options into a list of strings")


def _certificates(certs: dict[str, Any]) -> list[str]:
    """All three or none; base64, or what is no base64 as it stands."""
    if not all(certs.get(k) for k in ("ca", "cert", "key")):
        return []
    lines = ["mkdir -p /etc/docker"]
    for key in ("ca", "cert", "key"):
        text = str(certs[key]).strip()
        try:
            data = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            data = text.encode()
        lines.append(_write(f"/etc/docker/{key}.pem", data, "0600"))
    return lines


def _arguments(public: dict[str, Any], protected: dict[str, Any]) -> str:
    found = ["-H=fd://"]
    if all((protected.get("certs") or {}).get(k) for k in ("ca", "cert", "key")):
        found += ["--tlsverify", "--tlscacert=/etc/docker/ca.pem", "--tlscert=/etc/docker/cert.pem", "--tlskey=/etc/docker/key.pem"]
    docker = public.get("docker") or {}
    if docker.get("port"):
        found.append(f"-H=0.0.0.0:{docker['port']}")
    return " ".join(found + list(docker.get("options") or []))


def _login(login: dict[str, Any]) -> list[str]:
    """On the command line, as it did. The CLI of today has no `--email`."""
    if not (login.get("username") and login.get("password")):
        return []
    words = ["docker", "login", f"--username={login['username']}", f"--password={login['password']}"]
    words += [login["server"]] if login.get("server") else []
    return [" ".join(shlex.quote(str(w)) for w in words) + " >/dev/null 2>&1 || fail \"'docker login' failed\""]


def _compose(public: dict[str, Any], protected: dict[str, Any]) -> list[str]:
    document = public.get("compose") or {}
    if not document:
        return []
    variables = {"COMPOSE_HTTP_TIMEOUT": "600", "COMPOSE_PROJECT_NAME": "compose", **(public.get("compose-environment") or {}),
                 **(protected.get("environment") or {})}
    text = json.dumps(_todays(document), indent=1)
    return ["mkdir -p /etc/docker/compose", _write("/etc/docker/compose/docker-compose.yml", text.encode(), "0644"),
            "{ echo 'Using compose yaml:>>>>>'; cat /etc/docker/compose/docker-compose.yml; echo '<<<<<'; } >>\"$LOG\"",
            *(f"export {k}={shlex.quote(str(v))}" for k, v in variables.items()),
            "/usr/local/bin/docker-compose -f /etc/docker/compose/docker-compose.yml up -d >\"$OUT\" 2>&1 || { cat \"$OUT\" >>\"$LOG\"; "
            "fail \"'docker-compose up' failed: $(tail -n 1 \"$OUT\"). Check logs at $LOG.\"; }"]


def _todays(document: dict[str, Any]) -> dict[str, Any]:
    """The first format (services at the top, on Docker's own bridge) for a Compose that does not read it any more."""
    if isinstance(document.get("services"), dict):
        return document
    services = {name: ({"network_mode": "bridge", **s} if isinstance(s, dict) else s) for name, s in document.items()}
    volumes = {str(v).split(":")[0] for s in services.values() if isinstance(s, dict) for v in s.get("volumes") or []
               if ":" in str(v) and str(v)[0] not in "/.~"}
    return {"services": services, **({"volumes": {v: {"name": v} for v in sorted(volumes)}} if volumes else {})}


def _write(path: str, data: bytes, mode: str) -> str:
    encoded = base64.b64encode(data).decode()
    return f"base64 -d >{path} <<'END_OF_FILE'\n{encoded}\nEND_OF_FILE\nchmod {mode} {path}"


_HEAD = r"""export DEBIAN_FRONTEND=noninteractive HOME=/root LC_ALL=C
umask 022
LOG=/var/log/azure-docker-extension-enable.log
OUT=$(mktemp)
trap 'rm -f "$OUT"' EXIT
say() { printf '[DockerExtension] %s %s\n' "$(date '+%Y/%m/%d %H:%M:%S')" "$*" >>"$LOG"; }
fail() { say "ERROR: $*"; printf 'ERROR: %s\n' "$*" >&2; exit 1; }"""

_INSTALL = r"""say "+ starting: 'enable'"
if command -v docker >/dev/null; then say 'docker already installed. not re-installing'; else
  tries={tries}
  until {{ apt-get -q update && apt-get -qqy install --no-install-recommends {packages}; }} >"$OUT" 2>&1; do
    cat "$OUT" >>"$LOG"
    tries=$((tries - 1))
    [ "$tries" -gt 0 ] || fail "executing /bin/sh [-c curl -sSL https://get.docker.com/ | sh] failed: exit status 100"
    say "install failed. remaining attempts=$tries. sleeping {pause}s"
    sleep {pause}
  done
fi
if [ ! -e /usr/local/bin/docker-compose ]; then
  printf '#!/bin/sh\nexec docker compose "$@"\n' >/usr/local/bin/docker-compose
  chmod 0755 /usr/local/bin/docker-compose
fi"""

_OPTIONS = r"""unit=$(systemctl show -p FragmentPath docker.service | cut -d= -f2-)
line="ExecStart=$(command -v dockerd) "{arguments}
if grep -qxF -e "$line" "$unit"; then systemctl start docker >>"$LOG" 2>&1; else
  LINE=$line awk '/^ExecStart=/ {{ print ENVIRON["LINE"]; next }} {{ print }}' "$unit" >"$OUT" && cat "$OUT" >"$unit"
  systemctl daemon-reload
  systemctl restart docker >>"$LOG" 2>&1 || fail 'executing systemctl [restart docker] failed: exit status 1'
fi
sleep 3"""
