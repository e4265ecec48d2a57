# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings of the Docker VM extension, as its user guide documents them. Private to this collection; pure.

Source: the README of https://github.com/Azure/azure-docker-extension. Public: ``docker.port``, ``docker.options``, ``compose``,
``compose-environment``, ``azure-environment``. Protected: ``environment``, ``certs`` (ca, cert, key), ``login`` (server,
username, password, email).
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass, field
from typing import Any, Dict, Mapping, Optional, Tuple

from ansible_collections.dockhost.azure.plugins.module_utils._errors import InputError

INSECURE = "allow_unauthenticated_tcp_which_gives_root_to_everybody"

_PUBLIC = ("docker", "compose", "compose-environment", "azure-environment")
_PROTECTED = ("environment", "certs", "login")
CERTS = ("ca", "cert", "key")
_LOGIN = ("server", "username", "password", "email")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# Variables that would change the script's own tools and not only the compose file.
_TAKEN = frozenset({"PATH", "HOME", "IFS", "ENV", "LD_PRELOAD", "LD_LIBRARY_PATH", "DOCKER_HOST", "SECRET_NAMES"})
_SERVER = re.compile(r"[A-Za-z0-9][A-Za-z0-9.:/_-]*")


@dataclass(frozen=True)
class Login:
    """A registry login."""

    server: str
    username: str
    password: str


@dataclass(frozen=True)
class DockerSettings:
    """The settings after they were checked.

    :param port: where the engine listens beside its socket; ``None``: nowhere.
    :param options: command line options of the engine.
    :param compose: the compose file as a mapping, as it was given.
    :param environment: its variables; the names in ``secret_names`` came from the protected settings.
    :param certs: PEM texts by ``ca``, ``cert`` and ``key``; empty: none.
    """

    port: Optional[int] = None
    options: Tuple[str, ...] = ()
    compose: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    secret_names: Tuple[str, ...] = ()
    certs: Mapping[str, str] = field(default_factory=dict)
    login: Optional[Login] = None

    @classmethod
    def read(cls, public: Mapping[str, Any], protected: Mapping[str, Any]) -> "DockerSettings":
        """Check both.

        :raises InputError: names the setting, its value (if it is public) and the remedy.
        """
        _known("settings", public, _PUBLIC)
        _known("protected_settings", protected, _PROTECTED)
        docker = _mapping("settings.docker", public.get("docker"))
        _known("settings.docker", docker, ("port", "options"))
        _cloud(public.get("azure-environment"))
        plain = _variables("settings.compose-environment", public.get("compose-environment"))
        secret = _variables("protected_settings.environment", protected.get("environment"))
        return cls(
            port=_port(docker.get("port")), options=_options(docker.get("options")),
            compose=_mapping("settings.compose", public.get("compose")), environment=dict(plain, **secret),
            secret_names=tuple(sorted(secret)), certs=_certs(protected.get("certs")), login=_login(protected.get("login")),
        )  # fmt: skip


def _known(option: str, given: Mapping[str, Any], names: Tuple[str, ...]) -> None:
    if not isinstance(given, Mapping):
        raise InputError(option, "{0} has to be a mapping (a JSON object).".format(option))
    for name in given:
        if name not in names:
            raise InputError(option, "{0} has '{1}', which the Docker extension does not know: it knows {2}.".format(
                option, name, ", ".join(names)
            ))


def _mapping(option: str, value: Any) -> Mapping[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise InputError(option, "{0} has to be a mapping (a JSON object), not {1}.".format(option, type(value).__name__))
    return value


def _cloud(name: Any) -> None:
    if name not in (None, "", "AzureCloud", "AzureChinaCloud"):
        raise InputError("settings.azure-environment", "settings.azure-environment is '{0}': the extension knows AzureCloud and "
                         "AzureChinaCloud.".format(name))


def _port(value: Any) -> Optional[int]:
    if value in (None, ""):
        return None
    text = str(value)
    if isinstance(value, bool) or not re.fullmatch(r"[0-9]{1,5}", text) or not 1 <= int(text) <= 65535:
        raise InputError("settings.docker.port", "settings.docker.port is '{0}': give a port from 1 to 65535, mostly 2376.".format(value))
    return int(text)


def _options(value: Any) -> Tuple[str, ...]:
    if value in (None, ""):
        return ()
    if not isinstance(value, (list, tuple)) or not all(isinstance(item, str) for item in value):
        raise InputError("settings.docker.options", "settings.docker.options has to be a list of texts, as in [\"-D\", \"--dns=8.8.8.8\"].")
    return tuple(value)


def _variables(option: str, value: Any) -> Dict[str, str]:
    found = {}
    for name, text in _mapping(option, value).items():
        if not _VARIABLE.fullmatch(str(name)) or name in _TAKEN:
            raise InputError(option, "{0} has the name '{1}', which cannot be a variable of a compose file here: choose letters, digits and "
                             "'_', and none of {2}.".format(option, name, ", ".join(sorted(_TAKEN))))
        if isinstance(text, (Mapping, list, tuple)):
            raise InputError(option, "{0}.{1} is a list or a mapping: the value of a variable is text.".format(option, name))
        found[str(name)] = ("true" if text else "false") if isinstance(text, bool) else "" if text is None else str(text)
    return found


def _certs(value: Any) -> Dict[str, str]:
    given = _mapping("protected_settings.certs", value)
    _known("protected_settings.certs", given, CERTS)
    present = [name for name in CERTS if given.get(name)]
    if not present:
        return {}
    missing = [name for name in CERTS if name not in present]
    if missing:
        raise InputError("protected_settings.certs", "protected_settings.certs lacks {0}: give ca, cert and key, or none of them.".format(
            " and ".join(missing)
        ))
    return {name: _pem("protected_settings.certs." + name, str(given[name]), "PRIVATE KEY" if name == "key" else "CERTIFICATE") for name in CERTS}


def _pem(option: str, text: str, kind: str) -> str:
    """PEM as it is, or as base64 of it."""
    if "-----BEGIN" not in text:
        try:
            text = base64.b64decode("".join(text.split()), validate=True).decode("ascii")
        except (binascii.Error, ValueError):
            text = ""
    if not re.search(r"-----BEGIN [A-Z ]*{0}-----.+-----END [A-Z ]*{0}-----".format(kind), text, re.DOTALL):
        raise InputError(option, "{0} is neither PEM nor base64 of PEM with a {1}: encode the whole file (base64 -w0 FILE).".format(
            option, kind.lower()
        ))
    return text.strip().replace("\r\n", "\n") + "\n"


def _login(value: Any) -> Optional[Login]:
    given = _mapping("protected_settings.login", value)
    _known("protected_settings.login", given, _LOGIN)
    if not any(given.values()):
        return None
    for name in ("username", "password"):
        if not given.get(name):
            raise InputError("protected_settings.login", "protected_settings.login lacks {0}.".format(name))
        if not isinstance(given[name], str) or any(ord(sign) < 32 for sign in given[name]):
            raise InputError("protected_settings.login", "protected_settings.login.{0} has to be a text of one line (in quotes, where it is all "
                             "digits).".format(name))
    server = str(given.get("server") or "")
    if server and not _SERVER.fullmatch(server):
        raise InputError("protected_settings.login", "protected_settings.login.server is no name of a registry, as in registry.example.com:5000.")
    return Login(server, str(given["username"]), str(given["password"]))
