# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What leaves the lab: names are resolved here, and only what was resolved for a name that is allowed can be reached.

dnsmasq answers the machines under Azure's own address for it, and adds the addresses of allowed names to a set of the
kernel before it answers, so that the addresses of content networks, which change from answer to answer, are known in time.
https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16
"""
from __future__ import annotations

import asyncio
import ipaddress
from pathlib import Path
from typing import Any

import fabric
from ruleset import PROBE_SOURCE

TABLE = "azlab_egress"
CONFIG = Path("/run/azlab-dnsmasq.conf")
NAME_PORT = 53


def render(egress: dict[str, Any]) -> str:
    """The table that stands behind the one of the virtual network: what that lets out has to be allowed here too."""
    networks = [str(n) for n in ipaddress.collapse_addresses(ipaddress.ip_network(n) for n in egress["networks"])]
    rules = [] if egress["open"] else [
        'oifname != "eth0" accept', "ct state established,related accept",
        f"ip daddr {{ {', '.join(networks)} }} accept", "tcp dport { 80, 443 } ip daddr @allowed accept",
        # An answer and not silence: people see at once that it is the lab that refuses.
        "reject with icmp admin-prohibited"]
    chain = "".join(f"    {rule}\n" for rule in rules)
    return (f"table ip {TABLE}\ndelete table ip {TABLE}\ntable ip {TABLE} {{\n  set allowed {{ type ipv4_addr; }}\n"
            f"  chain leaving {{\n    type filter hook forward priority filter + 5; policy accept;\n{chain}  }}\n}}\n")


def dnsmasq(egress: dict[str, Any], resolvers: list[str]) -> str:
    """The configuration of the name server."""
    lines = ["no-resolv", "no-hosts", "user=root", "bind-interfaces", f"listen-address={PROBE_SOURCE}", "cache-size=1000",
             *(f"server={resolver}" for resolver in resolvers)]
    if egress["hosts"] and not egress["open"]:
        lines.append(f"nftset=/{'/'.join(egress['hosts'])}/4#ip#{TABLE}#allowed")
    return "\n".join(lines) + "\n"


class Egress:
    """The table and the name server, kept at what is wanted."""

    def __init__(self) -> None:
        self._wanted: tuple[str, str] | None = None
        self._server: asyncio.subprocess.Process | None = None

    async def want(self, egress: dict[str, Any], resolvers: list[str]) -> None:
        wanted = (render(egress), dnsmasq(egress, resolvers))
        if wanted == self._wanted and self._server is not None and self._server.returncode is None:
            return
        await self.stop()
        await fabric.load(wanted[0])
        CONFIG.write_text(wanted[1])
        self._server = await asyncio.create_subprocess_exec("dnsmasq", "--keep-in-foreground", f"--conf-file={CONFIG}")
        await self._answers()
        self._wanted = wanted

    async def stop(self) -> None:
        if self._server is not None and self._server.returncode is None:
            self._server.terminate()
            await self._server.wait()
        self._server = None

    async def _answers(self) -> None:
        """Until it listens; FabricError when it ended instead."""
        while self._server is not None and self._server.returncode is None:
            try:
                _reader, writer = await asyncio.open_connection(PROBE_SOURCE, NAME_PORT)
                writer.close()
                return
            except OSError:
                await asyncio.sleep(0.01)
        raise fabric.FabricError("the name server of the gateway ended when it was started")
