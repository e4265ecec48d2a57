# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which public keys open a host that was set up anew, and the script that sees to it (private to dockhost.azure, pure).

The keys of a machine's model are those that it was made with. Azure takes no others for it
(https://learn.microsoft.com/rest/api/compute/virtual-machines/create-or-update#linuxconfiguration), and each new disk gets them.
"""

from __future__ import annotations

import shlex
from typing import Any, List, Mapping, Sequence, Tuple

from ansible_collections.dockhost.azure.plugins.module_utils._model.ssh_keys import same_key

DONE = "-----DOCKHOST KEYS AUTHORISED-----"
FIRST_BOOT_SECONDS = 600


def made_with(machine: Mapping[str, Any]) -> Tuple[str, str, List[str]]:
    """(user, path of the file, keys) that a machine's model has."""
    profile = (machine.get("properties") or {}).get("osProfile") or {}
    keys = (((profile.get("linuxConfiguration") or {}).get("ssh")) or {}).get("publicKeys") or []
    user = str(profile.get("adminUsername") or "")
    path = next((str(key["path"]) for key in keys if key.get("path")), f"/home/{user}/.ssh/authorized_keys")
    return user, path, [str(key.get("keyData") or "").strip() for key in keys]


def differ(one: Sequence[str], other: Sequence[str]) -> bool:
    """Whether two lists hold different keys; order and comments do not count."""
    return any(not any(same_key(key, there) for there in second) for first, second in ((one, other), (other, one)) for key in first)


def script(machine: Mapping[str, Any], wanted: Sequence[str]) -> str:
    """What gives the administrator the wanted keys and takes away those that the machine was made with.

    Lines of neither stay: custom data may have brought them. The first boot writes the file, so its end is waited for. The
    file is replaced in one step, since SSH may be reading it.

    :param wanted: public keys, checked to be one line each
    """
    user, path, old = made_with(machine)
    lines = [" ".join(key.split()) for key in wanted]
    bodies = list(dict.fromkeys(key.split()[1] for key in [*old, *lines] if len(key.split()) > 1))
    return "\n".join([
        f"if command -v cloud-init >/dev/null 2>&1; then timeout {FIRST_BOOT_SECONDS} cloud-init status --wait >/dev/null 2>&1; fi",
        "set -e",
        "umask 077",
        f"user={shlex.quote(user)}",
        f"file={shlex.quote(path)}",
        'group=$(id -gn "$user")',
        'mkdir -p "${file%/*}"',
        'chown "$user:$group" "${file%/*}"',
        'touch "$file"',
        'new=$(mktemp "$file.XXXXXX")',
        f"{{ grep -vF {' '.join('-e ' + shlex.quote(body) for body in bodies)} \"$file\" || true; }} >\"$new\"",
        'cat >>"$new" <<\'KEYS\'',
        *lines,
        "KEYS",
        'chown "$user:$group" "$new"',
        'mv -f "$new" "$file"',
        'if command -v restorecon >/dev/null 2>&1; then restorecon -R "${file%/*}"; fi',
        f"echo '{DONE}'",
    ])  # fmt: skip
