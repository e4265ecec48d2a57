# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Carries requests to the engine of a host, and its answers back: the small half of a client that thinks on the controller.

The source of this file goes to the host on a command line and runs there by itself, so it imports nothing of the collection and as
little as it can of the standard library: a module of Ansible takes a quarter of a second of processor time to start, this a tenth of that.

This util is private to the collection: no release promises that it stays as it is.
"""

from __future__ import annotations

import json
import socket
import sys
import time

# The newest API that the collection speaks, as in client.py.
NEWEST = (1, 44)
OLDEST = (1, 41)
# Fields of answers that are secrets.
SECRETS = ("JoinTokens", "UnlockKey")
MARK = "dockhost-relay:"


def exchange(path: str, timeout: float, method: str, target: str, body: object = None) -> tuple[int, str, str]:
    """One request over the engine's socket: status, head and text. HTTP/1.0, so that the end of the answer is the end of the connection."""
    content = b"" if body is None else json.dumps(body).encode()
    head = f"{method} {target} HTTP/1.0\r\nHost: docker\r\nContent-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(timeout)
        connection.connect(path)
        connection.sendall(head.encode() + content)
        parts = []
        while True:
            part = connection.recv(65536)
            if not part:
                break
            parts.append(part)
    answer = b"".join(parts).decode(errors="replace")
    head, ended, text = answer.partition("\r\n\r\n")
    if not ended:
        raise OSError("the engine closed the connection before it had answered")
    return int(head.split(None, 2)[1]), head, text


def version(path: str, timeout: float) -> str:
    """The API version to speak, as a prefix of paths."""
    dummy, head, dummy = exchange(path, timeout, "GET", "/_ping")
    fields = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
    major, minor = fields["api-version"].split(".")
    spoken = int(major), int(minor)
    if spoken < OLDEST:
        raise ValueError("the engine is too old")
    return "/v%d.%d" % min(spoken, NEWEST)


def shown(text: str, key: str) -> str:
    """The answer without secrets, or with them sealed by ``key`` where they were asked for: connections print what a host says when
    they are verbose, and what a task keeps secret is no concern of theirs. What goes to a host by standard input is printed by none."""
    if not any('"%s"' % name in text for name in SECRETS):
        return text
    found = json.loads(text)
    kept = {name: found.pop(name) for name in SECRETS if isinstance(found, dict) and name in found}
    if key and kept:
        found["sealed"] = seal(json.dumps(kept).encode(), key).hex()
    return json.dumps(found)


def seal(content: bytes, key: str) -> bytes:
    """Seal or open ``content`` with a key (hex) that is used for one answer only."""
    import hashlib  # where it is needed: its start takes longer than all else here

    return bytes(one ^ other for one, other in zip(content, hashlib.shake_256(bytes.fromhex(key)).digest(len(content))))


def fits(found: object, wish: dict) -> bool:
    """Whether a thing that the engine shows is as ``wish`` has it: ``field``, names that lead to a value in it, and ``value``."""
    for name in wish["field"]:
        found = found.get(name) if isinstance(found, dict) else None
    return found == wish["value"]


def until(ask: object, wish: dict) -> tuple[int, str]:
    """Ask (``ask()``: status and text) every ``pause`` seconds until the thing fits, is gone (404), or ``timeout`` is over; the last answer.

    A refusal is no end: while the managers of a swarm change its leader may, and for a moment nobody answers for it.
    """
    deadline = time.monotonic() + wish["timeout"]
    while True:
        status, text = ask()
        if status == 404 or (status < 400 and fits(json.loads(text), wish)) or time.monotonic() >= deadline:
            return status, text
        time.sleep(wish["pause"])


def connect(address: str, port: int, timeout: float) -> str:
    """Try a TCP port; empty where that works, else what does not."""
    try:
        socket.create_connection((address, port), timeout).close()
    except OSError as error:
        return str(error.strerror or error)
    return ""


def source_address() -> str:
    """The source address of the default route, empty where there is none. Connecting UDP sends no packet."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("198.18.0.1", 9))
        except OSError:
            return ""
        return probe.getsockname()[0]


def serve(order: dict, has_ipvs: object) -> None:
    """Do what ``order`` lists, one after the other, and print the answers. ``has_ipvs``: see _swarm/mesh.py."""
    path, timeout = order["socket"], order["timeout"]
    answers = []
    try:
        prefix = version(path, timeout)
        for kind, *given in order["operations"]:
            if kind == "request":
                method, target, body = given
                status, dummy, text = exchange(path, timeout, method, prefix + target, body)
                answers.append([status, shown(text, order["key"])])
            elif kind == "until":
                target, wish = given
                status, text = answers[-1]
                if status < 400:  # what was asked for before has been taken
                    status, text = until(lambda at=target: exchange(path, timeout, "GET", prefix + at)[::2], wish)
                answers.append([status, shown(text, order["key"])])
            elif kind == "connect":
                answers.append(connect(*given))
            elif kind == "only where reached":
                places, patience = given
                tried = (connect(address, port, patience) for address, port in places)
                answers.append(next(filter(None, tried), ""))
                if answers[-1]:
                    break
            else:
                answers.append({"mesh": has_ipvs, "address": source_address}[kind]())
    except (OSError, KeyError, ValueError, IndexError) as error:
        print_answer({"trouble": f"{type(error).__name__}: {error}", "answers": answers})
        return
    print_answer({"answers": answers})


def print_answer(answer: dict) -> None:
    """On one line, which is found whatever a login prints before it."""
    sys.stdout.write(f"\n{MARK}{json.dumps(answer)}\n")
