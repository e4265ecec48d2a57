# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Logins of a registry: an htpasswd file with bcrypt, the one kind of password that the registry takes.

https://distribution.github.io/distribution/about/configuration/#htpasswd
Hosts have nothing but Python, and Python's own crypt is gone since 3.13. The C library's libcrypt (libxcrypt), which login and
sudo use, knows bcrypt on Debian, Ubuntu, the RHEL family and SUSE. So no password is ever given to a program.

This util is private to the collection: no release promises that it stays as it is.
"""

from __future__ import annotations

import base64
import ctypes
import os
import re
import typing as t

from ansible_collections.dockhost.azure.plugins.module_utils._docker_host.packages import HostError

LIBRARIES = ("libcrypt.so.1", "libcrypt.so.2")
COST = 10
_BCRYPT = re.compile(r"\$2[aby]\$\d\d\$[./A-Za-z0-9]{53}\Z")
_STANDARD = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_BCRYPTS_OWN = b"./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
# bcrypt takes no notice of what comes after 72 bytes; two long passwords would be one.
LONGEST = 72


def is_hash(password: str) -> bool:
    """Whether this is a bcrypt hash, as htpasswd -B prints it, and not a password."""
    return bool(_BCRYPT.match(password))


def check_user(name: str, password: str) -> None:
    """Refuse what cannot stand in an htpasswd file, or would not mean what it says. The password is never told."""
    if not name or ":" in name or name != name.strip() or not name.isprintable():
        raise HostError(f"users: {name!r} cannot be a user's name; it must not be empty, and must have no colon, blank at an end or line break.")
    if not password:
        raise HostError(f"users: the password of {name} is empty; give one.")
    if len(password.encode()) > LONGEST:
        raise HostError(f"users: the password of {name} has more than {LONGEST} bytes, and bcrypt would ignore the rest; give a shorter one.")


def crypt(password: str, setting: str) -> str:
    """crypt(3). HostError where this host's library has no bcrypt."""
    for name in LIBRARIES:
        try:
            function = ctypes.CDLL(name).crypt
        except (OSError, AttributeError):
            continue
        function.restype, function.argtypes = ctypes.c_char_p, (ctypes.c_char_p, ctypes.c_char_p)
        made = (function(password.encode(), setting.encode()) or b"").decode(errors="replace")
        if is_hash(made):
            return made
    raise HostError(
        "users: this host's C library cannot make bcrypt hashes; give each password as the hash that 'htpasswd -nB NAME' prints on another machine."
    )


def new_hash(password: str) -> str:
    """A bcrypt hash with a salt of its own."""
    salt = base64.b64encode(os.urandom(16)).translate(bytes.maketrans(_STANDARD, _BCRYPTS_OWN))[:22]
    # The last character of a salt carries two bits only; libxcrypt writes the others as zeros.
    return crypt(password, f"$2y${COST:02d}${salt.decode()}")


def parse(text: str | None) -> dict[str, str]:
    """User → hash of an existing file; lines that are none are left out."""
    lines = [line.split(":", 1) for line in (text or "").splitlines() if ":" in line and not line.startswith("#")]
    return dict(line for line in lines)


def htpasswd(users: t.Mapping[str, str], text: str | None) -> tuple[str, list[str]]:
    """The file's text, and what changes by it, in words. A hash stays as long as its password does."""
    had = parse(text)
    lines, changes = [], []
    for name in sorted(users):
        password, old = users[name], had.get(name, "")
        if is_hash(password):
            new = password
        elif is_hash(old) and crypt(password, old) == old:
            new = old
        else:
            new = new_hash(password)
        if new != old:
            changes.append(f"user {name}: " + ("another password" if old else "new"))
        lines.append(f"{name}:{new}\n")
    changes += [f"user {name}: removed" for name in sorted(set(had) - set(users))]
    return "".join(lines), changes
