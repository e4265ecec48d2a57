# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""PURE: where machines that have a way out get to, beyond the lab: `--egress packages | none | open | NAME,RANGE,…`."""
from __future__ import annotations

import ipaddress
import re
import urllib.parse
from typing import Any

DOCKER_PACKAGES = "download.docker.com"
_HOST = re.compile(r"^(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+$")


def parse(text: str, mirrors: tuple[str, ...], lab: str) -> dict[str, Any]:
    """What gateways are told: `open`, names of hosts, ranges. `mirrors` are URLs of package mirrors, `lab` the lab's own range.

    Names and ranges come on top of the mirrors. Raises ValueError with a sentence.
    """
    packages = sorted({urllib.parse.urlsplit(url).hostname or "" for url in mirrors} | {DOCKER_PACKAGES})
    if text == "open":
        return {"open": True, "hosts": [], "networks": [lab]}
    if text in ("none", "packages"):
        return {"open": False, "hosts": packages if text == "packages" else [], "networks": [lab]}
    hosts, networks = set(packages), {lab}
    for word in text.split(","):
        try:
            networks.add(str(ipaddress.IPv4Network(word.strip())))
        except ValueError:
            if not _HOST.match(word.strip().lower()):
                raise ValueError(f"'{word}' is neither packages, none, open, a host name nor an IPv4 range") from None
            hosts.add(word.strip().lower())
    return {"open": False, "hosts": sorted(hosts), "networks": sorted(networks)}
