# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A client that asks a service all the time, at several addresses as one behind a load balancer with probes does.

    client.py STOP-FILE RESULT-FILE PORT ADDRESS…

A request fails when no address answers PING with PONG within two seconds. Ends when STOP-FILE is there.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import time


def asked(address: str, port: int) -> bool:
    """One request at one address."""
    try:
        with socket.create_connection((address, port), 0.5) as connection:
            connection.settimeout(0.5)
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
    except OSError:
        return False


def answered(addresses: list[str], port: int) -> bool:
    """One request; the address that answered is asked first the next time."""
    end = time.monotonic() + 2
    while time.monotonic() < end:
        for address in list(addresses):
            if asked(address, port):
                addresses.remove(address)
                addresses.insert(0, address)
                return True
    return False


def main() -> None:
    """Ask until told to stop."""
    stop, result, port, *addresses = sys.argv[1:]
    counts = {"answered": 0, "failed": 0}
    while not os.path.exists(stop):
        counts["answered" if answered(addresses, int(port)) else "failed"] += 1
        with open(result + ".new", "w", encoding="ascii") as file:
            json.dump(counts, file)
        os.replace(result + ".new", result)
        time.sleep(0.1)


if __name__ == "__main__":
    main()
