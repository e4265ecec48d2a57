# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Extensions of a system whose /usr is read-only (systemd-sysext(8)): on Flatcar, Compose and Buildx come as such.

Flatcar publishes them at https://extensions.flatcar.org; see https://www.flatcar.org/docs/latest/provisioning/sysext/

This util is private to the collection: no release promises that it stays as it is.
"""

from __future__ import annotations

import hashlib
import os
import re
import typing as t
import urllib.error

from ansible_collections.dockhost.azure.plugins.module_utils._docker_host.command import check
from ansible_collections.dockhost.azure.plugins.module_utils._docker_host.packages import HostError

STORE = "/opt/extensions"
LINKS = "/etc/extensions"


def validate(extensions: t.Iterable[t.Mapping[str, str]]) -> None:
    """Refuse what could not be fetched, or could be changed by anybody on the way."""
    for extension in extensions:
        name = extension["name"]
        if not re.fullmatch(r"[a-z0-9][a-z0-9._-]*", name):
            raise HostError(f"system_extensions: {name!r} is no name of an extension; write one such as docker-compose.")
        if not extension["url"].startswith("https://"):
            raise HostError(f"system_extensions: {name}: its url has to begin with https://.")
        if not re.fullmatch(r"sha256:[0-9a-f]{64}", extension["checksum"]):
            raise HostError(f"system_extensions: {name}: its checksum has to be sha256: and 64 hexadecimal digits, as Flatcar publishes it beside the file.")


def missing(extensions: t.Iterable[t.Mapping[str, str]], read: t.Callable[[str], str | None]) -> list[t.Mapping[str, str]]:
    """Those that are not there in this very version. The digest is kept beside the image: reading that is a whole lot faster."""
    return [
        extension
        for extension in extensions
        if (read(f"{STORE}/{extension['name']}.sha256") or "").strip() != extension["checksum"]
        or not os.path.exists(f"{LINKS}/{extension['name']}.raw")
    ]


def install(extensions: t.Sequence[t.Mapping[str, str]], write: t.Callable[[str, str], None]) -> None:
    """Fetch them, verify them, and merge them into /usr."""
    os.makedirs(STORE, mode=0o755, exist_ok=True)
    os.makedirs(LINKS, mode=0o755, exist_ok=True)
    for extension in extensions:
        name, image = extension["name"], f"{STORE}/{extension['name']}.raw"
        _fetch(extension, f"{image}.new")
        os.replace(f"{image}.new", image)
        link = f"{LINKS}/{name}.raw"
        if os.path.lexists(link):
            os.unlink(link)
        os.symlink(image, link)
        write(f"{STORE}/{name}.sha256", extension["checksum"] + "\n")
    check("systemd-sysext", "refresh", timeout=300)


def _fetch(extension: t.Mapping[str, str], path: str) -> None:
    # Imported here: few hosts need it, and it takes longer than the rest of the module.
    from ansible.module_utils.urls import ConnectionError as UrlError, open_url

    digest = hashlib.sha256()
    try:
        with open_url(extension["url"], timeout=60, use_netrc=False) as answer, open(path, "wb") as file:
            while True:
                piece = answer.read(1 << 20)
                if not piece:
                    break
                digest.update(piece)
                file.write(piece)
    except (urllib.error.URLError, OSError, UrlError) as error:
        raise HostError(f"system_extensions: {extension['url']} cannot be read from this host: {error}.") from None
    if f"sha256:{digest.hexdigest()}" != extension["checksum"]:
        os.unlink(path)
        raise HostError(f"system_extensions: what {extension['url']} serves has another checksum (sha256:{digest.hexdigest()}), and was not used.")
